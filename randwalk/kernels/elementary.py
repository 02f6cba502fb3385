"""Elementary functions of all float64, in plain IEEE operations: what formulas of coefficients are compiled to.

The same bits on every machine, like :mod:`randwalk.kernels.portable`, whose ``log`` is the inner part of this one. Both sides of
a choice are computed and one is selected, so that loops over walkers become vectors. The stated errors are the largest that
tests/test_elementary.py finds against mpmath, in units in the last place, rounded up; results below 2.3e-308 have the absolute
error of one unit. The algorithms and coefficients are those of FreeBSD's msun (Sun Microsystems 1993; e_exp.c, k_sin.c, k_cos.c,
e_rem_pio2.c, s_expm1.c, s_atan.c, s_erf.c, e_pow.c).
"""

from __future__ import annotations

import math

import numpy as np

from ..jit.compile import device
from ..jit.vector import polynomial
from . import portable
from .portable import COSINE, EXP, INVERSE_LN2, LN2_HIGH, LN2_LOW, ROUND, SINE, THIRD, exp_rest, flipped

ROUND_BITS = np.int64(np.float64(ROUND).view(np.int64))
ONE, TWO, HIGHEST = np.uint64(1), np.uint64(2), np.uint64(62)
SMALLEST = 2.0**-1022  # of the numbers of full precision
LOG_TINY = 54.0 * math.log(2.0)
ERF_ONE = 8.45062911510467529297e-01  # about erf 1
# arctan 0, ½, 1, 3/2 and ∞, and what these lack.
ARCTAN = (
    0.0, 4.63647609000806093515e-01, 7.85398163397448278999e-01, 9.82793723247329054082e-01, 1.57079632679489655800e00,
)  # fmt: skip
ARCTAN_REST = (
    0.0, 2.26987774529616870924e-17, 3.06161699786838301793e-17, 1.39033110312309984516e-17,
    6.12323399573676603587e-17,
)  # fmt: skip
# The coefficients of polynomials, the lowest first; _BELOW: of a denominator.
ARCTAN_ODD = (
    3.33333333333329318027e-01, 1.42857142725034663711e-01, 9.09088713343650656196e-02, 6.66107313738753120669e-02,
    4.97687799461593236017e-02, 1.62858201153657823623e-02,
)  # fmt: skip
ARCTAN_EVEN = (
    -1.99999999998764832476e-01, -1.11111104054623557880e-01, -7.69187620504482999495e-02, -5.83357013379057348645e-02,
    -3.65315727442169155270e-02,
)  # fmt: skip
ERF_SMALL = (
    1.28379167095512558561e-01, -3.25042107247001499370e-01, -2.84817495755985104766e-02, -5.77027029648944159157e-03,
    -2.37630166566501626084e-05,
)  # fmt: skip
ERF_SMALL_BELOW = (
    1.0, 3.97917223959155352819e-01, 6.50222499887672944485e-02, 5.08130628187576562776e-03,
    1.32494738004321644526e-04, -3.96022827877536812320e-06,
)  # fmt: skip
ERF_MIDDLE = (
    -2.36211856075265944077e-03, 4.14856118683748331666e-01, -3.72207876035701323847e-01, 3.18346619901161753674e-01,
    -1.10894694282396677476e-01, 3.54783043256182359371e-02, -2.16637559486879084300e-03,
)  # fmt: skip
ERF_MIDDLE_BELOW = (
    1.0, 1.06420880400844228286e-01, 5.40397917702171048937e-01, 7.18286544141962662868e-02,
    1.26171219808761642112e-01, 1.36370839120290507362e-02, 1.19844998467991074170e-02,
)  # fmt: skip
ERFC_NEAR = (
    -9.86494403484714822705e-03, -6.93858572707181764372e-01, -1.05586262253232909814e01, -6.23753324503260060396e01,
    -1.62396669462573470355e02, -1.84605092906711035994e02, -8.12874355063065934246e01, -9.81432934416914548592e00,
)  # fmt: skip
ERFC_NEAR_BELOW = (
    1.0, 1.96512716674392571292e01, 1.37657754143519042600e02, 4.34565877475229228821e02, 6.45387271733267880336e02,
    4.29008140027567833386e02, 1.08635005541779435134e02, 6.57024977031928170135e00, -6.04244152148580987438e-02,
)  # fmt: skip
ERFC_FAR = (
    -9.86494292470009928597e-03, -7.99283237680523006574e-01, -1.77579549177547519889e01, -1.60636384855821916062e02,
    -6.37566443368389627722e02, -1.02509513161107724954e03, -4.83519191608651397019e02,
)  # fmt: skip
ERFC_FAR_BELOW = (
    1.0, 3.03380607434824582924e01, 3.25792512996573918826e02, 1.53672958608443695994e03, 3.19985821950859553908e03,
    2.55305040643316442583e03, 4.74528541206955367215e02, -2.24409524465858183362e01,
)  # fmt: skip
LOG2 = (
    5.99999999999994648725e-01, 4.28571428578550184252e-01, 3.33333329818377432918e-01, 2.72728123808534006489e-01,
    2.30660745775561754067e-01, 2.06975017800338417784e-01,
)  # fmt: skip


