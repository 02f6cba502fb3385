"""
Escape from a double well
=========================

A walker in the potential V = x⁴/4 - x²/2 crosses from the left well to the right one after a time that grows as
exp(ΔV/D), ΔV = ¼. Mean times of walkers, with standard errors, lie on the exact double integral for every D; Kramers'
formula π√2 exp(ΔV/D), the limit of a high barrier, is approached from above. The excess over it at the largest ΔV/D is
computed.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy.integrate import cumulative_simpson

import randwalk as rw
from randwalk.plotting import COLOURS


def potential(x: np.ndarray) -> np.ndarray:
    return x**4 / 4 - x**2 / 2


def mean_time(d: float) -> float:
    """∫_{-1}^{1} dy exp(V/D)/D ∫_{-∞}^{y} dz exp(-V/D): from the left minimum to the right one."""
    x = np.linspace(-3, 1, 4001)
    inner = cumulative_simpson(np.exp(-potential(x) / d), x=x, initial=0)
    outer = cumulative_simpson(np.where(x >= -1, np.exp(potential(x) / d), 0) * inner / d, x=x, initial=0)
    return float(outer[-1])


def figure(quick: bool = False) -> Figure:
    walkers = 10**3
    barrier = np.linspace(1, 4, 4) if quick else np.linspace(0.5, 6, 12)  # ΔV/D
    diffusion = 0.25 / barrier
    fig, ax = plt.subplots(figsize=(3.5, 3.0))
    fine = np.linspace(0.5, 6, 100)
    ax.semilogy(fine, [mean_time(0.25 / b) for b in fine], color=COLOURS["closed form"], lw=3)
    ax.semilogy(fine, np.pi * np.sqrt(2) * np.exp(fine), "--", color=COLOURS["closed form"])
    for b, d in zip(barrier, diffusion, strict=True):
        walk = rw.LatticeWalk.from_drift(
            drift=rw.expression("x - x**3"), diffusion=float(d), dx=0.1, start=-1.0,
            domain=rw.Interval(-2.05, 1, rw.Reflecting(), rw.Absorbing()), rule=rw.Rule.FITTED,
        )  # fmt: skip
        record = rw.FirstPassage()
        end = walk.dt * round(12 * mean_time(float(d)) / walk.dt)  # when exp(-12) of the walkers are left
        time = rw.simulate(walk, walkers, [end], seed=1, record=[record])[record].mean("right")
        ax.errorbar(b, time.value, time.error, fmt="o", color=COLOURS["walk"])
    ax.set(xlabel=r"barrier $\Delta V/D$", ylabel="mean time from well to well")
    excess = mean_time(0.25 / 6) / (np.pi * np.sqrt(2) * np.exp(6)) - 1
    ax.text(0.5, 1.2e3, f"{walkers} walkers a point", color=COLOURS["walk"])
    ax.text(0.5, 7e2, "exact integral", color=COLOURS["closed form"])
    ax.annotate(
        rf"Kramers: exact is {excess:.0%} more at $\Delta V/D = 6$", (4.2, np.pi * np.sqrt(2) * np.exp(4.2)), (6.1, 11),
        color=COLOURS["closed form"], ha="right", arrowprops={"arrowstyle": "-", "lw": 0.5, "color": COLOURS["closed form"]},
    )  # fmt: skip
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
