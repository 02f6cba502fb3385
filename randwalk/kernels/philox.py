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
from ..jit.lanes import LANES, array_of, combine, lanes, lowered, place
from ..jit.packed import halves, lanes_of, low_lanes_of, packed
from ..jit.vector import joined_high, mixed, mixed_high, mixed_turned, product, woven

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


def _products(context: Any, builder: Any, counter: Any, keys: Any) -> Any:
    """Nine rounds, and of the tenth each product with the word and the key that belong into its high half. These are LLVM
    instructions, because Numba would infer the types of every operation of every round."""
    (a, b, c, d), (key0, key1), i64 = counter, keys, ir.IntType(64)

    def raised(key: Any, constant: int) -> Any:
        return builder.and_(builder.add(key, ir.Constant(i64, constant)), ir.Constant(i64, 0xFFFFFFFF))

    for _ in range(9):
        # Words are in the low half of 64-bit places; the next product ignores the high halves, which are undefined.
        (p, low_p), (q, low_q) = halves(context, builder, a, M0), halves(context, builder, c, M1)
        a, b, c, d = mixed(builder, q, b, key0), low_q, mixed(builder, p, d, key1), low_p
        key0, key1 = raised(key0, W0), raised(key1, W1)
    p, q = product(context, builder, lanes_of(builder, a), M0), product(context, builder, lanes_of(builder, c), M1)
    return (q, *low_lanes_of(builder, b, key0)), (p, *low_lanes_of(builder, d, key1))


def _words(count: int, output: Any) -> Any:
    """A block as `count` words, which `output` makes of each product of :func:`_products`, by packed ones if faster."""

    def words(context: Any, c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
        counter = [lanes if word == lanes else types.uint64 for word in (c0, c1, c2, c3)]
        made = tuple_of(lanes if lanes in counter else types.uint64, count)

        def build(context: Any, builder: Any, *given: Any) -> Any:
            last = _products(context, builder, packed(builder, given[:4]), given[4:])
            return context.make_tuple(builder, made, [word for product in last for word in output(builder, *product)])

        return lowered(made(*counter, types.uint64, types.uint64), build)

    return intrinsic(words)


def _keep_words(context: Any, words: Any, begin: Any, walkers: Any, number: Any, purpose: Any, k0: Any, k1: Any) -> Any:
    """Store the words of a block of each of lanes of walkers, word i of them in words[i], an array of 32 bits, from the place
    `begin` on: in turn one of the first half of the walkers and one of the second."""

    def store(
        context: Any, builder: Any, into: Any, begin: Any, walkers: Any, number: Any, purpose: Any, *keys: Any
    ) -> None:
        row = builder.extract_value(array_of(words)(context, builder, into).shape, 1)
        high = combine(builder, "lshr", walkers, ir.Constant(ir.IntType(64), 32))
        for wide, word, key in _products(context, builder, (walkers, high, number, purpose), keys):
            high = mixed(builder, woven(builder, wide, high=True), woven(builder, word, high=False), key)
            for made in (high, woven(builder, wide, high=False)):
                there, _, size = place(context, builder, words, into, begin, LANES)
                builder.store(made, there, align=size)
                begin = builder.add(begin, row)

    return lowered(types.void(words, types.intp, lanes, *[types.uint64] * 4), store)


_four_words: Any = _words(4, lambda builder, wide, word, key: (mixed_high(builder, wide, word, key), wide))
_two_words: Any = _words(2, lambda builder, wide, word, key: (joined_high(builder, wide, word, key),))
turned64: Any = _words(2, lambda builder, wide, word, key: (mixed_turned(builder, wide, word, key),))
keep_words: Any = intrinsic(_keep_words)


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
