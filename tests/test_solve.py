"""The finite-difference solver against closed forms, its orders, and what it must keep: mass, sign, equilibrium."""

import itertools
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from scipy.special import ndtr

import randwalk as rw
from randwalk.model.bernoulli import bernoulli
from randwalk.model.coefficient import Floats
from randwalk.model.domain import Domain, Wall
from randwalk.model.start import StartLike
from randwalk.pde.closed_form import closed_form
from randwalk.pde.equation import FokkerPlanck
from randwalk.pde.solve import Solution, solve
from randwalk.pde.solver.chains import INNER, Resolvent
from randwalk.pde.solver.forward import Run
from randwalk.pde.solver.grid import Grid
from randwalk.pde.solver.mesh import Mesh
from randwalk.pde.solver.schemes import SDIRK2, BackwardEuler, Clock, CrankNicolson, Scheme, march
from randwalk.pde.solver.shares import start_state
from randwalk.pde.solver.stencil import Stencil

Case: TypeAlias = tuple[str, FokkerPlanck, Callable[[Floats, float], Floats]]

ABSORBING, REFLECTING, ROBIN = rw.Absorbing(), rw.Reflecting(), rw.PartiallyAbsorbing(1.5)
WALLS: dict[str, Wall] = {"absorbing": ABSORBING, "reflecting": REFLECTING, "robin": ROBIN}


def normal_cdf(x: Floats, mean: float, variance: float) -> Floats:
    return ndtr((x - mean) / math.sqrt(variance))


def reactivity(wall: Wall) -> float:
    return math.inf if isinstance(wall, rw.Absorbing) else getattr(wall, "reactivity", 0.0)


def eigen_cdf(
    x: Floats, t: float, start: float, drift: float, diffusion: float, length: float, left: Wall, right: Wall
) -> Floats:
    """Mass in [0, x] at t for constant drift: ρ = e^{βx} Σ cᵢ φᵢ e^{-λᵢt}, β = a/2D, φ' = hφ at 0 and φ' = -gφ at `length`,
    φ = cos(ωx) + (h/ω) sin(ωx); here as the exact eigenvalues by root search and integrals by Gauss–Legendre."""
    b = drift / (2.0 * diffusion)
    h, g = reactivity(left) / diffusion + b, reactivity(right) / diffusion - b

    def shape(omega2: Any, y: Any) -> tuple[Any, Any]:
        """(φ, φ') from φ(0), φ'(0); real for negative ω² too."""
        value, slope = (0.0, 1.0) if math.isinf(h) else (1.0, h)
        w = np.sqrt(np.asarray(omega2, dtype=complex))
        c, s = np.cos(w * y).real, (np.sin(w * y) / w).real
        return value * c + slope * s, -value * omega2 * s + slope * c

    def condition(omega2: Any) -> Any:
        value, slope = shape(omega2, length)
        return value if math.isinf(g) else slope + g * value

    grid = np.concatenate([np.linspace(-40.0, 0.0, 400), np.linspace(1e-9, 60.0, 6001) ** 2])
    grid = np.unique(grid[grid != 0.0])
    values = condition(grid)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    y = 0.5 * length * (nodes + 1.0)
    total = np.zeros(np.shape(x))
    for k in np.flatnonzero(np.sign(values[1:]) != np.sign(values[:-1])):
        omega2 = brentq(condition, grid[k], grid[k + 1], xtol=1e-13)
        decay = math.exp(-diffusion * (omega2 + b * b) * t)
        if decay < 1e-13:
            continue
        norm = 0.5 * length * (weights @ shape(omega2, y)[0] ** 2)
        start_value = math.exp(-b * start) * shape(omega2, start)[0] / norm
        parts = 0.5 * x[:, None] * (nodes + 1.0)
        integral = 0.5 * x * (np.exp(b * parts) * shape(omega2, parts)[0] @ weights)
        total += start_value * decay * integral
    return total


