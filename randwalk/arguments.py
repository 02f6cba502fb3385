"""Arguments turned into arrays of numbers, or refused by name and value."""

from __future__ import annotations

from typing import Any

import numpy as np

from .coefficient import Floats


def numbers(name: str, value: Any) -> Floats:
    """`value` as an array of doubles, none of them NaN; refused unless it is a number or an array of numbers.

    >>> numbers("x", [1, 2.5])
    array([1. , 2.5])
    """
    try:
        given = np.asarray(value)
        if given.dtype.kind not in "biuf" and not (given.dtype == object and all(map(_real, given.flat))):
            raise TypeError
        array = given.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name} = {value!r}: give a number or an array of numbers") from None
    if np.isnan(array).any():
        where = "" if array.ndim == 0 else f" (place {np.argwhere(np.isnan(array))[0].tolist()})"
        raise ValueError(f"{name} = nan{where}: must be a number")
    return array


def number(name: str, value: Any) -> float:
    """`value` as one double, not NaN; refused if it is none."""
    array = numbers(name, value)
    if array.size != 1:
        raise TypeError(f"{name} = {value!r}: give one number")
    return float(array.reshape(()))


def _real(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating))
