"""What a file of an ensemble says: written as a text and arrays, and checked to be of an ensemble when it is read."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .inputs.wording import shown
from .kernels.philox import STREAM_VERSION
from .kernels.program import LIVE
from .model.lattice import MOST_SITES
from .model.shape import Shape
from .model.times import MOST_STEPS
from .model.walk import LatticeWalk
from .problem import Source, dumps, read_walk, walk_data
from .problem_space import read_shape
from .run.free import by_site
from .run.plan import METHODS, keeps
from .run.record import (
    Displacement,
    DistinctSites,
    FirstPassage,
    LastVisit,
    Maximum,
    Moments,
    Record,
    SquaredDisplacement,
    TimeIn,
    TimePositive,
    Visits,
    Winding,
)
from .run.results import DIGIT, Paths, Recorded
from .run.task import MOST_WALKERS
from .tables.table import StepTable
from .tables.window import start_range
from .writing import shape_data

Counts = NDArray[np.int64]

READ = (1, 2, 3)  # formats of files
SIMPLE = (FirstPassage, LastVisit, TimePositive, Maximum, SquaredDisplacement)  # records of format 2
PLACES = {LastVisit: {"x"}, TimePositive: {"x"}}
RECORDS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (*SIMPLE, Displacement, DistinctSites, Moments, TimeIn, Visits, Winding)
}
# The version of the stream from which a method draws what it does now where thresholds are whole numbers of 2⁻³¹. Of other
# thresholds all methods do so from version 3 on.
SINCE = {"paths": 1, "occupation": 1, "jump": 2}


@dataclass(frozen=True, eq=False)
class Contents:
    """What a file holds: the fields of an ensemble."""

    walk: LatticeWalk
    table: StepTable
    seed: int
    method: str
    parts: tuple[range, ...]
    steps: tuple[int, ...]
    raw: Counts
    records: dict[Record, Recorded]
    stream: int

    @property
    def arrays(self) -> dict[str, Counts]:
        """The counts of the records, by their names in a file."""
        return {f"record{i}": r.counts for i, r in enumerate(self.records.values()) if not isinstance(r, Paths)}

    @property
    def meta(self) -> str:
        """The text that a file holds beside the arrays."""
        from .version import __version__

        if any(isinstance(r, Paths) for r in self.records.values()):
            raise ValueError("an ensemble with Positions() is not saved; save the arrays of its record yourself")
        simple = self.walk.dimension == 1 and all(type(r) in SIMPLE for r in self.records)
        window = [list(pair) for pair in self.table.window]
        data = {
            "randwalk": __version__, "format": 2 if simple else 3, "stream": self.stream, "seed": self.seed,
            "method": self.method, "parts": [[p.start, p.stop] for p in self.parts], "steps": list(self.steps),
            "walk": dumps(walk_data(self.walk)), "window": window[0] if simple else window,
            "records": [[type(r).__name__, getattr(r, "x", None) if simple else _arguments(r)] for r in self.records],
        }  # fmt: skip
        return json.dumps(data | {"sha256": digest(data, {"raw": self.raw} | self.arrays)})


def digest(meta: Mapping[str, Any], arrays: Mapping[str, Counts]) -> str:
    """The SHA-256 of a text's data (without its own digest) and of arrays."""
    total = hashlib.sha256(json.dumps({k: v for k, v in meta.items() if k != "sha256"}, sort_keys=True).encode())
    for name in sorted(arrays):
        total.update(f"{name} {arrays[name].shape}".encode())
        total.update(np.ascontiguousarray(arrays[name], dtype="<i8").data)
    return total.hexdigest()


