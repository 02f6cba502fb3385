"""What records give: histograms, passages, places of walkers, and sums of displacements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import finite
from ..inputs.keywords import once_named
from ..inputs.wording import shown
from ..laws.estimate import Estimate, average, proportion, values_of
from ..laws.law import warn_of_passed
from ..model.coefficient import Floats
from ..model.domain import Domain, Line
from ..model.times import Times
from .recorded import over_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = 50  # paths in a notebook
DIGIT = 1 << 62  # the base in which a file holds long whole numbers


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of a functional: ``counts[i, j]`` of `walkers` had ``values[j]`` at ``times[i]``. Walkers that had left the domain
    are not counted, so a row may sum to less than `walkers`; the value NaN counts walkers for whom the functional has none.
    `first` is the whole number of bin 0: of the site, of the displacement in sites, or of the step."""

    name: str
    times: Floats
    values: Floats
    counts: NDArray[np.int64]
    walkers: int
    first: int = 0

    def proportions(self, t: ArrayLike) -> Estimate:
        """The fraction of walkers with each of the values at the recorded times `t`, of their shape + (values,)."""
        found: Estimate = over_rows(t, self.times, lambda row: proportion(self.counts[row], self.walkers))
        return found

    def mean(self, t: ArrayLike) -> Estimate:
        """The mean of the functional at the recorded times `t`, of their shape, over the walkers that have it; NaN if none
        has."""
        return self.expect(lambda v: v, t)

    def expect(self, f: Callable[[Floats], ArrayLike], t: ArrayLike) -> Estimate:
        """The mean of f(value) at the recorded times `t`, of their shape, over the walkers that have the functional; NaN if none
        has."""
        has = np.isfinite(self.values)
        values, counts = values_of(f, self.values[has]), self.counts[:, has]
        found: Estimate = over_rows(t, self.times, lambda row: average(values, counts[row], int(counts[row].sum())))
        return found

    def holding(self, counts: NDArray[np.int64]) -> Histogram:
        """The same with other counts."""
        return replace(self, counts=counts)

    def __add__(self, other: Histogram) -> Histogram:
        """The walkers of both, on the same bins (a record's `on` gives bins of a wider window)."""
        return replace(self, counts=self.counts + other.counts, walkers=self.walkers + other.walkers)

    def plot(self, t: float | None = None, ax: Axes | None = None) -> Axes:
        """The histogram at time `t` (default: the last)."""
        from ..laws.plotting import COLOURS, axes

        ax = axes(ax)
        shares = self.proportions(float(self.times[-1]) if t is None else finite("t", t))
        kept = shares.value > 0
        ax.errorbar(
            self.values[kept], shares.value[kept], shares.error[kept], fmt=".", color=COLOURS["walk"], label="walk"
        )
        ax.set(xlabel=self.name, ylabel="fraction of walkers")
        return ax

    def _repr_html_(self) -> str:
        from ..laws.plotting import in_notebook

        return in_notebook(repr(self), lambda ax: self.plot(ax=ax))

    def __repr__(self) -> str:
        return f"Histogram({self.name!r}, {self.values.size} values, {self.times.size} times, {self.walkers:,} walkers)"


