"""Walk on spheres (Muller, Ann. Math. Stat. 27, 569, 1956): D ∇²u - κu + g = 0 in a domain, u = φ on its walls, at a point.

A walker jumps to a uniform point of the largest sphere around it that has no wall inside, until it is within ε of a wall, where
it gathers φ. One point of each ball, drawn from its Green's function, gathers the source; screening by κ multiplies by the
survival of a Brownian motion to the sphere.

The *model* below, between the marks, is that of one problem, -∇²u = 1 in the unit disc; :mod:`randwalk.tables.sphere_program`
writes this file again with the functions of another problem in their place.
"""

from __future__ import annotations

import math

import numpy as np

from ..jit.compile import aside, device, kernel
from ..jit.vector import wide
from .balls import LARGEST, in_balls, on_spheres, survive
from .normal import BLOCK
from .philox import U

# [model]
D = 2
WALLS = 1
SOURCE = True
SCREENED = False


@device
def at(x, j):  # type: ignore[no-untyped-def]
    """The point of walker j."""
    return x[0, j], x[1, j]


@device
def moved(x, z, j):  # type: ignore[no-untyped-def]
    """The point of walker j, moved by the vector of that number."""
    return x[0, j] + z[0, j], x[1, j] + z[1, j]


@device
def put(x, j, y):  # type: ignore[no-untyped-def]
    """Make y the point of walker j."""
    x[0, j] = y[0]
    x[1, j] = y[1]


@device
def home(x, p):  # type: ignore[no-untyped-def]
    """The point with its coordinates along rings between their ends."""
    return x


@device
def distances(x, t, p):  # type: ignore[no-untyped-def]
    """The distance to each wall."""
    return (1.0 - math.sqrt(x[0] * x[0] + x[1] * x[1]),)


@device
def source(x, t, p):  # type: ignore[no-untyped-def]
    """g."""
    return 1.0


@device
def boundary(x, t, p, wall):  # type: ignore[no-untyped-def]
    """φ on a wall."""
    return 0.0


# [/model]

COARSE = 4.0  # times ε: a second, earlier end of the same walk, which tells how large the bias is
NEGLIGIBLE = 2.0**-60  # weight


@device
def radius(x, p):  # type: ignore[no-untyped-def]
    """The distance to the nearest wall."""
    each = distances(x, 0.0, p)
    least = each[0]
    for k in range(1, WALLS):
        least = each[k] if each[k] < least else least  # NaN as on CUDA, whose `min` leaves it out
    return least


@aside
def radii(r, x, size, p):  # type: ignore[no-untyped-def]
    """The distances of the first `size` walkers."""
    wide()
    for j in range(size):
        r[j] = radius(at(x, j), p)


@aside
def paid(x, p):  # type: ignore[no-untyped-def]
    """φ of the nearest wall."""
    each = distances(x, 0.0, p)
    nearest = 0
    for k in range(1, WALLS):
        if each[k] < each[nearest]:
            nearest = k
    return boundary(x, 0.0, p, nearest)


@kernel
def walk(out, first_walker, start, p, limits, physics, green, keys):  # type: ignore[no-untyped-def]
    """Rows of `out`, shape (4, walkers): what the walkers gather until they are within ε of a wall, until they are within
    COARSE ε; the number of spheres, `most` of a walker that is not near a wall after so many; and the distance at the end.

    `start` is the point, shape (D, 1), `limits` (ε, most), `physics` (D, κ). A walker's path is a function of its number and of
    the keys alone: a finished one is replaced by the next, or at the end by the last of the block.
    """
    wide()
    epsilon, most = limits
    largest = LARGEST * math.sqrt(physics[0] / physics[1]) if SCREENED else math.inf
    x, z = np.empty((D, BLOCK)), np.empty((D + D % 2, BLOCK))
    walker, sphere = np.zeros(BLOCK, np.uint64), np.zeros(BLOCK, np.uint64)
    r, weight, gathered, coarse = np.empty(BLOCK), np.ones(BLOCK), np.zeros(BLOCK), np.full(BLOCK, np.nan)
    mass, first_radius = np.empty(BLOCK), radius(at(start, 0), p)
    size = min(BLOCK, out.shape[1])
    for j in range(BLOCK):
        walker[j] = U(first_walker + j)
        put(x, j, at(start, 0))
    following = size
    while size:
        radii(r, x, BLOCK, p)
        j = 0
        while j < size:
            if r[j] < COARSE * epsilon and math.isnan(coarse[j]):
                coarse[j] = gathered[j] + weight[j] * paid(at(x, j), p)
            if r[j] >= epsilon and weight[j] > NEGLIGIBLE and sphere[j] < U(most):
                j += 1
                continue
            i = np.int64(walker[j]) - first_walker
            out[0, i] = gathered[j] + weight[j] * paid(at(x, j), p) if r[j] < epsilon else gathered[j]
            out[1, i] = out[0, i] if math.isnan(coarse[j]) else coarse[j]
            out[2, i], out[3, i] = np.float64(sphere[j]), r[j]
            if following < out.shape[1]:
                walker[j], sphere[j], weight[j], gathered[j] = U(first_walker + following), U(0), 1.0, 0.0
                coarse[j], r[j] = np.nan, first_radius
                put(x, j, at(start, 0))
                following += 1
            else:
                size -= 1
                r[j], walker[j], sphere[j] = r[size], walker[size], sphere[size]
                weight[j], gathered[j], coarse[j] = weight[size], gathered[size], coarse[size]
                put(x, j, at(x, size))
        for j in range(BLOCK):
            r[j] = min(r[j], largest)
        if SOURCE:
            in_balls(z, D, mass, r, (walker, sphere), physics, green, keys)
            for j in range(BLOCK):
                gathered[j] += weight[j] * mass[j] * source(home(moved(x, z, j), p), 0.0, p)
        on_spheres(z, D, r, walker, sphere, 1 + (D + 1) // 2, keys)
        for j in range(BLOCK):
            put(x, j, home(moved(x, z, j), p))
            sphere[j] += U(1)
        if SCREENED:
            survive(weight, r, physics, green)
