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
tolerance = 1e-5            # of `randwalk solve`; in several dimensions 1e-4 if left out, 2e-3 where nothing is extrapolated

[fit]                       # of [measured] data, by `randwalk fit` (:mod:`randwalk.likelihood.read_fit`)
free = ["v"]                # names of [parameters]; all if left out
bounds = {v = [0.0, 10.0]}

[validate]                  # in place of those of [run], for `randwalk validate`
walkers = 100_000
seed = 2
order = 1                   # of convergence that theory expects: 2 if left out, 1 where regions take whole sites
```

Wherever a number stands, a formula of the parameters may stand in quotes: ``point = "L/2"``.

An Itô walk has a dt, and neither dx nor sites (:mod:`randwalk.problem_ito`). In several dimensions:

```toml
[walk]
drift = ["-y", "x"]         # one an axis, as in dx = [0.1, 0.2] and sites = [40, 20]; diffusion is a number, one an axis, or rows
diffusion = [[1.0, 0.2], [0.2, 0.5]]
dx = 0.1                    # neighbourhood = "moore" or "von_neumann" may be given
                            # ... or right, left, up, down (front, back), or steps = [{to = [1, 1], p = 0.25}, ...]
[domain]
x = {low = 0.0, high = 4.0, left = "reflecting", right = "absorbing"}
y = {ring = [0.0, 6.0]}     # {} is a line; walls of y are bottom and top, of z back and front

[[domain.region]]           # inside = true keeps the inside
name = "trap"
ball = {centre = [2.0, 3.0], radius = 0.8}  # or half_space = {normal, offset}, level = "formula", image = "file.png", mask
wall = "absorbing"

