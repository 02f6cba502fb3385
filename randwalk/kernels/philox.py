"""Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, 2011).

A block of four 32-bit words is a function of a counter (four words) and a key (two words), and of nothing else. docs/stream.md
defines the word that drives each step of each walker; its version is :data:`STREAM_VERSION`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..jit.compile import device
from ..jit.lanes import lanes, lowered
from ..jit.vector import joined_high, mixed_high, product

STREAM_VERSION = 3

# The fourth counter word: the purpose of a block, and the stream version that defined the purpose.
STEPS, TIES, START, SPLIT = (np.uint64(purpose | 1 << 8) for purpose in range(4))
JUMP, JUMP_TIES = (np.uint64(purpose | 2 << 8) for purpose in (4, 5))
NORMALS, SIGNS, BRIDGE, SPHERES, PLACE, THIRDS, LIFETIME = (np.uint64(purpose | 3 << 8) for purpose in range(6, 13))

U = np.uint64
LOW = U(0xFFFFFFFF)
HALF = U(32)
M0, M1 = 0xD2511F53, 0xCD9E8D57
W0, W1 = 0x9E3779B9, 0xBB67AE85

tuple_of: Any = types.UniTuple


def _rounds(joins: bool) -> Any:
    """Ten rounds as LLVM instructions: Numba would infer the types of every operation of every round. The output are four words,
    in the low halves of as many values, or joined in two of 64 bits."""

    def rounds(context: Any, c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
        counter = [lanes if word == lanes else types.uint64 for word in (c0, c1, c2, c3)]
        made = tuple_of(lanes if lanes in counter else types.uint64, 2 if joins else 4)

        def mix(context: Any, builder: Any, a: Any, b: Any, c: Any, d: Any, key0: Any, key1: Any) -> Any:
            i64 = ir.IntType(64)

            def raised(key: Any, constant: int) -> Any:
                return builder.and_(builder.add(key, ir.Constant(i64, constant)), ir.Constant(i64, 0xFFFFFFFF))

            for number in range(10):
                if number:
                    key0, key1 = raised(key0, W0), raised(key1, W1)
                # Words are in the low half of 64-bit places; the next product ignores the high halves, which are undefined.
                p, q = product(context, builder, a, M0), product(context, builder, c, M1)
                if joins and number == 9:
                    pair = joined_high(builder, q, b, key0), joined_high(builder, p, d, key1)
                    return context.make_tuple(builder, made, pair)
                a, b, c, d = mixed_high(builder, q, b, key0), q, mixed_high(builder, p, d, key1), p
            return context.make_tuple(builder, made, (a, b, c, d))

        return lowered(made(*counter, types.uint64, types.uint64), mix)

    return intrinsic(rounds)


_four_words: Any = _rounds(joins=False)
_two_words: Any = _rounds(joins=True)


@device
def philox(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """Four uint64, or lanes, whose low 32 bits are the output words; the high bits are undefined."""
    return _four_words(c0, c1, c2, c3, k0, k1)


@device
def words64(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """The block as two 64-bit words: (first | second << 32, third | fourth << 32)."""
    return _two_words(c0, c1, c2, c3, k0, k1)


def key(seed: int, *spawn: int) -> tuple[np.uint64, np.uint64]:
    """The Philox key of a seed (and of a numbered child of it), through ``numpy.random.SeedSequence``."""
    words = np.random.SeedSequence(seed, spawn_key=spawn).generate_state(2, np.uint32)
    return U(words[0]), U(words[1])


@device
def of_axis(purpose, number):  # type: ignore[no-untyped-def]
    """The fourth counter word of a purpose, with the number of an axis (or 16 other digits) in its high half."""
    return purpose | U(number) << U(16)
