"""The workloads in the plane and in space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, prange

import randwalk as rw

from .measure import Goal, Limits, Work, Workload

STEPS = 1000
FAIR = {2: ("right", "left", "up", "down"), 3: ("right", "left", "up", "down", "front", "back")}
WALL = rw.Reflecting()


def simple(dimension: int) -> rw.LatticeWalk:
    """The simple random walk on all of the square or the cubic lattice."""
    steps = dict.fromkeys(FAIR[dimension], 0.5 / dimension)
    return rw.LatticeWalk(**steps, dx=1.0, dt=1.0, domain=rw.Line() ** dimension)


def uneven(side: int) -> rw.LatticeWalk:
    """Six constant probabilities on side³ sites between reflecting walls; walkers begin everywhere."""
    steps = dict(zip(FAIR[3], (0.15, 0.2, 0.1, 0.15, 0.2, 0.1), strict=True))
    return rw.LatticeWalk(**steps, dx=1.0, dt=1.0, domain=rw.Interval(0, side, WALL, WALL) ** 3, start=rw.Everywhere())


def swirl(side: int, holes: bool = False) -> rw.LatticeWalk:
    """p(x, y) on side × side sites between reflecting walls, with discs taken out if `holes`; walkers begin everywhere."""
    domain: Any = rw.Interval(0, side, WALL, WALL) ** 2
    if holes:
        for x in range(20, side, 40):
            for y in range(20, side, 40):
                domain = domain.without(rw.Ball((float(x), float(y)), 6.0), name=f"disc {x}, {y}")
    q = f"0.1*tanh((x - {side // 2})/50)*cos(y/40)"
    return rw.LatticeWalk(
        right=rw.expression(f"0.25 - {q}"), left=rw.expression(f"0.25 + {q}"), up=0.25, down=0.25, dx=1.0, dt=1.0,
        domain=domain, start=rw.Everywhere(),
    )  # fmt: skip


def tabulated(walk: rw.LatticeWalk) -> np.ndarray:
    """The cumulative probabilities of the four steps on every site, shape (4, side, side)."""
    x, y = np.meshgrid(
        *(lattice.x(np.arange(lattice.first, lattice.last + 1)) for lattice in walk.lattices), indexing="ij"
    )
    chances = np.array([np.broadcast_to(p((x, y), 0.0), x.shape) for p in walk.probabilities.values()])
    chances[0, -1] = chances[1, 0] = chances[2, :, -1] = chances[3, :, 0] = 0.0
    return chances.cumsum(axis=0)


@njit(parallel=True)
def _walk(walkers: int, steps: int, table: np.ndarray) -> np.ndarray:
    out = np.empty(walkers, np.int64)
    for walker in prange(walkers):
        i, j = np.random.randint(table.shape[1]), np.random.randint(table.shape[2])  # noqa: NPY002
        for _ in range(steps):
            u = np.random.random()  # noqa: NPY002  (the generator of Numba)
            if u < table[0, i, j]:
                i += 1
            elif u < table[1, i, j]:
                i -= 1
            elif u < table[2, i, j]:
                j += 1
            elif u < table[3, i, j]:
                j -= 1
        out[walker] = i + j
    return out


@njit(parallel=True)
def _simple(walkers: int, steps: int, dimension: int) -> np.ndarray:
    out = np.empty((walkers, dimension), np.int64)
    for walker in prange(walkers):
        for axis in range(dimension):
            out[walker, axis] = 0
        for _ in range(steps):
            way = int(np.random.random() * 2 * dimension)  # noqa: NPY002
            out[walker, way >> 1] += 1 - 2 * (way & 1)
    return out


def numpy_occupation(rng: np.random.Generator, table: np.ndarray, steps: int) -> Work:
    """A multinomial splitting of site counts by vectorised binomials."""
    taken = np.diff(table, axis=0, prepend=0.0)
    odds = np.divide(taken, 1.0 - np.concatenate([np.zeros((1, *table.shape[1:])), table[:-1]]))
    odds = np.clip(np.nan_to_num(odds), 0.0, 1.0)

    def work() -> float:
        counts = np.full(table.shape[1:], 10**12 // table[0].size)
        for _ in range(steps):
            moved = []
            for chance in odds:
                moved.append(rng.binomial(counts, chance))
                counts -= moved[-1]
            for come, axis, shift in zip(moved, (0, 0, 1, 1), (1, -1, 1, -1), strict=True):
                counts += np.roll(come, shift, axis)
        return float(table[0].size) * steps

    return work


def workloads(size: float, threads: int, limit: Limits) -> list[Workload]:
    """All workloads in the plane and in space, at `size` times their full size."""
    walkers, rng = int(1_000_000 * size), np.random.default_rng(1)
    few = max(1000, walkers // 20)

    def paths(walk: rw.LatticeWalk, number: int) -> Work:
        def work() -> float:
            rw.simulate(walk, number, [float(STEPS)], seed=1, method="paths", threads=threads)
            return float(number) * STEPS

        return work

    def naive(function: Callable[..., np.ndarray], *arguments: Any) -> Work:
        def work() -> float:
            function(few, STEPS, *arguments)
            return float(few) * STEPS

        return work

    small = swirl(128)
    table, times = tabulated(small), 200

    def occupy() -> float:
        rw.simulate(small, 10**12, [float(times)], seed=1, method="occupation", threads=threads)
        return float(table[0].size) * times

    tiny, cube = swirl(40), uneven(20)

    def law() -> float:
        rw.pde.exact_law(tiny, [5.0 * STEPS])
        return 8.0 * 7 * 40**2 * 5 * STEPS  # bytes: mass in and out, five tables

    def law_of_cube() -> float:
        rw.pde.exact_law(cube, [float(STEPS)])
        return 8.0 * 9 * 20**3 * STEPS  # bytes: mass in and out, seven tables, of which most cells share one

    rows = [
        Workload(
            f"simple walk in {name}", "steps",
            {"randwalk": paths(simple(dimension), 4 * walkers), "naive Numba": naive(_simple, dimension)},
            limits, (Goal(0.75, next(iter(limits), "C++")), Goal(10.0, "naive Numba")),
        )
        for name, dimension, limits in (
            ("the plane", 2, limit("C++", "plane")), ("space", 3, limit("Philox words × 8", "words", 8.0)),
        )
    ]  # fmt: skip
    for side in (256, 1024):
        walk = swirl(side)
        rows.append(
            Workload(
                f"p(x, y) on {side} × {side} sites", "steps",
                {
                    "randwalk": paths(walk, walkers),
                    "with obstacles": paths(swirl(side, holes=True), walkers),
                    "naive Numba": naive(_walk, tabulated(walk)),
                },
                limit("C++ look-ups", f"square-{side}"),
                (Goal(0.6, "C++ look-ups"), Goal(10.0, "naive Numba"), Goal(0.8, "randwalk", "with obstacles")),
            )
        )  # fmt: skip
    rows += [
        Workload(
            "occupation, 128 × 128 sites, 10¹² walkers", "site steps",
            {"randwalk": occupy, "NumPy binomial": numpy_occupation(rng, table, max(3, int(20 * size)))},
            {}, (Goal(4.0, "NumPy binomial"),),
        ),
        Workload("exact law, 40 × 40 sites", "bytes", {"randwalk": law}, limit("copy", "copy"), (Goal(0.5, "copy"),)),
        Workload(
            "exact law, 20 × 20 × 20 sites, constant probabilities", "bytes", {"randwalk": law_of_cube},
            limit("copy", "copy"), (Goal(0.5, "copy"),),
        ),
    ]  # fmt: skip
    return rows
