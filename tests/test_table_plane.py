"""Step tables and exact laws in two and three dimensions, against a naive master equation made from the declaration, closed
forms and published numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import randwalk as rw
from randwalk.inputs import memory
from randwalk.kernels.program import FULL
from randwalk.model.neighbourhood import VonNeumann
from randwalk.model.region import Ball, HalfSpace
from randwalk.model.walk import LatticeWalk
from randwalk.tables import window
from randwalk.tables.quantise import quantise
from randwalk.tables.sublattice import cell, hermite, occupied
from randwalk.tables.table import StepTable
from randwalk.tables.window import LEAK, Windows, table_for

from . import naive_master as naive

A, R, P = rw.Absorbing(), rw.Reflecting(), rw.PartiallyAbsorbing
FOUR: dict[str, Any] = {"right": 0.25, "left": 0.25, "up": 0.25, "down": 0.25}
SIX: dict[str, Any] = dict.fromkeys(("right", "left", "up", "down", "front", "back"), 1.0 / 6.0)
ROOM = (
    (rw.Interval(0, 11.5, R, A) * rw.Ring(0, 10))
    .without(Ball((5.5, 5.0), 1.7), A, "trap")
    .without(Ball((9.0, 2.0), 1.2))
)
CUBE = rw.Interval(0, 5.5, A, R) * rw.Ring(0, 4) * rw.Interval(0, 4.5, R, A)
ALL = list(product((-1, 0, 1), repeat=2))
EIGHT = {e: p for e, p in zip(ALL, (0.1, 0.07, 0.12, 0.2, 0.0, 0.05, 0.15, 0.11, 0.09), strict=True) if any(e)}


def wave(x: Any, y: Any) -> Any:
    return 0.15 + 0.1 * np.sin(x + y)


WALKS: dict[str, Callable[[], LatticeWalk]] = {
    "mixed faces": lambda: LatticeWalk(
        right=0.3, left=0.2, up=0.15, down=0.3, dx=1.0, domain=rw.Interval(0, 8.5, A, R) * rw.Interval(0, 6.5, R, A),
        start=(4.0, 3.0), killing=0.01,
    ),
    "torus": lambda: LatticeWalk(**FOUR, dx=1.0, domain=rw.Ring(0, 6) * rw.Ring(0, 4), start=(2.0, 3.0)),
    "obstacle and trap": lambda: LatticeWalk(**FOUR, dx=1.0, domain=ROOM, start=(2.5, 2.0), killing=0.01),
    "a trap at a seam": lambda: LatticeWalk(
        **FOUR, dx=1.0, start=(5.0, 3.0),
        domain=(rw.Ring(0, 8) * rw.Ring(0, 6)).without(Ball((0.0, 0.0), 0.8), A, "trap").without(Ball((4.0, 0.0), 1.2)),
    ),
    "p(x, y)": lambda: LatticeWalk(
        right=wave, left=0.2, up=lambda x, y: 0.1 + 0.01 * x, down=0.2, dx=1.0, domain=ROOM, start=(2.5, 2.0),
    ),
    "p(x, y, t)": lambda: LatticeWalk(
        right=lambda x, y, t: 0.15 + 0.1 * np.sin(x + y + t), left=0.2, up=lambda y, t: 0.2 + 0.01 * y * np.cos(t), down=0.2,
        dx=1.0, domain=ROOM, start=(2.5, 2.0), killing=lambda x, t: 0.01 * x,
    ),
    "p(t)": lambda: LatticeWalk(
        right=lambda t: 0.3 + 0.1 * np.sin(t), left=0.2, up=0.2, down=0.1, dx=1.0, domain=ROOM, start=(2.5, 2.0)
    ),
    "diagonals over corners": lambda: LatticeWalk(
        steps=EIGHT, dx=1.0, domain=rw.Interval(0, 5, A, A) * rw.Interval(0, 4.5, A, R), start=(2.0, 1.0)
    ),
    "diagonals, obstacle, ring": lambda: LatticeWalk(
        steps=EIGHT, dx=1.0, domain=(rw.Ring(0, 7) * rw.Interval(0, 6, R, R)).without(Ball((3.0, 3.5), 1.1)), start=(0.0, 2.5)
    ),
    "bishop": lambda: LatticeWalk(
        steps=dict.fromkeys([(1, 1), (1, -1), (-1, 1), (-1, -1)], 0.25), dx=1.0,
        domain=rw.Interval(0, 8, A, A) * rw.Interval(0, 7, A, A), start=(4.0, 3.0),
    ),
    "Moore": lambda: LatticeWalk.from_drift(
        (lambda x, y: 0.5 - x + 0.1 * y, 0.3), (0.5, 0.3), dx=(0.25, 0.25),
        domain=rw.Interval(0, 2.125, R, A) * rw.Interval(0, 1.5, R, R), start=(1.125, 0.625),
    ),
    "Moore, regions": lambda: LatticeWalk.from_drift(
        (0.5, lambda x, y: x), 0.5, dx=0.25, start=(0.5, 0.25),
        domain=(rw.Ring(0, 2) * rw.Ring(0, 2)).without(Ball((1.0, 1.0), 0.3), A, "trap").without(Ball((1.5, 0.0), 0.3)),
    ),
    "von Neumann": lambda: LatticeWalk.from_drift(
        (lambda x, y: -y, lambda x, y: x), 0.5, dx=0.25, neighbourhood=VonNeumann(),
        domain=rw.Interval(-1, 1, A, A) * rw.Interval(-1, 1, A, A), start=(0.25, 0.0),
    ),
    "tensor": lambda: LatticeWalk.from_drift(
        (0.3, -0.2), ((0.5, 0.2), (0.2, 0.4)), dx=0.25,
        domain=rw.Interval(0, 2, R, R) * rw.Interval(0, 1.625, A, R), start=(1.125, 0.5),
    ),
    "Robin faces": lambda: LatticeWalk.from_drift(
        (0.3, -0.2), 0.5, dx=0.25, neighbourhood=VonNeumann(),
        domain=rw.Interval(0, 2, P(0.5), P(2.0)) * rw.Interval(0, 1.625, A, P(1.0)), start=(1.125, 0.5),
    ),
    "Robin faces, Moore": lambda: LatticeWalk.from_drift(
        (0.3, -0.2), (0.5, 0.3), dx=0.25, domain=rw.Interval(0, 2, P(0.5), P(2.0)) * rw.Interval(0, 1.5, R, P(1.0)),
        start=(1.125, 0.625),
    ),
    "Robin faces, tensor": lambda: LatticeWalk.from_drift(
        (0.3, -0.2), ((0.5, 0.2), (0.2, 0.4)), dx=0.25, start=(1.125, 0.5),
        domain=rw.Interval(0, 2, P(0.5), P(2.0)) * rw.Interval(0, 1.625, A, P(1.0)),
    ),
    "Robin region": lambda: LatticeWalk.from_drift(
        (0.3, lambda x, y: -0.1 * x), 0.5, dx=0.25, start=(0.25, 0.25),
        domain=(rw.Ring(0, 2) * rw.Ring(0, 1.5)).without(Ball((1.0, 0.5), 0.3), P(0.7), "leak"),
    ),
    "Robin region, diagonals": lambda: LatticeWalk(
        steps=EIGHT, dx=1.0, domain=(rw.Ring(0, 7) * rw.Interval(0, 6, R, R)).without(Ball((3.0, 3.5), 1.1), P(0.1), "leak"),
        start=(0.0, 2.5),
    ),
    "three": lambda: LatticeWalk(**SIX, dx=1.0, domain=CUBE, start=(3.0, 1.0, 2.5)),
    "three, a trap": lambda: LatticeWalk(
        **SIX, dx=1.0, domain=CUBE.without(Ball((2.0, 2.0, 1.0), 1.2), A, "trap"), start=(4.0, 0.0, 2.5), killing=0.01
    ),
    "three, p(x, y, z)": lambda: LatticeWalk(
        right=lambda x, y, z: 0.1 + 0.01 * x * z, left=0.1, up=0.1, down=lambda z: 0.02 * z, front=0.1, back=0.2, dx=1.0,
        domain=CUBE, start=(3.0, 1.0, 2.5),
    ),
    "three, Moore": lambda: LatticeWalk.from_drift(
        (0.2, 0.0, lambda x, y, z: -0.3 * z), (0.5, 0.4, 0.3), dx=0.5, start=(1.0, 0.5, 1.25),
        domain=rw.Interval(0, 2.25, A, R) * rw.Ring(0, 1.5) * rw.Interval(0, 2.25, R, A),
    ),
    "micrometres and nanoseconds": lambda: LatticeWalk.from_drift(
        (2e-3, 0.0), (5e-10, 1e-9), dx=(1e-6, 2e-6), start=(4e-6, 7e-6),
        domain=rw.Interval(0, 8e-6, A, A) * rw.Interval(0, 2e-5, R, R),
    ),
    "spread start": lambda: LatticeWalk(
        **FOUR, dx=1.0, domain=rw.Interval(0, 30, A, A) * rw.Interval(0, 8, R, R),
        start=rw.Normal(15.0, 1.4) * rw.Uniform(1.0, 5.0)
    ),
    "four axes": lambda: LatticeWalk(
        steps={tuple(s * (i == a) for i in range(4)): 0.125 for a in range(4) for s in (1, -1)}, dx=1.0,
        domain=rw.Interval(0, 4, A, A) * rw.Interval(0, 3, R, R) * rw.Ring(0, 3) * rw.Interval(0, 3, A, A),
        start=(2.0, 1.5, 1.0, 1.0),
    ),
}  # fmt: skip


def begin(walk: LatticeWalk) -> naive.Law:
    """The law of the start, of independent axes without mass at walls."""
    law: naive.Law = {(): 1.0}
    for factor, lattice in zip(walk.start.factors or (), walk.lattices, strict=True):
        first, weights = factor.weights(lattice)
        law = {(*site, first + k): p * w for site, p in law.items() for k, w in enumerate(weights) if w}
    return law


def on_window(law: naive.Law, table: StepTable) -> tuple[np.ndarray, np.ndarray]:
    """(probabilities of the sites, of the exits) of a naive law."""
    sites, gone = np.zeros(table.layout.shape), np.zeros(len(table.layout.exits))
    for place, p in law.items():
        if isinstance(place, str):
            gone[table.layout.exits.index(place)] += p
        else:
            sites[tuple(k - first for k, first in zip(place, table.layout.first, strict=True))] += p
    return sites, gone


@pytest.mark.parametrize("name", WALKS)
def test_the_exact_law_is_the_naive_one(name: str) -> None:
    """On all sites and by all exits, after 1, 2 and 11 steps: to some roundings a step. Mass by exit sums to 1."""
    walk = WALKS[name]()
    steps = [1, 2, 11]
    law = rw.pde.exact_law(walk, np.array(steps) * walk.dt)
    expected, done = begin(walk), 0
    for row, n in enumerate(steps):
        for step in range(done, n):
            expected = naive.advance(walk, expected, step)
        done = n
        sites, gone = on_window(expected, law.table)
        np.testing.assert_allclose(law.pmf[row], sites, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(law.gone[n], gone, rtol=1e-12, atol=1e-15)
        assert abs(law.pmf[row].sum() + law.gone[n].sum() - 1.0) < 1e-13
    assert law.leaked == 0.0 and law.gone.shape == (12, len(walk.domain.exits))


def test_a_homogeneous_walk_has_a_column_for_each_kind_of_surroundings() -> None:
    """One and the resting one on a torus; nine kinds in a box of reflecting faces, in any size; a column a cell where p
    varies."""
    box = rw.Interval(0, 12, R, R) * rw.Interval(0, 9, R, R)
    assert table_for(WALKS["torus"](), 1).columns == 2
    assert table_for(LatticeWalk(**FOUR, dx=1.0, domain=box, start=(1.5, 1.5)), 1).columns == 10
    assert table_for(LatticeWalk(**FOUR, dx=0.5, domain=box, start=(1.25, 1.25)), 1).columns == 10
    varied = table_for(WALKS["p(x, y)"](), 1)
    assert varied.columns == varied.layout.cells and varied.column.size == 0
    many = LatticeWalk(
        steps={e: 1 / 26 for e in product((-1, 0, 1), repeat=3) if any(e)}, dx=1.0, domain=CUBE, start=(3.0, 1.0, 2.5)
    )
    # The low face of x and the high one of z absorb, so all steps are made beside them.
    assert table_for(many, 1).columns == 1 + 2 * 2


@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_returns_to_the_origin(n: int) -> None:
    """After 2n steps: (C(2n, n)/4ⁿ)² in the plane [Pólya 1921], its cube on the body-centred lattice, and in space the numbers of
    closed walks of 2, 4, … steps on ℤ³, 6, 90, 1860, 44730, 1172556 [OEIS A002896]."""
    one = math.comb(2 * n, n) / 4.0**n
    plane = rw.pde.exact_law(LatticeWalk(**FOUR, dx=1.0), [2 * n])
    assert plane.pmf[0].max() == pytest.approx(one**2, rel=1e-13)
    corners = dict.fromkeys(product((-1, 1), repeat=3), 0.125)
    if n <= 5:
        body = rw.pde.exact_law(LatticeWalk(steps=corners, dx=1.0), [2 * n])
        assert body.pmf[0].max() == pytest.approx(one**3, rel=1e-13)
        closed = {1: 6, 2: 90, 5: 1172556}[n]
        space = rw.pde.exact_law(LatticeWalk(**SIX, dx=1.0), [2 * n])
        origin = tuple(int(np.flatnonzero(x == 0.0)[0]) for x in space.sites)
        assert space.pmf[0][origin] == pytest.approx(closed / 6.0 ** (2 * n), rel=1e-12)


def test_the_plane_turned_by_45_degrees_is_two_coins() -> None:
    """x + y and x - y are independent ±1 walks."""
    n = 30
    law = rw.pde.exact_law(LatticeWalk(**FOUR, dx=1.0), [n])
    coin = rw.pde.exact_law(LatticeWalk(0.5, 0.5, dx=1.0), [n])
    p = dict(zip(np.rint(coin.sites).astype(int).tolist(), coin.pmf[0].tolist(), strict=True))
    x, y = np.meshgrid(*(np.rint(x).astype(int) for x in law.sites), indexing="ij")
    expected = np.vectorize(lambda a, b: p.get(a + b, 0.0) * p.get(a - b, 0.0))(x, y)
    np.testing.assert_allclose(law.pmf[0], expected, rtol=1e-12, atol=1e-30)


def test_a_separable_walk_is_a_product_of_walks_on_one_axis() -> None:
    """Moore steps, a different wall at every end: sites, survival and moments; the exits by the factors' fluxes sum to the
    rest."""
    axes = rw.Interval(0, 2, A, R), rw.Interval(-1, 1, P(0.7), P(2.0)), rw.Ring(0, 1)
    drifts, diffusions, starts = (rw.Affine(1.0, -0.5), 0.4, -1.0), (0.5, 0.3, 0.2), (1.0, 0.25, 0.5)
    dt = 0.002

    def line(i: int) -> LatticeWalk:
        sites = (14, 20, 10)[i]
        return LatticeWalk.from_drift(drifts[i], diffusions[i], sites=sites, dt=dt, domain=axes[i], start=starts[i])

    for dimension in (2, 3):
        lines = [line(i) for i in range(dimension)]
        walk = LatticeWalk.from_drift(
            drifts[:dimension], diffusions[:dimension], dx=tuple(one.dx for one in lines), dt=dt,
            domain=math.prod(axes[1:dimension], start=axes[0]), start=starts[:dimension],
        )  # fmt: skip
        law, parts = rw.pde.exact_law(walk, [20 * dt]), [rw.pde.exact_law(one, [20 * dt]) for one in lines]
        expected = parts[0].pmf[0]
        for part in parts[1:]:
            expected = np.multiply.outer(expected, part.pmf[0])
        np.testing.assert_allclose(law.pmf[0], expected, rtol=1e-11, atol=1e-17)
        assert law.survival(20 * dt) == pytest.approx(math.prod(part.survival(20 * dt) for part in parts), rel=1e-12)


SUBLATTICES: dict[str, tuple[Callable[[], LatticeWalk], tuple[int, ...]]] = {
    "von Neumann": (lambda: LatticeWalk(**FOUR, dx=1.0), (2, 1)),
    "lazy": (lambda: LatticeWalk(right=0.2, left=0.2, up=0.2, down=0.2, dx=1.0), (1, 1)),
    "bishop": (lambda: LatticeWalk(steps=dict.fromkeys([(1, 1), (1, -1), (-1, 1), (-1, -1)], 0.25), dx=1.0), (2, 2)),
    "three": (lambda: LatticeWalk(**SIX, dx=1.0), (2, 1, 1)),
    "body-centred": (lambda: LatticeWalk(steps=dict.fromkeys(product((-1, 1), repeat=3), 0.125), dx=1.0), (2, 2, 2)),
    "hexagonal": (
        lambda: LatticeWalk(steps=dict.fromkeys([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)], 1 / 6), dx=1.0), (1, 1)
    ),
    "three directions": (lambda: LatticeWalk(steps={(1, 0): 0.3, (0, 1): 0.3, (-1, -1): 0.4}, dx=1.0), (3, 1)),
    "torus, even": (WALKS["torus"], (2, 1)),
    "torus, odd": (lambda: LatticeWalk(**FOUR, dx=1.0, domain=rw.Ring(0, 5) * rw.Ring(0, 4), start=(2.0, 3.0)), (1, 1)),
    "absorbing": (WALKS["bishop"], (2, 2)),
    "two-way Moore": (
        lambda: LatticeWalk.from_drift((0.1, 0.0), 0.5, dx=1.0, rule=rw.Rule.TWO_WAY, start=(0.0, 0.0)), (2, 2)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SUBLATTICES)
def test_sublattices(name: str) -> None:
    """Sites that can be occupied, as far as steps reach, are those with mass in the naive law; the volume of the brick is how
    many sites there are for one of them, and the bricks of all of them fill the plane once."""
    make, sides = SUBLATTICES[name]
    walk = make()
    for n in (1, 6, 7):
        table = table_for(walk, 12)
        law = naive.law(walk, begin(walk), n)
        sites, _ = on_window(law, table)
        kept = np.zeros(table.layout.shape, dtype=bool)
        kept[occupied(table, n)] = True
        assert kept[sites > 1e-12].all() and cell(table, n) == sides
        origin = [
            k - first for (k,), first in zip(map(set, zip(*begin(walk), strict=True)), table.layout.first, strict=True)
        ]
        near = np.ix_(*(np.arange(max(k - 2, 0), min(k + 3, size)) for k, size in zip(origin, kept.shape, strict=True)))
        if n > 1 and not any(table.layout.periodic) and name not in ("absorbing", "three directions"):
            assert ((sites > 1e-12) == kept)[near].all()
        assert 0.8 < kept.mean() * math.prod(sides) < 1.25
    covered = np.zeros(kept.shape, dtype=int)
    for site in zip(*np.nonzero(kept), strict=True):
        covered[tuple(slice(k, k + side) for k, side in zip(site, sides, strict=True))] += 1
    inner = tuple(slice(side - 1, None) for side in sides)
    assert (covered[inner] == 1).all() or (any(table.layout.periodic) and covered.max() == 1)


def test_walls_mix_the_cosets_gradually() -> None:
    """Beside a reflecting face walkers stay: all sites can be occupied, but an atom still stands for two."""
    even = LatticeWalk(**FOUR, dx=1.0, domain=rw.Interval(0, 8, R, R) * rw.Ring(0, 6), start=(2.5, 2.0))
    table, law = table_for(even, 40), naive.law(even, begin(even), 40)
    assert (
        cell(table, 40) == (2, 1) and np.asarray(occupied(table, 40)).all() and (on_window(law, table)[0] > 1e-12).all()
    )


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=4))
def test_hermite_normal_form(vectors: list[tuple[int, int]]) -> None:
    """The index is the largest common divisor of the 2 × 2 minors; every vector is a whole combination of the basis."""
    (a, zero), (b, c) = hermite(vectors, 2)
    assert zero == 0 and a > 0 and c > 0 and 0 <= b < a
    minors = [v[0] * w[1] - v[1] * w[0] for v in vectors for w in vectors]
    if any(minors):
        assert a * c == math.gcd(*minors)
        for x, y in vectors:
            assert y % c == 0 and (x - y // c * b) % a == 0


# ---------------------------------------------------------------- the quantiser


def shares(limits: np.ndarray) -> list[int]:
    return [int(n) for n in np.diff(limits, axis=0, prepend=0, append=FULL)]


@pytest.mark.parametrize("killed", [0.0, 1e-10, 0.3])
def test_six_equal_steps_leave_no_stay_and_no_drift(killed: float) -> None:
    """1/6 is no whole number of 2⁻⁶²: the units left over go in equal halves to the two steps along the last axis."""
    opposite = (1, 0, 3, 2, 5, 4)
    parts = shares(quantise([np.array(1 / 6)] * 6, np.array(killed), opposite))
    *steps, stay, dead = parts
    assert stay == 0 and sum(parts) == FULL and dead == round(killed * FULL)
    assert steps[0] == steps[1] == steps[2] == steps[3] and 0 <= steps[5] - steps[4] <= 1
    assert max(abs(6 * n - (FULL - dead)) for n in steps) < 2**14


@given(
    st.lists(st.floats(0, 1), min_size=8, max_size=8).filter(lambda given: sum(given) > 0.1),
    st.sampled_from([0.0, 1e-3, 0.9]),
)
def test_probabilities_that_sum_to_one_leave_no_stay(given: list[float], killed: float) -> None:
    """Each is kept to 2⁻⁴⁸, what is 0 stays 0, and thresholds never fall."""
    p = [np.array(x / sum(given)) for x in given]
    *steps, stay, dead = shares(quantise(p, np.array(killed), (1, 0, 3, 2, 7, 6, 5, 4)))
    assert stay == 0 and min(*steps, dead) >= 0 and sum(steps) + dead == FULL
    for n, x in zip(steps, p, strict=True):
        assert abs(n - float(x) * (FULL - dead)) <= 2**14 and (x > 0.0 or n == 0)


# ---------------------------------------------------------------- windows


def test_a_law_in_the_plane_leaks_no_more_than_stated() -> None:
    """A wind that sets in at x = 8, which the guess does not see: the window grows, and what leaves it is below the bound. The
    law is that of a wide box."""

    def right(x: Any, y: Any) -> Any:
        return np.where(x > 8, 0.55, 0.15) + 0.0 * y

    given: dict[str, Any] = {"right": right, "left": 0.15, "up": 0.15, "down": 0.15, "dx": 1.0}
    law = rw.pde.exact_law(LatticeWalk(**given), [50, 300])
    assert 0.0 < law.leaked <= LEAK
    box = rw.Interval(-100, 230, A, A) * rw.Interval(-100, 100, A, A)
    wide = rw.pde.exact_law(LatticeWalk(**given, domain=box), [50, 300])
    np.testing.assert_allclose(law.mean([50, 300]), wide.mean([50, 300]), rtol=1e-11, atol=1e-9)
    np.testing.assert_allclose(law.variance(300), wide.variance(300), rtol=1e-9, atol=1e-9)
    assert law.pmf[0].sum() == pytest.approx(1.0, abs=1e-13)


@pytest.mark.parametrize("begin", [0.0, 5.0, 7.0])
def test_a_ring_beside_a_line_is_whole_from_the_first_step(begin: float) -> None:
    """However few of its sites walkers reach: they cross the seam. Around the ring the law is that of a sum of two coins."""
    walk = LatticeWalk(**FOUR, dx=1.0, domain=rw.Line() * rw.Ring(0, 8), start=(0.0, begin))
    pulled = LatticeWalk(
        **(FOUR | {"right": lambda x, y: 0.25 / (1.0 + 0.1 * np.abs(x)) + 0.0 * y}),
        dx=1.0,
        domain=walk.domain,
        start=walk.start,
    )
    for n in (1, 2, 3):
        expected = np.zeros(8)
        np.add.at(
            expected, (int(begin) + np.arange(-n, n + 1)) % 8, [math.comb(2 * n, k) / 4**n for k in range(2 * n + 1)]
        )
        for law in (rw.pde.exact_law(walk, [n]), rw.pde.exact_law(pulled, [n])):
            np.testing.assert_allclose(law.pmf[0].sum(axis=0), expected, rtol=0, atol=1e-15)
        seen = rw.simulate(walk, 1000, [n], seed=1, method="paths").counts[0].sum(axis=0)
        assert ((seen > 0) == (expected > 0)).all() and seen.sum() == 1000


def test_a_narrow_guess_gives_the_same_law(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five sites on either side, doubled as often as mass reaches an edge, p(x, y, t) and one unbounded axis among them."""
    walks = [
        LatticeWalk(
            right=lambda x, y, t: 0.2 + 0.05 * np.sin(x + t), left=0.2, up=0.25, down=lambda y: 0.2 + 0.0 * y, dx=1.0
        ),
        LatticeWalk(**FOUR, dx=1.0, domain=rw.Line() * rw.Interval(0, 9.5, R, A), start=(0.0, 4.5)),
        LatticeWalk(
            **FOUR, dx=1.0, domain=rw.Interval(0, math.inf, A) * rw.Ring(0, 7), start=(3.0, 1.0), killing=0.001
        ),
    ]
    guessed = [rw.pde.exact_law(walk, [10, 40]) for walk in walks]
    monkeypatch.setattr(
        window, "guessed_ends",
        lambda walk, steps, start, leak: [
            (first - 5 if x.first is None else max(first - 5, x.first), last + 5 if x.last is None else min(last + 5, x.last))
            for (first, last), x in zip(start, walk.lattices, strict=True)
        ],
    )  # fmt: skip
    for walk, expected in zip(walks, guessed, strict=True):
        law = rw.pde.exact_law(walk, [10, 40])
        at, to = [slice(None)], [slice(None)]
        for (a, n), (b, m) in zip(law.table.window, expected.table.window, strict=True):
            begin, end = max(a, b), min(a + n, b + m)
            at.append(slice(begin - a, end - a))
            to.append(slice(begin - b, end - b))
        np.testing.assert_allclose(law.pmf[tuple(at)], expected.pmf[tuple(to)], rtol=0, atol=1e-16)
        np.testing.assert_allclose(law.gone, expected.gone, rtol=1e-12, atol=1e-16)
        assert law.leaked <= LEAK and abs(law.pmf[1].sum() + law.gone[-1].sum() - 1.0) < 1e-13