[start]
point = [1.0, 3.0]          # or normal, uniform of lists, atoms = {points, masses}, product = [{...}, {...}], everywhere = true
```
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from .inputs.keywords import once_positional
from .inputs.source import Key, ProblemError, Source
from .inputs.wording import did_you_mean, shown
from .model.coefficient import Coefficient, coordinate
from .model.convention import Convention
from .model.ito import ItoWalk
from .model.neighbourhood import Moore, VonNeumann
from .model.steps import NAMES
from .model.walk import LatticeWalk, Rule
from .problem_ito import OWN, check_ito_table, is_ito, ito_values, make_ito, read_bins
from .problem_space import DOMAIN, STARTS, axes_of, read_domain, read_start
from .problem_values import (
    beside,
    is_number,
    read_choice,
    read_coefficient,
    read_count,
    read_nested,
    read_number,
    read_numbers,
    read_parameters,
    read_sizes,
    read_text,
)  # fmt: skip
from .run.bins import given_bins
from .writing import dumps, walk_data

__all__ = [
    "Problem", "ProblemError", "Source", "beside", "dumps", "read_number", "read_parameters", "read_text", "read_walk",
    "walk_data",
]  # fmt: skip

WALKERS, SEED, ORDER = 1_000_000, 1, 2.0
# Of `randwalk solve` in one dimension, beyond, and where nothing is extrapolated: with regions, or a tensor between walls.
TOLERANCE, BEYOND, SECOND_ORDER = 1e-5, 1e-4, 2e-3
TABLES = (
    "title", "catches", "parameters", "walk", "domain", "start", "run", "solve", "validate", "measured", "fit", "value",
)  # fmt: skip
STEPS = tuple(name for pair in NAMES for name in pair)  # the steps that have a name


class Near(StrEnum):
    """The neighbourhoods by their names in a file."""

    MOORE = "moore"
    VON_NEUMANN = "von_neumann"

    @property
    def neighbourhood(self) -> Moore | VonNeumann:
        return Moore() if self is Near.MOORE else VonNeumann()


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

    walk: Any  # a LatticeWalk or an ItoWalk
    times: tuple[float, ...]
    _: KW_ONLY
    walkers: int = WALKERS
    seed: int = SEED
    title: str = ""
    tolerance: float | None = None
    validation_walkers: int | None = None
    validation_seed: int | None = None
    validation_order: float = ORDER
    bins: Any = None
    source: Source | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.tolerance is None:
            object.__setattr__(self, "tolerance", usual_tolerance(self.walk))

    @classmethod
    def load(cls, path: str | Path) -> Problem:
        """Read a problem file. Errors name file, line, key and remedy (:class:`ProblemError`)."""
        return cls.of(Source.read(path))

    @classmethod
    def loads(cls, text: str) -> Problem:
        """The problem of a text, as in a file; it may name no other file.

        >>> heat = Problem.loads('''
        ... [parameters]
        ... D = 0.5
        ... [walk]
        ... drift = 0.0
        ... diffusion = "D"
        ... dx = 0.1
        ... [run]
        ... times = [1.0]''')
        >>> heat.parameters, heat.with_parameters(D=0.25).walk.diffusion
        ({'D': 0.5}, Constant(value=0.25))
        """
        return cls.of(Source.parse(text, folder=None))

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
        run = source.section("run", ("times", "walkers", "seed", "bins"), needed=("times",))
        solve = source.section("solve", ("tolerance",))
        trial = source.section("validate", ("walkers", "seed", "order"))
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
        given = solve.get("tolerance")
        tolerance = None if given is None else read_number(source, names, given, "solve", "tolerance")
        if tolerance is not None and not 0.0 < tolerance < 1.0:
            source.fail("solve", "tolerance", f"tolerance = {tolerance:g}: must lie between 0 and 1")
        order = read_number(source, names, trial.get("order", ORDER), "validate", "order")
        if not 0.0 < order <= 4.0:
            source.fail("validate", "order", f"order = {order:g}: must be positive and at most 4")
        walk = read_walk(source, times)
        if "bins" in run and not isinstance(walk, ItoWalk):
            source.fail("run", "bins", "bins: walkers on a lattice are counted on its sites; leave it out")
        bins = read_bins(source, names, run["bins"]) if "bins" in run else None
        if bins is not None:
            source.build("run", "bins", lambda: given_bins(walk, bins))
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
            validation_order=order,
            bins=bins,
            source=source,
        )

    @property
    def parameters(self) -> dict[str, float]:
        """The named numbers of its table [parameters]; none if the problem was not read from a text."""
        return {} if self.source is None else read_parameters(self.source)

    def with_parameters(self, **values: float) -> Problem:
        """The problem with other values of some of its parameters."""
        known = self.parameters
        for name in values:
            if name not in known:
                names = ", ".join(known) or "none"
                raise ValueError(f"there is no parameter {name!r}; known are {names}{did_you_mean(name, known)}")
        assert self.source is not None or not values
        if not values or self.source is None:
            return self
        data = {**self.source.data, "parameters": {**known, **values}}
        return Problem.of(replace(self.source, data=data))

    def dumps(self) -> str:
        """The problem as TOML. A walk made of Python functions cannot be written: give formulas or tables instead."""
        data: dict[str, Any] = {"title": self.title} if self.title else {}
        data |= walk_data(self.walk)
        data["run"] = {"times": list(self.times), "walkers": self.walkers, "seed": self.seed}
        if self.bins is not None:
            data["run"]["bins"] = _listed(self.bins)
        if self.tolerance != usual_tolerance(self.walk):
            data["solve"] = {"tolerance": self.tolerance}
        trial: dict[str, Any] = {"walkers": self.validation_walkers, "seed": self.validation_seed}
        trial["order"] = None if self.validation_order == ORDER else self.validation_order
        if any(value is not None for value in trial.values()):
            data["validate"] = {key: value for key, value in trial.items() if value is not None}
        return dumps(data)


Problem.__init__ = once_positional(*(f.name for f in fields(Problem) if f.kw_only))(Problem.__init__)  # type: ignore[method-assign]


def _listed(value: Any) -> Any:
    """Bins as lists of plain numbers."""
    return (
        value.tolist()
        if isinstance(value, np.ndarray)
        else list(map(_listed, value))
        if isinstance(value, tuple | list)
        else value
    )


def usual_tolerance(walk: LatticeWalk | ItoWalk) -> float:
    """The tolerance of `randwalk solve` where the file names none."""
    domain = walk.domain
    if domain.dimension == 1:
        return TOLERANCE
    return SECOND_ORDER if domain.regions or (domain.faces and not walk.diffusion.diagonal) else BEYOND


def read_walk(source: Source, times: list[float]) -> Any:
    """The walk of a problem file, a LatticeWalk or an ItoWalk."""
    walk = _walk_table(source)
    by_drift = "drift" in walk or "diffusion" in walk
    names, domain = read_parameters(source), read_domain(source)
    dimension = domain.dimension if domain is not None else _dimension(walk)
    if dimension == 1 and (declared := _dimension({key: walk[key] for key in walk if key != "noise"})) > 1:
        missing = ", ".join(f"{coordinate(i)} = {{}}" for i in range(1, declared))
        source.fail(
            "domain", None, f"[domain] has one axis, and [walk] steps along {declared}: give each one, x = {{...}} and, if they "
            f"are whole lines, {missing}"
        )  # fmt: skip
    for name in map(coordinate, range(1, dimension)):
        if name in names:
            source.fail("parameters", name, f"the parameter name {name!r} is taken: it is a coordinate")
    if is_ito(walk):
        arguments = ito_values(source, walk, names, dimension)
        return make_ito(source, arguments, domain, read_start(source, dimension), _places(source, walk))
    values: dict[str, Any] = {
        key: read_nested(source, "walk", key, walk[key], names, dimension)
        for key in ("drift", "diffusion")
        if key in walk
    }
    values |= {
        key: read_coefficient(source, "walk", key, walk[key], names, dimension)
        for key in (*STEPS, "killing")
        if key in walk
    }
    if "steps" in walk:
        values["steps"] = _read_steps(source, walk["steps"], names, dimension)
    if "dx" in walk:
        values["dx"] = read_sizes(source, names, walk["dx"], dimension, "walk", "dx")
    if "dt" in walk:
        values["dt"] = read_number(source, names, walk["dt"], "walk", "dt")
    if "sites" in walk:
        several = dimension > 1 and isinstance(walk["sites"], list)
        counts = [
            read_count(source, names, n, "walk", "sites") for n in (walk["sites"] if several else [walk["sites"]])
        ]
        values["sites"] = counts if several else counts[0]
    for key, choices in (("rule", Rule), ("convention", Convention)):
        if key in walk:
            values[key] = read_choice(source, walk[key], choices, "walk", key)
    if "neighbourhood" in walk:
        values["neighbourhood"] = read_choice(
            source, walk["neighbourhood"], Near, "walk", "neighbourhood"
        ).neighbourhood
    values |= {"domain": domain} | ({} if (start := read_start(source, dimension)) is None else {"start": start})

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


def _walk_table(source: Source) -> dict[str, Any]:
    """The table [walk], refused unless its keys go together."""
    shared, drifted = ("dx", "sites", "dt", "killing", "inexact_times"), ("drift", "diffusion")
    how, given = ("rule", "convention", "neighbourhood"), (*STEPS, "steps")
    known = (*shared, *drifted, *how, *given, *OWN)
    walk = source.section("walk", known)
    if is_ito(walk):
        check_ito_table(source, walk)
        return walk
    for first in drifted:
        for second in given:
            if first in walk and second in walk:
                source.fail(
                    "walk", second, f"[walk] has both {first} and {second}: give drift and diffusion, or right and left"
                )
    by_drift = "drift" in walk or "diffusion" in walk
    needed = drifted if by_drift else ("steps", "dt") if "steps" in walk else ("right", "left", "dt")
    source.section("walk", known, needed=needed)
    for key in how if not by_drift else ():
        if key in walk:
            source.fail("walk", key, f"{key} goes with drift and diffusion, not with right and left")
    if ("dx" in walk) == ("sites" in walk):
        source.fail(
            "walk", "sites" if "sites" in walk else None, "[walk] needs dx, or sites on a bounded domain: one of them"
        )
    return walk


def _dimension(walk: Mapping[str, Any]) -> int:
    """The number of dimensions of a walk on the whole space."""
    for key in ("drift", "diffusion", "noise"):
        if isinstance(walk.get(key), list):
            return max(1, len(walk[key]))
    match walk.get("drift"):
        case {"matrix": list(rows)}:
            return max(1, len(rows))
    match walk.get("steps"):
        case [{"to": list(first)}, *_]:
            return max(1, len(first))
    return max((i + 1 for i, pair in enumerate(NAMES) for name in pair if name in walk), default=1)


def _read_steps(
    source: Source, value: Any, names: Mapping[str, float], dimension: int
) -> dict[tuple[int, ...], Coefficient]:
    """Steps by displacement, from a list of tables ``{to = [1, 1], p = 0.25}``."""
    if not isinstance(value, list) or not value:
        source.fail("walk", "steps", f"steps = {shown(value)}: must be a list of tables {{to = [1, 1], p = 0.25}}")
    steps: dict[tuple[int, ...], Coefficient] = {}
    for step in value:
        match step:
            case {"to": list(to), "p": p} if len(step) == 2 and all(map(is_number, to)) and tuple(to) not in steps:
                steps[tuple(to)] = read_coefficient(source, "walk", "steps", p, names, dimension)
            case _:
                source.fail(
                    "walk",
                    "steps",
                    f"{shown(step)} in steps: must be a table {{to = [1, 1], p = 0.25}}, each place once",
                )
    return steps


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
    domain = source.data.get("domain", {})
    start = source.section("start", STARTS)
    places: dict[str, tuple[str, Key]] = {"times": ("run", "times"), "time": ("run", "times")}
    for key, value in walk.items():
        places[key] = ("walk", key)
        if isinstance(value, dict):
            places.setdefault("table", ("walk", key))
    for key in start:
        places |= dict.fromkeys(("start", key.capitalize()), ("start", key))
    axes = axes_of(domain)
    walls = [((axis, side), wall) for axis in axes for side, wall in domain[axis].items()] if axes else [
        ((side,), domain.get(side)) for side in DOMAIN
    ]  # fmt: skip
    for keys, wall in walls:
        if isinstance(wall, dict):
            places.setdefault("reactivity", ("domain", keys))
            places[f"reactivity at the {keys[-1]} wall"] = ("domain", keys)
    return places
