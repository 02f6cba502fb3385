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
from ..jit.lanes import combine, lanes, lowered
from ..jit.vector import joined, product

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


def _rounds(context: Any, c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    """Ten rounds as LLVM instructions: Numba would infer the types of every operation of every round."""
    counter = [lanes if word == lanes else types.uint64 for word in (c0, c1, c2, c3)]
    kind = lanes if lanes in counter else types.uint64

    def mixed(context: Any, builder: Any, a: Any, b: Any, c: Any, d: Any, key0: Any, key1: Any) -> Any:
        i64 = ir.IntType(64)

        def mix(wide: Any, word: Any, key: Any) -> Any:
            high = combine(builder, "lshr", wide, ir.Constant(i64, 32))
            return combine(builder, "xor", combine(builder, "xor", high, word), key)

        def raised(key: Any, constant: int) -> Any:
            return builder.and_(builder.add(key, ir.Constant(i64, constant)), ir.Constant(i64, 0xFFFFFFFF))

        for number in range(10):
            if number:
                key0, key1 = raised(key0, W0), raised(key1, W1)
            # Words are in the low half of 64-bit places; the next product ignores the high halves, which are undefined.
            p, q = product(context, builder, a, M0), product(context, builder, c, M1)
            a, b, c, d = mix(q, b, key0), q, mix(p, d, key1), p
        return context.make_tuple(builder, tuple_of(kind, 4), (a, b, c, d))

    return lowered(tuple_of(kind, 4)(*counter, types.uint64, types.uint64), mixed)


_ten_rounds: Any = intrinsic(_rounds)


@device
def philox(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """Four uint64, or lanes, whose low 32 bits are the output words; the high bits are undefined."""
    return _ten_rounds(c0, c1, c2, c3, k0, k1)


@device
def words64(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """The block as two 64-bit words: (first | second << 32, third | fourth << 32)."""
    y0, y1, y2, y3 = philox(c0, c1, c2, c3, k0, k1)
    return joined(y0, y1), joined(y2, y3)


def key(seed: int, *spawn: int) -> tuple[np.uint64, np.uint64]:
    """The Philox key of a seed (and of a numbered child of it), through ``numpy.random.SeedSequence``."""
    words = np.random.SeedSequence(seed, spawn_key=spawn).generate_state(2, np.uint32)
    return U(words[0]), U(words[1])


@device
def of_axis(purpose, number):  # type: ignore[no-untyped-def]
    """The fourth counter word of a purpose, with the number of an axis (or 16 other digits) in its high half."""
    return purpose | U(number) << U(16)
