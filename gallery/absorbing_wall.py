"""
An absorbing wall fills its survival curve
==========================================

An animation: the wall at x = 0 absorbs walkers (dots and histogram). The surviving fraction, with its standard error, fills
the closed form erf(x₀/√(4Dt)) point by point (below). The figure is the frame of t = 0.8.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS


class Scene:
    """The figure, and what changes in it from one time to the next."""

    def __init__(self, quick: bool) -> None:
        half_line = rw.Interval(0, np.inf, rw.Absorbing())
        equation = rw.pde.FokkerPlanck(drift=0.0, diffusion=0.5, domain=half_line, start=1.0)
        walk = rw.pde.walk_for(equation, dx=0.1, times=[0.05])
        self.times = walk.dt * np.rint(np.linspace(0.05, 3.0, 12 if quick else 60) / walk.dt)
        self.form = rw.pde.closed_form(equation)
        self.survival = self.form.survival(np.append(0, self.times))
        self.ensemble = rw.simulate(walk, 2000, self.times, seed=1, method="paths")
        self.alive = self.ensemble.survival(self.times)
        self.paths = rw.trajectories(walk, 150, self.times, seed=1).x
        self.paths[self.paths <= 0] = np.nan
        self.height = np.random.default_rng(1).uniform(0, 1, 150)  # only to tell the dots apart
        self.figure, self.axes = plt.subplots(3, 1, figsize=(3.5, 4.2), height_ratios=[0.35, 1, 1])

    def draw(self, frame: int) -> None:
        t, (dots, top, bottom), x = float(self.times[frame]), self.axes, np.linspace(0, 5, 200)
        dots.clear()
        dots.plot(self.paths[frame], self.height, ".", ms=2.5, color=COLOURS["walk"])
        dots.set(
            xlim=(0, 5.05),
            ylim=(-0.1, 1.1),
            xticks=[],
            yticks=[],
            xlabel=f"150 of the walkers, $t = {t:.2f}$",
            ylabel=" ",
        )
        top.clear()
        top.plot(x, self.form.pdf(x, t), color=COLOURS["closed form"], lw=2.5)
        rho = self.ensemble.density(t)
        top.errorbar(rho.x, rho.value, rho.error, fmt="o", ms=2, color=COLOURS["walk"], lw=0.6)
        top.set(xlabel="position $x$", ylabel=r"density $\rho(x, t)$", xlim=(0, 5.05), ylim=(0, 1.03))
        top.text(5.0, 0.85, f"{self.ensemble.walkers} walkers", color=COLOURS["walk"], ha="right")
        top.text(5.0, 0.7, "method of images", color=COLOURS["closed form"], ha="right")
        bottom.clear()
        bottom.plot(np.append(0, self.times), self.survival, color=COLOURS["closed form"], lw=2.5)
        times, alive = self.times[: frame + 1], self.alive[: frame + 1]
        bottom.errorbar(times, alive.value, alive.error, fmt="o", ms=1.5, color=COLOURS["walk"], lw=0.8)
        bottom.set(xlabel="time $t$", ylabel="surviving fraction", xlim=(0, 3.05), ylim=(0.38, 1.02))
        bottom.text(3.0, 0.9, r"$\mathrm{erf}(x_0/\sqrt{4Dt})$", color=COLOURS["closed form"], ha="right")


def figure(quick: bool = False) -> Figure:
    scene = Scene(quick)
    scene.draw(int(np.searchsorted(scene.times, 0.8)))
    return scene.figure


def animation(quick: bool = False) -> FuncAnimation:
    scene = Scene(quick)
    begin = int(np.searchsorted(scene.times, 0.2))  # before, the density is higher than the axes
    scene.draw(begin)
    return FuncAnimation(scene.figure, scene.draw, frames=range(begin, scene.times.size))


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
