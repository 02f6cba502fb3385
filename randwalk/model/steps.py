"""The steps of a lattice walk: displacements, in lattice steps, and their probabilities."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, reduce
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from ..inputs.wording import shown
from .coefficient import ZERO, Coefficient

Displacement: TypeAlias = tuple[int, ...]
Pair: TypeAlias = tuple[Coefficient, Coefficient]  # the probabilities of +1 and of -1 along an axis

NAMES = (("right", "left"), ("up", "down"), ("front", "back"))  # of the steps +1 and -1 along each axis


class Steps(Mapping[Displacement, Coefficient]):
    """The probability of each displacement, in the order of the stencil: +x, -x, +y, -y, +z, -z, …, then the others in
    lexicographic order. In one dimension both steps are listed, in several those that were given.

    >>> from randwalk.model.coefficient import Constant
    >>> list(Steps({(-1, 1): Constant(0.1), (0, -1): Constant(0.2), (1, 0): Constant(0.3)}, 2))
    [(1, 0), (0, -1), (-1, 1)]
    """

    def __init__(self, probabilities: Mapping[Displacement, Coefficient], dimension: int) -> None:
        given = dict.fromkeys(along_axes(1), ZERO) | dict(probabilities) if dimension == 1 else probabilities
        self.dimension = dimension
        self._items = {e: given[e] for e in in_order(given)}

    def __getitem__(self, displacement: Displacement) -> Coefficient:
        return self._items[displacement]

    def __iter__(self) -> Iterator[Displacement]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Steps) and list(self.items()) == list(other.items())

    def __hash__(self) -> int:
        return hash(tuple(self.items()))

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{e}: {p}' for e, p in self.items())}}}"

    def moment(self, *axes: int) -> Coefficient:
        """Σ p_e Π e_i over the `axes`, in lattice steps: the mean step along one axis, the second moment of two."""
        weights = {e: float(np.prod([e[i] for i in axes])) for e in self}
        terms = (p if weights[e] > 0.0 else -p for e, p in self.items() if weights[e] and p != ZERO)
        return reduce(operator.add, terms, ZERO)


@cache
def along_axes(dimension: int) -> tuple[Displacement, ...]:
    """The displacements along the axes: +x, -x, +y, -y, …"""
    return tuple(unit(dimension, {axis: side}) for axis in range(dimension) for side in (1, -1))


def unit(dimension: int, components: Mapping[int, int]) -> Displacement:
    """The displacement with the given components, 0 elsewhere."""
    return tuple(components.get(i, 0) for i in range(dimension))


def in_order(displacements: Iterable[Displacement]) -> list[Displacement]:
    """Displacements in the order of the stencil."""

    def place(e: Displacement) -> tuple[object, ...]:
        moving = [i for i, step in enumerate(e) if step]
        return (0, moving[0], -e[moving[0]]) if len(moving) == 1 else (1, *e)

    return sorted(displacements, key=place)


def name_of(displacement: Displacement) -> str:
    """What a step is called: "right", "left", "up", "down", "front", "back", else ``steps[(1, 1)]``."""
    moving = [i for i, step in enumerate(displacement) if step]
    if len(moving) == 1 and moving[0] < len(NAMES):
        return NAMES[moving[0]][displacement[moving[0]] < 0]
    return f"steps[{displacement}]"


@cache
def named(dimension: int) -> Mapping[str, Displacement]:
    """The displacements that have a name of their own in a number of dimensions."""
    return MappingProxyType({name_of(e): e for e in along_axes(dimension) if not any(e[len(NAMES) :])})


def check_displacements(steps: Iterable[object], dimension: int) -> None:
    """Refuse displacements that are no tuples of `dimension` components -1, 0 and 1, and the step nowhere."""
    for e in steps:
        if not isinstance(e, tuple) or not all(isinstance(c, (int, np.integer)) and -1 <= c <= 1 for c in e):
            raise ValueError(
                f"steps[{shown(e)}]: a displacement is a tuple of -1, 0 and 1, one an axis, in lattice steps: "
                f"{(1,) + (0,) * (dimension - 1)} is one dx along x"
            )
        if len(e) != dimension:
            raise ValueError(
                f"steps[{shown(e)}] has {len(e)} components, and the domain has {dimension} "
                f"dimension{'s' * (dimension > 1)}: give one an axis"
            )
        if not any(e):
            raise ValueError(f"steps[{e}]: a walker stays with the probability that the others leave; leave it out")


def all_displacements(dimension: int) -> list[Displacement]:
    """Every displacement of components -1, 0 and 1 but the one nowhere, in the order of the stencil."""
    every = itertools.product((-1, 0, 1), repeat=dimension)
    return in_order(dict.fromkeys(e for e in every if any(e)))
