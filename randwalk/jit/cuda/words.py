"""Words of 32 bits, as CUDA's instructions take them: where they are in memory, four numbers in one access, ones of digits.

Where the simulator runs them, on the host, the instructions do the same on arrays of NumPy.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..lanes import array_of, lowered

I32, I64 = ir.IntType(32), ir.IntType(64)
word: Any = types.uint32
words_of: Any = types.UniTuple
SHARED = 3  # the address space
FOUR: Any = ir.VectorType(I32, 4)
FOUR_NUMBERS: Any = words_of(types.int32, 4)


def on_cuda(context: Any) -> bool:
    """Whether instructions are made for CUDA, not for the host, where the simulator runs them."""
    return type(context).__name__ == "CUDATargetContext"


def number(value: int) -> Any:
    return ir.Constant(I32, value & 0xFFFFFFFF)


def fields_of(builder: Any, values: Any) -> list[Any]:
    """The words of a tuple."""
    fields = [builder.extract_value(values, i) for i in range(values.type.count)]
    return [
        field if field.type == I32 else builder.trunc(field, I32) for field in fields
    ]  # Python's integers have 64 bits


def _word_at(shared: bool) -> Any:
    """The word that begins so many bytes from the first of an array of words. If `shared`, from :data:`base`."""

    def word_at(context: Any, table: Any, place: Any) -> Any:
        def load(context: Any, builder: Any, values: Any, place: Any) -> Any:
            if shared and on_cuda(context):
                there = builder.inttoptr(place, ir.PointerType(I32, SHARED))
            else:
                data = builder.bitcast(array_of(table)(context, builder, values).data, ir.IntType(8).as_pointer())
                there = builder.gep(data, [builder.zext(place, I64)], source_etype=ir.IntType(8))
                there = builder.bitcast(there, I32.as_pointer())
            return builder.load(there, align=4, typ=I32)

        return lowered(word(table, word), load)

    return intrinsic(word_at)


def _base(context: Any, table: Any) -> Any:
    """The address of an array in shared memory; on the host 0, whose addresses have more digits."""

    def address(context: Any, builder: Any, values: Any) -> Any:
        if not on_cuda(context):
            return number(0)
        data = array_of(table)(context, builder, values).data
        return builder.ptrtoint(builder.addrspacecast(data, ir.PointerType(I32, SHARED)), I32)

    return lowered(word(table), address)


def _four_at(context: Any, array: Any, first: Any) -> Any:
    """Four numbers of an array, from a multiple of four on, in one access."""

    def load(context: Any, builder: Any, values: Any, first: Any) -> Any:
        four = builder.load(_of_four(context, builder, array, values, first), align=16 if on_cuda(context) else 4)
        fields = [builder.extract_element(four, number(i)) for i in range(4)]
        return context.make_tuple(builder, FOUR_NUMBERS, fields)

    return lowered(FOUR_NUMBERS(array, types.intp), load)


def _put_four(context: Any, array: Any, first: Any, fields: Any) -> Any:
    """Put them there."""

    def store(context: Any, builder: Any, values: Any, first: Any, fields: Any) -> None:
        four = ir.Constant(FOUR, ir.Undefined)
        for i, value in enumerate(fields_of(builder, fields)):
            four = builder.insert_element(four, value, number(i))
        builder.store(four, _of_four(context, builder, array, values, first), align=16 if on_cuda(context) else 4)

    return lowered(types.void(array, types.intp, fields), store)


def _of_four(context: Any, builder: Any, kind: Any, values: Any, first: Any) -> Any:
    there = builder.gep(array_of(kind)(context, builder, values).data, [first])
    return builder.bitcast(there, FOUR.as_pointer())


def _ones(context: Any, words: Any, masks: Any) -> Any:
    """How many digits of some words are 1; of the first four words and of the last four only those in the eight masks."""

    def counted(context: Any, builder: Any, words: Any, masks: Any) -> Any:
        values, allowed, total = fields_of(builder, words), fields_of(builder, masks), number(0)
        for first, some in ((0, allowed[:4]), (len(values) - 4, allowed[4:])):
            values[first : first + 4] = map(builder.and_, values[first : first + 4], some)
        for value in values:
            total = builder.add(total, builder.ctpop(value))
        return total

    return lowered(word(words, masks), counted)


word_at: Any = _word_at(False)
shared_word_at: Any = _word_at(True)
base: Any = intrinsic(_base)
four_at: Any = intrinsic(_four_at)
put_four: Any = intrinsic(_put_four)
ones: Any = intrinsic(_ones)
