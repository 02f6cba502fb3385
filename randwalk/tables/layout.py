"""How sites are numbered: live sites form a box inside an array that has one more cell, a ghost, at either end of every axis.

Cells are numbered in C order; one more cell, the last, holds the walkers that were killed. A walker that steps onto the ghost of
a wall rests there, so absorption needs no rule of its own in any kernel. In one dimension cell 0 is the ghost on the left, cells
1 … n are the sites, cell n + 1 is the ghost on the right, and cell n + 2 that of the killed. A site of a trap is a resting
cell like a ghost, that of an obstacle a cell that no step enters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..kernels.program import LIVE

Numbers = NDArray[np.int64]
ADDRESS = 48  # binary digits of the number of a site of several axes, by which occupation draws
SHUT = 254  # in `taken`: a site of an obstacle


@dataclass(frozen=True)
class Layout:
    """The numbering of the cells of a window of sites.

    Parameters
    ----------
    shape : tuple of int
        Live sites, an entry for each axis.
    first : tuple of int
        Lattice number of the first live site, an entry for each axis.
    periodic : tuple of bool
        Whether an axis closes on itself.
    exits : tuple of str
        Names of the ways out: the low and the high face of every axis, in the order of the axes, those of regions, and the
        last by killing.
    edges : tuple of bool
        For each exit whether it is none: the edge of a window of an unbounded domain, at which walkers rest as at a wall.
    closed : tuple of bool
        For each face whether nobody leaves there; to such a face the ghosts at corners with others do not belong. No face if
        empty.

    Examples
    --------
    >>> layout = Layout((3,), (-1,), (False,), ("left", "right", "killing"), (False, False, False))
    >>> layout.cells, layout.killed, int(layout.index(-1)), int(layout.numbers(2)[0])
    (6, 5, 1, 0)
    >>> raw = np.array([7, 1, 2, 3, 8, 9])
    >>> layout.live(raw), layout.absorbed(raw)
    (array([1, 2, 3]), array([7, 8, 9]))
    """

    shape: tuple[int, ...]
    first: tuple[int, ...]
    periodic: tuple[bool, ...]
    exits: tuple[str, ...]
    edges: tuple[bool, ...]
    closed: tuple[bool, ...] = ()
    taken: NDArray[np.uint8] | None = field(default=None, compare=False, repr=False)

    @cached_property
    def padded(self) -> tuple[int, ...]:
        """Cells of each axis, its two ghosts included."""
        return tuple(n + 2 for n in self.shape)

    @cached_property
    def strides(self) -> tuple[int, ...]:
        """The distance, in numbers of cells, of neighbours along each axis."""
        return tuple(math.prod(self.padded[axis + 1 :]) for axis in range(len(self.shape)))

    @cached_property
    def cells(self) -> int:
        """All cells, with that of the killed."""
        return math.prod(self.padded) + 1

    @property
    def killed(self) -> int:
        """The cell of the killed walkers, the last one."""
        return self.cells - 1

    @property
    def sites(self) -> int:
        """Live sites."""
        return math.prod(self.shape)

    def empty(self, *leading: int, dtype: Any = np.int64) -> NDArray[Any]:
        """Zeros for every cell, shape (*leading, cells)."""
        return np.zeros((*leading, self.cells), dtype=dtype)

    def index(self, *numbers: ArrayLike) -> Numbers:
        """The cell of a site given by its lattice numbers, one array for each axis; ghosts are one site beyond the ends. On a
        periodic axis any number is allowed, on the others cells of places farther off are not those of sites."""
        cell = np.zeros((), dtype=np.int64)
        for given, n, first, ring, stride in zip(
            numbers, self.shape, self.first, self.periodic, self.strides, strict=True
        ):
            place = np.asarray(given, dtype=np.int64) - first
            cell = cell + ((place % n if ring else place) + 1) * stride
        return np.asarray(cell)

    def numbers(self, cells: ArrayLike) -> tuple[Any, ...]:
        """The lattice numbers of cells (not that of the killed), for each axis an array of the shape of `cells`. Cells beyond the
        ends of the first axis have the numbers that it would have there."""
        rest, numbers = np.asarray(cells, dtype=np.int64), []
        for stride, first in zip(self.strides, self.first, strict=True):
            place = rest // stride
            rest = rest - place * stride
            numbers.append((place - 1 + first)[()])
        return tuple(numbers)

    def along(self, axis: int = 0, ghosts: bool = False) -> Numbers:
        """The lattice numbers of the live sites of an axis, increasing; its two ghosts included if `ghosts`."""
        first, n = self.first[axis], self.shape[axis]
        return np.arange(first - ghosts, first + n + ghosts)

    def level(self, number: int) -> int:
        """The cell of a place on the only axis, -1 if it is below all cells and `cells` if it is above all."""
        cell = int(self.index(number))
        return -1 if cell < 0 else self.cells if cell >= self.killed else cell

    @cached_property
    def free(self) -> NDArray[np.bool_]:
        """The sites that walkers can be on, shape `shape`."""
        return np.ones(self.shape, dtype=bool) if self.taken is None else self.taken == LIVE

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last live cell on the only axis."""
        first, last = self.index(self.along()[[0, -1]]).tolist()
        return first, last

    def is_live(self, cells: ArrayLike) -> NDArray[np.bool_]:
        """Whether walkers on cells walk on; of an obstacle, in which there are none, too."""
        return np.asarray(self.exit_of[np.asarray(cells)] == LIVE)

    def live(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values for every cell as those of the sites, shape (…, cells) → (…, *shape), with 0 for sites of traps and obstacles; a
        view where that can be."""
        inner = self.inner(values)
        return inner if self.taken is None else np.where(self.free, inner, np.zeros((), values.dtype))

    def inner(self, values: NDArray[Any]) -> NDArray[Any]:
        """As :meth:`live`, of all sites, free or not."""
        inner: tuple[Any, ...] = (..., *(slice(1, -1) for _ in self.shape))
        return self._box(values)[inner]

    def _box(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values for every cell as those of the array of sites and ghosts, a view, shape (…, cells) → (…, *padded)."""
        return values[..., : self.killed].reshape(*values.shape[:-1], *self.padded)

    def gone(self, values: NDArray[Any]) -> NDArray[Any]:
        """The sums over the cells of each exit, shape (…, cells) → (…, exits), edges of a window like walls."""
        cells, ways = self._ways
        return np.asarray(values[..., cells] @ ways.astype(values.dtype))

    def leave(self, values: NDArray[Any], gone: NDArray[Any]) -> None:
        """Add what has `gone` by each exit, shape (exits,), to values for every cell, in place, on one cell of the exit."""
        exits, first = np.unique(self.exit_of[self._resting], return_index=True)
        values[self._resting[first]] += gone[exits]

    def absorbed(self, values: NDArray[Any]) -> NDArray[Any]:
        """As :meth:`gone`, with 0 for exits that are edges of a window."""
        return self.exits_only(self.gone(values))

    def exits_only(self, ways: NDArray[Any]) -> NDArray[Any]:
        """Values by exit, shape (…, exits), with 0 for exits that are edges of a window."""
        return np.where(self.edges, np.zeros((), ways.dtype), ways)

    def leaked(self, values: NDArray[Any]) -> NDArray[Any]:
        """The sum over the edges of a window, shape (…, cells) → (…)."""
        gone = self.gone(values)
        return np.asarray(np.where(self.edges, gone, np.zeros((), gone.dtype)).sum(axis=-1))

    def moved(self, values: NDArray[Any], into: Layout) -> NDArray[Any]:
        """Values for every cell, shape (…, cells), in a layout whose window contains this one: live sites keep their lattice
        numbers, and what rests at a face rests at that face."""
        moved = into.empty(*values.shape[:-1], dtype=values.dtype)
        self.add(values, into, moved)
        return moved

    def add(self, values: NDArray[Any], into: Layout, total: NDArray[Any]) -> None:
        """As :meth:`moved`, added in place to a `total` for every cell of the other layout."""
        parts = []  # of each axis: the low ghost, the sites, the high ghost, here and there
        for first, n, other, m in zip(self.first, self.shape, into.first, into.shape, strict=True):
            if other > first or other + m < first + n:
                raise ValueError(f"sites {first} … {first + n - 1} are not all in {other} … {other + m - 1}")
            begin = first - other + 1
            here = slice(0, 1), slice(1, n + 1), slice(n + 1, n + 2)
            there = slice(0, 1), slice(begin, begin + n), slice(m + 1, m + 2)
            parts.append(zip(here, there, strict=True))
        mine, others = self._box(values), into._box(total)
        for part in product(*parts):
            here, there = zip(*part, strict=True)
            others[(..., *there)] += mine[(..., *here)]
        total[..., into.killed] += values[..., self.killed]

    def slabs(self, pieces: int) -> list[range]:
        """The live sites of the first axis cut into so many pieces, numbered from 1 as its cells are."""
        ends = [1 + self.shape[0] * i // pieces for i in range(pieces + 1)]
        return [range(low, high) for low, high in pairwise(ends)]

    def slab(self, own: range, steps: int, farthest: int) -> tuple[NDArray[np.int32], int, int, int, int]:
        """A piece of :meth:`slabs` that can make `steps` steps of up to `farthest` cells, with as many neighbours, as cells in a
        row: (cells, where its own begin and end, cells at the low and at the high end that miss neighbours in a step).

        The ghosts of the first axis belong to the outermost pieces.
        """
        stride, n, ring = self.strides[0], self.shape[0], self.periodic[0]
        rows = -(-farthest // stride)
        low, high = own.start - steps * rows, own.stop - 1 + steps * rows
        lost_low, lost_high = (rows * stride * (ring or cut) for cut in (low > 0, high < n + 1))
        begin, end = own.start, own.stop
        if not ring:
            low, high = max(low, 0), min(high, n + 1)
            begin, end = (0 if begin == 1 else begin), (n + 2 if end == n + 1 else end)
        places = np.arange(low, high + 1)
        if ring:
            places = (places - 1) % n + 1
        cells = (places[:, None] * stride + np.arange(stride)).reshape(-1).astype(np.int32)
        return cells, (begin - low) * stride, (end - low) * stride, lost_low, lost_high

    def tiles(self, offsets: Sequence[int], width: int, steps: int) -> tuple[NDArray[Any], ...]:
        """Pieces of `width` cells along every axis that can make `steps` steps of up to one cell by the `offsets`: (cells, shape
        (tiles, cells of a tile), -1 for none; which of them are the tile's own; what each move adds to the place of a cell in its
        tile)."""
        cells, owned = np.zeros((1, 1), np.int64), np.ones((1, 1), np.bool_)
        rest, shifts = np.array(offsets), np.zeros(len(offsets), np.int64)
        for n, ring, stride in zip(self.shape, self.periodic, self.strides, strict=True):
            first, last = (1, n) if ring else (0, n + 1)
            begin = np.arange(first, last + 1, width - 2 * steps)[:, None]
            places = begin - steps + np.arange(width)
            own = (places >= begin) & (places < begin + width - 2 * steps) & (places <= last)
            there = (places - 1) % n + 1 if ring else np.where((places < first) | (places > last), -(1 << 40), places)
            cells = (cells[:, None, :, None] + (there * stride)[:, None, :]).reshape(-1, cells.shape[1] * width)
            owned = (owned[:, None, :, None] & own[:, None, :]).reshape(cells.shape)
            component = np.rint(rest / stride).astype(np.int64)
            rest, shifts = rest - component * stride, shifts * width + component
        return np.maximum(cells, -1).astype(np.int32), owned, shifts

    @cached_property
    def address(self) -> NDArray[np.uint64]:
        """The number by which the occupation method draws for each cell: its lattice number modulo 2³² on one axis, those of two
        axes in 24 digits each, of three in 16; the first axis in the highest digits (docs/stream.md)."""
        digits = min(32, ADDRESS // len(self.shape))
        address = np.zeros(self.cells, dtype=np.uint64)
        for numbers in self.numbers(np.arange(self.cells)):
            address = (address << np.uint64(digits)) | (numbers.astype(np.uint64) & np.uint64((1 << digits) - 1))
        return address

    @cached_property
    def exit_of(self) -> NDArray[np.uint8]:
        """The number of the exit that each cell belongs to, LIVE for sites; of a ghost of a periodic axis that of the site it
        stands for."""
        box = np.full(self.padded, LIVE, dtype=np.uint8)
        closed = self.closed or (False,) * 2 * len(self.shape)
        for face in sorted(range(len(closed)), key=lambda face: (not closed[face], -(face // 2))):
            if not self.periodic[face // 2]:
                np.moveaxis(box, face // 2, 0)[-(face % 2)] = face
        if self.taken is not None:
            self.inner(box.reshape(-1))[:] = np.where(self.taken == SHUT, LIVE, self.taken)
        exits = np.append(box.reshape(-1), np.uint8(len(self.exits) - 1))
        return exits[self.home] if self.home.size else exits

    @cached_property
    def home(self) -> NDArray[np.int32]:
        """The cell at which a walker goes on that arrives at a cell: that of the opposite site for the ghosts of periodic axes,
        else itself. Empty if no axis is periodic."""
        if not any(self.periodic):
            return np.zeros(0, dtype=np.int32)
        cells = np.zeros((), dtype=np.int64)
        for n, ring, stride in zip(self.shape, self.periodic, self.strides, strict=True):
            place = np.arange(n + 2)
            cells = cells[..., None] + ((place - 1) % n + 1 if ring else place) * stride
        return np.append(cells.reshape(-1), self.killed).astype(np.int32)

    @cached_property
    def _ways(self) -> tuple[Numbers, Numbers]:
        """The resting cells, and for each of them and each exit whether the cell belongs to the exit, 1 or 0."""
        return self._resting, np.equal.outer(self.exit_of[self._resting], np.arange(len(self.exits))).astype(np.int64)

    @cached_property
    def _resting(self) -> Numbers:
        """The resting cells, those of the first exit first."""
        cells = np.flatnonzero(self.exit_of != LIVE)
        return cells[np.argsort(self.exit_of[cells], kind="stable")]
