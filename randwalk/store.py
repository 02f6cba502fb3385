"""Ensembles in files. What is read is checked to be an ensemble before anything is believed.

A file holds a text, which says what was run, and arrays of 64-bit whole numbers:

==============  ========================================================================================================
``meta``        JSON: ``randwalk`` (version that wrote it), ``format``, ``stream``, ``seed``, ``method``, ``parts`` (ranges of
                walkers, [start, stop] each), ``steps`` (recorded), ``walk`` (a problem file's text, see :mod:`randwalk.problem`),
                ``window`` (number of the first site, sites), ``records`` ([name, place or null] each), ``sha256``
``raw``         walkers on sites, shape (times, sites + 3): left outer site, sites, right outer site, killed
``record0`` …   counts of each record, shape as the record's result has it
==============  ========================================================================================================

In ``.npz`` each is a member of that name; in netCDF ``meta`` is the attribute ``randwalk``, the arrays are variables, and the
other variables (``counts``, ``gone``, ``density`` and others) repeat them for other programs and are not read back. ``sha256`` is
the digest of the JSON without it, its keys sorted, followed for each array, sorted by name, by ``name (shape)`` and the
little-endian bytes. A netCDF file ends with one more line, the digest of all bytes before it, because the HDF5 library may hang
on damaged files.

Format 2 is that; format 1, of the releases up to 0.2.0, has neither digest and can be read.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from .inputs.files import check_regular
from .inputs.memory import require
from .inputs.wording import WIDEST, shown
from .kernels.philox import STREAM_VERSION
from .model.lattice import MOST_SITES, Lattice
from .model.start import start_masses
from .model.times import MOST_STEPS
from .model.walk import LatticeWalk
from .problem import Source, dumps, read_walk, walk_data
from .run.record import (
    FUNCTIONALS,
    FirstPassage,
    Histogram,
    LastVisit,
    Maximum,
    Passages,
    Paths,
    Record,
    Recorded,
    SquaredDisplacement,
    TimePositive,
)
from .run.task import MOST_WALKERS
from .tables.table import StepTable

Counts = NDArray[np.int64]

FORMAT, READ = 2, (1, 2)
SUFFIXES = (".npz", ".nc")
METHODS = ("paths", "occupation", "jump")
RECORDS: dict[str, type] = {
    c.__name__: c for c in (FirstPassage, LastVisit, TimePositive, Maximum, SquaredDisplacement)
}
LONGEST_TEXT = 1 << 28  # bytes of the text
DEFLATE = 1040  # no deflated member unpacks to more than 1032 times its size (zlib's documentation), and a few bytes
TRAILER = b"\nrandwalk sha256 "
FORMAT_1 = b'"format": 1,'
TRAILER_SIZE = len(TRAILER) + 64 + 1
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
        data = {
            "randwalk": __version__, "format": FORMAT, "stream": self.stream, "seed": self.seed,
            "method": self.method, "parts": [[p.start, p.stop] for p in self.parts], "steps": list(self.steps),
            "walk": dumps(walk_data(self.walk)), "window": [self.table.first, self.table.sites],
            "records": [[type(r).__name__, getattr(r, "x", None)] for r in self.records],
        }  # fmt: skip
        return json.dumps(data | {"sha256": digest(data, {"raw": self.raw} | self.arrays)})


def digest(meta: Mapping[str, Any], arrays: Mapping[str, Counts]) -> str:
    """The SHA-256 of a text's data (without its own digest) and of arrays."""
    total = hashlib.sha256(json.dumps({k: v for k, v in meta.items() if k != "sha256"}, sort_keys=True).encode())
    for name in sorted(arrays):
        total.update(f"{name} {arrays[name].shape}".encode())
        total.update(np.ascontiguousarray(arrays[name], dtype="<i8").data)
    return total.hexdigest()


def write(path: str | Path, contents: Contents, to_netcdf: Callable[[Path], None]) -> None:
    """Write a file: to a temporary name first, then renamed. `to_netcdf` writes the dataset."""
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise ValueError(f"path = {str(path)!r}: must end in .npz or .nc")
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        if path.suffix == ".nc":
            to_netcdf(temporary)
            with temporary.open("rb") as file:
                ending = TRAILER + hashlib.file_digest(file, "sha256").hexdigest().encode() + b"\n"
            with temporary.open("ab") as file:
                file.write(ending)
        else:
            np.savez_compressed(temporary, meta=np.array(contents.meta), raw=contents.raw, **cast(Any, contents.arrays))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read(path: str | Path) -> Contents:
    """Read and check what :func:`write` wrote.

    Raises
    ------
    ValueError
        for a file that is damaged or no ensemble; one line with the file, the field and what is wrong.
    OSError
        for a file that is missing or may not be read.
    """
    path = Path(path)
    check_regular(path)
    opened = _netcdf(path) if path.suffix == ".nc" else _zipped(path)
    with opened as (text, arrays):
        meta = _Meta.read(path, text)
        held = {name: arrays(name, shape) for name, shape in meta.shapes.items()}
    if meta.format > 1 and meta.data.get("sha256") != digest(meta.data, held):
        raise ValueError(f"{path} is damaged: its content does not have the checksum that it was saved with")
    return meta.contents(held)


