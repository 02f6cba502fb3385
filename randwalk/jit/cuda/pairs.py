"""Two thresholds compared with a uniform at once, in the 16-bit halves of a word, of whose digits 15 decide nearly always.

A half of an entry is T - 2¹⁵ + 1, T the first 15 digits of a threshold, at most 2¹⁵ - 1; a half of the other word is
2¹⁵ - 1 - u, u those of the uniform. Their sum T - u is positive if u is below the threshold, and 0 if they tie.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba.extending import intrinsic

from ..compile import device
from ..lanes import lowered
from .words import I32, word

U32 = np.uint32
DIGITS = 15
REST = U32(0x80008000)  # an entry below which no uniform is and that none ties with: of cells at which walkers rest
NEVER = U32(0x8001)  # half an entry below which no uniform is
EVERY, ONES, TOPS, RESTS = U32(0xFFFFFFFF), U32(0x00010001), U32(0x80008000), U32(0x7FFF7FFF)


class Comparison(NamedTuple):
    """How a kind of device compares pairs, and moves by the outcome.

    Attributes
    ----------
    compared
        (entry, other word, ties) → (1 in each half whose uniform is below the threshold, ties with those of this step).
    tied
        Whether any step has tied, of ties that began as EVERY.
    moved
        (place, halves of 1 or 0, two signed bytes) → the place, with the first byte added for the low half, the second for
        the high half.
    high, low
        The high half of a word, or the low one, in both halves.
    """

    compared: Callable[..., Any]
    tied: Callable[..., Any]
    moved: Callable[..., Any]
    high: Callable[..., Any]
    low: Callable[..., Any]


@device
def opposite(words):  # type: ignore[no-untyped-def]
    """2¹⁵ - 1 minus the first 15 digits of both 16-bit halves of a word."""
    return U32((U32(words) >> U32(1)) & RESTS) ^ RESTS


@device
def _compared(entry, other, ties):  # type: ignore[no-untyped-def]
    total = U32(U32(entry & RESTS) + other) ^ (entry & TOPS)  # nothing is carried from half to half
    some, positive = U32(U32(total & RESTS) + RESTS), ~total & TOPS
    return U32((some & positive) >> U32(15)), U32(ties & (some | ~positive))


@device
def _tied(ties):  # type: ignore[no-untyped-def]
    return ties & TOPS != TOPS


@device
def _moved(place, below, moves):  # type: ignore[no-untyped-def]
    first, second = np.int32(moves << U32(24)) >> 24, np.int32(moves << U32(16)) >> 24
    return U32(place + (below & U32(1)) * first + (below >> U32(16)) * second)


@device
def _high(words):  # type: ignore[no-untyped-def]
    return U32((words & U32(0xFFFF0000)) | (words >> U32(16)))


@device
def _low(words):  # type: ignore[no-untyped-def]
    return U32((words << U32(16)) | (words & U32(0xFFFF)))


def _assembled(text: str) -> Any:
    """An instruction that makes a word of three."""

    def instruction(context: Any, first: Any, second: Any, third: Any) -> Any:
        def call(context: Any, builder: Any, *values: Any) -> Any:
            form = ir.FunctionType(I32, [I32] * 3)
            return builder.call(ir.InlineAsm(form, text, "=r,r,r,r"), values)

        return lowered(word(word, word, word), call)

    return intrinsic(instruction)


_below: Any = _assembled("{.reg .b32 t; add.s16x2 t, $1, $2; min.s16x2.relu $0, t, $3;}")
_nearest: Any = _assembled("{.reg .b32 t; add.u16x2 t, $1, $2; min.u16x2 $0, t, $3;}")
_dot: Any = _assembled("dp2a.lo.s32.s32 $0, $1, $2, $3;")
_permuted: Any = _assembled("prmt.b32 $0, $1, $2, $3;")


@device
def _compared_at_once(entry, other, ties):  # type: ignore[no-untyped-def]
    return _below(entry, other, ONES), _nearest(entry, other, ties)


@device
def _tied_at_once(least):  # type: ignore[no-untyped-def]
    return U32(least & U32(0xFFFF)) == U32(0) or U32(least >> U32(16)) == U32(0)


@device
def _moved_at_once(place, below, moves):  # type: ignore[no-untyped-def]
    return _dot(below, moves, place)


@device
def _high_at_once(words):  # type: ignore[no-untyped-def]
    return _permuted(words, U32(0), U32(0x3232))


@device
def _low_at_once(words):  # type: ignore[no-untyped-def]
    return _permuted(words, U32(0), U32(0x1010))


ANYWHERE = Comparison(_compared, _tied, _moved, _high, _low)
AT_ONCE = Comparison(_compared_at_once, _tied_at_once, _moved_at_once, _high_at_once, _low_at_once)


def comparison(capability: tuple[int, int]) -> Comparison:
    """That of devices of a compute capability: from 9.0 on there are instructions for pairs."""
    return AT_ONCE if capability >= (9, 0) else ANYWHERE
