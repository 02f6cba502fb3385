"""Intervals with moving ends, in coordinates in which the ends rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from randwalk.inputs.wording import shown
from randwalk.laws.distribution import Distribution
from randwalk.laws.law import Law
from randwalk.model.coefficient import Coefficient, Constant, Floats, X
from randwalk.model.coefficient.substitute import substituted
from randwalk.model.domain import Domain, Interval
from randwalk.model.moving import check_rests
from randwalk.model.start import Normal, Point, Sites, Start, Uniform

from .equation import FokkerPlanck, check_equation


def check_rests_too(equation: object) -> None:
    """Refuse what is no equation, and one on a domain whose walls move."""
    check_equation(equation)
    assert isinstance(equation, FokkerPlanck)
    check_rests(equation.domain, "closed forms and the cells of grids stay", "MovingFrame(equation) of an interval")


@dataclass(frozen=True)
class MovingFrame:
    """The coordinate y = (x - low(t))/length(t) of an interval with moving ends, in which the ends rest.

    By Itô's formula dy = (a - low' - y length')/length dt + σ/length dW. Where one end is infinite the length is 1, and the frame
    moves with the other end.

    Parameters
    ----------
    equation : FokkerPlanck
        In one dimension, in Itô's convention where D depends on x, on an :class:`randwalk.Interval` whose ends move. A partially
        absorbing wall only where the length rests: else its reactivity in y would change.

    Examples
    --------
    A drift–diffusion model with collapsing bounds, and the law of its response times:

    >>> import randwalk as rw
    >>> bounds = rw.Interval(rw.expression("t/4 - 1"), rw.expression("1 - t/4"), rw.Absorbing(), rw.Absorbing())
    >>> frame = MovingFrame(FokkerPlanck(0.8, 0.5, domain=bounds))
    >>> law = frame.law(rw.pde.solve(frame.resting, times=[1.0]))
    >>> round(float(law.absorbed("right", 1.0)), 4)
    0.6716
    """

    equation: FokkerPlanck

    def __post_init__(self) -> None:
        check_equation(self.equation)
        domain, walls = self.equation.domain, [face.wall.reactivity for face in self.equation.domain.faces]
        if not isinstance(domain, Interval) or not domain.moves:
            raise ValueError(f"domain = {shown(domain)}: must be an Interval with an end that moves")
        if not isinstance(self.length, Constant) and any(0.0 < k < np.inf for k in walls):
            raise ValueError(f"domain = {domain}: a partially absorbing wall needs a length that does not change")

    @cached_property
    def low(self) -> Coefficient:
        """The place of y = 0 in time."""
        domain = self._interval
        return _path(domain, 0) if np.isfinite(domain.low) else _path(domain, 1)

    @cached_property
    def length(self) -> Coefficient:
        """dx/dy in time."""
        domain = self._interval
        both = np.isfinite(domain.low) and np.isfinite(domain.high)
        return _path(domain, 1) - _path(domain, 0) if both else Constant(1.0)

    @property
    def _interval(self) -> Interval:
        assert isinstance(self.equation.domain, Interval)
        return self.equation.domain

    @cached_property
    def resting(self) -> FokkerPlanck:
        """The equation in y."""
        equation, length = self.equation, self.length
        place = self.low + X * length
        drift, diffusion, killing = (
            substituted(c, place) for c in (equation.drift, equation.diffusion, equation.killing)
        )
        moved = drift - self.low.derivative("t") - X * length.derivative("t")
        domain, first, unit = self._interval, float(self.low(0.0, 0.0)), float(length(0.0, 0.0))
        rests = Interval((domain.low - first) / unit, (domain.high - first) / unit, domain.left, domain.right)
        return FokkerPlanck(
            moved / length, diffusion / length**2, domain=rests, killing=killing, start=self._start(equation.start)
        )

    def law(self, law: Law[Any]) -> Law[Any]:
        """A law of the equation :attr:`resting`, in the coordinate x."""
        return MovingLaw(self, law)

    def _start(self, start: Start) -> Start:
        def inward(x: Any) -> Any:
            return (np.asarray(x) - float(self.low(0.0, 0.0))) / float(self.length(0.0, 0.0))

        match start:
            case Point(x):
                return Point(float(inward(x)))
            case Uniform(low, high):
                return Uniform(float(inward(low)), float(inward(high)))
            case Normal(mean, sd):
                return Normal(float(inward(mean)), sd / float(self.length(0.0, 0.0)))
            case Sites():
                return Sites(inward(start.x), start.masses)
        raise TypeError(f"start = {start}: must be a Point, Uniform, Normal or Sites")


@dataclass(frozen=True, eq=False, repr=False)
class MovingLaw(Law[Any]):
    """A law found in a :class:`MovingFrame`, in the coordinate x."""

    frame: MovingFrame
    inner: Law[Any]

    @property
    def kind(self) -> str:  # type: ignore[override]
        return self.inner.kind

    @property
    def times(self) -> Floats | None:
        return self.inner.times

    @property
    def equation(self) -> FokkerPlanck:
        return self.frame.equation

    @property
    def domain(self) -> Domain:
        return self.frame.equation.domain

    def _at(self, t: float) -> Distribution:
        low, length = float(self.frame.low(0.0, t)), float(self.frame.length(0.0, t))
        return _Stretched(self.inner._at(t), low, length)

    def _absorbed(self, exit: str, t: ArrayLike) -> Any:
        return self.inner._absorbed(exit, t)

    def _survival(self, t: ArrayLike) -> Any:
        return self.inner._survival(t)

    def __repr__(self) -> str:
        return f"MovingLaw({self.inner!r} on {self.domain})"


@dataclass(frozen=True)
class _Stretched(Distribution):
    """The distribution of low + length y."""

    inner: Distribution
    low: float
    length: float

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return tuple(self._out(ends) for ends in self.inner.bounds)

    @property
    def span(self) -> tuple[tuple[float, float], ...]:
        return tuple(self._out(ends) for ends in self.inner.span)

    def pdf(self, x: Any) -> Any:
        low, high = self._out(self.inner.ends)
        return np.where((x >= low) & (x <= high), self.inner.pdf(self._in(x)) / self.length, 0.0)

    def mass(self, edges: Any) -> Any:
        return self.inner.mass(self._in(edges))

    def cdf(self, x: Floats) -> Any:
        return self.inner.cdf(self._in(x))

    def _in(self, x: Any) -> Any:
        """y, on the ends for what is beyond them."""
        return np.clip((np.asarray(x, dtype=np.float64) - self.low) / self.length, *self.inner.ends)

    def _out(self, ends: Sequence[float]) -> tuple[float, float]:
        return self.low + self.length * ends[0], self.low + self.length * ends[1]


def _path(domain: Interval, end: int) -> Coefficient:
    path = domain.paths[end]
    return Constant((domain.low, domain.high)[end]) if path is None else path
