"""Measured data as something to compare with a law, read from the [measured] table of a problem file.

```toml
[measured]                       # counts in classes of position
kind = "counts"
csv = "displacements.csv"
low = "low_um"                   # columns: class limits and the number found
high = "high_um"                 # or width = 1.0, a number
count = "found"
time = 30.0                      # or "stationary"
fold = true                      # classes of |x - start|; left out: of x
rows = {column = "set", value = "c"}   # only these rows; left out: all
source = "J. Perrin, 1909"

[measured]                       # or a curve: fractions that had passed a wall
kind = "passed"
csv = "breakthrough.csv"
time = "time_h"                  # columns
value = "rel_conc"
start = "depth_cm"               # where the walkers of each row started; left out: the problem's start
wall = "left"
error = 0.02                     # standard error of a value
```
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from randwalk.inputs.columns import read_columns
from randwalk.inputs.wording import shown
from randwalk.model.coefficient import Floats
from randwalk.model.times import SAME, least_whole
from randwalk.model.walk import LatticeWalk
from randwalk.pde.transfer import SmoothedLaw, StationaryLaw, exact_law, stationary_law
from randwalk.problem import Problem, Source, beside, read_number, read_parameters, read_text

from .compare import Check, Law, Outcomes
from .power import detectable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST = 10.0  # counts expected in a class of measured data, which are few
TOUCH = 1e-9  # of a class: by so much limits that are the same may overlap in rounding
SETTLED = 60.0  # how far beyond the last class an unbounded stationary law is followed, in widths of the classes


@dataclass(frozen=True, eq=False)
class MeasuredCounts:
    """Numbers found in classes of position at one time: compared on condition of being in one of the classes.

    `low` and `high` are the class limits and `counts` whole numbers, all of shape (classes,); `time` None stands for the
    stationary law. `fold` counts distances from `origin` on either side together.
    """

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

    def probabilities(self, law: Law | StationaryLaw) -> Floats:
        """The probability of each class, given that it is one of them."""
        t = 0.0 if self.time is None else self.time
        p = np.array([self._mass(law, a, b, t) for a, b in zip(self.low, self.high, strict=True)])
        return p / p.sum()

    def _mass(self, law: Law | StationaryLaw, a: float, b: float, t: float) -> float:
        mass = float(np.asarray(law.mass([self.origin + a, self.origin + b], t))[0])
        if self.fold:
            mass += float(np.asarray(law.mass([self.origin - b, self.origin - a], t))[0])
        return mass

    def mass(self, edges: ArrayLike, t: float) -> Floats:
        """The measured fraction in each class; `edges` must be class limits that touch."""
        wanted = np.asarray(edges, dtype=np.float64)
        known = {(float(a), float(b)): int(n) for a, b, n in zip(self.low, self.high, self.counts, strict=True)}
        try:
            found = [known[(float(a), float(b))] for a, b in itertools.pairwise(wanted)]
        except KeyError as error:
            raise ValueError(f"{error.args[0]} is not a class of the data; the classes are {list(known)}") from None
        return np.array(found) / self.counts.sum()

    def outcomes(self, law: Law | StationaryLaw) -> list[Outcomes]:
        """The counts beside the probabilities of a law, for :func:`compare`."""
        name = f"data: {self.source}" if self.source else "data"
        return [Outcomes(name, 0.5 * (self.low + self.high), self.counts, self.probabilities(law), LEAST)]

    def law_of(self, walk: LatticeWalk) -> SmoothedLaw | StationaryLaw:
        """The law of a walk that these data are a sample of; its atoms are spread, as class limits may fall on sites."""
        if self.time is not None:
            return exact_law(walk, [self.time]).smoothed()
        reach = SETTLED * float(self.high.max() - self.low.min())
        return stationary_law(walk, window=(self.origin - reach, self.origin + reach))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Counts over class width with √n bars."""
        from randwalk.laws.plotting import COLOURS, axes

        ax = axes(ax)
        width, n = self.high - self.low, self.counts.sum()
        ax.errorbar(
            0.5 * (self.low + self.high), self.counts / n / width, np.sqrt(self.counts) / n / width, 0.5 * width,
            fmt="o", ms=3, color=COLOURS["data"], label="data",
        )  # fmt: skip
        ax.set(xlabel="position $x$", ylabel="density")
        return ax


