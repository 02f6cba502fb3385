"""Every kernel compiled to PTX without a GPU and without a driver."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..backend import JumpProgram, Levels, Walkers
from ..ito import State
from ..program import DigitsProgram, Halves, TableProgram
from . import digits, occupation, table, walkers
from .compile import Kernel, cuda, plain_arithmetic, replaced

# (what is recorded, whether something is known of each cell, whether paths are followed)
WAYS = ("ends", False, False), ("paths", False, True), ("paths and cells", True, True)


def compile_all(capability: tuple[int, int]) -> Iterator[tuple[str, str]]:
    """Every kernel as PTX for a compute capability: (name, PTX)."""
    for name, kernel, arguments in _signatures(import_module("numba.cuda.types")):
        yield name, compile_one(kernel, arguments, capability)


def compile_one(kernel: Kernel, arguments: tuple[Any, ...], capability: tuple[int, int]) -> str:
    """A kernel for these types of arguments as PTX."""
    dispatcher, types = import_module("numba.cuda.dispatcher"), import_module("numba.cuda.types")
    device = SimpleNamespace(compute_capability=capability)
    with replaced(dispatcher, "get_current_device", lambda: device), plain_arithmetic():
        ptx: str = cuda.compile_ptx(kernel.function, types.void(*arguments), cc=capability)[0]
    return ptx


def ito_types(numbers: int) -> tuple[Any, ...]:
    """The types of the arguments of a kernel of :mod:`randwalk.kernels.cuda.ito` whose program has so many numbers."""
    types = import_module("numba.cuda.types")
    floats, i64 = types.float64[::1], types.int64
    state = types.BaseTuple.from_types((types.float64[:, ::1], types.int32[::1], floats, floats, floats), State)
    parameters = types.Tuple((*[types.float64] * numbers, floats))
    return state, i64, i64, i64, types.float64, parameters, types.UniTuple(types.uint64, 2)


def _signatures(types: Any) -> Iterator[tuple[str, Kernel, tuple[Any, ...]]]:
    """(name, kernel, types of its arguments)."""

    def fields(of: Any, *kinds: Any) -> Any:
        return types.BaseTuple.from_types(kinds, of)

    i64, flag, keys = types.int64, types.boolean, types.UniTuple(types.uint64, 2)
    sites, longs, words = types.int32[::1], types.int64[::1], types.uint64[::1]
    state, gone, ways = types.int32[:, ::1], types.int64[:, ::1], types.uint8[::1]
    thresholds, lives = types.uint32[:, :, ::1], types.uint32[:, ::1]
    levels = fields(Levels, sites, sites, types.uint8[:, ::1], state, state, lives)
    told = types.Tuple((sites, sites, types.none))
    every = types.Tuple((sites, sites, types.Tuple((types.uint8[:, ::1], state, state, lives))))
    batch, everything = (fields(Walkers, i64, sites, state, kept, flag, sites) for kept in (told, every))
    moves = types.UniTuple(i64, 2)
    digits_program = fields(DigitsProgram, moves, moves, i64)
    program = fields(TableProgram, moves, thresholds, sites, sites, ways, flag, flag)
    halves, span = fields(Halves, thresholds, lives, moves, flag), types.UniTuple(i64, 3)
    yield "place", walkers.place, (sites, i64, i64, sites, longs, keys)
    yield "toss", digits.toss, (batch, digits_program, span, keys)
    for name, kept, followed in WAYS:
        given = everything if kept else batch
        yield f"digits, {name}", digits.walk_digits(2, followed), (given, digits_program, span, keys)
        for capacity in (0, *table.CAPACITIES):
            kernel = table.walk_table(capacity, 1, np.uint32, followed)
            yield f"table[{capacity}], {name}", kernel, (given, program, halves, span, keys)
    jump = fields(JumpProgram, i64, i64, i64, words, types.uint32[::1], i64)
    yield "jump", walkers.jump, (sites, i64, jump, keys)
    yield "begin", walkers.begin, (state, sites, levels)
    yield "count", walkers.count, (longs, flag, sites, sites, ways, types.UniTuple(i64, 4))
    tiles = types.Tuple((state, types.boolean[:, ::1], longs))
    yield "occupy", occupation.occupy_tiles, (longs, longs, tiles, program, words, span, gone, keys)
