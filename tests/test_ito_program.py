"""Compiled walks in continuous space: bits, schemes and their orders, exact steps, weights, texts."""

from __future__ import annotations

import hashlib
import math
import pickle
from typing import Any

import numpy as np
import pytest
from numba import njit
from scipy import stats

import randwalk as rw
from randwalk.jit.compile import OPTIONS
from randwalk.kernels.philox import key
from randwalk.model.coefficient import ONE, Coefficient
from randwalk.tables.ito_program import ItoProgram, program
from randwalk.tables.opaque import CannotEmit

from .ito_walks import WALKS

KEYS = key(7)
E = rw.expression
ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()


def run(
    made: ItoProgram, walkers: int, stop: int, first: int = 0, at: float = 0.0, pairs: int = 1, keys: Any = KEYS
) -> Any:
    state = made.begin(np.full((made.dimension, walkers), at))
    made.walk(state, first, 0, stop, keys, pairs)
    return state


def same(one: Any, other: Any, part: slice = slice(None)) -> bool:
    return all(np.array_equal(a[..., part], b, equal_nan=True) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("name", "increments"),
    [*((name, rw.Gaussian()) for name in WALKS), ("three sources", rw.TwoPoint()), ("three sources", rw.ThreePoint())],
)
def test_bits_do_not_depend_on_batches_and_stretches(name: str, increments: Any) -> None:
    made = program(WALKS[name](increments=increments))
    whole = run(made, 700, 150, first=2**32 - 300)
    part = made.begin(np.zeros((made.dimension, 131)))
    for start, stop in ((0, 1), (1, 14), (14, 129), (129, 150)):
        made.walk(part, 2**32 - 300 + 469, start, stop, KEYS)
    assert same(whole, part, slice(469, 600))


ANSWERS = {
    "double well": "86f4daed80282a8a", "functions": "b8e7b9ae2b7a5a62", "killed between walls": "cb6a62e678d8c655",
    "three sources": "fe7ee445fc462b39", "twenty dimensions": "6317270712d77e0b",
}  # fmt: skip


@pytest.mark.parametrize("name", WALKS)
def test_known_answers(name: str) -> None:
    """The same on every machine: what these kernels compute is IEEE arithmetic in a given order."""
    state = run(program(WALKS[name]()), 500, 100)
    told = b"".join(np.ascontiguousarray(part + 0).tobytes() for part in state)
    assert hashlib.sha256(told).hexdigest()[:16] == ANSWERS[name]


def test_walks_that_differ_in_numbers_share_their_kernel() -> None:
    made = [program(rw.ItoWalk(E(f"{a}*x - x**3"), noise=a / 2, dt=a / 100)) for a in (0.7, 1.3)]
    assert made[0].text == made[1].text
    assert made[0].module is made[1].module


def test_what_walkers_count_is_apart_from_their_walk() -> None:
    """Another payoff or another boundary value needs no other walk; where a wall takes from weights, its value does."""
    walk = rw.ItoWalk(0.0, 0.5, dt=0.01, domain=rw.Interval(-1.0, 1.0, rw.PartiallyAbsorbing(2.0), rw.Absorbing()))
    asked: list[Any] = [
        {}, {"payoff": E("x**2")}, {"payoff": E("exp(x)"), "boundary": (E("t"), E("x"))}, {"boundary": (E("t"), E("x"))}
    ]  # fmt: skip
    assert len({program(walk, **ask).text for ask in asked}) == 1
    assert len({program(walk, **ask).parameters[:-1] for ask in asked}) == 1
    assert len({program(walk, **ask).values.text for ask in asked}) == len(asked)
    assert program(walk, **asked[3], holds=True).text != program(walk, holds=True).text


