"""
Perrin's grains, 1909
=====================

In Jean Perrin's laboratory M. Chaudesaigues noted the places of gamboge grains every 30 s. Their displacements along one axis,
with standard errors (√n), against the law of a walk with the diffusion of their own mean square, D = ξ²/2t, over the range of
the table (|x| < 17 µm). The p-values of Pearson's chi-square are computed, with one degree of freedom less for D, which comes
from the same grains. J. Perrin, Annales de chimie et de physique, 8e série, t. 18 (1909).
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy import stats

import randwalk as rw
from randwalk.laws.plotting import COLOURS

TABLE = Path(rw.validate.__file__).parent / "cases" / "perrin_displacement_classes.csv"
SERIES = {1: 7.085, 2: 6.708}  # Perrin's root mean square displacement in 30 s, µm


def figure(quick: bool = False) -> Figure:
    low, high, *columns = np.loadtxt(TABLE, delimiter=",", skiprows=1).T
    edges, centre = np.append(low, high[-1]), (low + high) / 2
    fig, axes = plt.subplots(2, 1, figsize=(3.5, 3.8), sharex=True)
    for ax, (series, rms), found in zip(axes, SERIES.items(), (columns[0], columns[2]), strict=True):
        diffusion = rms**2 / (2 * 30)
        walk = rw.LatticeWalk.from_drift(drift=0.0, diffusion=diffusion, dx=0.2 if quick else 0.1, times=[30.0])
        law = rw.pde.exact_law(walk, times=[30.0]).smoothed()
        share = 2 * law.mass(edges, 30.0)
        expected = found.sum() * share / share.sum()
        join = np.arange(found.size - 2)  # the last three classes have few grains and are tested as one
        observed, joined = np.add.reduceat(found, join), np.add.reduceat(expected, join)
        p = stats.chi2.sf(np.sum((observed - joined) ** 2 / joined), join.size - 2)  # D is fitted
        ax.stairs(expected, edges, baseline=None, color=COLOURS["exact law"], lw=1.1)
        ax.errorbar(centre, found, np.sqrt(found), fmt="s", color=COLOURS["data"])
        ax.set(ylabel="number of displacements", ylim=(0, 60), xlim=(0, 17))
        ax.text(
            16.8, 56, f"series {series}: {found.sum():.0f} displacements", color=COLOURS["data"], ha="right", va="top"
        )
        ax.text(16.8, 47, f"walk with $D = {diffusion:.3f}$ µm²/s", color=COLOURS["exact law"], ha="right", va="top")
        ax.text(16.8, 38, rf"$\chi^2$: $p = {p:.2f}$", ha="right", va="top")
    axes[1].set_xlabel("displacement $|x|$ in 30 s (µm)")
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
