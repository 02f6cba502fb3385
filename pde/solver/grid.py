"""The cells of a finite-volume solution: edges stand where coefficients break, and crowd towards a wall where D vanishes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PPoly

from randwalk.model.coefficient import Floats
from randwalk.model.domain import Wall

FEWEST: Final = 32  # cells of the coarsest grid that has breaks
SHARE: Final = 1.0 / 8.0  # of the cells that are dealt out evenly among the pieces, so that narrow ones are refined too
GAUSS_NODES: Final = np.array([-math.sqrt(0.6), 0.0, math.sqrt(0.6)])  # of Gauss's rule of order 6 on (-1, 1)
GAUSS_WEIGHTS: Final = np.array([5.0, 8.0, 5.0]) / 18.0
BESIDE: Final = 1e-6  # of half a cell: from an edge to the place where the limit of D on this side of it is taken
TINY: Final = 1e-300  # in place of no distance from an end
FEW_PIECES: Final = 64  # so many have at least two cells each on the coarsest grid, more of them at least one


@dataclass(frozen=True)
class Grid:
    """`cells` cells from `low` to `high`; `left` and `right` are the walls there, None where a window cuts an
    unbounded or unreached part off (mass that crosses the cut is counted as if absorbed) or the ends are joined.

    Cells are equal between neighbours of low, `breaks` (increasing places inside; `low` itself where the seam of a ring
    is a break) and high. In the first and the last piece they may be graded towards the end: with the power p there the
    k-th of n edges is (k/n)^p of the piece away from the end. A grid of half as many cells has every second edge, down to about
    the `coarsest` one.

    Raises
    ------
    ValueError
        for fewer than :attr:`fewest` cells.
    """

    low: float
    high: float
    cells: int
    left: Wall | None = None
    right: Wall | None = None
    periodic: bool = False
    breaks: tuple[float, ...] = ()
    powers: tuple[float, float] = (1.0, 1.0)
    coarsest: int = FEWEST

    def __post_init__(self) -> None:
        if self.cells < self.fewest:
            raise ValueError(
                f"cells = {self.cells}: the coefficients break at {len(self.breaks)} places between x = {self.low:g} and "
                f"{self.high:g}, which edges of cells must stand on: take at least {2 * self.fewest} cells"
            )

    @property
    def uniform(self) -> bool:
        """Whether all cells are equal and no edge is a break."""
        return not self.breaks and self.powers == (1.0, 1.0)

    @property
    def fewest(self) -> int:
        """The smallest number of cells; a grid that is to be halved has twice as many."""
        return 1 if self.uniform else fewest_cells(self.joints.size - 1, self.coarsest)

    @property
    def h(self) -> float:
        """The length of the cells if they are equal, else their mean."""
        return (self.high - self.low) / self.cells

    @cached_property
    def joints(self) -> Floats:
        """The ends of the pieces, (pieces + 1,)."""
        inner = [place for place in self.breaks if self.low < place < self.high]
        return np.array([self.low, *inner, self.high], dtype=np.float64)

    @cached_property
    def counts(self) -> list[int]:
        """The number of cells of each piece: twice those of a grid of half as many cells, down to the coarsest."""
        coarse, factor = self.cells, 1
        while coarse % 2 == 0 and coarse // 2 >= self.fewest:
            coarse, factor = coarse // 2, 2 * factor
        weights = np.diff(self.joints)
        weights[0] *= self.powers[0]  # then the last of its cells is as long as those of the next piece
        weights[-1] *= self.powers[1]
        weights += SHARE / (1.0 - SHARE) * weights.mean()
        least = _fewest_of_piece(weights.size)
        spare = coarse - least * weights.size
        counts = np.maximum(least, np.floor(max(spare, 0) * weights / weights.sum()).astype(np.int64))
        for _ in range(coarse - int(counts.sum())):
            counts[np.argmax(weights / counts)] += 1
        return [factor * count for count in counts.tolist()]

    @cached_property
    def edges(self) -> Floats:
        """Edges of the cells, (cells + 1,)."""
        if self.uniform:
            return np.linspace(self.low, self.high, self.cells + 1)
        last, parts = len(self.counts) - 1, []
        for k, (count, begin, end) in enumerate(zip(self.counts, self.joints[:-1], self.joints[1:], strict=True)):
            share = np.linspace(0.0, 1.0, count + 1)
            if k == 0 and self.powers[0] != 1.0:
                part = begin + (end - begin) * share ** self.powers[0]
            elif k == last and self.powers[1] != 1.0:
                part = end - (end - begin) * share[::-1] ** self.powers[1]
            else:
                part = np.linspace(begin, end, count + 1)
            parts.append(part[:-1])
        return np.append(np.concatenate(parts), self.high)

    @cached_property
    def x(self) -> Floats:
        """Centres of the cells, (cells,)."""
        return 0.5 * (self.edges[1:] + self.edges[:-1])

    @cached_property
    def widths(self) -> Floats:
        """Lengths of the cells, (cells,)."""
        return np.full(self.cells, self.h) if self.uniform else np.diff(self.edges)

    @property
    def inside_edges(self) -> Floats:
        """Places just inside the left edge and the right edge of each cell, (2, cells)."""
        beside = BESIDE * 0.5 * self.widths
        return np.stack([self.edges[:-1] + beside, self.edges[1:] - beside])

    def locate(self, x: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
        """For places `x` from low to high: the cell, the place u in it, from 0 at its left edge to 1 at its right one in the
        coordinate in which all cells of the piece are equal, and du/dx (1/length), each of their shape."""
        x = np.asarray(x, dtype=np.float64)
        cell = np.clip(np.searchsorted(self.edges, x, side="right") - 1, 0, self.cells - 1)
        u, slope = np.asarray((x - self.edges[cell]) / self.widths[cell]), np.asarray(1.0 / self.widths[cell])
        for piece, end, length, power, sign in self._graded:
            here = (cell >= piece.start) & (cell < piece.stop)
            y, count = np.maximum(np.abs(x[here] - end), TINY), piece.stop - piece.start
            way = count * (y / length) ** (1.0 / power)  # cells from the end
            u[here] = way - (cell[here] - piece.start) if sign > 0.0 else (piece.stop - cell[here]) - way
            slope[here] = way / (power * y)
        return cell, np.clip(u, 0.0, 1.0), slope

    def places(self, u: Floats) -> Floats:
        """The places at `u` (nodes,) in each cell, (cells, nodes); the inverse of :meth:`locate`."""
        x = self.edges[:-1, None] + self.widths[:, None] * u
        for piece, end, length, power, sign in self._graded:
            count = piece.stop - piece.start
            way = np.arange(count)[:, None] + (u if sign > 0.0 else 1.0 - u[::-1])  # cells from the end
            part = end + sign * length * (way / count) ** power
            x[piece] = part if sign > 0.0 else part[::-1, ::-1]
        return x

    def piece_of(self, cell: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The first cell of the piece that each of the cells is in, and the one behind its last."""
        ends = np.cumsum([0, *self.counts]) if not self.uniform else np.array([0, self.cells])
        piece = np.searchsorted(ends, cell, side="right")
        return ends[piece - 1], ends[piece]

    @property
    def _graded(self) -> Iterator[tuple[slice, float, float, float, float]]:
        """Of each graded piece: its cells, the end that they crowd towards, its length, the power, and the direction inward."""
        pieces = list(self.pieces())
        for k, power, sign in ((0, self.powers[0], 1.0), (len(pieces) - 1, self.powers[1], -1.0)):
            if power != 1.0:
                ends = self.joints[k : k + 2]
                yield pieces[k], float(ends[0] if sign > 0.0 else ends[1]), float(np.diff(ends)[0]), power, sign

    def pieces(self) -> Iterator[slice]:
        """The cells of each piece between two breaks."""
        begin = 0
        for count in self.counts if not self.uniform else [self.cells]:
            yield slice(begin, begin + count)
            begin += count


