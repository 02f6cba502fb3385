"""Numba's simulator of CUDA, mended where tests need it: shared arrays, and threads that wait for each other without polling."""

from __future__ import annotations

import sys
import threading
from importlib import import_module
from typing import Any

import numpy as np


class Barrier:
    """Where the threads of a block wait for each other; those that have ended are not waited for."""

    def __init__(self, threads: int) -> None:
        self.running, self.waiting, self.passed = threads, 0, 0
        self.changed = threading.Condition()

    def wait(self) -> None:
        with self.changed:
            here = self.passed
            self.waiting += 1
            self.open_if_all_wait()
            self.changed.wait_for(lambda: self.passed > here)

    def leave(self) -> None:
        with self.changed:
            self.running -= 1
            self.open_if_all_wait()

    def open_if_all_wait(self) -> None:
        if self.waiting == self.running:
            self.waiting = 0
            self.passed += 1
            self.changed.notify_all()


def mend() -> None:
    """Give all threads of a block one shared array (the simulator makes it without a lock), and let them wait at a
    :class:`Barrier` (the simulator asks each again and again whether it waits, which is half of its time)."""
    kernel, api = (import_module(f"numba.cuda.simulator.{name}") for name in ("kernel", "kernelapi"))
    dynamic, lock = api.FakeCUDAShared.array, threading.Lock()

    def array(self: Any, shape: Any, dtype: Any) -> Any:
        if shape == 0:
            return dynamic(self, shape, dtype)
        caller = sys._getframe(1)
        with lock:
            return self._allocations.setdefault((caller.f_code.co_filename, caller.f_lineno), np.empty(shape, dtype))

    run_thread = kernel.BlockThread.run

    def run(self: Any) -> None:
        run_thread(self)
        self._manager.barrier.leave()

    def run_block(self: Any, grid_point: Any, *arguments: Any) -> None:
        places = list(np.ndindex(*self._block_dim))
        self.barrier = Barrier(len(places))
        threads = [
            kernel.BlockThread(lambda: self._f(*arguments), self, grid_point, place, self._debug) for place in places
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for thread in threads:
            if thread.exception:
                raise thread.exception[0].with_traceback(thread.exception[1])

    api.FakeCUDAShared.array = array
    kernel.BlockThread.run = run
    kernel.BlockThread.syncthreads = lambda self: self._manager.barrier.wait()
    kernel.BlockManager.run = run_block
