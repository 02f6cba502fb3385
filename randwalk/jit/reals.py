"""Floating-point numbers of as many walkers as there are lanes, and operations by which one formula serves one number and lanes
alike."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing import templates
from numba.extending import intrinsic

from .lanes import HOST, LANES, Vector, broadcast, fetched, implement, lanes, lowered, register, signature

insert: Any = cgutils.get_or_insert_function
reals, flags = Vector(LANES, ir.DoubleType()), Vector(LANES, ir.IntType(1))  # `flags`: whether something is so of each
I64 = ir.IntType(64)
CONVERTED = (
    "+avx2" not in HOST or "+avx512dq" in HOST
)  # AVX2 has no conversion of 64 bits: LLVM would take number by number


def _define(function: Any, result: Vector, forms: tuple[Any, ...], build: Callable[..., Any]) -> None:
    """Define `function` for arguments of these types by a maker of instructions; a number counts as the same in every element."""
    template: Any = templates.ConcreteTemplate
    register(function)(type("Reals", (template,), {"cases": [signature(result, *form) for form in forms]}))

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return build(builder, *_alike(builder, *arguments))

    for form in forms:
        implement(function, *form)(lower)


def _alike(builder: Any, *values: Any) -> tuple[Any, ...]:
    """Numbers among vectors as vectors."""
    forms = [value.type for value in values if isinstance(value.type, ir.VectorType)]
    return tuple(broadcast(builder, value, forms[0]) for value in values) if forms else values


def _called(builder: Any, name: str, value: Any) -> Any:
    """An intrinsic of LLVM of one argument, for vectors of reals."""
    function = insert(builder.module, ir.FunctionType(value.type, [value.type]), f"llvm.{name}.v{LANES}f64")
    return builder.call(function, [value])


PAIRS = (reals, reals), (reals, types.float64), (types.float64, reals)
for arithmetic, instruction in (
    (operator.add, ir.IRBuilder.fadd), (operator.sub, ir.IRBuilder.fsub), (operator.mul, ir.IRBuilder.fmul),
    (operator.truediv, ir.IRBuilder.fdiv),
):  # fmt: skip
    _define(arithmetic, reals, PAIRS, instruction)
_define(operator.mul, lanes, ((lanes, lanes),), ir.IRBuilder.mul)
_define(operator.neg, reals, ((reals,),), ir.IRBuilder.fneg)
_define(abs, reals, ((reals,),), lambda builder, x: _called(builder, "fabs", x))
_define(math.sqrt, reals, ((reals,),), lambda builder, x: _called(builder, "sqrt", x))
for comparison, sign in ((operator.lt, "<"), (operator.le, "<="), (operator.gt, ">"), (operator.eq, "==")):
    _define(comparison, flags, PAIRS, lambda builder, x, y, sign=sign: builder.fcmp_ordered(sign, x, y))
    _define(
        comparison, flags, ((lanes, lanes), (lanes, types.uint64)),
        lambda builder, x, y, sign=sign: builder.icmp_unsigned(sign, x, y),
    )  # fmt: skip
for extreme, sign in ((min, "<"), (max, ">")):
    _define(
        extreme, reals, ((reals, reals),),
        lambda builder, x, y, sign=sign: builder.select(builder.fcmp_ordered(sign, x, y), x, y),
    )  # fmt: skip
_define(operator.and_, flags, ((flags, flags),), ir.IRBuilder.and_)
_define(operator.or_, flags, ((flags, flags),), ir.IRBuilder.or_)
_define(operator.invert, flags, ((flags,),), ir.IRBuilder.not_)


def _real(context: Any, value: Any) -> Any:
    """Lanes as reals, rounded once."""
    return lowered(reals(lanes), lambda _, builder, x: builder.uitofp(x, reals.form))


def _constant(form: Any, value: float) -> Any:
    return ir.Constant(form, [value] * LANES)


def _digits_of(builder: Any, bits: Any, exponent: int) -> Any:
    """The numbers of which `bits` are the digits, above 2^exponent."""
    return builder.bitcast(builder.or_(bits, _constant(lanes.form, (1023 + exponent) << 52)), reals.form)


def _signed_real(context: Any, value: Any) -> Any:
    """As :func:`real_of`, of lanes whose highest bits are signs. With AVX2 the conversion without signs of x + 2^63, by halves in
    the digits of float64 of the exponents 2^84 and 2^52; the first difference is exact, the last sum is rounded."""

    def by_halves(_: Any, builder: Any, x: Any) -> Any:
        moved = builder.xor(x, _constant(lanes.form, 1 << 63))
        high = _digits_of(builder, builder.lshr(moved, _constant(lanes.form, 32)), 84)
        low = _digits_of(builder, builder.and_(moved, _constant(lanes.form, 0xFFFFFFFF)), 52)
        return builder.fadd(builder.fsub(high, _constant(reals.form, 2.0**84 + 2.0**63 + 2.0**52)), low)

    if CONVERTED:
        return lowered(reals(lanes), lambda _, builder, x: builder.sitofp(x, reals.form))
    return lowered(reals(lanes), by_halves)


def _small_real(context: Any, value: Any) -> Any:
    """As :func:`real_of`, of lanes below 2^52."""

    def by_digits(_: Any, builder: Any, x: Any) -> Any:
        return builder.fsub(_digits_of(builder, x, 52), _constant(reals.form, 2.0**52))

    return _real(context, value) if CONVERTED else lowered(reals(lanes), by_digits)


def _fraction(context: Any, word: Any) -> Any:
    """The highest 53 bits of lanes, over 2^53. With AVX2 all but the first are the digits of a number from ½ to 1, of which ½ is
    taken away where the first is 0."""

    def converted(_: Any, builder: Any, x: Any) -> Any:
        whole = builder.uitofp(builder.lshr(x, _constant(lanes.form, 11)), reals.form)
        return builder.fmul(whole, _constant(reals.form, 2.0**-53))

    def by_digits(_: Any, builder: Any, x: Any) -> Any:
        others = builder.lshr(builder.shl(x, _constant(lanes.form, 1)), _constant(lanes.form, 12))
        first = builder.icmp_signed("<", x, _constant(lanes.form, 0))
        excess = builder.select(first, _constant(reals.form, 0.0), _constant(reals.form, 0.5))
        return builder.fsub(_digits_of(builder, others, -1), excess)

    return lowered(reals(lanes), converted if CONVERTED else by_digits)


def _bits(context: Any, value: Any) -> Any:
    """The bits of reals, as lanes."""
    return lowered(lanes(reals), lambda _, builder, x: builder.bitcast(x, lanes.form))


def _from_bits(context: Any, value: Any) -> Any:
    """The reals of which lanes are the bits."""
    return lowered(reals(lanes), lambda _, builder, x: builder.bitcast(x, reals.form))


def _rough_inverse(context: Any, value: Any) -> Any:
    """1/x in single precision."""

    def divide(_: Any, builder: Any, x: Any) -> Any:
        form = ir.VectorType(ir.FloatType(), LANES)
        return builder.fpext(builder.fdiv(ir.Constant(form, [1.0] * LANES), builder.fptrunc(x, form)), reals.form)

    return lowered(reals(reals), divide)


def _choose(context: Any, chosen: Any, first: Any, second: Any) -> Any:
    """`first` where it is so, else `second`: of lanes or reals, or of numbers."""
    kind = reals if {first, second} & {reals, types.float64} else lanes

    def choose(_: Any, builder: Any, chosen: Any, *values: Any) -> Any:
        return builder.select(chosen, *(broadcast(builder, value, kind.form) for value in values))

    return lowered(kind(flags, first, second), choose)


def _negative(context: Any, value: Any) -> Any:
    """Of lanes whose highest bits are signs, which are below 0."""
    return lowered(flags(lanes), lambda _, builder, x: builder.icmp_signed("<", x, _constant(lanes.form, 0)))


def _digits(context: Any, some: Any) -> Any:
    """Flags as the low digits of a uint64."""
    return lowered(
        types.uint64(flags), lambda _, builder, some: builder.zext(builder.bitcast(some, ir.IntType(LANES)), I64)
    )


def _flags_of(context: Any, some: Any) -> Any:
    """What :func:`digits` makes digits of."""
    return lowered(
        flags(types.uint64),
        lambda _, builder, some: builder.bitcast(builder.trunc(some, ir.IntType(LANES)), flags.form),
    )


real_of: Any = intrinsic(_real)
signed_real_of: Any = intrinsic(_signed_real)
small_real_of: Any = intrinsic(_small_real)
fraction_of: Any = intrinsic(_fraction)
bits: Any = intrinsic(_bits)
from_bits: Any = intrinsic(_from_bits)
rough_inverse: Any = intrinsic(_rough_inverse)
choose: Any = intrinsic(_choose)
negative: Any = intrinsic(_negative)
digits: Any = intrinsic(_digits)
flags_of: Any = intrinsic(_flags_of)
fetch_reals: Any = fetched(reals)
