"""
Which well comes first
======================

In the potential V = (x² - 1)²/4 + y²/2 + xy/4, with D = 0.15, a walker may come to the well on the right first or to the
one on the left. Above, the potential, and in colours the committor, the probability that it is the right one: the solution
of a linear system for a walk on a lattice, with its levels 0.1, 0.5 and 0.9. Below, along the line y = x/2, fractions of
walkers without a lattice that came to the right well first.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy.interpolate import RegularGridInterpolator

import randwalk as rw
from randwalk.laws.plotting import COLOURS
from randwalk.model.domain import Domain

DRIFT, D = (rw.expression("x - x**3 - y/4"), rw.expression("-y - x/4")), 0.15
WELLS = {"right well": (1.03, -0.26), "left well": (-1.03, 0.26)}  # where the drift vanishes
PLACES = np.linspace(-0.6, 0.6, 9).round(2)


def landscape() -> Domain:
    domain: Domain = rw.Interval(-1.6, 1.6, rw.Reflecting(), rw.Reflecting()) ** 2
    for name, centre in WELLS.items():
        domain = domain.without(rw.Ball(centre, 0.3), rw.Absorbing(), name=name)
    return domain


def figure(quick: bool = False) -> Figure:
    walkers, sites = (300, 32) if quick else (10_000, 128)
    domain, dx = landscape(), 3.2 / sites
    lattice = rw.LatticeWalk.from_drift(drift=DRIFT, diffusion=D, dx=dx, domain=domain, start=(dx / 2, dx / 2))
    x = -1.6 + dx * (np.arange(sites) + 0.5)
    at = np.nonzero(domain.contains((x[:, None], x)))
    q = np.full((sites, sites), np.nan)
    q[at] = rw.pde.hitting_probability(lattice, "right well", start=(x[at[0]], x[at[1]]))

    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 4.4), height_ratios=[1.6, 1])
    top.pcolormesh(x, x, q.T, cmap="cividis")
    levels = top.contour(x, x, q.T, levels=[0.1, 0.5, 0.9], colors="white", linewidths=1)
    top.clabel(levels, fmt="%g", fontsize=7)
    potential = (x[:, None] ** 2 - 1) ** 2 / 4 + x**2 / 2 + x[:, None] * x / 4
    top.contour(x, x, potential.T, levels=np.linspace(0, 2, 9), colors="black", linewidths=0.4)
    top.set(xlabel="$x$", ylabel="$y$", aspect="equal")
    fine = np.linspace(-0.6, 0.6, 61)
    bottom.plot(fine, RegularGridInterpolator((x, x), q)((fine, fine / 2)), color=COLOURS["exact law"])
    for place in PLACES:
        free = rw.ItoWalk(DRIFT, diffusion=D, dt=0.01, domain=domain, start=(place, place / 2))
        share = rw.simulate(free, walkers, [60.0], seed=1).absorbed("right well", 60.0)
        bottom.errorbar(place, share.value, share.error, fmt="o", color=COLOURS["walk"], lw=0.8)
    bottom.text(-0.6, 0.85, f"{walkers} walkers each", color=COLOURS["walk"])
    bottom.text(-0.6, 0.7, f"walk on {sites}² sites", color=COLOURS["exact law"])
    bottom.set(xlabel="$x$ on the line $y = x/2$", ylabel="right well first", ylim=(0, 1))
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
