"""Cells whose lengths a tensor D ties to each other, and boxes that are thin along an axis."""

from __future__ import annotations

import math
from functools import reduce
from operator import mul
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import ndtr

import randwalk as rw
from randwalk.model.coefficient import Floats
from randwalk.model.tensor import aspect
from randwalk.pde.solver.effort import effort
from randwalk.pde.solver.grid import Grid
from randwalk.pde.solver.mesh import Mesh
from randwalk.pde.solver.operator import Operator
from randwalk.pde.solver.rates import generator
from randwalk.pde.solver.schemes import Clock
from randwalk.pde.solver.together import joint, operator_of
from randwalk.pde.solver.window import find_mesh, whole

from .test_honest_tensor import HONEST, LINE, NODES, TIME, WEIGHTS, exact

R = rw.Reflecting()


def admitted(tensor: Floats, mesh: Mesh) -> bool:
    """Whether D_ii/h_i ≥ Σ_j |D_ij|/h_j, by its definition."""
    scaled = np.abs(tensor) / np.array(mesh.spacings)
    own = np.diag(scaled)
    return bool((own * (1.0 + 1e-9) >= scaled.sum(axis=1) - own).all())


def drawn(rng: np.random.Generator, dimension: int) -> Floats:
    """A tensor with eigenvalues from 0.01 to 1 for which there are lengths of cells."""
    while True:
        turn = np.linalg.qr(rng.normal(size=(dimension, dimension)))[0]
        tensor = np.asarray(turn @ np.diag(10.0 ** rng.uniform(-2.0, 0.0, dimension)) @ turn.T)
        if aspect(tensor) is not None:
            return 0.5 * (tensor + tensor.T)


@pytest.mark.quick
@pytest.mark.parametrize("dimension", [2, 3])
def test_cells_admit_the_tensor_on_every_level(dimension: int) -> None:
    """Rounded numbers of cells between walls, with a ratio of lengths that may be next to the only one."""
    rng = np.random.default_rng(dimension)
    for _ in range(40):
        sides = 10.0 ** rng.uniform(-0.5, 0.5, dimension)
        tensor = drawn(rng, dimension) * np.multiply.outer(sides, sides)
        kinds = rng.integers(0, 3, dimension)
        axes = [(rw.Interval(0.0, s, R, R), rw.Line(), rw.Ring(0.0, s))[k] for s, k in zip(sides, kinds, strict=True)]
        given = tuple(map(tuple, tensor.tolist()))
        start = tuple((0.4 * sides).tolist())
        equation = rw.pde.FokkerPlanck(0.0, given, domain=reduce(mul, axes), start=start)
        mesh = whole(equation, [(0.0, s) for s in sides.tolist()])
        for cells in (8, 12, 20, 22, 26, 40):
            finer = mesh.with_cells(cells)
            assert admitted(tensor, finer), (tensor, finer.shape)
            assert mesh.with_cells(2 * cells).shape == tuple(2 * n for n in finer.shape)


@pytest.mark.quick
def test_a_thin_axis_asks_for_no_more_cells_than_it_must() -> None:
    """2 cells across 0.02 ask for 10 + 0.3 n_y and 20 + 0.3 n_x of the others, which are 18 and 26."""
    tensor = ((0.1, 0.03, 0.01), (0.03, 0.1, 0.02), (0.01, 0.02, 0.1))
    box = rw.Interval(0.0, 1.0, R, R) * rw.Interval(0.0, 1.0, R, R) * rw.Interval(0.0, 0.02, R, R)
    equation = rw.pde.FokkerPlanck(0.0, tensor, domain=box, start=(0.4, 0.4, 0.008))
    assert find_mesh(equation, np.array([0.1]), 1e-6).with_cells(8).shape == (18, 26, 2)


