"""Look-ups that all laws share: points, bin edges, axes, and the error of a law that has no answer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.arguments import common_shape, known_numbers, numbers
from ..inputs.wording import shown
from ..model.coefficient import Floats
from ..model.coefficient.variables import coordinate


class NoAnswer(ValueError):
    """A law has no answer to a question; the message says which question and why."""


def check_edges(edges: ArrayLike) -> Floats:
    """Bin edges as an array; refused unless there are two or more and they increase. The outer ones may be infinite."""
    array = numbers("edges", edges)
    if array.ndim != 1 or array.size < 2 or not (np.diff(array) > 0).all():
        raise ValueError(f"edges must be at least two increasing numbers, not {array.tolist()}")
    return array


def edges_on(edges: Any, dimension: int) -> Any:
    """Bin edges: an array in one dimension, beyond a tuple of one array an axis."""
    if dimension == 1:
        return check_edges(edges)
    if not isinstance(edges, (tuple, list)) or len(edges) != dimension:
        raise ValueError(f"edges = {shown(edges)}: give a list of edges for each of the {dimension} axes")
    return tuple(check_edges(e) for e in edges)


def points(x: Any, dimension: int, name: str = "x") -> tuple[Any, tuple[int, ...]]:
    """(places as flat arrays, their shape): an array in one dimension, beyond a tuple of one array a coordinate, which are
    broadcast against each other. `name` is that of the argument."""
    if dimension == 1:
        places = known_numbers(name, x)
        return places.ravel(), places.shape
    if not isinstance(x, (tuple, list)) or len(x) != dimension:
        names = ", ".join(coordinate(axis) for axis in range(dimension))
        raise ValueError(f"{name} = {shown(x)}: give a point ({names}), a number or an array for each coordinate")
    given = [known_numbers(coordinate(axis), v) for axis, v in enumerate(x)]
    shape = common_shape(name, given)
    return tuple(np.broadcast_to(v, shape).ravel() for v in given), shape


def axis_number(axis: int | str, dimension: int) -> int:
    """The number of an axis, given as that or by the name of its coordinate."""
    names = [coordinate(number) for number in range(dimension)]
    if isinstance(axis, str) and axis in names:
        return names.index(axis)
    if isinstance(axis, (int, np.integer)) and not isinstance(axis, bool) and 0 <= axis < dimension:
        return int(axis)
    known = " or ".join(f"{number}, {name!r}" for number, name in enumerate(names))
    raise ValueError(f"axis = {shown(axis)}: a law in {dimension} dimension{'s' * (dimension > 1)} has axis {known}")
