"""The window of sites that holds all but a stated mass of a walk on an unbounded domain."""

from __future__ import annotations

import math

import numpy as np

from ..inputs.memory import require
from ..kernels.evolve import TINY, evolve
from ..model.coefficient import Coefficient, Floats
from ..model.start import MASS_BITS, start_masses
from ..model.walk import LatticeWalk
from .table import CHUNK, StepTable, probabilities

OF_A_COLUMN, OF_A_SITE = 150.0, 16.0  # bytes of a column while a table is made, and of any law or count of a site
LEAK = 1e-18  # mass that may leave the window of an exact law


def table_for(walk: LatticeWalk, steps: int, leak: float = LEAK) -> StepTable:
    """The step table of `walk` on the sites that hold all but a mass of `leak` during `steps` steps.

    A bounded domain is its own window. Probabilities must be valid only where there is mass; where they are not, the
    error names the place.
    """
    walk.warn_if_quick(steps * walk.dt)
    lattice = walk.lattice
    if lattice.first is not None and lattice.last is not None:
        first, last = lattice.first, lattice.last
    elif walk.homogeneous and lattice.first is None and lattice.last is None:
        first, last = _homogeneous_window(walk, steps, leak)
    else:
        first, last = _followed_window(walk, steps, leak)
    if last - first >= 2**31 - 8:
        raise ValueError(
            f"{last - first + 1} sites are more than the 2³¹ a walker's place is counted in: take a larger dx"
        )
    table = StepTable(walk, lattice, first, last - first + 1)
    require(
        OF_A_COLUMN * table.columns + OF_A_SITE * table.sites, f"a table of {table.sites} sites",
        "take a larger dx" if lattice.sites is None else "take a larger dx (fewer sites)",
    )  # fmt: skip
    return table


def start_mass(table: StepTable) -> tuple[Floats, Floats]:
    """The start on the table's layout: (mass of indices 0 … sites + 1, mass already on the left and right outer sites)."""
    first, whole = start_masses(table.walk.start, table.lattice)
    mass = np.zeros(table.sites + 2)
    index = np.arange(first, first + whole.size) - table.first
    np.add.at(mass, _settle(table, index) + 1, whole / 2.0**MASS_BITS)
    absorbed = mass[[0, -1]].copy()
    mass[[0, -1]] = 0.0
    return mass, absorbed


def start_index(table: StepTable) -> tuple[np.ndarray, np.ndarray]:
    """The start as (indices, masses in whole 2⁻⁵³), indices increasing and in the table's layout."""
    first, whole = start_masses(table.walk.start, table.lattice)
    index = _settle(table, np.arange(first, first + whole.size) - table.first) + 1
    masses = np.zeros(table.sites + 2, dtype=np.int64)
    np.add.at(masses, index, whole)
    kept = np.flatnonzero(masses)
    return kept.astype(np.int32), masses[kept]


def _settle(table: StepTable, index: np.ndarray) -> np.ndarray:
    """Places beyond a wall belong to the wall if it stands on a site, else to the site before it; on a ring they wrap."""
    if table.wrap:
        return index % table.sites
    on_site = {face.exit: face.wall.on_site for face in table.walk.domain.faces}
    low = -1 if table.left_wall and on_site["left"] else 0
    high = table.sites if table.right_wall and on_site["right"] else table.sites - 1
    return np.clip(index, low, high)


def start_range(walk: LatticeWalk) -> tuple[int, int]:
    """The numbers of the first and the last live site at which the walk may start."""
    lattice = walk.lattice
    first, whole = start_masses(walk.start, lattice)
    last = first + whole.size - 1
    first = first if lattice.first is None else max(first, lattice.first)
    last = last if lattice.last is None else min(last, lattice.last)
    return min(first, last), max(first, last)


def _homogeneous_window(walk: LatticeWalk, steps: int, leak: float) -> tuple[int, int]:
    """Bernstein's inequality for a sum of independent steps, at every step: P(|S - E S| ≥ d) ≤ 2 exp(-d²/2(V + 2d/3))."""
    first, last = start_range(walk)
    low, high, variance, mean = 0.0, 0.0, 0.0, 0.0
    for begin in range(0, steps, CHUNK) if walk.time_dependent else ():
        t = walk.dt * np.arange(begin, min(begin + CHUNK, steps))
        p, q = walk.right(0.0, t), walk.left(0.0, t)
        path = mean + np.cumsum(p - q)
        low, high, mean = min(low, float(path.min())), max(high, float(path.max())), float(path[-1])
        variance += float((p + q).sum())
    if not walk.time_dependent:
        p, q = walk.right(0.0), walk.left(0.0)
        low, high = min(0.0, float(p - q) * steps), max(0.0, float(p - q) * steps)
        variance = float(p + q) * steps
    level = math.log(2.0 * max(steps, 1) / leak)
    reach = 2.0 * level / 3.0 + math.sqrt((2.0 * level / 3.0) ** 2 + 2.0 * level * variance)
    return (
        max(math.floor(first + low - reach), first - steps),
        min(math.ceil(last + high + reach), last + steps),
    )


