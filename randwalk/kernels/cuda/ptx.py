"""Every kernel compiled to PTX without a GPU and without a driver."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from ..backend import JumpProgram, Levels, Walkers
from ..program import DigitsProgram, TableProgram
from . import counting, digits, measure, occupation, table, walkers
from .compile import Kernel, cuda, plain_arithmetic, replaced


def compile_all(capability: tuple[int, int]) -> Iterator[tuple[str, str]]:
    """Every kernel as PTX for a compute capability: (name, PTX)."""
    dispatcher, types = import_module("numba.cuda.dispatcher"), import_module("numba.cuda.types")
    device = SimpleNamespace(compute_capability=capability)
    for name, kernel, arguments in _signatures(types):
        with replaced(dispatcher, "get_current_device", lambda: device), plain_arithmetic():
            yield name, cuda.compile_ptx(kernel.function, types.void(*arguments), cc=capability)[0]


def _signatures(types: Any) -> Iterator[tuple[str, Kernel, tuple[Any, ...]]]:
    """(name, kernel, types of its arguments)."""

    def fields(of: Any, *kinds: Any) -> Any:
        return types.BaseTuple.from_types(kinds, of)

    i64, flag = types.int64, types.boolean
    sites, longs, words = types.int32[::1], types.int64[::1], types.uint64[::1]
    state, gone, half = types.int32[:, ::1], types.int64[:, ::1], types.uint32[:, ::1]
    thresholds, pair, bytes_ = types.uint32[:, :, ::1], types.UniTuple(i64, 2), types.uint8[::1]
    keys = types.UniTuple(types.uint64, 2)
    batch = fields(Walkers, i64, sites, state, fields(Levels, sites, sites), flag)
    digit_program = fields(DigitsProgram, pair, pair, i64)
    device_table = fields(table.DeviceTable, pair, pair, thresholds, half, thresholds, sites, sites, bytes_)
    yield "place", walkers.place, (sites, i64, sites, longs, keys)
    yield "toss", digits.toss, (batch, digit_program, i64, i64, keys)
    yield "walk_digits", digits.walk_digits, (batch, digit_program, i64, i64, keys)
    yield "follow_digits", digits.follow_digits, (batch, digit_program, i64, i64, keys)
    yield "halve", table.halve, (thresholds, half, thresholds)
    for capacity in (0, *table.CAPACITIES):
        for name, followed in (("walk_table", False), ("follow_table", True)):
            yield f"{name}[{capacity}]", table.walk_table(capacity, followed), (batch, device_table, i64, i64, keys)
    jump = fields(JumpProgram, i64, i64, i64, words, types.uint32[::1])
    yield "jump", walkers.jump, (sites, i64, jump, keys)
    yield "begin", walkers.begin, (state, sites, sites)
    yield "histogram", counting._histogram, (longs, flag, sites, sites, types.UniTuple(i64, 4))
    yield "passages", counting._passages, (longs, flag, sites, sites, bytes_)
    table_program = fields(TableProgram, pair, thresholds, sites, sites, bytes_, flag, flag)
    piece = types.Tuple((types.int32[:, ::1], types.uint8[:, ::1], words))
    yield "mix_blocks", measure.mix_blocks, (words, i64, keys)
    yield "occupy", occupation._occupy, (longs, longs, gone, types.UniTuple(i64, 3), table_program, piece, keys)
