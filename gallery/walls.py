"""
Walls of each kind
==================

One end of an interval reflects; the other end reflects, absorbs, or absorbs in part (a Robin wall: the flux through it
is K times the density, K being a velocity). The surviving fraction of walkers, with standard errors, against the exact
law of the walk and the closed form of the equation. An absorbing wall is the limit of large K.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS


def figure(quick: bool = False) -> Figure:
    walkers, sites = 5000, (30 if quick else 60)
    times, fine = np.linspace(0.05, 2.0, 40), np.linspace(0.02, 2.0, 100)
    fig, ax = plt.subplots(figsize=(3.5, 3.0))
    walls: dict[str, rw.Reflecting | rw.PartiallyAbsorbing | rw.Absorbing] = {
        "reflecting": rw.Reflecting(),
        "$K = 0.3$": rw.PartiallyAbsorbing(0.3),
        "$K = 1$": rw.PartiallyAbsorbing(1.0),
        "$K = 10$": rw.PartiallyAbsorbing(10.0),
        "absorbing": rw.Absorbing(),
    }
    for name, wall in walls.items():
        length = sites + 0.5 if wall.on_site else sites  # an absorbing wall stands on a site, others half way
        equation = rw.pde.FokkerPlanck(
            drift=0.0, diffusion=0.5, domain=rw.Interval(0, 1, wall, rw.Reflecting()), start=0.5
        )
        walk = rw.pde.walk_for(equation, dx=1 / length, times=[times[0]])
        ensemble = rw.simulate(walk, walkers, times, seed=1)
        shown = times[1::2]
        alive = ensemble.survival(shown)
        exact = rw.pde.exact_law(walk, times)
        ax.semilogy(fine, rw.pde.closed_form(equation).survival(fine), color=COLOURS["closed form"], lw=3)
        ax.semilogy(times, exact.survival(times), color=COLOURS["exact law"])
        ax.errorbar(shown, alive.value, alive.error, fmt="o", color=COLOURS["walk"], lw=0.8)
        end = (times[-1], exact.survival(times[-1]))
        ax.annotate(name, end, (6, 0), textcoords="offset points", va="center", annotation_clip=False)
    ax.set(xlabel="time $t$", ylabel="surviving fraction", xlim=(0, 2.05))
    ax.set_yticks([0.1, 0.2, 0.5, 1], ["0.1", "0.2", "0.5", "1"])
    ax.yaxis.set_minor_formatter("")
    words = {"walk": f"{walkers} walkers each", "exact law": "exact law", "closed form": "closed form"}
    for y, (name, text) in zip((0.2, 0.15, 0.11), words.items(), strict=True):
        ax.text(0.03, y, text, color=COLOURS[name])
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
