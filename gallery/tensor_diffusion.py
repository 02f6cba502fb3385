"""
A diffusion tensor on a lattice
===============================

Diffusion in a tissue of fibres is a tensor, here D = ((1, 0.6), (0.6, 0.5)). A walk on a lattice has it exactly by steps
along the axes and one diagonal. Above, counts of walkers from one point at t = 1, and the ellipses of the closed form that
hold 50 and 90 % of them. Below, the mean squared displacement in every direction, 2t n·D n, with standard errors.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS

D = np.array([[1.0, 0.6], [0.6, 0.5]])


def figure(quick: bool = False) -> Figure:
    walkers = 10_000 if quick else 1_000_000
    walk = rw.LatticeWalk.from_drift(
        drift=0.0, diffusion=D.tolist(), dx=(0.12, 0.085), domain=rw.Line() ** 2, times=[1.0]
    )
    run = rw.simulate(walk, walkers, [1.0], seed=1)
    angle = np.linspace(0, 2 * np.pi, 200)
    root = np.linalg.cholesky(2 * D)
    circle = np.array([np.cos(angle), np.sin(angle)])

    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 4.4), height_ratios=[1.5, 1])
    x, y = run.sites
    top.pcolormesh(x, y, run.pdf((x[:, None], y), 1.0).value.T, cmap="Blues")
    for inside in (0.5, 0.9):
        top.plot(*(np.sqrt(-2 * np.log(1 - inside)) * root @ circle), color=COLOURS["closed form"])
    top.set(xlabel="$x$", ylabel="$y$", aspect="equal", xlim=(-4, 4), ylim=(-3, 3))
    bottom.plot(
        np.degrees(angle[:101]), 2 * np.sum(circle * (D @ circle), axis=0)[:101], color=COLOURS["closed form"], lw=2
    )
    for degrees in range(0, 181, 15):
        n = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        square = run.expect(lambda x, y, n=n: (n[0] * x + n[1] * y) ** 2, 1.0)
        bottom.errorbar(degrees, square.value, square.error, fmt="o", color=COLOURS["walk"], lw=0.8)
    bottom.text(180, 2.6, f"$10^{len(str(walkers)) - 1}$ walkers", ha="right", color=COLOURS["walk"])
    bottom.text(180, 2.2, r"$2t\,n\cdot D\,n$", ha="right", color=COLOURS["closed form"])
    bottom.set(xlabel="direction of $n$ (degrees)", ylabel="mean square along $n$", ylim=(0, 2.9))
    bottom.set_xticks(range(0, 181, 45))
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
