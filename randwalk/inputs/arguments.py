"""Arguments of the wrong kind, refused with name, value and what would do."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .wording import shown

Kind = TypeVar("Kind", bound=StrEnum)


def number(name: str, value: object) -> float:
    """A real number as a float; infinite ones and NaN are.

    Raises
    ------
    TypeError, ValueError
        for what is no real number, or a whole number too large to be one.
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
    """A finite real number."""
    result = number(name, value)
    if not math.isfinite(result):
        raise ValueError(f"{name} = {result}: must be a finite number")
    return result


def numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Real numbers as an array of floats; infinite ones and NaN are.

    Raises
    ------
    TypeError
        for anything else, and for lists of lists of different lengths.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.array(None)
    if array.size and array.dtype.kind not in "iuf":
        raise TypeError(f"{name} = {shown(values)}: must be a number or numbers")
    return array.astype(np.float64)


def finite_numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Finite real numbers."""
    array = numbers(name, values)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, not {array[~np.isfinite(array)].flat[0]}")
    return array


def known_numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Real numbers, infinite ones among them, but not NaN."""
    array = numbers(name, values)
    if np.isnan(array).any():
        place = f" in place {np.argwhere(np.isnan(array))[0].tolist()}" if array.ndim else ""
        raise ValueError(f"{name} = nan{place}: must be a number")
    return array


def one_of(name: str, value: object, allowed: Iterable[str]) -> str:
    """One of some words."""
    words = list(allowed)
    if not isinstance(value, str) or value not in words:
        raise ValueError(f"{name} = {shown(value)}: must be one of {', '.join(words)}")
    return str(value)


def member(name: str, value: object, kind: type[Kind]) -> Kind:
    """A member of an enumeration, or its name in small letters."""
    return kind(one_of(name, value, [item.value for item in kind]))
