"""A report as one HTML file, which needs no other: equations in MathML, figures in SVG, to read offline and to print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from randwalk.model.ito import ItoWalk
from randwalk.pde import limit

from .figures import figures
from .mathml import mathml
from .report_json import problem_text
from .told import errors_told, order_told

if TYPE_CHECKING:
    from .convergence import Convergence
    from .report import CaseReport, Judged, Report

GUIDE = (
    "Every case is one random walk, checked in three comparisons that each have one error in them. <b>Rung 1</b> tests "
    "simulated walkers against the law that they should have: with right software its p-values are small no more often "
    "than they should be. <b>Rung 2</b> compares that law with the differential equation, and <b>rung 3</b> a numerical "
    "solver with the closed form: there is no chance in either, and what is judged is how fast the error falls when spacing "
    "and step become smaller. <b>Measured data</b>, where a case has some, are tested against the walk. σ is one standard "
    "error. <em>p</em> is the probability of so large a deviation in one check alone if all is right; <em>adjusted</em> "
    "allows for the number of checks in its family (Holm): all rung-1 checks of this report are one family, all checks of "
    "measured data another. A family fails below {alpha:g}."
)
WOULD = {
    "discretisation": "an equation that is not the walk’s (order 0), a wall half a spacing off (order 1), laws that are apart by "
    "more than 0.01",
    "solver": "a scheme that converges to something else, or more slowly than it should",
}
BY_STEPS = "increments whose error falls with the step at another order than that of their scheme"
SEEN = {  # by the test, the first that was made; see Comparison.detectable
    "chi²": "probabilities wrong by a part of", "KS": "a distribution function wrong by", "z": "a mean wrong by",
}  # fmt: skip
NAMES = {"sampling": "1 walkers", "discretisation": "2 equation", "solver": "3 solver", "data": "data"}


def to_html(report: Report) -> str:
    """The whole file."""
    style = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    body = [
        "<h1>Validation of random walks</h1>", _banner(report), _provenance(report),
        f"<h2>How to read this</h2><p>{GUIDE.format(alpha=report.alpha)}</p>", "<h2>All cases</h2>",
        _overview(report, linked=True), *(_article(report, case) for case in report.cases),
    ]  # fmt: skip
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Validation of random walks: {_word(report)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def summary(report: Report) -> str:
    """The verdict and the table of all cases, for a notebook."""
    return f"<div><p>{escape(report.summary())}</p>{_overview(report, linked=False)}</div>"


def _word(report: Report) -> str:
    return "passed" if report.passed else "not passed"


def _banner(report: Report) -> str:
    kind = "pass" if report.passed else "fail"
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in report.failures.values())
    told = f"<p>Could not be run:</p><ul>{reasons}</ul>" if reasons else ""
    return f'<p class="banner {kind}"><b>{_word(report).capitalize()}.</b> {escape(report.summary())}</p>{told}'


def _provenance(report: Report) -> str:
    made = report.provenance
    packages = ", ".join(f"{name} {version}" for name, version in made.dependencies.items())
    rows = {
        "made by": f"randwalk {made.randwalk}, random stream version {made.stream}",
        "with": f"{made.python}, {packages}",
        "on": f"{made.processor}, {made.threads} threads, {made.system}; walkers were moved by the {made.backend.upper()}",
        "date": f"{made.date}, {made.seconds:.0f} s",
        "again by": f"<code>{escape(made.command)}</code>",
    }
    told = (f"<dt>{key}</dt><dd>{value if key == 'again by' else escape(value)}</dd>" for key, value in rows.items())
    return f"<dl>{''.join(told)}</dl>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table; cells that begin with a number sign are numbers, and stand to the right."""

    def cell(tag: str, text: str) -> str:
        return f'<{tag} class="n">{text[1:]}</{tag}>' if text.startswith("#") else f"<{tag}>{text}</{tag}>"

    body = "".join(f"<tr>{''.join(cell('td', text) for text in row)}</tr>" for row in rows)
    top = "".join(cell("th", text) for text in head)
    return f'<div class="wide"><table class="{kind}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _chip(verdict: str, text: str = "") -> str:
    kind = verdict if verdict in ("pass", "fail") else "none"
    return f'<span class="verdict {kind}">{escape(text or {"—": "not judged"}.get(verdict, verdict))}</span>'


def _overview(report: Report, *, linked: bool) -> str:
    rows = []
    for case in report.cases:
        verdict, data = report.verdicts(case), report.data(case)
        name = f'<a href="#{escape(case.name)}">{escape(case.name)}</a>' if linked else escape(case.name)
        rows.append([
            name, escape(case.title), "#" + _chip(verdict["sampling"], f"{_least(report.sampling(case)):.2g}"),
            f"#{case.sampling.detectable:.0e}", "#" + _chip(verdict["discretisation"], order_told(case.discretisation)),
            "#" + (_chip(verdict["solver"], order_told(case.solver)) if case.solver.counted else _chip("—")),
            "#" + (f"{min(one.check.p_value for one in data):.2g}" if data else "—"),
            "#" + (_chip(verdict["data"], f"{_least(data):.2g}") if data else "—"), f"#{case.seconds:.1f}",
        ])  # fmt: skip
    head = ("case", "problem", "#1 walkers<br>adjusted p", "#sees<br>a bias of", "#2 equation<br>order", "#3 solver<br>order",
            "#data<br>p", "#data<br>adjusted p", "#s")  # fmt: skip
    return _table(head, rows, "overview")


