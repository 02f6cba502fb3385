"""
Gambler's ruin: which side, and when
====================================

A gambler with k coins plays, for one coin a game, until the capital is 0 or 20. Above: the probability that the gambler
wins, for three probabilities p of winning a game. Below: the mean number of games. Points: walkers with standard
errors, from the passage times at the two absorbing walls; lines: de Moivre's formulas. The errors above are about as
large as the points.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS

GOAL = 20


def formulas(k: np.ndarray, p: float) -> tuple[np.ndarray, np.ndarray]:
    """Probability of reaching the goal from k coins, and the mean number of games."""
    if p == 0.5:
        return k / GOAL, k * (GOAL - k)
    odds = (1 - p) / p
    win = (1 - odds**k) / (1 - odds**GOAL)
    return win, (k - GOAL * win) / (1 - 2 * p)


def figure(quick: bool = False) -> Figure:
    walkers, games = 1000, 8000  # after so many games the play is over
    fig, (top, bottom) = plt.subplots(2, 1, figsize=(3.5, 4.2), sharex=True)
    table = rw.Interval(0, GOAL, rw.Absorbing(), rw.Absorbing())
    everywhere, starts = np.linspace(0, GOAL, 201), np.arange(1, GOAL, 6 if quick else 2)
    for p, marker, label, shift in ((0.5, "o", 8, (-38, 1)), (0.47, "s", 12, (4, -9)), (0.4, "^", 17.2, (4, -9))):
        walk = rw.LatticeWalk(p, 1 - p, dx=1.0, dt=1.0, domain=table, start=1.0)
        for ax, values in zip((top, bottom), formulas(everywhere, p), strict=True):
            ax.plot(everywhere, values, color=COLOURS["closed form"], lw=2)
        for k in starts:
            record = rw.FirstPassage()
            passages = rw.simulate(walk.with_start(float(k)), walkers, [games], seed=int(100 * p + k), record=[record])[
                record
            ]
            for ax, estimate in ((top, passages.absorbed("right", games)), (bottom, passages.mean())):
                ax.errorbar(k, estimate.value, estimate.error, fmt=marker, color=COLOURS["walk"], lw=0.8)
        at = (label, float(formulas(np.array([label]), p)[0][0]))
        top.annotate(f"$p = {p:g}$", at, shift, textcoords="offset points")
    top.text(0, 0.85, f"{walkers} walkers a point", color=COLOURS["walk"])
    top.text(0, 0.7, "de Moivre", color=COLOURS["closed form"])
    top.set(ylabel="probability of winning")
    bottom.set(
        xlabel="initial capital $k$ (coins)", ylabel="mean duration (games)", ylim=(0, None), xticks=range(0, 21, 5)
    )
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
