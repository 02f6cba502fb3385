"""Normal laws on the plane and in space: a drift affine in the place and a constant tensor D, or both functions of time alone.

With dX = (c + A X) dt + √(2D) dW a walker from y is at time t normal with the mean m(t) + E(t) y, E = exp(At),
m = ∫ exp(As) c ds, and the covariance Σ(t) = ∫ exp(As) 2D exp(Aᵀs) ds. For a short s these are blocks of the exponentials of two
matrices (Van Loan, IEEE Trans. Automat. Contr. 23, 395, 1978), and E(2s) = E(s)², m(2s) = m + Em, Σ(2s) = Σ + EΣEᵀ lead on to t
without cancellation. Normal starts add E Σ₀ Eᵀ, and atoms are summed. The masses of boxes are integrals over all coordinates but
the last, whose conditional law is normal; their error is about 1e-14.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, special

from randwalk.inputs.memory import require
from randwalk.laws.distribution import Distribution
from randwalk.laws.estimate import values_of
from randwalk.laws.expectation import over_box
from randwalk.laws.lookup import NoAnswer
from randwalk.model.coefficient import Coefficient, Floats, constant_value, coordinate
from randwalk.model.domain import Line
from randwalk.model.start import Atoms, Normal, Point, Sites, Start
from randwalk.model.tensor import Tensor

from ..equation import FokkerPlanck
from .form import NoClosedForm
from .green import WIDE, gauss_legendre, normal_between
from .normal_laws import atoms
from .quadrature import integral
from .space_form import SpaceForm

REACH = 9.0  # standard deviations of a normal law that an integral covers: 1e-19 lies beyond
PANEL = 1.5  # standard deviations to a panel of 16 Gauss nodes
OF_A_NODE = 40.0  # bytes of a node and the last axis's bin
SINGULAR = 1e-13  # of the largest eigenvalue: a smaller one is none
WIDEST = 1e150  # a standard deviation whose square is a double
SHORT = 0.5  # of the norm of As, for a short time s


def normal_in_space(equation: FokkerPlanck) -> tuple[NormalInSpace, str]:
    """The normal law of an equation on the plane or in space, without killing, and its description.

    Raises
    ------
    NoClosedForm
        naming the property that stands in the way.
    """
    domain = equation.domain
    if domain.regions or not all(isinstance(axis, Line) for axis in domain.axes):
        raise NoClosedForm(
            f"{domain}: coordinates that are joined have a closed form on the whole space alone, or without drift in a ball"
        )
    means, weights, covariance = _start(equation.start)
    moving = _moving(equation)
    if equation.diffusion.matrix is not None and moving is None:
        drift = [affine_in(a, domain.dimension) for a in equation.drift]
        for i, (parts, given) in enumerate(zip(drift, equation.drift, strict=True)):
            if parts is None:
                raise NoClosedForm(f"drift[{i}] = {given}: a closed form needs a drift affine in the place")
        intercept, slopes = (np.array(v) for v in zip(*drift, strict=True))
        return NormalInSpace(
            Linear(intercept, slopes, equation.diffusion.matrix), means, weights, covariance
        ), "normal law, affine drift"
    if moving is None:
        raise NoClosedForm(
            f"diffusion = {equation.diffusion.rows}: a closed form needs constants, or drift and D of time alone"
        )
    return NormalInSpace(moving, means, weights, covariance), "normal law, integrated drift and diffusion"


def affine_in(coefficient: Coefficient, dimension: int) -> tuple[float, tuple[float, ...]] | None:
    """(value at the origin, slopes) of a coefficient that is affine in the place and does not depend on time, else None.

    >>> from randwalk import expression
    >>> affine_in(expression("1 - 2*x + 3*y"), 2)
    (1.0, (-2.0, 3.0))
    """
    if coefficient.depends_on_t:
        return None
    try:
        slopes = [constant_value(coefficient.derivative(coordinate(i))) for i in range(dimension)]
    except ValueError:  # a jump, or an opaque function
        return None
    if any(slope is None for slope in slopes):
        return None
    return float(coefficient((0.0,) * dimension)), tuple(slope for slope in slopes if slope is not None)


def _start(start: Start) -> tuple[Floats, Floats, Floats]:
    """Means (atoms, d), weights (atoms,) and the covariance (d, d) of a start by atoms and normal laws."""
    if isinstance(start, Atoms):
        return np.array(start.points), np.array(start.masses), np.zeros((start.dimension,) * 2)
    places, masses, variances = [], [], []
    for factor in start.factors or (start,):
        if not isinstance(factor, (Point, Sites, Normal)):
            raise NoClosedForm(
                f"start = {start}: where coordinates are joined, a closed form needs points, atoms or normal starts"
            )
        at, weights = (np.array([factor.mean]), np.ones(1)) if isinstance(factor, Normal) else atoms(factor)
        places.append(at)
        masses.append(weights)
        variances.append(factor.sd**2 if isinstance(factor, Normal) else 0.0)
    grid = np.meshgrid(*places, indexing="ij")
    return np.stack([x.ravel() for x in grid], axis=-1), reduce(np.multiply.outer, masses).ravel(), np.diag(variances)


def atoms_in_space(start: Start) -> tuple[Floats, Floats]:
    """The points (atoms, d) and masses (atoms,) of a start by atoms."""
    means, weights, spread = _start(start)
    if spread.any():
        raise NoClosedForm(f"start = {start}: here a closed form needs points or atoms")
    return means, weights


class Motion(ABC):
    """How a normal law moves and spreads."""

    @abstractmethod
    def at(self, t: float) -> tuple[Floats, Floats, Floats]:
        """(m, E, Σ) at a time: m (d,), E and Σ (d, d)."""


@dataclass(frozen=True, eq=False)
class Linear(Motion):
    """The drift intercept + slopes·x (slopes (d, d)) and a constant D, `diffusion` (d, d)."""

    intercept: Floats
    slopes: Floats
    diffusion: Floats

    def at(self, t: float) -> tuple[Floats, Floats, Floats]:
        size = float(np.abs(self.slopes).sum(axis=1).max()) * t
        doublings = max(0, math.ceil(math.log2(size / SHORT))) if size > SHORT else 0
        s, d = t / 2.0**doublings, self.intercept.size
        moved = linalg.expm(s * np.block([[self.slopes, self.intercept[:, None]], [np.zeros((1, d + 1))]]))
        turn, mean = moved[:d, :d], moved[:d, d]
        spread = linalg.expm(
            np.block([[-s * self.slopes, 2.0 * self.diffusion], [np.zeros((d, d)), s * self.slopes.T]])
        )
        covariance = s * (turn @ spread[:d, d:])
        for _ in range(doublings):
            with np.errstate(over="ignore", invalid="ignore"):
                mean, covariance = mean + turn @ mean, covariance + turn @ covariance @ turn.T
                turn = turn @ turn
        if not np.abs(covariance).max() < WIDEST:
            raise ValueError(
                f"t = {t:g}: with the slopes {self.slopes.tolist()} of the drift the law is wider than any double"
            )
        return mean, turn, 0.5 * (covariance + covariance.T)


@dataclass(frozen=True, eq=False)
class Moving(Motion):
    """A drift and a D of time alone."""

    drift: tuple[Coefficient, ...]
    diffusion: Tensor

    def at(self, t: float) -> tuple[Floats, Floats, Floats]:
        axes = range(len(self.drift))
        mean = np.array([integral(a, t) for a in self.drift])
        return (
            mean,
            np.eye(mean.size),
            np.array([[2.0 * integral(self.diffusion[i, j], t) for j in axes] for i in axes]),
        )


def _moving(equation: FokkerPlanck) -> Moving | None:
    """The motion of an equation whose coefficients depend on time alone, and do depend on it."""
    drift, diffusion = equation.declared_drift, equation.diffusion
    seen = frozenset().union(*(c.variables for c in (*drift, *diffusion.entries)))
    return Moving(drift, diffusion) if seen == {"t"} else None


@dataclass(frozen=True, eq=False)
class NormalInSpace(SpaceForm):
    """Normal laws from atoms at `means` (atoms, d) with `weights`, spread at first by `covariance` (d, d)."""

    motion: Motion
    means: Floats
    weights: Floats
    covariance: Floats

    def at(self, time: float, alive: float) -> NormalAt:
        mean, turn, spread = self.motion.at(time)
        return NormalAt(mean + self.means @ turn.T, self.weights, spread + turn @ self.covariance @ turn.T, alive, time)


@dataclass(frozen=True, eq=False)
class NormalAt(Distribution):
    """Normal laws of one `spread` (d, d) around `means` (atoms, d), with `weights`, all times `share`, at one time."""

    means: Floats
    weights: Floats
    spread: Floats
    share: float
    time: float

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return ((-math.inf, math.inf),) * self.means.shape[1]

    @property
    def span(self) -> tuple[tuple[float, float], ...]:
        low, high = self.means.min(axis=0) - 4.0 * self._sd, self.means.max(axis=0) + 4.0 * self._sd
        return tuple(zip(low.tolist(), high.tolist(), strict=True))

    @cached_property
    def _sd(self) -> Floats:
        return np.sqrt(np.diag(self.spread))

    @cached_property
    def _factor(self) -> Floats:
        """The lower triangular L of the correlations L Lᵀ."""
        scale = np.where(self._sd > 0.0, self._sd, 1.0)
        correlation = self.spread / np.outer(scale, scale)
        if np.linalg.eigvalsh(correlation)[0] <= SINGULAR:
            raise NoAnswer(
                f"t = {self.time:g}: no noise reaches some direction, in which the law has no density (covariance "
                f"{self.spread.tolist()}); mean and variance are answered"
            )
        return np.linalg.cholesky(correlation)

    def pdf(self, x: Any) -> Floats:
        point = np.stack([x] if self.dimension == 1 else x)
        size = (2.0 * math.pi) ** (0.5 * self.dimension) * float(np.prod(self._sd * np.diag(self._factor)))
        values = np.zeros(point.shape[1])
        for mean, weight in zip(self.means, self.weights, strict=True):
            z = linalg.solve_triangular(
                self._factor, (point - mean[:, None]) / self._sd[:, None], lower=True, check_finite=False
            )
            values += weight * np.exp(-0.5 * (z * z).sum(axis=0))
        return values * (self.share / size)

    def cdf(self, x: Floats) -> Any:
        if self.dimension > 1:
            return super().cdf(x)
        return self.share * special.ndtr((x[:, None] - self.means[:, 0]) / self._sd[0]) @ self.weights

    def mass(self, edges: Any) -> Floats:
        given = [edges] if self.dimension == 1 else edges
        masses = (
            weight * self._boxes([(e - m) / sd for e, m, sd in zip(given, mean, self._sd, strict=True)])
            for mean, weight in zip(self.means, self.weights, strict=True)
        )
        return self.share * reduce(np.add, masses)

    def _boxes(self, edges: Sequence[Floats]) -> Floats:
        """The masses of the standardised law in boxes: Gauss's rule over all coordinates but the last."""
        correlation = self._factor @ self._factor.T
        known, last = correlation[:-1, :-1], correlation[-1, :-1]
        slopes = np.linalg.solve(known, last)
        rest = float(self._factor[-1, -1])
        inverse = np.linalg.inv(known)
        nodes, sums = [], []
        for i, along in enumerate(edges[:-1]):
            width = PANEL * min(1.0 / math.sqrt(inverse[i, i]), rest / max(abs(slopes[i]), 1e-300))
            at, weights = _bins(along, width)
            nodes.append(at)
            sums.append(weights)
        count = math.prod(at.size for at in nodes)
        require(
            OF_A_NODE * count * edges[-1].size, f"masses of boxes by {count} nodes", "ask for fewer bins, or marginals"
        )
        grid = np.stack(np.meshgrid(*nodes, indexing="ij")) if nodes else np.zeros((0,))
        density = np.exp(-0.5 * np.einsum("i...,ij,j...->...", grid, inverse, grid)) if nodes else np.ones(())
        density = density / math.sqrt((2.0 * math.pi) ** len(nodes) * np.linalg.det(known))
        centre = np.tensordot(slopes, grid, axes=(0, 0)) if nodes else np.zeros(())
        z = np.clip((edges[-1] - centre[..., None]) / rest, -WIDE, WIDE)
        values = density[..., None] * normal_between(z[..., :-1], z[..., 1:])
        for axis, weights in enumerate(sums):
            values = np.moveaxis(np.tensordot(weights, values, axes=(1, axis)), 0, axis)
        return np.asarray(values)

    def total(self) -> float:
        return self.share

    def onto(self, axes: Sequence[int]) -> NormalAt:
        kept = list(axes)
        return NormalAt(self.means[:, kept], self.weights, self.spread[np.ix_(kept, kept)], self.share, self.time)

    def mean(self) -> Any:
        mean = self.weights @ self.means
        return mean if self.dimension > 1 else float(mean[0])

    def variance(self) -> Any:
        apart = self.means - self.weights @ self.means
        whole = self.spread + (self.weights * apart.T) @ apart
        return whole if self.dimension > 1 else float(whole[0, 0])

    def expect(self, f: Callable[..., ArrayLike]) -> Any:
        if self.dimension == 1:
            return super().expect(f)
        turn, size = self._sd[:, None] * self._factor, (2.0 * math.pi) ** (0.5 * self.dimension)

        def value(mean: Floats) -> float:
            def integrand(*z: Floats) -> Floats:
                w = np.stack(z)
                return values_of(f, *(mean[:, None] + turn @ w)) * np.exp(-0.5 * (w * w).sum(axis=0)) / size

            return over_box(integrand, [(-REACH, REACH)] * self.dimension)

        return self.share * float(self.weights @ [value(mean) for mean in self.means])


def _bins(edges: Floats, width: float) -> tuple[Floats, Floats]:
    """Nodes on panels no wider than `width` in the bins between `edges`, and their weights in each bin, (bins, nodes)."""
    clipped = np.clip(edges, -REACH, REACH)
    panels = [
        np.linspace(low, high, 1 + max(1, math.ceil((high - low) / width)))
        for low, high in pairwise(clipped)
        if high > low
    ]
    if not panels:
        return np.zeros(0), np.zeros((edges.size - 1, 0))
    nodes, weights = (v.ravel() for v in gauss_legendre(np.unique(np.concatenate(panels))))
    place = np.searchsorted(clipped, nodes, side="right") - 1
    return nodes, np.where(place == np.arange(edges.size - 1)[:, None], weights, 0.0)
