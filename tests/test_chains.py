"""Chains in two dimensions: the number of dimensions is a number of chains."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from scipy.special import ndtr

import randwalk as rw
from randwalk.model.bernoulli import bernoulli
from randwalk.model.coefficient import Floats
from randwalk.pde.equation import FokkerPlanck
from randwalk.pde.solver.chains import Chain, Resolvent
from randwalk.pde.solver.elimination import Elimination
from randwalk.pde.solver.grid import Grid
from randwalk.pde.solver.schemes import SDIRK2
from randwalk.pde.solver.stencil import Stencil

D, SLOPE, TIME = (0.5, 0.3), 1.0, 0.5  # an Ornstein–Uhlenbeck drift -x along the first axis, none along the second
START, SD = (0.4, 0.3), (0.25, 0.125)
LOW, HIGH = (-4.0, 0.0), (4.0, 1.0)  # far walls of the first axis; of the second an absorbing and a reflecting wall


def edges(cells: int, axis: int) -> Floats:
    return np.linspace(LOW[axis], HIGH[axis], cells + 1)


def chain(shape: tuple[int, int], axis: int) -> Chain:
    """The Scharfetter–Gummel rates along an axis; outlets absorb, but the last of the second axis reflects."""
    padded, cells = (shape[0] + 2, shape[1] + 2), shape[axis]
    h = (HIGH[axis] - LOW[axis]) / cells
    drift = -SLOPE * edges(cells, axis) if axis == 0 else np.zeros(cells + 1)
    into, out = D[axis] / h**2 * bernoulli(drift * h / D[axis])  # through each face: down and up
    up, down = out[1:].copy(), into[:-1].copy()
    if axis == 1:
        down[0], up[-1] = 2.0 * D[1] / h**2, 0.0  # a wall is half a cell away
    along = (slice(None), None) if axis == 0 else (None, slice(None))
    rates = np.zeros((2, *padded))
    rates[:, 1:-1, 1:-1] = up[along], down[along]
    return Chain(padded[1] if axis == 0 else 1, rates[0].ravel(), rates[1].ravel(), np.zeros((1, rates[0].size)))


def image_law(edge: Floats, time: float) -> Floats:
    """Masses between an absorbing wall at 0 and a reflecting one at 1, from a normal law and its images (odd about 0, even about
    1, so of period 4)."""
    sd, total = math.sqrt(SD[1] ** 2 + 2.0 * D[1] * time), np.zeros(edge.size - 1)
    for k in range(-6, 7):
        for place, sign in ((START[1], 1.0), (2.0 - START[1], 1.0), (-START[1], -1.0), (2.0 + START[1], -1.0)):
            total += sign * np.diff(ndtr((edge - place - 4.0 * k) / sd))
    return total


def ornstein_uhlenbeck(edge: Floats, time: float) -> Floats:
    decay = math.exp(-SLOPE * time)
    sd = math.sqrt((SD[0] * decay) ** 2 + D[0] / SLOPE * (1.0 - decay**2))
    return np.diff(ndtr((edge - START[0] * decay) / sd))


def product_law(shape: tuple[int, int], time: float) -> Floats:
    return np.outer(ornstein_uhlenbeck(edges(shape[0], 0), time), image_law(edges(shape[1], 1), time))


def strang(shape: tuple[int, int], steps: int) -> tuple[Floats, float]:
    """The state (padded) after the time, and its least value at any step: half a step along the first axis, one along the second,
    and half a step along the first."""
    first, second = chain(shape, 0), chain(shape, 1)
    dt, scheme = TIME / steps, SDIRK2()
    state = np.append(np.pad(product_law(shape, 0.0), 1).ravel(), 0.0)
    known = {
        (id(c), tau): Resolvent(c, tau) for c, tau in ((first, 0.5 * dt * scheme.gamma), (second, dt * scheme.gamma))
    }

    def apply(of: Chain, tau: float, t: float, u: Floats) -> Floats:
        return known[id(of), tau].forward(u)

    least = 0.0
    for _ in range(steps):
        for of, length in ((first, 0.5 * dt), (second, dt), (first, 0.5 * dt)):
            state = scheme.step(partial(apply, of), state, 0.0, length)
        least = min(least, float(state.min()))
    return state, least


def test_a_product_of_chains_is_second_order_and_keeps_mass_and_sign() -> None:
    """Against the product of an Ornstein–Uhlenbeck law and one between an absorbing and a reflecting wall."""
    errors, lost = [], []
    for n in (1, 2, 4):
        shape = (48 * n, 16 * n)
        state, least = strang(shape, 12 * n)
        assert state.sum() == pytest.approx(product_law(shape, 0.0).sum(), abs=1e-13)
        assert least >= 0.0
        cells = state[:-1].reshape(shape[0] + 2, shape[1] + 2)
        law = product_law(shape, TIME)
        errors.append(np.abs(cells[1:-1, 1:-1] - law).max() / law.max())
        absorbed = product_law(shape, 0.0).sum() - law.sum()
        lost.append(abs(cells[1:-1, 0].sum() / absorbed - 1.0))
        assert cells[:, -1].max() == 0.0  # nobody passes a reflecting wall
    for found in (errors, lost):
        orders = np.log2(np.array(found[:-1]) / found[1:])
        assert found[0] < 0.02 and np.abs(orders - 2.0).max() < 0.2


@pytest.mark.parametrize("offset", [1, 2, 3, 7, 19])
def test_elimination_of_any_offset(offset: int) -> None:
    """Against the dense matrix."""
    rng, n = np.random.default_rng(offset), 20
    lower, upper, excess = rng.random((3, n))
    lower[:offset] = upper[-offset:] = 0.0
    dense = np.diag(lower + upper + excess)
    i = np.arange(n - offset)
    dense[i + offset, i], dense[i, i + offset] = -lower[offset:], -upper[:-offset]
    matrix, b = Elimination(lower, excess, upper, offset), rng.random(n)
    assert np.allclose(matrix.solve(b), np.linalg.solve(dense, b), rtol=1e-12, atol=0.0)
    assert np.allclose(matrix.solve_transposed(b), np.linalg.solve(dense.T, b), rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_resolvent_along_an_axis_is_that_of_the_matrix(axis: int) -> None:
    """Both directions, with killing, against the dense inverse."""
    plain = chain((5, 4), axis)
    rng = np.random.default_rng(3)
    killed = np.where(plain.up + plain.down > 0.0, rng.random(plain.up.size), 0.0)
    one = Chain(plain.offset, plain.up, plain.down, killed[None])
    a = one.matrix()
    assert np.abs(a.sum(axis=0)).max() <= 1e-14 * np.abs(a).max()
    inverse = np.linalg.inv(np.eye(len(a)) - 0.1 * a)
    state: Floats = rng.random(len(a))
    resolvent = Resolvent(one, 0.1)
    assert np.allclose(resolvent.forward(state), inverse @ state, rtol=1e-12, atol=0.0)
    assert np.allclose(resolvent.backward(state), inverse.T @ state, rtol=1e-12, atol=0.0)
    assert resolvent.forward(state) @ state == pytest.approx(state @ resolvent.backward(state), rel=1e-13)


def test_equal_values_of_coefficients_of_time_alone_share_a_resolvent() -> None:
    """Before and after a pulse they are the same object; the rates of one face that stands for all equal those of every face."""
    grid = Grid(0.0, 1.0, 16, rw.Absorbing(), rw.Reflecting())
    pulse = "3 + heaviside(t - 1) - heaviside(t - 2)"

    def stencil(drift: rw.Coefficient) -> Stencil:
        return Stencil(FokkerPlanck(drift, 0.5, domain=rw.Interval(0.0, 1.0, grid.left, grid.right), start=0.5), grid)

    one, faces = stencil(rw.expression(pulse)), stencil(rw.expression(f"{pulse} + where(x >= 5, 1, 0)"))
    before, within, after = (one.resolvent(0.1, t) for t in (0.5, 1.5, 2.5))
    assert before is after and before is not within
    for t in (0.5, 1.5):
        for name in ("up", "down", "killed"):
            assert np.array_equal(getattr(one.chain(t), name), getattr(faces.chain(t), name))
