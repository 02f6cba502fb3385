"""Kernels of walks with constant probabilities on an unbounded lattice: 64 steps of a walker to a machine word, a thread a
walker."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ..bits import compare, follow, screen
from ..philox import HALF, LOW, STEPS, U, words64
from ..program import FULL, DigitsProgram
from ..step import I32, ZERO, change, popcount
from .compile import Kernel, cuda, in_kernel

FAIR = FULL // 2, FULL
_compare, _follow, _change = in_kernel(compare), in_kernel(follow), in_kernel(change)


@Kernel
def toss(walkers, program, span, keys):  # type: ignore[no-untyped-def]
    """p = ½ for each of two offsets: 128 steps a Philox block, of which the ones take the second."""
    (_, start, stop), site, (first, second) = span, walkers.site, program.offsets
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        walker, taken = U(walkers.first + j), I32(0)
        for block in range(I32(start // 128), I32((stop + 127) // 128)):
            early, late = words64(walker & LOW, walker >> HALF, U(block), STEPS, keys[0], keys[1])
            early, late, begin = U(early), U(late), 128 * np.int64(block)
            if begin < start or begin + 128 > stop:
                early, late = early & U(screen(begin, start, stop)), late & U(screen(begin + 64, start, stop))
            taken = I32(taken + I32(popcount(early)) + I32(popcount(late)))
        site[j] = I32(site[j] + first * (stop - start) + (second - first) * taken)


@cache
def walk_digits(moves: int, followed: bool) -> Kernel:
    """A kernel for walks with this number of moves. If `followed`, functionals of the paths are kept in `state`."""

    def walk(walkers, program, span, keys):  # type: ignore[no-untyped-def]
        (_, start, stop), site = span, walkers.site
        room = cuda.local.array(moves, np.uint64), cuda.local.array(moves, np.uint64)
        for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
            walker, here, kept = U(walkers.first + j), site[j], ZERO
            if followed:
                _follow(site, walkers.state, j, walkers.levels, walker, program, (start, stop), room, keys)
                continue
            for word in range(start // 128 * 2, (stop + 63) // 64):
                wanted = U(screen(64 * word, start, stop))
                kept = U(_compare(room[0], room[1], kept, wanted, walker, word, program, keys))
                for k in range(moves):
                    steps = I32(popcount(U(room[0][k]) & wanted))
                    here = I32(here + I32(_change(program.offsets, k)) * steps)
            site[j] = here

    return Kernel(walk)


def driver(program: DigitsProgram, followed: bool) -> tuple[Kernel, tuple[Any, ...]]:
    """See :data:`randwalk.kernels.cuda.compile.Driver`."""
    fair = program.thresholds == FAIR and not followed
    return toss if fair else walk_digits(len(program.offsets), followed), (program,)
