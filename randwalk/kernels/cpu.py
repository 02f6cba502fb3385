"""CPU drivers of walks on a table, of jumps, and of counting: blocks of walkers, steps inside. Drivers fetch and loop; the
physics is in `step` and `alias`. Walks with constant probabilities are in `constant`.

A walker's path depends on its number and the key alone, so blocks, batches and stretches of steps are free. Drivers run on
one thread and release the interpreter's lock: threads take batches of walkers (see :mod:`randwalk.run.host`)."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..jit.compile import aside, device, kernel
from ..jit.lanes import LANES, WIDTH, fetch_apart, fetch_cells, keep
from ..jit.vector import append, look_up, look_up_pairs, where, which, wide
from .alias import draw, settle_draw
from .functionals import first_visit, follow
from .packing import field
from .philox import JUMP, STEPS, U, keep_words, of_axis
from .program import LIVE, Halves, Keys, TableProgram
from .step import I32, MOST, ONE, U32, half_moves, rests, start_cell

Cells: TypeAlias = NDArray[np.int32]

BLOCK = 512  # walkers advanced together on a line
FEW = 128  # the same number where there are more than two moves: the cells around these walkers fit in the first-level cache
assert BLOCK // 4 % LANES == 0 and FEW % LANES == 0 and FEW % WIDTH == 0
TOGETHER = 1 << 15  # walkers that make all steps before others do, so that they stay in the second-level cache
SPREAD = 1 << 16  # cells up to which a table is copied so that every cell has a column


@kernel
def place(site, first_walker, axis, index, upper, keys):  # type: ignore[no-untyped-def]
    """Add to `site` the parts of the walkers' starts that belong to an axis."""
    for j in range(site.size):
        site[j] += start_cell(U(first_walker + j), axis, index, upper, keys)


@kernel
def visit(seen, site):  # type: ignore[no-untyped-def]
    """Note that every walker has been on its cell."""
    for j in range(site.size):
        first_visit(seen, j, site[j])


@kernel
def unpack(packed, bits, numbers):  # type: ignore[no-untyped-def]
    """Add to the numbers of walkers along axes, shape (axes, walkers), the displacements `packed` (:mod:`.packing`), and put
    these back to 0."""
    axes = numbers.shape[0]
    for axis in range(axes):
        along = numbers[axis]
        for j in range(packed.size):
            along[j] += field(packed[j], bits, axes - 1 - axis)
    packed[:] = 0


@kernel
def count(values, shift, counts):  # type: ignore[no-untyped-def]
    """Add to `counts` how many have values[j] + shift = 0, 1, …, the ends included."""
    last, place = counts.size - 1, np.empty(BLOCK, np.uint32)
    for begin in range(0, values.size, BLOCK):
        block = values[begin : begin + BLOCK]
        for j in range(block.size):  # on vectors
            place[j] = min(max(np.int64(block[j]) + shift, 0), last)
        for j in range(block.size):
            counts[U(place[j])] += 1


@device
def _along(axis, numbers, packed, bits, begin, k):  # type: ignore[no-untyped-def]
    """The numbers along an axis of the walkers from `begin` on, as many as `k` has places: `numbers`, shape (axes, walkers) or
    (axes, 1) if they are those of all, and the displacements `packed` since."""
    moved, here = packed[begin : begin + k.size], numbers[axis]
    one, apart, place = here[0], here[begin : begin + k.size], numbers.shape[0] - 1 - axis
    if here.size == 1:
        for j in range(k.size):
            k[j] = one + field(moved[j], bits, place)
    else:
        for j in range(k.size):
            k[j] = apart[j] + field(moved[j], bits, place)


@kernel
def ends(numbers, packed, bits):  # type: ignore[no-untyped-def]
    """The lowest and the highest number of walkers along each axis, shape (axes, 2); they are told as to :func:`_along`."""
    wide()
    found, room = np.empty((numbers.shape[0], 2), np.int64), np.empty(BLOCK, np.int64)
    for axis in range(numbers.shape[0]):
        low, high = np.int64(1 << 62), np.int64(-(1 << 62))
        for begin in range(0, packed.size, BLOCK):
            k = room[: min(BLOCK, packed.size - begin)]
            _along(axis, numbers, packed, bits, begin, k)
            for j in range(k.size):
                low, high = min(low, k[j]), max(high, k[j])
        found[axis, 0], found[axis, 1] = low, high
    return found


