"""Following walkers one by one: step by step (the paths method) or from one recorded time to the next (the jump method).

What a walker does depends on its number and the seed alone, so a run is a sum over ranges of walkers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..kernels.alias import REST
from ..kernels.backend import DigitsProgram, JumpProgram, Keys, Levels, Machine, Start, TableProgram, Walkers
from ..kernels.philox import key
from ..kernels.step import BITS, PLANES
from ..model.coefficient import Floats
from ..model.start import MASS_BITS
from ..tables.step_law import StepLaw
from ..tables.table import FULL, StepTable
from ..tables.window import start_index
from .host import Host
from .record import FUNCTIONALS, Batch, FirstPassage, LastVisit, Record, Recorded, TimePositive

BATCH = 1 << 19  # walkers that a thread has in memory at a time


def planes(table: StepTable) -> int:
    """Binary digits that decide a step of a walk with constant probabilities on the whole line; 0 for any other walk.

    The walk alone decides between the two families of streams, so what is asked of a run does not change its paths.
    """
    walk, lattice = table.walk, table.lattice
    unbounded = lattice.first is None and lattice.last is None
    if not (walk.homogeneous and unbounded) or walk.time_dependent:
        return 0
    right, left, live = (int(v) for v in table.rows(0, 1)[0, :, 2])
    if live != FULL:
        return 0
    digits = BITS - min((n & -n).bit_length() - 1 for n in (right, left, FULL) if n)
    return max(1, min(PLANES, digits))


def level(table: StepTable, x: float) -> int:
    """The index of the site nearest to `x`."""
    index = round((x - table.lattice.origin) / table.lattice.dx) - table.first + 1
    if table.wrap:
        return (index - 1) % table.wrap + 1
    return -1 if index < 0 else table.sites + 3 if index > table.sites + 1 else index  # outside: below or above all


class Stride(Protocol):
    """Takes walkers from one recorded time to the next."""

    def __call__(self, machine: Machine, walkers: Walkers, row: int, start: int, stop: int, keys: Keys) -> None: ...


def follow(
    table: StepTable,
    walkers: range,
    steps: Sequence[int],
    seed: int,
    records: Sequence[Record],
    stride: Stride,
    backend: Machine | None = None,
) -> Iterator[tuple[range, NDArray[np.int64], list[Recorded]]]:
    """Run the walkers in batches: yields (walkers done, counts (times, sites + 3), records) of one batch after another."""
    size = max(1 << 14, min(BATCH, (1 << 31) // max(1, steps[-1])))  # a batch takes seconds: interrupting loses a few
    where = backend or Host()
    keys, begin = key(seed), Start(*start_index(table))
    width = 4 + len(records)  # a site, where it began, the passage, the maximum, and at most one functional a record

    def work(batch: range) -> tuple[NDArray[np.int64], list[Recorded]]:
        return _batch(table, batch, begin, steps, keys, records, stride, where)

    for batch, (counts, results) in where.batches(walkers, size, steps[-1], width, work):
        yield batch, counts, results


@dataclass(frozen=True)
class StepByStep:
    """Every step of every walker: the paths method."""

    table: StepTable

    def __call__(self, machine: Machine, walkers: Walkers, row: int, start: int, stop: int, keys: Keys) -> None:
        table, digits = self.table, planes(self.table)
        if digits:
            right, left, _ = (int(v) for v in table.rows(0, 1)[0, :, 2])
            machine.advance(walkers, DigitsProgram(digits, right, left), start, stop, keys)
            return
        layout = (table.low, table.high, table.wrap, table.sites + 2)
        for begin, end, thresholds in table.chunks(start, stop):
            machine.advance(walkers, TableProgram(thresholds, layout), begin, end, keys)


class Jumps:
    """Draws from the exact law of the displacement between recorded times: the jump method, for constant walks on a line.

    The law is quantised to whole numbers of 2⁻⁵³ and drawn through an alias table (A. J. Walker, 1977) of 2^bits cells, in
    integers throughout, so that what is drawn is the quantised law exactly; it differs from the law of the walk by a total
    variation below cells × 2⁻⁵³.
    """

    def __init__(self, table: StepTable, steps: Sequence[int]) -> None:
        right, left, live = (int(v) / FULL for v in table.rows(0, 1)[0, :, 2])
        law = StepLaw(-1, (left - right, live - left, right))
        self._tables = {
            n: _alias(*law.power(n)) for n in {b - a for a, b in zip([0, *steps], steps, strict=False)} if n
        }

    def __call__(self, machine: Machine, walkers: Walkers, row: int, start: int, stop: int, keys: Keys) -> None:
        if stop > start:
            machine.advance(walkers, JumpProgram(row, *self._tables[stop - start]), start, stop, keys)


def _alias(first: int, pmf: Floats) -> tuple[int, int, NDArray[np.uint64], NDArray[np.uint32]]:
    """(first value, bits, cells, rests), the table of :mod:`randwalk.kernels.alias` for a law in whole numbers of 2⁻⁵³."""
    whole = np.rint(pmf / pmf.sum() * 2.0**MASS_BITS).astype(np.int64)
    whole[np.argmax(whole)] += 2**MASS_BITS - int(whole.sum())
    kept = np.flatnonzero(whole)
    first, whole = first + int(kept[0]), whole[kept[0] : kept[-1] + 1]
    bits = max(1, (whole.size - 1).bit_length())
    capacity = 1 << (MASS_BITS - bits)
    cut = np.zeros(1 << bits, dtype=np.int64)
    cut[: whole.size] = whole
    alias = np.arange(cut.size, dtype=np.int64)
    poor, rich = [int(i) for i in np.flatnonzero(cut < capacity)], [int(i) for i in np.flatnonzero(cut > capacity)]
    while poor:
        low, high = poor.pop(), rich[-1] if rich else -1
        if high < 0:
            break
        alias[low] = high
        cut[high] -= capacity - cut[low]
        if cut[high] <= capacity:
            rich.pop()
            if cut[high] < capacity:
                poor.append(high)
    cuts, rests = (cut >> REST).astype(np.uint64), (cut & ((1 << REST) - 1)).astype(np.uint32)
    return first, bits, cuts << np.uint64(32) | alias.astype(np.uint64), rests


@dataclass(frozen=True)
class _Functionals:
    """The row of a walker's state: passage step, maximum, then last visits and positive times of their levels."""

    visits: list[LastVisit]
    positives: list[TimePositive]
    levels: Levels

    @classmethod
    def of(cls, table: StepTable, records: Sequence[Record]) -> _Functionals:
        visits = [r for r in records if isinstance(r, LastVisit)]
        positives = [r for r in records if isinstance(r, TimePositive)]
        levels = tuple(np.array([level(table, r.x) for r in kind], dtype=np.int32) for kind in (visits, positives))
        return cls(visits, positives, Levels(*levels))


