"""What distributions on the pieces of a product grid share."""

from __future__ import annotations

from ..model.coefficient import Floats
from ..model.domain import Axis
from .distribution import Distribution


class Gridded(Distribution):
    """A distribution on the products of pieces between `edges` along `axes`."""

    edges: tuple[Floats, ...]
    axes: tuple[Axis, ...]

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return tuple((axis.low, axis.high) for axis in self.axes)

    @property
    def span(self) -> tuple[tuple[float, float], ...]:
        return tuple((float(edges[0]), float(edges[-1])) for edges in self.edges)

    @property
    def places(self) -> tuple[Floats, ...]:
        return tuple(0.5 * (edges[1:] + edges[:-1]) for edges in self.edges)
