"""A report as JSON, by the schema ``report.schema.json`` beside this file, and back."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from randwalk.pde import limit

from .schema import violations

if TYPE_CHECKING:
    from .convergence import Convergence
    from .report import CaseReport, Judged, Report

FORMAT, VERSION = "randwalk validation report", 1


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of reports."""
    text = resources.files(__package__).joinpath("report.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def to_json(report: Report) -> str:
    """The report, numbers unrounded, what is no number null."""
    told = {
        "format": FORMAT, "version": VERSION, "passed": report.passed, "alpha": report.alpha, "failures": report.failures,
        "provenance": asdict(report.provenance), "cases": [_case(report, case) for case in report.cases],
    }  # fmt: skip
    return json.dumps(_finite(told), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_report(path: str | Path) -> dict[str, Any]:
    """The report that a JSON file holds.

    Raises
    ------
    ValueError
        for a file that is not such a report: one line with the file, the field and what is wrong with it.
    OSError
        for a file that is missing or may not be read.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (UnicodeDecodeError, RecursionError):
        raise ValueError(f"{path}: this is no JSON") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}:{error.lineno}: this is no JSON: {error.msg}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f"{path}: this is no report of randwalk validate --json, of release 0.7 or later")
    if data.get("version") != VERSION:
        raise ValueError(f"{path}: a report of version {data.get('version')}; this release reads version {VERSION}")
    for place, wrong in violations(data, schema()):
        raise ValueError(f"{path}: {place}: {wrong}")
    return data


def _finite(value: Any) -> Any:
    """The same with None for numbers that are not finite."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _case(report: Report, case: CaseReport) -> dict[str, Any]:
    return {
        "name": case.name, "title": case.title, "catches": case.catches, "problem": problem_text(case),
        "equation": None if case.problem is None else str(limit(case.problem.walk)), "seed": case.seed,
        "runs": case.runs, "seconds": case.seconds, "verdicts": report.verdicts(case), "compared": case.compared,
        "sampling": _checks(report.sampling(case)), "discretisation": _convergence(case.discretisation),
        "solver": _convergence(case.solver), "no_closed_form": case.missing,
        "data": None if case.data is None else _checks(report.data(case)),
        "budget": {name: float(value) for name, value in vars(case.budget).items()},
    }  # fmt: skip


def problem_text(case: CaseReport) -> str | None:
    """The problem file of a case; None for a problem that no file can hold."""
    if case.problem is None:
        return None
    if case.problem.source is not None and case.problem.source.text:
        return case.problem.source.text
    try:
        return case.problem.dumps()
    except (ValueError, TypeError):
        return None


def _checks(judged: Iterable[Judged]) -> list[dict[str, Any]]:
    return [
        {
            "name": one.check.name, "test": one.check.test, "statistic": float(one.check.statistic),
            "freedom": int(one.check.freedom), "p": float(one.check.p_value), "adjusted": one.adjusted,
            "detectable": float(one.check.detectable),
        }
        for one in judged
    ]  # fmt: skip


def _convergence(c: Convergence) -> dict[str, Any]:
    return {
        "against": c.against, "widths": list(map(float, c.widths)), "errors": list(map(float, c.errors)),
        "orders": list(c.orders), "order": c.order, "floor": float(c.floor), "apart": float(c.apart),
        "counted": c.counted, "rule": c.rule,
    }  # fmt: skip
