"""The solver in two and three dimensions, against laws that were not computed with it."""

from __future__ import annotations

import math
import sys
import time
from functools import reduce

import numpy as np
import pytest
from scipy import sparse
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.sparse.linalg import spsolve
from scipy.special import j0, j1, jn_zeros
from scipy.stats import multivariate_normal

import randwalk as rw
from randwalk.model.coefficient import Floats
from randwalk.model.tensor import NoStencil
from randwalk.pde.solver.arguments import check_memory
from randwalk.pde.solver.forward import Forward, Run
from randwalk.pde.solver.grid import Grid
from randwalk.pde.solver.mesh import Mesh
from randwalk.pde.solver.operator import Operator
from randwalk.pde.solver.rates import generator
from randwalk.pde.solver.schemes import SDIRK2, Clock

R, A, P = rw.Reflecting(), rw.Absorbing(), rw.PartiallyAbsorbing(1.0)
TURN = np.array([[1.0, 0.3], [-0.2, 0.8]])  # a = -TURN x
TENSOR = np.array([[0.5, 0.2], [0.2, 0.3]])
START, NARROW = (0.35, 0.6), 0.045
MEAN, SD, TIME = (1.0, 0.5), 0.05**0.5, 1.0
PLANE = rw.Line() ** 2


def gaussian() -> tuple[rw.pde.FokkerPlanck, Floats, Floats]:
    """An equation with a turning linear drift and a tensor D, and the mean and covariance of its law at TIME."""
    equation = rw.pde.FokkerPlanck(
        lambda x, y: (-(x + 0.3 * y), 0.2 * x - 0.8 * y), TENSOR.tolist(), domain=PLANE, start=rw.Normal(MEAN, (SD, SD))
    )

    def rates(t: float, y: Floats) -> Floats:
        m, v = y[:2], y[2:].reshape(2, 2)
        return np.concatenate([-TURN @ m, (-TURN @ v - v @ TURN.T + 2.0 * TENSOR).ravel()])

    begin = np.concatenate([MEAN, (SD**2 * np.eye(2)).ravel()])
    end = solve_ivp(rates, (0.0, TIME), begin, rtol=1e-12, atol=1e-14).y[:, -1]
    return equation, end[:2], end[2:].reshape(2, 2)


def test_a_turning_gaussian_is_of_second_order_and_extrapolated_of_fourth() -> None:
    """Cumulative masses at the corners of all cells, against SciPy's multivariate normal law."""
    equation, mean, covariance = gaussian()
    mesh = Mesh((Grid(-5.0, 5.0, 30), Grid(-5.0, 5.0, 30)), PLANE, (1.0, 1.0))
    family = Forward(equation, np.array([TIME]), SDIRK2(), mesh)
    clock = Clock.octaves(np.array([TIME]), 8)
    runs = [family.run(30 * 2**k, clock.refined(2**k)) for k in range(4)]
    corners = np.stack(np.meshgrid(*(g.edges[1:] for g in family.mesh.axes), indexing="ij"), axis=-1)
    exact = multivariate_normal(mean, covariance).cdf(corners)

    def error(run: Run) -> float:
        ratio = run.mesh.cells // 30
        cdf = run.mass[0].cumsum(axis=0).cumsum(axis=1)[ratio - 1 :: ratio, ratio - 1 :: ratio]
        return float(np.abs(cdf - exact).max())

    plain = [error(run) for run in runs[1:]]
    rich = [error(family.extrapolated(fine, coarse)) for fine, coarse in zip(runs[1:], runs, strict=False)]
    assert np.log2(np.array(plain[:-1]) / plain[1:]) == pytest.approx(2.0, abs=0.1)
    assert np.log2(rich[1] / rich[2]) == pytest.approx(4.0, abs=0.5)
    assert plain[-1] < 4e-4 and rich[-1] < 2e-6
    for run in runs:
        assert run.positive and not run.redone
        assert run.mass.sum() + run.left_so_far[-1].sum() == pytest.approx(1.0, abs=1e-12)