def test_a_disc_in_the_plane_is_bounded() -> None:
    """``inside`` of an unbounded plane: the window is that of the disc, nothing leaks, and everything leaves by the rim."""
    disc = (rw.Line() ** 2).inside(Ball((0.0, 0.0), 5.0), A, "rim")
    walk = LatticeWalk(**FOUR, dx=1.0, domain=disc)
    law = rw.pde.exact_law(walk, [3, 200])
    assert law.table.window == ((-6, 13), (-6, 13)) and law.leaked == 0.0
    assert law.absorbed("rim", 200) == pytest.approx(1.0 - law.survival(200), abs=1e-13) and law.survival(200) < 0.01
    x, y = np.meshgrid(*law.sites, indexing="ij")
    assert not law.pmf[:, x**2 + y**2 >= 25.0].any() and law.pmf[0][x**2 + y**2 < 9.5].sum() == 1.0
    half = (rw.Line() ** 2).inside(HalfSpace((1.0, 0.0), -3.0), R)
    assert rw.pde.exact_law(LatticeWalk(**FOUR, dx=1.0, domain=half), [50]).survival(50) == pytest.approx(
        1.0, abs=1e-13
    )


def test_where_a_walk_is_not_valid() -> None:
    """p + … > 1 far out: no error where mass is not; where it gets there, the place and the remedy."""
    trap = LatticeWalk.from_drift(lambda x, y: (-x, -y), 0.5, dx=0.2, rule=rw.Rule.LINEAR, start=(1.0, 0.0))
    law = rw.pde.exact_law(trap, [50 * trap.dt])
    assert law.leaked <= LEAK and np.abs(law.sites[0]).max() <= 5.0  # |a| dx ≤ 2D
    away = LatticeWalk(right=lambda x, y: 0.2 + 0.05 * np.maximum(x, 0.0) + 0.0 * y, left=0.1, up=0.2, down=0.2, dx=1.0)
    rw.pde.exact_law(away, [3])
    with pytest.raises(ValueError, match=r"right \+ left .* at x = 7, y = 0"):
        rw.pde.exact_law(away, [300])