def _least(judged: Sequence[Judged]) -> float:
    return min((one.adjusted for one in judged), default=1.0)


def _article(report: Report, case: CaseReport) -> str:
    parts = [f'<article id="{escape(case.name)}">', f"<h2>{escape(case.title or case.name)}</h2>", *_problem(case)]
    if case.catches:
        parts.append(f"<p><b>This case is there to catch</b> {escape(case.catches)}.</p>")
    parts.append(_table(("rung", "verdict", "compares", "found", "would have caught"), _rungs(report, case), "rungs"))
    parts.append(f'<div class="figures">{"".join(f"<figure>{one}</figure>" for one in figures(case))}</div>')
    parts.append(
        f"<p>Walkers and equation together differ by {case.budget.total:.1e} (root mean square of distribution functions): "
        f"{case.budget.statistical:.1e} by chance, {case.budget.step:.1e} by the step, {case.budget.bin:.1e} by the bins.</p>"
    )
    parts += [_checks(f"Checks of rung 1 ({', '.join(case.runs)}; seed {case.seed})", report.sampling(case))]
    if case.data is not None:
        parts.append(_checks("Checks of measured data", report.data(case)))
    text = problem_text(case)
    if text is not None:
        parts.append(f"<details><summary>Problem file</summary><pre>{escape(text)}</pre></details>")
    return "\n".join([*parts, "</article>"])


def _problem(case: CaseReport) -> Iterator[str]:
    """Name, equation, domain, start and walk."""
    yield f"<p><code>{escape(case.name)}</code></p>"
    if case.problem is None:
        return
    walk = case.problem.walk
    yield f'<div class="equation">{mathml(limit(walk)._repr_latex_())}</div>'
    rows = {
        "domain": walk.domain,
        "start": walk.start,
        "walk": walk,
        "times": ", ".join(f"{t:g}" for t in case.problem.times),
    }
    yield f"<dl>{''.join(f'<dt>{key}</dt><dd>{escape(str(value))}</dd>' for key, value in rows.items())}</dl>"


def _rungs(report: Report, case: CaseReport) -> Iterator[tuple[str, ...]]:
    """A row for each part: name, verdict, what was compared, what was found, what would have been."""
    verdict = report.verdicts(case)

    def row(part: str, compares: str, found: str, would: str) -> tuple[str, ...]:
        return NAMES[part], _chip(verdict[part]), escape(compares), escape(found), escape(would)

    def errors(rung: Convergence) -> str:
        if not np.isfinite(rung.errors).all():
            return "—"
        return errors_told(rung) + (f". Rule: {rung.rule}" if rung.counted else "")

    yield row("sampling", case.compared[0], _worst(report.sampling(case)), _sees(case, "sampling"))
    compared = f"{case.compared[1]} against {case.discretisation.against}"
    by_steps = case.problem is not None and isinstance(case.problem.walk, ItoWalk)
    yield row(
        "discretisation", compared, errors(case.discretisation), BY_STEPS if by_steps else WOULD["discretisation"]
    )
    why = f": {case.missing}" if case.missing else ""
    would = WOULD["solver"] if case.solver.counted else f"nothing{why}"
    yield row("solver", f"finite differences against {case.solver.against}", errors(case.solver), would)
    if case.data is not None:
        yield row("data", "measured data against the law of the walk", _worst(report.data(case)), _sees(case, "data"))


def _worst(judged: Sequence[Judged]) -> str:
    if not judged:
        return "no check could be made"
    worst = min(judged, key=lambda one: one.check.p_value)
    where = f"{worst.check.name}, {worst.check.test}"
    return f"{len(judged)} checks; smallest p = {worst.check.p_value:.2g}, adjusted {worst.adjusted:.2g} ({where})"


def _sees(case: CaseReport, part: str) -> str:
    """The bias that is found nine times in ten, in the words of the test that finds it."""
    comparison = case.sampling if part == "sampling" else case.data
    assert comparison is not None
    tests = {check.test for check in comparison.checks}
    if not tests:
        return "nothing"
    what = next((words for test, words in SEEN.items() if test in tests), "fractions wrong by")
    return f"{what} {comparison.detectable:.1e}, 9 times in 10, by one check alone at the level 0.001"


def _checks(title: str, judged: Sequence[Judged]) -> str:
    rows = [
        (escape(one.check.name), one.check.test, f"#{one.check.statistic:.4g}", f"#{one.check.freedom:,}",
         f"#{one.check.p_value:.3g}", f"#{one.adjusted:.3g}", f"#{one.check.detectable:.1e}")
        for one in judged
    ]  # fmt: skip
    head = ("check", "test", "#statistic", "#on", "#p", "#adjusted", "#sees a bias of")
    return f"<details open><summary>{escape(title)}</summary>{_table(head, rows, 'checks')}</details>"
