"""
Anatomy of a validation report
==============================

One case of ``randwalk validate``, a drift between a reflecting and an absorbing wall, as it is (left), and with right and left
exchanged at the reflecting wall, a fault that the package plants into itself (right). The first rung compares walkers with
their exact law: the p-values of all checks, in order, must lie above Holm's thresholds α/(m - k), together a false alarm in a
thousand runs. The second refines the lattice, and the distance of the exact law from the closed form must fall as dx²; the
third does so with the solver of the equation, which does not know the walk, nor its fault. The first two see it.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS
from randwalk.validate.faults import LIBRARY, planting

CASE, FAULT = "drift_reflecting_absorbing", "right and left exchanged at the left wall"
SMALLEST = 1e-12  # smaller p-values are drawn here


def p_values(ax: Axes, report: rw.validate.Report) -> None:
    checks = report.cases[0].sampling.checks
    p = np.sort([check.p_value for check in checks])
    rank = np.arange(1, p.size + 1)
    ax.step(rank, report.alpha / (p.size - rank + 1), where="mid", color="0.4", lw=1)
    for low, marker in ((False, "o"), (True, "v")):
        some = (p < SMALLEST) == low
        ax.semilogy(rank[some], np.maximum(p[some], SMALLEST), marker, color=COLOURS["walk"], ms=3.5)
    ax.set(xlabel="check, in order of $p$", ylim=(SMALLEST / 5, 3), xticks=rank[:: max(1, p.size // 5)])


def refined(ax: Axes, report: rw.validate.Report) -> None:
    case = report.cases[0]
    for rung, name, marker in (
        (case.discretisation, "exact law", "s"),
        (case.solver, "finite differences", "^"),
    ):
        widths, errors = np.array(rung.widths) / rung.widths[0], np.array(rung.errors)
        ax.loglog(widths, errors, marker + "-", color=COLOURS[name], ms=3.5)
        ax.loglog(widths, errors[0] * widths**2, ":", color="0.5", lw=2)
    ax.set(xlabel="cell width / first", xlim=(0.1, 1.15))
    ax.set_xticks([1 / 9, 0.25, 0.5, 1], ["1/9", "1/4", "1/2", "1"])
    ax.minorticks_off()


def figure(quick: bool = False) -> Figure:
    problem, walkers = rw.validate.load_case(CASE), 2000 if quick else 100_000
    fig, axes = plt.subplots(2, 2, figsize=(3.5, 4.2), sharey="row", height_ratios=[1.2, 1])
    for fault, column in zip(("", FAULT), axes.T, strict=True):
        with planting() as patch:
            if fault:
                LIBRARY[fault].plant(patch)
            case = rw.validate.validate_problem(problem, name=CASE, walkers=walkers, seed=1)
        report = rw.validate.Report((case,))
        verdicts = report.verdicts(case)
        p_values(column[0], report)
        refined(column[1], report)
        title = "a fault planted" if fault else "as it is"
        column[0].set_title(f"{title}\nrung 1, walkers: {verdicts['sampling']}")
        column[1].set_title(f"rung 2, law: {verdicts['discretisation']}; 3, solver: {verdicts['solver']}", fontsize=8)
    for row, label in zip(axes, (f"$p$ ({walkers} walkers)", "distance from closed form"), strict=True):
        row[0].set_ylabel(label)
        row[1].set_ylabel(label, visible=False)
    axes[0, 0].text(0.97, 0.45, "Holm's thresholds", transform=axes[0, 0].transAxes, color="0.4", ha="right")
    axes[1, 0].text(0.05, 0.9, "exact law", transform=axes[1, 0].transAxes, color=COLOURS["exact law"])
    axes[1, 0].text(0.05, 0.78, "solver", transform=axes[1, 0].transAxes, color=COLOURS["finite differences"])
    axes[1, 0].text(0.05, 0.66, "dotted: $dx^2$", transform=axes[1, 0].transAxes, color="0.4")
    axes[0, 1].text(0.97, 0.12, "below $10^{-12}$", transform=axes[0, 1].transAxes, color=COLOURS["walk"], ha="right")
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
