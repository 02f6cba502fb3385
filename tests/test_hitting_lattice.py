"""Hitting, return and visits on lattices without ends against published values, Bessel integrals and large boxes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from scipy import special

import randwalk as rw
from randwalk.pde import (
    commute_time,
    escape_probability,
    green_function,
    hitting_probability,
    hitting_time,
    potential_kernel,
    return_time,
)  # fmt: skip
from randwalk.pde.hitting.lattice_green import Moves, mean_visit

Steps = Mapping[tuple[int, ...], float]
QUADRATURE = 1e-12  # what is stated, relative to the largest value


def walk_of(steps: Steps, **options: object) -> rw.LatticeWalk:
    d = len(next(iter(steps)))
    given = {"dx": 1.0, "domain": rw.Line() ** d, "start": (0.0,) * d, **options}
    return rw.LatticeWalk(steps=dict(steps), **given)  # type: ignore[arg-type]


def simple(d: int, **options: object) -> rw.LatticeWalk:
    steps = {tuple(s * (i == axis) for i in range(d)): 0.5 / d for axis in range(d) for s in (1, -1)}
    return walk_of(steps, **options)


def origin(d: int) -> tuple[float, ...]:
    return (0.0,) * d


def bessel(p: np.ndarray, place: tuple[int, ...], power: int = 0) -> float:
    """∫ t^power Π e^(-2p_i t) I_(x_i)(2p_i t) dt, of a walk with rates p_i both ways along the axes in continuous time, by
    Gauss's nodes in ln t up to T and the tail Π (4π p_i t)^(-½) (1 - Σ x²/4pt) beyond."""
    nodes, weights = np.polynomial.legendre.leggauss(20)
    u = (np.arange(-40, 18)[:, None] + 0.5 + 0.5 * nodes).ravel()
    t, end = np.exp(u), math.exp(18.0)
    inner = t ** (power + 1) * np.prod(special.ive(np.array(place)[:, None], 2.0 * p[:, None] * t), axis=0)
    fall = p.size / 2.0 - power - 1.0
    tail = 1.0 / fall - (np.array(place) ** 2 / (4.0 * p)).sum() / end / (fall + 1.0)
    return float(np.tile(0.5 * weights, 58) @ inner + end**-fall * tail / np.sqrt(np.prod(4.0 * math.pi * p)))


def test_the_walk_in_space_comes_back_as_watson_says() -> None:
    """Watson (1939): G(0) = √6/(32π³) Γ(1/24) Γ(5/24) Γ(7/24) Γ(11/24) = 1.516386…, and 1 - 1/G(0) come back."""
    watson = math.sqrt(6.0) / (32.0 * math.pi**3) * math.prod(special.gamma(np.array([1, 5, 7, 11]) / 24.0))
    back = return_time(simple(3), origin(3))
    assert back.probability == pytest.approx(1.0 - 1.0 / watson, abs=QUADRATURE)
    assert back.probability == pytest.approx(0.340537329550999, abs=1e-14)
    assert back.mean == math.inf == back.variance
    assert green_function(simple(3), origin(3)) == pytest.approx(watson, abs=QUADRATURE)


@pytest.mark.parametrize(("d", "back"), [(4, 0.193201673224984), (5, 0.135178609820655)])
def test_more_dimensions(d: int, back: float) -> None:
    """Finch, *Mathematical Constants* (2003), 5.9."""
    assert 1.0 - 1.0 / green_function(simple(d), origin(d)) == pytest.approx(back, abs=2e-12)


def test_the_body_centred_and_the_face_centred_cubic_lattice() -> None:
    """Watson (1939): their integrals are Γ(¼)⁴/4π³ and 9 Γ(⅓)⁶/2^(14/3)π⁴; sites between them are never visited."""
    centred = walk_of(dict.fromkeys(itertools.product((1, -1), repeat=3), 1.0 / 8.0))
    faced = walk_of({e: 1.0 / 12.0 for e in itertools.product((1, 0, -1), repeat=3) if sum(map(abs, e)) == 2})
    third = special.gamma(1.0 / 3.0)
    for walk, exact in (
        (centred, special.gamma(0.25) ** 4 / (4.0 * math.pi**3)),
        (faced, 9.0 * third**6 / (2.0 ** (14.0 / 3.0) * math.pi**4)),
    ):
        assert green_function(walk, origin(3)) == pytest.approx(exact, abs=QUADRATURE)
        assert hitting_probability(walk, (1.0, 0.0, 0.0)) == 0.0
        # h is harmonic but at the target
        steps = tuple(np.array(axis, dtype=float) for axis in zip(*walk.probabilities, strict=True))
        assert hitting_probability(walk, origin(3), start=steps).mean() == pytest.approx(1.0 - 1.0 / exact, abs=1e-12)


