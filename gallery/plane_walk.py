"""
A walk in the plane and the heat kernel
=======================================

The simple walk in the plane steps right, left, up or down. A path, the ends of 400 walkers, and the circle of radius √(4Dt)
(above). The law of its distance from the start, after n steps of length dx = 1/√n, is close to that of the heat kernel
exp(-r²/4Dt)/(4πDt), D = ¼, t = 1, in bins of the distance (below), although only every second site can be reached after n
steps.
"""

from functools import partial
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS

D, T = 0.25, 1.0


def between(x: np.ndarray, y: np.ndarray, low: float, high: float) -> np.ndarray:
    return (np.hypot(x, y) >= low) & (np.hypot(x, y) < high)


def figure(quick: bool = False) -> Figure:
    n, walkers = (144, 10_000) if quick else (1024, 1_000_000)
    walk = rw.LatticeWalk(right=0.25, left=0.25, up=0.25, down=0.25, dx=n**-0.5, dt=1 / n)
    edges = np.linspace(0, 2.4, 25)
    middle, width = (edges[1:] + edges[:-1]) / 2, edges[1]
    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 4.6), height_ratios=[1.3, 1])
    ends = rw.trajectories(walk, 400, [T], seed=2).x[0]
    top.plot(*ends.T, "o", color=COLOURS["walk"], ms=1.2, alpha=0.5)
    top.plot(*rw.trajectories(walk, 1, np.arange(n + 1) / n, seed=2).x[:, 0].T, color=COLOURS["walk"], lw=0.6)
    angle, radius = np.linspace(0, 2 * np.pi, 100), np.sqrt(4 * D * T)
    top.plot(radius * np.cos(angle), radius * np.sin(angle), color=COLOURS["closed form"], lw=1.5)
    top.text(-2.1, 1.3, r"$r = \sqrt{4Dt}$", color=COLOURS["closed form"])
    top.set(xlabel="$x$", ylabel="$y$", aspect="equal", xlim=(-2.2, 2.2), ylim=(-1.65, 1.65))

    run, law = rw.simulate(walk, walkers, [T], seed=1), rw.pde.exact_law(walk, [T])
    bins = [partial(between, low=low, high=high) for low, high in pairwise(edges)]
    counted = [run.expect(inside, T) for inside in bins]
    expected = np.array([law.expect(inside, T) for inside in bins])
    kernel = -np.diff(np.exp(-(edges**2) / (4 * D * T)))
    bottom.stairs(kernel / width, edges, color=COLOURS["closed form"], lw=2.5)
    bottom.plot(middle, expected / width, "_", color=COLOURS["exact law"], ms=7)
    for r, share in zip(middle, counted, strict=True):
        bottom.errorbar(r, share.value / width, share.error / width, fmt="o", color=COLOURS["walk"], ms=2, lw=0.8)
    bottom.text(2.4, 0.75, f"$10^{len(str(walkers)) - 1}$ walkers", ha="right", color=COLOURS["walk"])
    bottom.text(2.4, 0.63, f"exact law, $n = {n}$ steps", ha="right", color=COLOURS["exact law"])
    bottom.text(2.4, 0.51, "heat kernel", ha="right", color=COLOURS["closed form"])
    bottom.set(xlabel="distance $r$ from the start", ylabel="density of $r$", xlim=(0, 2.45), ylim=(0, None))
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
