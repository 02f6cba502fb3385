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
    INTERFACES,
    KILLED,
    LINEAR,
    RINGS,
    WALLS,
    WEIGHED,
    D,
    M,
    at,
    crossed,
    home,
    increments,
    lifetime,
    lived_until,
    matrices,
    moved,
    near,
    put,
    weighed,
)
from .normal import merged_normals as merged
from .normal import normals as fill

# [driver]
# isort: split
from ..jit.vector import apart, wide
from .normal import BLOCK, SPARE
from .philox import U

RANK = 128  # steps after which the walkers of all blocks that have not left are brought together again


@aside
def loaded(state, live, begin, size, block):  # type: ignore[no-untyped-def]
    """Take walkers into a block."""
    s, who, left, _, weight, gathered, _ = block
    for j in range(size):
        i = live[begin + j]
        who[j], left[j] = i, 0
        weight[j], gathered[j] = state.weight[i], state.gathered[i]
        for a in range(D):
            s[a, j] = state.x[a, i]


@aside
def dropped(state, size, block):  # type: ignore[no-untyped-def]
    """Give the walkers of a block that left back to the batch; returns the number of the others, which stand first now."""
    s, who, left, gone, weight, gathered, place = block
    stay = 0
    for j in range(size):
        if left[j]:
            i = who[j]
            for a in range(D):
                state.x[a, i] = place[a, j]
            state.weight[i], state.gathered[i] = weight[j], gathered[j]
            state.exit[i], state.gone_at[i] = left[j], gone[j]
        else:
            if stay < j:
                for a in range(D):
                    s[a, stay] = s[a, j]
                who[stay], weight[stay], gathered[stay] = who[j], weight[j], gathered[j]
            stay += 1
    for j in range(size):
        left[j] = 0
    return stay


@aside
def stored(state, size, block):  # type: ignore[no-untyped-def]
    """Give the walkers of a block, none of whom left, back to the batch."""
    s, who, _, _, weight, gathered, _ = block
    for j in range(size):
        i = who[j]
        for a in range(D):
            state.x[a, i] = s[a, j]
        state.weight[i], state.gathered[i] = weight[j], gathered[j]


@device
def skipped(block, lanes, number, size, times, p, keys):  # type: ignore[no-untyped-def]
    """What a walk does not need."""


@device
def free_step(block, lanes, z, row, size, times, p):  # type: ignore[no-untyped-def]
    """A step of a block whose walkers stay."""
    s, (_, t, h) = block[0], times
    root = math.sqrt(h)
    for j in range(size):
        put(s, j, moved(at(s, j), t, h, root, increments(z, row, j), p))


@device
def full_step(block, lanes, z, row, size, times, p):  # type: ignore[no-untyped-def]
    """A step of a block whose walkers are weighed, gather or may leave: what each of them lives of it is `spell`."""
    s, left, before, spell, close = block[0], block[2], lanes[0], lanes[1], lanes[3]
    _, t, h = times
    root = math.sqrt(h)
    for j in range(size):
        x = at(s, j)
        y = moved(x, t, h, root, increments(z, row, j), p)
        put(before, j, x)
        put(s, j, y)
        spell[j] = h if left[j] == 0 else 0.0
        close[j] = np.uint8(near(x, y, t, h, p) & (left[j] == 0))


@aside
def add_row(y, c, x, size):  # type: ignore[no-untyped-def]
    """y += c x of two rows."""
    wide()
    apart()
    for j in range(size):
        y[j] += c * x[j]


@aside
def linear_step(block, lanes, z, row, size, times, p):  # type: ignore[no-untyped-def]
    """A step by matrices, row by row, in as many dimensions as there are."""
    s, before, (_, _, h), data = block[0], lanes[0], times, p[-1]
    k, f, r, b, matrix, noise = matrices(h, math.sqrt(h))
    for a in range(D):
        for j in range(size):
            before[a, j] = s[a, j]
    for a in range(D):
        y = s[a]
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
def full_linear_step(block, lanes, z, row, size, times, p):  # type: ignore[no-untyped-def]
    """As :func:`full_step`, by matrices."""
    linear_step(block, lanes, z, row, size, times, p)
    s, left, before, spell, close = block[0], block[2], lanes[0], lanes[1], lanes[3]
    _, t, h = times
    for j in range(size):
        spell[j] = h if left[j] == 0 else 0.0
        close[j] = np.uint8(near(at(before, j), at(s, j), t, h, p) & (left[j] == 0))


@device
def walled_block(block, lanes, number, size, times, p, keys):  # type: ignore[no-untyped-def]
    """The walls, for those who may have reached one."""
    s, _, left, gone, _, _, place = block
    before, spell, _, close, _ = lanes
    n, t, h = times
    for j in range(size):
        if close[j]:
            exit, lived, y = crossed(at(before, j), at(s, j), t, h, number[j], n, p, keys)
            put(s, j, y)
            if exit:
                left[j], gone[j], spell[j] = exit, t + lived, lived
                put(place, j, y)


