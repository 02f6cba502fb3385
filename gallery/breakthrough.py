"""
One dispersion for three depths
===============================

A tracer enters a column of sand with the water; its concentration is measured at 11, 17 and 23 cm. The curves are simulated with
a seed, after the V and D that were published for S. Shiozawa's column (CXTFIT 2.1, US Salinity Laboratory Research Report 137)
and with normal errors of 0.007: D falls from 0.154 to 0.110 cm²/h. Fitted alone, each depth has its own D and
residuals of chance. Fitted together, one V and one D leave residuals of ten standard errors, in waves: no constant D describes
this column.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS

PUBLISHED = {11.0: (2.451, 0.1540), 17.0: (2.513, 0.1264), 23.0: (2.506, 0.1103)}  # V in cm/h, D in cm²/h
ERROR = 0.007  # of a concentration


def column(V: float = 2.4, D: float = 0.15) -> rw.pde.FokkerPlanck:
    """By reversed time: walkers drift from the depth to the inlet, which absorbs with the reactivity V."""
    return rw.pde.FokkerPlanck(
        drift=-V, diffusion=D, domain=rw.Interval(0.0, np.inf, rw.PartiallyAbsorbing(V)), start=11.0
    )


def measured(points: int) -> rw.validate.MeasuredCurve:
    rng, rows = np.random.default_rng(1), []
    for z, (velocity, dispersion) in PUBLISHED.items():
        t = z / velocity + np.linspace(-1.2, 1.5, points)
        curve = rw.pde.closed_form(column(velocity, dispersion).with_start(z)).absorbed("left", t)
        rows.append((t, curve + rng.normal(0.0, ERROR, points), np.full(points, z)))
    times, values, starts = np.concatenate(rows, axis=1)
    return rw.validate.MeasuredCurve(times, values, starts, wall="left", error=ERROR)


def figure(quick: bool = False) -> Figure:
    data = measured(15 if quick else 35)
    together = rw.fit(data, column)
    alone = {z: rw.fit(data.from_start(z), column) for z in PUBLISHED}
    fig, axes = plt.subplots(3, 1, figsize=(3.5, 4.6), height_ratios=(2, 1, 1), sharex=True)
    parts = [
        (together.data[0].series(together.laws, {}), axes[1], "one $V$, one $D$"),
        ([part for fit in alone.values() for part in fit.data[0].series(fit.laws, {})], axes[2], "each depth alone"),
    ]
    for part in parts[0][0]:
        axes[0].plot(*part.line, color=COLOURS["closed form"], lw=1.1)
        axes[0].plot(part.x, part.observed, ".", ms=3, color=COLOURS["data"])
    for series, ax, name in parts:
        for part, marker in zip(series, "os^", strict=True):
            ax.plot(
                part.x, part.residuals, marker, ms=2.5, color=COLOURS["data"], label=part.label.replace("from x =", "")
            )
        ax.axhspan(-2.0, 2.0, color="0.9", lw=0)
        ax.set(ylabel="residual ($\\sigma$)", title=name)
    axes[0].set(ylabel="relative concentration", title=f"$D$ = {together['D']:.4f} cm²/h for all depths")
    axes[2].set(xlabel="time (h)")
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