def test_the_law_of_a_gaussian_answers_like_it() -> None:
    """pdf, masses of boxes, moments, expectations and marginals, of a solution of tolerance 1e-4."""
    equation, mean, covariance = gaussian()
    law = rw.pde.solve(equation, [TIME], tolerance=1e-4)
    normal = multivariate_normal(mean, covariance)
    x, y = np.meshgrid(np.linspace(-2.0, 2.0, 9), np.linspace(-2.0, 2.0, 7), indexing="ij")
    assert np.abs(law.pdf((x, y), TIME) - normal.pdf(np.stack([x, y], axis=-1))).max() < 1e-4
    assert law.mean(TIME) == pytest.approx(mean, abs=2e-4)
    assert np.abs(law.variance(TIME) - covariance).max() < 5e-4
    assert law.expect(lambda x, y: x * y, TIME) == pytest.approx(covariance[0, 1] + mean[0] * mean[1], abs=5e-4)
    edges = np.array([-1.0, 0.0, 0.7]), np.array([-0.5, 1.0])
    corner = normal.cdf(np.stack(np.meshgrid(*edges, indexing="ij"), axis=-1))
    assert law.mass(edges, TIME) == pytest.approx(np.diff(np.diff(corner, axis=0), axis=1), abs=2e-4)
    assert law.marginal("y").cdf(0.3, TIME) == pytest.approx(
        multivariate_normal(mean[1], covariance[1, 1]).cdf(0.3), abs=2e-4
    )
    assert law.error_estimate <= 1e-4 and law.leaked < 1e-6 and law.density.min() >= 0.0


