"""What the cells and steps of a solution must resolve before its error can be estimated."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from randwalk.model.coefficient import Floats, coordinate
from randwalk.model.start import Start

from ..equation import FokkerPlanck
from ..pace import PILOT_STEPS, Pace
from .arguments import SMALLEST_CELLS
from .exit_order import POWER, irregular
from .grid import Grid
from .mesh import COARSEST, Mesh
from .moments import Moments, few, linear_noise
from .schemes import Clock, Scheme

FIRST_CELLS: Final = 32  # of the first look at an equation
FIRST_LOOK: Final = {2: 24, 3: 20}  # the same in several dimensions
CUT_LOOK: Final = {2: 24, 3: 12}  # and where walls cut cells, which cost more and are less far off
LARGEST_CELLS: Final = 2**18
LARGEST_MESH: Final = 2**25  # cells in all, in more than one dimension
LARGEST_STEPS: Final = 2**20
FLAT: Final = 1e-12  # of the largest eigenvalue of D, up to which the least is 0


@dataclass(frozen=True)
class Needs:
    """What a solution at the increasing `times` must resolve before its error can be estimated.

    Attributes
    ----------
    times : (times,) array
    scheme : Scheme
    pace : Pace
        Of the steps in time.
    cells : int
        The fewest that show anything of the law.
    fewest : int
        The fewest that stand on all breaks.
    moments : Moments
    width : float
        Of all cells together.
    moving : bool
        Whether kinks or jumps of a coefficient move across the cells.
    most : int
        The most cells.
    look : int
        The cells of a first look at an equation that is easily shown.
    power : int
        Of the number of a step until the first time, that its end is in proportion to (:mod:`randwalk.pde.solver.exit_order`).
    """

    times: Floats
    scheme: Scheme
    pace: Pace
    cells: int
    fewest: int
    moments: Moments
    width: float
    moving: bool
    most: int
    look: int = FIRST_CELLS
    power: int = 1

    @classmethod
    def of(
        cls,
        equation: FokkerPlanck,
        times: Floats,
        scheme: Scheme,
        window: Grid,
        start: Start,
        narrowest: float = math.inf,
    ) -> Needs:
        """What `equation` needs on `window` from `start`, with cells no wider than `narrowest`."""
        until, reach, width = float(times[-1]), (window.low, window.high), window.high - window.low
        pace = Pace.of(equation, until, reach)
        seen = few(times)
        moments = linear_noise(equation, seen, pace, start)
        coefficients = equation.coefficients
        narrowest = min(narrowest, moments.coarsest(seen), *(c.width("x", *reach, (0.0, until)) for c in coefficients))
        pace = pace.within(seen, moments.longest(seen)).within(*moments.pulses(seen))
        cells = max(math.ceil(width / narrowest), window.fewest)
        return cls(
            times, scheme, pace, cells, window.fewest, moments, width, any(c.moving_breaks for c in coefficients),
            LARGEST_CELLS,
        )  # fmt: skip

    @classmethod
    def on_mesh(cls, equation: FokkerPlanck, times: Floats, scheme: Scheme, mesh: Mesh, start: Start) -> Needs:
        """What `equation` needs on the window of `mesh`. In several dimensions cells are those of the axis with the most, and
        lengths are relative to that axis; kinks and jumps that do not stand on edges, and walls of regions, cost an order."""
        if mesh.dimension == 1:
            return cls.of(equation, times, scheme, mesh.axes[0], start)
        until, d = float(times[-1]), mesh.dimension
        reach = {coordinate(a): (g.low, g.high) for a, g in enumerate(mesh.axes)}
        pace = Pace.of(equation, until, reach)
        seen, unit = few(times), np.array(mesh.spacings) * mesh.cells
        found = linear_noise(equation, seen, pace, start)
        moments = found.scaled(unit)
        coefficients = equation.coefficients
        widths = [
            c.width(name, *ends, {**reach, "t": (0.0, until)}) / unit[a]
            for a, (name, ends) in enumerate(reach.items())
            for c in coefficients
        ]
        narrowest = min(moments.coarsest(seen), *widths, mesh.smallest_ball)
        pace = pace.within(seen, moments.longest(seen)).within(*moments.pulses(seen))
        broken = bool(mesh.domain.regions) or any(
            c.moving_breaks or (not grid.breaks and c.breaks(name, *ends))
            for grid, (name, ends) in zip(mesh.axes, reach.items(), strict=True)
            for c in coefficients
        )
        tensors = np.nan_to_num(equation.diffusion(tuple(found.mean[0].T), 0.0))
        least, *_, largest = np.moveaxis(np.linalg.eigvalsh(tensors), -1, 0)
        broken = broken or bool((least <= FLAT * largest).any())  # without diffusion fluxes are upwind, of first order
        most = int(LARGEST_MESH ** (1.0 / d))
        look = (CUT_LOOK if mesh.cutting else FIRST_LOOK).get(d, COARSEST)
        if mesh.with_cells(COARSEST).cells >= look:  # as where a tensor ties cells to those of a short axis
            look = COARSEST
        return cls(
            times, scheme, pace, math.ceil(1.0 / narrowest), COARSEST, moments, 1.0, broken, most, look,
            POWER if irregular(equation, mesh) else 1,
        )  # fmt: skip

    @property
    def first(self) -> int:
        """The cells of a first look, which is not believed: half of those that show something."""
        return even(max(self.look, 0.5 * self.cells, self.fewest))

    @property
    def refined(self) -> int:
        """By what steps are refined where cells are halved, so that the errors of both fall alike."""
        return 2 if self.scheme.order == 2 else 4

    def remaining(self, cells: int) -> float:
        """The share of the difference between solutions on `cells` and on half as many, with steps twice as long, that is
        left as error: a third at second order, all of it at first order, as where breaks move."""
        return 1.0 if self.moving else self.moments.remaining(self.times, self.width / cells)

    def mirrored(self) -> Needs:
        """The needs where time runs backward from the only one of the `times`."""
        return replace(self, pace=self.pace.mirrored(), power=1)

    def clock(self, steps: int) -> Clock:
        """`steps` steps an octave."""
        return Clock.octaves(self.times, steps, self.pace, self.power)

    @property
    def most_steps(self) -> int:
        """The most steps."""
        return LARGEST_STEPS

    def check(self, cells: int) -> None:
        """Refuse what takes too many steps, or so many `cells`, before anything runs."""
        steps = self.clock(2 * PILOT_STEPS).steps
        if cells > self.most or steps > self.most_steps:
            raise ValueError(
                f"times up to {self.times[-1]:g} would take {counted(max(cells, SMALLEST_CELLS))} cells and {counted(steps)} "
                f"steps to resolve the drift and the quickest changes of the coefficients (at most {self.most} and "
                f"{self.most_steps}): shorten times, take a smaller drift, or a smoother coefficient"
            )


def counted(number: int) -> str:
    """A number of cells or steps; only about, where it has many digits."""
    return str(number) if number < 10**9 else f"{float(number):.2g}" if number < 10**300 else "more than 1e+300"


def even(cells: float) -> int:
    """The next even number."""
    return 2 * math.ceil(0.5 * cells)
