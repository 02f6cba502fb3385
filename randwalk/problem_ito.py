"""Itô walks in problem files: read, and written.

```toml
[walk]                      # dt without dx and sites: an Itô walk
drift = "x - x**3"          # one an axis in several dimensions, or {matrix = [[…], …], intercept = […]}
diffusion = 0.25            # D; or noise = σ with σσᵀ = 2D: a number, one an axis, or rows with an entry a source of noise
dt = 0.01
scheme = "euler_maruyama"   # or milstein, platen, exact
increments = "gaussian"     # or two_point, three_point

[run]
bins = 64                   # of each axis, or edges, or a list of edges for each axis
```
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import numpy as np

from .inputs.source import Source
from .inputs.wording import shown
from .model.coefficient import Coefficient
from .model.convention import Convention
from .model.domain import Domain
from .model.ito import ItoWalk
from .model.linear import Linear
from .model.scheme import EulerMaruyama, Exact, Gaussian, Increments, Milstein, Platen, Scheme, ThreePoint, TwoPoint
from .problem_values import is_number, read_choice, read_coefficient, read_nested, read_number, read_numbers

KEYS = ("drift", "diffusion", "noise", "dt", "killing", "convention", "scheme", "increments")
OWN = ("noise", "scheme", "increments")  # keys that lattice walks do not have


class SchemeName(StrEnum):
    """The schemes by their names in a file."""

    EULER_MARUYAMA = "euler_maruyama"
    MILSTEIN = "milstein"
    PLATEN = "platen"
    EXACT = "exact"

    @property
    def value_object(self) -> Scheme:
        return SCHEMES[self]


class IncrementsName(StrEnum):
    """The laws of increments by their names in a file."""

    GAUSSIAN = "gaussian"
    TWO_POINT = "two_point"
    THREE_POINT = "three_point"

    @property
    def value_object(self) -> Increments:
        return INCREMENTS[self]


SCHEMES: dict[SchemeName, Scheme] = {
    SchemeName.EULER_MARUYAMA: EulerMaruyama(), SchemeName.MILSTEIN: Milstein(), SchemeName.PLATEN: Platen(),
    SchemeName.EXACT: Exact(),
}  # fmt: skip
INCREMENTS: dict[IncrementsName, Increments] = {
    IncrementsName.GAUSSIAN: Gaussian(), IncrementsName.TWO_POINT: TwoPoint(), IncrementsName.THREE_POINT: ThreePoint(),
}  # fmt: skip


def is_ito(walk: Mapping[str, Any]) -> bool:
    """Whether a table [walk] declares an Itô walk: by a noise, or a dt without dx and sites beside a drift."""
    continuous = "dt" in walk and "drift" in walk and not {"dx", "sites"} & walk.keys()
    return continuous or any(key in walk for key in OWN)


def check_ito_table(source: Source, walk: Mapping[str, Any]) -> None:
    """Refuse keys of [walk] that do not go together."""
    for key in walk:
        if key not in KEYS:
            own = next(name for name in (*OWN, "dt") if name in walk)
            source.fail(
                "walk", key, f"{key} is a key of walks on a lattice, and {own} makes this an Itô walk: leave one of them out; an "
                f"Itô walk has {', '.join(KEYS)}"
            )  # fmt: skip
    source.section("walk", KEYS, needed=("drift", "dt"))
    if ("diffusion" in walk) == ("noise" in walk):
        source.fail("walk", "noise" if "noise" in walk else None, "[walk] needs diffusion, or noise: one of them")


def ito_values(source: Source, walk: Mapping[str, Any], names: Mapping[str, float], dimension: int) -> dict[str, Any]:
    """The arguments of an Itô walk, but for the domain and the start."""
    values: dict[str, Any] = {"drift": _drift(source, walk["drift"], names, dimension)}
    for key in ("diffusion", "noise"):
        if key in walk:
            values[key] = _rows(source, key, walk[key], names, dimension)
    values["dt"] = read_number(source, names, walk["dt"], "walk", "dt")
    if "killing" in walk:
        values["killing"] = read_coefficient(source, "walk", "killing", walk["killing"], names, dimension)
    if "convention" in walk:
        values["convention"] = read_choice(source, walk["convention"], Convention, "walk", "convention")
    if "scheme" in walk:
        values["scheme"] = read_choice(source, walk["scheme"], SchemeName, "walk", "scheme").value_object
    if "increments" in walk:
        values["increments"] = read_choice(
            source, walk["increments"], IncrementsName, "walk", "increments"
        ).value_object
    return values


def make_ito(source: Source, values: Mapping[str, Any], domain: Domain | None, start: Any, places: Any) -> ItoWalk:
    """The walk of its arguments."""
    where = {"domain": domain} | ({} if start is None else {"start": start})
    return source.build("walk", None, lambda: ItoWalk(**values, **where), places)


def _drift(source: Source, value: Any, names: Mapping[str, float], dimension: int) -> Any:
    match value:
        case {"matrix": list(rows), **rest} if set(rest) <= {"intercept"}:
            matrix = [read_numbers(source, names, row, "walk", "drift", "matrix") for row in rows]
            given = rest.get("intercept")
            shift = 0.0 if given is None else read_numbers(source, names, given, "walk", "drift", "intercept")
            return source.build("walk", "drift", lambda: Linear(matrix, shift))
    return read_nested(source, "walk", "drift", value, names, dimension)


def _rows(source: Source, key: str, value: Any, names: Mapping[str, float], dimension: int) -> Any:
    """A coefficient, a list of them, or a list of lists, in one dimension too."""
    if isinstance(value, list):
        return [_rows(source, key, part, names, dimension) for part in value]
    return read_coefficient(source, "walk", key, value, names, dimension)


def read_bins(source: Source, names: Mapping[str, float], value: Any) -> Any:
    """The bins of [run]: a number, edges, or a list of one of these for each axis."""
    if is_number(value):
        if not isinstance(value, int) or value < 1:
            source.fail("run", "bins", f"bins = {shown(value)}: must be a whole number of bins, or edges")
        return value
    if not isinstance(value, list):
        source.fail("run", "bins", f"bins = {shown(value)}: must be a whole number of bins, or a list of edges")
    if any(isinstance(part, list) for part in value):
        return tuple(tuple(read_numbers(source, names, part, "run", "bins")) for part in value)
    return tuple(read_numbers(source, names, value, "run", "bins"))


def ito_data(walk: ItoWalk, coefficient: Any) -> dict[str, Any]:
    """The table [walk] of an Itô walk; `coefficient` writes one of its coefficients."""
    matrix = walk.noise_numbers
    known = None if walk.dimension <= 3 else walk.linear
    drift: Any = [coefficient(a) for a in walk.declared_drift]
    if known is not None and walk.convention is Convention.ITO:
        drift = {"matrix": known.matrix.tolist(), "intercept": known.intercept.tolist()}
    elif walk.dimension == 1:
        (drift,) = drift
    table: dict[str, Any] = {"drift": drift}
    if walk.declared_noise is not None:
        table["noise"] = np.asarray(matrix).tolist() if matrix is not None else _matrix(walk.noise, coefficient)
    else:
        rows = _matrix(walk.diffusion.rows, coefficient)
        same = walk.diffusion.diagonal and all(row[i] == rows[0][0] for i, row in enumerate(rows))
        diagonal = [row[i] for i, row in enumerate(rows)] if walk.diffusion.diagonal else rows
        table["diffusion"] = rows[0][0] if same else diagonal
    table["dt"] = walk.dt
    for key, names, default in (("scheme", SCHEMES, EulerMaruyama()), ("increments", INCREMENTS, Gaussian())):
        value = getattr(walk, key)
        if value != default:
            table[key] = str(next(name for name, known in names.items() if known == value))
    if walk.convention is not Convention.ITO:
        table["convention"] = str(walk.convention)
    return table


def _matrix(rows: tuple[tuple[Coefficient, ...], ...], coefficient: Any) -> list[list[Any]]:
    return [[coefficient(entry) for entry in row] for row in rows]