Arrays = Callable[[str, tuple[int, ...]], Counts]


# ---------------------------------------------------------------- the two kinds of file


@contextmanager
def _zipped(path: Path) -> Iterator[tuple[str, Arrays]]:
    """The text and the arrays of a .npz file."""
    with path.open("rb") as file, _damage(path, "not a readable .npz file"), zipfile.ZipFile(file) as archive:
        members = {info.filename: info for info in archive.infolist()}
        if "meta.npy" not in members:
            raise ValueError(f"{path} was not written by Ensemble.save")

        def load(name: str, shape: tuple[int, ...] | None) -> NDArray[Any]:
            if f"{name}.npy" not in members:
                raise ValueError(f"{path} lacks {name}")
            info = members[f"{name}.npy"]
            if info.file_size > DEFLATE * info.compress_size + 1024 or info.compress_type not in (
                zipfile.ZIP_STORED,
                zipfile.ZIP_DEFLATED,
            ):
                raise ValueError(f"{path}: {name} is packed in a way that Ensemble.save does not use")
            with archive.open(info) as member:
                return _npy(path, name, cast(BinaryIO, member), shape, info.file_size)

        yield str(load("meta", None)), load


def _npy(path: Path, name: str, member: BinaryIO, shape: tuple[int, ...] | None, size: int) -> NDArray[Any]:
    """An array of .npy form: of whole numbers and the given shape, or a text (no shape)."""
    version = np.lib.format.read_magic(member)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    found, by_columns, kind = header(member)
    _check_array(path, name, found, kind, shape)
    wanted = math.prod(found) * kind.itemsize
    if shape is None and wanted > LONGEST_TEXT:
        raise ValueError(f"{path}: its text has {wanted:,} bytes; at most {LONGEST_TEXT:,} are read")
    if not 0 <= size - wanted <= 1 << 16:
        raise ValueError(f"{path}: {name} has {size:,} bytes where {wanted:,} and a header are due")
    require(2.0 * wanted, str(path), "read it on a larger one")
    content = member.read(wanted)
    if len(content) != wanted or member.read(1):
        raise ValueError(f"{path}: {name} is cut short or too long")
    array = np.frombuffer(content, kind).reshape(found, order="F" if by_columns else "C")
    return array if shape is None else array.astype(np.int64)


@contextmanager
def _netcdf(path: Path) -> Iterator[tuple[str, Arrays]]:
    """The text and the arrays of a netCDF file."""
    _check_trailer(path)
    try:
        import h5py  # type: ignore[import-untyped]
    except ImportError:
        raise ImportError('reading netCDF needs h5py: pip install "randwalk-pde[io]"') from None
    with _damage(path, "not a readable netCDF file"), h5py.File(path, "r") as file:
        text = file.attrs.get("randwalk")
        if not isinstance(text, str):
            raise ValueError(f"{path} was not written by Ensemble.save")

        def load(name: str, shape: tuple[int, ...]) -> Counts:
            link = file.get(name, getlink=True)
            if link is None:
                raise ValueError(f"{path} lacks {name}")
            data = file[name] if isinstance(link, h5py.HardLink) else None
            if not isinstance(data, h5py.Dataset) or data.external or data.is_virtual:
                raise ValueError(f"{path}: {name} is not an array of this file")
            _check_array(path, name, data.shape, data.dtype, shape)
            require(8.0 * math.prod(shape), str(path), "read it on a larger one")
            return np.asarray(data[...], dtype=np.int64)

        yield text, load


def _check_trailer(path: Path) -> None:
    """Refuse a file whose bytes are not those that were written, before HDF5 sees them. Format 1 has no such line, and its text
    says so."""
    with path.open("rb") as file:
        start = max(0, file.seek(0, os.SEEK_END) - TRAILER_SIZE)
        file.seek(start)
        ending = file.read()
        file.seek(0)
        total, left, before, old = hashlib.sha256(), start, b"", False
        while left > 0 and (piece := file.read(min(left, 1 << 20))):
            total.update(piece)
            left -= len(piece)
            old = old or FORMAT_1 in before[-len(FORMAT_1) :] + piece
            before = piece
    if ending != TRAILER + total.hexdigest().encode() + b"\n" and (ending.startswith(TRAILER) or not old):
        raise ValueError(
            f"{path} was not written by Ensemble.save, or is damaged: its bytes do not have the checksum that it puts last"
        )


