"""Kernels of walks on a step table, a thread a walker."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..backend import TableProgram
from ..functionals import highest, passage
from ..philox import HALF, LOW, STEPS, U, philox
from ..step import I32, U32, column, half_step, halves, table_step
from .compile import THREADS, Kernel, apart, blocks_for, cuda, in_kernel
from .walkers import tally

CAPACITIES = (8, 512, 4096)  # columns of step tables in shared memory; larger ones are read through the cache
_table_step = in_kernel(table_step)


class DeviceTable(NamedTuple):
    """A :class:`TableProgram` in the device's memory, with the high halves of its thresholds: (rows, columns) of right and left
    in one word, and of live."""

    pairs: Any
    lives: Any
    thresholds: Any
    layout: tuple[int, int, int, int]

    @classmethod
    def of(cls, program: TableProgram) -> DeviceTable:
        rows, _, columns = program.thresholds.shape
        table = cuda.to_device(program.thresholds)
        pairs, lives = cuda.device_array((rows, columns), np.uint32), cuda.device_array((rows, columns), np.uint32)
        halve(blocks_for(rows * columns), THREADS, pairs, lives, table)
        return cls(pairs, lives, table, program.layout)

    def rows(self, begin: int, end: int) -> DeviceTable:
        """The table of steps `begin` … `end` - 1."""
        if self.thresholds.shape[0] == 1:
            return self
        return DeviceTable(self.pairs[begin:end], self.lives[begin:end], self.thresholds[begin:end], self.layout)

    @property
    def capacity(self) -> int:
        """The smallest shared table that holds this one; 0 if it is read from device memory."""
        rows, _, columns = self.thresholds.shape
        return next((c for c in CAPACITIES if rows == 1 and columns <= c), 0)


@Kernel
def halve(pairs, lives, thresholds):  # type: ignore[no-untyped-def]
    columns = thresholds.shape[2]
    for i in range(cuda.grid(1), thresholds.shape[0] * columns, cuda.gridsize(1)):
        row, c = i // columns, i % columns
        pairs[row, c], lives[row, c] = halves(thresholds[row, 0, c], thresholds[row, 1, c], thresholds[row, 2, c])


@cuda.jit(device=True)
def _fetch(here, there):  # type: ignore[no-untyped-def]
    """A block copies the one row of a table to its shared memory."""
    for i in range(cuda.threadIdx.x, there.shape[1], cuda.blockDim.x):
        here[0, i] = there[0, i]
    cuda.syncthreads()


@cuda.jit(device=True)
def _settle(site, half, walker, n, program, row, k0, k1):  # type: ignore[no-untyped-def]
    apart()
    low, high, wrap, killed = program.layout
    return _table_step(site, half, walker, n, program.thresholds, row, low, high, wrap, killed, k0, k1)


@cache
def walk_table(capacity: int, followed: bool) -> Kernel:
    """A kernel for tables of at most `capacity` columns, whose halves it reads from shared memory; 0: any table, read from device
    memory. If `followed`, functionals of the paths are kept in `state`."""
    room = max(capacity, 1)

    def walk(walkers, program, start, stop, keys):  # type: ignore[no-untyped-def]
        site, state, (k0, k1) = walkers.site, walkers.state, keys
        layout = program.layout
        low, high, wrap, killed = I32(layout[0]), I32(layout[1]), I32(layout[2]), I32(layout[3])
        if capacity:
            pairs = cuda.shared.array((1, room), np.uint32)  # the simulator tells shared arrays apart by their lines
            lives = cuda.shared.array((1, room), np.uint32)
            _fetch(pairs, program.pairs)
            _fetch(lives, program.lives)
        else:
            pairs, lives = program.pairs, program.lives
        streamed = program.thresholds.shape[0] > 1
        for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
            walker = U(walkers.first + j)
            here, left, top = site[j], I32(0), I32(0)
            if followed:
                left, top = state[0, j], state[1, j]
            for eight in range(start // 8, (stop + 7) // 8):
                if here < 1 or here > killed - 2:
                    break  # a walker that has left stays where it is
                y0, y1, y2, y3 = philox(walker & LOW, walker >> HALF, U(eight), STEPS, k0, k1)
                w0, w1, w2, w3 = U32(y0 & LOW), U32(y1 & LOW), U32(y2 & LOW), U32(y3 & LOW)
                begin, end = I32(max(start - 8 * eight, 0)), I32(min(stop - 8 * eight, 8))
                for i in range(I32(8)):
                    half = U32(w0 >> U32(16))
                    w0, w1, w2, w3 = w1, w2, w3, U32(w0 << U32(16))  # high halves first, then the low ones
                    if begin <= i < end and (not followed or 0 < here < killed - 1):
                        n = 8 * eight + i
                        row, c = U(0) if capacity else U(n - start if streamed else 0), U32(column(here, low, high))
                        there, tied = half_step(here, half, pairs[row, c], lives[row, c], wrap, killed)
                        if tied:
                            there = _settle(here, half, walker, n, program, row, k0, k1)
                        there = I32(there)
                        if followed:
                            left = I32(passage(here, there, n, killed - 1, left))
                            top = I32(highest(there, killed - 1, top))
                            tally(here, there, n, j, state, walkers.levels, killed - 1)
                        here = there
            site[j] = here
            if followed:
                state[0, j], state[1, j] = left, top

    return Kernel(walk)
