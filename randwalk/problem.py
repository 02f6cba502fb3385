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

[solve]
tolerance = 1e-5            # of `randwalk solve`

[validate]                  # in place of those of [run], for `randwalk validate`
walkers = 100_000
seed = 2
```

Wherever a number stands, a formula of the parameters may stand in quotes: ``point = "L/2"``.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, fields
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from .inputs.keywords import once_positional
from .inputs.source import Key, ProblemError, Source
from .inputs.wording import did_you_mean, shown
from .model.coefficient import Coefficient, as_coefficient, constant_value
from .model.convention import Convention
from .model.domain import Absorbing, Domain, Interval, Line, PartiallyAbsorbing, Reflecting, Ring, Wall
from .model.formula import ONE_DIMENSION, expression, formula
from .model.start import Normal, Point, Sites, Start, Uniform
from .model.tabulated import Table
from .model.walk import LatticeWalk, Rule
from .writing import dumps, walk_data

__all__ = ["Problem", "ProblemError", "Source", "dumps", "read_walk", "walk_data"]

Choice = TypeVar("Choice", bound=StrEnum)
WALKERS, SEED, TOLERANCE = 1_000_000, 1, 1e-5
TABLES = ("title", "catches", "parameters", "walk", "domain", "start", "run", "solve", "validate", "measured")
DOMAIN = ("low", "high", "left", "right", "ring")
WALL = '"absorbing", "reflecting" or {reactivity = number}'
STARTS = ("point", "normal", "uniform", "sites")
MOST = {"walkers": 53, "seed": 1024, "sites": 31}  # binary digits; a run with a lower limit checks it itself


@dataclass(frozen=True)
class Problem:
    """The content of a problem file: a walk, the times to record, the number of walkers and the seed.

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
    _: KW_ONLY
    walkers: int = WALKERS
    seed: int = SEED
    title: str = ""
    tolerance: float = TOLERANCE
    validation_walkers: int | None = None
    validation_seed: int | None = None
    source: Source | None = field(default=None, compare=False, repr=False)

    @classmethod
    def load(cls, path: str | Path) -> Problem:
        """Read a problem file. Errors name file, line, key and remedy (:class:`ProblemError`)."""
        return cls.of(Source.read(path))

    @classmethod
    def of(cls, source: Source) -> Problem:
        """The problem of a source."""
        for key in source.data:
            if key not in TABLES:
                source.fail(
                    key,
                    None,
                    f"unknown table or key {shown(key)}; known are {', '.join(TABLES)}{did_you_mean(key, TABLES)}",
                )
        names = read_parameters(source)
        run = source.section("run", ("times", "walkers", "seed"), needed=("times",))
        solve = source.section("solve", ("tolerance",))
        trial = source.section("validate", ("walkers", "seed"))
        if not isinstance(run["times"], list) or not run["times"]:
            one = f"; write [{shown(run['times'])}]" if is_number(run["times"]) else ""
            source.fail("run", "times", f"times = {shown(run['times'])}: must be a list of numbers{one}")
        times = read_numbers(source, names, run["times"], "run", "times")
        counts = {
            (section, key): read_count(source, names, table[key], section, key)
            for section, table in (("run", run), ("validate", trial))
            for key in ("walkers", "seed")
            if key in table
        }
        tolerance = read_number(source, names, solve.get("tolerance", TOLERANCE), "solve", "tolerance")
        if not 0.0 < tolerance < 1.0:
            source.fail("solve", "tolerance", f"tolerance = {tolerance:g}: must lie between 0 and 1")
        walk = read_walk(source, times)
        try:
            walk.steps(times)
        except ValueError as error:
            source.fail("run", "times", as_keys(str(error)))
        return cls(
            walk,
            tuple(times),
            walkers=counts.get(("run", "walkers"), WALKERS),
            seed=counts.get(("run", "seed"), SEED),
            title=read_text(source, "title"),
            tolerance=tolerance,
            validation_walkers=counts.get(("validate", "walkers")),
            validation_seed=counts.get(("validate", "seed")),
            source=source,
        )

    def dumps(self) -> str:
        """The problem as TOML. A walk made of Python functions cannot be written: give formulas or tables instead."""
        data: dict[str, Any] = {"title": self.title} if self.title else {}
        data |= walk_data(self.walk)
        data["run"] = {"times": list(self.times), "walkers": self.walkers, "seed": self.seed}
        if self.tolerance != TOLERANCE:
            data["solve"] = {"tolerance": self.tolerance}
        trial = {"walkers": self.validation_walkers, "seed": self.validation_seed}
        if any(value is not None for value in trial.values()):
            data["validate"] = {key: value for key, value in trial.items() if value is not None}
        return dumps(data)


Problem.__init__ = once_positional(*(f.name for f in fields(Problem) if f.kw_only))(Problem.__init__)  # type: ignore[method-assign]


def read_walk(source: Source, times: list[float]) -> LatticeWalk:
    """The walk of a problem file."""
    lengths = ("dx", "dt")
    shared = ("dx", "sites", "dt", "killing", "inexact_times")
    drifted = ("drift", "diffusion", "rule", "convention")
    walk = source.section("walk", (*shared, *drifted, "right", "left"))
    for first, second in (("drift", "right"), ("drift", "left"), ("diffusion", "right"), ("diffusion", "left")):
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
    if ("dx" in walk) == ("sites" in walk):
        source.fail(
            "walk", "sites" if "sites" in walk else None, "[walk] needs dx, or sites on a bounded domain: one of them"
        )
    names = read_parameters(source)
    names_of = ("drift", "diffusion", "killing") if by_drift else ("right", "left", "killing")
    values: dict[str, Any] = {
        key: read_coefficient(source, "walk", key, walk[key], names) for key in names_of if key in walk
    }
    values |= {key: read_number(source, names, walk[key], "walk", key) for key in lengths if key in walk}
    values |= {key: read_count(source, names, walk[key], "walk", key) for key in ("sites",) if key in walk}
    for key, choices in (("rule", Rule), ("convention", Convention)):
        if key in walk:
            values[key] = read_choice(source, walk[key], choices, "walk", key)
    values |= {"domain": read_domain(source), "start": read_start(source)}

    def make() -> LatticeWalk:
        try:
            return LatticeWalk.from_drift(**values, times=times or None) if by_drift else LatticeWalk(**values)
        except ValueError as error:
            raise ValueError(as_keys(str(error))) from None

    made = source.build("walk", None, make, _places(source, walk))
    if "inexact_times" in walk:
        inexact = read_numbers(source, names, walk["inexact_times"], "walk", "inexact_times")
        return source.build("walk", "inexact_times", lambda: made.told(inexact))
    return made


def as_keys(message: str) -> str:
    """An error message about a walk, with the keys of a problem file in place of the arguments of Python.

    >>> as_keys("take dt ≤ 0.1, or from_drift(..., rule=Rule.FITTED), or from_drift(..., times=[...]) without dt")
    'take dt ≤ 0.1, or rule = "fitted", or leave dt out'
    """
    message = re.sub(
        r"(build the walk with )?from_drift\(\.\.\., times=\[\.\.\.\]\)( without dt)?", "leave dt out", message
    )
    message = re.sub(r"from_drift\(\.\.\., (rule=Rule\.\w+)\)", r"\1", message)
    return re.sub(r"rule ?= ?Rule\.(\w+)", lambda match: f'rule = "{match[1].lower()}"', message)


def _places(source: Source, walk: Mapping[str, Any]) -> dict[str, tuple[str, Key]]:
    """The place in the file of each word that an error message about the walk may have."""
    domain, start = source.section("domain", DOMAIN), source.section("start", STARTS)
    places: dict[str, tuple[str, Key]] = {"times": ("run", "times"), "time": ("run", "times")}
    for key, value in walk.items():
        places[key] = ("walk", key)
        if isinstance(value, dict):
            places.setdefault("table", ("walk", key))
    for key in start:
        places |= dict.fromkeys(("start", key.capitalize()), ("start", key))
    for side in ("left", "right"):
        if isinstance(domain.get(side), dict):
            places.setdefault("reactivity", ("domain", side))
            places[f"reactivity at the {side} wall"] = ("domain", side)
    return places


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


def read_coefficient(source: Source, section: str, key: str, value: Any, names: Mapping[str, float]) -> Coefficient:
    """A number, a formula, a table given inline, or a table in a CSV file beside the problem file."""

    def make() -> Coefficient:
        match value:
            case str():
                return formula(value, names, ONE_DIMENSION)
            case {"csv": str(file), "x": str(x), "value": str(column)} if len(value) == 3:
                return Table.from_csv(beside(source, file), x, column)
            case {"x": list(), "values": list()} if len(value) == 2:
                return Table(*(read_numbers(source, names, value[k], section, key, k) for k in ("x", "values")))
            case _ if is_number(value):
                return as_coefficient(_float(key, value))
        raise ValueError(
            f"{key} = {shown(value)}: must be a number, a formula in quotes, {{csv, x, value}} or {{x, values}}"
        )

    return source.build(section, key, make)


def beside(source: Source, file: str) -> Path:
    """The path of a file that a problem names."""
    if source.folder is None:
        raise ValueError(f"csv = {shown(file)}: no file may be named here; give the numbers, {{x = […], values = […]}}")
    return source.folder / file


def read_domain(source: Source) -> Domain:
    """The domain of a problem file; the line if there is none."""
    if "domain" not in source.data:
        return Line()
    names = read_parameters(source)
    table = source.section("domain", DOMAIN)
    low, high = (
        read_number(source, names, table.get(key, end), "domain", key)
        for key, end in (("low", -math.inf), ("high", math.inf))
    )
    if not isinstance(table.get("ring", False), bool):
        source.fail("domain", "ring", f"ring = {shown(table['ring'])}: must be true or false")
    if table.get("ring"):
        for side in ("left", "right"):
            if side in table:
                source.fail("domain", "ring", f"a ring has no walls: leave {side} out")
        return source.build("domain", _named(table, "low", "high", "ring"), lambda: Ring(low, high))
    walls = {side: _read_wall(source, names, side, table.get(side)) for side in ("left", "right")}
    for side, end, place in (("left", "low", low), ("right", "high", high)):
        if walls[side] is not None and math.isinf(place):
            source.fail("domain", side, f"{side} = {shown(table[side])}: needs {end}, the place of the wall")
        if walls[side] is None and math.isfinite(place):
            source.fail("domain", end, f"the {side} end, at x = {place:g}, needs a wall: {side} = {WALL}")
    if math.isinf(low) and math.isinf(high) and low < high:
        return Line()
    return source.build("domain", _named(table, "low", "high"), lambda: Interval(low, high, **walls))


def _named(table: Mapping[str, Any], *keys: str) -> str | None:
    """The first of the keys that a table has."""
    return next((key for key in keys if key in table), None)


def _read_wall(source: Source, names: Mapping[str, float], side: str, value: Any) -> Wall | None:
    match value:
        case None:
            return None
        case "absorbing":
            return Absorbing()
        case "reflecting":
            return Reflecting()
        case {"reactivity": reactivity} if len(value) == 1:
            k = read_number(source, names, reactivity, "domain", side, "reactivity")
            if not 0.0 < k < math.inf:
                told = 'must be positive and finite; 0 is "reflecting", infinity is "absorbing"'
                source.fail("domain", (side, "reactivity"), f"reactivity = {k}: {told}")
            return PartiallyAbsorbing(k)
    meant = did_you_mean(value, ("absorbing", "reflecting")) if isinstance(value, str) else ""
    source.fail("domain", side, f"{side} = {shown(value)}: must be {WALL}{meant}")


def read_start(source: Source) -> Start:
    """The start of a problem file; the point 0 if there is none."""
    kinds: dict[str, tuple[type, tuple[str, ...]]] = {
        "normal": (Normal, ("mean", "sd")), "uniform": (Uniform, ("low", "high")), "sites": (Sites, ("x", "masses")),
    }  # fmt: skip
    table = source.section("start", STARTS)
    if not table:
        return Point(0.0)
    if len(table) > 1:
        source.fail("start", None, f"[start] has {', '.join(table)}: give one")
    names = read_parameters(source)
    ((kind, value),) = table.items()
    if kind == "point":
        x = read_number(source, names, value, "start", kind)
        return source.build("start", kind, lambda: Point(x))
    make, keys = kinds[kind]
    if not isinstance(value, dict) or set(value) != set(keys):
        source.fail("start", kind, f"{kind} = {shown(value)}: must be {{{', '.join(f'{k} = …' for k in keys)}}}")
    read = read_numbers if kind == "sites" else read_number
    given = [read(source, names, value[key], "start", kind, key) for key in keys]
    start: Start = source.build("start", kind, lambda: make(*given))
    return start


def is_number(value: Any) -> bool:
    """Whether a value of a file is a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _float(name: str, value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} = {shown(value)}: is too large") from None
