"""The exact law of a sum of n independent lattice steps: the coefficients of the n-th power of a generating polynomial.

One FFT on the unit circle gives every coefficient with an *absolute* error near 1e-16, so no digit of a tail survives. Here
the circle is moved to several radii y = exp(θ) (exponential tilting, the saddle-point contour): with
M(y) = Σ_j p_j y^j and the tilted step law p_j y^j / M(y),

    P(S_n = k) = M(y)ⁿ y^(-k) · P_y(S_n = k),

and P_y is of the order of its maximum within a few tilted standard deviations of its tilted mean. Each k takes its value from
the radius that serves it best. What keeps the digits through a power of 10⁷ is said where it is done.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.arguments import finite_numbers, number, numbers
from ..inputs.memory import require
from ..inputs.wording import shown

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

EPS = float(np.finfo(np.float64).eps)
DIRECT = 2048  # longest support of the sum that is convolved directly; its relative error is below 4 n EPS
SPACING = 5.0  # tilted standard deviations between the means of two tilts: half of it costs a factor exp(2.5²/2) = 23
WANTED = 1e-12  # relative error estimate above which a site is tried once more, with the mean at that site
MORE_TILTS = 32  # about how many such sites at most
RESOLVED = 1e-3  # relative error estimate above which a tilt says nothing about a site
BYTES = 64.0  # a site, for its probability, its error and the transforms
NEGLIGIBLE = 1e-30  # where the sum over the number of rare steps is cut


@dataclass(frozen=True)
class StepLaw:
    """The law of one step on the integers: displacement ``first + j`` has probability ``probabilities[j]``.

    Parameters
    ----------
    first : int
        Smallest displacement, in lattice spacings.
    probabilities : tuple of float
        Probabilities of first, first + 1, ...: not negative, with sum 1 to within 16 ulp. The floats are taken as exact and
        divided by their exact sum, so that no rounding of the sum is raised to the n-th power.

    Raises
    ------
    ValueError
        if the probabilities are not ones; the message has the value and its place.

    Examples
    --------
    >>> law = StepLaw(first=-1, probabilities=(0.25, 0.5, 0.25))
    >>> first, pmf = law.power(2)
    >>> first, [round(float(p), 12) for p in pmf]
    (-2, [0.0625, 0.25, 0.375, 0.25, 0.0625])
    """

    first: int
    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "first", _whole("first", self.first))
        given = numbers("probabilities", self.probabilities)
        if given.ndim != 1:
            raise ValueError(f"probabilities = {shown(self.probabilities)}: give a list of numbers")
        object.__setattr__(self, "probabilities", tuple(given.tolist()))
        for j, p in enumerate(self.probabilities):
            if not (math.isfinite(p) and p >= 0.0):
                raise ValueError(f"probability of the displacement {self.first + j} = {p:.6g}: must be a number ≥ 0")
        total = math.fsum(self.probabilities)
        if abs(total - 1.0) > 16.0 * EPS:
            raise ValueError(f"the probabilities sum to {total:.17g}: must be 1; divide them by their sum")

    @property
    def mean(self) -> float:
        """Mean displacement of a step, in lattice spacings."""
        return self.first + math.fsum(j * p for j, p in enumerate(self.probabilities)) / math.fsum(self.probabilities)

    @property
    def variance(self) -> float:
        """Variance of a step (second cumulant), in squared lattice spacings."""
        return self._central_moment(2)

    @property
    def third_cumulant(self) -> float:
        """Third cumulant of a step, μ₃."""
        return self._central_moment(3)

    @property
    def fourth_cumulant(self) -> float:
        """Fourth cumulant of a step, μ₄ - 3 μ₂²."""
        return self._central_moment(4) - 3.0 * self.variance**2

    def _central_moment(self, order: int) -> float:
        total, centre = math.fsum(self.probabilities), self.mean - self.first
        return math.fsum(p * (j - centre) ** order for j, p in enumerate(self.probabilities)) / total

    def generating_function(self, z: ArrayLike) -> NDArray[np.complex128]:
        """Σ_k P(k) z^k at complex z ≠ 0 (any shape)."""
        given = np.asarray(z)
        if given.dtype.kind not in "iufc":
            raise TypeError(f"z = {shown(z)}: must be a complex number or complex numbers")
        z = given.astype(np.complex128)
        if not np.isfinite(z).all() or (z == 0).any():
            raise ValueError(f"z = {shown(given)}: must be finite and not 0")
        return np.asarray(np.polynomial.polynomial.polyval(z, np.array(self.probabilities)) * z**self.first)

    def characteristic_function(self, omega: ArrayLike) -> NDArray[np.complex128]:
        """Σ_k P(k) exp(iωk) at real ω (radians per lattice spacing, any shape)."""
        return self.generating_function(np.exp(1j * finite_numbers("omega", omega)))

    def window(self, n: int, mass: float = 1e-18) -> tuple[int, int]:
        """Displacements (low, high) outside of which the sum of `n` steps has a probability below `mass`.

        A Chernoff bound on either side, P(S ≥ k) ≤ exp(n K(θ) - θk) for every θ > 0, with K the cumulant generating function
        of a step: rigorous, and cheap for any `n`.

        Raises
        ------
        ValueError
            if `n` is negative or `mass` is not in (0, 1).
        """
        n = _checked(n, "mass", mass)
        lattice = _Lattice.of(self)
        low, high = lattice.window(n, mass)
        return n * lattice.lowest + low * lattice.span, n * lattice.lowest + high * lattice.span

    def power(self, n: int, smallest: float = 1e-300) -> tuple[int, Floats]:
        """The law of the sum of `n` independent steps, over the contiguous range where it exceeds `smallest`.

        Returns the first displacement of the range and the probabilities from there on, with a relative error below 1e-10 for
        `n` up to 10⁷; displacements that no sum of steps reaches have exactly 0. The work grows as √n log n. A law with gaps
        that are wider than the spread of the sum over its other steps (a residue class far out in *its* tail) is resolved
        there to 1e-12 of its neighbourhood; what is below comes as 0.

        Raises
        ------
        ValueError
            if `n` is negative or `smallest` is not in [1e-300, 1).
        """
        n = _checked(n, "smallest", smallest)
        if smallest < 1e-300:
            raise ValueError(f"smallest = {smallest:g}: must be ≥ 1e-300, where numbers still have all their digits")
        lattice = _Lattice.of(self)
        low, pmf = lattice.power(n, smallest)
        kept = np.flatnonzero(pmf > smallest)
        if not kept.size:
            return n * lattice.lowest + low * lattice.span, np.zeros(0)
        pmf = pmf[kept[0] : kept[-1] + 1]
        sites = np.zeros((pmf.size - 1) * lattice.span + 1)
        sites[:: lattice.span] = pmf
        return n * lattice.lowest + (low + int(kept[0])) * lattice.span, sites


def _whole(name: str, value: object) -> int:
    """A whole number of any size."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} = {shown(value)}: must be a whole number")
    return int(value)  # of 32 or 64 bits it would overflow in the products below


