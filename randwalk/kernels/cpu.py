"""CPU drivers of the paths method: blocks of walkers under `prange`, steps inside. Drivers fetch and loop; the physics is
in `step`. A walker's path depends on its number and the key alone, so blocks, threads and stretches of steps are free."""

from __future__ import annotations

import numpy as np
from numba import prange

from .bits import next_digit, screen, settle
from .compile import device, parallel_kernel
from .functionals import above, highest, passage
from .philox import HALF, JUMP, LOW, START, STEPS, U, philox, words64
from .step import ALL, BITS, I32, ONE, TIE_BITS, U32, ZERO, moves, popcount, step, table_step, trailing_zeros
from .vector import WIDTH, gather, wide

BLOCK = 256  # walkers advanced together on a table
LANES = 64  # walkers whose bits are compared together
IDENTITY = 1 << 30  # the column map of a table that has a column for every site


@parallel_kernel
def place(site, first_walker, index, upper, k0, k1):  # type: ignore[no-untyped-def]
    """Draw the start sites: `index`[i] where the walker's 53-bit word is below `upper`[i], the cumulative start masses."""
    for j in prange(site.size):
        walker = U(first_walker + j)
        word, _ = words64(walker & LOW, walker >> U(32), U(0), START, k0, k1)
        site[j] = index[np.searchsorted(upper, np.int64(word >> U(11)), side="right")]