@dataclass(frozen=True, eq=False)
class MeasuredCurve:
    """Fractions that had passed a wall by given times, each with the same standard error, for one start or several.

    `times`, `values` and `starts` have one shape, (rows,); `wall` is "left" or "right". A comparison takes the curve of a walk,
    ``compare(curve, curve.law_of(walk))``.
    """

    times: Floats
    values: Floats
    starts: Floats
    wall: str
    error: float
    source: str = ""

    def __post_init__(self) -> None:
        _arrays(self, "times", "values", "starts")
        for name in ("times", "values", "starts"):
            values = getattr(self, name)
            _refuse(~np.isfinite(values), name, values, "must be a finite number")
        _refuse(self.times < 0.0, "times", self.times, "must not be negative")
        if self.wall not in ("left", "right"):
            raise ValueError(f"wall = {self.wall!r}: must be 'left' or 'right'")
        if not (math.isfinite(self.error) and self.error > 0.0):
            raise ValueError(f"error = {self.error}: must be a positive number, the standard error of a value")

    def passed(self, wall: str, times: ArrayLike) -> Floats:
        """The measured fraction, interpolated linearly; for data of one start."""
        if wall != self.wall or np.unique(self.starts).size > 1:
            raise ValueError(f"the data are of wall {self.wall!r} and starts {np.unique(self.starts).tolist()}")
        return np.interp(np.asarray(times, dtype=np.float64), self.times, self.values)

    def checks(self, law: Any) -> list[Check]:
        """One chi-square of residuals for each start; `law` maps a start and times to fractions passed."""
        checks = []
        for start in np.unique(self.starts):
            rows = self.starts == start
            residual = (self.values[rows] - law(float(start), self.times[rows])) / self.error
            statistic, freedom = float(residual @ residual), int(rows.sum())
            name = f"data from x = {start:g}" + (f": {self.source}" if self.source else "")
            checks.append(
                Check(
                    name,
                    "chi²",
                    statistic,
                    freedom,
                    float(stats.chi2.sf(statistic, freedom)),
                    detectable(freedom, freedom) * self.error,
                )
            )
        return checks

    def plot(self, ax: Axes | None = None) -> Axes:
        """Fractions against time with their error, a colour for each start if there are several."""
        from randwalk.laws.plotting import COLOURS, axes

        ax = axes(ax)
        starts = np.unique(self.starts)
        for start in starts:
            rows = self.starts == start
            ax.errorbar(
                self.times[rows], self.values[rows], self.error, fmt="o", ms=3, label=f"data from x = {start:g}",
                color=COLOURS["data"] if starts.size == 1 else None,
            )  # fmt: skip
        ax.set(xlabel="time $t$", ylabel=f"fraction passed {self.wall}")
        return ax

    def law_of(self, walk: LatticeWalk) -> Any:
        """The fractions that walkers of `walk` have passed, by start and times, interpolated between steps."""
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


Measured = MeasuredCounts | MeasuredCurve


def read_measured(problem: Problem) -> Measured | None:
    """The data of a problem's [measured] table, None if it has none. Errors name file, line and key."""
    source = problem.source
    if source is None or "measured" not in source.data:
        return None
    given = source.data["measured"]
    table = source.section("measured", tuple(given) if isinstance(given, dict) else (), needed=("kind", "csv"))
    if table["kind"] == "counts":
        return _read_counts(problem, source)
    if table["kind"] == "passed":
        return _read_curve(problem, source)
    source.fail("measured", "kind", f'kind = {shown(table["kind"])}: must be "counts" or "passed"')


