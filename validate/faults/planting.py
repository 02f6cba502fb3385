"""Planting a fault: a named function, method or class of the package is replaced by a wrong one, and put back afterwards.

Nothing here reads or writes source text, so that a fault survives all changes but a change of the name that it replaces.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Protocol

Function = Callable[..., Any]
Change = Callable[[Function], Any]  # from the right function to the wrong one


class Patch(Protocol):
    """What sets an attribute and knows how to put the old one back; pytest's MonkeyPatch is one, too."""

    def setattr(self, target: Any, name: str, value: Any) -> None: ...


class Planted:
    """Attributes that have been replaced."""

    def __init__(self) -> None:
        self._before: list[tuple[Any, str, Any]] = []

    def setattr(self, target: Any, name: str, value: Any) -> None:
        self._before.append((target, name, vars(target)[name]))
        setattr(target, name, value)

    def undo(self) -> None:
        while self._before:
            setattr(*self._before.pop())


@contextmanager
def planting() -> Iterator[Planted]:
    """Attributes replaced inside are put back at the end. What functions have remembered is forgotten before and after."""
    planted = Planted()
    forget()
    try:
        yield planted
    finally:
        planted.undo()
        forget()


def forget() -> None:
    """Empty the caches of all functions of the package."""
    for module in _modules():
        for value in list(vars(module).values()):
            clear = getattr(value, "cache_clear", None)
            if callable(clear) and getattr(value, "__module__", "").partition(".")[0] == "randwalk":
                clear()


def _modules() -> list[Any]:
    return [m for name, m in list(sys.modules.items()) if name.partition(".")[0] == "randwalk" and m is not None]


def replace(patch: Patch, owner: str, name: str, change: Change) -> None:
    """Put change(right) for the function, method or class `name` of `owner`, a module or "module:class", under every name by
    which modules of the package have imported it. What is a property or a class method is one afterwards."""
    module, _, inner = owner.partition(":")
    place: Any = sys.modules[module]
    if inner:
        place = getattr(place, inner)
    held = vars(place)[name]
    if isinstance(held, (property, cached_property)):
        get: Any = held.fget if isinstance(held, property) else held.func
        patch.setattr(place, name, property(change(get)))  # which what an instance has remembered does not hide
        return
    right = getattr(place, name)
    wrong = change(right)
    bound = isinstance(held, (classmethod, staticmethod))  # then `right` takes no class, and `wrong` none either
    patch.setattr(place, name, staticmethod(wrong) if bound else wrong)
    for known in [] if inner else _modules():
        for alias, value in list(vars(known).items()):
            if value is right:
                patch.setattr(known, alias, wrong)


def changed(wrong: Callable[..., Any]) -> Change:
    """The function whose result is wrong(result, arguments by name) of the right one's."""

    def change(right: Function) -> Function:
        def planted(*arguments: Any, **named: Any) -> Any:
            return wrong(right(*arguments, **named), _bound(right, arguments, named).arguments)

        return planted

    return change


def called(wrong: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """The function that is called with other arguments: `wrong` gives those that change, from all of them by name."""

    def change(right: Function) -> Function:
        def planted(*arguments: Any, **named: Any) -> Any:
            call = _bound(right, arguments, named)
            call.arguments.update(wrong(call.arguments))
            return right(*call.args, **call.kwargs)

        return planted

    return change


def _bound(function: Function, arguments: Any, named: Any) -> inspect.BoundArguments:
    call = inspect.signature(function).bind(*arguments, **named)
    call.apply_defaults()
    return call


def of_simulation(patch: Patch, owner: str, name: str, change: Change) -> None:
    """Replace a function while ensembles are simulated, not while the exact law is computed."""

    def simulating(right: Function) -> Function:
        def planted(*arguments: Any, **named: Any) -> Any:
            with planting() as inner:
                replace(inner, owner, name, change)
                return right(*arguments, **named)

        return planted

    replace(patch, "randwalk.simulation", "simulate", simulating)
