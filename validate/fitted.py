"""The fit of a problem file to its measured data: what `randwalk fit` does, prints and writes."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from randwalk.likelihood.fit import Fit, fit
from randwalk.likelihood.read_fit import read_fit
from randwalk.problem import Problem

from .compare import Comparison, compare
from .read_measured import read_measured

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, eq=False)
class FittedProblem:
    """A fit, profile intervals of its free parameters, and the test of the data against it, None if they make too few classes."""

    problem: Problem
    fit: Fit
    level: float
    intervals: Mapping[str, tuple[float, float]]
    comparison: Comparison | None
    untested: str  # why there is no test

    @property
    def verdict(self) -> str:
        """What the test says, in a line."""
        if self.comparison is None:
            return f"not tested: {self.untested}"
        told = (
            f"{c.name}: chi² = {c.statistic:.4g} on {c.freedom}, p = {c.p_value:.3g}" for c in self.comparison.checks
        )
        return "; ".join(told)

    def table(self, file: str) -> RenderableType:
        """Estimates, errors and intervals for the terminal."""
        from rich.table import Table
        from rich.text import Text

        title = f"{self.problem.title or file}: {self.fit.observations:,} observations, log L = {self.fit.log_likelihood:.6g}"
        table = Table(title=Text(title), title_justify="left")
        for heading in ("parameter", "estimate", "error", f"{self.level:.4g} interval"):
            table.add_column(heading, justify="right", no_wrap=True)
        for name, estimate in self.fit.estimates.items():
            low, high = self.intervals[name]
            table.add_row(name, f"{float(estimate):.6g}", f"{float(estimate.error):.2g}", f"{low:.6g} … {high:.6g}")
        for name, value in self.fit.fixed.items():
            table.add_row(name, f"{value:.6g}", "", "fixed")
        return table

    def to_json(self) -> str:
        """The same numbers, unrounded; null where there is none."""
        found = self.fit
        parameters = {
            name: {
                "estimate": _plain(float(estimate)), "error": _plain(float(estimate.error)),
                "interval": [_plain(end) for end in self.intervals[name]],
            }
            for name, estimate in found.estimates.items()
        }  # fmt: skip
        checks = () if self.comparison is None else self.comparison.checks
        return json.dumps(
            {
                "title": self.problem.title, "observations": found.observations, "log_likelihood": found.log_likelihood,
                "aic": found.aic, "level": self.level, "parameters": parameters, "fixed": dict(found.fixed),
                "covariance": [[_plain(v) for v in row] for row in found.covariance.tolist()],
                "notes": list(found.notes), "evaluations": found.evaluations,
                "checks": [
                    {"name": c.name, "statistic": c.statistic, "freedom": c.freedom, "p_value": c.p_value} for c in checks
                ],
            },
            indent=2, ensure_ascii=False,
        ) + "\n"  # fmt: skip


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def fit_problem(problem: Problem, *, level: float = 0.95) -> FittedProblem:
    """Fit the parameters that the table [fit] of a problem frees to the data of its table [measured].

    Raises
    ------
    ValueError
        for a problem without [measured] data or without [parameters], and as :func:`randwalk.fit`.
    """
    data: Any = read_measured(problem)
    if data is None:
        place = f"{problem.source.name}: " if problem.source is not None else ""
        raise ValueError(f"{place}a fit needs measured data: add the table [measured] with kind, csv and its columns")
    task = read_fit(problem)
    with warnings.catch_warnings():  # the notes of the fit are printed
        warnings.simplefilter("ignore", UserWarning)
        found = fit(data, problem, task.free, bounds=task.bounds)
    intervals = {name: found.interval(name, level=level) for name in found.names}
    try:
        comparison, reason = compare(data, found), ""
    except ValueError as error:
        comparison, reason = None, str(error)
    return FittedProblem(problem, found, level, intervals, comparison, reason)