@device
def scaled(x, k):  # type: ignore[no-untyped-def]
    """x 2^k, rounded once, for |k| <= 2044."""
    half = k >> np.int64(1)
    first = np.int64((half + np.int64(1023)) << np.int64(52)).view(np.float64)
    return (x * first) * np.int64((k - half + np.int64(1023)) << np.int64(52)).view(np.float64)


@device
def exp_parts(x):  # type: ignore[no-untyped-def]
    """(e, k) with exp x = (1 + e) 2^k, |e| < 0.42."""
    nearest = x * INVERSE_LN2 + ROUND
    k = nearest - ROUND
    return exp_rest(x - k * LN2_HIGH, k * LN2_LOW), np.float64(nearest).view(np.int64) - ROUND_BITS


@device
def exp(x):  # type: ignore[no-untyped-def]
    """exp x, within 1 ulp."""
    inside = 710.0 if x > 710.0 else (-746.0 if x < -746.0 else x)
    e, k = exp_parts(inside)
    return scaled(1.0 + e, k)


@device
def expm1(x):  # type: ignore[no-untyped-def]
    """exp x - 1, within 2 ulp."""
    inside = -60.0 if x < -60.0 else (710.0 if x > 710.0 else x)
    e, k = exp_parts(inside)
    return scaled(e, k) + (scaled(1.0, k) - 1.0)


@device
def log(x):  # type: ignore[no-untyped-def]
    """log x, within 1 ulp; NaN for negative x."""
    tiny = x < SMALLEST
    value = portable.log(x * 2.0**54 if tiny else x) - (LOG_TINY if tiny else 0.0)
    outside = (-math.inf if x == 0.0 else math.nan) if x <= 0.0 else x + math.inf
    return value if 0.0 < x < math.inf else outside


@device
def sine_parts(x):  # type: ignore[no-untyped-def]
    """(sin r, cos r, q) of the remainder r of x after q quarter turns, |r| <= π/4. The second bit of q is the sign."""
    nearest = x * 6.36619772367581382433e-01 + ROUND
    q = nearest - ROUND
    a = x - q * 1.57079632673412561417e00
    w = q * 6.07710050630396597660e-11
    b = a - w
    rest = ((a - b) - w) - q * 2.02226624879595063154e-21
    r = b + rest
    y = (b - r) + rest
    z = r * r
    v = z * r
    s, c = polynomial(z, SINE), z * polynomial(z, COSINE)
    sine = r - ((z * (0.5 * y - v * s) - y) - v * THIRD)
    half = 0.5 * z
    w = 1.0 - half
    cosine = w + (((1.0 - w) - half) + (z * c - r * y))
    return sine, cosine, np.float64(nearest).view(np.uint64)


@device
def sin(x):  # type: ignore[no-untyped-def]
    """sin x, within 1 ulp for |x| <= 10⁶; from there to 10¹⁵ with an absolute error below 10⁻¹⁶ |x|/10⁶ + 10⁻¹⁶."""
    s, c, q = sine_parts(x)
    return flipped(c if q & ONE else s, (q & TWO) << HIGHEST)


@device
def cos(x):  # type: ignore[no-untyped-def]
    """cos x, as :func:`sin`."""
    s, c, q = sine_parts(x)
    return flipped(s if q & ONE else c, ((q + ONE) & TWO) << HIGHEST)


@device
def tan(x):  # type: ignore[no-untyped-def]
    """tan x, within 3 ulp for |x| <= 10⁶."""
    s, c, q = sine_parts(x)
    odd = q & ONE
    return (-c if odd else s) / (s if odd else c)


