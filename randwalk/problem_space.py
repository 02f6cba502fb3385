"""The domain and the start of a walk, read from a problem file."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from .inputs.source import Source
from .inputs.wording import did_you_mean, shown
from .model.coefficient import coordinate
from .model.domain import Box, Domain, Interval, Line, Ring
from .model.formula import formula
from .model.image import dark_pixels
from .model.moving import placed
from .model.region import Ball, HalfSpace, Level, Mask
from .model.shape import Intersection, Shape, Union
from .model.start import Atoms, Everywhere, Normal, Point, Sites, Start, Uniform
from .model.wall import Absorbing, PartiallyAbsorbing, Reflecting, Wall, face_names
from .problem_values import beside, read_number, read_numbers, read_parameters, read_place, read_sizes, variables

DOMAIN = ("low", "high", "left", "right", "ring")
WALL = '"absorbing", "reflecting" or {reactivity = number}'
STARTS = ("point", "normal", "uniform", "sites", "atoms", "everywhere", "product")
SHAPES = ("ball", "half_space", "level", "mask", "image", "union", "intersection", "complement")
AXIS = re.compile(r"[xyz]|x\[\d+\]")


def read_domain(source: Source) -> Domain | None:
    """The domain of a problem file; None if there is none."""
    if "domain" not in source.data:
        return None
    given = source.data["domain"]
    if not isinstance(given, dict) or not any(AXIS.fullmatch(key) for key in given):
        return _one_axis(source)
    axes = axes_of(given)
    known = [coordinate(i) for i in range(len(axes))]
    if axes != known:
        source.fail("domain", None, f"[domain] has {', '.join(axes)}: give the axes in order, {', '.join(known)}")
    table = source.section("domain", (*known, coordinate(len(known)), "region"))
    made = [_axis(source, i, table[name]) for i, name in enumerate(axes)]
    if len(made) == 1:
        return made[0]
    regions = table.get("region", [])
    if not isinstance(regions, list) or not all(isinstance(region, dict) for region in regions):
        source.fail("domain", "region", "region must be a list of tables, each under [[domain.region]]")
    box: Box = source.build("domain", None, lambda: Box(*made))
    for region in regions:
        box = _with_region(source, box, region)
    return box


def axes_of(table: Mapping[str, Any]) -> list[str]:
    """The keys of a [domain] table that are axes."""
    return [key for key in table if AXIS.fullmatch(key)]


def _one_axis(source: Source) -> Domain:
    """The domain of one dimension of a table with the keys of :data:`DOMAIN`."""
    names = read_parameters(source)
    table = source.section("domain", DOMAIN)
    ends = [
        read_place(source, names, table.get(key, end), "domain", key)
        for key, end in (("low", -math.inf), ("high", math.inf))
    ]
    low, high = (_at_first(source, end) for end in ends)
    if not isinstance(table.get("ring", False), bool):
        source.fail("domain", "ring", f"ring = {shown(table['ring'])}: must be true or false")
    if table.get("ring"):
        for side in ("left", "right"):
            if side in table:
                source.fail("domain", "ring", f"a ring has no walls: leave {side} out")
        return source.build("domain", _named(table, "low", "high", "ring"), lambda: Ring(low, high))
    walls = {side: _read_wall(source, names, (side,), table.get(side)) for side in ("left", "right")}
    for side, end, place in (("left", "low", low), ("right", "high", high)):
        if walls[side] is not None and math.isinf(place):
            source.fail("domain", side, f"{side} = {shown(table[side])}: needs {end}, the place of the wall")
        if walls[side] is None and math.isfinite(place):
            source.fail("domain", end, f"the {side} end, at x = {place:g}, needs a wall: {side} = {WALL}")
    if math.isinf(low) and math.isinf(high) and low < high:
        return Line()
    return source.build(
        "domain", _named(table, "low", "high"), lambda: Interval(ends[0], ends[1], walls["left"], walls["right"])
    )


def _at_first(source: Source, end: Any) -> float:
    """Where an end of [domain] is at t = 0."""
    return source.build("domain", None, lambda: placed("domain", end)[0])


def _axis(source: Source, number: int, table: Any) -> Line | Interval | Ring:
    """One axis: ``{}`` is a line, ``{ring = [low, high]}`` a ring, else ends and the walls at them by the names of the faces."""
    name, names = coordinate(number), read_parameters(source)
    low_wall, high_wall = face_names(number)
    known = ("low", "high", low_wall, high_wall)
    if not isinstance(table, dict):
        source.fail(
            "domain", name, f"{name} = {shown(table)}: must be {{low, high, {low_wall}, {high_wall}}}, {{ring}} or {{}}"
        )
    if "ring" in table:
        ends = table["ring"]
        if len(table) > 1 or not isinstance(ends, list) or len(ends) != 2:
            source.fail(
                "domain", (name, "ring"), f"{name} = {shown(table)}: a ring is {{ring = [low, high]}} and has no walls"
            )
        low, high = read_numbers(source, names, ends, "domain", name, "ring")
        return source.build("domain", (name, "ring"), lambda: Ring(low, high))
    for key in table:
        if key not in known:
            source.fail(
                "domain", (name, key),
                f"unknown key {shown(key)} of {name}; known are {', '.join((*known, 'ring'))}{did_you_mean(key, known)}",
            )  # fmt: skip
    if not table:
        return Line()
    ends = [
        read_place(source, names, table.get(key, end), "domain", name, key)
        for key, end in (("low", -math.inf), ("high", math.inf))
    ]
    low, high = (_at_first(source, end) for end in ends)
    left, right = (_read_wall(source, names, (name, side), table.get(side)) for side in (low_wall, high_wall))
    for side, wall, end, place in ((low_wall, left, "low", low), (high_wall, right, "high", high)):
        if wall is None and math.isfinite(place):
            source.fail("domain", (name, end), f"the {side} end, at {name} = {place:g}, needs a wall: {side} = {WALL}")
        if wall is not None and math.isinf(place):
            source.fail("domain", (name, side), f"{side} = {shown(table[side])}: needs {end}, the place of the wall")
    return source.build("domain", name, lambda: Interval(ends[0], ends[1], left, right))


def _with_region(source: Source, box: Box, table: Mapping[str, Any]) -> Box:
    """The box without a region."""
    shapes = [key for key in table if key in SHAPES]
    known = ("name", "wall", "inside", "distance", *SHAPES)
    for key in table:
        if key not in known:
            meant = did_you_mean(key, known)
            source.fail(
                "domain", "region", f"unknown key {shown(key)} of a region; known are {', '.join(known)}{meant}"
            )
    if len(shapes) != 1:
        source.fail(
            "domain", "region", f"a region has {', '.join(shapes) or 'no shape'}: give one of {', '.join(SHAPES)}"
        )
    wall = _read_wall(source, read_parameters(source), ("region", "wall"), table.get("wall", "reflecting"))
    inside = table.get("inside", False)
    if not isinstance(inside, bool):
        source.fail("domain", ("region", "inside"), f"inside = {shown(inside)}: must be true or false")

    def make() -> Box:
        shape = read_shape(source, {key: table[key] for key in (*shapes, "distance") if key in table}, box.dimension)
        return (box.inside if inside else box.without)(shape, wall, table.get("name"))  # type: ignore[arg-type]

    return source.build("domain", "region", make)


def read_shape(source: Source, table: Any, dimension: int) -> Shape:
    """A shape: a table with one of the keys of :data:`SHAPES`."""
    names = read_parameters(source)

    def numbers(value: Any, key: str) -> list[float]:
        return read_numbers(source, names, value, "domain", "region", key)

    match table:
        case {"ball": {"centre": centre, "radius": radius}}:
            return Ball(numbers(centre, "centre"), read_place(source, names, radius, "domain", "region", "radius"))
        case {"half_space": {"normal": normal, **rest}} if set(rest) <= {"offset"}:
            offset = read_number(source, names, rest.get("offset", 0.0), "domain", "region", "offset")
            return HalfSpace(numbers(normal, "normal"), offset)
        case {"level": str(text), **rest} if set(rest) <= {"distance"}:
            return Level(formula(text, names, variables(dimension)[:-1]), distance=rest.get("distance", False) is True)
        case {"mask": list(rows)}:
            return Mask(_bits(rows))
        case {"image": str(file)}:
            return Mask(dark_pixels(beside(source, file)))
        case {"union": [*parts]} if len(parts) > 1:
            return Union(tuple(read_shape(source, part, dimension) for part in parts))
        case {"intersection": [*parts]} if len(parts) > 1:
            return Intersection(tuple(read_shape(source, part, dimension) for part in parts))
        case {"complement": inner}:
            return ~read_shape(source, inner, dimension)
    raise ValueError(
        f"{shown(table)} is no shape: give ball = {{centre, radius}}, half_space = {{normal, offset}}, level = a formula, mask = "
        "rows of 0 and 1, image = a file, union = [shape, shape, …], intersection = [shape, shape, …] or complement = shape"
    )


def _bits(rows: Any) -> Any:
    """Nested lists of 0 and 1, of which the innermost may be texts like "0110", as an array."""
    if isinstance(rows, str):
        if set(rows) - {"0", "1"}:
            raise ValueError(f"mask: {shown(rows)} must be made of 0 and 1, one for each site along the last axis")
        return [int(bit) for bit in rows]
    return [_bits(row) for row in rows] if isinstance(rows, list) else rows


def _named(table: Mapping[str, Any], *keys: str) -> str | None:
    """The first of the keys that a table has."""
    return next((key for key in keys if key in table), None)


def _read_wall(source: Source, names: Mapping[str, float], keys: tuple[str, ...], value: Any) -> Wall | None:
    match value:
        case None:
            return None
        case "absorbing":
            return Absorbing()
        case "reflecting":
            return Reflecting()
        case {"reactivity": reactivity} if len(value) == 1:
            k = read_number(source, names, reactivity, "domain", *keys, "reactivity")
            if not 0.0 < k < math.inf:
                told = 'must be positive and finite; 0 is "reflecting", infinity is "absorbing"'
                source.fail("domain", (*keys, "reactivity"), f"reactivity = {k}: {told}")
            return PartiallyAbsorbing(k)
    meant = did_you_mean(value, ("absorbing", "reflecting")) if isinstance(value, str) else ""
    source.fail("domain", keys, f"{keys[-1]} = {shown(value)}: must be {WALL}{meant}")


def read_start(source: Source, dimension: int) -> Start | None:
    """The start of a problem file; None if there is none."""
    table = source.section("start", STARTS)
    if not table:
        return None
    if len(table) > 1:
        source.fail("start", None, f"[start] has {', '.join(table)}: give one")
    ((kind, value),) = table.items()
    return _start(source, kind, value, dimension)


def _start(source: Source, kind: str, value: Any, dimension: int) -> Start:
    names = read_parameters(source)
    kinds: dict[str, tuple[Callable[..., Start], tuple[str, ...]]] = {
        "normal": (Normal, ("mean", "sd")), "uniform": (Uniform, ("low", "high")), "sites": (Sites, ("x", "masses")),
        "atoms": (Atoms, ("points", "masses")),
    }  # fmt: skip
    if kind == "point":
        x = read_sizes(source, names, value, dimension, "start", kind)
        return source.build("start", kind, lambda: Point(x))
    if kind == "everywhere":
        if value is not True:
            source.fail("start", kind, f"everywhere = {shown(value)}: must be true")
        return Everywhere()
    if kind == "product":
        return _product(source, value, dimension)
    make, keys = kinds[kind]
    if not isinstance(value, dict) or set(value) != set(keys):
        source.fail("start", kind, f"{kind} = {shown(value)}: must be {{{', '.join(f'{k} = …' for k in keys)}}}")
    if kind == "atoms":
        points = value["points"]
        if not isinstance(points, list) or not points:
            source.fail("start", (kind, "points"), f"points = {shown(points)}: must be a list of points")
        given = [[read_sizes(source, names, point, dimension, "start", kind, "points") for point in points]]
        given.append(read_numbers(source, names, value["masses"], "start", kind, "masses"))
    elif kind == "sites":
        given = [read_numbers(source, names, value[key], "start", kind, key) for key in keys]
    else:
        given = [read_sizes(source, names, value[key], dimension, "start", kind, key) for key in keys]
    return source.build("start", kind, lambda: make(*given))


def _product(source: Source, value: Any, dimension: int) -> Start:
    """The product of starts, each a table with one key."""
    known = [kind for kind in STARTS if kind not in ("product", "everywhere")]
    if not isinstance(value, list) or len(value) < 2:
        source.fail("start", "product", f"product = {shown(value)}: must be a list of two starts or more")
    for part in value:
        if not isinstance(part, dict) or len(part) != 1 or next(iter(part)) not in known:
            source.fail("start", "product", f"{shown(part)} in product: must be a table with one of {', '.join(known)}")
    factors = [_start(source, kind, given, dimension) for part in value for kind, given in part.items()]
    product: Start = source.build("start", "product", lambda: reduce(lambda a, b: a * b, factors))
    return product