@pytest.mark.parametrize("place", [(0, 0, 0), (1, 0, 0), (2, 1, 0), (5, 3, 4)])
def test_steps_along_the_axes_against_bessel_integrals(place: tuple[int, ...]) -> None:
    """The mean time at a site in continuous time is the mean number of visits, as every visit has a mean time of 1."""
    p = np.array([0.25, 0.15, 0.1])
    steps = {tuple(s * (i == a) for i in range(3)): p[a] for a in range(3) for s in (1, -1)}
    found = green_function(walk_of(steps), tuple(map(float, place)))
    assert found == pytest.approx(bessel(p, place), abs=3e-12)


def test_the_potential_kernel_of_the_plane() -> None:
    """McCrea and Whipple (1940): a(n, n) = 4/π (1 + 1/3 + … + 1/(2n - 1)), a(1, 0) = 1; Fukai and Uchiyama (1996): far away
    2/π ln |x| + (2γ + ln 8)/π; the mean over neighbours is a, and 1 more at 0."""
    walk, n = simple(2), np.arange(1.0, 30.0)
    assert potential_kernel(walk, (1.0, 0.0)) == pytest.approx(1.0, abs=1e-14)
    assert potential_kernel(walk, (n, n)) == pytest.approx(
        4.0 / math.pi * np.cumsum(1.0 / (2.0 * n - 1.0)), rel=QUADRATURE
    )
    assert potential_kernel(walk, (2.0, 1.0)) == pytest.approx(8.0 / math.pi - 1.0, abs=1e-13)
    far = np.array([3e4, -4e5]), np.array([4e4, 10.0])
    limit = 2.0 / math.pi * np.log(np.hypot(*far)) + (2.0 * np.euler_gamma + math.log(8.0)) / math.pi
    assert potential_kernel(walk, far) == pytest.approx(limit, abs=1e-9)
    x, y = np.meshgrid(np.arange(-9.0, 10.0), np.arange(-9.0, 10.0), indexing="ij")
    a = potential_kernel(walk, (x, y))
    around = 0.25 * (a[2:, 1:-1] + a[:-2, 1:-1] + a[1:-1, 2:] + a[1:-1, :-2])
    assert around - a[1:-1, 1:-1] == pytest.approx(((x == 0) & (y == 0))[1:-1, 1:-1].astype(float), abs=1e-11)


def test_the_triangular_lattice() -> None:
    """Six neighbours, as steps along two axes and one diagonal: the resistance is 1/3 between neighbours (Foster 1949) and
    2√3/π - 2/3 between second ones (Atkinson and van Steenwijk, Am. J. Phys. 67, 486, 1999), the kernel 3 times that; of steps
    in three ways only, a(-e) is 1 by symmetry."""
    six = walk_of(dict.fromkeys([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)], 1.0 / 6.0))
    assert potential_kernel(six, ([1.0, 0.0, -1.0], [0.0, 1.0, -1.0])) == pytest.approx(np.ones(3), abs=1e-12)
    assert potential_kernel(six, (1.0, -1.0)) == pytest.approx(6.0 * math.sqrt(3.0) / math.pi - 2.0, abs=1e-12)
    three = walk_of({(1, 1): 1.0 / 3.0, (-1, 0): 1.0 / 3.0, (0, -1): 1.0 / 3.0})
    assert potential_kernel(three, ([-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0])) == pytest.approx(np.ones(3), abs=1e-12)


