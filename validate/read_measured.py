"""Measured data read from the [measured] table of a problem file.

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

[measured]                       # or a curve: fractions absorbed at a wall by given times
kind = "passed"
csv = "breakthrough.csv"
time = "time_h"                  # columns
value = "rel_conc"
start = "depth_cm"               # where the walkers of each row started; left out: the problem's start
wall = "left"
error = 0.02                     # standard error of a value, or the name of a parameter in quotes

[measured]                       # or times of first passage, and the exits
kind = "first_passage"
csv = "response_times.csv"
time = "rt_s"                    # columns
exit = "choice"                  # left out: by any exit
exits = {right = "1", left = "0"} # what the entries of that column mean; left out: they are names of exits
censored = "missed"              # the entry of those that had not left at their time; left out: none
offset = "t0"                    # when the walk begins: a number, or the name of a parameter in quotes; left out: 0

[measured]                       # or tracks of particles
kind = "tracks"
csv = "beads.csv"
columns = {x = "Centroid X"}     # of particle, frame, time, x, y, z, those with other names; left out: none
interval = 0.05                  # the time between two frames, where the file has frames alone
pixel = 0.1                      # the length of a pixel, where positions are in pixels; left out: 1
localisation = "sigma"           # the error of a position: a number, or the name of a parameter in quotes; left out: 0
exposure = 0.025                 # for how long the shutter is open in each frame; left out: 0
```
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from randwalk.data.datum import Known
from randwalk.data.first_passage import FirstPassageTimes
from randwalk.data.tracks import Tracks
from randwalk.inputs.columns import Columns, read_columns
from randwalk.inputs.wording import shown
from randwalk.likelihood.laws import laws_of
from randwalk.likelihood.model import TOLERANCE
from randwalk.model.times import SAME
from randwalk.model.walk import LatticeWalk
from randwalk.problem import Problem, Source, beside, read_number, read_parameters, read_text

from .measured import MeasuredCounts
from .measured_curve import MeasuredCurve
from .measured_tracks import MeasuredTracks

Measured = MeasuredCounts | MeasuredCurve | MeasuredTracks | FirstPassageTimes


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
    if table["kind"] == "first_passage":
        return _read_passages(source)
    if table["kind"] == "tracks":
        return _read_tracks(source)
    told = 'must be "counts", "passed", "first_passage" or "tracks"'
    source.fail("measured", "kind", f"kind = {shown(table['kind'])}: {told}")


def beside_walk(measured: Measured, problem: Problem) -> tuple[Measured, Any]:
    """(the data, with the numbers of their parameters; what the walk of the problem expects of them).

    That is the exact law of a walk on a lattice, for times of first passage and of Itô walks the law of the equation.
    """
    known = measured.resolved(problem.parameters)
    if isinstance(problem.walk, LatticeWalk) and not isinstance(known, FirstPassageTimes):
        return known, known.law_of(problem.walk)
    return known, known.law_in(laws_of(problem.walk, TOLERANCE))


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
    error = _read_known(source, names, table["error"], "error")
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


def _read_known(source: Source, names: Mapping[str, float], value: Any, key: str) -> Known:
    """A number or a formula of the parameters; the name of a parameter alone stays a name, which a fit may free."""
    return value if isinstance(value, str) and value in names else read_number(source, names, value, "measured", key)


def _read_passages(source: Source) -> FirstPassageTimes:
    known = ("kind", "csv", "time", "exit", "exits", "censored", "offset", "rows", "source")
    table = source.section("measured", known, needed=("time",))
    names = read_parameters(source)
    offset = _read_known(source, names, table.get("offset", 0.0), "offset")
    meant = table.get("exits")
    if meant is not None and not (isinstance(meant, dict) and all(isinstance(v, str) for v in meant.values())):
        source.fail(
            "measured", "exits", f'exits = {shown(meant)}: must be a table of entries, as {{right = "1", left = "0"}}'
        )
    if "exit" not in table and ("exits" in table or "censored" in table):
        key = "exits" if "exits" in table else "censored"
        source.fail("measured", key, f"{key} needs exit, the column whose entries it explains")
    if "censored" in table and meant is None:
        source.fail("measured", "censored", "censored needs exits, which says what the other entries mean")
    translated = None
    if meant is not None:
        translated = {entry: name for name, entry in meant.items()} | (
            {table["censored"]: None} if "censored" in table else {}
        )
    text = read_text(source, "measured", "source")
    columns = source.build("measured", "csv", lambda: _columns(source, table, ("time", "exit")))
    return source.build(
        "measured", "csv",
        lambda: FirstPassageTimes.of_columns(
            columns, table["time"], table.get("exit"), exits=translated, offset=offset, source=text
        ),
        {"times": ("measured", "time"), "exits": ("measured", "exits")},
    )  # fmt: skip


def _read_tracks(source: Source) -> MeasuredTracks:
    known = ("kind", "csv", "columns", "interval", "pixel", "localisation", "exposure", "source")
    table, names = source.section("measured", known), read_parameters(source)
    localisation = _read_known(source, names, table.get("localisation", 0.0), "localisation")
    interval, pixel, exposure = (
        read_number(source, names, table[key], "measured", key) if key in table else None
        for key in ("interval", "pixel", "exposure")
    )
    columns = table.get("columns", {})
    if not (isinstance(columns, dict) and all(isinstance(name, str) for name in columns.values())):
        source.fail("measured", "columns", f'columns = {shown(columns)}: must be a table, as {{x = "Centroid X"}}')
    if not isinstance(table["csv"], str):
        source.fail("measured", "csv", f"csv = {shown(table['csv'])}: must be a name in quotes")
    text = read_text(source, "measured", "source")
    places = {key: ("measured", key) for key in ("columns", "interval", "pixel", "localisation", "exposure")}

    def make() -> MeasuredTracks:
        tracks = Tracks.read(beside(source, table["csv"]), interval=interval, pixel=pixel, columns=columns)
        return MeasuredTracks(tracks, localisation, exposure or 0.0, text)

    return source.build("measured", "csv", make, places)


def _read_columns(source: Source, table: Mapping[str, Any], keys: Sequence[str]) -> dict[str, list[float]]:
    """The numbers of the columns that a table names, by its keys; of chosen rows, if it says which."""

    def make() -> dict[str, list[float]]:
        named = {key: table[key] for key in keys if key in table}
        numbers = _columns(source, table, keys).numbers(list(dict.fromkeys(named.values())))
        return {key: numbers[name] for key, name in named.items()}

    return source.build("measured", "csv", make)


def _columns(source: Source, table: Mapping[str, Any], keys: Sequence[str]) -> Columns:
    """The columns that a table names, by its keys; of chosen rows, if it says which."""
    for key in ("csv", *keys):
        if key in table and not isinstance(table[key], str):
            source.fail("measured", key, f"{key} = {shown(table[key])}: must be a name in quotes")
    rows = table.get("rows", {})
    if "rows" in table and not (
        isinstance(rows, dict) and set(rows) == {"column", "value"} and isinstance(rows["column"], str)
        and isinstance(rows["value"], (str, int, float)) and not isinstance(rows["value"], bool)
    ):  # fmt: skip
        source.fail("measured", "rows", f"rows = {shown(rows)}: must be {{column = …, value = …}}")
    chosen = [rows["column"]] if rows else []
    wanted = [table[key] for key in keys if key in table]
    columns = read_columns(beside(source, table["csv"]), list(dict.fromkeys([*wanted, *chosen])))
    return columns.where(rows["column"], str(rows["value"])) if rows else columns
