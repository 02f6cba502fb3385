"""Random increments of a walk in continuous space, each a function of the number of the walker and of the increment.

Normals come from pairs (Box and Muller 1958): of a Philox block, the high 52 bits of the first 64-bit word are u, in (0, 1],
those of the second are a turn v, and √(-2 log u) times cos 2πv and sin 2πv are two normals. Their resolution is that of 52
bits, so no normal exceeds √(104 log 2) = 8.49, beyond which 2e-17 of a normal law lies. All operations are plain IEEE ones
(:mod:`randwalk.kernels.portable`).

Rows of increments stand in an array `z` of one column a walker of a block; `first` is the number of the first increment. Row r
holds increment ``first - first % group + r``, where a Philox block gives `group` increments of a walker.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..jit.compile import aside, device, kernel
from ..jit.lanes import LANES, fetch, keep
from ..jit.vector import apart, polynomial, wide
from .philox import HALF, LOW, NORMALS, SIGNS, THIRDS, U, philox, words64
from .portable import COSINE, ROUND, SINE, THIRD, flipped, log

BLOCK = 256  # walkers advanced together
PAIR, QUAD, WORDS = 2, 4, 128  # increments of a Philox block: normals, three-point and two-point ones
SPARE = 2 * (QUAD - 1)  # rows beside those asked for: of the first and the last Philox block
assert BLOCK % LANES == 0

ONE = U(0x3FF0000000000000)  # the bits of 1.0
QUARTER = math.pi / 2
SIXTH = U(2**32 // 6)  # of the words of 32 bits, for each of the outer points of three
ROOT_HALF = math.sqrt(0.5)
THIRD_POINT = math.sqrt(3.0)


@device
def upward(word):  # type: ignore[no-untyped-def]
    """The high 52 bits of a word as a float64 in [1, 2)."""
    return np.uint64((word >> U(12)) | ONE).view(np.float64)


@device
def turned(quarters):  # type: ignore[no-untyped-def]
    """(cos, sin) of a number of quarter turns, within 1 ulp of 1: the turn to the nearest quarter is exact, then the polynomials
    of FreeBSD's msun (k_sin.c and k_cos.c, Sun Microsystems 1993) on |r| <= π/4."""
    nearest = quarters + ROUND
    r = (quarters - (nearest - ROUND)) * QUARTER
    z = r * r
    sine = r + (z * r) * (THIRD + z * polynomial(z, SINE))
    cosine = 1.0 - (0.5 * z - z * (z * polynomial(z, COSINE)))
    q = np.float64(nearest).view(np.uint64)
    odd = (q & U(1)) != U(0)
    x, y = (sine, cosine) if odd else (cosine, sine)
    return flipped(x, ((q + U(1)) & U(2)) << U(62)), flipped(y, (q & U(2)) << U(62))


@device
def normal_pair(first, second):  # type: ignore[no-untyped-def]
    """Two independent normals from the two 64-bit words of a block."""
    radius = math.sqrt(-2.0 * log(2.0 - upward(first)))
    cosine, sine = turned(4.0 * upward(second))
    return radius * cosine, radius * sine


@device
def sign_of(word, bit, size):  # type: ignore[no-untyped-def]
    """`size` if a bit of a word is 0, else -`size`."""
    return flipped(size, (word >> U(bit)) << U(63))


@device
def third_of(word):  # type: ignore[no-untyped-def]
    """√3, -√3 or 0 with probabilities ⅙, ⅙ and ⅔ (to 2⁻³²) from a word of 32 bits."""
    up, down = np.float64(word < SIXTH), np.float64(word >= U(2**32) - SIXTH)
    return THIRD_POINT * (up - down)


@device
def kept_words(into, row, number, size, block, purpose, keys):  # type: ignore[no-untyped-def]
    """The words of a Philox block of the walkers ``number[: size]``, in two rows of `into`."""
    for j in range(0, size, LANES):
        walker = fetch(number, j)
        first, second = words64(walker & LOW, walker >> HALF, block, purpose, keys[0], keys[1])
        keep(first, into, row * BLOCK + j)
        keep(second, into, (row + 1) * BLOCK + j)


@aside
def paired(x, y, size):  # type: ignore[no-untyped-def]
    """Two rows of words become normals. In a function of its own, LLVM sees that the rows do not overlap; where it tests that for
    all pairs of rows at once, they do."""
    wide()
    apart()
    for j in range(size):
        x[j], y[j] = normal_pair(np.float64(x[j]).view(np.uint64), np.float64(y[j]).view(np.uint64))


