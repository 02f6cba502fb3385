"""From a tolerance to cells and steps: errors are measured on a pilot grid, and scaled by the orders of the scheme."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeVar

import numpy as np

from randwalk.model.coefficient import Floats
from randwalk.model.start import Start

from .arguments import SMALLEST_CELLS, SMALLEST_TOLERANCE
from .equation import FokkerPlanck
from .moments import Moments, linear_noise
from .pace import PILOT_STEPS, Pace
from .schemes import Clock, Scheme
from .stencil import Grid

R = TypeVar("R")

PILOT_CELLS: Final = 128
LARGEST_PILOT: Final = 8192
SAMPLES: Final = 1024  # of coefficients
RESOLVED: Final = 0.01  # differences below this, relative to the scale, tell an error
GRID_ERROR: Final = 0.1  # over the square of the cells: the error of steps that suffices for a given number of cells
LARGEST_CELLS: Final = 2**18
LARGEST_STEPS: Final = 2**20
TIME_SHARE: Final = (
    0.15  # of the error may come from time steps: little enough that space and time errors cannot cancel
)


class Estimated(Protocol):
    """A solution that knows its error."""

    @property
    def error_estimate(self) -> float: ...


S = TypeVar("S", bound=Estimated)


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
    moments : Moments
    width : float
        Of all cells together.
    moving : bool
        Whether kinks or jumps of a coefficient move across the cells.
    """

    times: Floats
    scheme: Scheme
    pace: Pace
    cells: int
    moments: Moments
    width: float
    moving: bool

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
        moments = linear_noise(equation, times, pace, start)
        coefficients = (equation.declared_drift, equation.diffusion, equation.killing)
        narrowest = min(narrowest, moments.coarsest(times), *(c.width("x", *reach, (0.0, until)) for c in coefficients))
        pace = pace.within(times, moments.longest(times)).within(*moments.pulses(times))
        cells = max(math.ceil(width / narrowest), window.fewest)
        return cls(times, scheme, pace, cells, moments, width, any(c.moving_breaks for c in coefficients))

    def remaining(self, cells: int) -> float:
        """The share of the difference between solutions on `cells` and on half as many, with steps twice as long, that is
        left as error: a third at second order, all of it at first order, as where breaks move."""
        return 1.0 if self.moving else self.moments.remaining(self.times, self.width / cells)

    def mirrored(self) -> Needs:
        """The needs where time runs backward from the only one of the `times`."""
        return replace(self, pace=self.pace.mirrored())

    def clock(self, steps: int) -> Clock:
        """`steps` steps an octave."""
        return Clock.octaves(self.times, steps, self.pace)