def test_hitting_in_the_plane() -> None:
    """All is hit, after a time without a mean; Doyle and Snell: the resistance R between neighbours is ½, between diagonal ones
    2/π, and 1/(4R) escape."""
    walk = simple(2)
    assert return_time(walk, origin(2)) == (1.0, math.inf, math.inf)
    assert hitting_time(walk, (7.0, -3.0)) == (1.0, math.inf, math.inf)
    assert commute_time(walk, origin(2), (1.0, 0.0)).mean == math.inf
    assert escape_probability(walk, origin(2), (1.0, 0.0)) == pytest.approx(0.5, abs=1e-13)
    assert escape_probability(walk, origin(2), (1.0, 1.0)) == pytest.approx(math.pi / 8.0, abs=1e-13)
    assert green_function(walk, (3.0, 2.0)) == math.inf
    knight = walk_of({(1, 1): 0.25, (1, -1): 0.25, (-1, 1): 0.25, (-1, -1): 0.25})  # half of all sites
    assert hitting_probability(knight, ([2.0], [1.0])) == 0.0 == green_function(knight, (1.0, 0.0))
    assert math.isnan(hitting_time(knight, (1.0, 0.0)).mean) and potential_kernel(knight, (1.0, 0.0)) == math.inf
    assert potential_kernel(knight, (2.0, 0.0)) == pytest.approx(4.0 / math.pi, abs=1e-13)  # turned by 45°


def test_one_site_before_others_is_the_limit_of_tori() -> None:
    """With the error 1/N² of a torus of N sites a side taken off by two of them."""
    starts, target = ([0.0, 2.0], [0.0, 2.0]), (3.0, 1.0)

    def on_torus(n: int) -> np.ndarray:
        walk = simple(2, domain=rw.Ring(0.0, float(n)) ** 2)
        return np.asarray(hitting_probability(walk, target, before=([0.0, 1.0], [2.0, n - 1.0]), start=starts))

    small, large = on_torus(32), on_torus(64)
    found = hitting_probability(simple(2), target, before=([0.0, 1.0], [2.0, -1.0]), start=starts)
    assert found == pytest.approx((4.0 * large - small) / 3.0, abs=1e-5)
    assert np.abs(large - found).min() > 1e-4  # which two sizes do take off


@pytest.mark.parametrize(
    ("steps", "killing"),
    [
        ({(1, 0): 0.4, (-1, 0): 0.1, (0, 1): 0.25, (0, -1): 0.2}, 0.0),
        pytest.param(
            {(1, 1): 0.3, (-1, 0): 0.2, (0, -1): 0.15, (1, -1): 0.2, (-1, 1): 0.05}, 0.0, marks=pytest.mark.long
        ),
        pytest.param({(1, 0): 0.2, (-1, 0): 0.2, (0, 1): 0.3, (0, -1): 0.3}, 0.1, marks=pytest.mark.long),
        ({(1, 0): 0.3, (-1, 0): 0.1, (0, 1): 0.1, (0, -1): 0.1, (1, 1): 0.1}, 0.05),
    ],
)
def test_drift_and_killing_against_a_large_box(steps: Steps, killing: float) -> None:
    """In units of µm and ns: probability, mean and variance of the first hits, from places and from a distribution."""
    units = {"dx": 1e-6, "dt": 1e-9, "killing": killing * 1e9}
    far = rw.Interval(-70e-6, 130e-6, rw.Absorbing(), rw.Absorbing()) * rw.Interval(
        -70e-6, 100e-6, rw.Absorbing(), rw.Absorbing()
    )
    wide, boxed = walk_of(steps, **units), walk_of(steps, domain=far, **units)
    starts = (np.array([0.0, -2e-6, 4e-6]), np.array([0.0, 1e-6, 2e-6]))
    target = (np.array([3e-6, 2e-6]), np.array([1e-6, 1e-6]))
    for before in (None, (0.0, 1e-6)):
        pair = (hitting_time(walk, target, before=before, start=starts) for walk in (wide, boxed))
        for found, expected in zip(*pair, strict=True):
            assert found == pytest.approx(expected, rel=2e-9)
    assert return_time(wide, origin(2)) == pytest.approx(return_time(boxed, origin(2)), rel=2e-9)
    assert green_function(wide, (1e-6, 2e-6), start=starts) == pytest.approx(
        green_function(boxed, (1e-6, 2e-6), start=starts), rel=2e-9
    )
    spread = rw.Atoms([(0.0, 0.0), (1e-6, 2e-6)], [0.25, 0.75])
    assert hitting_time(wide, (3e-6, 1e-6), start=spread) == pytest.approx(
        hitting_time(boxed, (3e-6, 1e-6), start=spread), rel=2e-9
    )
    if killing:
        found, expected = (hitting_time(walk, "killing", before=(1e-6, 0.0)) for walk in (wide, boxed))
        assert tuple(found) == pytest.approx(tuple(expected), rel=1e-6)  # some reach a wall of the box
        gone = -math.expm1(-killing)
        assert hitting_time(wide) == pytest.approx((1.0, 1e-9 / gone, 1e-18 * (1.0 - gone) / gone**2), rel=1e-9)


