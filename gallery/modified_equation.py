"""
The modified equation, seen by ten thousand million walkers
===========================================================

The law of a walk differs from the heat kernel by a term of order dx²: to the next order the walk solves an equation with
a fourth derivative, whose coefficient, (D dx²/12)(1 - 3s) with s = p + q, is read from ``rw.pde.modified(walk)``. The
density of the walkers minus the kernel lies on that correction, within standard errors (smaller than the points), and
vanishes for s = 1/3.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS


def figure(quick: bool = False) -> Figure:
    walkers, t, dx = 10**8 if quick else 10**10, 1.0, 0.1
    kernel = rw.pde.closed_form(rw.pde.FokkerPlanck(drift=0.0, diffusion=0.5))
    peak = float(kernel.pdf(0.0, t))
    x = np.linspace(-4, 4, 401)
    fourth = kernel.pdf(x, t) * (x**4 - 6 * x**2 + 3)  # of a normal density with variance 2Dt = 1

    fig, ax = plt.subplots(figsize=(3.5, 3.0))
    ax.axhline(0, color="0.8", lw=0.6)
    for s, text, marker in ((1, "1", "o"), (2 / 3, "2/3", "s"), (1 / 3, "1/3", "^")):
        walk = rw.LatticeWalk(right=s / 2, left=s / 2, dx=dx, dt=s * dx**2)
        b = float(rw.pde.modified(walk).b[3](0.0))
        ax.plot(x, 1e3 * b * t * fourth / peak, color=COLOURS["closed form"], lw=2)
        rho = rw.simulate(walk, walkers, times=[t], seed=1, method="occupation").density(t)
        every = slice(None) if s == 1 else slice(rho.x.size % 2, None, 2)
        difference = (1e3 * (rho - kernel.pdf(rho.x, t)) / peak)[np.abs(rho.x) < 4][every]
        ax.errorbar(
            difference.x, difference.value, difference.error,
            fmt=marker, color=COLOURS["walk"], lw=0.8, label=f"$s = {text}$",
        )  # fmt: skip
    ax.set(
        xlabel="position $x$",
        ylabel=r"$10^3\,(\rho - \rho_{\rm heat})\,/\,\rho_{\rm heat}(0)$",
        xlim=(-4, 4),
        ylim=(-2.7, 2.1),
    )
    ax.legend(loc="lower right", handletextpad=0.2)
    ax.text(-3.9, -1.8, f"$10^{{{round(np.log10(walkers))}}}$ walkers", color=COLOURS["walk"])
    ax.text(-3.9, -2.2, "modified equation", color=COLOURS["closed form"])
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
