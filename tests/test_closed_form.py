"""Closed forms against high-precision references written naively here, and against identities and published results."""

from __future__ import annotations

import math
from typing import Any

import matplotlib
import mpmath as mp
import numpy as np
import pytest
from scipy import integrate

import randwalk as rw
from randwalk.model.domain import Domain, Wall
from randwalk.pde.closed_form import ClosedForm, NoClosedForm, closed_form
from randwalk.pde.equation import FokkerPlanck
from randwalk.pde.forms.green import deficit, erfcx_slope

A, R, P = rw.Absorbing(), rw.Reflecting(), rw.PartiallyAbsorbing(0.7)
D = 0.5
Y = 0.3

# What the ClosedForm promises: 1e-12 of the largest value over x. Where the inputs are doubles, a peak of width sd moves by
# 1e-16/sd of itself, and exponents near -αL = -5000 have an ulp of 1e-12, so no tighter figure would hold at Péclet 1e4.
PROMISE = 1e-12
# Sums of about a thousand rounded terms of order 1: 1000 × 1.1e-16, taken ten times for the exponents.
ROUNDING = 1e-12

BOTH_WALLS: list[tuple[Wall | None, Wall | None]] = [(left, right) for left in (A, R, P) for right in (A, R, P)]
ONE_WALL: list[tuple[Wall | None, Wall | None]] = [(A, None), (R, None), (P, None), (None, A), (None, R), (None, P)]


def domain_of(left: Wall | None, right: Wall | None) -> rw.Interval:
    return rw.Interval(0.0 if left else -math.inf, 1.0 if right else math.inf, left, right)


def reactivity(wall: Wall) -> Any:
    return {A: mp.inf, R: mp.mpf(0)}.get(wall, mp.mpf("0.7"))


def form_of(
    left: Wall | None, right: Wall | None, peclet: float = 0.0, start: Any = Y, killing: float = 0.0
) -> ClosedForm:
    return closed_form(FokkerPlanck(peclet * D, D, domain=domain_of(left, right), start=start, killing=killing))


def naive(
    left: Wall | None, right: Wall | None, a: float, t: float, xs: list[float], split: float, kappa: float = 0.0
) -> tuple[list[float], float, float]:
    """(ρ at `xs`, the mass above `split`, the outflow at the left or else right wall), by Laplace inversion in mpmath.

    ρ̂ is a free part and one exponential a wall, with the coefficients solved from the walls' conditions as they are stated:
    outflow = reactivity × ρ, or ρ = 0. The inversion is a trapezoidal rule on a line to the right of everything, at as many
    digits as it loses there.
    """
    alpha, low, high = abs(a) / (2 * D), 0.0 if left else -math.inf, 1.0 if right else math.inf
    root = math.sqrt(D * t)
    saddles = [abs(x - Y) / (2 * D * t) for x in [*xs, split]]
    line = max(alpha, *saddles) + 1 / root
    keep = 22 + D * t * (max(line - v for v in saddles) ** 2 + 10.0) / 2.3  # 10 > π²: survivors between absorbing walls
    with mp.workdps(int(keep) + 25):
        half, d = mp.mpf(a) / (2 * D), mp.mpf(D)
        step = 2 * mp.pi / (2.3 * keep)
        sums = [mp.mpf(0)] * (len(xs) + 2)
        for j in range(int(math.sqrt(2.3 * keep) / float(step)) + 2):
            p = mp.mpc(line, j * step / mp.sqrt(d * t))
            up, down, free = half + p, half - p, 1 / (2 * d * p)
            # (coefficient, exponent, reference point) of every exponential; the walls' coefficients follow
            shapes = [s for s in ((down, low), (up, high)) if math.isfinite(s[1])]
            conditions, sources = [], []
            for wall, end, sign in ((left, low, -1), (right, high, 1)):
                if wall is None:
                    continue
                k = reactivity(wall)

                def condition(value: Any, slope: Any, k: Any = k, sign: int = sign) -> Any:
                    return value if k == mp.inf else sign * (a * value - d * slope) - k * value

                there = [mp.exp(r * (mp.mpf(end) - ref)) for r, ref in shapes]
                conditions.append([condition(v, r * v) for v, (r, _) in zip(there, shapes, strict=True)])
                r = up if end < Y else down
                v = free * mp.exp(r * (mp.mpf(end) - mp.mpf(Y)))
                sources.append(-condition(v, r * v))
            if len(sources) == 2:
                (b, c), (e, f) = conditions
                det = b * f - c * e
                solved = [(sources[0] * f - c * sources[1]) / det, (b * sources[1] - e * sources[0]) / det]
            else:
                solved = [sources[0] / conditions[0][0]]
            walls = [(c, r, ref) for c, (r, ref) in zip(solved, shapes, strict=True)]

            def terms(x: float, up: Any = up, down: Any = down, free: Any = free, walls: Any = walls) -> list[Any]:
                return [(free, up if x < Y else down, Y), *walls]

            def density(x: float) -> Any:
                return sum(c * mp.exp(r * (mp.mpf(x) - ref)) for c, r, ref in terms(x))

            values = [density(x) for x in xs]
            pieces = [(split, max(split, Y)), (max(split, Y), high)]
            mass = mp.mpf(0)
            for u, v in pieces:
                if u < v:
                    for c, r, ref in terms(0.5 * (u + min(v, u + 1.0))):
                        top = mp.mpf(0) if math.isinf(v) else mp.exp(r * (mp.mpf(v) - ref))
                        mass += c * (top - mp.exp(r * (mp.mpf(u) - ref))) / r
            end, sign = (low, -1) if left else (high, 1)
            out = sign * sum((a - d * r) * c * mp.exp(r * (mp.mpf(end) - ref)) for c, r, ref in terms(end))
            weight = mp.exp(d * t * (p * p - half * half) - kappa * mp.mpf(t)) * 2 * d * p * (0.5 if j == 0 else 1)
            sums = [s + (weight * v).real for s, v in zip(sums, [*values, mass, out], strict=True)]
        scaled = [float(s * step / mp.pi / mp.sqrt(d * t)) for s in sums]
    return scaled[:-2], scaled[-2], scaled[-1]


