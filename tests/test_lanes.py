"""Lanes: what is done to many walkers at once is what is done to each of them, against NumPy and plain Python numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray

from randwalk.jit import packed, vector
from randwalk.jit.lanes import (
    LANES,
    REALS,
    TARGET,
    WIDTH,
    alike,
    fetch,
    fetch_apart,
    fetch_cells,
    fetch_masses,
    keep,
    numbers,
)
from randwalk.jit.reals import bits as bits_of
from randwalk.jit.reals import digits, fetch_reals, fraction_of, negative, signed_real_of, small_real_of
from randwalk.jit.vector import append, look_up, look_up_pairs, ones, where, which
from randwalk.kernels import bits, constant
from randwalk.kernels.constant import ROOM
from randwalk.kernels.philox import U, _four_words, _two_words, keep_words, turned64

from . import naive

RNG = np.random.default_rng(1)
WORDS = RNG.integers(0, 2**64, (2, LANES), dtype=np.uint64, endpoint=False)


@pytest.mark.parametrize(
    "operation",
    [operator.add, operator.sub, operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift],
    ids=lambda operation: operation.__name__,
)
def test_operations_on_lanes_and_numbers(operation: Callable[[Any, Any], Any]) -> None:
    @njit
    def run(a: Any, b: Any, number: Any, out: Any) -> None:
        keep(operation(fetch(a, 0), fetch(b, 0)), out[0], 0)
        keep(operation(fetch(a, 0), number), out[1], 0)
        keep(operation(number, fetch(b, 0)), out[2], 0)

    a, b, number = WORDS[0], WORDS[1], np.uint64(37)
    if operation in (operator.lshift, operator.rshift):
        b = b % np.uint64(64)
    out = np.zeros((3, LANES), dtype=np.uint64)
    run(a, b, number, out)
    assert np.array_equal(out, [operation(a, b), operation(a, number), operation(number, b)])


def test_not_numbers_and_counts_of_ones() -> None:
    @njit
    def run(a: Any, first: Any, out: Any) -> None:
        keep(~fetch(a, 0), out[0], 0)
        keep(numbers(first), out[1], 0)
        keep(ones(fetch(a, 0)), out[2], 0)
        keep(alike(first), out[3], 0)

    out, first = np.zeros((4, LANES), dtype=np.uint64), 2**64 - 5
    run(WORDS[0], np.uint64(first), out)
    assert np.array_equal(out[0], ~WORDS[0])
    assert out[1].tolist() == [(first + i) % 2**64 for i in range(LANES)]
    assert out[2].tolist() == [int(word).bit_count() for word in WORDS[0]]
    assert out[3].tolist() == [first] * LANES


@pytest.mark.parametrize("kind", [np.uint16, np.uint32, np.int32, np.uint64])
def test_a_place_in_an_array_and_no_other(kind: type) -> None:
    """What is kept are the low bits; what is fetched has no others."""

    @njit
    def run(source: Any, target: Any, offset: Any) -> None:
        keep(fetch(source, offset + 1), target, offset)

    source: NDArray[Any] = RNG.integers(0, 2**15, LANES + 5).astype(kind)
    target: NDArray[Any] = np.full(LANES + 5, 7, dtype=kind)
    run(source, target, 3)
    assert target[:3].tolist() == [7] * 3 and target[LANES + 3 :].tolist() == [7] * 2
    assert np.array_equal(target[3 : LANES + 3], source[4 : LANES + 4])

    @njit
    def cut(source: Any, target: Any) -> None:
        keep(fetch(source, 0), target, 0)

    cut(WORDS[0], target)
    assert np.array_equal(target[:LANES], WORDS[0].astype(kind))


@pytest.mark.parametrize("target", [TARGET, "", "+vaes"], ids=["this processor", "any", "packed"])
def test_random_blocks_of_lanes_are_those_of_each(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Walkers on both sides of 2^32; with the instructions of this processor, with those that all have, and packed."""
    monkeypatch.setattr(vector, "TARGET", target)
    monkeypatch.setattr(packed, "RECENT_AVX2", "+vaes" in target and "+avx512f" not in target)

    @njit
    def run(low: Any, high: Any, number: Any, purpose: Any, k0: Any, k1: Any, out: Any) -> None:
        first, second = _two_words(fetch(low, 0), fetch(high, 0), number, purpose, k0, k1)
        keep(first, out[0], 0)
        keep(second, out[1], 0)

    walkers = [2**32 - 3 + i for i in range(LANES)]
    low = np.array([w % naive.WORD for w in walkers], dtype=np.uint64)
    high = np.array([w // naive.WORD for w in walkers], dtype=np.uint64)
    k0, k1 = naive.key(5)
    out = np.zeros((2, LANES), dtype=np.uint64)
    run(low, high, U(11), U(naive.STEPS), U(k0), U(k1), out)
    blocks = [naive.block(w, 11, naive.STEPS, seed=5) for w in walkers]
    assert out[0].tolist() == [y[0] + naive.WORD * y[1] for y in blocks]
    assert out[1].tolist() == [y[2] + naive.WORD * y[3] for y in blocks]


@pytest.mark.parametrize("target", ["", "+vaes"], ids=["any", "packed"])
def test_other_words_of_a_counter_are_lanes(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the block and of its purpose; four words, and two with their halves exchanged."""
    monkeypatch.setattr(vector, "TARGET", target)
    monkeypatch.setattr(packed, "RECENT_AVX2", "+vaes" in target and "+avx512f" not in target)

    @njit
    def run(a: Any, b: Any, c: Any, d: Any, k0: Any, k1: Any, out: Any) -> None:
        words = _four_words(a, b, fetch(c, 0), fetch(d, 0), k0, k1)
        for i in range(4):
            keep(words[i], out[i], 0)
        turned = turned64(a, b, fetch(c, 0), fetch(d, 0), k0, k1)
        for i in range(2):
            keep(turned[i], out[4 + i], 0)

    (a, b), k, (c, d) = (5, 2**32 - 1), naive.key(6), RNG.integers(0, 2**32, (2, LANES), dtype=np.uint64)
    out = np.zeros((6, LANES), dtype=np.uint64)
    run(U(a), U(b), c, d, U(k[0]), U(k[1]), out)
    blocks = [naive.philox((a, b, int(number), int(purpose)), k) for number, purpose in zip(c, d, strict=True)]
    assert (out[:4].T % 2**32).tolist() == [list(block) for block in blocks]
    assert out[4].tolist() == [y[1] + naive.WORD * y[0] for y in blocks]
    assert out[5].tolist() == [y[3] + naive.WORD * y[2] for y in blocks]


def test_words_of_blocks_are_stored_in_the_order_of_walkers() -> None:
    """Two walkers are fetched at once, and words of two stored at once: those in even places first, from any place."""

    @njit
    def run(who: Any, first: Any, number: Any, purpose: Any, k0: Any, k1: Any, out: Any) -> None:
        keep_words(out, 2, fetch_apart(who, 1) + first, number, purpose, k0, k1)

    who, first, k = RNG.permutation(LANES + 1).astype(np.int32), 2**32 - 5, naive.key(9)
    out = np.full((4, LANES + 3), 7, dtype=np.uint32)
    run(who, U(first), U(3), U(naive.STEPS), U(k[0]), U(k[1]), out)
    blocks = [naive.block(first + int(w), 3, naive.STEPS, seed=9) for w in who[1:]]
    assert out[:, 2 : LANES + 2].T.tolist() == [list(block) for block in blocks]
    assert (out[:, :2] == 7).all() and (out[:, LANES + 2 :] == 7).all()


def test_two_digits_at_once_are_compared_as_numbers() -> None:
    """Each bit by itself: whether the two random digits are above those of the threshold, or tie and the lower digits decide."""
    for t, low, high, above in product(range(4), (0, 1), (0, 1), (0, 1)):
        found = bits.next_digits(*(U(2**64 - bit) if bit else U(0) for bit in (above, 1, low, high)), U(4 * 5 + t))
        more, tie = 2 * high + low > t, 2 * high + low == t
        assert [int(word) for word in found] == [(2**64 - 1) * (more or (tie and above)), (2**64 - 1) * tie]


@pytest.mark.parametrize(
    ("first", "begin", "words", "share"),
    [(0, 0, constant.WORDS, 1.0), (2**32 - LANES, 5, constant.WORDS, 0.9), (2**33 + 7, 3, 2, 1.0)],
)
def test_any_number_of_undecided_steps_is_settled(first: int, begin: int, words: int, share: float) -> None:
    """Of a run some are: one in 128. Here nearly all are, so that the list fills up again and again."""

    @njit
    def settle(counts: Any, masks: Any, places: Any, many: Any, begin: Any, rests: Any, keys: Any) -> None:
        lists = np.empty(4 * ROOM, np.uint64), np.empty(4 * ROOM, np.uint64)
        constant._settle(counts, (masks, places), many, begin, rests, lists, keys)

    rests, k, many = [123_456_789 * 2**19 + 987_654, 1_876_543_210 * 2**23 + 123_454_321], naive.key(3), 0
    masks, places = np.zeros(2 * ROOM + LANES, np.uint64), np.zeros(2 * ROOM + LANES, np.uint64)
    counts, expected = np.zeros((2, LANES), np.uint64), np.zeros((2, LANES), dtype=np.int64)
    for row, word, lane in np.ndindex(2, words, LANES):
        undecided = [bit for bit in range(64) if RNG.random() < share]
        masks[many] = sum(1 << bit for bit in undecided)
        places[many] = (row * LANES + lane) * constant.WORDS + word
        many += 1
        for bit in undecided:
            more = naive.block(first + lane, 64 * (begin + word) + (bit ^ 32), naive.TIES, seed=3)
            expected[row, lane] += (more[0] >> 9) * 2**31 + (more[1] >> 1) < rests[row]
    settle(counts.ravel(), masks, places, many, (U(first), begin), np.array(rests, np.uint64), (U(k[0]), U(k[1])))
    assert (expected[0] < expected[1]).all() and expected[0].sum() > 0
    assert counts.tolist() == expected.tolist()


def test_chosen_lanes_are_kept_one_after_another() -> None:
    """None, some and all of them, from any place of an array."""

    @njit
    def run(values: Any, chosen: Any, out: Any, offset: Any) -> Any:
        return append(fetch(values, 0), fetch(chosen, 0), out, offset)

    for share in (0.0, 0.3, 1.0):
        chosen, out = (RNG.random(LANES) < share).astype(np.uint64) << np.uint64(63), np.zeros(2 * LANES, np.uint64)
        wanted = WORDS[0][chosen > 0]
        assert run(WORDS[0], chosen, out, 5) == 5 + wanted.size
        assert np.array_equal(out[5 : 5 + wanted.size], wanted) and not out[:5].any()


@pytest.mark.parametrize("target", [TARGET, ""], ids=["this processor", "any"])
def test_chosen_reals_are_kept_in_rows(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each of a tuple of vectors the same ones, chosen by digits; with the instructions of this processor, and with those
    that all have."""
    monkeypatch.setattr(vector, "TARGET", target)

    @njit
    def run(values: Any, chosen: Any, out: Any, offset: Any) -> Any:
        rows = fetch_reals(values[0], 0), fetch_reals(values[1], 0), fetch_reals(values[2], 0)
        return append(rows, chosen, out, offset)

    values = RNG.random((3, LANES))
    for chosen in (0, 1, int(WORDS[1][0]) % 2**LANES, 1 << (LANES - 1), 2**LANES - 1):
        out, some = np.zeros((3, 2 * LANES)), [i for i in range(LANES) if chosen >> i & 1]
        assert run(values, U(chosen), out, 5) == 5 + len(some)
        assert np.array_equal(out[:, 5 : 5 + len(some)], values[:, some]) and not out[:, :5].any()


def whole_numbers() -> NDArray[np.int64]:
    """Of all magnitudes: about powers of two and their negatives, about halves between two float64, the ends, others."""
    powers = [sign * 2**k + near for sign in (1, -1) for k in range(64) for near in range(-3, 4)]
    halves = [sign * ((2**53 + i) * 2**k + 2 ** (k - 1) + near) for sign in (1, -1) for k in range(1, 10) for i in (0, 1, 5)
              for near in (-1, 0, 1)]  # fmt: skip
    others = [
        int(word) - 2**63 >> int(by) for word in RNG.integers(0, 2**64, 20, dtype=np.uint64) for by in range(0, 64, 5)
    ]
    numbers = [x for x in [*powers, *halves, *others, -(2**63), 2**63 - 1] if -(2**63) <= x < 2**63]
    return np.array(numbers + [0] * (-len(numbers) % LANES), dtype=np.int64)


def test_whole_numbers_become_reals_as_those_of_numpy_do() -> None:
    """Rounded once; the highest 53 bits as a fraction, and what is below 2^52, without rounding."""

    @njit
    def run(values: Any, small: Any, out: Any, below: Any) -> None:
        for i in range(0, values.size, LANES):
            x = fetch(values, i)
            keep(bits_of(signed_real_of(x)), out[0], i)
            keep(bits_of(small_real_of(fetch(small, i))), out[1], i)
            keep(bits_of(fraction_of(x)), out[2], i)
            below[i // LANES] = digits(negative(x))

    values = whole_numbers()
    small, out = values % 2**52, np.full((3, values.size), np.nan)
    below = np.zeros(values.size // LANES, np.uint64)
    run(values, small, out, below)
    assert np.array_equal(out[0], values.astype(float)) and np.array_equal(out[1], small.astype(float))
    assert out[2].tolist() == [(int(x) % 2**64 // 2**11) / 2**53 for x in values]
    assert [int(word) >> i & 1 for word in below for i in range(LANES)] == [int(x < 0) for x in values]


def test_marked_cells_are_kept_one_after_another() -> None:
    """Those below a bound and among the first so many."""

    @njit
    def run(values: Any, bound: Any, order: Any, many: Any, out: Any, offset: Any) -> Any:
        chosen = (fetch_cells(values, 0) < bound) & (fetch_cells(order, 0) < many)
        return append(fetch_cells(values, 0), chosen, out, offset)

    values, order = RNG.integers(0, 2**32, WIDTH).astype(np.uint32), np.arange(WIDTH, dtype=np.uint32)
    for bound, many in ((0, WIDTH), (2**31, WIDTH), (2**31, WIDTH // 3), (2**32 - 1, 1)):
        out = np.zeros(2 * WIDTH, np.uint32)
        wanted = values[(values < bound) & (order < many)]
        assert run(values, np.uint32(bound), order, np.uint32(many), out, 3) == 3 + wanted.size
        assert np.array_equal(out[3 : 3 + wanted.size], wanted) and not out[:3].any()


def test_cells_are_looked_up_compared_and_chosen() -> None:
    """Against NumPy: numbers of 32 bits from any place of a table, and pairs for two moves and for more."""

    @njit
    def run(index: Any, narrow: Any, broad: Any, bound: Any, out: Any, marks: Any) -> None:
        here = fetch_cells(index, 1)
        there = look_up(narrow, 5, here)
        keep(there, out[0], 0)
        low, high, last, _ = look_up_pairs(broad, 5, 10, (0, 0, 0, 0, 0), here)
        keep(last, out[5], 0)
        keep(look_up_pairs(narrow, 2, 7, (0, 0), here)[0], out[6], 0)
        keep(low, out[1], 0)
        keep(high, out[2], 0)
        keep(where(there < bound, low, high), out[3], 0)
        keep((there >> np.uint32(3)) + np.uint32(7), out[4], 0)
        marks[0], marks[1] = which(there < bound), which((there < bound) | (here == np.uint32(2)))

    index = RNG.integers(0, 40, WIDTH + 1).astype(np.int32)
    index[3] = 2
    narrow = RNG.integers(0, 2**32, 50, dtype=np.uint32)
    broad, bound = RNG.integers(0, 2**64, 60, dtype=np.uint64), np.uint32(2**31)
    out, marks = np.zeros((7, WIDTH), np.uint32), np.zeros(2, np.uint64)
    run(index, narrow, broad, bound, out, marks)
    there, whole = narrow[5 + index[1:]], broad[5 + index[1:]]
    low, high = whole % 2**32, whole >> 32
    chosen, last, first = np.where(there < bound, low, high), broad[15 + index[1:]] % 2**32, narrow[2 + index[1:]]
    expected = np.stack([there, low, high, chosen, (there >> 3) + np.uint32(7), last, first])
    assert np.array_equal(out, expected)
    below, other = there < bound, index[1:] == 2
    assert marks.tolist() == [sum(1 << i for i in range(WIDTH) if chosen[i]) for chosen in (below, below | other)]
    assert below.any() and not below.all()


def test_masses_are_rounded_as_numbers_are() -> None:
    """Products and sums are those of NumPy, bit for bit: nothing is fused."""

    @njit
    def run(a: Any, b: Any, factor: Any, out: Any) -> None:
        keep(fetch_masses(a, 3) * fetch_masses(b, 0) + factor * fetch_masses(a, 0), out, 0)

    a, b, out = RNG.random(REALS + 3), RNG.random(REALS), np.zeros(REALS)
    run(a, b, 0.3, out)
    assert out.tolist() == (a[3:] * b + 0.3 * a[:REALS]).tolist()