@dataclass(frozen=True, eq=False)
class Passages:
    """First-passage counts: ``counts[n, i]`` of `walkers` left at ``times[n]`` by ``exits[i]``, the exits of the domain."""

    times: Floats
    counts: NDArray[np.int64]
    walkers: int
    exits: tuple[str, ...] = ("left", "right", "killing")

    def absorbed(self, exit: str, t: ArrayLike) -> Estimate:
        """The fraction that had left by the `exit` by each of the times `t`, any times of the run: by the last step at or
        before them."""
        return proportion(np.cumsum(self.counts[:, self._column(exit)])[self._steps(t)], self.walkers)

    def passed(self, wall: str, times: ArrayLike) -> Estimate:
        """The former name of :meth:`absorbed`."""
        warn_of_passed()
        return self.absorbed(wall, times)

    def _column(self, exit: str) -> int:
        if not isinstance(exit, str) or exit not in self.exits:
            raise ValueError(f"exit = {shown(exit)}: must be one of {', '.join(map(repr, self.exits))}")
        return self.exits.index(exit)

    def _steps(self, times: ArrayLike) -> NDArray[np.int64]:
        last = self.times.size - 1
        dt = float(self.times[1]) if last else 1.0  # a run of no steps has no other time than 0
        return Times((last,), dt, (float(self.times[-1]),)).step_before(times)

    def survival(self, t: ArrayLike) -> Estimate:
        """The fraction that had not left at each of the times `t`, any times of the run."""
        return proportion(self.walkers - np.cumsum(self.counts.sum(axis=1))[self._steps(t)], self.walkers)

    @once_named(wall="exit")
    def mean(self, exit: str | None = None) -> Estimate:
        """The mean passage time of the walkers that left by the `exit` (None: by any exit) during the run."""
        counts = self.counts.sum(axis=1) if exit is None else self.counts[:, self._column(exit)]
        return average(self.times, counts, int(counts.sum()))

    def holding(self, counts: NDArray[np.int64]) -> Passages:
        """The same with other counts."""
        return replace(self, counts=counts)

    def __add__(self, other: Passages) -> Passages:
        return replace(self, counts=self.counts + other.counts, walkers=self.walkers + other.walkers)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Survival against time."""
        from ..laws.plotting import COLOURS, axes

        ax = axes(ax)
        ax.plot(self.times, self.survival(self.times).value, color=COLOURS["walk"], label="walk")
        ax.set(xlabel="time $t$", ylabel="survival probability")
        return ax

    def _repr_html_(self) -> str:
        from ..laws.plotting import in_notebook

        return in_notebook(repr(self), self.plot)

    def __repr__(self) -> str:
        *walls, killed = self.counts.sum(axis=0)
        gone = [f"{count:,} {exit}" for exit, count in zip(self.exits, walls, strict=False)]
        told = ", ".join([*gone, f"{killed:,} killed"])
        return f"Passages({self.walkers:,} walkers: {told}, {self.times.size} times)"


@dataclass(frozen=True, eq=False)
class Paths:
    """The place of every walker at each recorded time, `x` of shape (times, walkers) in the order of their numbers, and
    (times, walkers, d) in d > 1 dimensions: where it left once absorbed, NaN once killed. `blocks` holds the places of each of
    the ranges of walkers `parts`; `domain` is where they are."""

    times: Floats
    parts: tuple[range, ...]
    blocks: tuple[Floats, ...]
    domain: Domain = Line()  # noqa: RUF009 (it has no state)

    @cached_property
    def x(self) -> Floats:
        """All places as one array. The blocks become views of it, so that the places are in memory once."""
        whole = self.blocks[0] if len(self.blocks) == 1 else np.concatenate(self.blocks, axis=1)
        begins = np.cumsum([len(part) for part in self.parts])[:-1]
        object.__setattr__(self, "blocks", tuple(np.split(whole, begins, axis=1)))
        return whole

    def __add__(self, other: Paths) -> Paths:
        pairs = zip((*self.parts, *other.parts), (*self.blocks, *other.blocks), strict=True)
        ordered = sorted(pairs, key=lambda pair: pair[0].start)
        parts, blocks = (tuple(kept) for kept in zip(*ordered, strict=True))
        return replace(self, parts=parts, blocks=blocks)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Each path against time; in more dimensions, in the plane of the first two, with the walls in the colours of their exits
        and, of two dimensions, the regions in grey. A path is cut where it crosses the seam of a ring, and of one time there are
        points."""
        from ..laws.paths import draw_paths

        return draw_paths(self.times, self.x, self.domain, ax)

    def _repr_html_(self) -> str:
        from ..laws.paths import draw_paths
        from ..laws.plotting import in_notebook

        return in_notebook(repr(self), lambda ax: draw_paths(self.times, self.x[:, :SHOWN], self.domain, ax))

    def __repr__(self) -> str:
        return f"Paths({sum(map(len, self.parts)):,} walkers, {self.times.size} times)"


