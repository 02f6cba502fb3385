"""Gauss's rule on a ball, cut along the axes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from randwalk.model.coefficient import Floats

from .green import gauss_legendre

PAIRS = 64  # of edges, up to which the corners of bins are ends of panels too


def chords(
    radius: float, edges: Sequence[Floats], spans: Sequence[tuple[float, float]], width: float
) -> tuple[list[Floats], Floats]:
    """(a flat array for each coordinate, weights) of an integral over the ball of a `radius` around 0, in as many dimensions as
    there are `edges`, an array an axis.

    Panels end where bins between the `edges` do and are no wider than `width`; what lies outside the `spans` is left out. A
    coordinate is R sin φ, so that the half chord R cos φ across it is smooth to the end.
    """
    (low, high), along, others = spans[0], edges[0], edges[1:]
    begin, end = max(low, -radius), min(high, radius)
    if not begin < end:
        return [np.zeros(0) for _ in edges], np.zeros(0)
    if not others:
        nodes, weights = _panels(begin, end, along[(along > begin) & (along < end)], width)
        return [nodes], weights
    first, last = math.asin(begin / radius), math.asin(end / radius)
    marks = [
        np.arcsin(along[np.abs(along) < radius] / radius),
        *(_crossed(radius, e) for e in _corners(others, spans[1:])),
    ]
    breaks = np.concatenate(marks)
    angles, shares = _panels(first, last, breaks[(breaks > first) & (breaks < last)], width / radius)
    parts, sizes = [], []
    for angle, share in zip(angles.tolist(), shares.tolist(), strict=True):
        half = radius * math.cos(angle)
        inner, weights = chords(half, others, spans[1:], width)
        parts.append([np.full(weights.size, radius * math.sin(angle)), *inner])
        sizes.append(weights * (share * half))
    return [np.concatenate(column) for column in zip(*parts, strict=True)], np.concatenate(sizes)


def _corners(others: Sequence[Floats], spans: Sequence[tuple[float, float]]) -> list[Floats]:
    """Half chords at which the slice of the ball meets the edges, ends of spans, and corners of bins along the other axes."""
    ends = [np.abs(np.append(e, [v for v in span if math.isfinite(v)])) for e, span in zip(others, spans, strict=True)]
    pairs = [np.hypot.outer(a, b).ravel() for a, b in itertools.combinations(ends, 2) if a.size * b.size <= PAIRS]
    return [*ends, *pairs]


def _crossed(radius: float, half: Floats) -> Floats:
    """The angles φ with R cos φ = `half`."""
    angle = np.arccos(half[half < radius] / radius)
    return np.concatenate([-angle, angle])


def _panels(low: float, high: float, breaks: Floats, width: float) -> tuple[Floats, Floats]:
    ends = np.unique(np.concatenate([[low, high], breaks]))
    pieces = [np.linspace(a, b, 1 + max(1, math.ceil((b - a) / width))) for a, b in itertools.pairwise(ends.tolist())]
    nodes, weights = gauss_legendre(np.unique(np.concatenate(pieces)))
    return nodes.ravel(), weights.ravel()
