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

import csv
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from randwalk.coefficient import Floats
from randwalk.pde.transfer import SmoothedLaw, StationaryLaw, exact_law, stationary_law
from randwalk.problem import Problem, Source
from randwalk.tabulated import read_csv
from randwalk.times import least_whole
from randwalk.walk import LatticeWalk

from .compare import Check, Law, Outcomes
from .power import detectable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST = 10.0  # counts expected in a class of measured data, which are few
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
        from randwalk.plotting import COLOURS, axes

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
        from randwalk.plotting import COLOURS, axes

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
    """Turn lists into arrays, which must be as long as one another."""
    for name in names:
        object.__setattr__(data, name, np.asarray(getattr(data, name)))
    sizes = [getattr(data, name).size for name in names]
    if len(set(sizes)) > 1:
        raise ValueError(f"{', '.join(names)} have {', '.join(map(str, sizes))} entries; give as many of each")


Measured = MeasuredCounts | MeasuredCurve


def read_measured(problem: Problem) -> Measured | None:
    """The data of a problem's [measured] table, None if it has none."""
    source = problem.source
    if source is None or "measured" not in source.data:
        return None
    kind = source.section("measured", tuple(source.data["measured"]), needed=("kind", "csv"))["kind"]
    if kind == "counts":
        return _read_counts(problem, source)
    if kind == "passed":
        return _read_curve(problem, source)
    source.fail("measured", "kind", f'kind = {kind!r}: must be "counts" or "passed"')


def _read_counts(problem: Problem, source: Source) -> MeasuredCounts:
    known = ("kind", "csv", "low", "high", "width", "count", "time", "fold", "rows", "source")
    table = source.section("measured", known, needed=("low", "count", "time"))
    if ("high" in table) == ("width" in table):
        source.fail("measured", "low", "a class needs either high, a column, or width, a number")
    names = [table["low"], table["count"], *([table["high"]] if "high" in table else [])]
    columns = source.build(
        "measured", "csv", lambda: _read_rows(source.folder / table["csv"], names, table.get("rows"))
    )
    low, counts = np.array(columns[table["low"]]), np.array(columns[table["count"]])
    high = np.array(columns[table["high"]]) if "high" in table else low + float(table["width"])
    if not (np.all(counts >= 0) and np.all(counts == np.rint(counts)) and counts.sum() > 0):
        source.fail("measured", "count", f"the column {table['count']!r} must hold whole numbers ≥ 0")
    if not np.all(low < high):
        source.fail("measured", "low", "every class must have low < high")
    time = table["time"]
    if time != "stationary" and (isinstance(time, (bool, str)) or time not in problem.times):
        source.fail("measured", "time", f'time = {time!r}: must be "stationary" or one of times in [run]')
    origin = problem.walk.start.anchor if table.get("fold") else 0.0
    return MeasuredCounts(
        low, high, counts.astype(np.int64), None if time == "stationary" else float(time), bool(table.get("fold", False)),
        origin, str(table.get("source", "")),
    )  # fmt: skip


def _read_curve(problem: Problem, source: Source) -> MeasuredCurve:
    known = ("kind", "csv", "time", "value", "start", "wall", "error", "rows", "source")
    table = source.section("measured", known, needed=("time", "value", "wall", "error"))
    names = [table["time"], table["value"], *([table["start"]] if "start" in table else [])]
    columns = source.build(
        "measured", "csv", lambda: _read_rows(source.folder / table["csv"], names, table.get("rows"))
    )
    times, values = np.array(columns[names[0]]), np.array(columns[names[1]])
    starts = np.array(columns[names[2]]) if len(names) == 3 else np.full(times.size, problem.walk.start.anchor)
    if table["wall"] not in ("left", "right"):
        source.fail("measured", "wall", f'wall = {table["wall"]!r}: must be "left" or "right"')
    if isinstance(table["error"], (str, bool)) or not table["error"] > 0:
        source.fail("measured", "error", f"error = {table['error']!r}: must be a positive number")
    return MeasuredCurve(times, values, starts, table["wall"], float(table["error"]), str(table.get("source", "")))


def _read_rows(path: Path, names: list[str], rows: dict[str, str] | None) -> dict[str, list[float]]:
    columns = read_csv(path, names)
    if rows is None:
        return columns
    if not isinstance(rows, dict) or set(rows) != {"column", "value"}:
        raise ValueError(f"rows = {rows!r}: must be {{column = …, value = …}}")
    with path.open(newline="", encoding="utf-8-sig") as file:
        records = list(csv.DictReader(file))
    if not records or rows["column"] not in records[0]:
        raise ValueError(f"{path}: there is no column {rows['column']!r}")
    kept = [i for i, record in enumerate(records) if record[rows["column"]] == str(rows["value"])]
    if not kept:
        raise ValueError(f"{path}: no row has {rows['value']!r} in column {rows['column']!r}")
    return {name: [column[i] for i in kept] for name, column in columns.items()}
