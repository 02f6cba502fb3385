"""CPU drivers of walks on a table, of jumps, and of counting: blocks of walkers, steps inside. Drivers fetch and loop; the
physics is in `step` and `alias`. Walks with constant probabilities are in `constant`.
A walker's path depends on its number and the key alone, so blocks, batches and stretches of steps are free. Drivers run on
one thread and release the interpreter's lock: threads take batches of walkers (see :mod:`randwalk.run.host`)."""

from __future__ import annotations

import numpy as np

from .alias import draw, settle_draw
from .compile import aside, device, kernel
from .functionals import above, highest, passage
from .lanes import LANES, fetch, keep, numbers
from .philox import HALF, JUMP, LOW, START, STEPS, U, philox, words64
from .step import (
    I32,
    ONE,
    U32,
    half_step,
    halves,
    mortal,
    table_step,
)
from .vector import WIDTH, gather, wide

BLOCK = 512  # walkers advanced together
assert BLOCK // 4 % LANES == 0
RANKS = 128  # steps after which walkers that have not left close ranks
IDENTITY = 1 << 30  # the column map of a table that has a column for every site


@kernel
def place(site, first_walker, index, upper, k0, k1):  # type: ignore[no-untyped-def]
    """Draw the start sites: `index`[i] where the walker's 53-bit word is below `upper`[i], the cumulative start masses."""
    for j in range(site.size):
        walker = U(first_walker + j)
        word, _ = words64(walker & LOW, walker >> U(32), U(0), START, k0, k1)
        site[j] = index[np.searchsorted(upper, np.int64(word >> U(11)), side="right")]


@kernel
def count(values, shift, counts):  # type: ignore[no-untyped-def]
    """Add to `counts` how many have values[j] + shift = 0, 1, …, the ends included."""
    last, place = counts.size - 1, np.empty(BLOCK, np.uint32)
    for begin in range(0, values.size, BLOCK):
        block = values[begin : begin + BLOCK]
        for j in range(block.size):  # on vectors
            place[j] = min(max(np.int64(block[j]) + shift, 0), last)
        for j in range(block.size):
            counts[U(place[j])] += 1


@kernel
def count_differences(values, minus, shift, lowest, highest, counts):  # type: ignore[no-untyped-def]
    """As :func:`count`, of values[j] - minus[j] + shift, and only of those with `lowest` <= values[j] <= `highest`."""
    last = counts.size - 1
    for j in range(values.size):
        value = np.int64(values[j])
        if lowest <= value <= highest:
            counts[min(max(value + shift - np.int64(minus[j]), 0), last)] += 1