def _check_array(path: Path, name: str, found: Any, kind: np.dtype[Any], shape: tuple[int, ...] | None) -> None:
    if shape is None:
        if found != () or kind.kind != "U":
            raise ValueError(f"{path}: {name} is not a text")
    elif kind.kind != "i" or kind.itemsize != 8:
        raise ValueError(f"{path}: {name} holds {kind}, not 64-bit whole numbers")
    elif tuple(found) != shape:
        raise ValueError(f"{path}: {name} has shape {tuple(found)} where {shape} is due")


@contextmanager
def _damage(path: Path, what: str) -> Iterator[None]:
    """What a reading library says of a damaged file, as one line with the file's name."""
    try:
        yield
    except Exception as error:
        if isinstance(error, (ValueError, MemoryError)) and str(error).startswith(str(path)):
            raise ValueError(str(error)) from None
        reason = " ".join(str(error).split())[:WIDEST]
        raise ValueError(
            f"{path} is {what}" + (f": {reason}" if reason and "pickle" not in str(error) else "")
        ) from None


# ---------------------------------------------------------------- what the text says


@dataclass(frozen=True, eq=False)
class _Meta:
    """The text of a file, read and checked: all of it is known before an array is."""

    path: Path
    data: Mapping[str, Any]
    format: int
    table: StepTable
    parts: tuple[range, ...]
    steps: tuple[int, ...]
    records: tuple[Record, ...]

    @classmethod
    def read(cls, path: Path, text: str) -> _Meta:
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
        field = _Field(path, data)
        version = field.whole("format", 1, FORMAT)
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
        return cls(path, data, version, _window(field, walk), parts, steps, _records(field))

    @property
    def walkers(self) -> int:
        return sum(map(len, self.parts))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes that the arrays must have."""
        times, last, layout = len(self.steps), self.steps[-1], self.table.layout
        widths: dict[type, tuple[int, ...]] = {
            FirstPassage: (last + 1, len(layout.exits)), LastVisit: (times, last + 2), TimePositive: (times, last + 1),
            Maximum: (times, *layout.padded), SquaredDisplacement: (times, 2 * layout.sites + 1),
        }  # fmt: skip
        raw: dict[str, tuple[int, ...]] = {"raw": (times, layout.cells)}
        return raw | {f"record{i}": widths[type(r)] for i, r in enumerate(self.records)}

    def contents(self, arrays: Mapping[str, Counts]) -> Contents:
        """The ensemble's fields, of arrays that are checked to be counts of its walkers."""
        raw = arrays["raw"]
        self._check_counts(raw)
        records: dict[Record, Recorded] = {}
        for i, record in enumerate(self.records):
            counts = arrays[f"record{i}"]
            self._check_record(f"record{i}", record, counts, raw)
            empty = record.empty(self.table, self.parts, self.steps)
            assert isinstance(empty, (Histogram, Passages))
            records[record] = replace(empty, counts=counts)
        method, stream = self.data["method"], self.data["stream"]
        return Contents(
            self.table.walk, self.table, self.data["seed"], method, self.parts, self.steps, raw, records,
            known_as(stream, method, self.table, self.steps[-1]),
        )  # fmt: skip

    def _check_counts(self, raw: Counts) -> None:
        walk, table = self.table.walk, self.table
        if (raw < 0).any() or (raw > self.walkers).any():
            self._fail("raw", f"a count is not between 0 and the {self.walkers} walkers of parts")
        if (raw.sum(axis=1) != self.walkers).any():
            row = int(np.argmax(raw.sum(axis=1) != self.walkers))
            self._fail("raw", f"row {row} counts {raw[row].sum()} walkers and parts holds {self.walkers}")
        gone = table.layout.gone(raw)
        if (np.diff(gone, axis=0) < 0).any():
            self._fail("raw", "walkers that had gone come back")
        reactivity = {face.exit: face.wall.reactivity for face in walk.domain.faces}
        walls = [exit for exit in walk.domain.exits if exit != "killing"]
        shut = [
            walk.domain.exits.index(exit) for exit in walls if table.lattice.periodic or reactivity.get(exit) == 0.0
        ]
        if gone[:, shut].any():
            self._fail("raw", "walkers have gone through a wall that reflects, or off a ring")
        if not table.lattice.periodic:
            first, masses = start_masses(walk.start, table.lattice)
            site = table.layout.along()
            for row, steps in enumerate(self.steps):
                far = (site < first - steps) | (site > first + masses.size - 1 + steps)
                if table.layout.live(raw[row])[far].any():
                    self._fail("raw", f"row {row} has walkers farther from the start than {steps} steps")

    def _check_record(self, name: str, record: Record, counts: Counts, raw: Counts) -> None:
        layout = self.table.layout
        if (counts < 0).any():
            self._fail(name, "a count is negative")
        if isinstance(record, FirstPassage):
            gone = np.cumsum(counts, axis=0)[list(self.steps)]
            if layout.exits_only(gone != layout.gone(raw)).any():
                self._fail(name, "first passages are not as many as the walkers that raw counts as gone")
        elif (counts.sum(axis=1) > self.walkers).any():
            self._fail(name, f"a row counts more than the {self.walkers} walkers of parts")
        elif isinstance(record, SquaredDisplacement) and (counts.sum(axis=1) != layout.live(raw).sum(axis=1)).any():
            self._fail(name, "displacements are not as many as the survivors that raw counts")

    def _fail(self, name: str, message: str) -> None:
        raise ValueError(f"{self.path}: {name}: {message}")


