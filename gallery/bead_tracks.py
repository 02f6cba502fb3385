"""
Diffusion from tracks of beads
==============================

Beads in flowing water, seen 20 times a second with the shutter open for the whole of each frame: simulated tracks, with a seed,
of a known D, whose positions are blurred, off by 40 nm and adrift (above: six of them). A straight line through the mean square
displacement of the first lags, the usual way, takes the blur and the errors for diffusion and the drift for more of it. The
likelihood of Brownian motion that is seen so knows them: in six experiments (below) it finds D within two standard errors.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS

D, DRIFT, ERROR, INTERVAL = 0.05, np.array([0.5, 0.2]), 0.04, 0.05  # µm²/s, µm/s, µm, s
NAIVE = "0.55"
FINE, LAGS = 8, 4  # steps of a frame; lags of the straight line


def seen(seed: int, beads: int, frames: int) -> rw.Tracks:
    """Positions as means over the exposure, the whole frame, with normal errors."""
    rng = np.random.default_rng(seed)
    size = (beads, frames * FINE, 2)
    steps = rng.normal(0.0, np.sqrt(2 * D * INTERVAL / FINE), size) + DRIFT * INTERVAL / FINE
    x = np.cumsum(steps, axis=1).reshape(beads, frames, FINE, 2).mean(axis=2)
    x += rng.normal(0.0, ERROR, x.shape)
    names, times = np.repeat(np.arange(beads), frames), np.tile(INTERVAL * np.arange(frames), beads)
    return rw.Tracks(names, times, x.reshape(-1, 2), interval=INTERVAL, unit="µm", time_unit="s")


def figure(quick: bool = False) -> Figure:
    beads, frames = (6, 50) if quick else (20, 150)
    lags = INTERVAL * np.arange(1, LAGS + 1)
    fig, (top, middle, bottom) = plt.subplots(3, 1, figsize=(3.5, 5.4), height_ratios=[1.2, 1, 1])
    for number in range(1, 7):
        tracks = seen(number, beads, frames)
        fit, msd = tracks.fit(exposure=INTERVAL), tracks.msd(lags)
        slope, cov = np.polyfit(lags, msd.value, 1, w=1 / msd.error, cov="unscaled")
        if number == 1:
            for k in range(6):
                x, y = tracks.of(k).positions.T
                top.plot(x, y, color=COLOURS["walk"], lw=0.7, alpha=0.4 + 0.1 * k)
            shown = INTERVAL * np.arange(1, 16)
            some = tracks.msd(shown)
            middle.errorbar(shown, some.value, some.error, fmt="o", color=COLOURS["walk"], lw=0.8)
            middle.plot(shown, fit.msd(shown), color=COLOURS["data"])
            middle.plot(shown[:8], np.polyval(slope, shown[:8]), "--", color=NAIVE)
            middle.text(0.03, 0.85, "fit of the tracks", transform=middle.transAxes, color=COLOURS["data"])
            text = f"straight line, {LAGS} lags"
            middle.text(0.97, 0.08, text, transform=middle.transAxes, color=NAIVE, ha="right")
        naive = slope[0] / 4, np.sqrt(cov[0, 0]) / 4
        found = fit.diffusion.value, fit.diffusion.error
        bottom.errorbar(number - 0.1, *naive, fmt="s", ms=2.5, color=NAIVE, lw=0.8)
        bottom.errorbar(number + 0.1, *found, fmt="o", ms=2.5, color=COLOURS["data"], lw=0.8)
    bottom.axhline(D, color=COLOURS["closed form"], lw=1)
    for x, text, colour in (
        (0.0, f"true: {D:g}", COLOURS["closed form"]), (0.36, "straight line", NAIVE), (0.7, "likelihood", COLOURS["data"]),
    ):  # fmt: skip
        bottom.text(x, 1.03, text, transform=bottom.transAxes, color=colour)
    top.set(xlabel="$x$ (µm)", ylabel="$y$ (µm)", title=f"6 of {beads} beads, {frames} frames of {INTERVAL:g} s")
    middle.set(xlabel="lag (s)", ylabel="mean square (µm²)", ylim=(0, None))
    bottom.set(xlabel="experiment (seed)", ylabel="$D$ (µm²/s)", xticks=range(1, 7))
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