def _checked(n: int, name: str, value: float) -> int:
    n = _whole("n", n)
    if n < 0:
        raise ValueError(f"n = {n}: must be a number of steps ≥ 0")
    if not 0.0 < number(name, value) < 1.0:
        raise ValueError(f"{name} = {value:g}: must be a probability between 0 and 1")
    return n


@dataclass(frozen=True)
class _Lattice:
    """A step law in lattice coordinates: the step is lowest + span * j, with weight weights[j], and span is the largest."""

    lowest: int
    span: int
    weights: Floats

    @classmethod
    def of(cls, law: StepLaw) -> _Lattice:
        weights = np.array(law.probabilities)
        atoms = np.flatnonzero(weights)
        span = int(np.gcd.reduce(atoms - atoms[0])) or 1
        return cls(law.first + int(atoms[0]), span, weights[atoms[0] : atoms[-1] + 1 : span])

    @property
    def width(self) -> int:
        return self.weights.size - 1

    def reversed(self) -> _Lattice:
        return _Lattice(self.lowest, self.span, self.weights[::-1])

    def moments(self, theta: float) -> tuple[float, float, float]:
        """K(θ) - θ·mean, and the mean and the variance of the step tilted by exp(θ j)."""
        j = np.arange(self.weights.size)
        p = self.weights / self.weights.sum()
        d = theta * (j - p @ j)
        top = float(d.max())
        # exp(d) - 1 - d keeps the digits of a small θ, for which K(θ) - θ·mean is of order θ²
        excess = math.log1p(float(p @ (np.expm1(d) - d))) if top < 1.0 else top + math.log(float(p @ np.exp(d - top)))
        tilted = p * np.exp(d - top)
        tilted /= tilted.sum()
        mean = float(tilted @ j)
        return excess, mean, float(tilted @ (j - mean) ** 2)

    def window(self, n: int, mass: float) -> tuple[int, int]:
        return n * self.width - self.reversed().highest(n, mass), self.highest(n, mass)

    def highest(self, n: int, mass: float) -> int:
        """A site that the sum exceeds with a probability below half of `mass`."""
        if n == 0 or self.width == 0:
            return 0
        exponent = math.log(2.0 / mass) + 1e-6  # covers the rounding of n K(θ) up to n = 2³²
        mean, variance = self.moments(0.0)[1:]

        def bound(log_theta: float) -> float:
            return (n * self.moments(math.exp(log_theta))[0] + exponent) / math.exp(log_theta)

        guess = 0.5 * math.log(2.0 * exponent / (n * variance))  # the minimum for a normal law; a Poisson one is lower
        from scipy import optimize  # here, because importing it takes long

        best = optimize.minimize_scalar(bound, bounds=(min(guess, 0.0) - 5.0, max(guess, 0.0) + 5.0), method="bounded")
        return min(n * self.width, math.ceil(n * mean + best.fun) + 1)

    def power(self, n: int, smallest: float) -> tuple[int, Floats]:
        """First site and probabilities of the sum of n steps, at least where they exceed `smallest`."""
        if n * self.width <= DIRECT:
            return 0, _direct_power(self.weights / math.fsum(self.weights), n)
        low, high = self.window(n, smallest)
        require(
            BYTES * float(high - low + 1),
            f"the law of a sum of n = {n:.6g} steps",
            "take fewer steps, or a larger `smallest`",
        )
        pmf = np.zeros(high - low + 1)
        best = np.full(pmf.size, RESOLVED)

        def improve(theta: float) -> None:
            first, values, errors = self.tilted_power(n, math.exp(theta), low, high)
            at = slice(first - low, first - low + values.size)
            better = errors < best[at]
            pmf[at][better], best[at][better] = values[better], errors[better]

        down = self.reversed()
        for theta in (0.0, *self.tilts(n, high), *(-theta for theta in down.tilts(n, n * self.width - low))):
            improve(theta)
        left = np.flatnonzero(best > WANTED)  # where the law has a kink, or is 0
        for i in left[:: left.size // MORE_TILTS + 1]:
            if best[i] > WANTED:
                improve(self.tilt(n, low + i) or -down.tilt(n, n * self.width - low - i))
        return low, pmf

    def tilts(self, n: int, high: int) -> Iterator[float]:
        """Values θ > 0 whose tilted means are SPACING standard deviations apart, until they reach `high`."""
        theta, site, last = 0.0, n * self.moments(0.0)[1], min(high, n * self.width - 0.25)
        while site < last:
            site = min(site + max(1.0, SPACING * math.sqrt(n * self.moments(theta)[2])), last)
            theta = self.tilt(n, site)
            yield theta

    def tilt(self, n: int, site: float) -> float:
        """The θ ≥ 0 whose tilted law of the sum has its mean at `site`, or 0 where only a θ < 0 has."""
        mean = min(site, n * self.width - 0.25) / n  # the very edge is the limit θ → ∞
        if self.moments(0.0)[1] >= mean:
            return 0.0
        above = 1.0
        while self.moments(above)[1] < mean:
            above *= 2.0
        from scipy import optimize

        return float(optimize.brentq(lambda theta: self.moments(theta)[1] - mean, 0.0, above, rtol=1e-6))

    def tilted_power(self, n: int, y: float, low: int, high: int) -> tuple[int, Floats, Floats]:
        """First site, probabilities, and estimates of their relative errors, as one radius y gives them in [low, high]."""
        # n ln M(y) - k ln y reaches ±10⁹ and must be right to 1e-12: decimal arithmetic, for one k; y is a float, thus exact
        with localcontext() as context:
            context.prec = 60
            radius = Decimal(y)
            atoms = np.flatnonzero(self.weights)
            terms = [Decimal(float(self.weights[j])) * radius ** int(j) for j in atoms]
            total = sum(terms, Decimal(0))
            dominant = int(atoms[max(range(atoms.size), key=terms.__getitem__)])
            probabilities = np.array([float(term / total) for term in terms])
            first, values, errors = _mixture_power(atoms - dominant, probabilities, n)
            first += n * dominant
            centre = first + int(np.argmax(values))
            mass = sum((Decimal(float(w)) for w in self.weights), Decimal(0))
            # 2¹²⁸ keeps it clear of the subnormal numbers
            factor = float((n * (total / mass).ln() - centre * radius.ln()).exp() * 2**128)
        cut = slice(max(low - first, 0), max(high - first + 1, 0))
        first, values, errors = first + cut.start, values[cut], errors[cut]
        relative = np.divide(errors, values, out=np.full(values.size, np.inf), where=values > 0.0)
        good = relative < RESOLVED
        away = centre - first - np.arange(values.size)[good]
        half = away // 2  # y^away alone may overflow
        values[good] = (values[good] * y**half) * (factor * y ** (away - half)) * 2.0**-128
        return first, values, relative


def _direct_power(p: Floats, n: int) -> Floats:
    """Repeated squaring; sums of products of nonnegative numbers lose no digits."""
    result, square = np.ones(1), p
    while n:
        if n & 1:
            result = np.convolve(result, square)
        n >>= 1
        if n:
            square = np.convolve(square, square)
    return result


def _mixture_power(steps: Integers, p: Floats, n: int) -> tuple[int, Floats, Floats]:
    """First site, probabilities and absolute errors of a sum of n steps, one of which is 0 and the most probable.

    A step that alone joins two residue classes, and is expected less than once in n steps, makes neighbouring sites differ by
    orders of magnitude, which no single transform resolves. Such rare steps are counted:
    Σ_m C(n,m) εᵐ(1-ε)ⁿ⁻ᵐ (common steps)ⁿ⁻ᵐ * (rare steps)ᵐ, a sum of nonnegative terms.
    """
    order = np.argsort(-p, kind="stable")
    steps, p = steps[order], p[order]
    common, span = 1, 0
    while common < steps.size and (n * p[common] >= 1.0 or (span and steps[common] % span == 0)):
        span = math.gcd(span, int(steps[common]))
        common += 1
    rare = float(p[common:].sum())
    lowest = int(steps[common:].min(initial=0))
    rare_law = np.bincount(steps[common:] - lowest, p[common:] / rare) if rare else np.ones(1)
    weights = _binomial_weights(n, rare, int(np.ptp(steps)))  # so many rare steps reach every residue class
    parts: list[tuple[int, Floats]] = []
    rare_power = np.ones(1)
    for m, (centre, values) in enumerate(_bulk_powers(steps[:common], p[:common] / (1.0 - rare), n, len(weights))):
        noise = np.full(values.size, 4.0 * EPS * values.max()) if span else np.zeros(1)
        # the outer quarters are the images of each other
        noise[: values.size // 4] = noise[values.size - values.size // 4 :] = values.max()
        rows = [weights[m] * np.convolve(_spread(row, span), rare_power) for row in (values, noise)]
        parts.append((centre - span * (values.size // 2) + m * lowest, np.stack(rows)))
        rare_power = np.convolve(rare_power, rare_law)
    first = min(start for start, _ in parts)
    result = np.zeros((2, max(start + part.shape[1] for start, part in parts) - first))
    result[1] = weights[-1] if rare else 0.0  # more than what was cut
    for start, part in parts:
        result[:, start - first : start - first + part.shape[1]] += part
    return first, result[0], result[1]


def _binomial_weights(n: int, p: float, needed: int) -> list[float]:
    """C(n,m) pᵐ (1-p)ⁿ⁻ᵐ for m = 0, 1, ... until they are negligible beside the one of m = `needed` (≥ n p)."""
    weights = [math.exp(n * math.log1p(-p))]
    for m in range(n):
        following = weights[m] * (n - m) * p / ((m + 1) * (1.0 - p))
        if following <= (NEGLIGIBLE * weights[needed] if m >= needed else 0.0):
            break
        weights.append(following)
    return weights


def _spread(values: Floats, span: int) -> Floats:
    """The values on every `span`-th site."""
    if span < 2:
        return values
    sites = np.zeros(span * (values.size - 1) + 1)
    sites[::span] = values
    return sites


def _bulk_powers(steps: Integers, p: Floats, n: int, count: int) -> Iterator[tuple[int, Floats]]:
    """The sums of n, n - 1, ... (`count` of them) steps, the first of which is 0: a site c, and the probabilities of the
    sites c + (i - N/2) * gcd(steps), i = 0 … N-1, with an absolute error of a few ulp of the largest.

    With α_j = ω·step_j modulo 2π, in (-π, π], ᾱ = Σ p_j α_j and N_j = round(n p_j), the transform about c = Σ N_j·step_j is

        φ(ω)ⁿ exp(-iωc) = exp[n log(φ exp(-iᾱ)) + i Σ_j (n p_j - N_j) α_j],
        φ exp(-iᾱ) - 1 = Σ_j p_j (-2 sin²(β_j/2) + i (sin β_j - β_j)),   β_j = α_j - ᾱ.

    Nothing of size n is rounded, neither near ω = 0 nor near other frequencies where |φ| comes close to 1.
    """
    if steps.size == 1:
        yield from ((0, np.ones(1)) for _ in range(count))
        return
    span = int(np.gcd.reduce(steps))
    moved, p, stay = steps[1:] // span, p[1:], float(p[0])
    spread = math.sqrt(n * (float(p @ moved**2) - float(p @ moved) ** 2))
    # the image of a site 3 deviations from the mean is 11 away, and more where the law is still like that of a few jumps
    from scipy import fft  # here, because importing it takes long

    size = fft.next_fast_len(2 * math.ceil(7.0 * spread + 15.0 * np.ptp(steps // span)))
    size += size % 2
    line = np.arange(size // 2 + 1)
    alpha = [(2.0 * math.pi / size) * ((line * int(j) + size // 2) % size - size // 2) for j in moved]
    centre = sum(q * a for q, a in zip(p, alpha, strict=True))
    real, imaginary = -2.0 * stay * np.sin(0.5 * centre) ** 2, stay * _sin_excess(-centre)
    for q, a in zip(p, alpha, strict=True):
        real -= 2.0 * q * np.sin(0.5 * (a - centre)) ** 2
        imaginary += q * _sin_excess(a - centre)
    with np.errstate(divide="ignore"):  # φ = 0
        log_modulus = 0.5 * np.log1p(np.maximum(real * (2.0 + real) + imaginary**2, -1.0))
    argument = np.arctan2(imaginary, 1.0 + real)
    for k in range(n, n - count, -1):
        whole = np.rint(k * p)
        phase = k * argument + sum(f * a for f, a in zip(k * p - whole, alpha, strict=True))
        transform = np.exp(k * log_modulus) * np.exp(-1j * phase)
        yield span * int(whole @ moved), np.roll(fft.irfft(transform, size), size // 2)


def _sin_excess(x: Floats) -> Floats:
    """sin x - x without cancellation."""
    square = x * x
    series = np.ones_like(x)
    for k in range(17, 3, -2):
        series = 1.0 - series * square / (k * (k - 1))
    return np.where(square < 1.0, -x * square / 6.0 * series, np.sin(x) - x)
