"""
Stochastic gradient descent is a biased walk
============================================

A parameter x descends the loss L = x⁴/4 - x²/2 + x/20 by steps η along gradients of mini-batches of B data, whose noise
has variance σ²/B. The descent itself, run here, is a walk with drift -L' and D = ησ²/2B: the batch size is an inverse
temperature. Descents and walkers, with standard errors, lie on the stationary law of the walk: small batches cross
between the minima, large ones stay near them, and more of them in the deeper one.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.plotting import COLOURS

RATE, SIGMA = 0.02, 9.0  # η, and the standard deviation of the gradient of one datum


def descend(batch: int, runs: int, steps: int, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error, over the runs, of the fraction of time in each bin. A datum's gradient is L' ± σ."""
    rng = np.random.default_rng(batch)
    x = np.where(np.arange(runs) % 2, 1.0, -1.0)
    visits = np.zeros((runs, edges.size + 1))
    for _ in range(steps):
        noise = SIGMA * (2 * rng.binomial(batch, 0.5, runs) / batch - 1)
        x = x - RATE * (x**3 - x + 0.05 + noise)
        visits[np.arange(runs), np.searchsorted(edges, x)] += 1 / steps
    return visits[:, 1:-1].mean(axis=0), visits[:, 1:-1].std(axis=0) / np.sqrt(runs)


def figure(quick: bool = False) -> Figure:
    runs, steps = (100, 1000) if quick else (300, 10_000)
    edges = np.linspace(-2.1, 2.1, 29)
    width, centre = edges[1] - edges[0], (edges[1:] + edges[:-1]) / 2
    fig, axes = plt.subplots(3, 1, figsize=(3.5, 4.6), sharex=True)
    for ax, batch in zip(axes, (2, 4, 8), strict=True):
        diffusion = RATE * SIGMA**2 / (2 * batch)
        walk = rw.LatticeWalk.from_drift(
            drift=rw.expression("x - x**3 - 0.05"), diffusion=diffusion, sites=61, times=[RATE * steps],
            domain=rw.Interval(-3, 3, rw.Reflecting(), rw.Reflecting()), start=rw.Sites([-1, 1], [0.5, 0.5]),
            rule=rw.Rule.FITTED,
        )  # fmt: skip
        rho = rw.simulate(walk, 10_000, [RATE * steps], seed=1).density(RATE * steps)
        ax.plot(*rw.pde.stationary_law(walk).density(), color=COLOURS["exact law"])
        ax.errorbar(rho.x, rho.value, rho.error, fmt="o", color=COLOURS["walk"], lw=0.8)
        mean, error = descend(batch, runs, steps, edges)
        ax.errorbar(centre, mean / width, error / width, fmt="s", mfc="white", color=COLOURS["data"], lw=0.8)
        ax.set(ylabel=r"density $\rho(x)$", xlim=(-2.1, 2.1), ylim=(0, None))
        ax.text(
            0.0,
            0.97,
            f"$B = {batch}$\n$D = {diffusion:.2f}$",
            transform=ax.get_xaxis_transform(),
            ha="center",
            va="top",
        )
    axes[0].set_ylim(0, 0.75)
    labels = {"data": "□ descent", "walk": "● walkers", "exact law": "stationary law"}
    for y, (name, text) in zip((0.9, 0.75, 0.6), labels.items(), strict=True):
        axes[0].text(0.99, y, text, transform=axes[0].transAxes, color=COLOURS[name], ha="right")
    axes[-1].set_xlabel("parameter $x$")
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
