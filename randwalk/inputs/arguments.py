"""Checks of arguments. Error messages have the name and the value of the argument, and what is accepted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .wording import shown

Kind = TypeVar("Kind", bound=StrEnum)


def number(name: str, value: object) -> float:
    """The value as a float. Infinity and NaN are accepted.

    Raises
    ------
    TypeError
        for a value that is no real number.
    ValueError
        for a whole number too large for a float.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        hint = ""
        if isinstance(value, str):
            with suppress(ValueError):
                hint = f", as {float(value):g}"
        raise TypeError(f"{name} = {shown(value)}: must be a number{hint}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} = {shown(value)}: is too large for a floating-point number") from None


def finite(name: str, value: object) -> float:
    """The value as a float, refused unless finite."""
    result = number(name, value)
    if not math.isfinite(result):
        raise ValueError(f"{name} = {result}: must be a finite number")
    return result


def numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """The values as an array of floats. Infinity and NaN are accepted.

    Raises
    ------
    TypeError
        for values that are no real numbers, and for lists of lists of different lengths.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.array(None)
    if array.size and array.dtype.kind not in "iuf":
        raise TypeError(f"{name} = {shown(values)}: must be a number or numbers{culprit(values)}")
    return array.astype(np.float64)


def common_shape(name: str, coordinates: Sequence[NDArray[np.float64]]) -> tuple[int, ...]:
    """The shape to which the arrays of coordinates of points broadcast, refused unless they do."""
    try:
        return np.broadcast_shapes(*(values.shape for values in coordinates))
    except ValueError:
        raise ValueError(
            f"{name}: the arrays of coordinates have the shapes {', '.join(str(v.shape) for v in coordinates)}: give arrays of "
            "one shape, or np.meshgrid(..., sparse=True)"
        ) from None


def is_missing(value: object) -> bool:
    """Whether an entry of a table stands for none: None, NaN, or pandas' NA and NaT."""
    return (
        value is None
        or type(value).__name__ in ("NAType", "NaTType")
        or (isinstance(value, (float, np.floating)) and bool(value != value))
    )


def culprit(values: object) -> str:
    """The first entry of a plain list that is no real number, with its row; a text only where it does not spell one."""
    entries = values.tolist() if isinstance(values, np.ndarray) else values
    if not isinstance(entries, (list, tuple)) or any(isinstance(entry, (list, tuple, np.ndarray)) for entry in entries):
        return ""
    for row, entry in enumerate(entries):
        with suppress(TypeError, ValueError):
            if isinstance(entry, str) and len(entries) > 1:
                float(entry)
            else:
                number("", entry)
            continue
        return f"; row {row} has {shown(entry)}"
    return ""


def finite_numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """The values as an array of floats, refused unless all are finite."""
    array = numbers(name, values)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, not {array[~np.isfinite(array)].flat[0]}")
    return array


def known_numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """The values as an array of floats. Infinity is accepted, NaN is refused."""
    array = numbers(name, values)
    if np.isnan(array).any():
        place = f" in place {np.argwhere(np.isnan(array))[0].tolist()}" if array.ndim else ""
        raise ValueError(f"{name} = nan{place}: must be a number")
    return array


def one_of(name: str, value: object, allowed: Iterable[str]) -> str:
    """The value, if it is one of the allowed words."""
    words = list(allowed)
    if not isinstance(value, str) or value not in words:
        raise ValueError(f"{name} = {shown(value)}: must be one of {', '.join(words)}")
    return str(value)


def member(name: str, value: object, kind: type[Kind]) -> Kind:
    """The member of an enumeration that the value is, or names in small letters."""
    return kind(one_of(name, value, [item.value for item in kind]))
