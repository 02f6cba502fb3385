"""Are p-values of a true null uniform? Over thousands of seeds, for every kind of test: ``python -m benchmarks.p_values``.

Each study draws a sample of a law again and again and compares it with that law. Its p-values must be uniform, by the
Kolmogorov–Smirnov test of them, or, where the statistic has atoms (few counts, distances between places on sites or in bins,
smallest p-values of a family that are adjusted by Holm), P(p ≤ α) ≤ α for all α, by the one-sided test. The whole table has a row
that fails with a probability of at most RATE if all is right, whatever depends on what.

    python -m benchmarks.p_values [--seeds 2000] [--first 0] [--out benchmarks/p_values.txt]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

import randwalk as rw
from randwalk.validate import Comparison, MeasuredCounts, Samples, compare

Floats = NDArray[np.float64]

SEEDS = 2000
RATE = 1e-3  # the probability that a row fails although all is right
FAMILY = "smallest p, adjusted"
TIMES = (1.0, 2.0, 4.0)
HEAT = rw.pde.closed_form(rw.pde.FokkerPlanck(0.0, 0.5))
PLANE = rw.pde.closed_form(rw.pde.FokkerPlanck((0.0, 0.0), 0.5, domain=rw.Line() ** 2, start=(0.0, 0.0)))
DEADLINE = 2.0


@dataclass(frozen=True)
class Study:
    """A comparison of a sample, drawn with a seed, with the law that it is of; the tests whose p-values are `uniform`, to the
    error of limit laws, where others are bounds."""

    name: str
    drawn: Callable[[int], Comparison]
    uniform: tuple[str, ...] = ("chi²",)


@dataclass(frozen=True)
class Row:
    """The p-values of one check over the seeds, and the p-value of their test."""

    study: str
    check: str
    uniform: bool
    p: Floats

    @property
    def verdict(self) -> float:
        """The probability of p-values as far from uniform, or as far below it where they are bounds."""
        test = stats.kstest(self.p, "uniform", alternative="two-sided" if self.uniform else "greater")
        return float(test.pvalue)


def normal(seed: int, n: int, *space: int) -> Floats:
    return np.random.default_rng(seed).normal(size=(n, *space))


def brownian(seed: int, n: int) -> Samples:
    """The same walkers at all times, whose checks depend on each other."""
    lags = np.sqrt(np.diff(TIMES, prepend=0.0))[:, None]
    return Samples(np.cumsum(lags * normal(seed, 3 * n).reshape(3, n), axis=0), TIMES)


@dataclass(frozen=True)
class Decision:
    """The law of leaving between two bounds, in a table: what is drawn and what it is compared with."""

    times: Floats
    passed: dict[str, Floats]

    @classmethod
    def made(cls) -> Decision:
        walls = rw.Interval(-1.0, 1.0, rw.Absorbing(), rw.Absorbing())
        law = rw.pde.closed_form(rw.pde.FokkerPlanck(0.5, 0.5, domain=walls, start=0.0))
        times = np.linspace(0.0, DEADLINE, 2001)
        return cls(times, {exit: np.append(0.0, law.absorbed(exit, times[1:])) for exit in ("left", "right")})

    @property
    def exits(self) -> tuple[str, ...]:
        return tuple(self.passed)

    def absorbed(self, exit: str, t: Floats) -> Floats:
        return np.interp(t, self.times, self.passed[exit])

    def draw(self, seed: int, n: int = 400) -> rw.FirstPassageTimes:
        """Exits and times up to the deadline, by inversion."""
        u, (low, high) = np.random.default_rng(seed).random(n), (float(curve[-1]) for curve in self.passed.values())
        exits = np.where(u < low, "left", np.where(u < low + high, "right", ""))
        left, right = (np.interp(v, self.passed[exit], self.times) for v, exit in ((u, "left"), (u - low, "right")))
        times = np.where(exits == "left", left, np.where(exits == "right", right, DEADLINE))
        return rw.FirstPassageTimes(times, exits, exits == "")


def counts(seed: int, n: int = 300) -> MeasuredCounts:
    """Numbers found in eight classes, of those that are in one."""
    edges = np.linspace(-2.0, 2.0, 9)
    shares = np.diff(stats.norm.cdf(edges))
    found = np.random.default_rng(seed).multinomial(n, shares / shares.sum())
    return MeasuredCounts(edges[:-1], edges[1:], found, 1.0)


def steps(seed: int, n: int) -> Samples:
    return Samples(2.0 * np.random.default_rng(seed).binomial(16, 0.5, size=n) - 16.0, 16.0)


def two_samples(seed: int, n: int, m: int) -> Comparison:
    return compare(Samples(normal(seed, n)), Samples(normal(seed + 10**6, m)))


def studies() -> Iterator[Study]:
    """One study for each kind of test."""
    free = rw.LatticeWalk(0.3, 0.2, dx=1.0, dt=1.0)
    law = rw.pde.exact_law(free, [30])

    def run(seed: int, method: str) -> Comparison:
        return compare(rw.simulate(free, 2000, [30], seed=seed, method=method), law)

    for method in ("paths", "occupation"):
        yield Study(f"lattice walk by {method}", partial(run, method=method))
    walls = rw.Interval(0.0, 8.0, rw.Absorbing(), rw.Absorbing())
    bounded = rw.LatticeWalk(0.3, 0.2, dx=1.0, dt=1.0, domain=walls, start=4.0)
    first, passing = rw.FirstPassage(), rw.pde.exact_law(bounded, range(1, 31))
    yield Study(
        "passages of a lattice walk",
        lambda s: compare(rw.simulate(bounded, 2000, [30], seed=s, method="paths", record=[first]), passing),
    )
    ito, bins = rw.ItoWalk(drift=0.0, diffusion=0.5, dt=1.0, start=0.0), np.linspace(-3.0, 3.0, 25)
    yield Study("Itô walk", lambda s: compare(rw.simulate(ito, 2000, [1.0], seed=s, bins=bins), HEAT))
    decision = Decision.made()
    yield Study("passage times by exit", lambda s: compare(decision.draw(s), decision))
    yield Study("counts in classes", lambda s: compare(counts(s), HEAT))
    yield Study("plain samples", lambda s: compare(Samples(normal(s, 2000), 1.0), HEAT))
    yield Study("plain samples in the plane", lambda s: compare(Samples(normal(s, 2000, 2), 1.0), PLANE))
    yield Study("plain samples at three times", lambda s: compare(brownian(s, 1000), HEAT))
    few: tuple[str, ...] = ()
    coin = rw.pde.exact_law(rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, dt=1.0), [16])
    yield Study("20 samples", lambda s: compare(Samples(normal(s, 20), 1.0), HEAT), few)
    yield Study("20 samples on sites", lambda s: compare(steps(s, 20), coin), few)
    for n, m, uniform in ((3000, 1000, ("chi²",)), (20, 20, few)):
        yield Study(f"two samples of {n} and {m}", partial(two_samples, n=n, m=m), uniform)


def table(seeds: range) -> list[Row]:
    """The p-values of all checks of all studies, and of each family the smallest adjusted one."""
    rows = []
    for study in studies():
        found: dict[tuple[str, bool], list[float]] = {}
        for seed in seeds:
            told = study.drawn(seed)
            for check in told.checks:
                uniform = check.test in study.uniform
                found.setdefault((f"{check.name}: {check.test}", uniform), []).append(check.p_value)
            found.setdefault((FAMILY, False), []).append(told.p_value)
        rows += [Row(study.name, check, uniform, np.array(p)) for (check, uniform), p in found.items()]
    return rows


def written(rows: list[Row]) -> str:
    """The table as text; `limit` is that of the last column."""
    lines = [
        f"{'study':30} {'check':36} {'seeds':>5} {'p<0.01':>6} {'p<0.1':>6} {'mean':>6} {'must be':>8} {'p of p':>8}"
    ]
    for row in rows:
        small = [float((row.p < level).mean()) for level in (0.01, 0.1)]
        kind = "uniform" if row.uniform else "bound"
        lines.append(
            f"{row.study:30} {row.check:36} {row.p.size:5} {small[0]:6.3f} {small[1]:6.3f} {row.p.mean():6.3f} {kind:>8} "
            f"{row.verdict:8.2g}"
        )
    return "\n".join([*lines, f"limit of the last column, of {len(rows)} rows: {RATE / len(rows):.2g}"]) + "\n"


def wrong(rows: list[Row]) -> list[Row]:
    """The rows whose p-values are not what they must be."""
    return [row for row in rows if row.verdict < RATE / len(rows)]


def main() -> None:
    """Write the table; status 1 if a row is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows = table(range(given.first, given.first + given.seeds))
    print(written(rows), end="")
    if given.out:
        given.out.write_text(written(rows), encoding="utf-8")
    sys.exit(bool(wrong(rows)))


if __name__ == "__main__":
    main()
