"""
A plume with two dispersions
============================

Ground water flows at v = 1 m/day past a spill; a solute spreads along the flow with D_L = 0.5 m²/day, across it with
D_T = 0.05 m²/day, and decays at 0.05 a day. Walkers' counts at three times, each relative to its largest, with contours
of the closed form at 5, 30 and 80 % of its maximum (above); below, what is dissolved in a well at x = 10 m, |y| < 0.5 m, 1 m
wide.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS

V, LONG, ACROSS, DECAY = 1.0, 0.5, 0.05, 0.05
EQUATION = rw.pde.FokkerPlanck(
    drift=(V, 0.0), diffusion=(LONG, ACROSS), domain=rw.Line() ** 2, killing=DECAY, start=(0.0, 0.0)
)
EDGES = (np.linspace(-4, 20, 49), np.linspace(-4, 4, 33))


def walked(walkers: int, times: np.ndarray) -> rw.ItoEnsemble:
    walk = rw.ItoWalk(drift=(V, 0.0), diffusion=(LONG, ACROSS), dt=0.25, killing=DECAY)
    return rw.simulate(walk, walkers, times, seed=1, bins=EDGES)


def draw(ax: Axes, run: rw.ItoEnsemble, times: list[float]) -> None:
    """Counts of walkers, and contours of the closed form at 5, 30 and 80 % of its maximum."""
    x, y = ((edges[1:] + edges[:-1]) / 2 for edges in EDGES)
    form = rw.pde.closed_form(EQUATION)
    counted = [run.pdf((x[:, None], y), t).value for t in times]
    ax.pcolormesh(x, y, sum(rho / rho.max() for rho in counted).T, cmap="Blues")
    for t in times:
        rho = form.pdf((x[:, None], y), t)
        levels = rho.max() * np.array([0.05, 0.3, 0.8])
        ax.contour(x, y, rho.T, levels=levels, colors=COLOURS["closed form"], linewidths=0.8)
        ax.text(V * t, 3.1, f"{t:g} d", ha="center")
    ax.set(xlabel="along the flow $x$ (m)", ylabel="across $y$ (m)", aspect="equal", xlim=(-4, 20), ylim=(-4, 4))


def figure(quick: bool = False) -> Figure:
    walkers, times = 20_000 if quick else 1_000_000, np.arange(1.0, 25.0)
    run, form = walked(walkers, times), rw.pde.closed_form(EQUATION)
    well = ([9.5, 10.5], [-0.5, 0.5])
    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 4.0), height_ratios=[1, 1.3])
    draw(top, run, [2.0, 8.0, 15.0])
    true = np.array([float(form.mass(well, t)[0, 0]) for t in times])
    bottom.plot(times, 100 * true, color=COLOURS["closed form"], lw=2.5)
    for t in times:
        share = run.mass(well, t).reshape((1,))
        bottom.errorbar(t, 100 * share.value, 100 * share.error, fmt="o", color=COLOURS["walk"], ms=2.5, lw=0.8)
    bottom.text(24, 2.4, f"{walkers:,} walkers".replace(",", r"$\,$"), ha="right", color=COLOURS["walk"])
    bottom.text(24, 2.0, "closed form", ha="right", color=COLOURS["closed form"])
    bottom.set(xlabel="time $t$ (d)", ylabel="in the well (% of the spill)", ylim=(0, None))
    return fig


def animation(quick: bool = False) -> FuncAnimation:
    times = 0.25 * np.unique(np.rint(np.linspace(2, 72, 12 if quick else 60)))
    run = walked(20_000, times)
    fig, ax = plt.subplots(figsize=(3.5, 1.6))

    def step(t: float) -> None:
        ax.clear()
        draw(ax, run, [t])

    return FuncAnimation(fig, step, frames=times)


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