@device
def weighed_block(block, lanes, number, size, times, p, keys):  # type: ignore[no-untyped-def]
    """Weights and sources, over what each walker lived of the step."""
    s, _, _, _, weight, gathered, _ = block
    before, spell, _, _, earlier = lanes
    _, t, _ = times
    for j in range(size):
        earlier[j] = weight[j]
        weight[j], gathered[j] = weighed(at(before, j), at(s, j), t, spell[j], weight[j], gathered[j], p)


@aside
def lifetimes(block, lanes, number, size, times, p, keys):  # type: ignore[no-untyped-def]
    """The weight at which each walker is killed."""
    fate = lanes[2]
    for j in range(size):
        fate[j] = lifetime(number[j], keys)


@device
def killed_block(block, lanes, number, size, times, p, keys):  # type: ignore[no-untyped-def]
    """Walkers leave whose weight has fallen below their `fate`, at the time when it did."""
    s, _, left, gone, weight, _, place = block
    _, spell, fate, _, earlier = lanes
    _, t, _ = times
    dying = 0
    for j in range(size):
        dying += weight[j] < fate[j]
    if dying:
        for j in range(size):
            if weight[j] < fate[j] and spell[j] > 0.0:
                gone[j] = t + lived_until(earlier[j], fate[j], weight[j], spell[j])
                left[j], spell[j] = KILLED, 0.0
                put(place, j, at(s, j))


@device
def turned_block(block, lanes, number, size, times, p, keys):  # type: ignore[no-untyped-def]
    """Points on rings between their ends."""
    s = block[0]
    for j in range(size):
        put(s, j, home(at(s, j), p))


# What a walk needs: of a choice inside a kernel both sides would be compiled.
staying, leaving = (linear_step, full_linear_step) if LINEAR else (free_step, full_step)
stepped = leaving if WEIGHED or GATHERED or WALLS or INTERFACES else staying
walled = walled_block if WALLS or INTERFACES else skipped
weighted = weighed_block if WEIGHED or GATHERED else skipped
fated, killed = (lifetimes, killed_block) if KILLED else (skipped, skipped)
turned = turned_block if RINGS else skipped


@kernel
def walk(state, first, start, stop, dt, pairs, p, keys):  # type: ignore[no-untyped-def]
    """Advance walkers number `first`, `first` + 1, … from step `start` to step `stop`, steps of `pairs` dt, in place."""
    wide()
    h = pairs * dt
    fine = pairs * M  # increments of a step
    z, words = np.empty((pairs * CHUNK * M + SPARE, BLOCK)), np.empty((3, BLOCK), np.uint64)
    s, number, who = np.empty((D, BLOCK)), np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.int64)
    left, gone, weight, gathered = np.zeros(BLOCK, np.int32), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    before, spell, fate, close = np.empty((D, BLOCK)), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK, np.uint8)
    place, earlier = np.empty((D, BLOCK)), np.empty(BLOCK)
    block = s, who, left, gone, weight, gathered, place
    lanes = before, spell, fate, close, earlier
    live, count = np.empty(state.exit.size, np.int64), 0
    for i in range(state.exit.size):
        if state.exit[i] == 0:
            live[count] = i
            count += 1
    for rank in range(start, stop, RANK):
        left_over = 0
        for begin in range(0, count, BLOCK):
            size = min(BLOCK, count - begin)
            loaded(state, live, begin, size, block)
            known = 0  # walkers whose numbers and random words stand in the block
            for chunk in range(rank, min(rank + RANK, stop), CHUNK):
                end = min(chunk + CHUNK, rank + RANK, stop)
                if known != size:
                    for j in range(BLOCK):
                        number[j] = U(first) + U(who[min(j, size - 1)])
                    known, words[2, 0] = size, U(0)
                    fated(block, lanes, number, size, (0, 0.0, h), p, keys)
                shift = fill(z, words, number, size, chunk * fine, (end - chunk) * fine, keys)
                width = pairs
                while width > 1:
                    width //= 2
                    merged(z, size, shift, (end - chunk) * width, M)
                for n in range(chunk, end):
                    times, row = (n * pairs, n * h, h), shift + (n - chunk) * M
                    stepped(block, lanes, z, row, size, times, p)
                    walled(block, lanes, number, size, times, p, keys)
                    weighted(block, lanes, number, size, times, p, keys)
                    killed(block, lanes, number, size, times, p, keys)
                    turned(block, lanes, number, size, times, p, keys)
                if WALLS or KILLED:
                    size = dropped(state, size, block)
                    if size == 0:
                        break
            stored(state, size, block)
            for j in range(size):
                live[left_over] = who[j]
                left_over += 1
        count = left_over
