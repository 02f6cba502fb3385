"""
Stochastic gradient descent is a biased walk
============================================

A parameter x descends the loss L = x⁴/4 - x²/2 + x/20 by steps η along gradients of mini-batches of B data, whose noise
has variance σ²/B. The descent itself, run here, is a walk with drift -L' and D = ησ²/2B: the batch size is an inverse
temperature. Descents (in the second half of their steps; errors smaller than the squares) and walkers, with standard
errors, lie on the stationary law of the walk, up to terms of order η: with small batches descents cross between the
minima, with large ones they stay near the minima, most of them near the deeper one.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS

RATE, SIGMA = 0.01, 12.0  # η, and the standard deviation of the gradient of one datum


def descend(batch: int, runs: int, steps: int, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error, over the runs, of the time in each bin after half the steps. A datum's gradient is L' ± σ."""
    rng = np.random.default_rng(batch)
    x = np.where(np.arange(runs) % 2, 1.0, -1.0)
    visits = np.zeros((runs, edges.size + 1))
    for step in range(steps):
        noise = SIGMA * (2 * rng.binomial(batch, 0.5, runs) / batch - 1)
        x = x - RATE * (x**3 - x + 0.05 + noise)
        if step >= steps // 2:  # by then the start has no influence
            visits[np.arange(runs), np.searchsorted(edges, x)] += 2 / steps
    return visits[:, 1:-1].mean(axis=0), visits[:, 1:-1].std(axis=0) / np.sqrt(runs)


def figure(quick: bool = False) -> Figure:
    runs, steps = (100, 1000) if quick else (300, 20_000)
    edges = np.linspace(-2.1, 2.1, 29)
    width, centre = edges[1] - edges[0], (edges[1:] + edges[:-1]) / 2
    fig, axes = plt.subplots(3, 1, figsize=(3.5, 4.6), sharex=True)
    for ax, batch in zip(axes, (2, 4, 8), strict=True):
        diffusion = RATE * SIGMA**2 / (2 * batch)
        walk = rw.LatticeWalk.from_drift(
            drift=rw.expression("x - x**3 - 0.05"), diffusion=diffusion, sites=120, times=[RATE * steps],
            domain=rw.Interval(-3, 3, rw.Reflecting(), rw.Reflecting()), start=rw.Sites([-1, 1], [0.5, 0.5]),
            rule=rw.Rule.FITTED,
        )  # fmt: skip
        rho = rw.simulate(walk, 10_000, [RATE * steps], seed=1).density(RATE * steps)[::3]
        ax.plot(*rw.pde.stationary_law(walk).density(), color=COLOURS["exact law"], label="stationary law")
        bars = {"fmt": "o", "color": COLOURS["walk"], "lw": 0.8, "label": "walkers"}
        ax.errorbar(rho.x, rho.value, rho.error, **bars)
        mean, error = descend(batch, runs, steps, edges)
        bars |= {"fmt": "s", "mfc": "white", "color": COLOURS["data"], "label": "descents"}
        ax.errorbar(centre, mean / width, error / width, **bars)
        ax.set(ylabel=r"density $\rho(x)$", xlim=(-2.1, 2.1), ylim=(0, None))
        words = f"$B = {batch}$\n$D = {diffusion:.2f}$"
        ax.text(0.0, 0.97, words, transform=ax.get_xaxis_transform(), ha="center", va="top")
    axes[0].set_ylim(0, 0.85)
    words = f"$10^4$ walkers\n{runs} descents\n$\\eta = {RATE}$, $\\sigma = {SIGMA:g}$"
    axes[2].text(2.1, 0.97, words, transform=axes[2].get_xaxis_transform(), ha="right", va="top")
    axes[0].legend(loc="upper right", labelcolor="linecolor", borderaxespad=0)
    axes[-1].set_xlabel("parameter $x$")
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