@kernel
def walk_table(site, passage, first_walker, start, stop, thresholds, layout, k0, k1):  # type: ignore[no-untyped-def]
    """Advance every site of `site` from step `start` to `stop` on a step table. layout = (low, high, wrap, killed).
    passage[j] = the number of steps after which walker j was out, unless `passage` is empty.

    Where walkers can leave they are advanced so many steps at a time, block by block; those that have not left then close
    ranks, so that blocks stay full.
    """
    wide()
    pairs, lives = np.empty(thresholds[:, 0].shape, np.uint32), np.empty(thresholds[:, 0].shape, np.uint32)
    _halve(thresholds, pairs, lives)
    kills, rows, left = mortal(thresholds), thresholds.shape[0], site.size
    leaves = kills or layout[2] == 0
    walkers, sites = np.empty(left, np.int32), site.copy()  # of those that have not left
    for j in range(left):
        walkers[j] = j
    x, who = np.zeros(BLOCK, np.int32), np.zeros(BLOCK, np.int32)
    scratch = np.empty((2, BLOCK), np.uint32), np.empty(BLOCK, np.uint32)
    room = np.empty((4, BLOCK), np.uint32), np.empty(BLOCK, np.int32), np.empty(BLOCK, np.int32), scratch
    begin = start
    while begin < stop:
        end, kept = min((begin // RANKS + 1) * RANKS, stop) if leaves else stop, 0
        now = (pairs, lives, thresholds) if rows == 1 else _rows(pairs, lives, thresholds, begin - start, end - start)
        for block in range(0, left, BLOCK):
            alive = min(BLOCK, left - block)
            for j in range(alive):
                x[j], who[j] = sites[block + j], walkers[block + j]
            alive = _advance(x, who, alive, site, passage, first_walker, begin, end, now, kills, layout, room, k0, k1)
            for j in range(alive):
                sites[kept + j], walkers[kept + j] = x[j], who[j]
            kept += alive
        left, begin = kept, end
    for j in range(left):
        site[walkers[j]] = sites[j]


@device
def _of_step(words, n, start, pairs):  # type: ignore[no-untyped-def]
    """(the row of the table, (words, shift) of the 16 bits) of step `n`."""
    return n - start if pairs.shape[0] > 1 else 0, (words[n & 3], U32(16) if n & 7 < 4 else U32(0))


@device
def _rows(pairs, lives, thresholds, begin, end):  # type: ignore[no-untyped-def]
    return pairs[begin:end], lives[begin:end], thresholds[begin:end]


@device
def _advance(x, who, alive, site, passage, first_walker, start, stop, table, kills, layout, room, k0, k1):  # type: ignore[no-untyped-def]
    """Advance the walkers `who` of a block, and take out those that leave; returns how many are left.

    All take a step together, from the high halves of their thresholds; the rare ones that tie are stepped again with all
    digits. Those that have come to rest are taken out every eight steps; which of the eight it was is found by walking them
    again.
    """
    pairs, lives, thresholds = table
    words, before, eight_ago, scratch = room
    killed, base, leaves = layout[3], U(first_walker), kills or layout[2] == 0
    for eight in range(start // 8, (stop + 7) // 8):
        if alive == 0:
            break
        for j in range(0, alive, LANES):  # the last lanes may be rubbish
            _block(words, j, fetch(who, j) + base, U(eight), STEPS, k0, k1)
        begin, end = max(8 * eight, start), min(8 * eight + 8, stop)
        if passage.size:
            for j in range(alive):
                eight_ago[j] = x[j]
        for n in range(begin, end):
            row, half = _of_step(words, n, start, pairs)
            if _step_together(x, before, half, pairs[row], lives[row], kills, layout, scratch, alive):
                for j in range(alive):
                    if scratch[1][j]:
                        walker = base + U(who[j])
                        x[j] = _step_exactly(before[j], half, j, walker, n, thresholds, row, layout, k0, k1)
        if leaves and passage.size:
            for j in range(alive):
                if gone(x[j], killed) and not gone(eight_ago[j], killed):
                    n, there = begin, eight_ago[j]
                    while n < end and not gone(there, killed):
                        row, half = _of_step(words, n, start, pairs)
                        walker = base + U(who[j])
                        there = _step_exactly(there, half, j, walker, n, thresholds, row, layout, k0, k1)
                        n += 1
                    passage[who[j]] = n
        if leaves:
            alive = _release(x, who, site, killed, alive)
    return alive


@device
def _halve(thresholds, pairs, lives):  # type: ignore[no-untyped-def]
    for row in range(thresholds.shape[0]):
        for c in range(thresholds.shape[2]):
            pairs[row, c], lives[row, c] = halves(thresholds[row, 0, c], thresholds[row, 1, c], thresholds[row, 2, c])


@aside
def _step_exactly(site, half, lane, walker, n, thresholds, row, layout, k0, k1):  # type: ignore[no-untyped-def]
    """Step `n` of one walker; half = (words of all lanes, shift)."""
    low, high, wrap, killed = layout
    bits = (half[0][lane] >> half[1]) & U32(0xFFFF)
    return table_step(site, bits, walker, n, thresholds, row, low, high, wrap, killed, k0, k1)


@device
def _block(words, j, walker, number, purpose, k0, k1):  # type: ignore[no-untyped-def]
    """Random block `number` of walkers in lanes, from place `j` on: word i in words[i]."""
    y0, y1, y2, y3 = philox(walker & LOW, walker >> HALF, number, purpose, k0, k1)
    keep(y0, words[0], j)
    keep(y1, words[1], j)
    keep(y2, words[2], j)
    keep(y3, words[3], j)


@device
def _step_together(x, before, half, pairs, lives, kills, layout, scratch, alive):  # type: ignore[no-untyped-def]
    """One step of all lanes from the high halves of words and thresholds. Returns whether any tied.

    half = (words, shift); scratch = (halves of right and left, halves of live, whether tied). The lanes that fill the last
    vector step on rubbish that is never looked at.
    """
    (words, shift), (low, high, wrap, killed) = half, layout
    fetched, tied = scratch
    pair, live = fetched[0], fetched[1]
    filled = (alive + WIDTH - 1) // WIDTH * WIDTH
    for j in range(filled):
        before[j] = x[j]
    if low < IDENTITY:
        for j in range(filled):
            x[j] = min(before[j], I32(low)) + max(I32(before[j] - I32(high)), I32(0))
    for j in range(0, filled, WIDTH):
        gather(pairs, x, pair, j)
    if kills:
        for j in range(0, filled, WIDTH):
            gather(lives, x, live, j)
    ties = U32(0)
    if kills:
        for j in range(filled):
            bits = (words[j] >> shift) & U32(0xFFFF)
            x[j], tie = half_step(before[j], bits, pair[j], live[j], wrap, killed)
            tied[j] = U32(tie)
            ties |= tied[j]
    else:
        for j in range(filled):
            bits = (words[j] >> shift) & U32(0xFFFF)
            x[j], tie = half_step(before[j], bits, pair[j], U32(0x10000), wrap, 0)
            tied[j] = U32(tie)
            ties |= tied[j]
    return ties != 0


@device
def gone(site, killed):  # type: ignore[no-untyped-def]
    """Whether a walker is at rest, outside or killed."""
    return site == 0 or site >= killed - 1


@device
def _release(x, who, home, killed, alive):  # type: ignore[no-untyped-def]
    """Take walkers at rest out of the block; the last ones fill their places. Returns how many are left."""
    j = 0
    while j < alive:
        if gone(x[j], killed):
            home[who[j]] = x[j]
            alive -= 1
            x[j], who[j] = x[alive], who[alive]
        else:
            j += 1
    return alive


@kernel
def jump(site, first_walker, interval, first, bits, cells, rests, k0, k1):  # type: ignore[no-untyped-def]
    """Move every site of `site` by a draw from an alias table, four walkers to a Philox block."""
    wide()
    words, drawn = np.empty((4, BLOCK // 4), np.uint32), np.empty(BLOCK, np.int32)
    w0, w1, w2, w3 = words[0], words[1], words[2], words[3]
    early = first_walker % 4  # walkers before the first whose words are in the same block
    for begin in range(-early, site.size, BLOCK):
        for j in range(0, BLOCK // 4, LANES):
            _block(words, j, numbers(U(first_walker + begin) // U(4) + U(j)), U(interval), JUMP, k0, k1)
        ties = False
        for j in range(BLOCK // 4):
            at = 4 * U(j)
            drawn[at], tie0 = draw(w0[j], bits, cells)
            drawn[at + ONE], tie1 = draw(w1[j], bits, cells)
            drawn[at + U(2)], tie2 = draw(w2[j], bits, cells)
            drawn[at + U(3)], tie3 = draw(w3[j], bits, cells)
            ties |= tie0 | tie1 | tie2 | tie3
        skipped = max(0, -begin)
        home, draws = site[begin + skipped : min(begin + BLOCK, site.size)], drawn[skipped:]
        for j in range(home.size):
            home[j] += I32(first) + draws[j]
        if ties:
            for j in range(home.size):
                walker = U(first_walker + begin + skipped + j)
                word = words[walker & U(3), U(skipped + j) >> U(2)]
                home[j] += settle_draw(word, bits, cells, rests, walker, interval, k0, k1)


@device
def tally(before, site, n, state, visit_levels, positive_levels, outer):  # type: ignore[no-untyped-def]
    """Update the functionals of one walker after step number `n` took it from `before` to `site`."""
    state[0] = passage(before, site, n, outer, state[0])
    state[1] = highest(site, outer, state[1])
    for i in range(visit_levels.size):
        if site == visit_levels[i]:
            state[2 + i] = n + 1
    for i in range(positive_levels.size):
        if above(before, site, positive_levels[i], outer):
            state[2 + visit_levels.size + i] += 1


@kernel
def follow_table(site, state, first_walker, start, stop, thresholds, layout, levels, k0, k1):  # type: ignore[no-untyped-def]
    """As :func:`walk_table`, keeping functionals of each path in `state` (see :mod:`randwalk.run.record`)."""
    low, high, wrap, killed = layout
    visits, positives = levels
    for j in range(site.size):
        walker = U(first_walker + j)
        words = np.empty((4, 1), np.uint32)
        here = site[j]
        for n in range(start, stop):
            if here == 0 or here > killed - 2:
                break
            if n == start or n % 8 == 0:
                y0, y1, y2, y3 = philox(walker & LOW, walker >> U(32), U(n // 8), STEPS, k0, k1)
                words[0, 0], words[1, 0], words[2, 0], words[3, 0] = (
                    U32(y0 & LOW),
                    U32(y1 & LOW),
                    U32(y2 & LOW),
                    U32(y3 & LOW),
                )
            i = n % 8
            half = (words[i & 3, 0] >> (U32(16) if i < 4 else U32(0))) & U32(0xFFFF)
            row = n - start if thresholds.shape[0] > 1 else 0
            there = table_step(here, half, walker, n, thresholds, row, low, high, wrap, killed, k0, k1)
            tally(here, there, n, state[j], visits, positives, killed - 1)
            here = there
        site[j] = here
