"""The tables of the pages on performance and methods are those of the measurements that are kept."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import begin, tables
from benchmarks.measure import Goal, Measured, Workload

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [(DOCS / name).read_text(encoding="utf-8") for name in ("performance.md", "methods.md")]
PREFIXED = re.compile(r"^([\d.e+]+) ?([kMGT]?)")
SIZES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def number(cell: str) -> float:
    found = PREFIXED.match(cell)
    assert found is not None, cell
    return float(found[1]) * SIZES[found[2]]


def cells(table: str) -> list[list[str]]:
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.quick
def test_every_table_has_its_place() -> None:
    marks = [mark for page in PAGES for mark in re.findall(r"^<!-- (\w+) -->$", page, re.MULTILINE)]
    assert sorted(marks) == sorted(tables.tables())
    assert not re.search(r"^\|", PAGES[0], re.MULTILINE), "a table that nothing makes"


@pytest.mark.parametrize("name", ["cpu.json", "cpu_avx2.json"])
def test_rates_are_those_of_the_file(name: str) -> None:
    kept = json.loads((tables.RESULTS / name).read_text(encoding="utf-8"))
    wanted = [rate for work in kept["workloads"] for rate in work["rates"].values()]
    assert [number(line[2]) for line in cells(tables.processor(kept))] == pytest.approx(wanted, rel=5e-3)


def test_ratios_of_a_card_are_those_of_the_file() -> None:
    beside = json.loads((tables.RESULTS / "h100_beside.json").read_text(encoding="utf-8"))
    for name, limit, ours, ratio, *_ in cells(tables.card(beside)):
        work = beside["work"][name]
        assert number(limit) == pytest.approx(work["CUDA C++"], rel=5e-3)
        assert float(ratio) == pytest.approx(number(ours) / number(limit), abs=0.011)


def test_a_measurement_is_kept_with_its_goals() -> None:
    work = Workload("w", "steps", {}, goals=(Goal(0.9, "C++"), Goal(10.0, "naive"), Goal(2.0, "absent")))
    kept = tables.record(Measured(work, {"randwalk": 8e9, "C++": 1e10, "naive": 5e8}, {}))
    assert json.loads(json.dumps(kept)) == kept
    ours, limit, naive = tables.rows(kept)
    assert ours == ("randwalk", "8 G steps/s", "1", "0.8 of C++: MISSED (≥ 0.9); 16 of naive: met (≥ 10)")
    assert limit[2:] == ("0.8", "") and naive[2:] == ("16", "")
    assert tables.rates({"workloads": [kept]}) == {"w|randwalk": 8e9, "w|C++": 1e10, "w|naive": 5e8}


def test_what_a_first_run_costs_is_measured_for_the_runs_of_the_page() -> None:
    kept = tables.read("begin.json")
    assert [code for code, _, _ in kept["runs"]] == list(begin.RUNS)
    assert all(0.0 < later < first for _, first, later in kept["runs"])
