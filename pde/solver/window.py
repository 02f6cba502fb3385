"""The part of a domain in several dimensions that has cells: between its walls, and within the places that mass reaches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from randwalk.model.coefficient import Floats, coordinate

from ..equation import FokkerPlanck
from ..pace import Pace
from .fit import fitted
from .grid import Grid
from .mesh import Mesh
from .moments import few, linear_noise
from .schemes import SDIRK2, Clock, march
from .states import states
from .truncate import MARGIN, NEAR, find_window, widened

CELLS: Final = {2: 48, 3: 24}  # of the axis with the most, in a first look; 16 in more dimensions
STEPS: Final = 24
PASSES: Final = 24
SMEARED: Final = 5.0  # times what may leave, on a coarse mesh, which smears; what leaves in the end is watched
ROOM: Final = 1.05  # of the first guess, for what a coarse mesh smears
TIGHT: Final = 0.85  # a window of which less than this is used along an axis is tightened
ASPECT: Final = 8.0  # the most cells of an axis are at most so many times the fewest
LONGEST: Final = 64.0  # the same without time
BEYOND: Final = 0.06  # of the width of a region, by which the window is wider
SAMPLES: Final = 7  # places an axis at which a tensor is looked at
NEARLY: Final = 0.4  # of D/K: cells of the first look that are longer meet a wall that nearly absorbs
INSIDE: Final = 1.02  # by which spacings stay inside their limits
MOST_TURNS: Final = 4096  # in which lengths of cells become those that a tensor allows
SAME: Final = 1e-12  # of a length: a change so small is rounding


def find_mesh(equation: FokkerPlanck, times: Floats, leak: float) -> Mesh:
    """The window through whose cuts no more mass than `leak` leaves, each, by the last of the `times`, and the proportions of its
    cells.

    A first guess comes from the linear-noise approximation; solutions on a coarse mesh widen the window until it loses no
    more than `leak`, and tighten it to the cells that hold mass.
    """
    domain, until = equation.domain, float(times[-1])
    if domain.dimension == 1:
        return Mesh((find_window(equation, until, leak),), domain)
    pace = Pace.of(equation, until, {coordinate(a): ends for a, ends in enumerate(equation.start.bounds)})
    seen = few(times)
    found = linear_noise(equation, seen, pace, equation.start)
    narrowest, sufficient = found.narrowest(seen), None
    for a in np.flatnonzero(narrowest == 0.0):
        name = coordinate(int(a))
        raise ValueError(
            f"diffusion[{a}][{a}] = 0 along a path from {equation.start!r}, so its mass has no density along {name}; give the "
            f"start a factor Normal(mean, sd) along {name}, or diffusion[{a}][{a}] > 0"
        )
    guess = list(zip(*found.range(ROOM * math.sqrt(2.0 * math.log(1.0 / leak))), strict=True))
    window = _meshed(equation, [_cut(equation, a, *ends) for a, ends in enumerate(guess)], narrowest, until)
    for number in range(PASSES):
        if not window.cut.any():
            return window
        lost, used = _follow(equation, window, until, leak, pace)
        if (lost > SMEARED * leak).any():
            if sufficient is not None:
                return sufficient
            axes = _widened(window, lost, SMEARED * leak, min(0.25, MARGIN * 2**number)).axes
            axes = tuple(_cut(equation, a, g.low, g.high) for a, g in enumerate(axes))
            window = _meshed(equation, list(axes), narrowest, until)
            continue
        sufficient = window
        tight = [b - a <= TIGHT * (g.high - g.low) for (a, b), g in zip(used, window.axes, strict=True)]
        if not any(tight):
            return window
        axes = tuple(_cut(equation, a, *ends) if tight[a] else window.axes[a] for a, ends in enumerate(used))
        window = _meshed(equation, list(axes), narrowest, until)
    if sufficient is not None:
        return sufficient
    place = " × ".join(f"({g.low:.3g}, {g.high:.3g})" for g in window.axes)
    raise ValueError(
        f"the mass does not stay in any window until t = {until:g}: on {place} of {domain} more than {leak:.1g} still escapes; "
        "shorten times, raise the tolerance, or put walls"
    )


def whole(equation: FokkerPlanck, ends: Sequence[tuple[float, float]] | None = None) -> Mesh:
    """The mesh on all of a bounded domain, or between `ends`, with cells as long as D is large: near the ends of a long axis a
    function without time changes within the width of the short ones."""
    if ends is None:
        ends = [(2.0 * low - high, 2.0 * high - low) for low, high in equation.domain.bounds]
    axes = [_cut(equation, a, low, high) for a, (low, high) in enumerate(ends)]
    centre = tuple(np.array(0.5 * (g.low + g.high)) for g in axes)
    spread = np.sqrt(np.maximum(np.einsum("...ii->...i", equation.diffusion(centre, 0.0)), 0.0))
    finite = np.isfinite(spread)  # a hole may hide what is not
    spread = np.where(finite, spread, spread[finite].max(initial=0.0) or 1.0)
    return _meshed(equation, axes, spread / spread.max() * min(g.high - g.low for g in axes) / 8.0, 0.0, LONGEST)


def showing(mesh: Mesh, cells: int, most: int) -> int:
    """So many `cells` of the axis with the most, or more, that on twice as many no ball is missed.

    Raises
    ------
    ValueError
        where those are more than `most` cells in all.
    """
    if 2.0 * cells * mesh.smallest_ball >= 1.0:
        return cells
    needed = 2 * math.ceil(0.25 / mesh.smallest_ball) + 1  # odd, so that proportions are kept
    if math.prod(mesh.with_cells(2 * needed).shape) > most:
        raise ValueError(
            f"{mesh.domain}: its smallest ball is not seen on fewer than {2 * needed} cells along an axis, which are more than "
            f"{most} in all: take a larger ball, or a smaller domain"
        )
    return needed


def wider_mesh(equation: FokkerPlanck, mesh: Mesh, lost: Floats, leak: float, until: float) -> Mesh:
    """The mesh with each cut that lost more than `leak` (of what was `lost` by each exit) moved out a little."""
    if mesh.dimension > 1:
        return _widened(mesh, lost, leak, MARGIN)
    return replace(mesh, axes=(fitted(equation, widened(mesh.axes[0], lost, leak, MARGIN), until),))


def _widened(mesh: Mesh, lost: Floats, leak: float, share: float) -> Mesh:
    """The mesh with each cut that lost more than `leak` moved out by `share` of the width."""
    ends = []
    for a, grid in enumerate(mesh.axes):
        out = [share * (grid.high - grid.low) * (lost[2 * a + side] > leak) for side in (0, 1)]
        ends.append((grid.low - out[0], grid.high + out[1]))
    return mesh.with_ends(ends)


def _cut(equation: FokkerPlanck, axis: int, low: float, high: float) -> Grid:
    """The cells of an axis on [low, high], which ends at a wall that is passed or near."""
    line, bounds = equation.domain.axes[axis], equation.domain.bounds[axis]
    if line.periodic:
        return Grid(line.low, line.high, 1, periodic=True)
    if bounds != (line.low, line.high):  # a region bounds it
        more = BEYOND * (bounds[1] - bounds[0])
        bounds = bounds[0] - more, bounds[1] + more
        low, high = max(low, bounds[0]), min(high, bounds[1])
    near = NEAR * (high - low)
    left, right = low - near <= line.low, high + near >= line.high
    return Grid(
        line.low if left else low, line.high if right else high, 1,
        line.left if left else None, line.right if right else None,
    )  # fmt: skip


def _meshed(equation: FokkerPlanck, axes: list[Grid], narrowest: Floats, until: float, aspect: float = ASPECT) -> Mesh:
    """The mesh between the ends of `axes` whose cells are so long, relative to one another, as the law is narrow, as far as D
    and the most cells of an axis over the fewest, `aspect`, allow."""
    widths = np.array([g.high - g.low for g in axes])
    lengths = np.minimum(np.where(narrowest > 0.0, narrowest, widths), 0.5 * widths)
    counts = widths / lengths
    lengths = widths / np.maximum(counts, counts.max() / aspect)
    ties = _ties(equation, axes, until)
    allowed = tuple(_allowed(ties, lengths).tolist())
    mesh = Mesh(tuple(axes), equation.domain, allowed, ties).with_cells(CELLS.get(len(axes), 16))
    return replace(mesh, crossed=crossed(equation, mesh))


def crossed(equation: FokkerPlanck, mesh: Mesh) -> tuple[int, ...]:
    """The regions with a wall that nearly absorbs: the density that it would leave behind it, in the centre of a cell that it
    cuts, is negative, since it changes as much as itself within D/K of a wall with the reactivity K. D is the least of an axis
    where it is looked at."""
    domain = equation.domain
    if not any(0.0 < region.wall.reactivity < math.inf for region in domain.regions):
        return ()
    places = np.meshgrid(*(np.linspace(g.low, g.high, SAMPLES) for g in mesh.axes), indexing="ij")
    inside = domain.contains(tuple(places))
    spread = np.einsum("...ii->...i", equation.diffusion(tuple(x[inside] for x in places), 0.0))
    least, longest = float(np.min(spread, initial=math.inf)), max(mesh.spacings)
    return tuple(
        number for number, region in enumerate(domain.regions) if longest * region.wall.reactivity > NEARLY * least
    )


def _ties(equation: FokkerPlanck, axes: list[Grid], until: float) -> Floats | None:
    """|D_ij|/D_ii where D is looked at, without repeats, (places, axes, axes); None where D is diagonal."""
    diffusion = equation.diffusion
    if diffusion.diagonal:
        return None
    places = np.meshgrid(*(np.linspace(g.low, g.high, SAMPLES) for g in axes), indexing="ij")
    inside = equation.domain.contains(tuple(places))
    point = tuple(x[inside] for x in places)
    sizes = np.abs(np.concatenate([diffusion(point, t) for t in (0.0, 0.5 * until, until)]))
    sizes = np.unique(sizes.reshape(-1, *(len(axes),) * 2), axis=0)
    own = np.einsum("pii->pi", sizes)[:, :, None]
    ties = np.divide(sizes, own, out=np.zeros_like(sizes), where=own > 0.0)
    return np.where(np.eye(len(axes)) > 0.0, 0.0, ties)


def _allowed(ties: Floats | None, lengths: Floats) -> Floats:
    """The longest lengths of cells, no longer than those given, for which a tensor with such `ties` has directions with rates
    that are not negative; those given where there are none.

    Of 1/h that are no less than some and 1/h_i ≥ Σ_j |D_ij|/D_ii/h_j there are least ones, to which the right-hand side, taken
    again and again, grows."""
    if ties is None:
        return lengths
    for inside in (INSIDE, 1.0):
        least = 1.0 / lengths
        for _ in range(MOST_TURNS):
            more = np.maximum(least, inside * (ties @ least).max(axis=0))
            if (more <= least * (1.0 + SAME)).all():
                return np.asarray(1.0 / least)
            least = more
    return lengths


def _follow(
    equation: FokkerPlanck, mesh: Mesh, until: float, leak: float, pace: Pace
) -> tuple[Floats, list[tuple[float, float]]]:
    """(mass lost through the cuts, for each axis the ends outside which less than a tenth of `leak` has ever been)."""
    below = [np.zeros(g.cells + 1) for g in mesh.axes]
    above = [np.zeros(g.cells + 1) for g in mesh.axes]
    clock = Clock.equal(np.array([until]), until / STEPS, pace)
    of = states(equation, mesh)
    gone = [of.gone(of.start)]
    for _, _, state in march(SDIRK2(), of.parts, of.start, clock, 0.0):
        gone.append(of.gone(state))
        cells = of.masses(state)
        for a in range(mesh.dimension):
            mass = cells.sum(axis=tuple(b for b in range(mesh.dimension) if b != a))
            below[a][1:] = np.maximum(below[a][1:], np.cumsum(mass))
            above[a][:-1] = np.maximum(above[a][:-1], np.cumsum(mass[::-1])[::-1])
    used = []
    for a, grid in enumerate(mesh.axes):
        low = grid.low if grid.left is not None else grid.edges[np.flatnonzero(below[a] <= 0.1 * leak)[-1]]
        high = grid.high if grid.right is not None else grid.edges[np.flatnonzero(above[a] <= 0.1 * leak)[0]]
        used.append((float(low), float(high)))
    return np.where(mesh.cut, of.left(np.array(gone))[-1], 0.0), used
