"""Runs of an equation on meshes of different fineness, and how two of them are compared and extrapolated."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from scipy.interpolate import PchipInterpolator

from randwalk.model.coefficient import Floats
from randwalk.terminal.progress import Stages, told, unseen

from ..equation import FokkerPlanck
from .arguments import check_memory, fits
from .effort import factor_bytes
from .exit_order import ORDER, irregular
from .grid import Grid
from .ladder import SMALLEST, Found
from .levels import on
from .mesh import Mesh
from .needs import Needs
from .reconstruct import left_halves
from .rough_walls import RoughWalls, has_rough_walls
from .schemes import Clock, Scheme, march
from .states import States, states

ROUNDING: Final = 4.0 * np.finfo(float).eps  # of a sum of masses, in each step
TAIL: Final = 1e-10  # of what has left in the end, up to which it is not extrapolated


def between(ages: Floats, values: Floats, t: Floats) -> Floats:
    """The monotone cubic through `values` at `ages`, at the times `t`."""
    with np.errstate(over="ignore"):  # of reciprocal slopes, where there is next to none
        return np.asarray(PchipInterpolator(ages, values)(t))


@dataclass(frozen=True)
class Run:
    """Masses (times, cells of each axis) at the recorded times, and what has left (steps + 1, exits) by the times `ages` of all
    steps, of which those `at` are recorded; `met` is the most that has met :class:`RoughWalls` by those times, and `redone` where
    steps were made again to keep the sign."""

    mesh: Mesh
    mass: Floats
    ages: Floats
    left_so_far: Floats
    at: list[int]
    met: Floats
    redone: bool = False

    @classmethod
    def of(cls, equation: FokkerPlanck, scheme: Scheme, mesh: Mesh, clock: Clock, stages: Stages = unseen) -> Run:
        """The run whose steps are all those of the scheme, as an expansion of its error in powers of the step asks for; if
        masses are negative at a recorded time, or what has left comes back, the run whose steps keep the sign."""
        of, walls = states(equation, mesh), RoughWalls.of(equation, mesh)
        run = cls._marched(scheme, of, mesh, walls, clock, -math.inf, stages)
        return run if run.positive else replace(cls._marched(scheme, of, mesh, walls, clock, 0.0, stages), redone=True)

    @classmethod
    def _marched(
        cls,
        scheme: Scheme,
        of: States,
        mesh: Mesh,
        walls: RoughWalls | None,
        clock: Clock,
        floor: float,
        stages: Stages = unseen,
    ) -> Run:
        start = of.start
        ages, gone, mass, at = [0.0], [of.gone(start)], [], []
        near = [walls.near(start) if walls else 0.0]
        steps = march(scheme, of.parts, start, clock, floor)
        for t, recorded, state in told(steps, stages(on(mesh.shape), clock.steps)):
            ages.append(t)
            gone.append(of.gone(state))
            near.append(walls.near(state) if walls else 0.0)
            if recorded:
                mass.append(of.masses(state))
                at.append(len(ages) - 1)
        left = of.left(np.array(gone))
        met = np.maximum.accumulate(near + walls.left(left)) if walls else np.array(near)
        return cls(mesh, np.array(mass), np.array(ages), left, at, met[at])

    @property
    def positive(self) -> bool:
        """Whether no mass is negative and what has left never decreases, beyond rounding."""
        every = tuple(range(1, self.mass.ndim))
        rounding = ROUNDING * self.mass.max(axis=every, keepdims=True, initial=0.0)
        return bool((self.mass >= -rounding).all() and (np.diff(self.left_so_far, axis=0) >= -ROUNDING).all())

    def passage_difference(self, other: Run) -> float:
        """The largest difference between what has left here, at any step, and a cubic through what has left in a run with
        longer steps."""
        return float(np.abs(self.left_so_far - between(other.ages, other.left_so_far, self.ages)).max())


@dataclass(frozen=True)
class Forward:
    """The runs of an equation on the window of a `mesh`, as a family that :func:`randwalk.pde.solver.refine.refined` climbs; each
    is one of the `stages`."""

    equation: FokkerPlanck
    times: Floats
    scheme: Scheme
    mesh: Mesh
    stages: Stages = unseen
    known: dict[tuple[int, Clock], Run] = field(default_factory=dict)

    def effort(self, cells: int, clock: Clock) -> float:
        return states(self.equation, self.mesh.with_cells(cells)).effort(clock)

    def fits(self, cells: int) -> bool:
        mesh = self.mesh.with_cells(cells)
        return fits(mesh.shape, self.times.size, factor_bytes(self.equation, mesh))

    def begun(self, cells: int, clock: Clock) -> Clock:
        return clock

    def run(self, cells: int, clock: Clock) -> Run:
        """The run on `cells` cells of the axis with the most; each is made once."""
        if (cells, clock) not in self.known:
            mesh = self.mesh.with_cells(cells)
            check_memory(mesh.shape, self.times.size, factor_bytes(self.equation, mesh))
            self.known[cells, clock] = Run.of(self.equation, self.scheme, mesh, clock, self.stages)
        return self.known[cells, clock]

    def difference(self, fine: Run, coarse: Run) -> Floats:
        """That of the cumulative masses at the edges of `coarse`, and of what has left."""
        cdf, other = fine.mass, coarse.mass
        for axis in range(1, cdf.ndim):
            ratio = fine.mass.shape[axis] // coarse.mass.shape[axis]
            cdf = np.cumsum(cdf, axis=axis)[(slice(None),) * axis + (slice(ratio - 1, None, ratio),)]
            other = np.cumsum(other, axis=axis)
        left = fine.left_so_far[fine.at] - coarse.left_so_far[coarse.at]
        every = tuple(range(1, cdf.ndim))
        return np.maximum(np.abs(cdf - other).max(axis=every), np.abs(left).max(axis=1))

    def extrapolated(self, fine: Run, coarse: Run) -> Run:
        """A third of the difference is added to the masses of `fine`: that of each cell of `coarse` is shared by its halves
        along every axis as the polynomial through the differences says. In tails, where one mass is more than twice the other or
        the polynomial takes more than there is, logarithms are extrapolated instead of the masses, so that small ones stay
        positive; and what that adds to the sum is taken from all."""
        every = tuple(range(1, fine.mass.ndim))
        blocks = fine.mass
        for axis in every:
            blocks = np.add.reduceat(blocks, np.arange(0, blocks.shape[axis], 2), axis=axis)
        more = (blocks - coarse.mass) / 3.0
        shared: Floats = more
        for axis, grid in zip(every, coarse.mesh.axes, strict=True):
            shared = _halved(grid, shared, axis)
        mass = fine.mass + shared
        ratio = np.divide(blocks, coarse.mass, out=np.ones_like(blocks), where=(coarse.mass > 0.0) & (blocks > 0.0))
        for axis in every:
            ratio = np.repeat(ratio, 2, axis=axis)
        steep = (np.abs(np.log(ratio)) > math.log(2.0)) | (mass <= 0.0)
        mass[steep] = fine.mass[steep] * np.cbrt(ratio[steep])
        steps = (fine.ages.size - 1) // (coarse.ages.size - 1)
        left = fine.left_so_far
        better = left + between(coarse.ages, (left[::steps] - coarse.left_so_far) / 3.0, fine.ages)
        early = (better <= 0.0) | (left <= TAIL * left[-1])
        left = np.maximum.accumulate(np.where(early, left, better))
        alive = fine.mass.sum(axis=every) + more.sum(axis=every)
        alive += (better - left)[fine.at][:, fine.mesh.cut].sum(axis=1)  # what has leaked is not what a law answers
        scale = alive / np.maximum(mass.sum(axis=every), SMALLEST)
        mass *= scale.reshape(-1, *(1 for _ in every))
        return replace(fine, mass=mass, left_so_far=left, redone=fine.redone or coarse.redone)

    def irregular(self, fine: Run, coarse: Run) -> Floats:
        """Of what has left by each exit (:mod:`randwalk.pde.solver.exit_order`)."""
        left = np.abs(fine.left_so_far[fine.at] - coarse.left_so_far[coarse.at]).max(axis=1)
        return left / (2.0**ORDER - 1.0) if irregular(self.equation, self.mesh) else np.zeros_like(left)

    def usable(self, solution: Run) -> bool:
        return solution.positive and not solution.redone

    @property
    def smooth(self) -> bool:
        """Whether errors have an expansion in h²: not at the walls of regions, and not in corners of walls with a tensor, where
        steps along diagonals end."""
        return not has_rough_walls(self.equation)

    def met(self, coarse: Run) -> Floats:
        return coarse.met

    def pair(self, cells: int, needs: Needs, clock: Clock) -> Found[Run]:
        """The second-order solution on `cells`, compared with that on half of them and the steps of `clock`."""
        coarse = self.run(cells // 2, clock)
        fine = self.run(cells, clock.refined(needs.refined))
        return Found(fine, cells, self.difference(fine, coarse) * needs.remaining(cells), fine, coarse, False)


def _halved(grid: Grid, masses: Floats, axis: int) -> Floats:
    """The masses of the halves of cells along an axis, whose cells are those of `grid`."""
    last = np.moveaxis(masses, axis, -1)
    halves = left_halves(grid, last)
    both = np.stack([halves, last - halves], axis=-1).reshape(*last.shape[:-1], 2 * last.shape[-1])
    return np.moveaxis(both, -1, axis)
