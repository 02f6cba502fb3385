"""What a file of an ensemble of an Itô walk says: written as a text and arrays, and checked when it is read.

Format 4: of :mod:`randwalk.store`'s fields ``meta`` has ``kind`` = "ito" and, in place of ``window`` and ``method``, the edges of
the ``bins`` along each axis and the exact sums ``places`` of every recorded time (whole numbers of 2⁻¹⁰⁷⁴ in hexadecimal digits,
about a ``shift``, their products in a ``unit``). ``raw`` are the counts in bins, shape (times, cells), and ``gone`` those of
walkers that have left, shape (times, exits).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contents import Field, digest
from .inputs.source import Source
from .kernels.philox import STREAM_VERSION
from .laws.places import PlaceSums
from .laws.sums import ExactSum, SampleSums
from .model.formula import expression
from .model.ito import ItoWalk
from .model.times import MOST_STEPS
from .problem import dumps, read_walk, walk_data
from .run.average import Average, Averages
from .run.bins import Bins, given_bins
from .run.exit_times import Departures
from .run.ito_counts import ItoCounts
from .run.ito_record import kind_of
from .run.record import FirstPassage, Positions, Record
from .run.results import Passages
from .run.task import MOST_WALKERS

FORMAT = 4
Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ItoContents:
    """What a file holds: the counts of an ensemble, and the version of the stream that drew them."""

    tally: ItoCounts
    stream: int

    @property
    def raw(self) -> Counts:
        return self.tally.raw

    @property
    def arrays(self) -> dict[str, Counts]:
        """The arrays besides ``raw``, by their names in a file."""
        passages = {
            f"record{i}": result.counts
            for i, result in enumerate(self.tally.records.values())
            if isinstance(result, Passages)
        }
        return {"gone": self.tally.gone} | passages

    @property
    def meta(self) -> str:
        """The text that a file holds beside the arrays."""
        from .version import __version__

        tally = self.tally
        for record in tally.records:
            check_record(record)
        data = {
            "randwalk": __version__, "format": FORMAT, "kind": "ito", "stream": self.stream, "seed": tally.seed,
            "parts": [[p.start, p.stop] for p in tally.parts], "steps": list(tally.steps),
            "walk": dumps(walk_data(tally.walk)), "bins": [list(edges) for edges in tally.bins.edges],
            "places": list(map(_places_data, tally.places)),
            "records": [_record_data(record, result) for record, result in tally.records.items()],
        }  # fmt: skip
        return json.dumps(data | {"sha256": digest(data, {"raw": self.raw} | self.arrays)})


@dataclass(frozen=True, eq=False)
class ItoMeta:
    """The text of a file, read and checked: all of it is known before an array is."""

    path: Path
    data: Mapping[str, Any]
    walk: ItoWalk
    bins: Bins
    parts: tuple[range, ...]
    steps: tuple[int, ...]
    format: int = FORMAT

    @classmethod
    def read(cls, path: Path, data: Mapping[str, Any]) -> ItoMeta:
        field = Field(path, data)
        field.whole("format", FORMAT, FORMAT)
        field.whole("stream", 1, STREAM_VERSION)
        field.whole("seed", 0)
        source = Source.parse(field.text("walk"), f"{path}: walk", folder=None)
        walk = read_walk(source, [])
        if not isinstance(walk, ItoWalk):
            raise ValueError(f"{path}: walk is none in continuous space")
        parts = tuple(range(*pair) for pair in field.pairs("parts", 0, MOST_WALKERS))
        ordered = sorted(parts, key=lambda p: p.start)
        if any(a.stop > b.start for a, b in pairwise(ordered)) or not all(map(len, parts)):
            field.fail("parts", "must be ranges of walkers, not empty, that do not overlap")
        if sum(map(len, parts)) > MOST_WALKERS:
            field.fail("parts", "holds more than 2⁵³ walkers")
        steps = tuple(field.numbers("steps", 0, MOST_STEPS))
        if any(a >= b for a, b in pairwise(steps)):
            field.fail("steps", "must increase")
        given = field.get("bins")
        try:
            bins = given_bins(walk, given[0] if walk.dimension == 1 else given)
        except (TypeError, ValueError, LookupError) as error:
            field.fail("bins", str(error))
        if not isinstance(bins, Bins):
            field.fail("bins", "must be edges")
        return cls(path, data, walk, bins, parts, steps)  # type: ignore[arg-type]

    @property
    def walkers(self) -> int:
        return sum(map(len, self.parts))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes that the arrays must have."""
        exits = len(self.walk.domain.exits)
        passages: dict[str, tuple[int, ...]] = {
            f"record{i}": (self.steps[-1] + 1, exits)
            for i, record in enumerate(self._records_data)
            if record.get("name") == "FirstPassage"
        }
        return {"raw": (len(self.steps), self.bins.cells), "gone": (len(self.steps), exits)} | passages

    @property
    def _records_data(self) -> list[dict[str, Any]]:
        given = Field(self.path, self.data).get("records")
        if not isinstance(given, list) or not all(isinstance(record, dict) for record in given):
            Field(self.path, self.data).fail("records", "must be a list of tables")
        return list(given)

    def contents(self, arrays: Mapping[str, Counts]) -> ItoContents:
        """The counts, of arrays that are checked to be counts of the walkers."""
        raw, gone = arrays["raw"], arrays["gone"]
        alive = self.walkers - gone.sum(axis=1)
        self._check_counts(raw, gone, alive)
        try:
            places = tuple(map(self._places, self.data["places"]))
            records = dict(self._record(i, given, arrays) for i, given in enumerate(self._records_data))
        except (LookupError, TypeError, ValueError) as error:
            raise ValueError(f"{self.path} is damaged: {error}") from None
        if [place.count for place in places] != alive.tolist():
            raise ValueError(f"{self.path}: places are not sums of as many walkers as have not left")
        tally = ItoCounts(self.walk, self.steps, self.data["seed"], self.bins, self.parts, raw, gone, places, records)
        return ItoContents(tally, self.data["stream"])

    def _check_counts(self, raw: Counts, gone: Counts, alive: Counts) -> None:
        if (raw < 0).any() or (gone < 0).any() or (alive < 0).any():
            raise ValueError(f"{self.path}: a count is negative, or more walkers have left than there are")
        if (np.diff(gone, axis=0) < 0).any():
            raise ValueError(f"{self.path}: gone: walkers that had gone come back")
        for row, here in zip(raw, alive, strict=True):
            split = self.bins.split(row)
            sums = [int(split.sum())] if self.bins.joint else [int(part.sum()) for part in split]  # type: ignore[union-attr]
            if any(total != here for total in sums):
                raise ValueError(f"{self.path}: raw: counts are not those of the {here} walkers that have not left")

    def _places(self, given: Any) -> PlaceSums:
        *groups, squares = given
        return PlaceSums(tuple(map(_sums, groups)), tuple(_exact(units, groups[0]["count"]) for units in squares))

    def _record(self, i: int, given: Mapping[str, Any], arrays: Mapping[str, Counts]) -> tuple[Record, Any]:
        if given["name"] == "FirstPassage":
            empty = kind_of(FirstPassage()).empty(FirstPassage(), self.walk, self.steps, range(self.walkers))
            passages = replace(
                empty, counts=arrays[f"record{i}"], sums=tuple(map(_sums, given["times"])),
                spots=tuple(map(self._places, given["places"])),
            )  # fmt: skip
            if [sums.count for sums in passages.sums] != passages.counts.sum(axis=0).tolist():
                raise ValueError("times of passage are not sums of as many walkers as have left")
            return FirstPassage(), passages
        record = Average(expression(given["f"]))
        times = np.array(self.walk.recorded(self.steps).asked)
        return record, Averages(str(record.f), times, tuple(map(_sums, given["sums"])))


