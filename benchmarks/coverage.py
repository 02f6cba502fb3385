"""How often 95 % intervals of :func:`randwalk.fit` cover the truth, over simulated data: ``python -m benchmarks.coverage``.

Data come from formulas of their own (NumPy's inverse Gaussian and normal numbers, and a walk between two bounds by inversion of
the series of Navarro and Fuss, J. Math. Psychol. 53, 222, 2009), not from the laws that are fitted. An interval is the estimate
± 1.96 standard errors, or the profile interval: it covers where 2(log L_max - log L) ≤ 3.84 at the truth, the other parameters at
their maximum.

    python -m benchmarks.coverage [--repetitions 1000] [--study NAME ...] [--out benchmarks/results/coverage.json]

Rows of studies that are not asked for stay in the file as they are.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

import randwalk as rw
from randwalk.likelihood.maximum import refined

LEVEL = 0.95


@dataclass(frozen=True)
class Study:
    """A model, its true parameters, and data drawn with them."""

    name: str
    model: Callable[..., Any]
    truth: Mapping[str, float]
    draw: Callable[[np.random.Generator], Any]
    share: float = 1.0  # of the repetitions


def half_line(v: float, D: float) -> Any:
    """Walkers that drift onto a wall one unit away."""
    return rw.pde.FokkerPlanck(drift=-v, diffusion=D, domain=rw.Interval(0.0, np.inf, rw.Absorbing()), start=1.0)


def passages(rng: np.random.Generator, n: int = 200, deadline: float = np.inf) -> Any:
    """Inverse Gaussian times with v = 1 and D = 1/4: mean 1 and shape 2."""
    times = rng.wald(1.0, 2.0, n)
    late = times > deadline
    return rw.FirstPassageTimes(np.minimum(times, deadline), np.where(late, "", "left"), late)


def two_bounds(v: float, a: float) -> Any:
    """A choice between two bounds, σ² = 1."""
    domain = rw.Interval(-a, a, rw.Absorbing(), rw.Absorbing())
    return rw.pde.FokkerPlanck(drift=v, diffusion=0.5, domain=domain)


def choices(rng: np.random.Generator, n: int = 400, v: float = 1.0, a: float = 1.0, offset: float = 0.3) -> Any:
    """Times and sides by inversion: the side first, and then, as the start is in the middle, the time of either side alike."""
    t = np.linspace(0.0, 12.0 * a * a, 40_001)[1:]
    u = t / (2.0 * a) ** 2
    k = np.arange(-8, 9)[:, None]
    series = ((0.5 + 2 * k) * np.exp(-((0.5 + 2 * k) ** 2) / (2.0 * u))).sum(axis=0) / np.sqrt(2.0 * np.pi * u**3)
    late = (np.arange(1, 30)[:, None] * np.sin(0.5 * np.pi * np.arange(1, 30)[:, None])
            * np.exp(-0.5 * (np.pi * np.arange(1, 30)[:, None]) ** 2 * u)).sum(axis=0) * np.pi  # fmt: skip
    density = np.where(u < 0.3, series, late) * np.exp(-0.5 * v * v * t)
    below = np.append(0.0, np.cumsum(density))
    times = np.interp(rng.random(n) * below[-1], below, np.append(0.0, t)) + offset
    right = rng.random(n) < 1.0 / (1.0 + np.exp(-2.0 * v * a))
    return rw.FirstPassageTimes(times, np.where(right, "right", "left"), offset="t0")


def line(v: float, D: float) -> Any:
    """A drifting walker on the line."""
    return rw.pde.FokkerPlanck(drift=v, diffusion=D)


def classes(rng: np.random.Generator, n: int = 300) -> Any:
    """Places at t = 2 with v = 0.5 and D = 0.4, in classes of 0.5 between -3 and 5."""
    edges = np.arange(-3.0, 5.25, 0.5)
    counts = np.histogram(rng.normal(1.0, np.sqrt(1.6), n), edges)[0]
    return rw.validate.MeasuredCounts(edges[:-1], edges[1:], counts, time=2.0)


def column(V: float, D: float) -> Any:
    """A tracer that enters a column with the water, by reversed time: a wall with the reactivity V."""
    return rw.pde.FokkerPlanck(
        drift=-V, diffusion=D, domain=rw.Interval(0.0, np.inf, rw.PartiallyAbsorbing(V)), start=11.0
    )


def breakthrough(rng: np.random.Generator) -> Any:
    """Lapidus and Amundson's curve of a flux inlet at three depths, V = 2.5, D = 0.13, with normal errors of 0.01."""
    from scipy.special import erfc, erfcx

    V, D, sigma = 2.5, 0.13, 0.01
    depths = np.repeat([11.0, 17.0, 23.0], 20)
    times = np.concatenate([z / V * np.linspace(0.8, 1.2, 20) for z in (11.0, 17.0, 23.0)])
    s = np.sqrt(4.0 * D * times)
    near, far = (depths - V * times) / s, (depths + V * times) / s
    gauss = np.exp(-near * near)
    mixed = V * np.sqrt(times / (np.pi * D)) - 0.5 * (1.0 + V * depths / D + V * V * times / D) * erfcx(far)
    values = 0.5 * erfc(near) + gauss * mixed
    return rw.validate.MeasuredCurve(times, values + rng.normal(0.0, sigma, times.size), depths, "left", "sigma")


