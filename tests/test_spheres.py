"""Walks on spheres against closed forms and an independent slow version. A comparison allows 4 standard errors and the step
error: one in 16 000 seeds would fail, and seeds are fixed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

import randwalk as rw
from randwalk import pde
from randwalk.kernels.philox import key
from randwalk.pde.values.question import Question
from randwalk.pde.values.spheres import Spheres
from randwalk.tables.sphere_program import screening_series

A, R = rw.Absorbing(), rw.Reflecting()
INF = math.inf


def ball(
    d: int, radius: float = 1.0, diffusion: float = 0.5, killing: float = 0.0, length: float = 1.0
) -> pde.FokkerPlanck:
    """The equation of Brownian motion in a ball about 0; in one dimension in an interval. (Numbers other than 0 and 1 are
    parameters of kernels: tests that differ in them alone share one.)"""
    if d == 1:
        domain: rw.Box | rw.Interval = rw.Interval(-radius, radius, A, A)
    else:
        domain = (rw.Line() ** d).inside(rw.Ball((0.0,) * d, radius), A)
    return pde.FokkerPlanck(0.0, diffusion, domain=domain, killing=killing, start=(0.0,) * d if d > 1 else 0.0)


def point(d: int, x: float) -> object:
    return (x, *[0.0] * (d - 1)) if d > 1 else x


def agrees(found: pde.Expectation, exact: float) -> None:
    assert abs(float(found) - exact) <= 4.0 * float(found.statistical) + float(found.step), (found, exact)


@pytest.mark.parametrize("d", [2, 10])
def test_poisson_on_the_ball(d: int) -> None:
    """-D ∇²u = g with u = 0 on the sphere: u = g (R² - r²)/(2 d D). (In one dimension the case value_poisson.)"""
    found = pde.expectation(ball(d, 2.0), 0.0, point(d, 0.7), INF, source=3.0, walkers=20_000, seed=d)
    agrees(found, 3.0 * (4.0 - 0.49) / (2.0 * d * 0.5))


def survival(d: int, z: float) -> float:
    """E exp(-κ τ) from the centre of a ball, z = R √(κ/D)."""
    n = d / 2.0 - 1.0
    return float((z / 2.0) ** n / (special.gamma(n + 1.0) * special.iv(n, z)))


@pytest.mark.parametrize("d", [2, 3, 10])
@pytest.mark.parametrize("z", [0.5, 4.0])
def test_screened_poisson_on_the_ball(d: int, z: float) -> None:
    """u = F(zr)/F(z) where u = 1 on the sphere, F regular; (1 - that)/κ where g = 1. z = 4 takes several spheres."""
    killing = 0.5 * z**2
    ratio = survival(d, z) / survival(d, 0.4 * z)
    found = pde.expectation(
        screened(d, killing), 0.0, point(d, 0.6), INF, source=2.0, boundary=3.0, walkers=20_000, seed=d
    )
    agrees(found, 3.0 * ratio + 2.0 * (1.0 - ratio) / killing)


def screened(d: int, killing: float) -> pde.FokkerPlanck:
    return ball(d, 1.5, 0.5 * 1.5**2, killing)


@pytest.mark.parametrize("z", [0.5, 4.0])
def test_the_screened_source_has_the_law_of_greens_function(z: float) -> None:
    """With g = 2 + x² on (-R, R) and u = 3 at its ends: a sum of constants, x²/κ and cosh(x √(κ/D))."""
    radius, diffusion, killing, x = 1.5, 1.125, 0.5 * z**2, 0.6
    level = 2.0 / killing + 2.0 * diffusion / killing**2
    ratio = math.cosh(0.4 * z) / math.cosh(z)
    exact = level + x**2 / killing + (3.0 - level - radius**2 / killing) * ratio
    ask = {"source": rw.expression("2 + x**2"), "boundary": 3.0, "walkers": 100_000, "seed": 1}
    agrees(pde.expectation(screened(1, killing), 0.0, x, INF, **ask), exact)  # type: ignore[arg-type]


@pytest.mark.parametrize("d", range(1, 11))
@pytest.mark.parametrize("z", [0.3, 2.0])
def test_series_of_screening_against_scipy(d: int, z: float) -> None:
    """Green's function of the ball by modified Bessel functions, K - I K(z)/I(z), normalised like that without killing."""
    rows, s, n = screening_series(d), z * z / 4.0, d / 2.0 - 1.0
    rho = np.array([0.01, 0.1, 0.5, 0.9, 0.999])

    def series(row: int, y: float | np.ndarray) -> np.ndarray:
        return np.polyval(rows[row][::-1], y)

    shift = s ** max((d - 2) // 2, 0)
    inner = s * rho**2
    singular = rho ** (2.0 - d) * series(1, inner) + shift * (
        rows[3, 0] * np.log(rho) * series(0, inner) + series(2, inner)
    )
    found = singular - series(0, inner) * (series(1, s) + shift * series(2, s)) / series(0, s)
    exact = rho**-n * (special.kv(n, z * rho) - special.iv(n, z * rho) * special.kv(n, z) / special.iv(n, z))
    if d == 1:  # the singularity is a kink of slope ½, and ρ - 1 stands for it
        np.testing.assert_allclose(found, -np.sinh(z * (1.0 - rho)) / (z * np.cosh(z)), rtol=1e-11)
    else:
        np.testing.assert_allclose(
            found, exact / (1.0 if d == 2 else 2.0 ** (n - 1.0) * special.gamma(n) * z**-n), rtol=1e-11
        )


def test_torsion_of_the_square() -> None:
    """The mean exit time of (-1, 1)² from the centre with D = ½: Timoshenko and Goodier's series, 0.5893708. (A source 1 + x
    gives the same, by symmetry.)"""
    square = pde.FokkerPlanck(0.0, 0.5, domain=rw.Interval(-1.0, 1.0, A, A) ** 2)
    k = np.arange(1, 60, 2)
    exact = 1.0 - 32.0 / np.pi**3 * float(np.sum((-1.0) ** ((k - 1) / 2) / (k**3 * np.cosh(k * np.pi / 2))))
    assert exact == pytest.approx(0.5893708, abs=1e-6)
    agrees(pde.expectation(square, 0.0, (0.0, 0.0), INF, source=rw.expression("1 + x"), walkers=100_000), exact)


def test_exit_of_a_shell() -> None:
    """From r = 1.5 in 1 < r < 3 the outer wall is reached first with the ratio of 1 - 1/r."""
    exact = (1.0 - 1.0 / 1.5) / (1.0 - 1.0 / 3.0)
    domain = (rw.Line() ** 3).inside(rw.Ball((0.0,) * 3, 3.0), A, "rim").without(rw.Ball((0.0,) * 3, 1.0), A, "hole")
    equation = pde.FokkerPlanck(0.0, 2.0, domain=domain, start=(1.5, 0.0, 0.0))
    found = pde.expectation(equation, 0.0, point(3, 1.5), INF, boundary={"rim": 2.0, "hole": 3.0}, walkers=50_000)
    agrees(found, 2.0 * exact + 3.0 * (1.0 - exact))


def naive(start: complex, walkers: int) -> tuple[float, float]:
    """Muller's walk on spheres in the union of the next test, as plain as it can be: the mean of x² - y² where it ends."""
    rng, ends = np.random.default_rng(5), []
    for _ in range(walkers):
        z = start
        while (r := min(max(1.0 - abs(z), 0.8 - abs(z - 1.0)), abs(z - (0.2 + 0.5j)) - 0.2)) > 1e-5:
            z += r * np.exp(2j * np.pi * rng.random())
        ends.append((z**2).real)
    return float(np.mean(ends)), float(np.std(ends) / math.sqrt(walkers))


def test_harmonic_data_in_a_union() -> None:
    """u = x² - y² is harmonic: its own boundary values give it back, in a domain with a distance that is only a lower bound.
    A naive walk finds it as well, with the error that the package states for as many walkers."""
    shape = (rw.Ball((0.0, 0.0), 1.0) | rw.Ball((1.0, 0.0), 0.8)) & ~rw.Ball((0.2, 0.5), 0.2)
    equation = pde.FokkerPlanck(0.0, 1.0, domain=(rw.Line() ** 2).inside(shape, A), start=(0.0, 0.0))
    points = np.array([0.0, 0.9, 1.5]), np.array([-0.3, 0.1, 0.2])
    found = pde.expectation(equation, 0.0, points, INF, boundary=lambda x, y: x**2 - y**2, walkers=40_000)
    assert found.shape == (3,)
    for i in range(3):
        agrees(found[i], points[0][i] ** 2 - points[1][i] ** 2)
    value, error = naive(complex(points[0][1], points[1][1]), 3000)
    assert abs(float(found[1]) - value) < 4.0 * math.hypot(error, float(found[1].error))
    assert float(found[1].statistical) == pytest.approx(error * math.sqrt(3000 / 40_000), rel=0.1)


def test_rings_and_half_spaces() -> None:
    """Between walls y = 0 and y = 2 of a strip that closes along x: u = y/2. A trap seen across the seam draws as well."""
    strip = pde.FokkerPlanck(0.0, 1.0, domain=rw.Ring(0.0, 1.0) * rw.Interval(0.0, 2.0, A, A), start=(0.5, 1.0))
    found = pde.expectation(strip, 0.0, (0.2, 0.5), INF, boundary={"top": 1.0}, walkers=50_000)
    agrees(found, 0.25)
    ring = (rw.Ring(0.0, 4.0) * rw.Interval(-2.0, 2.0, A, A)).without(rw.Ball((0.0, 0.0), 0.5), A, "trap")
    equation = pde.FokkerPlanck(0.0, 1.0, domain=ring, start=(1.0, 0.0))
    near, far = pde.expectation(equation, 0.0, (np.array([1.0, 3.0]), 0.0), INF, boundary={"trap": 1.0}, walkers=50_000)
    assert abs(float(near.z(far))) < 4.0 and float(near) > 0.4


def test_units_do_not_matter() -> None:
    """Lengths in µm and times in ns: x 10⁶ times smaller, D = ½ µm²/ns."""
    one = pde.expectation(ball(2, 2.0), 0.0, (0.3, 0.0), INF, source=3.0, walkers=5000)
    small = pde.expectation(ball(2, 2e-6, 0.5e-12 / 1e-9), 0.0, (0.3e-6, 0.0), INF, source=3.0, walkers=5000)
    np.testing.assert_allclose(float(small), 1e-9 * float(one), rtol=1e-9)


def test_the_same_bits_for_any_partition_and_threads() -> None:
    equation = screened(3, 2.0)
    way = Spheres(Question.of(equation, 0.0, 2.0, 3.0), (0.1, 0.2, 0.3), key(7))
    whole = way.rows(12, range(1000))
    parts = [way.rows(12, range(a, b)) for a, b in ((0, 1), (1, 300), (300, 1000))]
    assert np.array_equal(np.concatenate(parts, axis=1), whole)
    few, many = (
        pde.expectation(equation, 0.0, (0.1, 0.0, 0.0), INF, source=2.0, boundary=3.0, walkers=9999, threads=n)
        for n in (1, 3)
    )
    assert float(few) == float(many) and float(few.error) == float(many.error)


def test_the_bias_is_proportional_to_the_distance_of_stopping() -> None:
    """With ε = 2⁻³, 2⁻⁴, 2⁻⁵: the error halves."""
    way = Spheres(Question.of(ball(2, 2.0), 0.0, 3.0, 0.0), (1.0, 0.0), key(3))
    biases = []
    for halvings in (2, 3, 4):
        end, _ = way.rows(halvings, range(200_000)).mean(axis=1)
        biases.append(4.5 - end)
    assert biases[0] > biases[1] > biases[2] > 0.0
    assert biases[1] / biases[2] == pytest.approx(2.0, abs=0.4)


def test_bad_questions() -> None:
    disc = ball(2)
    ask = pde.expectation
    with pytest.raises(
        ValueError, match=r"x = \(2.0, 0.0\): lies outside .* beyond the wall 'shell'; take a point inside"
    ):
        ask(disc, 0.0, (2.0, 0.0), INF)
    with pytest.raises(
        ValueError,
        match=r"x = \(1.0, 0.0\): lies on the absorbing wall 'shell', where the value is that of boundary, 7",
    ):
        ask(disc, 0.0, (1.0, 0.0), INF, boundary=7.0)
    with pytest.raises(ValueError, match="t = inf: payoff = 1 is paid at the time t, which is infinite"):
        ask(disc, 1.0, (0.0, 0.0), INF)
    with pytest.raises(ValueError, match="method = 'spheres': there is a drift"):
        ask(pde.FokkerPlanck((1.0, 0.0), 0.5, domain=disc.domain), 0.0, (0.0, 0.0), INF, method="spheres")
    with pytest.raises(ValueError, match="the wall 'left' does not absorb"):
        ask(pde.FokkerPlanck(0.0, 0.5, domain=rw.Interval(0.0, 1.0, R, A), start=0.5), 0.0, 0.5, INF, method="spheres")
    with pytest.raises(ValueError, match=r"boundary: 'rim' is no exit of .* whose walls that absorb are 'shell'"):
        ask(disc, 0.0, (0.0, 0.0), INF, boundary={"rim": 1.0})
    with pytest.raises(ValueError, match="are not near a wall after 10000 spheres: they go to infinity"):
        outside = (rw.Line() ** 3).without(rw.Ball((0.0,) * 3, 1.0), A)
        ask(pde.FokkerPlanck(0.0, 0.5, domain=outside, start=(2.0, 0.0, 0.0)), 0.0, (2.0, 0.0, 0.0), INF, walkers=100)
    for wrong in (0, 1, 2.5, True):
        with pytest.raises(ValueError, match=r"walkers = .*: must be a whole number from 2"):
            ask(disc, 0.0, (0.0, 0.0), INF, walkers=wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"tolerance = -1\.0: must be positive"):
        ask(disc, 0.0, (0.0, 0.0), INF, tolerance=-1.0)
    with pytest.raises(ValueError, match="t = -1: must be positive"):
        ask(disc, 0.0, (0.0, 0.0), -1.0)


def test_a_distance_that_is_too_long_is_found() -> None:
    """Between the samples of a Level's gradient its slope may be another: here in a narrow band."""
    band = "heaviside(0.001 - abs(x - 0.5))*(0.001 - abs(x - 0.5))"
    kink = rw.expression(f"1 - x + 500*{band}")
    domain = (rw.Line() * rw.Interval(-1.0, 1.0, A, A)).inside(rw.Level(kink, distance=True), A)
    equation = pde.FokkerPlanck(0.0, 0.5, domain=domain, start=(0.0, 0.0))
    with pytest.raises(
        ValueError, match="beyond a wall: the distance of a region is larger than the distance to its boundary"
    ):
        pde.expectation(equation, 0.0, (0.4999, 0.0), INF, source=1.0, walkers=50_000)
