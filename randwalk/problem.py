"""A walk and how to run it, read from and written to a TOML file.

```toml
title = "Drift towards an absorbing wall"

[parameters]                # names for the formulas below
v = 1.0

[walk]                      # either drift and diffusion (D: variance grows as 2Dt) ...
drift = "-v"                # a number, a formula in x, t and the parameters, {csv = "file.csv", x = "column", value = "column"}
diffusion = 0.5             #   or {x = [...], values = [...]}
dx = 0.05                   # or sites = 100 on a bounded domain; dt, rule, convention and killing may be given
                            # ... or right, left, dx and dt

[domain]                    # left out: the line
low = 0.0
high = inf
left = "absorbing"          # "absorbing", "reflecting" or {reactivity = 1.5}; ring = true closes the interval

[start]
point = 1.0                 # or normal = {mean, sd}, uniform = {low, high}, sites = {x, masses}

[run]
times = [0.5, 1.0]
walkers = 1_000_000
seed = 1
```
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from .coefficient import Coefficient, Constant, as_coefficient
from .convention import Convention
from .domain import Absorbing, Domain, Interval, Line, PartiallyAbsorbing, Reflecting, Ring, Wall
from .formula import expression
from .function import Function
from .start import Normal, Point, Sites, Start, Uniform
from .tabulated import Table
from .walk import LatticeWalk

Read = TypeVar("Read")
WALKERS, SEED = 1_000_000, 1


class ProblemError(ValueError):
    """A problem file that cannot be used; the message starts with the file and the line."""


@dataclass(frozen=True)
class Source:
    """The text of a problem file and what TOML makes of it; errors are told with the line."""

    name: str
    text: str
    data: Mapping[str, Any]
    folder: Path

    @classmethod
    def read(cls, path: str | Path) -> Source:
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ProblemError(f"{path} cannot be read: {error}") from None
        return cls.parse(text, str(path), path.parent)

    @classmethod
    def parse(cls, text: str, name: str = "problem", folder: Path = Path()) -> Source:
        try:
            return cls(name, text, tomllib.loads(text), folder)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"line (\d+)", str(error))
            raise ProblemError(f"{name}:{line[1] if line else max(1, len(text.splitlines()))}: {error}") from None
        except RecursionError:
            raise ProblemError(f"{name}:1: the file is nested too deeply") from None

    def line(self, section: str, key: str | None = None) -> int:
        """The line of a key of a section (of the section itself, where the key is not found)."""
        header, found, current = re.compile(r"\s*\[+\s*([\w.]+)\s*\]+"), 1, ""
        for number, line in enumerate(self.text.splitlines(), start=1):
            if match := header.match(line):
                current = match[1]
                if current == section:
                    found = number
            elif current == section and key is not None and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]", line):
                return number
        return found

    def fail(self, section: str, key: str | None, message: str) -> NoReturn:
        raise ProblemError(f"{self.name}:{self.line(section, key)}: {message}")

    def section(self, name: str, known: Sequence[str], needed: Sequence[str] = ()) -> dict[str, Any]:
        """A table of the file (empty if absent) that has only the known keys and all needed ones."""
        table = self.data.get(name, {})
        if not isinstance(table, dict):
            self.fail(name, None, f"[{name}] must be a table")
        for key in table:
            if key not in known:
                self.fail(name, key, f"unknown key {key!r} in [{name}]; known are {', '.join(known)}")
        for key in needed:
            if key not in table:
                self.fail(name, None, f"[{name}] needs {key}")
        return dict(table)

    def build(self, section: str, key: str | None, make: Callable[[], Read]) -> Read:
        """The value of `make`; its complaint gets the file and the line."""
        try:
            return make()
        except ProblemError:
            raise
        except (ValueError, TypeError, ArithmeticError) as error:
            self.fail(section, key, str(error))


@dataclass(frozen=True)
class Problem:
    """A walk, the times to record, and how many walkers to run from which seed: what a problem file declares.

    >>> import randwalk as rw
    >>> coin = rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, dt=1.0)
    >>> print(rw.Problem(coin, times=(10.0,), walkers=1000).dumps().split("\\n\\n")[0])
    [walk]
    right = 0.5
    left = 0.5
    dx = 1.0
    dt = 1.0
    """

    walk: LatticeWalk
    times: tuple[float, ...]
    walkers: int = WALKERS
    seed: int = SEED
    title: str = ""
    source: Source | None = field(default=None, compare=False, repr=False)

    @classmethod
    def load(cls, path: str | Path) -> Problem:
        """Read a problem file. Errors name file, line, key and remedy (:class:`ProblemError`)."""
        return cls.of(Source.read(path))

    @classmethod
    def of(cls, source: Source) -> Problem:
        known = ("title", "catches", "parameters", "walk", "domain", "start", "run", "validate", "measured", "solve")
        for key in source.data:
            if key not in known:
                source.fail(key, None, f"unknown table or key {key!r}; known are {', '.join(known)}")
        run = source.section("run", ("times", "walkers", "seed"), needed=("times",))
        times = run["times"]
        if not isinstance(times, list) or not all(_is_number(t) for t in times) or not times:
            source.fail("run", "times", f"times = {times!r}: must be a list of numbers")
        for name in ("walkers", "seed"):
            if name in run and (
                isinstance(run[name], bool) or not isinstance(run[name], int) or run[name] < (name == "walkers")
            ):
                source.fail(
                    "run", name, f"{name} = {run[name]!r}: must be a {'positive ' * (name == 'walkers')}whole number"
                )
        walk = read_walk(source, [float(t) for t in times])
        source.build("run", "times", lambda: walk.steps(times))
        return cls(
            walk, tuple(float(t) for t in times), run.get("walkers", WALKERS), run.get("seed", SEED),
            str(source.data.get("title", "")), source,
        )  # fmt: skip

    def dumps(self) -> str:
        """The problem as TOML. A walk made of Python functions cannot be written: give formulas or tables instead."""
        data: dict[str, Any] = {"title": self.title} if self.title else {}
        data |= walk_data(self.walk)
        data["run"] = {"times": list(self.times), "walkers": self.walkers, "seed": self.seed}
        return dumps(data)


def read_walk(source: Source, times: list[float]) -> LatticeWalk:
    """The walk of a problem file."""
    shared = ("dx", "sites", "dt", "killing")
    drifted = ("drift", "diffusion", "rule", "convention")
    walk = source.section("walk", (*shared, *drifted, "right", "left"))
    for first, second in (("drift", "right"), ("diffusion", "left")):
        if first in walk and second in walk:
            source.fail(
                "walk", second, f"[walk] has both {first} and {second}: give drift and diffusion, or right and left"
            )
    by_drift = "drift" in walk or "diffusion" in walk
    needed = ("drift", "diffusion") if by_drift else ("right", "left", "dt")
    source.section("walk", (*shared, *drifted, "right", "left"), needed=needed)
    if not by_drift:
        for key in ("rule", "convention"):
            if key in walk:
                source.fail("walk", key, f"{key} goes with drift and diffusion, not with right and left")
    names = read_parameters(source)
    names_of = ("drift", "diffusion", "killing") if by_drift else ("right", "left", "killing")
    coefficients: dict[str, Any] = {
        key: read_coefficient(source, "walk", key, walk[key], names) for key in names_of if key in walk
    }
    rest = {key: walk[key] for key in walk if key not in coefficients}
    domain, start = read_domain(source), read_start(source)
    if by_drift:
        return source.build(
            "walk",
            None,
            lambda: LatticeWalk.from_drift(**coefficients, **rest, domain=domain, start=start, times=times),
        )
    return source.build("walk", None, lambda: LatticeWalk(**coefficients, **rest, domain=domain, start=start))


def read_parameters(source: Source) -> dict[str, float]:
    """The named numbers of [parameters]."""
    table = source.data.get("parameters", {})
    if not isinstance(table, dict):
        source.fail("parameters", None, "[parameters] must be a table")
    for name, value in table.items():
        if not _is_number(value):
            source.fail("parameters", name, f"the parameter {name} must be a number, not {value!r}")
    return {name: float(value) for name, value in table.items()}


def read_coefficient(source: Source, section: str, key: str, value: Any, names: Mapping[str, float]) -> Coefficient:
    """A number, a formula, a table given inline, or a table in a CSV file beside the problem file."""

    def make() -> Coefficient:
        match value:
            case str():
                return expression(value, **names)
            case {"csv": str(file), "x": str(x), "value": str(column)} if len(value) == 3:
                return Table.from_csv(source.folder / file, x, column)
            case {"x": list(x), "values": list(values)} if len(value) == 2:
                return Table(x, values)
            case _ if _is_number(value):
                return as_coefficient(value)
        raise ValueError(
            f"{key} = {value!r}: must be a number, a formula in quotes, {{csv, x, value}} or {{x, values}}"
        )

    return source.build(section, key, make)


def read_domain(source: Source) -> Domain:
    """The domain of a problem file; the line if there is none."""
    if "domain" not in source.data:
        return Line()
    table = source.section("domain", ("low", "high", "left", "right", "ring"))
    low, high = table.get("low", -math.inf), table.get("high", math.inf)
    for key, end in (("low", low), ("high", high)):
        if not _is_number(end):
            source.fail("domain", key, f"{key} = {end!r}: must be a number (inf and -inf are)")
    if not isinstance(table.get("ring", False), bool):
        source.fail("domain", "ring", f"ring = {table['ring']!r}: must be true or false")
    if table.get("ring"):
        if "left" in table or "right" in table:
            source.fail("domain", "ring", "a ring has no walls")
        return source.build("domain", "low", lambda: Ring(float(low), float(high)))
    walls = {side: _read_wall(source, side, table.get(side)) for side in ("left", "right")}
    if math.isinf(low) and math.isinf(high) and not any(walls.values()):
        return Line()
    return source.build("domain", "low", lambda: Interval(float(low), float(high), **walls))


def _read_wall(source: Source, side: str, value: Any) -> Wall | None:
    match value:
        case None:
            return None
        case "absorbing":
            return Absorbing()
        case "reflecting":
            return Reflecting()
        case {"reactivity": reactivity} if _is_number(reactivity) and len(value) == 1:
            return source.build("domain", side, lambda: PartiallyAbsorbing(float(reactivity)))
    source.fail("domain", side, f'{side} = {value!r}: must be "absorbing", "reflecting" or {{reactivity = number}}')


def read_start(source: Source) -> Start:
    """The start of a problem file; the point 0 if there is none."""
    kinds: dict[str, tuple[type, tuple[str, ...]]] = {
        "normal": (Normal, ("mean", "sd")), "uniform": (Uniform, ("low", "high")), "sites": (Sites, ("x", "masses")),
    }  # fmt: skip
    table = source.section("start", ("point", *kinds))
    if not table:
        return Point(0.0)
    if len(table) > 1:
        source.fail("start", None, f"[start] has {', '.join(table)}: give one")
    ((kind, value),) = table.items()
    if kind == "point":
        if not _is_number(value):
            source.fail("start", kind, f"point = {value!r}: must be a number")
        return source.build("start", kind, lambda: Point(float(value)))
    make, keys = kinds[kind]
    if not isinstance(value, dict) or set(value) != set(keys):
        source.fail("start", kind, f"{kind} = {value!r}: must be {{{', '.join(f'{k} = …' for k in keys)}}}")
    start: Start = source.build("start", kind, lambda: make(*(value[k] for k in keys)))
    return start


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def walk_data(walk: LatticeWalk) -> dict[str, Any]:
    """The tables [walk], [domain] and [start] that :func:`read_walk` reads back."""
    values = (
        {
            "drift": walk.declared_drift, "diffusion": walk.diffusion, "rule": str(walk.rule),
            **({"convention": str(walk.convention)} if walk.convention is not Convention.ITO else {}),
        }  # fmt: skip
        if walk.rule is not None
        else {"right": walk.right, "left": walk.left}
    )
    table: dict[str, Any] = {k: _coefficient_data(v) if isinstance(v, Coefficient) else v for k, v in values.items()}
    if walk.killing != Constant(0.0):
        table["killing"] = _coefficient_data(walk.killing)
    data: dict[str, Any] = {"walk": table | {"dx": walk.dx, "dt": walk.dt}}
    domain = walk.domain
    if not isinstance(domain, Line):
        data["domain"] = {"low": domain.low, "high": domain.high}
        if domain.periodic:
            data["domain"]["ring"] = True
        for side in ("left", "right"):
            wall = getattr(domain, side)
            if wall is not None:
                is_robin = isinstance(wall, PartiallyAbsorbing)
                data["domain"][side] = {"reactivity": wall.reactivity} if is_robin else type(wall).__name__.lower()
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
        return json.dumps(value, ensure_ascii=False).replace(
            "\x7f", "\\u007f"
        )  # a basic string of TOML has JSON's escapes
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    return (
        repr(float(value)) if isinstance(value, float) else repr(int(value))
    )  # NumPy's numbers have a repr of their own
