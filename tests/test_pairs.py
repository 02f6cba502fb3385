"""Comparisons of two thresholds at once: those that run anywhere, and what the instructions of a GPU do, written out by hand.

The instructions themselves need a device. PTX defines add.s16x2 and add.u16x2 as sums modulo 2¹⁶ half by half, min.s16x2.relu as
the smaller of two signed halves, at least 0, min.u16x2 as that of unsigned ones, and dp2a.lo as the sum of two products.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from randwalk.jit.cuda.pairs import ANYWHERE, DIGITS, EVERY, NEVER, ONES, REST, opposite

U32 = np.uint32
MOST = (1 << DIGITS) - 1
EDGES = (0, 1, 2, MOST // 2, MOST // 2 + 1, MOST - 1, MOST)


def entry(threshold: int) -> int:
    """Half an entry, as :mod:`randwalk.jit.cuda.pairs` defines it."""
    return (min(threshold, MOST) - MOST) & 0xFFFF


def paired(low: int, high: int) -> np.uint32:
    return U32(low | high << 16)


def halves(words: np.uint32) -> tuple[int, int]:
    return int(words) & 0xFFFF, int(words) >> 16


def at_once(entries: np.uint32, other: np.uint32, least: np.uint32) -> tuple[np.uint32, np.uint32]:
    """What the instructions make of them."""
    total = np.array(halves(entries), np.uint16) + np.array(halves(other), np.uint16)
    below = np.maximum(np.minimum(total.view(np.int16), np.int16(1)), np.int16(0))
    nearest = np.minimum(total, np.array(halves(least), np.uint16))
    return paired(*map(int, below)), paired(*map(int, nearest))


CASES = [*product(EDGES, EDGES), *np.random.default_rng(1).integers(0, MOST + 1, (200, 2)).tolist()]


@pytest.mark.quick
def test_a_half_is_below_its_threshold_or_ties_with_it() -> None:
    for threshold, uniform in CASES:
        for entries, other in (
            (paired(entry(threshold), int(NEVER)), paired(MOST - uniform, MOST - uniform)),
            (paired(int(NEVER), entry(threshold)), paired(MOST - uniform, MOST - uniform)),
        ):
            at = 1 if halves(entries)[0] == int(NEVER) else 0
            below, ties = ANYWHERE.compared(entries, other, EVERY)
            assert halves(U32(below))[at] == (uniform < threshold), (threshold, uniform)
            assert halves(U32(below))[1 - at] == 0  # of NEVER no uniform is below, and 0 alone ties with it
            assert ANYWHERE.tied(U32(ties)) == (uniform == threshold or uniform == 0 == MOST - int(other) % 65536)
            found, least = at_once(entries, other, EVERY)
            assert found == below and (0 in halves(least)) == ANYWHERE.tied(U32(ties))


def test_a_cell_of_rest_keeps_its_walkers() -> None:
    for uniform in (*EDGES, 12345):
        other = paired(MOST - uniform, MOST - uniform)
        below, ties = ANYWHERE.compared(REST, other, EVERY)
        assert below == 0 and not ANYWHERE.tied(U32(ties))
        assert at_once(REST, other, EVERY)[0] == 0 and 0 not in halves(at_once(REST, other, EVERY)[1])


def test_ties_are_remembered() -> None:
    tie, none = paired(entry(7), entry(9)), paired(entry(100), entry(200))
    other = paired(MOST - 7, MOST - 7)
    _, ties = ANYWHERE.compared(tie, other, EVERY)
    _, ties = ANYWHERE.compared(none, other, U32(ties))
    assert ANYWHERE.tied(U32(ties))
    _, least = at_once(none, other, at_once(tie, other, EVERY)[1])
    assert 0 in halves(least)


def test_words_and_moves() -> None:
    words = U32(0x8001FFFE)
    assert halves(U32(opposite(words))) == (MOST - (0xFFFE >> 1), MOST - (0x8001 >> 1))
    assert U32(ANYWHERE.high(words)) == 0x80018001 and U32(ANYWHERE.low(words)) == 0xFFFEFFFE
    for first, second in ((16, -8), (-127, 127), (-4, -4)):
        moves = U32((first & 0xFF) | (second & 0xFF) << 8)
        for low, high in product((0, 1), (0, 1)):
            there = ANYWHERE.moved(U32(5000), paired(low, high), moves)
            assert U32(there) == 5000 + low * first + high * second
    assert int(ONES) == 0x00010001
