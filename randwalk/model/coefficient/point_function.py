"""Python functions of a point of many coordinates, ``f(x)`` or ``f(x, t)`` with x the array of them: trees, or opaque."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ...inputs.signature import check_returns, needed_parameters
from ...inputs.wording import shown
from .base import Coefficient
from .components import Component, shape_returned
from .function import Function
from .leaves import Constant, Variable
from .tracing import NotTraceable, Traced
from .variables import LETTERS, TIME, coordinate

COMPARED = 64  # points at which the trees are compared with the function
AGREE = 1e-9  # of the largest of the values: how closely they must agree


class AtPoint:
    """A function of the array of all coordinates, and perhaps the time, as one of as many numbers. It takes numbers alone: what
    is a sum over the coordinates for one point is none for many."""

    def __init__(self, function: Callable[..., Any], dimension: int, shape: tuple[int, ...] = ()) -> None:
        self.function, self.dimension, self.shape = function, dimension, shape
        self.__name__ = getattr(function, "__name__", type(function).__name__)
        self.__signature__ = inspect.Signature([inspect.Parameter("x", inspect.Parameter.POSITIONAL_OR_KEYWORD)])

    def __call__(self, *at: Any) -> Any:
        if any(map(np.ndim, at)):
            raise TypeError(f"{self.__name__} takes one point at a time")
        value = self.function(np.array(at[: self.dimension], dtype=np.float64), *at[self.dimension :])
        if self.shape and np.shape(value) != self.shape:
            raise TypeError(
                f"{self.__name__} returns {shown(value)} at x = {list(at[: self.dimension])}, and {_many(self.shape)} elsewhere: "
                "let it return as many everywhere"
            )
        return value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AtPoint) and (self.function, self.dimension) == (other.function, other.dimension)

    def __hash__(self) -> int:
        return hash((self.function, self.dimension))


def _many(shape: tuple[int, ...]) -> str:
    """How many numbers an array of a shape has."""
    return f"{' × '.join(map(str, shape))} numbers"


def takes_point(function: object) -> bool:
    """Whether an object is a Python function of x, or of x and t."""
    if not callable(function) or isinstance(function, (Coefficient, np.ndarray)):
        return False
    return tuple(needed_parameters(function)) in (("x",), ("x", TIME))


def at_a_point(name: str, value: Any, dimension: int) -> Any:
    """What a Python function of a point returns in more dimensions than have names, :func:`of_point`; another value as it is."""
    return of_point(name, value, dimension) if dimension > len(LETTERS) and takes_point(value) else value


def by_place(function: Any, dimension: int) -> Any:
    """A function of as many parameters as there are axes, and perhaps t at last, whose names are not those of the coordinates, as
    a function of the coordinates in order; another object as it is.

    >>> from randwalk.inputs.signature import needed_parameters
    >>> needed_parameters(by_place(lambda x, v: (v, -x), 2))
    ['x', 'y']
    """
    if not callable(function) or isinstance(function, (Coefficient, np.ndarray)):
        return function
    names = needed_parameters(function)
    axes = [coordinate(i) for i in range(dimension)]
    if set(names) <= {*axes, TIME} or names[dimension:] not in ([], [TIME]) or TIME in names[:dimension]:
        return function

    @functools.wraps(function)
    def renamed(*at: Any) -> Any:
        return function(*at)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    renamed.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, kind) for name in (*axes, *names[dimension:])]
    )
    return renamed


def of_point(name: str, function: Callable[..., Any], dimension: int) -> Any:
    """The trees of what a function of a point returns, nested tuples of them, by calling it with an array of symbols; opaque
    coefficients in their place if it is not made of operations that a tree has.

    Raises
    ------
    TypeError
        for a function that fails for all arguments tried, with its error.

    Examples
    --------
    >>> trees = of_point("drift", lambda x: -x + 0.5 * np.roll(x, 1), 4)
    >>> [str(tree) for tree in trees]
    ['-x + 0.5*x[3]', '-y + 0.5*x', '-z + 0.5*y', '-x[3] + 0.5*z']
    """
    check_returns(name, function)
    symbols = np.empty(dimension, dtype=object)
    for i in range(dimension):
        symbols[i] = Traced(Variable(coordinate(i)))
    timed = len(needed_parameters(function)) > 1
    try:
        with np.errstate(all="ignore"):
            trees = _trees(function(symbols, Traced(Variable(TIME))) if timed else function(symbols))
    except Exception as error:  # of whatever kind: the function is the user's
        known = isinstance(error, NotTraceable)
        return _opaque(name, function, dimension, timed, f"{error}" if known else f"{type(error).__name__}: {error}")
    if not _agree(function, trees, dimension, timed):
        reason = "called with symbols it is not the function that it is with numbers"
        return _opaque(name, function, dimension, timed, reason)
    return trees


def _opaque(name: str, function: Callable[..., Any], dimension: int, timed: bool, reason: str) -> Any:
    """What the function returns as coefficients without a tree, for the `reason` given."""
    taken = (*map(coordinate, range(dimension)), *((TIME,) if timed else ()))
    shape = shape_returned(name, AtPoint(function, dimension), len(taken))
    at_point = AtPoint(function, dimension, shape)

    def part(shape: tuple[int, ...], place: tuple[int, ...]) -> Any:
        if shape:
            return tuple(part(shape[1:], (*place, i)) for i in range(shape[0]))
        return Function.of_coordinates(Component(at_point, place) if place else at_point, taken, reason)

    return part(shape, ())


def _trees(value: Any) -> Any:
    if isinstance(value, Traced):
        return value.tree
    if isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim):
        return tuple(_trees(part) for part in value)
    if np.ndim(value) or isinstance(value, (bool, np.bool_, str)) or value is None:
        raise NotTraceable(f"it returns {shown(value)}")
    return Constant(float(value))


def _agree(function: Callable[..., Any], trees: Any, dimension: int, timed: bool) -> bool:
    """Whether the trees have the function's values at points of several sizes."""
    rng = np.random.default_rng(0)
    for size in np.geomspace(1e-6, 1e3, COMPARED):
        point, t = rng.uniform(-size, size, dimension), float(rng.uniform(0.0, size))
        with np.errstate(all="ignore"):
            wanted = np.asarray(function(point, t) if timed else function(point), dtype=np.float64)
            found = np.asarray(_values(trees, tuple(point), t))
        sound = np.isfinite(wanted)
        scale = np.abs(wanted[sound]).max(initial=0.0)
        if wanted.shape != found.shape or (np.abs(found - wanted)[sound] > AGREE * scale).any():
            return False
    return True


def _values(trees: Any, point: tuple[float, ...], t: float) -> Any:
    return tuple(_values(tree, point, t) for tree in trees) if isinstance(trees, tuple) else float(trees(point, t))
