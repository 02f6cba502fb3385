"""Errors planted on purpose: a named function, method or class of the package is replaced by one that calls it and is wrong.

Nothing here reads or writes source text, so a plant survives all changes but a change of the name that it replaces.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

import pytest

Function = Callable[..., Any]
Change = Callable[[Function], Function]  # from the right function to the wrong one


def replace(patch: pytest.MonkeyPatch, owner: str, name: str, change: Change) -> None:
    """Put change(right) for the function, method or class `name` of `owner`, a module or "module:class", under every name by
    which modules of the package have imported it."""
    module, _, inner = owner.partition(":")
    place = importlib.import_module(module)
    if inner:
        place = getattr(place, inner)
    right = getattr(place, name)
    wrong = change(right)
    bound = isinstance(
        vars(place)[name], (classmethod, staticmethod)
    )  # then `right` takes no class, and `wrong` none either
    patch.setattr(place, name, staticmethod(wrong) if bound else wrong)
    for known in [m for n, m in sys.modules.items() if n.partition(".")[0] == "randwalk" and m is not None]:
        for alias, value in list(vars(known).items()):
            if value is right:
                patch.setattr(known, alias, wrong)


def replace_device(owner: str, name: str, change: Function) -> None:
    """For the rest of this process, let the compiled scalar function `name` of the kernel module `owner` return
    change(its result, its arguments), `change` being a scalar function that Numba can compile.

    Kernels are compiled when they are first called, with the functions that their modules name then. So no kernel may have
    been compiled before, and RANDWALK_CACHE_DIR must be a folder of this plant alone.
    """
    from randwalk.jit.compile import device

    right, changed = getattr(importlib.import_module(owner), name), device(change)

    def wrong(*arguments: Any) -> Any:
        return changed(right(*arguments), arguments)

    replace(pytest.MonkeyPatch(), owner, name, lambda _: device(wrong))  # never undone
