"""Starts in several dimensions: as values, and as masses on sites, against SciPy's laws and plain sums."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import randwalk as rw
from randwalk.model.domain import Domain
from randwalk.model.lattice import Lattice, lattices_on
from randwalk.model.shares import even, share, share_of
from randwalk.model.sites import Block, site_masses
from randwalk.model.start import Product, Start, as_start, continuous, start_masses
from randwalk.model.start_check import check_start

ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()
PLANE = rw.Line() ** 2
ROOM = rw.Interval(0.0, 4.25, REFLECT, ABSORB) * rw.Ring(0.0, 6.0)
HALF = lattices_on(ROOM, (0.5, 0.5), (0.0, 0.0))
WHOLE = 2**53
MAKE: Any = rw  # without types: Point((1, 2)) is a Point to a type checker, and a Product


def masses(start: Start, lattices: tuple[Lattice, ...], domain: Domain) -> dict[tuple[int, ...], float]:
    """Mass by site: the product of the blocks."""
    blocks = site_masses(start, lattices, domain)
    assert [axis for block in blocks for axis in block.axes] == list(range(domain.dimension))
    for block in blocks:
        assert int(block.masses.sum()) == WHOLE and (block.masses >= 0).all() and block.masses.dtype == np.int64
        assert block.numbers.shape == (len(block.axes), block.masses.size) and block.numbers.dtype == np.int64
    found: dict[tuple[int, ...], float] = {}
    for places in itertools.product(*(range(block.masses.size) for block in blocks)):
        site = tuple(int(k) for block, i in zip(blocks, places, strict=True) for k in block.numbers[:, i])
        mass = math.prod(int(block.masses[i]) / WHOLE for block, i in zip(blocks, places, strict=True))
        found[site] = found.get(site, 0.0) + mass
    return found


def moments(found: dict[tuple[int, ...], float], lattices: tuple[Lattice, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(mean, covariance) over sites, periodic numbers taken as they are."""
    x = np.array([[float(lattice.x(k)) for lattice, k in zip(lattices, site, strict=True)] for site in found])
    p = np.array(list(found.values()))
    mean = p @ x
    return mean, (x - mean).T @ (p[:, None] * (x - mean))


# ---------------------------------------------------------------- as values


def test_a_vector_makes_the_product_of_its_axes() -> None:
    assert MAKE.Point((1.0, 2.0)) == MAKE.Point(1.0) * MAKE.Point(2.0) and MAKE.Point([1.0, 2.0]) == MAKE.Point(
        np.array([1.0, 2.0])
    )
    assert MAKE.Uniform((0, 1), (2, 3)) == MAKE.Uniform(0, 2) * MAKE.Uniform(1, 3)
    assert (
        MAKE.Normal((0, 1), 2.0) == MAKE.Normal(0, 2.0) * MAKE.Normal(1, 2.0) == MAKE.Normal(mean=(0, 1), sd=(2.0, 2.0))
    )
    three: Any = rw.Normal(0, 1) * rw.Point((2.0, 3.0)) * rw.Sites([0, 1], [0.5, 0.5])
    assert three.dimension == 4 and three.factors[1] == rw.Point(2.0) and three.anchors == (0.0, 2.0, 3.0, 0.0)
    assert three.bounds[1:] == ((2.0, 2.0), (3.0, 3.0), (0, 1))
    for one in (rw.Point(1.0), rw.Uniform(0, 1), rw.Normal(0, 1), rw.Sites([0, 1], [0.5, 0.5])):
        assert (
            one.dimension == 1
            and one.factors == (one,)
            and one.bounds == (one.support,)
            and one.anchors == (one.anchor,)
        )


