"""Kernels of walks on a step table, a thread a walker.

Of a table there are cuts: the first 15 digits of the thresholds of every cell, two thresholds to a word. Eight steps are
made with those at once; where they do not decide one of the eight, which is rare, all eight are made again with all digits.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...jit.compile import device
from ...jit.cuda.compile import SHARED, THREADS, Kernel, allocate, blocks_for, capability, cuda, in_kernel, on_device
from ...jit.cuda.pairs import DIGITS, EVERY, NEVER, REST, comparison, opposite
from ...jit.cuda.words import base, shared_word_at, word_at
from ..functionals import follow
from ..philox import HALF, LOW, U
from ..program import BITS, Keys, Span, TableProgram, Walkers
from ..step import I32, U32, column, limit, rests
from .stream import drawn, of_block, of_walker


@device
def half_entry(t):  # type: ignore[no-untyped-def]
    """Half an entry of cuts: that of a threshold in units of 2⁻⁶²."""
    return U32(min(t >> (BITS - DIGITS), (1 << DIGITS) - 1) - (1 << DIGITS) + 1) & U32(0xFFFF)


_rests, _follow, _column, _limit = (in_kernel(f) for f in (rests, follow, column, limit))
_half_entry, _base = in_kernel(half_entry), in_kernel(base)
_of_walker, _of_block, _drawn = in_kernel(of_walker), in_kernel(of_block), in_kernel(drawn)
NEAR = 127  # bytes by which a signed one moves a place
WORD = np.dtype(np.uint32)  # in shared memory; the simulator wants an instance
# Of a thread, without and with shared memory: the more walkers wait for a table, the more are needed.
REGISTERS = 48, 64


class Form(NamedTuple):
    """What kernels that walk by cuts are compiled for.

    Attributes
    ----------
    pairs
        Words of thresholds to a cell.
    kills
        The number of the threshold from which a step kills; 0 if none does.
    homed
        Whether cells are continued elsewhere; a further word of a cell is the place where.
    near
        Whether each pair moves by two bytes, see :class:`randwalk.jit.cuda.pairs.Comparison`. Else each threshold has a
        number of its own.
    shared
        Whether the table, of one row, fits into shared memory. There every word stands twice, for the even and for the odd
        threads.
    timed
        Whether the steps of leaving are kept.
    capability
        Of the device.
    """

    pairs: int
    kills: int
    homed: bool
    near: bool
    shared: bool
    timed: bool
    capability: tuple[int, int]

    @property
    def unit(self) -> int:
        """Bytes from a word of a cell to the next."""
        return 8 if self.shared else 4

    @property
    def cell(self) -> int:
        """Bytes of a cell."""
        return self.unit * (self.pairs + self.homed)


class Cuts(NamedTuple):
    """A table as nearly every step reads it: the words of every row and cell, the bytes of a row (0 if there is one for all
    steps), and by how many bytes the pairs, or their thresholds, move a place."""

    words: Any
    row: Any
    moves: Any


@Kernel
def cut(words, program, pairs, cell):  # type: ignore[no-untyped-def]
    """The words of cuts: thresholds of the steps, that of being killed if any is, then some below which no uniform is."""
    cells, size, moves = program.exit_of.size, pairs + (program.home.size > 0), len(program.offsets)
    for i in range(cuda.grid(1), words.size // size, cuda.gridsize(1)):
        here, row = i % cells, i // cells
        c, resting = np.int64(_column(here, program)), _rests(here, program)
        for m in range(pairs):
            entry = U32(0)
            for k in range(2 * m, 2 * m + 2):
                half = NEVER
                if k < moves + program.kills:
                    half = U32(_half_entry(np.int64(_limit(program, row, k, c))))
                entry = U32(entry | half << U32(16 * (k - 2 * m)))
            words[i * size + m] = REST if resting else entry
        if program.home.size:
            words[i * size + pairs] = program.home[here] * cell


@cuda.jit(device=True)
def _again(cell, walker, block, span, program, keys):  # type: ignore[no-untyped-def]
    """The steps of a block with all digits: the cell, and above it the number of steps after which it rests there, or 0."""
    (origin, start, stop), first = span, 8 * np.int64(block)
    span = origin, max(first, start), min(first + 8, stop)
    here, left = _follow(I32(cell), walker, span, program, None, keys)
    return U(left) << HALF | U(U32(here))


def _eight(form: Form) -> Any:
    """Eight steps by cuts: (the place after them, whether they have to be made again)."""
    compared, tied, moved, high, low = comparison(form.capability)
    pairs, homed, near, unit, shared, kills = form.pairs, form.homed, form.near, form.unit, form.shared, form.kills > 0
    last, lane, at = form.kills // 2, U32(1 << 16 * (form.kills % 2)), shared_word_at if form.shared else word_at

    def steps(table, place, row, stride, moves, words):  # type: ignore[no-untyped-def]
        w0, w1, w2, w3 = opposite(words[0]), opposite(words[1]), opposite(words[2]), opposite(words[3])
        ties, alive = EVERY, EVERY
        for k in range(8):
            other = high(w0) if k < 4 else low(w0)
            w0, w1, w2, w3 = w1, w2, w3, w0
            cell = place if shared else U32(place + row)
            for m in range(pairs):
                below, ties = compared(at(table, U32(cell + U32(unit * m))), other, ties)
                if near:
                    place = moved(place, below, moves[m])
                else:
                    place = U32(place + (below & U32(1)) * moves[2 * m] + (below >> U32(16)) * moves[2 * m + 1])
                if kills and m == last:
                    alive = U32(alive & below)
            if homed:
                place = at(table, U32((place if shared else U32(place + row)) + U32(unit * pairs)))
            row = U32(row + stride)
        again = tied(ties)
        if kills:
            again |= U32(alive & lane) == U32(0)
        return place, again

    return in_kernel(device(steps))


@cache
def walk_cuts(form: Form) -> Kernel:
    """A kernel of walkers of whom no functionals are kept but the step of leaving. A thread whose walker has left takes the
    next."""
    pairs, homed, shared, timed, eight = form.pairs, form.homed, form.shared, form.timed, _eight(form)
    size, cell, at = pairs + homed, U32(form.cell), in_kernel(shared_word_at if shared else word_at)

    def walk(walkers, program, cuts, span, keys):  # type: ignore[no-untyped-def]
        site, state, places, stride = walkers.site, walkers.state, walkers.places, U32(cuts.row)
        (origin, start, stop), key0, key1 = span, U32(keys[0]), U32(keys[1])
        corner, table = U32(0), cuts.words
        if shared:
            table = cuda.shared.array(0, WORD)
            corner = U32(_base(table) + U32(4 * (cuda.threadIdx.x & 1)))
            for i in range(cuda.threadIdx.x, 2 * cuts.words.size, cuda.blockDim.x):
                home = homed and (i >> 1) % size == pairs
                table[i] = U32(cuts.words[i >> 1] + (_base(table) + U32(4 * (i & 1)) if home else U32(0)))
            cuda.syncthreads()
        count, first, last = places.size if places.size else site.size, U32(start // 8), U32((stop + 7) // 8)
        whole, broken = U32((start + 7) // 8), U32(stop // 8)  # the first whole block, and the one after the last
        i, j, block, place, row = cuda.grid(1), np.int64(0), last, corner, U32(0)
        walker, high, part, fresh = U(0), U32(0), _of_walker(U32(0), key0, key1), True
        while True:
            if fresh:
                if i >= count:
                    break
                j = np.int64(places[i]) if places.size else np.int64(i)
                walker = U(walkers.first + j)
                high, part = U32(walker >> HALF), _of_walker(U32(walker & LOW), key0, key1)
                place, block, fresh = U32(U32(site[j]) * cell + corner), first, False
            if not shared:
                row = U32(U32(max(8 * np.int64(block), start) - origin) * stride)
            if block == last or U32(at(table, U32(place + row))) == REST:
                site[j] = I32(U32(place - corner) // cell)
                i, fresh = i + cuda.gridsize(1), True
                continue
            again, there = block < whole or block >= broken, place
            if not again:
                words = _drawn(part, _of_block(block, high, key0, key1), key0, key1)
                there, again = eight(table, place, row, stride, cuts.moves, words)
                there = U32(there)
                if timed:
                    again |= U32(at(table, U32(there + row))) == REST
            if again:
                found = U(_again(U32(place - corner) // cell, walker, block, span, program, keys))
                there = U32(U32(found & LOW) * cell + corner)
                if timed and found >> HALF:
                    state[0, j] = I32(found >> HALF)
            place, block = there, U32(block + U32(1))

    return Kernel(walk, REGISTERS[shared])


@Kernel
def follow_table(walkers, program, span, keys):  # type: ignore[no-untyped-def]
    """Walkers of whom functionals are kept, or whose table has no cuts."""
    site, state, places = walkers.site, walkers.state, walkers.places
    for i in range(cuda.grid(1), places.size if places.size else site.size, cuda.gridsize(1)):
        j = np.int64(places[i]) if places.size else np.int64(i)
        if state.size:
            site[j], _ = _follow(site[j], U(walkers.first + j), span, program, (state, j, walkers.levels), keys)
        else:
            site[j], _ = _follow(site[j], U(walkers.first + j), span, program, None, keys)


def form_of(program: TableProgram, timed: bool) -> Form | None:
    """The form of the kernel for a program; None for a table that is too large."""
    moves, homed, (rows, _, _) = len(program.offsets), bool(program.home.size), program.thresholds.shape
    pairs, cells = (moves + program.kills + 1) // 2, program.exit_of.size
    form = Form(pairs, moves if program.kills else 0, homed, True, rows == 1, timed, capability())
    if cells * form.cell > SHARED:
        form = form._replace(shared=False)
    if rows * cells * form.cell >= 1 << 31:
        return None
    return form._replace(near=bool(abs(_moves(program, form)).max() <= NEAR))


def _moves(program: TableProgram, form: Form) -> NDArray[np.int64]:
    """By how many bytes each threshold moves a place."""
    moves = np.zeros(2 * form.pairs, np.int64)
    moves[: len(program.offsets)] = np.subtract(program.offsets, (*program.offsets[1:], 0)) * form.cell
    return moves


def _cuts(program: TableProgram, there: TableProgram, form: Form) -> Cuts:
    """The cuts of a program, `there` on the device."""
    moves, rows, cells = _moves(program, form).astype(np.uint32), program.thresholds.shape[0], program.exit_of.size
    if form.near:
        moves = (moves[::2] & U32(0xFF)) | (moves[1::2] & U32(0xFF)) << U32(8)
    words = allocate(rows * cells * (form.pairs + form.homed), np.uint32)
    cut(blocks_for(rows * cells), THREADS, words, there, form.pairs, form.cell)
    return Cuts(words, cells * form.cell if rows > 1 else 0, tuple(moves))


def advance(walkers: Walkers, program: TableProgram, spans: Iterable[Span], keys: Keys) -> None:
    """See :data:`randwalk.run.cuda.machine.Advance`."""
    there, followed, size = on_device(program), walkers.state.size > 0, walkers.site.size
    form = form_of(program, followed) if walkers.leaving or not followed else None
    if form is None:
        for span in spans:
            follow_table(blocks_for(size), THREADS, walkers, there, span, keys)
        return
    cuts = _cuts(program, there, form)
    shared = 4 * cuts.words.size * 2 if form.shared else 0
    for span in spans:
        walk_cuts(form)(blocks_for(size), THREADS, walkers, there, cuts, span, keys, shared=shared)
