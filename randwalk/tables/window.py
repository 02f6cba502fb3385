"""The window of sites that holds all but a stated mass of a walk on an unbounded domain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..inputs.memory import require
from ..kernels.evolve import TINY, evolve
from ..model.coefficient import Coefficient, Floats
from ..model.lattice import MOST_SITES
from ..model.sites import site_masses
from ..model.start import MASS_BITS, whole_masses
from ..model.walk import LatticeWalk
from .layout import Numbers
from .table import CHUNK, StepTable

OF_A_THRESHOLD = 50.0  # bytes of each of the thresholds of a column while a table is made
OF_A_SITE = 24.0  # bytes of a law or count of a site and its cell
LEAK = 1e-18  # mass that may leave the window of an exact law

Ends: TypeAlias = Sequence[tuple[int, int]]  # of each axis the numbers of the first and the last site


def table_for(walk: LatticeWalk, steps: int, leak: float = LEAK) -> StepTable:
    """The step table of `walk` on the sites that hold all but a mass of `leak` during `steps` steps.

    A bounded domain is its own window. Probabilities must be valid only where there is mass; where they are not, the
    error names the place.
    """
    walk.warn_if_quick(steps * walk.dt)
    lattice = walk.lattice
    if lattice.first is not None and lattice.last is not None:
        ends = lattice.first, lattice.last
    elif walk.homogeneous and lattice.first is None and lattice.last is None:
        ends = _homogeneous_window(walk, steps, leak)
    else:
        ends = _followed_window(walk, steps, leak)
    return table_on(walk, [ends])


def table_on(walk: LatticeWalk, ends: Ends) -> StepTable:
    """The step table of `walk` on the sites between the lattice numbers `ends`, (first, last) of each axis; refused if it cannot be
    held."""
    window = tuple((first, last - first + 1) for first, last in ends)
    sites = math.prod(count for _, count in window)
    if math.prod(count + 2 for _, count in window) >= MOST_SITES + 2:  # a walker's place has 32 bits
        raise ValueError(f"{sites} sites are more than the 2³¹ a walker's place is counted in: take a larger dx")
    of_columns = OF_A_THRESHOLD * (len(walk.probabilities) + 1) * (not walk.homogeneous) + OF_A_SITE
    require(
        of_columns * sites, f"a table of {sites} sites",
        "take a larger dx (fewer sites)" if all(lattice.sites for lattice in walk.lattices) else "take a larger dx",
    )  # fmt: skip
    return StepTable(walk, window)


def start_mass(table: StepTable) -> tuple[Floats, Floats]:
    """The start as (mass of every cell, with none at the exits, mass that begins at each exit)."""
    cells, masses = start_cells(table)
    mass = table.layout.empty(dtype=np.float64)
    mass[cells] = masses
    gone = table.layout.gone(mass)
    mass[cells[~table.layout.is_live(cells)]] = 0.0
    return mass, gone


def start_cells(table: StepTable) -> tuple[Numbers, Floats]:
    """The start as (cells, masses): the products of the parts."""
    cells, masses = np.zeros(1, dtype=np.int64), np.ones(1)
    for some, whole in start_parts(table):
        cells = np.add.outer(cells, some).reshape(-1)
        masses = np.multiply.outer(masses, whole / 2.0**MASS_BITS).reshape(-1)
    return cells, masses


def start_index(table: StepTable) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The start as one part: (cells, increasing, masses in whole 2⁻⁵³). The products of several parts are rounded once more."""
    parts = start_parts(table)
    if len(parts) == 1:
        return parts[0]
    cells, masses = start_cells(table)
    whole = whole_masses(masses)
    kept = np.flatnonzero(whole)
    return cells[kept].astype(np.int32), whole[kept]


def start_parts(table: StepTable) -> tuple[tuple[NDArray[np.int32], NDArray[np.int64]], ...]:
    """The start as independent parts, each (numbers of cells, increasing, masses in whole 2⁻⁵³): one for each axis, of which the
    numbers add up to that of a cell, or one for all axes, whose numbers are those of cells."""
    layout, parts = table.layout, []
    for axes, numbers, masses in site_masses(table.walk.start, table.lattices, table.walk.domain):
        places = (
            (k - layout.first[axis] + 1) * layout.strides[axis] for axis, k in zip(axes, numbers, strict=True)
        )
        cells, which = np.unique(sum(places), return_inverse=True)
        total = np.zeros(cells.size, dtype=np.int64)
        np.add.at(total, which, masses)
        kept = np.flatnonzero(total)
        parts.append((cells[kept].astype(np.int32), total[kept]))
    return tuple(parts)


def start_range(walk: LatticeWalk) -> Ends:
    """For each axis the numbers of the first and the last live site at which the walk may start."""
    ends = {}
    for axes, numbers, _ in site_masses(walk.start, walk.lattices, walk.domain):
        for axis, k in zip(axes, numbers, strict=True):
            lattice = walk.lattices[axis]
            first, last = int(k.min()), int(k.max())
            first = first if lattice.first is None else max(first, lattice.first)
            last = last if lattice.last is None else min(last, lattice.last)
            ends[axis] = min(first, last), max(first, last)
    return tuple(ends[axis] for axis in range(len(walk.lattices)))


def _homogeneous_window(walk: LatticeWalk, steps: int, leak: float) -> tuple[int, int]:
    """Bernstein's inequality for a sum of independent steps, at every step: P(|S - E S| ≥ d) ≤ 2 exp(-d²/2(V + 2d/3))."""
    ((first, last),) = start_range(walk)
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
    ((first, last),) = start_range(walk)
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
            table = StepTable(walk, ((begins, ends - begins + 1),))
        layout = table.layout
        if mass is None:
            padded, _ = start_mass(table)
        else:
            padded = layout.empty(dtype=np.float64)
            cell = int(layout.index(first))
            padded[cell : cell + mass.size] = mass
        out = np.zeros((stretch, len(layout.exits)))
        reach = layout.index([max(first, begins), last] * 2)
        for begin, end, program in table.chunks(done, done + stretch):
            evolve(padded, program, end - begin, reach, out[begin - done :], drop)
        left = out.sum(axis=0)
        lost += float(left[list(layout.edges)].sum())
        if lost > leak:
            edge = begins if left[0] > left[1] else ends
            for t in times:
                walk.check(lattice.x([edge - 1, edge + 1]), t)
            raise ValueError(
                f"a mass of {lost:.3g} reaches x = {lattice.x(edge):.6g}, beyond which the walk is not valid: put a wall "
                "there, or give coefficients that go further"
            )
        (reached,) = layout.numbers(reach)
        lowest, highest = min(lowest, int(reached[2])), max(highest, int(reached[3]))
        if padded.sum() <= leak:
            break  # all absorbed or killed: nothing moves any more
        first, last = int(reached[0]), int(reached[1])
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


def where_defined(coefficient: Coefficient, point: Any, t: float) -> Floats:
    """The values of a coefficient, place by place; NaN beyond the end of a table."""
    places = list(zip(*map(np.ravel, point), strict=True)) if isinstance(point, tuple) else np.ravel(point)
    values = np.full(len(places), np.nan)
    for i, place in enumerate(places):
        try:
            values[i] = coefficient(place, t)
        except ValueError:
            continue
    return values
