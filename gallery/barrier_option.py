"""
A barrier option, and who watches the barrier
=============================================

A call option, strike 100, that dies if the price falls below 90: S = 100 exp(X), X a Brownian motion with drift r - σ²/2,
r = 0.05, σ = 0.25, one year. The value is E[max(S - 100, 0)] exp(-r) over the walkers that have not left. Looking at the
barrier only once a step misses those that were below it in between, so that the price is too high by an error of √dt
(Broadie, Glasserman and Kou 1997); the minimum of the Brownian bridge within a step misses none and is right with one
step. The closed form is that of Merton (1973).
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy.stats import norm

import randwalk as rw
from randwalk.laws.plotting import COLOURS

RATE, SIGMA, BARRIER = 0.05, 0.25, 90.0
PAYOFF = rw.expression("where(x > 0, 100*exp(x) - 100, 0)")


def merton() -> float:
    """The down-and-out call, struck at the price of today and above the barrier."""

    def call(price: float) -> float:
        d = (np.log(price / 100) + RATE + SIGMA**2 / 2) / SIGMA
        return float(price * norm.cdf(d) - 100 * np.exp(-RATE) * norm.cdf(d - SIGMA))

    return call(100) - (BARRIER / 100) ** (2 * RATE / SIGMA**2 - 1) * call(BARRIER**2 / 100)


def figure(quick: bool = False) -> Figure:
    walkers = 10_000 if quick else 400_000
    steps = 4 ** np.arange(4 if quick else 6)
    barrier = rw.Interval(np.log(BARRIER / 100), np.inf, rw.Absorbing())
    true, discount = merton(), np.exp(-RATE)
    fig, ax = plt.subplots(figsize=(3.5, 2.8))
    ax.axhline(true, color=COLOURS["closed form"], lw=2.5)
    for n in steps.tolist():
        walk = rw.ItoWalk(RATE - SIGMA**2 / 2, noise=SIGMA, dt=1 / n, domain=barrier)
        paid = rw.Average(PAYOFF)
        value = discount * rw.simulate(walk, walkers, [1.0], seed=n, record=[paid])[paid].mean(1.0)
        ax.errorbar(n, value.value, value.error, fmt="o", color=COLOURS["walk"], lw=0.8)
        free = rw.ItoWalk(RATE - SIGMA**2 / 2, noise=SIGMA, dt=1 / n)
        x = rw.trajectories(free, walkers // 10, np.arange(1, n + 1) / n, seed=n).x
        seen = discount * np.where((x > barrier.low).all(axis=0), 100 * np.maximum(np.exp(x[-1]) - 1, 0), 0)
        ax.errorbar(
            n, seen.mean(), seen.std() / np.sqrt(seen.size), fmt="s", mfc="white", color=COLOURS["walk"], lw=0.8
        )
    ax.set_xscale("log", base=4)
    ax.set_xticks(steps, labels=[str(n) for n in steps])
    ax.text(steps[-1], true - 0.35, "bridge within the steps (dots)", ha="right", color=COLOURS["walk"])
    ax.text(steps[-1], true + 3.0, "barrier seen at steps only (squares)", ha="right", color=COLOURS["walk"])
    ax.text(steps[-1], true + 3.4, f"{walkers} walkers, a tenth for squares", ha="right", color=COLOURS["walk"])
    ax.text(1, true - 0.35, f"Merton: {true:.3f}", color=COLOURS["closed form"])
    ax.set(xlabel="steps in the year", ylabel="value of the option", ylim=(true - 0.6, None))
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
