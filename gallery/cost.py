"""
What an error costs
===================

One number, E[cos(πX/2)] over all walkers, those absorbed counting 0, at t = ¼ for a drift between two absorbing walls,
computed by three means: its error against the seconds that it took on the machine that drew this figure (best of three).
Every digit costs walkers a hundredfold; the exact law of the fourth-order walk gets it from a finer lattice, and so do finite
differences. For walkers the error is their standard error. In one dimension walking is not the way to many digits.
"""

from collections.abc import Callable
from functools import partial
from timeit import repeat

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy.integrate import quad

import randwalk as rw
from randwalk.plotting import COLOURS

T = 0.25


def timed(compute: Callable[[], float]) -> tuple[float, float]:
    """The shortest of three durations, and the error that was computed."""
    return min(repeat(compute, number=1, repeat=3)), compute()


def figure(quick: bool = False) -> Figure:
    def f(x: np.ndarray) -> np.ndarray:
        return np.cos(np.pi * x / 2)

    walls = rw.Interval(-1, 1, rw.Absorbing(), rw.Absorbing())
    equation = rw.pde.FokkerPlanck(drift=1.0, diffusion=0.5, domain=walls)
    form = rw.pde.closed_form(equation)
    true = quad(lambda x: f(x) * form.pdf(x, T), -1, 1, epsabs=1e-13)[0]

    def walk(sites: int) -> rw.LatticeWalk:
        return rw.pde.walk_for(equation, dx=1 / sites, dt=1 / (3 * sites**2))

    def by_walkers(walkers: int) -> float:
        return float(rw.simulate(walk(16), walkers, [T], method="paths").expect(f, T).error)

    def by_law(sites: int) -> float:
        return abs(rw.pde.exact_law(walk(sites), [T]).expect(f, T) - true)

    def by_differences(cells: int) -> float:
        solution = rw.pde.solve(equation, [T], cells=cells)
        return abs(float(np.mean(solution.density * f(solution.x))) * 2 - true)

    fig, ax = plt.subplots(figsize=(3.5, 3.0))
    for name, compute, sizes, marker in (
        ("walk", by_walkers, 10 ** np.arange(2, 5 if quick else 7), "o"),
        ("exact law", by_law, 4 * 2 ** np.arange(4), "s"),
        ("finite differences", by_differences, 16 * 2 ** np.arange(4 if quick else 8), "^"),
    ):
        seconds, errors = np.array([timed(partial(compute, int(n))) for n in sizes]).T
        ax.loglog(seconds, errors, marker, ls="-", color=COLOURS[name], lw=0.8)
        ax.annotate(name, (seconds[-1], errors[-1]), (6, 0), textcoords="offset points", color=COLOURS[name])
    ax.set(xlabel="duration (s)", ylabel=r"error of $E[\cos(\pi X/2)]$")
    ax.set_xlim(right=60)
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
