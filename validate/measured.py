"""Measured data as something to compare with a law: counts in classes of position."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from randwalk.data.datum import Laws, Series, log_of
from randwalk.inputs.wording import shown
from randwalk.laws.distribution import Distribution
from randwalk.laws.estimate import Estimate, average, proportion, values_of
from randwalk.laws.law import Law
from randwalk.laws.lookup import NoAnswer
from randwalk.laws.scipy_form import histogram
from randwalk.model.coefficient import Floats
from randwalk.model.domain import Domain, Line
from randwalk.model.times import row_of
from randwalk.model.walk import LatticeWalk
from randwalk.pde.exact_law import SmoothedLaw, exact_law
from randwalk.pde.stationary import StationaryLaw, stationary_law

from .measured_arrays import arrays, refuse
from .outcomes import Outcomes

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
        arrays(self, "low", "high", "counts")
        low, high, counts = self.low, self.high, self.counts
        for name, values in (("low", low), ("high", high)):
            refuse(np.isnan(values), name, values, "a class limit must be a number")
        refuse(~(low < high), "low", low, "every class must have low < high")
        refuse(~((counts >= 0) & (counts == np.rint(counts))), "counts", counts, "must be a whole number ≥ 0")
        if not counts.sum() > 0:
            raise ValueError("counts are all 0: there is nothing to compare")
        object.__setattr__(self, "counts", counts.astype(np.int64))
        if self.fold:
            refuse(low < 0.0, "low", low, "a class of distances must not be negative; leave fold out for classes of x")
        order = np.argsort(low, kind="stable")
        over = low[order][1:] < high[order][:-1] - TOUCH * (high - low)[order][:-1]
        if over.any():
            a, b = (int(i) for i in order[np.argmax(over) :][:2])
            raise ValueError(
                f"the classes from {low[a]:g} to {high[a]:g} (row {a}) and from {low[b]:g} to {high[b]:g} (row {b}) overlap: "
                "who is in both would count twice"
            )
        if self.time is not None and not (
            isinstance(self.time, Real) and math.isfinite(self.time) and self.time >= 0.0
        ):
            raise ValueError(
                f"time = {shown(self.time)}: must be finite and not negative, or None for the stationary law"
            )

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
