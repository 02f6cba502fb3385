"""The workloads in the plane and in space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numba import njit, prange

import randwalk as rw

from .measure import ATTEMPTS, Goal, Limits, Rate, Work, Workload
from .setting import Setting

STEPS = 1000
FAIR = {2: ("right", "left", "up", "down"), 3: ("right", "left", "up", "down", "front", "back")}
WALL = rw.Reflecting()
PLANE = {"C++": "plane", "C++, blocks in turn": "plane-ahead"}
# Eight digits of a step in space leave five steps in 256 undecided, for which the walk draws a fifth block. The first two
# programs leave them so.
SPACE = {
    "C++": "space", "C++, blocks in turn": "space-ahead",
    "C++, every step decided": "space-settled", "C++, every step decided, blocks in turn": "space-settled-ahead",
}  # fmt: skip


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


def naively(setting: Setting, function: Callable[..., np.ndarray], *arguments: Any) -> Work:
    """A few walkers by one of the plain functions."""

    def work() -> float:
        function(setting.few, STEPS, *arguments)
        return float(setting.few) * STEPS

    return work


def workloads(size: float, threads: int, limit: Limits) -> list[Workload]:
    """All workloads in the plane and in space, at `size` times their full size."""
    setting = Setting(size, threads, limit)
    return [
        simply(setting, "the plane", 2, PLANE), simply(setting, "space", 3, SPACE),
        from_table(setting, 256), from_table(setting, 1024), occupation(setting),
        law("40 × 40 sites", swirl(40), 5 * STEPS, 7, limit),  # mass in and out, five tables
        # mass in and out, seven tables, of which most cells share one
        law("20 × 20 × 20 sites, constant probabilities", uneven(20), STEPS, 9, limit),
    ]  # fmt: skip


def simply(setting: Setting, where: str, dimension: int, programs: Mapping[str, str]) -> Workload:
    """The simple walk, beside C++ programs. The last one draws all the digits that it draws, and ends at the same places."""
    limits: dict[str, Rate] = {}
    for row, kernel in programs.items():
        limits |= setting.limit(row, kernel)
    return Workload(
        f"simple walk in {where}", "steps",
        {
            "randwalk": setting.simulated(simple(dimension), 4 * setting.walkers, float(STEPS), "paths"),
            "naive Numba": naively(setting, _simple, dimension),
        },
        limits, (Goal(0.75, list(programs)[-1]), Goal(10.0, "naive Numba")),
    )  # fmt: skip


def from_table(setting: Setting, side: int) -> Workload:
    walk = swirl(side)
    return Workload(
        f"p(x, y) on {side} × {side} sites", "steps",
        {
            "randwalk": setting.simulated(walk, setting.walkers, float(STEPS), "paths"),
            "with obstacles": setting.simulated(swirl(side, holes=True), setting.walkers, float(STEPS), "paths"),
            "naive Numba": naively(setting, _walk, tabulated(walk)),
        },
        setting.limit("C++ look-ups", f"square-{side}"),
        (Goal(0.6, "C++ look-ups"), Goal(10.0, "naive Numba"), Goal(0.8, "randwalk", "with obstacles")),
    )  # fmt: skip


def occupation(setting: Setting) -> Workload:
    walk, steps = swirl(128), 200
    table = tabulated(walk)

    def occupy() -> float:
        rw.simulate(walk, 10**12, [float(steps)], seed=1, method="occupation", threads=setting.threads)
        return float(table[0].size) * steps

    by_numpy = numpy_occupation(np.random.default_rng(1), table, max(3, int(20 * setting.size)))
    return Workload(
        "occupation, 128 × 128 sites, 10¹² walkers", "site steps", {"randwalk": occupy, "NumPy binomial": by_numpy},
        setting.limit("C++ attempts", "attempts", 1.0 / (3 * ATTEMPTS)), (Goal(4.0, "NumPy binomial"),),
    )  # fmt: skip


def law(name: str, walk: rw.LatticeWalk, steps: int, moved: int, limit: Limits) -> Workload:
    """An exact law, of which each step moves so many numbers a site."""
    sites = np.prod([lattice.sites for lattice in walk.lattices])

    def work() -> float:
        rw.pde.exact_law(walk, [float(steps)])
        return 8.0 * moved * float(sites) * steps  # bytes

    return Workload(f"exact law, {name}", "bytes", {"randwalk": work}, limit("copy", "copy"), (Goal(0.5, "copy"),))
