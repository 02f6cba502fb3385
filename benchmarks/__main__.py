"""``python -m benchmarks [--size 1] [--walks all] [--threads N] [--json FILE] [--compare FILE] [--markdown FILE]``.

Every workload by randwalk, by the C++ limit (compiled here if there is a compiler), and by what else is installed, measured
in turn in one run; for every goal the fraction reached. Full size takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path

import numba
from rich.console import Console
from rich.table import Table

from .ito import workloads as continuous
from .measure import Measured, compiled, measure
from .space import workloads as in_space
from .workloads import workloads as on_a_line

VECTORS = {"avx512f": "with AVX-512", "avx2": "with AVX2"}


def processor() -> str:
    """The name of the processor, and the width of its vectors."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        said = {line.split(":")[0].strip(): line.split(":")[1].strip() for line in lines if ":" in line}
        widest = next((name for flag, name in VECTORS.items() if flag in said.get("flags", "").split()), "")
        return " ".join([said["model name"], widest]).strip()
    except (OSError, KeyError):
        return platform.processor()


def shown(rate: float) -> str:
    for factor, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if rate >= factor:
            return f"{rate / factor:.3g} {letter}"
    return f"{rate:.3g}"


def rows(result: Measured, before: dict[str, float]) -> list[tuple[str, ...]]:
    workload, ours = result.workload, result.rates["randwalk"]
    lines = []
    for name, rate in result.rates.items():
        goals = [g for g in workload.goals if g.row == name]
        judged = []
        for goal in goals:
            fraction = result.reached(goal)
            if fraction is not None:
                judged.append(
                    f"{fraction:.3g} of {goal.of}: {'met' if fraction >= goal.fraction else 'MISSED'} (≥ {goal.fraction:g})"
                )
        old = before.get(f"{workload.name}|{name}")
        lines.append(
            (
                name,
                f"{shown(rate)} {workload.unit}/s",
                f"{ours / rate:.3g}",
                f"{rate / old:.2f}" if old else "",
                "; ".join(judged),
            )
        )
    return lines


def markdown(results: list[Measured], command: str, machine: str) -> str:
    """The table of the documentation."""
    lines = [
        f"Measured by `{command}` on {machine}; best of the repetitions, in turn in one run.", "",
        "| workload | by | rate | randwalk is × faster | goal |",
        "|---|---|---|---|---|",
    ]  # fmt: skip
    for result in results:
        name = result.workload.name
        for by, rate, ratio, _, judged in rows(result, {}):
            lines.append(f"| {name} | {by} | {rate} | {ratio} | {judged} |")
            name = ""
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--size", type=float, default=1.0, help="fraction of the full size")
    parser.add_argument("--threads", type=int, default=numba.get_num_threads())
    parser.add_argument("--walks", choices=("line", "space", "ito", "all"), default="all")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--json", type=Path, help="save the rates")
    parser.add_argument("--markdown", type=Path, help="write the table of the documentation")
    parser.add_argument("--compare", type=Path, help="an earlier --json file, to show ratios to")
    options = parser.parse_args()
    before = json.loads(options.compare.read_text())["rates"] if options.compare else {}
    results = []
    console = Console(width=150)
    machine = f"{processor()}, {options.threads} threads, numba {numba.__version__}, Python {platform.python_version()}"
    console.print(machine)
    with compiled(options.threads) as limit:
        every = {"line": on_a_line, "space": in_space, "ito": continuous}
        chosen = every.values() if options.walks == "all" else [every[options.walks]]
        for workload in (row for make in chosen for row in make(options.size, options.threads, limit)):
            result = measure(workload, options.repetitions)
            results.append(result)
            table = Table(title=workload.name, title_justify="left")
            for heading in ("by", "rate", "randwalk is × faster", "× before", "goals"):
                table.add_column(heading)
            for line in rows(result, before):
                table.add_row(*line)
            console.print(table)
            predicted, took = workload.predicted, result.seconds["randwalk"]
            if predicted is not None:
                within = "within" if 1 / 3 <= predicted / took <= 3 else "NOT within"
                console.print(f"predicted {predicted:.3g} s, took {took:.3g} s: {within} a factor of 3\n")
    if options.markdown:
        given = f" --size {options.size:g} --repetitions {options.repetitions}"
        options.markdown.write_text(markdown(results, f"python -m benchmarks{given}", machine), encoding="utf-8")
    if options.json:
        rates = {f"{r.workload.name}|{name}": rate for r in results for name, rate in r.rates.items()}
        about = {"processor": processor(), "threads": options.threads, "numba": numba.__version__, "size": options.size}
        options.json.write_text(json.dumps(about | {"rates": rates}, indent=2) + "\n")


if __name__ == "__main__":
    main()
