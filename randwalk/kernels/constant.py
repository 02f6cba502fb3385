"""CPU drivers of walks with constant probabilities on an unbounded lattice: 64 steps of a walker to a machine word, LANES walkers
at once. The comparison of binary digits is in `bits`.

For each of the K thresholds the steps whose uniforms are below it are counted; the counts give the displacement.
"""

from __future__ import annotations

import numpy as np

from ..jit.compile import device, kernel, maker
from ..jit.lanes import LANES, alike, fetch, keep, numbers
from ..jit.vector import append, ones, wide
from .bits import follow, next_digit, next_digits, remainder, screen, spread
from .philox import HALF, LOW, STEPS, TIES, U, turned64, words64
from .program import BITS, FULL, PLANES
from .step import ONE, ZERO, after, change

WORDS = 16  # of steps, whose ties are settled together
ROOM = WORDS * LANES
BIT, WORD = (U(size.bit_length() - 1) for size in (64, WORDS))  # digits in the number of a tie


def walk_constant(site, first_walker, program, start, stop, keys):  # type: ignore[no-untyped-def]
    """Advance every site of `site` from step `start` to `stop` of a walk with constant probabilities on an unbounded lattice.

    Only the kernel that is used is compiled. It is called for walkers whose numbers have the same high half.
    """
    walk = _walk_digits if program.planes == PLANES else _walk_decided
    walk = _walk_quarters if program.planes == 2 else walk
    walk = _walk_fair if program.thresholds == (FULL // 2, FULL) else walk
    begin = 0
    while begin < site.size:
        end = min(site.size, begin + (1 << 32) - (first_walker + begin) % (1 << 32))
        walk(site[begin:end], first_walker + begin, program, start, stop, keys)
        begin = end


@kernel
def _walk_fair(site, first_walker, program, start, stop, keys):  # type: ignore[no-untyped-def]
    """Two steps of probability ½: the second one is taken where the one digit of a step is 1."""
    wide()
    counts = aligned(2 * LANES)
    for j in range(0, site.size, LANES):
        walker, high, taken = numbers(U(first_walker + j) & LOW), U(first_walker + j) >> HALF, alike(ZERO)
        for block in range(start // 128, (stop + 127) // 128):
            early, late = _screen(128 * block, start, stop), _screen(128 * block + 64, start, stop)
            one, two = turned64(walker, high, U(block), STEPS, keys[0], keys[1])
            taken = taken + (ones(one & early) + ones(two & late))
        keep(U(stop - start) - taken, counts, 0)
        keep(alike(U(stop - start)), counts, LANES)
        _arrive(site[j : j + LANES], counts, program.offsets)


@kernel
def _walk_quarters(site, first_walker, program, start, stop, keys):  # type: ignore[no-untyped-def]
    """Thresholds of two digits. Steps below each quarter are told from how many have a first digit 1, a second one, and both: no
    loop over thresholds, whose number is known to the compiler but not their digits."""
    wide()
    moves, steps = len(program.thresholds), U(stop - start)
    below, counts = aligned(5 * LANES), aligned(moves * LANES)  # 0, 1, … 4 quarters, and the thresholds
    keep(alike(ZERO), below, 0)
    keep(alike(steps), below, 4 * LANES)
    for j in range(0, site.size, LANES):
        walker, high = numbers(U(first_walker + j) & LOW), U(first_walker + j) >> HALF
        firsts, seconds, both = alike(ZERO), alike(ZERO), alike(ZERO)
        for word in range(start // 64, (stop + 63) // 64):
            wanted = _screen(64 * word, start, stop)
            first, second = turned64(walker, high, U(word), STEPS, keys[0], keys[1])
            firsts, seconds = firsts + ones(first & wanted), seconds + ones(second & wanted)
            both = both + ones(first & second & wanted)
        for quarter, taken in ((1, firsts + seconds - both), (2, firsts), (3, both)):
            keep(steps - taken, below, quarter * LANES)
        for k in range(moves):
            keep(fetch(below, (program.thresholds[k] >> (BITS - 2)) * LANES), counts, k * LANES)
        _arrive(site[j : j + LANES], counts, program.offsets)


@kernel
def _walk_decided(site, first_walker, program, start, stop, keys):  # type: ignore[no-untyped-def]
    """Thresholds of so few digits that every step is decided by them."""
    wide()
    moves, rows, planes = len(program.thresholds), _rows(program), aligned((PLANES + 2) * LANES)
    counts = aligned(moves * LANES)
    for j in range(0, site.size, LANES):
        for k in range(moves):
            keep(alike(U(stop - start)), counts, k * LANES)
        for word in range(start // 64, (stop + 63) // 64):
            _draw(planes, U(first_walker + j), word, program.planes, keys)
            wanted = _screen(64 * word, start, stop)
            for k in range(rows):
                above, _ = _compare(planes, U(program.thresholds[k]), program.planes, wanted)
                keep(fetch(counts, k * LANES) - ones(above), counts, k * LANES)
        _arrive(site[j : j + LANES], counts, program.offsets)


@kernel
def _walk_digits(site, first_walker, program, start, stop, keys):  # type: ignore[no-untyped-def]
    wide()
    moves, number, rows = len(program.thresholds), program.planes, _rows(program)
    planes, counts, rests = aligned((PLANES + 2) * LANES), aligned(moves * LANES), aligned(rows)
    for k in range(rows):
        rests[k] = remainder(program.thresholds[k], number)
    ties = aligned(moves * ROOM + LANES), aligned(moves * ROOM + LANES)
    lists = aligned((moves + 1) * ROOM + LANES), aligned((moves + 1) * ROOM + LANES)
    for j in range(0, site.size, LANES):
        first = U(first_walker + j)
        for k in range(moves):
            keep(alike(U(stop - start)), counts, k * LANES)
        for begin in range(start // 64, (stop + 63) // 64, WORDS):
            many = 0
            for word in range(begin, min(begin + WORDS, (stop + 63) // 64)):
                wanted = _screen(64 * word, start, stop)
                _draw(planes, first, word, number, keys)
                for k in range(rows):
                    above, tie = _compare(planes, U(program.thresholds[k]), number, wanted)
                    if rests[k]:
                        append((numbers(U(k * LANES)) << WORD) + U(word - begin), tie, ties[1], many)
                        many = append(tie, tie, ties[0], many)
                    keep(fetch(counts, k * LANES) - ones(above), counts, k * LANES)
            _settle(counts, ties, many, (first, begin), rests, lists, keys)
        _arrive(site[j : j + LANES], counts, program.offsets)


@device
def _screen(n, start, stop):  # type: ignore[no-untyped-def]
    """:func:`screen` for words of :func:`turned64`."""
    wanted = screen(n, start, stop)
    return wanted << HALF | wanted >> HALF


@device
def _rows(program):  # type: ignore[no-untyped-def]
    """How many thresholds there are before those that every uniform is below."""
    rows = len(program.thresholds)
    while rows and program.thresholds[rows - 1] == FULL:
        rows -= 1
    return rows


@device
def _arrive(home, counts, offsets):  # type: ignore[no-untyped-def]
    """Add to the places of at most LANES walkers what they have moved by so many steps below each threshold."""
    moved = alike(ZERO)
    for k in range(len(offsets)):
        moved = moved + fetch(counts, k * LANES) * U(change(offsets, k))
    keep(moved, counts, 0)
    for i in range(home.size):
        home[i] += np.int64(counts[i])


@maker
def aligned(size):  # type: ignore[no-untyped-def]
    """An array that begins where a cache line does, so that no vector straddles two."""
    words = np.empty(size + 8, np.uint64)
    first = -(np.int64(words.ctypes.data) >> 3) & 7
    return words[first : first + size]


@device
def _draw(planes, first_walker, word, number, keys):  # type: ignore[no-untyped-def]
    """The random digits of the 64 steps of a word into rows 1, 2, … `number` of `planes`, the highest first. A Philox block has
    two digits; the rows before and after take the digits of other words. The numbers of walkers have the same high half."""
    low, high, begin = numbers(first_walker & LOW), first_walker >> HALF, word * number
    for block in range(begin // 2, (begin + number + 1) // 2):
        first, second = turned64(low, high, U(block), STEPS, keys[0], keys[1])
        at = (2 * block - begin + 1) * LANES
        keep(first, planes, at)
        keep(second, planes, at + LANES)


@device
def _compare(planes, t, number, wanted):  # type: ignore[no-untyped-def]
    """(the `wanted` steps of a word that are not below a threshold, those that tie with it) by the drawn digits."""
    below, tie = alike(ZERO), alike(wanted)
    if number & 1:
        below, tie = next_digit(below, tie, fetch(planes, number * LANES), spread(t, number - 1))
    above = ~below
    for digit in range(number // 2 * 2 - 1, 0, -2):
        low, high = fetch(planes, (digit + 1) * LANES), fetch(planes, digit * LANES)
        above, tie = next_digits(above, tie, low, high, t >> U(BITS - 1 - digit))
    return above & wanted, tie


@device
def _settle(counts, ties, many, begin, rests, lists, keys):  # type: ignore[no-untyped-def]
    """Add to `counts` the steps in masks that tie with a threshold and are below it; ties = (`many` masks, their numbers),
    begin = (first walker, first word), rests = the digits of the thresholds that were not compared.

    A mask has the number (threshold, lane, word), a tie the number of its mask and below it that of its step in the word.
    """
    (masks, places), (pending, _), waiting = ties, lists, 0
    while many:  # one tie of each mask that has any
        keep(alike(ZERO), masks, many)  # the last lanes may have none
        still = 0
        for i in range(0, many, LANES):
            mask, place = fetch(masks, i), fetch(places, i)
            others = mask & (mask - ONE)
            keep(place << BIT | ones((mask - ONE) & ~mask), pending, waiting + i)
            append(place, others, places, still)
            still = append(others, others, masks, still)
        waiting, many = waiting + many, still
        if waiting >= ROOM or many == 0:
            _settle_all(counts, begin, rests, lists, waiting, keys)
            waiting = 0


@device
def _settle_all(counts, begin, rests, lists, waiting, keys):  # type: ignore[no-untyped-def]
    """The pending ties, each by the digits of a block of its own."""
    (first_walker, first_word), (pending, below), found = begin, lists, 0
    for i in range(0, waiting, LANES):
        code = fetch(pending, i)
        place, step = code >> (WORD + BIT), ((code & U(64 * WORDS - 1)) ^ HALF) + U(64 * first_word)
        walker = (place & U(LANES - 1)) + (first_walker & LOW)
        more, _ = words64(walker, first_walker >> HALF, step, TIES, keys[0], keys[1])
        rest = alike(rests[0])
        for k in range(1, rests.size):  # the places of thresholds from number k on
            later = ZERO - ((U(k * LANES - 1) - place) >> U(63))
            rest = rest ^ (later & (rests[k] ^ rests[k - 1]))
        negative = (after(more, PLANES) - rest) & (numbers(U(i)) - U(waiting))  # the last lanes may hold no tie
        found = append(place, negative >> U(63), below, found)
    for i in range(found):
        counts[below[i]] += ONE


@kernel
def follow_constant(site, state, first_walker, program, levels, start, stop, keys):  # type: ignore[no-untyped-def]
    """As :func:`walk_constant`, keeping functionals of each path in `state`, a column for each."""
    room = np.empty(len(program.thresholds), np.uint64), np.empty(len(program.thresholds), np.uint64)
    for j in range(site.size):
        follow(site, state, j, levels, U(first_walker + j), program, (start, stop), room, keys)