def half_line_cdf(x: Floats, t: float, start: float, a: float, d: float, wall: Wall) -> Floats:
    """Mass in [0, x], by images [absorbing, reflecting] and the Robin Green's function of Carslaw & Jaeger §14.2, a = 0."""
    s = math.sqrt(2.0 * d * t)

    def between(mean: float) -> Floats:
        return ndtr((x - mean) / s) - ndtr(-mean / s)

    if isinstance(wall, rw.Absorbing):
        return between(start + a * t) - math.exp(-a * start / d) * between(-start + a * t)
    assert a == 0.0
    plain = between(start) + between(-start)
    if isinstance(wall, rw.Reflecting):
        return plain
    k = reactivity(wall) / d

    def image_line(c: Any) -> Any:  # ∫ k e^{-kz} Φ((c + z)/s) dz over z > 0
        return ndtr(c / s) + np.exp(k * c + 0.5 * (k * s) ** 2) * ndtr(-c / s - k * s)

    return plain - 2.0 * (image_line(x + start) - image_line(start))


def passed_left(start: float, length: float, left: Wall, right: Wall, cdf: Callable[[Floats], Floats]) -> float:
    """P(absorbed left by t) for a = 1, D = ½ from h, the probability of leaving left in the end: h(X) is a martingale, so it is
    h(start) - E[h(X_t); alive], with h = p + q e^{-2x}, ½h' = K (h - 1) at 0 and -½h' = K h at the end."""
    e = math.exp(-2.0 * length)
    near, far = (min(reactivity(wall), 1e15) for wall in (left, right))
    p, q = np.linalg.solve([[near, near + 1.0], [far, (far - 1.0) * e]], [near, 0.0])
    nodes, weights = np.polynomial.legendre.leggauss(200)
    y = 0.5 * length * (nodes + 1.0)
    alive = (p + q * e) * cdf(np.array([length]))[0] + 0.5 * length * (weights @ (2.0 * q * np.exp(-2.0 * y) * cdf(y)))
    return p + q * math.exp(-2.0 * start) - alive


def drifting(domain: Domain, start: StartLike = 0.7, drift: float = 1.0, killing: float = 0.0) -> FokkerPlanck:
    return FokkerPlanck(drift, 0.5, domain=domain, start=start, killing=killing)


def at(cdf: Callable[[Floats, float], Floats], t: float) -> Callable[[Floats], Floats]:
    return lambda x: cdf(x, t)


def true_error(solution: Solution, t: float, cdf: Callable[[Floats], Floats]) -> float:
    """In the norm of the estimate: the cdf at every cell edge, and the mass absorbed at the left of an interval."""
    edges, domain = solution.edges, solution.equation.domain
    error = float(np.abs(solution.cdf(edges, t) - cdf(edges)).max())
    if domain.left in (None, REFLECTING) or domain.right in (None, REFLECTING):
        return error  # one way out at most: what has left is what is missing from the cdf
    assert isinstance(solution.equation.start, rw.Point)
    exact = passed_left(solution.equation.start.x, domain.high, domain.left, domain.right, cdf)
    return max(error, abs(float(solution.absorbed("left", t)) - exact))


