"""Kernels at the ends of a walk: start sites, functionals of no steps, jumps from one recorded time to the next, counts."""

from __future__ import annotations

from functools import cache

import numpy as np

from ...jit.compile import device
from ...jit.cuda.compile import SIMULATED, Kernel, cuda, in_kernel
from ...jit.cuda.words import four_at, ones, put_four
from ..alias import draw, settle_draw
from ..packing import field
from ..philox import HALF, JUMP, LOW, U, of_axis, philox
from ..step import I32, U32, start_cell
from .stream import drawn, of_walker

COUNT = np.dtype(np.int32)  # of bins in shared memory; the simulator wants an instance
FEW, MANY = 4, 32 if SIMULATED else 512  # blocks to a multiprocessor that count for themselves, and threads of those
_four_at, _put_four = in_kernel(four_at), in_kernel(put_four)
_of_walker, _drawn, _ones = in_kernel(of_walker), in_kernel(drawn), in_kernel(ones)
_philox, _of_axis, _start_cell, _field = (in_kernel(function) for function in (philox, of_axis, start_cell, field))


@Kernel
def place(site, first_walker, axis, index, upper, keys):  # type: ignore[no-untyped-def]
    """As :func:`randwalk.kernels.cpu.place`."""
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        site[j] += _start_cell(U(first_walker + j), axis, index, upper, keys)


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


@device
def jumped(site, word, group, i, program, keys):  # type: ignore[no-untyped-def]
    """The site of walker 4 `group` + `i` after a jump, whose first digits are a word."""
    digits = U(word) & LOW
    drawn, tied = draw(digits, program.bits, program.cells)
    there = site + program.first + drawn
    if tied:
        walker = U(group) * U(4) + U(i)
        interval, axis = U(program.interval), program.axis
        there += settle_draw(digits, program.bits, program.cells, program.rests, walker, interval, axis, *keys)
    return I32(there)


_jumped = in_kernel(jumped)


@Kernel
def jump(site, first_walker, program, keys):  # type: ignore[no-untyped-def]
    """As :func:`randwalk.kernels.cpu.jump`; a thread moves the four walkers of a Philox block, and where their sites follow each
    other from a multiple of four on, it reads and writes them at once."""
    early, interval, size = first_walker % 4, U(program.interval), site.size
    for quarter in range(cuda.grid(1), (early + size + 3) // 4, cuda.gridsize(1)):
        group, at = U(first_walker // 4 + quarter), 4 * quarter - early
        words = _philox(group & LOW, group >> HALF, interval, U(_of_axis(JUMP, program.axis)), keys[0], keys[1])
        together = early == 0 and at + 4 <= size
        sites = _four_at(site, at) if together else (I32(0), I32(0), I32(0), I32(0))
        moved = (
            _jumped(sites[0], U(words[0]), group, 0, program, keys), _jumped(sites[1], U(words[1]), group, 1, program, keys),
            _jumped(sites[2], U(words[2]), group, 2, program, keys), _jumped(sites[3], U(words[3]), group, 3, program, keys),
        )  # fmt: skip
        if together:
            _put_four(site, at, moved)
        else:
            for i in range(4):
                if 0 <= at + i < size:
                    site[at + i] += moved[i]


@Kernel
def unpack(packed, bits, numbers):  # type: ignore[no-untyped-def]
    """As :func:`randwalk.kernels.cpu.unpack`."""
    axes = numbers.shape[0]
    for j in range(cuda.grid(1), packed.size, cuda.gridsize(1)):
        for axis in range(axes):
            numbers[axis, j] += _field(packed[j], bits, axes - 1 - axis)
        packed[j] = 0


@cuda.jit(device=True)
def clear(bins, counts):  # type: ignore[no-untyped-def]
    """Begin to count in bins of a block, as many as there are `counts`."""
    for i in range(cuda.threadIdx.x, counts.size, cuda.blockDim.x):
        bins[i] = 0
    cuda.syncthreads()


@cuda.jit(device=True)
def put_down(bins, counts):  # type: ignore[no-untyped-def]
    """Add the bins of a block to `counts`."""
    cuda.syncthreads()
    for i in range(cuda.threadIdx.x, counts.size, cuda.blockDim.x):
        if bins[i]:
            cuda.atomic.add(counts, i, np.int64(bins[i]))


@Kernel
def count(counts, private, values, others, ways, binning):  # type: ignore[no-untyped-def]
    """Count each of `values` that is between lowest and highest in bin value + times × other + shift, in the first or the last
    bin if that is outside; binning = (times, shift, lowest, highest). Values stand for those of `ways` at them, if it has any.
    A block counts for itself where the bins fit into shared memory, and adds to the others' counts at the end."""
    times, shift, lowest, highest = binning
    bins = cuda.shared.array(0, COUNT)
    if private:
        clear(bins, counts)
    for j in range(cuda.grid(1), values.size, cuda.gridsize(1)):
        value = np.int64(ways[values[j]]) if ways.size else np.int64(values[j])
        if lowest <= value <= highest:
            bin = min(max(value + times * np.int64(others[j]) + shift, 0), counts.size - 1)
            if private:
                cuda.atomic.add(bins, bin, 1)
            else:
                cuda.atomic.add(counts, bin, 1)
    if private:
        put_down(bins, counts)


@cache
def toss_and_count(blocks: int) -> Kernel:
    """As :func:`randwalk.kernels.cuda.digits.toss`, of walkers that begin on one cell and are counted, not kept.
    cells = (that one, the lowest, the highest)."""

    def walk(counts, walkers, program, parts, masks, cells, keys):  # type: ignore[no-untyped-def]
        (number, size), (begun, lowest, highest), (first, second) = walkers, cells, program.offsets
        bins, (key0, key1, early, late) = cuda.shared.array(0, COUNT), keys
        begun, lowest, highest, further = I32(begun), I32(lowest), I32(highest), I32(second - first)
        clear(bins, counts)
        for j in range(cuda.grid(1), size, cuda.gridsize(1)):
            words = _drawn(_of_walker(U32(U(number + j) & LOW), key0, key1), parts, early, late)
            cell = I32(begun + further * I32(_ones(words, masks)))
            cuda.atomic.add(bins, U32(min(max(cell, lowest), highest) - lowest), 1)
        put_down(bins, counts)

    return Kernel(walk, 40)


@Kernel
def count_sites(counts, values, lowest, highest):  # type: ignore[no-untyped-def]
    """As :func:`count`, of the values themselves, in bins of which the first is for those up to `lowest` and the last for those
    from `highest` on, in shared memory. A thread has four values on their way from memory at a time."""
    bins, lowest, highest = cuda.shared.array(0, COUNT), I32(lowest), I32(highest)
    clear(bins, counts)
    quarter, stride, j = U32(values.size // 4), U32(cuda.gridsize(1)), U32(cuda.grid(1))
    while j < quarter:
        second = U32(j + quarter)
        third = U32(second + quarter)
        four = values[j], values[second], values[third], values[U32(third + quarter)]
        for value in four:
            cuda.atomic.add(bins, U32(min(max(value, lowest), highest) - lowest), 1)
        j = U32(j + stride)
    j = U32(U32(4) * quarter + U32(cuda.grid(1)))
    if j < values.size:
        cuda.atomic.add(bins, U32(min(max(values[j], lowest), highest) - lowest), 1)
    put_down(bins, counts)
