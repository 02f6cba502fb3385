"""The Python functions that a declaration holds, with the names of the arguments that they were given as, and whether a run may
rely on them."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType
from typing import Any

from .coefficient import Coefficient, Constant, Difference, Function
from .steps import Steps, name_of

PLAIN = (NoneType, int, float, str, Constant)  # in which there are none
NAMELESS = ("", "task", "walk", "declared", "records")  # values whose fields are arguments of their own


def functions_in(value: Any, name: str = "") -> Iterator[tuple[str, Function]]:
    """(name, function) of every Python function in a walk, a record, a run or another value object, each once.

    Examples
    --------
    >>> import randwalk as rw
    >>> walk = rw.LatticeWalk.from_drift(lambda x: -x, 0.5, dx=0.1, killing=lambda t: 0.1 * t)
    >>> [name for name, function in functions_in(walk)]
    ['drift', 'killing']
    """
    return _functions(value, name, {})


def check_unchanged(functions: Iterable[tuple[str, Function]]) -> None:
    """Refuse functions that read what has changed since they were declared.

    Raises
    ------
    ValueError
        with the argument, the function and the names of what has changed.
    """
    for name, function in functions:
        if read := function.changed:
            raise ValueError(
                f"{name} = {function.name}: reads {', '.join(read)}, which changed after the walk was declared: declare it again"
            )


def told_apart(mine: Any, other: Any) -> str:
    """Two values that differ, in words: where they print alike, by the functions in which they differ."""
    if str(mine) != str(other):
        return f"{mine} and {other}"
    for (name, one), (_, another) in zip(functions_in(mine), functions_in(other), strict=False):
        if one != another:
            read = one.differs(another)
            why = f"reads {', '.join(read)}, not the same in both" if read else "is not written alike in both"
            return f"{name} = {one.name} {why}; both print as {mine}"
    return f"both print as {mine}"


def check_travels(functions: Iterable[tuple[str, Function]], dumps: Callable[[Any], object] = pickle.dumps) -> None:
    """Refuse functions that no other process can have: those that `dumps` cannot write, of pickle or of cloudpickle.

    Raises
    ------
    TypeError
        with the argument, the function, why it is not read into a formula, and what to do.
    """
    for name, function in functions:
        try:
            dumps(function)
        except Exception as error:
            plain = dumps is pickle.dumps
            why = "no module has it by that name" if plain else f"holds what cannot be sent ({error})"
            raise TypeError(
                f"executor: {name} = {function.name}: does not travel to other processes, because it is opaque "
                f"({function.opaque}) and {why}: define it in a module that they can import, write it "
                f"with NumPy's operations or as rw.expression(...){', or install cloudpickle' if plain else ''}"
            ) from None


def _functions(value: Any, name: str, seen: dict[int, Any]) -> Iterator[tuple[str, Function]]:
    """Those in a value, but for what was `seen`, by its id: most of a walk is in what was declared and in what was made of it."""
    for called, part in _parts(value, name):
        if isinstance(part, PLAIN) or id(part) in seen:
            continue
        seen[id(part)] = part  # which keeps the id its own
        if isinstance(part, Function):
            yield called, part
        yield from _functions(part, called, seen)


def _parts(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """What a value is made of, with the name of the argument that it belongs to."""
    match value:
        case Function():
            yield from ((name, slope) for slope in value.derivatives)
        case Difference():
            yield name, value.of
        case Coefficient():
            yield from ((name, part) for part in value.parts)
        case Steps():
            yield from ((name_of(e), probability) for e, probability in value.items())
        case tuple() | list():
            yield from ((name, part) for part in value)
        case _ if is_dataclass(value):
            kind: Any = type(value)
            named = name in NAMELESS
            for field in _names(kind):
                yield field.removeprefix("declared_") if named else name, getattr(value, field)


@cache
def _names(kind: type) -> list[str]:
    """The fields of value objects: what was declared before what was made of it, which has its functions, too."""
    return sorted((field.name for field in fields(kind)), key=lambda field: not field.startswith("declared"))
