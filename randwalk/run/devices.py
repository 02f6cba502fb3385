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
WORTH = (
    2.0  # predicted seconds on the reference CPU from which `auto` looks for a device: compiling for it takes as long
)
INSTALL = 'pip install "randwalk-pde[cuda]"'


def choose(
    backend: str, devices: Sequence[int] | None, seconds: float, threads: int, ended: Callable[[], bool] = lambda: False
) -> Machine:
    """The backend that was asked for; `seconds` is the predicted time on the reference CPU, by which "auto" decides. A host
    is given `threads`, and asks now and then whether the run is `ended`.

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
    if backend == "cpu" or (backend == "auto" and (seconds < WORTH or why_not_cuda() is not None)):
        return Host(threads, ended)
    reason = why_not_cuda()
    if reason is not None:
        raise DeviceError(f"backend = 'cuda' cannot run here: {reason}")
    from ..kernels import cuda

    return cuda.Cuda(devices)


def why_not_cuda() -> str | None:
    """What is missing for CUDA, with the remedy; None where it can be used."""
    settings: Any = numba.config
    if not settings.ENABLE_CUDASIM and find_spec("numba_cuda") is None:
        return f"the CUDA extra is not installed: {INSTALL}"
    try:
        from ..kernels import cuda

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
    from ..kernels import cuda

    return cuda.report()
