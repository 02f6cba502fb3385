"""
From the generating function to the heat kernel
===============================================

After n steps the law of a coin walk is the n-th power of its step's generating function, which on the unit circle is
cos(ω dx) (above). With dx = n^(-1/2) the power tends to exp(-ω²/2), and its coefficients, spread over their cells, tend
to the heat kernel (middle). The largest difference from the kernel falls as a power of n that is fitted to the points
(below).
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS


def figure(quick: bool = False) -> Figure:
    fig, (top, middle, bottom) = plt.subplots(3, 1, figsize=(3.5, 5.4), height_ratios=[1, 1, 0.7])
    omega, x = np.linspace(0, 6, 400), np.linspace(-3.4, 3.4, 400)
    kernel = rw.pde.closed_form(rw.pde.FokkerPlanck(drift=0.0, diffusion=0.5))
    top.plot(omega, np.exp(-(omega**2) / 2), color=COLOURS["closed form"], lw=3)
    middle.plot(x, kernel.pdf(x, 1.0), color=COLOURS["closed form"], lw=3)

    steps, differences = 2 ** np.arange(1, 13, 2), []
    for n in steps:
        walk = rw.LatticeWalk(right=0.5, left=0.5, dx=n**-0.5, dt=1 / n)
        places, law = rw.pde.exact_law(walk, times=[1.0]).density(1.0)
        differences.append(np.abs(law - kernel.pdf(places, 1.0)).max())
        if n > 32:
            continue
        marker, dashes = {2: ("v", ":"), 8: ("s", "--"), 32: ("o", "-")}[int(n)]
        top.plot(omega, np.cos(omega * walk.dx) ** n, dashes, color=COLOURS["exact law"], label=f"$n = {n}$")
        middle.plot(places, law, marker, color=COLOURS["exact law"], label=f"$n = {n}$")
    slope, height = np.polyfit(np.log(steps), np.log(differences), 1)
    top.set(xlabel=r"angular frequency $\omega$", ylabel=r"$\cos(\omega\,dx)^n$", xlim=(0, 6), ylim=(-0.02, 1.05))
    top.text(1.45, 0.5, r"limit $e^{-\omega^2/2}$", color=COLOURS["closed form"])
    top.legend(loc="upper left", bbox_to_anchor=(0.25, 1.08))
    middle.set(xlabel="position $x$", ylabel=r"density $\rho(x,\,t=1)$", xlim=(-3.4, 3.4), ylim=(0, 0.47))
    middle.legend(loc="upper left", handletextpad=0.2, borderaxespad=0.0)
    middle.text(3.4, 0.44, "heat kernel", color=COLOURS["closed form"], ha="right", va="top")
    bottom.loglog(steps, np.exp(height) * steps**slope, color=COLOURS["exact law"], lw=0.8)
    bottom.loglog(steps, differences, "o", color=COLOURS["exact law"])
    bottom.set(xlabel="number of steps $n$", ylabel="largest difference")
    bottom.text(0.95, 0.85, rf"$\propto n^{{{slope:.2f}}}$", transform=bottom.transAxes, ha="right", va="top")
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
