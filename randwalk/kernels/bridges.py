"""Which steps of many walkers a wall may change: a test of all at once, so that few bridges are worked out.

A step of clearance q from a wall (:func:`randwalk.kernels.wall.clearance`) reaches it if the uniform of its first word is below
exp(-2q). Where q is large no word is drawn; else words are drawn for many walkers at once and compared by their leading digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..jit.compile import aside, subkernel
from ..jit.lanes import LANES, WIDTH, fetch, fetch_cells, keep
from ..jit.vector import apart, which, wide, zeros_below
from .normal import BLOCK
from .philox import BRIDGE, HALF, LOW, U, of_axis, philox
from .wall import REACH, may_be_reached

U32 = np.uint32


def room(walls: int) -> tuple[Any, ...]:
    """What :func:`may_cross` needs: flags of walkers near a wall; of pairs of a wall and a walker (the walker's number, the
    purpose of the word, the word), the walker's column, the clearance and a flag; and the columns that it returns."""
    many = walls * BLOCK + WIDTH  # what is read of the last vectors
    drawn = np.zeros(many, np.uint64), np.zeros(many, np.uint64), np.zeros(many, np.uint64)
    near, reached = np.zeros(BLOCK, U32), np.zeros(many, U32)
    return near, drawn, np.empty(many, np.int64), np.empty(many), reached, np.empty(many, np.int64)


@aside
def compared(reached, q, words, count):  # type: ignore[no-untyped-def]
    """Flag the pairs whose word may make the bridge reach the wall."""
    wide()
    apart()
    for k in range(count):
        reached[k] = U32(may_be_reached(q[k], words[k]))


@subkernel
def may_cross(clear, number, left, size, step, room, keys):  # type: ignore[no-untyped-def]
    """How many walkers of a block, of those that have not left, may reach a wall by the first word of their bridge: all whose
    bridge does, and few others; their columns are in `room`. `clear` has a row for each wall, and the flags in `room` say which
    walkers are near any."""
    near, (numbers, purposes, words), columns, q, reached, chosen = room
    count = U(0)
    for k in range(0, size, WIDTH):
        some = which(fetch_cells(near, k) == U32(1)) & which(fetch_cells(left, k) == U32(0))
        if size - k < WIDTH:
            some &= (U(1) << U(size - k)) - U(1)
        while some != U(0):
            j = U(k) + zeros_below(some)
            some &= some - U(1)
            for w in range(U(clear.shape[0])):
                columns[count], numbers[count], purposes[count] = j, number[j], of_axis(BRIDGE, w)
                q[count] = clear[w, j]
                count += U(not clear[w, j] > REACH)
    if count == U(0):
        return 0
    for k in range(0, count, LANES):
        walker = fetch(numbers, k)
        drawn = philox(walker & LOW, walker >> HALF, U(step), fetch(purposes, k), keys[0], keys[1])
        keep(drawn[0], words, k)
    compared(reached, q, words, count)
    found, last = 0, -1
    for k in range(0, count, WIDTH):
        some = which(fetch_cells(reached, k) == U32(1))
        if count - k < WIDTH:
            some &= (U(1) << U(count - k)) - U(1)
        while some != U(0):
            j = columns[U(k) + zeros_below(some)]
            some &= some - U(1)
            chosen[found] = j
            found += j != last
            last = j
    return found
