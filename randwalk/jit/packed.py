"""Low halves of lanes in vectors of 32 bits, which are full of them: a round of Philox takes seven instructions in place of
eight, and half as many registers.

Of eight walkers the halves are in the order 0 1 4 5 2 3 6 7, as one instruction packs two registers. Products are made of those
in even and in odd places; one instruction takes the high halves of both, which exchanges the inner two of each four. Two rounds
restore the order, so low halves, which are mixed in a round later than high ones, stay in the order of the factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from .lanes import LANES, RECENT_AVX2, combine, lanes
from .vector import product

I32, I64 = ir.IntType(32), ir.IntType(64)
HALVES, PACKED, PAIRS = ir.VectorType(I32, 2 * LANES), ir.VectorType(I32, LANES), ir.VectorType(I64, LANES // 2)
ORDER = [
    i - i % 8 + (0, 1, 4, 5, 2, 3, 6, 7)[i % 8] for i in range(LANES)
]  # the walker in each place; of it, the place
EXCHANGED = [
    i - i % 8 + (0, 4, 1, 5, 2, 6, 3, 7)[i % 8] for i in range(LANES)
]  # the walker in each place after a round
HIGH = [
    i - i % 4 + (1, 3, LANES + 1, LANES + 3)[i % 4] for i in range(LANES)
]  # of products in even places, and in odd ones
APART = [
    LANES // 2 * (i // 4 % 2) + i // 8 * 4 + i % 4 for i in range(LANES)
]  # of each walker, in pairs apart after a round


def packed(builder: Any, counter: Sequence[Any]) -> Sequence[Any]:
    """The words of a counter packed; numbers unchanged. Only where a processor multiplies 32 bits as fast as it does the low
    halves of 64: recent ones with AVX2. AVX-512 mixes three words by one instruction, and is as fast without."""
    if not RECENT_AVX2:
        return counter
    return [_packed(builder, word, order) for word, order in zip(counter, (ORDER, EXCHANGED) * 2, strict=True)]


def _packed(builder: Any, word: Any, order: list[int]) -> Any:
    if word.type != lanes.form:
        return word
    both = builder.bitcast(word, HALVES)
    return _shuffled(builder, both, both, [2 * lane for lane in order])


def halves(context: Any, builder: Any, value: Any, factor: int) -> tuple[Any, Any]:
    """(the high half, the low half) of the product of 32 bits each; of numbers and lanes as low halves."""
    if value.type != PACKED:
        wide = product(context, builder, value, factor)
        return combine(builder, "lshr", wide, ir.Constant(I64, 32)), wide
    even, odd = (builder.bitcast(product(context, builder, part, factor), PACKED) for part in _apart(builder, value))
    return _shuffled(builder, even, odd, HIGH), combine(builder, "mul", value, ir.Constant(I64, factor))


def lanes_of(builder: Any, value: Any) -> Any:
    """High halves, after an odd number of rounds, as lanes."""
    return builder.shuffle_vector(*_apart(builder, value), _constant(APART)) if value.type == PACKED else value


def low_lanes_of(builder: Any, word: Any, key: Any) -> tuple[Any, Any]:
    """(low halves, after an odd number of rounds, as lanes; what of the key is to be mixed in yet)."""
    if word.type != PACKED:
        return word, key
    word = combine(builder, "xor", word, key)
    twice = _shuffled(builder, word, word, [ORDER[lane // 2] for lane in range(2 * LANES)])
    return builder.bitcast(twice, lanes.form), ir.Constant(I64, 0)


def _shuffled(builder: Any, first: Any, second: Any, order: list[int]) -> Any:
    return builder.shuffle_vector(first, second, _constant(order))


def _constant(order: list[int]) -> Any:
    return ir.Constant(ir.VectorType(I32, len(order)), order)


def _apart(builder: Any, value: Any) -> tuple[Any, Any]:
    """Those in even places as low halves of 64 bits, and those in odd ones."""
    pairs = builder.bitcast(value, PAIRS)
    return pairs, combine(builder, "lshr", pairs, ir.Constant(I64, 32))
