"""Elementary functions in plain IEEE operations: the same bits on every machine.

libm differs between machines (glibc picks AVX2 and FMA variants as it runs), so log and exp are written with + - * /
and bit operations, each of which IEEE 754 rounds in one way. That holds as long as a*b + c is not contracted to a
fused multiply-add: Numba does not contract on the CPU (``fastmath`` is off); CUDA must be compiled with fma off.

The coefficients are those of FreeBSD's msun (e_log.c, e_exp.c, k_sin.c and k_cos.c, Sun Microsystems 1993).
"""

from __future__ import annotations

import math

import numpy as np

from ..jit.compile import device
from ..jit.lanes import HOST
from ..jit.reals import bits, choose, real_of, signed_real_of, small_real_of
from ..jit.vector import polynomial

LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # the first has 32 bits: k LN2_HIGH is exact
INVERSE_LN2 = 1.44269504088896338700
ROUND = 1.5 * 2.0**52  # x + ROUND - ROUND is the nearest whole number, whose low bits are those of x + ROUND
SQUARED_SERIES_LIMIT = 1.0 / 64.0
CONVERTED = "+avx512dq" in HOST  # vectors of whole numbers become floating-point ones by an instruction
SERIES_FROM = 16.0  # where the series of `stirling_error` takes over from its table

LOG_ODD = 0.6666666666666735130, 0.2857142874366239149, 0.1818357216161805012, 0.1479819860511658591
LOG_EVEN = 0.3999999999940941908, 0.2222219843214978396, 0.1531383769920937332
EXP = (
    1.66666666666666019037e-01, -2.77777777770155933842e-03, 6.61375632143793436117e-05, -1.65339022054652515390e-06,
    4.13813679705723846039e-08,
)  # fmt: skip
SINE = (  # (sin r - r)/r³ = THIRD + r² (SINE)
    8.33333333332248946124e-03, -1.98412698298579493134e-04, 2.75573137070700676789e-06, -2.50507602534068634195e-08,
    1.58969099521155010221e-10,
)  # fmt: skip
THIRD = -1.66666666666666324348e-01
COSINE = (  # (cos r - 1 + r²/2)/r⁴
    4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05, -2.75573143513906633035e-07,
    2.08757232129817482790e-09, -1.13596475577881948265e-11,
)  # fmt: skip

# δ(1) … δ(15) of `stirling_error`, rounded from 40 digits; δ(0) is infinite and not used.
STIRLING_ERROR = np.array([
    0.0, 0.08106146679532726, 0.0413406959554093, 0.02767792568499834,
    0.020790672103765093, 0.016644691189821193, 0.013876128823070748, 0.01189670994589177,
    0.010411265261972096, 0.009255462182712733, 0.00833056343336287, 0.007573675487951841,
    0.00694284010720953, 0.006408994188004207, 0.0059513701127588475, 0.005554733551962801,
])  # fmt: skip


@device
def flipped(x, sign):  # type: ignore[no-untyped-def]
    """x, or -x where `sign` is the highest bit of a word, not 0."""
    return np.uint64(np.float64(x).view(np.uint64) ^ sign).view(np.float64)


@device
def floor(x, magic):  # type: ignore[no-untyped-def]
    """The floor of x, where x + `magic` keeps no fraction and is not rounded further: `magic` = 2^52 for 0 <= x <= 2^52,
    3 2^51 for |x| < 2^51. Additions only: vectors have no conversion before AVX-512."""
    nearest = (x + magic) - magic
    return nearest - np.float64(nearest > x)


@floor.of_vectors
def _floors(x, magic):  # type: ignore[no-untyped-def]
    nearest = (x + magic) - magic
    return nearest - choose(nearest > x, 1.0, 0.0)


@device
def whole(x, magic):  # type: ignore[no-untyped-def]
    """A whole float64 as an int64; `magic` as for :func:`floor`."""
    return np.int64(np.float64(x + magic).view(np.int64) - np.float64(magic).view(np.int64))


@whole.of_vectors
def _wholes(x, magic):  # type: ignore[no-untyped-def]
    return bits(x + magic) - np.uint64(np.float64(magic).view(np.uint64))


@device
def real(u):  # type: ignore[no-untyped-def]
    """A uint64 as a float64, rounded once."""
    return np.float64(u) if CONVERTED else _real(u)


real.of_vectors(lambda u: real_of(u))


@device
def signed_real(i):  # type: ignore[no-untyped-def]
    """As :func:`real`, of an int64."""
    return np.float64(i) if CONVERTED else _signed_real(i)


signed_real.of_vectors(lambda i: signed_real_of(i))


@device
def amount(i):  # type: ignore[no-untyped-def]
    """As :func:`signed_real`, of an int64 that is not negative; of lanes below 2^52."""
    return signed_real(i)


amount.of_vectors(lambda i: small_real_of(i))


@device
def _real(u):  # type: ignore[no-untyped-def]
    """:func:`real` where vectors have no such instruction: both halves stand in the digits of a float64 of a known exponent,
    2^84 and 2^52."""
    high = np.uint64((u >> np.uint64(32)) | np.uint64(0x4530000000000000)).view(np.float64)
    low = np.uint64((u & np.uint64(0xFFFFFFFF)) | np.uint64(0x4330000000000000)).view(np.float64)
    return (high - (2.0**84 + 2.0**52)) + low


