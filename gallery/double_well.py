"""
Escape from a double well
=========================

A walker in the potential V = x⁴/4 - x²/2 crosses from the left well to the right one after a time that grows as exp(ΔV/D),
ΔV = ¼ (above). Mean times of walkers, with standard errors, agree with the exact double integral (χ² test of all points),
and differ from Kramers' formula π√2 exp(ΔV/D), the limit of a high barrier, which they approach from above (below). The
excess over the formula at the largest ΔV/D is computed.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy.integrate import cumulative_simpson
from scipy.stats import chi2

import randwalk as rw
from randwalk.laws.plotting import COLOURS

KRAMERS = np.pi * np.sqrt(2)  # the mean time of his formula is this × exp(ΔV/D)


def potential(x: np.ndarray) -> np.ndarray:
    return x**4 / 4 - x**2 / 2


def mean_time(d: float) -> float:
    """∫_{-1}^{1} dy exp(V/D)/D ∫_{-∞}^{y} dz exp(-V/D): from the left minimum to the right one."""
    x = np.linspace(-3, 1, 4001)
    inner = cumulative_simpson(np.exp(-potential(x) / d), x=x, initial=0)
    outer = cumulative_simpson(np.where(x >= -1, np.exp(potential(x) / d), 0) * inner / d, x=x, initial=0)
    return float(outer[-1])


def figure(quick: bool = False) -> Figure:
    walkers = 500 if quick else 4000
    barrier = np.linspace(1, 4, 4) if quick else np.linspace(0.5, 6, 12)  # ΔV/D
    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 4.0), sharex=True, height_ratios=[1.3, 1])
    fine = np.linspace(0.5, 6, 100)
    integral, kramers = np.array([mean_time(0.25 / b) for b in fine]), KRAMERS * np.exp(fine)
    top.semilogy(fine, integral, color=COLOURS["closed form"], lw=3)
    top.semilogy(fine, kramers, "--", color=COLOURS["closed form"])
    bottom.plot(fine, integral / kramers, color=COLOURS["closed form"], lw=3)
    bottom.axhline(1, ls="--", color=COLOURS["closed form"])
    pulls = []
    for seed, b in enumerate(barrier):
        walk = rw.LatticeWalk.from_drift(
            drift=rw.expression("x - x**3"), diffusion=0.25 / b, dx=0.05, start=-1.0,
            domain=rw.Interval(-2.025, 1, rw.Reflecting(), rw.Absorbing()), rule=rw.Rule.FITTED,
        )  # fmt: skip
        record = rw.FirstPassage()
        end = walk.dt * round(12 * mean_time(0.25 / b) / walk.dt)  # then exp(-12) of the walkers survive
        time = rw.simulate(walk, walkers, [end], seed=seed, record=[record])[record].mean("right")
        pulls.append(float(time.z(mean_time(0.25 / b))))
        for ax, scale in ((top, 1.0), (bottom, KRAMERS * np.exp(b))):
            ratio = time / scale
            ax.errorbar(b, ratio.value, ratio.error, fmt="o", color=COLOURS["walk"], lw=0.8)
    top.set(ylabel="mean time from well to well")
    bottom.set(xlabel=r"barrier $\Delta V/D$", ylabel="mean time / Kramers'")
    top.text(0.5, 1.2e3, f"{walkers} walkers a point", color=COLOURS["walk"])
    top.text(0.5, 6e2, "exact integral", color=COLOURS["closed form"])
    top.text(3.3, 40, "Kramers, dashed", color=COLOURS["closed form"])
    p = chi2.sf(np.sum(np.square(pulls)), len(pulls))
    bottom.text(0.5, 0.94, f"         walkers on the integral: $\\chi^2$, $p = {p:.2f}$", color=COLOURS["walk"])
    words = f"{integral[-1] / kramers[-1] - 1:.0%} more at $\\Delta V/D = 6$"
    bottom.text(6, 1.2, words, ha="right", color=COLOURS["closed form"])
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
