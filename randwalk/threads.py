"""Running parallel kernels on a stated number of threads, from any Python thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numba

_lock = threading.RLock()  # numba's work queue aborts the process when two threads enter it
_used_in: int | None = None  # the process whose thread pool has run


@contextmanager
def workers(threads: int | None) -> Iterator[None]:
    """Run the parallel kernels inside with this many threads (None: as many as numba has).

    Raises
    ------
    ValueError
        for a number of threads that numba was not started with.
    RuntimeError
        in a process forked after a parallel kernel ran: the thread pool does not survive a fork.
    """
    global _used_in
    settings: Any = numba.config
    most = settings.NUMBA_NUM_THREADS
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= most):
        raise ValueError(
            f"threads = {threads!r}: must be a whole number from 1 to {most}; "
            "set NUMBA_NUM_THREADS in the environment before starting Python for more"
        )
    if _used_in not in (None, os.getpid()):
        raise RuntimeError(
            "this process was forked after randwalk had started threads, which do not survive a fork: "
            'start processes with multiprocessing.get_context("spawn")'
        )
    with _lock:
        _used_in = os.getpid()
        before = numba.get_num_threads()
        numba.set_num_threads(threads or before)
        try:
            yield
        finally:
            numba.set_num_threads(before)
