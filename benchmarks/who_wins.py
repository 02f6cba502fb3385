"""``python -m benchmarks.who_wins [--repeats 5] [--small] [--json gallery/results/who_wins.json]``: errors against seconds.

One problem in 1, 2, 3, 6 and 10 dimensions: a drift of 1 along every axis, D = ½, from the middle of the box (-1, 1)^d, whose
faces absorb, at t = ¼. It separates: every answer is a product of answers of one axis, which a series of its own gives here:

- a value at a point: E[Π cos(πXᵢ/2); inside];
- the whole density: the masses of 3^d boxes (edges ±½ along each axis); the error is the root of Σ (errors)² / Σ masses²;
- a first-passage time: P(τ > ¼).

Seconds are those of the processor of this process, on one thread, compilation apart. Errors are relative and true ones: of
walkers their medians over seeds, with quartiles; the other methods have no seeds, and quartiles of their seconds only. What a
method cannot do is listed with its reason. The result is written after every method; docs/methods.md has the table of the end.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from functools import reduce
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import quad

import randwalk as rw

DIMENSIONS = (1, 2, 3, 6, 10)
LATTICE = 3  # dimensions at most that a lattice has
A, D, T = 1.0, 0.5, 0.25
EDGES = np.array([-1.0, -0.5, 0.5, 1.0])  # between the sites of lattices of 2/(odd number)
QUANTITIES = ("value at a point", "whole density", "first passage")
METHODS = (
    "walkers on a lattice", "occupation", "exact law", "solver", "Itô walkers", "expectation", "closed form",
)  # fmt: skip
SEEDED = ("walkers on a lattice", "occupation", "Itô walkers", "expectation")
WALKERS = (10**2, 10**3, 10**4, 10**5, 10**6)
COUNTED = 10**10  # walkers of occupation
TOLERANCES = (3e-2, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
SITES = {1: (5, 9, 17, 33, 65, 129), 2: (5, 9, 17, 33, 65), 3: (5, 9, 17, 33)}  # in a length of 1
OCCUPIED = {1: (5, 9, 17, 33, 65), 2: (5, 9, 17, 33), 3: (5, 9)}
SITES_OF_WALKERS, LIMIT = 17, 4.0  # seconds: no method is asked for more after a run of so many

WANTED = 1e-2  # error of the table

Answers = tuple[float | None, Any, float | None]  # in the order of the quantities; None where there is none


def density(x: float) -> float:
    """Of one axis at the time T: Σ sin(k π(x+1)/2) sin(kπ/2) exp(-D(kπ/2)²T), tilted by the drift (Girsanov)."""
    k = np.arange(1, 60)
    modes = np.sin(k * np.pi * (x + 1) / 2) * np.sin(k * np.pi / 2) * np.exp(-D * (k * np.pi / 2) ** 2 * T)
    return float(np.exp(A * x / (2 * D) - A**2 * T / (4 * D)) * modes.sum())


def along_an_axis(pdf: Callable[[float], float]) -> tuple[float, np.ndarray, float]:
    """The three answers in one dimension."""
    masses = np.array([quad(pdf, a, b, epsabs=1e-13)[0] for a, b in pairwise(EDGES)])
    return quad(lambda x: np.cos(np.pi * x / 2) * pdf(x), -1, 1, epsabs=1e-13)[0], masses, float(masses.sum())


def product(d: int, axis: tuple[float, np.ndarray, float]) -> Answers:
    return axis[0] ** d, reduce(np.multiply.outer, [axis[1]] * d), axis[2] ** d


def payoff(*x: Any) -> Any:
    return reduce(np.multiply, [np.cos(np.pi / 2 * v) for v in x])


def formula(d: int) -> Any:
    names = [*"xyz", *(f"x[{i}]" for i in range(3, d))][:d]
    return rw.expression("*".join(f"cos(pi/2*{name})" for name in names))


def vector(d: int, value: float) -> Any:
    return value if d == 1 else (value,) * d


def equation_in(d: int) -> rw.pde.FokkerPlanck:
    side = rw.Interval(-1.0, 1.0, rw.Absorbing(), rw.Absorbing())
    return rw.pde.FokkerPlanck(vector(d, A), D, domain=side if d == 1 else side**d, start=vector(d, 0.0))


def asked(law: Any, d: int) -> Answers:
    """The three answers of a law or an ensemble."""
    found = law.expect(payoff, T), law.mass(EDGES if d == 1 else [EDGES] * d, T), law.survival(T)
    plain = [np.asarray(getattr(answer, "value", answer), float) for answer in found]
    return float(plain[0]), plain[1], float(plain[2])


def relative(answers: Answers, true: Answers) -> list[float | None]:
    return [
        None if mine is None else float(np.sqrt(np.mean((mine - exact) ** 2) / np.mean(np.square(exact))))
        for mine, exact in zip(answers, true, strict=True)
    ]


def runs(method: str, d: int) -> Iterator[tuple[float, Callable[[int], Answers]]]:
    """Sizes, and what is computed from a seed."""
    equation = equation_in(d)

    def lattice(sites: int) -> rw.LatticeWalk:
        return rw.pde.walk_for(equation, dx=1 / sites, times=[T])

    def simulated(walk: Any, walkers: int, seed: int, **options: Any) -> Answers:
        return asked(rw.simulate(walk, walkers, [T], seed=seed, threads=1, **options), d)

    def at_points(tolerance: float, seed: int) -> Answers:
        of_payoff, of_one = (
            rw.pde.expectation(equation, f, vector(d, 0.0), T, tolerance=tolerance * size, seed=seed, threads=1)
            for f, size in ((formula(d), 0.75**d), (1.0, 0.85**d))
        )
        return float(of_payoff.value), None, float(of_one.value)

    if method == "walkers on a lattice" and d <= LATTICE:
        walk = lattice(SITES_OF_WALKERS)
        yield from ((n, lambda seed, n=n: simulated(walk, n, seed, method="paths")) for n in WALKERS)
    if method == "occupation" and d <= LATTICE:
        yield from (
            (m, lambda seed, m=m: simulated(lattice(m), COUNTED, seed, method="occupation")) for m in OCCUPIED[d]
        )
    if method == "exact law" and d <= LATTICE:
        yield from ((m, lambda seed, m=m: asked(rw.pde.exact_law(lattice(m), [T]), d)) for m in SITES[d])
    if method == "solver" and d <= LATTICE:
        yield from ((e, lambda seed, e=e: asked(rw.pde.solve(equation, [T], tolerance=e), d)) for e in TOLERANCES)
    if method == "Itô walkers":
        ito = rw.ItoWalk(vector(d, A), D, dt=T / 8, domain=equation.domain, start=vector(d, 0.0))
        yield from ((n, lambda seed, n=n: ito_walkers(ito, n, seed, d)) for n in WALKERS)
    if method == "expectation":
        yield from ((e, lambda seed, e=e: at_points(e, seed)) for e in TOLERANCES[:4])
    if method == "closed form":
        one = equation_in(1)
        yield 0, lambda seed: product(d, along_an_axis(lambda x: float(rw.pde.closed_form(one).pdf(x, T))))


def ito_walkers(walk: rw.ItoWalk, walkers: int, seed: int, d: int) -> Answers:
    """From the places of the walkers, on a wall for those that left: bins of ten axes would fill the memory."""
    x = rw.trajectories(walk, walkers, [T], seed=seed).x[0].reshape(walkers, d)
    x = x[(np.abs(x) < 1.0).all(axis=1)]
    number = np.ravel_multi_index(tuple(np.searchsorted(EDGES[1:-1], x).T), (3,) * d)
    masses = np.bincount(number, minlength=3**d).reshape((3,) * d) / walkers
    return float(payoff(*x.T).sum() / walkers), masses, len(x) / walkers


def why_not(method: str, d: int, quantity: str) -> str:
    if d > LATTICE and method not in ("Itô walkers", "expectation", "closed form"):
        return f"no lattice: 17^{d} sites"
    if quantity == QUANTITIES[1] and method == "expectation":
        return "gives values one at a time"
    return ""


def measured(method: str, d: int, seeds: int, limit: float) -> Iterator[dict[str, Any]]:
    """The rows of a method in one dimension, a row for each size and quantity."""
    true, repeats = product(d, along_an_axis(density)), seeds if method in SEEDED else 3
    for number, (size, compute) in enumerate(runs(method, d)):
        if number == 0:
            compute(0)  # compiled
        seconds, errors = [], []
        for seed in range(1, repeats + 1):
            begun = time.process_time()
            answers = compute(seed)
            seconds.append(time.process_time() - begun)
            errors.append(relative(answers, true))
            if sum(seconds) > limit:
                break
        for quantity, values in zip(QUANTITIES, zip(*errors, strict=True), strict=True):
            if values[0] is not None:
                quartiles = [np.percentile(data, (25, 50, 75)).tolist() for data in (seconds, values)]
                yield {
                    "method": method, "dimension": d, "quantity": quantity, "size": size,
                    "seconds": quartiles[0], "error": quartiles[1],
                }  # fmt: skip
        if np.median(seconds) > limit / 8:
            break


def device() -> str:
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{(names or [platform.processor() or platform.machine()])[0]}, one of {os.cpu_count()} threads"


def lines(found: dict[str, Any]) -> str:
    """JSON with a line for every row."""
    text = json.dumps(found, ensure_ascii=False)
    return text.replace('{"method"', '\n{"method"').replace('{"dimension"', '\n{"dimension"') + "\n"


def table(found: dict[str, Any]) -> str:
    """Markdown: the fewest seconds in which a method had an error of at most WANTED, else its smallest error, in brackets."""
    text = ["| | | " + " | ".join(METHODS) + " |", "|---|---" + "|---:" * len(METHODS) + "|"]
    for quantity in QUANTITIES:
        for d in DIMENSIONS:
            entries = []
            for method in METHODS:
                here = (quantity, d, method)
                runs_ = [row for row in found["rows"] if (row["quantity"], row["dimension"], row["method"]) == here]
                within = [row["seconds"][1] for row in runs_ if row["error"][1] <= WANTED]
                least = min((row["error"][1] for row in runs_), default=None)
                reached = "–" if least is None else f"({float(f'{100 * least:.1g}'):g} %)"
                entries.append(f"{min(within):.1g} s" if within else reached)
            text.append(f"| {quantity if d == 1 else ''} | {d} | " + " | ".join(entries) + " |")
    return "\n".join(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7, help="seeds of walkers")
    parser.add_argument("--small", action="store_true", help="no run of more than half a second")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    cells = [(d, method) for d in DIMENSIONS for method in METHODS]
    empty = [
        {"dimension": d, "method": method, "quantity": quantity, "why": why_not(method, d, quantity)}
        for d, method in cells for quantity in QUANTITIES if why_not(method, d, quantity)
    ]  # fmt: skip
    load, rows = os.getloadavg()[0], []
    for d, method in cells:
        begun = time.process_time()
        rows += list(measured(method, d, given.repeats, 0.5 if given.small else LIMIT))
        print(f"{d:2} dimensions, {method}: {time.process_time() - begun:.1f} s", flush=True)
        found = {
            "device": device(), "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "versions": {"randwalk": rw.__version__, "python": platform.python_version(), "numpy": np.__version__},
            "load before": load, "load after": os.getloadavg()[0], "repeats": given.repeats, "small": given.small,
            "rows": rows, "empty": empty,
        }  # fmt: skip
        if given.json is not None:
            given.json.write_text(lines(found), encoding="utf-8")
    print(table(found))


if __name__ == "__main__":
    main()
