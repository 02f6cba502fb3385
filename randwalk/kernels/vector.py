"""Instructions that compilers do not choose: the machine's widest vectors, gathers, wide products, bit counts."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .lanes import LANES, array_of, combine, lanes, lowered

insert: Any = cgutils.get_or_insert_function

WIDTH = 8  # thresholds fetched together; LLVM splits or scalarises where the processor has no such gather


def _wide(context: Any) -> Any:
    """Prefer 512-bit vectors in the function that calls this; Numba's default stops at 256. No effect without AVX-512. And
    align its stack: LLVM would keep vectors that registers have no room for at places that straddle two cache lines."""

    def prefer(context: Any, builder: Any) -> None:
        for attribute in ('"prefer-vector-width"="512"', '"stackrealign"'):
            set.add(builder.function.attributes, attribute)  # the check of llvmlite refuses string attributes

    return lowered(types.void(), prefer)


def _gather(context: Any, table: Any, index: Any, out: Any, offset: Any) -> Any:
    """``out[offset : offset + WIDTH] = table[index[offset : offset + WIDTH]]`` for contiguous uint32 table and out, int32 index,
    as one gather instruction, which LLVM does not form by itself."""

    def fetch(context: Any, builder: Any, *arguments: Any) -> None:
        i32 = ir.IntType(32)
        vector, mask = ir.VectorType(i32, WIDTH), ir.VectorType(ir.IntType(1), WIDTH)
        data = [
            array_of(kind)(context, builder, value).data
            for kind, value in zip((table, index, out), arguments[:3], strict=True)
        ]

        def at(pointer: Any) -> Any:
            place = builder.gep(pointer, [arguments[3]], source_etype=i32)
            return builder.bitcast(place, vector.as_pointer())

        places = builder.gep(data[0], [builder.load(at(data[1]), align=4, typ=vector)], source_etype=i32)
        pointers = ir.VectorType(ir.PointerType(), WIDTH)
        places.type = pointers
        kind = ir.FunctionType(vector, [pointers, i32, mask, vector])
        function = insert(builder.module, kind, f"llvm.masked.gather.v{WIDTH}i32.v{WIDTH}p0")
        everything = ir.Constant(mask, [1] * WIDTH)
        values = builder.call(function, [places, ir.Constant(i32, 4), everything, ir.Constant(vector, ir.Undefined)])
        builder.store(values, at(data[2]), align=4)

    return lowered(types.void(table, index, out, types.intp), fetch)


def _apart(context: Any) -> Any:
    """Keep the function that calls this out of its callers: rare work should not fill the registers of a loop."""
    return lowered(types.void(), lambda _, builder: builder.function.attributes.add("noinline"))


def product(context: Any, builder: Any, value: Any, factor: int) -> Any:
    """The 64 bits of the product of the low half of a uint64, or of lanes, and 32 bits. On CUDA by the instruction that does
    just that; NVVM would multiply all of both, which adds a third to the work of Philox."""
    i32, i64 = ir.IntType(32), ir.IntType(64)
    if type(context).__name__ == "CUDATargetContext":
        wide_mul = ir.InlineAsm(ir.FunctionType(i64, [i32, i32]), "mul.wide.u32 $0, $1, $2;", "=l,r,r")
        return builder.call(wide_mul, [builder.trunc(value, i32), ir.Constant(i32, factor)])
    return combine(
        builder, "mul", combine(builder, "and_", value, ir.Constant(i64, 0xFFFFFFFF)), ir.Constant(i64, factor)
    )


def _joined(context: Any, low: Any, high: Any) -> Any:
    """The low halves of two uint64, or of lanes, as one. By arithmetic, LLVM would make a wide multiplication of it."""
    kind = lanes if lanes in (low, high) else types.uint64

    def join(context: Any, builder: Any, first: Any, second: Any) -> Any:
        if kind == lanes:
            halves = ir.VectorType(ir.IntType(32), 2 * LANES)
            order = [2 * LANES * (i % 2) + i // 2 * 2 for i in range(2 * LANES)]
            low, high = (builder.bitcast(value, halves) for value in (first, second))
            return builder.bitcast(builder.shuffle_vector(low, high, ir.Constant(halves, order)), first.type)
        first = builder.and_(first, ir.Constant(first.type, 0xFFFFFFFF))
        return builder.or_(first, builder.shl(second, ir.Constant(second.type, 32)))

    return lowered(kind(kind, kind), join)


def _ones(context: Any, word: Any) -> Any:
    """The number of ones in a uint64, an int64, or in each of lanes."""

    def count(context: Any, builder: Any, value: Any) -> Any:
        name = f"llvm.ctpop.v{LANES}i64" if word == lanes else "llvm.ctpop.i64"
        return builder.call(insert(builder.module, ir.FunctionType(value.type, [value.type]), name), [value])

    return lowered(lanes(lanes) if word == lanes else types.int64(types.uint64), count)


def _zeros_below(context: Any, word: Any) -> Any:
    """The number of zeros below the lowest one of a uint64 that is not 0."""
    defined = ir.Constant(ir.IntType(1), 1)
    return lowered(types.uint64(types.uint64), lambda _, builder, word: builder.cttz(word, defined))


wide: Any = intrinsic(_wide)
apart: Any = intrinsic(_apart)
gather: Any = intrinsic(_gather)
joined: Any = intrinsic(_joined)
ones: Any = intrinsic(_ones)
zeros_below: Any = intrinsic(_zeros_below)
