"""
The Galton board is a walk
==========================

A ball that falls through rows of pins goes right or left at each pin with probability ½: it is a symmetric walker, and
time runs downwards. The tracks are walkers of the simulation; the bins hold as many walkers as the binomial law says,
within standard errors. The p-value of Pearson's chi-square is computed.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS


def figure(quick: bool = False) -> Figure:
    rows, balls = 12, 500 if quick else 2000
    walk = rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, dt=1.0)
    ensemble = rw.simulate(walk, balls, times=[rows], seed=1, method="paths")
    tracks = rw.trajectories(walk, 4, times=np.arange(rows + 1), seed=1)
    exact = rw.pde.exact_law(walk, times=[rows])

    fig, (board, bins) = plt.subplots(2, 1, figsize=(3.5, 4.2), sharex=True, height_ratios=[1.5, 1])
    pins = [(k, row) for row in range(rows) for k in range(-row, row + 1, 2)]
    board.scatter(*zip(*pins, strict=True), s=5, color="0.6", lw=0)
    for path, alpha in zip(tracks.x.T, (1.0, 0.75, 0.5, 0.3), strict=True):
        board.plot(path, tracks.times, color=COLOURS["walk"], alpha=alpha, lw=1.3, solid_joinstyle="round")
    board.set(ylabel="row (time $t$)", ylim=(rows + 0.3, -0.7), yticks=range(0, rows + 1, 4))
    board.tick_params(axis="x", bottom=False)
    board.spines["bottom"].set_visible(False)

    places, law = exact.density(rows)
    kept = balls * 2 * ensemble.density(rows)
    bins.bar(kept.x, kept.value, width=1.7, color=COLOURS["walk"], alpha=0.35)
    bins.errorbar(kept.x, kept.value, kept.error, fmt="none", color=COLOURS["walk"], lw=1.2)
    bins.plot(places, balls * 2 * law, "D", color=COLOURS["exact law"], ms=2.5)
    bins.set(xlabel="bin (position $x$)", ylabel="balls", xticks=range(-rows, rows + 1, 4))
    bins.text(-12, 0.16 * balls, f"{balls} balls", color=COLOURS["walk"])
    bins.text(-12, 0.12 * balls, "binomial law", color=COLOURS["exact law"])
    p = rw.validate.compare(ensemble, exact).checks[0].p_value
    bins.text(12, 0.16 * balls, rf"$\chi^2$: $p = {p:.2f}$", ha="right")
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
