"""Compiling and launching CUDA kernels, in the simulator too.

With NUMBA_ENABLE_CUDASIM=1 kernels run in Numba's simulator: a thread is a Python thread, and device functions are the CPU's,
which return Python integers. Kernels therefore cast words to uint64 even where the compiler would know their type.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import numba.cuda
import numpy as np
from numpy.typing import NDArray

from ..compile import device

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

    def __init__(self, function: F, registers: int | None = None) -> None:
        # Not through the decorator form, which loses the option; link-time optimisation would fuse after all.
        self.options: dict[str, Any] = {} if SIMULATED else {"lto": False, "max_registers": registers}
        self.jit: Any = cuda.jit(function, **self.options)
        self.function = function

    def __call__(self, blocks: int, threads: int, *arguments: Any, shared: int = 0) -> None:
        with _lock, plain_arithmetic():
            self.jit[blocks, threads, 0, shared](*arguments)


def in_kernel(function: F) -> F:
    """A device function or an intrinsic. The simulator's arrays stand for those of NumPy, which the CPU's function takes."""
    if not SIMULATED:
        return function
    called = function if hasattr(function, "py_func") else device(lambda *arguments: function(*arguments))
    return lambda *arguments: called(*_bare(arguments))


def of_module(module: ModuleType, *names: str) -> Iterator[F]:
    """Device functions of a module that is written for a walk."""
    return (in_kernel(getattr(module, name)) for name in names)


def _bare(value: Any) -> Any:
    """A value without the simulator's arrays."""
    if isinstance(value, tuple):
        fields = [_bare(field) for field in value]
        return type(value)(*fields) if hasattr(value, "_fields") else tuple(fields)
    value = getattr(value, "_item", value)
    return getattr(value, "_ary", value)


def processors() -> int:
    """Multiprocessors of the device in use."""
    return int(getattr(cuda.current_context().device, "MULTIPROCESSOR_COUNT", 1))


def blocks_for(size: int) -> int:
    """The number of blocks for `size` threads' work."""
    return max(1, min(math.ceil(size / THREADS), processors() * WAVES))


def capability() -> tuple[int, int]:
    """The compute capability of the device in use; (0, 0) in the simulator."""
    return (0, 0) if SIMULATED else tuple(cuda.current_context().device.compute_capability)


def allocate(shape: int | tuple[int, int], kind: Any = np.int32) -> Any:
    """An array in plain device memory, never managed memory: a demand beyond what a card has can hang it."""
    return cuda.device_array(shape, kind)


@Kernel
def _fill(array, value):  # type: ignore[no-untyped-def]
    for i in range(cuda.grid(1), array.size, cuda.gridsize(1)):
        array[i] = value


def filled(size: int, value: int, kind: Any = np.int32) -> Any:
    """An array of one value, made on the device, which is sooner done than to send it."""
    array = allocate(size, kind)
    _fill(blocks_for(size), THREADS, array, value)
    return array


@cache
def _nothing(device: int, shape: tuple[int, ...], kind: str) -> Any:
    return cuda.to_device(np.empty(shape, kind))


def sent(array: NDArray[Any]) -> Any:
    """An array in the device's memory. An empty one is sent once."""
    return cuda.to_device(array) if array.size else _nothing(_number(), array.shape, array.dtype.str)


def _number() -> int:
    return int(getattr(cuda.current_context().device, "id", 0))


def on_device(value: Any) -> Any:
    """An array, or a tuple with its arrays, in the device's memory; anything else as it is."""
    if isinstance(value, tuple):
        fields = map(on_device, value)
        return type(value)(*fields) if hasattr(value, "_fields") else tuple(fields)
    return sent(value) if isinstance(value, np.ndarray) else value
