"""
A million million walkers
=========================

Independent walkers on one site are exchangeable, so the occupation method draws the numbers of steps to the right and
to the left: its cost is the same for 10⁴ and for 10¹² walkers (the figure shows the seconds measured when it was
drawn, best of five). Counts with standard errors against the exact law, down to sites where three of 10¹² walkers are expected.
"""

from functools import partial
from timeit import repeat

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS


def figure(quick: bool = False) -> Figure:
    walk = rw.LatticeWalk(right=0.3, left=0.3, dx=1.0, dt=1.0)
    steps = 100 if quick else 400
    width = 6 * np.sqrt(steps)
    exact = rw.pde.exact_law(walk, times=[steps])
    rw.simulate(walk, 1000, times=[1], method="occupation")  # compiles

    fig, ax = plt.subplots(figsize=(3.5, 3.2))
    for exponent, marker in ((12, "o"), (8, "s"), (4, "^")):
        run = partial(rw.simulate, walk, 10**exponent, times=[steps], seed=1, method="occupation")
        ensemble, seconds = run(), min(repeat(run, number=1, repeat=5))
        expected = exact.pmf[0] * 10**exponent
        ax.semilogy(exact.sites, expected, color=COLOURS["exact law"], lw=0.8)
        shown = (expected > 3) & (ensemble.counts[0] > 0) & (np.arange(expected.size) % 3 == 0)
        x, n = ensemble.sites[shown], ensemble.counts[0, shown]
        ax.errorbar(x, n, np.minimum(np.sqrt(n), 0.99 * n), fmt=marker, color=COLOURS["walk"], lw=0.8)
        label = f"$10^{{{exponent}}}$ walkers: {seconds:.2g} s"
        ax.annotate(label, (0, expected.max()), (0, 5), textcoords="offset points", ha="center", color=COLOURS["walk"])
    ax.set(xlabel="position $x/dx$", ylabel="walkers on a site", ylim=(0.3, 3e12), xlim=(-width, width))
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
