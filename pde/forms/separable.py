"""Closed forms of separable problems: products of those in one dimension.

Where the drift along an axis depends on its own coordinate alone, D is diagonal, and walls and starts belong to single axes, the
coordinates are independent until the walker leaves: ρ = Π ρ_i and S = Π S_i, as accurate as their factors. It leaves through a
wall of axis i at the rate flux_i Π_{j≠i} S_j, which is integrated over time to about 1e-12.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial, reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from randwalk.laws.distribution import Distribution
from randwalk.laws.estimate import values_of
from randwalk.laws.expectation import over_box
from randwalk.model.coefficient import Floats, coordinate
from randwalk.model.domain import Face
from randwalk.model.start import Point, Sites

from ..equation import FokkerPlanck
from ..factors import NoClosedForm, factors
from ..factors import NotSeparable as NotSeparable
from .catalogue import form_on_axis
from .decay import decay
from .form import ClosedForm
from .green import VANISHED, gauss_legendre
from .normal_laws import atoms
from .space_form import SpaceForm
from .superposition import Superposition

WIDEST = 1.4  # of a panel in log t
AGREE = 1e-13  # agreement of a panel and its halves, as a probability
ROUNDS = 12  # of halving
EARLIEST = 1e-34  # of the last time: what happens earlier does not count
GONE = 1e-17  # survival that does not count
MOST_LEFT = 1.0 - 1e-6  # up to which 1 less what has left is exact enough beside the probability that it multiplies
REACH = 2.25  # spans of what is drawn, ± 4 standard deviations, that an integral covers


def separable(equation: FokkerPlanck) -> tuple[Separable, str]:
    """The product of closed forms of an equation in several dimensions, without killing, and its description.

    Raises
    ------
    NotSeparable
        naming the term that joins coordinates.
    NoClosedForm
        if a factor has no closed form.
    """
    factors = []
    for axis, factor in enumerate(axis_equations(equation)):
        try:
            law, description = form_on_axis(factor)
        except NoClosedForm as error:
            raise NoClosedForm(f"along {coordinate(axis)}: {error}") from None
        factors.append(ClosedForm(factor, description, law, 0.0))
    names = [factor.description for factor in factors]
    told = " × ".join(f"{name} ({coordinate(axis)})" for axis, name in enumerate(names))
    faces = [face for face in equation.domain.faces if face.wall.reactivity > 0.0]
    return Separable(tuple(factors), tuple(faces)), told


def axis_equations(equation: FokkerPlanck) -> tuple[FokkerPlanck, ...]:
    """The equations along the axes of which a separable one is the product, each in x, without killing."""
    return factors(equation)


@dataclass(frozen=True, eq=False)
class Separable(SpaceForm):
    """The product of closed forms along the axes; `faces` are those through which walkers leave."""

    factors: tuple[ClosedForm, ...]
    faces: tuple[Face, ...]

    @property
    def exits(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(face.exit for face in self.faces)

    def at(self, time: float, alive: float) -> ProductAt:
        return ProductAt(tuple(factor._at(time) for factor in self.factors), alive)

    def staying(self, time: float) -> float:
        return math.prod(factor.staying(time) for factor in self.factors)

    def flux(self, exit: str, t: Floats) -> Floats:
        face = next(face for face in self.faces if face.exit == exit)
        return self._rates(t, [face])[0]

    def absorbed(self, exit: str, t: Floats, killing: float) -> Floats:
        face = next(face for face in self.faces if face.exit == exit)
        if all(other.axis == face.axis for other in self.faces):  # the others never leave
            return self.factors[face.axis].law.absorbed(_side(face), t, killing)
        until = np.minimum(t, self._settled(killing) if np.isinf(t).any() else t)
        times = np.unique(until)
        passed = self._passed(tuple(times.tolist()), killing)[self.faces.index(face)]
        return passed[np.searchsorted(times, until)]

    @lru_cache(maxsize=4)  # noqa: B019  # a law asks for one exit after another
    def _passed(self, times: tuple[float, ...], killing: float) -> Floats:
        """The probabilities of having left through each face by increasing times, shape (faces, times)."""
        breaks = self._breaks(np.array(times))
        total = np.cumsum(self._integrals(breaks, killing), axis=1)
        return np.concatenate([np.zeros((len(self.faces), 1)), total], axis=1)[:, np.searchsorted(breaks, times)]

    def _rates(self, t: Floats, faces: Sequence[Face]) -> Floats:
        """The fluxes through faces at times of one dimension, shape (faces, times)."""
        axes = range(len(self.factors))
        needed = [axis for axis in axes if any(face.axis != axis for face in faces)]
        stay = {axis: self._staying(axis, t) for axis in needed}
        rates = []
        for face in faces:
            flux = _flux(self.factors[face.axis], _side(face), t)
            rates.append(flux * math.prod((stay[axis] for axis in axes if axis != face.axis), start=np.ones(t.size)))
        return np.array(rates)

    def _staying(self, axis: int, t: Floats) -> Floats:
        """The fractions that have not left along an axis at many times: 1 less what has left, where that loses no digits."""
        factor = self.factors[axis]
        if not factor.law.exits:
            return np.ones(t.size)
        if not isinstance(factor.equation.start, (Point, Sites)):
            return self._decay(axis, 2.0 ** math.ceil(math.log2(t.max())))(t)  # the same for panels and their halves
        left = np.minimum(sum(factor.law.absorbed(side, t, 0.0) for side in factor.law.exits), 1.0)
        few = left > MOST_LEFT
        stay = 1.0 - left
        stay[few] = [factor.staying(float(s)) for s in t[few]]
        return stay

    @lru_cache(maxsize=8)  # noqa: B019
    def _decay(self, axis: int, last: float) -> Callable[[Floats], Floats]:
        """The fraction that has not left along an axis by times up to the last one, from a spread start: of its fluxes, which
        cost a hundredth of it."""
        factor, faces = self.factors[axis], [face for face in self.faces if face.axis == axis]
        first = max(min((self._front(face) for face in faces), default=math.inf), EARLIEST * last)
        return decay([partial(_flux, factor, _side(face)) for face in faces], first, last)

    def _integrals(self, breaks: Floats, killing: float) -> Floats:
        """∫ of the fluxes through all faces between breaks, by Gauss's rule on panels in log t that are halved until it agrees,
        shape (faces, panels)."""

        def panels(edges: Floats) -> Floats:
            log_s, weights = gauss_legendre(edges)
            s = np.exp(log_s)
            flux = self._rates(s.ravel(), self.faces).reshape(-1, *s.shape)
            return (flux * np.exp(-killing * s) * s * weights).sum(axis=2)

        edges = np.log(breaks)
        low, high, owner = edges[:-1], edges[1:], np.arange(edges.size - 1)
        coarse, found = panels(edges), np.zeros((len(self.faces), edges.size - 1))
        for _ in range(ROUNDS):
            middle = 0.5 * (low + high)
            ends = np.unique(np.concatenate([low, middle, high]))
            fine = panels(ends)[:, np.searchsorted(ends, np.stack([low, middle], axis=1))]
            whole = fine.sum(axis=2)
            doubtful = (np.abs(whole - coarse) > AGREE).any(axis=0)
            np.add.at(found.T, owner[~doubtful], whole[:, ~doubtful].T)
            if not doubtful.any():
                return found
            low, high = (np.stack(pair, axis=1)[doubtful].ravel() for pair in ((low, middle), (middle, high)))
            owner, coarse = np.repeat(owner[doubtful], 2), fine[:, doubtful].reshape(len(self.faces), -1)
        np.add.at(found.T, owner, coarse.T)
        return found

    def _breaks(self, times: Floats) -> Floats:
        """The times, and ends of panels in log t before and between them, from the first time at which anybody leaves."""
        last = float(times[-1])
        first = max(min(self._front(face) for face in self.faces), EARLIEST * last)
        if first >= last:
            return np.unique(np.concatenate([[0.5 * float(times[0])], times]))
        count = 1 + math.ceil(math.log(last / first) / WIDEST)
        begin = min(first, 0.5 * float(times[0]))
        return np.unique(np.concatenate([[begin], np.geomspace(first, last, count + 1)[:-1], times]))

    def _front(self, face: Face) -> float:
        """A time before which the flux through a face is 0 in a double; infinite if it always is.

        Walkers come from a distance d at a speed v; the flux is 0 before (d - v s)² = 4D s × 745.
        """
        law = self.factors[face.axis].law
        assert isinstance(law, Superposition)  # of walls
        low, high = law.start.support
        distance = max((low - face.place) if face.inward > 0.0 else (face.place - high), 0.0)
        speed, reach = -face.inward * law.green.drift, 4.0 * law.green.diffusion * -VANISHED
        if reach + 4.0 * speed * distance < 0.0:
            return math.inf
        return (2.0 * distance / (math.sqrt(reach) + math.sqrt(reach + 4.0 * speed * distance))) ** 2

    def _settled(self, killing: float) -> float:
        """A time after which nobody leaves any more."""
        ever = self.staying(math.inf)
        time = max(min(self._front(face) for face in self.faces), 1e-300)
        while (self.staying(time) - ever) * math.exp(-killing * time) > GONE and time < 1e300:
            time *= 2.0
        return time


def _flux(factor: ClosedForm, side: str, t: Floats) -> Floats:
    """The flux through a wall of an axis at many times."""
    law = factor.law
    if not isinstance(factor.equation.start, (Point, Sites)):
        return law.flux(side, t)
    assert isinstance(law, Superposition)  # of walls
    places, weights = atoms(factor.equation.start)
    return sum((w * law.green.flux(side, t, y) for y, w in zip(places, weights, strict=True)), np.zeros(t.size))


def _side(face: Face) -> str:
    """The name of the wall of a face on its axis."""
    return "left" if face.inward > 0.0 else "right"


@dataclass(frozen=True, eq=False)
class ProductAt(Distribution):
    """Independent coordinates at one time, all probabilities times `share`."""

    factors: tuple[Distribution, ...]
    share: float

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return tuple(factor.bounds[0] for factor in self.factors)

    @property
    def span(self) -> tuple[tuple[float, float], ...]:
        return tuple(factor.span[0] for factor in self.factors)

    def pdf(self, x: Any) -> Floats:
        """Each coordinate once, because the points of a grid share theirs."""
        values = []
        for factor, v in zip(self.factors, self._axes(x), strict=True):
            own, number = np.unique(v, return_inverse=True)
            values.append(factor.pdf(own)[number])
        return self.share * reduce(np.multiply, values)

    def mass(self, edges: Any) -> Floats:
        masses = [factor.mass(e) for factor, e in zip(self.factors, self._axes(edges), strict=True)]
        return self.share * reduce(np.multiply.outer, masses)

    def cdf(self, x: Floats) -> Any:
        return self.share * self.factors[0].cdf(x) if self.dimension == 1 else super().cdf(x)

    def total(self) -> float:
        return self.share * math.prod(factor.total() for factor in self.factors)

    def onto(self, axes: Sequence[int]) -> Distribution:
        others = [factor.total() for axis, factor in enumerate(self.factors) if axis not in axes]
        return ProductAt(tuple(self.factors[axis] for axis in axes), self.share * math.prod(others))

    def mean(self) -> Any:
        means = [factor.mean() for factor in self.factors]
        return means[0] if self.dimension == 1 else np.array(means)

    def variance(self) -> Any:
        variances = [factor.variance() for factor in self.factors]
        return variances[0] if self.dimension == 1 else np.diag(variances)

    def covariance(self) -> float:
        return 0.0 if self.total() > 0.0 else math.nan

    def expect(self, f: Callable[..., ArrayLike]) -> Any:
        if self.dimension == 1:
            return self.share * self.factors[0].expect(f)
        return over_box(lambda *point: values_of(f, *point) * self.pdf(point), [_wide(v) for v in self.factors])

    def _axes(self, values: Any) -> tuple[Any, ...]:
        return (values,) if self.dimension == 1 else values


def _wide(factor: Distribution) -> tuple[float, float]:
    """Ends between which all of the mass along an axis lies, but for what does not count."""
    (low, high), (first, last) = factor.ends, factor.span[0]
    middle, half = 0.5 * (first + last), 0.5 * REACH * (last - first)
    return max(low, middle - half), min(high, middle + half)