def line_cases() -> Iterator[Case]:
    yield "line", drifting(rw.Line()), lambda x, t: normal_cdf(x, 0.7 + t, t)
    yield "off centre", drifting(rw.Line(), 0.123, -2.0), lambda x, t: normal_cdf(x, 0.123 - 2.0 * t, t)
    ou = FokkerPlanck(rw.Affine(slope=-2.0), 0.5, start=1.3)
    yield "ou", ou, lambda x, t: normal_cdf(x, 1.3 * math.exp(-2 * t), 0.25 * (1 - math.exp(-4 * t)))
    table = FokkerPlanck(rw.Table([-9, 0, 9], [18, 0, -18]), 0.5, start=1.3)
    yield "table", table, lambda x, t: normal_cdf(x, 1.3 * math.exp(-2 * t), 0.25 * (1 - math.exp(-4 * t)))
    benes = FokkerPlanck(rw.Tanh(1.0, 1.0), 0.5, start=0.2)  # ρ = ½(1 ± tanh 0.2)-mixture of drifts ±1
    up = 0.5 * (1.0 + math.tanh(0.2))
    yield "benes", benes, lambda x, t: up * normal_cdf(x, 0.2 + t, t) + (1 - up) * normal_cdf(x, 0.2 - t, t)
    driven = FokkerPlanck(rw.expression("cos(3*t)"), 0.5)
    yield "driven", driven, lambda x, t: normal_cdf(x, math.sin(3 * t) / 3, t)
    normal = drifting(rw.Line(), rw.Normal(0.1, 0.3))
    yield "normal", normal, lambda x, t: normal_cdf(x, 0.1 + t, t + 0.09)
    narrow = drifting(rw.Line(), rw.Normal(0.1, 0.001))
    yield "narrow", narrow, lambda x, t: normal_cdf(x, 0.1 + t, t + 1e-6)
    killed = drifting(rw.Line(), killing=0.8)
    yield "killed", killed, lambda x, t: math.exp(-0.8 * t) * normal_cdf(x, 0.7 + t, t)
    sites = drifting(rw.Line(), rw.Sites([-0.5, 0.21], [0.3, 0.7]))
    yield "sites", sites, lambda x, t: 0.3 * normal_cdf(x, t - 0.5, t) + 0.7 * normal_cdf(x, t + 0.21, t)

    def uniform(x: Floats, t: float) -> Floats:
        s, (low, high) = math.sqrt(t), (-0.3, 0.7)
        below = [(x - t - e) / s for e in (low, high)]
        primitive = [s * (z * ndtr(z) + np.exp(-z * z / 2) / math.sqrt(2 * math.pi)) for z in below]
        return (primitive[0] - primitive[1]) / (high - low)

    yield "uniform", drifting(rw.Line(), rw.Uniform(-0.3, 0.7)), uniform

    def ring(x: Floats, t: float) -> Floats:
        turns = np.arange(-8, 9)[:, None]
        s = math.sqrt(0.2 * t)
        return (ndtr((x + turns - 0.3 - t) / s) - ndtr((turns - 0.3 - t) / s)).sum(axis=0)

    yield "ring", FokkerPlanck(1.0, 0.1, domain=rw.Ring(0.0, 1.0), start=0.3), ring


def wall_cases() -> Iterator[Case]:
    half = rw.Interval(0.0, math.inf, ABSORBING)
    yield "half absorbing", drifting(half), lambda x, t: half_line_cdf(x, t, 0.7, 1.0, 0.5, ABSORBING)
    for name in ("reflecting", "robin"):
        wall = WALLS[name]
        problem = drifting(rw.Interval(0.0, math.inf, wall), drift=0.0)
        yield f"half {name}", problem, partial(half_line_cdf, start=0.7, a=0.0, d=0.5, wall=wall)
    for (left, first), (right, second) in itertools.product(WALLS.items(), repeat=2):

        def cdf(x: Floats, t: float, walls: tuple[Wall, Wall] = (first, second)) -> Floats:
            return eigen_cdf(x, t, 0.7, 1.0, 0.5, 2.0, *walls)

        yield f"{left} {right}", drifting(rw.Interval(0.0, 2.0, first, second)), cdf


CASES = {name: (problem, cdf) for name, problem, cdf in [*line_cases(), *wall_cases()]}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("tolerance", [1e-3, 1e-4])
def test_error_estimate_brackets_the_true_error(name: str, tolerance: float) -> None:
    problem, cdf = CASES[name]
    times = [0.08, 0.3, 1.0]
    solution = solve(problem, times, tolerance=tolerance)
    errors = np.array([true_error(solution, t, at(cdf, t)) for t in times])
    assert solution.error_estimate <= tolerance
    assert errors.max() <= 4.0 * solution.error_estimate and errors.max() >= solution.error_estimate / 4.0
    assert (errors <= 4.0 * solution.errors).all() and (errors >= solution.errors / 4.0).all()
    assert solution.leaked <= 1e-3 * tolerance
    assert solution.density.min() >= -1e-14 * solution.density.max()


