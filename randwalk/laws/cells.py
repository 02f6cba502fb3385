"""A density that is constant on the cells of a product grid."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..model.coefficient import Floats
from ..model.domain import Axis
from .binning import each_axis, on_axis, parts, pieces
from .estimate import values_of
from .gridded import Gridded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NODES, WEIGHTS = np.polynomial.legendre.leggauss(5)


@dataclass(frozen=True, eq=False)
class Cells(Gridded):
    """A density that is constant on each of the pieces between `edges`.

    Attributes
    ----------
    edges : tuple of arrays
        Along each axis, increasing.
    density : array of shape (pieces of each axis)
    axes : tuple of domains in one dimension
        On a ring, places one turn apart are the same.
    """

    edges: tuple[Floats, ...]
    density: Floats
    axes: tuple[Axis, ...]

    @property
    def masses(self) -> Floats:
        """The probability of each piece."""
        return each_axis(self.density, lambda axis, values: self._widths(axis, values) * values)

    def _widths(self, axis: int, values: Floats) -> Floats:
        return np.diff(self.edges[axis]).reshape(-1, *(1,) * (values.ndim - 1))

    def pdf(self, x: Any) -> Floats:
        return on_pieces(self.edges, self.density, x, self.axes)

    def cdf(self, x: Floats) -> Floats:
        if self.dimension > 1:
            return np.asarray(super().cdf(x))
        return np.interp(x, self.edges[0], np.append(0.0, np.cumsum(self.masses)))

    def mass(self, edges: Any) -> Floats:
        cut = (edges,) if self.dimension == 1 else edges
        return each_axis(self.density, lambda axis, values: parts(self.edges[axis], values, cut[axis]))

    def total(self) -> float:
        return float(self.masses.sum())

    def onto(self, axes: Sequence[int]) -> Cells:
        kept = tuple(self.edges[axis] for axis in axes)
        mass = summed(self.masses, axes)
        density = mass
        for number, edges in enumerate(kept):
            density = np.moveaxis(np.moveaxis(density, number, -1) / np.diff(edges), -1, number)
        return Cells(kept, density, tuple(self.axes[axis] for axis in axes))

    def expect(self, f: Callable[..., ArrayLike]) -> float:
        """By five Gauss–Legendre nodes a piece and axis: exact for polynomials of degree 9 in each coordinate."""
        half = [0.5 * np.diff(edges) for edges in self.edges]
        nodes = [(x[:, None] + h[:, None] * NODES).ravel() for x, h in zip(self.places, half, strict=True)]
        weights = [(h[:, None] * WEIGHTS).ravel() for h in half]
        total = 0.0
        for piece, row in enumerate(self.density):  # a slab of the first axis at a time, for the memory
            here = slice(piece * NODES.size, (piece + 1) * NODES.size)
            grid = np.meshgrid(nodes[0][here], *nodes[1:], indexing="ij")
            rho = row[None]
            for axis in range(1, self.dimension):
                rho = np.repeat(rho, NODES.size, axis=axis)
            values = np.where(rho > 0.0, rho * values_of(f, *(x.ravel() for x in grid)).reshape(grid[0].shape), 0.0)
            for weight in reversed((weights[0][here], *weights[1:])):
                values = values @ weight
            total += float(values)
        return total

    def pieces(self) -> tuple[tuple[Floats, ...], Floats]:
        return self.edges, self.density

    def draw(self, ax: Axes, **style: Any) -> None:
        ax.stairs(self.density, *self.edges, **style)

    def to_scipy(self) -> Any:
        self.check_one_dimension()
        from .scipy_form import histogram

        return histogram(self.masses, *self.edges)


def on_pieces(edges: tuple[Floats, ...], values: np.ndarray, x: Any, axes: tuple[Axis, ...]) -> np.ndarray:
    """The value of the piece that each of the places lies on; 0 outside. On a ring, places one turn apart are the same."""
    point = (x,) if len(edges) == 1 else x
    inside, index = np.ones(point[0].shape, dtype=bool), []
    for e, given, axis in zip(edges, point, axes, strict=True):
        place = on_axis(axis, given)
        inside &= (place >= e[0]) & (place <= e[-1])
        index.append(pieces(e, place))
    return np.where(inside, values[tuple(index)], 0)


def summed(values: np.ndarray, axes: Sequence[int]) -> np.ndarray:
    """Sums over all axes but some, which are put in the given order."""
    letters = string.ascii_letters[: values.ndim]
    return np.asarray(np.einsum(f"{letters}->{''.join(letters[axis] for axis in axes)}", values))
