"""Probabilities as whole numbers of 2⁻⁶²."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..kernels.program import FULL, PART, Thresholds
from ..model.coefficient import Floats

WHOLE = 1.0 - 2.0**-50  # steps whose probabilities sum to so much, 4 ulp less than 1, are all that happens
RARE = 2.0**-40  # a step less probable than this takes nothing of a rest, which is below 2⁻⁴⁹

Limits = NDArray[np.int64]  # thresholds in units of 2⁻⁶²


def quantise(shares: Sequence[Floats], killed: Floats, opposite: Sequence[int] = ()) -> Limits:
    """Cumulative thresholds (K + 1, …) in units of 2⁻⁶²: a step whose uniform is below the first is the first of the K steps, and
    so on; below the last nobody moves; the walkers of the others are killed.

    `shares` are the probabilities of the K steps that are made unless the walker is killed, with probability `killed`. Each is
    rounded by itself, so a symmetric walk stays symmetric. Where they sum to 1 no stay is left over by rounding: on one axis the
    rest goes to the last step. On several it goes in halves to a step and its `opposite` (a number for each step, -1 for
    none), the last such pair of which both have a probability of 2⁻⁴⁰ or more, so that no drift appears, else to the most
    probable step.
    """
    gone = np.rint(killed * FULL)  # a whole number, exact in doubles
    live = FULL - gone.astype(np.int64)
    parts = [np.rint(share * FULL).astype(np.int64) for share in shares]
    if gone.any():
        parts = [part - np.rint(share * gone).astype(np.int64) for part, share in zip(parts, shares, strict=True)]
    rest = np.where(sum(shares) >= WHOLE, live - sum(parts), 0)
    if opposite and rest.any():
        _share_out(parts, rest, shares, opposite)
    else:
        parts[-1] = parts[-1] + rest
    limits = np.empty((len(parts) + 1, *live.shape), dtype=np.int64)
    limits[-1], above = live, np.zeros_like(live)
    for k, part in enumerate(parts):
        limits[k] = above = np.clip(above + part, above, live)
    return limits


def _share_out(parts: list[Limits], rest: Limits, shares: Sequence[Floats], opposite: Sequence[int]) -> None:
    """Add the rest to the parts."""
    for k in reversed(range(len(parts))):
        if opposite[k] >= 0:
            both = (shares[k] >= RARE) & (shares[opposite[k]] >= RARE)
            half = np.where(both, rest // 2, 0)
            parts[opposite[k]] = parts[opposite[k]] + half
            parts[k] = parts[k] + np.where(both, rest - half, 0)
            rest = np.where(both, 0, rest)
            if not rest.any():
                return
    most = np.argmax(np.stack(shares), axis=0)
    for k in range(len(parts)):
        parts[k] = parts[k] + np.where(most == k, rest, 0)


def in_parts(limits: Limits) -> Thresholds:
    """Thresholds, shape (rows, K + 1, columns), as kernels read them (:class:`randwalk.kernels.program.TableProgram`)."""
    high, low = (limits >> PART).astype(np.uint32), (limits & ((1 << PART) - 1)).astype(np.uint32)
    return np.concatenate([high, low], axis=1) if low.any() else high