@dataclass(frozen=True, eq=False)
class Displacements:
    """Sums over the survivors at each recorded time of the whole numbers k, the displacement of a walker from its own start in
    sites along each axis, with the turns on periodic axes. The sums are exact, so they add in any order.

    Attributes
    ----------
    times : array of shape (times,)
    spacings : tuple of float
        The distance of sites along each of the d axes.
    alive : array of int, shape (times,)
        Survivors.
    first, second, fourth : arrays of Python's whole numbers
        Σ kₐ, shape (times, d); Σ kₐ kᵦ and Σ kₐ² kᵦ², shape (times, d, d).
    """

    times: Floats
    spacings: tuple[float, ...]
    alive: NDArray[np.int64]
    first: NDArray[np.object_]
    second: NDArray[np.object_]
    fourth: NDArray[np.object_]

    def mean(self, t: ArrayLike) -> Estimate:
        """The mean displacement of the survivors at the recorded times `t`, of their shape + (d,); in one dimension of their
        shape. NaN if there are none."""
        found: Estimate = over_rows(t, self.times, self._mean)
        return found

    def covariance(self, t: ArrayLike) -> Floats:
        """The covariance of the displacements of the survivors at the recorded times `t`, of their shape + (d, d)."""
        found: Floats = over_rows(t, self.times, self._covariance)
        return found

    def mean_square(self, t: ArrayLike) -> Estimate:
        """The mean squared displacement of the survivors at the recorded times `t`, of their shape."""
        found: Estimate = over_rows(t, self.times, self._mean_square)
        return found

    def _mean(self, row: int) -> Estimate:
        n = int(self.alive[row])
        mean = _quotients(self.first[row], n) * self.spacings
        error = np.sqrt(np.diagonal(self._covariance(row)) / max(n, 1))
        return Estimate(mean, error) if mean.size > 1 else Estimate(mean[0], error[0])

    def _covariance(self, row: int) -> Floats:
        n = int(self.alive[row])
        centred = n * self.second[row] - np.outer(self.first[row], self.first[row])
        return _quotients(centred, n * n) * np.outer(self.spacings, self.spacings)

    def _mean_square(self, row: int) -> Estimate:
        n = int(self.alive[row])
        areas, squares = np.square(self.spacings), np.diagonal(self.second[row])
        centred = n * self.fourth[row] - np.outer(squares, squares)
        variance = (_quotients(centred, n * n) * np.outer(areas, areas)).sum()
        return Estimate((_quotients(squares, n) * areas).sum(), np.sqrt(variance / max(n, 1)))

    @property
    def counts(self) -> NDArray[np.int64]:
        """All sums as three digits in base 2⁶² each, the low one first and the last with the sign; shape (times, sums, 3)."""
        parts = self.alive, self.first, self.second, self.fourth
        sums = np.hstack([part.reshape(len(self.times), -1).astype(object) for part in parts])
        return np.stack([sums % DIGIT, sums // DIGIT % DIGIT, sums // DIGIT**2], axis=-1).astype(np.int64)

    def holding(self, counts: NDArray[np.int64]) -> Displacements:
        """The same with the sums of other :attr:`counts`."""
        digits = counts.astype(object)
        sums, d = digits[..., 0] + digits[..., 1] * DIGIT + digits[..., 2] * DIGIT**2, len(self.spacings)
        alive, first, second, fourth = np.split(sums, [1, 1 + d, 1 + d + d * d], axis=1)
        square = (-1, d, d)
        return replace(
            self, alive=alive[:, 0].astype(np.int64), first=first,
            second=second.reshape(square), fourth=fourth.reshape(square),
        )  # fmt: skip

    def __add__(self, other: Displacements) -> Displacements:
        names = ("alive", "first", "second", "fourth")
        return replace(self, **{name: getattr(self, name) + getattr(other, name) for name in names})

    def __repr__(self) -> str:
        return f"Displacements({len(self.spacings)} axes, {self.times.size} times, {int(self.alive[0]):,} walkers at the first)"


def _quotients(numbers: NDArray[np.object_], n: int) -> Floats:
    """Whole numbers over a whole number, each rounded once; NaN where that is 0."""
    return np.array([number / n if n else np.nan for number in numbers.ravel()]).reshape(numbers.shape)


Recorded: TypeAlias = Histogram | Passages | Paths | Displacements
