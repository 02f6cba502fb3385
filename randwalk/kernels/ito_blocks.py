"""The driver of walks in continuous space on the CPU: blocks of walkers, a step of all of them at once.

The lines below the mark become a part of the module of each walk (:mod:`randwalk.kernels.ito`), whose functions they call.
"""

from __future__ import annotations

import math

import numpy as np

from ..jit.compile import aside, device, kernel
from .ito import (
    CHUNK,
    GATHERED,
    HELD,
    INTERFACES,
    KILLED,
    LINEAR,
    RINGS,
    WALLS,
    WEIGHED,
    D,
    M,
    at,
    clearances,
    crossed,
    held,
    home,
    increments,
    lifetime,
    lived_until,
    matrices,
    moved,
    note,
    put,
    weighed,
)
from .normal import merged_normals as merged
from .normal import normals as fill

# [driver]
# isort: split
from ..jit.lanes import WIDTH, fetch_cells
from ..jit.vector import apart, which, wide, zeros_above
from .bridges import U32, may_cross
from .normal import BLOCK
from .philox import U

EVERY = U((1 << WIDTH) - 1)
RANK = 64  # steps after which the walkers of all blocks that have not left are brought together again


@aside
def loaded(state, live, begin, size, block):  # type: ignore[no-untyped-def]
    """Take walkers into a block."""
    for j in range(size):
        i = live[begin + j]
        block.who[j] = i
        block.weight[j], block.gathered[j] = state.weight[i], state.gathered[i]
        for a in range(D):
            block.x[a, j] = state.x[a, i]