def _batch(
    table: StepTable,
    batch: range,
    begin: Start,
    steps: Sequence[int],
    keys: Keys,
    records: Sequence[Record],
    stride: Stride,
    backend: Machine,
) -> tuple[NDArray[np.int64], list[Recorded]]:
    site = backend.place(batch, begin, keys)
    begun = backend.copy(site) if records else site
    functionals = _Functionals.of(table, records)
    state = backend.begin(site, functionals.levels) if any(isinstance(r, FUNCTIONALS) for r in records) else None
    leaving = all(isinstance(r, FirstPassage) for r in records if isinstance(r, FUNCTIONALS))
    walkers = Walkers(batch.start, site, state, functionals.levels, leaving)
    outer = table.sites + 2
    counts = np.zeros((len(steps), outer + 1), dtype=np.int64)
    results = [record.empty(table, len(batch), steps) for record in records]
    done = 0
    for row, target in enumerate(steps):
        stride(backend, walkers, row, done, target, keys)
        done = target
        counts[row] = backend.histogram(site, outer + 1)
        if records:
            columns = [None, None] if state is None else backend.columns(state)
            now = Batch(
                table, backend, site, begun, columns[0], columns[1],
                dict(zip(functionals.visits, columns[2:], strict=False)),
                dict(zip(functionals.positives, columns[2 + len(functionals.visits) :], strict=False)),
                None if planes(table) else (1, table.sites),
            )  # fmt: skip
            for record, result in zip(records, results, strict=True):
                record.add(result, row, now)
    return counts, results
