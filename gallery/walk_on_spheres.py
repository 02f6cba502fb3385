"""
Walking on spheres
==================

The plate ½∇²u + 1 = 0, u = 0 at the rim, is heated everywhere and cold at its rim. u is the mean time of a Brownian walker
to the rim, and the walker needs no path: it jumps to a point of the largest circle around it (Muller 1956), some twenty
jumps to the rim. Above, the plate, two discs, and the jumps of two walkers, drawn by hand. Below, u along the axis from
walkers of the package, each point by itself, and by finite differences.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS

DISCS = (((0.0, 0.0), 1.0), ((1.2, 0.0), 0.7))


def circles(start: tuple[float, float], seed: int) -> list[tuple[np.ndarray, float]]:
    """Centres and radii of the circles of one walker."""
    random, place, found = np.random.default_rng(seed), np.array(start), []
    while True:
        radius = max(r - np.hypot(*(place - np.array(centre))) for centre, r in DISCS)
        found.append((place, radius))
        if radius < 0.01:
            return found
        angle = random.uniform(0, 2 * np.pi)
        place = place + radius * np.array([np.cos(angle), np.sin(angle)])


def figure(quick: bool = False) -> Figure:
    walkers, tolerance = (1000, 3e-2) if quick else (100_000, 1e-2)
    plate = (rw.Line() ** 2).inside(rw.Ball(*DISCS[0]) | rw.Ball(*DISCS[1]), rw.Absorbing(), name="rim")
    equation = rw.pde.FokkerPlanck(drift=0.0, diffusion=0.5, domain=plate, start=(0.0, 0.0))
    x = np.linspace(-0.9, 1.8, 10)
    u = rw.pde.expectation(equation, 0, (x, 0.0), np.inf, source=1.0, walkers=walkers, seed=1)
    fine = np.linspace(-0.99, 1.89, 100)
    solved = rw.pde.mean_exit_time(equation, tolerance=tolerance)

    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 4.2), sharex=True, height_ratios=[1.5, 1])
    angle = np.linspace(0, 2 * np.pi, 200)
    for centre, r in DISCS:
        top.fill(centre[0] + r * np.cos(angle), centre[1] + r * np.sin(angle), color="0.92")
    for start, seed, shade in (((-0.3, 0.2), 5, 1.0), ((1.3, -0.2), 2, 0.5)):
        jumps = circles(start, seed)
        for (x0, y0), radius in jumps:
            circle = x0 + radius * np.cos(angle), y0 + radius * np.sin(angle)
            top.plot(*circle, color=COLOURS["walk"], lw=0.5, alpha=shade)
        top.plot(*np.array([place for place, _ in jumps]).T, "o-", color=COLOURS["walk"], ms=2, lw=0.8, alpha=shade)
    top.set(ylabel="$y$", aspect="equal")
    bottom.plot(fine, solved.value((fine, np.zeros(100))), color=COLOURS["finite differences"], lw=2)
    bottom.errorbar(x, u.value, u.error, fmt="o", color=COLOURS["walk"], lw=0.8)
    bottom.text(0.2, 0.2, f"{walkers} walkers a point", ha="center", color=COLOURS["walk"])
    bottom.text(0.2, 0.08, "finite differences", ha="center", color=COLOURS["finite differences"])
    bottom.set(xlabel="$x$", ylabel="$u(x, 0)$", ylim=(0, None))
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
