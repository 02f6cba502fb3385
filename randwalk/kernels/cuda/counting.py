"""Counting walkers on the device: a block of threads counts for itself in shared memory where the bins fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..program import LIVE
from .compile import SHARED, THREADS, Kernel, blocks_for, cuda

EVERYWHERE, NO_WAYS = (-(2**31), 2**31 - 1), np.empty(0, np.uint8)
COUNT = np.dtype(np.int32)  # of bins in shared memory; the simulator wants an instance


@Kernel
def count(counts, private, values, others, ways, binning):  # type: ignore[no-untyped-def]
    """Count each of `values` that is between lowest and highest in bin value + times × other + shift, in the first or the last
    bin if that is outside; binning = (times, shift, lowest, highest). Values stand for those of `ways` at them, if it has any.
    A block counts for itself where the bins fit into shared memory, and adds to the others' counts at the end."""
    times, shift, lowest, highest = binning
    bins = cuda.shared.array(0, COUNT)
    if private:
        for i in range(cuda.threadIdx.x, counts.size, cuda.blockDim.x):
            bins[i] = 0
        cuda.syncthreads()
    for j in range(cuda.grid(1), values.size, cuda.gridsize(1)):
        value = np.int64(ways[values[j]]) if ways.size else np.int64(values[j])
        if lowest <= value <= highest:
            bin = min(max(value + times * np.int64(others[j]) + shift, 0), counts.size - 1)
            if private:
                cuda.atomic.add(bins, bin, 1)
            else:
                cuda.atomic.add(counts, bin, 1)
    if private:
        cuda.syncthreads()
        for i in range(cuda.threadIdx.x, counts.size, cuda.blockDim.x):
            if bins[i]:
                cuda.atomic.add(counts, i, np.int64(bins[i]))


def histogram(
    values: Any, size: int, shift: int, minus: Any = None, live: tuple[int, int] | None = None
) -> NDArray[np.int64]:
    """See :meth:`randwalk.kernels.backend.Machine.histogram`."""
    other, times = (values, 0) if minus is None else (minus, -1)
    return _counted(size, values, other, NO_WAYS, (times, shift, *(live or EVERYWHERE)))


def passages(site: Any, passage: Any, steps: int, exit_of: NDArray[np.uint8]) -> NDArray[np.int64]:
    """See :meth:`randwalk.kernels.backend.Machine.passages`."""
    exits = int(exit_of[-1]) + 1
    return _counted(exits * (steps + 1), site, passage, exit_of, (exits, 0, 0, LIVE - 1)).reshape(-1, exits)


def _counted(
    size: int, values: Any, others: Any, ways: NDArray[np.uint8], binning: tuple[int, int, int, int]
) -> NDArray[np.int64]:
    counts, private = cuda.to_device(np.zeros(size, dtype=np.int64)), 4 * size <= SHARED
    shared = 4 * size if private else 4
    count(
        blocks_for(values.size), THREADS, counts, private, values, others, cuda.to_device(ways), binning, shared=shared
    )
    return counts.copy_to_host()
