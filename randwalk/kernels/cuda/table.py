"""Kernels of walks on a step table, a thread a walker."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ..functionals import tally
from ..philox import HALF, LOW, STEPS, U, philox
from ..program import Halves, TableProgram
from ..step import I32, U32, half_moves, rests, step, uniform
from .compile import SHARED, Kernel, apart, cuda, in_kernel, on_device

CAPACITIES = (8, 512, 4096)  # columns of step tables in shared memory; larger tables are read through the cache
_rests, _step, _tally = in_kernel(rests), in_kernel(step), in_kernel(tally)


@cuda.jit(device=True)
def _uniform(half, walker, n, k0, k1):  # type: ignore[no-untyped-def]
    apart()
    return uniform(half, walker, n, (k0, k1))


@cache
def walk_table(capacity: int, words: int, kind: str, followed: bool) -> Kernel:
    """A kernel for tables of at most `capacity` columns of so many words of a `kind`, which it reads from shared memory; 0: any
    table, read from device memory. If `followed`, functionals of the paths are kept in `state`."""
    room, word_type = max(capacity, 1), np.dtype(kind).type
    pairs = np.dtype(kind).itemsize // 4

    def walk(walkers, program, halves, span, keys):  # type: ignore[no-untyped-def]
        site, state, places = walkers.site, walkers.state, walkers.places
        (origin, start, stop), changes = span, halves.changes
        if capacity:
            thresholds = cuda.shared.array((words, room), word_type)
            lives = cuda.shared.array(room, np.uint32)  # the simulator tells shared arrays apart by their lines
            for i in range(cuda.threadIdx.x, halves.lives.shape[1], cuda.blockDim.x):
                for m in range(words):
                    thresholds[m, i] = halves.words[0, m, i]
                lives[i] = halves.lives[0, i]
            cuda.syncthreads()
        else:
            thresholds, lives = halves.words[0], halves.lives[0]
        streamed, killed = program.thresholds.shape[0] > 1, I32(program.exit_of.size - 1)
        for i in range(cuda.grid(1), places.size if places.size else site.size, cuda.gridsize(1)):
            j = np.int64(places[i]) if places.size else i
            walker, here, left, top = U(walkers.first + j), site[j], I32(0), I32(0)
            if followed:
                left, top = state[0, j], state[1, j]
            for eight in range(start // 8, (stop + 7) // 8):
                gone = _rests(here, program)
                if gone:
                    break  # a walker that has left stays where it is
                y0, y1, y2, y3 = philox(walker & LOW, walker >> HALF, U(eight), STEPS, keys[0], keys[1])
                w0, w1, w2, w3 = U32(y0 & LOW), U32(y1 & LOW), U32(y2 & LOW), U32(y3 & LOW)
                begin, end = I32(max(start - 8 * eight, 0)), I32(min(stop - 8 * eight, 8))
                for k in range(I32(8)):
                    word = U32(w0 >> U32(16))
                    w0, w1, w2, w3 = w1, w2, w3, U32(w0 << U32(16))  # high halves first, then the low ones
                    if begin <= k < end and not gone:
                        n = 8 * eight + k
                        row = U(n - origin if streamed else 0)
                        c = U32(program.column[U32(here)] if halves.mapped else here)
                        moved, tied = U32(here), False
                        for m in range(words):
                            several = U(thresholds[m, c] if capacity else halves.words[row, m, c])
                            for i in range(pairs):
                                first, second = changes[2 * (pairs * m + i)], changes[2 * (pairs * m + i) + 1]
                                moved, tie = half_moves(moved, word, U32(several & LOW), U32(first), U32(second))
                                moved, tied, several = U32(moved), tied | tie, several >> HALF
                        there = I32(program.home[moved] if program.home.size else moved)
                        if program.kills:
                            live = lives[c] if capacity else halves.lives[row, c]
                            tied |= word == live
                            there = there if word < live else killed
                        if tied:
                            there = I32(_step(here, _uniform(word, walker, n, keys[0], keys[1]), program, row, 0))
                        if followed:
                            gone = _rests(there, program)
                            left = I32(n + 1 if gone else left)
                            top = I32(_tally(here, there, n, state, j, walkers.levels, killed, top))
                        here = there
            site[j] = here
            if followed:
                state[0, j], state[1, j] = left, top

    return Kernel(walk)


def driver(program: TableProgram, followed: bool) -> tuple[Kernel, tuple[Any, ...]]:
    """See :data:`randwalk.kernels.cuda.compile.Driver`."""
    halves = Halves.of(program, CAPACITIES[-1])
    rows, words, columns = halves.words.shape
    size = halves.words.itemsize * words + 4  # bytes of a column
    fits = (c for c in CAPACITIES if rows == 1 and columns <= c and c * size <= SHARED)
    there = on_device(program), on_device(halves._replace(changes=tuple(halves.changes.tolist())))
    return walk_table(next(fits, 0), words, halves.words.dtype.name, followed), there
