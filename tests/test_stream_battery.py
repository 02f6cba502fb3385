"""The battery of the stream: words as walks use them pass, and streams that are wrong in one way fail."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.stream import BATTERY, TESTS, Words, battery, stream, table, words
from randwalk.kernels.philox import STEPS, key

from .naive import philox

N = 2**18


def test_words_are_those_of_philox_written_out() -> None:
    (first, second), made = key(9), words((np.array([5, 6]), 1, 3, STEPS), key(9)).reshape(-1, 4)
    for walker, block in zip((5, 6), made, strict=True):
        assert block.tolist() == list(philox((walker, 1, 3, int(STEPS)), (int(first), int(second))))
    assert np.frombuffer(next(stream(1)), dtype=np.uint32)[:4].tolist() == words((0, 0, 0, STEPS), key(1)).tolist()
    assert all(isinstance(number, int) for number in TESTS)


def test_every_order_passes() -> None:
    """By seed; 70 p-values, Holm's correction at 1e-3."""
    found = battery(40_000, seed=2)
    assert len(found) == 10 and "(passed)" in table(found)


def repeated(sample: Words) -> Words:
    """Two walkers of three draw the same."""
    return np.repeat(sample[: N // 2], 2)


def heavy(sample: Words) -> Words:
    """The lowest bit of a word is 1 in half of the cases more."""
    return sample | (sample >> np.uint32(7) & np.uint32(1))


WRONG: list[tuple[str, Callable[[Words], Words]]] = [
    ("their dependence", repeated), ("birthday spacings", repeated), ("monobit", heavy), ("each bit", heavy), ("serial", heavy),
    ("runs", lambda sample: (sample & np.uint32(0xFEFEFEFE)) | (sample >> np.uint32(1)) & np.uint32(0x01010101)),
    ("Hamming weights", lambda sample: np.where(np.arange(N) % 50 == 0, np.uint32(0x0F0F0F0F), sample)),
]  # fmt: skip


@pytest.mark.parametrize(("test", "wrong"), WRONG)
def test_a_wrong_stream_fails(test: str, wrong: Callable[[Words], Words]) -> None:
    sample = words((np.arange(N // 4), 0, 0, STEPS), key(3))
    assert BATTERY[test](sample) > 1e-4
    assert BATTERY[test](wrong(sample).astype(np.uint32)) < 1e-9
