"""What the table [fit] of a problem file asks for.

```toml
[fit]
free = ["v", "a"]                # names of [parameters], whose values there begin the search; all if left out
bounds = {a = [0.0, inf]}        # pairs of numbers
```
"""

from __future__ import annotations

from dataclasses import dataclass

from randwalk.inputs.wording import shown
from randwalk.problem import Problem, Source, read_number

KNOWN = ("free", "bounds")


@dataclass(frozen=True)
class Task:
    """The names of the free parameters, None for all, and the bounds of some."""

    free: tuple[str, ...] | None
    bounds: dict[str, tuple[float, float]]


def read_fit(problem: Problem) -> Task:
    """The table [fit] of a problem. Errors name file, line and key."""
    source = problem.source or Source.parse("")
    table, names = source.section("fit", KNOWN), problem.parameters
    free = table.get("free")
    if free is not None and not (isinstance(free, list) and free and all(isinstance(name, str) for name in free)):
        source.fail("fit", "free", f'free = {shown(free)}: must be a list of names of [parameters], as ["v", "D"]')
    for name in free or ():
        if name not in names:
            source.fail("fit", "free", f"free has {name!r}: the parameters are {', '.join(names) or 'none'}")
    bounds = table.get("bounds", {})
    if not isinstance(bounds, dict):
        source.fail("fit", "bounds", f"bounds = {shown(bounds)}: must be a table of pairs, as {{D = [0.0, inf]}}")
    pairs = {}
    for name, pair in bounds.items():
        if name not in (free or names):
            source.fail("fit", ("bounds", name), f"bounds has {name!r}: it is no free parameter")
        if not isinstance(pair, list) or len(pair) != 2:
            source.fail("fit", ("bounds", name), f"{name} = {shown(pair)}: must be a pair [low, high]")
        low, high = (read_number(source, names, end, "fit", "bounds", name) for end in pair)
        if not low <= names[name] <= high or not low < high:
            source.fail(
                "fit", ("bounds", name),
                f"{name} = [{low:g}, {high:g}]: must be low < high with the value in [parameters], {names[name]:g}, between",
            )  # fmt: skip
        pairs[name] = (low, high)
    return Task(None if free is None else tuple(free), pairs)
