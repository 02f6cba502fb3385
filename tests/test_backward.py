"""Backward problems against closed forms and, by duality, against forward ones."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import erf, ndtr

import randwalk as rw
from randwalk.model.coefficient import CoefficientLike
from randwalk.model.domain import Wall
from randwalk.pde.backward import backward, exit_probability, mean_exit_time
from randwalk.pde.equation import FokkerPlanck
from randwalk.pde.solve import solve
from randwalk.pde.solver.chains import INNER
from randwalk.pde.solver.grid import Grid
from randwalk.pde.solver.schemes import SDIRK2, Clock, march
from randwalk.pde.solver.shares import start_state
from randwalk.pde.solver.stencil import Stencil

ABSORBING, REFLECTING, ROBIN = rw.Absorbing(), rw.Reflecting(), rw.PartiallyAbsorbing(1.5)


def box(left: Wall, right: Wall, drift: CoefficientLike = 1.0, killing: CoefficientLike = 0.0) -> FokkerPlanck:
    return FokkerPlanck(drift, 0.5, domain=rw.Interval(0.0, 2.0, left, right), start=0.5, killing=killing)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-5])
def test_error_estimate_brackets_the_true_error(tolerance: float) -> None:
    """E[X_T²] for OU: (x e^-T)² + (D/θ)(1 - e^-2T); quadratics are the first that second-order schemes miss."""
    ou = FokkerPlanck(rw.Affine(slope=-1.0), 0.5)
    found = backward(ou, lambda x: x**2, 0.7, tolerance=tolerance, over=(-2.0, 2.0))
    x = np.linspace(-2.0, 2.0, 41)
    exact = x**2 * math.exp(-1.4) + 0.5 * (1 - math.exp(-1.4))
    error = np.abs(found.value(x) - exact).max()
    assert found.error_estimate / 4 <= error <= 4 * found.error_estimate
    assert found.error_estimate <= tolerance * exact.max() * 1.05


def test_jump_payoff() -> None:
    """P(X_T > 0.3) for Brownian motion with drift."""
    problem = FokkerPlanck(0.4, 0.5)
    found = backward(problem, lambda x: (x > 0.3).astype(float), 1.0, tolerance=1e-4, over=(-1.0, 1.0))
    x = np.linspace(-1.0, 1.0, 21)
    assert np.abs(found.value(x) - ndtr(x + 0.4 - 0.3)).max() <= 2e-4


PROBLEMS = [
    box(ABSORBING, ABSORBING),
    box(REFLECTING, ROBIN),
    box(ROBIN, ABSORBING, rw.expression("1 - x + sin(5*t)")),
    box(REFLECTING, REFLECTING, killing=rw.expression("x")),
    FokkerPlanck(1.0, rw.expression("0.1 + 0.05*sin(2*x)"), domain=rw.Ring(0.0, math.pi), start=0.5),
]


@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
def test_duality(problem: FokkerPlanck) -> None:
    """<f, ρ(T)> = <u(0), ρ₀>: to rounding on one grid where the steps mirror each other, to the tolerances between solvers."""
    time, domain = 0.6, problem.domain
    grid = Grid(domain.low, domain.high, 64, domain.left, domain.right, domain.periodic)
    stencil = Stencil(problem, grid)
    start, f = start_state(problem, grid), np.zeros(grid.cells + 3)
    f[INNER] = np.cos(grid.x)
    clock = Clock.equal(np.array([time]), 0.01)
    *_, (_, _, forward) = march(SDIRK2(), [stencil.forward], start, clock, 0.0)
    *_, (_, _, values) = march(SDIRK2(), [lambda tau, s, u: stencil.backward(tau, time - s, u)], f, clock, -1.0)
    # the damped first step lies at opposite ends, so the two differ by its error, about (dt/T)²/8
    assert forward[INNER] @ f[INNER] == pytest.approx(values[INNER] @ start[INNER], abs=1e-4)
    solution = solve(problem, [time], tolerance=1e-5)
    found = backward(problem, np.cos, time, tolerance=1e-5)
    expected = float(solution.density[0] @ np.cos(solution.x) * solution.grid.h)
    assert found.value(0.5) == pytest.approx(expected, abs=1e-4)


def test_paid_on_leaving() -> None:
    """Everybody leaves or stays: with 1 paid everywhere u = 1."""
    problem = box(ABSORBING, ROBIN, killing=0.7)
    found = backward(problem, lambda x: np.ones_like(x), 0.8, left=1.0, right=1.0, killed=1.0)
    assert np.abs(found.u - 1.0).max() < 1e-12
    left = backward(problem, lambda x: 0.0 * x, 0.8, tolerance=1e-5, left=1.0)
    assert left.value(0.5) == pytest.approx(solve(problem, [0.8], tolerance=1e-5).absorbed("left", 0.8), abs=2e-5)


def test_mean_exit_time_closed_forms() -> None:
    """a = 0: x(L - x)/2D; with drift (2 P(right) L... - x)/a; one reflecting wall: (L² - x²)/2D."""
    found = mean_exit_time(box(ABSORBING, ABSORBING, 0.0))
    error = np.abs(found.u - found.x * (2.0 - found.x)).max()
    assert found.error_estimate / 4 <= error <= 4 * found.error_estimate <= 4e-4
    found = mean_exit_time(box(REFLECTING, ABSORBING, 0.0))
    assert np.abs(found.u - (4.0 - found.x**2)).max() <= 4 * found.error_estimate
    found = mean_exit_time(box(ABSORBING, ABSORBING), tolerance=1e-6)
    right = -np.expm1(-2.0 * found.x) / -math.expm1(-4.0)
    assert np.abs(found.u - (2.0 * right - found.x)).max() <= 4e-6
    found = mean_exit_time(box(REFLECTING, REFLECTING, killing=0.25))
    assert np.abs(found.u - 4.0).max() < 1e-9
    robin = mean_exit_time(box(REFLECTING, ROBIN, 0.0))  # (L² - x²)/2D + L/K
    assert np.abs(robin.u - (4.0 - robin.x**2 + 2.0 / 1.5)).max() <= 4 * robin.error_estimate


def test_exit_over_a_high_barrier() -> None:
    """Kramers: from the left well of x²/2 - x⁴/4, D = 0.01, τ = 2π/√2 e^(1/4D) (1 + O(D)): 25 kT is no trouble to rounding."""
    problem = FokkerPlanck(
        rw.expression("x - x**3"), 0.01, domain=rw.Interval(-2.0, 1.0, REFLECTING, ABSORBING), start=-1.0
    )
    found = mean_exit_time(problem, tolerance=1e-3)
    assert found.value(-1.0) == pytest.approx(2 * math.pi / math.sqrt(2.0) * math.exp(25.0), rel=0.05)


def test_exit_probabilities() -> None:
    problem = box(ABSORBING, ABSORBING)
    right = exit_probability(problem, "right")
    assert np.abs(right.u - np.expm1(-2.0 * right.x) / math.expm1(-4.0)).max() < 1e-12  # the fluxes are exact here
    everything = box(ABSORBING, ROBIN, killing=rw.expression("1 + x"))
    parts = [exit_probability(everything, wall, tolerance=1e-5) for wall in ("left", "right", "killing")]
    assert sum(part.value(0.8) for part in parts) == pytest.approx(1.0, abs=3e-5)


def test_bad_input_is_refused() -> None:
    problem, line = box(ABSORBING, REFLECTING), FokkerPlanck(0.0, 0.5)
    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: backward(problem, np.cos, 0.0), "time = 0"),
        (lambda: backward(problem, np.cos, 1.0, over=(1.0, 0.5)), "over ="),
        (lambda: backward(problem, lambda x: np.full_like(x, np.nan), 1.0), "payoff at x"),
        (lambda: backward(line, np.cos, 1.0, over=(-1.0, 1.0)).value(2.0), "asked for from -1 to 1"),
        (lambda: mean_exit_time(line), "bounded domain"),
        (lambda: mean_exit_time(box(REFLECTING, REFLECTING)), "nobody ever leaves"),
        (lambda: mean_exit_time(box(ABSORBING, REFLECTING, rw.expression("sin(t)"))), "depend on time"),
        (lambda: exit_probability(problem, "right"), "nobody leaves"),
        (lambda: exit_probability(problem, "up"), "wall = 'up'"),
        (
            lambda: backward(FokkerPlanck(rw.expression("x"), rw.expression("x**2")), 1.0, 1.0),
            "start where diffusion > 0",
        ),
    ]
    for call, message in refused:
        with pytest.raises(ValueError, match=message):
            call()


def test_a_number_is_a_payoff() -> None:
    """As for :func:`randwalk.pde.expectation`: twice the survival."""
    problem = box(ABSORBING, ABSORBING)
    survival, twice = (backward(problem, payoff, 0.1) for payoff in (lambda x: np.ones_like(x), 2.0))
    assert twice.value(0.8) == pytest.approx(2.0 * survival.value(0.8), rel=1e-12)
    with pytest.raises(TypeError, match=r"payoff = 'x': a formula is given as rw.expression\('x'\)"):
        backward(problem, "x", 0.1)  # type: ignore[arg-type]


def test_repr_and_plot() -> None:
    import matplotlib

    matplotlib.use("Agg")
    found = mean_exit_time(box(ABSORBING, ABSORBING))
    assert repr(found).startswith("BackwardSolution(mean exit time for x from 0 to 2")
    assert len(found.plot().lines) == 1
    matplotlib.pyplot.close("all")


def test_exit_over_a_narrow_smooth_barrier() -> None:
    """∫ e^V up to the start over that between the walls; far from its bell the drift underflows, which is no warning."""
    centre, width, height = 0.3333, 1e-3, 2000.0
    drift = rw.expression(f"-{height}*exp(-((x-{centre})/{width})**2)")
    x = np.union1d(np.linspace(0.0, 1.0, 4001), np.linspace(centre - 8 * width, centre + 8 * width, 8001))
    scale = np.exp(height * width * math.sqrt(math.pi) / 2 * (1 + erf((x - centre) / width)))
    right = exit_probability(
        FokkerPlanck(drift, 1.0, domain=rw.Interval(0.0, 1.0, ABSORBING, ABSORBING), start=0.1), "right", tolerance=1e-6
    ).value(0.1)
    assert float(right) == pytest.approx(0.1 / np.trapezoid(scale, x), rel=1e-4)
