"""What lets a loop use the machine's vectors: the only place that knows about vector widths."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

array_of: Any = make_array
insert: Any = cgutils.get_or_insert_function

WIDTH = 8  # thresholds fetched together; LLVM splits or scalarises where the processor has no such gather


def _wide(context: Any) -> Any:
    """Prefer 512-bit vectors in the function that calls this; Numba's default stops at 256. No effect without AVX-512."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        set.add(
            builder.function.attributes, '"prefer-vector-width"="512"'
        )  # llvmlite's own check knows no string attributes
        return context.get_dummy_value()

    return types.void(), generate


def _gather(context: Any, table: Any, index: Any, out: Any, offset: Any) -> Any:
    """``out[offset : offset + WIDTH] = table[index[offset : offset + WIDTH]]`` for contiguous uint32 table and out, int32 index,
    as one gather instruction, which LLVM does not form by itself."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        i32 = ir.IntType(32)
        vector, mask = ir.VectorType(i32, WIDTH), ir.VectorType(ir.IntType(1), WIDTH)
        table, index, out = (
            array_of(kind)(context, builder, value).data
            for kind, value in zip(signature.args[:3], arguments[:3], strict=True)
        )

        def at(pointer: Any) -> Any:
            place = builder.gep(pointer, [arguments[3]], source_etype=i32)
            return builder.bitcast(place, vector.as_pointer())

        wanted = builder.load(at(index), align=4, typ=vector)
        places = builder.gep(table, [wanted], source_etype=i32)
        pointers = ir.VectorType(ir.PointerType(), WIDTH)
        places.type = pointers
        kind = ir.FunctionType(vector, [pointers, i32, mask, vector])
        name = f"llvm.masked.gather.v{WIDTH}i32.v{WIDTH}p0"
        fetch = insert(builder.module, kind, name)
        everything = ir.Constant(mask, [1] * WIDTH)
        values = builder.call(fetch, [places, ir.Constant(i32, 4), everything, ir.Constant(vector, ir.Undefined)])
        builder.store(values, at(out), align=4)
        return context.get_dummy_value()

    return types.void(table, index, out, types.intp), generate


wide: Any = intrinsic(_wide)
gather: Any = intrinsic(_gather)
