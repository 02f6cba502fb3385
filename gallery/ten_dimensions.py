"""
A value at a point in ten dimensions
====================================

Brownian walkers from the centre of a ball whose surface absorbs: the probability of still being in it, in 1 to 10
dimensions. A grid of 100 cells an axis has 10²⁰ cells in ten dimensions; a walker takes the same steps in ten as in one,
each with ten coordinates. The closed form is a series over the zeros of Bessel functions; the error bars hold the
statistical error and that of the step, both estimated by the package for the tolerance that was asked for.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS
from randwalk.model.domain import Domain

D, T = 0.5, 0.1


def figure(quick: bool = False) -> Figure:
    dimensions, tolerance = ((1, 10), 5e-2) if quick else ((1, 2, 3, 4, 6, 8, 10), 5e-3)
    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 3.8), sharex=True, height_ratios=[1.5, 1])
    for d in dimensions:
        centre = (0.0,) * d
        ball: Domain = (
            (rw.Line() ** d).inside(rw.Ball(centre, 1.0), rw.Absorbing())
            if d > 1
            else rw.Interval(-1, 1, rw.Absorbing(), rw.Absorbing())
        )
        equation = rw.pde.FokkerPlanck(0.0, D, domain=ball, start=centre if d > 1 else 0.0)
        true = rw.pde.closed_form(equation).survival(T)
        alive = rw.pde.expectation(equation, 1.0, centre if d > 1 else 0.0, T, tolerance=tolerance, seed=1)
        top.plot(d, true, "_", color=COLOURS["closed form"], ms=14, mew=2)
        top.errorbar(d, alive.value, alive.error, fmt="o", color=COLOURS["walk"], lw=0.8)
        bottom.plot(d, alive.walkers * T / alive.dt, "o", color=COLOURS["walk"])
    grid = np.arange(1, 6)
    bottom.plot(grid, 100.0**grid, "--", color=COLOURS["finite differences"])
    bottom.text(4.7, 1e8, "cells of a grid, 100 an axis", color=COLOURS["finite differences"])
    bottom.set(xlabel="dimension", ylabel="steps of walkers", yscale="log", xticks=dimensions)
    top.text(0.05, 0.3, f"walkers, to {tolerance:g}", transform=top.transAxes, color=COLOURS["walk"])
    top.text(0.05, 0.15, "Bessel series", transform=top.transAxes, color=COLOURS["closed form"])
    top.set(ylabel="still in the ball")
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
