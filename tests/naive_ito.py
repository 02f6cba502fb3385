"""Slow and obvious versions of what continuous walks do fast: words, increments, starts and Euler's step, a walker at a time.

Normals are made by the package's own portable functions, whose values tests/test_normals.py compares with mpmath, so that paths
can agree to the bit; all else is written out here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from randwalk.kernels.normal import normal_pair

from .naive import START, WORD, block

NORMALS = 6 + 256 * 3  # the fourth counter word of the version that defined the purpose
Vector = tuple[float, ...]


def words(walker: int, number: int, purpose: int, seed: int) -> tuple[int, int]:
    """The two 64-bit words of a block."""
    y = block(walker, number, purpose, seed)
    return y[0] + WORD * y[1], y[2] + WORD * y[3]


def normal(walker: int, number: int, seed: int) -> float:
    """The normal increment of a number: the cosine of the pair of its block, or the sine."""
    pair: Any = _pair(*words(walker, number // 2, NORMALS, seed))
    return float(pair[number % 2])


def _pair(first: int, second: int) -> Any:
    import numpy as np

    return normal_pair(np.uint64(first), np.uint64(second))


def box_muller(first: int, second: int) -> tuple[float, float]:
    """The same pair by the functions of :mod:`math`."""
    u, v = 1.0 - (first >> 12) * 2.0**-52, (second >> 12) * 2.0**-52
    radius = math.sqrt(-2.0 * math.log(u))
    return radius * math.cos(2.0 * math.pi * v), radius * math.sin(2.0 * math.pi * v)


def start_normal(walker: int, axis: int, mean: float, sd: float, seed: int) -> float:
    return mean + sd * float(_pair(*words(walker, axis, START, seed))[0])


def start_uniform(walker: int, axis: int, low: float, high: float, seed: int) -> float:
    first, _ = words(walker, axis, START, seed)
    return low + (high - low) * (((first >> 11) + 0.5) * 2.0**-53)


def euler(
    x: Vector,
    drift: Callable[[Vector, float], Sequence[float]],
    noise: Callable[[Vector, float], Sequence[Sequence[float]]],
    dt: float,
    steps: int,
    walker: int,
    seed: int,
) -> Vector:
    """The place of a walker after so many steps x + a dt + σ √dt z, without walls."""
    root, m = math.sqrt(dt), len(noise(x, 0.0)[0])
    for n in range(steps):
        t = n * dt
        z = [normal(walker, n * m + i, seed) for i in range(m)]
        a, sigma = drift(x, t), noise(x, t)
        moved = []
        for i, here in enumerate(x):
            place = here + a[i] * dt
            for k in range(m):
                if sigma[i][k] != 0.0:
                    place = place + (sigma[i][k] * root) * z[k]
            moved.append(place)
        x = tuple(moved)
    return x
