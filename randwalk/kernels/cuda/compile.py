"""Compiling and launching CUDA kernels, in the simulator too.

With NUMBA_ENABLE_CUDASIM=1 kernels run in Numba's simulator: a thread is a Python thread, and device functions are the CPU's,
which return Python integers. Kernels therefore cast words to uint64 even where the compiler would know their type.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numba.cuda
import numpy as np

from ...jit.vector import apart as _apart

F = Callable[..., Any]

cuda: Any = numba.cuda  # the simulator replaces the module where a kernel's globals name it
nvvm: Any = import_module("numba.cuda.cudadrv.nvvm")
_settings: Any = numba.config
SIMULATED = bool(_settings.ENABLE_CUDASIM)

THREADS = 32 if SIMULATED else 256  # of a block
SHARED = 48 * 1024  # bytes of shared memory that every device gives a block
WAVES = 2 if SIMULATED else 32  # blocks to a multiprocessor, at most

_lock = threading.RLock()


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """``owner.name`` is `value` inside the block; one thread at a time."""
    with _lock:
        original = getattr(owner, name)
        setattr(owner, name, value)
        try:
            yield
        finally:
            setattr(owner, name, original)


@contextmanager
def plain_arithmetic() -> Iterator[None]:
    """Kernels compiled inside the block contain no fused multiply-add, so that floating-point results have the CPU's bits.

    NVVM has an option for this, ``fma``; numba-cuda passes no option of that name on.
    """
    original = getattr(nvvm, "compile_ir", None)
    if original is None:  # the simulator
        yield
        return

    def compile_ir(source: Any, **options: Any) -> Any:
        return original(source, **(options | {"fma": 0}))

    with replaced(nvvm, "compile_ir", compile_ir):
        yield


class Kernel:
    """A kernel that is compiled without fused multiply-adds when it is launched for the first time."""

    def __init__(self, function: F) -> None:
        # Not through the decorator form, which loses the option; link-time optimisation would fuse after all.
        self.jit: Any = cuda.jit(function, **({} if SIMULATED else {"lto": False}))
        self.function = function

    def __call__(self, blocks: int, threads: int, *arguments: Any, shared: int = 0) -> None:
        with _lock, plain_arithmetic():
            self.jit[blocks, threads, 0, shared](*arguments)


Driver = Callable[[Any, bool], tuple[Kernel, tuple[Any, ...]]]
"""Of a program, and whether functionals are recorded: (kernel, the program as the kernel takes it, on the device)."""


def in_kernel(function: F) -> F:
    """A device function that is given arrays. The simulator's arrays stand for those of NumPy, which the CPU's function takes."""
    return (lambda *arguments: function(*_bare(arguments))) if SIMULATED else function


def _bare(value: Any) -> Any:
    """A value without the simulator's arrays."""
    if isinstance(value, tuple):
        fields = [_bare(field) for field in value]
        return type(value)(*fields) if hasattr(value, "_fields") else tuple(fields)
    value = getattr(value, "_item", value)
    return getattr(value, "_ary", value)


apart = (lambda: None) if SIMULATED else _apart


def blocks_for(size: int) -> int:
    """The number of blocks for `size` threads' work."""
    processors = getattr(cuda.current_context().device, "MULTIPROCESSOR_COUNT", 1)
    return max(1, min(math.ceil(size / THREADS), processors * WAVES))


def allocate(shape: int | tuple[int, int]) -> Any:
    """An int32 array in plain device memory, never managed memory: a demand beyond what a card has can hang it."""
    return cuda.device_array(shape, np.int32)


def on_device(values: Any) -> Any:
    """A NamedTuple with its arrays in the device's memory."""
    arrays = {name: value for name, value in values._asdict().items() if isinstance(value, np.ndarray)}
    return values._replace(**{name: cuda.to_device(value) for name, value in arrays.items()})