@pytest.mark.parametrize(
    ("peclet", "tau"), [(0.0, 1e-6), (-10.0, 0.02), (100.0, 5e-3), (-1000.0, 3e-4), (3.0, 0.049), (3.0, 0.4)]
)
@pytest.mark.parametrize(("left", "right"), BOTH_WALLS + ONE_WALL)
def test_against_laplace_inversion(left: Wall | None, right: Wall | None, peclet: float, tau: float) -> None:
    form, t = form_of(left, right, peclet), tau / D
    grid = np.linspace(0.0, 1.0, 2001)
    density = form.pdf(grid, t)
    peak = float(grid[density.argmax()])
    side = float(grid[np.abs(density - 0.3 * density.max()).argmin()])
    rho, above, outflow = naive(left, right, peclet * D, t, [peak, side], side)
    assert np.abs(form.pdf([peak, side], t) - rho).max() <= PROMISE * max(rho)
    alive = float(form.survival(t))
    assert abs(alive - float(form.cdf(side, t)) - above) <= PROMISE * alive
    wall = "left" if left else "right"
    if wall in form.law.exits:
        flux = float(form.first_passage_density(wall, t))
        # a flux is the density's slope times D: its natural size is D/L² × the survivors where walkers reach the wall
        assert abs(flux - outflow) <= PROMISE * max(outflow, alive * D)


def robin_half_line(x: float, y: float, a: float, t: float, wall: Wall) -> float:
    """The density on x > 0 by images as the textbooks print it (Carslaw and Jaeger 14.2), in 60 digits."""
    with mp.workdps(60):
        x, y, a, t, d = map(mp.mpf, (x, y, a, t, D))
        k = reactivity(wall)
        near, image = mp.exp(-((x - y) ** 2) / (4 * d * t)), mp.exp(-((x + y) ** 2) / (4 * d * t))
        if k == mp.inf:
            u = (near - image) / mp.sqrt(4 * mp.pi * d * t)
        else:
            h = (k + a / 2) / d
            layer = mp.exp(h * (x + y) + d * t * h**2) * mp.erfc((x + y) / mp.sqrt(4 * d * t) + h * mp.sqrt(d * t))
            u = (near + image) / mp.sqrt(4 * mp.pi * d * t) - h * layer
        return float(mp.exp(a * (x - y) / (2 * d) - a**2 * t / (4 * d)) * u)


