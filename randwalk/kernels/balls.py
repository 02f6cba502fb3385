"""Random points of balls and spheres for walks on spheres (:mod:`randwalk.kernels.spheres`), in any number of dimensions d.

Of a ball of radius R around a walker: a uniform point of its surface, and a point drawn from Green's function with the mass of
that function. Screening by κ multiplies them by factors of s = R²κ/4D ≤ 1. docs/theory/feynman_kac.md has the formulas.
"""

from __future__ import annotations

import math

import numpy as np

from ..jit.compile import device, kernel
from ..jit.lanes import LANES, fetch, keep
from ..jit.vector import wide
from .elementary import exp
from .normal import BLOCK, paired, upward
from .philox import HALF, LOW, SPHERES, of_axis, words64
from .portable import log

TERMS = 14  # of a series in s
LARGEST = 2.0  # radius of a sphere, in √(D/κ)
ZERO_VECTOR = 1e-300  # of which a direction is 0, once in 2⁵² draws
RIM = 1e-6  # of the radius: so near the surface the ratio of Green's functions is its limit there


@device
def polynomial(coefficients, s):  # type: ignore[no-untyped-def]
    value = coefficients[TERMS - 1]
    for k in range(TERMS - 2, -1, -1):
        value = value * s + coefficients[k]
    return value


@device
def central(first, second, d):  # type: ignore[no-untyped-def]
    """How many radii from the centre a point is that is drawn from Green's function by two words: √u v^(1/d), u and v uniform.
    The density is proportional to ρ^(d-1) times Green's function, whose moments E ρ^k are 2/(k + 2) · d/(k + d) in every
    dimension."""
    return exp(0.5 * log(2.0 - upward(first)) + log(2.0 - upward(second)) / d)


@device
def words_of(walker, sphere, draw, keys):  # type: ignore[no-untyped-def]
    """The words of a Philox block of a walker, or of lanes of them, for a draw of a sphere."""
    return words64(walker & LOW, walker >> HALF, sphere, of_axis(SPHERES, draw), keys[0], keys[1])


@device
def random_words(into, row, walker, sphere, draw, keys):  # type: ignore[no-untyped-def]
    """Those of every walker, in two rows of `into`."""
    for j in range(0, BLOCK, LANES):
        first, second = words_of(fetch(walker, j), fetch(sphere, j), draw, keys)
        keep(first, into, row * BLOCK + j)
        keep(second, into, (row + 1) * BLOCK + j)


@kernel
def on_spheres(z, d, scale, walker, sphere, draw, keys):  # type: ignore[no-untyped-def]
    """Uniform points of spheres of radius `scale`, in the first d rows of `z`: normals divided by their length. A pair of rows
    takes a block, `draw` being the first."""
    wide()
    square = np.full(BLOCK, ZERO_VECTOR)
    for row in range(0, z.shape[0], 2):
        random_words(z, row, walker, sphere, draw + row // 2, keys)
        paired(z[row], z[row + 1], BLOCK)
    for a in range(d):
        x = z[a]
        for j in range(BLOCK):
            square[j] += x[j] * x[j]
    for j in range(BLOCK):
        square[j] = scale[j] / math.sqrt(square[j])
    for a in range(d):
        x = z[a]
        for j in range(BLOCK):
            x[j] *= square[j]


@kernel
def in_balls(z, d, mass, r, numbers, physics, green, keys):  # type: ignore[no-untyped-def]
    """Points of balls of radius `r` drawn from Green's function without κ, in the first d rows of `z`, and in `mass` what a
    source there counts."""
    wide()
    walker, sphere = numbers
    rho, scale = np.empty((2, BLOCK)), np.empty(BLOCK)
    random_words(rho, 0, walker, sphere, 0, keys)
    for j in range(BLOCK):
        rho[0, j] = central(np.float64(rho[0, j]).view(np.uint64), np.float64(rho[1, j]).view(np.uint64), d)
        scale[j] = rho[0, j] * r[j]
    on_spheres(z, d, scale, walker, sphere, 1, keys)
    for j in range(BLOCK):
        mass[j] = counted(rho[0, j], r[j], d, physics, green)


@device
def counted(rho, r, d, physics, green):  # type: ignore[no-untyped-def]
    """What a source counts `rho` radii from the centre of a ball: the mass R²/(2 d D) of Green's function without κ times the
    ratio of the two functions there."""
    mass = r * r / (2.0 * d * physics[0])
    return mass * screened_share(green, rho, _s(r, physics), d) if physics[1] > 0.0 else mass


@device
def _s(r, physics):  # type: ignore[no-untyped-def]
    return 0.25 * physics[1] / physics[0] * r * r


@device
def screened_share(green, rho, s, d):  # type: ignore[no-untyped-def]
    """Green's function of κ divided by that without, at `rho` radii from the centre of a ball.

    Rows of `green` are series in s ρ²: of A, and of P and Q in ρ^(2-d) P + s^n (c log ρ A + Q), n = d/2 - 1; see
    :func:`randwalk.tables.sphere_program.screening_series`.
    """
    inner, log_rho = s * rho * rho, log(rho)
    power = exp((2.0 - d) * log_rho)
    regular, at_wall = polynomial(green[0], inner), polynomial(green[0], s)
    factor = 1.0
    for _ in range((d - 2) // 2):
        factor *= s
    singular = power * polynomial(green[1], inner) + factor * (
        green[3, 0] * log_rho * regular + polynomial(green[2], inner)
    )
    singular_at_wall = polynomial(green[1], s) + factor * polynomial(green[2], s)
    plain = -log_rho if d == 2 else power - 1.0
    return (singular - regular * singular_at_wall / at_wall) / plain if rho < 1.0 - RIM else 1.0 / at_wall


@device
def lasting(r, physics, green):  # type: ignore[no-untyped-def]
    """1/E exp(-κτ), τ the time to the surface of a ball from its centre."""
    return polynomial(green[0], _s(r, physics))


@kernel
def survive(weight, r, physics, green):  # type: ignore[no-untyped-def]
    """Multiply weights by E exp(-κτ)."""
    wide()
    for j in range(BLOCK):
        weight[j] /= lasting(r[j], physics, green)
