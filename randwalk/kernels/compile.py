"""How kernels are compiled and where the machine code is kept.

Numba keys its disk cache by the file of the kernel alone, so a kernel would go stale when a function it calls, in another
file, changes. Here the cache directory is named by a hash of all kernel sources.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numba
from numba import njit
from numba.core import event
from numba.core.registry import CPUDispatcher

F = Callable[..., Any]
OPTIONS: dict[str, Any] = {  # without a wrapper for C, which nobody calls, a kernel is compiled in a tenth less time
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
}


class _Notice(event.Listener):
    """Says once that kernels are being compiled, because nothing else moves for some seconds. Kernels that come from the disk
    are not compiled. ``logging.getLogger("randwalk").setLevel("ERROR")`` silences it."""

    said = False

    def on_start(self, event: Any) -> None:
        function = getattr(event.data.get("dispatcher"), "py_func", None)
        module = getattr(function, "__module__", None) or ""  # Numba is everybody's: not every function has one
        if not self.said and module.startswith("randwalk."):
            self.said = True
            logging.getLogger("randwalk").warning(
                "randwalk: compiling kernels for this machine, some seconds each; they are kept in %s",
                cache_directory(),
            )

    def on_end(self, event: Any) -> None:
        pass


event.register("numba:compile", _Notice())  # type: ignore[no-untyped-call]


@cache
def cache_directory() -> str:
    """Where compiled kernels are kept: beside the package if it may be written to, else in the user's cache directory."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    user = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    given = os.environ.get("RANDWALK_CACHE_DIR")
    places = [Path(given)] if given else [Path(__file__).parent / "__pycache__", Path(user) / "randwalk"]
    for place in places:
        directory = place / f"numba-{digest}"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=directory):
                return str(directory)
        except OSError:
            continue
    return str(Path(tempfile.gettempdir()) / f"randwalk-numba-{digest}")


def _cached(function: F, **options: Any) -> Callable[..., Any]:
    settings: Any = numba.config
    previous, settings.CACHE_DIR = settings.CACHE_DIR, cache_directory()
    try:  # the directory is read when the kernel is declared, so other users of numba keep theirs
        return njit(cache=True, **OPTIONS, **options)(function)
    finally:
        settings.CACHE_DIR = previous


class _Device(CPUDispatcher):
    """Without the wrapper for Python that Numba gives to every function, which takes a third of the time to compile small
    ones. Where Python does call (tests, the simulator of CUDA), the function is compiled again, with one."""

    def __call__(self, *arguments: Any) -> Any:
        return self._for_python(*arguments)

    @cached_property
    def _for_python(self) -> Callable[..., Any]:
        return njit(**OPTIONS)(self.py_func)


def device(function: F) -> Callable[..., Any]:
    """A function of scalars or lanes called from kernels, on the CPU and on CUDA; always inlined."""
    return _Device(
        function, targetoptions={"nopython": True, "forceinline": True, "no_cpython_wrapper": True, **OPTIONS}
    )


def aside(function: F) -> Callable[..., Any]:
    """A function of a rare branch: called where it is, not inlined, so that a kernel is compiled sooner."""
    return _Device(function, targetoptions={"nopython": True, "no_cpython_wrapper": True, **OPTIONS})


def kernel(function: F) -> Callable[..., Any]:
    """A kernel that Python calls, on one thread. It releases the interpreter's lock, so that threads can share the work."""
    return _cached(function, nogil=True)
