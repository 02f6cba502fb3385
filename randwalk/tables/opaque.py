"""Python functions that are not read into trees, compiled by Numba as they are."""

from __future__ import annotations

import linecache
import re
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numba import float64, njit, types
from numba.core import errors

from ..jit.compile import OPTIONS
from ..model.coefficient.point_function import AtPoint


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
    given = (float64,) * arguments
    try:
        dispatcher = _of_numbers(function, given) if isinstance(function, AtPoint) else _dispatcher(function, given)
    except (errors.NumbaError, errors.UnsupportedBytecodeError, TypeError, NotImplementedError) as error:
        written = function.function if isinstance(function, AtPoint) else function
        raise CannotEmit(_refused(name, written, reason, error)) from None
    whole: Any = dispatcher.overloads[given].signature.return_type
    returned: Any = whole
    for index in place:
        inner: Any = getattr(returned, "types", ())
        returned = inner[index] if index < len(inner) else types.none
    if not isinstance(returned, (types.Number, types.Boolean)):
        found, wanted = ("numbers in tuples", "a tuple") if place else ("a number", "a float")
        raise CannotEmit(
            f"{name} cannot be compiled for a walk: for numbers it returns {whole}, which is not {found}. Let it return {wanted}"
        )
    return dispatcher


@contextmanager
def of_user(functions: Sequence[Callable[..., Any]]) -> Iterator[None]:
    """What a compiled function of the user raises, if a walk has any, with the line and where it stands."""
    try:
        yield
    except Exception as error:  # of whatever kind: the function is the user's
        if not functions:
            raise
        at = traceback.extract_tb(error.__traceback__)[-1]
        line = f", at line {at.lineno} of {at.filename} ({at.line})" if at.line else ""
        raise ValueError(
            f"a function of the walk raises {type(error).__name__} where walkers came: {error}{line}. Let it return as many "
            "numbers everywhere, or put walls before such places"
        ) from error


def _dispatcher(function: Callable[..., Any], given: tuple[Any, ...]) -> Any:
    """The function, compiled for arguments of the given types."""
    made: Any = njit(**OPTIONS)(function)
    made.compile(given)
    return made


def _of_numbers(whole: AtPoint, given: tuple[Any, ...]) -> Any:
    """A function of a point as one of numbers that returns tuples: kernels have no memory for arrays of their own. It is
    refused where an array has not the shape that it had when the function was declared."""
    d = whole.dimension
    function = _dispatcher(whole.function, (float64[::1], *given[d:]))
    (overload,) = function.overloads.values()
    names = [f"x{i}" for i in range(d)]
    lines = [f"r = function(np.array(({', '.join(names)}, )){', t' * (len(given) > d)})"]
    if isinstance(overload.signature.return_type, types.Array) and whole.shape:
        says = f"{whole.__name__} returns an array of another shape than elsewhere, which is {whole.shape}"
        lines += [f"if r.shape != {whole.shape}:", f"    raise ValueError({says!r})"]
        lines += [f"return {_nested(whole.shape, lambda place: f'r{list(place)}')}"]
    else:
        lines += ["return r"]
    made: dict[str, Any] = {"np": np, "function": function}
    exec("\n    ".join([f"def called({', '.join([*names, 't'][: len(given)])}):", *lines]), made)
    return _dispatcher(made["called"], given)


def _nested(shape: tuple[int, ...], entry: Callable[[tuple[int, ...]], str], place: tuple[int, ...] = ()) -> str:
    """The text of tuples in tuples."""
    if not shape:
        return entry(place)
    return "(" + "".join(f"{_nested(shape[1:], entry, (*place, i))}, " for i in range(shape[0])) + ")"


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
