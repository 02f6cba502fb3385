"""
Parity and the lazy walk
========================

A walk that never stays is on even sites after an even number of steps (above: with r = 0 every second site is empty).
A walk that stays with probability r mixes the parities: the mean of (-1)^(x/dx) is (2r - 1)^n after n steps (below, lines:
the formula; points: walkers with standard errors, mostly smaller than the points), so a small r damps it slowly.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS


def lazy(r: float) -> rw.LatticeWalk:
    return rw.LatticeWalk(right=(1 - r) / 2, left=(1 - r) / 2, dx=1.0, dt=1.0)


def figure(quick: bool = False) -> Figure:
    walkers, n = (10**6 if quick else 10**11), 20
    x, edges, steps = np.arange(-9, 10), np.arange(-9.5, 10), np.arange(1, n + 1)
    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 4.2))
    for r, marker, fill in ((0.0, "o", None), (0.05, "s", "white"), (0.2, "^", "white")):
        ensemble = rw.simulate(lazy(r), walkers, times=[n], seed=1, method="occupation")
        top.plot(x, rw.pde.exact_law(lazy(r), times=[n]).mass(edges, n), color=COLOURS["exact law"], lw=0.6)
        share = ensemble.mass(edges, n)
        top.errorbar(
            x, share.value, share.error, fmt=marker, mfc=fill, color=COLOURS["walk"], lw=0.8, label=f"$r = {r:g}$"
        )
    top.text(10.3, 0.185, "exact law", color=COLOURS["exact law"], ha="right")
    top.legend(loc="upper left", handletextpad=0.2, borderaxespad=0)
    top.set(xlabel="position $x/dx$", ylabel=f"probability after {n} steps", ylim=(-0.005, 0.2), xlim=(-10.5, 10.5))

    for r, marker in ((0.0, "o"), (0.05, "s"), (0.2, "^")):
        law = np.abs(2 * r - 1) ** steps
        bottom.semilogy(steps, law, color=COLOURS["closed form"], lw=2)
        ensemble = rw.simulate(lazy(r), walkers, times=steps, seed=1, method="occupation")
        mixing = abs(ensemble.expect(lambda x: np.cos(np.pi * x), steps))
        seen = law > 5 / np.sqrt(walkers)  # chosen by the formula, not by the sample: well above the noise
        bottom.errorbar(steps[seen], mixing.value[seen], mixing.error[seen], fmt=marker, color=COLOURS["walk"], lw=0.8)
        bottom.annotate(f"$r = {r:g}$", (15, law[14]), (0, 5), textcoords="offset points")
    bottom.set(xlabel="steps $n$", ylabel=r"$|\langle (-1)^{x/dx} \rangle|$", ylim=(1e-5, 8), xlim=(0, n + 0.5))
    bottom.text(0.5, 1e-4, f"$10^{{{round(np.log10(walkers))}}}$ walkers", color=COLOURS["walk"])
    bottom.text(0.5, 2.5e-5, "$|2r - 1|^n$", color=COLOURS["closed form"])
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
