"""The random words: Random123's known answers, another implementation, and the plain one in `naive`."""

import numpy as np
import pytest
import randomgen
from numba import njit

from randwalk.kernels import philox as module
from randwalk.kernels.philox import key, philox, words64

from . import naive

U = np.uint64
LOW = 0xFFFFFFFF

# Random123 1.14, tests/kat_vectors, "philox4x32 10": counter, key, output.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


@njit
def blocks(counter, k0, k1):  # type: ignore[no-untyped-def]
    out = np.empty((counter.shape[0], 4), np.uint64)
    for i in range(counter.shape[0]):
        c = counter[i]
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = philox(c[0], c[1], c[2], c[3], k0, k1)
    return out


@njit
def pair(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    return words64(c0, c1, c2, c3, k0, k1)


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def fast(counter: list[int], pair_of_keys: list[int]) -> list[int]:
    out = blocks(np.array([counter], dtype=np.uint64), U(pair_of_keys[0]), U(pair_of_keys[1]))
    return [int(word) & LOW for word in out[0]]


@pytest.mark.parametrize(("counter", "key_words", "output"), KNOWN)
def test_known_answers(counter: str, key_words: str, output: str) -> None:
    c, k = words(counter), words(key_words)
    assert fast(c, k) == words(output)
    assert list(naive.philox((c[0], c[1], c[2], c[3]), (k[0], k[1]))) == words(output)


def test_random_blocks_equal_the_naive_ones() -> None:
    rng = np.random.default_rng(1)
    counters = rng.integers(0, 2**32, (300, 4), dtype=np.uint64)
    k0, k1 = (int(v) for v in rng.integers(0, 2**32, 2))
    got = blocks(counters, U(k0), U(k1)) & U(LOW)
    for counter, output in zip(counters.tolist(), got.tolist(), strict=True):
        assert list(naive.philox(tuple(counter), (k0, k1))) == output


@pytest.mark.parametrize("seed", [0, 1, 2**40 + 7])
def test_blocks_equal_those_of_randomgen(seed: int) -> None:
    """randomgen is another implementation by other authors. It raises its 128-bit counter before each block."""
    k0, k1 = (int(v) for v in key(seed))
    before = 0x0000_0102_0000_0003_0000_0000_FFFF_FFFD  # the carry into the second word is part of the test
    other = randomgen.Philox(counter=before, key=k0 | k1 << 32, number=4, width=32)
    expected = np.array(other.random_raw(40)).reshape(10, 4).tolist()
    got = []
    for i in range(1, 11):
        counter = before + i
        got.append(fast([counter >> shift & LOW for shift in (0, 32, 64, 96)], [k0, k1]))
    assert got == expected


def test_rubbish_above_the_low_half_of_a_counter_word_changes_nothing() -> None:
    """Drivers may leave rubbish in the high halves of the words; the output is that of the low halves."""
    clean, dirty = [5, 6, 7, 8], [5 + (9 << 32), 6 + (8 << 32), 7 + (7 << 32), 8 + (6 << 32)]
    assert fast(dirty, [1, 2]) == fast(clean, [1, 2])


def test_words64_puts_the_first_word_low() -> None:
    first, second = pair(U(1), U(2), U(3), U(4), U(5), U(6))
    y = naive.philox((1, 2, 3, 4), (5, 6))
    assert (int(first), int(second)) == (y[0] + (y[1] << 32), y[2] + (y[3] << 32))


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**63, 2**200])
def test_key_is_that_of_numpys_seed_sequence(seed: int) -> None:
    expected = np.random.SeedSequence(seed).generate_state(2, np.uint32)
    assert [int(v) for v in key(seed)] == expected.tolist()
    child = np.random.SeedSequence(seed).spawn(4)[3].generate_state(2, np.uint32)
    assert [int(v) for v in key(seed, 3)] == child.tolist()


def test_keys_of_small_seeds_differ() -> None:
    assert (
        len({tuple(map(int, key(seed))) for seed in range(1000)} | {tuple(map(int, key(0, i))) for i in range(1000)})
        == 2000
    )


def test_purposes_differ_and_carry_the_version_that_made_them_so() -> None:
    names = ("STEPS", "TIES", "START", "SPLIT", "JUMP", "JUMP_TIES")
    purposes = [int(getattr(module, name)) for name in names]
    assert purposes == [getattr(naive, name) for name in names] and len(set(purposes)) == len(names)
    assert [purpose >> 8 for purpose in purposes] == [1, 1, 1, 1, 2, 2] and module.STREAM_VERSION == 3
