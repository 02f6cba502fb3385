"""Closed forms in a disc or a ball, in any number of dimensions: no drift, constant isotropic D, any wall, start anywhere inside.

Lengths are in radii R and τ = Dt/R². Late, the law is a sum of eigenfunctions (:mod:`randwalk.pde.forms.modes`): survival,
absorption and moments from τ = 1e-7 on, to about 1e-13, and densities and those of one coordinate from τ = 1.2e-3 on, to about
1e-12 of the largest; masses of bins in space, whose edges cut discs, to about 1e-7. Early,
the wall is flat on the scale of √(Dt): the distance from the wall moves as on a half-line, with the drift (d - 1)D/R of the
distance from the centre, and the direction as on the plane. That is exact where walkers have not met the wall, and densities of
those that have are off by a part of about √τ.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike
from scipy import special

from randwalk.laws.distribution import Distribution, Margin
from randwalk.laws.estimate import values_of
from randwalk.model.coefficient import ZERO, Floats
from randwalk.model.domain import Line
from randwalk.model.region import Ball, Region

from ..equation import FokkerPlanck
from .affine import atoms_in_space
from .chords import chords
from .cumulative import Cumulative
from .form import NoClosedForm
from .green import HalfLine, gauss_legendre
from .modes import LAST, Degree, modes_of, sphere, zonal
from .space_form import SpaceForm

FINEST = 200.0  # α of the modes of a density
FINEST_OF_FEW = 2e4  # α of the modes of degrees 0, 1 and 2, which carry survival and moments
WIDE = 9.0  # standard deviations of the free displacement that are looked at
PANEL = 3.0  # standard deviations of the free displacement to a panel of 16 Gauss nodes
SMALL = 1e-17  # of the largest: degrees that add less to a density are left out
POINTS = 2000  # of a density at a time


def radial(equation: FokkerPlanck) -> tuple[Radial, str]:
    """The law in a disc or ball, without killing, and its description.

    Raises
    ------
    NoClosedForm
        naming the property that stands in the way.
    """
    domain, diffusion = equation.domain, equation.diffusion
    ball, region = _ball(equation)
    matrix = diffusion.matrix
    if matrix is None or not (diffusion.diagonal and np.all(np.diag(matrix) == matrix[0, 0])):
        raise NoClosedForm(
            f"diffusion = {diffusion.rows}: in a ball a closed form needs a constant, isotropic diffusion"
        )
    for i, drift in enumerate(equation.declared_drift):
        if drift != ZERO:
            raise NoClosedForm(f"drift[{i}] = {drift}: in a ball a closed form needs a drift of 0")
    points, masses = atoms_in_space(equation.start)
    law = Radial(
        region.name, np.array(ball.centre), ball.radius, float(matrix[0, 0]), region.wall.reactivity, points, masses
    )
    shape = {2: "disc", 3: "ball"}.get(domain.dimension, f"ball in {domain.dimension} dimensions")
    kind = {0.0: "reflecting", math.inf: "absorbing"}.get(region.wall.reactivity, "partially absorbing")
    return law, f"Bessel series, early a flat wall, {kind} {shape}"


def _ball(equation: FokkerPlanck) -> tuple[Ball, Region]:
    """The ball that the domain is, and the region around it."""
    domain = equation.domain
    if all(isinstance(axis, Line) for axis in domain.axes) and len(domain.regions) == 1:
        (region,) = domain.regions
        inside = ~region.shape
        if isinstance(inside, Ball):
            return inside, region
    raise NoClosedForm(f"{domain}: of domains with regions, (Line() ** d).inside(Ball(...)) alone has a closed form")


@dataclass(frozen=True, eq=False)
class Radial(SpaceForm):
    """The law of walkers from `points` (atoms, d) with `masses` in the ball of a `centre` and `radius`; `name` is that of the
    exit at its wall."""

    name: str
    centre: Floats
    radius: float
    diffusion: float
    reactivity: float
    points: Floats
    masses: Floats

    @property
    def exits(self) -> tuple[str, ...]:  # type: ignore[override]
        return (self.name,) if self.reactivity > 0.0 else ()

    @property
    def dimension(self) -> int:
        return self.centre.size

    @property
    def biot(self) -> float:
        """h = KR/D."""
        return self.reactivity * self.radius / self.diffusion

    @cached_property
    def starts(self) -> tuple[Floats, Floats]:
        """Distances of the starts from the centre, in radii, and their directions, (atoms,) and (atoms, d)."""
        apart = (self.points - self.centre) / self.radius
        r = np.linalg.norm(apart, axis=1)
        axis = np.eye(self.dimension)[0]
        return np.minimum(r, 1.0), np.where(r[:, None] > 0.0, apart / np.where(r > 0.0, r, 1.0)[:, None], axis)

    @cached_property
    def wall(self) -> HalfLine:
        """The wall as a flat one, the distance from it in radii, time as τ."""
        return HalfLine(1.0 - self.dimension, 1.0, 0.0, math.inf, ("left",), self.biot)

    def at(self, time: float, alive: float) -> RadialAt:
        return RadialAt(self, time, alive)

    def tau(self, t: Any) -> Any:
        return self.diffusion * t / self.radius**2

    def early(self, tau: float) -> bool:
        """Whether so many modes are too few, or nobody has met the wall, so that their sum is one of large terms."""
        return tau < LAST / FINEST_OF_FEW**2 or (1.0 - float(self.starts[0].max())) ** 2 > 4.0 * LAST * tau

    def few(self, degree: int, tau: float) -> tuple[Degree, Floats]:
        """The modes of a `degree` at τ, and the amplitudes (2/N) u(r₀) exp(-α²τ) of each for each start, (modes, atoms)."""
        finest = FINEST_OF_FEW if tau < LAST / FINEST**2 else FINEST
        modes = modes_of(self.dimension, degree, self.biot, finest).until(tau)
        return modes, modes.u(self.starts[0]) * (2.0 / modes.norm * np.exp(-(modes.alpha**2) * tau))[:, None]

    def staying(self, time: float) -> float:
        if math.isinf(time):
            return 0.0 if self.exits else 1.0
        tau = self.tau(time)
        if self.early(tau):
            return 1.0 - float(self.absorbed(self.name, np.array([time]), 0.0)[0])
        modes, amplitudes = self.few(0, tau)
        return float(modes.power(0) @ amplitudes @ self.masses)

    def flux(self, exit: str, t: Floats) -> Floats:
        return np.array([self._flux(float(time)) for time in t])

    def _flux(self, time: float) -> float:
        tau = self.tau(time)
        if self.early(tau):
            rate = self.wall.flux("left", np.asarray(tau), 1.0 - self.starts[0]) @ self.masses
        else:
            modes, amplitudes = self.few(0, tau)
            rate = (modes.power(0) * modes.alpha**2) @ amplitudes @ self.masses
        return float(rate) * self.diffusion / self.radius**2

    def absorbed(self, exit: str, t: Floats, killing: float) -> Floats:
        """The limit less what is left after t, mode by mode."""
        rate = killing * self.radius**2 / self.diffusion
        ever = float(self._ever(rate) @ self.masses)
        return np.array([ever if math.isinf(time) else self._absorbed(float(time), rate, ever) for time in t])

    def _absorbed(self, time: float, rate: float, ever: float) -> float:
        tau = self.tau(time)
        if self.early(tau):
            depth = 1.0 - self.starts[0]
            return float(self.wall.absorbed("left", np.full(depth.size, tau), depth, rate) @ self.masses)
        modes, amplitudes = self.few(0, tau)
        share = modes.alpha**2 / (modes.alpha**2 + rate)
        return max(ever - math.exp(-rate * tau) * float((modes.power(0) * share) @ amplitudes @ self.masses), 0.0)

    def _ever(self, rate: float) -> Floats:
        """The probability of leaving before killing at a `rate` (1/τ), for each start: h f(r₀)/(f'(1) + h f(1)) with
        f = r^-μ I_μ(√rate r)."""
        r, _ = self.starts
        if rate == 0.0:
            return np.ones(r.size)
        mu, k = 0.5 * self.dimension - 1.0, math.sqrt(rate)
        with np.errstate(divide="ignore", invalid="ignore"):
            f = np.exp(k * (r - 1.0)) * special.ive(mu, k * r) / r**mu
        f = np.where(k * r < 1e-8, math.exp(-k) * (0.5 * k) ** mu / math.gamma(mu + 1.0), f)
        at_wall = float(special.ive(mu, k))
        return f / (at_wall + (0.0 if math.isinf(self.biot) else k * float(special.ive(mu + 1.0, k)) / self.biot))


@dataclass(frozen=True, eq=False)
class RadialAt(Distribution):
    """The law in a disc or ball at one time, times `share`."""

    law: Radial
    time: float
    share: float

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return ((-math.inf, math.inf),) * self.law.dimension

    @cached_property
    def span(self) -> tuple[tuple[float, float], ...]:
        """Where walkers can be, in the ball and within WIDE standard deviations of a start."""
        law, reach = self.law, WIDE * self._sd
        low = np.maximum(law.centre - law.radius, law.points.min(axis=0) - reach)
        high = np.minimum(law.centre + law.radius, law.points.max(axis=0) + reach)
        return tuple(zip(low.tolist(), high.tolist(), strict=True))

    @property
    def _sd(self) -> float:
        return math.sqrt(2.0 * self.law.diffusion * self.time)

    @property
    def tau(self) -> float:
        return float(self.law.tau(self.time))

    def pdf(self, x: Any) -> Floats:
        law = self.law
        point = (np.stack(x) - law.centre[:, None]) / law.radius
        values = np.zeros(point.shape[1])
        inside = np.flatnonzero((point**2).sum(axis=0) <= 1.0)
        for start, direction, mass in zip(*law.starts, law.masses, strict=True):
            for part in np.array_split(inside, max(1, math.ceil(inside.size / POINTS))):
                values[part] += mass * self._density(point[:, part], float(start), direction)
        return np.maximum(values, 0.0) * (self.share / law.radius**law.dimension)

    def along(self, axis: int, x: Floats) -> Floats:
        """The density of one coordinate late: at z = x/R the integral over the slice of the ball, whose points have the distances
        s from the axis and r = √(z² + s²) from the centre. The mean of a zonal harmonic over turns around the axis is
        Z_l(β) Z_l(z/r)/Z_l(1), β the cosine between start and axis."""
        law, d = self.law, self.law.dimension
        z = (x - law.centre[axis]) / law.radius
        values = np.zeros(z.size)
        inside = np.flatnonzero(np.abs(z) < 1.0)
        nodes, weights = gauss_legendre(np.linspace(0.0, 1.0, 1 + math.ceil(1.0 / (PANEL * math.sqrt(2.0 * self.tau)))))
        for part in np.array_split(inside, max(1, math.ceil(inside.size * nodes.size / POINTS))):
            half = np.sqrt((1.0 - z[part]) * (1.0 + z[part]))[:, None]
            s = half * nodes.ravel()
            r = np.hypot(z[part][:, None], s)
            cosine, area = (z[part][:, None] / r).ravel(), sphere(d - 1) * s ** (d - 2) * half * weights.ravel()
            for start, direction, mass in zip(*law.starts, law.masses, strict=True):
                ends = zonal(d, np.array([np.clip(direction[axis], -1.0, 1.0), 1.0]))
                turned = (tilted / whole for tilted, whole in ends)
                rho = self._series(r.ravel(), cosine, float(start), turned)
                values[part] += mass * (area * rho.reshape(r.shape)).sum(axis=1)
        return np.maximum(values, 0.0) * (self.share / law.radius)

    @property
    def early(self) -> bool:
        """Whether the density is that beside a flat wall."""
        return self.tau < LAST / FINEST**2

    def _density(self, point: Floats, start: float, direction: Floats) -> Floats:
        """The density in radii at points (d, points) for a start at a distance from the centre in a direction."""
        r = np.linalg.norm(point, axis=0)
        cosine = np.clip(direction @ point / np.where(r > 0.0, r, 1.0), -1.0, 1.0)
        if self.early:
            apart = r * start * 2.0 * (1.0 - cosine)  # the square of the distance, but for the radial part
            with np.errstate(under="ignore"):
                across = np.exp(-apart / (4.0 * self.tau)) / (4.0 * math.pi * self.tau) ** (
                    0.5 * (self.law.dimension - 1)
                )
                return across * self._flat.pdf(1.0 - r, np.asarray(self.tau), np.asarray(1.0 - start))
        return self._series(r, cosine, start, itertools.repeat(1.0))

    def _series(self, r: Floats, cosine: Floats, start: float, shares: Iterable[float]) -> Floats:
        """Σ_l share_l Z_l(cosine)/|S^(d-1)| Σ_n (2/N) u(r) u(r₀) exp(-α²τ) within WIDE standard deviations of a start."""
        low, high = (float(np.clip(start + side * WIDE * math.sqrt(2.0 * self.tau), 0.0, 1.0)) for side in (-1.0, 1.0))
        near = np.flatnonzero((r >= low) & (r <= high))
        values = np.zeros(r.size)
        if near.size:
            radial = self._radial(start, low, high)
            along = chebyshev.chebvander((2.0 * r[near] - low - high) / (high - low), radial.shape[1] - 1) @ radial.T
            terms = zip(zonal(self.law.dimension, cosine[near]), along.T, shares, strict=False)
            values[near] = sum(share * z * part for z, part, share in terms) / sphere(self.law.dimension)
        return values

    @property
    def _flat(self) -> HalfLine:
        """The wall without the drift of the distance from the centre, which the density in space does not have."""
        return HalfLine(0.0, 1.0, 0.0, math.inf, ("left",), self.law.biot)

    def _radial(self, start: float, low: float, high: float) -> Floats:
        return _chebyshev(self.law.dimension, self.law.biot, self.tau, start, low, high)

    def mass(self, edges: Any) -> Floats:
        point, weights = self._rule(edges)
        values = weights * self.pdf(point)
        sizes = tuple(e.size - 1 for e in edges)
        inside, places = np.ones(values.size, dtype=bool), []
        for x, e in zip(point, edges, strict=True):
            place = np.searchsorted(e, x, side="right") - 1
            inside &= (place >= 0) & (place < e.size - 1)
            places.append(np.clip(place, 0, e.size - 2))
        flat = np.ravel_multi_index(tuple(places), sizes)
        return np.bincount(flat, np.where(inside, values, 0.0), math.prod(sizes)).reshape(sizes)

    def _rule(self, edges: Sequence[Floats]) -> tuple[tuple[Floats, ...], Floats]:
        """Points in the ball and weights of an integral that resolves the law, with panels that end on `edges`."""
        law = self.law
        width = min(PANEL * self._sd, law.radius) / law.radius
        kept = [(e[np.isfinite(e)] - c) / law.radius for e, c in zip(edges, law.centre, strict=True)]
        spans = [
            ((low - c) / law.radius, (high - c) / law.radius)
            for (low, high), c in zip(self.span, law.centre, strict=True)
        ]
        point, weights = chords(1.0, kept, spans, width)
        return tuple(
            c + law.radius * x for c, x in zip(law.centre, point, strict=True)
        ), weights * law.radius**law.dimension

    def total(self) -> float:
        return self.share * (self.law.staying(self.time) if self.law.exits else 1.0)

    def onto(self, axes: Sequence[int]) -> Distribution:
        if tuple(axes) == tuple(range(self.dimension)):
            return self
        return RadialAxis(self, tuple(axes)) if len(axes) == 1 else RadialMargin(self, tuple(axes))

    def expect(self, f: Callable[..., ArrayLike]) -> Any:
        point, weights = self._rule([np.zeros(0)] * self.dimension)
        return float(weights @ (values_of(f, *point) * self.pdf(point)))

    def mean(self) -> Floats:
        first, _ = self._moments
        return first

    def variance(self) -> Floats:
        first, second = self._moments
        return second - np.outer(first, first)

    @cached_property
    def _moments(self) -> tuple[Floats, Floats]:
        """E[X | alive] and E[X Xᵀ | alive], by the modes of the degrees 0, 1 and 2."""
        law, d = self.law, self.law.dimension
        if self.tau < LAST / FINEST_OF_FEW**2:
            return self._moments_by_integrals()
        _, directions = law.starts
        modes, amplitudes = law.few(0, self.tau)
        alive, square = modes.power(0) @ amplitudes, modes.power(2) @ amplitudes
        modes, amplitudes = law.few(1, self.tau)
        along = modes.power(0) @ amplitudes
        modes, amplitudes = law.few(2, self.tau)
        turned = (1.0 - 1.0 / d) * (modes.power(0) @ amplitudes)  # E[(x·e)² - x²/d]
        ahead = turned + square / d
        aside = (square - ahead) / (d - 1.0)
        total = float(alive @ law.masses)
        if not total > 0.0:
            return np.full(d, math.nan), np.full((d, d), math.nan)
        mean = (law.masses * along) @ directions / total
        second = np.einsum("a,ai,aj->ij", law.masses * (ahead - aside), directions, directions) / total
        second += np.eye(d) * float(law.masses @ aside) / total
        return self._placed(mean, second)

    def _moments_by_integrals(self) -> tuple[Floats, Floats]:
        point, weights = self._rule([np.zeros(0)] * self.dimension)
        x = (np.stack(point) - self.law.centre[:, None]) / self.law.radius
        share = weights * self.pdf(point)
        share = share / share.sum()
        return self._placed(x @ share, (x * share) @ x.T)

    def _placed(self, mean: Floats, second: Floats) -> tuple[Floats, Floats]:
        """Moments about the centre, in radii, as moments of the place."""
        c, radius = self.law.centre, self.law.radius
        cross = radius * np.outer(c, mean)
        return c + radius * mean, np.outer(c, c) + cross + cross.T + radius**2 * second


class RadialMargin(Margin):
    """Some of the coordinates of a law in a ball."""

    def pdf(self, x: Any) -> Floats:
        """By integrals over the chords (or discs) at the places."""
        own = (x,) if self.dimension == 1 else x
        law = self.whole.law  # type: ignore[attr-defined]
        others = [axis for axis in range(law.dimension) if axis not in self.axes]
        spans = [self.whole.span[axis] for axis in others]
        shifted = [
            ((low - law.centre[a]), (high - law.centre[a])) for a, (low, high) in zip(others, spans, strict=True)
        ]
        squares = sum((v - law.centre[axis]) ** 2 for axis, v in zip(self.axes, own, strict=True))
        width = min(PANEL * self.whole._sd, law.radius)  # type: ignore[attr-defined]
        values = np.zeros(own[0].size)
        for i in np.flatnonzero(squares < law.radius**2):
            point, weights = chords(math.sqrt(law.radius**2 - squares[i]), [np.zeros(0)] * len(others), shifted, width)
            full = dict(zip(self.axes, (np.full(weights.size, v[i]) for v in own), strict=True))
            full |= {axis: law.centre[axis] + at for axis, at in zip(others, point, strict=True)}
            values[i] = weights @ self.whole.pdf(tuple(full[axis] for axis in range(law.dimension)))
        return values


class RadialAxis(RadialMargin):
    """One coordinate of a law in a ball, x = R sin φ, with a table of what is below: to about 1e-13 of the total."""

    def pdf(self, x: Floats) -> Floats:
        law = self.whole
        return super().pdf(x) if law.early else law.along(*self.axes, x)  # type: ignore[attr-defined]

    @cached_property
    def _below(self) -> Cumulative:
        """∫ ρ R cos φ dφ over the angles where walkers can be."""
        law, ((low, high),) = self.whole.law, self.span  # type: ignore[attr-defined]
        first, last = self._angle(np.array([low, high]))
        width = 0.5 * PANEL * self.whole._sd / law.radius  # type: ignore[attr-defined]
        ends = np.linspace(first, last, 1 + max(1, math.ceil((last - first) / width)))
        (centre,) = law.centre[list(self.axes)]
        return Cumulative.of(
            lambda angle: self.pdf(centre + law.radius * np.sin(angle)) * (law.radius * np.cos(angle)), ends
        )

    def _angle(self, x: Floats) -> Floats:
        law = self.whole.law  # type: ignore[attr-defined]
        (centre,) = law.centre[list(self.axes)]
        return np.arcsin(np.clip((x - centre) / law.radius, -1.0, 1.0))

    def cdf(self, x: Floats) -> Floats:
        return self._below(self._angle(x))

    def mass(self, edges: Floats) -> Floats:
        return np.maximum(np.diff(self.cdf(edges)), 0.0)

    def mean(self) -> float:
        return float(self.whole.mean()[self.axes[0]])

    def variance(self) -> float:
        return float(self.whole.variance()[self.axes[0], self.axes[0]])


@lru_cache(maxsize=16)
def _chebyshev(dimension: int, biot: float, tau: float, start: float, low: float, high: float) -> Floats:
    """Σ_n (2/N) u(r) u(r₀) exp(-α²τ) of each degree as Chebyshev series in r between `low` and `high`, (degrees, terms)."""
    finest = min(math.sqrt(LAST / tau), FINEST)
    count = 24 + math.ceil(0.75 * finest * (high - low))
    nodes = np.cos(math.pi * (np.arange(count) + 0.5) / count)
    r = 0.5 * (low + high) + 0.5 * (high - low) * nodes
    found = []
    for degree in range(math.ceil(finest) + 2):
        modes = modes_of(dimension, degree, biot, FINEST).until(tau)
        if not modes.alpha.size:
            break
        here = modes.u(np.append(r, start))
        found.append((here[:, -1] * (2.0 / modes.norm) * np.exp(-(modes.alpha**2) * tau)) @ here[:, :-1])
    values = np.array(found)
    coefficients = values @ chebyshev.chebvander(nodes, count - 1) * (2.0 / count)
    coefficients[:, 0] *= 0.5
    size = np.abs(values).max(axis=1)
    return coefficients[: 1 + int(np.flatnonzero(size >= SMALL * size.max())[-1])]
