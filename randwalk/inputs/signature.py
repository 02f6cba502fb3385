"""The parameters that the caller of a function must give."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np


def check_returns(name: str, function: object) -> None:
    """Refuse a function as the argument `name` that returns no value when it is called.

    Raises
    ------
    TypeError
        for a generator or an ``async`` function.
    """
    for code in (function, type(function).__call__) if callable(function) else ():
        called = getattr(function, "__name__", type(function).__name__)
        if inspect.isgeneratorfunction(code) or inspect.isasyncgenfunction(code):
            raise TypeError(
                f"{name} = {called}: is a generator, which returns no number when it is called. Write return where it says yield"
            )
        if inspect.iscoroutinefunction(code):
            raise TypeError(
                f"{name} = {called}: is an async function, which returns no number when it is called. Write def without async"
            )


def needed_parameters(function: Callable[..., Any]) -> list[str]:
    """The names of the positional parameters without a default. NumPy's ufuncs have no signature before NumPy 2.4: their
    arguments are called x, or x and t.

    Raises
    ------
    TypeError
        for a function without a signature.

    >>> needed_parameters(lambda x, t, width=1.0: x), needed_parameters(np.sin)
    (['x', 't'], ['x'])
    """
    if isinstance(function, np.ufunc):
        return ["x", "t", *(f"x{i}" for i in range(3, function.nin + 1))][: function.nin]
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        name = getattr(function, "__name__", repr(function))
        raise TypeError(
            f"a coefficient function takes x, t or (x, t), and {name} does not say what it takes: "
            f"give lambda x: {name}(x)"
        ) from None
    return [
        p.name for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
