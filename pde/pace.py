"""The pace of an equation: the kinks, jumps and quick changes of its coefficients that steps in time must resolve."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from randwalk.model.coefficient import Coefficient, Floats
from randwalk.model.coefficient.base import Ranges

from .equation import FokkerPlanck

PILOT_STEPS: Final = 16  # an octave of time on the longest clock, to which longest steps refer
SHARE: Final = 0.5  # the longest step, relative to the time in which a coefficient changes
MOST_STEPS: Final = 2**17  # that breaks and quick changes may require
PARTS: Final = 16  # in which a stretch is searched for its quick parts
ALIKE: Final = 0.5  # parts whose longest steps differ by less than this factor are one
SHORTEST: Final = 1e-9  # part that is searched on, relative to all of the time


@dataclass(frozen=True)
class Pace:
    """The times at which steps must end, and the longest steps, on a clock of :data:`PILOT_STEPS` steps an octave.

    Attributes
    ----------
    until : float
        The last time.
    breaks : increasing times
        Inside (0, until), where a coefficient has a kink or a jump: steps end there.
    parts : (end, longest step) pairs
        The ends increase, the last is `until`; between two of them no step may be longer than stated.
    """

    until: float
    breaks: tuple[float, ...] = ()
    parts: tuple[tuple[float, float], ...] = ()

    @classmethod
    def of(cls, equation: FokkerPlanck, until: float, reach: Ranges) -> Pace:
        """The pace of the coefficients of `equation`: see :meth:`read`."""
        return cls.read(equation.coefficients, until, reach)

    @classmethod
    def read(cls, coefficients: Iterable[Coefficient], until: float, reach: Ranges = (0.0, 0.0)) -> Pace:
        """The pace of some coefficients from 0 to `until`, where x (or every coordinate by its name) is within `reach`.

        Raises
        ------
        ValueError
            where their changes would take more than :data:`MOST_STEPS` steps.
        """
        moving = [c for c in coefficients if c.depends_on_t]
        if not moving:
            return cls(until)
        breaks = sorted({b for c in moving for b in c.breaks("t", 0.0, until)})

        def longest(low: float, high: float) -> float:
            return SHARE * min(c.width("t", low, high, reach) for c in moving)

        parts = _merged(_quick_parts(longest, 0.0, until, SHORTEST * until))
        begins = [0.0, *(end for end, _ in parts)]
        steps = len(breaks) + sum((end - begin) / step for begin, (end, step) in zip(begins, parts, strict=False))
        if steps > MOST_STEPS:
            quickest = min(step for _, step in parts) / SHARE
            raise ValueError(
                f"times up to {until:g} would take more than {steps:.2g} steps (at most {MOST_STEPS}): coefficients break at "
                f"{len(breaks)} times and change within {quickest:.2g}; take times up to {until * MOST_STEPS / steps:.2g}, or "
                "coefficients averaged over their quickest changes"
            )
        return cls(until, tuple(breaks), tuple(parts))

    def mirrored(self) -> Pace:
        """The pace of time that runs backward from `until`."""
        begins = [0.0, *(end for end, _ in self.parts)]
        parts = tuple((self.until - begin, longest) for begin, (_, longest) in zip(begins, self.parts, strict=False))
        return Pace(self.until, tuple(self.until - b for b in reversed(self.breaks)), parts[::-1])

    def within(self, ends: Floats, longest: Floats) -> Pace:
        """The pace that also takes no step longer than `longest` before each of the increasing `ends`."""
        if not (longest < math.inf).any():
            return self
        known = self.parts or ((self.until, math.inf),)
        own_ends, own = np.array(known).T
        marks = np.unique(np.concatenate([own_ends, ends]))
        middles = 0.5 * (marks + np.append(0.0, marks[:-1]))
        steps = np.minimum(own[np.searchsorted(own_ends, middles)], longest[np.searchsorted(ends, middles)])
        return Pace(self.until, self.breaks, tuple(zip(marks.tolist(), steps.tolist(), strict=True)))


def _quick_parts(
    longest: Callable[[float, float], float], low: float, high: float, shortest: float
) -> list[tuple[float, float]]:
    """(end, longest step) of the parts of [`low`, `high`], divided where they differ and dividing spares steps."""
    step, length = longest(low, high), high - low
    if step > length / PARTS or length < shortest:
        return [(high, step)]
    ends = [low + length * k / PARTS for k in range(PARTS)] + [high]
    steps = [longest(a, b) for a, b in pairwise(ends)]
    if min(steps) > ALIKE * max(steps):
        return [(high, step)]
    return [part for a, b in pairwise(ends) for part in _quick_parts(longest, a, b, shortest)]


def _merged(parts: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The parts with neighbours joined where their longest steps are alike."""
    merged = parts[:1]
    largest = merged[0][1]  # in the part that grows
    for end, step in parts[1:]:
        smallest = min(step, merged[-1][1])
        largest = max(step, largest)
        if smallest == largest or smallest > ALIKE * largest:
            merged[-1] = (end, smallest)
        else:
            merged.append((end, step))
            largest = step
    return merged
