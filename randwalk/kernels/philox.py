"""Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, 2011).

A block of four 32-bit words is a function of a counter (four words) and a key (two words), and of nothing else. Which word
drives which step of which walker is written in docs/stream.md and versioned by :data:`STREAM_VERSION`.
"""

from __future__ import annotations

import numpy as np

from .compile import device
from .vector import joined, product

STREAM_VERSION = 2

# What a block is for, the fourth counter word: a purpose, and the stream version that made it as it is.
STEPS, TIES, START, SPLIT = (np.uint64(purpose | 1 << 8) for purpose in range(4))
JUMP, JUMP_TIES = (np.uint64(purpose | 2 << 8) for purpose in (4, 5))

U = np.uint64
LOW = U(0xFFFFFFFF)
HALF = U(32)
M0, M1 = U(0xD2511F53), U(0xCD9E8D57)
W0, W1 = U(0x9E3779B9), U(0xBB67AE85)


@device
def _round(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    # Words live in the low half of 64-bit lanes; high halves carry rubbish that the next multiplication does not look at.
    p0, p1 = product(c0, M0), product(c2, M1)
    return (p1 >> HALF) ^ c1 ^ k0, p1, (p0 >> HALF) ^ c3 ^ k1, p0


@device
def philox(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """Four uint64 whose low 32 bits are the output words; the high bits are undefined. Straight-line, so that loops over
    lanes vectorise without unrolling first."""
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, (k0 + W0) & LOW, (k1 + W1) & LOW)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, (k0 + U(2) * W0) & LOW, (k1 + U(2) * W1) & LOW)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, (k0 + U(3) * W0) & LOW, (k1 + U(3) * W1) & LOW)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, (k0 + U(4) * W0) & LOW, (k1 + U(4) * W1) & LOW)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, (k0 + U(5) * W0) & LOW, (k1 + U(5) * W1) & LOW)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, (k0 + U(6) * W0) & LOW, (k1 + U(6) * W1) & LOW)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, (k0 + U(7) * W0) & LOW, (k1 + U(7) * W1) & LOW)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, (k0 + U(8) * W0) & LOW, (k1 + U(8) * W1) & LOW)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, (k0 + U(9) * W0) & LOW, (k1 + U(9) * W1) & LOW)
    return c0, c1, c2, c3


@device
def words64(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """The block as two 64-bit words: (first | second << 32, third | fourth << 32)."""
    y0, y1, y2, y3 = philox(c0, c1, c2, c3, k0, k1)
    return joined(y0, y1), joined(y2, y3)


def key(seed: int, *spawn: int) -> tuple[np.uint64, np.uint64]:
    """The Philox key of a seed (and of a numbered child of it), through ``numpy.random.SeedSequence``."""
    words = np.random.SeedSequence(seed, spawn_key=spawn).generate_state(2, np.uint32)
    return U(words[0]), U(words[1])
