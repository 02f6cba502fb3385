"""The calls of NumPy that a traced function makes, kept so that another process makes the same calls."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_numbers = itertools.count()


@dataclass(frozen=True, eq=False)
class Argument:
    """One of the function's own arguments, by its number."""

    index: int


@dataclass(frozen=True, eq=False)
class Call:
    """A function of NumPy, and what it is called with: numbers, arguments, other calls and lists of these."""

    function: Callable[..., Any]
    inputs: tuple[Any, ...]
    options: dict[str, Any]
    number: int = field(default_factory=_numbers.__next__)  # grows from call to call


@dataclass(frozen=True)
class Slot:
    """A value that is known when a function is played: one of its arguments, or the result of one of its calls."""

    index: int


class Recorded:
    """A traced function as the calls that it made, in their order. It does the same arithmetic, so its values are those of the
    function bit for bit; it pickles wherever the function came from, and what the function read is in it as it was.

    >>> import operator
    >>> square = Recorded("square", ["x"], Call(operator.pow, (Argument(0), 2), {}))
    >>> square(3.0)
    9.0
    """

    def __init__(self, name: str, parameters: Sequence[str], value: Any) -> None:
        self.__name__, self.parameters = name, tuple(parameters)
        calls = sorted(_reachable(value), key=lambda call: call.number)
        slots = {id(call): Slot(len(self.parameters) + i) for i, call in enumerate(calls)}
        self.calls = [(c.function, _with_slots(c.inputs, slots), _with_slots(c.options, slots)) for c in calls]
        self.value = _with_slots(value, slots)

    @property
    def __signature__(self) -> inspect.Signature:
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature([inspect.Parameter(name, kind) for name in self.parameters])

    def __call__(self, *at: Any) -> Any:
        known = list(at)
        for function, inputs, options in self.calls:
            known.append(function(*_filled(inputs, known), **_filled(options, known)))
        return _filled(self.value, known)


def _reachable(value: Any) -> Iterator[Call]:
    """Every call that a value needs, once."""
    seen, waiting = set(), [value]
    while waiting:
        match waiting.pop():
            case Call() as call if id(call) not in seen:
                seen.add(id(call))
                waiting += [*call.inputs, call.options]
                yield call
            case list() | tuple() as parts:
                waiting += parts
            case dict() as parts:
                waiting += parts.values()


def _with_slots(value: Any, slots: Mapping[int, Slot]) -> Any:
    """Arguments and calls as the slots of their values."""
    match value:
        case Argument(index):
            return Slot(index)
        case Call():
            return slots[id(value)]
    return inside(value, lambda part: _with_slots(part, slots))


def _filled(value: Any, known: Sequence[Any]) -> Any:
    """Values in place of their slots."""
    return known[value.index] if isinstance(value, Slot) else inside(value, lambda part: _filled(part, known))


def inside(value: Any, change: Callable[[Any], Any]) -> Any:
    """A list, a tuple or a mapping with its parts changed; another value as it is."""
    if isinstance(value, dict):
        return {name: change(part) for name, part in value.items()}
    return type(value)(map(change, value)) if isinstance(value, (list, tuple)) else value
