"""Python functions of a point of many coordinates, ``f(x)`` or ``f(x, t)`` with x the array of them, read into trees."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ...inputs.signature import needed_parameters
from ...inputs.wording import shown
from .base import Coefficient
from .leaves import Constant, Variable
from .tracing import NotTraceable, Traced
from .variables import TIME, coordinate

COMPARED = 64  # points at which the trees are compared with the function
AGREE = 1e-9  # of the largest of the values: how closely they must agree


def takes_point(function: object) -> bool:
    """Whether an object is a Python function of x, or of x and t."""
    if not callable(function) or isinstance(function, (Coefficient, np.ndarray)):
        return False
    return tuple(needed_parameters(function)) in (("x",), ("x", TIME))


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
    """The trees of what a function of a point returns, nested tuples of them, by calling it with an array of symbols.

    Raises
    ------
    TypeError
        for a function that is not made of operations that a tree has, with the reason and what to write.

    Examples
    --------
    >>> trees = of_point("drift", lambda x: -x + 0.5 * np.roll(x, 1), 4)
    >>> [str(tree) for tree in trees]
    ['-x + 0.5*x[3]', '-y + 0.5*x', '-z + 0.5*y', '-x[3] + 0.5*z']
    """
    symbols = np.empty(dimension, dtype=object)
    for i in range(dimension):
        symbols[i] = Traced(Variable(coordinate(i)))
    timed = len(needed_parameters(function)) > 1
    try:
        with np.errstate(all="ignore"):
            trees = _trees(function(symbols, Traced(Variable(TIME))) if timed else function(symbols))
    except NotTraceable as reason:
        raise TypeError(_refused(name, function, str(reason))) from None
    except Exception as error:
        raise TypeError(
            _refused(name, function, f"called with symbols it says {type(error).__name__}: {error}")
        ) from error
    if not _agree(function, trees, dimension, timed):
        raise TypeError(_refused(name, function, "called with symbols it is not the function that it is with numbers"))
    return trees


def _refused(name: str, function: object, reason: str) -> str:
    called = getattr(function, "__name__", type(function).__name__)
    return (
        f"{name} = {called}: is not read into formulas, because {reason}. Write it with NumPy's operations on the coordinates "
        "x[0], x[1], …, or give Linear(matrix, intercept) or a tuple of rw.expression(...)"
    )


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
