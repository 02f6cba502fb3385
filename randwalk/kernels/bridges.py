"""Which steps of many walkers a wall may change: a test of all at once, so that few bridges are worked out.

A step of clearance q from a wall (:func:`randwalk.kernels.wall.clearance`) reaches it if the uniform of its first word is below
exp(-2q). Where q is large no word is drawn; else words are drawn for many walkers at once and compared by their leading digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..jit.compile import aside, kernel
from ..jit.lanes import LANES, WIDTH, fetch, fetch_cells, keep
from ..jit.vector import apart, which, wide, zeros_below
from .normal import BLOCK
from .philox import BRIDGE, HALF, LOW, U, of_axis, philox
from .wall import REACH, may_be_reached


def room(walls: int) -> tuple[Any, ...]:
    """What :func:`may_cross` needs: flags, the walkers near a wall each with its wall, (their numbers, the purposes of their
    words, the words), marks, and the columns of the walkers that it returns."""
    many = walls * BLOCK
    drawn = np.empty(many, np.uint64), np.empty(many, np.uint64), np.empty(many, np.uint64)
    return (
        np.empty(BLOCK, np.uint32),
        np.empty(many, np.int64),
        drawn,
        np.zeros(BLOCK, np.uint8),
        np.empty(BLOCK + 1, np.int64),
    )


@aside
def flagged(near, clear, size):  # type: ignore[no-untyped-def]
    """Flag the steps that may reach a wall."""
    wide()
    apart()
    for j in range(BLOCK):
        near[j] = np.uint32((not clear[j] > REACH) & (j < size))


@kernel
def may_cross(clear, number, fate, size, step, room, keys):  # type: ignore[no-untyped-def]
    """How many walkers of a block, of those that have not left, may reach a wall by the first word of their bridge: all whose
    bridge does, and few others. `clear` has a row for each wall. Their columns are in `room`, where their marks are 1."""
    near, pairs, (numbers, purposes, words), marks, chosen = room
    count = 0
    for w in range(clear.shape[0]):
        flagged(near, clear[w], size)
        for k in range(0, size, WIDTH):
            some = which(fetch_cells(near, k) == np.uint32(1))
            while some != U(0):
                j = k + np.int64(zeros_below(some))
                some &= some - U(1)
                pairs[count], numbers[count], purposes[count] = w * BLOCK + j, number[j], of_axis(BRIDGE, w)
                count += 1
    for k in range(0, count, LANES):
        walker = fetch(numbers, k)
        drawn = philox(walker & LOW, walker >> HALF, U(step), fetch(purposes, k), keys[0], keys[1])
        keep(drawn[0], words, k)
    found = 0
    for k in range(count):
        w, j = pairs[k] // BLOCK, pairs[k] % BLOCK
        chosen[found] = j
        reached = may_be_reached(clear[w, j], words[k]) & (fate[j] == 0) & (marks[j] == 0)
        marks[j] |= reached
        found += reached
    return found
