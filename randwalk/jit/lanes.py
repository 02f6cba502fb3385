"""Several walkers in one value: Numba types for vectors of numbers, with arithmetic, comparisons and bit operations on all
elements at once.

Device functions are written for one walker. Given lanes in place of a uint64 they work on LANES walkers, so the physics is
written once. LANES is several times the width of a vector register, so that independent multiplications hide each other's
latency; this makes Philox 1.5 times as fast. Four registers of them are the best: with AVX2, which has 16 registers, the masks
of more would be in memory while digits are compared. Likewise cells are WIDTH numbers of 32 bits, marks whether something is so
of WIDTH walkers, and masses REALS floating-point numbers.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import config, errors
from numba.core.codegen import get_host_cpu_features
from numba.core.typing import templates
from numba.extending import intrinsic, lower_builtin, models, register_model
from numba.np.arrayobj import make_array

array_of: Any = make_array
signature: Any = templates.signature
implement: Any = lower_builtin
register: Any = templates.infer_global

HOST = get_host_cpu_features()  # type: ignore[no-untyped-call]
settings: Any = config
TARGET = HOST if settings.CPU_FEATURES is None else settings.CPU_FEATURES  # of the processor that is compiled for
# AVX2 of processors from 2020 on, known by the instructions for AES on vectors that came with it.
RECENT_AVX2 = "+vaes" in TARGET and "+avx512f" not in TARGET
LANES = 32 if "+avx512f" in HOST else 16 if "+avx2" in HOST else 8
# Walkers whose thresholds are looked up together, in several registers, so that gathers hide each other's latency.
WIDTH = 64 if "+avx512f" in HOST else 32 if "+avx2" in HOST else 16
REALS = 8  # masses that are moved together


class Vector(types.Type):
    """So many numbers of a type of LLVM; whole ones have no signs."""

    def __init__(self, count: int, element: Any) -> None:
        super().__init__(name=f"vector({count}, {element})")
        self.form = ir.VectorType(element, count)


lanes, cells, marks = (Vector(count, ir.IntType(bits)) for count, bits in ((LANES, 64), (WIDTH, 32), (WIDTH, 1)))
masses = Vector(REALS, ir.DoubleType())


@register_model(Vector)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, kind.form)  # type: ignore[no-untyped-call]


def broadcast(builder: Any, value: Any, form: Any = lanes.form) -> Any:
    """A number in every element of a vector, by its low bits; a vector unchanged."""
    if isinstance(value.type, ir.VectorType):
        return value
    if isinstance(form.element, ir.IntType) and value.type.width > form.element.width:
        value = builder.trunc(value, form.element)
    one = builder.insert_element(ir.Constant(form, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    first = ir.Constant(ir.VectorType(ir.IntType(32), form.count), [0] * form.count)
    return builder.shuffle_vector(one, ir.Constant(form, ir.Undefined), first)


def combine(builder: Any, instruction: str, *values: Any) -> Any:
    """An instruction of LLVM on values; if some of the values are vectors, the others are put in every element. Comparisons are
    those of numbers without signs."""
    for form in [value.type for value in values if isinstance(value.type, ir.VectorType)][:1]:
        values = tuple(broadcast(builder, value, form) for value in values)
    if instruction in ("<", "=="):
        return builder.icmp_unsigned(instruction, *values)
    return getattr(builder, instruction)(*values)


def _define(function: Any, instruction: str, *forms: tuple[Any, ...]) -> None:
    """Define `function` for arguments of these types by an instruction of LLVM; a number counts as the same in every element."""

    def result(form: tuple[Any, ...]) -> Any:
        kind = next(kind for kind in form if isinstance(kind, Vector))
        return marks if instruction in ("<", "==") else kind

    cases = [signature(result(form), *form) for form in forms]
    template: Any = type(f"Vectors_{instruction}", (templates.ConcreteTemplate,), {"cases": cases})
    register(function)(template)

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return combine(builder, instruction, *arguments)

    for form in forms:
        implement(function, *form)(lower)


OF_LANES = (lanes, lanes), (lanes, types.uint64), (types.uint64, lanes)
OF_CELLS = (cells, cells), (cells, types.uint32), (types.uint32, cells)
_define(operator.add, "add", *OF_LANES, *OF_CELLS)
_define(operator.sub, "sub", *OF_LANES)
_define(operator.mul, "mul", *OF_LANES)
_define(operator.and_, "and_", *OF_LANES, *OF_CELLS, (marks, marks))
_define(operator.or_, "or_", *OF_LANES, (marks, marks))
_define(operator.xor, "xor", *OF_LANES)
_define(operator.lshift, "shl", *OF_LANES)
_define(operator.rshift, "lshr", *OF_LANES, *OF_CELLS)
_define(operator.invert, "not_", (lanes,))
_define(operator.add, "fadd", (masses, masses), (types.float64, masses))
_define(operator.mul, "fmul", (masses, masses), (types.float64, masses))
_define(operator.lt, "<", *OF_CELLS)
_define(operator.eq, "==", *OF_CELLS)


def lowered(signature: Any, build: Any) -> Any:
    """What Numba asks of an intrinsic, its signature and a maker of instructions; `build` takes Numba's context, the builder of
    LLVM and the arguments, and returns the value if there is one."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = build(context, builder, *arguments)
        return context.get_dummy_value() if value is None else value

    return signature, generate


