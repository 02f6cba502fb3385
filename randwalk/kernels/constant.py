"""CPU drivers of walks with constant probabilities on an unbounded lattice: 64 steps of a walker to a machine word, LANES walkers
at once. The comparison of binary digits is in `bits`.

For each of the K thresholds the steps whose uniforms are below it are counted; the counts give the displacement.
"""

from __future__ import annotations

import numpy as np

from ..jit.compile import device, kernel, maker
from ..jit.lanes import LANES, alike, fetch, keep, numbers
from ..jit.vector import ones, wide, zeros_below
from .bits import follow, next_digit, prefix, remainder, screen, spread
from .philox import HALF, LOW, STEPS, TIES, U, words64
from .program import FULL, PLANES
from .step import ALL, I32, ONE, ZERO, after, change

WORDS = 16  # of steps, whose ties are settled together
ROOM = WORDS * LANES
SIGN = U(63)
BIT, LANE, PLACE = (
    U(6),
    U(LANES.bit_length() - 1),
    U(ROOM.bit_length() - 1),
)  # digits of the number of a step in its word, and of a walker in its lanes
assert 2 * ROOM * 64 <= 1 << 16  # a tie is kept in 16 bits


def walk_constant(site, first_walker, program, start, stop, keys):  # type: ignore[no-untyped-def]
    """Advance every site of `site` from step `start` to `stop` of a walk with constant probabilities on an unbounded lattice.

    Only the kernel that is used is compiled. It is called for walkers whose numbers have the same high half.
    """
    walk = _walk_fair if program.thresholds == (FULL // 2, FULL) else _walk_digits
    begin = 0
    while begin < site.size:
        end = min(site.size, begin + (1 << 32) - (first_walker + begin) % (1 << 32))
        walk(site[begin:end], first_walker + begin, program, start, stop, keys)
        begin = end


@kernel
def _walk_fair(site, first_walker, program, start, stop, keys):  # type: ignore[no-untyped-def]
    """Two steps of probability ½: the second one is taken where the one digit of a step is 1."""
    wide()
    counts = aligned(LANES)
    first, second = program.offsets
    for j in range(0, site.size, LANES):
        walker, high, taken = numbers(U(first_walker + j) & LOW), U(first_walker + j) >> HALF, alike(ZERO)
        for block in range(start // 128, (stop + 127) // 128):
            early, late = screen(128 * block, start, stop), screen(128 * block + 64, start, stop)
            one, two = words64(walker, high, U(block), STEPS, keys[0], keys[1])
            taken = taken + (ones(one & early) + ones(two & late))
        keep(taken, counts, 0)
        home = site[j : j + LANES]
        for i in range(home.size):
            home[i] += I32(first * (stop - start)) + I32(second - first) * I32(counts[i])


@kernel
def _walk_digits(site, first_walker, program, start, stop, keys):  # type: ignore[no-untyped-def]
    wide()
    moves = len(program.thresholds)
    rows, even = moves, moves + moves % 2
    while rows and program.thresholds[rows - 1] == FULL:  # every uniform is below
        rows -= 1
    planes, counts, masks = aligned((PLANES + 2) * LANES), aligned(even * LANES), aligned(even * ROOM)
    settled = aligned(even // 2 * LANES)  # the two counts of a pair in a word
    lists = np.empty(ROOM, np.uint16), np.empty(2 * ROOM, np.uint16), np.empty(2 * ROOM, np.uint64)
    for j in range(0, site.size, LANES):
        first = U(first_walker + j)
        for k in range(even):
            keep(alike(ZERO if k < rows else U(stop - start)), counts, k * LANES)
            keep(alike(ZERO), settled, k // 2 * LANES)
        for begin in range(start // 64, (stop + 63) // 64, WORDS):
            end = min(begin + WORDS, (stop + 63) // 64)
            for word in range(begin, end):
                wanted = screen(64 * word, start, stop)
                _draw(planes, first, word, program.planes, keys)
                if program.planes < PLANES:
                    _count(planes, wanted, rows, program, counts)
                else:
                    _compare(planes, word - begin, wanted, rows, program, counts, masks)
            if program.planes == PLANES:
                for k in range(0, rows, 2):
                    pair = U(program.thresholds[k]), U(program.thresholds[min(k + 1, rows - 1)])
                    size, at = (end - begin) * LANES, (first, begin)
                    _settle(settled[k // 2 * LANES :], masks[k * ROOM :], size, at, pair, lists, keys)
        for k in range(rows):
            both = fetch(settled, k // 2 * LANES)
            keep(fetch(counts, k * LANES) + (both >> HALF if k % 2 else both & LOW), counts, k * LANES)
        home = site[j : j + LANES]
        for k in range(moves):
            for i in range(home.size):
                home[i] += I32(change(program.offsets, k)) * I32(counts[k * LANES + i])


@maker
def aligned(size):  # type: ignore[no-untyped-def]
    """An array that begins where a cache line does, so that no vector straddles two."""
    words = np.empty(size + 8, np.uint64)
    first = -(np.int64(words.ctypes.data) >> 3) & 7
    return words[first : first + size]


@device
def _draw(planes, first_walker, word, number, keys):  # type: ignore[no-untyped-def]
    """The random digits of the 64 steps of a word, of walkers whose numbers have the same high half, into rows 1, 2, … `number` of `planes`, the highest first. A Philox block has
    two digits; the rows before and after take the digits of other words."""
    low, high, begin = numbers(first_walker & LOW), first_walker >> HALF, word * number
    for block in range(begin // 2, (begin + number + 1) // 2):
        first, second = words64(low, high, U(block), STEPS, keys[0], keys[1])
        at = (2 * block - begin + 1) * LANES
        keep(first, planes, at)
        keep(second, planes, at + LANES)


@device
def _count(planes, wanted, rows, program, counts):  # type: ignore[no-untyped-def]
    """Add to counts[k] the `wanted` steps of a word that are below threshold k, which the drawn digits decide."""
    for k in range(rows):
        less = alike(ZERO)
        for digit in range(program.planes - 1, -1, -1):
            random = fetch(planes, (digit + 1) * LANES)
            less, _ = next_digit(less, less, random, spread(program.thresholds[k], digit))
        keep(fetch(counts, k * LANES) + ones(less & wanted), counts, k * LANES)


@device
def _compare(planes, place, wanted, rows, program, counts, masks):  # type: ignore[no-untyped-def]
    """As :func:`_count`, as far as the drawn digits decide.

    The steps that tie are left in `masks`, at word number `place` of those of the threshold. Two thresholds are compared
    together, which hides the time to fetch digits; an odd last one is compared twice, the second time into a row that is not
    read.
    """
    for k in range(0, rows, 2):
        t, u = U(program.thresholds[k]), U(program.thresholds[min(k + 1, rows - 1)])
        less, tie, less_u, tie_u = alike(ZERO), alike(ALL), alike(ZERO), alike(ALL)
        for digit in range(PLANES - 1, -1, -1):
            random = fetch(planes, (digit + 1) * LANES)
            less, tie = next_digit(less, tie, random, spread(t, digit))
            less_u, tie_u = next_digit(less_u, tie_u, random, spread(u, digit))
        tie = tie & (wanted if remainder(t, PLANES) else ZERO)
        tie_u = tie_u & (wanted if remainder(u, PLANES) else ZERO)
        tied = tie | tie_u
        keep(tied, masks, k * ROOM + place * LANES)
        keep(tie, masks, (k + 1) * ROOM + place * LANES)
        at = k * LANES
        keep(fetch(counts, at) + ones(less & wanted & ~tied), counts, at)
        if k + 1 < rows:
            keep(fetch(counts, at + LANES) + ones(less_u & wanted & ~tied), counts, at + LANES)


@device
def _settle(counts, masks, size, begin, pair, lists, keys):  # type: ignore[no-untyped-def]
    """Add to `counts`, in the low and in the high half, the steps in masks[: `size`] that are below the first and the second of a
    `pair` of thresholds; begin = (first walker, first word). The masks from ROOM on are the steps that tie with the first.

    A tie is kept in 16 bits: the low 6 are the number of its step in its word, then the place of its mask, and in front whether
    the first threshold is the one that it ties with.
    """
    queue, pending, below = lists
    tied, waiting = ZERO, ZERO
    for place in range(size):
        queue[tied] = place
        tied += U(masks[place] != ZERO)
    while tied:  # one tie of each mask that has any
        still = ZERO
        for i in range(tied):
            here = U(queue[i])
            bit, others = zeros_below(masks[here]), masks[here] & (masks[here] - ONE)
            pending[waiting + U(i)] = ((here + U(ROOM) * ((masks[here + U(ROOM)] >> bit) & ONE)) << BIT) | bit
            masks[here] = others
            queue[still] = here
            still += U(others != ZERO)
        waiting, tied = waiting + tied, still
        if waiting >= U(ROOM) or tied == ZERO:
            _settle_all(counts, begin, pair, pending, below, waiting, keys)
            waiting = ZERO


@device
def _settle_all(counts, begin, pair, pending, below, waiting, keys):  # type: ignore[no-untyped-def]
    """The pending ties, each by the digits of a block of its own."""
    (first_walker, first_word), (first, second) = begin, pair
    for i in range(0, waiting, LANES):  # the last lanes may hold no tie
        code = fetch(pending, i)
        at = code >> BIT
        walker = (at & U(LANES - 1)) + first_walker
        step = (((at & U(ROOM - 1)) >> LANE) << BIT) + (code & U(63)) + U(64 * first_word)
        more, _ = words64(walker & LOW, walker >> HALF, step, TIES, keys[0], keys[1])
        with_first = ZERO - ((at >> PLACE) & ONE)
        known = prefix(second, PLANES) ^ (with_first & (prefix(first, PLANES) ^ prefix(second, PLANES)))
        uniform = known | after(more, PLANES)
        keep((uniform - first) >> SIGN | ((uniform - second) >> SIGN) << HALF, below, i)
    for i in range(waiting):
        counts[(pending[i] >> BIT) & U(LANES - 1)] += below[i]


@kernel
def follow_constant(site, state, first_walker, program, levels, start, stop, keys):  # type: ignore[no-untyped-def]
    """As :func:`walk_constant`, keeping functionals of each path in `state`, a column for each."""
    room = np.empty(len(program.thresholds), np.uint64), np.empty(len(program.thresholds), np.uint64)
    for j in range(site.size):
        follow(site, state, j, levels, U(first_walker + j), program, (start, stop), room, keys)
