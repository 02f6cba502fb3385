"""The result of a validation run: one report a case, judged together, printed as a table, written as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from randwalk.terminal.status import AGAINST, BAD_INPUT

from .compare import FALSE_ALARMS, Comparison
from .convergence import Convergence
from .power import holm

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

    def __repr__(self) -> str:
        orders = f"order {_order(self.discretisation)} of walk to equation, {_order(self.solver)} of the solver"
        data = "" if self.data is None else f", data p = {self.data.p_value:.3g}"
        return f"CaseReport({self.name}: sampling p = {self.sampling.p_value:.3g}, {orders}{data})"


@dataclass(frozen=True, eq=False)
class Report:
    """All cases of a run. Sampling checks and data are one family: Holm's correction over all of them."""

    cases: tuple[CaseReport, ...]
    alpha: float = FALSE_ALARMS
    failures: dict[str, str] = field(default_factory=dict)  # reasons of the cases that could not be run

    @cached_property
    def _adjusted(self) -> dict[str, tuple[float, float]]:
        """The smallest Holm-adjusted p-values of every case: (of its sampling checks, of its data)."""
        owners = [(c.name, part, k) for c in self.cases for part, group in _groups(c) for k in group.checks]
        adjusted = holm([check.p_value for _, _, check in owners])
        worst: dict[str, tuple[float, float]] = {c.name: (1.0, 1.0) for c in self.cases}
        for (name, part, _), p in zip(owners, adjusted, strict=True):
            pair = list(worst[name])
            pair[part] = min(pair[part], float(p))
            worst[name] = (pair[0], pair[1])
        return worst

    def verdicts(self, case: CaseReport) -> dict[str, str]:
        """ "pass", "fail", or "—" (nothing to judge: no data, or self-convergence only) for each part of a case."""
        sampling, data = self._adjusted[case.name]
        return {
            "sampling": "pass" if sampling >= self.alpha else "fail",
            "discretisation": "pass" if case.discretisation.passed else "fail",
            "solver": ("pass" if case.solver.passed else "fail") if case.solver.counted else "—",
            "data": "—" if case.data is None else "pass" if data >= self.alpha else "fail",
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
        for heading in ("1 walk\nadj. p", "sees\nbias", "2 PDE\norder", "3 solver\norder", "data\nadj. p", "s"):
            table.add_column(heading, justify="right", no_wrap=True)

        def cell(verdict: str, text: str) -> Text:
            return Text(
                f"{text} ✗" if verdict == "fail" else text,
                style={"fail": "bold red", "pass": "green"}.get(verdict, "dim"),
            )

        for case in self.cases:
            verdict = self.verdicts(case)
            sampling, data = self._adjusted[case.name]
            table.add_row(
                case.name,
                cell(verdict["sampling"], f"{sampling:.2g}"),
                f"{case.sampling.detectable:.0e}",
                cell(verdict["discretisation"], _order(case.discretisation)),
                cell(verdict["solver"], _order(case.solver) + ("" if case.solver.counted else " self")),
                cell(verdict["data"], "—" if case.data is None else f"{data:.2g}"),
                f"{case.seconds:.1f}",
            )
        return table

    def summary(self) -> str:
        """The verdict in one line."""
        checks = sum(len(g.checks) for c in self.cases for _, g in _groups(c))
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
            f"family-wise false-alarm rate {self.alpha:g}: {verdict}"
        )

    def details(self, case: CaseReport) -> str:
        """All results of one case in words."""
        verdict = self.verdicts(case)
        lines = [
            f"{case.name}: {case.title}",
            *([f"  catches: {case.catches}"] if case.catches else []),
            f"  1 sampling         {verdict['sampling']}  ({case.compared[0]}; {', '.join(case.runs)})",
            *(
                f"      {c.name}: {c.test} = {c.statistic:.4g} on {c.freedom}, p = {c.p_value:.3g}"
                for c in case.sampling.checks
            ),
            f"  2 discretisation   {verdict['discretisation']}  ({case.compared[1]} against {case.discretisation.against})",
            f"      {_errors(case.discretisation)}; rule: {case.discretisation.rule}",
            f"  3 solver           {verdict['solver']}  (finite differences against {case.solver.against})",
            f"      {_errors(case.solver)}" + (f"; rule: {case.solver.rule}" if case.solver.counted else ""),
            *([f"      no closed form: {case.missing}"] if case.missing else []),
            f"  ensemble − equation: {case.budget}",
        ]
        if case.data is not None:
            lines.append(f"  data               {verdict['data']}")
            lines += [
                f"      {c.name}: {c.test} = {c.statistic:.4g} on {c.freedom}, p = {c.p_value:.3g}"
                for c in case.data.checks
            ]
        return "\n".join(lines)

    def to_json(self) -> str:
        """The whole report as JSON, numbers unrounded."""
        return json.dumps(
            {
                "passed": self.passed,
                "alpha": self.alpha,
                "failures": self.failures,
                "cases": [_data(self, case) for case in self.cases],
            },
            indent=2,
        )

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


def _groups(case: CaseReport) -> list[tuple[int, Comparison]]:
    return [(0, case.sampling), *([(1, case.data)] if case.data is not None else [])]


def _order(convergence: Convergence) -> str:
    if convergence.errors[-1] <= convergence.floor:
        return "exact"
    return f"{convergence.orders[-1]:.2f}"


def _errors(convergence: Convergence) -> str:
    errors = " → ".join(f"{e:.2e}" for e in convergence.errors)
    return f"errors {errors}, orders {', '.join(f'{o:.2f}' for o in convergence.orders)}"


def _data(report: Report, case: CaseReport) -> dict[str, Any]:
    def comparison(c: Comparison | None) -> Any:
        return c and [
            {
                "name": k.name,
                "test": k.test,
                "statistic": k.statistic,
                "freedom": k.freedom,
                "p": k.p_value,
                "detectable": k.detectable,
            }
            for k in c.checks
        ]

    def convergence(c: Convergence) -> dict[str, Any]:
        return {"against": c.against, "widths": c.widths, "errors": c.errors, "orders": c.orders, "rule": c.rule}

    return {
        "name": case.name, "title": case.title, "catches": case.catches, "verdicts": report.verdicts(case),
        "sampling": comparison(case.sampling), "discretisation": convergence(case.discretisation),
        "solver": convergence(case.solver), "no_closed_form": case.missing, "data": comparison(case.data),
        "budget": {k: float(np.float64(v)) for k, v in vars(case.budget).items()}, "runs": case.runs, "seconds": case.seconds,
    }  # fmt: skip