def test_windows_double_on_the_sides_that_were_reached() -> None:
    walk = LatticeWalk(**FOUR, dx=1.0, domain=rw.Line() * rw.Interval(0, math.inf, R), start=(0.0, 0.5))
    windows = Windows(walk, 10**6)
    (a, b), (c, d) = windows.ends()
    assert a == -b and c == 0 and d > 1000
    assert windows.wider(((a, b), (c, d)), (True, False, False, False), "") == ((2 * a, b), (c, d))
    assert windows.wider(((2 * a, b), (c, d)), (False, True, False, True), "") == ((2 * a, 2 * b), (c, 2 * d))


def test_what_does_not_fit_is_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything runs, with the numbers of sites and steps."""
    walk = LatticeWalk(**SIX, sites=(120, 120, 91), domain=rw.Interval(0, 1, A, A) ** 3, start=(0.5, 0.5, 0.5))
    monkeypatch.setattr(memory, "available", lambda: 2.0**26)
    with pytest.raises(
        MemoryError, match=r"1310400 sites after 100 steps needs .* take a larger dx, or take rw.pde.solve"
    ):
        rw.pde.exact_law(walk, [50, 100])
    with pytest.raises(ValueError, match="2³¹"):
        table_for(LatticeWalk(**FOUR, dx=1.0, start=(0.0, 0.0)), 2**31)


def test_addresses_for_the_occupation_method() -> None:
    """24 digits of each lattice number in the plane, 16 in space; those of one axis are the number modulo 2³²."""
    for walk, digits in ((WALKS["torus"](), 24), (WALKS["three"](), 16), (LatticeWalk(0.5, 0.5, dx=1.0), 32)):
        table = table_for(walk, 5)
        cells = table.layout.inner(np.arange(table.layout.cells)).ravel()
        numbers = table.layout.numbers(cells)
        address = table.layout.address[cells]
        for k in reversed(numbers):
            assert (address % np.uint64(2**digits) == (k % 2**digits).astype(np.uint64)).all()
            address = address >> np.uint64(digits)
        assert not address.any()


# ---------------------------------------------------------------- long runs


CAVE = (rw.Interval(0, 14, R, R) * rw.Ring(0, 11)).without(Ball((5.5, 5.0), 2.7)).without(Ball((11.0, 0.0), 1.9))

MIXED: dict[str, Callable[[], LatticeWalk]] = {
    "axes": lambda: LatticeWalk(**FOUR, dx=1.0, domain=CAVE, start=rw.Everywhere()),
    "diagonals": lambda: LatticeWalk(
        steps={(1, 0): 0.1, (-1, 0): 0.1, (0, 1): 0.2, (0, -1): 0.2, (1, 1): 0.15, (-1, -1): 0.15}, dx=1.0, domain=CAVE,
        start=rw.Everywhere(),
    ),
    "Moore": lambda: LatticeWalk.from_drift((0.0, 0.0), (0.5, 0.3), dx=1.0, domain=CAVE, start=rw.Everywhere()),
    "tensor": lambda: LatticeWalk.from_drift(
        (0.0, 0.0), ((0.5, -0.2), (-0.2, 0.4)), dx=1.0, domain=CAVE, start=rw.Everywhere()
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MIXED)
def test_a_uniform_law_stays_uniform_among_obstacles(name: str) -> None:
    """Without drift, reflecting faces and obstacles keep it, whatever the steps: they are made as often there and back."""
    walk = MIXED[name]()
    law = rw.pde.exact_law(walk, np.array([1, 500]) * walk.dt)
    free = law.table.layout.free
    assert 0.6 < free.mean() < 0.9
    for pmf in law.pmf:
        np.testing.assert_allclose(pmf[free], 1.0 / free.sum(), rtol=1e-12)
        assert not pmf[~free].any()


def test_mass_is_kept_in_a_long_run() -> None:
    """5000 steps among an obstacle and a trap: mass on sites and by exit sums to 1, and each only grows."""
    law = rw.pde.exact_law(WALKS["obstacle and trap"](), [10, 100, 5000])
    total = law.pmf.sum(axis=(1, 2)) + law.gone[[10, 100, 5000]].sum(axis=1)
    np.testing.assert_allclose(total, 1.0, rtol=0, atol=1e-13)
    assert (np.diff(law.gone, axis=0) >= 0.0).all() and law.survival(5000) < 1e-9


def test_arrays_over_the_sites_and_masks() -> None:
    """Probabilities given site by site, and an obstacle given by an array, make the law of the same functions and shapes."""
    box = rw.Interval(0, 12, R, R) * rw.Interval(0, 9, R, R)
    x, y = np.meshgrid(np.arange(12) + 0.5, np.arange(9) + 0.5, indexing="ij")
    right, hole = 0.15 + 0.1 * np.sin(x + y), (x - 6.0) ** 2 + (y - 4.0) ** 2 < 4.0
    given: dict[str, Any] = {"left": 0.2, "up": 0.2, "down": 0.2, "dx": 1.0, "start": (2.5, 2.5)}
    one = LatticeWalk(right=right, domain=box.without(rw.Mask(hole), A, "hole"), **given)
    other = LatticeWalk(right=wave, domain=box.without(Ball((6.0, 4.0), 2.0), A, "hole"), **given)
    a, b = (rw.pde.exact_law(walk, [40]) for walk in (one, other))
    np.testing.assert_allclose(a.pmf, b.pmf, rtol=1e-12, atol=1e-16)
    assert float(a.absorbed("hole", 40)) == pytest.approx(float(b.absorbed("hole", 40)), rel=1e-12)
    assert float(a.absorbed("hole", 40)) > 0.1


def test_the_capped_rule_says_so_in_the_plane() -> None:
    """Where the drift is stronger than 2D/dx walkers lose speed, in the law and in a run."""
    walk = LatticeWalk.from_drift((lambda x, y: -12.0 * x, 0.0), 0.5, dx=0.2, rule=rw.Rule.CAPPED, times=[1.0])
    with pytest.warns(RuntimeWarning, match="loses .* % of the mean speed"):
        rw.pde.exact_law(walk, [1.0])
    with pytest.warns(RuntimeWarning, match="loses .* % of the mean speed"):
        rw.simulate(walk, 1000, [1.0], seed=1)
