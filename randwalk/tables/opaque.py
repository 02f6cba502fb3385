"""Python functions that are not read into trees, compiled by Numba as they are."""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable
from typing import Any

from numba import float64, njit, types
from numba.core import errors

from ..jit.compile import OPTIONS


class CannotEmit(ValueError):
    """A coefficient has a part for which there is no device function."""


def compiled(function: Callable[..., Any], arguments: int, place: tuple[int, ...], reason: str) -> Any:
    """The function as kernels call it with so many numbers; `place` says which of the numbers that it returns is wanted.

    Raises
    ------
    CannotEmit
        if Numba cannot compile it, with the line and the construct, and the `reason` why it has no tree.
    """
    name = getattr(function, "__name__", type(function).__name__)
    try:
        dispatcher: Any = njit(**OPTIONS)(function)
        dispatcher.compile((float64,) * arguments)
    except (errors.NumbaError, errors.UnsupportedBytecodeError, TypeError, NotImplementedError) as error:
        raise CannotEmit(_refused(name, function, reason, error)) from None
    returned: Any = dispatcher.overloads[(float64,) * arguments].signature.return_type
    for index in place:
        inner: Any = getattr(returned, "types", ())
        returned = inner[index] if index < len(inner) else types.none
    if not isinstance(returned, (types.Number, types.Boolean)):
        raise CannotEmit(
            f"{name} cannot be compiled for a walk: for numbers it returns {returned}, which is no number. Let it return a float"
        )
    return dispatcher


def _refused(name: str, function: Callable[..., Any], reason: str, error: Exception) -> str:
    said = [line.strip() for line in str(error).splitlines()]
    told = [
        line for line in said if line and not line.startswith(("Failed in nopython", "File ", "During", ">>>", "-"))
    ]
    what = re.sub(r"\. Raised from .*", "", told[0] if told else type(error).__name__).rstrip(".:")
    location = getattr(error, "loc", None)
    found = re.search(r"Raised from (.*) \((\d+)\)", str(error))
    code = getattr(function, "__code__", None)
    file, line = (location.filename, location.line) if location else (getattr(code, "co_filename", ""), None)
    if line is None and found:
        line = int(found.group(2))
    text = linecache.getline(file, line).strip() if line else ""
    at = f" at line {line}{f' ({text})' if text else ''}" if line else ""
    return (
        f"{name} has no tree ({reason}) and cannot be compiled as it is: {what}{at}. Write it with NumPy's operations on arrays, "
        "with `math` and plain numbers, or as rw.expression(...)"
    )