Factor = tuple[rw.Coefficient | float, float, object, object]  # drift, D, domain and start of an axis
PRODUCTS: dict[str, tuple[list[Factor], list[float], float]] = {
    "two pairs of walls": (
        [(0.0, 0.5, rw.Interval(0, 1, R, R), rw.Point(0.3)), (0.0, 0.3, rw.Interval(0, 1, A, A), rw.Point(0.6))],
        [0.05, 0.3],
        1e-4,
    ),
    "Robin and a ring": (
        [(0.0, 0.5, rw.Interval(0, 1, P, R), rw.Normal(0.5, 0.05)), (1.0, 0.3, rw.Ring(0, 2), rw.Point(0.6))],
        [0.1, 0.5],
        1e-4,
    ),
    "towards a wall": (
        [(-0.5, 0.5, rw.Interval(0, math.inf, A), rw.Point(1.0)), (1.0, 0.3, rw.Line(), rw.Point(0.6))],
        [0.2, 1.0],
        1e-4,
    ),
    "a spring on a ring": (
        [(rw.Affine(0.0, -1.0), 0.5, rw.Line(), rw.Point(1.0)), (1.0, 0.3, rw.Ring(0, 1), rw.Uniform(0.2, 0.7))],
        [0.2, 1.0],
        1e-4,
    ),
    "micrometres and nanoseconds": (
        [(0.0, 5e2, rw.Interval(0, 1e-6, R, A), rw.Point(3e-7)), (1e3, 3e2, rw.Line(), rw.Point(2e-6))],
        [2e-16],
        1e-4,
    ),
    "three axes": (
        [
            (0.0, 0.5, rw.Interval(0, 1, R, R), rw.Point(0.3)),
            (0.0, 0.3, rw.Interval(0, 1, A, A), rw.Point(0.6)),
            (1.0, 0.3, rw.Ring(0, 1), rw.Point(0.5)),
        ],
        [0.1],
        1e-3,
    ),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_of_closed_forms(name: str) -> None:
    """The true error of cumulative masses and of what has left is at most four times the estimate, which is within the tolerance;
    mass is kept, and none is negative."""
    factors, times, tolerance = PRODUCTS[name]
    drifts, diffusions, axes, starts = zip(*factors, strict=True)
    equation = rw.pde.FokkerPlanck(
        drifts,
        diffusions,
        domain=reduce(lambda a, b: a * b, axes),
        start=reduce(lambda a, b: a * b, starts),
    )
    law = rw.pde.solve(equation, times, tolerance=tolerance)
    forms = [
        rw.pde.closed_form(rw.pde.FokkerPlanck(a, d, domain=axis, start=start))  # type: ignore[arg-type]
        for a, d, axis, start in factors
    ]
    assert law.extrapolated and law.error_estimate <= tolerance
    for row, t in enumerate(times):
        found, exact = law.density[row] * law.mesh.volume, np.ones(())
        for a, (form, grid) in enumerate(zip(forms, law.mesh.axes, strict=True)):
            found = np.cumsum(found, axis=a)
            below = 0.0 if grid.periodic or grid.left is not None else form.mass([-math.inf, grid.low], t)[0]
            exact = np.multiply.outer(exact, below + np.cumsum(form.mass(grid.edges, t)))
        survival = math.prod(float(form.survival(t)) for form in forms)
        wrong = max(float(np.abs(found - exact).max()), abs(float(law.survival(t)) - survival))
        assert wrong <= 4.0 * law.error(t)
        assert law.density[row].min() >= 0.0
        left = law.left_so_far[np.searchsorted(law.ages, t * (1.0 - 1e-9))]
        assert law.density[row].sum() * law.mesh.volume + left.sum() == pytest.approx(1.0, abs=1e-12)


def test_what_leaves_by_each_face_of_a_box() -> None:
    """Against the products of closed forms, whose passages are integrals of fluxes."""
    axis = rw.Interval(0.0, 1.0, A, A)
    box = rw.pde.FokkerPlanck((1.0, 0.0), (0.5, 0.2), domain=axis * axis, start=(0.3, 0.6))
    law, form = rw.pde.solve(box, [0.4], tolerance=1e-5), rw.pde.closed_form(box)
    for name in ("left", "right", "bottom", "top"):
        assert law.absorbed(name, 0.4) == pytest.approx(form.absorbed(name, 0.4), abs=4.0 * law.error(0.4))
        assert law.absorbed(name, 0.4) > 0.01


def test_a_double_well_with_a_tensor_is_kept_in_equilibrium() -> None:
    """Rates keep e^-U to rounding for a = -D∇U with a tensor D, and mass: columns of all chains sum to 0."""
    tensor = np.array([[0.5, -0.2], [-0.2, 0.4]])
    slope_x, slope_y = rw.expression("4*x**3 - 4*x + y/2"), rw.expression("2*y + x/2")  # of U
    equation = rw.pde.FokkerPlanck(
        (-0.5 * slope_x + 0.2 * slope_y, 0.2 * slope_x - 0.4 * slope_y), tensor.tolist(),
        domain=rw.Interval(-2, 2, R, R) * rw.Interval(-2, 2, R, R), start=(1.0, 0.0),
    )  # fmt: skip
    mesh = Mesh((Grid(-2, 2, 32, R, R), Grid(-2, 2, 32, R, R)), equation.domain)
    operator = Operator(equation, mesh)
    x, y = mesh.centres
    state = np.zeros(mesh.size + 1)
    mesh.inner(state)[...] = np.exp(-(x**4 - 2 * x**2 + y**2 + 0.5 * x * y))
    assert len(operator.forward) == 3
    for apply, chain in zip(operator.forward, operator.chains(0.0), strict=True):
        begin, _, rate = chain.moves
        assert (rate > 0.0).all() and begin.size
        for tau in (0.01, 10.0):
            new = apply(tau, 0.0, state)
            assert np.abs(new - state).max() <= 2e-12 * state.max()
            assert new.sum() == pytest.approx(state.sum(), rel=1e-13)


def legendre_galerkin(reactivity: float, turning: float, time: float, n: int = 24) -> Floats:
    """(E[1], E[X], E[XY]) of the living at a time on the unit square with the tensor D, the drift `turning` (y, -x) and the
    conormal flux Kρ out of every face, from a narrow normal law about START: a sum of products of Legendre polynomials, whose
    weak form has these conditions by nature."""
    nodes, weights = np.polynomial.legendre.leggauss(5 * n)
    polynomials = [np.polynomial.legendre.Legendre.basis(k) * math.sqrt(2 * k + 1) for k in range(n)]
    w, x = 0.5 * weights, 0.5 * (nodes + 1.0)
    basis, slope = (np.array([f(nodes) for f in fs]) for fs in (polynomials, [2.0 * f.deriv() for f in polynomials]))
    ends = np.array([[f(-1.0), f(1.0)] for f in polynomials])
    unit, stiff, mixed, moment = np.eye(n), (slope * w) @ slope.T, (slope * w) @ basis.T, (basis * w * x) @ basis.T
    kron, wall = np.kron, reactivity * ends @ ends.T
    a = (
        TENSOR[0, 0] * kron(stiff, unit) + TENSOR[1, 1] * kron(unit, stiff)
        + TENSOR[0, 1] * (kron(mixed, mixed.T) + kron(mixed.T, mixed))
        + kron(wall, unit) + kron(unit, wall) - turning * (kron(mixed, moment) - kron(moment, mixed))
    )  # fmt: skip
    density = [np.exp(-0.5 * ((x - m) / NARROW) ** 2) / (NARROW * math.sqrt(2.0 * math.pi)) for m in START]
    c = expm(-time * a) @ kron(*((basis * w) @ d for d in density))
    one, first = (basis * w) @ np.ones_like(x), (basis * w) @ x
    return np.array([c @ kron(one, one), c @ kron(first, one), c @ kron(first, first)])


@pytest.mark.parametrize(
    ("reactivity", "turning"), [(0.0, 0.0), pytest.param(1.0, 0.0, marks=pytest.mark.long), (3.0, 1.0)]
)
def test_the_flux_through_a_face_with_a_tensor_is_conormal(reactivity: float, turning: float) -> None:
    """Reflecting and partially absorbing, against Galerkin's method. (∂_n ρ = 0 in place of the conormal flux 0 gives the mean
    0.3815 for 0.3831.)"""
    wall, time = rw.PartiallyAbsorbing(reactivity) if reactivity else R, 0.1
    square = rw.Interval(0, 1, wall, wall) ** 2
    equation = rw.pde.FokkerPlanck(
        (turning * rw.expression("y"), -turning * rw.expression("x")), TENSOR.tolist(), domain=square,
        start=rw.Normal(START, (NARROW, NARROW)),
    )  # fmt: skip
    exact = legendre_galerkin(reactivity, turning, time)

    def wrong(law: rw.pde.Solution) -> float:
        found = [
            law.expect(f, time) for f in (lambda x, y: 1.0 + 0.0 * x, lambda x, y: x + 0.0 * y, lambda x, y: x * y)
        ]
        return float(np.abs(np.array(found) - exact).max())

    errors = [wrong(rw.pde.solve(equation, [time], cells=n)) for n in (32, 64, 128)]
    assert np.log2(np.array(errors[:-1]) / errors[1:]) == pytest.approx(2.0, abs=0.35)
    tolerance = 1e-3 if turning else 1e-4  # a drift that turns takes a minute to 1e-4
    law = rw.pde.solve(equation, [time], tolerance=tolerance)
    assert errors[-1] < 3e-4 and wrong(law) <= 4.0 * law.error_estimate


def disc_survival(time: float, sd: float, radius: float, d: float) -> float:
    """From a narrow normal law at the centre, by Bessel functions."""
    zeros, r = jn_zeros(0, 40), np.linspace(0.0, radius, 20001)
    start = np.exp(-0.5 * (r / sd) ** 2) / (2.0 * math.pi * sd**2)
    total = 0.0
    for z in zeros:
        share = np.trapezoid(start * j0(z * r / radius) * r, r) * 2.0 / (radius * j1(z)) ** 2
        total += share * math.exp(-d * (z / radius) ** 2 * time) * 2.0 * math.pi * radius**2 * j1(z) / z
    return float(total)


def test_an_absorbing_disc_is_of_second_order() -> None:
    radius, sd, time = 0.9, 0.1, 0.3
    disc = PLANE.inside(rw.Ball((0.0, 0.0), radius), A, "rim")
    equation = rw.pde.FokkerPlanck(0.0, 0.5, domain=disc, start=rw.Normal((0.0, 0.0), (sd, sd)))
    exact, errors = disc_survival(time, sd, radius, 0.5), []
    for cells in (24, 48, 96):
        law = rw.pde.solve(equation, [time], cells=cells)
        errors.append(abs(float(law.survival(time)) - exact))
        assert errors[-1] <= law.error(time) and not law.extrapolated
        assert law.absorbed("rim", time) == pytest.approx(1.0 - law.survival(time), abs=1e-8)
    assert np.log2(np.array(errors[:-1]) / errors[1:]) == pytest.approx(2.0, abs=0.25)
    law = rw.pde.solve(equation, [time], tolerance=1e-3)
    assert law.survival(time) == pytest.approx(exact, abs=1e-3)


def test_an_absorbing_ball_is_of_second_order() -> None:
    """Survival from the centre: 2 Σ (-1)^(n+1) exp(-n²π²Dt/R²)."""
    radius, time = 0.9, 0.2
    ball = (rw.Line() ** 3).inside(rw.Ball((0.0, 0.0, 0.0), radius), A, "rim")
    equation = rw.pde.FokkerPlanck(0.0, 0.5, domain=ball, start=(0.0, 0.0, 0.0))
    n = np.arange(1, 40)
    exact = 2.0 * np.sum((-1.0) ** (n + 1) * np.exp(-0.5 * (n * math.pi / radius) ** 2 * time))
    errors = []
    for cells in (16, 32):
        law = rw.pde.solve(equation, [time], cells=cells)
        errors.append(abs(float(law.survival(time)) - exact))
        assert errors[-1] <= law.error(time)
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.25)


