"""Choosing where walkers are moved and counted, and what is said about CUDA devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numba
import numpy as np

from ..jit.compile import DeviceError, check_compiler
from .host import Host
from .machine import Machine

BACKENDS = ("cpu", "cuda", "auto")
WORTH = 2.0  # seconds saved from which `auto` takes a device: compiling for it takes as long
CORES = 2  # of the machine for which seconds are predicted
# How many times as fast an H100 was as that machine, measured: the least of p = ½ (300), constant probabilities (120) and tables
# (270) for steps, whole runs for jumps. Counts on sites were not measured, and stay on the processor.
GAIN = {"paths": 120.0, "jump": 25.0}
INSTALL = 'pip install "randwalk-pde[cuda]"'


def choose(
    backend: str,
    devices: Sequence[int] | None,
    seconds: float,
    threads: int,
    method: str = "paths",
    ended: Callable[[], bool] = lambda: False,
) -> Machine:
    """The backend that was asked for; `seconds` is the predicted time of a method on the reference machine, by which "auto"
    decides. A host is given `threads`, and asks now and then whether the run is `ended`.

    Raises
    ------
    ValueError
        for an unknown backend or a device index that does not exist.
    CompilerOff
        where NUMBA_DISABLE_JIT is set.
    DeviceError
        where "cuda" is asked for and cannot be had, with the reason and the remedy.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend = {backend!r}: must be one of {', '.join(BACKENDS)}")
    if devices is not None and backend == "cpu":
        raise ValueError(f"devices = {devices!r} are CUDA devices: give backend='cuda' too, or leave them out")
    check_compiler()
    if backend == "cpu" or (backend == "auto" and not _worth(seconds, threads, method)):
        return Host(threads, ended)
    reason = why_not_cuda()
    if reason is not None:
        raise DeviceError(f"backend = 'cuda' cannot run here: {reason}")
    from . import cuda

    return cuda.Cuda(devices)


def _worth(seconds: float, threads: int, method: str) -> bool:
    """Whether a device would save so much time that compiling for it pays; there is one if it would."""
    here = seconds * CORES / threads
    if method not in GAIN or here < WORTH or why_not_cuda() is not None:
        return False
    from . import cuda

    return here - seconds / (GAIN[method] * cuda.strength()) >= WORTH


def why_not_cuda() -> str | None:
    """What is missing for CUDA, with the remedy; None where it can be used."""
    settings: Any = numba.config
    if not settings.ENABLE_CUDASIM and find_spec("numba_cuda") is None:
        return f"the CUDA extra is not installed: {INSTALL}"
    try:
        from . import cuda

        cuda.load()
    except Exception as error:  # half an installation can fail in any way
        why = f"does not load ({type(error).__name__}: {error})"
        if "numpy" in str(error) and np.lib.NumpyVersion(np.__version__) >= "2.5.0":
            return f'numba-cuda {why}: no release of it is known to load with NumPy {np.__version__}; pip install "numpy<2.5"'
        return f"numba-cuda is installed but {why}: reinstall it, {INSTALL}"
    return cuda.why_not()


def report() -> list[tuple[str, str]]:
    """What ``randwalk info`` says about devices: (name, value) rows, with a line for what is missing."""
    reason = why_not_cuda()
    if reason is not None:
        return [("cuda", f"no: {reason}")]
    from . import cuda

    return cuda.report()


def numbers() -> range:
    """The numbers of the devices there are."""
    if why_not_cuda() is not None:
        return range(0)
    from . import cuda

    return range(len(cuda.described()))
