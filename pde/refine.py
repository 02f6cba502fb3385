"""From a tolerance to cells and steps: errors are measured on a pilot grid, and scaled by the orders of the scheme."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from randwalk.coefficient import Floats

from .schemes import Clock, Scheme

R = TypeVar("R")

PILOT_CELLS: Final = 128
PILOT_STEPS: Final = 16
LARGEST_PILOT: Final = 8192
RESOLVED: Final = 0.01  # differences below this, relative to the scale, tell an error
SMALLEST_CELLS: Final = 16
LARGEST_CELLS: Final = 2**18
LARGEST_STEPS: Final = 2**20
SMALLEST_TOLERANCE: Final = 1e-12
TIME_SHARE: Final = (
    0.15  # of the error may come from time steps: little enough that space and time errors cannot cancel
)


class Estimated(Protocol):
    """A solution that knows its error."""

    @property
    def error_estimate(self) -> float: ...


S = TypeVar("S", bound=Estimated)


@dataclass(frozen=True)
class Plan:
    """The error `space` of `size` cells, and the error `time` of `pace` steps an octave, of a `scheme` to `times`."""

    times: Floats
    scheme: Scheme
    size: int
    space: float
    pace: float
    time: float

    @classmethod
    def measured(
        cls,
        run: Callable[[int, Clock], R],
        difference: Callable[[R, R], float],
        times: Floats,
        scheme: Scheme,
        scale: float = 1.0,
    ) -> Plan:
        """Refine space and time, each by itself, until both differences are small beside `scale`."""
        cells, pace = PILOT_CELLS, PILOT_STEPS
        while True:
            clock = Clock.octaves(times, pace)
            base = run(cells, clock)
            space = difference(base, run(cells // 2, clock)) / 3.0
            if space > RESOLVED * scale and cells < LARGEST_PILOT:
                cells *= 4
                continue
            time = difference(run(cells, clock.refined(2)), base) / (2**scheme.order - 1)
            if time <= RESOLVED * scale or pace >= LARGEST_PILOT:
                return cls(times, scheme, cells, space, 2.0 * pace, time)
            pace *= 4

    def cells(self, tolerance: float) -> int:
        """An even number of cells for an error a little below `tolerance`."""
        return max(SMALLEST_CELLS, even(self.size * math.sqrt(self.space / (0.75 * tolerance))))

    def steps(self, cells: int) -> float:
        """Steps an octave whose error is a small share of that of `cells` cells."""
        error = max(TIME_SHARE * self.space * (self.size / cells) ** 2, SMALLEST_TOLERANCE)
        return max(PILOT_STEPS, self.pace * (self.time / error) ** (1.0 / self.scheme.order))

    def clocks(self, cells: int) -> tuple[Clock, Clock]:
        """Clocks (fine, coarse) for `cells` cells and for half as many: errors ∝ h² and dt^order both fall to a quarter
        from one to the other, so that a third of the difference is what is left."""
        refine = 2 if self.scheme.order == 2 else 4
        if self.scheme.dt is not None:
            coarse = Clock.equal(self.times, refine * self.scheme.dt)
        else:
            coarse = Clock.octaves(self.times, math.ceil(self.steps(cells) / refine))
        return coarse.refined(refine), coarse

    def reach(self, tolerance: float, solution: Callable[[int], S]) -> S:
        """The ``solution(cells)`` whose error estimate is within `tolerance`; refused where that is out of reach."""
        cells, reached = self.cells(tolerance), math.inf
        while cells <= LARGEST_CELLS and self.clocks(cells)[0].steps <= LARGEST_STEPS:
            found = solution(cells)
            error = found.error_estimate
            if error <= tolerance:
                return found
            if error > 0.9 * reached and self.scheme.dt is not None:
                break
            reached = min(reached, error)
            cells = even(cells * refinement(error, tolerance))
        best = f"{reached:.2g} was reached" if math.isfinite(reached) else f"it would take {cells} cells"
        remedy = "leave dt out, or take a smaller one" if self.scheme.dt is not None else "take a larger one"
        raise ValueError(f"tolerance = {tolerance:g} is out of reach, {best}: {remedy}")


def refinement(error: float, tolerance: float) -> float:
    """The factor of cells that takes a second-order `error` below `tolerance`, within reason."""
    return min(max(1.1 * math.sqrt(error / tolerance), 1.3), 4.0)


def even(cells: float) -> int:
    """The next even number."""
    return 2 * math.ceil(0.5 * cells)


def checked_cells(cells: int) -> int:
    """A number of cells that can be halved for the error estimate."""
    if cells < SMALLEST_CELLS or cells % 2:
        raise ValueError(f"cells = {cells}: must be an even number, at least {SMALLEST_CELLS}")
    return cells


def checked_tolerance(tolerance: float) -> float:
    """A tolerance that is a number between rounding and 1."""
    if not SMALLEST_TOLERANCE <= tolerance < 1.0:
        raise ValueError(f"tolerance = {tolerance:g}: must be at least {SMALLEST_TOLERANCE:g} and less than 1")
    return float(tolerance)
