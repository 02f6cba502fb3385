"""The occupation method on the device: a thread a cell."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..backend import DeviceError, Numbering
from ..occupation import share
from ..program import LIVE, Keys, TableProgram
from ..step import column
from .compile import SIMULATED, Kernel, cuda, in_kernel, on_device

WIDTH, MARGIN = (32, 4) if SIMULATED else (256, 32)  # cells of a block, and those on each side that are not its own
MOVES = 8  # of a walk, at most: there is shared memory for so many
_share, _column = in_kernel(share), in_kernel(column)


@Kernel
def occupy_pieces(after, before, pieces, program, address, span, gone, keys):  # type: ignore[no-untyped-def]
    """Steps span[0] … span[1] - 1 of the walkers on every cell, a block of threads a piece; row 0 of `gone` is step span[2].

    pieces = (cells (pieces, WIDTH), the number of them and where those of the piece itself begin and end (pieces, 3)). Random
    numbers depend only on cell and step, so blocks need not communicate: each block also computes cells on either side of its
    own. Values at the ends become invalid, some more cells per step, and never reach the block's own cells.
    """
    (start, stop, base), (cells, ends) = span, pieces
    block, thread, moves = cuda.blockIdx.x, cuda.threadIdx.x, len(program.offsets)
    size = ends[block, 0]
    own = ends[block, 1] <= thread < ends[block, 2]
    moved = cuda.shared.array((MOVES, WIDTH), np.int64)
    carried = cuda.shared.array(WIDTH, np.int64)
    cell, here = np.int64(0), np.int64(0)
    if thread < size:
        cell = np.int64(cells[block, thread])
        if program.exit_of[cell] == LIVE:
            here = before[cell]
    c = np.int64(_column(cell, program))
    way = program.exit_of[cell]
    home = np.int64(program.home[cell]) - cell if program.home.size else np.int64(0)
    for n in range(start, stop):
        row = n - base if program.thresholds.shape[0] > 1 else 0
        for k in range(moves):
            taken = np.int64(_share(k, here, program, row, c, (address[cell], n), keys)) if here > 0 else np.int64(0)
            moved[k, thread] = taken
            here -= taken
        died = np.int64(0)
        if program.kills and here > 0:
            died = np.int64(_share(moves, here, program, row, c, (address[cell], n), keys))
            here -= died
            if own and died:
                cuda.atomic.add(gone, (n - base, program.exit_of[program.exit_of.size - 1]), died)
        carried[thread] = 0
        cuda.syncthreads()
        for k in range(moves):
            origin = thread - program.offsets[k]
            if thread < size and 0 <= origin < size:
                here += moved[k, origin]
        if home and here:
            cuda.atomic.add(carried, thread + home, here)
            here = np.int64(0)
        if way != LIVE:
            if own and here:
                cuda.atomic.add(gone, (n - base, way), here)
            here = np.int64(0)
        cuda.syncthreads()
        here += carried[thread]
    if own and program.exit_of[cell] == LIVE:
        after[cell] = here


def occupy(
    counts: NDArray[np.int64],
    program: TableProgram,
    layout: Numbering,
    start: int,
    stop: int,
    gone: NDArray[np.int64],
    keys: Keys,
) -> None:
    """See :meth:`randwalk.kernels.backend.Machine.occupy`."""
    pieces, together = _pieces(program, layout, stop - start)
    before, after = cuda.to_device(counts), cuda.to_device(counts)
    left, address = cuda.to_device(np.zeros_like(gone)), cuda.to_device(layout.address)
    table, there = on_device(program), (cuda.to_device(pieces[0]), cuda.to_device(pieces[1]))
    for begin in range(start, stop, together):
        span = begin, min(begin + together, stop), start
        occupy_pieces(len(pieces[0]), WIDTH, after, before, there, table, address, span, left, keys)
        before, after = after, before
    live = program.exit_of == LIVE
    counts[live] = before.copy_to_host()[live]
    gone[:] = left.copy_to_host()


def _pieces(
    program: TableProgram, layout: Numbering, steps: int
) -> tuple[tuple[NDArray[np.int32], NDArray[np.int32]], int]:
    """(pieces of the lattice, as kernels take them; the number of steps that they can make together)."""
    size, farthest = program.exit_of.size - 1, max(abs(offset) for offset in program.offsets)
    slabs: list[tuple[NDArray[np.int32], int, int]] = [(np.arange(size, dtype=np.int32), 0, size)]
    if size > WIDTH:
        steps, stride = max(1, MARGIN // farthest), layout.strides[0]
        rows = WIDTH // stride - 2 * steps * -(-farthest // stride)
        if rows < 1:
            raise DeviceError(
                f"occupation on CUDA needs rows of at most {WIDTH // 3} cells, and these have {stride}: take backend='cpu'"
            )
        pieces = layout.slabs(math.ceil(layout.shape[0] / rows))
        slabs = [layout.slab(own, steps, farthest)[:3] for own in pieces]
    held = np.zeros((len(slabs), WIDTH), dtype=np.int32)
    for row, (own, _, _) in zip(held, slabs, strict=True):
        row[: own.size] = own
    return (held, np.array([(own.size, begin, end) for own, begin, end in slabs], dtype=np.int32)), steps