def fewest_cells(pieces: int, coarsest: int = FEWEST) -> int:
    """The smallest number of cells of a grid of so many pieces."""
    return max(coarsest, 2 * _fewest_of_piece(pieces) * pieces)


def _fewest_of_piece(pieces: int) -> int:
    return 2 if pieces <= FEW_PIECES else 1


class Piecewise:
    """A function that is one polynomial spline on each piece of a grid."""

    def __init__(self, joints: Floats, splines: list[PPoly]) -> None:
        self._joints, self._splines = joints, splines

    @classmethod
    def through_centres(
        cls, grid: Grid, values: Floats, joints: Floats, spline: Callable[[Floats, Floats], PPoly]
    ) -> Piecewise:
        """The `spline` through `values` (cells,) at the centres of `grid` and those at its `joints` that are not NaN."""
        splines = []
        for k, part in enumerate(grid.pieces()):
            x = np.concatenate([grid.joints[k : k + 1], grid.x[part], grid.joints[k + 1 : k + 2]])
            y = np.concatenate([joints[k : k + 1], values[part], joints[k + 1 : k + 2]])
            known = np.isfinite(y)
            splines.append(spline(x[known], y[known]))
        return cls(grid.joints, splines)

    def __call__(self, x: ArrayLike) -> Floats:
        """The values at `x`, of their shape; at a break those of the piece to the right."""
        x = np.asarray(x, dtype=np.float64)
        if len(self._splines) == 1:
            return np.asarray(self._splines[0](x))
        piece = np.clip(np.searchsorted(self._joints, x, side="right") - 1, 0, len(self._splines) - 1)
        values = np.empty(x.shape)
        for k in np.unique(piece):
            values[piece == k] = self._splines[k](x[piece == k])
        return values
