"""CUDA in this process: whether it can be used, the devices there are, and whether they agree with the CPU."""

from __future__ import annotations

import time
from contextlib import suppress
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...jit.cuda.compile import SIMULATED, cuda, nvvm
from ...kernels.constant import walk_constant
from ...kernels.cuda.digits import FAIR
from ...kernels.philox import U
from ...kernels.program import DigitsProgram, Walkers
from .machine import Cuda


def load() -> None:
    """Import what numba-cuda itself imports when it compiles its first kernel only, and may then fail with a NumPy that is newer
    than it knows."""
    if not SIMULATED:
        with suppress(ModuleNotFoundError):  # older ones use Numba's own
            import_module("numba.cuda.np.arrayobj")


def why_not() -> str | None:
    """Why CUDA cannot be used in this process, with the remedy; None where it can."""
    if SIMULATED:
        return None
    if getattr(cuda, "implementation", "") == "Built-in":
        return 'Numba\'s own CUDA target is deprecated and not used: pip install "randwalk-pde[cuda]"'
    if not cuda.is_available():
        error = _first_line(_driver().initialization_error or "no device")
        return (
            f"no usable NVIDIA GPU or driver ({error}): `nvidia-smi` must list a GPU; "
            "install or update the driver from https://www.nvidia.com/drivers"
        )
    try:
        toolkit, driver = cuda.runtime.get_version(), _driver().get_version()
        nvvm.NVVM()
    except Exception as error:  # whatever a missing library raises
        return f'the CUDA toolkit libraries are incomplete ({_first_line(error)}): pip install "numba-cuda[cu13]"'
    if driver < (toolkit[0], 0):
        return (
            f"the driver supports CUDA {driver[0]}.{driver[1]} and the toolkit is {toolkit[0]}.{toolkit[1]}: update the driver, "
            f'or pip install "numba-cuda[cu{driver[0]}]"'
        )
    return None


def _driver() -> Any:
    return import_module("numba.cuda.cudadrv.driver").driver


def _first_line(error: object) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "unknown reason")


def report() -> list[tuple[str, str]]:
    """Devices, driver, toolkit and memory, and whether a kernel really ran on each device."""
    if SIMULATED:
        return [("cuda", "Numba's simulator (NUMBA_ENABLE_CUDASIM=1)"), ("self-test", _self_test(0))]
    installed, toolkit = _driver().get_version(), cuda.runtime.get_version()
    rows = [("cuda", f"driver {installed[0]}.{installed[1]}, toolkit {toolkit[0]}.{toolkit[1]}")]
    for number, name, capability, free, total in described():
        memory = f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
        rows.append((f"device {number}", f"{name}, sm_{capability}, {memory}; self-test {_self_test(number)}"))
    return rows


def described() -> list[tuple[int, str, str, int, int]]:
    """(number, name, compute capability, free bytes, bytes) of each device."""
    found = []
    for number in range(len(cuda.gpus)):
        with cuda.gpus[number]:
            device, memory = cuda.current_context().device, cuda.current_context().get_memory_info()
            name = getattr(device, "name", "simulator")
            name = name.decode() if isinstance(name, bytes) else str(name)
            found.append((number, name, "".join(map(str, device.compute_capability)), memory.free, memory.total))
    return found


def strength() -> float:
    """Multiprocessors × clock of the device in use, of those of an H100; 1 where they are not known."""
    device = cuda.current_context().device
    known = getattr(device, "MULTIPROCESSOR_COUNT", 132), getattr(device, "CLOCK_RATE", 1.98e6)
    return float(known[0] * known[1]) / (132 * 1.98e6)


def _self_test(device: int) -> str:
    """A fair walk on the device and on the CPU, compared site by site; small enough for a millisecond."""
    size, steps, keys = (64, 256, (U(1), U(2))) if SIMULATED else (1 << 16, 1 << 13, (U(1), U(2)))
    machine, fair = Cuda([device]), DigitsProgram((1, -1), FAIR, 1)

    def on_device() -> tuple[NDArray[np.int32], float]:
        site = cuda.to_device(np.zeros(size, dtype=np.int32))
        for _ in range(2):  # the first time is compiling
            begin = time.perf_counter()
            machine.advance(Walkers(0, site), fair, 0, steps, keys)
            cuda.synchronize()
        return site.copy_to_host(), time.perf_counter() - begin

    try:
        site, seconds = machine.on(device, on_device)
    except Exception as error:  # whatever goes wrong is what this is for
        return f"failed: {_first_line(error)}"
    wanted = np.zeros(size, dtype=np.int32)
    for _ in range(2):
        walk_constant(wanted, 0, fair, 0, steps, keys)  # type: ignore[no-untyped-call]
    agree = np.array_equal(site, wanted)
    verdict = "agrees with the CPU" if agree else "DISAGREES with the CPU: do not use this device"
    return f"{verdict} ({1e3 * seconds:.2f} ms)"