def _digits(total: ExactSum) -> str:
    return format(total.units, "x")


def _exact(units: str, count: int) -> ExactSum:
    return ExactSum(int(units, 16), count)


def _sums_data(sums: SampleSums) -> dict[str, Any]:
    return {
        "shift": list(sums.shift), "unit": sums.unit, "count": sums.count, "sums": list(map(_digits, sums.sums)),
        "products": list(map(_digits, sums.products)),
    }  # fmt: skip


def _places_data(places: PlaceSums) -> list[Any]:
    return [*map(_sums_data, places.groups), list(map(_digits, places.squares))]


def _sums(given: Mapping[str, Any]) -> SampleSums:
    count, k = given["count"], len(given["shift"])
    if type(count) is not int or count < 0 or len(given["sums"]) != k or len(given["products"]) != k * (k + 1) // 2:
        raise ValueError("sums of places are not as many as there are coordinates")
    shift, unit = tuple(map(float, given["shift"])), float(given["unit"])
    if not all(map(math.isfinite, (*shift, unit))) or unit <= 0.0:
        raise ValueError("sums of places have no finite shift and positive unit")
    return SampleSums(
        shift, unit, tuple(_exact(units, count) for units in given["sums"]),
        tuple(_exact(units, count) for units in given["products"]),
    )  # fmt: skip


def check_record(record: Record) -> None:
    """Refuse a record that a file does not hold."""
    if isinstance(record, (Positions, Departures)):
        raise ValueError(f"an ensemble with {record} is not saved; save the arrays of its record yourself")
    if isinstance(record, Average):
        text = str(record.f)
        try:
            known = expression(text) == record.f or str(expression(text)) == text
        except ValueError:
            known = False
        if not known:
            raise ValueError(f"{record} cannot be written to a file: declare it with rw.expression(...)")


def _record_data(record: Any, result: Any) -> dict[str, Any]:
    if isinstance(result, Averages):
        return {"name": "Average", "f": str(record.f), "sums": list(map(_sums_data, result.sums))}
    return {
        "name": type(record).__name__, "times": list(map(_sums_data, result.sums)),
        "places": list(map(_places_data, result.spots)),
    }  # fmt: skip