def test_each_counts_its_payoff_or_the_value_of_its_exit() -> None:
    made = program(rw.ItoWalk(0.0, 0.5, dt=0.01), payoff=E("1 + x*t"), boundary=(E("3*t"), E("x - 2*t")))
    state = made.begin(np.array([0.5, -1.0, 2.0]))
    state.exit[:], state.gone_at[:], state.weight[:], state.gathered[:] = (
        (0, 1, 2),
        (0.0, 0.25, 0.75),
        (0.5, 2.0, 1.0),
        (1.0, 0.0, 4.0),
    )
    assert made.settled(state, 4.0).tolist() == [
        0.5 * (1.0 + 0.5 * 4.0) + 1.0,
        2.0 * (3.0 * 0.25),
        2.0 - 2.0 * 0.75 + 4.0,
    ]


def second_moment(scheme: Any, increments: Any, dt: float, noise: Coefficient) -> tuple[float, float, float, float]:
    """E X² of dX = -X dt + σ(X) dW at t = 1 from X = 1 by steps of 2 dt, then the difference to steps of dt, with errors."""
    made = program(rw.ItoWalk(E("-x"), noise=noise, dt=dt, scheme=scheme, increments=increments))
    n, steps = 2**18, round(1.0 / dt)
    fine, coarse = run(made, n, steps, at=1.0).x[0] ** 2, run(made, n, steps // 2, at=1.0, pairs=2).x[0] ** 2
    change = coarse - fine
    return coarse.mean(), coarse.std() / math.sqrt(n), change.mean(), change.std() / math.sqrt(n)


@pytest.mark.parametrize(
    ("scheme", "order"), [(rw.EulerMaruyama(), 1.0), (rw.Milstein(), 1.0), (rw.Platen(), 2.0)], ids=str
)
def test_weak_orders_by_coupled_levels(scheme: Any, order: float) -> None:
    """The step error, by levels that share their noise, falls as the order says; what is left after extrapolation is within the
    statistical error (5 of them: a false alarm in 10⁶) and twice the next term."""
    exact = math.exp(-2.0 + 0.25)
    changes = [second_moment(scheme, rw.Gaussian(), dt, E("0.5*x")) for dt in (0.125, 0.0625)]
    (mean, error, first, _), (_, _, second, noise) = changes
    assert abs(second) > 8.0 * noise
    assert math.log2(first / second) == pytest.approx(order, abs=0.35)
    extrapolated = mean - first * 2.0**order / (2.0**order - 1.0)
    assert abs(extrapolated - exact) < 5.0 * error + 2.0 * abs(first) * 0.25
    assert abs(mean - exact - first * 2.0**order / (2.0**order - 1.0)) < 5.0 * error + abs(first) * 0.5


def test_milstein_has_strong_order_one() -> None:
    """Against the solution on the same noise: E|X_dt - X| of a geometric Brownian motion falls like dt,
    by Euler-Maruyama like √dt."""
    ratios = []
    for scheme in (rw.Milstein(), rw.EulerMaruyama()):
        errors = []
        for dt in (1 / 32, 1 / 128):
            walk = rw.ItoWalk(E("-x"), noise=E("1.13*x"), dt=dt, scheme=scheme)
            exact = rw.ItoWalk(E("-x"), noise=E("1.13*x"), dt=dt, scheme=rw.Exact())
            there, truth = (run(program(w), 20_000, round(0.5 / dt), at=1.0).x[0] for w in (walk, exact))
            errors.append(np.abs(there - truth).mean())
        ratios.append(errors[0] / errors[1])
    assert ratios[0] == pytest.approx(4.0, rel=0.1)
    assert ratios[1] == pytest.approx(2.0, rel=0.1)


def test_two_point_brownian_motion_has_a_step_error_that_covers_the_truth() -> None:
    """E X⁴ = 3 - 2 dt: levels of one law see it, which sums of two signs would not."""
    made = program(rw.ItoWalk(0.0, noise=1.0, dt=0.125, increments=rw.TwoPoint()))
    fine, coarse = (run(made, 2**17, 8 // pairs, pairs=pairs).x[0] ** 4 for pairs in (1, 2))
    error = 5.0 * fine.std() / math.sqrt(2**17)
    assert fine.mean() == pytest.approx(2.75, abs=error)
    assert coarse.mean() == pytest.approx(2.5, abs=error)
    assert 2.0 * fine.mean() - coarse.mean() == pytest.approx(3.0, abs=3.0 * error)


def test_exact_steps_of_an_ornstein_uhlenbeck_process() -> None:
    """Of any length: mean and covariance of SciPy's matrix functions, in 2 and in 20 dimensions, of as many sources of noise and
    of fewer, which the drift spreads."""
    from scipy.linalg import expm, solve_continuous_lyapunov

    chain, waves = (
        0.3 * np.eye(20, k=1) - np.diag(np.linspace(0.5, 2.0, 20)),
        np.cos(np.outer(np.arange(20), np.arange(3))),
    )
    for matrix, noise in (
        (np.array([[-1.0, 0.3], [-0.7, -0.5]]), np.array([[0.7, 0.0], [0.3, 0.4]])),
        (np.array([[-0.2, 1.0], [0.0, -0.5]]), np.array([[0.0], [0.7]])),
        (chain, np.eye(20)), (chain, waves),
    ):  # fmt: skip
        d, n = len(matrix), 40_000
        walk = rw.ItoWalk(rw.Linear(matrix, np.ones(d)), noise=noise, dt=0.8, start=(1.0,) * d, scheme=rw.Exact())
        x = run(program(walk), n, 2, at=1.0).x
        flow, rest = expm(1.6 * matrix), solve_continuous_lyapunov(matrix, -noise @ noise.T)
        covariance = rest - flow @ rest @ flow.T
        mean = flow @ np.ones(d) + np.linalg.solve(matrix, (flow - np.eye(d)) @ np.ones(d))
        error = np.sqrt(np.diag(covariance) / n)
        assert np.abs((x.mean(axis=1) - mean) / error).max() < 5.0
        spread = np.sqrt((np.outer(np.diag(covariance), np.diag(covariance)) + covariance**2) / n)
        assert np.abs((np.cov(x) - covariance) / spread).max() < 5.5


def test_exact_steps_between_walls_in_many_dimensions() -> None:
    """One axis of 18 has walls, where the bridge asks for the noise of the walk; |z| < 4 is missed by one in 16 000."""
    domain = rw.Interval(-1.0, 1.0, rw.Absorbing(), rw.Absorbing()) * rw.Line() ** 17
    axis = rw.pde.FokkerPlanck(0.3, 0.5, domain=domain.axes[0], start=0.0)
    walk = rw.ItoWalk((0.3,) * 18, 0.5, dt=0.25, domain=domain, start=(0.0,) * 18, scheme=rw.Exact())
    alive = rw.simulate(walk, 20_000, [1.0], seed=1).survival(1.0)
    assert abs(alive.z(float(rw.pde.closed_form(axis).survival(1.0)))) < 4.0


def test_twenty_dimensions_are_twenty_times_one() -> None:
    """A step by matrices, against the walk along each axis in plain NumPy from the same normals."""
    d, dt = 20, 0.05
    made = program(rw.ItoWalk(rw.Linear(-np.diag(np.arange(d) / 10.0)), noise=0.3 * np.eye(d), dt=dt, start=(1.0,) * d))
    brownian = program(rw.ItoWalk(rw.Linear(np.zeros((d, d))), noise=np.eye(d), dt=dt, start=(0.0,) * d))
    w, x = [run(brownian, 40, n).x for n in range(5)], np.ones((d, 40))
    for n in range(4):
        x = x - np.arange(d)[:, None] / 10.0 * x * dt + 0.3 * (w[n + 1] - w[n])
    np.testing.assert_allclose(run(made, 40, 4, at=1.0).x, x, rtol=1e-12)


def test_weights_and_sources() -> None:
    """A constant rate: exp(-κt) and (1 - exp(-κt))/κ up to dt²; the killed leave at exponential times."""
    walk = rw.ItoWalk(0.0, noise=1.0, dt=0.01, killing=2.0)
    made = program(walk, source=ONE, payoff=ONE, kills=False)
    state = run(made, 10, 100)
    assert state.weight == pytest.approx(math.exp(-2.0), rel=1e-13)
    assert state.gathered == pytest.approx((1.0 - math.exp(-2.0)) / 2.0, rel=4e-5)
    np.testing.assert_allclose(made.settled(state, 1.0), state.weight + state.gathered)
    killed = run(program(walk), 20_000, 100)
    gone = killed.exit == len(walk.domain.exits)
    assert (killed.exit[~gone] == 0).all()
    assert gone.mean() == pytest.approx(1.0 - math.exp(-2.0), abs=5.0 * 0.35 / math.sqrt(20_000))
    law = stats.truncexpon(2.0, scale=0.5)
    assert stats.kstest(killed.gone_at[gone], law.cdf).pvalue > 1e-4


def test_a_rate_that_varies_is_read_at_both_ends_of_a_step() -> None:
    """E exp(-½λ² ∫W²) = 1/√cosh λt (Cameron and Martin 1944), with an error of second order in the clock."""
    for dt, bound in ((0.1, 0.004), (0.05, 0.001)):
        made = program(rw.ItoWalk(0.0, noise=1.0, dt=dt, killing=E("0.5*x**2")), kills=False)
        weight = run(made, 2**17, round(1.0 / dt)).weight
        assert weight.mean() == pytest.approx(1.0 / math.sqrt(math.cosh(1.0)), abs=bound + 5.0 * weight.std() / 2**8.5)


def pull(x: float) -> float:
    if x > 1.0:
        return -1.0
    return -math.sin(x)


def both(x: float, y: float) -> tuple[float, float]:
    return (-x, math.cos(x)) if x > y else (y, 0.0)


def unknown(x: float) -> float:
    values = {1.0: x}
    return float(len(globals())) if x > 3.0 else values[1.0]


def test_functions_without_a_tree_are_compiled_as_they_are() -> None:
    made = program(rw.ItoWalk(pull, noise=0.0, dt=0.1))
    x = np.full(5, 1.2)
    state = made.begin(np.linspace(0.8, 1.2, 5)[None])
    x = state.x[0].copy()
    made.walk(state, 0, 0, 3, KEYS)
    for _ in range(3):
        x = x + 0.1 * np.array([pull(v) for v in x])
    np.testing.assert_allclose(state.x[0], x, rtol=1e-13)
    made = program(rw.ItoWalk(both, noise=((0.0, 0.0), (0.0, 0.0)), dt=0.1, start=(0.0, 0.0)))
    state = run(made, 2, 1, at=0.5)
    np.testing.assert_allclose(state.x[:, 0], [0.55, 0.5])


def drawn_in(x: np.ndarray, t: float) -> np.ndarray:
    """-x of coordinates that are positive; twice that of others, after t = 0.15."""
    pulled = np.empty(4)
    for i in range(4):
        pulled[i] = -x[i] if x[i] > 0.0 or t < 0.15 else -2.0 * x[i]
    return pulled


def rate(x: np.ndarray) -> float:
    return 0.5 if np.sum(x) > 1.0 else 1.0


def test_functions_of_a_point_without_a_tree_are_compiled_as_they_are() -> None:
    walk = rw.ItoWalk(drawn_in, noise=np.zeros((4, 1)).tolist(), dt=0.1, start=(0.0,) * 4, killing=rate)
    made = program(walk, kills=False)
    x = np.array([[0.8, -0.3, 0.5, 0.1], [0.1, 0.2, -0.7, 0.3]])
    state, weight = made.begin(x.T.copy()), np.ones(2)
    made.walk(state, 0, 0, 3, KEYS)
    for n in range(3):
        before = np.array([rate(point) for point in x])
        x = x + 0.1 * np.array([drawn_in(point, 0.1 * n) for point in x])
        weight *= np.exp(-0.05 * (before + np.array([rate(point) for point in x])))
    np.testing.assert_allclose(state.x, x.T, rtol=1e-13)
    np.testing.assert_allclose(state.weight, weight, rtol=1e-13)
    again = pickle.loads(pickle.dumps(walk))
    assert again == walk and "opaque: it branches on values" in repr(again.drift[1])


def importing(x: float) -> float:
    from math import tanh

    return -tanh(x) if x > 0.0 else 0.0


def test_functions_that_cannot_be_compiled_are_refused_with_their_line() -> None:
    with pytest.raises(CannotEmit, match=r"unknown has no tree .*globals.* at line \d+ \(return float\(len\(globals"):
        program(rw.ItoWalk(unknown, noise=1.0, dt=0.1))
    with pytest.raises(CannotEmit, match=r"importing has no tree .*IMPORT_NAME.* at line \d+ \(from math import tanh"):
        program(rw.ItoWalk(importing, noise=1.0, dt=0.1))
    exact = program(rw.ItoWalk(E("-x"), 0.5, dt=0.1, scheme=rw.Exact()))
    with pytest.raises(ValueError, match="no step error"):
        run(exact, 1, 2, pairs=2)
    many = rw.ItoWalk(rw.Linear(-np.eye(17)), 0.5, dt=0.1, start=(0.0,) * 17, scheme=rw.Platen())
    with pytest.raises(CannotEmit, match="more than 16"):
        program(many)


@pytest.mark.parametrize("name", ["functions"])
def test_the_text_of_any_walk_has_no_fused_operation_and_no_call_of_libm(name: str) -> None:
    module = program(WALKS[name]()).module
    kernel: Any = njit(**OPTIONS)(module.walk.py_func)
    made = program(WALKS[name]())
    state = made.begin(np.zeros((made.dimension, 3)))
    kernel(state, np.arange(3), made.block(1), 0, (0, 1), (made.dt, 1), made.parameters, KEYS)
    code = kernel.inspect_llvm(kernel.signatures[0])
    assert not any(f"@{f}(" in code for f in ("log", "exp", "sin", "cos", "tan", "tanh", "pow", "erf", "fma"))
    assert "fmuladd" not in code
    assert "llvm.fma" not in code


def _four(beyond: float) -> Any:
    """A function of a point in four dimensions that returns a fifth number beyond some x."""

    def numbers(x: Any) -> Any:
        if x[0] > beyond:
            return np.zeros(5)
        return np.zeros(4)

    return numbers


def test_functions_that_return_something_else_somewhere() -> None:
    """Where the walk is declared if that is seen then, else when a walker comes there."""

    def made(function: Any) -> Any:
        return rw.ItoWalk(function, 0.5, dt=0.05, start=(0.0,) * 4)

    def nothing(x: Any) -> Any:
        return None if x[0] > 0.3 else (0.0, 0.0, 0.0, 0.0)

    def failing(x: Any) -> Any:
        if x[0] > 2.5:
            raise ValueError("too far")
        return (0.0, 0.0, 0.0, 0.0)

    with pytest.raises(
        TypeError, match=r"numbers returns array\(.*\) at x = \[.*\], and 4 numbers elsewhere: let it return as"
    ):
        made(_four(0.5))
    with pytest.raises(TypeError, match=r"drift = nothing: returns None: let it return a number, or a tuple of them"):
        made(nothing)
    with pytest.raises(
        ValueError, match=r"numbers returns an array of another shape than elsewhere, which is \(4,\)\. Let it"
    ):
        rw.simulate(made(_four(3.3)), 300, [10.0], seed=1)
    with pytest.raises(
        ValueError, match=r"raises ValueError .*: too far, at line \d+ of .* \(raise ValueError\(.*\)\)\. Let it"
    ):
        rw.simulate(made(failing), 300, [10.0], seed=1)
