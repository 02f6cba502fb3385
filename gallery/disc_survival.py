"""
Survival in a disc, four times
==============================

The walker starts at the centre of a disc whose rim absorbs. The fraction that is still there (above) from walkers without a
lattice, from the exact law of a walk on a lattice, by finite differences on a square grid whose cells are cut by the rim,
and by the series Σ 2 exp(-jₙ²Dt)/(jₙ J₁(jₙ)) over the zeros of the Bessel function J₀ (Carslaw and Jaeger 1959, 7.6). Below,
what differs from the series. The walkers' steps end nowhere near the rim: the Brownian bridge within a step decides who
has left. Of the lattice, the rim is the sites that are first outside.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy.special import j1, jn_zeros

import randwalk as rw
from randwalk.laws.plotting import COLOURS

D = 0.5


def figure(quick: bool = False) -> Figure:
    walkers, sites = (10_000, 31) if quick else (1_000_000, 101)
    times = np.arange(1, 11) / 10
    disc = (rw.Line() ** 2).inside(rw.Ball((0.0, 0.0), 1.0), rw.Absorbing(), name="rim")
    equation = rw.pde.FokkerPlanck(drift=0.0, diffusion=D, domain=disc, start=(0.0, 0.0))
    zeros = jn_zeros(0, 40)
    series = np.sum(2 * np.exp(-(zeros**2) * D * times[:, None]) / (zeros * j1(zeros)), axis=1)

    free = rw.ItoWalk(drift=0.0, diffusion=D, dt=0.005, domain=disc)
    alive = rw.simulate(free, walkers, times, seed=1).survival(times)
    lattice = rw.pde.walk_for(equation, dx=2 / (sites - 1), times=times)
    law = rw.pde.exact_law(lattice, times).survival(times)
    solved = rw.pde.solve(equation, times, tolerance=1e-2 if quick else 1e-3).survival(times)

    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 4.0), sharex=True, height_ratios=[1.4, 1])
    top.semilogy(times, series, color=COLOURS["closed form"], lw=3)
    top.errorbar(times, alive.value, alive.error, fmt="o", color=COLOURS["walk"], lw=0.8)
    bottom.axhline(0, color=COLOURS["closed form"], lw=2)
    off = 1000 * (alive.value - series)
    bottom.errorbar(times, off, 1000 * alive.error, fmt="o", color=COLOURS["walk"], lw=0.8)
    bottom.plot(times, 1000 * (law - series), "s-", color=COLOURS["exact law"], ms=2.5)
    bottom.plot(times, 1000 * (solved - series), "^-", color=COLOURS["finite differences"], ms=3)
    top.text(
        0.03,
        0.34,
        f"$10^{len(str(walkers)) - 1}$ Itô walkers, $dt = 0.005$",
        transform=top.transAxes,
        color=COLOURS["walk"],
    )
    top.text(0.03, 0.24, f"exact law, {sites} sites across", transform=top.transAxes, color=COLOURS["exact law"])
    top.text(0.03, 0.14, "finite differences", transform=top.transAxes, color=COLOURS["finite differences"])
    top.text(0.03, 0.04, "Bessel series", transform=top.transAxes, color=COLOURS["closed form"])
    top.set(ylabel="surviving fraction")
    bottom.set(xlabel="time $t$, in radius²/2D", ylabel=r"difference $\times 10^3$")
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
