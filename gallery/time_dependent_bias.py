"""
A bias that swings
==================

A drift that depends on time alone, a(t) = v + A cos ωt, carries the cloud back and forth and does not change its
spread: the mean is vt + (A/ω) sin ωt, the variance 2Dt. Walkers with standard errors (of the mean: smaller than the points)
against the closed form; some of the paths are drawn in the background.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS


def figure(quick: bool = False) -> Figure:
    walkers, times = (500 if quick else 2000), np.linspace(0.05, 4.0, 80)
    drift = rw.expression("v + A * cos(omega * t)", v=2.0, A=4.0, omega=4.0)
    equation = rw.pde.FokkerPlanck(drift=drift, diffusion=0.1)
    walk = rw.pde.walk_for(equation, dx=0.05, times=list(times))
    ensemble = rw.simulate(walk, walkers, times, seed=1)
    form = rw.pde.closed_form(equation)

    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 4.0), sharex=True, height_ratios=[1.6, 1])
    paths = rw.trajectories(walk, 12, times, seed=1)
    top.plot(paths.times, paths.x, color=COLOURS["walk"], alpha=0.3, lw=0.4)
    for ax, estimate, curve in ((top, ensemble.mean, form.mean), (bottom, ensemble.variance, form.variance)):
        ax.plot(times, curve(times), color=COLOURS["closed form"], lw=3)
        found = estimate(times[3::4])
        ax.errorbar(times[3::4], found.value, found.error, fmt="o", ms=2, color=COLOURS["walk"])
    top.set(ylabel="position $x$", ylim=(-1, 10.5))
    top.text(0.1, 8.6, f"mean of {walkers} walkers", color=COLOURS["walk"])
    top.text(0.1, 7.2, r"$vt + (A/\omega)\,\sin\,\omega t$", color=COLOURS["closed form"])
    bottom.set(xlabel="time $t$", ylabel="variance", xlim=(0, 4.05), ylim=(0, None))
    top.text(4.0, -0.6, r"$v = 2$, $A = 4$, $\omega = 4$, $D = 0.1$", ha="right")
    bottom.text(0.1, 0.65, "$2Dt$", color=COLOURS["closed form"])
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
