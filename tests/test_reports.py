"""Reports to hand on: each is complete, keeps to its schema, says where it comes from, and judges data by themselves."""

from __future__ import annotations

import copy
import json
import math
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import randwalk as rw
from randwalk import cli
from randwalk.validate import Report, case_names, changes, load_case, validate
from randwalk.validate.exhibits import Curve, Map, Profile
from randwalk.validate.mathml import mathml
from randwalk.validate.report_json import read_report, schema
from randwalk.validate.schema import violations
from randwalk.validate.svg import Panel, Scale

CASES = ("killing", "perrin_displacements", "plane_torus", "ito_ornstein_uhlenbeck")
CURVE = """
title = "A curve < & > with its own signs"
[walk]
drift = -1.0
diffusion = 0.1
dx = 0.1
[domain]
low = 0
left = "absorbing"
[start]
point = 2
[run]
times = [1.0]
walkers = 1000
[measured]
kind = "passed"
csv = "n.csv"
time = "t"
value = "f"
wall = "left"
error = 0.01
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Of walks on a lattice, in the plane, of Itô's kind, with data of both forms, and of one that could not be run."""
    folder = tmp_path_factory.mktemp("curve")
    (folder / "curve.toml").write_text(CURVE)
    (folder / "n.csv").write_text("t,f\n1.0,0.02\n1.5,0.23\n2.0,0.53\n")
    return validate([*CASES, str(folder / "curve.toml"), str(folder / "missing.toml")], walkers=2000)


# ---------------------------------------------------------------- families


def test_data_are_judged_apart_from_the_checks_of_the_software(report: Report) -> None:
    """The p-value of data is that of Holm's correction over the data alone, whatever the number of other checks."""
    case = report.cases[1]
    assert case.data is not None
    checks = (replace(case.data.checks[0], p_value=0.013), replace(case.data.checks[1], p_value=0.2))
    data = replace(case.data, checks=checks)
    alone = replace(case, data=data)
    many = replace(case, name="many", data=None, sampling=replace(case.sampling, checks=case.sampling.checks * 100))
    for cases in ((alone,), (alone, many)):
        found = Report(cases)
        assert [one.adjusted for one in found.data(alone)] == pytest.approx([0.026, 0.2])
        assert found.verdicts(alone)["data"] == "pass"
        assert "p = 0.013, adjusted 0.026" in found.details(alone)
    strict = Report((alone, many), alpha=0.02)
    assert strict.verdicts(alone)["data"] == "pass"
    assert Report((alone, many), alpha=0.03).verdicts(alone)["data"] == "fail"


def test_sampling_checks_of_all_cases_are_one_family(report: Report) -> None:
    case = report.cases[0]
    rare = replace(case.sampling.checks[0], p_value=1e-5)
    one = replace(case, sampling=replace(case.sampling, checks=(rare,)))
    others = tuple(replace(case, name=f"other{i}") for i in range(20))
    number = 1 + sum(len(other.sampling.checks) for other in others)
    assert Report((one, *others)).sampling(one)[0].adjusted == pytest.approx(1e-5 * number)


# ---------------------------------------------------------------- JSON


