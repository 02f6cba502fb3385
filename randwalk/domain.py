"""Where a walk lives: the line, an interval with its walls, a ring.

One convention, used alike by the walk, the exact law, the closed forms and the finite differences:

- an **absorbing** wall stands *on* a lattice site: the walker that steps onto it is gone, and counted there;
- a **reflecting** wall stands *half way* between two sites: a step across it is not made;
- a **partially absorbing** wall stands half way too: the outward flux through it is the reactivity times the density.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np


@dataclass(frozen=True)
class Absorbing:
    """A wall at which ρ = 0: whoever reaches it is gone. It stands on a lattice site."""


@dataclass(frozen=True)
class Reflecting:
    """A wall at which the flux aρ - (Dρ)_x is zero. It stands half way between two lattice sites."""


@dataclass(frozen=True)
class PartiallyAbsorbing:
    """A wall (Robin) at which the outward flux is `reactivity` × ρ. It stands half way between two lattice sites.

    `reactivity` K is a velocity (length/time), positive and finite: towards 0 the wall reflects, towards infinity it absorbs.
    """

    reactivity: float

    def __post_init__(self) -> None:
        check_number("reactivity", self.reactivity)
        if not (self.reactivity > 0 and math.isfinite(self.reactivity)):
            raise ValueError(
                f"reactivity = {self.reactivity}: must be positive and finite; 0 is Reflecting(), infinity is Absorbing()"
            )


Wall: TypeAlias = Absorbing | Reflecting | PartiallyAbsorbing


def _check_ends(low: float, high: float, what: str) -> None:
    check_number(f"{what}: low", low)
    check_number(f"{what}: high", high)
    if math.isnan(low) or math.isnan(high) or not low < high:
        raise ValueError(f"{what}: low = {low} must be less than high = {high}")


def check_number(name: str, value: object) -> None:
    """Refuse what is no real number."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        hint = ""
        if isinstance(value, str):
            with suppress(ValueError):
                hint = f", as {float(value):g}"
        raise TypeError(f"{name} = {value!r}: must be a number{hint}")


@dataclass(frozen=True)
class Line:
    """The whole real line."""

    low: ClassVar[float] = -math.inf
    high: ClassVar[float] = math.inf
    left: ClassVar[None] = None
    right: ClassVar[None] = None
    periodic: ClassVar[bool] = False


@dataclass(frozen=True)
class Interval:
    """The interval from `low` to `high`, with a wall at each finite end. Either end may be infinite (and has no wall).

    >>> Interval(0.0, math.inf, Absorbing())
    Interval(0.0, inf, left=Absorbing())
    """

    low: float = -math.inf
    high: float = math.inf
    left: Wall | None = None
    right: Wall | None = None
    periodic: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check_ends(self.low, self.high, "Interval")
        if math.isinf(self.low) and math.isinf(self.high):
            raise ValueError("an Interval without a finite end is a Line()")
        for side, end, wall in (("left", self.low, self.left), ("right", self.high, self.right)):
            if wall in (Absorbing, Reflecting, PartiallyAbsorbing):
                raise TypeError(f"{side} = {wall.__name__}: write {wall.__name__}(...), with parentheses")  # type: ignore[union-attr]
            if math.isfinite(end) and not isinstance(wall, (Absorbing, Reflecting, PartiallyAbsorbing)):
                raise ValueError(
                    f"the {side} end, at x = {end:g}, needs a wall: {side} = Absorbing(), Reflecting() or "
                    f"PartiallyAbsorbing(reactivity), not {wall!r}"
                )
            if math.isinf(end) and wall is not None:
                raise ValueError(f"the {side} end is infinite and cannot have the wall {wall!r}: leave {side} out")

    def __repr__(self) -> str:
        walls = [f"{side}={wall!r}" for side, wall in (("left", self.left), ("right", self.right)) if wall is not None]
        return f"Interval({', '.join([repr(self.low), repr(self.high), *walls])})"


@dataclass(frozen=True)
class Ring:
    """A circle of circumference `high` - `low`: the two are the same point, and walkers go round."""

    low: float
    high: float
    left: ClassVar[None] = None
    right: ClassVar[None] = None
    periodic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_ends(self.low, self.high, "Ring")
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise ValueError(f"Ring: both ends must be finite, not {self.low} and {self.high}")

    def __repr__(self) -> str:
        return f"Ring({self.low!r}, {self.high!r})"


Domain: TypeAlias = Line | Interval | Ring


def as_domain(value: object) -> Domain:
    """A domain; None is the line."""
    if value is None:
        return Line()
    if isinstance(value, (Line, Interval, Ring)):
        return value
    hint = ""
    match value:
        case "line":
            hint = ", here Line()"
        case (int() | float() as low, int() | float() as high):
            hint = f", here Interval({low}, {high}, left wall, right wall) or Ring({low}, {high})"
        case type() if value in (Line, Interval, Ring):
            hint = f", with parentheses: {value.__name__}(...)"
    raise TypeError(f"domain = {value!r}: give Line(), Interval(...) or Ring(...){hint}")
