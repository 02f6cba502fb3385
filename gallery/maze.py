"""
A mouse in a maze
=================

A maze is an image: dark pixels are walls. The mouse steps right, left, up or down with probability ¼ and stays where a wall
stops it; the cheese is a trap. Above, the exact law of a mouse that has not found it after 2000 steps (darker is likelier);
below, how many have, from walkers and from the exact law. The mean time of the search (dashed) is the solution of a linear
system over the sites.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS

PLAN = """\
###############################
#     #       #         #     #
#     #       #         #     #
#     #   #   #   #     #     #
#     #   #   #   #     #     #
#         #       #           #
#         #       #           #
#   #######################   #
#         #       #           #
#     #       #       ####    #
#     #       #       #       #
###############################"""
CHEESE = (26.0, 2.0)


def mouse() -> rw.LatticeWalk:
    pixels = np.array([[float(c == " ") for c in row] for row in PLAN.splitlines()])
    maze = rw.Box.from_image(pixels, walls=rw.Reflecting()).without(rw.Ball(CHEESE, 1.2), rw.Absorbing(), name="cheese")
    return rw.LatticeWalk(right=0.25, left=0.25, up=0.25, down=0.25, dx=1.0, domain=maze, start=(2.0, 9.0))


def draw(ax: Axes, law: rw.pde.ExactLaw, t: float) -> None:
    x, y = law.sites
    free = law.domain.contains((x[:, None], y))
    ax.pcolormesh(x, y, np.where(free, law.pdf((x[:, None], y), t), np.nan).T, cmap="Blues")
    ax.plot(*CHEESE, "o", ms=6, color=COLOURS["closed form"])
    ax.set(xlabel="$x/dx$", ylabel="$y/dx$", aspect="equal", facecolor="0.45")


def figure(quick: bool = False) -> Figure:
    walkers, times = 1000 if quick else 10_000, np.arange(1, 21) * 1500
    walk = mouse()
    run, law = (
        rw.simulate(walk, walkers, times, seed=1, method="paths"),
        rw.pde.exact_law(walk, np.union1d(2000, times)),
    )
    found = run.absorbed("cheese", times)
    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 3.8), height_ratios=[1, 1.2])
    draw(top, law, 2000)
    bottom.plot(times, law.absorbed("cheese", times), color=COLOURS["exact law"])
    bottom.errorbar(times, found.value, found.error, fmt="o", color=COLOURS["walk"], lw=0.8)
    mean = rw.pde.hitting_time(walk, "cheese").mean
    bottom.axvline(mean, ls="--", color=COLOURS["exact law"], lw=0.8)
    bottom.text(mean, 0.03, f" mean {mean:.0f}", color=COLOURS["exact law"])
    bottom.text(30_000, 0.48, f"{walkers} walkers", ha="right", color=COLOURS["walk"])
    bottom.text(30_000, 0.36, "exact law", ha="right", color=COLOURS["exact law"])
    bottom.set(xlabel="steps", ylabel="have found the cheese", ylim=(0, 1))
    return fig


def animation(quick: bool = False) -> FuncAnimation:
    times = np.unique(np.rint(np.geomspace(10, 30_000, 10 if quick else 60)))
    law = rw.pde.exact_law(mouse(), times)
    fig, ax = plt.subplots(figsize=(3.5, 1.9))

    def step(t: float) -> None:
        ax.clear()
        draw(ax, law, t)
        ax.set_title(f"{t:.0f} steps, {law.absorbed('cheese', t):.0%} have found the cheese")

    return FuncAnimation(fig, step, frames=times)


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