def test_every_report_keeps_to_the_schema(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    text = report.to_json(path)
    assert path.read_text(encoding="utf-8") == text and "NaN" not in text
    data = json.loads(text)
    assert list(violations(data, schema())) == []
    assert read_report(path) == data
    assert [case["name"] for case in data["cases"]] == [*CASES, "curve"] and list(data["failures"]) == ["missing"]
    assert data["cases"][4]["problem"] == CURVE
    check = report.cases[0].sampling.checks[0]
    assert data["cases"][0]["sampling"][0]["p"] == check.p_value and data["cases"][0]["seed"] == 1
    made = data["provenance"]
    assert made["randwalk"] == rw.__version__ and made["dependencies"]["numpy"] == np.__version__
    assert made["command"].startswith("randwalk validate killing perrin_displacements ")
    assert made["command"].endswith(" --walkers 2000") and made["seconds"] > 0.0


def test_beyond_three_dimensions_there_is_no_number_to_write(report: Report) -> None:
    """Rung 3 is not climbed there: its errors are NaN, which JSON does not have."""
    case = replace(report.cases[0], solver=replace(report.cases[0].solver, errors=(math.nan, math.nan, math.inf)))
    data = json.loads(Report((case,)).to_json())
    assert data["cases"][0]["solver"]["errors"] == [None, None, None] and not list(violations(data, schema()))


def _objects(data: Any, rules: dict[str, Any], root: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """(an object of the data, a key that the schema needs it to have), for all of them."""
    if "$ref" in rules:
        rules = root["$defs"][rules["$ref"].removeprefix("#/$defs/")]
    if isinstance(data, dict):
        yield from ((data, key) for key in rules.get("required", ()))
        for key, value in data.items():
            yield from _objects(
                value, rules.get("properties", {}).get(key, rules.get("additionalProperties", {})), root
            )
    for value in data if isinstance(data, list) else ():
        yield from _objects(value, rules.get("items", {}), root)


def test_the_schema_misses_nothing_that_it_needs(report: Report) -> None:
    """Without any one of its keys, or with a value of another kind, a report is refused."""
    one = replace(report, cases=report.cases[1:2])
    data = json.loads(one.to_json())
    needed = len(list(_objects(data, schema(), schema())))
    assert needed > 60
    for number in range(0, needed, 3):
        for change in ("gone", "other"):
            spoilt = copy.deepcopy(data)
            holder, key = list(_objects(spoilt, schema(), schema()))[number]
            if change == "gone":
                del holder[key]
            else:
                holder[key] = {"a": {}} if isinstance(holder[key], (str, list, float, int, bool)) else 7j.imag
            assert list(violations(spoilt, schema())), (key, change)


def test_a_file_that_is_no_report_is_refused_in_words(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    good = json.loads(report.to_json())
    for text, told in (
        ("{", r"r\.json:1: this is no JSON"),
        ("[]", "this is no report"),
        ('{"passed": true, "cases": []}', "this is no report of randwalk validate --json, of release"),
        (json.dumps(good | {"version": 2}), "a report of version 2; this release reads version 1"),
        (json.dumps(good | {"alpha": "x"}), r"\$\.alpha: 'x' must be a number"),
        ("[" * 100_000, "this is no JSON"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=told):
            read_report(path)


# ---------------------------------------------------------------- JUnit


def test_junit_counts_what_it_has(report: Report, tmp_path: Path) -> None:
    root = ElementTree.fromstring(report.to_junit(tmp_path / "r.xml").encode())
    assert (tmp_path / "r.xml").read_bytes().startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    suites = root.findall("testsuite")
    assert [s.get("name") for s in suites] == [f"randwalk.{name}" for name in (*CASES, "curve", "missing")]
    for holder in (root, *suites):
        tests = list(holder.iter("testcase"))
        assert int(holder.get("tests", -1)) == len(tests)
        for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(holder.get(key, -1)) == sum(test.find(tag) is not None for test in tests)
    verdicts = [v for case in report.cases for part, v in report.verdicts(case).items() if part != "data" or case.data]
    assert root.get("failures") == str(verdicts.count("fail")) and root.get("errors") == "1"
    assert [test.get("name") for test in suites[1].findall("testcase")] == ["1 walk", "2 equation", "3 solver", "data"]
    properties = {p.get("name"): p.get("value") for p in suites[0].iter("property")}
    assert properties["command"] == report.provenance.command and properties["seed"] == "1"


def test_junit_says_why(report: Report) -> None:
    case = report.cases[0]
    rare = replace(case.sampling.checks[0], p_value=1e-9, name="places\x00 at t = 1")
    failed = replace(case, sampling=replace(case.sampling, checks=(rare,)))
    root = ElementTree.fromstring(Report((failed,)).to_junit().encode())
    told = root.find("./testsuite/testcase/failure")
    assert told is not None and "p = 1e-09" in told.attrib["message"] and "\ufffd" in told.attrib["message"]


# ---------------------------------------------------------------- HTML

VOID = {"meta", "br", "img", "hr", "input", "link"}


class _Checked(HTMLParser):
    """Every element is closed in turn, and nothing is fetched from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        given = dict(attrs)
        assert "src" not in given and tag not in ("script", "link", "iframe", "object"), tag
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if "href" in given else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, (tag, self.getpos())


def test_html_is_one_file_that_stands_alone(report: Report, tmp_path: Path) -> None:
    text = report.to_html(tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == text
    checked = _Checked()
    checked.feed(text)
    checked.close()
    assert checked.open == [] and {"math", "svg", "article", "table"} <= checked.seen
    assert checked.ids == [case.name for case in report.cases] and checked.links == [f"#{name}" for name in checked.ids]
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", text)
    assert "@media print" in text and "missing.toml cannot be read" in text
    assert "A curve &lt; &amp; &gt; with its own signs" in text and "<h2>A curve < " not in text
    figures = re.findall(r"<svg .*?</svg>", text, re.DOTALL)
    assert len(figures) >= 4 * len(report.cases) - 2 and "nan" not in "".join(figures)
    for figure in (*figures, *re.findall(r"<math .*?</math>", text, re.DOTALL)):
        ElementTree.fromstring(figure)
    assert summary_of(report) in report._repr_html_()


def summary_of(report: Report) -> str:
    return f"{len(report.cases)} cases, "


def test_every_equation_is_typeset() -> None:
    """Of all built-in cases: the same letters as in TeX, in elements of MathML alone."""
    known = {"math", "mrow", "mi", "mn", "mo", "msup", "msub", "msubsup", "msqrt", "mtable", "mtr", "mtd", "mspace"}
    for name in case_names():
        tex = rw.pde.limit(load_case(name).walk)._repr_latex_()
        root = ElementTree.fromstring(mathml(tex))
        assert {element.tag for element in root.iter()} <= known, tex
        for element in root.iter():
            expected = {"msup": 2, "msub": 2, "msubsup": 3}.get(element.tag, len(element))
            assert len(element) == expected and (len(element) == 0 or not (element.text or "").strip())
        text = "".join(root.itertext())
        assert text.count("ρ") == tex.count(r"\rho") and text.count("∂") == tex.count(r"\partial")
        assert re.sub(r"[^0-9]", "", text) == re.sub(r"[^0-9]", "", tex), tex


def test_pieces_of_formulas() -> None:
    assert mathml(r"\partial_x^{2}\rho") == (
        '<math display="block"><mrow><msubsup><mo>∂</mo><mi>x</mi><mn>2</mn></msubsup><mi>ρ</mi></mrow></math>'
    )
    assert "<msqrt><mn>2</mn></msqrt>" in mathml(r"$\sqrt{2}$")
    cases = ElementTree.fromstring(mathml(r"\begin{cases}x & t \ge 0\\0 & \text{otherwise}\end{cases}"))
    assert len(list(cases.iter("mtr"))) == 2 and len(list(cases.iter("mtd"))) == 4
    assert "a &lt; b" not in mathml("a < b") and "&lt;" in mathml("a < b")
    assert ">f_1<" in mathml(r"\mathrm{f\_1}(x)")


def test_a_figure_shows_the_numbers_that_it_was_given() -> None:
    """Points are read back from the picture by its own ticks."""
    x, y = np.array([0.0, 3.0, 10.0]), np.array([-2e-6, 0.0, 7e-6])
    panel = Panel.of("t", ("x", "y"), [x], [y])
    panel.dots(x, y, "walk")
    figure = ElementTree.fromstring(panel.svg())
    space = "{http://www.w3.org/2000/svg}"
    dots = next(p for p in figure.iter(f"{space}path") if "dots" in p.attrib.get("class", ""))
    found = np.array([[float(v) for v in pair] for pair in re.findall(r"M([\d.]+) ([\d.]+)h0", dots.attrib["d"])])
    ticks = [t for t in figure.iter(f"{space}text") if t.attrib.get("class") == "tick"]
    along = {"middle": ("x", 0.0), "end": ("y", -3.5)}
    for column, values in ((0, x), (1, y)):
        kind = ("middle", "end")[column]
        name, shift = along[kind]
        told = [
            (float(t.attrib[name]) + shift, float((t.text or "").replace("−", "-")))
            for t in ticks
            if t.attrib["text-anchor"] == kind
        ]
        place, number = np.array(told).T
        assert place.size >= 3
        slope, offset = np.polyfit(place, number, 1)
        assert found[:, column] * slope + offset == pytest.approx(values, abs=0.002 * np.ptp(values))


@pytest.mark.parametrize(("low", "high"), [(1e-9, 3e-4), (0.02, 0.09), (2.22e-3, 2.38e-3), (1e-30, 1e30), (5.0, 5.0)])
def test_logarithmic_axes_have_ticks_inside(low: float, high: float) -> None:
    scale = Scale.over([np.array([low, high])], 0.0, 100.0, log=True)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 8 and all(scale.low <= tick <= scale.high for tick in ticks)


def test_exhibits_are_of_the_last_time_and_of_all_that_was_run(report: Report) -> None:
    profile, curve = report.cases[0].exhibits
    assert isinstance(profile, Profile) and isinstance(curve, Curve)
    assert profile.time == pytest.approx(0.6) and len(profile.samples) == len(report.cases[0].runs)
    law = rw.pde.exact_law(load_case("killing").walk, [0.6])
    np.testing.assert_allclose(profile.expected, law.mass(profile.edges, 0.6), rtol=1e-12)  # roundings
    np.testing.assert_allclose(curve.expected, law.survival(curve.times), rtol=1e-12)
    for case in report.cases:
        shown = [
            s
            for e in case.exhibits
            for s in (e.samples if isinstance(e, Profile) else [e.sample] if isinstance(e, Map) else [])
        ]
        for sample in shown:
            z = sample.residual[np.isfinite(sample.residual)]
            assert z.size > 3 and np.abs(z).max() < 6.0  # of some 100 residuals: a false alarm once in 10⁷ runs


# ---------------------------------------------------------------- two reports, and the command


def test_changes_between_two_reports(report: Report, tmp_path: Path) -> None:
    for name in ("old", "same"):
        replace(report, failures={}).to_json(tmp_path / f"{name}.json")
    same = changes(tmp_path / "old.json", tmp_path / "same.json")
    assert same.status == 0 and same.cases == () and "no number changed" in str(same)
    first, second, *others = report.cases
    slow = replace(first.discretisation, errors=(9e-3, 3e-3, 1e-3))
    unjudged = replace(first.solver, counted=False)
    worse = [
        replace(first, discretisation=slow, solver=unjudged, seconds=first.seconds + 100.0),
        replace(second, seconds=1.0),
        *others[1:],
    ]
    newer = replace(report.provenance, randwalk="9.9.9", dependencies=report.provenance.dependencies | {"scipy": "0"})
    replace(report, cases=tuple(worse), failures={"other": "no"}, provenance=newer).to_json(tmp_path / "new.json")
    found = changes(tmp_path / "old.json", tmp_path / "new.json")
    told = str(found)
    assert found.status == 1 and found.worse == ("killing (discretisation, solver)",)
    assert "killing: discretisation pass → fail" in told and "order 2.00 → 1.00" in told
    assert f"randwalk: {rw.__version__} → 9.9.9" in told and "→ 0\n" in told
    assert "plane_torus: only in the old report" in told and "ito_ornstein" not in told


def main(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit status of the command."""
    monkeypatch.setattr(sys, "argv", ["randwalk", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


def test_the_command_writes_all_three(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    files = {"--html": "r.html", "--junit": "r.xml", "--json": "r.json"}
    options = [part for pair in files.items() for part in pair]
    assert main("validate", "lazy_line", "--walkers", "1000", *options, monkeypatch=monkeypatch) == 0
    assert read_report("r.json")["provenance"]["command"] == "randwalk validate lazy_line --walkers 1000"
    assert (
        Path("r.html").read_text().startswith("<!DOCTYPE html>")
        and ElementTree.parse("r.xml").getroot().tag == "testsuites"
    )
    capsys.readouterr()
    assert main("validate", "--compare", "r.json", "r.json", monkeypatch=monkeypatch) == 0
    assert "no number changed\neverything that passed still does" in capsys.readouterr().out
    assert main("validate", "--compare", "r.json", "r.html", monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err == "randwalk: r.html:1: this is no JSON: Expecting value\n"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--html", "no/r.html"], "--html no/r.html: there is no folder no"),
        (["--junit", "."], "--junit .: this is a folder"),
        (["--self-test", "--html", "r"], "--html r: --self-test writes no such report; leave it out"),
        (["--list", "--json", "r"], "--json r: --list writes no such report; leave it out"),
        (["--self-test", "--list"], "--list and --self-test: each is a run by itself; give one of them"),
        (["--self-test", "--details"], "--details: --self-test does not read it; leave it out"),
        (["--list", "--walkers", "5"], "--walkers 5: --list does not read it; leave it out"),
        (["--compare", "a", "b"], "cases lazy_line: --compare does not read it; leave it out"),
        (["--html", "r", "--junit", "./r"], "--junit ./r: this is the file of --html; give another name"),
    ],
)
def test_outputs_are_tried_before_anything_runs(
    options: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rw.Problem, "load", lambda path: pytest.fail("it ran"))
    assert main("validate", "lazy_line", *options, monkeypatch=monkeypatch) == 2
    said = capsys.readouterr()
    assert told in said.err and said.out == "" and list(tmp_path.iterdir()) == []