@pytest.mark.parametrize("left", [A, R, P])
@pytest.mark.parametrize("right", [A, R, P, None])
def test_peclet_ten_thousand(left: Wall, right: Wall | None) -> None:
    """The front arriving at, and having arrived at, the left wall: the right one matters less than exp(-1000)."""
    form, a = form_of(left, right, -1e4), -1e4 * D
    for tau in (1e-6, 2.5e-5, 3e-5, 3.4e-5):
        t = tau / D
        x = np.unique(np.abs([0.0, 5e-5, 1e-3, Y + a * t, Y + a * t + 0.006]))
        want = [robin_half_line(float(v), Y, a, t, left) for v in x]
        assert np.abs(form.pdf(x, t) - want).max() <= PROMISE * max(want)


@pytest.mark.parametrize(("left", "right"), BOTH_WALLS + ONE_WALL)
def test_deep_tail_keeps_relative_accuracy(left: Wall | None, right: Wall | None) -> None:
    """At 35 standard deviations the density is about 1e-265, and every formula is a product or a positive sum."""
    t = 1e-4
    x = Y + 35.0 * math.sqrt(2.0 * D * t)
    rho, above, _ = naive(left, right, 5.0 * D, t, [x], x)
    form = form_of(left, right, 5.0)
    assert rho[0] < 1e-250
    # the exponent -612 has an ulp of 1e-13, and a bin of it is integrated with 16 nodes
    assert form.pdf(x, t) == pytest.approx(rho[0], rel=1e-12)
    assert form.mass([x, 1.0], t)[0] == pytest.approx(above, rel=1e-11)


TIMES = np.array([1e-6, 1e-4, 3e-3, 2e-2, 0.049, 0.051, 0.2, 2.0, 100.0]) / D


