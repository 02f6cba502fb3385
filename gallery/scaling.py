"""
Scaling over workers
====================

Workers share nothing: W of them make W times the steps, until the one process that hands out ranges of walkers and adds their
counts is busy all the time. The benchmark ``python -m benchmarks.scaling`` measured the steps in a second of a worker's own
processor with one and two workers (points), and the seconds that the adding process needs for a range, c. The curves are no
measurement: the speed-up 1/(1/W + c/r) that follows for ranges of r seconds, of which a run chooses its own.
"""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from randwalk.laws.plotting import COLOURS

MEASURED = Path(__file__).parent / "results" / "scaling.json"


def figure(quick: bool = False) -> Figure:
    found = json.loads(MEASURED.read_text(encoding="utf-8"))
    rates = {int(workers): rate for workers, rate in found["rates"].items()}
    one, client = rates[1], found["client seconds a range"]
    workers = 2.0 ** np.arange(15)
    fig, ax = plt.subplots(figsize=(3.5, 3.0))
    ax.loglog(workers, one * workers, ":", color="0.5", lw=1)
    for seconds, style in ((60, "-"), (1, "--")):
        rate = one / (1 / workers + client / seconds)
        ax.loglog(workers, rate, style, color=COLOURS["closed form"])
        at, share, place = (9, 0.8, "bottom") if seconds > 1 else (14, 0.6, "top")
        ax.text(
            workers[at], share * rate[at], f"ranges of {seconds} s ", color=COLOURS["closed form"], ha="right", va=place
        )
    points = np.array(list(rates))
    ax.loglog(points, points * list(rates.values()), "o", color=COLOURS["walk"], ms=4)
    ax.text(2.6, 2 * rates[2], f"measured, {found['processors']} processors", color=COLOURS["walk"], va="top")
    ax.text(0.03, 0.93, f"$c$ = {1000 * client:.1f} ms a range", transform=ax.transAxes)
    ax.text(0.03, 0.84, "dotted: in proportion", transform=ax.transAxes, color="0.4")
    ax.set(xlabel="workers", ylabel="walker-steps a second")
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