STARTS: list[Start] = [
    rw.Point(1.0), rw.Point((1.0, 2.0)), rw.Uniform((0.0, 1.0), (2.0, 3.0)), rw.Normal((0.0, 1.0, 2.0), 0.5),
    rw.Normal(0.0, 1.0) * rw.Point(2.0), rw.Sites([0, 1], [0.5, 0.5]) * rw.Uniform(0.0, 1.0), rw.Everywhere(),
    rw.Atoms([(0.0, 1.0), (1.0, 1.0)], [0.25, 0.75]), rw.Atoms([0.0, 1.0], [0.25, 0.75]),
]  # fmt: skip


@pytest.mark.parametrize("start", STARTS, ids=str)
def test_text_and_pickles_give_the_same_start(start: Start) -> None:
    names: dict[str, Any] = {kind: getattr(rw, kind) for kind in rw.__all__}
    for same in (eval(repr(start), names), pickle.loads(pickle.dumps(start)), copy.deepcopy(start)):
        assert same == start and hash(same) == hash(start) and type(same) is type(start)


def test_atoms_are_in_order_and_sites_in_one_dimension() -> None:
    atoms = rw.Atoms([(1.0, 0.0), (0.0, 2.0), (0.0, 1.0)], [0.5, 0.25, 0.25])
    assert atoms.points == ((0.0, 1.0), (0.0, 2.0), (1.0, 0.0)) and atoms.masses == (0.25, 0.25, 0.5)
    assert atoms.dimension == 2 and atoms.factors is None and atoms.bounds == ((0.0, 1.0), (0.0, 2.0))
    assert MAKE.Atoms([0.5, 0.1], [0.5, 0.5]) == rw.Sites([0.5, 0.1], [0.5, 0.5])
    assert replace(rw.Point(1.0)) == rw.Point(1.0)


def test_what_may_stand_for_a_start() -> None:
    assert (
        as_start((1.0, 2), PLANE)
        == as_start([1.0, 2.0], PLANE)
        == as_start(np.array([1.0, 2.0]), PLANE)
        == rw.Point((1.0, 2.0))
    )
    assert as_start(0.0, rw.Line() ** 3) == rw.Point((0.0, 0.0, 0.0)) and as_start((1.5,)) == as_start(1.5) == rw.Point(
        1.5
    )
    assert as_start(rw.Everywhere(), ROOM).bounds == ROOM.bounds
    bad: list[tuple[Any, Domain, type[Exception], str]] = [
        (1.0, PLANE, ValueError, r"start = Point\(x=1.0\): has dimension 1 and the domain 2; give a number an axis"),
        ((1.0, 2.0), rw.Line() ** 3, ValueError, "has dimension 2 and the domain 3"),
        ((1.0, 2.0), rw.Line(), ValueError, "has dimension 2 and the domain 1"),
        (rw.Normal(0, 1), PLANE, ValueError, "has dimension 1 and the domain 2"),
        ("left", PLANE, TypeError, r"start = 'left': give a tuple of coordinates, .* Atoms or Everywhere\(\)"),
        ("left", rw.Line(), TypeError, r"start = 'left': give a number, .* Sites or Everywhere\(\)"),
        (None, PLANE, TypeError, "start = None"),
        ((True, 1.0), PLANE, TypeError, "start = True"),
        ((math.nan, 1.0), PLANE, ValueError, "must be a finite number, not nan"),
    ]
    for value, domain, kind, message in bad:
        with pytest.raises(kind, match=message):
            as_start(value, domain)


