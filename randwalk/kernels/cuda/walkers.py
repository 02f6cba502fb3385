"""Kernels at the ends of a walk: start sites, functionals of no steps, jumps from one recorded time to the next."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..alias import draw, settle_draw
from ..functionals import above
from ..philox import HALF, JUMP, LOW, START, U, philox, words64
from ..step import I32
from .compile import Kernel, cuda, in_kernel

_draw, _settle_draw = in_kernel(draw), in_kernel(settle_draw)


@Kernel
def place(site, first_walker, index, upper, keys):  # type: ignore[no-untyped-def]
    """As :func:`randwalk.kernels.cpu.place`."""
    k0, k1 = keys
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        low, high = 0, upper.size - 1
        if high > 0:
            walker = U(first_walker + j)
            word = np.int64(U(words64(walker & LOW, walker >> HALF, U(0), START, k0, k1)[0]) >> U(11))
            while low < high:
                middle = (low + high) // 2
                if word < upper[middle]:
                    high = middle
                else:
                    low = middle + 1
        site[j] = index[low]


@Kernel
def begin(state, site, visits):  # type: ignore[no-untyped-def]
    """The functionals of paths of no steps: rows of `state` are the step of leaving, the maximum, last visits, times above."""
    for j in range(cuda.grid(1), site.size, cuda.gridsize(1)):
        for i in range(state.shape[0]):
            state[i, j] = 0
        state[1, j] = site[j]
        for i in range(visits.size):
            state[2 + i, j] = 0 if site[j] == visits[i] else -1


@cuda.jit(device=True)
def tally(before, site, n, j, state, levels, killed):  # type: ignore[no-untyped-def]
    """Functionals at levels, which are many and change seldom: they stay in memory."""
    for i in range(levels.visits.size):
        if site == levels.visits[i]:
            state[2 + i, j] = n + 1
    for i in range(levels.positives.size):
        if above(before, site, levels.positives[i], killed):
            state[2 + levels.visits.size + i, j] += 1


@Kernel
def jump(site, first_walker, program, keys):  # type: ignore[no-untyped-def]
    """As :func:`randwalk.kernels.cpu.jump`; a thread moves the four walkers of a Philox block."""
    k0, k1 = keys
    interval, first, bits, cells, rests = program
    early = first_walker % 4
    for quarter in range(cuda.grid(1), (early + site.size + 3) // 4, cuda.gridsize(1)):
        group = U(first_walker // 4 + quarter)
        y0, y1, y2, y3 = philox(group & LOW, group >> HALF, U(interval), JUMP, k0, k1)
        w0, w1, w2, w3 = U(y0 & LOW), U(y1 & LOW), U(y2 & LOW), U(y3 & LOW)
        for j in range(4 * quarter - early, 4 * quarter - early + 4):
            word, w0, w1, w2 = w0, w1, w2, w3
            if 0 <= j < site.size:
                drawn, tied = _draw(word, bits, cells)
                site[j] = I32(site[j] + first + drawn)
                if tied:
                    site[j] += _settle_draw(word, bits, cells, rests, U(first_walker + j), interval, k0, k1)


def on_device(values: Any) -> Any:
    """A NamedTuple with its arrays in the device's memory."""
    return values._replace(
        **{name: cuda.to_device(value) for name, value in values._asdict().items() if isinstance(value, np.ndarray)}
    )
