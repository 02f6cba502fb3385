"""
Pólya: a walker in space may never come home
============================================

The probability of having returned to the origin by step n, of the simple walks in 1, 2 and 3 dimensions. Walkers start
beside a trap at the origin, one step from home. The lines are from the renewal equation P(Sₙ = 0) = Σ f(k) P(Sₙ₋ₖ = 0)
(Feller 1968, XIII.10). In space the probability of ever coming home is 0.3405 (dashed; Pólya 1921, Watson 1939); in one
dimension and two it is 1, and in the plane it comes near as 1 - π/ln n.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy.special import comb

import randwalk as rw
from randwalk.laws.plotting import COLOURS
from randwalk.model.domain import Domain


def simple(dimension: int) -> dict[tuple[int, ...], float]:
    """The steps of the simple walk, ± 1 along one axis."""
    axes = np.eye(dimension, dtype=int)
    return {tuple(step): 0.5 / dimension for step in np.vstack((axes, -axes)).tolist()}


def returned(dimension: int, pairs: int) -> np.ndarray:
    """The probability of a return by step 2, 4, … of the simple walk."""
    m = np.arange(pairs + 1)
    even = comb(2 * m, m) / 4.0**m  # P(S₂ₘ = 0) in one dimension; in the plane its square (two diagonal coordinates)
    if dimension == 2:
        even = even**2
    if dimension == 3:  # Σ over the pairs of steps that are not along z
        even *= np.array([np.sum((comb(n, m) / 3.0**n) ** 2 * comb(2 * m, m) * 1.0) for n in m])
    first = np.zeros(pairs + 1)
    for n in range(1, pairs + 1):
        first[n] = even[n] - first[1:n] @ even[n - 1 : 0 : -1]
    return np.cumsum(first)[1:]


def figure(quick: bool = False) -> Figure:
    walkers, pairs = (1000, 10) if quick else (100_000, 100)
    steps = 2 * np.arange(1, pairs + 1)
    shown = np.unique(np.rint(np.geomspace(1, pairs, 10)).astype(int)) - 1
    fig, ax = plt.subplots(figsize=(3.5, 3.0))
    for dimension, marker in ((1, "o"), (2, "s"), (3, "^")):
        home = (0.0,) * dimension
        half: Domain = rw.Interval(0, np.inf, rw.Absorbing())
        space = rw.Line() ** dimension
        domain = half if dimension == 1 else space.without(rw.Ball(home, 0.5), rw.Absorbing(), name="home")
        beside = (1.0, *home[1:]) if dimension > 1 else 1.0
        walk = rw.LatticeWalk(steps=simple(dimension), dx=1.0, domain=domain, start=beside)
        run = rw.simulate(walk, walkers, steps[shown] - 1, seed=dimension)
        back = 1 - run.survival(steps[shown] - 1)
        line = returned(dimension, pairs)
        ax.semilogx(steps, line, color=COLOURS["closed form"], lw=2)
        ax.errorbar(steps[shown], back.value, back.error, fmt=marker, color=COLOURS["walk"], lw=0.8)
        ax.annotate(f"$d = {dimension}$", (2, line[0]), (0, 4), textcoords="offset points", ha="right")
    free = rw.LatticeWalk(steps=simple(3), dx=1.0)
    ever = rw.pde.hitting_probability(free, (0.0, 0.0, 0.0), start=(1.0, 0.0, 0.0))
    ax.axhline(ever, ls="--", color=COLOURS["exact law"], lw=0.8)
    told = f"dashed: ever, in space, {ever:.4f}"
    ax.text(0.97, 0.04, told, transform=ax.transAxes, ha="right", color=COLOURS["exact law"])
    ax.text(3, 0.93, f"$10^{len(str(walkers)) - 1}$ walkers each", color=COLOURS["walk"])
    ax.text(3, 0.85, "renewal equation", color=COLOURS["closed form"])
    ax.set(xlabel="steps $n$", ylabel="probability of having returned", ylim=(0, 1), xlim=(1.2, None))
    ax.xaxis.set_minor_formatter("")
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
