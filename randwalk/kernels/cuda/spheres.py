"""Walks on spheres, a thread a walker, as in :mod:`randwalk.kernels.spheres`, with the functions of a problem."""

from __future__ import annotations

import math
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...jit.compile import device
from ...jit.cuda.compile import THREADS, Kernel, allocate, blocks_for, cuda, in_kernel, of_module, on_device
from ..balls import LARGEST, ZERO_VECTOR, central, counted, lasting, words_of
from ..normal import normal_pair
from ..philox import U
from ..spheres import COARSE, NEGLIGIBLE

REAL = np.dtype(np.float64)  # of a point in local memory; the simulator wants an instance


@device
def on_sphere(z, d, scale, walker, sphere, draw, keys):  # type: ignore[no-untyped-def]
    """As :func:`randwalk.kernels.balls.on_spheres`, of one walker: `z` has one column."""
    square = ZERO_VECTOR
    for row in range(0, z.shape[0], 2):
        first, second = words_of(walker, sphere, draw + row // 2, keys)
        z[row, 0], z[row + 1, 0] = normal_pair(first, second)
    for a in range(d):
        square += z[a, 0] * z[a, 0]
    scale /= math.sqrt(square)
    for a in range(d):
        z[a, 0] *= scale


@device
def in_ball(z, d, r, walker, sphere, physics, green, keys):  # type: ignore[no-untyped-def]
    """As :func:`randwalk.kernels.balls.in_balls`, of one walker; returns what a source at the point counts."""
    first, second = words_of(walker, sphere, 0, keys)
    rho = central(first, second, d)
    on_sphere(z, d, rho * r, walker, sphere, 1, keys)
    return counted(rho, r, d, physics, green)


_on_sphere, _in_ball, _lasting = in_kernel(on_sphere), in_kernel(in_ball), in_kernel(lasting)


@cache
def kernel(module: ModuleType) -> Kernel:
    """The kernel of a problem's module. A thread whose walker has come to a wall takes the next."""
    at, put, moved, home = of_module(module, "at", "put", "moved", "home")
    source, radius, paid = of_module(module, "source", "radius", "paid")
    d, gathering, screened = module.D, module.SOURCE, module.SCREENED
    column, even = (d, 1), (d + d % 2, 1)

    def walk(out, first, start, p, limits, physics, green, keys):  # type: ignore[no-untyped-def]
        (epsilon, most), i, fresh = limits, cuda.grid(1), True
        largest = LARGEST * math.sqrt(physics[0] / physics[1]) if screened else math.inf
        x, z = cuda.local.array(column, REAL), cuda.local.array(even, REAL)
        walker, sphere, weight, gathered, coarse = U(0), U(0), 1.0, 0.0, math.nan
        while i < out.shape[1]:
            if fresh:
                walker, sphere, weight, gathered, coarse, fresh = U(first + i), U(0), 1.0, 0.0, math.nan, False
                put(x, 0, at(start, 0))
            r = radius(at(x, 0), p)
            if r < COARSE * epsilon and math.isnan(coarse):
                coarse = gathered + weight * paid(at(x, 0), p)
            if not (r >= epsilon and weight > NEGLIGIBLE and sphere < U(most)):
                end = gathered + weight * paid(at(x, 0), p) if r < epsilon else gathered
                out[0, i], out[1, i] = end, end if math.isnan(coarse) else coarse
                out[2, i], out[3, i] = np.float64(sphere), r
                i, fresh = i + cuda.gridsize(1), True
                continue
            r = min(r, largest)
            if gathering:
                mass = _in_ball(z, d, r, walker, sphere, physics, green, keys)
                gathered += weight * mass * source(home(moved(x, z, 0), p), 0.0, p)
            _on_sphere(z, d, r, walker, sphere, 1 + (d + 1) // 2, keys)
            put(x, 0, home(moved(x, z, 0), p))
            sphere = U(sphere + U(1))
            if screened:
                weight /= _lasting(r, physics, green)

    return Kernel(walk)


def walk(module: ModuleType, out: NDArray[np.float64], *told: Any) -> None:
    """As the kernel `walk` of the CPU, of the same arguments, on the current device."""
    there = allocate(out.shape, out.dtype)
    kernel(module)(blocks_for(out.shape[1]), THREADS, there, *on_device(told))
    there.copy_to_host(out)
