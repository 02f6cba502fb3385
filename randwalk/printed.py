"""What commands print and write: tables of laws for the terminal, and their numbers as text. Slow imports stand inside the
functions, so that --help is fast."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .terminal.streams import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from .ensemble import Ensemble
    from .laws.estimate import Estimate
    from .laws.law import Law
    from .problem import Problem


def ensemble_table(problem: Problem, ensemble: Ensemble, file: str) -> RenderableType:
    """The estimates of an ensemble as a table for the terminal."""
    from rich.table import Table
    from rich.text import Text

    title = f"{problem.title or file}: {ensemble.walkers:,} walkers by {ensemble.method}"
    table = Table(title=Text(title), title_justify="left")
    moments = {t: _moments(ensemble, t, "mean of survivors", "variance") for t in ensemble.times.tolist()}
    for heading in ("time", "alive", *next(iter(moments.values())), *ensemble.exits):
        table.add_column(heading, justify="right", no_wrap=True)
    for t, told in moments.items():
        gone = (ensemble.absorbed(exit, t) for exit in ensemble.exits)
        cells = (f"{t:g}", *map(str, (ensemble.survival(t), *told.values(), *gone)))
        table.add_row(*(printable(cell, sys.stdout) for cell in cells))
    return table


def _moments(law: Law[Any], t: float, mean: str, variance: str) -> dict[str, Any]:
    """The mean and the variance of a law under these names, in several dimensions those of each coordinate."""
    from .model.coefficient.variables import coordinate

    if law.dimension == 1:
        return {mean: law.mean(t), variance: law.variance(t)}
    means, covariance, axes = law.mean(t), law.variance(t), range(law.dimension)
    told = {f"{mean}, {coordinate(axis)}": means[axis] for axis in axes}
    return told | {f"{variance}, {coordinate(axis)}": covariance[axis, axis] for axis in axes}


def spreads(law: Law[Any], t: float) -> dict[str, float]:
    """The mean and the standard deviation of a law, in several dimensions those of each coordinate."""
    told = _moments(law, t, "mean", "sd")
    return {name: math.sqrt(value) if name.startswith("sd") else value for name, value in told.items()}


def densities(solution: Any, times: list[float]) -> str:
    """The density at the centres of the cells, a line for each, as comma-separated values."""
    import numpy as np

    from .model.coefficient.variables import coordinate

    axes = (solution.x,) if solution.dimension == 1 else solution.x
    point = np.meshgrid(*axes, indexing="ij")
    here = point[0] if len(point) == 1 else tuple(point)
    columns = [*point, *(solution.pdf(here, t) for t in times)]
    header = [*map(coordinate, range(len(point))), *(f"rho_t={t:g}" for t in times)]
    rows = zip(*(column.ravel().tolist() for column in columns), strict=True)
    return "\n".join([",".join(header), *(",".join(map(repr, row)) for row in rows)]) + "\n"


def estimates(problem: Problem, ensemble: Ensemble) -> str:
    """The same estimates as JSON, unrounded; null where there is no number."""

    def pair(estimate: Estimate) -> Any:
        if estimate.shape:
            return [pair(estimate[i]) for i in range(estimate.shape[0])]
        numbers = {"value": float(estimate.value), "error": float(estimate.error)}
        return {name: number if math.isfinite(number) else None for name, number in numbers.items()}

    rows = [
        {
            "time": float(t), "alive": pair(ensemble.survival(t)), "mean": pair(ensemble.mean(t)),
            "variance": pair(ensemble.variance(t)),
            "passed": {exit: pair(ensemble.absorbed(exit, t)) for exit in ensemble.exits},
        }
        for t in ensemble.times
    ]  # fmt: skip
    about = {"title": problem.title, "walkers": ensemble.walkers, "method": ensemble.method, "seed": ensemble.seed}
    return json.dumps(about | {"times": rows}, indent=2) + "\n"


def number(column: Callable[[float], float], t: float) -> str:
    value = column(t)
    return f"{value:.6g}" if math.isfinite(value) else "—"


def print_table(table: RenderableType) -> None:
    """Print a table at its full width, one row a line, whatever the width of the terminal."""
    from rich.console import Console

    console = Console(highlight=False)
    unbounded = console.options.update(max_width=1_000_000)
    console.width = max(console.width, console.measure(table, options=unbounded).maximum)
    with console.capture() as printed:
        console.print(table, crop=False)
    for line in printed.get().splitlines():
        print(line.rstrip())


def print_written(*paths: str | None) -> None:
    for path in paths:
        if path is not None:
            print(f"written to {path}")
