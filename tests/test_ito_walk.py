"""Declarations of Itô walks: noise, conventions, exact steps, links to the equation, and what is refused."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm

import randwalk as rw
from randwalk.model.exact_step import GeometricStep, LinearStep, exact_step

X = rw.expression("x")


def at(walk: rw.ItoWalk, *point: float, t: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """(drift, noise) at a point."""
    place = tuple(map(np.asarray, point))
    return (
        np.array([float(a(place, t)) for a in walk.drift]),
        np.array([[float(s(place, t)) for s in row] for row in walk.noise]),
    )


@pytest.mark.parametrize(
    "tensor",
    [
        0.5,
        (0.5, 0.25, 2.0),
        ((1.0, 0.3, 0.1), (0.3, 0.5, 0.2), (0.1, 0.2, 0.4)),
        (("1 + x**2", 0.3, 0.0), (0.3, "2 + sin(y)", "0.2*z"), (0.0, "0.2*z", 1.0)),
        ((1.0, 1.0, 0.0), (1.0, 1.0, 0.0), (0.0, 0.0, 0.0)),
    ],
)
def test_the_noise_is_a_root_of_twice_the_diffusion(tensor: object) -> None:
    given = [[rw.expression(e) if isinstance(e, str) else e for e in row] if isinstance(row, tuple) else row
             for row in tensor] if isinstance(tensor, tuple) else tensor  # fmt: skip
    walk = rw.ItoWalk(0.0, given, dt=0.01, domain=rw.Line() ** 3)  # type: ignore[arg-type]
    for point in ((0.0, 0.0, 0.0), (0.7, -1.2, 0.4)):
        _, sigma = at(walk, *point)
        assert np.allclose(sigma @ sigma.T, 2.0 * walk.diffusion(point), rtol=1e-13, atol=1e-15)


def test_a_tensor_that_vanishes_somewhere_has_a_root_there() -> None:
    """√D₁₁ divides by 0 there; in space the rank falls to 2, and to 1."""
    level = rw.expression("where(y > 0, y, 0)")
    walk = rw.ItoWalk(0.0, ((level, -0.5 * level), (-0.5 * level, level)), dt=0.01, domain=rw.Line() ** 2)
    for y in (2.0, 0.0, -1.0):
        sigma = np.array([[float(entry((0.3, y))) for entry in row] for row in walk.noise])
        assert sigma @ sigma.T == pytest.approx(2.0 * max(y, 0.0) * np.array([[1.0, -0.5], [-0.5, 1.0]]), abs=1e-15)
    x = rw.expression("x**2")
    space = rw.ItoWalk(0.0, ((x, x, 0.0), (x, x + 1.0, 1.0), (0.0, 1.0, 1.0)), dt=0.01, start=(0.0,) * 3)
    for place in (0.0, 0.7):
        sigma = np.array([[float(entry((place, 0.0, 0.0))) for entry in row] for row in space.noise])
        q = place**2
        assert sigma @ sigma.T == pytest.approx(
            2.0 * np.array([[q, q, 0.0], [q, q + 1.0, 1.0], [0.0, 1.0, 1.0]]), abs=1e-14
        )


def test_given_noise_says_the_diffusion() -> None:
    walk = rw.ItoWalk((0.0, 0.0), noise=((X, 0.5, 0.0), (0.1, 0.0, 2.0)), dt=0.01)
    assert (walk.dimension, walk.sources, walk.diagonal) == (2, 3, False)
    _, sigma = at(walk, 0.3, 0.0)
    assert np.allclose(walk.diffusion((0.3, 0.0)), 0.5 * sigma @ sigma.T, rtol=1e-15)
    assert rw.ItoWalk(0.0, noise=0.2, dt=0.01).diffusion[0, 0] == rw.Constant(0.5 * 0.2 * 0.2)
    assert rw.ItoWalk((0.0, 0.0), noise=(0.2, 0.1), dt=0.01).diagonal


def test_the_root_of_a_square_has_a_derivative_at_zero() -> None:
    """√(2·0.02 x²) is ± 0.2 x, whose derivative at 0 is a number; that of √(x²) is not."""
    walk = rw.ItoWalk(0.05 * X, 0.02 * X**2, dt=0.01, start=1.0)
    assert str(walk.noise[0][0].derivative("x")) == "0.2"


@pytest.mark.parametrize(("convention", "weight"), [("ito", 0.0), ("stratonovich", 0.5), ("fick", 1.0)])
def test_conventions_of_one_dimension(convention: str, weight: float) -> None:
    d = rw.expression("1 + 0.5*sin(x)")
    walk = rw.ItoWalk(-X, d, dt=0.01, convention=rw.Convention(convention))
    drift, _ = at(walk, 0.7)
    assert abs(drift[0] - (-0.7 + weight * 0.5 * math.cos(0.7))) < 1e-15


def test_stratonovich_of_a_noise_that_is_not_diagonal() -> None:
    """½ Σ_jk σ_jk ∂_j σ_ik by differences of σ itself."""
    rows = (("1 + x*y", "0.5*y"), ("0.2*x", "cos(x)"))
    noise = tuple(tuple(map(rw.expression, row)) for row in rows)
    walk = rw.ItoWalk((0.0, 0.0), noise=noise, dt=0.01, convention=rw.Convention.STRATONOVICH)
    point, h = np.array([0.4, -0.3]), 1e-5
    drift, sigma = at(walk, *point)
    wanted = np.zeros(2)
    for j in range(2):
        up, down = point.copy(), point.copy()
        up[j], down[j] = up[j] + h, down[j] - h
        slope = (at(walk, *up)[1] - at(walk, *down)[1]) / (2.0 * h)
        wanted += 0.5 * slope @ sigma[j]
    assert np.allclose(drift, wanted, atol=1e-9)
    equation = rw.pde.limit(walk)
    assert equation.convention is rw.Convention.ITO and equation.drift == walk.drift


def test_fick_in_the_plane_adds_the_divergence() -> None:
    tensor = (("1 + x**2", "0.1*y"), ("0.1*y", "2 + x*y"))
    given = tuple(tuple(map(rw.expression, row)) for row in tensor)
    walk = rw.ItoWalk((0.0, 0.0), given, dt=1e-4, convention=rw.Convention.FICK, start=(1.0, 0.5))
    drift, _ = at(walk, 1.1, 0.4)
    assert np.allclose(drift, [2.0 * 1.1 + 0.1, 1.1], rtol=1e-14)


def test_equations_and_back() -> None:
    equations = [
        rw.pde.FokkerPlanck(-X, rw.expression("1 + x**2"), convention=rw.Convention.FICK, start=0.5, killing=0.1),
        rw.pde.FokkerPlanck(
            (0.0, 1.0), ((0.5, 0.1), (0.1, 0.5)), domain=rw.Line() * rw.Ring(0.0, 2.0), start=(0.0, 1.0)
        ),
    ]
    for equation in equations:
        walk = rw.pde.walk_for(equation, dt=0.001, scheme=rw.EulerMaruyama())
        assert isinstance(walk, rw.ItoWalk) and rw.pde.limit(walk) == equation
    assert isinstance(rw.pde.walk_for(equations[0], dx=0.05), rw.LatticeWalk)
    with pytest.raises(ValueError, match="give dx= or sites="):
        rw.pde.walk_for(equations[0], dt=0.01, times=[1.0])  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="give dt= alone"):
        rw.pde.walk_for(equations[0], dx=0.1, scheme=rw.Milstein())  # type: ignore[call-overload]


def test_exact_steps() -> None:
    """The step of dt is that of two steps of dt/2, and satisfies the moment equations."""
    matrix, intercept = np.array([[-1.0, -2.0], [2.0, -0.5]]), np.array([0.3, -0.1])
    noise = ((0.5, 0.1), (0.0, 0.3))
    walk = rw.ItoWalk(rw.Linear(matrix, intercept), noise=noise, dt=0.4, scheme=rw.Exact())
    whole, half = walk.exact_step, exact_step(walk, 0.2)
    assert isinstance(whole, LinearStep) and isinstance(half, LinearStep)
    assert np.allclose(whole.matrix, expm(0.4 * matrix), rtol=1e-13)
    assert np.allclose(whole.shift, half.matrix @ half.shift + half.shift, rtol=1e-12)
    spread = half.noise @ half.noise.T
    assert np.allclose(whole.noise @ whole.noise.T, half.matrix @ spread @ half.matrix.T + spread, rtol=1e-12)
    tiny = exact_step(walk, 1e-6)
    assert isinstance(tiny, LinearStep)
    assert np.allclose(tiny.noise @ tiny.noise.T / 1e-6, np.array(noise) @ np.array(noise).T, rtol=1e-5)
    brown = rw.ItoWalk((1.0, 2.0), 0.5, dt=0.1, scheme=rw.Exact()).exact_step
    assert isinstance(brown, LinearStep) and np.allclose(brown.shift, [0.1, 0.2])
    money = rw.ItoWalk(0.05 * X, 0.02 * X**2, dt=0.5, start=1.0, scheme=rw.Exact()).exact_step
    assert isinstance(money, GeometricStep)
    assert np.allclose([money.growth[0], money.noise[0, 0]], [(0.05 - 0.02) * 0.5, 0.2 * math.sqrt(0.5)])


@pytest.mark.parametrize("noise", [{"diffusion": 0.0}, {"noise": [[0.0], [0.0]]}], ids=["D = 0", "a source of nothing"])
def test_exact_steps_without_noise_follow_the_flow(noise: dict[str, Any]) -> None:
    linear = rw.Linear([[-1.0, 0.0], [0.0, -2.0]], [0.0, 0.0])
    walk = rw.ItoWalk(linear, dt=0.1, scheme=rw.Exact(), start=(1.0, 0.5), **noise)
    mean = rw.simulate(walk, 10, [1.0], seed=1).mean(1.0)
    np.testing.assert_allclose([float(part) for part in mean.value], [math.exp(-1.0), 0.5 * math.exp(-2.0)], rtol=1e-13)


def test_exact_steps_that_are_not_known() -> None:
    cases: list[Any] = [
        (lambda: rw.ItoWalk(-(X**3), 0.5, dt=0.1, scheme=rw.Exact()), "drift that is not affine"),
        (lambda: rw.ItoWalk(-X, rw.expression("1 + x**2"), dt=0.01, scheme=rw.Exact()), "its noise varies"),
        (lambda: rw.ItoWalk(rw.expression("-x*t"), 0.5, dt=0.1, scheme=rw.Exact()), "not affine"),
        (
            lambda: rw.ItoWalk(-X, 0.5, dt=0.01, scheme=rw.Exact(), start=1.0,
                               domain=rw.Interval(0.0, math.inf, rw.Absorbing())),
            "between walls",
        ),
        (lambda: rw.ItoWalk(0.0, 0.5, dt=0.1, scheme=rw.Exact(), increments=rw.TwoPoint()), "needs Gaussian"),
    ]  # fmt: skip
    for make, said in cases:
        with pytest.raises(ValueError, match=said):
            make()


def test_functions_of_a_point_of_many_coordinates() -> None:
    pull: Any = np.diag([-1.0, -2.0, -3.0, -4.0, -5.0])
    drifts: list[Any] = [lambda x: pull @ x, lambda x, t: tuple(-(i + 1) * c for i, c in enumerate(x))]
    for given in drifts:
        walk = rw.ItoWalk(given, 0.5, dt=0.01, domain=rw.Line() ** 5)
        assert walk.linear == rw.Linear(pull)
    soft = rw.ItoWalk(lambda x: -np.tanh(x) * np.sum(x**2), 0.5, dt=0.01, domain=rw.Line() ** 4)
    point = np.array([0.1, -0.4, 0.9, 0.3])
    drift, _ = at(soft, *point)
    assert np.allclose(drift, -np.tanh(point) * np.sum(point**2), rtol=1e-14)
    clipped = rw.ItoWalk(lambda x: np.interp(x, [0.0, 1.0], [0.0, 1.0]), 0.5, dt=0.01, start=(0.5,) * 5)
    assert clipped.dimension == 5 and clipped.drift[4](tuple(np.linspace(-0.5, 1.5, 5))) == 1.0  # one point at a time
    with pytest.raises(TypeError, match="drift = <lambda>: fails when it is called with numbers: IndexError"):
        rw.ItoWalk(lambda x: x[7] if x[0] > 0 else x[8], 0.5, dt=0.01, domain=rw.Line() ** 5)


def test_the_space_is_that_of_the_start() -> None:
    for start in ((0.1,) * 5, [0.1] * 5, rw.Point((0.1,) * 5), rw.Uniform((0.0,) * 5, (1.0,) * 5)):
        assert rw.ItoWalk(lambda x: -x, 0.5, dt=0.01, start=start).linear == rw.Linear(-np.eye(5))
    assert rw.pde.FokkerPlanck(lambda x: -x, 0.5, start=(0.1,) * 5).vector == rw.Linear(-np.eye(5)).components
    with pytest.raises(ValueError, match="drift = <lambda> is one component, and the domain has 2 dimensions"):
        rw.ItoWalk(lambda x: -x, 0.5, dt=0.01, start=(0.1, 0.2))


def generated(x: float) -> Any:
    yield -x


async def awaited(x: float) -> float:
    return -x


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (generated, r"generated: is a generator, .* Write return where it says yield$"),
        (awaited, r"awaited: is an async function, .* Write def without async$"),
    ],
)
def test_functions_that_return_no_number(given: Any, said: str) -> None:
    makes: list[Any] = [
        lambda: rw.ItoWalk(given, 0.5, dt=0.01),
        lambda: rw.ItoWalk(given, 0.5, dt=0.01, start=(0.0,) * 2),
        lambda: rw.ItoWalk(given, 0.5, dt=0.01, start=(0.0,) * 5),
        lambda: rw.pde.FokkerPlanck(given, 0.5),
        lambda: rw.LatticeWalk.from_drift(given, 0.5, dx=0.1),
        lambda: rw.pde.FokkerPlanck(given, 0.5, start=(0.0,) * 5),
    ]
    for make in makes:
        with pytest.raises(TypeError, match=f"^drift = {said}"):
            make()
    with pytest.raises(TypeError, match=f"^payoff = {said}"):
        rw.pde.expectation(rw.pde.FokkerPlanck(0.0, 0.5), given, 0.0, 1.0)
    with pytest.raises(TypeError, match=f"^function = {said}"):
        rw.Function(given)


def test_a_hundred_dimensions() -> None:
    matrix = -np.eye(100) + 0.001
    walk = rw.ItoWalk(rw.Linear(matrix), 0.5, dt=0.01)
    assert walk.dimension == 100 and walk.linear == rw.Linear(matrix) and walk.noise_numbers is not None
    with pytest.raises(ValueError, match="at most 100"):
        rw.ItoWalk(0.0, 0.5, dt=0.01, domain=rw.Line() ** 101)
    with pytest.raises(ValueError, match="a drift is affine"):
        rw.ItoWalk(lambda x: -(x**3), 0.5, dt=0.01, domain=rw.Line() ** 17)
    with pytest.raises(ValueError, match="are numbers"):
        rw.ItoWalk(0.0, lambda x: 1.0 + x[0] ** 2, dt=0.01, domain=rw.Line() ** 17)


def test_values() -> None:
    walk = rw.ItoWalk(lambda x: -x, 0.5, dt=0.01, start=1.0, killing=0.2, scheme=rw.Milstein())
    assert walk == rw.ItoWalk(lambda x: -x, 0.5, dt=0.01, start=1.0, killing=0.2, scheme=rw.Milstein())
    assert walk != walk.replaced(dt=0.02) and walk.with_start(1.0) == walk
    assert pickle.loads(pickle.dumps(walk)) == walk
    assert repr(walk) == (
        "ItoWalk(drift=-x, diffusion=0.5, dt=0.01, killing=0.2, scheme=Milstein(), domain=Line(), start=Point(x=1.0))"
    )
    assert str(walk) == "dX = (-x) dt + 1 dW"
    assert walk._repr_latex_() == r"$dX = \left(-x\right) dt + \left(1\right)\, dW$"
    assert walk.steps([0.1, 1.0]) == [10, 100]
    plane = rw.ItoWalk(lambda q, v: (v, -q), (0.0, 0.05), dt=0.01, start=(-1.0, 0.0))  # other names than x and y
    assert [str(a) for a in plane.drift] == ["y", "-x"] and plane.replaced(dt=0.02).diffusion == plane.diffusion
    pair = rw.ItoWalk(lambda x, y: (y, -x), noise=((0.0,), (0.1,)), dt=0.01)
    assert "pmatrix" in pair._repr_latex_() and str(pair) == "dX = (y, -x) dt + ((0,), (0.1,)) dW"


HALF = rw.Interval(0.0, math.inf, rw.Absorbing())
ROOM = rw.Interval(0.0, 1.0, rw.Absorbing(), rw.Reflecting())


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: rw.ItoWalk(0.0, 0.1 - X, dt=0.01), r"diffusion = -\S+ at x = \S+, t = 0: must be a number ≥ 0"),
        (lambda: rw.ItoWalk(1.0 / X, 0.5, dt=0.1), r"drift = inf at x = 0, t = 0: must be a finite number"),
        (lambda: rw.ItoWalk(0.0, 0.5, dt=0.1, killing=rw.expression("0.5 - t")), r"killing = \S+ at x = 0, t = 0\.73"),
        (lambda: rw.ItoWalk((0.0, 0.0), ((1.0, 2.0), (2.0, 1.0)), dt=0.1), "eigenvalue -1"),
        (lambda: rw.ItoWalk((0.0, 0.0), ((X, 0.3), (0.3, 1.0)), dt=0.1), "positive semi-definite"),
        (lambda: rw.ItoWalk(0.0, 0.5, dt=0.01, domain=HALF), "on the absorbing left wall at x = 0"),
        (lambda: rw.ItoWalk(0.0, 0.5, dt=0.01, domain=HALF, start=-1.0), "lies outside"),
        (lambda: rw.ItoWalk(0.0, 0.5, dt=2.0, domain=ROOM, start=0.5), r"take dt ≤ 0\.01"),
        (lambda: rw.ItoWalk((0.0, 0.0), 0.5, dt=0.1, domain=rw.Line()), "2 components"),
        (lambda: rw.ItoWalk(0.0, (0.5, 0.5), dt=0.1, domain=rw.Line() ** 3), "give a number, 3 numbers, or 3 × 3"),
        (lambda: rw.ItoWalk(0.0, noise=((0.1,),), dt=0.1, domain=rw.Line() ** 2), "1 rows"),
        (
            lambda: rw.ItoWalk(rw.Linear(np.eye(3)), 0.5, dt=0.1, domain=rw.Line() ** 2),
            "drift = Linear.* has 3 components, and the domain has 2",
        ),
        (lambda: rw.ItoWalk(0.0, 0.5, noise=0.1, dt=0.1), "give either diffusion"),
        (lambda: rw.ItoWalk(0.0, dt=0.1), "give either diffusion"),
        (lambda: rw.ItoWalk(0.0, 0.5, dt=0.0), "dt = 0"),
        (lambda: rw.ItoWalk(0.0, 0.5, dt=0.1, scheme="euler"), r"scheme = 'euler': give EulerMaruyama\(\)"),  # type: ignore[arg-type]
        (lambda: rw.ItoWalk(0.0, 0.5, dt=0.1, scheme=rw.Platen(), increments=rw.TwoPoint()), "needs 5"),
        (
            lambda: rw.ItoWalk((0.0, 0.0), noise=((X, 1.0), (0.0, 1.0)), dt=0.01, scheme=rw.Milstein()),
            "scalar or a diagonal noise",
        ),
        (
            lambda: rw.ItoWalk(0.0, 0.5, dt=0.01, start=(0.1, 0.1), domain=rw.Box.from_image([[1.0, 1.0], [0.0, 1.0]])),
            "is a Mask: a continuous walk needs the distance",
        ),
        (
            lambda: rw.ItoWalk(
                (0.0, 0.0), 0.5, dt=0.01, domain=(rw.Line() ** 2).inside(rw.Level(rw.expression("1 - x**2 - y**2")))
            ),
            "distance=True",
        ),
        (lambda: rw.ItoWalk(0.0, 0.5, dt=0.01, domain=ROOM, start=rw.Everywhere()), r"give Uniform\(low, high\)"),
    ],
)
def test_what_is_refused(make: object, said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said):
        make()  # type: ignore[operator]


def test_opaque_functions_stay() -> None:
    """A function that branches on values is kept; its derivative is not needed for an Itô drift."""

    def steep(x: float) -> float:
        return 1.0 if x < 0.0 else -1.0

    walk = rw.ItoWalk(steep, 0.5, dt=0.01)
    assert isinstance(walk.drift[0], rw.Function) and walk.drift[0].function is steep
