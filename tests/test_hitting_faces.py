"""Leaving half-strips, quarter planes, octants and planes with traps, against sparse equations written here and integrals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from scipy import integrate, sparse, special
from scipy.sparse import linalg

import randwalk as rw
from randwalk.pde import escape_probability, green_function, hitting_probability, hitting_time

ABSORBING, REFLECTING = rw.Absorbing(), rw.Reflecting()
HALF = rw.Interval(0.0, math.inf, ABSORBING)
STRIP = rw.Interval(0.0, 8.0, ABSORBING, ABSORBING)
Steps = Mapping[Any, float]
FAIR = {(1, 0): 0.25, (-1, 0): 0.25, (0, 1): 0.25, (0, -1): 0.25}
INWARD = {(1, 0): 0.15, (-1, 0): 0.3, (0, 1): 0.15, (0, -1): 0.3}
LEANING = {(1, 0): 0.2, (-1, 0): 0.15, (0, 1): 0.2, (0, -1): 0.25, (1, 1): 0.05, (-1, 1): 0.1}
DIAGONAL = {(1, 1): 0.15, (-1, -1): 0.35, (1, -1): 0.2, (-1, 1): 0.25}
Site = tuple[int, int]


def leaving(
    steps: Steps,
    inside: list[range],
    begin: Site,
    hit: Callable[[Site], bool],
    stop: Callable[[Site], bool] = lambda _: False,
    alive: float = 1.0,
) -> tuple[float, float, float]:
    """(probability, mean, variance of the number of steps) of coming to a site where `hit` before any other outside of the
    ranges, or where `stop`, by the equations h = Ph + r, m = Pm + h and s = Ps + 2m - h for E[1, T, T²; hit]."""
    sites = [(x, y) for x in inside[0] for y in inside[1] if not (hit((x, y)) or stop((x, y)))]
    number = {site: k for k, site in enumerate(sites)}
    entries, out = list[tuple[int, int, float]](), np.zeros(len(sites))
    for k, (x, y) in enumerate(sites):
        for (dx, dy), p in steps.items():
            there = (x + dx, y + dy)
            if there in number:
                entries.append((k, number[there], alive * p))
            elif hit(there):
                out[k] += alive * p
        entries.append((k, k, alive * (1.0 - sum(steps.values()))))
    rows, columns, values = zip(*entries, strict=True)
    factor = linalg.splu(
        (sparse.eye_array(len(sites)) - sparse.coo_array((values, (rows, columns)), (len(sites),) * 2)).tocsc()
    )
    h = factor.solve(out)
    m = factor.solve(h)
    s = factor.solve(2.0 * m - h)
    k = number[begin]
    mean = m[k] / h[k]
    return h[k], mean, s[k] / h[k] - mean**2


def walk(domain: rw.Domain, start: tuple[float, ...], steps: Steps = FAIR, **options: object) -> rw.LatticeWalk:
    return rw.LatticeWalk(steps=steps, dx=1.0, domain=domain, start=start, **options)  # type: ignore[arg-type]


def test_half_strips_are_left_in_a_finite_time() -> None:
    """Beyond the window walkers leave by the sides: their times are those of excursions that do not come back."""
    line, n = walk(STRIP * HALF, (3.0, 2.0), LEANING), 300
    box = [range(1, 8), range(1, n)]
    for asked, hit in (
        ({}, lambda site: site[0] <= 0 or site[0] >= 8 or site[1] <= 0),
        ({"target": "left"}, lambda site: site[0] <= 0),
        ({"target": "bottom"}, lambda site: site[1] <= 0 and 0 < site[0] < 8),
    ):
        expected = leaving(LEANING, box, (3, 2), hit)
        assert np.array(hitting_time(line, **asked)) == pytest.approx(expected, rel=1e-11), asked
    before = leaving(LEANING, box, (3, 2), lambda site: site[0] <= 0, lambda site: site == (4, 1))
    assert np.array(hitting_time(line, "left", before=(4.0, 1.0))) == pytest.approx(before, rel=1e-11)


def test_the_time_of_a_strip_is_that_of_the_walk_across_it() -> None:
    """Without a place to come to the steps along a strip do not count: n (N - n)/2p steps of a walk across it that moves with 2p,
    and those that leave by the near side take (N² - (N - n)²)/6p of them."""
    strip = walk(STRIP * rw.Line(), (3.0, 0.0), dt=0.5)
    trapped = walk((STRIP * rw.Line()).without(rw.Ball((4.0, 900.0), 1.5), ABSORBING, "trap"), (3.0, 0.0), dt=0.5)
    for one in (strip, trapped):  # none comes so far
        assert hitting_time(one, "left").mean == pytest.approx(0.5 * (64.0 - 25.0) / 1.5, rel=1e-12)
        assert hitting_time(one).mean == pytest.approx(0.5 * 30.0, rel=1e-12)


def harmonic(x: int, y: int) -> float:
    """The chance of the simple walk to leave the quarter plane by x = 0: of all that leave the half-plane there, those below
    y = 0 taken with the opposite sign, ∫ cot(θ/2) sin(yθ) u^x dθ/π over (0, π), u + 1/u = 4 - 2 cos θ."""

    def integrand(angle: float) -> float:
        c = 2.0 - math.cos(angle)
        return math.sin(y * angle) / math.tan(0.5 * angle) * (c - math.sqrt(c * c - 1.0)) ** x

    return integrate.quad(integrand, 0.0, math.pi, epsabs=1e-13, limit=400)[0] / math.pi


def test_the_simple_walk_leaves_a_quarter_plane() -> None:
    quarter = walk(HALF**2, (1.0, 1.0))
    places = [(1, 1), (1, 2), (3, 2), (9, 2), (40, 7)]
    found = hitting_probability(quarter, "left", start=tuple(np.array(places, dtype=float).T))
    assert found == pytest.approx([harmonic(*site) for site in places], abs=1e-12)
    assert hitting_time(quarter) == (pytest.approx(1.0, abs=1e-13), math.inf, math.inf)  # P(T > n) falls as 1/n
    assert hitting_probability(quarter, "left", start=(0.0, 3.0)) == 1.0


@pytest.mark.parametrize(
    ("steps", "killing"),
    [(INWARD, 0.0), ({(1, 0): 0.25, (-1, 0): 0.2, (0, 1): 0.2, (0, -1): 0.25}, 0.05), (DIAGONAL, 0.0)],
)
def test_quarter_planes_with_drift_or_killing(steps: Steps, killing: float) -> None:
    """By the clock, and diagonal steps on growing windows, against a box of which next to none see the far side."""
    quarter = walk(HALF**2, (3.0, 2.0), steps, killing=killing)
    box = [range(1, 120), range(1, 120)]

    def naive(hit: Callable[[Site], bool], stop: Callable[[Site], bool] = lambda _: False) -> tuple[float, ...]:
        return leaving(steps, box, (3, 2), hit, stop, math.exp(-killing))

    assert np.array(hitting_time(quarter, "left")) == pytest.approx(naive(lambda at: at[0] <= 0), rel=1e-10)
    stopped = naive(lambda at: at[0] <= 0, lambda at: at == (2, 1))
    assert np.array(hitting_time(quarter, "left", before=(2.0, 1.0))) == pytest.approx(stopped, rel=1e-10)
    there = naive(lambda at: at == (5, 2))
    assert np.array(hitting_time(quarter, (5.0, 2.0))) == pytest.approx(there, rel=1e-10)


def test_octants() -> None:
    """By symmetry a third each from the diagonal; the time has a mean, as P(T > n) falls as n^-3/2, and no variance."""
    octant = walk(
        HALF**3,
        (2.0, 2.0, 2.0),
        dict.fromkeys([(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)], 1.0 / 6.0),
    )
    found = hitting_time(octant, "back")
    assert found.probability == pytest.approx(1.0 / 3.0, rel=1e-12) and found.variance == math.inf
    # axes with steps at the ticks of clocks of rate 1/3 each: P(T > t) = (e^(-z) (I_0 + 2 I_1 + I_2)(z))^3 at z = t/3
    mean = integrate.quad(
        lambda z: 3.0 * (special.ive(0, z) + 2.0 * special.ive(1, z) + special.ive(2, z)) ** 3, 0.0, math.inf
    )[0]
    assert found.mean == pytest.approx(mean, rel=1e-6)


def test_traps_are_places() -> None:
    """A ball that absorbs, in a half-plane of walkers that die: leaving by it, by the face, and places beside it."""
    ball = rw.Ball((6.0, 3.0), 1.5)

    def inside(at: Site) -> bool:
        return (at[0] - 6) ** 2 + (at[1] - 3) ** 2 <= 2

    half = walk((HALF * rw.Line()).without(ball, ABSORBING, "trap"), (3.0, 2.0), FAIR, killing=0.1)
    box, alive = [range(1, 120), range(-120, 120)], math.exp(-0.1)
    trap = leaving(FAIR, box, (3, 2), inside, alive=alive)
    left = leaving(FAIR, box, (3, 2), lambda at: at[0] <= 0, inside, alive)
    assert np.array(hitting_time(half, "trap")) == pytest.approx(trap, rel=1e-10)
    assert np.array(hitting_time(half, "left")) == pytest.approx(left, rel=1e-10)
    again = leaving(FAIR, box, (3, 2), lambda at: at == (3, 3), inside, alive)[0]
    assert hitting_probability(half, (3.0, 3.0)) == pytest.approx(again, rel=1e-10)
    plane = walk((rw.Line() ** 2).without(ball, ABSORBING, "trap"), (3.0, 2.0), FAIR)
    assert hitting_probability(plane, "trap") == 1.0


def test_leaving_before_a_place() -> None:
    """A half-plane that all leave: who escapes a place leaves before it, the visits to it are 1 over the probability."""
    half = walk(HALF * rw.Line(), (3.0, 2.0), FAIR)
    assert escape_probability(half, (3.0, 2.0), "left") == pytest.approx(
        1.0 / green_function(half, (3.0, 2.0)), rel=1e-10
    )
    before = hitting_time(half, "left", before=(4.0, 1.0))
    assert (
        before.probability == pytest.approx(1.0 - hitting_probability(half, (4.0, 1.0)), rel=1e-10)
        and before.mean == math.inf
    )
    fence = ([2.0, 1.0, 1.0], [0.0, 1.0, -1.0])  # nobody leaves the corner but through the wall
    assert hitting_time(half, "left", before=fence, start=(1.0, 0.0)) == pytest.approx((0.25, 1.0, 0.0))


def test_few_leave_before_a_fence() -> None:
    """Nearly all who leave come to the fence first: a difference of probabilities would have no digit of those who do not. A box
    that hardly anybody leaves tells how many they are."""
    steps = {(-1, 0): 0.946, (1, 0): 0.02, (0, 1): 0.002, (0, -1): 0.002}
    fence = ([5.0] * 15, [float(k) for k in range(-7, 8)])
    given: dict[str, Any] = {"steps": steps, "dx": 1.0, "start": (8.0, 0.0)}
    rows, columns = (rw.Interval(*ends, ABSORBING, ABSORBING) for ends in ((0.0, 60.0), (-40.0, 40.0)))
    box = rw.LatticeWalk(**given, domain=rows * columns)
    half = rw.LatticeWalk(**given, domain=HALF * rw.Line())
    found, known = (hitting_time(one, "left", before=fence) for one in (half, box))
    assert 1e-20 < known.probability < 1e-19
    assert found == pytest.approx(known, rel=1e-9)
