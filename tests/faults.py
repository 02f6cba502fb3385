"""Errors planted in kernels before they are compiled; those in other functions are :mod:`randwalk.validate.faults`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

from randwalk.validate.faults import replace

Function = Callable[..., Any]


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
