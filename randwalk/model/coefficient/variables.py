"""The names of the variables of a coefficient: the coordinates x, y, z, x[3], … of a point, and the time t."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.floating[Any]]
Point: TypeAlias = tuple[Floats, ...]  # one array a coordinate
At: TypeAlias = Mapping[str, float]  # values of variables by name; a variable that is not named has the value 0

LETTERS = ("x", "y", "z")
TIME = "t"
WANTED = "'x', 'y', 'z', 'x[i]' or 't'"


def coordinate(index: int) -> str:
    """The name of the coordinate with a number, counted from 0.

    >>> [coordinate(i) for i in range(5)]
    ['x', 'y', 'z', 'x[3]', 'x[4]']
    """
    return LETTERS[index] if index < len(LETTERS) else f"x[{index}]"


def index_of(name: str) -> int:
    """The number of the coordinate with a name, -1 of the time.

    Raises
    ------
    ValueError
        for a name that no variable has.
    """
    if name == TIME:
        return -1
    if name in LETTERS:
        return LETTERS.index(name)
    if isinstance(name, str) and (match := re.fullmatch(r"x\[(\d{1,3})\]", name)):
        return int(match[1])
    raise ValueError(f"variable = {name!r}: must be {WANTED}")


def check_variable(variable: str, low: float = -math.inf, high: float = math.inf) -> str:
    """The name by which coefficients know the variable; a name that no variable has and a range with NaN are refused."""
    index = index_of(variable)
    if math.isnan(low) or math.isnan(high):
        raise ValueError(f"low = {low}, high = {high}: must be numbers")
    return TIME if index < 0 else coordinate(index)


def in_order(names: Iterable[str]) -> list[str]:
    """Names of variables: coordinates first, by their numbers, then the time."""
    return sorted(names, key=lambda name: index_of(name) % 2**31)


def along(variable: str, point: Point, t: Floats) -> Floats:
    """The values of one variable."""
    index = index_of(variable)
    return t if index < 0 else point[index]


def arguments(variable: str, values: Floats, at: At, dimension: int) -> tuple[Point, Floats]:
    """(point, t) with the `values` of one variable and one value of each other."""
    given = {name: np.asarray(value, dtype=np.float64) for name, value in at.items()} | {variable: values}
    zero = np.zeros(())
    size = max(dimension, index_of(variable) + 1)
    return tuple(given.get(coordinate(i), zero) for i in range(size)), given.get(TIME, zero)