@pytest.mark.parametrize("degrees", [10, 30, 45])
def test_a_tensor_with_next_to_one_ratio_of_lengths(degrees: int) -> None:
    """Eigenvalues 1 : 1000, in a strip: all ratios of lengths are within 0.2 to 2 % of one."""
    turn = np.exp(1j * np.radians(degrees))
    vectors = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    tensor = tuple(map(tuple, (0.3 * vectors @ np.diag([1.0, 1e-3]) @ vectors.T).tolist()))
    strip = rw.Interval(0.0, 1.0, R, R) * LINE
    law = rw.pde.solve(rw.pde.FokkerPlanck(0.0, tensor, domain=strip, start=(0.3, 0.5)), [TIME], tolerance=5e-3)
    found = (law.density[0] * law.mesh.volume).cumsum(axis=0).cumsum(axis=1)
    wrong = float(np.abs(found - exact(law)[0]).max())
    assert wrong <= HONEST * law.error_estimate <= HONEST * 5e-3


@pytest.mark.parametrize(("mixed", "axes"), [((0, 1), (0, 1)), ((1, 2), (1, 2)), ((0, 2), (0, 2))])
def test_rates_along_some_axes_and_along_the_others_are_all(mixed: tuple[int, int], axes: tuple[int, ...]) -> None:
    tensor = np.diag([0.3, 0.4, 0.5])
    tensor[mixed], tensor[mixed[::-1]] = 0.1, 0.1
    wall = rw.PartiallyAbsorbing(2.0)
    box = reduce(mul, (rw.Interval(0.0, 1.0, R, wall) for _ in range(3)))
    equation = rw.pde.FokkerPlanck(
        lambda x, y, z: (y, z - x, x * y), tuple(map(tuple, tensor.tolist())), domain=box, start=(0.5, 0.5, 0.5), killing=0.7
    )  # fmt: skip
    mesh = Mesh(tuple(Grid(0.0, 1.0, n, R, wall) for n in (6, 7, 8)), box)
    assert joint(equation, mesh) == axes
    (other,) = {0, 1, 2} - set(axes)
    parts = generator(Operator(equation, mesh, axes)) + generator(Operator(equation, mesh, (other,)))
    assert np.abs(parts - generator(Operator(equation, mesh))).max() < 1e-11
    state = np.zeros(mesh.states)
    mesh.inner(state)[...] = np.random.default_rng(1).random(mesh.shape)
    for apply, own in zip(operator_of(equation, mesh).forward, ((other,), axes), strict=True):
        made = apply(0.01, 0.0, state)
        assert np.abs(made - 0.01 * (generator(Operator(equation, mesh, own)).T @ made) - state).max() < 1e-8
    for apply, own in zip(operator_of(equation, mesh).backward, ((other,), axes), strict=True):
        made = apply(0.01, 0.0, state)
        assert np.abs(made - 0.01 * (generator(Operator(equation, mesh, own)) @ made) - state).max() < 1e-8


def test_a_thin_axis_without_mixed_derivatives() -> None:
    """The law is that of the plane times that across; without the axis taken apart it takes minutes."""
    tensor = ((0.1, 0.03, 0.0), (0.03, 0.1, 0.0), (0.0, 0.0, 0.1))
    wide, thin = rw.Interval(0.0, 1.0, R, R), rw.Interval(0.0, 0.02, R, rw.PartiallyAbsorbing(0.05))
    equation = rw.pde.FokkerPlanck(0.0, tensor, domain=wide * LINE * thin, start=(0.3, 0.5, 0.008))
    law = rw.pde.solve(equation, [TIME], tolerance=5e-3)
    plane = rw.pde.FokkerPlanck(0.0, ((0.1, 0.03), (0.03, 0.1)), domain=wide * LINE, start=(0.3, 0.5))
    axes = law.mesh.axes
    flat, _ = exact(SimpleNamespace(equation=plane, mesh=SimpleNamespace(axes=axes[:2])))  # type: ignore[arg-type]
    across = rw.pde.closed_form(rw.pde.FokkerPlanck(0.0, 0.1, domain=thin, start=0.008))
    below = across.cdf(axes[2].edges[1:], TIME)
    found = (law.density[0] * law.mesh.volume).cumsum(axis=0).cumsum(axis=1).cumsum(axis=2)
    wrong = float(np.abs(found - flat[:, :, None] * below).max())
    lost = abs(float(law.survival(TIME)) - float(across.survival(TIME)))
    assert max(wrong, lost) <= HONEST * law.error_estimate <= HONEST * 5e-3


