"""Walls. A wall is two facts, which the walk, the exact law, the closed forms and the finite differences read alike:

- its **reactivity** K, a velocity: the outward flux through the wall is K times the density at the wall. K = 0 reflects
  (a step across the wall is not made), K = ∞ absorbs (ρ = 0 at the wall), any other K absorbs in part;
- whether it stands **on a site** of the lattice or half way between two. An absorbing wall stands on a site: the walker
  that steps onto the site is absorbed there. All other walls stand half way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple, TypeAlias

from ..inputs.arguments import number
from ..inputs.wording import shown
from .coefficient import Coefficient, Variable
from .coefficient.variables import coordinate

FACES: Final = (("left", "right"), ("bottom", "top"), ("back", "front"))  # the low and the high end of each axis


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


def is_wall(name: str, value: object) -> bool:
    """Whether `value` is a wall; a class in place of a wall is refused."""
    if isinstance(value, type) and issubclass(value, Wall):
        raise TypeError(f"{name} = {value.__name__}: write {value.__name__}(...), with parentheses")
    return isinstance(value, Wall)


def as_wall(name: str, value: object) -> Wall:
    """The wall that an argument gives."""
    if not is_wall(name, value):
        raise TypeError(f"{name} = {shown(value)}: give Absorbing(), Reflecting() or PartiallyAbsorbing(reactivity)")
    return value  # type: ignore[return-value]


def gap(wall: Wall | None) -> float:
    """The distance from a wall to the first live site, in dx."""
    return 1.0 if wall is not None and wall.on_site else 0.5


class Face(NamedTuple):
    """An end of a domain with a wall: the name of its exit, the wall, its place, the direction inward (1 or -1), the number of
    the axis on which it stands and, if it moves, its place as a coefficient of time."""

    exit: str
    wall: Wall
    place: Any  # a number; at a region an array, with a place for each site
    inward: float
    axis: int = 0
    path: Coefficient | None = None

    @property
    def distance(self) -> Coefficient:
        """The signed distance from the face (length), positive inside."""
        return self.inward * (Variable(coordinate(self.axis)) - (self.place if self.path is None else self.path))


def face_names(axis: int) -> tuple[str, str]:
    """The names of the exits at the low and the high end of an axis.

    >>> face_names(1), face_names(3)
    (('bottom', 'top'), ('x[3] low', 'x[3] high'))
    """
    return FACES[axis] if axis < len(FACES) else (f"{coordinate(axis)} low", f"{coordinate(axis)} high")