@pytest.mark.parametrize("name", [n for n in CASES if n not in ("table", "narrow")])
def test_second_order_in_space(name: str) -> None:
    """Halving h divides the error by 4; the measured order is 2 to within what the next (fourth) order leaves at h = 1/30."""
    problem, cdf = CASES[name]
    edges: Floats | None = None
    errors: list[float] = []
    for cells in (200, 400, 800):
        solution = solve(problem, [0.5], cells=cells)
        edges = solution.edges if edges is None else edges
        errors.append(np.abs(solution.cdf(edges, 0.5) - cdf(edges, 0.5)).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.abs(orders - 2.0).max() < 0.15, (orders, errors)


@pytest.mark.parametrize(("scheme", "order"), [(BackwardEuler, 1), (CrankNicolson, 2), (SDIRK2, 2)])
@pytest.mark.parametrize("drift", ["-x", "-x + sin(4*t)"])
def test_order_of_the_schemes(scheme: type[BackwardEuler | CrankNicolson | SDIRK2], order: int, drift: str) -> None:
    """On one grid against the same grid with steps a sixth of the shortest, whose error of 3 % changes an order by 0.03."""
    grid = Grid(-5.0, 5.0, 100)
    problem = FokkerPlanck(rw.expression(drift), 0.5, start=rw.Normal(1.0, 0.5))
    times = np.array([1.0])

    def final(used: Scheme, steps: int) -> Floats:
        return Run.of(problem, used, Mesh((grid,), problem.domain), Clock.octaves(times, steps)).mass[0]

    reference = final(SDIRK2(), 1000)
    errors = [np.abs(final(scheme(), n) - reference).max() for n in (40, 80, 160)]
    assert np.log2(errors[1] / errors[2]) == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("scheme", [BackwardEuler(), CrankNicolson(), SDIRK2()])
def test_schemes_reach_the_tolerance(scheme: Scheme) -> None:
    problem, cdf = CASES["ou"]
    solution = solve(problem, [0.3, 1.0], tolerance=1e-3, scheme=scheme)
    for t in (0.3, 1.0):
        assert true_error(solution, t, at(cdf, t)) <= 1e-3


def stiff_problem(domain: Domain) -> FokkerPlanck:
    """All coefficients vary: drift up to Péclet number 50 a cell, D by a factor 3, killing."""
    wave = "sin(6.283185307179586*x)"
    return FokkerPlanck(
        rw.expression(f"40*{wave} + 10*cos(5*t)"),
        rw.expression(f"0.1 + 0.05*{wave}"),
        domain=domain,
        start=0.31,
        killing=rw.expression(f"1+{wave}"),
    )


DOMAINS: list[Domain] = [rw.Ring(0.0, 1.0)]
PAIRS: list[tuple[Wall, Wall]] = list(itertools.combinations_with_replacement(WALLS.values(), 2))
DOMAINS += [rw.Interval(0.0, 1.0, left, right) for left, right in PAIRS]


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_the_operator_is_an_m_matrix_and_keeps_mass(domain: Domain) -> None:
    grid = Grid(0.0, 1.0, 24, domain.left, domain.right, domain.periodic)
    chain = Stencil(stiff_problem(domain), grid).chain(0.2)
    a = chain.matrix()
    assert (a[~np.eye(27, dtype=bool)] >= 0.0).all() and (np.diag(a)[INNER] < 0.0).all()
    assert np.abs(a.sum(axis=0)).max() <= 8 * np.finfo(float).eps * np.abs(a).max()
    inverse = np.linalg.inv(np.eye(27) - 0.3 * a)
    assert inverse.min() >= -1e-15
    state = np.random.default_rng(1).random(27)
    resolvent = Resolvent(chain, 0.3)
    assert np.allclose(resolvent.forward(state), inverse @ state, rtol=1e-13, atol=0)
    assert resolvent.forward(state).sum() == pytest.approx(state.sum(), rel=1e-14)
    assert np.allclose(resolvent.backward(state), inverse.T @ state, rtol=1e-13, atol=0)


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
@pytest.mark.parametrize("scheme", [BackwardEuler(), CrankNicolson(), SDIRK2()])
def test_mass_is_kept_and_nothing_becomes_negative(domain: Domain, scheme: Scheme) -> None:
    """From a point, with steps far too long to be accurate: mass to rounding (ulps × steps), sign exactly."""
    grid = Grid(0.0, 1.0, 200, domain.left, domain.right, domain.periodic)
    run = Run.of(stiff_problem(domain), scheme, Mesh((grid,), domain), Clock.equal(np.array([0.01, 0.5]), 0.01))
    assert np.abs(run.mass.sum(axis=1) + run.left_so_far[run.at].sum(axis=1) - 1.0).max() < 1e-13
    assert run.mass.min() >= -1e-14 * run.mass.max()
    assert (np.diff(run.left_so_far, axis=0) >= -1e-14).all()


def test_a_step_that_would_break_the_sign_is_made_again() -> None:
    """Crank–Nicolson with dt D/h² = 2500 rings around an edge that killing switched on later leaves; the sign is kept."""
    problem = FokkerPlanck(
        0.0,
        1e-3,
        domain=rw.Interval(0, 1, REFLECTING, REFLECTING),
        start=0.5,
        killing=rw.expression("1e4*heaviside(t-0.35)"),
    )
    grid = Grid(0.0, 1.0, 500, REFLECTING, REFLECTING)
    stencil = Stencil(problem, grid)
    start = start_state(problem, grid)
    plain = CrankNicolson().step(stencil.forward, start, 0.4, 0.1)
    assert plain[INNER].min() < -0.1
    for _, _, state in march(CrankNicolson(), [stencil.forward], start, Clock.equal(np.ones(1), 0.1), 0.0):
        assert state[INNER].min() >= -1e-14


def test_bernoulli_function() -> None:
    w = np.array([-800.0, -40.0, -1.0, -1e-14, 0.0, 1e-9, 1.0, 40.0, 800.0])
    value, mirrored = bernoulli(w)
    assert np.allclose(
        value[:-1],
        [800.0, 40.0, 1 / (1 - math.exp(-1)), 1.0, 1.0, 1.0, 1 / (math.e - 1), 40 / math.expm1(40)],
        rtol=1e-8,
    )
    assert value[-1] == 0.0 and np.array_equal(mirrored, value[::-1]) is False
    inner = slice(1, -1)
    assert np.allclose(np.log(mirrored[inner] / value[inner]), w[inner], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("convention", list(rw.Convention))
def test_equilibrium_is_exact(convention: rw.Convention) -> None:
    """Between reflecting walls ρ ∝ exp(∫B/D) is what the scheme stays at: the potential here is a sine, D a cosine; the
    integral over a cell is exact to h⁶ (1e-11 at 100 cells), so only rounding and that remain."""
    a, d = rw.expression("2*cos(3*x)"), rw.expression("1 + 0.5*cos(x)")
    problem = FokkerPlanck(a, d, domain=rw.Interval(0.0, 2.0, REFLECTING, REFLECTING), start=0.4, convention=convention)
    solution = solve(problem, [60.0], cells=100)
    x = np.linspace(0.0, 2.0, 4001)
    b = (problem.drift(x) - d.derivative("x")(x)) / d(x)
    potential = np.append(0.0, np.cumsum(0.5 * (b[1:] + b[:-1]) * np.diff(x)))  # 1e-7 by the trapezoidal rule
    ratio = solution.density[0] / np.exp(np.interp(solution.x, x, potential))
    assert np.ptp(ratio) / ratio.mean() < 1e-6


def test_fick_diffusion_spreads_evenly() -> None:
    """Without drift, Fick's form has the uniform law as its equilibrium: to rounding of the solves."""
    d = rw.expression("1 + 0.5*sin(3*x)")
    problem = FokkerPlanck(
        0.0, d, domain=rw.Interval(0.0, 2.0, REFLECTING, REFLECTING), start=0.4, convention=rw.Convention.FICK
    )
    assert np.abs(solve(problem, [60.0], cells=64).density - 0.5).max() < 1e-11


def test_variable_diffusion_against_its_closed_form() -> None:
    """dX = √2 s X dW (Itô, D = s²X²) from 1 is log-normal: ln X ~ N(-s²t, 2s²t)."""
    s = 0.3
    problem = FokkerPlanck(0.0, rw.expression("0.09*x**2"), domain=rw.Interval(0.01, math.inf, REFLECTING), start=1.0)
    solution = solve(problem, [0.5], tolerance=1e-4)
    error = true_error(solution, 0.5, lambda x: normal_cdf(np.log(x), -s * s * 0.5, 2 * s * s * 0.5))
    assert solution.error_estimate / 4 <= error <= 4 * solution.error_estimate


@pytest.mark.parametrize("method", ["LSODA", "Radau"])
def test_against_scipy_on_the_same_stencil(method: str) -> None:
    """The same matrix through an independent integrator at rtol 1e-9: what differs is the time error, held below 15 % of
    the space error (about 5e-5 for 100 cells)."""
    domain = rw.Interval(0.0, 2.0, ABSORBING, ROBIN)
    problem = FokkerPlanck(
        rw.expression("1 - x"), rw.expression("0.5 + 0.1*x"), domain=domain, start=rw.Normal(1.0, 0.1)
    )
    solution = solve(problem, [0.5], cells=100)
    a = Stencil(problem, solution.grid).chain(0.0).matrix()[INNER, INNER]
    start = start_state(problem, solution.grid)[INNER]
    found = solve_ivp(
        lambda t, m: a @ m,
        (0.0, 0.5),
        start,
        method=method,
        jac=a if method == "Radau" else None,
        rtol=1e-9,
        atol=1e-12,
    )
    difference = np.abs(np.cumsum(found.y[:, -1]) - np.cumsum(solution.density[0]) * solution.grid.h).max()
    assert difference < 0.5 * solution.error_estimate


def test_passages_and_survival() -> None:
    """First passage through 0 with drift away from 0.7 is inverse Gaussian; between recorded times too."""
    problem = drifting(rw.Interval(0.0, math.inf, ABSORBING))
    solution = solve(problem, [0.5, 2.0], tolerance=1e-4)
    t = np.linspace(0.05, 2.0, 40)
    exact = ndtr((-0.7 - t) / np.sqrt(t)) + math.exp(-1.4) * ndtr((-0.7 + t) / np.sqrt(t))
    recorded = solution.absorbed("left", solution.times) - exact[[9, 39]]
    assert np.abs(recorded).max() <= 1e-4
    assert np.abs(solution.absorbed("left", t) - exact).max() <= 2e-4  # steps are chosen for the recorded times
    assert np.abs(solution.survival(t) - (1 - exact)).max() <= 2e-4
    assert solution.absorbed("left", 2.0) + solution.survival(2.0) == pytest.approx(1.0, abs=1e-6)
    assert solution.absorbed("killing", [1.0]) == 0.0


def test_masses_density_and_mean() -> None:
    problem, cdf = CASES["ou"]
    solution = solve(problem, [0.3, 1.0], tolerance=1e-4)
    edges = np.linspace(-1.0, 2.0, 14)
    assert np.abs(solution.mass(edges, 1.0) - np.diff(cdf(edges, 1.0))).max() < 2e-4
    x, sd = np.linspace(-1, 2, 31), math.sqrt(0.25 * (1 - math.exp(-4)))
    pdf = np.exp(-0.5 * ((x - 1.3 * math.exp(-2)) / sd) ** 2) / (sd * math.sqrt(2 * math.pi))
    assert np.abs(solution.pdf(x, 1.0) - pdf).max() < 1e-3
    assert solution.mean(1.0) == pytest.approx(1.3 * math.exp(-2), abs=1e-4)
    assert solution.pdf(1e3, 1.0) == 0.0 and solution.cdf(-1e3, 1.0) == 0.0
    assert solution.error(1.0) == solution.errors[1]


def test_windows_hold_the_mass_and_no_more() -> None:
    """Unreached walls are cut off too, and a window is not wider than twice what a normal law asks for."""
    far = solve(drifting(rw.Interval(-100.0, 100.0, ABSORBING, REFLECTING), 0.0), [0.01], tolerance=1e-4)
    assert far.window[1] - far.window[0] < 2.5
    for t in (0.01, 1.0, 20.0):
        low, high = solve(FokkerPlanck(rw.expression("x - x**3"), 0.1), [t], tolerance=1e-4).window
        assert high - low < 24 * math.sqrt(0.2 * t) and high - low < 8.0
    late = solve(CASES["ou"][0], [200.0], tolerance=1e-4)
    assert late.steps < 100 and late.window[1] < 5.0


def test_starts_on_and_beside_walls() -> None:
    """A start on a reflecting wall is the folded normal; one ε from an absorbing wall survives as ε erf-like, to tolerance."""
    t = 0.3
    folded = solve(
        FokkerPlanck(0.0, 0.5, domain=rw.Interval(0.0, math.inf, REFLECTING), start=0.0), [t], tolerance=1e-4
    )
    assert true_error(folded, t, lambda x: 2 * ndtr(x / math.sqrt(t)) - 1) <= 1e-4
    beside = solve(
        FokkerPlanck(0.0, 0.5, domain=rw.Interval(0.0, math.inf, ABSORBING), start=0.001), [t], tolerance=1e-5
    )
    assert beside.survival(t) == pytest.approx(2 * ndtr(0.001 / math.sqrt(t)) - 1, abs=1e-5)


def test_bad_input_is_refused() -> None:
    ou = CASES["ou"][0]
    box = rw.Interval(0.0, 1.0, ABSORBING, ABSORBING)
    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: solve(ou, []), "times"),
        (lambda: solve(ou, [0.0, 1.0]), "times: 0 must be positive"),
        (lambda: solve(ou, [1.0, 0.5]), "0.5 comes after 1"),
        (lambda: solve(ou, [math.nan]), "times: nan"),
        (lambda: solve(ou, [1.0], tolerance=0.0), "tolerance = 0"),
        (lambda: solve(drifting(box), [0.1], tolerance=1e-12), "out of reach: .* was reached; .*: take tolerance = "),
        (
            lambda: solve(ou, [1.0], tolerance=1e-5, scheme=BackwardEuler(dt=0.01)),
            "out of reach: .* was reached; .*: leave dt out",
        ),
        (lambda: solve(ou, [1.0], cells=6), "cells = 6"),
        (lambda: solve(ou, [1.0], cells=101), "cells = 101: must be an even"),
        (lambda: BackwardEuler(dt=-1.0), "dt = -1"),
        (
            lambda: solve(FokkerPlanck(rw.expression("sqrt(x - 0.5)"), 1.0, domain=box, start=0.6), [1.0]),
            "drift = nan at x = 0.00",
        ),
        (
            lambda: solve(FokkerPlanck(0.0, rw.expression("x - 0.5"), domain=box, start=0.6), [1.0]),
            "diffusion = -0.* at x = 0.0",
        ),
        (
            lambda: solve(FokkerPlanck(0.0, 1.0, domain=box, start=0.6, killing=rw.expression("-x")), [1.0]),
            "killing = -0.* must not be negative",
        ),
        (lambda: solve(FokkerPlanck(rw.expression("x**3"), 1.0, start=1.0), [9.0]), "does not stay in any window"),
    ]
    for call, message in refused:
        with pytest.raises(ValueError, match=message):
            call()
    solution = solve(ou, [1.0])
    misused: list[tuple[Callable[[], object], str]] = [
        (lambda: solution.cdf(0.0, 0.5), "t = 0.5 was not recorded"),
        (lambda: solution.absorbed("left", 1.0), "has no wall there"),
        (lambda: solution.absorbed("up", 1.0), "'left', 'right', 'killing'"),
        (lambda: solution.survival(2.0), "covers times from 0 to 1"),
        (lambda: solution.mass([1.0, 0.0], 1.0), "edges"),
    ]
    for call, message in misused:
        with pytest.raises(ValueError, match=message):
            call()