BAD: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: rw.Normal((0, 1), (1, 2, 3)), ValueError, "give as many numbers of each"),
    (lambda: rw.Point(()), ValueError, "two or more"),
    (lambda: rw.Uniform((0, 0), (1, -1)), ValueError, "low = 0 must be less than high = -1"),
    (lambda: MAKE.Normal((0, "1"), 1), TypeError, "Normal: mean = '1': must be a number"),
    (lambda: MAKE.Point(((0, 1), (1, 2))).support, AttributeError, r"no support but one .* ask start.factors\[0\]"),
    (lambda: MAKE.Point((0, 1)).sd, AttributeError, "'Product' object has no attribute 'sd'"),
    (lambda: MAKE.Point(0) * 3, TypeError, "unsupported operand"),
    (lambda: MAKE.Point(0) * rw.Atoms([(0, 1)], [1]), ValueError, "is no product of starts on the axes: give Atoms"),
    (lambda: rw.Atoms([(0, 1), (1, 2)], [1.0]), ValueError, r"points of shape \(2, 2\) and 1 masses"),
    (lambda: rw.Atoms([], []), ValueError, r"points of shape \(0,\) and 0 masses"),
    (lambda: rw.Atoms([(0, 1), (1, 2)], [0.5, 0.6]), ValueError, "Atoms: the masses sum to 1.1 and must sum to 1"),
    (lambda: rw.Atoms([(0, 1), (1, math.inf)], [0.5, 0.5]), ValueError, "Atoms: places must be finite"),
    (lambda: rw.Atoms([(0, 1), (1,)], [0.5, 0.5]), TypeError, "must be a number or numbers"),
    (lambda: MAKE.Everywhere().bounds, ValueError, "everywhere in a domain: give it to a walk"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(BAD)))
def test_bad_starts_are_refused(case: int) -> None:
    make, kind, message = BAD[case]
    with pytest.raises(kind, match=message):
        make()


# ---------------------------------------------------------------- in a domain

TRAPPED = ROOM.without(rw.Ball((2.0, 3.0), 1.0), ABSORB, "trap").without(rw.Ball((1.0, 5.5), 0.6))
OUT: list[tuple[Start, str]] = [
    (rw.Point((5.0, 1.0)), r"start = Point\(\(5.0, 1.0\)\) lies outside .*Interval"),
    (rw.Point((1.0, -0.1)), "lies outside"),
    (rw.Point((4.25, 1.0)), "is on the absorbing right wall at x = 4.25; start inside"),
    (rw.Uniform((0.0, 0.0), (5.0, 1.0)), "lies outside"),
    (rw.Normal((2.0, 3.0), (1.0, 0.5)), r"a mass of 0.035 lies outside"),
    (rw.Atoms([(1.0, 1.0), (1.0, 7.0)], [0.5, 0.5]), "lies outside"),
    (rw.Atoms([(1.0, 1.0), (4.25, 2.0)], [0.5, 0.5]), "on the absorbing right wall"),
    (rw.Point((2.0, 3.5)), r"\(x, y\) = \(2, 3.5\) is in the trap 'trap'; start elsewhere"),
    (rw.Point((1.0, 0.05)), r"\(x, y\) = \(1, 0.05\) is in the obstacle 'obstacle'"),  # across the ends of the ring
    (rw.Sites([0.5, 1.0], [0.5, 0.5]) * rw.Point(5.4), r"\(x, y\) = \(0.5, 5.4\) is in the obstacle"),
    (rw.Atoms([(1.0, 1.0), (1.5, 3.5)], [0.5, 0.5]), r"\(x, y\) = \(1.5, 3.5\) is in the trap"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(OUT)))
def test_a_start_outside_the_domain_is_refused(case: int) -> None:
    start, message = OUT[case]
    with pytest.raises(ValueError, match=message):
        check_start(start, TRAPPED)


def test_the_absorbing_wall_of_the_second_axis_is_named() -> None:
    box = rw.Line() * rw.Interval(0.0, 1.0, ABSORB, ABSORB)
    with pytest.raises(ValueError, match="on the absorbing top wall at y = 1; start inside"):
        check_start(rw.Point((0.0, 1.0)), box)
    with pytest.raises(ValueError, match="is unbounded; give a Uniform or Normal start"):
        check_start(as_start(rw.Everywhere(), box), box)
    check_start(rw.Normal((0.0, 3.0), 0.3), rw.Line() * rw.Ring(0.0, 6.0))
    disc = PLANE.inside(rw.Ball((0.0, 0.0), 1.0))
    check_start(as_start(rw.Everywhere(), disc), disc)


