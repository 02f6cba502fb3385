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
    """Run the parallel kernels inside on at most this many threads (None: all that numba has, one a processor unless
    NUMBA_NUM_THREADS was set before Python started). Results do not depend on it.

    Raises
    ------
    ValueError
        for a number of threads that is not a positive whole number.
    RuntimeError
        in a process forked after a parallel kernel ran: the thread pool does not survive a fork.
    """
    global _used_in
    settings: Any = numba.config
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise ValueError(f"threads = {threads!r}: must be a whole number from 1")
    if _used_in not in (None, os.getpid()):
        raise RuntimeError(
            "this process was forked after randwalk had started threads, which do not survive a fork: "
            'start processes with multiprocessing.get_context("spawn")'
        )
    with _lock:
        _used_in = os.getpid()
        before = numba.get_num_threads()
        numba.set_num_threads(min(threads, settings.NUMBA_NUM_THREADS) if threads else before)
        try:
            yield
        finally:
            numba.set_num_threads(before)
