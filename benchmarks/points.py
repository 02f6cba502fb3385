"""``python -m benchmarks.points [--repeats 5] [--json benchmarks/results/points.json]``: values at a point in 1 to 10 dimensions.

Seconds of the processor to an error of 1e-3 of the value's size, compilation apart: the median over seeds by walks, and by the
solver where it has the dimension (its fastest tolerance that meets the error at the point). Two problems with closed forms:

- in time: E[exp(-|X|²/2) exp(-½ ∫|X|²)] of Brownian motion from x₁ = ½, t = 1 (Mehler's kernel), by Itô walks and `backward`;
- without time: the mean exit time of a ball of radius 1 from r = ½, D = ½, by walks on spheres and `mean_exit_time`.

The true errors of the walks are printed in units of the stated ones: the root of their mean square is 1 or less. docs/methods.md
has the table of the file that is kept.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numba
import numpy as np
from rich.console import Console
from rich.table import Table

import randwalk as rw

from .machine import about

DIMENSIONS = (1, 2, 3, 6, 10)
SOLVED = 3  # dimensions at most that the solver has
ERROR = 1e-3
TOLERANCES = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
A = rw.Absorbing()


@dataclass(frozen=True)
class Problem:
    """A value by walks to a tolerance from a seed, by the solver to a tolerance, and exactly."""

    name: str
    dimension: int
    exact: float
    walk: Callable[[float, int], rw.Estimate]
    solve: Callable[[float], float] | None


def mehler(d: int) -> Problem:
    killing = rw.expression(" + ".join(f"0.5*{name}**2" for name in names(d)))
    payoff = rw.expression(f"exp(-0.5*({' + '.join(f'{name}**2' for name in names(d))}))")
    equation = rw.pde.FokkerPlanck(0.0, 0.5, domain=rw.Line() ** d, killing=killing, start=start(d))
    c, t = 1.0 / math.tanh(1.0) + 1.0, 1.0
    exact = math.exp(-0.125 / math.tanh(t) + 0.125 / math.sinh(t) ** 2 / c) * (math.sinh(t) * c) ** (-0.5 * d)

    def solved(tolerance: float) -> float:
        over = (-0.5, 0.75) if d == 1 else [(-0.5, 0.75)] * d
        return value(rw.pde.backward(equation, payoff, t, tolerance=tolerance, over=over), d)

    def walked(tolerance: float, seed: int) -> rw.Estimate:
        return rw.pde.expectation(equation, payoff, start(d), t, tolerance=tolerance, seed=seed)

    return Problem("in time", d, exact, walked, solved if d <= SOLVED else None)


def ball(d: int) -> Problem:
    domain: Any = rw.Interval(-1.0, 1.0, A, A) if d == 1 else (rw.Line() ** d).inside(rw.Ball((0.0,) * d, 1.0), A)
    equation = rw.pde.FokkerPlanck(0.0, 0.5, domain=domain, start=start(d))

    def solved(tolerance: float) -> float:
        return value(rw.pde.mean_exit_time(equation, tolerance=tolerance), d)

    def walked(tolerance: float, seed: int) -> rw.Estimate:
        return rw.pde.expectation(equation, 0.0, start(d), math.inf, source=1.0, tolerance=tolerance, seed=seed)

    return Problem("without", d, 0.75 / d, walked, solved if d <= SOLVED else None)


def names(d: int) -> list[str]:
    return [*"xyz", *(f"x[{i}]" for i in range(3, d))][:d]


def start(d: int) -> Any:
    return (0.5, *[0.0] * (d - 1)) if d > 1 else 0.5


def value(solution: Any, d: int) -> float:
    return float(np.asarray(solution.value(start(d))))


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.process_time()
    found = work()
    return time.process_time() - begun, found


def row(problem: Problem, repeats: int) -> dict[str, Any]:
    """The medians and the errors of one problem."""
    tolerance = ERROR * problem.exact
    problem.walk(8.0 * tolerance, 0)  # compiled
    runs = [timed(partial(problem.walk, tolerance, seed)) for seed in range(1, repeats + 1)]
    z = [float(np.asarray(found.z(problem.exact))) for _, found in runs]
    made = {
        "problem": problem.name, "dimension": problem.dimension, "walk": median(seconds for seconds, _ in runs),
        "errors": math.sqrt(sum(v * v for v in z) / repeats), "solver": None, "of the solver": None,
    }  # fmt: skip
    for wanted in TOLERANCES if problem.solve else ():
        assert problem.solve is not None
        solve = partial(problem.solve, wanted)
        seconds, found = timed(solve)
        if abs(found / problem.exact - 1.0) <= ERROR:
            seconds = median([seconds, timed(solve)[0], timed(solve)[0]])
            return made | {"solver": seconds, "of the solver": abs(found / problem.exact - 1.0)}
    return made


def table(rows: list[dict[str, Any]]) -> Table:
    made = Table(title=f"seconds to an error of {ERROR:g} of a value at a point")
    for column in ("problem", "dimensions", "walks", "true/stated errors", "solver", "its error"):
        made.add_column(column, justify="left" if column == "problem" else "right")
    for found in rows:
        solver = ["–", "–"] if found["solver"] is None else [f"{found['solver']:.3g}", f"{found['of the solver']:.1g}"]
        made.add_row(
            found["problem"], str(found["dimension"]), f"{found['walk']:.3g}", f"{found['errors']:.2g}", *solver
        )
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--dimensions", type=int, nargs="+", default=list(DIMENSIONS))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = [row(made(d), given.repeats) for made in (mehler, ball) for d in given.dimensions]
    Console(width=120).print(table(rows))
    if given.json:
        chosen = " ".join(map(str, given.dimensions))
        command = f"python -m benchmarks.points --repeats {given.repeats} --dimensions {chosen}"
        kept = about(command, numba.get_num_threads())
        given.json.write_text(
            json.dumps(kept | {"seeds": given.repeats, "rows": rows}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