# ---------------------------------------------------------------- on sites


def test_product_starts_are_those_of_their_axes_to_the_bit() -> None:
    start = rw.Normal(2.2, 0.2) * rw.Uniform(1.0, 5.3) * rw.Point(0.3)
    box = ROOM * rw.Line()
    lattices = lattices_on(box, (4.25 / 21.5, 0.25, 0.1), start.anchors)
    for i, block in enumerate(site_masses(start, lattices, box)):
        first, whole = start_masses(start.factors[i], lattices[i])
        assert block == Block((i,), block.numbers, block.masses) and block.axes == (i,)
        assert block.masses.tolist() == whole.tolist() and block.numbers[0].tolist() == list(
            range(first, first + whole.size)
        )


@pytest.mark.parametrize("unit", [1e-6, 1.0])
def test_normal_starts_against_scipy(unit: float) -> None:
    """The mass of a site is the density there times the cell, to the normalisation: 2 exp(-2π² (sd/dx)²) = 1e-19 at 1.5 dx."""
    start, domain = rw.Normal((0.2 * unit, -0.1 * unit), (0.15 * unit, 0.3 * unit)), PLANE
    lattices = lattices_on(domain, (0.1 * unit, 0.2 * unit), (0.0, 0.0))
    found = masses(start, lattices, domain)
    law = stats.multivariate_normal([0.2, -0.1], np.diag([0.15, 0.3]) ** 2)
    for (i, j), mass in found.items():
        assert mass == pytest.approx(law.pdf([0.1 * i, 0.2 * j]) * 0.02, rel=1e-9, abs=1e-15)
    mean, covariance = moments(found, lattices)
    assert mean == pytest.approx([0.2 * unit, -0.1 * unit], rel=1e-9)
    assert covariance == pytest.approx(np.diag([0.15**2, 0.3**2]) * unit**2, rel=1e-9, abs=1e-12 * unit**2)


def test_uniform_starts_against_scipy() -> None:
    start = rw.Uniform((0.3, 1.1), (2.1, 4.0))
    along = [stats.uniform(0.3, 1.8), stats.uniform(1.1, 2.9)]
    for (i, j), mass in masses(start, HALF, ROOM).items():
        x, y = float(HALF[0].x(i)), float(HALF[1].x(j))
        cells = [law.cdf(c + 0.25) - law.cdf(c - 0.25) for law, c in zip(along, (x, y), strict=True)]
        assert mass == pytest.approx(cells[0] * cells[1], abs=1e-14)


@given(
    points=st.lists(st.tuples(st.floats(0.3, 3.7), st.floats(0.01, 5.4), st.floats(-3.0, 3.0)), min_size=1, max_size=4),
    share=st.floats(0.1, 0.9),
)
def test_points_are_shared_so_that_means_are_kept(points: list[tuple[float, float, float]], share: float) -> None:
    weights = np.array([share**i for i in range(len(points))])
    weights /= weights.sum()
    box = ROOM * rw.Line()
    lattices = lattices_on(box, (0.5, 0.5, 0.3), (0.0, 0.0, 0.0))
    found = masses(rw.Atoms(points, weights), lattices, box)
    mean, _ = moments(found, lattices)
    assert mean == pytest.approx(weights @ np.array(points), abs=2e-8)  # 1e-9 dx counts as on a site
    assert len(found) <= 8 * len(points)
    if len(points) == 1:  # one atom is a Point
        alone = masses(rw.Point(points[0]), lattices, box)
        assert all(found.get(site, 0.0) == pytest.approx(mass, abs=1e-15) for site, mass in alone.items())


