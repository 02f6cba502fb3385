"""Values of a problem file: numbers, formulas of the parameters, counts, words, coefficients."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from .inputs.source import Source
from .inputs.wording import did_you_mean, shown
from .model.coefficient import Coefficient, as_coefficient, constant_value, coordinate
from .model.formula import expression, formula
from .model.grid import Grid
from .model.tabulated import Table

Choice = TypeVar("Choice", bound=StrEnum)
MOST = {"walkers": 53, "seed": 1024, "sites": 31}  # binary digits; a run with a lower limit checks it itself


def read_parameters(source: Source) -> dict[str, float]:
    """The named numbers of [parameters]."""
    table = source.data.get("parameters", {})
    if not isinstance(table, dict):
        source.fail("parameters", None, "[parameters] must be a table")
    for name, value in table.items():
        if not name.isidentifier() or keyword.iskeyword(name):
            source.fail(
                "parameters", name, f"the parameter {shown(name)} cannot be written in a formula: take a plain word"
            )
        if not is_number(value):
            source.fail("parameters", name, f"the parameter {name} must be a number, not {shown(value)}")
        source.build("parameters", name, partial(_parameter, name, value))
    return {name: float(value) for name, value in table.items()}


def _parameter(name: str, value: float) -> None:
    """Refuse a name or a number that formulas do not accept."""
    expression("0", **{name: _float(name, value)})


def read_number(source: Source, names: Mapping[str, float], value: Any, section: str, *keys: str) -> float:
    """A number, or a formula of the parameters in quotes."""
    key = keys[-1]
    if is_number(value):
        return source.build(section, keys, lambda: _float(key, value))
    if isinstance(value, str):
        if value.strip("+- ") in ("inf", "nan"):
            source.fail(section, keys, f"{key} = {shown(value)}: write {value.strip()} without quotes")
        try:
            number = constant_value(expression(value, **names))
        except ValueError as error:
            source.fail(
                section, keys, f"{key} = {shown(value)}: must be a number, or a formula of [parameters]: {error}"
            )
        if number is not None:
            return number
        source.fail(section, keys, f"{key} = {shown(value)}: must be a number, and depends on x or t")
    source.fail(section, keys, f"{key} = {shown(value)}: must be a number, or a formula of [parameters] in quotes")


def read_place(source: Source, names: Mapping[str, float], value: Any, section: str, *keys: str) -> float | Coefficient:
    """As :func:`read_number`, or a formula of the time in quotes: the path of a wall that moves."""
    if isinstance(value, str):
        try:
            path = expression(value, **names)
        except ValueError:
            return read_number(source, names, value, section, *keys)
        if path.variables == {"t"}:
            return path
    return read_number(source, names, value, section, *keys)


def read_numbers(source: Source, names: Mapping[str, float], values: Any, section: str, *keys: str) -> list[float]:
    """A list of numbers, or of formulas of the parameters."""
    if not isinstance(values, list):
        source.fail(section, keys, f"{keys[-1]} = {shown(values)}: must be a list of numbers")
    return [read_number(source, names, value, section, *keys) for value in values]


def read_count(source: Source, names: Mapping[str, float], value: Any, section: str, key: str) -> int:
    """A whole number, positive unless it is a seed; or a formula of the parameters with such a value."""
    given = read_number(source, names, value, section, key) if isinstance(value, str) else value
    count = int(given) if isinstance(value, str) and given.is_integer() else given
    if isinstance(count, bool) or not isinstance(count, int) or count < (key != "seed"):
        whole = isinstance(count, float) and count.is_integer() and 0 < count < 1e15
        source.fail(
            section, key, f"{key} = {shown(value)}: must be a {'positive ' * (key != 'seed')}whole number"
            + (f"; write {int(count):_}" if whole else ""),
        )  # fmt: skip
    if count > 1 << MOST[key]:
        source.fail(section, key, f"{key} = {shown(value)}: must be at most 2**{MOST[key]}")
    return count


def read_choice(source: Source, value: Any, choices: type[Choice], section: str, key: str) -> Choice:
    """One of the members of an enumeration, by its value."""
    known = [str(choice) for choice in choices]
    if value not in known:
        meant = did_you_mean(value, known) if isinstance(value, str) else ""
        source.fail(section, key, f"{key} = {shown(value)}: must be one of {', '.join(known)}{meant}")
    return choices(value)


def read_text(source: Source, section: str, key: str | None = None) -> str:
    """A text of the file, or of one of its tables; empty if absent."""
    value = source.data.get(section, "") if key is None else source.data[section].get(key, "")
    if not isinstance(value, str):
        source.fail(section, key, f"{key or section} = {shown(value)}: must be a text in quotes")
    return value


def variables(dimension: int) -> tuple[str, ...]:
    """The variables of formulas in a number of dimensions."""
    return *map(coordinate, range(min(dimension, 3))), *(["x[i]"] if dimension > 3 else []), "t"


def read_coefficient(
    source: Source, section: str, key: str, value: Any, names: Mapping[str, float], dimension: int = 1
) -> Coefficient:
    """A number, a formula, a table given inline, or a table in a CSV file beside the problem file; in several dimensions also
    values on a grid, ``{x = […], y = […], values = [[…], …]}``."""
    axes = [coordinate(i) for i in range(dimension)]

    def make() -> Coefficient:
        match value:
            case str():
                return formula(value, names, variables(dimension))
            case {"csv": str(file), "x": str(x), "value": str(column)} if len(value) == 3:
                return Table.from_csv(beside(source, file), x, column)
            case {"x": list(), "values": list()} if len(value) == 2:
                return Table(*(read_numbers(source, names, value[k], section, key, k) for k in ("x", "values")))
            case {"values": list(values), **places} if dimension > 1 and list(places) == axes:
                return Grid([read_numbers(source, names, places[k], section, key, k) for k in axes], values)
            case _ if is_number(value):
                return as_coefficient(_float(key, value))
        grid = f" or {{{', '.join(axes)}, values}}" if dimension > 1 else ""
        raise ValueError(
            f"{key} = {shown(value)}: must be a number, a formula in quotes, {{csv, x, value}} or {{x, values}}{grid}"
        )

    return source.build(section, key, make)


def read_nested(source: Source, section: str, key: str, value: Any, names: Mapping[str, float], dimension: int) -> Any:
    """A coefficient; in several dimensions also a list of them, or a list of lists."""
    if dimension == 1 or not isinstance(value, list):
        return read_coefficient(source, section, key, value, names, dimension)
    return [read_nested(source, section, key, part, names, dimension) for part in value]


def read_sizes(source: Source, names: Mapping[str, float], value: Any, dimension: int, section: str, *keys: str) -> Any:
    """A number; in several dimensions also a list of numbers, one an axis."""
    if dimension > 1 and isinstance(value, list):
        return read_numbers(source, names, value, section, *keys)
    return read_number(source, names, value, section, *keys)


def beside(source: Source, file: str) -> Path:
    """The path of a file that a problem names."""
    if source.folder is None:
        raise ValueError(f"csv = {shown(file)}: no file may be named here; give the numbers, {{x = […], values = […]}}")
    return source.folder / file


def is_number(value: Any) -> bool:
    """Whether a value of a file is a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _float(name: str, value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} = {shown(value)}: is too large") from None
