"""CPU drivers of walks with constant probabilities on the whole line: 64 steps of a walker to a machine word, LANES walkers at
once. The physics is in `bits` and `step`."""

from __future__ import annotations

import numpy as np

from .bits import always, balance, next_digit, screen, settle, spread
from .compile import device, kernel
from .cpu import tally
from .lanes import LANES, alike, fetch, keep, numbers
from .philox import HALF, LOW, STEPS, TIES, U, philox, words64
from .step import ALL, BITS, I32, ONE, PLANES, U32, ZERO, moves, trailing_zeros
from .vector import ones, wide

WORDS = 16  # of steps, whose undecided ones are settled together
ROOM = WORDS * LANES
BIT, TIED_RIGHT, WORD = U(6), U(LANES), U(LANES.bit_length())  # parts of the code of an undecided step, see `_settle`
assert 2 * ROOM * 64 <= 1 << 16  # a code has 16 bits


def walk_constant(site, first_walker, start, stop, planes, t_right, t_left, k0, k1):  # type: ignore[no-untyped-def]
    """Advance every site of `site` from step `start` to `stop` of a walk with constant probabilities on the whole line.

    64 steps of a walker are compared with the thresholds at once, digit by digit. Fewer than PLANES `planes` decide
    every step; of PLANES digits some steps stay undecided, and are settled apart. Only the kernel that is used is compiled.
    """
    if planes == 1 and (t_right, t_left) == (1 << (BITS - 1), 1 << BITS):
        _walk_fair(site, first_walker, start, stop, k0, k1)
    elif planes < PLANES:
        _walk_few(site, first_walker, start, stop, planes, t_right, t_left, k0, k1)
    else:
        _walk_many(site, first_walker, start, stop, t_right, t_left, k0, k1)


@kernel
def _walk_fair(site, first_walker, start, stop, k0, k1):  # type: ignore[no-untyped-def]
    wide()
    net = _aligned(LANES)
    for j in range(0, site.size, LANES):
        keep(_toss(numbers(U(first_walker + j)), start, stop, k0, k1), net, 0)
        _add(net, site[j : j + LANES])


@kernel
def _walk_few(site, first_walker, start, stop, planes, t_right, t_left, k0, k1):  # type: ignore[no-untyped-def]
    wide()
    net = _aligned(LANES)
    for j in range(0, site.size, LANES):
        walker = numbers(U(first_walker + j))
        keep(_compare_few(walker, start, stop, planes, U(t_right), U(t_left), k0, k1), net, 0)
        _add(net, site[j : j + LANES])


