"""Exact binomial draws inside kernels, the same bits on every machine.

Below a mean of 10 by inversion, above by transformed rejection: algorithm BTRS of W. Hörmann, "The generation of
binomial random variates", J. Stat. Comput. Simul. 46 (1993). What differs from the usual implementations is the
acceptance test. They take differences of log Γ, which near n = 2^53 are rounded to multiples of 32; here the test is in
the differences themselves (`_log_ratio`), so that no large number is ever formed.
"""

from __future__ import annotations

import math

import numpy as np

from ..jit.compile import aside, device
from ..jit.reals import choose, fraction_of
from .philox import HALF, words64
from .portable import amount, atanh_excess, deviance, exp, floor, log, log_quotient, signed_real, stirling_error, whole

U = np.uint64
ULP = 2.0**-53
INVERSION_BELOW = 10.0  # the mean from which Hörmann's constants are valid
NEGLIGIBLE = 2.0**-60
UNSIGNED, SIGNED = 2.0**52, 3 * 2.0**51  # for `floor`


@device
def block(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """The two words of a block, or of lanes. The digits of c0 above the 32nd are in the high half of its fourth counter word."""
    return words64(c0, c1, c2, c3 | c0 >> HALF << U(16), k0, k1)


@device
def fraction(word):  # type: ignore[no-untyped-def]
    """The highest 53 bits of a uint64, over 2^53."""
    return signed_real(np.int64(word >> U(11))) * ULP


fraction.of_vectors(lambda word: fraction_of(word))


@device
def _power(q, n):  # type: ignore[no-untyped-def]
    """q^n for 0 <= n < 64, without a branch; a relative error of up to 2n 2^-53."""
    q2 = q * q
    q4 = q2 * q2
    q8 = q4 * q4
    q16 = q8 * q8
    low = (q if n & 1 else 1.0) * (q2 if n & 2 else 1.0)
    high = (q4 if n & 4 else 1.0) * (q8 if n & 8 else 1.0)
    highest = (q16 if n & 16 else 1.0) * (q16 * q16 if n & 32 else 1.0)
    return low * high * highest


@device
def _none(n, a, b):  # type: ignore[no-untyped-def]
    """P(X = 0) = (1 - a/b)^n."""
    others, total = np.float64(b - a), np.float64(b)
    if n < 64:
        return _power(others / total, n)
    return exp(np.float64(n) * log_quotient(others, total, -np.float64(a)))


@device
def _invert(n, a, b, word):  # type: ignore[no-untyped-def]
    """The number of k with P(X <= k) <= u, by sequential search; n a/b < 10, a/b <= ½."""
    odds, u = np.float64(a) / np.float64(b - a), fraction(word)
    mass, k = _none(n, a, b), np.int64(0)
    while u >= mass and k < n and mass > NEGLIGIBLE:  # P(X = 0) >= 2^-20, so a negligible mass is one in the upper tail
        u -= mass
        k += 1
        mass *= np.float64(n - k + 1) * odds / np.float64(k)
    return k


@device
def _mode(n, a, inverse):  # type: ignore[no-untyped-def]
    """With inverse = 1/b, rounded: p = a/b, the mode m = floor((n + 1) p), the mean and the standard deviation; of one draw or of
    lanes.

    m may be off by a few where n is huge, because p is rounded; nothing depends on its being the mode exactly.
    """
    p, many = signed_real(a) * inverse, amount(n)
    return p, whole(floor((many + 1.0) * p, UNSIGNED), UNSIGNED), many * p, math.sqrt(many * p * (1.0 - p))


@device
def _excess(most, rest, inverse):  # type: ignore[no-untyped-def]
    """n p - m of n a - m b = `most` + rest, `most` the float64 of a multiple of 8: it must go with m to full precision."""
    return (most + amount(rest)) * inverse


@device
def _centre(n, a, b, inverse):  # type: ignore[no-untyped-def]
    """p, the mode m, n p - m and the standard deviation. n a - m b is below 4 b, up to 2^64, so that its eighth is what is exact
    modulo 2^64."""
    p, m, _, sd = _mode(n, a, inverse)
    low = np.int64(n * (a & 7) - m * (b & 7))
    eighths = np.int64(n * (a >> 3) - m * (b >> 3)) + (low >> 3)
    return p, m, _excess(signed_real(eighths) * 8.0, low & 7, inverse), sd


@device
def _log_ratio(n, p, m, excess, j):  # type: ignore[no-untyped-def]
    """log f(m + j)/f(m) of Binomial(n, p), where excess = n p - m and p <= ½.

    With x = m + 1, y = n - m + 1 and log Γ(x) = (x - ½) log x - x + ½ log 2π + δ(x),

        log f(m + j)/f(m) = - [(x + j - ½) log((x + j)/x) - j] - [(y - j - ½) log((y - j)/y) + j] + j log(p y/(q x))
                            + δ(x) - δ(x + j) + δ(y) - δ(y - j).

    The brackets are deviances, which do not cancel each other, and p y - q x = excess + 2p - 1 is of order one.
    """
    x, y, d = np.float64(m + 1), np.float64(n - m + 1), np.float64(j)
    xj, yj = np.float64(m + 1 + j), np.float64(n - m + 1 - j)
    errors = (stirling_error(x) - stirling_error(xj)) + (stirling_error(y) - stirling_error(yj))
    return (_drift(p, x, excess, d) + errors) - (deviance(xj, x, d) + deviance(yj, y, -d))


@device
def _drift(p, x, excess, d):  # type: ignore[no-untyped-def]
    tilt = excess + 2.0 * p - 1.0
    v = tilt / (tilt + 2.0 * (1.0 - p) * x)
    return 2.0 * d * v * (1.0 + atanh_excess(v * v))


@device
def _hat(p, sd):  # type: ignore[no-untyped-def]
    """Width, slope and quick-acceptance level of the proposal: Hörmann's b, a and v_r b."""
    width = 1.15 + 2.53 * sd
    return width, -0.0873 + 0.0248 * width + 0.01 * p, 0.92 * width - 4.2


@device
def _proposal(first, second, excess, width, slope):  # type: ignore[no-untyped-def]
    """From a block's two words: v, the distance of u from the ends of (-½, ½), and the proposal minus the mode."""
    u = fraction(first) - (0.5 - 0.5 * ULP)  # odd multiples of 2^-54 in (-½, ½)
    v = fraction(second) + ULP  # in (0, 1]
    inside = 0.5 - abs(u)
    return v, inside, 2.0 * slope * (u / inside) + width * u + (excess + 0.5)


@device
def _target(v, inside, sd, width, slope):  # type: ignore[no-untyped-def]
    """What f(k)/f(m) must reach for the proposal k to be accepted, as a fraction: the number above and that below."""
    square = inside * inside
    return v * ((2.83 * width + 5.1) * sd) * square, width * (slope + width * square)


@device
def _reject(n, a, b, c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """Hörmann's BTRS for n a/b >= 10, a/b <= ½. Its a, b, v_r and α are slope, width, quick / width and height here."""
    p, m, excess, sd = _centre(n, a, b, 1.0 / signed_real(b))
    width, slope, quick = _hat(p, sd)
    lowest, beyond = -np.float64(m), np.float64(n - m + 1)
    attempt = U(0)
    while True:
        first, second = block(c0, c1, c2 + attempt, c3, k0, k1)
        attempt += U(1)
        v, inside, offset = _proposal(first, second, excess, width, slope)
        if (inside >= 0.07) & (v * width <= quick):  # `&`: one branch to predict; within 2 sd, so in range
            return m + np.int64(math.floor(offset))
        if not (lowest <= offset < beyond):
            continue
        j = np.int64(math.floor(offset))
        above, below = _target(v, inside, sd, width, slope)
        if log(above / below) <= _log_ratio(n, p, m, excess, j):
            return m + j


@device
def _asked(k, n, flip):  # type: ignore[no-untyped-def]
    """How many of n had the outcome asked for, if k had the rarer one; `flip` if those are not the same."""
    return n - k if flip else k


@_asked.of_vectors
def _all_asked(k, n, flip):  # type: ignore[no-untyped-def]
    return choose(flip, n - k, k)


@aside
def binomial(n, a, b, c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """A draw of Binomial(n, a/b), for int64 0 <= n <= 2^53 and 0 <= a <= b <= 2^62; an int64.

    A pure function of its arguments, in which a common factor 2^31 of a and b changes nothing. The randomness is Philox at
    counter (c0, c1, c2 + attempt, c3) of :func:`block` and key (k0, k1), all uint64. The low 16 bits of c2 are the caller's to
    leave 0: some 1.15 attempts are made on average at large means, and each fails with probability below ½, so that 2^16 are
    never used up.

    The law differs from the binomial, in total variation per draw, by at most

    * 3e-14 in the inversion (mean below 10): u has 53 bits and meets some 50 thresholds, each rounded to 2^-53; the
      masses carry a relative error of up to (128 + 4k) 2^-53 from (1 - p)^n and the recursion;
    * 1e-13 + 5e-16 sd in the rejection. The first part is the acceptance test: 53 bits of v, and the rounding of the
      log-ratio (`log_acceptance`: below 1e-13, measured against 60 digits). The second is the 53 bits of u and the
      rounding of the proposal: they move the border between k and k + 1 by up to 3 (sd + |k - np|) 2^-53, and with it
      that much of the mass of k to its neighbour. In units of sd these are shifts of 1e-15, so that the distribution
      function is right to 2e-13 for every n; but at n = 2^53 single probabilities are off by a relative 1e-8 or so,
      without a pattern. By Pinsker's inequality that takes of the order of 1e15 draws to tell.
    """
    if n <= 0 or a <= 0:
        return np.int64(0)
    if a >= b:
        return np.int64(n)
    flip = a > b - a
    rarer = b - a if flip else a
    if np.float64(n) * (np.float64(rarer) / np.float64(b)) < INVERSION_BELOW:
        return _asked(_invert(n, rarer, b, block(c0, c1, c2, c3, k0, k1)[0]), n, flip)
    return _asked(_reject(n, rarer, b, c0, c1, c2, c3, k0, k1), n, flip)


@device
def log_acceptance(n, a, b, k):  # type: ignore[no-untyped-def]
    """log f(k)/f(mode) of Binomial(n, a/b) as the rejection computes it, for n min(a/b, 1 - a/b) >= 10."""
    if a > b - a:
        a, k = b - a, n - k
    p, m, excess, _ = _centre(n, a, b, 1.0 / signed_real(b))
    return _log_ratio(n, p, m, excess, k - m)
