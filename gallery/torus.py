"""
Stirring a torus
================

A drop on a torus is stirred by a vortex a = 3 (-sin y, sin x), which has no divergence, so that the uniform law stays
uniform, and diffuses with D = 0.1. Walkers without a lattice (dots) on the exact law of a walk on a lattice (map) at two
times; below, the mean of cos(x + y) of both.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS

DRIFT = (rw.expression("-3*sin(y)"), rw.expression("3*sin(x)"))
DOMAIN, START = rw.Ring(0.0, 2 * np.pi) ** 2, rw.Normal((1.2, 1.2), 0.3)


def figure(quick: bool = False) -> Figure:
    walkers, sites = (2000, 64) if quick else (100_000, 256)
    free = rw.ItoWalk(DRIFT, diffusion=0.1, dt=0.01, domain=DOMAIN, start=START, scheme=rw.Platen())
    times = np.linspace(0.2, 4, 20).round(2)
    wave = rw.Average(rw.expression("cos(x + y)"))
    mean = rw.simulate(free, walkers, times, seed=1, record=[wave])[wave].mean(times)
    lattice = rw.pde.walk_for(rw.pde.limit(free), dx=2 * np.pi / sites, times=times)
    law = rw.pde.exact_law(lattice, times)
    dots = rw.trajectories(free, 300, [0.6, 2.0], seed=1).x
    x, y = law.sites

    fig, axes = plt.subplot_mosaic([["0.6", "2"], ["mean", "mean"]], figsize=(3.5, 3.8), height_ratios=[1.2, 1])
    for t, places in zip((0.6, 2.0), dots, strict=True):
        ax = axes[f"{t:g}"]
        ax.pcolormesh(x, y, law.pdf((x[:, None], y), t).T, cmap="Greys")
        ax.plot(*places.T, ".", color=COLOURS["walk"], ms=1.5)
        ax.set(title=f"$t = {t:g}$", xlabel="$x$", ylabel="$y$", aspect="equal")
    ax = axes["mean"]
    ax.plot(times, law.expect(lambda x, y: np.cos(x + y), times), color=COLOURS["exact law"])
    ax.errorbar(times, mean.value, mean.error, fmt="o", color=COLOURS["walk"], lw=0.8)
    ax.text(4, -0.4, f"{walkers} walkers", ha="right", color=COLOURS["walk"])
    ax.text(4, -0.55, f"exact law on {sites}² sites", ha="right", color=COLOURS["exact law"])
    ax.set(xlabel="time $t$", ylabel=r"mean of $\cos(x + y)$")
    return fig


def animation(quick: bool = False) -> FuncAnimation:
    times = np.linspace(0.05, 4, 10 if quick else 80).round(2)
    free = rw.ItoWalk(DRIFT, diffusion=0.1, dt=0.01, domain=DOMAIN, start=START)
    dots = rw.trajectories(free, 1000, times, seed=1).x
    fig, ax = plt.subplots(figsize=(3.0, 3.0))

    def step(frame: int) -> None:
        ax.clear()
        ax.plot(*dots[frame].T, ".", color=COLOURS["walk"], ms=2)
        ax.set(xlabel="$x$", ylabel="$y$", aspect="equal", xlim=(0, 2 * np.pi), ylim=(0, 2 * np.pi))
        ax.set_title(f"1000 walkers, $t = {times[frame]:.2f}$")

    return FuncAnimation(fig, step, frames=times.size)


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
