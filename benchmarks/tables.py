"""What was measured: as JSON that is kept in `results/`, and as the tables of pages (docs/performance.md, docs/methods.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .measure import Measured

RESULTS = Path(__file__).parent / "results"
PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
HEADINGS = ("by", "rate", "randwalk is × faster", "goal")
OURS = "randwalk 0.2.0"  # the version that has run on an H100
CARD = {  # rows of the table: of the programs that others wrote CuPy, PyTorch with its compiler, JAX
    "Philox, words": (None, None, None),
    "p = ½": (
        "CuPy RawKernel, cuRAND Philox, popcount", "PyTorch compile, p = ½, 25 steps a call",
        "JAX threefry2x32, p = ½, random.bits, popcount",
    ),
    "p = 0.3, q = 0.5": (None, None, None),
    "p(x)": (
        "CuPy RawKernel, cuRAND Philox, p(x) from a table", "PyTorch compile, p(x), 25 steps a call",
        "JAX threefry2x32, p(x), scan",
    ),
    "p(x, t)": (None, None, None),
    "first passage from the middle, steps asked for": (None, None, None),
    "histogram, walkers": (None, None, None),
    "jump, walkers": (None, None, None),
}  # fmt: skip
INSTRUCTIONS = (  # the row; the kernel of this release; what a profiler counted of version 0.2.0 and of CUDA C++
    ("p = ½, a step", "toss[8]", "p = ½", "p = ½"),
    ("p = 0.3, q = 0.5, a step", "digits[2, 8]", "p = 0.3, q = 0.5", "p = 0.3, q = 0.5"),
    ("p(x), a step", "p(x)", "p(x)", "p(x)"),
    ("p(x, t), a step", "p(x, t)", "p(x, t)", "p(x, t)"),
    ("first passage, a step (0.2.0: beside a wall; C++: from the middle)", "first passage",
     "first passage from beside a wall", "first passage from the middle"),
    ("p(x, y), a step", "p(x, y)", None, "p(x, y)"),
    ("square lattice, p = ¼, a step", "digits[4, 2]", None, None),
    ("histogram, a walker", "count sites", None, None),
    ("jump, a walker", "jump", None, None),
)  # fmt: skip


def record(result: Measured) -> dict[str, Any]:
    """One workload, as it is kept."""
    goals = [{"row": goal.row, "of": goal.of, "fraction": goal.fraction} for goal in result.workload.goals]
    return {"name": result.workload.name, "unit": result.workload.unit, "rates": result.rates, "goals": goals}


def read(name: str) -> dict[str, Any]:
    """A file of `results/`."""
    found: dict[str, Any] = json.loads((RESULTS / name).read_text("utf-8"))
    return found


def rates(measured: Mapping[str, Any]) -> dict[str, float]:
    """All rates of a file, by workload and row: what two runs are compared by."""
    return {f"{work['name']}|{by}": rate for work in measured["workloads"] for by, rate in work["rates"].items()}


def shown(rate: float) -> str:
    """A rate as people would say it."""
    for factor, letter in PREFIXES:
        if rate >= factor:
            return f"{rate / factor:.3g} {letter}"
    return f"{rate:.3g}"


def ratio(times: float) -> str:
    """How many times as fast, in three digits."""
    return f"{times:.3g}" if times < 1000 else f"{float(f'{times:.3g}'):,.0f}"


def judged(work: Mapping[str, Any], by: str) -> str:
    """What the goals of a row say of it."""
    said = []
    for goal in work["goals"]:
        if goal["row"] == by and goal["of"] in work["rates"]:
            reached = work["rates"][by] / work["rates"][goal["of"]]
            verdict = "met" if reached >= goal["fraction"] else "MISSED"
            said.append(f"{ratio(reached)} of {goal['of']}: {verdict} (≥ {goal['fraction']:g})")
    return "; ".join(said)


def rows(work: Mapping[str, Any]) -> Iterable[tuple[str, str, str, str]]:
    """Of each row of a workload: by whom, its rate, how much faster randwalk is, its goals."""
    for by, rate in work["rates"].items():
        ours = work["rates"]["randwalk"]
        yield by, f"{shown(rate)} {work['unit']}/s", ratio(ours / rate), judged(work, by)


def table(headings: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    """A table of Markdown."""
    cells = [tuple(headings), *map(tuple, lines)]
    cells.insert(1, ("---",) * len(cells[0]))
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def processor(measured: Mapping[str, Any]) -> str:
    """The table of `python -m benchmarks`, and where it comes from."""
    said = "*Measured by `{command}` on {machine}; randwalk {randwalk}, {date}; best of the repetitions, in turn in one run.*"
    lines = [("" if i else work["name"], *row) for work in measured["workloads"] for i, row in enumerate(rows(work))]
    return f"{said.format(**measured)}\n\n{table(('workload', *HEADINGS), lines)}"


def card(measured: Mapping[str, Any]) -> str:
    """The rates of a GPU, beside those of other programs."""

    def cell(rate: float | None) -> str:
        return "–" if rate is None else shown(rate)

    lines = []
    for name, others in CARD.items():
        ours, limit = (measured["work"][name][by] for by in (OURS, "CUDA C++"))
        cells = [cell(measured["other programs"][other] if other else None) for other in others]
        lines.append((name, cell(limit), cell(ours), f"{ours / limit:.2f}", *cells))
    return table(("work", "CUDA C++", OURS, "ratio", "CuPy", "PyTorch, compiled", "JAX"), lines)


def instructions(kernels: Mapping[str, Any], measured: Mapping[str, Any]) -> str:
    """Instructions of a warp: in the loop of this release, and as a profiler counted them."""
    counted = measured["instructions of a warp, a step"]
    before, limit = (counted[f"{by}, executed"] for by in (OURS, "CUDA C++"))

    def cell(count: float | None) -> str:
        return "–" if count is None else f"{count:.3g}"

    lines = [
        (row, cell(kernels["kernels"][kernel]["instructions"]), cell(before.get(old)), cell(limit.get(other)))
        for row, kernel, old, other in INSTRUCTIONS
    ]
    return table(("work", "this release, in the loop", f"{OURS}, executed", "CUDA C++, executed"), lines)


def beginning(measured: Mapping[str, Any]) -> str:
    """What the first run costs, and later ones."""
    lines = [(f"`{code}`", f"{first:.1f} s", f"{later:.1f} s") for code, first, later in measured["runs"]]
    said = "*Measured by `{command}` on {machine}; randwalk {randwalk}, {date}.*"
    return f"{said.format(**measured)}\n\n{table(('run', 'the first time', 'from then on'), lines)}"


def points(measured: Mapping[str, Any]) -> str:
    """Seconds to a value at a point, by walks and by the solver."""
    problems = {
        "in time": r"in time: Brownian motion with killing $\tfrac12 x^2$ and a Gaussian payoff",
        "without": "without time: mean exit time of a ball, by walks on spheres",
    }
    lines = []
    for row in measured["rows"]:
        solver = "–" if row["solver"] is None else f"{row['solver']:.2g}"
        lines.append((problems.pop(row["problem"], ""), str(row["dimension"]), f"{row['walk']:.2g}", solver))
    said = "*Measured by `{command}` on {machine}; randwalk {randwalk}, {date}; medians of {seeds} seeds.*"
    return f"{said.format(**measured)}\n\n{table(('problem', 'dimensions', 'walks', 'solver'), lines)}"


def solved(measured: Mapping[str, Any]) -> str:
    """Seconds of each solver until a law is right to what is wanted, or the best that it had when its time was up."""
    found: dict[str, dict[str, str]] = {}
    for row in measured["results"]:
        grid = "" if row["cells"] is None else f"{row['cells']}{'⁰¹²³'[row['dimension']]} cells"
        spent = f"{float(format(row['seconds'] or 0.0, '.2g')):g} s"
        if row["error"] is None:
            told = f"nothing within {row['within']:g} s"
        elif row["error"] <= measured["wanted"]:
            told = spent + (f", {grid}" if grid else "")
        else:
            told = f"not within {row['within']:g} s ({row['error']:.1g} on {grid} after {spent})"
        found.setdefault(row["problem"], {})[row["solver"]] = told
    solvers = dict.fromkeys(row["solver"] for row in measured["results"])
    said = "*Measured by `{command}` on {machine}; randwalk {randwalk}, {date}; seconds of one processor.*"
    lines = [(problem, *(cells.get(solver, "–") for solver in solvers)) for problem, cells in found.items()]
    return f"{said.format(**measured)}\n\n{table(('problem', *solvers), lines)}"


def tables() -> dict[str, str]:
    """The tables of docs/performance.md and docs/methods.md, by the marks in whose place they stand."""
    beside = read("h100_beside.json")
    return {
        "processor": processor(read("cpu.json")),
        "avx2": processor(read("cpu_avx2.json")),
        "card": card(beside),
        "instructions": instructions(read("sass.json"), beside),
        "beginning": beginning(read("begin.json")),
        "points": points(read("points.json")),
        "solvers": solved(read("solvers.json")),
    }