def test_obstacles_keep_a_uniform_law_uniform() -> None:
    room = (rw.Interval(0, 2, R, R) * rw.Ring(0, 2)).without(rw.Ball((1.0, 0.2), 0.4))
    equation = rw.pde.FokkerPlanck(0.0, ((0.5, 0.1), (0.1, 0.4)), domain=room, start=rw.Everywhere())
    law = rw.pde.solve(equation, [0.5], cells=32)
    live = law.mesh.live
    assert np.abs(law.density[0][live] / law.density[0].max() - 1.0).max() < 1e-12
    assert not law.density[0][~live].any() and law.survival(0.5) == pytest.approx(1.0, abs=1e-12)


def test_a_trap_keeps_its_name() -> None:
    """A half-plane as a trap is the absorbing wall of an interval."""
    d, time = 0.5, 0.4
    plain = rw.Interval(0.0, 2.0, R, R) * rw.Ring(0.0, 1.0)
    trap = plain.without(rw.HalfSpace((1.0, 0.0), 1.3), A, "trap")
    law = rw.pde.solve(rw.pde.FokkerPlanck(0.0, d, domain=trap, start=(0.5, 0.5)), [time], tolerance=1e-3)
    wall = rw.pde.FokkerPlanck(0.0, d, domain=rw.Interval(0.0, 1.3, R, A), start=0.5)
    assert law.absorbed("trap", time) == pytest.approx(rw.pde.closed_form(wall).absorbed("right", time), abs=1e-3)
    assert law.exits == ("left", "right", "trap", "killing")