def test_against_a_drift_digits_are_kept() -> None:
    """Reversed in x, probabilities are those of the mirrored walk times (q/p)^x."""
    walk = walk_of({(1, 0): 0.4, (-1, 0): 0.1, (0, 1): 0.2, (0, -1): 0.2})
    along, against = (green_function(walk, (30.0 * way, 4.0)) for way in (1, -1))
    assert against == pytest.approx(along * 0.25**30, rel=1e-11)
    assert 0.0 < hitting_probability(walk, (-30.0, 4.0)) < 1e-17


def test_steps_of_one_quadrant_count_paths() -> None:
    walk = walk_of({(1, 0): 0.3, (0, 1): 0.7})
    time = hitting_time(walk, (3.0, 4.0))
    assert time == pytest.approx((math.comb(7, 3) * 0.3**3 * 0.7**4, 7.0, 0.0), abs=1e-9)
    assert hitting_probability(walk, (-1.0, 2.0)) == pytest.approx(0.0, abs=1e-14)


def test_walkers_that_are_enclosed_have_a_mean_time() -> None:
    """The four corners and sides of a square of 5 sites a side, as absorbing walls."""
    ring = np.array([(x, y) for x in range(-3, 4) for y in range(-3, 4) if max(abs(x), abs(y)) == 3], dtype=float).T
    walls = rw.Interval(-3.0, 3.0, rw.Absorbing(), rw.Absorbing()) ** 2
    assert hitting_time(simple(2), tuple(ring)) == pytest.approx(hitting_time(simple(2, domain=walls)), rel=1e-12)
    neighbours = (np.array([1.0, -1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0, -1.0]))
    assert hitting_time(simple(2), neighbours) == (1.0, 1.0, 0.0)
    assert hitting_time(simple(2), neighbours, start=(0.0, 2.0)).mean == math.inf


def test_in_five_dimensions_the_time_of_a_return_has_a_mean() -> None:
    """Σ n P(S_n = 0), which over G(0)² is E[T; back], is ∫ t P dt - G(0) of a walk in continuous time."""
    p = np.array([0.125, 0.1, 0.1, 0.1, 0.075])
    steps = {tuple(s * (i == a) for i in range(5)): p[a] for a in range(5) for s in (1, -1)}
    found = mean_visit(Moves.of(walk_of(steps)), np.zeros((1, 5), dtype=np.int64))[0]
    assert found == pytest.approx(bessel(p, (0,) * 5, 1) - bessel(p, (0,) * 5), rel=1e-9)