@kernel
def normals(z, words, number, size, first, count, keys):  # type: ignore[no-untyped-def]
    """Normals `first` … `first` + `count` - 1 of the walkers ``number[: size]``; returns the row of the first."""
    wide()
    begin = first // PAIR
    for pair in range(begin, (first + count + PAIR - 1) // PAIR):
        row = PAIR * (pair - begin)
        kept_words(z, row, number, size, U(pair), NORMALS, keys)
        paired(z[row], z[row + 1], size)
    return first - PAIR * begin


@kernel
def signs(z, words, number, size, first, count, keys):  # type: ignore[no-untyped-def]
    """As :func:`normals`, of ±1. The 128 signs of a block stay in two rows of `words` for the next call of the same walkers;
    words[2, 0] is 1 + the number of the block, or 0."""
    wide()
    low, high = words[0], words[1]
    for i in range(count):
        group, bit = (first + i) // WORDS, (first + i) % WORDS
        if words[2, 0] != U(group + 1):
            words[2, 0] = U(group + 1)
            kept_words(words, 0, number, size, U(group), SIGNS, keys)
        x, drawn = z[i], low if bit < 64 else high
        for j in range(size):
            x[j] = sign_of(drawn[j], bit % 64, 1.0)
    return 0


@kernel
def thirds(z, words, number, size, first, count, keys):  # type: ignore[no-untyped-def]
    """As :func:`normals`, of three-point increments."""
    wide()
    begin = first // QUAD
    for quad in range(begin, (first + count + QUAD - 1) // QUAD):
        row = QUAD * (quad - begin)
        for j in range(0, size, LANES):
            walker = fetch(number, j)
            drawn = philox(walker & LOW, walker >> HALF, U(quad), THIRDS, keys[0], keys[1])
            for i in range(QUAD):
                keep(drawn[i] & LOW, z, (row + i) * BLOCK + j)
        for i in range(QUAD):
            x = z[row + i]
            for j in range(size):
                x[j] = third_of(np.float64(x[j]).view(np.uint64))
    return first - QUAD * begin


# The same one by one, for threads of a GPU; `last` is the block that was drawn last, and what it gives.
NO_NORMALS = (-1, 0.0, 0.0)
NO_SIGNS = (-1, 0, 0)
NO_THIRDS = (-1, 0, 0, 0, 0)


@device
def normal_of(walker, number, last, keys):  # type: ignore[no-untyped-def]
    """(a normal of a walker, what was drawn last)."""
    block, even, odd = last
    if block != number // PAIR:
        block = number // PAIR
        a, b = words64(walker & LOW, walker >> HALF, U(block), NORMALS, keys[0], keys[1])
        even, odd = normal_pair(a, b)
    return (odd if number % PAIR else even), (block, even, odd)


@device
def sign_drawn(walker, number, last, keys):  # type: ignore[no-untyped-def]
    """As :func:`normal_of`, of ±1."""
    block, low, high = last[0], U(last[1]), U(last[2])
    if block != number // WORDS:
        block = number // WORDS
        low, high = words64(walker & LOW, walker >> HALF, U(block), SIGNS, keys[0], keys[1])
    return sign_of(low if number % WORDS < 64 else high, number % 64, 1.0), (block, np.int64(low), np.int64(high))


@device
def third_drawn(walker, number, last, keys):  # type: ignore[no-untyped-def]
    """As :func:`normal_of`, of three-point increments."""
    block, a, b, c, d = last[0], U(last[1]), U(last[2]), U(last[3]), U(last[4])
    if block != number // QUAD:
        block = number // QUAD
        a, b, c, d = philox(walker & LOW, walker >> HALF, U(block), THIRDS, keys[0], keys[1])
    i = number % QUAD
    word = (a if i == 0 else b) if i < 2 else (c if i == 2 else d)
    return third_of(word & LOW), (block, np.int64(a), np.int64(b), np.int64(c), np.int64(d))


@device
def joined_normals(a, b):  # type: ignore[no-untyped-def]
    """The normal of a step of twice the length: the sum of the two over √2."""
    return ROOT_HALF * (a + b)


@device
def joined_points(a, b):  # type: ignore[no-untyped-def]
    """The increment with two or three values of a step of twice the length: the first, whose correlation with the sum of the two
    is √½. The sum itself would have another law."""
    return a


def _merged(joined: Any) -> Any:
    """The increments of steps of twice the length, in rows from `row` on."""

    def merged(z, size, row, steps, sources):  # type: ignore[no-untyped-def]
        for r in range(steps * sources):
            i, n = r % sources, r // sources
            a, b, x = z[row + 2 * n * sources + i], z[row + (2 * n + 1) * sources + i], z[row + r]
            for j in range(size):
                x[j] = joined(a[j], b[j])

    return device(merged)


merged_normals, merged_points = _merged(joined_normals), _merged(joined_points)
