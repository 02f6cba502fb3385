"""Kernels at the ends of a walk: start sites, functionals of no steps, jumps from one recorded time to the next, counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..alias import draw, settle_draw
from ..packing import field
from ..philox import HALF, JUMP, LOW, U, of_axis, philox
from ..step import I32, start_cell
from .compile import SHARED, THREADS, Kernel, blocks_for, cuda, in_kernel

COUNT = np.dtype(np.int32)  # of bins in shared memory; the simulator wants an instance
_draw, _settle_draw, _of_axis, _start_cell, _field = (
    in_kernel(function) for function in (draw, settle_draw, of_axis, start_cell, field)
)


@Kernel
def place(site, first_walker, axis, index, upper, keys):  # type: ignore[no-untyped-def]
    """As :func:`randwalk.kernels.cpu.place`, but the first axis needs no zeros to add to."""
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        before = site[j] if axis else I32(0)
        site[j] = before + _start_cell(U(first_walker + j), axis, index, upper, keys)


@Kernel
def begin(state, site, levels):  # type: ignore[no-untyped-def]
    """The functionals of paths of no steps: rows of `state` are the step of leaving, the highest site, and those of `levels`."""
    visits, heights = levels.visits, levels.heights
    first = state.shape[0] - levels.rings.shape[0] - heights.shape[0] - (1 if levels.seen.size else 0)
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        for i in range(state.shape[0]):
            state[i, j] = 0
        state[1, j] = site[j]
        for i in range(visits.size):
            state[2 + i, j] = 0 if site[j] == visits[i] else -1
        for i in range(heights.shape[0]):
            state[first + i, j] = heights[i, site[j]]
        if levels.seen.size:
            state[state.shape[0] - 1, j] = 1


@Kernel
def jump(site, first_walker, program, keys):  # type: ignore[no-untyped-def]
    """As :func:`randwalk.kernels.cpu.jump`; a thread moves the four walkers of a Philox block."""
    early, bits, cells = first_walker % 4, program.bits, program.cells
    for quarter in range(cuda.grid(1), (early + site.size + 3) // 4, cuda.gridsize(1)):
        group, interval = U(first_walker // 4 + quarter), U(program.interval)
        y0, y1, y2, y3 = philox(group & LOW, group >> HALF, interval, _of_axis(JUMP, program.axis), keys[0], keys[1])
        w0, w1, w2, w3 = U(y0 & LOW), U(y1 & LOW), U(y2 & LOW), U(y3 & LOW)
        for j in range(4 * quarter - early, 4 * quarter - early + 4):
            word, w0, w1, w2 = w0, w1, w2, w3
            if 0 <= j < site.size:
                drawn, tied = _draw(word, bits, cells)
                site[j] = I32(site[j] + program.first + drawn)
                if tied:
                    walker = U(first_walker + j)
                    site[j] += _settle_draw(
                        word, bits, cells, program.rests, walker, interval, program.axis, keys[0], keys[1]
                    )


@Kernel
def unpack(packed, bits, numbers):  # type: ignore[no-untyped-def]
    """As :func:`randwalk.kernels.cpu.unpack`."""
    axes = numbers.shape[0]
    for j in range(cuda.grid(1), packed.size, cuda.gridsize(1)):
        for axis in range(axes):
            numbers[axis, j] += _field(packed[j], bits, axes - 1 - axis)
        packed[j] = 0


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


def counted(
    size: int, values: Any, others: Any, ways: NDArray[np.uint8], binning: tuple[int, int, int, int]
) -> NDArray[np.int64]:
    """The counts of :func:`count` in `size` bins."""
    counts, private = cuda.to_device(np.zeros(size, dtype=np.int64)), 4 * size <= SHARED
    shared = 4 * size if private else 4
    count(
        blocks_for(values.size), THREADS, counts, private, values, others, cuda.to_device(ways), binning, shared=shared
    )
    return counts.copy_to_host()
