"""The host's processor as a machine: threads take batches of walkers, or pieces of the lattice."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from math import isqrt
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..jit.pools import Pool, threads
from ..kernels import constant, cpu
from ..kernels import occupation as counted
from ..kernels.cpu import BLOCK
from ..kernels.ito import State
from ..kernels.program import (
    DigitsProgram,
    JumpProgram,
    Keys,
    Levels,
    Program,
    Start,
    TableProgram,
    Walkers,
)
from ..model.coefficient import Floats
from ..tables.ito_program import ItoProgram
from ..tables.layout import Layout
from ..tables.sphere_program import SphereProgram
from .pieces import COUPLED, SOON, finished, pieces

ALONE = 1 << 20  # walker-steps that one thread does sooner than several can start
PIECE, THIN = 256, 4  # sites, and rows of them, from which a thread is worth its start
CALL = 1 << 12  # sites whose step takes as long as to begin with a piece, besides a quarter of a step of its own
BY_DIGITS = 64  # steps by digits that take no longer than a look-up
OCCUPIED, FOLLOWED = 32, 16  # walkers of which no path is followed that take as long as a site, and as one that is

SPREAD = (
    1 << 15
)  # cells of a table, more than the second-level cache holds, from which on near walkers are advanced together
STRIP, WANDERED = 32, 1 << 10  # cells across a strip in which walkers are near; steps after which they no longer are

NOTHING = np.empty(0, dtype=np.int32)
EVERYWHERE = (-(2**31), 2**31 - 1)

T = TypeVar("T")


def _along_strips(site: NDArray[np.int32], places: NDArray[np.int32], program: TableProgram) -> NDArray[np.int32]:
    """The places of walkers in the order of their cells along strips of the first axis, so that those that are advanced together
    look up the same part of the table. Where they go does not depend on it."""
    here, across = site[places].astype(np.int64), max(map(abs, program.offsets))
    return places[np.argsort(here // (STRIP * across) * across + here % across)]


def _by_digits(walkers: Walkers, program: DigitsProgram, start: int, stop: int, keys: Keys) -> None:
    first, site, state, levels, _, _ = walkers
    if state is None:
        constant.walk_constant(site, first, program, start, stop, keys)  # type: ignore[no-untyped-call]
    else:
        constant.follow_constant(site, state, first, program, levels.told, start, stop, keys)


def _by_jump(walkers: Walkers, program: JumpProgram, start: int, stop: int, keys: Keys) -> None:
    interval, *table, axis = program
    cpu.jump(walkers.site, walkers.first, interval, axis, tuple(table), keys)


@dataclass(frozen=True)
class Host:
    """The processor this runs on, and a number of threads of it."""

    threads: int = 1
    stopped: Callable[[], bool] = field(default=lambda: False, repr=False, compare=False)
    _left: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)
    late: list[Any] = field(default_factory=list, repr=False, compare=False)
    name, packed = "cpu", np.int64

    def ended(self) -> bool:
        """Whether the run has `stopped`, or nobody asks for further batches of it."""
        return self._left.is_set() or self.stopped()

    def advance(self, walkers: Walkers, program: Program, start: int, stop: int, keys: Keys) -> None:
        if isinstance(program, TableProgram):
            self._by_table(walkers, program, start, stop, keys)
        elif isinstance(program, JumpProgram):  # all steps by one draw
            _by_jump(walkers, program, start, stop, keys)
        else:
            moving = walkers.site.size
            width = moving // BY_DIGITS if walkers.state is None else moving if walkers.leaving else FOLLOWED * moving
            for begin, end in pieces(start, stop, width, self.ended):
                _by_digits(walkers, program, begin, end, keys)

    def _by_table(self, walkers: Walkers, program: TableProgram, start: int, stop: int, keys: Keys) -> None:
        """Of a large table, walkers on near cells are put together, again and again."""
        first, site, state, levels, leaving, places = walkers
        who = np.arange(site.size, dtype=np.int32) if places is None else places
        quick, constant_rows = state is None or leaving, len(program.thresholds) == 1
        told = cpu.told_of(program) if quick and constant_rows else None
        near = start if program.exit_of.size > SPREAD and stop - start >= STRIP else stop
        for begin, end in pieces(start, stop, who.size * (1 if quick else FOLLOWED), self.ended):
            rows = program.thresholds if constant_rows else program.thresholds[begin - start : end - start]
            now = program._replace(thresholds=rows)
            if begin >= near:
                who, near = _along_strips(site, who, program), begin + WANDERED
            if quick:
                cpu.walk_table(site, NOTHING if state is None else state[0], (first, who), now, begin, end, keys, told)
            else:
                cpu.follow_table(site, state, (first, who), now, levels.told, begin, end, keys)

    def move(
        self, program: ItoProgram, state: State, first: int, start: int, stop: int, dt: float, keys: Keys,
        pairs: int = 1,
    ) -> None:  # fmt: skip
        for begin, end in pieces(start, stop, pairs * COUPLED * state.x.size, self.ended):
            program.advance(state, first, begin, end, dt, keys, pairs)

    def spheres(
        self, program: SphereProgram, walkers: range, start: Sequence[float], epsilon: float, most: int, keys: Keys
    ) -> Floats:
        return program.walked(program.module.walk, walkers, start, (epsilon, most), keys)

    def occupy(
        self, counts: NDArray[np.int64], program: TableProgram, layout: Layout, start: int, stop: int,
        gone: NDArray[np.int64], keys: Keys,
    ) -> None:  # fmt: skip
        """Pieces of the lattice on threads, some steps together; each piece steps as many sites beyond its ends, too."""
        length, ring = layout.shape[0], layout.periodic[0]
        farthest, address = max(map(abs, program.offsets)), layout.address
        parts = max(1, min(self.threads, layout.sites // PIECE, length // THIN))
        # The more steps together, the more rows beyond the ends are stepped, and the less often pieces begin: the least of both.
        best = isqrt(length // (2 * parts) + 2 * CALL * length // layout.sites)
        together = stop - start if parts == 1 and not ring else max(1, best)
        before, after = counts, counts.copy()
        with threads(parts) as pool:
            each = pool.map if parts > 1 else map
            for begin, end in pieces(start, stop, OCCUPIED * length // parts, self.ended, together):
                rows = program.thresholds
                rows = rows if rows.shape[0] == 1 else rows[begin - start : end - start]
                slabs = [layout.slab(own, end - begin, farthest) for own in layout.slabs(parts)]
                left = np.zeros((parts, end - begin, gone.shape[1]), dtype=np.int64)

                def advance(i: int) -> None:
                    now = program._replace(thresholds=rows)  # noqa: B023
                    counted.occupy(before, after, slabs[i], now, address, (begin, end), left[i], keys)  # noqa: B023

                list(each(advance, range(parts)))
                gone[begin - start : end - start] = left.sum(axis=0)
                before, after = after, before
        counts[:] = before

    def batches(
        self, walkers: range, size: int, steps: int, width: int, work: Callable[[range], T], most: int | None = None
    ) -> Iterator[tuple[range, T]]:
        """In order; threads work ahead of what is asked for by a batch each. Where no more is asked for they end; one that
        compiles a kernel then is not waited for."""
        if len(walkers) * steps > ALONE:  # as many for each thread, in whole blocks
            rounds = -(-len(walkers) // (size * self.threads))
            size = -(-len(walkers) // (rounds * self.threads * BLOCK)) * BLOCK
        batches = (range(i, min(i + size, walkers.stop)) for i in range(walkers.start, walkers.stop, size))
        if self.threads == 1 or size >= len(walkers):
            yield from ((batch, work(batch)) for batch in batches)
            return
        pool, jobs = Pool(self.threads), deque[tuple[range, Future[T]]]()
        try:
            for batch in batches:
                jobs.append((batch, pool.submit(work, batch)))
                if len(jobs) > 2 * self.threads:
                    yield jobs[0][0], jobs[0][1].result()
                    jobs.popleft()
            while jobs:
                yield jobs[0][0], jobs[0][1].result()
                jobs.popleft()
        finally:
            self._left.set()  # for what is under way, if anything is
            left = wait([job for _, job in jobs if not job.cancel()], SOON)
            self.late[:] = finished(left.done)
            pool.shutdown(wait=not left.not_done)
            if not left.not_done:
                self._left.clear()

    def place(self, batch: range, start: Sequence[Start], keys: Keys) -> NDArray[np.int32]:
        fixed = sum(int(index[0]) for index, _ in start if index.size == 1)
        site = np.full(len(batch), fixed, dtype=np.int32)
        for axis, (index, masses) in enumerate(start):
            if index.size > 1:
                cpu.place(site, batch.start, axis, index, np.cumsum(masses), keys)
        return site

    def unpack(self, packed: NDArray[Any], bits: int, numbers: NDArray[np.int64]) -> None:
        cpu.unpack(packed, bits, numbers)

    def array(self, values: NDArray[Any]) -> NDArray[Any]:
        return values

    def copy(self, site: NDArray[np.int32]) -> NDArray[np.int32]:
        return site.copy()

    def begin(self, site: NDArray[np.int32], levels: Levels) -> NDArray[np.int32]:
        state = np.zeros((levels.rows, site.size), dtype=np.int32)
        state[1] = site
        state[2 : 2 + levels.visits.size] = np.where(site == levels.visits[:, None], 0, -1)
        if levels.heights.size:
            first = levels.rows - (levels.seen.size > 0) - len(levels.rings) - len(levels.heights)
            state[first : first + len(levels.heights)] = levels.heights[:, site]
        if levels.seen.size:
            state[-1] = 1
        return state

    def columns(self, state: NDArray[np.int32]) -> Sequence[NDArray[np.int32]]:
        return list(state)

    def histogram(
        self,
        values: NDArray[np.int32],
        size: int,
        shift: int = 0,
        minus: NDArray[np.int32] | None = None,
        live: tuple[int, int] | None = None,
    ) -> NDArray[np.int64]:
        counts, values = np.zeros(size, dtype=np.int64), np.ascontiguousarray(values)
        if minus is None and live is None:
            cpu.count(values, shift, counts)
        else:
            nothing = np.zeros_like(values) if minus is None else minus
            cpu.count_differences(values, nothing, shift, *(live or EVERYWHERE), counts)
        return counts

    def passages(
        self, site: NDArray[np.int32], passage: NDArray[np.int32], steps: int, exit_of: NDArray[np.uint8]
    ) -> NDArray[np.int64]:
        counts = np.zeros((steps + 1, int(exit_of[-1]) + 1), dtype=np.int64)
        cpu.count_passages(site, passage, exit_of, counts)
        return counts

    def host(self, site: NDArray[np.int32]) -> NDArray[np.int32]:
        return site


HERE = Host()  # one thread of the processor