def test_places_beyond_walls_settle_and_go_round() -> None:
    found = masses(rw.Atoms([(0.05, 5.9), (4.15, 1.0)], [0.5, 0.5]), HALF, ROOM)
    # x = 0.05 is between site 0 (at 0.25) and the wall; y = 5.9 is 0.8 of the way from site 11 (5.5) to site 0 (6.0)
    assert found[(0, 11)] == pytest.approx(0.1) and found[(0, 0)] == pytest.approx(0.4)
    # x = 4.15 is 0.8 of the way from site 7 (3.75) to the absorbing wall (4.25): absorbed at time 0
    assert found[(7, 2)] == pytest.approx(0.1) and found[(8, 2)] == pytest.approx(0.4)
    again = masses(rw.Point((0.05, 5.9)), HALF, ROOM)
    assert again == pytest.approx({(0, 11): 0.2, (0, 0): 0.8})


@pytest.mark.parametrize("count", [1, 2, 3, 7, 1000, 99_991, 2**20 + 7])
def test_equal_masses(count: int) -> None:
    whole = even(count)
    assert int(whole.sum()) == WHOLE and whole.size == count and int(np.ptp(whole)) <= 1
    larger = np.cumsum(whole - whole.min())  # spread evenly: any part has its share to one unit
    assert np.abs(larger - np.arange(1, count + 1) * (int(larger[-1]) / count)).max() <= 1.0 + 1e-6


def test_everywhere_is_uniform_on_the_sites_that_are_free() -> None:
    plain = masses(as_start(rw.Everywhere(), ROOM), HALF, ROOM)
    assert plain == pytest.approx({(i, j): 1 / 96 for i in range(8) for j in range(12)}, rel=1e-14)
    found = masses(as_start(rw.Everywhere(), TRAPPED), HALF, TRAPPED)
    x, y = HALF[0].x(range(8)), HALF[1].x(range(12))
    free = np.argwhere(TRAPPED.contains((x[:, None], y)))
    assert 60 < len(free) < 96 and found == pytest.approx({(int(i), int(j)): 1 / len(free) for i, j in free}, rel=1e-13)
    for wall, most in ((ABSORB, 15), (REFLECT, 16)):  # a part of the plane: the sites inside, by the bounds
        disc = PLANE.inside(rw.Ball((0.0, 0.0), 0.3), wall)
        on_disc = masses(as_start(rw.Everywhere(), disc), lattices_on(disc, (0.075, 0.075), (0.0, 0.0)), disc)
        assert sorted(on_disc) == [(i, j) for i in range(-4, 5) for j in range(-4, 5) if i * i + j * j <= most]
        assert max(on_disc.values()) - min(on_disc.values()) <= 2.0**-53


def test_everywhere_in_one_dimension() -> None:
    walk = rw.LatticeWalk(0.5, 0.5, sites=7, domain=rw.Interval(0.0, 1.0, ABSORB, ABSORB), start=rw.Everywhere())
    first, whole = start_masses(walk.start, walk.lattice)
    assert first == 0 and whole.tolist() == even(7).tolist() and walk.start.cdf(0.25) == 0.25
    assert continuous(walk.start) == rw.Uniform(0.0, 1.0) and continuous(rw.Point(1.0)) == rw.Point(1.0)
    assert rw.pde.FokkerPlanck(0.0, 0.5, domain=walk.domain, start=rw.Everywhere()).start == rw.Uniform(0.0, 1.0)
    assert continuous(as_start(rw.Everywhere(), ROOM)) == rw.Uniform((0.0, 0.0), (4.25, 6.0))
    assert isinstance(continuous(as_start(rw.Everywhere(), TRAPPED)), rw.Everywhere)
    ring = rw.LatticeWalk(0.5, 0.5, sites=8, domain=rw.Ring(0.0, 1.0), start=rw.Everywhere())
    law = rw.pde.exact_law(ring, [0.0, 50.0])
    assert np.ptp(law.mass([0.0, 0.25, 0.5, 0.75, 1.0], 50.0)) < 1e-14
    with pytest.raises(ValueError, match="is unbounded"):
        rw.LatticeWalk(0.5, 0.5, dx=1.0, start=rw.Everywhere())


