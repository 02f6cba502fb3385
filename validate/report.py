"""The result of a validation run: one report a case, judged together, printed as a table, written as JSON, JUnit XML, HTML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from randwalk.model.coefficient import Floats
from randwalk.problem import Problem
from randwalk.terminal.output import check_output, write_text
from randwalk.terminal.status import AGAINST, BAD_INPUT

from .compare import FALSE_ALARMS, Check, Comparison
from .convergence import Convergence
from .exhibits import Exhibit
from .power import holm
from .provenance import Provenance
from .told import errors_told, order_told

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.console import RenderableType


@dataclass(frozen=True)
class Budget:
    """The parts of the difference between an ensemble and the equation (root mean squares of distribution functions).

    The sizes of the parts do not add up to the total, because errors may partly cancel.
    """

    total: float
    statistical: float
    step: float
    bin: float

    def __str__(self) -> str:
        return f"{self.total:.1e}, from statistical {self.statistical:.1e}, step {self.step:.1e}, bin {self.bin:.1e}"


@dataclass(frozen=True, eq=False)
class CaseReport:
    """The three rungs of one problem, and the comparison with its measured data if it has some."""

    name: str
    title: str
    catches: str
    sampling: Comparison
    discretisation: Convergence
    solver: Convergence
    data: Comparison | None
    budget: Budget
    runs: tuple[str, ...]
    missing: str  # why there is no closed form
    seconds: float
    compared: tuple[str, str] = (
        "ensemble against exact law",
        "exact law",
    )  # what rung 1 compares, and what rung 2 refines
    problem: Problem | None = None  # with the walkers and the seed of the run
    exhibits: tuple[Exhibit, ...] = ()  # what a report draws

    @property
    def seed(self) -> int | None:
        """The seed of the walkers."""
        return None if self.problem is None else self.problem.seed

    def __repr__(self) -> str:
        orders = f"order {order_told(self.discretisation)} of walk to equation, {order_told(self.solver)} of the solver"
        data = "" if self.data is None else f", data p = {self.data.p_value:.3g}"
        return f"CaseReport({self.name}: sampling p = {self.sampling.p_value:.3g}, {orders}{data})"


@dataclass(frozen=True, eq=False)
class Judged:
    """A check with its p-value adjusted for the other checks of its family."""

    check: Check
    adjusted: float

    def __str__(self) -> str:
        c = self.check
        return (
            f"{c.name}: {c.test} = {c.statistic:.4g} on {c.freedom}, p = {c.p_value:.3g}, adjusted {self.adjusted:.3g}"
        )


@dataclass(frozen=True, eq=False)
class Report:
    """All cases of a run. The sampling checks of all cases are one family, and the checks of measured data another: Holm's
    correction is made in each by itself, so that no number of checks of the software makes it harder for data to fail.

    Attributes
    ----------
    cases : tuple of CaseReport
    alpha : float
        The false-alarm rate of each of the two families.
    failures : dict
        The reasons of cases that could not be run, by name.
    provenance : Provenance
        What made the report: versions, machine, date, duration, and the command that makes it again.

    Examples
    --------
    >>> from randwalk.validate import validate
    >>> report = validate(["lazy_line"], walkers=1000)
    >>> report.to_json().splitlines()[1:3]
    ['  "format": "randwalk validation report",', '  "version": 1,']
    """

    cases: tuple[CaseReport, ...]
    alpha: float = FALSE_ALARMS
    failures: dict[str, str] = field(default_factory=dict)  # reasons of the cases that could not be run
    provenance: Provenance = field(default_factory=Provenance.here)

    @cached_property
    def _adjusted(self) -> tuple[dict[str, Floats], dict[str, Floats]]:
        """The Holm-adjusted p-values of every case: (of its sampling checks, of its data)."""
        return _by_case(self.cases, lambda c: c.sampling), _by_case(self.cases, lambda c: c.data)

    def sampling(self, case: CaseReport) -> tuple[Judged, ...]:
        """The sampling checks of a case, adjusted for those of all cases."""
        return tuple(map(Judged, case.sampling.checks, self._adjusted[0][case.name].tolist()))

    def data(self, case: CaseReport) -> tuple[Judged, ...]:
        """The checks of the measured data of a case, adjusted for those of all cases' data; none without data."""
        return () if case.data is None else tuple(map(Judged, case.data.checks, self._adjusted[1][case.name].tolist()))

    def verdicts(self, case: CaseReport) -> dict[str, str]:
        """ "pass", "fail", or "—" (nothing to judge: no data, or self-convergence only) for each part of a case."""
        return {
            "sampling": "pass" if _least(self.sampling(case)) >= self.alpha else "fail",
            "discretisation": "pass" if case.discretisation.passed else "fail",
            "solver": ("pass" if case.solver.passed else "fail") if case.solver.counted else "—",
            "data": "—" if case.data is None else "pass" if _least(self.data(case)) >= self.alpha else "fail",
        }

    @property
    def passed(self) -> bool:
        """Whether every case ran and no part of any failed."""
        return not self.failures and all("fail" not in self.verdicts(c).values() for c in self.cases)

    @property
    def status(self) -> int:
        """The exit status of ``randwalk validate``: 0 if all passed, 1 if evidence is against a case, 2 if a case did not run."""
        return BAD_INPUT if self.failures else 0 if self.passed else AGAINST

    def table(self) -> RenderableType:
        """The cases that ran, as a table for the terminal; `failures` has the others, a line each."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        # narrow enough for 80 columns
        title = "walk = exact law = equation?"
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column("case", no_wrap=True)
        headings = ("1 walk\nadj. p", "sees\nbias", "2 PDE\norder", "3 solver\norder", "data\np", "data\nadj. p", "s")
        for heading in headings:
            table.add_column(heading, justify="right", no_wrap=True)

        def cell(verdict: str, text: str) -> Text:
            return Text(
                f"{text} ✗" if verdict == "fail" else text,
                style={"fail": "bold red", "pass": "green"}.get(verdict, "dim"),
            )

        for case in self.cases:
            verdict, data = self.verdicts(case), self.data(case)
            raw = min((judged.check.p_value for judged in data), default=1.0)
            table.add_row(
                case.name,
                cell(verdict["sampling"], f"{_least(self.sampling(case)):.2g}"),
                f"{case.sampling.detectable:.0e}",
                cell(verdict["discretisation"], order_told(case.discretisation)),
                cell(verdict["solver"], order_told(case.solver) + ("" if case.solver.counted else " self")),
                "—" if case.data is None else f"{raw:.2g}",
                cell(verdict["data"], "—" if case.data is None else f"{_least(data):.2g}"),
                f"{case.seconds:.1f}",
            )
        return table

    def summary(self) -> str:
        """The verdict in one line."""
        checks = sum(len(c.sampling.checks) for c in self.cases)
        data = sum(len(self.data(c)) for c in self.cases)
        failed = sum("fail" in self.verdicts(c).values() for c in self.cases)
        verdict = (
            "all passed"
            if self.passed
            else f"{failed} of {len(self.cases)} cases FAILED"
            if failed
            else "no case failed"
        )
        if self.failures:
            verdict += f", {len(self.failures)} could not be run"
        return (
            f"{len(self.cases)} case{'s' * (len(self.cases) != 1)}, {checks} sampling checks, "
            + (f"{data} of data, " if data else "")
            + f"family-wise false-alarm rate {self.alpha:g}: {verdict}"
        )

    def details(self, case: CaseReport) -> str:
        """All results of one case in words."""
        verdict = self.verdicts(case)
        lines = [
            f"{case.name}: {case.title}",
            *([f"  catches: {case.catches}"] if case.catches else []),
            f"  1 sampling         {verdict['sampling']}  ({case.compared[0]}; {', '.join(case.runs)})",
            *(f"      {judged}" for judged in self.sampling(case)),
            f"  2 discretisation   {verdict['discretisation']}  ({case.compared[1]} against {case.discretisation.against})",
            f"      {errors_told(case.discretisation)}; rule: {case.discretisation.rule}",
            f"  3 solver           {verdict['solver']}  (finite differences against {case.solver.against})",
            f"      {errors_told(case.solver)}" + (f"; rule: {case.solver.rule}" if case.solver.counted else ""),
            *([f"      no closed form: {case.missing}"] if case.missing else []),
            f"  ensemble − equation: {case.budget}",
        ]
        if case.data is not None:
            lines.append(f"  data               {verdict['data']}")
            lines += [f"      {judged}" for judged in self.data(case)]
        return "\n".join(lines)

    def to_json(self, path: str | Path | None = None) -> str:
        """The whole report as JSON, numbers unrounded, what is no number null; written to `path`, too, if one is given.

        The format has a version and a schema, ``randwalk/validate/report.schema.json``; fields may be added within a version.
        """
        from .report_json import to_json

        return _written(to_json(self), path)

    def to_junit(self, path: str | Path | None = None) -> str:
        """The report as JUnit XML, which systems of continuous integration read: a suite for each case, a test for each rung."""
        from .report_junit import to_junit

        return _written(to_junit(self), path)

    def to_html(self, path: str | Path | None = None) -> str:
        """The report as one HTML file that needs no other: problems, equations, figures, verdicts, and what made it."""
        from .report_html import to_html

        return _written(to_html(self), path)

    def _repr_html_(self) -> str:
        from .report_html import summary

        return summary(self)

    def plot(self, ax: Axes | None = None) -> Axes:
        """The errors of rung 2 under refinement, one line for each case."""
        from randwalk.laws.plotting import axes

        ax = axes(ax)
        for case in self.cases:
            ax.loglog(case.discretisation.widths, case.discretisation.errors, "o-", ms=3, lw=0.8, label=case.name)
        ax.set(xlabel=r"spacing $\Delta x$", ylabel="error of the exact law against the equation")
        return ax

    def __repr__(self) -> str:
        return self.summary()


def _by_case(cases: tuple[CaseReport, ...], part: Callable[[CaseReport], Comparison | None]) -> dict[str, Floats]:
    """The adjusted p-values of the checks of one part of all cases, which are a family, by case."""
    checks = {case.name: () if (found := part(case)) is None else found.checks for case in cases}
    adjusted = iter(holm([check.p_value for mine in checks.values() for check in mine]))
    return {name: np.array([next(adjusted) for _ in mine]) for name, mine in checks.items()}


def _least(judged: tuple[Judged, ...]) -> float:
    return min((one.adjusted for one in judged), default=1.0)


def _written(text: str, path: str | Path | None) -> str:
    """The text, after it was written to `path` if there is one."""
    if path is not None:
        write_text(check_output("path", path), text)
    return text
