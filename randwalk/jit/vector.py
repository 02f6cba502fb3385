"""Instructions that compilers do not choose: the machine's widest vectors, gathers, wide products, bit counts."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .lanes import (
    HOST,
    LANES,
    RECENT_AVX2,
    TARGET,
    WIDTH,
    array_of,
    broadcast,
    cells,
    combine,
    lanes,
    lowered,
    marks,
    place,
)

insert: Any = cgutils.get_or_insert_function
global_of: Any = cgutils.global_constant
tuple_of: Any = types.UniTuple


def _wide(context: Any) -> Any:
    """Prefer 512-bit vectors in the function that calls this; Numba's default stops at 256. No effect without AVX-512. And
    align its stack: LLVM would keep vectors that registers have no room for at places that straddle two cache lines."""

    def prefer(context: Any, builder: Any) -> None:
        for attribute in ('"prefer-vector-width"="512"', '"stackrealign"'):
            set.add(builder.function.attributes, attribute)  # the check of llvmlite refuses string attributes

    return lowered(types.void(), prefer)


def _look_up(context: Any, table: Any, first: Any, index: Any) -> Any:
    """``table[first + index]`` of a contiguous array of 32 bits for every number of `index`, by gather instructions, which LLVM
    does not form by itself."""

    def fetch(context: Any, builder: Any, values: Any, first: Any, index: Any) -> Any:
        begin, one, size = place(context, builder, table, values, first, 1)
        return _gathered(builder, begin, one.element, size, index)

    return lowered(cells(table, types.intp, cells), fetch)


def _look_up_pairs(context: Any, table: Any, first: Any, step: Any, moves: Any, index: Any) -> Any:
    """``table[first + m step + index]``, m = 0, 1, …, of an array that has two numbers of 16 bits for each two of `moves`, as a
    tuple of 32 bits each, the low halves of 64 bits first. All in one go: out of a loop LLVM would take what makes gathers fast,
    indices of 32 bits."""
    bits = table.dtype.bitwidth
    words = -(-moves.count // (bits // 16))

    def fetch(context: Any, builder: Any, values: Any, first: Any, step: Any, _: Any, index: Any) -> Any:
        pairs = []
        for m in range(words):
            offset = builder.add(first, builder.mul(step, ir.Constant(step.type, m)))
            begin, one, size = place(context, builder, table, values, offset, 1)
            parts = [_gathered(builder, begin, one.element, size, part) for part in _cut(builder, index, bits // 32)]
            if bits == 64:
                halves = ir.VectorType(ir.IntType(32), WIDTH)
                parts = [builder.bitcast(part, halves) for part in parts]
                orders = (ir.Constant(halves, [2 * i + half for i in range(WIDTH)]) for half in (0, 1))
                parts = [builder.shuffle_vector(*parts, order) for order in orders]
            pairs += parts
        return context.make_tuple(builder, found, pairs)

    found = tuple_of(cells, words * bits // 32)
    return lowered(found(table, types.intp, types.intp, moves, cells), fetch)


def _cut(builder: Any, vector: Any, pieces: int) -> list[Any]:
    """The elements of a vector in so many vectors."""
    count = vector.type.count
    size = count // pieces
    orders = [ir.Constant(ir.VectorType(ir.IntType(32), size), list(range(i, i + size))) for i in range(0, count, size)]
    return [builder.shuffle_vector(vector, vector, order) for order in orders]


def _gathered(builder: Any, begin: Any, element: Any, size: int, index: Any) -> Any:
    """The elements, of `size` bytes, of an array with these numbers; `begin` points to its first one."""
    count, i32 = index.type.count, ir.IntType(32)
    if RECENT_AVX2:
        return _gathered_by_registers(builder, begin, element, size, index)
    places = builder.gep(begin, [index], source_etype=element)
    places.type = pointers = ir.VectorType(ir.PointerType(), count)
    vector, mask = ir.VectorType(element, count), ir.VectorType(ir.IntType(1), count)
    kind = ir.FunctionType(vector, [pointers, i32, mask, vector])
    function = insert(builder.module, kind, f"llvm.masked.gather.v{count}{element.intrinsic_name}.v{count}p0")
    everything, nothing = ir.Constant(mask, [1] * count), ir.Constant(vector, ir.Undefined)
    return builder.call(function, [places, ir.Constant(i32, size), everything, nothing])


def _gathered_by_registers(builder: Any, begin: Any, element: Any, size: int, index: Any) -> Any:
    """As :func:`_gathered`, by the instruction of AVX2 itself, register by register: for AMD's processors LLVM would fetch number
    by number instead, which takes first passages a tenth longer."""
    each, i8 = 32 // size, ir.IntType(8)
    some, name = ir.VectorType(element, each), f"llvm.x86.avx2.gather.d.{'d' if size == 4 else 'q'}.256"
    places = ir.VectorType(ir.IntType(32), each)
    function = insert(builder.module, ir.FunctionType(some, [some, ir.PointerType(), places, some, i8]), name)
    nothing, everything, parts = ir.Constant(some, None), ir.Constant(some, [-1] * each), []
    for part in _cut(builder, index, index.type.count // each):
        parts.append(builder.call(function, [nothing, begin, part, everything, ir.Constant(i8, size)]))
    return _put_together(builder, parts)


def _put_together(builder: Any, parts: list[Any]) -> Any:
    """The elements of several vectors, of which there are a power of 2, in one."""
    while len(parts) > 1:
        size = 2 * parts[0].type.count
        order = ir.Constant(ir.VectorType(ir.IntType(32), size), list(range(size)))
        parts = [builder.shuffle_vector(parts[i], parts[i + 1], order) for i in range(0, len(parts), 2)]
    return parts[0]


def _where(context: Any, chosen: Any, first: Any, second: Any) -> Any:
    """`first` where it is so, else `second`: of numbers of 32 bits, or of each of marks."""
    kind = cells if chosen == marks else types.uint32
    if chosen != marks:
        chosen, first, second = types.boolean, kind, kind

    def choose(context: Any, builder: Any, chosen: Any, *values: Any) -> Any:
        if kind == cells:
            values = tuple(broadcast(builder, value, cells.form) for value in values)
        return builder.select(chosen, *values)

    return lowered(kind(chosen, first, second), choose)


def _which(context: Any, chosen: Any) -> Any:
    """Marks as the low digits of a uint64."""

    def digits(context: Any, builder: Any, chosen: Any) -> Any:
        return builder.zext(builder.bitcast(chosen, ir.IntType(WIDTH)), ir.IntType(64))

    return lowered(types.uint64(marks), digits)


def _apart(context: Any) -> Any:
    """Keep the function that calls this out of its callers: rare work should not fill the registers of a loop."""
    return lowered(types.void(), lambda _, builder: builder.function.attributes.add("noinline"))


def woven(builder: Any, value: Any, high: bool) -> Any:
    """The low or the high halves of lanes, in turn of the first half of the lanes and of the second: one instruction for two
    registers."""
    value = builder.bitcast(broadcast(builder, value), ir.VectorType(ir.IntType(32), 2 * LANES))
    order = [LANES * (i % 2) + i // 2 * 2 + high for i in range(LANES)]
    return builder.shuffle_vector(value, value, ir.Constant(ir.VectorType(ir.IntType(32), LANES), order))


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


def mixed(builder: Any, value: Any, word: Any, key: Any) -> Any:
    """A number, or each of a vector, with `word` and `key` mixed in by exclusive or."""
    return combine(builder, "xor", combine(builder, "xor", value, word), key)


def mixed_high(builder: Any, wide: Any, word: Any, key: Any) -> Any:
    """The high half of a uint64, or of each of lanes, with `word` and `key` mixed in, as a low half."""
    return mixed(builder, combine(builder, "lshr", wide, ir.Constant(ir.IntType(64), 32)), word, key)


def joined_high(builder: Any, wide: Any, word: Any, key: Any) -> Any:
    """:func:`mixed_high` and above it the low half of `wide`. AVX-512 exchanges the halves and mixes into one of them, which are
    two instructions in place of three."""
    if isinstance(wide.type, ir.VectorType) and "+avx512f" in TARGET:
        return _mixed_and_swapped(builder, wide, word, key)
    return _join(builder, mixed_high(builder, wide, word, key), wide)


def mixed_turned(builder: Any, wide: Any, word: Any, key: Any) -> Any:
    """:func:`joined_high` of lanes with the halves exchanged: two instructions fewer than that, but with AVX-512."""
    word, key = _join(builder, ir.Constant(wide.type, None), word), builder.shl(key, ir.Constant(key.type, 32))
    return mixed(builder, wide, word, key)


def _mixed_and_swapped(builder: Any, wide: Any, word: Any, key: Any) -> Any:
    i16, i32 = ir.IntType(16), ir.IntType(32)
    part, halves = ir.VectorType(i32, 16), ir.VectorType(i32, 2 * LANES)
    mix = insert(builder.module, ir.FunctionType(part, [part] * 3 + [i32]), "llvm.x86.avx512.pternlog.d.512")
    # With a constant that it knows LLVM would not mix and choose in one instruction: it comes out of an empty assembly.
    unknown = ir.InlineAsm(ir.FunctionType(i16, [i16]), "", "=r,0")
    low = builder.bitcast(builder.call(unknown, [ir.Constant(i16, 0x5555)]), ir.VectorType(ir.IntType(1), 16))
    wide, word = builder.bitcast(wide, halves), builder.bitcast(broadcast(builder, word), halves)
    key, mixed = broadcast(builder, builder.trunc(key, i32), part), []
    for first in range(0, 2 * LANES, 16):
        swapped = builder.shuffle_vector(wide, wide, ir.Constant(part, [first + (i ^ 1) for i in range(16)]))
        words = builder.shuffle_vector(word, word, ir.Constant(part, list(range(first, first + 16))))
        exclusive_or = builder.call(mix, [swapped, words, key, ir.Constant(i32, 0b10010110)])
        mixed.append(builder.select(low, exclusive_or, swapped))
    return builder.bitcast(_put_together(builder, mixed), lanes.form)


def _join(builder: Any, low: Any, high: Any) -> Any:
    """The low halves of two uint64, or of lanes, as one. By arithmetic, LLVM would make a wide multiplication of it for lanes."""
    if isinstance(high.type, ir.VectorType):
        halves = ir.VectorType(ir.IntType(32), 2 * LANES)
        order = ir.Constant(halves, [2 * LANES * (i % 2) + i // 2 * 2 for i in range(2 * LANES)])
        low, high = (builder.bitcast(broadcast(builder, value), halves) for value in (low, high))
        return builder.bitcast(builder.shuffle_vector(low, high, order), lanes.form)
    low = builder.and_(low, ir.Constant(low.type, 0xFFFFFFFF))
    return builder.or_(low, builder.shl(high, ir.Constant(high.type, 32)))


def _joined(context: Any, low: Any, high: Any) -> Any:
    """The low halves of two uint64 as one."""
    words = types.uint64, types.uint64
    return lowered(types.uint64(*words), lambda _, builder, low, high: _join(builder, low, high))


def _ones(context: Any, word: Any) -> Any:
    """The number of ones in a uint64, an int64, or in each of lanes."""

    def count(context: Any, builder: Any, value: Any) -> Any:
        name = f"llvm.ctpop.v{LANES}i64" if word == lanes else "llvm.ctpop.i64"
        return builder.call(insert(builder.module, ir.FunctionType(value.type, [value.type]), name), [value])

    return lowered(lanes(lanes) if word == lanes else types.int64(types.uint64), count)


def _append(context: Any, values: Any, chosen: Any, array: Any, offset: Any) -> Any:
    """Keep those of a vector that are chosen, of lanes and reals those for which `chosen`, flags, digits or lanes, is not 0, of
    cells those that it marks, in an array one after another from `offset` on; of a tuple of vectors those of each in a row of the
    array. Returns the place after the last one. What stands there and in the places after it, up to the length of the vector in
    all, means nothing then.

    AVX-512 has an instruction that packs a register. AVX2 has one that orders eight numbers of 32 bits, by a table of orders.
    Elsewhere LLVM would pack in memory and wait for it, so elements are stored one by one, each over those before it that are
    not kept.
    """
    several = isinstance(values, types.BaseTuple)
    kind = values[0] if several else values
    i64, element = ir.IntType(64), kind.form.element
    width = getattr(element, "width", 64)  # that of a float64 has no name
    size = 512 if "+avx512f" in HOST else 256 if "+avx2" in TARGET else width
    together = size // width
    part = ir.VectorType(element, together)

    def order_of(builder: Any, bits: Any) -> Any:
        order, eight = ir.VectorType(ir.IntType(8), 8), ir.VectorType(ir.IntType(32), 8)
        table = ir.Constant(ir.ArrayType(order, 1 << together), _orders(together))
        there = builder.gep(global_of(builder, "orders", table), [bits], source_etype=order)
        return builder.zext(builder.load(there, align=8, typ=order), eight)

    def packed(builder: Any, some: Any, mask: Any, order: Any) -> Any:
        if size == 512:
            form = ir.FunctionType(part, [part, mask.type, part])
            name = f"llvm.experimental.vector.compress.v{together}{element.intrinsic_name}"
            return builder.call(insert(builder.module, form, name), [some, mask, ir.Constant(part, ir.Undefined)])
        eight = order.type
        permute = insert(builder.module, ir.FunctionType(eight, [eight, eight]), "llvm.x86.avx2.permd")
        return builder.bitcast(builder.call(permute, [builder.bitcast(some, eight), order]), part)

    def store(context: Any, builder: Any, given: Any, wanted: Any, into: Any, offset: Any) -> Any:
        rows = [builder.extract_value(given, r) for r in range(len(values))] if several else [given]
        shape = array_of(array)(context, builder, into).shape
        row = builder.extract_value(shape, array.ndim - 1)
        if chosen != types.uint64:
            marked = builder.icmp_unsigned("!=", wanted, ir.Constant(wanted.type, [0] * kind.form.count))
            wanted = builder.zext(builder.bitcast(marked, ir.IntType(kind.form.count)), i64)
        for first in range(0, kind.form.count, together):
            places = ir.Constant(ir.VectorType(ir.IntType(32), together), list(range(first, first + together)))
            bits = builder.lshr(wanted, ir.Constant(i64, first))
            bits = builder.and_(bits, ir.Constant(i64, (1 << together) - 1))
            begin, order = offset, order_of(builder, bits) if size == 256 else None
            mask = builder.bitcast(builder.trunc(bits, ir.IntType(together)), ir.VectorType(ir.IntType(1), together))
            for vector in rows:
                some = builder.shuffle_vector(vector, vector, places)
                if together > 1:
                    some = packed(builder, some, mask, order)
                there, _, bytes_each = place(context, builder, array, into, begin, together)
                builder.store(some, there, align=bytes_each)
                begin = builder.add(begin, row)
            count = insert(builder.module, ir.FunctionType(i64, [i64]), "llvm.ctpop.i64")
            offset = builder.add(offset, builder.call(count, [bits]))
        return offset

    return lowered(types.intp(values, chosen, array, types.intp), store)


def _orders(count: int) -> list[list[int]]:
    """For each choice among `count` elements, a binary digit each, the eighths of a register with the chosen ones first."""
    size = 8 // count
    chosen = ([i for i in range(count) if choice >> i & 1] for choice in range(1 << count))
    return [([size * i + j for i in some for j in range(size)] + [0] * 8)[:8] for some in chosen]


def _zeros_below(context: Any, word: Any) -> Any:
    """The number of zeros below the lowest one of a uint64 that is not 0."""
    defined = ir.Constant(ir.IntType(1), 1)
    return lowered(types.uint64(types.uint64), lambda _, builder, word: builder.cttz(word, defined))


def _zeros_above(context: Any, word: Any) -> Any:
    """The number of zeros above the highest one of a uint64 that is not 0."""
    defined = ir.Constant(ir.IntType(1), 1)
    return lowered(types.uint64(types.uint64), lambda _, builder, word: builder.ctlz(word, defined))


def _polynomial(context: Any, x: Any, coefficients: Any) -> Any:
    """c₀ + x (c₁ + x (c₂ + …)) of a tuple of coefficients, each operation rounded."""

    def horner(context: Any, builder: Any, x: Any, coefficients: Any) -> Any:
        *others, value = (builder.extract_value(coefficients, i) for i in range(coefficients.type.count))
        for coefficient in reversed(others):
            value = builder.fadd(coefficient, builder.fmul(x, value))
        return value

    return lowered(types.float64(types.float64, coefficients), horner)


wide: Any = intrinsic(_wide)
polynomial: Any = intrinsic(_polynomial)
apart: Any = intrinsic(_apart)
look_up: Any = intrinsic(_look_up)
look_up_pairs: Any = intrinsic(_look_up_pairs)
where: Any = intrinsic(_where)
which: Any = intrinsic(_which)
joined: Any = intrinsic(_joined)
ones: Any = intrinsic(_ones)
append: Any = intrinsic(_append)
zeros_below: Any = intrinsic(_zeros_below)
zeros_above: Any = intrinsic(_zeros_above)
