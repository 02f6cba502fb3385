"""The mean square displacement of tracks, over all windows, with standard errors that respect their overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..laws.estimate import Profile
from ..model.coefficient import Floats


def mean_square(
    track: NDArray[np.int64],
    frame: NDArray[np.int64],
    positions: Floats,
    lags: NDArray[np.int64],
    model: Any,
    interval: float,
) -> Profile:
    """The mean of ``|X(t + τ) - X(t)|²`` over all windows of `lags` frames whose ends were seen.

    Rows are sorted by track and frame. `model` has the D, the drift and the spread s² (:mod:`randwalk.data.brownian`) of the
    standard errors, which are exact for them: displacements of windows that begin m < n frames apart, of n frames each, have the
    covariance 2D(n - m)Δt along each axis (and 2s² for m = 0, -s² for m = n), and the variance of a mean of squares of
    normal numbers of covariance C and mean μ is that of 2ΣC² + 4μ²ΣC [Qian, Sheetz & Elson, Biophys. J. 60, 910 (1991)].
    """
    diffusion, drift, spread = model
    longest, dimension = int(lags.max()), positions.shape[1]
    first = np.flatnonzero(np.diff(track, prepend=-1))
    spans = frame[np.append(first[1:], len(track)) - 1] - frame[first] + 1 + longest  # tracks on one line do not meet
    place = (np.cumsum(spans) - spans)[track] + frame - frame[first][track]
    line = np.full((int(spans.sum()), dimension), np.nan)
    line[place] = positions
    size = 1 << int(np.ceil(np.log2(len(line) + longest)))
    value, error = np.full(lags.shape, np.nan), np.full(lags.shape, np.nan)
    for k, n in enumerate(lags.tolist()):
        moved = line[n:] - line[:-n]
        seen = ~np.isnan(moved[:, 0])
        windows = int(seen.sum())
        if not windows:
            continue
        spectrum = np.fft.rfft(seen.astype(np.float64), size)
        pairs = np.rint(np.fft.irfft(np.abs(spectrum) ** 2, size)[: n + 1])  # of windows that begin 0 … n frames apart
        pairs[1:] *= 2.0
        covariance = 2.0 * diffusion * interval * (n - np.arange(n + 1.0))
        covariance[0] += 2.0 * spread
        covariance[n] -= spread
        along = float(np.sum((drift * n * interval) ** 2))
        variance = 2.0 * dimension * pairs @ covariance**2 + 4.0 * along * pairs @ covariance
        value[k] = np.mean(np.sum(moved[seen] ** 2, axis=1))
        error[k] = np.sqrt(max(variance, 0.0)) / windows
    return Profile(value, error, lags * interval)
