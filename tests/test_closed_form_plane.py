"""Closed forms in two and three dimensions: products of those on the axes, and normal laws, against SciPy and quadrature."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, linalg, stats

import randwalk as rw
from randwalk.pde import FokkerPlanck, closed_form
from randwalk.pde.closed_form import ClosedForm, NoClosedForm
from randwalk.pde.forms.separable import NotSeparable, axis_equations

TIMES = np.array([0.02, 0.3, 2.0])
A, R, K = rw.Absorbing(), rw.Reflecting(), rw.PartiallyAbsorbing(1.3)
HALF_LINE = rw.Interval(0.0, math.inf, A)

# Exit by exit, to 1 at all times: walls of all kinds, half-lines, rings, killing, starts that are spread out.
PROBLEMS = {
    "four exits": {
        "drift": (1.0, -0.5), "diffusion": (0.5, 0.3), "start": (0.2, 0.5),
        "domain": rw.Interval(0, 1, A, A) * rw.Interval(0, 2, K, A),
    },
    "killing": {
        "drift": (0.0, 0.4), "diffusion": 0.2, "start": (0.3, 0.4), "killing": 0.7,
        "domain": rw.Interval(0, 1, A, R) * rw.Interval(0, 1, R, K),
    },
    "a quadrant": {"drift": (0.1, -0.3), "diffusion": 0.5, "start": (1.0, 2.0), "domain": HALF_LINE * HALF_LINE},
    "a spread start": {
        "drift": 0, "diffusion": 0.5, "start": rw.Uniform((0.2, 0.5), (0.8, 2.0)), "domain": HALF_LINE * HALF_LINE
    },
    "a channel": {
        "drift": lambda x, y: (1.0, -y), "diffusion": (0.5, 0.25), "start": rw.Point(0.5) * rw.Normal(0.3, 0.2),
        "domain": rw.Interval(0, 2, A, K) * rw.Line(),
    },
    "a torus": {"drift": (3.0, -1.0), "diffusion": (0.1, 0.02), "start": (0.2, 0.9), "domain": rw.Ring(0, 1) * rw.Ring(0, 2)},
    "three axes": {
        "drift": (0.5, 0.0, 0.0), "diffusion": (0.5, 0.3, 0.2), "start": (0.5, 0.25, 0.0),
        "domain": rw.Interval(0, 1, A, A) * rw.Interval(0, 1, R, K) * rw.Ring(0, 1),
    },
}  # fmt: skip


def form_of(**given: object) -> ClosedForm:
    return closed_form(FokkerPlanck(**given))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_every_exit_and_the_rest_sum_to_one(name: str) -> None:
    form = form_of(**PROBLEMS[name])
    times = np.append(TIMES, [] if name == "a spread start" else math.inf)  # a spread start takes long
    gone = {exit: form.absorbed(exit, times) for exit in form.exits}
    assert form.survival(times) + sum(gone.values()) == pytest.approx(np.ones(times.size), abs=2e-12)
    for exit in form.law.exits if name != "a spread start" else ():
        # the derivative of what has left, by an independent rule
        left = integrate.quad(
            lambda s, exit=exit: float(form.first_passage_density(exit, s)), 0.0, TIMES[0], limit=200
        )[0]
        assert left == pytest.approx(gone[exit][0], rel=1e-7, abs=1e-14)
    everywhere = [[axis.low, axis.high] for axis in form.domain.axes]
    assert form.mass(everywhere, TIMES).ravel() == pytest.approx(form.survival(TIMES), rel=1e-11)


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_products_of_the_axes(name: str) -> None:
    equation = FokkerPlanck(**PROBLEMS[name])  # type: ignore[arg-type]
    form = closed_form(equation)
    alive = np.exp(-form.killing * TIMES)
    factors = [closed_form(factor) for factor in axis_equations(equation)]
    point = tuple(np.array([0.3, 0.6]) for _ in factors)
    assert form.pdf(point, TIMES) == pytest.approx(
        alive[:, None] * math.prod(f.pdf(x, TIMES) for f, x in zip(factors, point, strict=True)), rel=1e-13
    )
    edges = [0.1, 0.5, 0.9]
    masses = form.mass([edges] * len(factors), 0.3)
    assert masses.shape == (2,) * len(factors)
    whole = np.exp(-0.3 * form.killing)
    for factor in factors:
        whole = np.multiply.outer(whole, factor.mass(edges, 0.3))
    assert masses == pytest.approx(whole, rel=1e-13)
    for axis, factor in enumerate(factors):
        marginal = form.marginal(axis)
        others = form.survival(0.3) / factor.survival(0.3)
        assert marginal.cdf([0.2, 0.7], 0.3) == pytest.approx(others * factor.cdf([0.2, 0.7], 0.3), rel=1e-12)
        assert form.mean(0.3)[axis] == pytest.approx(factor.mean(0.3), rel=1e-10)
        assert form.variance(0.3)[axis, axis] == pytest.approx(factor.variance(0.3), rel=1e-9)
    if len(factors) == 3:
        return
    product = form.expect(lambda *x: math.prod(x), 0.3)
    assert product == pytest.approx(form.survival(0.3) * math.prod(f.mean(0.3) for f in factors), rel=1e-8, abs=1e-12)


def test_which_side_of_a_quadrant_is_hit_first() -> None:
    """From (x, y) the axis y = 0 is hit first with probability 1 - (2/π) atan(y/x): the angle is harmonic."""
    form = form_of(**PROBLEMS["a quadrant"] | {"drift": 0})
    assert form.absorbed("left", math.inf) == pytest.approx(2.0 / math.pi * math.atan(2.0), rel=1e-11)
    assert form.absorbed("bottom", math.inf) == pytest.approx(1.0 - 2.0 / math.pi * math.atan(2.0), rel=1e-11)


def test_the_faces_of_a_square_are_alike() -> None:
    square = rw.Interval(-1, 1, A, A) ** 2
    form = form_of(drift=0, diffusion=0.5, domain=square)
    for exit in ("left", "right", "bottom", "top"):
        assert form.absorbed(exit, math.inf) == pytest.approx(0.25, rel=1e-12)
    # the mean exit time of Brownian motion from the centre of a square of side 2, 0.5894 (torsion of a square bar)
    time = integrate.quad(lambda t: float(form.survival(t)), 0.0, 12.0, epsabs=1e-10, limit=200)[0]
    series = sum(
        (-1) ** k * 32 / ((2 * k + 1) * math.pi) ** 3 / math.cosh((2 * k + 1) * math.pi / 2) for k in range(20)
    )
    assert time == pytest.approx(1.0 - series, rel=1e-6)


UNIT, TICK = 1e-6, 1e-9
MATRIX, SHIFT, TENSOR = np.array([[-1.0, 2.0], [-2.0, -0.5]]), np.array([0.3, -0.1]), np.array([[0.5, 0.2], [0.2, 0.3]])


def rotating(**given: object) -> ClosedForm:
    """OU with rotation and tensor noise, in µm and ns."""

    def drift(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = [(SHIFT[i] * UNIT + MATRIX[i, 0] * x + MATRIX[i, 1] * y) / TICK for i in (0, 1)]
        return rows[0], rows[1]

    tensor = TENSOR * UNIT**2 / TICK
    start = rw.Normal((UNIT, 0.5 * UNIT), (0.1 * UNIT, 0.2 * UNIT))
    return form_of(drift=drift, diffusion=tensor.tolist(), domain=rw.Line() ** 2, start=start, **given)


@pytest.mark.parametrize("t", [0.01, 1.0, 40.0])
def test_affine_drift_against_integrals(t: float) -> None:
    form = rotating(killing=0.1 / TICK)
    alive = math.exp(-0.1 * t)
    spread = integrate.quad_vec(
        lambda s: linalg.expm(MATRIX * s) @ (2 * TENSOR) @ linalg.expm(MATRIX * s).T, 0, t, epsabs=1e-13
    )[0]
    turn = linalg.expm(MATRIX * t)
    covariance = spread + turn @ np.diag([0.01, 0.04]) @ turn.T
    mean = turn @ [1.0, 0.5] + integrate.quad_vec(lambda s: linalg.expm(MATRIX * s) @ SHIFT, 0, t, epsabs=1e-13)[0]
    assert form.mean(t * TICK) == pytest.approx(UNIT * mean, rel=1e-11, abs=1e-12 * UNIT)
    assert form.variance(t * TICK) == pytest.approx(UNIT**2 * covariance, rel=1e-11)
    law = stats.multivariate_normal(mean, covariance)
    x, y = np.array([0.3, -0.5, 1.0]), np.array([[0.2], [0.8]])
    expected = alive * law.pdf(np.stack(np.broadcast_arrays(x, y), axis=-1)) / UNIT**2
    assert form.pdf((UNIT * x, UNIT * y), t * TICK) == pytest.approx(expected, rel=1e-11)
    edges = np.array([-1.0, -0.2, 0.4, 3.0])
    corners = np.array([[law.cdf([a, b]) for b in edges] for a in edges])
    masses = alive * np.diff(np.diff(corners, axis=0), axis=1)
    assert form.mass([UNIT * edges] * 2, t * TICK) == pytest.approx(masses, abs=1e-12)
    assert form.expect(lambda x, y: x * y, t * TICK) == pytest.approx(
        alive * UNIT**2 * (covariance[0, 1] + mean[0] * mean[1]), rel=1e-9, abs=1e-12 * UNIT**2
    )
    marginal = alive * stats.norm.cdf(0.3, mean[1], math.sqrt(covariance[1, 1]))
    assert form.marginal("y").cdf(0.3 * UNIT, t * TICK) == pytest.approx(marginal, rel=1e-12)


def test_masses_in_space_against_scipy() -> None:
    """SciPy integrates by random points: its own error is about 1e-5."""
    tensor = [[1.0, 0.3, 0.1], [0.3, 0.8, -0.4], [0.1, -0.4, 0.6]]
    form = form_of(drift=0, diffusion=tensor, domain=rw.Line() ** 3, start=(0.1, 0.2, 0.3))
    law = stats.multivariate_normal([0.1, 0.2, 0.3], np.array(tensor))
    mass = form.mass([[-np.inf, 0.0, 1.0]] * 3, 0.5)
    assert mass[0, 0, 0] == pytest.approx(law.cdf([0.0] * 3), abs=1e-4)
    assert mass.sum() == pytest.approx(law.cdf([1.0] * 3), abs=1e-4)
    assert form.mass([[-np.inf, np.inf]] * 3, 0.5).item() == pytest.approx(1.0, abs=1e-14)


def test_noise_that_reaches_the_place_through_the_velocity() -> None:
    """dx = v dt, dv = √(2D) dW (Kolmogorov 1934): variances 2D t³/3, D t², 2D t."""
    form = form_of(drift=lambda x, y: (y, 0.0 * x), diffusion=((0, 0), (0, 0.5)), domain=rw.Line() ** 2)
    assert form.variance(2.0) == pytest.approx(np.array([[8 / 3, 2.0], [2.0, 2.0]]), rel=1e-13)
    still = form_of(
        drift=lambda x, y: (y, 0.0 * x), diffusion=((0, 0), (0, 0)), domain=rw.Line() ** 2, start=(0.0, 1.0)
    )
    assert still.mean(2.0) == pytest.approx([2.0, 1.0])
    with pytest.raises(rw.NoAnswer, match="no noise reaches some direction"):
        still.pdf((0.0, 0.0), 1.0)


def test_coefficients_of_time_and_atoms() -> None:
    start = rw.Atoms([(0.0, 0.0), (1.0, -1.0)], [0.25, 0.75])
    form = form_of(
        drift=(rw.expression("sin(t)"), 1.0), diffusion=((rw.expression("1 + t"), 0.1), (0.1, 0.5)), domain=rw.Line() ** 2,
        start=start,
    )  # fmt: skip
    shift, spread = np.array([1.0 - math.cos(2.0), 2.0]), np.array([[8.0, 0.4], [0.4, 2.0]])
    law = [stats.multivariate_normal(shift + place, spread) for place in ([0.0, 0.0], [1.0, -1.0])]
    assert form.pdf((0.7, 0.2), 2.0) == pytest.approx(
        0.25 * law[0].pdf([0.7, 0.2]) + 0.75 * law[1].pdf([0.7, 0.2]), rel=1e-11
    )
    assert form.mean(2.0) == pytest.approx(shift + np.array([0.75, -0.75]), rel=1e-12)
    assert form.variance(2.0) == pytest.approx(spread + 0.1875 * np.array([[1, -1], [-1, 1]]), rel=1e-12)


def test_the_catalogue_knows_other_coordinates() -> None:
    """A Beneš drift along y, written as a formula of y."""
    form = form_of(
        drift=(0.0, rw.expression("0.8*tanh(0.8*y - 0.4)")), diffusion=0.5, domain=rw.Line() ** 2, start=(0.0, 1.0)
    )
    one = closed_form(FokkerPlanck(rw.expression("0.8*tanh(0.8*x - 0.4)"), 0.5, start=1.0))
    assert form.marginal("y").pdf([0.3, 2.0], 1.5) == pytest.approx(one.pdf([0.3, 2.0], 1.5), rel=1e-13)
    assert "Beneš" in form.description


WHOLE, BOX = rw.Line() ** 2, rw.Interval(0, 1, A, A) * rw.Line()


@pytest.mark.parametrize(
    ("given", "kind", "told"),
    [
        (
            {"drift": lambda x, y: (y, x), "diffusion": 0.5, "domain": BOX}, NotSeparable,
            r"drift\[0\] = y depends on y; .* on the whole space alone",
        ),
        ({"drift": 0, "diffusion": ((1, 0.1), (0.1, 1)), "domain": BOX}, NotSeparable, r"diffusion\[0, 1\] = 0.1 joins x and y"),
        (
            {"drift": 0, "diffusion": (rw.expression("1 + y**2"), 1.0), "domain": BOX}, NotSeparable,
            r"diffusion\[0, 0\] = .* depends on y",
        ),
        ({"drift": (rw.expression("x - x**3"), 0), "diffusion": 0.5, "domain": WHOLE}, NoClosedForm, "along x: drift"),
        ({"drift": 0, "diffusion": 0.5, "domain": BOX, "killing": rw.expression("y**2")}, NoClosedForm, "constant killing rate"),
        (
            {"drift": 0, "diffusion": 0.5, "domain": BOX, "start": rw.Atoms([(0.1, 0.2), (0.5, 0.3)], [0.5, 0.5])}, NotSeparable,
            "give a product of starts",
        ),
        (
            {"drift": lambda x, y: (y, x), "diffusion": 0.5, "domain": WHOLE, "start": rw.Uniform((0, 0), (1, 1))}, NotSeparable,
            "needs points, atoms or normal starts",
        ),
        ({"drift": (rw.expression("x*y"), 0.0), "diffusion": 0.5, "domain": WHOLE}, NotSeparable, "a drift affine in the place"),
    ],
)  # fmt: skip
def test_what_has_no_closed_form_says_why(given: dict[str, object], kind: type[Exception], told: str) -> None:
    start = given.get("start", (0.5, 0.5))
    with pytest.raises(kind, match=told):
        form_of(**given | {"start": start})
