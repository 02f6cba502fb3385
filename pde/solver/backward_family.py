"""Backward problems in time, as a family of solutions on finer and finer meshes: the transpose of the forward steps, from the end
to the start."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from randwalk.model.coefficient import Coefficient, Floats
from randwalk.terminal.progress import Stages, told, unseen

from ..equation import FokkerPlanck
from ..pace import PILOT_STEPS
from .arguments import check_memory, fits
from .backward_solution import BackwardSolution
from .chains import INNER
from .effort import effort, factor_bytes
from .grid import Grid
from .ladder import SMALLEST, Found
from .levels import on
from .mesh import Mesh
from .needs import Needs
from .refine import check_third_level, refined
from .schemes import ROUNDING, SDIRK2, Clock, march
from .shares import local_means
from .splines import means, through_centres
from .stencil import Stencil
from .together import operator_of

AT_START: Final = 1e-9  # of all of the time: when coefficients are read that may jump at 0
AROUND: Final = 5  # cells, of the coarser of two meshes
SAMPLES: Final = {1: 32, 2: 8, 3: 4}  # of the payoff along each axis of a cell; 2 in more dimensions

Ranges: TypeAlias = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Level:
    """A solution on one mesh; `redone` where steps were made again to keep the sign."""

    solution: BackwardSolution
    redone: bool


@dataclass(frozen=True)
class Backward:
    """The backward problems of an equation on the window of a mesh, as a family that :func:`refined` climbs.

    `paid` is paid on leaving by exits, and the errors in the range of starts that is `asked` for count. Each solution is one of
    the `stages`.
    """

    equation: FokkerPlanck
    mesh: Mesh
    payoff: Coefficient
    paid: Mapping[str, float]
    time: float
    asked: Ranges
    stages: Stages = unseen

    def solved(self, needs: Needs, pilot: int, tolerance: float) -> Iterator[BackwardSolution]:
        """The solutions of all levels, up to a tolerance relative to the largest value on `pilot` cells."""
        check_third_level(self, needs)
        first = self.run(pilot, needs.clock(PILOT_STEPS)).solution
        size = np.where(_within(first.mesh, self.asked), np.abs(first.u), 0.0)
        for found in refined(self, needs, tolerance, max(float(np.nanmax(size)), SMALLEST)):
            yield self._judged(found)

    def _judged(self, found: Found[Level]) -> BackwardSolution:
        """The solution with its errors."""
        solution, error = found.solution.solution, float(found.errors.max())
        if self.mesh.dimension == 1:
            return solution.judged(error)
        fine, coarse = found.fine.solution, found.coarse.solution
        wrong = around(np.nan_to_num(np.abs(means(fine.u, fine.mesh, coarse.mesh) - coarse.u)))
        return solution.judged(error, np.where(_within(solution.mesh, self.asked), error, np.maximum(wrong, error)))

    @property
    def smooth(self) -> bool:
        """Not at the walls of regions."""
        return not self.mesh.domain.regions

    def effort(self, cells: int, clock: Clock) -> float:
        return effort(self.equation, self.mesh.with_cells(cells), clock)

    def fits(self, cells: int) -> bool:
        mesh = self.mesh.with_cells(cells)
        return fits(mesh.shape, SAMPLES[1] if mesh.dimension == 1 else 1, factor_bytes(self.equation, mesh))

    def begun(self, cells: int, clock: Clock) -> Clock:
        """With steps half as long, if these would have to be made again to keep the sign, which costs their order, so that the
        first extrapolation says nothing, and those not."""
        shorter = clock.refined(2)
        again = self.mesh.dimension > 1 and self.run(cells, clock).redone and not self.run(cells, shorter).redone
        return shorter if again else clock

    def run(self, cells: int, clock: Clock) -> Level:
        mesh, time = self.mesh.with_cells(cells), self.time
        one = mesh.dimension == 1
        check_memory(mesh.shape, SAMPLES[1] if one else 1, factor_bytes(self.equation, mesh))
        stencil = Stencil(self.equation, mesh.axes[0]) if one else None
        backward = [stencil.backward] if stencil else operator_of(self.equation, mesh).backward
        parts, final = [_reversed(apply, time) for apply in backward], self._final(mesh)

        def last(floor: float) -> Floats:
            steps = march(SDIRK2(), parts, final, clock, floor)
            ((_, _, state),) = deque(told(steps, self.stages(on(mesh.shape), clock.steps)), maxlen=1)
            return state

        state, floor = last(-math.inf), min(float(final.min()), 0.0)
        redone = bool(state.min() < floor - ROUNDING * np.abs(state).max())
        state = last(floor) if redone else state
        u = state[INNER] if one else np.where(mesh.live, mesh.inner(state), math.nan)
        joints = stencil.at_joints(AT_START * time, state) if stencil else np.empty(0)
        solution = BackwardSolution.of(self.equation, mesh, u, joints, self.asked, "E[f(X_T) | X_0 = x]")
        return Level(solution, redone)

    def _final(self, mesh: Mesh) -> Floats:
        """The state at the end: the payoff, what is paid where walkers rest that have left, and past a cut the payoff again."""
        if mesh.dimension == 1:
            mean = local_means(self.equation, mesh.axes[0], samples(self.payoff, mesh.axes[0], self.time))
        else:
            mean = _cell_means(self.payoff, mesh, self.time)
        drained = [self.paid.get(mesh.exits[exit], 0.0) for exit in mesh.drains]
        final = np.append(np.pad(mean, 1, mode="edge").ravel(), drained)
        for exit, cells in mesh.resting:
            if not mesh.cut[exit]:
                final[cells] = self.paid.get(mesh.exits[exit], 0.0)
        return final

    def difference(self, fine: Level, coarse: Level) -> Floats:
        """The largest difference in the range of starts that is asked for."""
        one, other = fine.solution, coarse.solution
        if self.mesh.dimension == 1:
            return np.array([line_difference(one, other)])
        wrong = np.abs(means(one.u, one.mesh, other.mesh) - other.u)
        return np.array([np.nanmax(np.where(_within(other.mesh, self.asked), wrong, 0.0))])

    def extrapolated(self, fine: Level, coarse: Level) -> Level:
        """As :func:`extrapolated`, where no region is."""
        if not self.smooth:
            return fine
        return Level(extrapolated(fine.solution, coarse.solution), fine.redone or coarse.redone)

    def irregular(self, fine: Level, coarse: Level) -> Floats:
        """None: what a range of starts is worth has an expansion."""
        return np.zeros(1)

    def met(self, coarse: Level) -> Floats:
        return np.array([0.0 if self.smooth else 1.0])

    def usable(self, level: Level) -> bool:
        """Whether all steps were those of the scheme, and no region lowers the order. Values may have any sign."""
        return not level.redone and self.smooth


def extrapolated(fine: BackwardSolution, coarse: BackwardSolution) -> BackwardSolution:
    """(4 fine - coarse)/3 at the cells of `fine`, from a third of the differences at those of `coarse`, by a cubic spline."""
    if fine.mesh.dimension == 1:
        places: tuple[Floats, ...] = (fine.x,)
        here = fine.curve((coarse.x,))
    else:
        places = tuple(np.meshgrid(*fine.x, indexing="ij"))
        here = means(fine.u, fine.mesh, coarse.mesh)
    joints = (fine.joints - coarse.joints) / 3.0
    more = through_centres(coarse.mesh, (here - coarse.u) / 3.0, joints)
    return replace(fine, u=fine.u + more(places), joints=fine.joints + joints)


def around(wrong: Floats) -> Floats:
    """At the cells of a mesh the largest error around, of those at the cells of the mesh with half as many: a difference passes
    through 0 where its sign changes."""
    wrong = ndimage.maximum_filter(wrong, AROUND)
    for a in range(wrong.ndim):
        wrong = np.repeat(wrong, 2, axis=a)
    return wrong


def line_difference(fine: BackwardSolution, coarse: BackwardSolution) -> float:
    """The largest difference in one dimension at the cells of `coarse` in (or next to) the range that is asked for, or between
    them, at the cells of `fine` in it, where a layer that `coarse` does not resolve shows."""
    (low, high), x = fine.asked, coarse.x
    here = _within(coarse.mesh, fine.ranges)
    there = (fine.x >= low) & (fine.x <= high)
    at_cells = np.abs(fine.curve((x[here],)) - coarse.u[here]).max()
    return float(max(at_cells, np.abs(coarse.curve((fine.x[there],)) - fine.u[there]).max(initial=0.0)))


def _reversed(apply: Callable[[float, float, Floats], Floats], time: float) -> Callable[[float, float, Floats], Floats]:
    return lambda tau, elapsed, u: apply(tau, time - elapsed, u)


def _within(mesh: Mesh, asked: Ranges) -> NDArray[np.bool_]:
    """The cells in, or next to, the range that is asked for."""
    inside: NDArray[np.bool_] = np.ones(mesh.shape, dtype=bool)
    for a, (grid, (low, high)) in enumerate(zip(mesh.axes, asked, strict=True)):
        here = (grid.x >= low - grid.widths) & (grid.x <= high + grid.widths)
        inside &= here.reshape([-1 if b == a else 1 for b in range(mesh.dimension)])
    return inside


def _cell_means(payoff: Coefficient, mesh: Mesh, time: float) -> Floats:
    """The means of the payoff over the cells."""
    count = SAMPLES.get(mesh.dimension, 2)
    total: Any = np.zeros(mesh.shape)
    parts = (np.arange(count) + 0.5) / count - 0.5
    for shift in np.stack(np.meshgrid(*(parts,) * mesh.dimension), axis=-1).reshape(-1, mesh.dimension):
        point = tuple(x + s * h for x, s, h in zip(mesh.centres, shift, mesh.spacings, strict=True))
        total = total + payoff(point, time)
    if not np.isfinite(total[mesh.live]).all():
        raise ValueError("payoff is not a finite number everywhere: give one that is")
    return np.where(mesh.live, total / count**mesh.dimension, 0.0)


def samples(payoff: Coefficient, grid: Grid, time: float) -> Iterator[tuple[Floats, Floats, Floats]]:
    """(places, lengths, values) of the payoff in parts of every cell; a cell that it breaks in is divided there first."""
    breaks = np.array(payoff.breaks("x", grid.low, grid.high))
    broken = np.unique(np.searchsorted(grid.edges, breaks) - 1)
    whole = np.ones(grid.cells)
    whole[broken] = 0.0
    for part in (np.arange(SAMPLES[1]) + 0.5) / SAMPLES[1]:
        x = grid.edges[:-1] + part * grid.widths
        yield x, whole * grid.widths / SAMPLES[1], _values(payoff, x, time)
    cuts = np.unique(np.concatenate([breaks, grid.edges[broken], grid.edges[broken + 1]]))
    inside = whole[np.searchsorted(grid.edges, 0.5 * (cuts[1:] + cuts[:-1])) - 1] == 0.0
    begin, length = cuts[:-1][inside], np.diff(cuts)[inside]
    for part in (np.arange(SAMPLES[1]) + 0.5) / SAMPLES[1]:
        x = begin + part * length
        yield x, length / SAMPLES[1], _values(payoff, x, time)


def _values(payoff: Coefficient, x: Floats, time: float) -> Floats:
    values = np.asarray(payoff(x, time), dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"payoff at x = {x[~np.isfinite(values)][0]:.6g} is not a finite number")
    return values