def test_repr_and_plot() -> None:
    import matplotlib

    matplotlib.use("Agg")
    solution = solve(CASES["ou"][0], [0.5, 1.0], tolerance=1e-3)
    assert repr(solution).startswith("Solution(times 0.5 … 1, ") and "SDIRK2, error ≈" in repr(solution)
    assert len(solution.plot([0.5, 1.0]).lines) == 2
    assert len(solution.plot(1.0).lines) == len(solution.plot().lines) == 1
    matplotlib.pyplot.close("all")


@pytest.mark.quick
@pytest.mark.parametrize("domain", [rw.Line(), rw.Interval(0.0, math.inf, rw.Absorbing()),
                                    rw.Interval(0.0, math.inf, rw.Reflecting())])  # fmt: skip
@pytest.mark.parametrize("start", [rw.Point(20.0), rw.Normal(20.0, 1.0)])
def test_nobody_survives_a_killing_that_is_quicker_than_any_step(domain: Domain, start: StartLike) -> None:
    equation = rw.pde.FokkerPlanck(-1.0, 0.5, domain=domain, start=start, killing=1e9)  # survival exp(-5e8)
    solution = rw.pde.solve(equation, [0.5], tolerance=1e-4)
    assert abs(float(solution.survival(0.5))) < 1e-9
    assert solution.x[0] < 20.0 < solution.x[-1]


