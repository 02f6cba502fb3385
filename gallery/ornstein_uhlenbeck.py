"""
Ornstein–Uhlenbeck relaxation
=============================

A spring pulls every walker back: drift -x, D = ½. Started at x₀ = 3, the cloud slides to the bottom and spreads to its
equilibrium, a normal law of variance D/θ = ½ (θ = 1 is the stiffness of the spring). Above: densities at three times; below:
mean and variance, which relax as exp(-t) and exp(-2t). Walkers with standard errors (below, smaller than the points), finite
differences, closed form.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS


def figure(quick: bool = False) -> Figure:
    walkers, dx = (1000, 0.2) if quick else (2000, 0.1)
    times = np.linspace(0.1, 3.0, 30)
    equation = rw.pde.FokkerPlanck(drift=rw.Affine(slope=-1.0), diffusion=0.5, start=3.0)
    walk = rw.pde.walk_for(equation, dx=dx, times=list(times))
    ensemble = rw.simulate(walk, walkers, times, seed=1)
    form = rw.pde.closed_form(equation)
    solution = rw.pde.solve(equation, times)

    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 4.2))
    x = np.linspace(-2.2, 4.2, 400)
    for t, place in ((0.1, 2.8), (0.5, 1.85), (3.0, 0.15)):
        top.plot(x, form.pdf(x, t), color=COLOURS["closed form"], lw=3)
        top.plot(x, solution.pdf(x, t), color=COLOURS["finite differences"])
        edges = np.arange(-2.2, 4.21, 0.2) + dx / 2
        rho = ensemble.mass(edges, t) / 0.2
        seen = rho.value > 0
        centre = (edges[1:] + edges[:-1]) / 2
        top.errorbar(centre[seen], rho.value[seen], rho.error[seen], fmt="o", color=COLOURS["walk"], lw=0.8)
        at = (place, float(form.pdf(place, t)))
        top.annotate(f"$t = {t:g}$", at, (0, 13), textcoords="offset points", ha="center")
    top.set(xlabel="position $x$", ylabel=r"density $\rho(x, t)$", xlim=(-2.2, 4.2), ylim=(0, 1.65))

    for estimate, curve, label in ((ensemble.mean, form.mean, "mean"), (ensemble.variance, form.variance, "variance")):
        bottom.plot(times, curve(times), color=COLOURS["closed form"], lw=3)
        found = estimate(times[1::2])
        bottom.errorbar(times[1::2], found.value, found.error, fmt="o", color=COLOURS["walk"], lw=0.8)
        bottom.annotate(
            label, (times[12], curve(times[12])), (0, 8 if label == "mean" else -14), textcoords="offset points"
        )
    bottom.set(xlabel="time $t$", ylabel="mean, variance", ylim=(0, 3), xlim=(0, None))
    for y, name in zip((2.6, 2.25, 1.9), (f"{walkers} walkers", "finite differences", "closed form"), strict=True):
        bottom.text(3.0, y, name, color=COLOURS.get(name, COLOURS["walk"]), ha="right")
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
