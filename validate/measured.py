"""Measured data as something to compare with a law: counts in classes of position, and curves of absorbed fractions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from randwalk.data.datum import Known, Laws, Series, log_of, named, value_of
from randwalk.inputs.arguments import finite_numbers
from randwalk.inputs.wording import shown
from randwalk.laws.distribution import Distribution
from randwalk.laws.estimate import Estimate, average, exact, proportion, values_of
from randwalk.laws.law import Law
from randwalk.laws.lookup import NoAnswer
from randwalk.laws.scipy_form import histogram
from randwalk.model.coefficient import Floats
from randwalk.model.domain import Domain, Line
from randwalk.model.times import least_whole, row_of
from randwalk.model.walk import LatticeWalk
from randwalk.pde.exact_law import SmoothedLaw, exact_law
from randwalk.pde.stationary import StationaryLaw, stationary_law

from .compare import Check, Outcomes
from .power import detectable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST = 10.0  # counts expected in a class of measured data, which are few
TOUCH = 1e-9  # of a class: by so much limits that are the same may overlap in rounding
SETTLED = 60.0  # how far beyond the last class an unbounded stationary law is followed, in widths of the classes


@dataclass(frozen=True, eq=False)
class MeasuredCounts(Law[Estimate]):
    """Numbers found in classes of position at one time: a law on condition that the place is in one of the classes.

    `low` and `high` are the class limits and `counts` whole numbers, all of shape (classes,); `time` None stands for the
    stationary law. With `fold` the classes are of distances from `origin`, on either side together, and so are the answers. The
    data do not say who has left, nor what is inside a class: bins must not cut a class. Moments take every place as the middle of
    its class, which a class without an end has not.
    """

    kind: ClassVar[str] = "data"

    low: Floats
    high: Floats
    counts: NDArray[np.int64]
    time: float | None  # None: stationary
    fold: bool = False
    origin: float = 0.0
    source: str = ""

    def __post_init__(self) -> None:
        _arrays(self, "low", "high", "counts")
        low, high, counts = self.low, self.high, self.counts
        for name, values in (("low", low), ("high", high)):
            _refuse(np.isnan(values), name, values, "a class limit must be a number")
        _refuse(~(low < high), "low", low, "every class must have low < high")
        _refuse(~((counts >= 0) & (counts == np.rint(counts))), "counts", counts, "must be a whole number ≥ 0")
        if not counts.sum() > 0:
            raise ValueError("counts are all 0: there is nothing to compare")
        object.__setattr__(self, "counts", counts.astype(np.int64))
        if self.fold:
            _refuse(low < 0.0, "low", low, "a class of distances must not be negative; leave fold out for classes of x")
        order = np.argsort(low, kind="stable")
        over = low[order][1:] < high[order][:-1] - TOUCH * (high - low)[order][:-1]
        if over.any():
            a, b = (int(i) for i in order[np.argmax(over) :][:2])
            raise ValueError(
                f"the classes from {low[a]:g} to {high[a]:g} (row {a}) and from {low[b]:g} to {high[b]:g} (row {b}) overlap: "
                "who is in both would count twice"
            )
        if self.time is not None and not (math.isfinite(self.time) and self.time >= 0.0):
            raise ValueError(f"time = {self.time}: must be finite and not negative, or None for the stationary law")

    @property
    def domain(self) -> Domain:
        return Line()

    @property
    def times(self) -> Floats | None:
        return None if self.time is None else np.array([self.time])

    @property
    def exits(self) -> tuple[str, ...]:
        return ()

    def _asked(self, t: ArrayLike | None) -> ArrayLike:
        return 0.0 if t is None and self.time is None else super()._asked(t)

    def _recorded(self, question: str) -> Floats:
        return np.zeros(1) if self.time is None else np.array([self.time])

    def _at(self, t: float) -> Classes:
        if self.time is not None:
            row_of(t, [self.time])
        order = np.argsort(self.low, kind="stable")
        return Classes(self.low[order], self.high[order], self.counts[order])

    def _survival(self, t: ArrayLike) -> Estimate:
        raise NoAnswer("the data count places in classes: they do not say how many walkers had left")

    def _check_exit(self, exit: str) -> None:
        self._survival(0.0)

    def _absorbed(self, exit: str, t: ArrayLike) -> Estimate:
        return self._survival(t)

    def _label(self, t: float) -> str:
        return "data"

    def probabilities(self, law: Law[Any]) -> Floats:
        """The probability of each class, given that it is one of them."""
        t = 0.0 if self.time is None else self.time
        p = np.array([self._mass(law, a, b, t) for a, b in zip(self.low, self.high, strict=True)])
        return p / p.sum()

    def _mass(self, law: Law[Any], a: float, b: float, t: float) -> float:
        mass = float(law.mass([self.origin + a, self.origin + b], t)[0])
        if self.fold:
            mass += float(law.mass([self.origin - b, self.origin - a], t)[0])
        return mass

    @property
    def size(self) -> int:
        """How many were counted."""
        return int(self.counts.sum())

    parameters: ClassVar[tuple[str, ...]] = ()  # of the measurement itself

    @property
    def axes(self) -> tuple[str, str]:
        return ("distance" if self.fold else "position $x$"), "count / width"

    def resolved(self, parameters: Mapping[str, float]) -> MeasuredCounts:
        return self

    def law_in(self, laws: Laws) -> Law[Any]:
        """The law of a fitted model that these data are a sample of."""
        if self.time is not None:
            return laws.at([self.time])
        reach = SETTLED * float(self.high[np.isfinite(self.high)].max() - self.low[np.isfinite(self.low)].min())
        return laws.stationary((self.origin - reach, self.origin + reach))

    def log_likelihood(self, laws: Laws, parameters: Mapping[str, float]) -> float:
        """Σ n log p over the classes, p on condition of being in one of them; without the multinomial coefficient."""
        seen = self.counts > 0
        return log_of(self.probabilities(self.law_in(laws))[seen], self.counts[seen])

    def series(self, laws: Laws, parameters: Mapping[str, float]) -> list[Series]:
        width = self.high - self.low
        if not np.isfinite(width).all():
            width = np.ones(width.size)
        expected = self.size * self.probabilities(self.law_in(laws))
        classes = Classes(self.low, self.high, self.counts)
        x, order = classes.middles, np.argsort(self.low)
        line = x[order], (expected / width)[order]
        error = np.sqrt(np.maximum(expected, 1.0)) / width
        return [Series(self.source or "counts", x, self.counts / width, expected / width, error, line)]

    def outcomes(self, law: Law[Any]) -> list[Outcomes]:
        """The counts beside the probabilities of a law, for :func:`compare`."""
        name = f"data: {self.source}" if self.source else "data"
        return [Outcomes(name, 0.5 * (self.low + self.high), self.counts, self.probabilities(law), LEAST)]

    def law_of(self, walk: LatticeWalk) -> SmoothedLaw | StationaryLaw:
        """The law of a walk that these data are a sample of; its atoms are spread, as class limits may fall on sites."""
        if self.time is not None:
            return exact_law(walk, [self.time]).smoothed()
        reach = SETTLED * float(self.high.max() - self.low.min())
        return stationary_law(walk, window=(self.origin - reach, self.origin + reach))


@dataclass(frozen=True, eq=False)
class Classes(Distribution):
    """Whole numbers found in classes between `low` and `high`, in order of place."""

    low: Floats
    high: Floats
    counts: NDArray[np.int64]

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        return ((float(self.low[0]), float(self.high[-1])),)

    @property
    def places(self) -> tuple[Floats, ...]:
        return (self.middles,)

    def bins(self) -> tuple[Floats, ...]:
        return (np.union1d(self.low, self.high),)

    @property
    def middles(self) -> Floats:
        """The middles of the classes; a class without an end is at infinity."""
        bounded = np.isfinite(self.low) & np.isfinite(self.high)
        middles = np.where(np.isfinite(self.low), np.inf, -np.inf)
        middles[bounded] = 0.5 * (self.low + self.high)[bounded]
        return middles

    @property
    def _touch(self) -> Floats:
        """By how much a place may be inside a class and still count as its limit."""
        width = self.high - self.low
        return TOUCH * np.where(np.isfinite(width), width, 0.0)

    def _check_bounded(self, what: str) -> None:
        """Refuse what needs the width or the middle of every class."""
        endless = np.isinf(self.high - self.low)
        if endless.any():
            row = int(np.argmax(endless))
            raise NoAnswer(
                f"the class from {self.low[row]:g} to {self.high[row]:g} has no end: the data have no {what}"
            )

    @property
    def size(self) -> int:
        """How many were counted."""
        return int(self.counts.sum())

    def pdf(self, x: Floats) -> Estimate:
        row = np.clip(np.searchsorted(self.low, x, side="right") - 1, 0, self.low.size - 1)
        inside = (x >= self.low[row]) & ((x < self.high[row]) | (x == self.high[-1]))
        width = self.high[row] - self.low[row]
        return proportion(np.where(inside, self.counts[row], 0), self.size) / width

    def cdf(self, x: Floats) -> Estimate:
        return proportion(self._below(x), self.size)

    def mass(self, edges: Floats) -> Estimate:
        return proportion(np.diff(self._below(edges)), self.size)

    def _below(self, x: Floats) -> NDArray[np.int64]:
        """How many were counted below each of the `x`, which must not be inside a class."""
        inside = (x[:, None] > self.low + self._touch) & (x[:, None] < self.high - self._touch)
        if inside.any():
            place, row = np.argwhere(inside)[0]
            raise NoAnswer(
                f"{x[place]:g} is inside the class from {self.low[row]:g} to {self.high[row]:g}, of which the data do not say "
                "more: give class limits"
            )
        return np.append(0, np.cumsum(self.counts))[np.searchsorted(self.high - self._touch, x, side="right")]

    def total(self) -> float:
        return 1.0

    def expect(self, f: Callable[[Floats], ArrayLike]) -> Estimate:
        return average(values_of(f, self.middles), self.counts, self.size)

    def mean(self) -> Estimate:
        self._check_bounded("mean")
        return self.expect(lambda x: x)

    def variance(self) -> Estimate:
        self._check_bounded("variance")
        mean = float(self.mean())
        return self.expect(lambda x: (x - mean) ** 2)

    def draw(self, ax: Axes, **style: Any) -> None:
        """Counts over class width with √n bars."""
        self._check_bounded("density that could be drawn")
        width, n = self.high - self.low, self.size
        ax.errorbar(
            self.middles, self.counts / n / width, np.sqrt(self.counts) / n / width, 0.5 * width, fmt="o", ms=3, **style
        )

    def to_scipy(self) -> Any:
        self._check_bounded("distribution of places")
        edges = np.union1d(self.low, self.high)
        edges = edges[np.append(True, np.diff(edges) > TOUCH * (self.high - self.low).min())]
        middles = 0.5 * (edges[1:] + edges[:-1])
        row = np.searchsorted(self.low, middles, side="right") - 1
        inside = middles < self.high[row]
        return histogram(np.where(inside, self.counts[row], 0), edges)


@dataclass(frozen=True, eq=False)
class MeasuredCurve(Law[Estimate]):
    """Fractions absorbed at a wall by given times, each with the same standard error, for one start or several.

    `times`, `values` and `starts` have one shape, (rows,); `wall` is "left" or "right". `error` may be the name of a parameter,
    to be fitted (:func:`randwalk.fit`). A comparison takes the curve of a walk, ``compare(curve, curve.law_of(walk))``. Of the questions of a law, the data of one start answer :meth:`absorbed`, interpolated
    linearly between measured times.
    """

    kind: ClassVar[str] = "data"

    times: Floats
    values: Floats
    starts: Floats
    wall: str
    error: Known
    source: str = ""

    def __post_init__(self) -> None:
        _arrays(self, "times", "values", "starts")
        for name in ("times", "values", "starts"):
            values = getattr(self, name)
            _refuse(~np.isfinite(values), name, values, "must be a finite number")
        _refuse(self.times < 0.0, "times", self.times, "must not be negative")
        if self.wall not in ("left", "right"):
            raise ValueError(f"wall = {self.wall!r}: must be 'left' or 'right'")
        if not isinstance(self.error, str) and not (math.isfinite(self.error) and self.error > 0.0):
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


def _arrays(data: object, *names: str) -> None:
    """Turn lists into arrays of numbers, which must be as long as one another."""
    for name in names:
        array = np.asarray(getattr(data, name))
        if array.ndim != 1 or array.dtype.kind not in "iuf" or not array.size:
            raise ValueError(f"{name} must be a list of numbers, not {shown(getattr(data, name))}")
        object.__setattr__(data, name, array)
    sizes = [getattr(data, name).size for name in names]
    if len(set(sizes)) > 1:
        raise ValueError(f"{', '.join(names)} have {', '.join(map(str, sizes))} entries; give as many of each")


def _refuse(wrong: NDArray[np.bool_], name: str, values: NDArray[Any], why: str) -> None:
    """Refuse the first value that is `wrong`, with its row."""
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"{name} = {values[row]:g} in row {row}: {why}")
