"""Named tuples that kernels take by one pointer: what they read and write there against NumPy."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from numba.core.errors import TypingError

from randwalk.jit.bundle import Bundle
from randwalk.jit.compile import device, kernel


class Room(NamedTuple):
    x: Any
    count: Any
    words: Any


def room(columns: int) -> Room:
    x = np.arange(3.0 * columns).reshape(3, columns)
    return Room(x, np.arange(columns, dtype=np.int32), (np.full(2, 2**63, np.uint64), np.full(5, 7, np.uint64)))


@device
def moved(room, j):  # type: ignore[no-untyped-def]
    room.x[2, j] = room.x[0, j] * room.x[1, j]


@kernel
def run(room, told):  # type: ignore[no-untyped-def]
    first, second = room.words
    told[0], told[1], told[2], told[3] = room.x.shape[0], room.x.shape[1], room.count.size, second.size
    told[4], told[5] = first[1] >> np.uint64(60), second[4]
    for j in range(room.count.size):
        room.count[j] *= 2
        moved(room, j)


@kernel
def astray(room):  # type: ignore[no-untyped-def]
    return room.y


@pytest.mark.parametrize("columns", [1, 4])
def test_kernels_read_and_write_the_arrays(columns: int) -> None:
    """Of one number, of several rows, inside a tuple, of 32 and of 64 bits."""
    given, told = room(columns), np.zeros(6, np.int64)
    run(Bundle(given), told)
    assert told.tolist() == [3, columns, columns, 5, 8, 7]
    fresh = room(columns)
    np.testing.assert_array_equal(given.count, 2 * fresh.count)
    np.testing.assert_array_equal(given.x, [fresh.x[0], fresh.x[1], fresh.x[0] * fresh.x[1]])


def test_the_type_tells_those_of_the_arrays_and_not_their_sizes() -> None:
    def kind(given: Room) -> Any:
        return Bundle(given)._numba_type_

    assert kind(room(1)) == kind(room(4))
    assert kind(room(1)) != kind(room(1)._replace(count=np.zeros(1, np.int64)))
    assert kind(room(1)) != kind(room(1)._replace(x=np.zeros((3, 2))[:, :1]))  # not contiguous by rows


def test_a_field_that_is_not_there() -> None:
    with pytest.raises(TypingError, match="y"):
        astray(Bundle(room(1)))
