"""Gauss's rule on a ball, cut along the axes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from randwalk.model.coefficient import Floats

# A panel has 4 nodes up to the first part of the largest width, then 8, 12, and beyond the last 16: enough for a Gauss function.
NARROW = 1 / 32, 1 / 8, 1 / 2
RULES = [np.array(np.polynomial.legendre.leggauss(count)) for count in (4, 8, 12, 16)]
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
    """Nodes and weights of panels up to `width` wide."""
    ends = np.unique(np.append(breaks, [low, high]))
    sizes = np.diff(ends)
    counts = np.maximum(np.ceil(sizes / width), 1.0).astype(np.int64)
    whole = np.repeat(np.arange(sizes.size), counts)
    half = 0.5 * (sizes / counts)[whole]
    middle = ends[whole] + half * (2 * (np.arange(whole.size) - np.repeat(np.cumsum(counts) - counts, counts)) + 1)
    kind = np.searchsorted(NARROW, 2.0 * half / width)
    parts = [(np.multiply.outer(half[kind == i], rule), middle[kind == i, None]) for i, rule in enumerate(RULES)]
    nodes = np.concatenate([(centre + spread[:, 0]).ravel() for spread, centre in parts])
    return nodes, np.concatenate([spread[:, 1].ravel() for spread, _ in parts])
