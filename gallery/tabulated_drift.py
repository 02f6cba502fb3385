"""
A drift from a table
====================

A drift may be a table: here 13 values of a drift, chosen for this figure, at points not evenly spaced, and linear between
them. Walkers between two reflecting walls settle into the stationary law exp(∫a dx/D) of that table (below), which has two
maxima, where the drift changes from positive to negative. Lines: the exact law of the walk and the quadrature of the table.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS

PLACES = [0.0, 0.4, 0.8, 1.1, 1.5, 1.9, 2.2, 2.6, 3.0, 3.3, 3.6, 3.8, 4.0]
FORCES = [2.2, 1.6, 0.4, -0.5, -1.1, -0.8, 0.1, 1.0, 1.2, 0.3, -1.2, -2.0, -2.4]


def figure(quick: bool = False) -> Figure:
    walkers, sites, t = (10**4, 40, 20.0) if quick else (4 * 10**4, 80, 20.0)
    force, diffusion = rw.Table(PLACES, FORCES), 0.5
    walk = rw.LatticeWalk.from_drift(
        drift=force, diffusion=diffusion, sites=sites, start=rw.Uniform(0, 4), times=[t],
        domain=rw.Interval(0, 4, rw.Reflecting(), rw.Reflecting()),
    )  # fmt: skip
    ensemble = rw.simulate(walk, walkers, times=[t], seed=1)

    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 3.8), sharex=True, height_ratios=[1, 1.5])
    x = np.linspace(0, 4, 2001)
    top.axhline(0, color="0.8", lw=0.6)
    top.plot(x, force(x), color="0.5", lw=0.8)
    top.plot(PLACES, FORCES, "s", color=COLOURS["data"], clip_on=False)
    top.set(ylabel="drift $a(x)$")
    top.text(3.95, 2.0, "table", color=COLOURS["data"], ha="right")

    weight = np.exp(np.cumsum(force(x)) * (x[1] - x[0]) / diffusion)
    bottom.plot(x, weight / weight.mean() / 4, color=COLOURS["closed form"], lw=3)
    rw.pde.stationary_law(walk).plot(ax=bottom)
    rho = ensemble.density(t)
    bottom.errorbar(rho.x[::2], rho.value[::2], rho.error[::2], fmt="o", color=COLOURS["walk"], lw=0.8)
    bottom.set(xlabel="position $x$", ylabel=r"density $\rho(x)$", xlim=(0, 4), ylim=(0, 0.6))
    for y, name, text in (
        (0.53, "walk", f"{walkers} walkers, $t = {t:g}$"),
        (0.46, "exact law", f"stationary law, $D = {diffusion:g}$"),
        (0.39, "closed form", r"$\exp(\int a\,dx/D)$"),
    ):
        bottom.text(2.1, y, text, color=COLOURS[name], ha="center")
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