@aside
def dropped(state, size, block):  # type: ignore[no-untyped-def]
    """Give the walkers of a block that left back to the batch, and put the last ones in their places; returns how many stay."""
    who, left, number, words, fate = block.who, block.left, block.number, block.words, block.fate
    x, weight, gathered = block.x, block.weight, block.gathered
    for k in range((size - 1) // WIDTH * WIDTH, -1, -WIDTH):
        some = which(fetch_cells(left, k) == U32(0)) ^ EVERY
        while some != U(0):
            high = U(63) - zeros_above(some)
            j = k + np.int64(high)
            some ^= U(1) << high
            i, size = who[j], size - 1
            for a in range(D):
                state.x[a, i], x[a, j] = block.place[a, j], x[a, size]
            state.weight[i], state.gathered[i] = weight[j], gathered[j]
            state.exit[i], state.gone_at[i] = left[j], block.gone[j]
            who[j], weight[j], gathered[j] = who[size], weight[size], gathered[size]
            number[j], words[0, j], words[1, j], fate[j] = number[size], words[0, size], words[1, size], fate[size]
            left[j] = 0
    return size


@aside
def stored(state, size, block):  # type: ignore[no-untyped-def]
    """Give the walkers of a block, none of whom left, back to the batch."""
    for j in range(size):
        i = block.who[j]
        for a in range(D):
            state.x[a, i] = block.x[a, j]
        state.weight[i], state.gathered[i] = block.weight[j], block.gathered[j]


@device
def free_step(block, row, size, times, p):  # type: ignore[no-untyped-def]
    """A step of a block whose walkers stay."""
    x, z, (_, t, h) = block.x, block.z, times
    root = math.sqrt(h)
    for j in range(size):
        put(x, j, moved(at(x, j), t, h, root, increments(z, row, j), p))


@device
def full_step(block, row, size, times, p):  # type: ignore[no-untyped-def]
    """A step of a block whose walkers are weighed, gather or may leave: what each of them lives of it is `spell`."""
    x, z, left, before, spell, clear = block.x, block.z, block.left, block.before, block.spell, block.clear
    near, (_, t, h) = block.room[0], times
    root = math.sqrt(h)
    for j in range(size):
        start = at(x, j)
        end = moved(start, t, h, root, increments(z, row, j), p)
        put(before, j, start)
        put(x, j, end)
        if WEIGHED or GATHERED:
            spell[j] = h if left[j] == 0 else 0.0
        note(clear, near, j, clearances(start, end, t, h, p))


@aside
def add_row(y, c, x, size):  # type: ignore[no-untyped-def]
    """y += c x of two rows."""
    wide()
    apart()
    for j in range(size):
        y[j] += c * x[j]


@aside
def linear_step(block, row, size, times, p):  # type: ignore[no-untyped-def]
    """A step by matrices, row by row, in as many dimensions as there are."""
    x, z, before, (_, _, h), data = block.x, block.z, block.before, times, p[-1]
    k, f, r, b, matrix, noise = matrices(h, math.sqrt(h))
    for a in range(D):
        for j in range(size):
            before[a, j] = x[a, j]
    for a in range(D):
        y = x[a]
        for j in range(size):
            y[j] = data[b + a]
        for i in range(D):
            if data[matrix + a * D + i] != 0.0:
                add_row(y, data[matrix + a * D + i], before[i], size)
        for j in range(size):
            y[j] = k * before[a, j] + f * y[j]
        for i in range(M):
            if data[noise + a * M + i] != 0.0:
                add_row(y, r * data[noise + a * M + i], z[row + i], size)


@aside
def full_linear_step(block, row, size, times, p):  # type: ignore[no-untyped-def]
    """As :func:`full_step`, by matrices."""
    linear_step(block, row, size, times, p)
    x, before, left, spell = block.x, block.before, block.left, block.spell
    near, (_, t, h) = block.room[0], times
    for j in range(size):
        if WEIGHED or GATHERED:
            spell[j] = h if left[j] == 0 else 0.0
        note(block.clear, near, j, clearances(at(before, j), at(x, j), t, h, p))


@device
def walled_block(block, size, times, p, keys):  # type: ignore[no-untyped-def]
    """The walls, for those who may have reached one; first those that absorb in part get their share of its weight."""
    n, t, h = times
    chosen = block.room[5]
    for k in range(may_cross(block.clear, block.number, block.left, size, n, block.room, keys)):
        j = chosen[k]
        if HELD:
            kept, paid = held(at(block.before, j), at(block.x, j), t, h, block.number[j], n, p, keys)
            block.gathered[j] += block.weight[j] * paid
            block.weight[j] *= kept
        exit, lived, y = crossed(at(block.before, j), at(block.x, j), t, h, block.number[j], n, p, keys)
        put(block.x, j, y)
        if exit:
            block.left[j], block.gone[j], block.spell[j] = exit, t + lived, lived
            put(block.place, j, y)


@device
def weighed_block(block, size, times, p, keys):  # type: ignore[no-untyped-def]
    """Weights and sources, over what each walker lived of the step."""
    x, before, spell, earlier = block.x, block.before, block.spell, block.earlier
    weight, gathered, (_, t, _) = block.weight, block.gathered, times
    for j in range(size):
        earlier[j] = weight[j]
        weight[j], gathered[j] = weighed(at(before, j), at(x, j), t, spell[j], weight[j], gathered[j], p)


@aside
def lifetimes(block, size, keys):  # type: ignore[no-untyped-def]
    """The weight at which each walker is killed."""
    for j in range(size):
        block.fate[j] = lifetime(block.number[j], keys)


@device
def killed_block(block, size, times, p, keys):  # type: ignore[no-untyped-def]
    """Walkers leave whose weight has fallen below their `fate`, at the time when it did."""
    weight, fate, spell, (_, t, _) = block.weight, block.fate, block.spell, times
    dying = 0
    for j in range(size):
        dying += weight[j] < fate[j]
    if dying:
        for j in range(size):
            if weight[j] < fate[j] and spell[j] > 0.0:
                block.gone[j] = t + lived_until(block.earlier[j], fate[j], weight[j], spell[j])
                block.left[j], spell[j] = KILLED, 0.0
                put(block.place, j, at(block.x, j))


@device
def turned_block(block, size, times, p, keys):  # type: ignore[no-untyped-def]
    """Points on rings between their ends."""
    x = block.x
    for j in range(size):
        put(x, j, home(at(x, j), p))


# What a walk needs. A choice by one of these names, or by one number of the model, is made before a kernel is compiled.
WALLED, WEIGHS = bool(WALLS or INTERFACES), WEIGHED or GATHERED
stepped = ((free_step, full_step), (linear_step, full_linear_step))[LINEAR][WALLED or WEIGHS]


@kernel
def walk(state, live, block, first, steps, lengths, p, keys):  # type: ignore[no-untyped-def]
    """Advance the walkers `live` of a batch from one of `steps` to the other, in place; `lengths` are dt and how many of them
    make a step. The batch begins with walker `first`; :meth:`randwalk.tables.ito_program.ItoProgram.walk` makes the block."""
    wide()
    (start, stop), (dt, pairs) = steps, lengths
    h = pairs * dt
    fine, count = pairs * M, live.size  # increments of a step, and walkers that have not left
    z, words, number, who = block.z, block.words, block.number, block.who
    for rank in range(start, stop, RANK):
        last, left_over = min(rank + RANK, stop), 0
        for begin in range(0, count, BLOCK):
            size = min(BLOCK, count - begin)
            loaded(state, live, begin, size, block)
            for j in range(BLOCK):
                number[j] = U(first) + U(who[min(j, size - 1)])
            words[2, 0] = U(0)
            if KILLED:
                lifetimes(block, size, keys)
            for chunk in range(rank, last, CHUNK):
                end = min(chunk + CHUNK, last)
                shift = fill(z, words, number, size, chunk * fine, (end - chunk) * fine, keys)
                width = pairs
                while width > 1:
                    width //= 2
                    merged(z, size, shift, (end - chunk) * width, M)
                for n in range(chunk, end):
                    times = n * pairs, n * h, h
                    stepped(block, shift + (n - chunk) * M, size, times, p)
                    if WALLED:
                        walled_block(block, size, times, p, keys)
                    if WEIGHS:
                        weighed_block(block, size, times, p, keys)
                    if KILLED:
                        killed_block(block, size, times, p, keys)
                    if RINGS:
                        turned_block(block, size, times, p, keys)
                if WALLS or KILLED:
                    size = dropped(state, size, block)
                    if size == 0:
                        break
            stored(state, size, block)
            for j in range(size):
                live[left_over] = who[j]
                left_over += 1
        count = left_over