def _alike(context: Any, value: Any) -> Any:
    """A uint64 in every lane."""
    return lowered(lanes(types.uint64), lambda _, builder, value: broadcast(builder, value))


def _numbers(context: Any, first: Any) -> Any:
    """first, first + 1, …"""
    steps = ir.Constant(lanes.form, list(range(LANES)))
    return lowered(lanes(types.uint64), lambda _, builder, first: builder.add(broadcast(builder, first), steps))


def place(context: Any, builder: Any, kind: Any, array: Any, offset: Any, count: int) -> tuple[Any, Any, int]:
    """A pointer to `count` elements of a contiguous array, their type, and the bytes of one."""
    if kind.layout != "C":
        raise errors.TypingError(f"{kind}: vectors are fetched from and kept in contiguous arrays")
    element = ir.DoubleType() if kind.dtype == types.float64 else ir.IntType(kind.dtype.bitwidth)
    there = builder.gep(array_of(kind)(context, builder, array).data, [offset], source_etype=element)
    vector = ir.VectorType(element, count)
    return builder.bitcast(there, vector.as_pointer()), vector, kind.dtype.bitwidth // 8


def fetched(kind: Vector) -> Any:
    def fetch(context: Any, array: Any, offset: Any) -> Any:
        """The elements from `offset` on of a contiguous array of numbers, none of them negative if whole, as a vector."""

        def load(context: Any, builder: Any, values: Any, offset: Any) -> Any:
            there, vector, size = place(context, builder, array, values, offset, kind.form.count)
            fetched = builder.load(there, align=size, typ=vector)
            return fetched if vector == kind.form else builder.zext(fetched, kind.form)

        return lowered(kind(array, types.intp), load)

    return intrinsic(fetch)


def _fetch_apart(context: Any, array: Any, offset: Any) -> Any:
    """The numbers from `offset` on of a contiguous array of 32 bits, as lanes: those in even places, then those in odd ones. Two
    are fetched in 64 bits, of which each is a half."""

    def load(context: Any, builder: Any, values: Any, offset: Any) -> Any:
        there, _, size = place(context, builder, array, values, offset, LANES)
        pairs = ir.VectorType(ir.IntType(64), LANES // 2)
        both = builder.load(builder.bitcast(there, pairs.as_pointer()), align=size, typ=pairs)
        halves = (
            combine(builder, how, both, ir.Constant(ir.IntType(64), by))
            for how, by in (("and_", 2**32 - 1), ("lshr", 32))
        )
        return builder.shuffle_vector(*halves, ir.Constant(ir.VectorType(ir.IntType(32), LANES), list(range(LANES))))

    return lowered(lanes(array, types.intp), load)


def _keep(context: Any, values: Any, array: Any, offset: Any) -> Any:
    """Store a vector into an array, by the low bits of its elements; into one of floats by all their bits."""

    def store(context: Any, builder: Any, given: Any, into: Any, offset: Any) -> None:
        there, vector, size = place(context, builder, array, into, offset, values.form.count)
        if isinstance(vector.element, ir.DoubleType):  # the bits of floats
            given = builder.bitcast(given, vector)
        elif vector != values.form:
            given = builder.trunc(given, vector)
        builder.store(given, there, align=size)

    return lowered(types.void(values, array, types.intp), store)


alike: Any = intrinsic(_alike)
numbers: Any = intrinsic(_numbers)
fetch: Any = fetched(lanes)
fetch_apart: Any = intrinsic(_fetch_apart)
fetch_cells: Any = fetched(cells)
fetch_masses: Any = fetched(masses)
keep: Any = intrinsic(_keep)
