"""
What an error costs
===================

One number, E[cos(πX/2)] over all walkers, those absorbed counting 0, at t = ¼ for a drift between two absorbing walls,
computed by four methods: the error against the seconds of the computation on the machine that drew this figure (median and
range of seven). A further digit costs a hundred times as many walkers moved one by one. More walkers counted on their sites
(occupation) cost nothing, until the error of their lattice remains. The exact law of the fourth-order walk gains digits by
a finer lattice, until the rounding of its sums remains, near 1e-12; finite differences gain digits by a smaller
tolerance. In one dimension these two win. The error of walkers is their standard error and that of the law of their
lattice.
"""

from functools import partial
from timeit import repeat

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy.integrate import quad

import randwalk as rw
from randwalk.laws.plotting import COLOURS

T = 0.25


def figure(quick: bool = False) -> Figure:
    def f(x: np.ndarray) -> np.ndarray:
        return np.cos(np.pi * x / 2)

    walls = rw.Interval(-1, 1, rw.Absorbing(), rw.Absorbing())
    equation = rw.pde.FokkerPlanck(drift=1.0, diffusion=0.5, domain=walls)
    form = rw.pde.closed_form(equation)
    true = quad(lambda x: f(x) * form.pdf(x, T), -1, 1, epsabs=1e-13)[0]

    def walk(sites: int) -> rw.LatticeWalk:
        return rw.pde.walk_for(equation, dx=1 / sites, dt=1 / (3 * sites**2))

    def by_walkers(walkers: int, method: str) -> float:
        return float(np.hypot(rw.simulate(walk(32), walkers, [T], method=method).expect(f, T).error, lattice))

    def by_law(sites: int) -> float:
        return abs(rw.pde.exact_law(walk(sites), [T]).expect(f, T) - true)

    def by_differences(digits: int) -> float:
        return abs(rw.pde.solve(equation, [T], tolerance=10.0**-digits).expect(f, T) - true)

    lattice = by_law(32)
    one_by_one, counted = partial(by_walkers, method="paths"), partial(by_walkers, method="occupation")
    fig, ax = plt.subplots(figsize=(3.5, 3.2))
    for name, text, compute, sizes, marker in (
        ("walk", "walkers, one by one", one_by_one, 10 ** np.arange(2, 5 if quick else 7), "o"),
        ("walk", "walkers, by occupation", counted, 10 ** np.arange(14, 1, -3), "D"),
        ("exact law", "exact law", by_law, 4 * 2 ** np.arange(3 if quick else 7), "s"),
        ("finite differences", "finite differences", by_differences, np.arange(2, 6 if quick else 11, 2), "^"),
    ):
        errors = [compute(int(n)) for n in sizes]
        timed = np.array([repeat(partial(compute, int(n)), number=1, repeat=7) for n in sizes])
        seconds = np.median(timed, axis=1)
        spread = [seconds - timed.min(axis=1), timed.max(axis=1) - seconds]
        ax.errorbar(seconds, errors, xerr=spread, fmt=marker, color=COLOURS[name], lw=0.8, label=text)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.15, 1.0), ncols=2, labelcolor="linecolor")
    ax.set(xscale="log", yscale="log", xlabel="duration (s)", ylabel=r"error of $E[\cos(\pi X/2)]$", xlim=(None, 8))
    ax.xaxis.set_minor_formatter("")
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
