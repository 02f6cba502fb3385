"""Parameters that 0.3 took by position and that are keyword-only now, and the depth of the user's call."""

from __future__ import annotations

import functools
import inspect
import sys
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_PACKAGE = __name__.partition(".")[0]


def once_positional(*names: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A decorator for a function whose keyword-only parameters `names` could be given by position in 0.3, in this order.

    For one release the function still takes them by position, with a DeprecationWarning that names the keywords.

    >>> @once_positional("width")
    ... def area(height, *, width=1.0):
    ...     return height * width
    >>> area(2.0, width=3.0)
    6.0
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        parameters = inspect.signature(function).parameters.values()
        allowed = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
        called = function.__qualname__.removesuffix(".__init__")

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
            extra = args[allowed:]
            if extra and len(extra) <= len(names):
                given = dict(zip(names, extra, strict=False))
                keywords = ", ".join(f"{name}=..." for name in given)
                if repeated := given.keys() & kwargs:
                    raise TypeError(f"{called}() got multiple values for argument {min(repeated)!r}")
                warnings.warn(
                    f"{called}() takes by keyword since 0.4 what is given by position here: write {keywords}",
                    DeprecationWarning,
                    stacklevel=2,
                )
                return function(*args[:allowed], **given, **kwargs)  # type: ignore[arg-type]
            return function(*args, **kwargs)

        return wrapper

    return decorate


def once_named(**names: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A decorator for a function whose parameters had other names in 0.3: ``once_named(old="new")``.

    For one release the function still takes the old keyword, with a DeprecationWarning that names the new one.

    >>> @once_named(wall="exit")
    ... def shout(exit):
    ...     return exit.upper()
    >>> shout("left")
    'LEFT'
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
            given = dict(kwargs)
            for old in names.keys() & kwargs.keys():
                warnings.warn(
                    f"{function.__qualname__}() has {names[old]}= since 0.4 for {old}=",
                    DeprecationWarning,
                    stacklevel=2,
                )
                if names[old] in given:
                    raise TypeError(f"{function.__qualname__}() got {old}= and {names[old]}=: give {names[old]}= alone")
                given[names[old]] = given.pop(old)
            return function(*args, **given)  # type: ignore[arg-type]

        return wrapper

    return decorate


def user_level() -> int:
    """The `stacklevel` with which a warning from the calling function shows the line that called this package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        frame, level = frame.f_back, level + 1
    return level