STUDIES = (
    Study("half-line, 200 passages", half_line, {"v": 1.0, "D": 0.25}, passages),
    Study("half-line, 200 walkers, a third censored", half_line, {"v": 1.0, "D": 0.25},
          lambda rng: passages(rng, deadline=1.15)),
    Study("two bounds, 400 choices", two_bounds, {"v": 1.0, "a": 1.0, "t0": 0.3}, choices, 0.5),
    Study("300 counts in 16 classes", line, {"v": 0.5, "D": 0.4}, classes),
    Study("breakthrough at three depths", column, {"V": 2.5, "D": 0.13, "sigma": 0.01}, breakthrough, 0.5),
)  # fmt: skip

NAMES = [study.name for study in STUDIES]


def covered(study: Study, seed: int) -> dict[str, tuple[bool, bool]]:
    """Whether the interval of the errors, and the profile interval, of each parameter cover the truth."""
    found = rw.fit(study.draw(np.random.default_rng([seed, 16])), study.model, study.truth)
    result = {}
    for i, (name, true) in enumerate(study.truth.items()):
        low, high = found[name].interval(LEVEL)
        rest, others = found.objective.without(name, true), np.arange(found.values.size) != i
        begin = found.values[others] + found.information.following(i) * (true - found.values[i])
        best = rest(refined(rest, begin, found.information.part(others).basis))
        result[name] = low <= true <= high, 2.0 * (found.log_likelihood - best) <= stats.chi2.ppf(LEVEL, 1)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--study", nargs="+", choices=NAMES, help="only these")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("error", UserWarning)
    rows = []
    for study in (study for study in STUDIES if study.name in (given.study or NAMES)):
        begun, n = time.process_time(), int(given.repetitions * study.share)
        outcomes = [covered(study, seed) for seed in range(n)]
        for name in study.truth:
            errors, profile = (sum(one[name][kind] for one in outcomes) / n for kind in (0, 1))
            rows.append(
                {"study": study.name, "parameter": name, "repetitions": n, "errors": errors, "profile": profile}
            )
            print(f"{study.name:42} {name:6} {errors:7.1%} {profile:7.1%}", flush=True)
        print(f"  {n} repetitions, {(time.process_time() - begun) / n:.2f} s each", flush=True)
    if given.out is not None:
        held = json.loads(given.out.read_text(encoding="utf-8"))["coverage"] if given.out.exists() else []
        now = {row["study"] for row in rows}
        rows = sorted(
            (*rows, *(row for row in held if row["study"] not in now)), key=lambda row: NAMES.index(row["study"])
        )
        made = {"level": LEVEL, "seeds": "[repetition, 16]", "coverage": rows}
        given.out.parent.mkdir(exist_ok=True)
        given.out.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
