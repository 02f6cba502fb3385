"""Walls of continuous walks by the Brownian bridge: what happens at one wall between the two ends of one step.

A step leads from the distance d0 >= 0 to the distance d1 from a wall, with the variance s² = 2 nᵀDn dt along the normal n.
Given both, the path between them is a Brownian bridge, whatever the drift. Its minimum m says everything: an absorbing
wall has been reached if m < 0; a reflecting one has pushed the walker inward by max(0, -m), which is the local time at the wall
(Skorokhod); a wall of reactivity K absorbs at a local time that is exponential with mean nᵀDn/K, so it is an absorbing wall at
that depth behind itself. For one plane and constant coefficients this is exact in one step of any length.

Karatzas and Shreve, *Brownian Motion and Stochastic Calculus* (1991), 2.8 and 3.6; Gobet, *Stoch. Proc. Appl.* 87 (2000) 167.
"""

from __future__ import annotations

import math

import numpy as np

from ..jit.compile import aside, device
from .philox import LOW
from .portable import log, real

LOG_2 = math.log(2.0)
REACH = 11.5  # > 33 log(2)/2: where d0 d1 > REACH s², no word makes the bridge reach the wall
SLACK = 0.01  # in log₂: far above the rounding of :func:`lowest`, whatever the drift

# Coefficients of Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Appl. Stat. 37 (1988) 477.
NEAR_ABOVE = (
    3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
    4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
)  # fmt: skip
NEAR_BELOW = (
    1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
    2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3,
)  # fmt: skip
FAR_ABOVE = (
    1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
    1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
)  # fmt: skip
FAR_BELOW = (
    1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
    1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
)  # fmt: skip


@device
def unit(word):  # type: ignore[no-untyped-def]
    """The low 32 bits of a word as a uniform of (0, 1): the middles of 2³² cells."""
    return (real(word & LOW) + 0.5) * 2.0**-32


@device
def may_reach(d0, d1, s2):  # type: ignore[no-untyped-def]
    """Whether the bridge between two distances can reach the wall; the words of all others change nothing and are not drawn."""
    return (d0 if d0 > 0.0 else 0.0) * d1 <= REACH * s2


@device
def clearance(d0, d1, s2):  # type: ignore[no-untyped-def]
    """q of a step: the bridge reaches the wall with probability exp(-2q), surely if q < 0."""
    return (d0 if d0 > 0.0 else 0.0) * d1 * (1.0 / s2)


@device
def may_be_reached(q, word):  # type: ignore[no-untyped-def]
    """Whether the uniform u of a word may make a bridge of clearance q reach the wall: False only if u > exp(-2q). The chord of
    log₂ between powers of two, which is below it, is read off the bits of u."""
    bits = np.float64(real(word & LOW) + 0.5).view(np.int64)
    return not (np.float64(bits) * 2.0**-52 - (1023.0 + 32.0) > SLACK - (2.0 / LOG_2) * q)


@device
def lowest(d0, d1, s2, u):  # type: ignore[no-untyped-def]
    """The minimum of the bridge between two distances, with the variance s2 of the step: u is its distribution function."""
    return 0.5 * (d0 + d1 - math.sqrt((d1 - d0) * (d1 - d0) - 2.0 * s2 * log(u)))


@device
def depth(reactivity, diffusion, u):  # type: ignore[no-untyped-def]
    """How deep the minimum goes before a wall absorbs: 0 for an absorbing wall, infinite for a reflecting one, else exponential
    with mean `diffusion`/`reactivity` (the diffusion along the normal)."""
    if reactivity == math.inf:
        return 0.0
    if reactivity == 0.0:
        return math.inf
    return -(diffusion / reactivity) * log(u)


@device
def _polynomial(c, x):  # type: ignore[no-untyped-def]
    low = c[0] + x * (c[1] + x * (c[2] + x * c[3]))
    return low + (x * x) * (x * x) * (c[4] + x * (c[5] + x * (c[6] + x * c[7])))


@aside
def quantile(u):  # type: ignore[no-untyped-def]
    """The normal quantile of u, 2^-33 <= u <= 1 - 2^-33, within 1e-15 of its value."""
    q = u - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return q * _polynomial(NEAR_ABOVE, r) / _polynomial(NEAR_BELOW, r)
    tail = u if q < 0.0 else 1.0 - u
    r = math.sqrt(-log(tail)) - 1.6
    value = _polynomial(FAR_ABOVE, r) / _polynomial(FAR_BELOW, r)
    return -value if q < 0.0 else value


@aside
def passage(d0, d1, s2, z, u):  # type: ignore[no-untyped-def]
    """The part of the step after which a bridge that reaches the wall reaches it first, in [0, 1].

    It is v/(1 + v) with v inverse Gaussian of mean d0/|d1| and shape d0²/s². The smaller root of Michael, Schucany and Haas (*Am.
    Stat.* 30 (1976) 88) from the normal z is taken with the probability that u, uniform, decides, else the larger one.
    """
    if not d0 > 0.0:
        return 0.0
    end = abs(d1)
    q = s2 * (z * z) / d0
    small = d0 / (end + 0.5 * (q + math.sqrt(q * (4.0 * end + q))))
    if u * (d0 + end * small) <= d0:
        return small / (1.0 + small) if small < math.inf else 1.0
    return d0 * d0 / (d0 * d0 + end * end * small)


@device
def refracted(d0, d1, s2, below, above, share, u, v):  # type: ignore[no-untyped-def]
    """Where a step from d0 to d1 ends by an interface at which the noise jumps from `below` to `above`. A path that does not
    reach it goes on to d1; one that does is above it at the end with probability `share`, at |d1| in units of the noise there:
    skew Brownian motion (Harrison and Shepp, Ann. Prob. 9 (1981) 309), exact for noises that are constant on either side. The
    uniforms are u of the minimum of the bridge and v of the side."""
    side = 1.0 if d0 >= 0.0 else -1.0
    if lowest(side * d0, side * d1, s2, u) > 0.0:
        return d1
    here = above if d0 >= 0.0 else below
    return abs(d1) * (above / here) if v < share else -abs(d1) * (below / here)
