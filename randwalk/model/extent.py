"""Where a domain is, and the ways out of it: what its axes and the regions taken out of it say together."""

from __future__ import annotations

from functools import cached_property, reduce
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import common_shape, numbers
from ..inputs.wording import shown
from .coefficient import Coefficient
from .coefficient.extreme import minimum
from .region import Region
from .shape import Bounds, Inside, Shape, around, on_rings
from .wall import Face, face_names

if TYPE_CHECKING:
    from .domain import Axis

AxisPoint: TypeAlias = ArrayLike | tuple[ArrayLike, ...]


class Extent:
    """The places of a domain and its exits, from its axes (the domains of one dimension of which it is the product) and the
    regions that are taken out of it."""

    axes: tuple[Axis, ...]
    regions: tuple[Region, ...]

    @property
    def dimension(self) -> int:
        return len(self.axes)

    @property
    def faces(self) -> tuple[Face, ...]:
        """The ends of the axes that have a wall: the low before the high end, axis by axis."""
        return ()

    @cached_property
    def exits(self) -> tuple[str, ...]:
        """The names of the ways out, in the order of the columns of arrays: the low and the high end of every axis, the
        regions whose wall does not reflect, "killing". An exit that no walker can take (a reflecting wall, no wall, no
        killing) has a column of zeros.

        >>> from randwalk.model.domain import Line, Ring
        >>> Line().exits
        ('left', 'right', 'killing')
        >>> (Ring(0.0, 1.0) * Line()).exits
        ('left', 'right', 'bottom', 'top', 'killing')
        """
        ends = [name for axis in range(self.dimension) for name in face_names(axis)]
        return (*ends, *(region.name for region in self._open_regions), "killing")

    @property
    def _open_regions(self) -> list[Region]:
        return [region for region in self.regions if region.wall.reactivity > 0.0]

    def face(self, exit: str) -> Face | None:
        """The face of an exit; None where no wall stands, and for regions and "killing"."""
        return next((face for face in self.faces if face.exit == exit), None)

    def open_exits(self, killed: bool) -> tuple[str, ...]:
        """The exits that walkers can take: those of the walls that do not reflect, and "killing" if walkers are `killed`."""
        walls = [face.exit for face in self.faces if face.wall.reactivity > 0.0]
        return (*walls, *(region.name for region in self._open_regions), *(["killing"] if killed else []))

    def exit(self, name: str, argument: str = "wall") -> int:
        """The index of the exit `name` in :attr:`exits`. ValueError for another name, or an end of this domain without a
        wall; `argument` is the name of the argument in the message."""
        if not isinstance(name, str) or name not in self.exits:
            if any(region.name == name for region in self.regions):
                raise ValueError(f"{argument} = {name!r}: nobody leaves there, because its wall reflects")
            raise ValueError(f"{argument} = {shown(name)}: must be one of {', '.join(map(repr, self.exits))}")
        index = self.exits.index(name)
        if index < 2 * self.dimension and self.face(name) is None:
            raise ValueError(f"{argument} = {name!r}: {self} has no wall there")
        return index

    @cached_property
    def bounds(self) -> Bounds:
        """(low, high) of each axis, between which all points of the domain lie; regions are considered as far as their
        bounds are known.

        >>> from randwalk.model.domain import Line
        >>> from randwalk.model.region import Ball
        >>> (Line() ** 2).inside(Ball((0.0, 1.0), 2.0)).bounds
        ((-2.0, 2.0), (-1.0, 3.0))
        """
        kept = [(~shape).bounds for shape in self.sets]
        ends = []
        for i, axis in enumerate(self.axes):
            limits = [(axis.low, axis.high), *(bounds[i] for bounds in kept if i < len(bounds))]
            ends.append((max(low for low, _ in limits), min(high for _, high in limits)))
        return tuple(ends)

    @cached_property
    def sets(self) -> tuple[Shape, ...]:
        """The shapes of the regions as sets in this domain: with what reaches across the ends of a ring."""
        turns = [axis.high - axis.low if axis.periodic else None for axis in self.axes]
        return tuple(on_rings(region.shape, turns) for region in self.regions)

    @property
    def moves(self) -> bool:
        """Whether a wall moves; places, bounds and what the domain contains are then those at t = 0."""
        return any(leaf.moves for region in self.regions for leaf in region.shape.leaves)

    def contains(self, point: AxisPoint) -> Inside:
        """Whether points are in the domain, its ends included and its regions not: bool, of the shape that the arrays of
        coordinates broadcast to.

        >>> from randwalk.model.domain import Interval, Line, Reflecting
        >>> (Interval(0.0, 1.0, Reflecting(), Reflecting()) * Line()).contains(([0.5, 1.5], 7.0))
        array([ True, False])
        """
        given = self._coordinates(point)
        inside = [(x >= axis.low) & (x <= axis.high) for x, axis in zip(given, self.axes, strict=True)]
        return reduce(np.logical_and, inside) & (self.region_at(point) < 0)

    def region_at(self, point: AxisPoint) -> NDArray[np.int64]:
        """The number in :attr:`regions` of the first region that a point is in, -1 where there is none: of the shape that the
        arrays of coordinates broadcast to. A point on the boundary is in the region if the wall there absorbs, which stands on
        sites, and else not."""
        given = self._coordinates(point)
        found = np.full(np.broadcast_shapes(*(x.shape for x in given)), -1)
        for i, (region, shape) in reversed(list(enumerate(zip(self.regions, self.sets, strict=True)))):
            at, there = around(shape.bounds, given)
            found[at] = np.where(shape.touches(there) if region.wall.on_site else shape.contains(there), i, found[at])
        return found

    @cached_property
    def distance(self) -> Coefficient | None:
        """The signed distance to the nearest wall (length), positive inside and negative outside; None if a region has no
        known distance, and where no wall stands at all."""
        regions = [(~shape).distance for shape in self.sets]
        known = [d for d in (*(face.distance for face in self.faces), *regions) if d is not None]
        return minimum(*known) if known and None not in regions else None

    def _coordinates(self, point: AxisPoint) -> tuple[NDArray[np.float64], ...]:
        given = point if isinstance(point, tuple) else (point,)
        if len(given) != self.dimension:
            raise ValueError(
                f"point = {shown(point)}: {self} has {self.dimension} axes; give a tuple of as many arrays"
            )
        coordinates = tuple(numbers("point", x) for x in given)
        common_shape("point", coordinates)
        return coordinates
