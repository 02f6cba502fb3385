"""Values at points, as a check of a case: the [value] table of a problem file.

```toml
[value]
x = [0.5, 0.0]                   # a point, inside
time = 1.0                       # or inf: the problem without time
payoff = "exp(-x**2)"            # each 0 if left out
source = 1.0
boundary = "x"                   # on all walls
exact = "1/sqrt(cosh(1))"        # a number, or a formula of the parameters
tolerance = 1e-3
```
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from randwalk.inputs.wording import shown
from randwalk.model.coefficient import Coefficient
from randwalk.pde import limit
from randwalk.pde.values.expectation import expectation
from randwalk.problem import Problem, Source, read_number, read_parameters
from randwalk.problem_values import is_number, read_coefficient

from .compare import Check
from .levels import DETECTED

KNOWN = ("x", "time", "payoff", "source", "boundary", "exact", "tolerance")
TOLERANCE = 2e-3


def value_checks(problem: Problem, seed: int, threads: int | None) -> tuple[Check, ...]:
    """The difference between a value by walks and the exact one, in its stated errors; nothing without a [value] table."""
    source = problem.source
    if source is None or "value" not in source.data:
        return ()
    table = source.section("value", KNOWN, needed=("x", "time", "exact"))
    names, dimension = read_parameters(source), problem.walk.dimension

    def term(key: str) -> Coefficient:
        return read_coefficient(source, "value", key, table.get(key, 0.0), names, dimension)

    exact = read_number(source, names, table["exact"], "value", "exact")
    found: Any = source.build(
        "value",
        None,
        lambda: expectation(
            limit(problem.walk), term("payoff"), _point(source, table["x"], dimension),
            read_number(source, names, table["time"], "value", "time"), source=term("source"), boundary=term("boundary"),
            tolerance=read_number(source, names, table.get("tolerance", TOLERANCE), "value", "tolerance"), seed=seed,
            threads=threads,
        ),
    )  # fmt: skip
    z = float(np.asarray(found.z(exact)))
    at = ", ".join(f"{v:g}" for v in np.atleast_1d(table["x"])) if dimension <= 3 else f"a point of {dimension}-space"
    p = 2.0 * float(stats.norm.sf(abs(z)))
    return (Check(f"value at {at} by {found.method}", "z", z, 1, p, DETECTED * float(found.error)),)


def _point(source: Source, value: Any, dimension: int) -> Any:
    given = value if isinstance(value, list) else [value]
    if len(given) != dimension or not all(map(is_number, given)):
        source.fail("value", "x", f"x = {shown(value)}: must be {dimension} number{'s' * (dimension > 1)}")
    point = tuple(map(float, given))
    return point if dimension > 1 else point[0]