@pytest.mark.parametrize("shape", [(24, 24), (24, 36), (20, 27)])
def test_tensors_on_a_torus(shape: tuple[int, int]) -> None:
    """Closed diagonals of one line or of many, against the matrix exponential of all rates."""
    torus = rw.Ring(0.0, 1.0) * rw.Ring(0.0, 1.0)
    equation = rw.pde.FokkerPlanck(
        (rw.expression("sin(2*pi*y)"), 0.3), ((0.1, 0.04), (0.04, 0.1)), domain=torus, start=rw.Normal((0.4, 0.6), (0.1, 0.1)),
        killing=0.5,
    )  # fmt: skip
    mesh = Mesh((Grid(0, 1, shape[0], periodic=True), Grid(0, 1, shape[1], periodic=True)), torus)
    operator = Operator(equation, mesh)
    state = np.zeros(mesh.size + 1)
    mesh.inner(state)[...] = np.random.default_rng(0).random(shape)
    for apply, transposed, chain in zip(operator.forward, operator.backward, operator.chains(0.0), strict=True):
        matrix = np.eye(mesh.size + 1) - 0.01 * chain.matrix()
        assert np.allclose(apply(0.01, 0.0, state), np.linalg.solve(matrix, state), rtol=1e-10, atol=1e-13)
        assert np.allclose(transposed(0.01, 0.0, state), np.linalg.solve(matrix.T, state), rtol=1e-10, atol=1e-13)


