"""Plain samples: the places of independent walkers at one time or several, from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.arguments import numbers
from ..inputs.wording import shown
from ..laws.estimate import exact
from ..laws.law import Law
from ..laws.lookup import NoAnswer
from ..model.coefficient import Floats
from ..model.coefficient.variables import coordinate
from .datum import Laws, Series, log_of

MOST_BINS = 60  # of a histogram
FORMS = (
    "give the time of the places, Samples(x, time=1.0), or one for each array of x, Samples([x, y], time=[1.0, 2.0])"
)


@dataclass(frozen=True, eq=False)
class Samples:
    """The places of independent walkers at one time or several, such as somebody's own simulation gives.

    At several times the walkers may be the same ones or others: each time is judged by itself, and Holm's correction over all of
    them holds for both.

    Attributes
    ----------
    x : array of shape (n,), or (n, d) in d dimensions; for T times an array of shape (T, n) or (T, n, d), or T arrays
        The places of the walkers that have not left, in the unit of the law that they are compared with. Of several times kept as
        a tuple of arrays, which may differ in length.
    time : float, or array of shape (T,), optional
        When they were there, times in increasing order; left out where the law is of one time, or of all.
    gone : mapping of str to int, or to T of them
        How many other walkers had left by then, by the name of the exit as ``law.exits`` has it. Left out, the places are
        compared with those of survivors, whatever their number.

    Raises
    ------
    ValueError, TypeError
        for places that are no finite numbers, of another shape, or none; times that are none, do not increase, or are not as many
        as the arrays of places; counts that are no whole numbers.

    Examples
    --------
    >>> import numpy as np
    >>> Samples(np.zeros((3, 2)), time=1.0)
    Samples(3 places in 2 dimensions at t = 1)
    >>> Samples([np.zeros(5), np.zeros(3)], time=[1.0, 4.0], gone={"left": [0, 2]})
    Samples(2 times from t = 1 to 4, 3 to 5 places each)
    >>> Samples([0.5, np.nan])
    Traceback (most recent call last):
    ...
    ValueError: x = nan in row 1: must be a finite number; count walkers that have left in gone={exit: number}
    """

    x: Any
    time: Any = None
    gone: Mapping[str, Any] = field(default_factory=dict)

    def __init__(self, x: Any, time: ArrayLike | None = None, gone: Mapping[str, Any] | None = None) -> None:
        when, left = _checked(time), {} if gone is None else dict(gone)
        if when is None or when.ndim == 0:
            places: Any = _places("x", x)
            counts: dict[str, Any] = {exit: _count(f"gone[{exit!r}]", n) for exit, n in left.items()}
        else:
            places = tuple(_places(f"x[{row}]", one) for row, one in enumerate(_arrays(x, when.size)))
            if len({one.shape[1:] for one in places}) > 1:
                shapes = ", ".join(str(one.shape) for one in places)
                raise ValueError(
                    f"x has arrays of the shapes {shapes}: must have places in the same dimension at all times"
                )
            counts = {exit: _counts(exit, n, when.size) for exit, n in left.items()}
        object.__setattr__(self, "x", places)
        object.__setattr__(self, "time", float(when) if when is not None and when.ndim == 0 else when)
        object.__setattr__(self, "gone", counts)

    @property
    def each(self) -> tuple[Samples, ...]:
        """The samples of each time."""
        if not isinstance(self.x, tuple):
            return (self,)
        return tuple(
            Samples(places, t, {exit: counts[row] for exit, counts in self.gone.items()})
            for row, (places, t) in enumerate(zip(self.x, self.time.tolist(), strict=True))
        )

    @property
    def size(self) -> int:
        """The number of observations: of walkers, at each time anew."""
        return self.walkers

    parameters: ClassVar[tuple[str, ...]] = ()  # of the measurement itself

    @property
    def axes(self) -> tuple[str, str]:
        return "position $x$", "density"

    def resolved(self, parameters: Mapping[str, float]) -> Samples:
        return self

    def law_in(self, laws: Laws) -> Law[Any]:
        """The law of a fitted model that the places are a sample of."""
        if isinstance(self.x, tuple):
            raise NoAnswer(
                f"places at {len(self.x)} times: those of one walker are not independent; if the walkers are others at each "
                "time, fit [*samples.each]"
            )
        if self.time is None:
            raise NoAnswer("time is not known: a fit needs the time of the places, Samples(x, time=1.0)")
        return laws.at([self.time])

    def log_likelihood(self, laws: Laws, parameters: Mapping[str, float]) -> float:
        """Σ log ρ(x, t), and log P of the exits of those that have left; without any, on condition of being there."""
        law = self.law_in(laws)
        places = self.x if self.dimension == 1 else self.coordinates
        total = log_of(exact(law.pdf(places, self.time)))
        if not self.gone:
            return total - self.alive * log_of(exact(law.survival(self.time)))
        return total + sum(log_of(exact(law.absorbed(exit, self.time)), n) for exit, n in self.gone.items() if n)

    def series(self, laws: Laws, parameters: Mapping[str, float]) -> list[Series]:
        """Histograms along each axis, of those that have not left, beside the law."""
        law, found = self.law_in(laws), []
        for axis, x in enumerate(self.coordinates):
            edges = np.histogram_bin_edges(x, bins=int(np.clip(np.sqrt(x.size), 5, MOST_BINS)))
            counts, width = np.histogram(x, edges)[0], np.diff(edges)
            mass = exact(law.marginal(axis).mass(edges, self.time)) / exact(law.survival(self.time))
            middles, scale = 0.5 * (edges[1:] + edges[:-1]), 1.0 / (x.size * width)
            error = np.sqrt(np.maximum(mass * x.size, 1.0)) * scale
            found.append(
                Series(coordinate(axis), middles, counts * scale, mass / width, error, (middles, mass / width))
            )
        return found

    @property
    def dimension(self) -> int:
        """The number of coordinates of a place."""
        first = self.x[0] if isinstance(self.x, tuple) else self.x
        return 1 if first.ndim == 1 else int(first.shape[1])

    @property
    def coordinates(self) -> tuple[Floats, ...]:
        """The places along each axis, arrays of shape (n,); of several times those of all, one time after another."""
        places = np.concatenate(self.x) if isinstance(self.x, tuple) else self.x
        return (places,) if self.dimension == 1 else tuple(places.T)

    @property
    def alive(self) -> int:
        """The number of places."""
        return sum(map(len, self.x)) if isinstance(self.x, tuple) else len(self.x)

    @property
    def walkers(self) -> int:
        """The number of walkers, those that have left included; of several times the sum over them."""
        return self.alive + int(sum(np.sum(counts) for counts in self.gone.values()))

    def __repr__(self) -> str:
        space = "" if self.dimension == 1 else f" in {self.dimension} dimensions"
        if isinstance(self.x, tuple):
            fewest, most = min(map(len, self.x)), max(map(len, self.x))
            many = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
            return f"Samples({len(self.x)} times from t = {self.time[0]:g} to {self.time[-1]:g}, {many} places each{space})"
        when = "" if self.time is None else f" at t = {self.time:g}"
        left = "".join(f", {count:,} left by {exit}" for exit, count in self.gone.items())
        return f"Samples({self.alive:,} places{space}{when}{left})"


def _checked(time: ArrayLike | None) -> Floats | None:
    """The time, of no dimension, or the times, an array of one."""
    if time is None:
        return None
    try:
        times = numbers("time", time)
    except TypeError as error:
        raise TypeError(f"{error}; {FORMS}") from None
    if times.ndim > 1 or not times.size:
        raise ValueError(f"time has the shape {times.shape}: {FORMS}")
    for t in times.ravel()[~(np.isfinite(times.ravel()) & (times.ravel() >= 0.0))].tolist():
        raise ValueError(f"time = {t}: must be finite and not negative")
    wrong = np.flatnonzero(np.diff(times.ravel()) <= 0.0)
    if wrong.size:
        earlier, later = times[wrong[0] : wrong[0] + 2]
        raise ValueError(
            f"time has {later:g} after {earlier:g}: must increase; sort the times, and x and gone with them"
        )
    return times


def _arrays(x: Any, times: int) -> list[Any]:
    """The arrays of places, one a time."""
    if not isinstance(x, (np.ndarray, list, tuple)) or len(x) != times:
        shape = np.shape(x) if isinstance(x, np.ndarray) or np.isscalar(x) else None
        has = f"{len(x)} entries" if shape is None and hasattr(x, "__len__") else f"the shape {shape}"
        turned = "; the first axis is that of the times, as in x.T" if shape is not None and times in shape[1:] else ""
        raise ValueError(f"x has {has}, and time has {times}: must be an array of places for each time{turned}")
    return list(x)


def _places(name: str, x: ArrayLike) -> Floats:
    """The places of one time, shape (n,) or (n, d)."""
    places = numbers(name, x)
    if places.ndim not in (1, 2) or not places.size:
        raise ValueError(f"{name} has the shape {places.shape}: must be (n,), or (n, d) in d dimensions, with n > 0")
    if places.ndim == 2 and places.shape[1] == 1:
        places = places[:, 0]
    wrong = np.argwhere(~np.isfinite(places))
    if wrong.size:
        value, row = places[tuple(wrong[0])], int(wrong[0][0])
        remedy = "count walkers that have left in gone={exit: number}"
        raise ValueError(f"{name} = {value:g} in row {row}: must be a finite number; {remedy}")
    return places


def _count(name: str, count: Any) -> int:
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 0:
        raise ValueError(f"{name} = {shown(count)}: must be a whole number of walkers, at least 0")
    return int(count)


def _counts(exit: str, counts: Any, times: int) -> tuple[int, ...]:
    """How many had left by each time."""
    if not isinstance(counts, (np.ndarray, list, tuple)) or np.ndim(counts) != 1 or len(counts) != times:
        raise ValueError(
            f"gone[{exit!r}] = {shown(counts)}: must be {times} whole numbers of walkers, one by each time"
        )
    return tuple(_count(f"gone[{exit!r}][{row}]", count) for row, count in enumerate(counts))
