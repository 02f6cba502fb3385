"""Ensembles in files. What is read is checked to be an ensemble before anything is believed.

A file holds a text, which says what was run, and arrays of 64-bit whole numbers:

==============  ========================================================================================================
``meta``        JSON: ``randwalk`` (version that wrote it), ``format``, ``stream``, ``seed``, ``method``, ``parts`` (ranges of
                walkers, [start, stop] each), ``steps`` (recorded), ``walk`` (a problem file's text, see :mod:`randwalk.problem`),
                ``window`` (number of the first site, sites), ``records`` ([name, place or null] each), ``sha256``
``raw``         walkers on the cells of :class:`randwalk.tables.layout.Layout`, shape (times, cells): in one dimension left outer
                site, sites, right outer site, killed
``record0`` …   counts of each record, shape as the record's result has it
==============  ========================================================================================================

In ``.npz`` each is a member of that name; in netCDF ``meta`` is the attribute ``randwalk``, the arrays are variables, and the
other variables (``counts``, ``gone``, ``density`` and others) repeat them for other programs and are not read back. ``sha256`` is
the digest of the JSON without it, its keys sorted, followed for each array, sorted by name, by ``name (shape)`` and the
little-endian bytes. A netCDF file ends with one more line, the digest of all bytes before it, because the HDF5 library may hang
on damaged files.

Format 2 is that. Format 3, of walks in two dimensions and more and of records that 0.4 did not know, has a pair in ``window`` for
each axis, and ``records`` are [name, arguments]; exact sums are arrays with one more axis, of three digits in base 2⁶². Format 1,
of the releases up to 0.2.0, has neither digest and can be read. Format 4 is that of Itô walks (:mod:`randwalk.ito_contents`).
"""

from __future__ import annotations

import glob
import hashlib
import io
import json
import math
import os
import platform
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from .contents import Contents, Counts, Meta, digest
from .inputs.files import check_regular
from .inputs.memory import require
from .inputs.wording import WIDEST
from .ito_contents import ItoContents, ItoMeta, check_record
from .model.functions import functions_in
from .model.ito import ItoWalk
from .model.walk import LatticeWalk
from .problem import Source, dumps, read_walk, walk_data
from .run.record import Record

__all__ = ["Contents", "as_written", "check_savable", "digest", "netcdf", "read", "sweep", "write"]

SUFFIXES = (".npz", ".nc")
LONGEST_TEXT = 1 << 28  # bytes of the text
DEFLATE = 1040  # no deflated member unpacks to more than 1032 times its size (zlib's documentation), and a few bytes
TRAILER = b"\nrandwalk sha256 "
FORMAT_1 = b'"format": 1,'
TRAILER_SIZE = len(TRAILER) + 64 + 1


def write(path: str | Path, contents: Contents | ItoContents, dataset: Callable[[], Any]) -> None:
    """Write a file: to a temporary name first, then renamed. In netCDF it holds what the `dataset` has, and a last line.

    Raises
    ------
    OSError
        if the file cannot be written (a full disk, for example), with the path as given.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise ValueError(f"path = {str(path)!r}: must end in .npz or .nc")
    place = path.resolve()  # a link stays one
    temporary = place.with_name(f"{_temporary(place)}{os.getpid()}{path.suffix}")
    content = netcdf(dataset()) if path.suffix == ".nc" else None
    try:
        with temporary.open("wb") as file:
            if content is None:
                np.savez_compressed(file, meta=np.array(contents.meta), raw=contents.raw, **cast(Any, contents.arrays))
            else:
                file.write(content)
                file.write(TRAILER + hashlib.sha256(content).hexdigest().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())  # so that the name is that of a whole file also after a power failure
        temporary.replace(place)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None
    finally:
        temporary.unlink(missing_ok=True)


def netcdf(dataset: Any) -> bytes:
    """A dataset of xarray as netCDF 4. It is made in memory, because the HDF5 library ends the process (by a segmentation fault)
    where a disk is full.

    >>> import xarray
    >>> netcdf(xarray.Dataset({"a": ("x", [1, 2])}))[:4]
    b'\\x89HDF'
    """
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    buffer = io.BytesIO()
    with h5netcdf.File(buffer, "w") as file:
        dataset.dump_to_store(H5NetCDFStore(file))
    return buffer.getvalue()


def sweep(path: str | Path) -> None:
    """Remove the temporary files that processes of this machine left when they were killed while they wrote a file."""
    place, suffix = Path(path).resolve(), Path(path).suffix
    begin = _temporary(place)
    for left in place.parent.glob(f"{glob.escape(begin)}*{glob.escape(suffix)}"):
        number = left.name.removeprefix(begin).removesuffix(suffix)
        if number.isdecimal() and not _runs(int(number)):
            left.unlink(missing_ok=True)


def _temporary(path: Path) -> str:
    """The beginning of the names of the temporary files for a file, which has the name of the machine."""
    return f".{path.stem}.{platform.node()}."


def _runs(process: int) -> bool:
    """Whether a process of this machine runs; where that cannot be told, it does."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def check_savable(walk: LatticeWalk | ItoWalk, records: Sequence[Record]) -> None:
    """Refuse a run of which the ensemble is not saved, before anything runs.

    Raises
    ------
    ValueError
        for records that are not saved, and walks with functions that no text has.
    """
    for record in records:
        check_record(record)
    dumps(walk_data(walk))


def as_written(walk: LatticeWalk | ItoWalk) -> LatticeWalk | ItoWalk:
    """The walk that a file holds: the same, with the formulas of traced functions in place of the functions."""
    if not any(functions_in(walk)):
        return walk
    return read_walk(Source.parse(dumps(walk_data(walk)), "walk", folder=None), [])


def read(path: str | Path) -> Contents | ItoContents:
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
        meta = _meta(path, text)
        held = {name: arrays(name, shape) for name, shape in meta.shapes.items()}
    if meta.format > 1 and meta.data.get("sha256") != digest(meta.data, held):
        raise ValueError(f"{path} is damaged: its content does not have the checksum that it was saved with")
    return meta.contents(held)


def _meta(path: Path, text: str) -> Meta | ItoMeta:
    """The text of a file, checked: of an Itô walk if it says so."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict) and data.get("kind") == "ito":
        return ItoMeta.read(path, data)
    return Meta.read(path, text)


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