def test_mass_in_a_region_is_refused_with_its_place() -> None:
    """Also of a start that is spread out, before the sites are known; then on the sites."""
    for spread in (
        rw.Uniform((0.0, 0.0), (4.25, 6.0)), rw.Normal((1.0, 2.2), (0.1, 0.1)), rw.Point(2.0) * rw.Uniform(1.0, 2.1),
        rw.Uniform(2.9, 3.1) * rw.Sites([1.0, 3.0], [1 - 1e-9, 1e-9]),
    ):  # fmt: skip
        with pytest.raises(
            ValueError, match=r"start = .*: \(x, y\) = \(.*\) is in the (trap|obstacle) '.*', with about .* of"
        ):
            check_start(spread, TRAPPED)
        with pytest.raises(ValueError, match="is in the"):
            rw.pde.FokkerPlanck(0.0, 0.5, domain=TRAPPED, start=spread)
    sites: list[Start] = [rw.Point((2.9, 3.45)), rw.Atoms([(2.9, 3.45)], [1.0]), rw.Uniform((2.8, 3.6), (4.0, 4.5))]
    for start in sites:
        check_start(start, TRAPPED)
        with pytest.raises(ValueError, match=r"\(x, y\) = \(2.75, 3.5\) is in the trap 'trap', a site with a mass of"):
            site_masses(start, HALF, TRAPPED)
    check_start(rw.Uniform((0.0, 1.0), (0.9, 4.8)), TRAPPED)


def test_tails_in_a_region_are_left_out() -> None:
    """A normal start 7 sd from an obstacle has 1e-12 there: the start is that without it, as one block."""
    box = (rw.Line() ** 2).without(rw.HalfSpace((1.0, 0.0), 1.75))
    lattices = lattices_on(box, (0.125, 0.125), (0.0, 0.0))
    start = rw.Normal((0.0, 0.0), 0.25)
    (block,) = site_masses(start, lattices, box)
    assert block.axes == (0, 1) and int(block.masses.sum()) == WHOLE and block.numbers[0].max() == 14
    x, y = 0.125 * block.numbers
    law = stats.multivariate_normal([0.0, 0.0], np.eye(2) * 0.0625)
    assert block.masses / WHOLE == pytest.approx(law.pdf(np.stack([x, y], axis=-1)) * 0.125**2, rel=1e-8, abs=2.0**-53)
    far = (rw.Line() ** 2).without(rw.HalfSpace((1.0, 0.0), 3.0))
    assert [block.axes for block in site_masses(start, lattices, far)] == [(0,), (1,)]
    assert isinstance(start, Product)


def test_a_walk_on_a_disc_starts_everywhere_in_it() -> None:
    """The places at which coefficients are looked at are in the disc, not in the corners around it."""
    disc = PLANE.inside(rw.Ball((0.0, 0.0), 1.0), ABSORB, "rim")
    for diffusion in (0.5, lambda x, y: 1.0 - 0.4 * (x * x + y * y)):
        walk = rw.LatticeWalk.from_drift(0.0, diffusion, dx=0.125, domain=disc, start=rw.Everywhere())
        assert walk.dt == pytest.approx(0.125**2 / (6.0 * (0.5 if diffusion == 0.5 else 1.0)), rel=1e-3)


def test_one_place_is_shared_as_many_are() -> None:
    rng = np.random.default_rng(1)
    for dx, origin in ((0.1, 0.0), (1e-6, 3e-7), (3.0, -1.0)):
        lattice = Lattice.on(rw.Line(), dx, origin)
        for x in (
            *(dx * rng.uniform(-1e3, 1e3, 300)),
            *(origin + dx * rng.integers(-999, 999, 300)),
            0.0,
            origin + 0.5 * dx,
        ):
            (below,), (upper,) = share(np.array([x]), lattice)
            assert share_of(float(x), lattice) == (below, upper)