def test_a_number_of_cells_is_told_shortly() -> None:
    equation = rw.pde.FokkerPlanck(-1.0, 1e-300, domain=rw.Interval(0.0, math.inf, rw.Absorbing()), start=1.0)
    with pytest.raises(ValueError, match="cells") as refusal:
        rw.pde.solve(equation, [0.5], tolerance=1e-4)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize("width", [1e-4, 0.003, 0.01, 0.03, 0.031, 0.1, 0.47])
@pytest.mark.parametrize("tolerance", [1e-3, 1e-4])
def test_errors_from_a_uniform_start_are_as_stated(width: float, tolerance: float) -> None:
    """Wherever its ends lie in the cells, of which it may fill a few, or a part of one."""
    box = rw.Interval(0.0, 1.0, rw.Absorbing(), rw.Absorbing())
    equation, times = (
        FokkerPlanck(0.0, 1.0, domain=box, start=rw.Uniform(0.5 - width / 2, 0.5 + width / 2)),
        [1e-3, 0.01, 0.1],
    )
    law, formula = solve(equation, times, tolerance=tolerance), closed_form(equation)
    for t in times:
        error = np.abs(law.cdf(law.edges, t) - formula.cdf(law.edges, t)).max()
        assert error < 1.5 * law.error(t)


@pytest.mark.parametrize("early", [1e-4, 4.13e-6, 1e-7])
@pytest.mark.parametrize("tolerance", [0.1, 0.03, 1e-2])
def test_errors_at_an_early_time_with_a_late_one_and_a_loose_tolerance(early: float, tolerance: float) -> None:
    """Cells resolve the law at the first recorded time, however short it is beside the last."""
    box = rw.Interval(0.0, 1.0, rw.Absorbing(), rw.Reflecting())
    equation = FokkerPlanck(0.0, 0.5, domain=box, start=rw.Sites([0.684, 0.69, 0.97], [0.2, 0.5, 0.3]))
    times = [early, 7.12e-3]
    law, formula = solve(equation, times, tolerance=tolerance), closed_form(equation)
    for t in times:
        error = np.abs(law.cdf(law.edges, t) - formula.cdf(law.edges, t)).max()
        assert error < 3.0 * law.error(t)