def test_a_tensor_without_directions_is_refused_with_the_ratio_that_has_them() -> None:
    steep = ((1.0, 0.09), (0.09, 0.01))
    box = rw.Interval(0.0, 1.0, R, R) * rw.Interval(0.0, 1.0, R, R)
    operator = Operator(
        rw.pde.FokkerPlanck(0.0, steep, domain=box, start=(0.5, 0.5)), Mesh((Grid(0, 1, 16, R, R),) * 2, box)
    )
    with pytest.raises(NoStencil, match=r"between 9 and 11\.1111"):
        operator.chains(0.0)
    law = rw.pde.solve(rw.pde.FokkerPlanck(0.0, steep, domain=PLANE, start=(0.5, 0.5)), [0.1], tolerance=1e-2)
    ratio = law.mesh.spacings[0] / law.mesh.spacings[1]
    assert 9.0 <= ratio <= 11.2


def test_second_moments_of_a_variable_diffusion() -> None:
    """Itô: E[X²]' = 2 E[D] with D = 0.2 + 0.05 x²."""
    equation = rw.pde.FokkerPlanck(0.0, lambda x, y: 0.2 + 0.05 * x * x + 0.0 * y, domain=PLANE, start=(0.5, 0.2))
    law = rw.pde.solve(equation, [0.5], tolerance=1e-4)
    second = law.variance(0.5)[0, 0] + law.mean(0.5)[0] ** 2
    assert second == pytest.approx(4.25 * math.exp(0.05) - 4.0, abs=2e-4)
    assert law.mean(0.5) == pytest.approx([0.5, 0.2], abs=1e-4)


@pytest.mark.parametrize("convention", ["ito", "fick"])
def test_means_of_a_variable_tensor(convention: str) -> None:
    """With D_xy = 0.1 sin y: E[X]' = E[∂_y D_xy] = 0.1 E[cos Y] in Fick's form, and 0 in Itô's; Y is a normal law."""
    equation = rw.pde.FokkerPlanck(
        0.0, lambda x, y: ((0.3, 0.1 * np.sin(y)), (0.1 * np.sin(y), 0.3)), domain=PLANE,
        start=rw.Normal((0.0, 0.0), (0.2, 0.2)), convention=rw.Convention(convention),
    )  # fmt: skip
    law = rw.pde.solve(equation, [0.5], tolerance=1e-4)
    fick = 0.1 * math.exp(-0.02) * (1.0 - math.exp(-0.15)) / 0.3
    assert law.mean(0.5) == pytest.approx([fick if convention == "fick" else 0.0, 0.0], abs=1e-5)
    assert law.variance(0.5)[1, 1] == pytest.approx(0.34, abs=1e-4)


def test_drift_and_killing_that_depend_on_time() -> None:
    equation = rw.pde.FokkerPlanck(
        lambda x, y, t: (-y * (1 + t), x * (1 + t)), 0.3, domain=PLANE, start=(1.0, 0.0), killing=rw.expression("t")
    )
    law = rw.pde.solve(equation, [0.5], tolerance=1e-3)
    angle = 0.5 + 0.125
    assert law.mean(0.5) == pytest.approx([math.cos(angle), math.sin(angle)], abs=1e-3)
    assert law.absorbed("killing", 0.5) == pytest.approx(1.0 - math.exp(-0.125), abs=1e-4)
    assert law.exits[-1] == "killing"


def test_a_diffusion_that_is_zero_along_an_axis() -> None:
    """A particle with friction: only its velocity y has noise. Covariances by the moment equations."""
    equation = rw.pde.FokkerPlanck(
        lambda x, y: (y, -y), (0.0, 0.5), domain=PLANE, start=rw.Normal((0.0, 0.0), (0.3, 0.3))
    )
    law = rw.pde.solve(equation, [0.5], tolerance=1e-2)
    a, noise = np.array([[0.0, 1.0], [0.0, -1.0]]), np.diag([0.0, 1.0])
    exact = solve_ivp(
        lambda t, v: (a @ v.reshape(2, 2) + v.reshape(2, 2) @ a.T + noise).ravel(), (0.0, 0.5), (0.09 * np.eye(2)).ravel(),
        rtol=1e-10,
    ).y[:, -1].reshape(2, 2)  # fmt: skip
    assert np.abs(law.variance(0.5) - exact).max() < 0.02 and law.density.min() >= 0.0


