"""
Walkers under their density
===========================

An animation: walkers in a double well, some of them dots, spread from the left well to the right one; the histogram of all
of them, with standard errors, stays on the exact law of the walk. The figure has three of its times.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS


class Scene:
    """The figure, and what changes in it from one time to the next."""

    def __init__(self, quick: bool) -> None:
        self.times = np.linspace(0.3, 6.0, 12 if quick else 58)
        walk = rw.LatticeWalk.from_drift(
            drift=rw.expression("x - x**3"), diffusion=0.25, dx=0.1, times=[0.1], start=-0.75, rule=rw.Rule.FITTED,
            domain=rw.Interval(-2.5, 2.5, rw.Reflecting(), rw.Reflecting()),
        )  # fmt: skip
        self.times = walk.dt * np.rint(self.times / walk.dt)
        self.ensemble = rw.simulate(walk, 4000, self.times, seed=1, method="paths")
        self.exact = rw.pde.exact_law(walk, self.times)
        self.paths = rw.trajectories(walk, 150, self.times, seed=1).x
        self.height = np.random.default_rng(1).uniform(-0.19, -0.02, 150)  # only to tell the dots apart

    def draw(self, ax: Axes, t: float) -> None:
        frame = int(np.argmin(np.abs(self.times - t)))
        t = float(self.times[frame])
        ax.clear()
        ax.plot(self.paths[frame], self.height, ".", ms=2, color=COLOURS["walk"])
        rho = self.ensemble.density(t)
        ax.axhline(0, color="0.8", lw=0.6)
        ax.plot(*self.exact.density(t), color=COLOURS["exact law"])
        ax.errorbar(rho.x, rho.value, rho.error, fmt="o", ms=2, color=COLOURS["walk"], lw=0.8)
        ax.set(ylabel=r"density $\rho(x, t)$", xlim=(-2.5, 2.5), ylim=(-0.22, 1.4), yticks=[0, 0.5, 1])
        ax.text(2.45, 1.15, f"$t = {t:.1f}$", ha="right")
        ax.text(-2.45, 1.15, f"{self.ensemble.walkers} walkers", color=COLOURS["walk"])
        ax.text(-2.45, 0.9, "exact law", color=COLOURS["exact law"])


def figure(quick: bool = False) -> Figure:
    scene = Scene(quick)
    fig, axes = plt.subplots(3, 1, figsize=(3.5, 4.6), sharex=True)
    for ax, t in zip(axes, (0.3, 1.5, 6.0), strict=True):
        scene.draw(ax, t)
    axes[-1].set_xlabel("position $x$")
    return fig


def animation(quick: bool = False) -> FuncAnimation:
    scene = Scene(quick)
    fig, ax = plt.subplots(figsize=(3.5, 2.6))

    def step(t: float) -> None:
        scene.draw(ax, t)
        ax.set_xlabel("position $x$")

    return FuncAnimation(fig, step, frames=scene.times)


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
