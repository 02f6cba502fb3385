"""
Walkers over their law
======================

Symmetric walkers, counted on the sites that they can occupy, agree with their exact law site by site; both lie on the
heat kernel. Below: the residuals in standard errors, of which a band of ±2 should hold 95 %. The share in the
band and the p-value of Pearson's chi-square are computed.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS


def figure(quick: bool = False) -> Figure:
    walkers, t = (10**4 if quick else 10**6), 1.0
    walk = rw.LatticeWalk(right=0.5, left=0.5, dx=0.1, dt=0.01)
    ensemble = rw.simulate(walk, walkers, times=[t], seed=1, method="paths")
    exact = rw.pde.exact_law(walk, times=[t])
    kernel = rw.pde.closed_form(rw.pde.limit(walk))

    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 3.4), sharex=True, height_ratios=[2.2, 1])
    x = np.linspace(-5, 5, 501)
    top.plot(x, kernel.pdf(x, t), color=COLOURS["closed form"], lw=2.5)
    exact.plot(t, ax=top)
    ensemble.plot(t, ax=top)
    top.set(xlabel="", ylabel=r"density $\rho(x,\,t=1)$", ylim=(0, None))
    exponent = round(np.log10(walkers))
    top.text(-4.7, 0.36, f"$10^{exponent}$ walkers", color=COLOURS["walk"])
    top.text(-4.7, 0.32, "exact law", color=COLOURS["exact law"])
    top.text(-4.7, 0.28, "heat kernel", color=COLOURS["closed form"])

    places, law = exact.density(t)
    seen = ensemble.density(t)
    p = law * 2 * walk.dx  # a walk that never stays is on every second site
    measured = np.interp(places, seen.x, seen.value, left=0, right=0)
    residual = (measured - law) * 2 * walk.dx / np.sqrt(p * (1 - p) / walkers)
    kept = walkers * p > 5
    bottom.axhspan(-2, 2, color="0.92", lw=0)
    bottom.errorbar(places[kept], residual[kept], 1.0, fmt="o", color=COLOURS["walk"], lw=0.7)
    test = rw.validate.compare(ensemble, exact).checks[0]
    inside = np.mean(np.abs(residual[kept]) < 2)
    bottom.set(xlabel="position $x$", ylabel="residual / s.e.", xlim=(-4.9, 4.9), ylim=(-4.5, 5.5), yticks=[-2, 0, 2])
    bottom.text(
        -4.7, 4.2, rf"{inside:.0%} within $\pm 2$;  $\chi^2$ test: $p = {test.p_value:.2f}$", fontsize=8, va="center"
    )
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
