"""The domain of a walk: the line, an interval with its walls, a ring.

A wall is two facts, which the walk, the exact law, the closed forms and the finite differences read alike:

- its **reactivity** K, a velocity: the outward flux through the wall is K times the density at the wall. K = 0 reflects
  (a step across the wall is not made), K = ∞ absorbs (ρ = 0 at the wall), any other K absorbs in part;
- whether it stands **on a site** of the lattice or half way between two. An absorbing wall stands on a site: the walker
  that steps onto the site is absorbed there. All other walls stand half way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple, TypeAlias

from ..inputs.arguments import number
from ..inputs.wording import shown

EXITS: Final = ("left", "right", "killing")  # the columns of every array of absorbed walkers or mass, in files too


@dataclass(frozen=True)
class Absorbing:
    """A wall at which ρ = 0: it absorbs every walker that reaches it. It stands on a lattice site."""

    reactivity: ClassVar[float] = math.inf
    on_site: ClassVar[bool] = True


@dataclass(frozen=True)
class Reflecting:
    """A wall at which the flux aρ - (Dρ)_x is zero. It stands half way between two lattice sites."""

    reactivity: ClassVar[float] = 0.0
    on_site: ClassVar[bool] = False


@dataclass(frozen=True)
class PartiallyAbsorbing:
    """A wall (Robin) at which the outward flux is `reactivity` × ρ. It stands half way between two lattice sites.

    `reactivity` K is a velocity (length/time), positive and finite: towards 0 the wall reflects, towards infinity it absorbs.
    """

    reactivity: float
    on_site: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0.0 < number("reactivity", self.reactivity) < math.inf:
            raise ValueError(
                f"reactivity = {self.reactivity}: must be positive and finite; 0 is Reflecting(), infinity is Absorbing()"
            )


Wall: TypeAlias = Absorbing | Reflecting | PartiallyAbsorbing


class Face(NamedTuple):
    """An end of a domain with a wall: the name of its exit, the wall, its place and the direction inward (1 or -1)."""

    exit: str
    wall: Wall
    place: float
    inward: float


class _OneDimension:
    """The ways out of a domain in one dimension."""

    @property
    def exits(self) -> tuple[str, ...]:
        """The names of the ways out, in the order of the columns of arrays: "left", "right", "killing" for every domain of
        one dimension. An exit that no walker can take (a reflecting wall, no wall, no killing) has a column of zeros."""
        return EXITS

    @property
    def faces(self) -> tuple[Face, ...]:
        """The ends that have a wall, left before right."""
        return ()

    def face(self, exit: str) -> Face | None:
        """The face of an exit; None where no wall stands, and for "killing"."""
        return next((face for face in self.faces if face.exit == exit), None)

    def open_exits(self, killed: bool) -> tuple[str, ...]:
        """The exits that walkers can take: those of the walls that do not reflect, and "killing" if walkers are `killed`."""
        walls = tuple(face.exit for face in self.faces if face.wall.reactivity > 0.0)
        return (*walls, "killing") if killed else walls

    def exit(self, name: str, argument: str = "wall") -> int:
        """The index of the exit `name` in :attr:`exits`. ValueError for another name, or an end of this domain without a
        wall; `argument` is the name of the argument in the message."""
        index = exit_index(name, argument)
        if name != "killing" and self.face(name) is None:
            raise ValueError(f"{argument} = {name!r}: {self} has no wall there")
        return index


def exit_index(name: str, argument: str = "wall") -> int:
    """The column of an exit in arrays of absorbed walkers or mass. ValueError, which names `argument`, for any other name."""
    if not isinstance(name, str) or name not in EXITS:
        raise ValueError(f"{argument} = {shown(name)}: must be one of {', '.join(map(repr, EXITS))}")
    return EXITS.index(name)


def _check_ends(low: float, high: float, what: str) -> None:
    if not number(f"{what}: low", low) < number(f"{what}: high", high):
        raise ValueError(f"{what}: low = {low} must be less than high = {high}")
    if math.isfinite(low) and math.isfinite(high) and math.isinf(high - low):
        raise ValueError(f"{what}: from low = {low} to high = {high} it is too long for floating-point numbers")


@dataclass(frozen=True)
class Line(_OneDimension):
    """The whole real line."""

    low: ClassVar[float] = -math.inf
    high: ClassVar[float] = math.inf
    left: ClassVar[None] = None
    right: ClassVar[None] = None
    periodic: ClassVar[bool] = False


@dataclass(frozen=True)
class Interval(_OneDimension):
    """The interval from `low` to `high`, with a wall at each finite end. Either end may be infinite (and has no wall).

    >>> half_line = Interval(0.0, math.inf, Absorbing())
    >>> half_line
    Interval(0.0, inf, left=Absorbing())
    >>> half_line.exits, half_line.open_exits(killed=False)
    (('left', 'right', 'killing'), ('left',))
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
            if isinstance(wall, type) and issubclass(wall, Wall):
                raise TypeError(f"{side} = {wall.__name__}: write {wall.__name__}(...), with parentheses")
            if math.isfinite(end) and not isinstance(wall, Wall):
                raise ValueError(
                    f"the {side} end, at x = {end:g}, needs a wall: {side} = Absorbing(), Reflecting() or "
                    f"PartiallyAbsorbing(reactivity), not {shown(wall)}"
                )
            if math.isinf(end) and wall is not None:
                raise ValueError(f"the {side} end is infinite and cannot have the wall {shown(wall)}: leave {side} out")

    @property
    def faces(self) -> tuple[Face, ...]:
        """The ends that have a wall, left before right."""
        ends = (("left", self.left, self.low, 1.0), ("right", self.right, self.high, -1.0))
        return tuple(Face(exit, wall, place, inward) for exit, wall, place, inward in ends if wall is not None)

    def __repr__(self) -> str:
        walls = [f"{face.exit}={face.wall!r}" for face in self.faces]
        return f"Interval({', '.join([repr(self.low), repr(self.high), *walls])})"


@dataclass(frozen=True)
class Ring(_OneDimension):
    """A circle of circumference `high` - `low`: the two ends are the same point, and walkers go round."""

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
    if isinstance(value, Domain):
        return value
    hint = ""
    if isinstance(value, str) and value == "line":
        hint = ", here Line()"
    elif isinstance(value, type) and issubclass(value, Domain):
        hint = f", with parentheses: {value.__name__}(...)"
    elif isinstance(value, (tuple, list)) and len(value) == 2:
        low, high = value
        hint = f", here Interval({low!r}, {high!r}, left wall, right wall) or Ring({low!r}, {high!r})"
    raise TypeError(f"domain = {shown(value)}: give Line(), Interval(...) or Ring(...){hint}")
