"""
The arcsine law
===============

The fraction of time that a fair game keeps a player in front is not near one half: the most probable values are 0 and 1.
The times of walkers, with standard errors, against the exact law of the walk, u(2k) u(2n - 2k) with
u(2k) = C(2k, k)/4^k, and Lévy's limit 1/(π √(f (1 - f))), all three collected in the same classes of f. The
fractions of walkers in front for less than a tenth and for more than nine tenths of the time are computed.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy import special

import randwalk as rw
from randwalk.laws.plotting import COLOURS


def figure(quick: bool = False) -> Figure:
    walkers, steps, bins = 5000, (198 if quick else 498), 25
    walk = rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, dt=1.0)
    record = rw.TimePositive()
    times = rw.simulate(walk, walkers, [steps], seed=1, record=[record])[record]

    k = np.arange(steps // 2 + 1)
    u = special.binom(2 * k, k) / 4.0**k
    index = k * bins // k.size  # k.size is a multiple of bins: every class holds as many times 2k
    law = np.bincount(index, u * u[::-1]) * bins
    counts = np.bincount(index, times.counts[0, ::2])
    share = counts / walkers

    fig, ax = plt.subplots(figsize=(3.5, 2.8))
    edges = np.linspace(0, 1, bins + 1)
    centre = (edges[1:] + edges[:-1]) / 2
    limit = bins * np.diff(2 / np.pi * np.arcsin(np.sqrt(edges)))
    ax.stairs(limit, edges, baseline=None, color=COLOURS["closed form"], lw=2.5)
    ax.plot(centre, law, "D", color=COLOURS["exact law"], ms=4.5, mfc="none", mew=0.8)
    ax.errorbar(centre, bins * share, bins * np.sqrt(share * (1 - share) / walkers), fmt="o", color=COLOURS["walk"])
    ax.set(xlabel="fraction of the time in front $f$", ylabel="probability density", xlim=(0, 1), ylim=(0, 3.6))
    edge = float(times.expect(lambda t: np.abs(t / steps - 0.5) > 0.4, steps))
    ax.text(
        0.5,
        3.3,
        f"{edge:.0%} of the walkers have $f < 0.1$\nor $f > 0.9$",
        ha="center",
        va="top",
        color=COLOURS["walk"],
    )
    ax.text(0.5, 2.2, f"{walkers} walkers, {steps} steps", color=COLOURS["walk"], ha="center")
    ax.text(0.5, 1.85, "exact law", color=COLOURS["exact law"], ha="center")
    ax.text(0.5, 1.5, r"$1\,/\,\pi\sqrt{f(1 - f)}$", color=COLOURS["closed form"], ha="center")
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
