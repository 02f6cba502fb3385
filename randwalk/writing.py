"""A walk as the tables of a problem file, and tables as TOML."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .model.coefficient import Coefficient, Constant, coordinate
from .model.coefficient.substitute import as_formula
from .model.convention import Convention
from .model.domain import Domain, Interval, Line
from .model.formula import expression
from .model.functions import functions_in
from .model.grid import Grid
from .model.ito import ItoWalk
from .model.neighbourhood import VonNeumann
from .model.region import Ball, HalfSpace, Level, Mask, Region
from .model.shape import Complement, Intersection, Shape, Union
from .model.start import Atoms, Everywhere, Normal, Point, Product, Sites, Start, Uniform
from .model.steps import name_of, named
from .model.tabulated import Table
from .model.tensor import Tensor
from .model.walk import LatticeWalk
from .model.wall import Wall, face_names
from .problem_ito import ito_data


def walk_data(walk: LatticeWalk | ItoWalk) -> dict[str, Any]:
    """The tables [walk], [domain] and [start] that :func:`randwalk.problem.read_walk` reads back. Traced functions are written as
    their formulas, whose values may differ from those of the functions in the last digit.

    Raises
    ------
    ValueError
        for what has no text, with the argument and a remedy.
    """
    _check_functions(walk)
    if isinstance(walk, ItoWalk):
        table = ito_data(walk, _coefficient_data)
    else:
        table = _from_drift(walk) if walk.declared is not None else _steps_data(walk)
    if walk.killing != Constant(0.0):
        table["killing"] = _coefficient_data(walk.killing)
    if isinstance(walk, LatticeWalk):
        table |= {"dx": walk.dx, "dt": walk.dt}
        table |= {"inexact_times": list(walk.inexact_times)} if walk.inexact_times else {}
    data: dict[str, Any] = {"walk": table}
    if not isinstance(walk.domain, Line):
        data["domain"] = _domain_data(walk.domain)
    return data | {"start": _start_data(walk.start)}


def _check_functions(walk: LatticeWalk | ItoWalk) -> None:
    """Refuse functions that are not read into formulas."""
    for name, function in functions_in(walk):
        if function.opaque is not None or function.declared:
            reason = (
                f"it is opaque, because {function.opaque}"
                if function.opaque is not None
                else "the breaks, scales and derivatives declared with it have no place there, and it is traced without them"
            )
            raise ValueError(
                f"{name} = {function.name}: a Python function cannot be written to a file: declare it with rw.expression(...) "
                f"or as a Table ({reason})"
            )


def _from_drift(walk: LatticeWalk) -> dict[str, Any]:
    """Drift and diffusion, and how they make probabilities."""
    assert walk.declared is not None
    drift, diffusion = walk.declared.drift, walk.declared.diffusion
    return {
        "drift": [_coefficient_data(part) for part in drift] if isinstance(drift, tuple) else _coefficient_data(drift),
        "diffusion": _tensor_data(diffusion) if isinstance(diffusion, Tensor) else _coefficient_data(diffusion),
        "rule": str(walk.rule),
        **({"convention": str(walk.convention)} if walk.convention is not Convention.ITO else {}),
        **({"neighbourhood": "von_neumann"} if walk.neighbourhood == VonNeumann() else {}),
    }


def _steps_data(walk: LatticeWalk) -> dict[str, Any]:
    """Given probabilities: by name if all steps with a name are there and no others."""
    known, steps = named(walk.dimension), walk.probabilities
    if set(known.values()) == set(steps):
        return {name_of(e): _coefficient_data(p) for e, p in steps.items()}
    return {"steps": [{"to": list(e), "p": _coefficient_data(p)} for e, p in steps.items()]}


def _tensor_data(tensor: Tensor) -> Any:
    entries = [[_coefficient_data(tensor[i, j]) for j in range(tensor.dimension)] for i in range(tensor.dimension)]
    return [row[i] for i, row in enumerate(entries)] if tensor.diagonal else entries


def _domain_data(domain: Domain) -> dict[str, Any]:
    if domain.dimension > 1:
        data: dict[str, Any] = {coordinate(i): _axis_data(i, axis) for i, axis in enumerate(domain.axes)}
        return data | ({"region": [_region_data(region) for region in domain.regions]} if domain.regions else {})
    (axis,) = domain.axes
    ends: dict[str, Any] = dict(zip(("low", "high"), _ends(axis), strict=True)) | (
        {"ring": True} if axis.periodic else {}
    )
    return ends | {face.exit: _wall_data(face.wall) for face in domain.faces}


def _axis_data(number: int, axis: Domain) -> dict[str, Any]:
    if axis.periodic:
        return {"ring": [axis.low, axis.high]}
    if not isinstance(axis, Interval):
        return {}
    sides = zip(("low", "high"), _ends(axis), face_names(number), (axis.left, axis.right), strict=True)
    data: dict[str, Any] = {}
    for end, place, side, wall in sides:
        if wall is not None:
            data |= {end: place, side: _wall_data(wall)}
    return data


def _ends(axis: Any) -> list[Any]:
    """The two ends of an axis, the paths of those that move."""
    paths = getattr(axis, "paths", (None, None))
    given = zip((axis.low, axis.high), paths, strict=True)
    return [end if path is None else _coefficient_data(path) for end, path in given]


def _wall_data(wall: Wall) -> Any:
    k = wall.reactivity
    return {0.0: "reflecting", math.inf: "absorbing"}.get(k, {"reactivity": k})


def _region_data(region: Region) -> dict[str, Any]:
    return {"name": region.name, **shape_data(region.shape), "wall": _wall_data(region.wall)}


def shape_data(shape: Shape) -> dict[str, Any]:
    match shape:
        case Ball(centre, radius):
            at = radius if shape.path is None else _coefficient_data(shape.path)
            return {"ball": {"centre": list(centre), "radius": at}}
        case HalfSpace(normal, offset):
            return {"half_space": {"normal": list(normal), "offset": offset}}
        case Level():
            return {"level": _coefficient_data(shape.expression)} | ({"distance": True} if shape.is_distance else {})
        case Mask():
            return {"mask": _rows(shape.array)}
        case Union() | Intersection():
            return {type(shape).__name__.lower(): [shape_data(part) for part in shape.parts]}
        case Complement(inner):
            return {"complement": shape_data(inner)}
    raise ValueError(f"{shape} cannot be written to a file")


def _rows(array: NDArray[np.bool_]) -> Any:
    """Nested lists, of which the innermost are texts of 0 and 1."""
    return "".join("01"[bit] for bit in array.tolist()) if array.ndim == 1 else [_rows(row) for row in array]


def _start_data(start: Start) -> dict[str, Any]:
    match start:
        case Point(x):
            return {"point": x}
        case Normal(mean, sd):
            return {"normal": {"mean": mean, "sd": sd}}
        case Uniform(low, high):
            return {"uniform": {"low": low, "high": high}}
        case Sites() as sites:
            return {"sites": {"x": list(sites.x), "masses": list(sites.masses)}}
        case Atoms() as atoms:
            return {"atoms": {"points": [list(point) for point in atoms.points], "masses": list(atoms.masses)}}
        case Everywhere():
            return {"everywhere": True}
        case Product(factors) if all(isinstance(factor, Point) for factor in factors):
            return {"point": [factor.x for factor in factors]}
        case Product(factors):
            return {"product": [_start_data(factor) for factor in factors]}


def _coefficient_data(coefficient: Coefficient) -> Any:
    if isinstance(coefficient, Constant):
        return coefficient.value
    if isinstance(coefficient, Table):
        return {"x": coefficient.x.tolist(), "values": coefficient.values.tolist()}
    if isinstance(coefficient, Grid) and not coefficient.stepped:
        places = {coordinate(i): axis.tolist() for i, axis in enumerate(coefficient.axes)}
        return places | {"values": coefficient.values.tolist()}
    text = str(as_formula(coefficient))
    try:
        expression(text)
    except ValueError:
        raise ValueError(
            f"{text!r} cannot be written to a file: declare it with rw.expression(...) or as a Table"
        ) from None
    return text


def dumps(data: Mapping[str, Any]) -> str:
    """TOML of a mapping of plain values and of tables of plain values."""
    lines = [f"{key} = {_value(value)}" for key, value in data.items() if not isinstance(value, dict)]
    for key, table in data.items():
        if isinstance(table, dict):
            lines += ["", f"[{key}]", *(f"{_key(name)} = {_value(value)}" for name, value in table.items())]
    return "\n".join(lines).lstrip() + "\n"


def _key(name: str) -> str:
    """A key; "x[3]" needs quotes."""
    return name if name.replace("_", "").isalnum() else json.dumps(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML has the escapes of JSON
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    number = float(value) if isinstance(value, float) else int(value)  # not the repr of NumPy's numbers
    return repr(number)