@pytest.mark.parametrize("peclet", [0.0, -1.0, 10.0, 100.0, -1e3, 1e4])
@pytest.mark.parametrize(("left", "right"), BOTH_WALLS + ONE_WALL)
def test_nobody_is_lost(left: Wall | None, right: Wall | None, peclet: float) -> None:
    """Survivors (density over space) + passed (flux over time) = 1: two different formulas."""
    form = form_of(left, right, peclet)
    total = form.survival(TIMES) + sum(form.absorbed(wall, TIMES) for wall in form.law.exits)
    np.testing.assert_allclose(total, 1.0, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize(("left", "right"), [(A, A), (R, P), (P, A), (A, None), (P, None), (None, P)])
@pytest.mark.parametrize("peclet", [0.0, -20.0])
def test_killing_is_accounted_for(left: Wall | None, right: Wall | None, peclet: float) -> None:
    """∫κ S ds by quadrature of the survival is what remains after the survivors and the passed."""
    kappa = 0.8
    form = form_of(left, right, peclet, killing=kappa)
    nodes, weights = np.polynomial.legendre.leggauss(16)
    t = 0.3
    ends = np.linspace(0.0, math.sqrt(t), 11)  # in √t, where survival is smooth but for its first fall
    half = 0.5 * ends[1]
    u = (ends[:-1, None] + half + half * nodes).ravel()
    killed = kappa * float(np.tile(half * weights, 10) @ (2.0 * u * form.survival(u * u)))
    # 20 panels change it by 1e-16
    assert form.absorbed("killing", t) == pytest.approx(killed, abs=1e-11)


@pytest.mark.parametrize(("wall", "eta"), [(A, 0.4), (P, 0.0)])
def test_killed_half_line_against_quadrature(wall: Wall, eta: float) -> None:
    """∫ f exp(-κs) ds of the unkilled flux f, which is checked above; mpmath needs no more than 20 digits of it."""
    for a in (-1.3, 0.9):
        domain = rw.Interval(-math.inf, 0.0, None, wall)
        killed = closed_form(FokkerPlanck(a, D, domain=domain, start=-eta, killing=2.0))
        plain = closed_form(FokkerPlanck(a, D, domain=domain, start=-eta))
        want = integrate.quad(
            lambda u: 2 * u * float(plain.first_passage_density("right", u * u)) * math.exp(-2.0 * u * u),  # noqa: B023
            1e-9, 1.2, epsabs=1e-13,
        )[0]  # fmt: skip
        # the part before u = 1e-9 is at most K √(4/πD) u = 1e-9; for a start off the wall it is 0
        assert killed.absorbed("right", 1.44) == pytest.approx(want, abs=2e-9 if eta == 0 else 1e-12)


@pytest.mark.parametrize(("left", "right"), BOTH_WALLS + ONE_WALL)
@pytest.mark.parametrize("tau", [0.02, 0.05, 0.5])
def test_passed_is_the_integral_of_the_flux(left: Wall | None, right: Wall | None, tau: float) -> None:
    """A sixth-order central difference with h = t/40 errs by h⁶ f⁽⁶⁾/140: for a mode of rate λ ≤ 7, (7 × 1/40)⁶/140 = 2e-7."""
    form, t = form_of(left, right, -4.0), tau / D
    h, weights = t / 40.0, np.array([-1.0, 9.0, -45.0, 45.0, -9.0, 1.0]) / 60.0
    at = t + h * np.array([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0])
    for wall in form.law.exits:
        want = float(form.first_passage_density(wall, t))
        rate = float(weights @ form.absorbed(wall, at)) / h
        assert rate == pytest.approx(want, rel=1e-6)


def residual(form: ClosedForm, x: float, t: float, h: float, k: float) -> float:
    """ρ_t + (aρ)_x - (Dρ)_xx + κρ by central differences of eighth order, over the largest of the terms."""
    first = np.array([1 / 280, -4 / 105, 1 / 5, -4 / 5, 0, 4 / 5, -1 / 5, 4 / 105, -1 / 280])
    second = np.array([-1 / 560, 8 / 315, -1 / 5, 8 / 5, -205 / 72, 8 / 5, -1 / 5, 8 / 315, -1 / 560])
    shift = np.arange(-4, 5)
    equation, xs = form.equation, x + h * shift
    rho, drift = form.pdf(xs, t), equation.drift(xs, t)
    terms = [
        float(first @ form.pdf(x, t + k * shift)) / k,
        float(first @ (drift * rho)) / h,
        -float(second @ (equation.diffusion(xs, t) * rho)) / h**2,
        float(equation.killing(x, t)) * rho[4],
    ]
    return abs(sum(terms)) / max(map(abs, terms))


FORMS = [
    FokkerPlanck(0.7, D, start=0.1, killing=0.3),
    FokkerPlanck(rw.Affine(0.4, -1.3), D, start=rw.Normal(0.5, 0.3)),
    FokkerPlanck(rw.Affine(0.4, 0.9), D, start=rw.Uniform(-1.0, 1.5)),
    FokkerPlanck(rw.Tanh(2 * D * 1.4, 1.4, 0.2), D, start=0.6),
    FokkerPlanck(rw.Tanh(2 * D * 1.4, 1.4, 0.2), D, start=rw.Normal(0.1, 0.4), killing=1.0),
    FokkerPlanck(
        rw.expression("sin(3*t) + t**2"), rw.expression("0.5 + 0.2*cos(t)"), start=rw.Sites([0.0, 1.0], [0.3, 0.7])
    ),
    FokkerPlanck(2.0, D, domain=rw.Ring(-1.0, 1.5), start=0.2, killing=0.5),
    FokkerPlanck(-2.0, D, domain=rw.Interval(-1.0, 1.5, P, A), start=rw.Uniform(-0.5, 1.0), killing=0.5),
    FokkerPlanck(3.0, D, domain=rw.Interval(-1.0, 1.5, R, R), start=0.0),
    FokkerPlanck(-3.0, D, domain=rw.Interval(-1.0, math.inf, P), start=0.0),
    FokkerPlanck(-3.0, D, domain=rw.Interval(-1.0, math.inf, R), start=rw.Uniform(-1.0, 1.0)),
]


@pytest.mark.parametrize("equation", FORMS, ids=str)
def test_pdf_solves_the_equation_and_integrates_to_cdf_and_mass(equation: FokkerPlanck) -> None:
    form = closed_form(equation)
    for t in (0.2, 1.0, 6.0):
        # eighth order: (step/scale)⁸/630 = 1e-9 where the drift turns fastest, t² = 36; rounding is 1e-15/0.02² = 3e-12
        x = float(form.mean(t)) + 0.2 if isinstance(equation.domain, rw.Line) else 0.45
        assert residual(form, x, t, 0.02, min(t, 0.3) / 60) < 1e-8
    low, high = max(equation.domain.low, -40.0), min(equation.domain.high, 40.0)
    edges = np.linspace(low, high, 9)
    mass = form.mass(edges, 1.0)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    for u, v, m in zip(edges[:-1], edges[1:], mass, strict=True):
        x = 0.5 * (u + v) + 0.5 * (v - u) * nodes
        # 200 nodes over bins of 1/8 to 10 lengths with features of 0.3 or more: exact to rounding
        assert m == pytest.approx(0.5 * (v - u) * float(form.pdf(x, 1.0) @ weights), abs=1e-11)
    np.testing.assert_allclose(mass, np.diff(form.cdf(edges, 1.0)), rtol=0, atol=ROUNDING)
    if equation.domain.low == low and equation.domain.high == high:
        assert mass.sum() == pytest.approx(float(form.survival(1.0)), abs=ROUNDING)


def test_line_forms_against_mpmath() -> None:
    """OU, unstable OU, Beneš and driven normal laws from points, in 40 digits from their textbook formulas."""
    x, y, t = 0.7, -0.4, 0.9
    with mp.workdps(40):
        for slope in (-1.3, 0.9, -1e-9, -300.0):
            b, i = mp.mpf(slope), mp.mpf(0.4)
            mean = mp.mpf(y) * mp.exp(b * t) + i * (mp.exp(b * t) - 1) / b
            sd = mp.sqrt(mp.mpf(D) * (mp.exp(2 * b * t) - 1) / b)
            form = closed_form(FokkerPlanck(rw.Affine(0.4, slope), D, start=y))
            assert form.pdf(x, t) == pytest.approx(
                float(mp.npdf(x, mean, sd)), rel=1e-10
            )  # exponent up to -90, slope 300
            assert form.mean(t) == pytest.approx(float(mean), rel=1e-14)
            assert form.variance(t) == pytest.approx(float(sd**2), rel=1e-14)
        rate, c = mp.mpf(1.4), mp.mpf(0.2)
        kernel = mp.npdf(x, y, mp.sqrt(2 * D * mp.mpf(t)))
        ratio = mp.cosh(rate * (mp.mpf(x) - c)) / mp.cosh(rate * (mp.mpf(y) - c))
        benes = closed_form(FokkerPlanck(rw.Tanh(2 * D * 1.4, 1.4, 0.2), D, start=y))
        want = float(kernel * ratio * mp.exp(-D * rate**2 * mp.mpf(t)))
        assert benes.pdf(x, t) == pytest.approx(want, rel=1e-13)  # a few roundings of exponents of order 1
        run = mp.quad(lambda s: mp.sin(3 * s) + s**2, [0, mp.mpf(t)])
        spread = mp.quad(lambda s: 2 * (0.5 + mp.mpf(0.2) * mp.cos(s)), [0, mp.mpf(t)])
        driven = closed_form(FokkerPlanck(rw.expression("sin(3*t) + t**2"), rw.expression("0.5 + 0.2*cos(t)"), start=y))
        want = float(mp.npdf(x, y + run, mp.sqrt(spread)))
        assert driven.pdf(x, t) == pytest.approx(want, rel=1e-12)  # the quadrature is asked for 1e-13


def test_benes_far_out_does_not_overflow() -> None:
    form = closed_form(FokkerPlanck(rw.Tanh(2 * D * 50.0, 50.0), D, start=40.0))
    t = 0.5
    # cosh(2000) alone overflows; the walker runs off at speed 2Db = 50 and the other branch has odds exp(-4000)
    assert form.pdf(65.0, t) == pytest.approx(1 / math.sqrt(4 * math.pi * D * t), rel=1e-13)


@pytest.mark.parametrize("tau", [1e-4, 0.03, 0.04, 1.0, 100.0])
@pytest.mark.parametrize("peclet", [0.0, -7.0, 1e3])
def test_ring_against_images(tau: float, peclet: float) -> None:
    """Enough images of the normal density in 30 digits. at/L has an ulp of 1e-16 at: the displacement is given to the sum."""
    form, t = closed_form(FokkerPlanck(peclet * D, D, domain=rw.Ring(0.0, 1.0), start=Y)), tau / D
    xs, sd = np.array([0.05, 0.3, 0.62, 0.99]), math.sqrt(2 * tau)
    with mp.workdps(30):
        centre = mp.fmod(mp.mpf(Y) + mp.mpf(peclet * D) * mp.mpf(t), 1)
        around = range(-int(12 * sd) - 3, int(12 * sd) + 4)
        want = [
            float(sum(mp.npdf(mp.mpf(float(x)) - centre + k, 0, mp.sqrt(2 * D * mp.mpf(t))) for k in around))
            for x in xs
        ]
        below = [
            float(sum(mp.ncdf(x - centre + k, 0, sd) - mp.ncdf(-centre + k, 0, sd) for k in around))
            for x in map(mp.mpf, map(float, xs))
        ]
    highest = max(*want, 1.0 / (sd * math.sqrt(2 * math.pi)) if sd < 0.3 else 1.0)
    moved = 2.3e-16 * abs(peclet) * tau / min(sd, 1.0)  # the shift by an ulp of at, over the width
    assert np.abs(form.pdf(xs, t) - want).max() <= (PROMISE + 10 * moved) * highest
    assert np.abs(form.cdf(xs, t) - below).max() <= PROMISE + 10 * moved
    assert form.cdf(1.0, t) == pytest.approx(1.0, abs=ROUNDING)


def test_gamblers_ruin() -> None:
    """P(right) = (1 - exp(-ay/D))/(1 - exp(-aL/D)) as t → ∞ (Redner, *First-Passage Processes*, 2.2)."""
    for a in (-4.0, -0.5, 0.3, 6.0):
        form = closed_form(FokkerPlanck(a, D, domain=rw.Interval(0.0, 1.0, A, A), start=Y))
        want = math.expm1(-a * Y / D) / math.expm1(-a / D)
        assert form.absorbed("right", 1e3) == pytest.approx(want, abs=ROUNDING)
        assert form.absorbed("left", 1e3) == pytest.approx(1.0 - want, abs=ROUNDING)
        assert form.survival(1e3) == 0.0


def test_inverse_gaussian_first_passage() -> None:
    """Drift a onto a wall at distance d: the first passage is inverse Gaussian with mean d/a and shape d²/2D."""
    from scipy.stats import invgauss

    distance, a = 0.8, 1.7
    form = closed_form(FokkerPlanck(a, D, domain=rw.Interval(-math.inf, 0.8, None, A), start=0.0))
    t, shape = np.array([0.01, 0.3, 0.5, 3.0]), distance**2 / (2 * D)
    law = invgauss(distance / a / shape, scale=shape)
    np.testing.assert_allclose(form.first_passage_density("right", t), law.pdf(t), rtol=1e-12)  # exponents up to -50
    np.testing.assert_allclose(
        form.absorbed("right", t), law.cdf(t), rtol=1e-11
    )  # SciPy's own cdf keeps about 12 digits


def test_escape_over_a_steep_slope() -> None:
    """The rate out of a reflecting corner against a strong drift is 4Dα² exp(-2αL) (1 + O(exp(-2αL))): exponentially small."""
    alpha = 15.0
    form = closed_form(FokkerPlanck(-2 * alpha * D, D, domain=rw.Interval(0.0, 1.0, R, A), start=0.05))
    t, rate = np.array([200.0, 400.0]), 4 * D * alpha**2 * math.exp(-2 * alpha)
    gained = float(np.diff(form.absorbed("right", t))[0])
    # the next order of the root is αL exp(-2αL) = 4e-12 relative, and the loss so far is rate × t = 1e-8 of it
    assert gained == pytest.approx(rate * 200.0 * (1.0 - 300.0 * rate), rel=1e-9)


def test_reflecting_interval_reaches_its_stationary_law() -> None:
    """ρ ∝ exp(ax/D) between reflecting walls, at every Péclet number."""
    for a in (-700.0, -2.0, 0.0, 5.0):
        form = closed_form(FokkerPlanck(a, D, domain=rw.Interval(0.0, 1.0, R, R), start=Y))
        x = np.array([0.0, 1e-3, 0.5, 1.0])
        k = a / D
        want = np.exp(np.where(k > 0, k * (x - 1), k * x)) * (abs(k) / -np.expm1(-abs(k)) if k else 1.0)
        np.testing.assert_allclose(form.pdf(x, 300.0), want, rtol=0, atol=PROMISE * want.max())


@pytest.mark.parametrize("equation", [e for e in FORMS if not isinstance(e.start, rw.Sites)], ids=str)
def test_spread_starts_are_superpositions(equation: FokkerPlanck) -> None:
    """Uniform and (where it fits) normal starts equal averages of points: quadrature nodes, smooth at t = 0.8."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    low, high = max(equation.domain.low, -2.0), min(equation.domain.high, 2.0)
    low, high = low + 0.2 * (high - low), high - 0.1 * (high - low)
    middle, half, sd = 0.5 * (low + high), 0.5 * (high - low), (high - low) / 20.0
    z = 0.5 * np.arange(-16, 17)  # the trapezoidal rule in half standard deviations: exp(-8π²) for a normal density
    x, t = np.array([low, 0.1, high]), 0.8

    def with_start(start: Any) -> ClosedForm:
        return closed_form(
            FokkerPlanck(
                equation.drift, equation.diffusion, domain=equation.domain, start=start, killing=equation.killing
            )
        )

    starts: list[tuple[rw.Uniform | rw.Normal, rw.Sites]] = [
        (rw.Uniform(low, high), rw.Sites(middle + half * nodes, 0.5 * weights)),
        (rw.Normal(middle, sd), rw.Sites(middle + sd * z, np.exp(-0.5 * z * z) / np.exp(-0.5 * z * z).sum())),
    ]
    for start, atoms in starts:
        form, points = with_start(start), with_start(atoms)
        # the atoms carry all but exp(-32) = 1e-14 of the normal; 24 nodes integrate functions smooth over 0.5 to 1e-11
        np.testing.assert_allclose(form.pdf(x, t), points.pdf(x, t), rtol=0, atol=1e-10)
        assert form.cdf(0.1, t) == pytest.approx(float(points.cdf(0.1, t)), abs=1e-10)
        for wall in form.law.exits[:1]:
            assert form.absorbed(wall, t) == pytest.approx(float(points.absorbed(wall, t)), abs=1e-10)
            want = float(points.first_passage_density(wall, t))
            assert form.first_passage_density(wall, t) == pytest.approx(want, abs=1e-10)


def test_uniform_start_on_the_line_keeps_its_tails() -> None:
    """(Φ(z_low) - Φ(z_high))/width and its integral in 60 digits, at 20 standard deviations and for narrow and wide starts."""
    for width in (1e-6, 0.3, 8.0):
        form = closed_form(FokkerPlanck(0.0, D, start=rw.Uniform(0.0, width)))
        t = 1.0
        with mp.workdps(60):
            for x in (-20.0, -1.0, 0.5 * width, width + 20.0):
                z = [mp.mpf(x), mp.mpf(x) - mp.mpf(width)]
                want = float((mp.ncdf(z[0]) - mp.ncdf(z[1])) / mp.mpf(width))
                assert form.pdf(x, t) == pytest.approx(want, rel=1e-12)  # exponent -200 has an ulp of 3e-14
                psi = [v * mp.ncdf(v) + mp.npdf(v) for v in z]
                assert form.cdf(x, t) == pytest.approx(float((psi[0] - psi[1]) / mp.mpf(width)), rel=1e-12)


@pytest.mark.parametrize("equation", FORMS, ids=str)
def test_mass_in_narrow_and_outlying_bins(equation: FokkerPlanck) -> None:
    form, t = closed_form(equation), 0.4
    edges = np.array([0.1, 0.1 + 1e-9, 0.1 + 2e-9])
    # a bin of 1e-9 holds 1e-9 ρ to relative 1e-9 and its width is known to 1e-16/1e-9
    np.testing.assert_allclose(form.mass(edges, t), np.diff(edges) * float(form.pdf(0.1, t)), rtol=1e-7)
    if not isinstance(equation.domain, rw.Ring):
        assert form.mass([-500.0, -400.0, 400.0, 500.0], t)[0] == 0.0
        assert form.mass([-500.0, 500.0], t)[0] == pytest.approx(float(form.survival(t)), abs=ROUNDING)


def test_shapes_and_arguments() -> None:
    form = form_of(A, A, 3.0)
    x, t = np.linspace(0, 1, 6).reshape(2, 3), np.array([[0.01], [1.0], [2.0], [3.0]])
    assert form.pdf(x, t).shape == form.cdf(x, t).shape == (4, 1, 2, 3)
    assert form.mass([0.0, 0.5, 1.0], t).shape == (4, 1, 2)
    assert form.pdf(0.5, np.ones((4, 1))).shape == (4, 1)
    assert form.survival(np.ones((2, 2))).shape == (2, 2) and form.survival(0.0) == 1.0
    assert form.absorbed("left", [0.0, 1.0])[0] == 0.0
    assert form.pdf([-0.1, 1.1], 0.1).tolist() == [0.0, 0.0]
    assert form.cdf([-1.0, 2.0], 0.1) == pytest.approx([0.0, float(form.survival(0.1))], abs=1e-15)  # the same sum
    with pytest.raises(ValueError, match="t = 0: must be positive"):
        form.pdf(0.5, 0.0)
    with pytest.raises(ValueError, match="exit = 'up': must be one of 'left', 'right', 'killing'"):
        form.absorbed("up", 1.0)
    with pytest.raises(ValueError, match="no wall"):
        form_of(R, R).first_passage_density("left", 1.0)
    with pytest.raises(ValueError, match="edges must be"):
        form.mass([1.0, 0.0], 1.0)


def test_plot_returns_its_axes() -> None:
    matplotlib.use("Agg")
    for form in (form_of(A, None), form_of(A, R, 3.0), closed_form(FORMS[1])):
        axes = form.plot([0.1, 0.4])
        assert len(axes.lines) == 2 and axes.get_xlabel() and axes.get_ylabel()
        assert form.plot(0.1, axes) is axes
    matplotlib.pyplot.close("all")


NONE: list[tuple[Any, Any, Domain, Any, Any, str]] = [
    (lambda x: -x, D, rw.Line(), 0.0, 0.0, "drift = .* on the line it must be affine in x"),
    (rw.Affine(slope=-1.0), D, rw.Interval(0, 1, A, A), 0.5, 0.0, "drift = .* needs a constant drift"),
    (rw.expression("t"), D, rw.Ring(0, 1), 0.5, 0.0, "drift = t: .* needs a constant drift"),
    (0.0, rw.expression("1 + x**2"), rw.Line(), 0.0, 0.0, "diffusion = .* depends on x"),
    (rw.Affine(slope=-1.0), rw.expression("1 + t**2"), rw.Line(), 0.0, 0.0, "diffusion = .* depends on t while drift"),
    (
        0.0,
        rw.expression("1 + t**2"),
        rw.Interval(0, math.inf, A),
        1.0,
        0.0,
        "diffusion = .* needs a constant diffusion",
    ),
    (rw.Tanh(1.0, 2.0), D, rw.Line(), 0.0, 0.0, r"height = 2·D·rate = 2, not 1"),
    (0.0, D, rw.Line(), 0.0, rw.expression("x**2"), "killing = .* needs a constant killing"),
    (0.0, D, rw.Interval(0, math.inf, A), rw.Normal(0.8, 0.1), 0.0, "start = Normal.* reaches beyond the ends"),
]


@pytest.mark.parametrize(("drift", "diffusion", "domain", "start", "killing", "message"), NONE)
def test_what_has_no_closed_form_says_why(
    drift: Any, diffusion: Any, domain: Domain, start: Any, killing: Any, message: str
) -> None:
    with pytest.raises(NoClosedForm, match=message):
        closed_form(FokkerPlanck(drift, diffusion, domain=domain, start=start, killing=killing))


def test_moments_on_the_line() -> None:
    for equation in FORMS[:6]:
        form = closed_form(equation)
        x = np.linspace(-40.0, 40.0, 8001)
        for t in (0.3, 1.1):
            rho = form.pdf(x, t) / float(form.survival(t))
            mean = float(np.sum(rho * x)) * (x[1] - x[0])  # the trapezoidal rule is exact for smooth decaying functions
            assert form.mean(t) == pytest.approx(mean, abs=1e-10)
            assert form.variance(t) == pytest.approx(float(np.sum(rho * (x - mean) ** 2)) * (x[1] - x[0]), rel=1e-9)


def test_special_functions_keep_relative_accuracy() -> None:
    """deficit and erfcx_slope in 60 digits; near z = 2 the difference form loses one digit."""
    with mp.workdps(60):

        def erfcx(z: Any) -> Any:
            return mp.exp(mp.mpf(z) ** 2) * mp.erfc(z)

        for z in (-5.0, 0.0, 1e-9, 0.7, 2.0, 2.0001, 3.5, 40.0, 1e4):
            assert deficit(z) == pytest.approx(float(1 - mp.sqrt(mp.pi) * z * erfcx(z)), rel=1e-14)
        for p, q in (
            (0.1, 0.1 + 1e-12),
            (0.5, 0.9),
            (0.0, 3.0),
            (3.0, 3.0 + 1e-7),
            (100.0, 150.0),
            (-4.0, -3.9),
            (80.0, 1e4),
        ):
            want = float((erfcx(p) - erfcx(q)) / (mp.mpf(q) - mp.mpf(p)))
            assert erfcx_slope(p, q) == pytest.approx(want, rel=2e-14)
