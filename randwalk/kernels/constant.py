"""CPU drivers of walks with constant probabilities on the whole line: 64 steps of a walker to a machine word, walkers in blocks.
The physics is in `bits` and `step`."""

from __future__ import annotations

import numpy as np

from .bits import always, balance, next_digit, screen, settle, spread
from .compile import device, kernel
from .cpu import BLOCK, tally
from .philox import HALF, LOW, STEPS, TIES, U, philox2, two_words64
from .step import ALL, BITS, I32, ONE, PLANES, ZERO, moves, popcount, trailing_zeros
from .vector import WIDTH, wide

PAIR = BLOCK // 2  # walkers whose random blocks are made together lie so far apart


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
    net = np.empty(BLOCK, np.int64)
    for block in range(0, site.size, BLOCK):
        wide()
        _toss(net, U(first_walker + block), start, stop, k0, k1)
        _add(net, site[block : block + BLOCK])


@kernel
def _walk_few(site, first_walker, start, stop, planes, t_right, t_left, k0, k1):  # type: ignore[no-untyped-def]
    for block in range(0, site.size, BLOCK):
        wide()
        net = np.zeros(BLOCK, np.int64)
        _compare_few(net, U(first_walker + block), start, stop, planes, U(t_right), U(t_left), k0, k1)
        _add(net, site[block : block + BLOCK])


@kernel
def _walk_many(site, first_walker, start, stop, t_right, t_left, k0, k1):  # type: ignore[no-untyped-def]
    for block in range(0, site.size, BLOCK):
        wide()
        net = np.zeros(BLOCK, np.int64)
        _compare(net, U(first_walker + block), start, stop, U(t_right), U(t_left), k0, k1)
        _add(net, site[block : block + BLOCK])


@device
def _add(net, site):  # type: ignore[no-untyped-def]
    for j in range(site.size):
        site[j] += I32(net[j])


@device
def _blocks(base, j, number, k0, k1):  # type: ignore[no-untyped-def]
    """Steps-block `number` of the walkers base + j and base + j + PAIR."""
    walker, other = base + U(j), base + U(j + PAIR)
    return two_words64(walker & LOW, walker >> HALF, U(number), other & LOW, other >> HALF, U(number), STEPS, k0, k1)