@dataclass(frozen=True)
class Plan:
    """The error `space` of `size` cells, and the error `time` of `steps` steps an octave, for what `needs` to be resolved.

    Errors are absolute; tolerances that are asked for, and named in a refusal, are relative to `scale`.
    """

    needs: Needs
    size: int
    space: float
    pilot_steps: float
    time: float
    scale: float

    @classmethod
    def measured(
        cls, run: Callable[[int, Clock], R], difference: Callable[[R, R], float], needs: Needs, scale: float = 1.0
    ) -> Plan:
        """Refine space and time, each by itself, until both differences are small beside `scale`."""
        cells, steps = max(PILOT_CELLS, even(2 * needs.cells)), PILOT_STEPS
        if cells > LARGEST_CELLS or needs.clock(2 * steps).steps > LARGEST_STEPS:
            raise ValueError(
                f"times up to {needs.times[-1]:g} would take {_count(max(cells, SMALLEST_CELLS))} cells and "
                f"{_count(needs.clock(2 * steps).steps)} steps to resolve the drift and the quickest changes of the coefficients "
                f"(at most {LARGEST_CELLS} and {LARGEST_STEPS}): shorten times, take a smaller drift, or a smoother coefficient"
            )
        while True:
            clock = needs.clock(steps)
            base = run(cells, clock)
            space = difference(base, run(cells // 2, clock)) * needs.remaining(cells)
            if space > RESOLVED * scale and 4 * cells <= LARGEST_PILOT:
                cells *= 4
                continue
            time = difference(run(cells, clock.refined(2)), base) / (2**needs.scheme.order - 1)
            if time <= RESOLVED * scale or steps >= LARGEST_PILOT or 8 * clock.steps > LARGEST_STEPS:
                return cls(needs, cells, space, 2.0 * steps, time, scale)
            steps *= 4

    def cells(self, tolerance: float) -> int:
        """An even number of cells for an error a little below `tolerance`."""
        enough = even(self.size * math.sqrt(self.space / (0.75 * tolerance)))
        return max(SMALLEST_CELLS, even(2 * self.needs.cells), enough)

    def steps(self, cells: int, tolerance: float) -> float:
        """Steps an octave whose error is a small share of that of `cells` cells, or of half the `tolerance` if that is more."""
        error = TIME_SHARE * max(self.space * (self.size / cells) ** 2, 0.5 * tolerance)
        error = max(error, SMALLEST_TOLERANCE)
        return max(PILOT_STEPS, self.pilot_steps * (self.time / error) ** (1.0 / self.needs.scheme.order))

    def clocks(self, cells: int, tolerance: float) -> tuple[Clock, Clock]:
        """Clocks (fine, coarse) for `cells` cells and for half as many: errors ∝ h² and dt^order both fall to a quarter
        from one to the other, so that a third of the difference is what is left."""
        needs = self.needs
        refine = 2 if needs.scheme.order == 2 else 4
        if needs.scheme.dt is not None:
            coarse = Clock.equal(needs.times, refine * needs.scheme.dt, needs.pace)
        else:
            coarse = needs.clock(math.ceil(self.steps(cells, tolerance) / refine))
        return coarse.refined(refine), coarse

    def reach(self, tolerance: float, solution: Callable[[int, tuple[Clock, Clock]], S]) -> S:
        """The ``solution(cells, clocks)`` whose error estimate is within `tolerance`; refused where that is out of reach."""
        tolerance *= self.scale
        goal, cells, reached = tolerance, self.cells(tolerance), math.inf
        while cells <= LARGEST_CELLS and (clocks := self.clocks(cells, goal))[0].steps <= LARGEST_STEPS:
            found = solution(cells, clocks)
            error = found.error_estimate
            if error <= tolerance:
                return found
            if error > 0.9 * reached and self.needs.scheme.dt is not None:
                break
            reached = min(reached, error)
            factor = refinement(error, tolerance)
            finer = even(cells * factor)
            cells, goal = LARGEST_CELLS if finer > LARGEST_CELLS > cells else finer, goal / factor**2
        raise ValueError(self._refusal(tolerance, cells, goal, reached))

    def _refusal(self, tolerance: float, cells: int, goal: float, reached: float) -> str:
        """What was reached, what it would take, and a tolerance that can be had."""
        dt, steps = self.needs.scheme.dt, self.clocks(cells, goal)[0].steps
        best = f"{reached / self.scale:.2g} was reached; " if math.isfinite(reached) else ""
        text = (
            f"tolerance = {tolerance / self.scale:g} is out of reach: {best}it would take {_count(cells)} cells and "
            f"{_count(steps)} steps (at most {LARGEST_CELLS} and {LARGEST_STEPS})"
        )
        if dt is not None:
            return f"{text}: leave dt out, or take one much smaller than {dt:g}"
        possible = 2.0 * tolerance
        while possible < self.scale and not self._possible(possible):
            possible *= 2.0
        possible = max(possible, 2.0 * reached) if math.isfinite(reached) else possible
        possible /= self.scale
        return f"{text}: take tolerance = {possible:.2g}" if possible < 1.0 else f"{text}: shorten times"

    def _possible(self, tolerance: float) -> bool:
        """Whether the plan for `tolerance`, and one with half the error, stay within the limits."""
        cells = self.cells(0.25 * tolerance)
        return cells <= LARGEST_CELLS and self.clocks(cells, 0.25 * tolerance)[0].steps <= LARGEST_STEPS


def steady_cells(equation: FokkerPlanck, window: Grid) -> int:
    """The fewest cells on `window` that show what coefficients that do not depend on time do: their widths, and D/|a|."""
    x = window.low + (window.high - window.low) * (np.arange(SAMPLES) + 0.5) / SAMPLES
    a, d = np.abs(equation.declared_drift(x)), equation.diffusion(x)
    usable = np.isfinite(a) & (a > 0.0) & (d > 0.0)
    with np.errstate(over="ignore"):  # where a is next to nothing a layer is infinitely wide
        layers = 2.0 * d[usable] / a[usable]
    coefficients = (equation.declared_drift, equation.diffusion, equation.killing)
    widths = (c.width("x", window.low, window.high) for c in coefficients)
    return even((window.high - window.low) / min(float(layers.min(initial=math.inf)), *widths))


def refinement(error: float, tolerance: float) -> float:
    """The factor of cells that takes a second-order `error` below `tolerance`, within reason."""
    return min(max(1.1 * math.sqrt(error / tolerance), 1.3), 4.0)


def _count(number: int) -> str:
    """A number of cells or steps; only about, where it has many digits."""
    return str(number) if number < 10**9 else f"{float(number):.2g}" if number < 10**300 else "more than 1e+300"


def even(cells: float) -> int:
    """The next even number."""
    return 2 * math.ceil(0.5 * cells)