@kernel
def _walk_many(site, first_walker, start, stop, t_right, t_left, k0, k1):  # type: ignore[no-untyped-def]
    wide()
    right, left = U(t_right), U(t_left)
    net, masks = _aligned(LANES), _aligned(2 * ROOM)
    lists = np.empty(ROOM, np.uint16), np.empty(2 * ROOM, np.uint16), np.empty(2 * ROOM, np.uint32)
    for j in range(0, site.size, LANES):
        first = U(first_walker + j)
        keep(alike(ZERO), net, 0)
        for begin in range(start // 64, (stop + 63) // 64, WORDS):
            end = min(begin + WORDS, (stop + 63) // 64)
            _compare(net, first, begin, end, start, stop, right, left, masks, k0, k1)
            _settle(net, first, begin, end, right, left, masks, lists, k0, k1)
        _add(net, site[j : j + LANES])


@device
def _aligned(size):  # type: ignore[no-untyped-def]
    """An array that begins where a cache line does, so that no vector straddles two."""
    words = np.empty(size + 8, np.uint64)
    first = -(np.int64(words.ctypes.data) >> 3) & 7
    return words[first : first + size]


@device
def _add(net, site):  # type: ignore[no-untyped-def]
    for j in range(site.size):
        site[j] += I32(net[j])


@device
def _toss(walker, start, stop, k0, k1):  # type: ignore[no-untyped-def]
    """p = ½: a step goes left where its one digit is 1. The displacement."""
    low, high, left = walker & LOW, walker >> HALF, alike(ZERO)
    for block in range(start // 128, (stop + 127) // 128):
        early, late = screen(128 * block, start, stop), screen(128 * block + 64, start, stop)
        first, second = words64(low, high, U(block), STEPS, k0, k1)
        left = left + (ones(first & early) + ones(second & late))
    return U(stop - start) - (left + left)


@device
def _compare_few(walker, start, stop, planes, t_right, t_left, k0, k1):  # type: ignore[no-untyped-def]
    """Thresholds of fewer than PLANES digits, the lowest first. The displacement."""
    low, high, net = walker & LOW, walker >> HALF, alike(ZERO)
    first, second = alike(ZERO), alike(ZERO)
    always_right, always_left = always(t_right), always(t_left)
    for word in range(start // 64, (stop + 63) // 64):
        right, left = alike(ZERO), alike(ZERO)
        for digit in range(planes - 1, -1, -1):
            number = word * planes + digit
            if digit == planes - 1 or number % 2 == 1:
                first, second = words64(low, high, U(number >> 1), STEPS, k0, k1)
            random = second if number % 2 == 1 else first
            right, _ = next_digit(right, ZERO, random, spread(t_right, digit))
            left, _ = next_digit(left, ZERO, random, spread(t_left, digit))
        net = net + balance(right | always_right, left | always_left, screen(64 * word, start, stop))
    return net


@device
def _compare(net, first_walker, begin, end, start, stop, t_right, t_left, masks, k0, k1):  # type: ignore[no-untyped-def]
    """Thresholds of PLANES digits or more, the lowest of the first PLANES first. Adds to `net` what those decide of the words
    `begin` … `end` - 1, and leaves the undecided steps in `masks`: for each word, all of them in the first LANES places, and in
    the next LANES those that tie with `t_right`."""
    walker, moved = numbers(first_walker), fetch(net, 0)
    low, high = walker & LOW, walker >> HALF
    rest = (ONE << U(BITS - PLANES)) - ONE
    always_right, always_left = always(t_right), always(t_left)
    rest_right, rest_left = ALL if t_right & rest else ZERO, ALL if t_left & rest else ZERO
    for word in range(begin, end):
        right, tie_right, left, tie_left = alike(ZERO), alike(ALL), alike(ZERO), alike(ALL)
        for digit in range(PLANES - 2, -2, -2):
            first, second = words64(low, high, U(word * PLANES + digit) >> ONE, STEPS, k0, k1)
            right, tie_right = next_digit(right, tie_right, second, spread(t_right, digit + 1))
            left, tie_left = next_digit(left, tie_left, second, spread(t_left, digit + 1))
            right, tie_right = next_digit(right, tie_right, first, spread(t_right, digit))
            left, tie_left = next_digit(left, tie_left, first, spread(t_left, digit))
        wanted, at = screen(64 * word, start, stop), 2 * LANES * (word - begin)
        tie_right = tie_right & rest_right & wanted
        tied = tie_right | (tie_left & rest_left & wanted)
        moved = moved + balance(right | always_right, left | always_left, wanted & ~tied)
        keep(tied, masks, at)
        keep(tie_right, masks, at + LANES)
    keep(moved, net, 0)


@device
def _settle(net, first_walker, begin, end, t_right, t_left, masks, lists, k0, k1):  # type: ignore[no-untyped-def]
    """Adds to `net` the undecided steps of the words `begin` … `end` - 1. A step is pending as a code: the number of its bit, and
    in front of that the place in `masks` where its lane of its word has the threshold that it ties with."""
    queue, pending, digits = lists
    tied, waiting = ZERO, ZERO
    for word in range(end - begin):
        for lane in range(LANES):
            here = 2 * LANES * word + lane
            queue[tied] = here
            tied += U(masks[here] != ZERO)
    while tied:  # one undecided step of each mask that has any
        still = ZERO
        for i in range(tied):
            at = U(queue[i])
            bit, others = trailing_zeros(masks[at]), masks[at] & (masks[at] - ONE)
            pending[waiting + U(i)] = ((at + TIED_RIGHT * ((masks[at + TIED_RIGHT] >> bit) & ONE)) << BIT) | bit
            masks[at] = others
            queue[still] = at
            still += U(others != ZERO)
        waiting, tied = waiting + tied, still
        if waiting >= U(ROOM):
            _settle_all(net, first_walker, begin, t_right, t_left, pending, digits, waiting, k0, k1)
            waiting = ZERO
    _settle_all(net, first_walker, begin, t_right, t_left, pending, digits, waiting, k0, k1)


@device
def _settle_all(net, first_walker, begin, t_right, t_left, pending, digits, waiting, k0, k1):  # type: ignore[no-untyped-def]
    """The pending steps, each by the digits of a block of its own."""
    rest = (ONE << U(BITS - PLANES)) - ONE
    for i in range(0, waiting, LANES):  # the last ones are rubbish, and not looked at
        code = fetch(pending, i)
        at = code >> BIT
        walker = (at & (TIED_RIGHT - ONE)) + first_walker
        step = ((at >> WORD) << BIT) + (code & (U(64) - ONE)) + U(64 * begin)
        more, _, _, _ = philox(walker & LOW, walker >> HALF, step, TIES, k0, k1)
        keep(more, digits, i)
    for i in range(waiting):
        top = (t_right if (U(pending[i]) >> BIT) & TIED_RIGHT else t_left) & ~rest
        digits[i] = U32(settle(t_right, t_left, top, U(digits[i]), PLANES))
    for i in range(waiting):
        net[(U(pending[i]) >> BIT) & (TIED_RIGHT - ONE)] += U(np.int64(np.int32(digits[i])))


@kernel
def follow_constant(site, state, first_walker, start, stop, planes, t_right, t_left, levels, k0, k1):  # type: ignore[no-untyped-def]
    """As :func:`walk_constant`, keeping functionals of each path in `state`."""
    visits, positives = levels
    for j in range(site.size):
        walker = U(first_walker + j)
        here = site[j]
        right, left = U(0), U(0)
        for n in range(start, stop):
            if n == start or n % 64 == 0:
                right, left = moves(walker, n // 64, planes, t_right, t_left, k0, k1)
            bit = U(n % 64)
            there = I32(here + I32((right >> bit) & U(1)) - I32((left >> bit) & U(1)))
            tally(here, there, n, state[j], visits, positives, 2147483646)
            here = there
        site[j] = here