def test_visits_between_walls_are_the_fundamental_matrix() -> None:
    """(I - P)⁻¹ of a walk between a cliff and a closed end; on a closed path visits go on for ever."""
    walk = rw.LatticeWalk(
        right=0.3, left=0.2, dx=1.0, domain=rw.Interval(0.0, 5.5, rw.Absorbing(), rw.Reflecting()), start=2.0
    )
    p = np.diag(np.full(5, 0.5)) + np.diag(np.full(4, 0.3), 1) + np.diag(np.full(4, 0.2), -1)
    p[-1, -1] = 0.8
    sites = np.arange(1.0, 6.0)
    exact = np.linalg.inv(np.eye(5) - p)
    for j, place in enumerate(sites):
        assert green_function(walk, place, start=sites) == pytest.approx(exact[:, j], rel=1e-12)
    closed = rw.LatticeWalk(
        right=0.3, left=0.2, dx=1.0, domain=rw.Interval(0.5, 5.5, rw.Reflecting(), rw.Reflecting()), start=2.0
    )
    assert green_function(closed, 3.0) == math.inf
    line = rw.LatticeWalk(right=0.3, left=0.2, dx=1.0, start=0.0)
    assert green_function(line, (3.0)) == pytest.approx(10.0, rel=1e-12)  # 1/(p - q)
    assert green_function(line, -3.0) == pytest.approx(10.0 * (2 / 3) ** 3, rel=1e-12)
    fair = rw.LatticeWalk(right=0.25, left=0.25, dx=1.0, start=0.0)
    assert potential_kernel(fair, np.array([-3.0, 0.0, 7.0])) == pytest.approx([6.0, 0.0, 14.0], rel=1e-12)  # |x|/σ²


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda: hitting_probability(walk_of({(1, 1): 0.5, (-1, -1): 0.5}), (1.0, 1.0)), "span fewer than 2 dimensions"),
        (lambda: hitting_time(simple(3, domain=rw.Line() ** 2 * rw.Ring(0.0, 8.0)), (3.0, 0.0, 0.0)), "put far walls"),
        (lambda: hitting_time(simple(2), "killing"), "nobody leaves"),
        (lambda: potential_kernel(simple(2, start=rw.Normal((0.0, 0.0), 3.0)), (1.0, 0.0)), "from a point"),
        (lambda: potential_kernel(simple(2, domain=rw.Ring(0.0, 8.0) ** 2), (1.0, 0.0)), r"Line\(\)"),
        (lambda: green_function(simple(2), ([1.0, 2.0], [0.0, 0.0])), "give one place"),
        (lambda: green_function(simple(2), (0.5, 0.0)), "is no site"),
    ],
)  # fmt: skip
def test_bad_questions(ask: Callable[[], object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ask()


def test_sites_beyond_the_cone_of_the_steps() -> None:
    """Sums of steps that go one way do not come behind the start: no visits there, and those of a binomial beside it."""
    behind = [(-1.0, 2.0), (1.0, -1.0), (-3.0, 0.0)]
    east_north = walk_of({(1, 0): 0.5, (0, 1): 0.4})  # stays with 0.1
    for place in behind:
        assert green_function(east_north, place) == 0.0
        assert hitting_probability(east_north, place) == 0.0 and math.isnan(hitting_time(east_north, place).mean)
    found = green_function(east_north, (0.0, 0.0), start=([-1.0, 1.0, -4.0], [-2.0, 0.0, -3.0]))
    exact = [math.comb(i + j, i) * 0.5**i * 0.4**j / 0.9 ** (i + j + 1) for i, j in ((1, 2), (4, 3))]
    assert found == pytest.approx([exact[0], 0.0, exact[1]], rel=1e-11)
    north = walk_of({(1, 0): 0.5, (-1, 0): 0.4, (0, 1): 0.1})
    assert hitting_probability(north, (0.0, -1.0)) == 0.0
    columns = np.arange(-150.0, 400.0)
    row = green_function(north, (0.0, 1.0), start=(columns, np.zeros(columns.size)))
    assert row.sum() == pytest.approx(1.0 / 0.1)  # the mean number of steps in a row
    along = walk_of({(1, 1, 0): 0.3, (1, -1, 0): 0.3, (1, 0, 1): 0.2, (1, 0, -1): 0.2})
    assert green_function(along, (-2.0, 0.0, 0.0)) == 0.0
    assert green_function(along, (2.0, 0.0, 0.0)) == pytest.approx(2 * 0.3**2 + 2 * 0.2**2, rel=1e-10)


def test_a_value_too_small_for_the_integral_is_refused_soon() -> None:
    with pytest.raises(ValueError, match=r"settles to .* only: take sites nearer to each other"):
        green_function(walk_of({(1, 0): 0.5, (-1, 0): 0.3, (0, 1): 0.1, (0, -1): 0.1}), (0.0, 100.0))
