"""The cells of a solution in any number of dimensions: the product of a grid on every axis, in a padded array.

The array has one more cell at either end of every axis, where what has left by that face rests; what has left through the wall
of a region rests in the cells of the region, or, of a wall that cuts cells or stands before a face, in a drain.
:mod:`randwalk.pde.solver.chains` calls such an array with its drains, of which the last holds the mass that was killed, a state.

Walls that stand along cells are staircases; those of regions with a level that reflect, or absorb in part,
cut cells (:mod:`randwalk.pde.solver.cut_cells`). Walls that absorb need neither: steps that cross them are shorter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from randwalk.model.coefficient import Floats, Point
from randwalk.model.domain import Domain, Wall
from randwalk.model.region import Ball

from .chains import GONE
from .cut_cells import CutCells
from .grid import Grid

COARSEST: Final = 8  # cells of the axis with the most, down to which numbers of cells are halved
LEAST: Final = 6  # cells of any axis
LEAST_TIED: Final = {False: 2, True: 3}  # the same where a tensor asks the other axes for as many more, of rings too
ROUNDING: Final = 1e-9  # of a number of cells
PASSES: Final = 64  # after which no spacings are those that a tensor asks for


@dataclass(frozen=True, eq=False)
class Mesh:
    """The cells of a `domain` between the ends of its `axes`, a :class:`Grid` of each. Spacings are about in proportion to the
    `lengths`, but that 1/h_i ≥ Σ_j |D_ij|/D_ii/h_j with the `ties` |D_ij|/D_ii of a tensor at some places, (places, axes,
    axes), 0 for i = j: it then has directions with rates that are not negative. Walls of the `crossed` regions, which nearly
    absorb, are crossed where they stand."""

    axes: tuple[Grid, ...]
    domain: Domain
    lengths: tuple[float, ...] = (1.0,)
    ties: Floats | None = None
    crossed: tuple[int, ...] = ()

    @property
    def dimension(self) -> int:
        return len(self.axes)

    @property
    def grid(self) -> Grid:
        """The cells in one dimension."""
        if self.dimension > 1:
            raise AttributeError("a solution in several dimensions has a grid for each axis: ask solution.mesh.axes[0]")
        return self.axes[0]

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The numbers of cells of the axes."""
        return tuple(axis.cells for axis in self.axes)

    @property
    def cells(self) -> int:
        """The number of cells of the axis that has the most."""
        return max(self.shape)

    @cached_property
    def padded(self) -> tuple[int, ...]:
        return tuple(n + 2 for n in self.shape)

    @cached_property
    def size(self) -> int:
        """The number of cells of the padded array."""
        return math.prod(self.padded)

    @cached_property
    def strides(self) -> tuple[int, ...]:
        """The distances in the flat padded array of neighbours along each axis."""
        return tuple(math.prod(self.padded[a + 1 :]) for a in range(self.dimension))

    @property
    def spacings(self) -> tuple[float, ...]:
        return tuple(axis.h for axis in self.axes)

    @cached_property
    def edged(self) -> bool:
        """Whether edges stand on the breaks of coefficients; where none does, cells are equal."""
        return any(axis.breaks for axis in self.axes)

    @property
    def smallest_ball(self) -> float:
        """The diameter of the smallest ball in the window over the diagonal of a cell, if all axes were one cell of the axis with
        the most; inf without a ball. On its inverse as many cells none is missed."""
        low, high = np.array([(grid.low, grid.high) for grid in self.axes]).T
        leaves = (leaf for region in self.domain.regions for leaf in region.shape.leaves)
        balls = (leaf for leaf in leaves if isinstance(leaf, Ball))
        inside = (b.radius for b in balls if b.contains(tuple(np.clip(b.centre, low, high))))
        return 2.0 * min(inside, default=math.inf) / (float(np.linalg.norm(self.spacings)) * self.cells)

    @property
    def volume(self) -> float:
        """That of a cell, where all are equal."""
        return math.prod(self.spacings)

    @cached_property
    def volumes(self) -> Floats:
        """Those of the cells, or of their parts where mass can be, of a shape that broadcasts to theirs; not 0."""
        volumes: Floats = np.ones(())
        for a, axis in enumerate(self.axes):
            volumes = volumes * self.along(a, axis.widths)
        return volumes if self.cuts is None else np.where(self.live, self.cuts.parts, 1.0) * volumes

    @cached_property
    def centres(self) -> Point:
        """The centres of the cells, one array an axis, which broadcast."""
        return tuple(self.along(a, axis.x) for a, axis in enumerate(self.axes))

    def along(self, axis: int, values: Floats) -> Floats:
        """Values on one axis as an array that broadcasts over the others."""
        return values.reshape([-1 if a == axis else 1 for a in range(self.dimension)])

    def inner(self, state: Floats) -> Floats:
        """The cells of a state, a view of the :attr:`shape`."""
        return state[: self.size].reshape(self.padded)[(slice(1, -1),) * self.dimension]

    def masses(self, state: Floats) -> Floats:
        """The masses of a state where mass can be, 0 in regions: of the :attr:`shape`."""
        return np.where(self.live, self.inner(state), 0.0) if self.domain.regions else self.inner(state)

    @cached_property
    def index(self) -> NDArray[np.int64]:
        """The numbers of the cells in the flat padded array, of the :attr:`shape`."""
        whole: NDArray[np.int64] = np.arange(self.size).reshape(self.padded)
        return whole[(slice(1, -1),) * self.dimension]

    @cached_property
    def region(self) -> NDArray[np.int64]:
        """The number of the region that the centre of each cell is in, or all of it where walls of the region cut cells; -1 where
        mass can be; of the :attr:`shape`."""
        at = self.centres if self.dimension > 1 else self.axes[0].x
        found: NDArray[np.int64] = np.broadcast_to(self.domain.region_at(at), self.shape)
        if self.cuts is None:
            return found
        cut = self.cuts.parts > 0.0
        return np.where(cut & np.isin(found, self.cutting), -1, np.where(~cut & (found < 0), self.cuts.nearest, found))

    @cached_property
    def cutting(self) -> list[int]:
        """The numbers of the regions whose walls cut cells: of those with a level, if a corner of a cell is in them and they are
        not crossed."""
        corners, found = tuple(self.along(a, grid.edges) for a, grid in enumerate(self.axes)), []
        for number, (region, shape) in enumerate(zip(self.domain.regions, self.domain.sets, strict=True)):
            if math.isinf(region.wall.reactivity) or shape.level is None or number in self.crossed:
                continue
            with np.errstate(all="ignore"):
                found += [number] * bool((shape.level(corners) > 0.0).any())
        return found

    @cached_property
    def cuts(self) -> CutCells | None:
        return CutCells.of(self, self.cutting) if self.cutting else None

    @cached_property
    def covered(self) -> list[tuple[int, int, NDArray[np.int64]]]:
        """(axis, side 0 or -1, layer of cells): of all ends that are not joined the number of the region that a face before a
        cell is in, where the cell itself is not, and the wall does not cut it; -1 elsewhere."""
        regions, found = self.domain.regions, []
        known = [n for n, s in enumerate(self.domain.sets) if s.level is not None and n not in self.cutting]
        for axis, side, _ in self.faces() if regions else []:
            place = self.axes[axis].edges[[side]]
            point = tuple(self.along(axis, place) if a == axis else x for a, x in enumerate(self.centres))
            live = self.live[self.layer(axis, side)]
            at = np.broadcast_to(self.domain.region_at(point).take(0, axis), live.shape)
            found.append((axis, side, np.where(live & np.isin(at, known), at, -1)))
        return found

    def layer(self, axis: int, side: int) -> tuple[int | slice, ...]:
        """The index of the cells before an end of an axis."""
        return tuple(side if a == axis else slice(None) for a in range(self.dimension))

    @cached_property
    def drained(self) -> list[int]:
        """The regions of which some of what leaves does not come to a cell in them: through walls that cut cells, or that stand
        between a cell and a face. Of each a drain, before that of what is killed."""
        numbers = {*self.cutting, *(int(n) for _, _, at in self.covered for n in np.unique(at[at >= 0]))}
        return sorted(n for n in numbers if self.domain.regions[n].wall.reactivity > 0.0)

    @property
    def drains(self) -> list[int]:
        """The indices of the exits of the drains."""
        return [self.exits.index(self.domain.regions[number].name) for number in self.drained] + [len(self.exits) - 1]

    @property
    def states(self) -> int:
        """The number of numbers of a state."""
        return self.size + len(self.drained) + 1

    @cached_property
    def live(self) -> NDArray[np.bool_]:
        """Where mass can be, of the :attr:`shape`."""
        return self.region < 0

    @cached_property
    def open_region(self) -> NDArray[np.int64]:
        """The same of regions in which what has left rests."""
        opened = [n for n, r in enumerate(self.domain.regions) if r.wall.reactivity > 0.0 and n not in self.cutting]
        return np.where(np.isin(self.region, opened), self.region, -1)

    @property
    def exits(self) -> tuple[str, ...]:
        return self.domain.exits

    @cached_property
    def resting(self) -> list[tuple[int, NDArray[np.int64]]]:
        """(index of the exit, numbers of the cells) where what has left rests, but for drains."""
        found = []
        whole = np.arange(self.size).reshape(self.padded)
        for a in range(self.dimension):
            for side in (0, -1):
                at = tuple(side if b == a else slice(None) if b > a else slice(1, -1) for b in range(self.dimension))
                found.append((2 * a - side, whole[at].ravel()))
        for number, region in enumerate(self.domain.regions):
            if region.wall.reactivity > 0.0 and number not in self.cutting:
                found.append((self.exits.index(region.name), self.index[self.region == number]))
        return found

    def gone(self, state: Floats) -> Floats:
        """What has left by each of the exits, (exits,)."""
        if self.dimension == 1:
            return state[GONE]
        left = np.zeros(len(self.exits))
        left[self.drains] = state[self.size :]
        for exit, cells in self.resting:
            left[exit] += state[cells].sum()
        return left

    @cached_property
    def cut(self) -> NDArray[np.bool_]:
        """Which of the exits are ends of the window that are not walls, (exits,)."""
        cut = np.zeros(len(self.exits), dtype=bool)
        for a, axis in enumerate(self.axes):
            low, high = self.domain.bounds[a]
            beyond = axis.low < low, axis.high > high  # where a region is, and nobody comes
            walls = zip((axis.left, axis.right), beyond, strict=True)
            cut[2 * a : 2 * a + 2] = [wall is None and not axis.periodic and not out for wall, out in walls]
        return cut

    def faces(self) -> list[tuple[int, int, Wall | None]]:
        """(axis, side 0 or -1, wall) of all ends that are not joined."""
        ends = [(a, side, wall) for a, g in enumerate(self.axes) for side, wall in ((0, g.left), (-1, g.right))]
        return [end for end in ends if not self.axes[end[0]].periodic]

    def with_cells(self, cells: int) -> Mesh:
        """The mesh with `cells` on the axis that has the most, in the last place about as many; of half as many cells, down to
        :data:`COARSEST`, the edges are every second one. Where spacings are tied an axis has as many more as the others
        ask for. Ends that are cuts are moved out, so that spacings are in proportion to the `lengths`."""
        if self.dimension == 1:
            return replace(self, axes=(replace(self.axes[0], cells=cells),))
        coarse, factor = cells, 1
        while coarse % 2 == 0 and coarse // 2 >= COARSEST:
            coarse, factor = coarse // 2, 2 * factor
        wanted = [(g.high - g.low) / length for g, length in zip(self.axes, self.lengths, strict=True)]
        most = int(np.argmax(wanted))
        unit = (self.axes[most].high - self.axes[most].low) / (coarse * self.lengths[most])
        widths = np.array([grid.high - grid.low for grid in self.axes])
        cuts = [[not g.periodic and wall is None for wall in (g.left, g.right)] for g in self.axes]
        fewest = [max(LEAST if self.ties is None else LEAST_TIED[g.periodic], g.fewest) for g in self.axes]
        whole = np.array([not any(cut) for cut in cuts])
        counts = [max(n, round(coarse * share / wanted[most])) for n, share in zip(fewest, wanted, strict=True)]
        spacings = self._tied(np.where(whole, widths / counts, unit * np.array(self.lengths)), widths, whole)
        axes = []
        for grid, cut, n, width, h in zip(self.axes, cuts, fewest, widths.tolist(), spacings.tolist(), strict=True):
            count = max(n, math.ceil(width / h - ROUNDING))
            low, high = ((count * h - width) * own / sum(cut) if own else 0.0 for own in cut)
            axes.append(replace(grid, low=grid.low - low, high=grid.high + high, cells=factor * count))
        return replace(self, axes=tuple(axes))

    def _tied(self, spacings: Floats, widths: Floats, whole: NDArray[np.bool_]) -> Floats:
        """The largest spacings, no larger than those given, that the ties admit, of `whole` axes with a whole number of cells on
        their widths; those given where there are none."""
        if self.ties is None:
            return spacings
        least = 1.0 / spacings
        for _ in range(PASSES):
            asked = (self.ties @ least).max(axis=0)
            asked = np.where(whole, np.ceil(asked * widths * (1.0 - ROUNDING)) / widths, asked)
            if (asked <= least * (1.0 + ROUNDING)).all():
                return np.asarray(1.0 / least)
            least = np.maximum(least, asked)
        return spacings

    def with_ends(self, ends: Sequence[tuple[float, float]]) -> Mesh:
        """The mesh with axes between other ends."""
        moved = (replace(g, low=low, high=high) for g, (low, high) in zip(self.axes, ends, strict=True))
        return replace(self, axes=tuple(moved))
