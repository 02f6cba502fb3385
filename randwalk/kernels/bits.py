"""Constant probabilities, 64 steps to a machine word: binary digits of all uniforms compared with those of a threshold at
once, the lowest first. The only place where they are compared; words are uint64 or lanes."""

from __future__ import annotations

import numpy as np

from ..jit.compile import device
from ..jit.vector import zeros_below
from .functionals import NOWHERE, tally
from .philox import HALF, LOW, STEPS, TIES, U, words64
from .program import BITS
from .step import ALL, I32, ONE, ZERO, after, change


@device
def screen(n, start, stop):  # type: ignore[no-untyped-def]
    """Which of the steps n … n + 63 lie in start … stop - 1, as a mask."""
    mask = ALL
    if n < start:
        mask = mask << U(start - n) if start - n < 64 else ZERO
    if n + 64 > stop:
        mask &= ALL >> U(n + 64 - stop) if n + 64 - stop < 64 else ZERO
    return mask


@device
def spread(t, digit):  # type: ignore[no-untyped-def]
    """The binary digit of weight 2^-1-digit of a threshold, in all 64 places of a word."""
    return ALL if (U(t) >> U(BITS - 1 - digit)) & ONE else ZERO


@device
def next_digit(below, tie, random, digit):  # type: ignore[no-untyped-def]
    """One more binary digit, a higher one, of 64 uniforms compared with that of a threshold (a :func:`spread` one): (those
    below it, those that still tie). Where random digit and digit agree the lower ones decide, elsewhere the digit does."""
    agree = ~(random ^ digit)
    return digit ^ (agree & (digit ^ below)), tie & agree


@device
def next_digits(above, tie, low, high, digits):  # type: ignore[no-untyped-def]
    """Two more binary digits at once: (the uniforms that are not below a threshold, those that still tie); those of the threshold
    are the last two of `digits`. Once these are known, a mask takes one instruction of three inputs where processors have that,
    elsewhere two at most; a run always takes the same branches."""
    if digits & U(2):
        if digits & ONE:
            return above & (high & low), tie & (high & low)
        return high & (above | low), high & (tie & ~low)
    if digits & ONE:
        return high | (above & low), (tie & low) & ~high
    return above | (high | low), tie & ~(high | low)


@device
def always(t):  # type: ignore[no-untyped-def]
    """The steps that are below a threshold whatever their digits: all if it is 1, whose digits are those of 0."""
    return ALL if U(t) >> U(BITS) else ZERO


@device
def remainder(t, planes):  # type: ignore[no-untyped-def]
    """The digits of a threshold after the first `planes`; 0 if those decide every step."""
    return U(t) & ((ONE << U(BITS - planes)) - ONE)


@device
def compare(below, tie, kept, wanted, walker, word, program, keys):  # type: ignore[no-untyped-def]
    """below[k] = which of the `wanted` steps of word number `word` of a walker have uniforms below threshold k, as a mask (what
    it says of other steps is undefined); `tie` is scratch of as many masks.

    The digits of a word are compared lowest first, so their blocks come last first. Where their number is odd, the block of an
    even word's lowest digit is also that of the next word's highest one. That digit is returned, and asked for as `kept`: 128
    steps take `planes` blocks.
    """
    moves, planes, first, second, ties = len(program.thresholds), program.planes, kept, kept, ZERO
    for k in range(moves):
        below[k], tie[k] = ZERO, ALL
    for digit in range(planes - 1, -1, -1):
        number, random = word * planes + digit, first
        if number & planes & 1 and digit == 0:
            random = kept
        elif number & 1 or digit == planes - 1:
            first, second = words64(walker & LOW, walker >> HALF, U(number >> 1), STEPS, keys[0], keys[1])
            random = second if number & 1 else first
            if not number & 1:
                kept = second
        for k in range(moves):
            below[k], tie[k] = next_digit(below[k], tie[k], random, spread(program.thresholds[k], digit))
    for k in range(moves):
        below[k] |= always(program.thresholds[k])
        tie[k] &= wanted if remainder(program.thresholds[k], planes) else ZERO
        ties |= tie[k]
    while ties:
        lane = ties & (~ties + ONE)
        ties ^= lane
        n = U(word) * U(64) + zeros_below(lane)
        more, _ = words64(walker & LOW, walker >> HALF, n, TIES, keys[0], keys[1])
        for k in range(moves):
            if tie[k] & lane and after(more, planes) < remainder(program.thresholds[k], planes):
                below[k] |= lane
    return kept


@device
def follow(site, state, j, levels, walker, program, span, room, keys):  # type: ignore[no-untyped-def]
    """Advance the walker in place j over the steps of `span` = (start, stop), keeping functionals of its path in a column of
    `state`; `room` = two arrays of a mask for each threshold."""
    (start, stop), (below, tie), here, top, kept = span, room, site[j], state[1, j], ZERO
    for word in range(start // 128 * 2, (stop + 63) // 64):
        kept = compare(below, tie, kept, screen(64 * word, start, stop), walker, word, program, keys)
        for n in range(max(64 * word, start), min(64 * word + 64, stop)):
            there = here
            for k in range(len(program.thresholds)):
                there = I32(there + change(program.offsets, k) * np.int64((below[k] >> U(n & 63)) & ONE))
            top = tally(here, there, n, state, j, levels, I32(NOWHERE), top)
            here = there
    site[j], state[1, j] = here, top
