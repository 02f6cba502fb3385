"""
Three rungs of convergence
==========================

Each error is measured alone, for a drift between two absorbing walls. Top: N walkers against the exact law P of their
walk, sampling error, which falls as N^(-1/2); the mean of several runs, whose standard error is smaller than the points.
Middle: the exact law against the closed form, step error, which falls as dx², and as dx⁴ where s = 2D dt/dx² is 1/3 and
the variance of a step is exact. Bottom: finite differences against the closed form, in eight classes of mass m, grid
error, which falls as the square of the cell. The slopes are fitted to the points.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS

T, A, D = 0.25, 1.0, 0.5


def fit(ax: Axes, size: np.ndarray, error: np.ndarray, name: str, text: str = "", marker: str = "o") -> None:
    """Draw the points, the power law fitted to them, and its slope."""
    slope, height = np.polyfit(np.log(size), np.log(error), 1)
    ax.loglog(size, np.exp(height) * size**slope, color=COLOURS[name], lw=0.8)
    ax.loglog(size, error, marker, color=COLOURS[name])
    middle = (size.size - 1) // 2
    text = f"{text}slope ${slope:.2f}$"
    ax.annotate(text, (size[middle], error[middle]), (6, 4), textcoords="offset points", color=COLOURS[name])


def figure(quick: bool = False) -> Figure:
    fig, (top, middle, bottom) = plt.subplots(3, 1, figsize=(3.5, 5.2))
    equation = rw.pde.FokkerPlanck(drift=A, diffusion=D, domain=rw.Interval(-1, 1, rw.Absorbing(), rw.Absorbing()))
    form = rw.pde.closed_form(equation)

    walk = rw.pde.walk_for(equation, dx=1 / 8, dt=1 / 192)
    exact, walkers, runs = rw.pde.exact_law(walk, [T]), 10 ** np.arange(2, 6 if quick else 10), 4 if quick else 30
    ensembles = [
        [rw.simulate(walk, int(n), [T], seed=seed, method="occupation") for seed in range(runs)] for n in walkers
    ]
    distance = np.array([[np.abs(e.counts / e.walkers - exact.pmf).sum() for e in row] for row in ensembles])
    mean, spread = distance.mean(axis=1), distance.std(axis=1)
    fit(top, walkers, mean, "walk")
    top.errorbar(walkers, mean, spread / np.sqrt(runs), fmt="o", color=COLOURS["walk"])
    top.set(xlabel="number of walkers $N$", ylabel=r"sampling: $\Sigma\,|n/N - P|$")

    sites = np.array([4, 8, 16, 32])
    for s, text, marker in ((2 / 3, "$s = 2/3$: ", "s"), (1 / 3, "$s = 1/3$: ", "o")):
        walks = [rw.pde.walk_for(equation, dx=1 / n, dt=s / n**2 / (2 * D)) for n in sites]
        laws = [rw.pde.exact_law(walk, [T]).density(T) for walk in walks]
        fit(middle, sites, np.array([np.abs(rho - form.pdf(x, T)).max() for x, rho in laws]), "exact law", text, marker)
    middle.set(xlabel="sites per unit length $1/dx$", ylabel=r"step: $\max\,|\rho - \rho_{\rm pde}|$")
    middle.set_xticks(sites, [str(n) for n in sites], minor=False)

    cells, edges = 2 ** np.arange(5, 8 if quick else 11), np.linspace(-1, 1, 9)
    masses = [rw.pde.solve(equation, [T], cells=int(n)).mass(edges, T) for n in cells]
    fit(bottom, cells, np.array([np.abs(m - form.mass(edges, T)).max() for m in masses]), "finite differences")
    bottom.set(xlabel="cells of the grid", ylabel=r"grid: $\max\,|m - m_{\rm pde}|$")
    bottom.set_xticks(cells, [str(n) for n in cells])
    for ax in (middle, bottom):
        ax.xaxis.minorticks_off()
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