@device
def sinh(x):  # type: ignore[no-untyped-def]
    """sinh x, within 3 ulp for |x| <= 709."""
    e = expm1(abs(x))
    half = 0.5 * (e + (e / (e + 1.0) if e < 1e17 else 1.0))
    return half if x >= 0.0 else -half


@device
def cosh(x):  # type: ignore[no-untyped-def]
    """cosh x, within 2 ulp for |x| <= 709."""
    half = 0.5 * exp(abs(x))
    return half + 0.25 / half


@device
def tanh(x):  # type: ignore[no-untyped-def]
    """tanh x, within 3 ulp."""
    size = abs(x)
    e = expm1(2.0 * (22.0 if size > 22.0 else size))
    value = e / (e + 2.0)
    return value if x >= 0.0 else -value


@device
def _at(values, low, middle, high, far):  # type: ignore[no-untyped-def]
    return values[0] if low else values[1] if middle else values[2] if high else values[3] if far else values[4]


@device
def arctan(x):  # type: ignore[no-untyped-def]
    """arctan x, within 1 ulp: arctan a = arctan c + arctan((a - c)/(1 + a c)) for c = 0, ½, 1, 3/2, ∞."""
    a = abs(x)
    low, middle, high, far = a < 0.4375, a < 0.6875, a < 1.1875, a < 2.4375
    above = a if low else (2.0 * a - 1.0 if middle else (a - 1.0 if high else (a - 1.5 if far else -1.0)))
    below = 1.0 if low else (2.0 + a if middle else (a + 1.0 if high else (1.0 + 1.5 * a if far else a)))
    value, rest = _at(ARCTAN, low, middle, high, far), _at(ARCTAN_REST, low, middle, high, far)
    v = above / below
    z = v * v
    w = z * z
    odd, even = z * polynomial(w, ARCTAN_ODD), w * polynomial(w, ARCTAN_EVEN)
    size = value - ((v * (odd + even) - rest) - v)
    return size if x >= 0.0 else -size


@device
def erf_small(x):  # type: ignore[no-untyped-def]
    """(erf x - x)/x for |x| < 0.84375."""
    z = x * x
    return polynomial(z, ERF_SMALL) / polynomial(z, ERF_SMALL_BELOW)


@device
def erf_middle(a):  # type: ignore[no-untyped-def]
    """erf a - ERF_ONE for 0.84375 <= a < 1.25."""
    s = a - 1.0
    return polynomial(s, ERF_MIDDLE) / polynomial(s, ERF_MIDDLE_BELOW)


@device
def erfc_large(a):  # type: ignore[no-untyped-def]
    """1 - erf a for a >= 1.25."""
    s = 1.0 / (a * a)
    near = a < 1.0 / 0.35
    p_near = polynomial(s, ERFC_NEAR)
    q_near = polynomial(s, ERFC_NEAR_BELOW)
    p_far = polynomial(s, ERFC_FAR)
    q_far = polynomial(s, ERFC_FAR_BELOW)
    ratio = (p_near if near else p_far) / (q_near if near else q_far)
    head = high_part(a)  # whose square is exact
    return exp(-head * head - 0.5625) * exp((head - a) * (head + a) + ratio) / a


@device
def erf(x):  # type: ignore[no-untyped-def]
    """erf x, within 1 ulp."""
    a = abs(x)
    b = 1.25 if a < 1.25 else (6.0 if a > 6.0 else a)
    large = ERF_ONE + erf_middle(a) if a < 1.25 else 1.0 - erfc_large(b)
    return x + x * erf_small(x) if a < 0.84375 else (large if x >= 0.0 else -large)


@device
def erfc(x):  # type: ignore[no-untyped-def]
    """erfc x = 1 - erf x without cancellation, within 3 ulp."""
    a = abs(x)
    b = 1.25 if a < 1.25 else (28.0 if a > 28.0 else a)
    large = (1.0 - ERF_ONE) - erf_middle(a) if a < 1.25 else erfc_large(b)
    y = erf_small(x)
    small = 1.0 - (x + x * y) if x < 0.25 else 0.5 - ((x - 0.5) + x * y)
    return small if a < 0.84375 else (large if x >= 0.0 else 2.0 - large)


@device
def high_part(x):  # type: ignore[no-untyped-def]
    """x without the low half of its bits: products of two such numbers are exact."""
    return np.int64(np.float64(x).view(np.int64) & np.int64(-4294967296)).view(np.float64)