@parallel_kernel
def walk_table(site, first_walker, start, stop, thresholds, layout, k0, k1):  # type: ignore[no-untyped-def]
    """Advance every site of `site` from step `start` to `stop` on a step table. layout = (low, high, wrap, killed).

    All lanes of a block take a step together, from the high halves of their thresholds; the rare lanes that tie are stepped
    again with all digits. Walkers that have come to rest on a wall are taken out of the block every eight steps.
    """
    low, high, wrap, killed = layout
    high_halves = np.minimum(
        thresholds >> TIE_BITS, U32(0xFFFF)
    )  # a threshold of 1 ties at 0xFFFF, and is settled there
    pairs = (high_halves[:, 0] << U32(16)) | high_halves[:, 1]
    kills = thresholds[:, 2].min() < U32(1 << 31)
    for block in prange((site.size + BLOCK - 1) // BLOCK):
        wide()
        home = site[block * BLOCK : min((block + 1) * BLOCK, site.size)]
        words = np.empty((4, BLOCK), np.uint32)
        x, who = np.zeros(BLOCK, np.int32), np.zeros(BLOCK, np.int32)
        scratch = (np.empty(BLOCK, np.int32), np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.uint32))
        base, alive = U(first_walker + block * BLOCK), home.size
        for j in range(alive):
            x[j], who[j] = home[j], j
        for eight in range(start // 8, (stop + 7) // 8):
            _draw(words, who, base, U(eight), alive, k0, k1)
            for n in range(max(8 * eight, start), min(8 * eight + 8, stop)):
                row = n - start if thresholds.shape[0] > 1 else 0
                i = n - 8 * eight
                shift = U32(16) if i < 4 else U32(0)
                if kills:
                    for j in range(alive):
                        half = (words[i & 3, j] >> shift) & U32(0xFFFF)
                        walker = base + U(who[j])
                        x[j] = table_step(x[j], half, walker, n, thresholds, row, low, high, wrap, killed, k0, k1)
                    continue
                tied = _step_together(x, words[i & 3], shift, pairs[row], low, high, wrap, scratch, alive)
                if tied:
                    for j in range(alive):
                        if scratch[2][j]:
                            half = (words[i & 3, j] >> shift) & U32(0xFFFF)
                            walker = base + U(who[j])
                            before = scratch[0][j]
                            x[j] = table_step(before, half, walker, n, thresholds, row, low, high, wrap, killed, k0, k1)
            if not wrap:
                alive = _release(x, who, home, killed, alive)
        for j in range(alive):
            home[who[j]] = x[j]


@device
def _draw(words, who, base, number, alive, k0, k1):  # type: ignore[no-untyped-def]
    """Steps-block `number` of every walker of a block."""
    w0, w1, w2, w3 = words[0], words[1], words[2], words[3]
    for j in range(alive):
        walker = base + U(who[j])
        y0, y1, y2, y3 = philox(walker & LOW, walker >> HALF, number, STEPS, k0, k1)
        w0[j], w1[j], w2[j], w3[j] = U32(y0), U32(y1), U32(y2), U32(y3)


@device
def _step_together(x, words, shift, pairs, low, high, wrap, scratch, alive):  # type: ignore[no-untyped-def]
    """One step of all lanes from the high halves of words and thresholds. Returns whether any tied.

    scratch = (sites before, pairs of thresholds fetched, whether tied). The lanes that fill the
    last vector step on rubbish that is never looked at.
    """
    before, fetched, tied = scratch
    lanes = (alive + WIDTH - 1) // WIDTH * WIDTH
    for j in range(lanes):
        before[j] = x[j]
    if low < IDENTITY:
        for j in range(lanes):
            x[j] = min(before[j], I32(low)) + max(I32(before[j] - I32(high)), I32(0))
    for j in range(0, lanes, WIDTH):
        gather(pairs, x, fetched, j)
    ties = U32(0)
    for j in range(lanes):
        half = (words[j] >> shift) & U32(0xFFFF)
        right, left = fetched[j] >> U32(16), fetched[j] & U32(0xFFFF)
        tied[j] = U32(half == right) | U32(half == left)
        ties |= tied[j]
        x[j] = step(before[j], half, right, left, U32(0x10000), wrap, 0)
    return ties != 0


@device
def _release(x, who, home, killed, alive):  # type: ignore[no-untyped-def]
    """Take walkers at rest out of the block; the last ones fill their places. Returns how many are left."""
    j = 0
    while j < alive:
        if x[j] == 0 or x[j] >= killed - 1:
            home[who[j]] = x[j]
            alive -= 1
            x[j], who[j] = x[alive], who[alive]
        else:
            j += 1
    return alive


@parallel_kernel
def walk_constant(site, first_walker, start, stop, planes, t_right, t_left, k0, k1):  # type: ignore[no-untyped-def]
    """Advance every site of `site` from step `start` to `stop` of a walk with constant probabilities on the whole line.

    LANES walkers are compared with the thresholds at once, 64 steps a word, first digit first; what stays undecided after
    `planes` digits is settled step by step.
    """
    fair = U(t_right) == U(1 << 30) and U(t_left) == U(1 << 31)
    for block in prange((site.size + LANES - 1) // LANES):
        wide()
        net = np.zeros(LANES, np.int64)
        base = U(first_walker + block * LANES)
        if fair:
            _toss(net, base, start, stop, k0, k1)
        else:
            _compare(net, base, start, stop, planes, U(t_right), U(t_left), k0, k1)
        home = site[block * LANES : min((block + 1) * LANES, site.size)]
        for j in range(home.size):
            home[j] += I32(net[j])


@device
def _toss(net, base, start, stop, k0, k1):  # type: ignore[no-untyped-def]
    """p = ½: a step goes right where its one digit is 0."""
    for block in range(start // 128, (stop + 127) // 128):
        early, late = screen(128 * block, start, stop), screen(128 * block + 64, start, stop)
        for j in range(LANES):
            walker = base + U(j)
            first, second = words64(walker & LOW, walker >> HALF, U(block), STEPS, k0, k1)
            net[j] += np.int64(popcount(~first & early)) + np.int64(popcount(~second & late))
    for j in range(LANES):
        net[j] = 2 * net[j] - (stop - start)


@device
def _compare(net, base, start, stop, planes, t_right, t_left, k0, k1):  # type: ignore[no-untyped-def]
    """Any constant probabilities; as `step.moves`, for all lanes at once."""
    shift = U(BITS - planes)
    low = (ONE << shift) - ONE
    digits = np.empty((2, LANES), np.uint64)
    right, left = np.empty(LANES, np.uint64), np.empty(LANES, np.uint64)
    tie_right, tie_left = np.empty(LANES, np.uint64), np.empty(LANES, np.uint64)
    for word in range(start // 64, (stop + 63) // 64):
        wanted = screen(64 * word, start, stop)
        for j in range(LANES):
            right[j], left[j], tie_right[j], tie_left[j] = ZERO, ZERO, ALL, ALL
        for digit in range(planes):
            number = word * planes + digit
            if digit == 0 or number % 2 == 0:
                for j in range(LANES):
                    walker = base + U(j)
                    digits[0, j], digits[1, j] = words64(walker & LOW, walker >> HALF, U(number >> 1), STEPS, k0, k1)
            place = U(BITS - 1 - digit)
            _next_digit(right, tie_right, digits[number & 1], (t_right >> place) & ONE)
            _next_digit(left, tie_left, digits[number & 1], (t_left >> place) & ONE)
        always_right = ALL if t_right >> U(BITS) else ZERO  # a threshold of 1: its digits are those of 0
        always_left = ALL if t_left >> U(BITS) else ZERO
        rest_right, rest_left = ALL if t_right & low else ZERO, ALL if t_left & low else ZERO
        undecided = ZERO
        for j in range(LANES):
            ties = ((tie_right[j] & rest_right) | (tie_left[j] & rest_left)) & wanted
            decided = wanted & ~ties
            to_right, to_left = right[j] | always_right, left[j] | always_left
            net[j] += np.int64(popcount(to_right & decided)) - np.int64(popcount(to_left & ~to_right & decided))
            digits[0, j] = ties
            undecided |= ties
        if undecided:
            for j in range(LANES):
                ties = digits[0, j]
                while ties:
                    lane = ties & (~ties + ONE)
                    ties ^= lane
                    top = t_right if tie_right[j] & rest_right & lane else t_left
                    net[j] += settle(
                        base + U(j), U(word) * U(64) + trailing_zeros(lane), top & ~low, planes, t_right, t_left, k0, k1
                    )


@device
def _next_digit(below, tie, random, digit):  # type: ignore[no-untyped-def]
    """One more binary digit of all uniforms compared with that of a threshold, most significant first."""
    for j in range(LANES):
        below[j], tie[j] = next_digit(below[j], tie[j], random[j], digit)


@parallel_kernel
def jump(site, first_walker, interval, first, bits, cut, alias, k0, k1):  # type: ignore[no-untyped-def]
    """Move every site of `site` by a draw from an alias table in integers: the top `bits` of 53 random bits choose a cell."""
    rest = U(53 - bits)
    for j in prange(site.size):
        walker = U(first_walker + j)
        word, _ = words64(walker & LOW, walker >> U(32), U(interval), JUMP, k0, k1)
        word = word >> U(11)
        cell = np.int64(word >> rest)
        chosen = cell if np.int64(word & ((U(1) << rest) - U(1))) < cut[cell] else np.int64(alias[cell])
        site[j] += I32(first + chosen)


@device
def _tally(before, site, n, state, visit_levels, positive_levels, outer):  # type: ignore[no-untyped-def]
    """Update the functionals of one walker after step number `n` took it from `before` to `site`."""
    state[0] = passage(before, site, n, outer, state[0])
    state[1] = highest(site, outer, state[1])
    for i in range(visit_levels.size):
        if site == visit_levels[i]:
            state[2 + i] = n + 1
    for i in range(positive_levels.size):
        if above(before, site, positive_levels[i], outer):
            state[2 + visit_levels.size + i] += 1


@parallel_kernel
def follow_table(site, state, first_walker, start, stop, thresholds, layout, levels, k0, k1):  # type: ignore[no-untyped-def]
    """As :func:`walk_table`, keeping functionals of each path in `state` (see :mod:`randwalk.record`)."""
    low, high, wrap, killed = layout
    visits, positives = levels
    for block in prange((site.size + BLOCK - 1) // BLOCK):
        for j in range(block * BLOCK, min((block + 1) * BLOCK, site.size)):
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
                _tally(here, there, n, state[j], visits, positives, killed - 1)
                here = there
            site[j] = here


@parallel_kernel
def follow_constant(site, state, first_walker, start, stop, planes, t_right, t_left, levels, k0, k1):  # type: ignore[no-untyped-def]
    """As :func:`walk_constant`, keeping functionals of each path in `state`."""
    visits, positives = levels
    for block in prange((site.size + BLOCK - 1) // BLOCK):
        for j in range(block * BLOCK, min((block + 1) * BLOCK, site.size)):
            walker = U(first_walker + j)
            here = site[j]
            right, left = U(0), U(0)
            for n in range(start, stop):
                if n == start or n % 64 == 0:
                    right, left = moves(walker, n // 64, planes, t_right, t_left, k0, k1)
                bit = U(n % 64)
                there = I32(here + I32((right >> bit) & U(1)) - I32((left >> bit) & U(1)))
                _tally(here, there, n, state[j], visits, positives, 2147483646)
                here = there
            site[j] = here
