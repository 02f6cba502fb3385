"""Walks in continuous space, a thread a walker: the step is that of :mod:`randwalk.kernels.ito`, with the functions of a walk."""

from __future__ import annotations

import math
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from ...jit.cuda.compile import THREADS, Kernel, blocks_for, cuda, in_kernel, of_module, on_device
from ..ito import State
from ..philox import U
from ..program import Keys


class NotOnDevices(ValueError):
    """A walk runs on the CPU only."""


@cache
def kernel(module: ModuleType, pairs: int) -> Kernel:
    """The kernel of a walk's module, for steps of `pairs` dt, a power of two."""
    if module.LINEAR or module.HELD:
        what = f"a walk in {module.D} dimensions, by matrices," if module.LINEAR else "a wall that takes from weights"
        raise NotOnDevices(f"{what} runs on the CPU only: take backend='cpu'")
    at, put, moved, near, crossed, home = of_module(module, "at", "put", "moved", "near", "crossed", "home")
    weighed, lifetime, lived_until = of_module(module, "weighed", "lifetime", "lived_until")
    drawn = _drawn(module, pairs)
    nothing, walled = module.NOTHING, bool(module.WALLS or module.INTERFACES)
    killed, weighing, turning = module.KILLED, module.WEIGHED or module.GATHERED, module.RINGS

    def walk(state, first, start, stop, dt, p, keys):  # type: ignore[no-untyped-def]
        h = pairs * dt
        root = math.sqrt(h)
        for i in range(cuda.grid(1), state.exit.size, cuda.gridsize(1)):
            walker, x = U(first + i), at(state.x, i)
            weight, gathered = state.weight[i], state.gathered[i]
            last, fate = nothing, lifetime(walker, keys) if killed else 0.0
            for n in range(start if state.exit[i] == 0 else stop, stop):
                z, last = drawn(walker, n, last, keys)
                t, lived, left = n * h, h, np.int64(0)
                y = moved(x, t, h, root, z, p)
                if walled:  # noqa: SIM102  # a constant: what a walk does not need is not compiled
                    if near(x, y, t, h, p):
                        exit, lived, y = crossed(x, y, t, h, walker, n * pairs, p, keys)
                        left = np.int64(exit)
                earlier = weight
                if weighing:
                    weight, gathered = weighed(x, y, t, lived, weight, gathered, p)
                if killed:  # noqa: SIM102
                    if weight < fate:
                        left, lived = np.int64(killed), lived_until(earlier, fate, weight, lived)
                if left:
                    state.exit[i], state.gone_at[i] = left, t + lived
                    x = y
                    break
                x = home(y, p) if turning else y
            put(state.x, i, x)
            state.weight[i], state.gathered[i] = weight, gathered

    return Kernel(walk)


def _drawn(module: ModuleType, pairs: int) -> Any:
    """The increments of a step of `pairs` dt as a function of walker and step: those of two steps of half the length, joined."""
    if pairs == 1:
        return in_kernel(module.drawn)
    half, joined = _drawn(module, pairs // 2), in_kernel(module.joined)

    def drawn(walker, n, last, keys):  # type: ignore[no-untyped-def]
        a, last = half(walker, 2 * n, last, keys)
        b, last = half(walker, 2 * n + 1, last, keys)
        return joined(a, b), last

    return cuda.jit(device=True)(drawn)


def advance(
    module: ModuleType, state: State, first: int, start: int, stop: int, dt: float, pairs: int, parameters: Any,
    keys: Keys,
) -> None:  # fmt: skip
    """As the kernel `walk` of the CPU, on the current device: the arrays of `state` are those of the host."""
    there, told = on_device(state), (first, start, stop, dt, on_device(parameters), keys)
    kernel(module, pairs)(blocks_for(state.exit.size), THREADS, there, *told)
    for array, moved in zip(state, there, strict=True):
        moved.copy_to_host(array)
