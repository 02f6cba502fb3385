"""
Drift between walls
===================

Steps to the right are more probable than steps to the left: the cloud drifts with a = (p - q) dx/dt and spreads with
D = (p + q) dx²/2dt, the two numbers in the figure, computed from p and q. The wall at x = 0 reflects, the wall at x = 1
absorbs. Walkers, with their standard errors, lie on the exact law and on the finite-difference solution of the equation
with those two numbers and those two walls: densities (above) and fractions absorbed (below).
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS


def figure(quick: bool = False) -> Figure:
    walkers, sites = (10**4 if quick else 3 * 10**4), 120
    dx = 1 / (sites + 0.5)  # a reflecting wall stands half way between two sites, an absorbing one on a site
    walls = rw.Interval(0, 1, rw.Reflecting(), rw.Absorbing())
    walk = rw.LatticeWalk(right=0.365, left=0.295, dx=dx, dt=0.07 * dx, domain=walls, start=0.1)
    every = walk.dt * np.rint(np.linspace(0.1, 1.9, 37) / walk.dt)
    ensemble = rw.simulate(walk, walkers, every, seed=1)
    exact = rw.pde.exact_law(walk, every)
    solution = rw.pde.solve(rw.pde.limit(walk), every)

    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 4.0), height_ratios=[1.5, 1])
    x = np.linspace(0, 1, 301)
    for t, place in zip(every[[0, 5, 11]], (0.25, 0.58, 0.86), strict=True):
        top.plot(x, solution.pdf(x, t), color=COLOURS["finite differences"], lw=2.5)
        exact.plot(t, ax=top)
        rho = ensemble.density(t)[::4]
        top.errorbar(ensemble.sites[::4], rho.value, rho.error, fmt="o", color=COLOURS["walk"], lw=0.8)
        top.annotate(f"$t = {t:.2f}$", (place, float(solution.pdf(place, t))), (4, 4), textcoords="offset points")
    top.set(xlabel="position $x$", xlim=(0, 1), ylim=(0, None), ylabel=r"density $\rho(x, t)$")
    a, diffusion = float(walk.drift(0.0)), float(walk.diffusion(0.0))
    top.text(0.97, 0.95, f"$a = {a:.3g}$,  $D = {diffusion:.3g}$", transform=top.transAxes, ha="right", va="top")

    bottom.plot(every, solution.absorbed("right", every), color=COLOURS["finite differences"], lw=2.5)
    bottom.plot(every, exact.absorbed("right", every), color=COLOURS["exact law"])
    arrived = ensemble.absorbed("right", every)
    bottom.errorbar(every, arrived.value, arrived.error, fmt="o", color=COLOURS["walk"], lw=0.8)
    bottom.set(xlabel="time $t$", ylabel="fraction at $x = 1$", xlim=(0, None), ylim=(0, 1.02))
    for y, name in zip((0.86, 0.72, 0.58), ("walk", "exact law", "finite differences"), strict=True):
        bottom.text(0.02, y, f"{walkers} walkers" if name == "walk" else name, color=COLOURS[name])
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