@dataclass(frozen=True, eq=False)
class Meta:
    """The text of a file, read and checked: all of it is known before an array is."""

    path: Path
    data: Mapping[str, Any]
    format: int
    table: StepTable
    parts: tuple[range, ...]
    steps: tuple[int, ...]
    records: tuple[Record, ...]

    @classmethod
    def read(cls, path: Path, text: str) -> Meta:
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError(f"{path} is damaged: its text is not JSON") from None
        if not isinstance(data, dict):
            raise ValueError(f"{path} was not written by Ensemble.save")
        if "format" in data and data["format"] not in READ:
            raise ValueError(
                f"{path} has file format {shown(data['format'])}; this version reads formats {', '.join(map(str, READ))}"
            )
        field = Field(path, data)
        version = field.whole("format", 1, READ[-1])
        field.whole("stream", 1)
        field.whole("seed", 0)
        if field.get("method") not in METHODS:
            field.fail("method", f"must be one of {', '.join(METHODS)}")
        walk = _walk(path, field, version)
        parts = tuple(range(*pair) for pair in field.pairs("parts", 0, MOST_WALKERS))
        ordered = sorted(parts, key=lambda p: p.start)
        if any(a.stop > b.start for a, b in pairwise(ordered)) or not all(map(len, parts)):
            field.fail("parts", "must be ranges of walkers, not empty, that do not overlap")
        if sum(map(len, parts)) > MOST_WALKERS:
            field.fail("parts", "holds more than 2⁵³ walkers")
        steps = tuple(field.numbers("steps", 0, MOST_STEPS))
        if any(a >= b for a, b in pairwise(steps)):
            field.fail("steps", "must increase")
        table, records = _table(field, walk, version), _records(field, walk, version)
        meta = cls(path, data, version, table, parts, steps, records)
        if meta.counted and table.layout.cells > MOST_SITES + 3:
            field.fail(
                "window", "must be the number of the first site and how many there are, of sites that can be counted"
            )
        return meta

    @property
    def walkers(self) -> int:
        return sum(map(len, self.parts))

    @property
    def counted(self) -> bool:
        """Whether walkers were counted by site."""
        return by_site(self.table, self.records, self.data["method"])

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes that the arrays must have."""
        raw: dict[str, tuple[int, ...]] = {"raw": (len(self.steps), self.table.layout.cells if self.counted else 0)}
        return raw | {f"record{i}": r.shape(self.table, self.steps) for i, r in enumerate(self.records)}

    def contents(self, arrays: Mapping[str, Counts]) -> Contents:
        """The ensemble's fields, of arrays that are checked to be counts of its walkers."""
        raw = arrays["raw"]
        if self.counted:
            self._check_counts(raw)
        records: dict[Record, Recorded] = {}
        for i, record in enumerate(self.records):
            counts = arrays[f"record{i}"]
            self._check_record(f"record{i}", record, counts, raw)
            empty = record.empty(self.table, self.parts, self.steps)
            assert not isinstance(empty, Paths)
            records[record] = empty.holding(counts)
        method, stream = self.data["method"], self.data["stream"]
        return Contents(
            self.table.walk, self.table, self.data["seed"], method, self.parts, self.steps, raw, records,
            known_as(stream, method, self.table, self.steps[-1]),
        )  # fmt: skip

    def _check_counts(self, raw: Counts) -> None:
        table, layout = self.table, self.table.layout
        if (raw < 0).any() or (raw > self.walkers).any():
            self._fail("raw", f"a count is not between 0 and the {self.walkers} walkers of parts")
        if (raw.sum(axis=1) != self.walkers).any():
            row = int(np.argmax(raw.sum(axis=1) != self.walkers))
            self._fail("raw", f"row {row} counts {raw[row].sum()} walkers and parts holds {self.walkers}")
        gone = layout.gone(raw)
        if (np.diff(gone, axis=0) < 0).any():
            self._fail("raw", "walkers that had gone come back")
        domain = table.walk.domain
        shut = [domain.exits.index(face.exit) for face in domain.faces if face.wall.reactivity == 0.0]
        shut += [2 * axis + side for axis, ring in enumerate(layout.periodic) if ring for side in (0, 1)]
        if gone[:, shut].any():
            self._fail("raw", "walkers have gone through a wall that reflects, or off a ring")
        if layout.inner(raw)[:, ~layout.free & (layout.inner(layout.exit_of) == LIVE)].any():
            self._fail("raw", "there are walkers in an obstacle")
        for axis, (low, high) in enumerate(start_range(table.walk)):
            if layout.periodic[axis]:
                continue
            site, others = layout.along(axis), tuple(a + 1 for a in range(len(layout.shape)) if a != axis)
            for row, steps in enumerate(self.steps):
                far = (site < low - steps) | (site > high + steps)
                if layout.live(raw[row : row + 1]).sum(axis=others)[0, far].any():
                    self._fail("raw", f"row {row} has walkers farther from the start than {steps} steps")

    def _check_record(self, name: str, record: Record, counts: Counts, raw: Counts) -> None:
        layout = self.table.layout
        alive = layout.live(raw).reshape(len(raw), -1).sum(axis=1) if self.counted else np.full(len(raw), self.walkers)
        if isinstance(record, Moments):
            if (counts[:, 0, 0] != alive).any() or (counts[..., :2] < 0).any() or (counts[..., :2] >= DIGIT).any():
                self._fail(name, "displacements are not those of as many survivors as raw counts")
        elif (counts < 0).any():
            self._fail(name, "a count is negative")
        elif isinstance(record, FirstPassage):
            gone = np.cumsum(counts, axis=0)[list(self.steps)]
            if self.counted and layout.exits_only(gone != layout.gone(raw)).any():
                self._fail(name, "first passages are not as many as the walkers that raw counts as gone")
        elif (counts.sum(axis=1) > self.walkers).any():
            self._fail(name, f"a row counts more than the {self.walkers} walkers of parts")
        elif isinstance(record, Displacement) and (counts.sum(axis=1) != alive).any():
            self._fail(name, "displacements are not as many as the survivors that raw counts")

    def _fail(self, name: str, message: str) -> None:
        raise ValueError(f"{self.path}: {name}: {message}")


