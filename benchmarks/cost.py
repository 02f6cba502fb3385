"""What 10¹⁵ walker-steps cost, on which machine and by which method, from the rates that are kept in this folder.

    python -m benchmarks.cost

prints the table of docs/how_to/cluster.md. Rates on two cores are those of benchmarks/results/cpu.json (`python -m benchmarks`),
those of a GPU and its host those of benchmarks/results/h100.json (`python -m benchmarks.cuda`).
"""

from __future__ import annotations

from .tables import read

STEPS = 1e15
WALKERS, EACH = 1e11, 1e4  # walkers of so many steps
SITES = 2000.0  # of `occupation`
KINDS = ("p = ½", "p = 0.3, q = 0.5", "p(x)", "p(x, t)")
WORKLOADS = (
    "p = 1/2, endpoints", "constant p = 0.3, q = 0.5", "p(x), q(x) from a table", "p(x, t) from tables",
    "occupation, 2000 sites, 10¹² walkers", "jump, endpoint after 1000 steps",
)  # fmt: skip
UNITS = (("years", 31_557_600.0), ("days", 86_400.0), ("h", 3600.0), ("min", 60.0))


def two_cores() -> dict[str, float]:
    """The rates of randwalk in benchmarks/results/cpu.json, by workload."""
    return {work["name"]: work["rates"]["randwalk"] for work in read("cpu.json")["workloads"]}


def card() -> dict[str, float]:
    """The rates of benchmarks/results/h100.json."""
    found: dict[str, float] = read("h100.json")["rates"]
    return found


def duration(seconds: float) -> str:
    """Seconds in the unit that people would use."""
    for unit, size in UNITS:
        if seconds >= 2.0 * size:
            return f"{float(f'{seconds / size:.2g}'):g} {unit}"
    return f"{float(f'{seconds:.2g}'):g} s"


def row(name: str, rates: list[float], times: float = 1.0) -> str:
    cells = " | ".join(duration(STEPS / (rate * times)) for rate in rates)
    return f"| {name} | {cells} |"


def table() -> str:
    """The table, as Markdown."""
    small, rates = two_cores(), card()
    cores = [small[name] for name in WORKLOADS[:4]]
    host = [rates[f"{kind}, this host"] for kind in KINDS]
    gpu = [rates[f"{kind}, simulate"] for kind in KINDS]
    lines = [
        f"| `paths` on | {' | '.join(f'${kind}$' if '½' not in kind else '$p = 1/2$' for kind in KINDS)} |",
        "|---|---|---|---|---|",
        row("2 cores, measured", cores), row("16 cores, measured", host),
        row("1024 cores: 64 of these", host, 64.0), row("an H100 GPU, measured", gpu), row("8 such GPUs", gpu, 8.0),
        "", "| without following walkers, on 2 cores | |", "|---|---|",
        f"| `occupation` on 2000 sites | {duration(SITES * EACH / small[WORKLOADS[4]])}, whatever the number of walkers |",
        f"| `jump`, one recorded time | {duration(WALKERS / small[WORKLOADS[5]])}, whatever the number of steps |",
    ]  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