def test_a_point_of_several_masses() -> None:
    """Joint atoms are the mixture of their points."""
    square, atoms = rw.Interval(0, 1, R, A) * rw.Ring(0, 1), rw.Atoms([(0.3, 0.2), (0.6, 0.7)], [0.25, 0.75])
    laws = [
        rw.pde.solve(rw.pde.FokkerPlanck(0.0, 0.3, domain=square, start=start), [0.1], cells=48)
        for start in (atoms, (0.3, 0.2), (0.6, 0.7))
    ]
    mixed = 0.25 * laws[1].density + 0.75 * laws[2].density
    assert laws[0].density == pytest.approx(mixed, rel=1e-3, abs=1e-4)


def test_times_and_answers_are_checked() -> None:
    law = rw.pde.solve(gaussian()[0], [0.5, TIME], cells=48)
    assert "48 × 4" in repr(law) and len(law.x) == 2 and len(law.window) == 2
    with pytest.raises(AttributeError, match="a grid for each axis"):
        _ = law.grid
    with pytest.raises(ValueError, match="covers times from 0"):
        law.survival(3.0)
    with pytest.raises(ValueError, match="2 components, and the domain has 3"):
        rw.pde.FokkerPlanck((1.0, 0.0), 0.5, domain=rw.Line() ** 3)
    with pytest.raises(ValueError, match="eigenvalue"):
        rw.pde.FokkerPlanck(0.0, ((1.0, 2.0), (2.0, 1.0)), domain=PLANE)


@pytest.mark.parametrize("wall", [R, P])
def test_a_tensor_in_space_meets_faces_at_second_order(wall: object) -> None:
    """Three diagonals that meet at edges and corners: the resolvent (1 - G/2)⁻¹ of a smooth density, on cells halved twice."""
    tensor = ((0.5, 0.1, 0.1), (0.1, 0.4, -0.1), (0.1, -0.1, 0.4))
    cube = rw.Interval(0, 1, wall, wall) ** 3  # type: ignore[arg-type]
    equation, found = rw.pde.FokkerPlanck(0.0, tensor, domain=cube, start=(0.5, 0.5, 0.5)), []
    for cells in (4, 8, 16):
        mesh = Mesh((Grid(0, 1, cells, wall, wall),) * 3, cube, (1.0,) * 3)  # type: ignore[arg-type]
        x, y, z = mesh.centres
        state = np.zeros(mesh.size + 1)
        mesh.inner(state)[...] = (1.0 + np.cos(np.pi * x) + x * y * y * z) * mesh.volume
        rates = generator(Operator(equation, mesh))
        left = spsolve((sparse.eye_array(mesh.size + 1) - rates.T / 2.0).tocsc(), state)
        assert left.sum() == pytest.approx(state.sum(), rel=1e-12)
        mass = mesh.inner(left)
        found.append([float((mass * x).sum()), float((mass * y * z).sum())])
    first, second = np.abs(np.diff(found, axis=0))
    assert np.log2(first / second) == pytest.approx(2.0, abs=0.25)


def test_the_equation_of_an_axis() -> None:
    spring = rw.pde.FokkerPlanck(
        lambda x, y: (1.0, -y), 0.5, domain=rw.Ring(0, 1) * rw.Line(), start=(0.5, 1.0), killing=rw.expression("y**2")
    )
    assert spring.axis(1) == rw.pde.FokkerPlanck(
        rw.expression("-x"), 0.5, domain=rw.Line(), start=1.0, killing=rw.expression("x**2")
    )
    assert spring.axis(0).killing == rw.Constant(0.0) and spring.axis(0).domain == rw.Ring(0, 1)
    with pytest.raises(ValueError, match=r"drift\[0\] = -y depends on y"):
        gaussian_turn = rw.pde.FokkerPlanck(lambda x, y: (-y, x), 0.5, domain=PLANE)
        gaussian_turn.axis(0)


