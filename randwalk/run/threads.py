"""How many threads a run may use. They are Python's own, each running kernels that release the interpreter's lock: safe to
start from any thread, and nothing is left running that a fork could break."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LIMITS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS")  # set by joblib and Dask in their workers, and by users


class _Busy:
    """The threads that runs of this process use at the moment."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0


_busy = _Busy()


def _after_fork() -> None:
    _busy.__init__()  # type: ignore[misc]  # a child process has none of its parent's threads, and a lock of its own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def available() -> int:
    """The processors this process may use, or fewer if NUMBA_NUM_THREADS or OMP_NUM_THREADS say so."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    given = (os.environ.get(name, "") for name in LIMITS)
    return min([processors, *(int(value) for value in given if value.isdecimal() and int(value) > 0)])


def checked(threads: int | None) -> int | None:
    """The number of threads that is asked for, if it is one.

    Raises
    ------
    ValueError
        for a number of threads that is not a positive whole number.
    """
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise ValueError(f"threads = {threads!r}: must be a whole number from 1")
    return threads


@contextmanager
def share(threads: int | None) -> Iterator[int]:
    """The number of threads a run may start: `threads` if given (:func:`checked`), else those available that no other run of this
    process has taken, one at least. Results do not depend on it."""
    checked(threads)
    with _busy.lock:
        taken = threads or max(1, available() - _busy.count)
        _busy.count += taken
    try:
        yield taken
    finally:
        with _busy.lock:
            _busy.count -= taken
