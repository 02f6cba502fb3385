"""The weak second-order scheme for noises that do not commute: its moments against those of linear equations, sampling apart.

A step of a linear equation is a random matrix, X ↦ S X. With three-point increments E S and E S⊗S are finite sums, and by their
products the mean and the second moments after many steps are known to rounding. The exact ones obey linear ordinary equations."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

import randwalk as rw
from randwalk import pde
from randwalk.kernels.philox import key
from randwalk.tables.ito_program import ItoProgram, program
from randwalk.tables.opaque import CannotEmit

E = rw.expression
A = np.array([[-0.7, 0.4], [-0.3, -0.5]])
B = np.array([[[0.3, 0.5], [-0.2, 0.4]], [[0.1, -0.6], [0.45, 0.25]]])  # columns of σ: B₁x and (1 + t/2) B₂x
assert np.abs(B[0] @ B[1] - B[1] @ B[0]).max() > 0.1  # they do not commute


def linear(dt: float, scheme: Any = rw.Platen(), increments: Any = rw.ThreePoint()) -> rw.ItoWalk:  # noqa: B008
    def row(matrix: np.ndarray, a: int) -> str:
        return f"({matrix[a, 0]}*x + {matrix[a, 1]}*y)"

    drift = tuple(E(row(A, a)) for a in range(2))
    noise = tuple((E(row(B[0], a)), E(f"(1 + 0.5*t)*{row(B[1], a)}")) for a in range(2))
    return rw.ItoWalk(drift, noise=noise, dt=dt, start=(1.0, 0.5), scheme=scheme, increments=increments)


def step_moments(made: ItoProgram, t: float, h: float) -> tuple[np.ndarray, np.ndarray]:
    """E S and E S⊗S of the step at time t, over all values of the increments."""
    first, second = np.zeros((2, 2)), np.zeros((4, 4))
    for z in itertools.product((-math.sqrt(3.0), 0.0, math.sqrt(3.0)), repeat=made.sources):
        chance = math.prod(2.0 / 3.0 if value == 0.0 else 1.0 / 6.0 for value in z)
        columns = [made.module.moved(e, t, h, math.sqrt(h), z, made.parameters) for e in ((1.0, 0.0), (0.0, 1.0))]
        step = np.array(columns).T
        first += chance * step
        second += chance * np.kron(step, step)
    return first, second


def moments(made: ItoProgram, steps: int) -> np.ndarray:
    """E X and E X⊗X at time 1."""
    mean, square = np.array([1.0, 0.5]), np.kron([1.0, 0.5], [1.0, 0.5])
    for n in range(steps):
        first, second = step_moments(made, n / steps, 1.0 / steps)
        mean, square = first @ mean, second @ square
    return np.concatenate([mean, square])


def exact() -> np.ndarray:
    """d E X = A E X dt, d E X⊗X = (A⊗1 + 1⊗A + Σ B⊗B) E X⊗X dt."""
    one = np.eye(2)

    def slope(t: float, y: np.ndarray) -> np.ndarray:
        grown = np.kron(A, one) + np.kron(one, A) + np.kron(B[0], B[0]) + (1 + 0.5 * t) ** 2 * np.kron(B[1], B[1])
        return np.concatenate([A @ y[:2], grown @ y[2:]])

    begin = np.concatenate([[1.0, 0.5], np.kron([1.0, 0.5], [1.0, 0.5])])
    return np.asarray(solve_ivp(slope, (0.0, 1.0), begin, rtol=1e-12, atol=1e-14).y[:, -1])


@pytest.fixture(scope="module")
def made() -> ItoProgram:
    return program(linear(0.25))


def test_the_weak_order_is_two(made: ItoProgram) -> None:
    """The error of each of the moments falls as dt²: from 1/16 to 1/32 by 4, within 12 % at these steps."""
    assert made.sources == 3  # the third for the double integral
    truth = exact()
    errors = [np.abs(moments(made, steps) - truth) for steps in (16, 32)]
    np.testing.assert_allclose(np.log2(errors[0] / errors[1]), 2.0, atol=0.17)
    assert errors[1].max() < 5e-4


def test_kernels_draw_what_the_step_needs(made: ItoProgram) -> None:
    """After a step the sample moments of 10⁵ walkers are those of all values of the increments, within 4.5 standard errors."""
    state = made.begin(np.repeat(np.array([[1.0], [0.5]]), 100_000, axis=1))
    made.walk(state, 0, 0, 1, key(3))
    first, second = step_moments(made, 0.0, 0.25)
    x = state.x
    sample = np.array([*x, *(x[i] * x[j] for i in range(2) for j in range(2))])
    wanted = np.concatenate([first @ [1.0, 0.5], second @ np.kron([1.0, 0.5], [1.0, 0.5])])
    error = sample.std(axis=1) / math.sqrt(sample.shape[1])
    assert (np.abs(sample.mean(axis=1) - wanted) < 4.5 * error).all()


def fourth(t: float, y: float) -> float:
    """E Y⁴ of dY = -Y dt + ¼ dW from y."""
    mean, variance = y * math.exp(-t), (1.0 - math.exp(-2.0 * t)) / 32.0
    return mean**4 + 6.0 * mean**2 * variance + 3.0 * variance**2


SQUARED = pde.FokkerPlanck((0.0, E("-y")), (E("0.5*y**4"), 0.03125), start=(0.0, 1.0))  # dX = Y² dV


def test_noise_that_is_not_linear() -> None:
    """Of dX = Y² dV, E X² = ∫ E Y⁴; after one step from X = 0 the error falls as dt³: by 8, within 7 % at these steps."""
    made = program(pde.walk_for(SQUARED, dt=0.1, scheme=rw.Platen()))
    errors = []
    for h in (0.01, 0.005):
        found = 0.0
        for z in itertools.product((-math.sqrt(3.0), 0.0, math.sqrt(3.0)), repeat=made.sources):
            chance = math.prod(2.0 / 3.0 if value == 0.0 else 1.0 / 6.0 for value in z)
            found += chance * made.module.moved((0.0, 0.8), 0.0, h, math.sqrt(h), z, made.parameters)[0] ** 2
        errors.append(abs(found - quad(fourth, 0.0, h, args=(0.8,), epsabs=1e-15)[0]))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(3.0, abs=0.1)


def test_a_value_where_noise_depends_on_another_coordinate() -> None:
    found = pde.expectation(SQUARED, E("x**2"), (0.3, 0.8), 1.0, tolerance=0.01)
    exact = 0.09 + quad(fourth, 0.0, 1.0, args=(0.8,))[0]
    assert abs(float(found) - exact) <= 4.0 * float(found.statistical) + float(found.step)
    assert found.order == 2.0


def test_many_sources_that_act_on_each_other_are_refused() -> None:
    noise = tuple(tuple(E("1 + 0.1*x") for _ in range(5)) for _ in range(2))
    with pytest.raises(CannotEmit, match=r"10 pairs of sources .* at most 6 are compiled. Take EulerMaruyama\(\)"):
        program(rw.ItoWalk((0.0, 0.0), noise=noise, dt=0.1, start=(0.0, 0.0), scheme=rw.Platen()))