@kernel
def count_places(numbers, packed, bits, axes, counts):  # type: ignore[no-untyped-def]
    """Add to `counts` how many walkers are on each cell; their numbers are told as to :func:`_along`, and axes = for each axis
    (its first number, sites if it is a ring, else 0, distance of neighbours in numbers of cells)."""
    wide()
    room, cells = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    for begin in range(0, packed.size, BLOCK):
        size = min(BLOCK, packed.size - begin)
        k, cell = room[:size], cells[:size]
        cell[:] = 0
        for axis in range(axes.shape[0]):
            _along(axis, numbers, packed, bits, begin, k)
            first, sites, stride = axes[axis, 0], axes[axis, 1], axes[axis, 2]
            if sites:
                for j in range(size):
                    k[j] = (k[j] - first) % sites + first
            for j in range(size):
                cell[j] += (k[j] - first + 1) * stride
        for j in range(size):
            counts[U(cell[j])] += 1


@kernel
def count_passages(site, passage, exit_of, counts):  # type: ignore[no-untyped-def]
    """Add to counts[n, i] how many came to rest at exit number i after n steps."""
    for j in range(site.size):
        way = exit_of[U(site[j])]
        if way != LIVE:
            counts[U(passage[j]), U(way)] += 1


@kernel
def count_differences(values, minus, shift, lowest, highest, counts):  # type: ignore[no-untyped-def]
    """As :func:`count`, of values[j] - minus[j] + shift, and only of those with `lowest` <= values[j] <= `highest`."""
    last = counts.size - 1
    for j in range(values.size):
        value = np.int64(values[j])
        if lowest <= value <= highest:
            counts[min(max(value + shift - np.int64(minus[j]), 0), last)] += 1


def walk_table(
    site: Cells, passage: Cells, walkers: tuple[int, Cells], program: TableProgram, start: int, stop: int, keys: Keys,
    told: Any = None,
) -> None:  # fmt: skip
    """Advance walkers from step `start` to `stop` on a step table, whose rows are those of these steps.

    walkers = (the number of the walker in place 0 of `site`, the places of the walkers to advance). passage[j] becomes the
    number of steps after which the walker in place j came to rest, unless `passage` is empty. Walkers make eight steps, block
    by block; then those that have left make room for the last ones, so that all blocks but one are full. `told`: what
    :func:`told_of` says, where it is known already.
    """
    _walk_table(site, passage, walkers, program, told or told_of(program), start, stop, keys)


def told_of(program: TableProgram) -> Any:
    """(halves of the thresholds, how to see that a walker rests) of a program."""
    return Halves.of(program, SPREAD), *_resting(program)


def _resting(program: TableProgram) -> tuple[NDArray[np.uint32], tuple[np.uint32, np.uint32]]:
    """How to see that a walker rests on a cell: whether it does on each, 1 or 0, or no numbers where the others are neighbours;
    then it does if cell + shift (modulo 2³²) is above a bound, the two numbers of (shift, bound)."""
    live = np.flatnonzero(program.exit_of == LIVE) if program.leaves else np.zeros(1, np.intp)
    first, last = (int(live[0]), int(live[-1])) if live.size else (0, 0)
    apart = live.size < last - first + 1
    resting = (program.exit_of != LIVE).astype(np.uint32) if apart else np.empty(0, np.uint32)
    return resting, (np.uint32(-first % 2**32), np.uint32(last - first))


