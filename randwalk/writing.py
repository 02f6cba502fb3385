"""A walk as the tables of a problem file, and tables as TOML."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from .model.coefficient import Coefficient, Constant, Function
from .model.convention import Convention
from .model.domain import Line
from .model.formula import expression
from .model.start import Normal, Point, Sites, Uniform
from .model.tabulated import Table
from .model.walk import LatticeWalk


def walk_data(walk: LatticeWalk) -> dict[str, Any]:
    """The tables [walk], [domain] and [start] that :func:`randwalk.problem.read_walk` reads back."""
    values = (
        {
            "drift": walk.declared_drift,
            "diffusion": walk.diffusion,
            "rule": str(walk.rule),
            **({"convention": str(walk.convention)} if walk.convention is not Convention.ITO else {}),
        }
        if walk.rule is not None
        else {"right": walk.right, "left": walk.left}
    )
    table: dict[str, Any] = {k: _coefficient_data(v) if isinstance(v, Coefficient) else v for k, v in values.items()}
    if walk.killing != Constant(0.0):
        table["killing"] = _coefficient_data(walk.killing)
    data: dict[str, Any] = {"walk": table | {"dx": walk.dx, "dt": walk.dt}}
    if walk.inexact_times:
        data["walk"]["inexact_times"] = list(walk.inexact_times)
    domain = walk.domain
    if not isinstance(domain, Line):
        data["domain"] = {"low": domain.low, "high": domain.high}
        if domain.periodic:
            data["domain"]["ring"] = True
        for face in domain.faces:
            k = face.wall.reactivity
            data["domain"][face.exit] = {0.0: "reflecting", math.inf: "absorbing"}.get(k, {"reactivity": k})
    match walk.start:
        case Point(x):
            data["start"] = {"point": x}
        case Normal(mean, sd):
            data["start"] = {"normal": {"mean": mean, "sd": sd}}
        case Uniform(low, high):
            data["start"] = {"uniform": {"low": low, "high": high}}
        case Sites() as sites:
            data["start"] = {"sites": {"x": list(sites.x), "masses": list(sites.masses)}}
    return data


def _coefficient_data(coefficient: Coefficient) -> Any:
    if isinstance(coefficient, Constant):
        return coefficient.value
    if isinstance(coefficient, Table):
        return {"x": coefficient.x.tolist(), "values": coefficient.values.tolist()}
    text = str(coefficient)
    try:
        expression(text)
    except ValueError:
        opaque = "a Python function" if isinstance(coefficient, Function) else f"{text!r}"
        raise ValueError(
            f"{opaque} cannot be written to a file: declare it with rw.expression(...) or as a Table"
        ) from None
    return text


def dumps(data: Mapping[str, Any]) -> str:
    """TOML of a mapping of plain values and of tables of plain values."""
    lines = [f"{key} = {_value(value)}" for key, value in data.items() if not isinstance(value, dict)]
    for key, table in data.items():
        if isinstance(table, dict):
            lines += ["", f"[{key}]", *(f"{name} = {_value(value)}" for name, value in table.items())]
    return "\n".join(lines).lstrip() + "\n"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML has the escapes of JSON
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    number = float(value) if isinstance(value, float) else int(value)  # not the repr of NumPy's numbers
    return repr(number)
