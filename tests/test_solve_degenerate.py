"""Ends of the domain where D vanishes or the drift is singular, against laws that are known."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import gammaincc, ndtr
from scipy.stats import beta, ncx2

import randwalk as rw
from randwalk.model.coefficient import Floats
from randwalk.pde.backward import backward, exit_probability, mean_exit_time
from randwalk.pde.equation import FokkerPlanck
from randwalk.pde.solve import Solution, solve

ABSORBING, REFLECTING = rw.Absorbing(), rw.Reflecting()
HALF = rw.Interval(0.0, math.inf, REFLECTING)
TOLERANCES = [1e-3, 1e-5]
SLACK = 4.0  # an error may be this many times its estimate


def check(found: Solution, cdf: Callable[[Floats], Floats], t: float, tolerance: float) -> None:
    """At edges and between them, down to the first cell."""
    assert found.error_estimate <= tolerance
    (low, high), inner = found.window, found.edges[found.edges > 0.0]
    x = np.concatenate([found.edges, np.sqrt(inner[1:] * inner[:-1]), np.linspace(low, high, 200)])
    assert np.abs(found.cdf(x, t) - cdf(x)).max() < SLACK * found.error_estimate


@pytest.mark.parametrize("tolerance", TOLERANCES)
@pytest.mark.parametrize(
    ("rate", "level", "noise", "start"),  # κ, θ, σ²: the cdf begins as x^(2κθ/σ²), here with powers from 0.1 to 20
    [
        (0.5, 0.1, 0.25, 0.1), (0.5, 0.1, 1.0, 0.1), (2.0, 0.02, 0.5, 0.05), (0.5, 0.1, 0.25, 0.0), (0.5, 0.1, 0.25, 2.0),
        (0.5, 0.1, 0.1, 0.1), (1.0, 1.0, 2.0, 1.0), (0.5, 0.1, 0.025, 0.1), (1.0, 1.0, 0.1, 1.0),
    ],
)  # fmt: skip
def test_square_root_process(rate: float, level: float, noise: float, start: float, tolerance: float) -> None:
    """[Cox, Ingersoll & Ross 1985]"""
    t = 1.0
    drift = rw.expression("k*(m - x)", k=rate, m=level)
    found = solve(FokkerPlanck(drift, rw.Affine(slope=0.5 * noise), domain=HALF, start=start), [t], tolerance=tolerance)
    scale, decay = noise * (1.0 - math.exp(-rate * t)) / (4.0 * rate), math.exp(-rate * t)

    def cdf(x: Floats) -> Floats:
        return ncx2.cdf(x / scale, 4.0 * rate * level / noise, max(start * decay / scale, 1e-300))

    check(found, cdf, t, tolerance)
    assert found.left_so_far[-1, 0] == 0.0


@pytest.mark.parametrize("tolerance", TOLERANCES)
@pytest.mark.parametrize("level", [0.1, 0.24, 0.0, -0.1, 1.0])
@pytest.mark.parametrize("noise", [0.25, 1.0])
def test_square_root_process_that_is_absorbed(level: float, noise: float, tolerance: float) -> None:
    """Time to 0 of the squared Bessel process of dimension δ < 2 is x/2Γ, Γ ~ Gamma(1 - δ/2) [Göing-Jaeschke & Yor 2003]."""
    rate, t, start = 0.5, 1.0, 0.1
    drift, wall = rw.expression("k*(m - x)", k=rate, m=level), rw.Interval(0.0, math.inf, ABSORBING)
    found = solve(FokkerPlanck(drift, rw.Affine(slope=0.5 * noise), domain=wall, start=start), [t], tolerance=tolerance)
    dimension, clock = 4.0 * rate * level / noise, noise / (4.0 * rate) * math.expm1(rate * t)
    expected = gammaincc(1.0 - 0.5 * dimension, start / (2.0 * clock)) if dimension < 2.0 else 0.0
    assert float(found.absorbed("left", t)) == pytest.approx(expected, abs=SLACK * found.error_estimate)


@pytest.mark.parametrize("tolerance", TOLERANCES)
@pytest.mark.parametrize("dimension", [1.2, 2.0, 3.0, 5.0])
@pytest.mark.parametrize("start", [0.0, 0.5, 2.0])
def test_bessel_process(dimension: float, start: float, tolerance: float) -> None:
    """The distance from the origin in δ dimensions: a singular drift that keeps off 0; X²/t is non-central χ²."""
    drift = rw.expression("c/x", c=0.5 * (dimension - 1.0))
    found = solve(FokkerPlanck(drift, 0.5, domain=HALF, start=start), [1.0], tolerance=tolerance)
    check(found, lambda x: ncx2.cdf(x**2, dimension, max(start**2, 1e-300)), 1.0, tolerance)


@pytest.mark.parametrize("tolerance", TOLERANCES)
@pytest.mark.parametrize(("up", "down"), [(0.2, 0.3), (1.0, 1.0), (2.0, 0.7), (0.3, 4.0)])
def test_wright_fisher_with_mutation(up: float, down: float, tolerance: float) -> None:
    """Both ends degenerate: the mean relaxes as e^(-(u+v)t) and the law to a beta law [Ewens 2004, §5.6]."""
    box = rw.Interval(0.0, 1.0, REFLECTING, REFLECTING)
    drift = rw.Affine(up, -(up + down))
    found = solve(
        FokkerPlanck(drift, rw.expression("x*(1 - x)/2"), domain=box, start=0.3), [0.5, 80.0], tolerance=tolerance
    )
    edges = found.edges
    assert np.abs(found.cdf(edges, 80.0) - beta.cdf(edges, 2.0 * up, 2.0 * down)).max() < SLACK * found.error_estimate
    rest = up / (up + down)
    assert found.mean(0.5) == pytest.approx(rest + (0.3 - rest) * math.exp(-0.5 * (up + down)), abs=SLACK * tolerance)


@pytest.mark.parametrize("start", [0.3, 0.05, 0.999])
def test_fixation_without_mutation(start: float) -> None:
    """Kimura: D = x(1 - x)/2 is absorbed at 1 with probability x; heterozygosity E[x(1 - x)] decays as e^-t."""
    box = rw.Interval(0.0, 1.0, ABSORBING, ABSORBING)
    problem = FokkerPlanck(0.0, rw.expression("x*(1 - x)/2"), domain=box, start=start)
    found = solve(problem, [0.5, 40.0], tolerance=1e-4)
    assert float(found.absorbed("right", 40.0)) == pytest.approx(start, abs=4e-4)
    assert float(found.absorbed("left", 40.0)) == pytest.approx(1.0 - start, abs=4e-4)
    mass = found.density[0] * found.grid.widths
    expected = start * (1.0 - start) * math.exp(-0.5)
    assert float(mass @ (found.x * (1.0 - found.x))) == pytest.approx(expected, abs=4e-4)
    value = backward(problem, lambda x: x * (1.0 - x), 0.5, tolerance=1e-4).value(start)
    assert float(value) == pytest.approx(expected, abs=1e-4)


def test_exits_without_mutation() -> None:
    box = rw.Interval(0, 1, ABSORBING, ABSORBING)  # whole numbers are numbers
    problem = FokkerPlanck(0.0, rw.expression("x*(1 - x)/2"), domain=box, start=0.5)
    x = np.linspace(0.02, 0.98, 49)
    time, right = mean_exit_time(problem, tolerance=1e-5), exit_probability(problem, "right", tolerance=1e-5)
    expected = -2.0 * (x * np.log(x) + (1.0 - x) * np.log1p(-x))
    assert np.abs(time.value(x) - expected).max() < SLACK * time.error_estimate
    assert np.abs(right.value(x) - x).max() < SLACK * 1e-5


@pytest.mark.parametrize("domain", [HALF, rw.Interval(0.0, math.inf, ABSORBING), rw.Line()])
@pytest.mark.parametrize(("growth", "t"), [(0.05, 0.5), (0.05, 4.0), (-1.0, 2.0), (0.5, 1.0)])
def test_geometric_brownian_motion(domain: rw.Interval | rw.Line, growth: float, t: float) -> None:
    """0 is never reached, whatever wall is there; on the line the window ends at it."""
    found = solve(
        FokkerPlanck(rw.Affine(slope=growth), rw.expression("x**2/8"), domain=domain, start=1.0), [t], tolerance=1e-4
    )
    x = found.edges[found.edges > 0.0]
    expected = ndtr((np.log(x) - (growth - 0.125) * t) / (0.5 * math.sqrt(t)))
    assert np.abs(found.cdf(x, t) - expected).max() < SLACK * found.error_estimate
    assert found.left_so_far[-1, 0] <= 1e-7


@pytest.mark.parametrize(("power", "convention"), [(0.5, "ito"), (1.0, "stratonovich"), (1.0, "fick"), (1.5, "fick")])
def test_equilibrium_with_a_degenerate_end(power: float, convention: str) -> None:
    """Without drift ρ ∝ D^-λ: x^(-λα) with D = x^α, integrable for λα < 1."""
    box = rw.Interval(0.0, 1.0, REFLECTING, REFLECTING)
    found = solve(
        FokkerPlanck(0.0, rw.expression(f"x**{power}"), domain=box, start=0.5, convention=rw.Convention(convention)),
        [500.0],
        tolerance=1e-4,
    )
    rest = 1.0 - power * rw.Convention(convention).exponent
    assert np.abs(found.cdf(found.edges, 500.0) - found.edges**rest).max() < SLACK * 1e-4


def test_an_end_that_only_the_drift_reaches() -> None:
    """D = x², drift -1: mass leaves at 0 by the drift; against T = ∫₀^∞ e^(…)-functional law by its mean, x - t while alive."""
    wall = rw.Interval(0.0, math.inf, ABSORBING)
    problem = FokkerPlanck(-1.0, rw.expression("0.02*x**2"), domain=wall, start=1.0)
    found = solve(problem, [0.5, 4.0], tolerance=1e-4)
    alive = found.density[0] @ (found.grid.widths * found.x)
    assert float(alive) == pytest.approx(0.5, abs=1e-3)  # nobody has reached 0 yet: the mean falls with the drift
    assert float(found.absorbed("left", 4.0)) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_units_do_not_matter(scale: float) -> None:
    def problem(x: float, t: float) -> FokkerPlanck:
        drift = rw.expression("k*(m - x)", k=0.5 / t, m=0.1 * x)
        return FokkerPlanck(drift, rw.Affine(slope=0.125 * x / t), domain=HALF, start=0.1 * x)

    one, other = solve(problem(1.0, 1.0), [1.0], tolerance=1e-3), solve(problem(scale, 1e-9), [1e-9], tolerance=1e-3)
    assert other.cdf(one.edges * scale, 1e-9) == pytest.approx(one.cdf(one.edges, 1.0), abs=1e-9)


@pytest.mark.parametrize("domain", [rw.Line(), HALF, rw.Interval(0.0, 1.0, REFLECTING, ABSORBING), rw.Ring(-1.0, 1.0)])
def test_a_start_from_which_nobody_moves_is_refused(domain: rw.Interval | rw.Line | rw.Ring) -> None:
    """The start that is taken where none is given, 0, is one for a geometric Brownian motion."""
    stock = FokkerPlanck(rw.expression("0.05*x"), rw.expression("0.02*x**2"), domain=domain, start=0.0)
    with pytest.raises(ValueError, match="diffusion = 0 "):
        solve(stock, [1.0])
    if not isinstance(domain, rw.Ring):  # on which the walk crosses 0, too
        assert solve(stock.with_start(0.5), [0.1]).error_estimate < 1e-4


@pytest.mark.parametrize(
    ("diffusion", "place"),
    [
        ("(x - 0.3)**2", "0.3"), ("abs(x - 0.3)", "0.3"), ("x - 0.3", "0.0"), ("0.3 - x", "0."), ("sin(9*x)**2", "0.349066"),
        ("x**2 - 0.6*x + 0.09", "0.3"), ("-1 - x**2", ""), ("1 - 1.5*(heaviside(x - 0.4) - heaviside(x - 0.41))", "0.4"),
    ],
)  # fmt: skip
def test_a_diffusion_that_vanishes_inside_is_refused(diffusion: str, place: str) -> None:
    box = rw.Interval(0.0, 1.0, REFLECTING, ABSORBING)
    problem = FokkerPlanck(0.0, rw.expression(diffusion), domain=box, start=0.6)
    for call in (
        lambda: solve(problem, [0.1], tolerance=1e-2),
        lambda: backward(problem, lambda x: x, 0.1, tolerance=1e-2),
        lambda: mean_exit_time(problem, tolerance=1e-2),
    ):
        with pytest.raises(ValueError, match=f"diffusion = .* at x = .*{place}"):
            call()


@pytest.mark.parametrize(("drift", "diffusion"), [("0", "x"), ("1/x", "0.5 + 0*x")])
def test_a_partially_absorbing_wall_needs_diffusion(drift: str, diffusion: str) -> None:
    wall = rw.Interval(0.0, 1.0, rw.PartiallyAbsorbing(1.0), REFLECTING)
    with pytest.raises(
        ValueError, match=r"at x = 0, where the wall is PartiallyAbsorbing.*take Absorbing\(\) or Reflecting"
    ):
        solve(
            FokkerPlanck(rw.expression(drift), rw.expression(diffusion), domain=wall, start=0.6), [0.1], tolerance=1e-2
        )