def test_a_thin_axis_with_mixed_derivatives() -> None:
    """By the shears x - z D_xz/D_zz and y - z D_yz/D_zz the coordinates become independent, with D_xy = D_xz D_yz/D_zz; with six
    cells across on the first level it takes four times as long."""
    d, mixed = 0.1, (0.02, 0.03)
    tensor = ((d, mixed[0] * mixed[1] / d, mixed[0]), (mixed[0] * mixed[1] / d, d, mixed[1]), (*mixed, d))
    thin, time = rw.Interval(0.0, 0.1, rw.Absorbing(), R), 0.02
    equation = rw.pde.FokkerPlanck(0.0, tensor, domain=LINE * LINE * thin, start=(0.4, 0.4, 0.04))
    law = rw.pde.solve(equation, [time], tolerance=5e-3)
    across = rw.pde.closed_form(rw.pde.FokkerPlanck(0.0, d, domain=thin, start=0.04))
    *plane, grid = law.mesh.axes
    half = 0.5 * np.diff(grid.edges)
    z = grid.x[:, None] + half[:, None] * NODES
    weights = WEIGHTS * half[:, None] * across.pdf(z.ravel(), time).reshape(z.shape)
    below = [
        ndtr((axis.edges[1:] - 0.4 - (z - 0.04)[..., None] * m / d) / math.sqrt(2.0 * time * (d - m * m / d)))
        for axis, m in zip(plane, mixed, strict=True)
    ]
    expected = np.einsum("zk,zkx,zky->xyz", weights, *below).cumsum(axis=2)
    found = (law.density[0] * law.mesh.volume).cumsum(axis=0).cumsum(axis=1).cumsum(axis=2)
    wrong = float(np.abs(found - expected).max())
    lost = abs(float(law.survival(time)) - float(across.survival(time)))
    assert max(wrong, lost) <= HONEST * law.error_estimate <= HONEST * 5e-3


@pytest.mark.parametrize(("width", "time"), [(0.01, 0.03), (0.02, 0.03)])
def test_a_thin_torus_with_mixed_derivatives(width: float, time: float) -> None:
    """Along the long ring the law is the wrapped normal one, whatever D_xy; a ring of two cells would meet itself twice."""
    tensor = ((0.1, 0.03), (0.03, 0.1))
    equation = rw.pde.FokkerPlanck(
        0.0, tensor, domain=rw.Ring(0.0, 1.0) * rw.Ring(0.0, width), start=(0.4, 0.4 * width)
    )
    assert min(whole(equation, [(0.0, 1.0), (0.0, width)]).with_cells(8).shape) == 3
    law = rw.pde.solve(equation, [time], tolerance=1e-3)
    x, turns = law.mesh.axes[0].edges, np.arange(-3, 4)
    below = ndtr((x[:, None] - 0.4 + turns) / math.sqrt(0.2 * time)).sum(axis=1)
    found = (law.density[0] * law.mesh.volume).sum(axis=1).cumsum()
    assert np.abs(found - np.diff(below).cumsum()).max() <= HONEST * law.error_estimate <= HONEST * 1e-3


def test_the_work_of_steps_where_a_hole_hides_an_infinite_diffusion() -> None:
    walls = rw.Interval(-2.0, 2.0, R, R) ** 2
    rates = [rw.expression("1/(x**2 + y**2)"), rw.expression("where(x**2 + y**2 >= 0.2, 1/(x**2 + y**2), 5)")]
    room = walls.without(rw.Ball((0.0, 0.0), 0.5), R)
    clock = Clock.octaves(np.array([0.1]), 32)
    works = []
    for d in rates:
        equation = rw.pde.FokkerPlanck(0.0, d, domain=room, start=(1.5, 0.0))
        works.append(effort(equation, whole(equation, [(-2.0, 2.0)] * 2).with_cells(1024), clock))
    assert 0.0 < works[0] == works[1] < math.inf
