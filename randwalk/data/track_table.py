"""Tables of tracks: which column is the particle, the frame or the time, and x, y, z, and in what unit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inputs.arguments import numbers
from ..inputs.columns import read_columns, read_header
from ..inputs.wording import shown
from ..model.coefficient import Floats

# What columns are called by trackpy, TrackMate and their like, in small letters.
NAMES = {
    "particle": ("particle", "particle_id", "track", "track_id", "trackid", "trajectory", "id"),
    "frame": ("frame", "frame_number", "position_frame"),
    "time": ("time", "t", "position_t"),
    "x": ("x", "position_x", "pos_x"),
    "y": ("y", "position_y", "pos_y"),
    "z": ("z", "position_z", "pos_z"),
}
AXES = ("x", "y", "z")
UNITS = (
    "px",
    "pixel",
    "pixels",
    "nm",
    "um",
    "µm",
    "mm",
    "cm",
    "m",
    "ns",
    "us",
    "µs",
    "ms",
    "s",
    "sec",
    "min",
    "h",
    "frames",
)
SHORT = {
    "um": "µm",
    "μm": "µm",
    "us": "µs",
    "μs": "µs",
    "pixel": "px",
    "pixels": "px",
    "sec": "s",
}  # two signs are called micro
IN_BRACKETS = re.compile(r"(?P<name>.*?)\s*[\[(](?P<unit>[^\])]*)[\])]")
AFTER_A_LINE = re.compile(rf"(?P<name>.+)_(?P<unit>{'|'.join(UNITS)})", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class TrackTable:
    """The columns of a table of tracks.

    Attributes
    ----------
    particle : (rows,) array of whole numbers or text, or None
    time, frame : (rows,) array, or None
    positions : (rows, dimension) array
    unit, time_unit : str
        As the header says them; empty where it does not.
    """

    particle: NDArray[Any] | None
    frame: Floats | None
    time: Floats | None
    positions: Floats
    unit: str
    time_unit: str


def read_track_file(path: str | Path, columns: Mapping[str, str] | None) -> TrackTable:
    """The tracks of a CSV file; errors name file, line and column."""
    found = find_columns(read_header(path), columns, str(path))
    table = read_columns(path, list(found.values()))
    values: dict[str, Any] = table.numbers([name for role, name in found.items() if role != "particle"])
    if "particle" in found:
        values[found["particle"]] = np.array(table.fields[found["particle"]])
    return _assembled(found, values)


def read_track_frame(table: Any, columns: Mapping[str, str] | None) -> TrackTable:
    """The tracks of a pandas or xarray object, or of a mapping of names to arrays of one length."""
    names = getattr(table, "columns", None)
    names = getattr(table, "variables", table) if names is None else names
    try:
        header = [name for name in names if isinstance(name, str)]
    except TypeError:
        header = []
    if not header:
        raise TypeError(
            f"table = {shown(table)}: must be a table with named columns, such as a pandas DataFrame, an xarray Dataset or a "
            "dict of arrays"
        )
    found = find_columns(header, columns, "the table")
    values: dict[str, Any] = {}
    for role, name in found.items():
        given = np.asarray(table[name])
        values[name] = given if role == "particle" else numbers(f"column {name!r}", given)
        if given.ndim != 1:
            raise ValueError(
                f"column {name!r} has the shape {given.shape}: give one value for each row, of xarray as "
                "table.to_dataframe().reset_index()"
            )
    lengths = {name: len(column) for name, column in values.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"columns of one length are needed, not of {shown(lengths)}; of pandas, table.reset_index() has them"
        )
    return _assembled(found, values)


def find_columns(header: Sequence[str], columns: Mapping[str, str] | None, where: str) -> dict[str, str]:
    """The name in `header` of each role (particle, frame, time, x, y, z) that is there; `columns` says some of them."""
    found: dict[str, str] = {}
    for role, name in (columns or {}).items():
        if role not in NAMES:
            raise ValueError(f"columns = {shown(columns)}: {shown(role)} must be one of {', '.join(NAMES)}")
        if name not in header:
            raise ValueError(f"columns[{role!r}] = {shown(name)}: {where} has only the columns {_listed(header)}")
        found[role] = name
    for role, known in NAMES.items():
        fits = [name for name in header if split_unit(name)[0].casefold() in known and name not in found.values()]
        if role in found or not fits:
            continue
        if len(fits) > 1:
            raise ValueError(
                f"{where}: {_listed(fits)} may all be {role}; say which: columns={{{role!r}: {fits[0]!r}}}"
            )
        found[role] = fits[0]
    if "x" not in found:
        raise ValueError(f"{where} has no column x, but {_listed(header)}; say which it is: columns={{'x': …}}")
    if "frame" not in found and "time" not in found:
        raise ValueError(
            f"{where} has no column frame or time, but {_listed(header)}; say which it is: columns={{'time': …}}"
        )
    if "z" in found and "y" not in found:
        raise ValueError(f"{where} has a column z and none y; say which it is: columns={{'y': …}}")
    return {role: found[role] for role in NAMES if role in found}


def split_unit(name: str) -> tuple[str, str]:
    """The name of a column and its unit: of "x [µm]", "x (um)" and "x_um"; an empty unit if there is none.

    >>> split_unit("x [um]"), split_unit("x_px"), split_unit("track_id")
    (('x', 'µm'), ('x', 'px'), ('track_id', ''))
    """
    match = IN_BRACKETS.fullmatch(name.strip()) or AFTER_A_LINE.fullmatch(name.strip())
    if match is None:
        return name.strip(), ""
    unit = match["unit"].strip()
    return match["name"].strip(), SHORT.get(unit.casefold(), unit)


def _assembled(found: Mapping[str, str], values: Mapping[str, Any]) -> TrackTable:
    axes = [role for role in AXES if role in found]
    units = {split_unit(found[axis])[1] for axis in axes}
    if len(units) > 1:
        listed = _listed([found[axis] for axis in axes])
        raise ValueError(f"the columns {listed} have different units: give all coordinates in one unit")
    columns = {role: np.asarray(values[name]) for role, name in found.items()}
    return TrackTable(
        columns.get("particle"),
        columns.get("frame"),
        columns.get("time"),
        np.stack([columns[axis] for axis in axes], axis=1),
        units.pop(),
        split_unit(found["time"])[1] if "time" in found else "",
    )


def _listed(names: Sequence[str]) -> str:
    return shown(", ".join(names))[1:-1]