@pytest.mark.parametrize("diffusion", [(0.0, 1.0), (0.0, 0.5)])
def test_an_axis_without_diffusion_has_an_honest_estimate(diffusion: tuple[float, float]) -> None:
    """x' = y with noise in y alone: fluxes along x are upwind, of first order."""
    equation = rw.pde.FokkerPlanck((rw.expression("y"), 0.0), diffusion, domain=PLANE, start=rw.Normal((0.0, 0.0), 0.3))
    law = rw.pde.solve(equation, [0.5], tolerance=1e-2)
    edges = [grid.edges for grid in law.mesh.axes]
    wrong = (law.mass(edges, 0.5) - rw.pde.closed_form(equation).mass(edges, 0.5)).cumsum(axis=0).cumsum(axis=1)
    assert np.abs(wrong).max() < 1.05 * law.errors.max() < 1.05e-2


def test_a_point_that_does_not_diffuse_along_an_axis_is_refused() -> None:
    room, start = rw.Interval(0, 1, R, R) ** 2, rw.Point(0.5) * rw.Normal(0.5, 0.05)
    equation = rw.pde.FokkerPlanck(0.0, (1.0, 0.0), domain=room, start=(0.5, 0.5))
    with pytest.raises(ValueError, match=r"diffusion\[1\]\[1\] = 0 .*Normal\(mean, sd\) along y"):
        rw.pde.solve(equation, [0.1])
    law = rw.pde.solve(equation.with_start(start), [0.1], tolerance=1e-2)
    assert law.variance(0.1)[1, 1] == pytest.approx(0.0025, rel=0.05)


def test_more_cells_than_fit_are_refused_with_a_number_that_fits() -> None:
    cube = rw.pde.FokkerPlanck(0.0, 1.0, domain=rw.Interval(0, 1, A, A) ** 3, start=(0.5, 0.5, 0.5))
    with pytest.raises(MemoryError, match=r"take at most \d+ cells along the longest axis") as refused:
        rw.pde.solve(cube, [0.1], cells=20000)
    most = int(str(refused.value).split("at most ")[1].split()[0])
    check_memory((most // 2,) * 3, 1)
    with pytest.raises(MemoryError):
        check_memory((2 * most,) * 3, 1)


@pytest.mark.parametrize("cells", [16, 18, 20, 24, 32])
def test_few_cells_of_axes_of_different_lengths(cells: int) -> None:
    ends = (rw.Absorbing(), rw.Absorbing())
    room = rw.Interval(0.0, 8.0, *ends) * rw.Interval(0.0, 8.5, *ends)
    solution = rw.pde.solve(rw.pde.FokkerPlanck(0.0, 0.2, domain=room, start=(4.0, 4.0)), [10.0], cells=cells)
    modes = [
        rw.pde.closed_form(rw.pde.FokkerPlanck(0.0, 0.2, domain=axis, start=4.0)).survival(10.0) for axis in room.axes
    ]
    assert solution.survival(10.0) == pytest.approx(math.prod(modes), abs=3.0 * float(np.max(solution.error_estimate)))


def test_very_many_recorded_times_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first solution: the masses of 100 000 times on the cells that any solution needs do not fit 8 GiB."""
    monkeypatch.setattr(sys.modules["randwalk.inputs.memory"], "available", lambda: 2.0**33)
    monkeypatch.setattr(sys.modules["randwalk.pde.solver.arguments"], "available", lambda: 2.0**33)
    equation = rw.pde.FokkerPlanck(0.0, 0.5, domain=rw.Line() ** 2, start=rw.Normal((0.0, 0.0), (0.3, 0.3)))
    begin = time.process_time()
    with pytest.raises(MemoryError, match="100000 recorded times needs"):
        rw.pde.solve(equation, np.linspace(0.1, 1.0, 100_000))
    assert time.process_time() - begin < 8.0  # it takes one; most of a minute, if every time were cut by itself
