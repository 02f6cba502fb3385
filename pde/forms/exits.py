"""By which wall a walker leaves in the end: constant drift, diffusion and killing, any two walls or one.

u(z), the probability of leaving by a wall at distance z, solves Du'' + bu' - κu = 0 with b the drift away from that wall, flux
-Du' = K(1 - u) there and Du' = -K'u at the other wall, L away (Redner, *A Guide to First-Passage Processes*, 2.2 and 2.3, for
absorbing and reflecting walls). With r = √(b² + 4Dκ), M = (r + b)/2, N = (r - b)/2 and E(w) = exp(-rw/D):

    u = K exp(-Mz/D) g(L - z) / (K g(L) + S),   g(w) = (N + M E(w) + K'(1 - E(w)))/r,
    S = (K'(M + N E(L)) + MN (1 - E(L)))/r,

all terms of one sign, so that nothing is subtracted; K or K' infinite absorbs and leaves the terms with it.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from randwalk.model.coefficient import Floats


def exit_probability(
    z: Floats, away: float, diffusion: float, killing: float, reactivity: float, length: float, other: float
) -> Floats:
    """The probability of ever leaving through a wall of positive `reactivity` at the distances `z` from it.

    `away` is the drift away from the wall, `length` the distance of the opposite wall, of reactivity `other` (0 reflects,
    infinity absorbs); an infinite `length` means that there is none.
    """
    d = diffusion
    root = math.hypot(away, 2.0 * math.sqrt(d * killing))
    # (r + b)/2 and (r - b)/2, whose product is Dκ: the smaller one by division
    large = 0.5 * (root + abs(away))
    small = d * killing / large if large else 0.0
    m, n = (large, small) if away >= 0.0 else (small, large)
    fall = np.exp(-m * z / d)
    if math.isinf(length):
        return fall * (1.0 if math.isinf(reactivity) else reactivity / (reactivity + m))
    if other == 0.0 and killing == 0.0:
        return np.ones_like(fall)  # there is no other way out
    if killing == 0.0 and away > 0.0 and math.isfinite(other):
        return _against(z, away, d, reactivity, length, other)
    share, rest = (m / root, n / root) if root else (0.5, 0.5)

    def beyond(w: Floats) -> Floats:
        """g(w), or g(w)/K' at an absorbing wall."""
        gone = w / d * special.exprel(-root * w / d)
        return gone if math.isinf(other) else rest + share * np.exp(-root * w / d) + other * gone

    whole = float(beyond(np.asarray(length)))
    ending = share + rest * math.exp(-root * length / d)
    if math.isfinite(other):
        ending = other * ending + m * n * length / d * float(special.exprel(-root * length / d))
    at_wall = whole if math.isinf(reactivity) else whole + ending / reactivity
    return fall * beyond(length - z) / at_wall


def _against(z: Floats, away: float, d: float, reactivity: float, length: float, other: float) -> Floats:
    """The same without killing against a drift, when N = 0 and E(L) may underflow: it enters as log(b E(L)/K')."""
    ratio = math.log(away / other) - away * length / d
    small = math.exp(-abs(ratio))
    near, far = (1.0, small) if ratio > 0.0 else (small, 1.0)
    held = -np.expm1(-away * (length - z) / d)
    return (near + far * np.exp(-away * z / d) * held) / (
        near + far * (-math.expm1(-away * length / d) + away / reactivity)
    )
