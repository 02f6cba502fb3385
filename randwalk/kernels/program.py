"""What a kernel is told of a walk: tuples of arrays and numbers, which Numba reads by field.

A site is a flat number of a cell of a padded array; a step adds one of K whole numbers, the offsets. How many dimensions the
array has is known only where programs are made (:mod:`randwalk.tables.layout`).
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

BITS = 62  # binary digits of a probability
FULL = 1 << BITS
PART = 31  # the first of them, in a number of a table: 2³² + 1 thresholds do not fit in 32 bits, and p + q = 1 must be exact
DRAWN = 16  # digits of a uniform that every step of a table walk has; the others are drawn where these do not decide
PLANES = 8  # most binary digits of a constant probability that are drawn for every step
LIVE = 255  # the exit of a cell at which no walker rests

Keys = tuple[np.uint64, np.uint64]
Span = tuple[int, int, int]  # (the step of the first row of a table, the first step to make, the one after the last)
Thresholds = NDArray[np.uint32]


class TableProgram(NamedTuple):
    """A walk whose step probabilities depend on the site, and on the step where there is a row for each.

    The uniform of a step is a whole number below 2⁶². The step taken is the first one whose threshold exceeds it; from the last
    but one threshold on the walker stays, from the last on it is killed.

    Attributes
    ----------
    offsets
        What step k adds to the number of a cell; K of them.
    thresholds
        Cumulative, the first 31 binary digits of each, shape (rows, K + 1, columns): one row for all steps, or a row for each.
        Where any of them has more digits the other 31 of all come after them, shape (rows, 2K + 2, columns).
    column
        The column of each cell, shape (cells,); empty where the columns are the cells.
    home
        The cell at which a walker continues that arrives at a cell, shape (cells,): the opposite site for the ghosts of a
        periodic axis, else the cell itself. Empty where no axis is periodic.
    exit_of
        The number of the exit at which a walker on a cell rests, or LIVE; shape (cells,). The last cell is that of the killed.
    kills
        Whether a step can kill.
    leaves
        Whether a walker can come to rest.
    """

    offsets: tuple[int, ...]
    thresholds: Thresholds
    column: NDArray[np.int32]
    home: NDArray[np.int32]
    exit_of: NDArray[np.uint8]
    kills: bool
    leaves: bool


class Halves(NamedTuple):
    """The DRAWN high digits of the thresholds of a table; a threshold of 1 counts as the largest below.

    Attributes
    ----------
    words
        Those of two moves a pair, 32 bits, a pair a word of up to two moves and two pairs of more, the first one in the low
        half: shape (rows, words, columns). Where moves are too few for the last word, the last one stands in it again.
    lives
        Those of the last thresholds, shape (rows, columns).
    changes
        What a threshold above the uniform adds to the site, modulo 2³²: an offset minus the next one; 0 for a repeated move.
    mapped
        Whether the column of a cell has to be looked up.
    """

    words: NDArray[Any]
    lives: NDArray[np.uint32]
    changes: Any
    mapped: bool

    @classmethod
    def of(cls, program: TableProgram, most: int) -> Halves:
        """Those of a program. In a table of one row and of at most `most` cells every cell gets a column."""
        offsets, cells = program.offsets, program.column.size
        moves, together = len(offsets), 2 if len(offsets) <= 2 else 4
        halves = np.minimum(program.thresholds[:, : moves + 1] >> np.uint32(PART - DRAWN), np.uint32((1 << DRAWN) - 1))
        spread = len(halves) == 1 and 0 < cells <= most
        if spread:
            halves = halves[:, :, program.column]
        size = -(-moves // together) * together
        kind = np.uint32 if together == 2 else np.uint64
        words = np.zeros((len(halves), size // together, halves.shape[2]), kind)
        for k in range(size):
            place = DRAWN * (k % together ^ 1)  # of a pair the first one is the high half
            words[:, k // together] |= halves[:, min(k, moves - 1)].astype(kind) << kind(place)
        changes = np.zeros(size, np.int64)
        changes[:moves] = np.subtract(offsets, (*offsets[1:], 0))
        return cls(words, np.ascontiguousarray(halves[:, moves]), changes.astype(np.uint32), cells > 0 and not spread)


class DigitsProgram(NamedTuple):
    """A walk with constant probabilities on an unbounded lattice.

    Attributes
    ----------
    offsets
        As those of :class:`TableProgram`.
    thresholds
        Cumulative, in units of 2⁻⁶², K of them. Nobody is killed.
    planes
        Binary digits that are drawn for every step, 1 … PLANES. Fewer than PLANES decide every step.
    """

    offsets: tuple[int, ...]
    thresholds: tuple[int, ...]
    planes: int


class Start(NamedTuple):
    """The law of the start, or the part of it that belongs to an axis: numbers of cells, and their masses in whole numbers of
    2⁻⁵³. A walker begins at the sum of the numbers that are drawn for it from the parts."""

    sites: NDArray[np.int32]
    masses: NDArray[np.int64]


NO_SETS = np.empty((0, 0), dtype=np.uint8)
NO_PLACES = np.empty((0, 0), dtype=np.int32)
NO_BITS = np.empty((0, 0), dtype=np.uint32)


class Levels(NamedTuple):
    """What the functionals of paths refer to; there is a row of the state of walkers for each.

    Attributes
    ----------
    visits
        Cells whose last visits are kept: the number of steps at the last one, -1 if there was none.
    positives
        Cells of the only axis above which times are.
    sets
        Whether each cell is in a set, 1 or 0, shape (sets, cells): how many steps are made from its cells.
    heights
        The place of each cell along an axis, shape (axes, cells), -1 for that of the killed: the highest one.
    rings
        The same along periodic axes of three sites or more: the turns, upward minus downward ones.
    seen
        Where each walker has been, shape (walkers, 2 slots), an array of the machine that is kept up to date: in a slot the
        number of a word of 32 cells, counted from 1, or 0 if it is free, and `slots` columns further a bit for each of these
        cells. The row is the number of cells where the walker has been.
    """

    visits: NDArray[np.int32]
    positives: NDArray[np.int32]
    sets: NDArray[np.uint8] = NO_SETS
    heights: NDArray[np.int32] = NO_PLACES
    rings: NDArray[np.int32] = NO_PLACES
    seen: Any = NO_BITS

    @property
    def rows(self) -> int:
        """Rows of the state, with those of the step of leaving and of the highest site."""
        return 2 + sum(len(kept) for kept in self[:-1]) + (self.seen.size > 0)

    @property
    def told(self) -> tuple[Any, Any, Any]:
        """What kernels are told: (visits, positives, what is known of each cell); the last is None if nothing is."""
        return self.visits, self.positives, self[2:] if any(kept.size for kept in self[2:]) else None


NO_LEVELS = Levels(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32))


class JumpProgram(NamedTuple):
    """All steps of the recorded interval number `interval` along an axis by one draw: the alias table of
    :mod:`randwalk.kernels.alias` for the displacement minus `first`."""

    interval: int
    first: int
    bits: int
    cells: NDArray[np.uint64]
    rests: NDArray[np.uint32]
    axis: int = 0


Program: TypeAlias = TableProgram | DigitsProgram | JumpProgram


class Walkers(NamedTuple):
    """A batch of walkers on a machine: walker number `first` + j is on site[j].

    `site` and `state` are arrays of the machine. `state` has a row for each functional of the paths: the step of leaving, the
    highest site, then those of `levels`. It is None if no functional is recorded; if `leaving`, the step of leaving alone is
    kept up to date. `places` are those j whose walkers a :class:`TableProgram` advances, None for
    all.
    """

    first: int
    site: Any
    state: Any = None
    levels: Levels = NO_LEVELS
    leaving: bool = False
    places: NDArray[np.int32] | None = None
