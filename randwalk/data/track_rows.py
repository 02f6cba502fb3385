"""Rows of tracks, checked: whose they are, and on which frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inputs.arguments import finite, is_missing
from ..inputs.wording import shown
from ..model.coefficient import Floats

JITTER = 0.05  # of a frame: how far the time between two observations may be from a whole number of frames


def positive(name: str, value: object) -> float:
    """A number above 0."""
    if not (given := finite(name, value)) > 0.0:
        raise ValueError(f"{name} = {given:g}: must be positive")
    return given


def labels(particle: Any) -> NDArray[Any]:
    """The names of particles: whole numbers where all are, else text."""
    given = np.asarray(particle)
    names = np.asarray(particle, dtype=object).ravel().tolist()
    missing = next((row for row, name in enumerate(names) if name == "" or is_missing(name)), None)
    if missing is not None:
        raise ValueError(f"particle is missing in row {missing}: name it, or leave out the row")
    if given.ndim != 1:
        raise ValueError(f"particle has the shape {given.shape}: give one name or number for each position")
    if given.dtype.kind in "iu":
        return given.astype(np.int64)
    try:
        numbers = given.astype(np.float64)
        if (numbers == np.rint(numbers)).all():
            return numbers.astype(np.int64)
    except (TypeError, ValueError):
        pass
    return given.astype(str)


def frames_of(particle: NDArray[Any], time: Floats, interval: float | None) -> tuple[float, NDArray[np.int64]]:
    """The time between frames, and the frame of each row, from 0; rows are sorted by particle and time."""
    same = particle[1:] == particle[:-1]
    waited = np.diff(time)
    if (same & (waited == 0.0)).any():
        at = int(np.argmax(same & (waited == 0.0)))
        raise ValueError(
            f"particle {shown(particle[at].item())} has two positions at time {time[at]:g}: give one, or name the column that "
            "tells particles apart"
        )
    if interval is not None:
        interval = positive("interval", interval)
    elif not same.any():
        return 1.0, np.zeros(time.size, dtype=np.int64)
    else:
        shortest = waited[same].min()
        whole = np.rint(waited[same] / shortest)
        interval = float(waited[same].sum() / whole.sum())
    frames = np.rint(np.where(same, waited, 0.0) / interval)
    off = np.abs(np.where(same, waited, 0.0) - frames * interval) + np.where(same & (frames < 1), interval, 0.0)
    if (off > JITTER * interval).any():
        at = int(np.argmax(off))
        raise ValueError(
            f"particle {shown(particle[at].item())}: from time {time[at]:g} to {time[at + 1]:g} is no whole number of frames of "
            f"{interval:g}; give interval=, the time between frames, or leave out what is not on one"
        )
    first = np.flatnonzero(np.append(True, ~same))
    begin = np.rint((time[first] - time.min()) / interval).astype(np.int64)
    passed = np.append(0, np.cumsum(frames)).astype(np.int64)
    track = np.cumsum(np.append(False, ~same))
    return interval, begin[track] + passed - passed[first][track]


def checked_exposure(exposure: float, interval: float) -> float:
    """A number from 0 to the time between frames."""
    exposure = finite("exposure", exposure)
    if not 0.0 <= exposure <= interval * (1.0 + 1e-9):
        raise ValueError(f"exposure = {exposure:g}: must be from 0 to the {interval:g} between frames")
    return exposure
