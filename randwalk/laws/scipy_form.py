"""The survivors' places as distributions of :mod:`scipy.stats`, which takes long to import."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from ..model.coefficient import Floats
from .estimate import values_of

if TYPE_CHECKING:
    from .distribution import Distribution

HALVINGS = 60
NODES = 8  # of the quadrature in a step of a histogram
EXACT = 1e-13  # of the range that is drawn: how near the places are to those of the probabilities asked for


class Survivors(stats.rv_continuous):  # type: ignore[misc]
    """The place of a walker, given that it has not left."""

    def __init__(self, here: Distribution) -> None:
        self.here, self.total = here, here.total()
        super().__init__(a=here.ends[0], b=here.ends[1], name="survivors")

    def _updated_ctor_param(self) -> dict[str, Distribution]:
        """The arguments with which a frozen distribution makes its own copy."""
        return {"here": self.here}

    def _pdf(self, x: Floats) -> Floats:
        return self.here.pdf(np.ravel(x)).reshape(np.shape(x)) / self.total  # scipy's quadrature gives numbers

    def _cdf(self, x: Floats) -> Floats:
        return self.here.cdf(np.ravel(x)).reshape(np.shape(x)) / self.total

    @cached_property
    def _table(self) -> tuple[Floats, Floats]:
        """Places in order, those that are drawn and the ends, and the probabilities up to them."""
        (places,) = self.here.places
        x = np.unique(np.concatenate([places, self.here.ends]))
        return x, np.clip(self._cdf(x), 0.0, 1.0)

    def _ppf(self, q: Floats) -> Floats:
        """By Newton's method between neighbours of the table, by halving where it would leave them."""
        x, below = self._table
        wanted = np.ravel(q)
        right = np.clip(np.searchsorted(below, wanted), 1, x.size - 1)
        low, high = x[right - 1].copy(), x[right].copy()
        step = np.maximum(1.0, x[-2] - x[1])  # an end at infinity comes near by doubling
        for end, other, sign in ((low, high, -1.0), (high, low, 1.0)):
            reach = step
            while (far := np.isinf(end)).any():
                place = other[far] + sign * reach
                enough = sign * (self._cdf(place) - wanted[far]) >= 0.0
                enough |= reach > 1e3 * step
                end[np.flatnonzero(far)[enough]] = place[enough]
                reach *= 2.0
        now = 0.5 * (low + high)
        for _ in range(HALVINGS):
            above = self._cdf(now) - wanted
            low, high = np.where(above < 0.0, now, low), np.where(above < 0.0, high, now)
            with np.errstate(divide="ignore", invalid="ignore"):
                newton = now - above / self._pdf(now)
            inside = (newton > low) & (newton < high)
            following = np.where(inside, newton, 0.5 * (low + high))
            done = np.abs(following - now) <= EXACT * (x[-2] - x[1])
            now = following
            if done.all():
                break
        return now.reshape(np.shape(q))

    def _munp(self, n: int, *args: Any) -> float:
        return float(self.here.expect(lambda x: x**n)) / self.total

    def _stats(self) -> tuple[float, float, None, None]:
        return float(self.here.mean()), float(self.here.variance()), None, None


class Places(type(stats.rv_discrete(values=((0.0,), (1.0,))))):  # type: ignore[misc]  # SciPy names this class nowhere
    """Atoms of probabilities `p` at the places `x`, which are met to a few units of rounding."""

    def __new__(cls, x: Floats | None = None, p: Floats | None = None) -> Places:
        return object.__new__(cls)  # that of SciPy makes another class

    def __init__(self, x: Floats, p: Floats) -> None:
        self.x, self.p = x, p
        super().__init__(values=(x, p))
        self.slack = 4.0 * np.spacing(np.abs(x).max() + 1.0)
        self.a, self.b = self.xk[0] - self.slack, self.xk[-1] + self.slack
        self.sums = np.concatenate([[0.0], np.cumsum(self.pk)])
        self.sums[-1] = 1.0

    def _updated_ctor_param(self) -> dict[str, Floats]:
        return {"x": self.x, "p": self.p}

    def _pmf(self, x: Floats) -> Floats:
        at = np.minimum(np.searchsorted(self.xk, np.asarray(x) - self.slack), self.xk.size - 1)
        return np.where(np.abs(self.xk[at] - x) <= self.slack, self.pk[at], 0.0)

    def _cdf(self, x: Floats) -> Floats:
        return self.sums[np.searchsorted(self.xk, np.asarray(x) + self.slack, side="right")]

    def _ppf(self, q: Floats) -> Floats:
        return self.xk[np.minimum(np.searchsorted(self.sums[1:], q), self.xk.size - 1)]


def discrete(x: Floats, weights: Floats) -> Any:
    """The frozen distribution of the places `x` by their weights."""
    seen = weights > 0.0
    return Places(x[seen], weights[seen] / weights[seen].sum())()


class Histogram(stats.rv_histogram):  # type: ignore[misc]
    """Uniform between neighbouring `edges`, with these `weights`. SciPy's quadrature does not see all of many steps."""

    def __init__(self, weights: Floats, edges: Floats) -> None:
        self.weights, self.edges = weights, edges
        super().__init__((weights, edges), density=False)

    def _updated_ctor_param(self) -> dict[str, Floats]:
        return {"weights": self.weights, "edges": self.edges}

    def expect(
        self,
        func: Callable[..., ArrayLike] | None = None,
        args: tuple[()] = (),
        loc: float = 0.0,
        scale: float = 1.0,
        lb: float | None = None,
        ub: float | None = None,
        conditional: bool = False,
        **_: Any,
    ) -> float:
        """E[func(X); lb ≤ X ≤ ub], given that where `conditional`, step by step by Gauss–Legendre quadrature."""
        density = self.weights / (self.weights.sum() * np.diff(self.edges) * scale)
        low = -np.inf if lb is None else lb
        edges = np.clip(loc + scale * self.edges, low, np.inf if ub is None else max(ub, low))
        nodes, parts = np.polynomial.legendre.leggauss(NODES)
        middle, half = 0.5 * (edges[1:] + edges[:-1]), 0.5 * np.diff(edges)
        x = (middle[:, None] + half[:, None] * nodes).ravel()
        mass = density * half
        values = x if func is None else values_of(func, x)
        total = float(mass @ (values.reshape(-1, NODES) @ parts))
        return total / float(2.0 * mass.sum()) if conditional else total


def histogram(weights: Floats, edges: Floats) -> Any:
    """The frozen distribution that is uniform between neighbouring `edges`, with these weights."""
    return Histogram(weights, edges)()
