"""
First return and last exit
==========================

Above: a symmetric walker comes back to its start for the first time after 2k steps with a probability that falls as
k^(-3/2): it surely returns, but takes infinitely long on average. Below: the last visit to the start within 2n steps has
the arcsine law, which is most probable at the very beginning and the very end. Walkers with standard errors against the
exact laws (above smaller than the points); the exponent is fitted to the walkers that return after 100 steps and more.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy import special

import randwalk as rw
from randwalk.laws.plotting import COLOURS


def figure(quick: bool = False) -> Figure:
    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 4.2))

    # After its first step the walker is one site from its start, where an absorbing wall stands.
    walkers, steps = (10**5, 300) if quick else (10**8, 3000)
    home = rw.Interval(0, np.inf, rw.Absorbing())
    walk = rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, dt=1.0, domain=home, start=1.0)
    record = rw.FirstPassage()
    passages = rw.simulate(walk, walkers, [steps], seed=1, method="occupation", record=[record])[record]
    edges = np.unique(np.geomspace(1, steps / 2, 16).astype(int)) * 2.0 - 1.0  # returns after 2, 4, 6 … steps in all
    times, widths = (edges[1:] + edges[:-1]) / 2 + 2, np.diff(edges)
    share = np.diff(passages.absorbed("left", edges).value)
    error = np.sqrt(share / walkers)
    law = np.diff(rw.pde.exact_law(walk, [steps]).absorbed("left", edges))
    top.loglog(times, law / widths, color=COLOURS["exact law"])
    top.errorbar(times, share / widths, error / widths, fmt="o", color=COLOURS["walk"])
    late = times > 100
    slope = np.polyfit(np.log(times[late]), np.log(share[late] / widths[late]), 1, w=(share / error)[late])[0]
    top.set(xlabel="first return (step)", ylabel="probability per step")
    words = f"$10^{round(np.log10(walkers))}$ walkers"
    top.text(0.05, 0.3, words, transform=top.transAxes, color=COLOURS["walk"])
    top.text(0.05, 0.15, "exact law", transform=top.transAxes, color=COLOURS["exact law"])
    top.text(
        0.95, 0.85, f"slope ${slope:.2f}$ after 100 steps", transform=top.transAxes, ha="right", color=COLOURS["walk"]
    )

    walkers, steps = (10**4, 100) if quick else (4 * 10**4, 200)
    walk = rw.LatticeWalk(right=0.5, left=0.5, dx=1.0, dt=1.0)
    last = rw.LastVisit(0.0)
    visits = rw.simulate(walk, walkers, [steps], seed=1, record=[last])[last].proportions(steps)[1::2]
    k = np.arange(steps // 2 + 1)
    u = special.binom(2 * k, k) / 4.0**k
    bottom.semilogy(2 * k, u * u[::-1], color=COLOURS["exact law"])
    bottom.errorbar(2 * k[::4], visits.value[::4], visits.error[::4], fmt="o", color=COLOURS["walk"])
    bottom.text(0.5, 0.85, f"{walkers} walkers", transform=bottom.transAxes, ha="center", color=COLOURS["walk"])
    bottom.set_yticks([0.01, 0.02, 0.05], ["0.01", "0.02", "0.05"])
    bottom.yaxis.set_minor_formatter("")
    bottom.set(xlabel=f"last visit to the start (step, of {steps})", ylabel="probability")
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
