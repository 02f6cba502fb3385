"""Measured curves as something to compare with a walk: fractions absorbed at a wall by given times."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from randwalk.data.datum import Known, Laws, Series, checked_known, named, value_of
from randwalk.inputs.arguments import finite_numbers
from randwalk.inputs.wording import shown
from randwalk.laws.distribution import Distribution
from randwalk.laws.estimate import Estimate, exact
from randwalk.laws.law import Law
from randwalk.laws.lookup import NoAnswer
from randwalk.model.coefficient import Floats
from randwalk.model.domain import Domain, Line
from randwalk.model.times import least_whole
from randwalk.model.walk import LatticeWalk
from randwalk.pde.exact_law import exact_law

from .check import Check
from .measured_arrays import arrays, refuse
from .power import detectable

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class MeasuredCurve(Law[Estimate]):
    """Fractions absorbed at a wall by given times, each with the same standard error, for one start or several.

    `times`, `values` and `starts` have one shape, (rows,); `wall` is "left" or "right". `error` may be the name of a parameter,
    to be fitted (:func:`randwalk.fit`). A comparison takes the curve of a walk, ``compare(curve, curve.law_of(walk))``. Of
    the questions of a law, the data of one start answer :meth:`absorbed`, interpolated linearly between measured times.
    """

    kind: ClassVar[str] = "data"

    times: Floats
    values: Floats
    starts: Floats
    wall: str
    error: Known
    source: str = ""

    def __post_init__(self) -> None:
        arrays(self, "times", "values", "starts")
        for name in ("times", "values", "starts"):
            values = getattr(self, name)
            refuse(~np.isfinite(values), name, values, "must be a finite number")
        refuse(self.times < 0.0, "times", self.times, "must not be negative")
        if self.wall not in ("left", "right"):
            raise ValueError(f"wall = {self.wall!r}: must be 'left' or 'right'")
        error = checked_known("error", self.error)
        if not isinstance(error, str) and not error > 0.0:
            raise ValueError(f"error = {self.error}: must be a positive number, the standard error of a value")

    @property
    def domain(self) -> Domain:
        return Line()

    @property
    def exits(self) -> tuple[str, ...]:
        return (self.wall,)

    def _check_exit(self, exit: str) -> None:
        if exit != self.wall or np.unique(self.starts).size > 1:
            raise NoAnswer(
                f"exit = {shown(exit)}: the data are of wall {self.wall!r} and starts {np.unique(self.starts).tolist()}"
            )

    def _absorbed(self, exit: str, t: ArrayLike) -> Estimate:
        given, order = finite_numbers("t", t), np.argsort(self.times)
        outside = (given < self.times.min()) | (given > self.times.max())
        if outside.any():
            raise NoAnswer(
                f"t = {given[outside].flat[0]:g}: the data are of times from {self.times.min():g} to {self.times.max():g}"
            )
        return Estimate(np.interp(given, self.times[order], self.values[order]), np.full(given.shape, self._sigma))

    @property
    def _sigma(self) -> float:
        """The standard error, which must be known."""
        if isinstance(self.error, str):
            raise NoAnswer(f"error = {self.error!r} is a parameter: fit it, or give the standard error of a value")
        return self.error

    @property
    def size(self) -> int:
        """The number of values."""
        return self.times.size

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the measurement: the standard error, if it is one."""
        return named(self.error)

    @property
    def axes(self) -> tuple[str, str]:
        return "time $t$", f"fraction passed {self.wall}"

    def from_start(self, start: float) -> MeasuredCurve:
        """The rows of one start alone."""
        rows = self.starts == start
        if not rows.any():
            raise ValueError(f"start = {start:g}: the data start at {np.unique(self.starts).tolist()}")
        return replace(self, times=self.times[rows], values=self.values[rows], starts=self.starts[rows])

    def resolved(self, parameters: Mapping[str, float]) -> MeasuredCurve:
        """The same with the number in place of the name of a parameter."""
        return replace(self, error=value_of(self.error, parameters))

    def law_in(self, laws: Laws) -> Callable[[float, Floats], Floats]:
        """The curve of a fitted model, by start and times."""

        def curve(start: float, times: Floats) -> Floats:
            from_there, (asked, place) = laws.from_start(start), np.unique(times, return_inverse=True)
            late = asked[asked > 0.0]
            passed = exact(from_there.at(late).absorbed(self.wall, late)) if late.size else late
            return np.append(np.zeros(asked.size - late.size), passed)[place]

        return curve

    def log_likelihood(self, laws: Laws, parameters: Mapping[str, float]) -> float:
        """That of independent normal errors."""
        sigma = value_of(self.error, parameters)
        if not sigma > 0.0:
            return -math.inf
        curve, total = self.law_in(laws), -self.size * math.log(sigma * math.sqrt(2.0 * math.pi))
        for start in np.unique(self.starts).tolist():
            rows = self.starts == start
            total -= 0.5 * float((((self.values[rows] - curve(start, self.times[rows])) / sigma) ** 2).sum())
        return total

    def series(self, laws: Laws, parameters: Mapping[str, float]) -> list[Series]:
        curve, sigma, found = self.law_in(laws), value_of(self.error, parameters), []
        for start in np.unique(self.starts).tolist():
            rows = self.starts == start
            times, error = self.times[rows], np.full(int(rows.sum()), sigma)
            fine = np.linspace(times.min(), times.max(), 201)
            line = fine, curve(start, fine)
            label = f"from x = {start:g}"
            found.append(Series(label, times, self.values[rows], curve(start, times), error, line))
        return found

    def _at(self, t: float) -> Distribution:
        raise NoAnswer("the data are fractions absorbed at a wall: they do not say where the other walkers are")

    def _survival(self, t: ArrayLike) -> Estimate:
        raise NoAnswer(f"the data are of wall {self.wall!r} alone: they do not say how many walkers left otherwise")

    def checks(self, law: Any, fitted: int = 0) -> list[Check]:
        """One chi-square of residuals for each start; `law` maps a start and times to fractions absorbed.

        Of a law with `fitted` parameters one of all starts together, whose freedom is less by their number.
        """
        starts = np.unique(self.starts)
        squares = []
        for start in starts:
            rows = self.starts == start
            residual = (self.values[rows] - law(float(start), self.times[rows])) / self._sigma
            squares.append((f"data from x = {start:g}", float(residual @ residual), int(rows.sum())))
        if fitted and len(squares) > 1:
            squares = [("data", sum(square for _, square, _ in squares), self.size)]
        return [
            Check(
                name + (f": {self.source}" if self.source else ""), "chi²", statistic, rows - fitted,
                float(stats.chi2.sf(statistic, rows - fitted)), detectable(rows - fitted, rows) * self._sigma,
            )
            for name, statistic, rows in squares
        ]  # fmt: skip

    def plot(self, t: ArrayLike | None = None, ax: Axes | None = None, *, against: Law[Any] | None = None) -> Axes:
        """Fractions against time with their error, a colour for each start if there are several."""
        from randwalk.laws.plotting import COLOURS, axes

        if against is not None:
            raise NoAnswer(
                "the data do not say where walkers are: compare(curve, curve.law_of(walk)) tests the fractions"
            )
        ax = axes(ax)
        starts = np.unique(self.starts)
        for start in starts:
            rows = self.starts == start
            ax.errorbar(
                self.times[rows], self.values[rows], self._sigma, fmt="o", ms=3, label=f"data from x = {start:g}",
                color=COLOURS["data"] if starts.size == 1 else None,
            )  # fmt: skip
        ax.set(xlabel="time $t$", ylabel=f"fraction passed {self.wall}")
        return ax

    def law_of(self, walk: LatticeWalk) -> Any:
        """The fractions of walkers of `walk` absorbed at the wall, by start and times, interpolated between steps."""
        last = least_whole(float(self.times.max()) / walk.dt) * walk.dt
        curves = {
            float(s): exact_law(walk.with_start(float(s)), [last]).smoothed().passage_curve(self.wall)
            for s in np.unique(self.starts)
        }
        return lambda start, times: curves[start](times)
