"""Walk on spheres (Muller, Ann. Math. Stat. 27, 569, 1956): D ∇²u - κu + g = 0 in a domain, u = φ on its walls, at a point.

A walker jumps to a uniform point of a sphere around it that has no wall inside, until it is within ε of a wall, where it gathers
φ. One point of each sphere, drawn from Green's function of the ball, gathers the source; screening by κ multiplies by the
survival of a Brownian motion to the sphere. docs/theory/feynman_kac.md has the formulas.

The *model* below, between the marks, is that of one problem, -∇²u = 1 in the unit disc; :mod:`randwalk.tables.sphere_program`
writes this file again with the functions of another problem in their place.
"""

from __future__ import annotations

import math

import numpy as np

from .compile import aside, device, kernel
from .elementary import exp
from .lanes import LANES, fetch, keep
from .normal import normal_pair, upward
from .philox import HALF, LOW, SPHERES, U, of_axis, words64
from .portable import log
from .vector import wide

# [model]
D = 2
WALLS = 1
SOURCE = True
SCREENED = False


@device
def at(x, j):  # type: ignore[no-untyped-def]
    return x[0, j], x[1, j]


@device
def distances(x, t, p):  # type: ignore[no-untyped-def]
    return (1.0 - math.sqrt(x[0] * x[0] + x[1] * x[1]),)


@device
def wrapped(v, axis, p):  # type: ignore[no-untyped-def]
    return v


@device
def source(x, t, p):  # type: ignore[no-untyped-def]
    return 1.0


@device
def boundary(x, t, p, wall):  # type: ignore[no-untyped-def]
    return 0.0


# [/model]

BLOCK = 256  # walkers advanced together
assert BLOCK % LANES == 0
PAIRS = (D + 1) // 2
COARSE = 4.0  # times ε: a second, earlier end of the same walk, which tells how large the bias is
MOST_TERMS = 14  # of a series in z²/4 ≤ 1
LARGEST = 2.0  # radius of a sphere, in √(D/κ)
NEGLIGIBLE = 2.0**-60  # weight
ZERO_VECTOR = 1e-300  # of which a direction is 0, once in 2⁵² draws
DRAWS = 2 + PAIRS  # blocks of a sphere: the radius of the source's point, its direction, the jump


@device
def radius(x, p):  # type: ignore[no-untyped-def]
    """The distance to the nearest wall."""
    each = distances(x, 0.0, p)
    least = each[0]
    for k in range(1, WALLS):
        least = min(least, each[k])
    return least


@aside
def paid(x, p):  # type: ignore[no-untyped-def]
    """φ of the nearest wall."""
    each = distances(x, 0.0, p)
    nearest = 0
    for k in range(1, WALLS):
        if each[k] < each[nearest]:
            nearest = k
    return boundary(x, 0.0, p, nearest)


@device
def polynomial(coefficients, s):  # type: ignore[no-untyped-def]
    value = coefficients[MOST_TERMS - 1]
    for k in range(MOST_TERMS - 2, -1, -1):
        value = value * s + coefficients[k]
    return value


