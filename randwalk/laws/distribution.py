"""Where a walker is at one time."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..model.coefficient import Floats
from .estimate import stacked, values_of
from .expectation import expectation, over_box, rule
from .lookup import NoAnswer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DRAWN = {1: 801}  # places of an axis at which a density is drawn; of each axis of a map:
MAP = 201


class Distribution(ABC):
    """The probabilities of places at one time, whose total is the probability that the walker has not left.

    In one dimension a place is a number and arguments are flat arrays; beyond, a point is a tuple of flat arrays, and edges are
    a tuple of arrays, one an axis. The three abstract questions have no default; the others are answered from them: densities
    are integrated by quadrature (:mod:`randwalk.laws.expectation`).
    """

    @property
    @abstractmethod
    def bounds(self) -> tuple[tuple[float, float], ...]:
        """The ends of the domain along each axis, which may be infinite."""

    @abstractmethod
    def pdf(self, x: Any) -> Any:
        """The density at places; it integrates to the total."""

    @abstractmethod
    def mass(self, edges: Any) -> Any:
        """The probabilities of the bins between increasing `edges`, shape (bins,); beyond one dimension (bins of each axis)."""

    def cdf(self, x: Floats) -> Any:
        """The probability of the places up to `x` and `x` itself."""
        raise NoAnswer(
            f"cdf in {self.dimension} dimensions: places have no order; ask mass(edges, t), or marginal(axis).cdf(x, t)"
        )

    @property
    def dimension(self) -> int:
        return len(self.bounds)

    @property
    def ends(self) -> tuple[float, float]:
        """The ends of the domain in one dimension."""
        (ends,) = self.bounds
        return ends

    @property
    def span(self) -> tuple[tuple[float, float], ...]:
        """Along each axis, finite places between which all but about 1e-4 of the mass lies: what is drawn."""
        return self.bounds

    @property
    def places(self) -> tuple[Floats, ...]:
        """Places along each axis at which the density is drawn and tabulated."""
        return tuple(np.linspace(*ends, DRAWN.get(self.dimension, MAP)) for ends in self.span)

    def total(self) -> float:
        """The probability of all places together."""
        ends = tuple(np.array(pair) for pair in self.bounds)
        return float(np.sum(self.mass(ends[0] if self.dimension == 1 else ends)))

    def onto(self, axes: Sequence[int]) -> Distribution:
        """The distribution of some of the coordinates, in the given order."""
        return self if tuple(axes) == tuple(range(self.dimension)) else Margin(self, tuple(axes))

    def expect(self, f: Callable[..., ArrayLike]) -> Any:
        """E[f(X); alive] = ∫ f ρ dx; `f` takes an array for each coordinate."""
        if self.dimension > 1:
            return over_box(lambda *point: values_of(f, *point) * self.pdf(point), self.span)
        return expectation(lambda x: values_of(f, x), self.pdf, self.mass, self.span[0], self.ends)

    def mean(self) -> Any:
        """The mean place of the survivors, a number or an array of one an axis; NaN if there are none."""
        if self.dimension > 1:
            return stacked([self.onto((axis,)).mean() for axis in range(self.dimension)], (self.dimension,))
        total = self.total()
        return self.expect(lambda x: x) / total if total > 0.0 else float("nan")

    def variance(self) -> Any:
        """The variance of the place of the survivors, beyond one dimension their covariance matrix; NaN if there are none."""
        if self.dimension > 1:
            pairs = itertools.product(range(self.dimension), repeat=2)
            entries = [
                self.onto((a,)).variance() if a == b else self.onto((min(a, b), max(a, b))).covariance()
                for a, b in pairs
            ]
            return stacked(entries, (self.dimension,) * 2)
        total, mean = self.total(), float(self.mean())
        return self.expect(lambda x: (x - mean) ** 2) / total if total > 0.0 else float("nan")

    def covariance(self) -> Any:
        """The covariance of the two coordinates of the survivors in two dimensions; NaN if there are none."""
        total = self.total()
        if not total > 0.0:
            return float("nan")
        first, second = (float(self.onto((axis,)).mean()) for axis in (0, 1))
        return self.expect(lambda x, y: (x - first) * (y - second)) / total

    def bins(self) -> tuple[Floats, ...]:
        """Edges along each axis of bins that do not cut what cannot be divided."""
        return tuple(np.linspace(*ends, MAP + 1) for ends in self.span)

    def pieces(self) -> tuple[tuple[Floats, ...], Any]:
        """(edges along each axis, density on the pieces between them): what a map shows."""
        edges = self.bins()
        grid = np.meshgrid(*(0.5 * (e[1:] + e[:-1]) for e in edges), indexing="ij")
        return edges, self.pdf(tuple(x.ravel() for x in grid)).reshape(grid[0].shape)

    def draw(self, ax: Axes, **style: Any) -> None:
        """Draw the density along one axis on `ax`."""
        (x,) = self.places
        ax.plot(x, self.pdf(x), **style)

    def to_scipy(self) -> Any:
        """The survivors' distribution as a frozen one of :mod:`scipy.stats`."""
        self.check_one_dimension()
        from .scipy_form import Survivors

        return Survivors(self)()

    def check_one_dimension(self) -> None:
        """Refuse what SciPy has in one dimension alone."""
        if self.dimension > 1:
            raise NoAnswer(
                f"to_scipy in {self.dimension} dimensions: scipy.stats has no distribution of given probabilities there; ask "
                "pdf, mass and expect of the law, or to_scipy of marginal(axis)"
            )


