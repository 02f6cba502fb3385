"""
A column whose dispersion depends on the depth
==============================================

Tracer enters a column of sand at the top, and is seen when it first reaches 11, 17 and 23 cm. For S. Shiozawa's column CXTFIT 2.1
(US Salinity Laboratory Research Report 137) has a D for each depth, 0.154, 0.126 and 0.110 cm²/h: the mean of what the tracer
has met on its way. The D(z) that follows, 0.154 to 11 cm, 0.076 to 17 cm and 0.065 beyond, is that of these walkers, with
V = 2.5 cm/h: simulated, with a seed. Fitted with a constant D, each depth gives the published value back (below); one D for all
three is too small for the first and too large for the last, and its residuals (middle) are no chance.
"""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS

PUBLISHED = {11.0: 0.1540, 17.0: 0.1264, 23.0: 0.1103}  # cm, cm²/h
LOCAL = rw.expression("0.154 - 0.0390*(1 + tanh(2*(x - 11))) - 0.0055*(1 + tanh(2*(x - 17)))")
V = 2.5  # cm/h


def arrivals(depth: float, walkers: int) -> np.ndarray:
    """The times at which walkers of the column first reach a depth."""
    above = rw.Interval(-np.inf, depth, right=rw.Absorbing())
    walk = rw.ItoWalk(V, LOCAL, dt=0.02, domain=above, convention=rw.Convention.FICK)
    run = rw.simulate(walk, walkers, [20.0], seed=int(depth), record=[rw.Departures()])
    return run[rw.Departures()].time


def equation(depth: float, V: float = 2.4, D: float = 0.12) -> rw.pde.FokkerPlanck:
    return rw.pde.FokkerPlanck(V, D, domain=rw.Interval(-np.inf, depth, right=rw.Absorbing()), start=0.0)


def figure(quick: bool = False) -> Figure:
    walkers = 1000 if quick else 4000
    times = {depth: arrivals(depth, walkers) for depth in PUBLISHED}
    # the maximum of the likelihood of inverse normal times for one V and one D
    speed = sum(z * t.size for z, t in times.items()) / sum(t.sum() for t in times.values())
    square = np.concatenate([(z - speed * t) ** 2 / (2 * t) for z, t in times.items()])
    common, error = square.mean(), square.mean() * np.sqrt(2 / square.size)

    fig, (top, middle, bottom) = plt.subplots(3, 1, figsize=(3.5, 5.2), height_ratios=[1.3, 1, 1])
    middle.sharex(top)
    for (depth, t), marker in zip(times.items(), "os^", strict=True):
        low, high = np.quantile(t, [0.002, 0.998])
        edges = np.linspace(low, high, 16)
        x, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
        n = np.histogram(t, edges)[0]
        wanted = walkers * np.diff(rw.pde.closed_form(equation(depth, speed, common)).absorbed("right", edges))
        share = n / walkers / width
        top.errorbar(x, share, np.sqrt(n) / walkers / width, fmt=marker, ms=2.5, lw=0.8, color=COLOURS["walk"])
        top.plot(x, wanted / walkers / width, color=COLOURS["closed form"])
        middle.plot(x, (n - wanted) / np.sqrt(wanted), marker, ms=3, color=COLOURS["walk"])
        alone = rw.fit(rw.FirstPassageTimes(t, "right"), partial(equation, depth))
        bottom.errorbar(depth, alone["D"].value, alone["D"].error, fmt=marker, color=COLOURS["walk"], lw=0.8, ms=4)
        bottom.plot(depth, PUBLISHED[depth], "_", color=COLOURS["data"], ms=16, mew=2, zorder=0)
    bottom.axhspan(common - error, common + error, color=COLOURS["closed form"], lw=0)
    middle.axhspan(-2, 2, color="0.9", lw=0)
    told = f"one $D$: {common:.3f} ± {error:.3f}"
    bottom.text(24.8, common + error + 0.001, told, ha="right", color=COLOURS["closed form"])
    bottom.text(0.97, 0.86, "published", transform=bottom.transAxes, ha="right", color=COLOURS["data"])
    bottom.text(0.03, 0.06, "each depth alone", transform=bottom.transAxes, color=COLOURS["walk"])
    top.set(ylabel="arrivals a walker (1/h)", title=f"{walkers} walkers to 11, 17 and 23 cm; one $V$, one $D$")
    middle.set(ylabel="residual ($\\sigma$)", xlabel="time (h)")
    bottom.set(xlabel="depth (cm)", ylabel="$D$ (cm²/h)", xlim=(9, 25), xticks=list(PUBLISHED))
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
