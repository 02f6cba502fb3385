"""Steps-blocks of Philox for a GPU, in 32-bit words: of the four products of the first two rounds two depend on the walker alone,
and two on the block alone. The words are those of :func:`randwalk.kernels.philox.philox`, with the purpose of steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ...jit.cuda.words import I32, I64, fields_of, number, on_cuda, word, words_of
from ...jit.lanes import lowered
from ...jit.vector import product
from ..philox import M0, M1, STEPS, W0, W1


def _halves(context: Any, builder: Any, value: Any, factor: int) -> tuple[Any, Any]:
    """The high and the low word of a product."""
    wide = product(context, builder, builder.zext(value, I64), factor)
    return builder.trunc(builder.lshr(wide, ir.Constant(I64, 32)), I32), builder.trunc(wide, I32)


def _xor(builder: Any, first: Any, *others: Any) -> Any:
    for other in others:
        first = builder.xor(first, other)
    return first


def _of_walker(context: Any, low: Any, key0: Any, key1: Any) -> Any:
    """What the first two rounds make of the low word of a walker's number: three words."""

    def mixed(context: Any, builder: Any, low: Any, key0: Any, key1: Any) -> Any:
        high, kept = _halves(context, builder, low, M0)
        found = *_halves(context, builder, _xor(builder, high, number(int(STEPS)), key1), M1), kept
        if on_cuda(context):  # the assembler would rather make them again in every block
            once = ir.InlineAsm(ir.FunctionType(I32, [I32]), "", "=r,0", side_effect=True)
            found = tuple(builder.call(once, [value]) for value in found)
        return context.make_tuple(builder, words_of(word, 3), found)

    return lowered(words_of(word, 3)(word, word, word), mixed)


def _of_block(context: Any, block: Any, high: Any, key0: Any, key1: Any) -> Any:
    """What they make of the number of a block, and of the high word of the walker's: three words."""

    def mixed(context: Any, builder: Any, block: Any, high: Any, key0: Any, key1: Any) -> Any:
        upper, lower = _halves(context, builder, block, M1)
        top, bottom = _halves(context, builder, _xor(builder, upper, high, key0), M0)
        first = builder.xor(lower, builder.add(key0, number(W0)))
        second = builder.xor(top, builder.add(key1, number(W1)))
        return context.make_tuple(builder, words_of(word, 3), (first, second, bottom))

    return lowered(words_of(word, 3)(word, word, word, word), mixed)


def _drawn(context: Any, walker: Any, blocks: Any, key0: Any, key1: Any) -> Any:
    """The words of some blocks of a walker, four for each, of what the first two rounds made of both: the other eight rounds,
    each for all blocks before the next. In place of the keys there may be those of these rounds."""
    count, made = blocks.count // 3, isinstance(key0, types.UniTuple)

    def mixed(context: Any, builder: Any, walker: Any, blocks: Any, key0: Any, key1: Any) -> Any:
        (high, low, kept), parts = (fields_of(builder, values) for values in (walker, blocks))
        words = []
        for x, y, z in zip(*[iter(parts)] * 3, strict=True):
            words.append((builder.xor(high, x), low, builder.xor(kept, y), z))
        lefts, rights = (
            fields_of(builder, key) if made else [builder.add(key, number(n * step)) for n in range(2, 10)]
            for key, step in ((key0, W0), (key1, W1))
        )
        for left, right in zip(lefts, rights, strict=True):
            products = [(_halves(context, builder, a, M0), _halves(context, builder, c, M1)) for a, _, c, _ in words]
            words = [
                (_xor(builder, q[0], b, left), q[1], _xor(builder, p[0], d, right), p[1])
                for (_, b, _, d), (p, q) in zip(words, products, strict=True)
            ]
        return context.make_tuple(builder, found, [value for block in words for value in block])

    found = words_of(word, 4 * count)
    key = key0 if made else word
    return lowered(found(walker, blocks, key, key), mixed)


def round_keys(keys: tuple[np.uint64, np.uint64]) -> Any:
    """The keys, and those of the rounds from the third on, all as words."""
    first, second = (
        tuple(np.uint32((int(key) + n * step) % (1 << 32)) for n in range(10))
        for key, step in zip(keys, (W0, W1), strict=True)
    )
    return first[0], second[0], first[2:], second[2:]


def parts_of(blocks: range, high: int, keys: tuple[np.uint64, np.uint64]) -> tuple[np.uint32, ...]:
    """As :func:`_of_block`, of some blocks, three words for each."""
    key0, key1, parts = int(keys[0]), int(keys[1]), []
    for block in blocks:
        upper, lower = divmod(block * M1, 1 << 32)
        top, bottom = divmod((upper ^ high ^ key0) * M0, 1 << 32)
        parts += [lower ^ (key0 + W0) % (1 << 32), top ^ (key1 + W1) % (1 << 32), bottom]
    return tuple(map(np.uint32, parts))


of_walker: Any = intrinsic(_of_walker)
of_block: Any = intrinsic(_of_block)
drawn: Any = intrinsic(_drawn)
