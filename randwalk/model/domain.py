"""Where a walk lives: the line, an interval with its walls, a ring.

One convention, used alike by the walk, the exact law, the closed forms and the finite differences:

- an **absorbing** wall stands *on* a lattice site: the walker that steps onto it is gone, and counted there;
- a **reflecting** wall stands *half way* between two sites: a step across it is not made;
- a **partially absorbing** wall stands half way too: the outward flux through it is the reactivity times the density.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from ..inputs.arguments import number
from ..inputs.wording import shown


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
        if not 0.0 < number("reactivity", self.reactivity) < math.inf:
            raise ValueError(
                f"reactivity = {self.reactivity}: must be positive and finite; 0 is Reflecting(), infinity is Absorbing()"
            )


Wall: TypeAlias = Absorbing | Reflecting | PartiallyAbsorbing


def _check_ends(low: float, high: float, what: str) -> None:
    if not number(f"{what}: low", low) < number(f"{what}: high", high):
        raise ValueError(f"{what}: low = {low} must be less than high = {high}")
    if math.isfinite(low) and math.isfinite(high) and math.isinf(high - low):
        raise ValueError(f"{what}: from low = {low} to high = {high} it is too long for floating-point numbers")


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
            if isinstance(wall, type) and issubclass(wall, (Absorbing, Reflecting, PartiallyAbsorbing)):
                raise TypeError(f"{side} = {wall.__name__}: write {wall.__name__}(...), with parentheses")
            if math.isfinite(end) and not isinstance(wall, (Absorbing, Reflecting, PartiallyAbsorbing)):
                raise ValueError(
                    f"the {side} end, at x = {end:g}, needs a wall: {side} = Absorbing(), Reflecting() or "
                    f"PartiallyAbsorbing(reactivity), not {shown(wall)}"
                )
            if math.isinf(end) and wall is not None:
                raise ValueError(f"the {side} end is infinite and cannot have the wall {shown(wall)}: leave {side} out")

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
    if isinstance(value, str) and value == "line":
        hint = ", here Line()"
    elif isinstance(value, type) and issubclass(value, (Line, Interval, Ring)):
        hint = f", with parentheses: {value.__name__}(...)"
    elif isinstance(value, (tuple, list)) and len(value) == 2:
        low, high = value
        hint = f", here Interval({low!r}, {high!r}, left wall, right wall) or Ring({low!r}, {high!r})"
    raise TypeError(f"domain = {shown(value)}: give Line(), Interval(...) or Ring(...){hint}")
