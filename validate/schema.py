"""Whether data keep to a JSON Schema: the keywords that the schema of reports uses, and no others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

KINDS: dict[str, Callable[[Any], bool]] = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
}
NOTES = {"$schema", "$id", "$defs", "title", "description"}  # of a schema, for readers
Violations = Iterator[tuple[str, str]]


def violations(data: Any, schema: dict[str, Any]) -> Violations:
    """(place, what is wrong there) of everything in `data` that breaks the schema.

    >>> list(violations({"p": [0.5, "x"]}, {"properties": {"p": {"items": {"type": "number"}}}}))
    [('$.p[1]', "'x' must be a number")]
    """
    return _broken(data, schema, schema, "$")


def _broken(data: Any, schema: dict[str, Any], root: dict[str, Any], place: str) -> Violations:
    for keyword, told in schema.items():
        if keyword == "$ref":
            yield from _broken(data, root["$defs"][told.removeprefix("#/$defs/")], root, place)
        elif keyword not in NOTES:
            yield from RULES[keyword](data, told, root, place)


def _type(data: Any, told: Any, root: dict[str, Any], place: str) -> Violations:
    kinds = [told] if isinstance(told, str) else told
    if not any(KINDS[kind](data) for kind in kinds):
        yield place, f"{_shown(data)} must be a{'n' * (kinds[0][0] in 'aio')} {' or '.join(kinds)}"


def _properties(data: Any, told: Any, root: dict[str, Any], place: str) -> Violations:
    for key, inner in told.items() if isinstance(data, dict) else ():
        if key in data:
            yield from _broken(data[key], inner, root, f"{place}.{key}")


def _values(data: Any, told: Any, root: dict[str, Any], place: str) -> Violations:
    for key, value in data.items() if isinstance(data, dict) else ():
        yield from _broken(value, told, root, f"{place}.{key}")


def _items(data: Any, told: Any, root: dict[str, Any], place: str) -> Violations:
    for number, value in enumerate(data) if isinstance(data, list) else ():
        yield from _broken(value, told, root, f"{place}[{number}]")


def _required(data: Any, told: Any, root: dict[str, Any], place: str) -> Violations:
    for key in told if isinstance(data, dict) else ():
        if key not in data:
            yield place, f"{key!r} is missing"


def _enum(data: Any, told: Any, root: dict[str, Any], place: str) -> Violations:
    if data not in told:
        yield place, f"{_shown(data)} must be one of {', '.join(map(repr, told))}"


def _const(data: Any, told: Any, root: dict[str, Any], place: str) -> Violations:
    if data != told:
        yield place, f"{_shown(data)} must be {told!r}"


def _pattern(data: Any, told: Any, root: dict[str, Any], place: str) -> Violations:
    if isinstance(data, str) and not re.search(told, data):
        yield place, f"{_shown(data)} must match {told}"


def _minimum(data: Any, told: Any, root: dict[str, Any], place: str) -> Violations:
    if KINDS["number"](data) and data < told:
        yield place, f"{data!r} must be at least {told}"


def _maximum(data: Any, told: Any, root: dict[str, Any], place: str) -> Violations:
    if KINDS["number"](data) and data > told:
        yield place, f"{data!r} must be at most {told}"


def _least_items(data: Any, told: Any, root: dict[str, Any], place: str) -> Violations:
    if isinstance(data, list) and len(data) < told:
        yield place, f"has {len(data)} entries and must have at least {told}"


def _shown(data: Any) -> str:
    text = repr(data)
    return text if len(text) <= 40 else f"{text[:37]}…"


RULES: dict[str, Callable[[Any, Any, dict[str, Any], str], Violations]] = {
    "type": _type, "properties": _properties, "additionalProperties": _values, "items": _items, "required": _required,
    "enum": _enum, "const": _const, "pattern": _pattern, "minimum": _minimum, "maximum": _maximum, "minItems": _least_items,
}  # fmt: skip