@dataclass(frozen=True, eq=False)
class Margin(Distribution):
    """Some of the coordinates of a distribution: the others may be anywhere."""

    whole: Distribution
    axes: tuple[int, ...]

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return tuple(self.whole.bounds[axis] for axis in self.axes)

    @property
    def span(self) -> tuple[tuple[float, float], ...]:
        return tuple(self.whole.span[axis] for axis in self.axes)

    @property
    def _others(self) -> tuple[int, ...]:
        return tuple(axis for axis in range(self.whole.dimension) if axis not in self.axes)

    def pdf(self, x: Any) -> Any:
        """By Gauss–Legendre quadrature over the span of the other coordinates."""
        point = (x,) if self.dimension == 1 else x
        nodes, weights = rule([self.whole.span[axis] for axis in self._others])
        full = dict(zip(self.axes, (np.repeat(v, weights.size) for v in point), strict=True))
        full |= dict(zip(self._others, (np.tile(v, point[0].size) for v in nodes), strict=True))
        rho = self.whole.pdf(tuple(full[axis] for axis in range(self.whole.dimension)))
        return rho.reshape(point[0].size, weights.size) @ weights

    def mass(self, edges: Any) -> Any:
        own = dict(zip(self.axes, (edges,) if self.dimension == 1 else edges, strict=True))
        whole = [own.get(axis, np.array(ends)) for axis, ends in enumerate(self.whole.bounds)]
        found = np.asarray(self.whole.mass(tuple(whole)).sum(axis=self._others))
        kept = sorted(self.axes)
        return np.transpose(found, [kept.index(axis) for axis in self.axes])

    def cdf(self, x: Floats) -> Any:
        if self.dimension > 1:
            return super().cdf(x)
        low, high = self.ends
        inside = np.unique(np.clip(x, low, high))
        edges = np.unique(np.concatenate([[low], inside]))
        below = np.concatenate([[0.0], np.cumsum(self.mass(edges))]) if edges.size > 1 else np.zeros(1)
        return below[np.searchsorted(edges, np.clip(x, low, high))]

    def total(self) -> float:
        return self.whole.total()

    def onto(self, axes: Sequence[int]) -> Distribution:
        return self.whole.onto(tuple(self.axes[axis] for axis in axes))

    def expect(self, f: Callable[..., ArrayLike]) -> Any:
        return self.whole.expect(lambda *point: f(*(point[axis] for axis in self.axes)))