def _followed_window(walk: LatticeWalk, steps: int, leak: float) -> tuple[int, int]:
    """Follow the law itself and keep the places where it has been more than negligible.

    The law is advanced in short stretches on a table that just holds what the stretch can reach. After each step masses at its
    ends that are below their share of `leak` are dropped; the window is where there was mass after any step.
    """
    lattice = walk.lattice
    first, last = start_range(walk)
    lowest, highest = first, last
    mass, done, lost = None, 0, 0.0
    table: StepTable | None = None
    begins, ends = first, last
    drop = max(leak / (8.0 * steps + 8.0 * (last - first + 1)), TINY)  # each side reaches at most one new site a step
    while done < steps:
        stretch = min(steps - done, max(32, (last - first + 1) // 4))
        low = first - stretch if lattice.first is None else max(first - stretch, lattice.first)
        high = last + stretch if lattice.last is None else min(last + stretch, lattice.last)
        if table is None or walk.time_dependent or low < begins or high > ends:
            more = 0 if walk.time_dependent else stretch  # so that the next ones find a table
            begins = low - more if lattice.first is None else max(low - more, lattice.first)
            ends = high + more if lattice.last is None else min(high + more, lattice.last)
            times = done * walk.dt, (done + stretch - 1) * walk.dt
            begins, ends = _valid_part(walk, begins, ends, first, last, *times)
            table = StepTable(walk, lattice, begins, ends - begins + 1)
        low, high = begins, ends
        if mass is None:
            padded, _ = start_mass(table)
        else:
            padded = np.zeros(table.sites + 2)
            padded[first - low + 1 : last - low + 2] = mass
        out = np.zeros((stretch, 3))
        reach = np.array([max(first - low + 1, 1), last - low + 1] * 2)
        scratch = np.zeros_like(padded)
        for begin, end, thresholds in table.chunks(done, done + stretch):
            layout = (table.low, table.high, table.wrap)
            evolve(padded, scratch, end - begin, *probabilities(thresholds), *layout, reach, out[begin - done :], drop)
        lost += float(out[:, 0].sum()) * (not table.left_wall) + float(out[:, 1].sum()) * (not table.right_wall)
        if lost > leak:
            edge = low if out[:, 0].sum() > out[:, 1].sum() else high
            for t in times:
                walk.check(lattice.x([edge - 1, edge + 1]), t)
            raise ValueError(
                f"a mass of {lost:.3g} reaches x = {lattice.x(edge):.6g}, beyond which the walk is not valid: put a wall "
                "there, or give coefficients that go further"
            )
        lowest, highest = min(lowest, low + int(reach[2]) - 1), max(highest, low + int(reach[3]) - 1)
        if padded.sum() <= leak:
            break  # all absorbed or killed: nothing moves any more
        first, last = low + int(reach[0]) - 1, low + int(reach[1]) - 1
        mass = padded[reach[0] : reach[1] + 1]
        done += stretch
    return lowest, highest


def _valid_part(walk: LatticeWalk, low: int, high: int, first: int, last: int, *times: float) -> tuple[int, int]:
    """The part of [low, high] around [first, last] on which the probabilities are valid at the given times."""
    k = np.arange(low, high + 1)
    x = walk.lattice.x(k)
    good = np.ones(k.size, dtype=bool)
    for t in times:
        try:
            p, q, kappa = walk.right(x, t), walk.left(x, t), walk.killing_rate(x, t)
        except ValueError:  # a table that ends inside [low, high]
            values = [where_defined(c, x, t) for c in (walk.right, walk.left, walk.killing_rate)]
            p, q, kappa = values
        with np.errstate(invalid="ignore"):
            good &= (p >= -1e-15) & (q >= -1e-15) & (p + q <= 1.0 + 1e-15) & (kappa >= 0.0)
        walk.check(x[first - low : last - low + 1], t)  # where there is mass, validity is demanded
    bad = np.flatnonzero(~good)
    below, above = bad[bad < first - low], bad[bad > last - low]
    return (
        low + int(below[-1]) + 1 if below.size else low,
        low + int(above[0]) - 1 if above.size else high,
    )


def where_defined(coefficient: Coefficient, x: Floats, t: float) -> Floats:
    """The values of a coefficient, place by place; NaN beyond the end of a table."""
    values = np.full(x.size, np.nan)
    for i, place in enumerate(x):
        try:
            values[i] = coefficient(place, t)
        except ValueError:
            continue
    return values
