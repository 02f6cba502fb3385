"""A draw from an alias table (A. J. Walker, 1977) in integers: 32 bits choose a cell and a side of its cut, 21 more bits decide
ties.

A cell of a table is a word: the low half is the alias of the cell; the high half, the cut, is the number at which the cell ends
and its alias begins, in the high bits of a draw. `rests` are the low bits of the cuts.
"""

from __future__ import annotations

from ..jit.compile import device
from .philox import HALF, JUMP_TIES, LOW, U, of_axis, philox
from .step import I32

WORD, REST = 32, 21  # bits of a draw: those of every draw, and those of a tie alone


@device
def draw(word, bits, cells):  # type: ignore[no-untyped-def]
    """(the draw, whether it ties): the top `bits` of the word choose a cell, the other bits the side. A tie counts as above."""
    cell, side = _split(word, bits)
    there = cells[cell]
    return I32(cell) if side < (there >> HALF) else I32(there & LOW), side == (there >> HALF)


@device
def settle_draw(word, bits, cells, rests, walker, interval, axis, k0, k1):  # type: ignore[no-untyped-def]
    """The correction of a draw: cell minus alias if a tie, which counted as above, is below; else 0."""
    cell, side = _split(word, bits)
    there = cells[cell]
    if side == (there >> HALF):
        more, _, _, _ = philox(walker & LOW, walker >> HALF, U(interval), of_axis(JUMP_TIES, axis), k0, k1)
        if ((more & LOW) >> U(WORD - REST)) < U(rests[cell]):
            return I32(I32(cell) - I32(there & LOW))
    return I32(0)


@device
def _split(word, bits):  # type: ignore[no-untyped-def]
    shift = U(WORD - bits)
    return U(word) >> shift, U(word) & ((U(1) << shift) - U(1))
