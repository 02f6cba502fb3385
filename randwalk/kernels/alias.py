"""A draw from an alias table (A. J. Walker, 1977) in integers: 32 bits choose a cell and its side, 21 more where they tie.

The cells of a table are words: the low half is the alias of the cell; the high half, the cut, is where the cell ends and its
alias begins, in the high bits of a draw. `rests` are the low bits of the cuts.
"""

from __future__ import annotations

from .compile import device
from .philox import HALF, JUMP_TIES, LOW, U, philox
from .step import I32

WORD, REST = 32, 21  # bits of a draw that are always drawn, and those that are where the others tie


@device
def draw(word, bits, cells):  # type: ignore[no-untyped-def]
    """(what is drawn, whether it ties): the top `bits` of the word choose a cell, the others its side. A tie counts as above."""
    cell, side = _split(word, bits)
    there = cells[cell]
    return I32(cell) if side < (there >> HALF) else I32(there & LOW), side == (there >> HALF)


@device
def settle_draw(word, bits, cells, rests, walker, interval, k0, k1):  # type: ignore[no-untyped-def]
    """What is missing from a draw that counted as above, if it ties and is not: cell minus alias, else 0."""
    cell, side = _split(word, bits)
    there = cells[cell]
    if side == (there >> HALF):
        more, _, _, _ = philox(walker & LOW, walker >> HALF, U(interval), JUMP_TIES, k0, k1)
        if ((more & LOW) >> U(WORD - REST)) < U(rests[cell]):
            return I32(I32(cell) - I32(there & LOW))
    return I32(0)


@device
def _split(word, bits):  # type: ignore[no-untyped-def]
    shift = U(WORD - bits)
    return U(word) >> shift, U(word) & ((U(1) << shift) - U(1))
