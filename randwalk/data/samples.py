"""Plain samples: the places of independent walkers at one time, from anywhere."""

from __future__ import annotations

import math
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


@dataclass(frozen=True, eq=False)
class Samples:
    """The places of independent walkers at one time, such as somebody's own simulation gives.

    Attributes
    ----------
    x : array of shape (n,), or (n, d) in d dimensions
        The places of the walkers that have not left, in the unit of the law that they are compared with.
    time : float, optional
        When they were there; left out where the law is of one time, or of all.
    gone : mapping of str to int
        How many other walkers had left by then, by the name of the exit as ``law.exits`` has it. Left out, the places are
        compared with those of survivors, whatever their number.

    Raises
    ------
    ValueError, TypeError
        for places that are no finite numbers, of another shape, or none; counts that are no whole numbers.

    Examples
    --------
    >>> import numpy as np
    >>> Samples(np.zeros((3, 2)), time=1.0)
    Samples(3 places in 2 dimensions at t = 1)
    >>> Samples([0.5, np.nan])
    Traceback (most recent call last):
    ...
    ValueError: x = nan in row 1: must be a finite number; count walkers that have left in gone={exit: number}
    """

    x: Floats
    time: float | None = None
    gone: Mapping[str, int] = field(default_factory=dict)

    def __init__(self, x: ArrayLike, time: float | None = None, gone: Mapping[str, int] | None = None) -> None:
        places = numbers("x", x)
        if places.ndim not in (1, 2) or not places.size:
            raise ValueError(f"x has the shape {places.shape}: must be (n,), or (n, d) in d dimensions, with n > 0")
        if places.ndim == 2 and places.shape[1] == 1:
            places = places[:, 0]
        wrong = np.argwhere(~np.isfinite(places))
        if wrong.size:
            value, row = places[tuple(wrong[0])], int(wrong[0][0])
            remedy = "count walkers that have left in gone={exit: number}"
            raise ValueError(f"x = {value:g} in row {row}: must be a finite number; {remedy}")
        if time is not None and not (math.isfinite(time) and time >= 0.0):
            raise ValueError(f"time = {time}: must be finite and not negative")
        for exit, count in ({} if gone is None else gone).items():
            if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 0:
                raise ValueError(f"gone[{exit!r}] = {shown(count)}: must be a whole number of walkers, at least 0")
        object.__setattr__(self, "x", places)
        object.__setattr__(self, "time", None if time is None else float(time))
        object.__setattr__(self, "gone", {} if gone is None else {exit: int(n) for exit, n in gone.items()})

    @property
    def size(self) -> int:
        """The number of observations: of walkers."""
        return self.walkers

    parameters: ClassVar[tuple[str, ...]] = ()  # of the measurement itself

    @property
    def axes(self) -> tuple[str, str]:
        return "position $x$", "density"

    def resolved(self, parameters: Mapping[str, float]) -> Samples:
        return self

    def law_in(self, laws: Laws) -> Law[Any]:
        """The law of a fitted model that the places are a sample of."""
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
        return 1 if self.x.ndim == 1 else int(self.x.shape[1])

    @property
    def coordinates(self) -> tuple[Floats, ...]:
        """The places along each axis, arrays of shape (n,)."""
        return (self.x,) if self.dimension == 1 else tuple(self.x.T)

    @property
    def alive(self) -> int:
        """The number of places."""
        return len(self.x)

    @property
    def walkers(self) -> int:
        """The number of walkers, those that have left included."""
        return self.alive + sum(self.gone.values())

    def __repr__(self) -> str:
        space = "" if self.dimension == 1 else f" in {self.dimension} dimensions"
        when = "" if self.time is None else f" at t = {self.time:g}"
        left = "".join(f", {count:,} left by {exit}" for exit, count in self.gone.items())
        return f"Samples({self.alive:,} places{space}{when}{left})"