@kernel
def _walk_table(site, passage, walkers, program, told, start, stop, keys):  # type: ignore[no-untyped-def]
    wide()
    (first, everybody), size, taken = walkers, BLOCK if len(program.offsets) <= 2 else FEW, 0
    together = TOGETHER if program.leaves or size == BLOCK else FEW
    most = min(everybody.size, together) + BLOCK
    sites, going = np.zeros(most, np.int32), np.zeros(most, np.int32)
    words, trail = np.empty((4, BLOCK), np.uint32), np.empty((8, BLOCK), np.int32)
    marked, order = np.empty(BLOCK // WIDTH, np.uint64), np.empty((2, 2 * BLOCK), np.uint32)
    for j in range(BLOCK):
        order[0, j] = j
    room = words, trail, marked, order
    home = site, passage, first
    while taken < everybody.size:
        left = 0
        while taken < everybody.size and left < together:
            place = everybody[taken]
            taken += 1
            if not rests(site[U(place)], program):
                sites[left], going[left] = site[U(place)], place
                left += 1
        for eight in range(start // 8, (stop + 7) // 8):
            span = max(8 * eight, start), min(8 * eight + 8, stop), start
            for base in range((left - 1) // size * size, -1, -size):
                left = _advance((sites, going), (base, size, left), home, span, program, told, room, keys)
        for j in range(left):
            site[U(going[j])] = sites[j]


@device
def _advance(walkers, block, home, span, program, told, room, keys):  # type: ignore[no-untyped-def]
    """The steps of one random block of the walkers of a block; returns how many of all are left.

    WIDTH walkers make the steps together, from the high halves of their thresholds; the rare ones that tie in one of them make
    all of these again, with all digits. walkers = (sites, places); block = (its first walker, its walkers at most, all that are
    left); home = (sites of all, passages, the number of the walker in place 0); span = (first step, the one after the last, step
    of the first row).
    """
    (base, size, left), (_, passage, first), (begin, end, origin), ties = block, home, span, U(0)
    (words, trail, marked, _), rows, alive = room, program.thresholds.shape[0], min(size, left - base)
    x, who = walkers[0][base:], walkers[1][base:]
    for j in range(0, alive, LANES):  # the last lanes may have no walker
        keep_words(words, j, fetch_apart(who, j) + U(first), U(begin // 8), STEPS, keys[0], keys[1])
    for j in range(0, alive, WIDTH):  # places without a walker step too, from some cell to some cell
        here = fetch_cells(x, j)
        there, tied = here, here < U32(0)
        for n in range(begin, end):
            if passage.size or n == begin:
                keep(there, trail[n - begin], j)
            word = (fetch_cells(words[n & 3], j) >> (U32(16) if n & 7 < 4 else U32(0))) & MOST
            there, tie = _step_together(there, word, min(n - origin, rows - 1), program, told[0])
            tied = tied | tie
        keep(there, x, j)
        marked[j // WIDTH] = which(tied)
        ties |= which(tied)
    if ties:
        _settle(x, (who[:alive], U(first)), room, span, program, keys)
    if program.leaves:
        left = _release((x, who), (alive, left - base), home, span, program, told, room, keys) + base
    return left


@device
def _step_together(here, word, row, program, halved):  # type: ignore[no-untyped-def]
    """(the cells after a step, which walkers tie) by the high halves of their uniforms, `word`, and of the thresholds. Where
    walkers that tie go means nothing."""
    thresholds, lives, changes, mapped = halved
    columns, killed, k = thresholds.shape[2], U32(program.exit_of.size - 1), 0
    column = look_up(program.column, 0, here) if mapped else here
    there, tie = here, here < U32(0)
    for pair in look_up_pairs(thresholds, row * thresholds.shape[1] * columns, columns, program.offsets, column):
        there, undecided = half_moves(there, word, pair, changes[k], changes[k + 1])
        tie, k = tie | undecided, k + 2
    if program.home.size:
        there = look_up(program.home, 0, there)
    if program.kills:
        live = look_up(lives, row * columns, column)
        there, tie = where(word < live, there, killed), tie | (word == live)
    return there, tie


@aside
def _settle(x, walkers, room, span, program, keys):  # type: ignore[no-untyped-def]
    """The steps of the walkers that tie, again; walkers = (those of the block, the number of the one in place 0)."""
    (who, base), (_, trail, marked, _), (begin, end, origin) = walkers, room, span
    for j in range(who.size):
        if _marked(marked, j):
            x[j], _ = follow(trail[0, j], base + U(who[j]), (origin, begin, end), program, None, keys)


@device
def _marked(marks, j):  # type: ignore[no-untyped-def]
    return marks[U(j) // U(WIDTH)] >> (U(j) % U(WIDTH)) & ONE


@device
def _release(block, size, home, span, program, told, room, keys):  # type: ignore[no-untyped-def]
    """Take walkers at rest out of a block, the last ones first: the last one of all that are left fills the place. size = (the
    walkers of the block, those from its first one to the last of all); returns what becomes of the second."""
    (x, who), (alive, left), (site, passage, first), many = block, size, home, 0
    (_, resting, (shift, bound)), order, gone = told, room[3][0], room[3][1]
    for begin in range(0, alive, WIDTH):
        here, places = fetch_cells(x, begin), fetch_cells(order, begin)
        rest = look_up(resting, 0, here) == U32(1) if resting.size else bound < here + shift
        many = append(places, rest & (places < U32(alive)), gone, many)
    for i in range(many - 1, -1, -1):
        j, left = U(gone[i]), left - 1
        place = U(who[j])
        site[place] = x[j]
        if passage.size:
            passage[place] = _when(j, U(first) + place, span, program, room, keys)
        x[j], who[j] = x[U(left)], who[U(left)]
    return left


@device
def _when(j, walker, span, program, room, keys):  # type: ignore[no-untyped-def]
    """The number of steps after which the walker in place j came to rest: by its trail, unless it ties."""
    (_, trail, marked, _), (begin, end, origin) = room, span
    if _marked(marked, j):
        return follow(trail[0, j], walker, (origin, begin, end), program, None, keys)[1]
    n = begin + 1
    for i in range(1, end - begin):  # a sum takes no branch
        n += not rests(trail[i, j], program)
    return n


@kernel
def follow_table(site, state, walkers, program, levels, start, stop, keys):  # type: ignore[no-untyped-def]
    """As :func:`walk_table`, keeping functionals of each path in `state` (see :mod:`randwalk.run.record`), a column for each: the
    number of steps after which it came to rest, the highest site, and those of :func:`randwalk.kernels.functionals.tally`."""
    first, places = walkers
    for j in places:
        site[j], _ = follow(site[j], U(first + j), (start, start, stop), program, (state, j, levels), keys)


@kernel
def jump(site, first_walker, interval, axis, table, keys):  # type: ignore[no-untyped-def]
    """Move every site of `site` by a draw from an alias table, four walkers to a Philox block; table = (first value, bits,
    cells, rests), see `alias`. The draws of an axis are its own."""
    wide()
    first, bits, cells, remainders = table
    words, drawn, order = np.empty((4, BLOCK // 4), np.uint32), np.empty(BLOCK, np.int32), np.empty(LANES, np.uint32)
    w0, w1, w2, w3 = words[0], words[1], words[2], words[3]
    for j in range(LANES):
        order[j] = j
    early = first_walker % 4  # walkers before the first whose words are in the same block
    for begin in range(-early, site.size, BLOCK):
        for j in range(0, BLOCK // 4, LANES):
            walkers = fetch_apart(order, 0) + (U(first_walker + begin) // U(4) + U(j))
            keep_words(words, j, walkers, U(interval), of_axis(JUMP, axis), keys[0], keys[1])
        ties = False
        for j in range(BLOCK // 4):
            at = 4 * U(j)
            drawn[at], tie0 = draw(w0[j], bits, cells)
            drawn[at + ONE], tie1 = draw(w1[j], bits, cells)
            drawn[at + U(2)], tie2 = draw(w2[j], bits, cells)
            drawn[at + U(3)], tie3 = draw(w3[j], bits, cells)
            ties |= tie0 | tie1 | tie2 | tie3
        skipped = max(0, -begin)
        home, draws = site[begin + skipped : min(begin + BLOCK, site.size)], drawn[skipped:]
        for j in range(home.size):
            home[j] += I32(first) + draws[j]
        if ties:
            for j in range(home.size):
                walker = U(first_walker + begin + skipped + j)
                word = words[walker & U(3), U(skipped + j) >> U(2)]
                home[j] += settle_draw(word, bits, cells, remainders, walker, interval, axis, *keys)
