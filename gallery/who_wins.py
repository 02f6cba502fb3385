"""
Who wins where
==============

Error against seconds, for one problem in 1, 2, 3, 6 and 10 dimensions: a drift in a box whose faces absorb, D = ½, from its
middle to t = ¼. Asked for are a value at a point, the whole density (on 3 boxes an axis) and a first-passage time, P(τ > ¼).
Measured by ``python -m benchmarks.who_wins``, whose result this figure draws: seconds of one processor, compilation apart;
true errors relative to the answers; of walkers, medians over seeds with their quartiles. To three dimensions the exact law and
the solver win wherever more than two or three digits are wanted. Beyond, there is no lattice, and walkers are what remains,
unless the problem separates, as this one does: its closed form is right to rounding in any dimension.
"""

import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from randwalk.laws.plotting import COLOURS

MEASURED = Path(__file__).parent / "results" / "who_wins.json"
DRAWN = {  # kind of evidence, marker, filled, name
    "walkers on a lattice": ("walk", "o", True, "walkers on a lattice"),
    "occupation": ("walk", "D", True, "their counts (occupation)"),
    "Itô walkers": ("walk", "o", False, "Itô walkers"),
    "expectation": ("walk", "s", False, "expectation (of values only)"),
    "exact law": ("exact law", "s", True, "exact law"),
    "solver": ("finite differences", "^", True, "solver"),
    "closed form": ("closed form", "*", True, "closed form"),
}
LOWEST = 1e-11  # smaller errors are drawn here


def figure(quick: bool = False) -> Figure:
    found = json.loads(MEASURED.read_text(encoding="utf-8"))
    quantities = list(dict.fromkeys(row["quantity"] for row in found["rows"]))
    dimensions = sorted({row["dimension"] for row in found["rows"]})
    cells = [(d, quantity) for d in dimensions for quantity in quantities]
    size = (len(dimensions), len(quantities))
    fig, axes = plt.subplots(*size, figsize=(3.5, 6.6), sharex=True, sharey=True)
    handles = {}
    for (d, quantity), ax in zip(cells, axes.flat, strict=True):
        for method, (kind, marker, filled, name) in DRAWN.items():
            here = (d, quantity, method)
            rows = [r for r in found["rows"] if (r["dimension"], r["quantity"], r["method"]) == here]
            if not rows:
                continue
            (x_low, x, x_high), (low, y, high) = (
                zip(*(r[key] for r in rows), strict=True) for key in ("seconds", "error")
            )
            y, low, high = (tuple(max(v, LOWEST) for v in values) for values in (y, low, high))
            around = [[[abs(v - m) for v, m in zip(end, middle, strict=True)] for end in ends]
                      for ends, middle in (((x_low, x_high), x), ((low, high), y))]  # fmt: skip
            colour = COLOURS[kind]
            style = {"ms": 5 if marker == "*" else 2.6, "lw": 0.6, "mew": 0.7, "mfc": colour if filled else "white"}
            handles[name] = ax.errorbar(
                x, y, around[1], around[0], fmt=f"{marker}-", color=colour, elinewidth=0.6, **style
            )
        for why in {e["why"] for e in found["empty"] if e["dimension"] == d and "lattice" in e["why"]}:
            words = re.sub(r": (\d+)\^(\d+)", r":\n$\1^{\2}$", why)
            ax.text(0.08, 0.3, words, transform=ax.transAxes, fontsize=6, color="0.4")
    for ax, quantity in zip(axes[0], quantities, strict=True):
        ax.set_title(quantity, fontsize=8)
        ax.set(xscale="log", yscale="log", ylim=(LOWEST / 3, 30))
    for row, d in zip(axes, dimensions, strict=True):
        for ax in row:
            ax.set_ylabel(f"{d}-D: error", visible=ax is row[0])
    axes[-1, 1].set_xlabel("seconds of a processor")
    fig.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=2, fontsize=7)
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
