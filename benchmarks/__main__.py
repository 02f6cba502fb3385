"""``python -m benchmarks [--size 1] [--walks all] [--threads N] [--json FILE] [--compare FILE]``.

Every workload by randwalk, by the C++ limit (compiled here if there is a compiler), and by what else is installed, measured
in turn in one run; for every goal the fraction reached. Full size takes some minutes. docs/performance.md has the tables of
`results/cpu.json` (AVX-512) and `results/cpu_avx2.json`;
``python -m benchmarks --repetitions 15 --json FILE`` measures them again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numba
from rich.console import Console
from rich.table import Table

from .ito import workloads as continuous
from .machine import about
from .measure import Measured, compiled, measure
from .space import workloads as in_space
from .tables import HEADINGS, rates, record, rows
from .workloads import workloads as on_a_line

EVERY = {"line": on_a_line, "space": in_space, "ito": continuous}


def printed(work: Mapping[str, Any], before: Mapping[str, float]) -> Table:
    """A workload for the terminal, beside the rates of an earlier run."""
    table = Table(title=work["name"], title_justify="left")
    for heading in (*HEADINGS, "× before"):
        table.add_column(heading)
    for by, *cells in rows(work):
        old = before.get(f"{work['name']}|{by}")
        table.add_row(by, *cells, f"{work['rates'][by] / old:.2f}" if old else "")
    return table


def prediction(result: Measured) -> str:
    """What the cost model of `explain` said, and what it took."""
    predicted, took = result.workload.predicted, result.seconds["randwalk"]
    if predicted is None:
        return ""
    within = "within" if 1 / 3 <= predicted / took <= 3 else "NOT within"
    return f"predicted {predicted:.3g} s, took {took:.3g} s: {within} a factor of 3\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--size", type=float, default=1.0, help="fraction of the full size")
    parser.add_argument("--threads", type=int, default=numba.get_num_threads())
    parser.add_argument("--walks", choices=(*EVERY, "all"), default="all")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--json", type=Path, help="keep the rates")
    parser.add_argument("--compare", type=Path, help="an earlier --json file, to show ratios to")
    options = parser.parse_args()
    before = rates(json.loads(options.compare.read_text("utf-8"))) if options.compare else {}
    part = "" if options.walks == "all" else f" --walks {options.walks}"
    command = f"python -m benchmarks{part} --size {options.size:g} --repetitions {options.repetitions}"
    measured: dict[str, Any] = about(command, options.threads) | {"size": options.size, "workloads": []}
    console = Console(width=150)
    console.print(measured["machine"])
    with compiled(options.threads) as limit:
        chosen = EVERY.values() if options.walks == "all" else [EVERY[options.walks]]
        for workload in (row for make in chosen for row in make(options.size, options.threads, limit)):
            result = measure(workload, options.repetitions)
            measured["workloads"].append(record(result))
            console.print(printed(record(result), before), prediction(result))
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