@device
def _toss(net, base, start, stop, k0, k1):  # type: ignore[no-untyped-def]
    """p = ½: a step goes right where its one digit is 0."""
    for j in range(BLOCK):
        net[j] = 0
    for block in range(start // 128, (stop + 127) // 128):
        early, late = screen(128 * block, start, stop), screen(128 * block + 64, start, stop)
        for j in range(PAIR):
            a, b, c, d = _blocks(base, j, block, k0, k1)
            net[j] += np.int64(popcount(~a & early)) + np.int64(popcount(~b & late))
            net[j + PAIR] += np.int64(popcount(~c & early)) + np.int64(popcount(~d & late))
    for j in range(BLOCK):
        net[j] = 2 * net[j] - (stop - start)


@device
def _compare_few(net, base, start, stop, planes, t_right, t_left, k0, k1):  # type: ignore[no-untyped-def]
    """Thresholds of fewer than PLANES digits, the lowest first."""
    digits = np.empty((2, BLOCK), np.uint64)
    right, left = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    for word in range(start // 64, (stop + 63) // 64):
        wanted = screen(64 * word, start, stop)
        for j in range(BLOCK):
            right[j], left[j] = ZERO, ZERO
        for digit in range(planes - 1, -1, -1):
            number = word * planes + digit
            if digit == planes - 1 or number % 2 == 1:
                for j in range(PAIR):
                    digits[0, j], digits[1, j], digits[0, j + PAIR], digits[1, j + PAIR] = _blocks(
                        base, j, number >> 1, k0, k1
                    )
            of_right, of_left = spread(t_right, digit), spread(t_left, digit)
            random = digits[number & 1]
            for j in range(BLOCK):
                right[j], _ = next_digit(right[j], ZERO, random[j], of_right)
                left[j], _ = next_digit(left[j], ZERO, random[j], of_left)
        always_right, always_left = always(t_right), always(t_left)
        for j in range(BLOCK):
            net[j] += balance(right[j] | always_right, left[j] | always_left, wanted)


@device
def _two_digits(state, high, low, of_right, of_left, digit):  # type: ignore[no-untyped-def]
    """The digits number `digit` + 1 and `digit` of 64 uniforms compared with those of both thresholds."""
    right, tie_right, left, tie_left = state
    right, tie_right = next_digit(right, tie_right, low, of_right[digit + 1])
    right, tie_right = next_digit(right, tie_right, high, of_right[digit])
    left, tie_left = next_digit(left, tie_left, low, of_left[digit + 1])
    left, tie_left = next_digit(left, tie_left, high, of_left[digit])
    return right, tie_right, left, tie_left


@device
def _compare(net, base, start, stop, t_right, t_left, k0, k1):  # type: ignore[no-untyped-def]
    """Thresholds of more than PLANES = 8 digits, the lowest of the 8 first; nothing but the result leaves the registers."""
    of_right = (spread(t_right, 0), spread(t_right, 1), spread(t_right, 2), spread(t_right, 3),
                spread(t_right, 4), spread(t_right, 5), spread(t_right, 6), spread(t_right, 7))  # fmt: skip
    of_left = (spread(t_left, 0), spread(t_left, 1), spread(t_left, 2), spread(t_left, 3),
               spread(t_left, 4), spread(t_left, 5), spread(t_left, 6), spread(t_left, 7))  # fmt: skip
    low = (ONE << U(BITS - PLANES)) - ONE
    always_right, always_left = always(t_right), always(t_left)
    rest_right, rest_left = ALL if t_right & low else ZERO, ALL if t_left & low else ZERO
    ties, ties_right = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    queue, waiting = np.empty(BLOCK, np.uint64), ZERO
    who, steps, tops = np.empty(2 * BLOCK, np.uint64), np.empty(2 * BLOCK, np.uint64), np.empty(2 * BLOCK, np.uint64)
    for word in range(start // 64, (stop + 63) // 64):
        wanted = screen(64 * word, start, stop)
        for j in range(PAIR):
            state = (ZERO, ALL, ZERO, ALL)  # below right, tied with it, below left, tied with it
            other = (ZERO, ALL, ZERO, ALL)
            a, b, c, d = _blocks(base, j, 4 * word + 3, k0, k1)
            state, other = (
                _two_digits(state, a, b, of_right, of_left, 6),
                _two_digits(other, c, d, of_right, of_left, 6),
            )
            a, b, c, d = _blocks(base, j, 4 * word + 2, k0, k1)
            state, other = (
                _two_digits(state, a, b, of_right, of_left, 4),
                _two_digits(other, c, d, of_right, of_left, 4),
            )
            a, b, c, d = _blocks(base, j, 4 * word + 1, k0, k1)
            state, other = (
                _two_digits(state, a, b, of_right, of_left, 2),
                _two_digits(other, c, d, of_right, of_left, 2),
            )
            a, b, c, d = _blocks(base, j, 4 * word, k0, k1)
            state, other = (
                _two_digits(state, a, b, of_right, of_left, 0),
                _two_digits(other, c, d, of_right, of_left, 0),
            )
            ties_right[j], ties_right[j + PAIR] = state[1] & rest_right, other[1] & rest_right
            ties[j] = (ties_right[j] | state[3] & rest_left) & wanted
            ties[j + PAIR] = (ties_right[j + PAIR] | other[3] & rest_left) & wanted
            net[j] += balance(state[0] | always_right, state[2] | always_left, wanted & ~ties[j])
            net[j + PAIR] += balance(other[0] | always_right, other[2] | always_left, wanted & ~ties[j + PAIR])
        tied = ZERO
        for j in range(BLOCK):
            queue[tied] = U(j)
            tied += U(ties[j] != ZERO)
        while tied:  # one undecided step of each walker that has any
            still = ZERO
            for i in range(tied):
                j = queue[i]
                bit = trailing_zeros(ties[j])
                ties[j] &= ties[j] - ONE
                who[waiting], steps[waiting] = j, U(word) * U(64) + bit
                tops[waiting] = (t_right if (ties_right[j] >> bit) & ONE else t_left) & ~low
                waiting += ONE
                queue[still] = j
                still += U(ties[j] != ZERO)
            tied = still
            if waiting >= U(BLOCK):
                _settle_all(net, base, who, steps, tops, waiting, t_right, t_left, k0, k1)
                waiting = ZERO
    _settle_all(net, base, who, steps, tops, waiting, t_right, t_left, k0, k1)


@device
def _settle_all(net, base, who, steps, tops, waiting, t_right, t_left, k0, k1):  # type: ignore[no-untyped-def]
    """The undecided steps, by their digits so far."""
    half = (np.int64(waiting) + 2 * WIDTH - 1) // (2 * WIDTH) * WIDTH
    late_who, late_steps, late_tops = who[half:], steps[half:], tops[half:]
    for i in range(half):  # the last ones are rubbish, and not looked at
        walker, other = base + who[i], base + late_who[i]
        rest, _, _, _, late_rest, _, _, _ = philox2(
            walker & LOW, walker >> HALF, steps[i], other & LOW, other >> HALF, late_steps[i], TIES, k0, k1
        )
        steps[i] = U(settle(t_right, t_left, tops[i], rest, PLANES))
        late_steps[i] = U(settle(t_right, t_left, late_tops[i], late_rest, PLANES))
    for i in range(waiting):
        net[who[i]] += np.int64(steps[i])


@kernel
def follow_constant(site, state, first_walker, start, stop, planes, t_right, t_left, levels, k0, k1):  # type: ignore[no-untyped-def]
    """As :func:`walk_constant`, keeping functionals of each path in `state`."""
    visits, positives = levels
    for block in range((site.size + BLOCK - 1) // BLOCK):
        for j in range(block * BLOCK, min((block + 1) * BLOCK, site.size)):
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
