"""CPU drivers of the paths method: blocks of walkers under `prange`, steps inside. Drivers fetch and loop; the physics is
in `step`. A walker's path depends on its number and the key alone, so blocks, threads and stretches of steps are free."""

from __future__ import annotations

import numpy as np
from numba import prange

from .compile import device, parallel_kernel
from .philox import JUMP, LOW, START, STEPS, U, philox, words64
from .step import I32, U32, moves, popcount, table_step

BLOCK = 256  # walkers advanced together
SCREEN = U(0xFFFFFFFFFFFFFFFF)


@parallel_kernel
def place(site, first_walker, index, upper, k0, k1):  # type: ignore[no-untyped-def]
    """Draw the start sites: `index`[i] where the walker's 53-bit word is below `upper`[i], the cumulative start masses."""
    for j in prange(site.size):
        walker = U(first_walker + j)
        word, _ = words64(walker & LOW, walker >> U(32), U(0), START, k0, k1)
        site[j] = index[np.searchsorted(upper, np.int64(word >> U(11)), side="right")]


@parallel_kernel
def walk_table(site, first_walker, start, stop, thresholds, layout, k0, k1):  # type: ignore[no-untyped-def]
    """Advance every site of `site` from step `start` to `stop` on a step table. layout = (low, high, wrap, killed)."""
    low, high, wrap, killed = layout
    for block in prange((site.size + BLOCK - 1) // BLOCK):
        sites = site[block * BLOCK : min((block + 1) * BLOCK, site.size)]
        words = np.empty((4, BLOCK), np.uint32)
        base = first_walker + block * BLOCK
        for eight in range(start // 8, (stop + 7) // 8):
            for j in range(sites.size):
                walker = U(base + j)
                y0, y1, y2, y3 = philox(walker & LOW, walker >> U(32), U(eight), STEPS, k0, k1)
                words[0, j], words[1, j], words[2, j], words[3, j] = (
                    U32(y0 & LOW),
                    U32(y1 & LOW),
                    U32(y2 & LOW),
                    U32(y3 & LOW),
                )
            for n in range(max(8 * eight, start), min(8 * eight + 8, stop)):
                row = n - start if thresholds.shape[0] > 1 else 0
                i = n - 8 * eight
                shift = U32(16) if i < 4 else U32(0)
                for j in range(sites.size):
                    half = (words[i & 3, j] >> shift) & U32(0xFFFF)
                    sites[j] = table_step(
                        sites[j], half, U(base + j), n, thresholds, row, low, high, wrap, killed, k0, k1
                    )


@parallel_kernel
def walk_constant(site, first_walker, start, stop, planes, t_right, t_left, k0, k1):  # type: ignore[no-untyped-def]
    """Advance every site of `site` from step `start` to `stop` of a walk with constant probabilities on the whole line."""
    for j in prange(site.size):
        walker = U(first_walker + j)
        net = np.int64(0)
        for word in range(start // 64, (stop + 63) // 64):
            right, left = moves(walker, word, planes, t_right, t_left, k0, k1)
            mask = SCREEN
            if 64 * word < start:
                mask &= SCREEN << U(start - 64 * word)
            if 64 * word + 64 > stop:
                mask &= SCREEN >> U(64 * word + 64 - stop)
            net += np.int64(popcount(right & mask)) - np.int64(popcount(left & mask))
        site[j] = I32(site[j] + net)


@parallel_kernel
def jump(site, first_walker, interval, first, bits, cut, alias, k0, k1):  # type: ignore[no-untyped-def]
    """Move every site of `site` by a draw from an alias table in integers: the top `bits` of 53 random bits choose a cell."""
    rest = U(53 - bits)
    for j in prange(site.size):
        walker = U(first_walker + j)
        word, _ = words64(walker & LOW, walker >> U(32), U(interval), JUMP, k0, k1)
        word = word >> U(11)
        cell = np.int64(word >> rest)
        chosen = cell if np.int64(word & ((U(1) << rest) - U(1))) < cut[cell] else np.int64(alias[cell])
        site[j] += I32(first + chosen)


@device
def _tally(before, site, n, state, visit_levels, positive_levels, outer):  # type: ignore[no-untyped-def]
    """Update the functionals of one walker after step number `n` took it from `before` to `site`."""
    if site != before and (site == 0 or site >= outer):
        state[0] = n + 1
    state[1] = max(state[1], site) if site <= outer else state[1]
    for i in range(visit_levels.size):
        if site == visit_levels[i]:
            state[2 + i] = n + 1
    for i in range(positive_levels.size):
        level = positive_levels[i]
        if site <= outer and before >= level and site >= level and site + before > 2 * level:
            state[2 + visit_levels.size + i] += 1


@parallel_kernel
def follow_table(site, state, first_walker, start, stop, thresholds, layout, levels, k0, k1):  # type: ignore[no-untyped-def]
    """As :func:`walk_table`, keeping functionals of each path in `state` (see :mod:`randwalk.record`)."""
    low, high, wrap, killed = layout
    visits, positives = levels
    for block in prange((site.size + BLOCK - 1) // BLOCK):
        for j in range(block * BLOCK, min((block + 1) * BLOCK, site.size)):
            walker = U(first_walker + j)
            words = np.empty((4, 1), np.uint32)
            here = site[j]
            for n in range(start, stop):
                if here == 0 or here > killed - 2:
                    break
                if n == start or n % 8 == 0:
                    y0, y1, y2, y3 = philox(walker & LOW, walker >> U(32), U(n // 8), STEPS, k0, k1)
                    words[0, 0], words[1, 0], words[2, 0], words[3, 0] = (
                        U32(y0 & LOW),
                        U32(y1 & LOW),
                        U32(y2 & LOW),
                        U32(y3 & LOW),
                    )
                i = n % 8
                half = (words[i & 3, 0] >> (U32(16) if i < 4 else U32(0))) & U32(0xFFFF)
                row = n - start if thresholds.shape[0] > 1 else 0
                there = table_step(here, half, walker, n, thresholds, row, low, high, wrap, killed, k0, k1)
                _tally(here, there, n, state[j], visits, positives, killed - 1)
                here = there
            site[j] = here


@parallel_kernel
def follow_constant(site, state, first_walker, start, stop, planes, t_right, t_left, levels, k0, k1):  # type: ignore[no-untyped-def]
    """As :func:`walk_constant`, keeping functionals of each path in `state`."""
    visits, positives = levels
    for block in prange((site.size + BLOCK - 1) // BLOCK):
        for j in range(block * BLOCK, min((block + 1) * BLOCK, site.size)):
            walker = U(first_walker + j)
            here = site[j]
            right, left = U(0), U(0)
            for n in range(start, stop):
                if n == start or n % 64 == 0:
                    right, left = moves(walker, n // 64, planes, t_right, t_left, k0, k1)
                bit = U(n % 64)
                there = I32(here + I32((right >> bit) & U(1)) - I32((left >> bit) & U(1)))
                _tally(here, there, n, state[j], visits, positives, 2147483646)
                here = there
            site[j] = here
