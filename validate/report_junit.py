"""A report as JUnit XML: a suite for each case, a test for each rung and for its data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from .told import errors_told

if TYPE_CHECKING:
    from .report import CaseReport, Judged, Report

PARTS = {"sampling": "1 walk", "discretisation": "2 equation", "solver": "3 solver", "data": "data"}
UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # for XML 1.0


def to_junit(report: Report) -> str:
    """The report as text, with an XML declaration."""
    root = ElementTree.Element("testsuites", name="randwalk validate", time=f"{report.provenance.seconds:.3f}")
    for case in report.cases:
        _add_case(root, report, case)
    for name, reason in report.failures.items():
        suite = _suite(root, report, name, 0.0)
        _told(_test(suite, name, "run"), "error", reason, "could not be run", reason)
    total = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in root:
        tests = suite.findall("testcase")
        kinds = {"failures": "failure", "errors": "error", "skipped": "skipped"}
        counts = {"tests": len(tests)} | {
            key: sum(t.find(kind) is not None for t in tests) for key, kind in kinds.items()
        }
        suite.attrib |= {key: str(count) for key, count in counts.items()}
        total = {key: total[key] + count for key, count in counts.items()}
    root.attrib |= {key: str(count) for key, count in total.items()}
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(root: ElementTree.Element, report: Report, name: str, seconds: float) -> ElementTree.Element:
    made = report.provenance
    given = {"name": f"randwalk.{name}", "time": f"{seconds:.3f}", "timestamp": made.date.removesuffix("+00:00")}
    suite = ElementTree.SubElement(root, "testsuite", {key: _fit(value) for key, value in given.items()})
    properties = ElementTree.SubElement(suite, "properties")
    told = vars(made) | {"dependencies": ", ".join(f"{k} {v}" for k, v in made.dependencies.items())}
    for key, value in told.items():
        ElementTree.SubElement(properties, "property", name=key, value=_fit(str(value)))
    return suite


def _add_case(root: ElementTree.Element, report: Report, case: CaseReport) -> None:
    suite = _suite(root, report, case.name, case.seconds)
    ElementTree.SubElement(suite[0], "property", name="seed", value=str(case.seed))
    for part, verdict in report.verdicts(case).items():
        if part == "data" and case.data is None:
            continue
        test = _test(suite, case.name, PARTS[part], case.seconds if part == "sampling" else 0.0)
        if verdict == "fail":
            _told(test, "failure", _why(report, case, part), "evidence against the case", report.details(case))
        elif verdict == "—":
            ElementTree.SubElement(
                test, "skipped", message="no closed form to judge by: " + _fit(case.missing or "none")
            )


def _why(report: Report, case: CaseReport, part: str) -> str:
    """The worst check of a part that failed, or the rule that was broken."""
    if part in ("sampling", "data"):
        judged: tuple[Judged, ...] = report.sampling(case) if part == "sampling" else report.data(case)
        return str(min(judged, key=lambda one: one.adjusted))
    found = case.discretisation if part == "discretisation" else case.solver
    return f"{errors_told(found)}; rule: {found.rule}"


def _test(suite: ElementTree.Element, case: str, name: str, seconds: float = 0.0) -> ElementTree.Element:
    given = {"classname": f"randwalk.{case}", "name": name, "time": f"{seconds:.3f}"}
    return ElementTree.SubElement(suite, "testcase", {key: _fit(value) for key, value in given.items()})


def _told(test: ElementTree.Element, tag: str, message: str, kind: str, text: str) -> None:
    ElementTree.SubElement(test, tag, message=_fit(message), type=kind).text = _fit(text)


def _fit(text: str) -> str:
    """The text without the signs that XML cannot hold."""
    return UNFIT.sub("�", text)