@device
def screened_share(green, rho, s):  # type: ignore[no-untyped-def]
    """Green's function of κ, divided by that without, at `rho` radii from the centre of a ball of s = (radius)² κ/4D ≤ 1.

    Rows of `green` are the series in s ρ² of the solutions A (regular), of ρ^(2-D) P + s^n (c log ρ A + Q), n = D/2 - 1; see
    :func:`randwalk.tables.sphere_program.screening_series`.
    """
    inner, log_rho = s * rho * rho, log(rho)
    power = exp((2.0 - D) * log_rho)
    regular, at_wall = polynomial(green[0], inner), polynomial(green[0], s)
    rest, rest_at_wall = polynomial(green[2], inner), polynomial(green[2], s)
    factor = 1.0
    for _ in range((D - 2) // 2):
        factor *= s
    singular = power * polynomial(green[1], inner) + factor * (green[3, 0] * log_rho * regular + rest)
    singular_at_wall = polynomial(green[1], s) + factor * rest_at_wall
    plain = -log_rho if D == 2 else power - 1.0
    return (singular - regular * singular_at_wall / at_wall) / plain if rho < 1.0 - 1e-6 else 1.0 / at_wall


@device
def random_words(into, row, walker, sphere, draw, keys):  # type: ignore[no-untyped-def]
    """The words of a Philox block of every walker, in two rows of `into`."""
    for j in range(0, BLOCK, LANES):
        number, jump = fetch(walker, j), fetch(sphere, j)
        first, second = words64(number & LOW, number >> HALF, jump, of_axis(SPHERES, draw), keys[0], keys[1])
        keep(first, into, row * BLOCK + j)
        keep(second, into, (row + 1) * BLOCK + j)


@aside
def directions(z, walker, sphere, draw, keys):  # type: ignore[no-untyped-def]
    """Uniform points of the unit sphere, in the first D rows of `z`: normals divided by their length."""
    wide()
    for pair in range(PAIRS):
        random_words(z, 2 * pair, walker, sphere, draw + pair, keys)
        x, y = z[2 * pair], z[2 * pair + 1]
        for j in range(BLOCK):
            x[j], y[j] = normal_pair(np.float64(x[j]).view(np.uint64), np.float64(y[j]).view(np.uint64))
    for j in range(BLOCK):
        square = ZERO_VECTOR
        for a in range(D):
            square += z[a, j] * z[a, j]
        scale = 1.0 / math.sqrt(square)
        for a in range(D):
            z[a, j] *= scale


@device
def gather(gathered, x, r, weight, walker, sphere, z, w, p, physics, green, keys):  # type: ignore[no-untyped-def]
    """Add the source at one point of each ball. Green's function of a ball without killing has the mass R²/(2 D d), d axes; under
    it the distance from the centre is R √u v^(1/d), u and v uniform, in every dimension."""
    diffusion, killing = physics
    random_words(w, 0, walker, sphere, 0, keys)
    directions(z, walker, sphere, 1, keys)
    for j in range(BLOCK):
        u = 2.0 - upward(np.float64(w[0, j]).view(np.uint64))
        v = 2.0 - upward(np.float64(w[1, j]).view(np.uint64))
        rho = exp(0.5 * log(u) + log(v) / D)
        for a in range(D):
            z[a, j] = wrapped(x[a, j] + rho * r[j] * z[a, j], a, p)
        mass = r[j] * r[j] / (2.0 * D * diffusion)
        if SCREENED:
            mass *= screened_share(green, rho, 0.25 * killing / diffusion * r[j] * r[j])
        gathered[j] += weight[j] * mass * source(at(z, j), 0.0, p)


@kernel
def walk(out, first_walker, start, p, limits, physics, green, keys):  # type: ignore[no-untyped-def]
    """Rows of `out`, shape (4, walkers): what the walkers gather until they are within ε of a wall, until they are within
    COARSE ε; the number of spheres, `most` of a walker that is not near a wall after so many; and the distance at the end.

    `start` is the point (D,), `limits` (ε, most), `physics` (D, κ). A walker's path is a function of its number and of the keys
    alone: a finished one is replaced by the next, or at the end by the last of the block.
    """
    wide()
    epsilon, most = limits
    largest = LARGEST * math.sqrt(physics[0] / physics[1]) if SCREENED else math.inf
    x, z, w = np.empty((D, BLOCK)), np.empty((2 * PAIRS, BLOCK)), np.empty((2, BLOCK))
    walker, sphere = np.zeros(BLOCK, np.uint64), np.zeros(BLOCK, np.uint64)
    r, weight, gathered, coarse = np.empty(BLOCK), np.ones(BLOCK), np.zeros(BLOCK), np.full(BLOCK, np.nan)
    size = min(BLOCK, out.shape[1])
    for j in range(BLOCK):
        walker[j] = U(first_walker + j)
        for a in range(D):
            x[a, j] = start[a]
    following = size
    while size:
        for j in range(BLOCK):
            r[j] = radius(at(x, j), p)
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
                walker[j], sphere[j], weight[j], gathered[j], coarse[j] = (
                    U(first_walker + following),
                    U(0),
                    1.0,
                    0.0,
                    np.nan,
                )
                for a in range(D):
                    x[a, j] = start[a]
                r[j] = radius(at(x, j), p)
                following += 1
            else:
                size -= 1
                r[j], walker[j], sphere[j] = r[size], walker[size], sphere[size]
                weight[j], gathered[j], coarse[j] = weight[size], gathered[size], coarse[size]
                for a in range(D):
                    x[a, j] = x[a, size]
        for j in range(BLOCK):
            r[j] = min(r[j], largest)
        if SOURCE:
            gather(gathered, x, r, weight, walker, sphere, z, w, p, physics, green, keys)
        directions(z, walker, sphere, 1 + PAIRS, keys)
        for j in range(BLOCK):
            for a in range(D):
                x[a, j] = wrapped(x[a, j] + r[j] * z[a, j], a, p)
            if SCREENED:
                weight[j] /= polynomial(green[0], 0.25 * physics[1] / physics[0] * r[j] * r[j])
            sphere[j] += U(1)
