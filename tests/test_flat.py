"""Dimension is data: the kernels of the walks on a line walk a box, a torus and obstacles in two dimensions, as naive walkers do.

The tables are made by hand. A step of a naive walker is chosen by the same uniform, from the same thresholds, on a pair of
coordinates; its cell and its exit are looked up in a dictionary.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from randwalk.kernels import constant, cpu
from randwalk.kernels.evolve import TINY, evolve
from randwalk.kernels.occupation import occupy, scatter
from randwalk.kernels.philox import key
from randwalk.kernels.program import FULL, NO_LEVELS, DigitsProgram, TableProgram
from randwalk.tables.layout import Layout
from randwalk.tables.quantise import in_parts

from . import naive

Place = tuple[int, int]
MOVES: tuple[Place, ...] = ((1, 0), (-1, 0), (0, 1), (0, -1))
EXITS = ("left", "right", "bottom", "top", "killing")
SEED, STEPS, WALKERS = 11, 101, 60


@dataclass(frozen=True)
class Box:
    """A walk on nx × ny sites: probabilities that differ from site to site, some sites that no step enters, some that kill."""

    shape: Place
    periodic: tuple[bool, bool] = (False, False)
    obstacles: float = 0.0
    killing: float = 0.0
    rows: int = 1

    @cached_property
    def layout(self) -> Layout:
        return Layout(self.shape, (0, 0), self.periodic, EXITS, (False,) * 5)

    def arrives(self, place: Place) -> Place | str:
        """The site or the exit that a step to `place` leads to."""
        site = [k % n if ring else k for k, n, ring in zip(place, self.shape, self.periodic, strict=True)]
        for axis in range(2):
            if not 0 <= site[axis] < self.shape[axis]:
                return EXITS[2 * axis + (site[axis] > 0)]
        return site[0], site[1]

    @property
    def sites(self) -> list[Place]:
        return list(product(range(self.shape[0]), range(self.shape[1])))

    @cached_property
    def blocked(self) -> set[Place]:
        random = np.random.default_rng(1)
        return {site for site in self.sites if random.random() < self.obstacles and site != (1, 1)}

    @cached_property
    def limits(self) -> list[dict[Place, list[int]]]:
        """The five cumulative thresholds of every site, for each row."""
        random, rows = np.random.default_rng(2), []
        for _ in range(self.rows):
            row: dict[Place, list[int]] = {}
            for site in self.sites:
                shares = random.dirichlet([3.0] * 5)[:4]
                for k, (dx, dy) in enumerate(MOVES):
                    if self.arrives((site[0] + dx, site[1] + dy)) in self.blocked:
                        shares[k] = 0.0
                live = FULL - round(self.killing * random.random() * FULL)
                row[site] = [*np.rint(np.cumsum(shares) * live).astype(int).tolist(), live]
            rows.append(row)
        return rows

    @cached_property
    def program(self) -> TableProgram:
        layout = self.layout
        thresholds = layout.empty(self.rows, 5)
        thresholds[:, 4] = FULL
        for row, limits in enumerate(self.limits):
            for site, values in limits.items():
                thresholds[row, :, layout.index(*site)] = values
        stride, one = layout.strides
        offsets = stride, -stride, one, -one
        kills = self.killing > 0.0
        return TableProgram(
            offsets,
            in_parts(thresholds),
            np.zeros(0, np.int32),
            layout.home,
            layout.exit_of,
            kills,
            kills or not all(self.periodic),
        )

    def cell(self, place: Place | str) -> int:
        """The cell of a site."""
        assert isinstance(place, tuple)
        return int(self.layout.index(*place))


BOXES = {
    "box": Box((7, 5)),
    "torus": Box((6, 5), (True, True)),
    "tube, killed": Box((9, 4), (False, True), killing=0.02),
    "obstacles": Box((12, 11), obstacles=0.2),
    "obstacles on a torus": Box((8, 7), (True, True), obstacles=0.2, killing=0.01),
    "a row a step": Box((6, 6), rows=STEPS),
}


def path(box: Box, walker: int, steps: int) -> list[Place | str]:
    """A naive walker from site (1, 1)."""
    places: list[Place | str] = [(1, 1)]
    for n in range(steps):
        here = places[-1]
        if isinstance(here, str):
            places.append(here)
            continue
        u, limits = naive.table_uniform(walker, n, SEED), box.limits[n if box.rows > 1 else 0][here]
        taken = next((k for k, limit in enumerate(limits) if u < limit), 5)
        if taken < 4:
            places.append(box.arrives((here[0] + MOVES[taken][0], here[1] + MOVES[taken][1])))
        else:
            places.append(here if taken == 4 else "killing")
    return places


@pytest.mark.parametrize("name", BOXES)
def test_walkers_are_the_naive_ones(name: str) -> None:
    """Every site and every passage, all walkers together, one by one, and some of them alone."""
    box = BOXES[name]
    first, program, keys = 2**32 - 100, box.program, key(SEED)
    expected = [path(box, first + j, STEPS) for j in range(WALKERS)]
    begin = np.full(WALKERS, box.cell((1, 1)), np.int32)
    everybody = np.arange(WALKERS, dtype=np.int32)
    together, passage = begin.copy(), np.zeros(WALKERS, np.int32)
    cpu.walk_table(together, passage, (first, everybody), program, 0, STEPS, keys)
    alone, state = begin.copy(), np.zeros((2, WALKERS), np.int32)
    empty = np.zeros(0, np.int32)
    cpu.follow_table(alone, state, (first, everybody), program, NO_LEVELS.told, 0, STEPS, keys)
    some = everybody[::7].copy()
    few = begin.copy()
    cpu.walk_table(few, empty, (first, some), program, 0, STEPS, keys)
    for j, places in enumerate(expected):
        last = places[-1]
        for sites in (together, alone):
            if isinstance(last, str):
                assert program.exit_of[sites[j]] == EXITS.index(last)
                assert passage[j] == state[0, j] == places.index(last)
            else:
                assert sites[j] == box.cell(last) and passage[j] == state[0, j] == 0
    assert (few[::7] == together[::7]).all() and (np.delete(few, some) == np.delete(begin, some)).all()
    ends = {place if isinstance(place, str) else "alive" for place in (places[-1] for places in expected)}
    assert len(ends) > 1 or all(box.periodic)


def test_columns_are_shared_where_a_map_says_so() -> None:
    """A homogeneous box: a column for each set of neighbours, 10 of 63 cells; the map gives the same sites as a column a cell."""
    box = Box((7, 5))
    row = {site: [FULL // 4 * (k + 1) for k in range(4)] + [FULL] for site in box.limits[0]}
    object.__setattr__(box, "limits", [row])
    program = box.program
    columns, column = np.unique(program.thresholds[0], axis=1, return_inverse=True)
    few = program._replace(thresholds=np.ascontiguousarray(columns[None]), column=column.astype(np.int32).reshape(-1))
    assert few.thresholds.shape[2] == 2
    sites = []
    for told in (program, few):
        site = np.full(1000, box.cell((3, 2)), np.int32)
        everybody = (0, np.arange(1000, dtype=np.int32))
        cpu.walk_table(site, np.zeros(0, np.int32), everybody, told, 0, 9, key(SEED))
        mass, out = box.layout.empty(dtype=np.float64), np.zeros((9, 5))
        mass[box.cell((3, 2))] = 1.0
        evolve(mass, told, 9, np.full(4, box.cell((3, 2))), out, TINY)
        sites.append((site, mass, out))
    for one, other in zip(*sites, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (few.exit_of[sites[0][0]] != 255).any()


def matrix(box: Box, row: int) -> NDArray[np.float64]:
    """The transition matrix of a step, from row to column: all cells, those of exits kept."""
    layout, table = box.layout, np.zeros((box.layout.cells + 4, box.layout.cells + 4))
    exits = {name: layout.cells - 1 + i for i, name in enumerate(EXITS)}
    for place in exits.values():
        table[place, place] = 1.0
    for site, limits in box.limits[row].items():
        here = box.cell(site)
        for k, p in enumerate(np.diff([0, *limits, FULL]) / FULL):
            if k < 4:
                there = box.arrives((site[0] + MOVES[k][0], site[1] + MOVES[k][1])) if p else site
                table[here, exits[there] if isinstance(there, str) else box.cell(there)] += p
            else:
                table[here, here if k == 4 else exits["killing"]] += p
    return table


def law(box: Box, steps: int) -> NDArray[np.float64]:
    """The dense law after `steps` steps: the sites, then what has left by each exit."""
    mass = np.zeros(box.layout.cells + 4)
    mass[box.cell((1, 1))] = 1.0
    for n in range(steps):
        mass = mass @ matrix(box, n if box.rows > 1 else 0)
    return mass


@pytest.mark.parametrize("name", BOXES)
@pytest.mark.parametrize("steps", [1, 2, 40])
def test_the_exact_law_is_that_of_the_dense_matrix(name: str, steps: int) -> None:
    """To rounding: 40 steps of sums of five numbers."""
    box = BOXES[name]
    mass, out = box.layout.empty(dtype=np.float64), np.zeros((steps, 5))
    mass[box.cell((1, 1))] = 1.0
    program = box.program if box.rows == 1 else box.program._replace(thresholds=box.program.thresholds[:steps])
    reach = np.full(4, box.cell((1, 1)))
    evolve(mass, program, steps, reach, out, TINY)
    dense = law(box, steps)
    np.testing.assert_allclose(mass[:-1], dense[:-5], rtol=1e-13, atol=1e-300)
    np.testing.assert_allclose(out.sum(axis=0), dense[-5:], rtol=1e-13, atol=1e-300)
    assert np.flatnonzero(mass)[[0, -1]].tolist() == reach[:2].tolist()


@pytest.mark.parametrize("name", BOXES)
def test_occupation(name: str) -> None:
    """10⁶ walkers, whole and in three pieces: the same counts, none lost, and a chi-square test against the law over
    the sites and exits that expect 5 walkers or more; one such test in 10⁵ fails by chance."""
    box, walkers, steps = BOXES[name], 10**6, 12
    layout, keys = box.layout, key(SEED)
    address = np.arange(layout.cells, dtype=np.uint64)
    begin = layout.empty()
    start = np.array([box.cell((1, 1))], np.int32), np.array([2**53])
    scatter(begin, walkers, start, 4, address, keys)
    assert begin[box.cell((1, 1))] == walkers == begin.sum()
    program = box.program if box.rows == 1 else box.program._replace(thresholds=box.program.thresholds[:steps])
    found = []
    for pieces in (1, 3):
        before, after, gone = begin.copy(), begin.copy(), np.zeros((steps, 5), np.int64)
        for n in range(0, steps, 4):
            now = program if box.rows == 1 else program._replace(thresholds=program.thresholds[n : n + 4])
            for own in layout.slabs(pieces):
                occupy(
                    before,
                    after,
                    layout.slab(own, 4, layout.strides[0]),
                    now,
                    address,
                    (n, n + 4),
                    gone[n : n + 4],
                    keys,
                )
            before, after = after, before
        found.append((before, gone))
        assert before.sum() + gone.sum() == walkers and layout.live(before).sum() == before.sum()
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
    expected = walkers * law(box, steps)
    observed = np.concatenate([found[0][0][:-1], found[0][1].sum(axis=0)])
    large = expected >= 5.0
    assert large.sum() > 10
    rest = [observed[~large].sum(), expected[~large].sum()]
    chi = float(((observed[large] - expected[large]) ** 2 / expected[large]).sum())
    chi += (rest[0] - rest[1]) ** 2 / rest[1] if rest[1] > 1.0 else 0.0
    assert stats.chi2.sf(chi, int(large.sum())) > 1e-5


def test_constant_steps_in_two_dimensions() -> None:
    """Five outcomes, walked by digits, against the naive uniforms; ties included, because 0.3 has more than eight digits."""
    stride = 1 << 16
    offsets, limits = (stride, -stride, 1, -1), (round(0.3 * FULL), FULL // 2, 5 * FULL // 8, round(0.9 * FULL))
    sites = {}
    for thresholds, planes in ((limits, 8), ((FULL // 4, FULL // 2, 3 * FULL // 4, FULL), 2)):
        program, keys = DigitsProgram(offsets, thresholds, planes), key(SEED)
        site, followed = np.zeros(70, np.int32), np.zeros(70, np.int32)
        constant.walk_constant(site, 5, program, 3, STEPS, keys)  # type: ignore[no-untyped-call]
        constant.follow_constant(followed, np.zeros((70, 2), np.int32), 5, program, NO_LEVELS.told, 3, STEPS, keys)
        for j in range(70):
            here = 0
            for n in range(3, STEPS):
                u = naive.constant_uniform(5 + j, n, planes, SEED)
                here += next((offset for offset, limit in zip(offsets, thresholds, strict=True) if u < limit), 0)
            assert site[j] == followed[j] == here
        sites[planes] = site
    assert len(set(sites[8].tolist())) > 60


def test_layout_of_a_box() -> None:
    """Cells there and back, values moved to a larger window, exits counted."""
    layout = Layout((3, 2), (-1, 5), (False, True), EXITS, (True, False, False, False, False))
    x, y = np.meshgrid(layout.along(0), layout.along(1), indexing="ij")
    cells = layout.index(x, y)
    assert all((a == b).all() for a, b in zip(layout.numbers(cells), (x, y), strict=True))
    assert (layout.index(0, 7) == layout.index(0, 5)) and layout.is_live(cells).all()
    raw = np.arange(layout.cells)
    np.testing.assert_array_equal(layout.live(raw), raw[cells])
    wide = Layout((6, 2), (-3, 5), (False, True), EXITS, (True, False, False, False, False))
    moved = layout.moved(raw, wide)
    np.testing.assert_array_equal(wide.live(moved)[2:5], layout.live(raw))
    np.testing.assert_array_equal(wide.gone(moved), layout.gone(raw))
    assert layout.absorbed(raw)[0] == 0 and layout.leaked(raw) == layout.gone(raw)[0] == raw[:4].sum()
    with pytest.raises(ValueError, match="are not all in"):
        wide.moved(moved, layout)
