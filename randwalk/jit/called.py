"""Kernels that kernels call: by name, not by their text, which would be compiled with each of them.

Machine code that is read from the disk has the names of what it calls, and LLVM ends the process where one is missing. So what is
kept of a kernel tells them, and they are given before its code is read (:mod:`randwalk.jit.disk`).
"""

from __future__ import annotations

import hashlib
from copy import copy
from functools import cached_property
from importlib import import_module
from typing import Any

from llvmlite import binding
from numba.core.registry import CPUDispatcher

leads: dict[str, tuple[str, str, Any]] = {}  # to each name: the module, the function and the types of its arguments
alive: list[Any] = []  # code that has had a name: it may be called as long as there is a process


class Kernel(CPUDispatcher):
    """Machine code of its own."""

    def get_overload(self, signature: Any) -> Any:
        """What those that call it find it by."""
        if _found(self.py_func.__module__, self.py_func.__qualname__) is self:
            return self.named(tuple(signature))
        return super().get_overload(signature)  # what other processes would not find: its text stands in its callers

    def named(self, arguments: Any) -> Any:
        """The descriptor of the code for arguments of these types under its name, which tells the types of arguments and result:
        all that callers rely on."""
        if arguments not in self._described:
            self.compile(arguments)
            function: Any = self.py_func
            code: Any = self.overloads[arguments]
            target: Any = self.targetctx
            types = hashlib.sha256(str(code.signature).encode()).hexdigest()[:24]
            described = copy(code.fndesc)
            described.mangled_name = name = f"{function.__module__}.{function.__qualname__}.{types}"
            binding.add_symbol(name, code.library.get_pointer_to_function(code.fndesc.llvm_func_name))
            target.insert_user_function(described, described)
            leads[name] = function.__module__, function.__qualname__, arguments
            alive.append(code)
            self._described[arguments] = described
        return self._described[arguments]

    @cached_property
    def _described(self) -> dict[Any, Any]:
        return {}


def _found(module: str, function: str) -> Any:
    return getattr(import_module(module), function, None)


def names_in(library: Any) -> dict[str, tuple[str, str, Any]]:
    """What machine code calls by name, and what leads there."""
    declared = [function.name for function in library._final_module.functions if function.is_declaration]
    return {name: leads[name] for name in declared if name in leads}


def give(name: str, module: str, function: str, arguments: Any) -> None:
    """Give a name to what leads there; LookupError if that has another name now."""
    found = _found(module, function)
    if not (isinstance(found, Kernel) and found.named(arguments).mangled_name == name):
        raise LookupError(f"{module}.{function} is not {name}")
