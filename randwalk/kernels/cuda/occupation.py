"""The occupation method on the device: a thread a cell, a block of threads a tile of the lattice."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...jit.cuda.compile import SIMULATED, Kernel, cuda, in_kernel, on_device
from ..occupation import share
from ..program import LIVE, Keys, TableProgram
from ..step import column

MOST, WIDTH = (64, 32) if SIMULATED else (512, 256)  # cells of a tile, and along one axis of it, at most
GROUP = 8  # moves for which there is shared memory at a time
_share, _column = in_kernel(share), in_kernel(column)


@Kernel
def occupy_tiles(after, before, tiles, program, address, span, gone, keys):  # type: ignore[no-untyped-def]
    """Steps span[0] … span[1] - 1 of the walkers on every cell; row 0 of `gone` is step span[2]; tiles are those of
    :meth:`randwalk.tables.layout.Layout.tiles`.

    Random numbers depend only on cell and step, so blocks need not communicate: each also computes cells around its own. Values
    at the sides of a tile become invalid, a layer more with each step, and never reach its own cells.
    """
    (start, stop, base), (cells, owned, shifts) = span, tiles
    block, thread, moves = cuda.blockIdx.x, cuda.threadIdx.x, len(program.offsets)
    moved = cuda.shared.array((GROUP, MOST), np.int64)
    cell, own, here = np.int64(cells[block, thread]), owned[block, thread], np.int64(0)
    way = program.exit_of[cell] if cell >= 0 else LIVE
    if cell >= 0 and way == LIVE:
        here = before[cell]
    c = np.int64(_column(max(cell, 0), program))
    for n in range(start, stop):
        row, come = n - base if program.thresholds.shape[0] > 1 else 0, np.int64(0)
        for first in range(0, moves, GROUP):
            last = min(first + GROUP, moves)
            for k in range(first, last):
                taken = np.int64(0)
                if here > 0:
                    taken = np.int64(_share(k, here, program, row, c, (address[cell], n), keys))
                moved[k - first, thread] = taken
                here -= taken
            cuda.syncthreads()
            for k in range(first, last):
                origin = thread - shifts[k]
                if 0 <= origin < cuda.blockDim.x:
                    come += moved[k - first, origin]
            cuda.syncthreads()
        if program.kills and here > 0:
            died = np.int64(_share(moves, here, program, row, c, (address[cell], n), keys))
            here -= died
            if own and died:
                cuda.atomic.add(gone, (n - base, program.exit_of[program.exit_of.size - 1]), died)
        here += come
        if way != LIVE:
            if own and here:
                cuda.atomic.add(gone, (n - base, way), here)
            here = np.int64(0)
    if own and way == LIVE:
        after[cell] = here


def size(dimension: int) -> tuple[int, int]:
    """(cells of a tile along an axis, the number of steps that they make together)."""
    width = min(WIDTH, int(MOST ** (1 / dimension) + 1e-9))
    return width, max(1, width // 8)


def occupy(
    counts: NDArray[np.int64], program: TableProgram, tiles: tuple[NDArray[Any], ...], together: int,
    address: NDArray[np.uint64], steps: range, gone: NDArray[np.int64], keys: Keys,
) -> None:  # fmt: skip
    """See :meth:`randwalk.run.machine.Machine.occupy`; tiles are those of :meth:`randwalk.tables.layout.Layout.tiles`."""
    before, after, left = cuda.to_device(counts), cuda.to_device(counts), cuda.to_device(np.zeros_like(gone))
    table, there, numbers = on_device(program), on_device(tiles), on_device(address)
    for begin in steps[::together]:
        span = begin, min(begin + together, steps.stop), steps.start
        occupy_tiles(*tiles[0].shape, after, before, there, table, numbers, span, left, keys)
        before, after = after, before
    live = program.exit_of == LIVE
    counts[live] = before.copy_to_host()[live]
    gone[:] = left.copy_to_host()