def _read_counts(problem: Problem, source: Source) -> MeasuredCounts:
    known = ("kind", "csv", "low", "high", "width", "count", "time", "fold", "rows", "source")
    table = source.section("measured", known, needed=("low", "count", "time"))
    if ("high" in table) == ("width" in table):
        key = "width" if "width" in table else None
        source.fail("measured", key, "a class needs either high, a column, or width, a number")
    fold = table.get("fold", False)
    if not isinstance(fold, bool):
        source.fail("measured", "fold", f"fold = {shown(fold)}: must be true or false")
    names = read_parameters(source)
    time = None if table["time"] == "stationary" else _read_time(problem, source, names, table["time"])
    columns = _read_columns(source, table, ("low", "count", "high"))
    low = np.array(columns["low"])
    if "high" in table:
        high = np.array(columns["high"])
    else:
        width = read_number(source, names, table["width"], "measured", "width")
        if not 0.0 < width < math.inf:
            source.fail("measured", "width", f"width = {width:g}: must be positive and finite")
        high = low + width
    origin = problem.walk.start.anchor if fold else 0.0
    text = read_text(source, "measured", "source")
    return source.build(
        "measured", "csv", lambda: MeasuredCounts(low, high, np.array(columns["count"]), time, fold, origin, text),
        {"counts": ("measured", "count"), "low": ("measured", "low"), "high": ("measured", "high")},
    )  # fmt: skip


def _read_time(problem: Problem, source: Source, names: Mapping[str, float], value: Any) -> float:
    """One of the times of the run."""
    told = 'must be "stationary" or one of times in [run]'
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        source.fail("measured", "time", f"time = {shown(value)}: {told}")
    time = read_number(source, names, value, "measured", "time")
    same = [t for t in problem.times if math.isclose(t, time, rel_tol=SAME)]
    if not same:
        source.fail("measured", "time", f"time = {shown(value)}: {told}")
    return same[0]


def _read_curve(problem: Problem, source: Source) -> MeasuredCurve:
    known = ("kind", "csv", "time", "value", "start", "wall", "error", "rows", "source")
    table = source.section("measured", known, needed=("time", "value", "wall", "error"))
    names = read_parameters(source)
    error = read_number(source, names, table["error"], "measured", "error")
    if table["wall"] not in ("left", "right"):
        source.fail("measured", "wall", f'wall = {shown(table["wall"])}: must be "left" or "right"')
    if problem.walk.domain.face(table["wall"]) is None:
        source.fail("measured", "wall", f"wall = {table['wall']!r}: {problem.walk.domain} has no wall there")
    columns = _read_columns(source, table, ("time", "value", "start"))
    times, values = np.array(columns["time"]), np.array(columns["value"])
    starts = np.array(columns["start"]) if "start" in table else np.full(times.size, problem.walk.start.anchor)
    for start in np.unique(starts) if "start" in table else ():
        source.build("measured", "start", partial(problem.walk.with_start, float(start)))
    text = read_text(source, "measured", "source")
    return source.build(
        "measured", "csv", lambda: MeasuredCurve(times, values, starts, table["wall"], error, text),
        {"error": ("measured", "error")} | {f"{key}s": ("measured", key) for key in ("time", "value", "start")},
    )  # fmt: skip


def _read_columns(source: Source, table: Mapping[str, Any], keys: Sequence[str]) -> dict[str, list[float]]:
    """The numbers of the columns that a table names, by its keys; of chosen rows, if it says which."""
    for key in ("csv", *keys):
        if key in table and not isinstance(table[key], str):
            source.fail("measured", key, f"{key} = {shown(table[key])}: must be a name in quotes")
    rows = table.get("rows", {})
    if "rows" in table and not (
        isinstance(rows, dict) and set(rows) == {"column", "value"} and isinstance(rows["column"], str)
        and isinstance(rows["value"], (str, int, float)) and not isinstance(rows["value"], bool)
    ):  # fmt: skip
        source.fail("measured", "rows", f"rows = {shown(rows)}: must be {{column = …, value = …}}")

    def make() -> dict[str, list[float]]:
        named = {key: table[key] for key in keys if key in table}
        chosen = [rows["column"]] if rows else []
        columns = read_columns(beside(source, table["csv"]), list(dict.fromkeys([*named.values(), *chosen])))
        if rows:
            columns = columns.where(rows["column"], str(rows["value"]))
        numbers = columns.numbers(list(dict.fromkeys(named.values())))
        return {key: numbers[name] for key, name in named.items()}

    return source.build("measured", "csv", make)