@dataclass(frozen=True)
class Field:
    """The fields of a file's text, each refused in words unless it is what it must be."""

    path: Path
    data: Mapping[str, Any]

    def fail(self, name: str, message: str) -> None:
        raise ValueError(f"{self.path}: {name} = {shown(self.data.get(name))}: {message}")

    def get(self, name: str) -> Any:
        if name not in self.data:
            raise ValueError(f"{self.path} lacks {name}")
        return self.data[name]

    def text(self, name: str) -> str:
        if not isinstance(self.get(name), str):
            self.fail(name, "must be a text")
        return self.get(name)

    def whole(self, name: str, least: int, most: int | None = None) -> int:
        if not _whole(self.get(name), least, most):
            self.fail(name, f"must be a whole number ≥ {least}" + (f" and ≤ {most}" if most is not None else ""))
        return int(self.get(name))

    def numbers(self, name: str, least: int, most: int) -> list[int]:
        values = self.get(name)
        if not isinstance(values, list) or not values or not all(_whole(v, least, most) for v in values):
            self.fail(name, f"must be a list of whole numbers from {least} to {most}")
        return list(values)

    def pairs(self, name: str, least: int, most: int) -> list[tuple[int, int]]:
        values = self.get(name)
        if (
            not isinstance(values, list)
            or not values
            or not all(isinstance(v, list) and len(v) == 2 and all(_whole(n, least, most) for n in v) for v in values)
        ):
            self.fail(name, f"must be a list of pairs of whole numbers from {least} to {most}")
        return [(v[0], v[1]) for v in values]


def _whole(value: Any, least: int, most: int | None) -> bool:
    return type(value) is int and value >= least and (most is None or value <= most)


def _walk(path: Path, field: Field, version: int) -> LatticeWalk:
    text = field.text("walk")
    if version == 1:  # whose fitted rule is the one called capped today
        text = text.replace('rule = "fitted"', 'rule = "capped"')
    source = Source.parse(text, f"{path}: walk", folder=None)
    for key in source.data:
        if key not in ("walk", "domain", "start"):
            source.fail(key, None, f"{shown(key)} is no part of a walk")
    return read_walk(source, [])


def _table(field: Field, walk: LatticeWalk, version: int) -> StepTable:
    """The table of the window, which must hold the start and lie in the domain."""
    given = field.get("window") if version > 2 else [field.get("window")]
    if not (
        isinstance(given, list)
        and len(given) == walk.dimension
        and all(isinstance(pair, list) and len(pair) == 2 for pair in given)
        and all(_whole(first, -(1 << 62), 1 << 62) and _whole(sites, 1, MOST_SITES) for first, sites in given)
    ):
        field.fail("window", "must be the number of the first site and how many there are")
    bounded = all(lattice.sites for lattice in walk.lattices)
    for (first, sites), lattice, (low, high) in zip(given, walk.lattices, start_range(walk), strict=True):
        last = first + sites - 1
        if (lattice.first is not None and first < lattice.first) or (lattice.last is not None and last > lattice.last):
            field.fail("window", f"reaches beyond {walk.domain}")
        if lattice.first is not None and lattice.last is not None and (bounded or lattice.periodic):
            low, high = lattice.first, lattice.last
        if first > low or last < high:
            field.fail("window", f"does not hold the sites {low} to {high} that the walk needs")
    return StepTable(walk, tuple((first, sites) for first, sites in given))


def _records(field: Field, walk: LatticeWalk, version: int) -> tuple[Record, ...]:
    given = field.get("records")
    if not isinstance(given, list) or not all(isinstance(r, list) and len(r) == 2 for r in given):
        field.fail("records", "must be a list of pairs, a name and a place or null")
    records = [_record(field, walk, name, held, version) for name, held in given]
    if len(set(records)) < len(records):
        field.fail("records", "has a record twice")
    method = field.get("method")
    if not keeps(method, walk, records):
        field.fail("records", f"method {method} does not keep these")
    return tuple(records)


def _arguments(record: Record) -> dict[str, Any]:
    """The arguments of a record by name, as JSON has them."""
    return {name: shape_data(value) if isinstance(value, Shape) else value for name, value in vars(record).items()}


def _record(field: Field, walk: LatticeWalk, name: Any, held: Any, version: int) -> Record:
    """A record from its name and, before format 3, its place or null, since then its arguments by name."""
    kind: Any = RECORDS.get(name) if isinstance(name, str) else None
    if version < 3:
        names, held = PLACES.get(kind, set()), {} if held is None else {"x": held}
    else:
        names = set() if kind is None else {argument.name for argument in dataclasses.fields(kind)}
    if kind is None or not isinstance(held, dict) or held.keys() != names:
        field.fail("records", f"{shown([name, held])} is no record")
    try:
        if isinstance(held.get("set"), dict):
            held = {"set": read_shape(Source.parse("", "set", folder=None), held["set"], walk.dimension)}
        record: Record = kind(**held)
        record.check(walk)
    except (TypeError, ValueError) as error:
        field.fail(
            "records", f"{shown([name, held])} {'needs a place' if kind in PLACES else f'is no record: {error}'}"
        )
    return record


def known_as(stream: int, method: str, table: StepTable, steps: int) -> int:
    """The version of the stream that draws the same walkers during the first `steps` steps: today's, if the method has not
    changed since for thresholds of as many digits."""
    if stream >= STREAM_VERSION or stream < SINCE[method] or not table.has_short_thresholds(steps):
        return stream
    return STREAM_VERSION
