"""A function of the starting place on a mesh."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from randwalk.inputs.arguments import finite_numbers
from randwalk.laws.lookup import points
from randwalk.laws.plotting import COLOURS, axes
from randwalk.model.coefficient import Floats

from ..equation import FokkerPlanck
from .grid import Grid
from .mesh import Mesh
from .splines import Curve, through_centres

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class BackwardSolution:
    """A function u of the starting place, at the centres of the cells of a mesh.

    Attributes
    ----------
    equation : FokkerPlanck
    mesh : Mesh
        The cells; in one dimension those of ``grid``.
    u : (cells,) array, in several dimensions (cells of each axis)
        NaN where a region is.
    joints : (pieces + 1,) array
        In one dimension u at walls and where coefficients break (``grid.joints``); NaN where it is not known better than from
        the cells. Empty in several.
    ranges : ((low, high), …)
        Along each axis, for which starts the solution is made, and where ``value`` answers; ``asked`` is the pair of one
        dimension.
    differences : (cells of each axis) array
        An estimate of the error at each cell.
    error_estimate : float
        Estimate of the largest error of u in that range (in the units of u); of :func:`randwalk.pde.backward` in several
        dimensions for the starts that it was asked for; of mean exit times and exit probabilities in
        several dimensions at places that are not nearer than an eighth of the width to two faces: where two faces meet that pay
        differently u jumps.
    quantity : str
        What u is.
    """

    equation: FokkerPlanck
    mesh: Mesh
    u: Floats
    joints: Floats
    ranges: tuple[tuple[float, float], ...]
    differences: Floats
    error_estimate: float
    quantity: str

    @classmethod
    def of(
        cls, equation: FokkerPlanck, mesh: Mesh, u: Floats, joints: Floats, asked: Any, quantity: str
    ) -> BackwardSolution:
        """A solution of unknown error, in several dimensions for starts anywhere on the mesh."""
        ranges = asked if mesh.dimension == 1 else tuple((grid.low, grid.high) for grid in mesh.axes)
        return cls(equation, mesh, u, joints, ranges, np.full(u.shape, math.nan), math.nan, quantity)

    def judged(self, error: float, at_cells: float | Floats | None = None) -> BackwardSolution:
        """The solution with an estimate of its largest error, and those `at_cells`: by default the same everywhere."""
        errors = np.array(np.broadcast_to(error if at_cells is None else at_cells, self.u.shape))
        return replace(self, differences=errors, error_estimate=error)

    @property
    def grid(self) -> Grid:
        """The cells in one dimension."""
        return self.mesh.grid

    @property
    def x(self) -> Any:
        """Centres of the cells, (cells,); in several dimensions a tuple of them, one an axis."""
        return self.grid.x if self.mesh.dimension == 1 else tuple(grid.x for grid in self.mesh.axes)

    @property
    def asked(self) -> Any:
        """The range of starts, (low, high); in several dimensions one an axis."""
        return self.ranges[0] if self.mesh.dimension == 1 else self.ranges

    def value(self, x: ArrayLike | tuple[ArrayLike, ...]) -> Floats:
        """u at the places `x`, of their shape, in several dimensions at a point, of the shape to which its coordinates broadcast:
        a cubic spline through the cells."""
        return self._at(x, self.curve)

    def error(self, x: ArrayLike | tuple[ArrayLike, ...]) -> Floats:
        """The estimated error of u at places."""
        unknown = np.full(self.joints.shape, math.nan)
        return np.abs(self._at(x, through_centres(self.mesh, self.differences, unknown, 1)))

    @cached_property
    def curve(self) -> Curve:
        """The spline, without a check of places."""
        return through_centres(self.mesh, self.u, self.joints)

    def _at(self, x: Any, curve: Curve) -> Floats:
        one = self.mesh.dimension == 1
        rows = isinstance(x, np.ndarray) and x.ndim > 0 and not one  # of an array, which has those of an axis in each
        flat, shape = points(tuple(x) if rows else x, self.mesh.dimension)
        given, places = tuple(finite_numbers("x", place) for place in ((flat,) if one else flat)), []
        for axis, place, (low, high) in zip(self.equation.domain.axes, given, self.ranges, strict=True):
            slack = 1e-9 * (high - low)
            if axis.periodic:
                first = low - slack
                place = first + np.mod(place - first, axis.high - axis.low)
            if not ((place >= low - slack) & (place <= high + slack)).all():
                made = "asked for" if one else "made"
                raise ValueError(
                    f"x = {place.min():g} … {place.max():g}: the solution was {made} from {low:g} to {high:g}; see over="
                )
            places.append(place)
        values = curve(tuple(places))
        if self.mesh.domain.regions:
            values = np.where(self.mesh.domain.region_at(given) < 0, values, math.nan)
        return values.reshape(shape)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw u over the starting place, in the plane as a map, on `ax` or on new axes, which are returned."""
        if self.mesh.dimension > 2:
            raise ValueError(f"a map has two axes and the domain {self.mesh.dimension}: draw value(x) along a line")
        ax = axes(ax)
        if self.mesh.dimension == 1:
            low, high = self.asked
            shown = (self.x >= low) & (self.x <= high)
            ax.plot(self.x[shown], self.u[shown], color=COLOURS["finite differences"], label="finite differences")
            ax.set(xlabel="start x", ylabel=self.quantity)
            ax.legend()
            return ax
        first, second = (grid.edges for grid in self.mesh.axes)
        drawn = ax.pcolormesh(first, second, self.u.T, cmap="cividis")
        ax.figure.colorbar(drawn, ax=ax, label=self.quantity)
        ax.set(xlabel="start x", ylabel="start y", aspect="equal")
        return ax

    def __repr__(self) -> str:
        ranges = " × ".join(f"{low:.4g} to {high:.4g}" for low, high in self.ranges)
        name, cells = "x" if self.mesh.dimension == 1 else "places", " × ".join(map(str, self.mesh.shape))
        return f"BackwardSolution({self.quantity} for {name} from {ranges}, {cells} cells, error ≈ {self.error_estimate:.1e})"
