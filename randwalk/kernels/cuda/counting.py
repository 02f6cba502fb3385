"""Counting walkers on the device: a block of threads counts for itself in shared memory where the bins fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..program import LIVE
from .compile import SHARED, THREADS, Kernel, blocks_for, cuda

COUNT = np.dtype(np.int32)  # of bins in shared memory; the simulator wants an instance


@cuda.jit(device=True)
def _count(bins, counts, private, bin):  # type: ignore[no-untyped-def]
    if private:
        cuda.atomic.add(bins, bin, 1)
    else:
        cuda.atomic.add(counts, bin, 1)


@cuda.jit(device=True)
def _clear(bins, size):  # type: ignore[no-untyped-def]
    for i in range(cuda.threadIdx.x, size, cuda.blockDim.x):
        bins[i] = 0
    cuda.syncthreads()


@cuda.jit(device=True)
def _empty(bins, counts):  # type: ignore[no-untyped-def]
    cuda.syncthreads()
    for i in range(cuda.threadIdx.x, counts.size, cuda.blockDim.x):
        if bins[i]:
            cuda.atomic.add(counts, i, np.int64(bins[i]))


@Kernel
def count_bins(counts, private, values, minus, binning):  # type: ignore[no-untyped-def]
    """A block counts for itself in shared memory where the bins fit, and adds to the others' counts at the end."""
    times, shift, lowest, highest = binning
    bins = cuda.shared.array(0, COUNT)
    if private:
        _clear(bins, counts.size)
    for j in range(cuda.grid(1), values.size, cuda.gridsize(1)):
        value = np.int64(values[j])
        if lowest <= value <= highest:
            bin = value - times * np.int64(minus[j]) + shift
            _count(bins, counts, private, min(max(bin, 0), counts.size - 1))
    if private:
        _empty(bins, counts)


@Kernel
def count_passages(counts, private, site, passage, exit_of):  # type: ignore[no-untyped-def]
    bins, exits = cuda.shared.array(0, COUNT), np.int64(exit_of[exit_of.size - 1]) + 1
    if private:
        _clear(bins, counts.size)
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        way = exit_of[site[j]]
        if way != LIVE:
            _count(bins, counts, private, exits * np.int64(passage[j]) + way)
    if private:
        _empty(bins, counts)


def histogram(
    values: Any, size: int, shift: int, minus: Any = None, live: tuple[int, int] | None = None
) -> NDArray[np.int64]:
    """See :meth:`randwalk.kernels.backend.Machine.histogram`."""
    lowest, highest = live or (-(2**31), 2**31 - 1)
    other, times = (values, 0) if minus is None else (minus, 1)
    return _counted(count_bins, size, values.size, values, other, (times, shift, lowest, highest))


def passages(site: Any, passage: Any, steps: int, exit_of: NDArray[np.uint8]) -> NDArray[np.int64]:
    """See :meth:`randwalk.kernels.backend.Machine.passages`."""
    exits = int(exit_of[-1]) + 1
    return _counted(count_passages, exits * (steps + 1), site.size, site, passage, cuda.to_device(exit_of)).reshape(
        -1, exits
    )


def _counted(kernel: Kernel, bins: int, walkers: int, *arguments: Any) -> NDArray[np.int64]:
    counts = cuda.to_device(np.zeros(bins, dtype=np.int64))
    private = 4 * bins <= SHARED
    kernel(blocks_for(walkers), THREADS, counts, private, *arguments, shared=4 * bins if private else 4)
    return counts.copy_to_host()
