"""
Response times with two bounds
==============================

Evidence drifts with 0.8 and diffuses with D = ½ from 0 until it reaches the upper bound or the lower one (downwards in the
figures). Above, the bounds stay at ±1; below they collapse as ±1.5/(1 + t), and late responses are rare. Histograms of
walkers with standard errors; the law is the closed form where the bounds stay, and where they move the solution of the
equation in the coordinate in which they rest.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS


def figure(quick: bool = False) -> Figure:
    walkers, end = 5000 if quick else 100_000, 3.0
    edges = np.linspace(0, end, 31)
    middle, width = (edges[1:] + edges[:-1]) / 2, edges[1]
    fig, axes = plt.subplots(2, 1, figsize=(3.5, 4.0), sharex=True)
    still = rw.Interval(-1.0, 1.0, rw.Absorbing(), rw.Absorbing())
    collapsing = rw.Interval(lambda t: -1.5 / (1 + t), lambda t: 1.5 / (1 + t), rw.Absorbing(), rw.Absorbing())
    for ax, domain in zip(axes, (still, collapsing), strict=True):
        walk = rw.ItoWalk(drift=0.8, diffusion=0.5, dt=0.01, domain=domain)
        run = rw.simulate(walk, walkers, [end], seed=1, record=[rw.FirstPassage()])
        equation = rw.pde.limit(walk)
        if domain is still:
            law: rw.Law[Any] = rw.pde.closed_form(equation)
            kind = "closed form"
        else:
            frame, kind = rw.pde.MovingFrame(equation), "finite differences"
            law = frame.law(rw.pde.solve(frame.resting, times=edges[1:], tolerance=1e-4))
        for exit, sign in (("right", 1), ("left", -1)):
            through = np.diff([law.absorbed(exit, t) if t else 0.0 for t in edges])
            ax.stairs(sign * through / width, edges, color=COLOURS[kind], lw=2)
            share = np.diff(run.absorbed(exit, edges).value) / width
            error = np.sqrt(share / width / walkers)
            ax.errorbar(middle, sign * share, error, fmt="o", ms=2, color=COLOURS["walk"], lw=0.8)
        ax.axhline(0, color="black", lw=0.6)
        ax.text(end, 0.8, kind, ha="right", color=COLOURS[kind])
        ax.text(end, 0.6, f"{run.absorbed('right', end).value:.1%} right", ha="right", color=COLOURS["walk"])
        ax.set(ylabel="density of response times")
    axes[1].set(xlabel="response time $t$")
    axes[0].text(end, 1.0, f"{walkers} walkers", ha="right", color=COLOURS["walk"])
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
