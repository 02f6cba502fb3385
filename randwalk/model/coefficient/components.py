"""Vectors and tensors given by one Python function that returns several numbers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ...inputs.signature import check_returns, needed_parameters
from ...inputs.wording import shown

TRIED = (0.4142, 1.7e-7, -0.7321)  # arguments at which a function is asked how many numbers it returns


class Component:
    """One of the numbers that a function returns, as a function of the same parameters."""

    def __init__(self, function: Callable[..., Any], place: tuple[int, ...]) -> None:
        functools.update_wrapper(self, function)
        self.function, self.place = function, place
        self.__name__ = f"{getattr(function, '__name__', type(function).__name__)}{list(place)}"

    def __call__(self, *at: Any) -> Any:
        value = whole = self.function(*at)
        for index in self.place:
            try:
                value = value[index]
            except (IndexError, TypeError):
                called = getattr(self.function, "__name__", type(self.function).__name__)
                raise TypeError(
                    f"{called} returns {shown(whole)} at {', '.join(map(shown, at))}, which has no number {list(self.place)}: "
                    "let it return as many numbers everywhere"
                ) from None
        return value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Component) and (self.function, self.place) == (other.function, other.place)

    def __hash__(self) -> int:
        return hash((self.function, self.place))


def components(name: str, value: object) -> object:
    """`value`, but a function that returns a tuple, or a tuple of tuples, as a tuple of functions.

    Raises
    ------
    TypeError
        for a function that fails for all arguments tried, with its error.

    Examples
    --------
    >>> first, second = components("drift", lambda x, y: (-x, 1.0))
    >>> first(3.0, 0.0), second(3.0, 0.0)
    (-3.0, 1.0)
    """
    if not callable(value) or isinstance(value, np.ndarray) or hasattr(value, "evaluate"):
        return value
    check_returns(name, value)
    shape = shape_returned(name, value, len(needed_parameters(value)))
    return _nested(value, shape, ()) if shape else value


def _nested(function: Callable[..., Any], shape: tuple[int, ...], place: tuple[int, ...]) -> object:
    if not shape:
        return Component(function, place)
    return tuple(_nested(function, shape[1:], (*place, i)) for i in range(shape[0]))


def check_number(name: str, function: Callable[..., Any], count: int) -> None:
    """Refuse a function of so many numbers as the argument `name` where it returns something other than one real number."""
    for at in TRIED:
        try:
            with np.errstate(all="ignore"):
                value = function(*(at * (1.0 + 0.1 * i) for i in range(count)))
        except Exception:  # of whatever kind: the function is the user's, and where it is called it says so
            continue
        one = np.asarray(value) if not isinstance(value, (tuple, list)) else np.empty(0)
        if one.size != 1 or one.dtype.kind not in "biuf":
            called = getattr(function, "__name__", type(function).__name__)
            raise TypeError(f"{name} = {called}: returns {shown(value)}: let it return one real number everywhere")
        return


def shape_returned(name: str, function: Callable[..., Any], count: int) -> tuple[int, ...]:
    """The shape of what the function returns for so many numbers.

    Raises
    ------
    TypeError
        for a function that fails for all arguments tried, with its error, or returns neither numbers nor tuples of them.
    """
    called, failed = getattr(function, "__name__", type(function).__name__), None
    for at in TRIED:
        try:
            with np.errstate(all="ignore"):
                value = function(*(at * (1.0 + 0.1 * i) for i in range(count)))
                shape = np.shape(value)
        except Exception as error:  # of whatever kind: the function is the user's
            failed = error
            continue
        if value is None or isinstance(value, str):
            raise TypeError(
                f"{name} = {called}: returns {shown(value)}: let it return a number, or a tuple of them, everywhere"
            )
        return shape
    raise TypeError(f"{name} = {called}: fails when it is called with numbers: {type(failed).__name__}: {failed}")