@device
def _signed_real(i):  # type: ignore[no-untyped-def]
    low = np.uint64((np.uint64(i) & np.uint64(0xFFFFFFFF)) | np.uint64(0x4330000000000000)).view(np.float64)
    return np.float64(np.int32(i >> np.int64(32))) * 2.0**32 + (low - 2.0**52)


@device
def log(x):  # type: ignore[no-untyped-def]
    """log x of a positive normal float64, within 1 ulp.

    x = 2^k (1 + f) with 1 + f in (√½, √2); s = f/(2 + f); log(1 + f) = 2 atanh s = f - f²/2 + s (f²/2 + R(s²)).
    """
    bits = np.float64(x).view(np.int64)
    mantissa = bits & np.int64(0x000FFFFFFFFFFFFF)
    above_sqrt2 = (mantissa + np.int64(0x95F6400000000)) & np.int64(0x10000000000000)
    k = np.float64(np.int32((bits >> np.int64(52)) - np.int64(1023) + (above_sqrt2 >> np.int64(52))))
    f = np.int64(mantissa | (above_sqrt2 ^ np.int64(0x3FF0000000000000))).view(np.float64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    odd = z * polynomial(w, LOG_ODD)
    even = w * polynomial(w, LOG_EVEN)
    half_square = 0.5 * f * f
    return k * LN2_HIGH - ((half_square - (s * (half_square + (even + odd)) + k * LN2_LOW)) - f)


@device
def exp_rest(high, low):  # type: ignore[no-untyped-def]
    """exp(high - low) - 1 of |high - low| <= log(2)/2: 2r/(R - r), R(r) = r (exp r + 1)/(exp r - 1) = 2 + r²/6 - …"""
    r = high - low
    t = r * r
    c = r - t * polynomial(t, EXP)
    return high - (low - (r * c) / (2.0 - c))


@device
def exp(x):  # type: ignore[no-untyped-def]
    """exp x for |x| <= 700, within 1 ulp: x = k log 2 + r with |r| <= log(2)/2."""
    k = np.int64(math.floor(x * INVERSE_LN2 + 0.5))
    scale = np.int64((k + np.int64(1023)) << np.int64(52)).view(np.float64)
    return scale * (1.0 + exp_rest(x - np.float64(k) * LN2_HIGH, np.float64(k) * LN2_LOW))


@device
def atanh_excess(z):  # type: ignore[no-untyped-def]
    """atanh(v)/v - 1 = z/3 + z²/5 + … for z = v² <= 1/64; what is left out is below 2^-50 of the value."""
    z2 = z * z
    low = (1.0 / 3.0 + z * (1.0 / 5.0)) + z2 * (1.0 / 7.0 + z * (1.0 / 9.0))
    high = (1.0 / 11.0 + z * (1.0 / 13.0)) + z2 * (1.0 / 15.0 + z * (1.0 / 17.0))
    return z * (low + (z2 * z2) * high)  # in pairs: half the latency of Horner's rule


@device
def log_quotient(x, y, difference):  # type: ignore[no-untyped-def]
    """log(x/y) of positive x and y whose `difference` x - y is known exactly, with a small *relative* error however
    close they are: 2 atanh v with v = (x - y)/(x + y)."""
    v = difference / (x + y)
    z = v * v
    return log(x / y) if z > SQUARED_SERIES_LIMIT else 2.0 * v * (1.0 + atanh_excess(z))


@device
def deviance_near(x, y, difference):  # type: ignore[no-untyped-def]
    """(x - ½) log(x/y) - (x - y) without cancellation, given the `difference` x - y exactly, where it is at most (x + y)/8.

    The saddle-point deviance of C. Loader, "Fast and accurate computation of binomial probabilities" (2000), with the
    factor √(y/x) taken in: as log(x/y) = 2v (1 + A), v = (x - y)/(x + y), it is v (x - y - 1 + (2x - 1) A).
    """
    v = difference / (x + y)
    return v * (difference - 1.0 + (2.0 * x - 1.0) * atanh_excess(v * v))


@device
def near(x, y, difference):  # type: ignore[no-untyped-def]
    """Whether :func:`deviance_near` holds."""
    v = difference / (x + y)
    return v * v <= SQUARED_SERIES_LIMIT


@device
def deviance(x, y, difference):  # type: ignore[no-untyped-def]
    """As :func:`deviance_near`, for all positive x and y."""
    if near(x, y, difference):
        return deviance_near(x, y, difference)
    return (x - 0.5) * log(x / y) - difference


@device
def stirling_series(x):  # type: ignore[no-untyped-def]
    """δ(x) = log Γ(x) - (x - ½) log x + x - ½ log 2π of x >= 16, within 2e-16."""
    r = 1.0 / x
    z = r * r
    further = (1.0 / 1260.0 - z * (1.0 / 1680.0)) + (z * z) * (1.0 / 1188.0)
    return r * ((1.0 / 12.0 - z * (1.0 / 360.0)) + (z * z) * further)


@device
def stirling_error(x):  # type: ignore[no-untyped-def]
    """δ(x) of a whole x >= 1, within 2e-16: a table, then the series."""
    return STIRLING_ERROR[np.int64(x)] if x < SERIES_FROM else stirling_series(x)