@dataclass(frozen=True)
class _Field:
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


def _walk(path: Path, field: _Field, version: int) -> LatticeWalk:
    text = field.text("walk")
    if version == 1:  # whose fitted rule is the one called capped today
        text = text.replace('rule = "fitted"', 'rule = "capped"')
    source = Source.parse(text, f"{path}: walk", folder=None)
    for key in source.data:
        if key not in ("walk", "domain", "start"):
            source.fail(key, None, f"{shown(key)} is no part of a walk")
    return read_walk(source, [])


def _window(field: _Field, walk: LatticeWalk) -> StepTable:
    """The table of the window, which must hold the start and lie in the domain."""
    window = field.get("window")
    if not (
        isinstance(window, list)
        and len(window) == 2
        and _whole(window[0], -(1 << 62), 1 << 62)
        and _whole(window[1], 1, MOST_SITES)
    ):
        field.fail("window", "must be the number of the first site and how many there are")
    first, sites = window
    lattice = walk.lattice
    last = first + sites - 1
    low, high = _live_start(walk, lattice)
    if (lattice.first is not None and first < lattice.first) or (lattice.last is not None and last > lattice.last):
        field.fail("window", f"reaches beyond {walk.domain}")
    bounded = lattice.sites is not None and sites != lattice.sites
    if bounded or first > low or last < high:
        field.fail("window", f"does not hold the sites {low} to {high} that the walk needs")
    return StepTable(walk, ((first, sites),))


def _live_start(walk: LatticeWalk, lattice: Lattice) -> tuple[int, int]:
    """Numbers of the first and the last site of the domain at which a walker may start."""
    if lattice.first is not None and lattice.last is not None:
        return lattice.first, lattice.last
    first, masses = start_masses(walk.start, lattice)
    last = first + masses.size - 1
    low = first if lattice.first is None else max(first, lattice.first)
    high = last if lattice.last is None else min(last, lattice.last)
    return min(low, high), max(low, high)


def _records(field: _Field) -> tuple[Record, ...]:
    given = field.get("records")
    if not isinstance(given, list) or not all(isinstance(r, list) and len(r) == 2 for r in given):
        field.fail("records", "must be a list of pairs, a name and a place or null")
    records: list[Record] = []
    for name, x in given:
        if name not in RECORDS or (x is None) != (name not in ("LastVisit", "TimePositive")):
            field.fail("records", f"{shown([name, x])} is no record")
        if x is not None and (isinstance(x, bool) or not isinstance(x, (int, float)) or not abs(x) < math.inf):
            field.fail("records", f"{shown([name, x])} needs a place")
        records.append(RECORDS[name](*([] if x is None else [float(x)])))
    if len(set(records)) < len(records):
        field.fail("records", "has a record twice")
    method = field.get("method")
    if any(
        not isinstance(r, FirstPassage) if method == "occupation" else method == "jump" and isinstance(r, FUNCTIONALS)
        for r in records
    ):
        field.fail("records", f"method {method} does not keep these")
    return tuple(records)


def known_as(stream: int, method: str, table: StepTable, steps: int) -> int:
    """The version of the stream that draws the same walkers during the first `steps` steps: today's, if the method has not
    changed since for thresholds of as many digits."""
    if stream >= STREAM_VERSION or stream < SINCE[method] or not table.has_short_thresholds(steps):
        return stream
    return STREAM_VERSION
