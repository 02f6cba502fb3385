"""
Perrin's sedimentation
======================

Grains fall with a velocity v and diffuse: in the steady state their number decreases with height as exp(-z/H), H = D/v.
Perrin counted them at four heights in three emulsions. A walk between a reflecting floor and a reflecting lid at 12 H, with
the H fitted to each set, keeps this law (line), and walkers started evenly over the lowest H have reached it (small dots).
Of three sets, one has p = 0.03 or less by chance in 9 % of such tables. Errors of the counts are their square roots; for
sets a and b, printed as percentages of the lowest level, from his totals of about 13 000 and 3 000 grains. The p-values are
those of the chi-square of the fits. J. Perrin, Annales de chimie et de physique, 8e série, t. 18 (1909).
"""

import csv
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy import stats

import randwalk as rw
from randwalk.laws.plotting import COLOURS

TABLE = Path(rw.validate.__file__).parent / "cases" / "perrin_heights.csv"
GRAINS = {"a": 13000, "b": 3000, "c": None}  # all grains counted, where the table has percentages


def figure(quick: bool = False) -> Figure:
    with TABLE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    fig, ax = plt.subplots(figsize=(3.5, 3.2))
    for (name, total), marker in zip(GRAINS.items(), "sD^", strict=True):
        z, n = np.array([[float(r["height_um"]), float(r["n_found"])] for r in rows if r["set"] == name]).T
        counts = n * (total or n.sum()) / n.sum()
        (slope, top), cov = np.polyfit(z, np.log(counts), 1, w=np.sqrt(counts), cov="unscaled")
        scale, error = -1 / slope, np.sqrt(cov[0, 0]) / slope**2
        p = stats.chi2.sf(np.sum(counts * (np.log(counts) - slope * z - top) ** 2), z.size - 2)
        walk = rw.LatticeWalk.from_drift(
            drift=-1.0, diffusion=scale, sites=60 if quick else 120, start=rw.Uniform(0, scale), times=[20 * scale],
            domain=rw.Interval(0, 12 * scale, rw.Reflecting(), rw.Reflecting()),
        )  # fmt: skip
        rho = rw.simulate(walk, 10**4 if quick else 10**6, times=[20 * scale], seed=1).density(20 * scale)
        shown = (rho.x < z[-1] + 0.3 * scale) & (np.arange(rho.x.size) % 4 == 0)
        places, law = rw.pde.stationary_law(walk).density()
        inside = places < z[-1] + 0.3 * scale
        ax.semilogy(places[inside], scale * law[inside], color=COLOURS["exact law"])
        ax.errorbar(
            rho.x[shown],
            scale * rho.value[shown],
            scale * rho.error[shown],
            fmt="o",
            ms=2.4,
            lw=0.8,
            color=COLOURS["walk"],
            zorder=2.5,
        )
        label = rf"{name}: $H = {scale:.1f} \pm {error:.1f}$ µm, $p = {p:.2f}$"
        grains, errors = counts / np.exp(top), np.sqrt(counts) / np.exp(top)
        ax.errorbar(z, grains, errors, fmt=marker, ms=5, color=COLOURS["data"], label=label, zorder=3)
    ax.legend(loc="upper right", handletextpad=0.2, labelcolor=COLOURS["data"])
    ax.set_yticks([0.1, 0.2, 0.5, 1], ["0.1", "0.2", "0.5", "1"])
    ax.set(xlabel="height $z$ (µm)", ylabel="grains, relative to the fit at $z = 0$", xlim=(-2, 110))
    ax.text(
        0.97,
        0.68,
        "$10^6$ walkers each" if not quick else "$10^4$ walkers each",
        transform=ax.transAxes,
        color=COLOURS["walk"],
        ha="right",
    )
    ax.text(0.97, 0.60, "stationary law", transform=ax.transAxes, color=COLOURS["exact law"], ha="right")
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