@device
def log2_parts(x):  # type: ignore[no-untyped-def]
    """log2 of a positive normal x as a sum of two numbers, the first with few digits."""
    bits = np.float64(x).view(np.int64)
    mantissa = bits & np.int64(0x000FFFFFFFFFFFFF)
    small, large = mantissa <= np.int64(0x3988EFFFFFFFF), mantissa >= np.int64(0xBB67A00000000)
    n = np.float64(np.int32((bits >> np.int64(52)) - np.int64(1023))) + (1.0 if large else 0.0)
    one = np.int64(0x3FE0000000000000) if large else np.int64(0x3FF0000000000000)
    a = np.int64(mantissa | one).view(np.float64)
    middle = not (small or large)
    base = 1.5 if middle else 1.0
    u, v = a - base, 1.0 / (a + base)
    ss = u * v
    s_high = high_part(ss)
    t_high = high_part(a + base)
    t_low = a - (t_high - base)
    s_low = v * ((u - s_high * t_high) - s_high * t_low)
    s2 = ss * ss
    r = s2 * s2 * polynomial(s2, LOG2)
    r += s_low * (s_high + ss)
    s2 = s_high * s_high
    t_high = high_part(3.0 + s2 + r)
    t_low = r - ((t_high - 3.0) - s2)
    u, v = s_high * t_high, s_low * t_high + t_low * ss
    p_high = high_part(u + v)
    p_low = v - (p_high - u)
    z_high = 9.61796700954437255859e-01 * p_high
    shift_high = 5.84962487220764160156e-01 if middle else 0.0
    shift_low = 1.35003920212974897128e-08 if middle else 0.0
    z_low = -7.02846165095275826516e-09 * p_high + p_low * 9.61796693925975554329e-01 + shift_low
    t1 = high_part(((z_high + z_low) + shift_high) + n)
    return t1, z_low - (((t1 - n) - shift_high) - z_high)


@device
def power_of_positive(x, y):  # type: ignore[no-untyped-def]
    """x^y of a positive normal x."""
    t1, t2 = log2_parts(x)
    y1 = high_part(y)
    p_low, p_high = (y - y1) * t1 + y * t2, y1 * t1
    z = p_low + p_high
    over, under = z > 1025.0, z < -1080.0
    p_low, p_high = (0.0, 1025.0 if over else -1080.0) if over or under else (p_low, p_high)
    nearest = (p_low + p_high) + ROUND
    p_high -= nearest - ROUND
    t = high_part(p_low + p_high)
    u = t * 6.93147182464599609375e-01
    v = (p_low - (t - p_high)) * 6.93147180559945286227e-01 + t * -1.90465429995776804525e-09
    z = u + v
    w = v - (z - u)
    t = z * z
    t1 = z - t * polynomial(t, EXP)
    r = (z * t1) / (t1 - 2.0) - (w + z * w)
    return scaled(1.0 - (r - z), np.float64(nearest).view(np.int64) - ROUND_BITS)


@device
def power(x, y):  # type: ignore[no-untyped-def]
    """x^y, within 1 ulp; NaN for a negative x where y is not whole, as ``np.power``."""
    size = abs(x)
    ordinary = SMALLEST <= size < math.inf and abs(y) < 1e300
    value = power_of_positive(size if ordinary else 1.0, y if ordinary else 1.0)
    tiny = 0.0 < size < SMALLEST
    value = power_of_positive(size * 2.0**54 if tiny else 1.0, y) * power_of_positive(2.0, -54.0 * y) if tiny else value
    if not ordinary and not tiny:
        grows = (size > 1.0) == (y > 0.0)
        value = math.inf if grows else 0.0
        value = 1.0 if size == 1.0 else value
        value = math.nan if math.isnan(size) or math.isnan(y) else value
    nearest = np.float64(np.int64(y)) if abs(y) < 2.0**62 else y
    odd = abs(y) < 2.0**53 and nearest == y and (np.int64(y) & np.int64(1)) != np.int64(0)
    value = (-value if odd else value) if x < 0.0 and nearest == y else (math.nan if x < 0.0 else value)
    return 1.0 if y == 0.0 else value


@device
def sign(x):  # type: ignore[no-untyped-def]
    """1, 0 or -1."""
    return np.float64(x > 0.0) - np.float64(x < 0.0)


@device
def heaviside(x):  # type: ignore[no-untyped-def]
    """1 from 0 on, else 0."""
    return np.float64(x >= 0.0)
