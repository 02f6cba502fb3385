"""Walks in several dimensions: their steps against formulas for drift, diffusion and conventions, and what is refused."""

from __future__ import annotations

import itertools
import pickle
import re
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

import randwalk as rw
from randwalk.model.outlet import absorption

WALL = rw.Reflecting()
EDGE = rw.Absorbing()
ROOM = rw.Interval(0.0, 1.0, WALL, WALL) ** 2
POINTS = ((0.3, -0.7), (-0.2, 0.1), (0.9, 0.4))
EXACT, LINEAR, FITTED = rw.Rule.EXACT_VARIANCE, rw.Rule.LINEAR, rw.Rule.FITTED


def drift(x: Any, y: Any) -> tuple[Any, Any]:
    return -x + y, np.sin(x)


def diagonal(x: Any, y: Any) -> tuple[Any, Any]:
    return 1.0 + 0.3 * np.sin(x + y), 0.5 + 0.1 * y**2


def full(x: Any, y: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    return (1.0 + 0.3 * np.sin(x), 0.2 * np.cos(y)), (0.2 * np.cos(y), 0.5 + 0.1 * np.cos(x * y))


def moments(walk: rw.LatticeWalk, point: tuple[float, ...], t: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Mean and second moment of a step, from its probabilities."""
    steps = {e: np.array(e) * walk.spacings for e in walk.probabilities}
    chances = {e: float(p(point, t)) for e, p in walk.probabilities.items()}
    assert min(chances.values()) >= -1e-15
    assert sum(chances.values()) <= 1.0 + 1e-15
    mean = np.asarray(sum(chances[e] * steps[e] for e in steps))
    return mean, np.asarray(sum(chances[e] * np.outer(steps[e], steps[e]) for e in steps))


# ------------------------------------------------------------ drift and diffusion


@pytest.mark.parametrize("point", POINTS)
def test_moore_steps_have_the_mean_and_the_covariance(point: tuple[float, float]) -> None:
    walk = rw.LatticeWalk.from_drift(drift, diagonal, dx=(0.05, 0.04))
    mean, second = moments(walk, point)
    np.testing.assert_allclose(mean, walk.dt * np.array(drift(*point)), rtol=1e-12)
    np.testing.assert_allclose(
        second - np.outer(mean, mean), 2.0 * walk.dt * np.diag(diagonal(*point)), rtol=1e-11, atol=1e-18
    )
    assert walk.neighbourhood == rw.Moore()
    assert len(walk.probabilities) == 8


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("rule", [EXACT, LINEAR, FITTED])
def test_von_neumann_steps_go_along_one_axis(rule: rw.Rule, point: tuple[float, float]) -> None:
    walk = rw.LatticeWalk.from_drift(drift, diagonal, dx=(0.05, 0.04), rule=rule, neighbourhood=rw.VonNeumann())
    mean, second = moments(walk, point)
    assert walk.displacements == ((1, 0), (-1, 0), (0, 1), (0, -1))
    np.testing.assert_allclose(mean, walk.dt * np.array(drift(*point)), rtol=1e-12)
    own = np.diag(2.0 * walk.dt * np.array(diagonal(*point)))
    if rule is EXACT:
        np.testing.assert_allclose(second, own + np.diag(mean**2), rtol=1e-12)
    elif rule is LINEAR:
        np.testing.assert_allclose(second, own, rtol=1e-12)
    else:  # p + q = m coth(w/2), w = a dx/D
        w = np.array(drift(*point)) * walk.spacings / diagonal(*point)
        np.testing.assert_allclose(np.diag(second), mean * walk.spacings / np.tanh(0.5 * w), rtol=1e-10)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("rule", [EXACT, LINEAR, FITTED])
def test_steps_along_diagonals_have_the_mean_and_the_covariance(rule: rw.Rule, point: tuple[float, float]) -> None:
    walk = rw.LatticeWalk.from_drift(drift, full, dx=0.05, rule=rule)
    mean, second = moments(walk, point)
    np.testing.assert_allclose(mean, walk.dt * np.array(drift(*point)), rtol=1e-10)
    own = 2.0 * walk.dt * np.array(full(*point))
    if rule is EXACT:
        np.testing.assert_allclose(second - np.outer(mean, mean), own, rtol=1e-10)
    elif rule is LINEAR:
        np.testing.assert_allclose(second, own, rtol=1e-10)
    else:
        np.testing.assert_allclose(second, own, rtol=0.02)  # to second order in dx


@pytest.mark.quick
def test_a_tensor_in_space_and_in_four_dimensions() -> None:
    for d in (3, 4):
        root = np.random.default_rng(d).normal(size=(d, d)) * 0.1 + np.eye(d)
        matrix, a = root @ root.T, np.linspace(-1.0, 1.0, d)
        walk = rw.LatticeWalk.from_drift(a, matrix, dx=0.1, times=[0.5])
        mean, second = moments(walk, (0.0,) * d)
        np.testing.assert_allclose(mean, walk.dt * a, atol=1e-15)
        np.testing.assert_allclose(second - np.outer(mean, mean), 2.0 * walk.dt * matrix, rtol=1e-10, atol=1e-15)
        assert all(sum(map(abs, e)) <= 2 for e in walk.displacements)
        assert walk.steps([0.5]) == [round(0.5 / walk.dt)]


def test_the_walk_gives_back_what_it_was_made_from_and_what_its_steps_are() -> None:
    walk = rw.LatticeWalk.from_drift(drift, full, dx=0.05, rule=LINEAR)
    given = rw.LatticeWalk(steps=walk.probabilities, dx=walk.dx, dt=walk.dt)
    for point in POINTS:
        np.testing.assert_allclose([float(a(point)) for a in walk.drift], drift(*point), rtol=1e-12)
        np.testing.assert_allclose(walk.diffusion(point), full(*point), rtol=1e-12)
        np.testing.assert_allclose([float(a(point)) for a in given.drift], drift(*point), rtol=1e-9)
        np.testing.assert_allclose(given.diffusion(point), full(*point), rtol=1e-9)
    assert given.neighbourhood is None
    assert given.rule is None
    assert given.axis_steps is None
    assert walk.axis_steps is None


def test_a_moore_walk_is_the_product_of_walks_on_its_axes() -> None:
    axes: tuple[rw.Interval | rw.Ring, ...] = (rw.Interval(0.0, 1.0, WALL, rw.Absorbing()), rw.Ring(0.0, 2.0))
    parts: Any = (rw.expression("1 - x"), rw.expression("0.2 + 0.1*x"), 0.05), (rw.expression("sin(3.14*x)"), 0.3, 0.1)

    def moved(c: Any) -> Any:
        return rw.expression(str(c).replace("x", "y")) if isinstance(c, rw.Coefficient) else c

    plane = rw.LatticeWalk.from_drift(
        (parts[0][0], moved(parts[1][0])), (parts[0][1], parts[1][1]), dx=(1 / 20.5, 0.1), dt=0.002,
        domain=axes[0] * axes[1], start=(0.5, 1.0), convention=rw.Convention.FICK,
    )  # fmt: skip
    single = [
        rw.LatticeWalk.from_drift(a, d, dx=dx, dt=0.002, domain=axis, start=0.5, convention=rw.Convention.FICK)
        for (a, d, _), dx, axis in zip(parts, (1 / 20.5, 0.1), axes, strict=True)
    ]
    point = (plane.lattices[0].x(7), plane.lattices[1].x(13))
    chance = [
        {1: float(w.right(x)), -1: float(w.left(x)), 0: 1.0 - float(w.right(x)) - float(w.left(x))}
        for w, x in zip(single, point, strict=True)
    ]
    for e, p in plane.probabilities.items():
        assert float(p(point)) == pytest.approx(chance[0][e[0]] * chance[1][e[1]], rel=1e-14)
    assert plane.axis_steps is not None
    for pair, w, x in zip(plane.axis_steps, single, point, strict=True):
        assert [float(p(point)) for p in pair] == pytest.approx([float(w.right(x)), float(w.left(x))], rel=1e-14)
    assert plane.lattices == tuple(w.lattice for w in single)


@pytest.mark.parametrize(("neighbourhood", "order"), [(rw.Moore(), 4), (rw.VonNeumann(), 2)])
@pytest.mark.parametrize("dimension", [2, 3])
def test_order_of_the_law_of_a_walk_with_constant_coefficients(neighbourhood: Any, order: int, dimension: int) -> None:
    """The characteristic function of the walk at t = 1 against that of the normal law."""
    a, d, k = (
        np.array([0.7, -0.4, 0.2])[:dimension],
        np.array([0.5, 0.3, 0.4])[:dimension],
        np.array([1.3, 0.8, 1.1])[:dimension],
    )
    errors = []
    for dx in (0.1, 0.05):
        spacings: Any = dx * np.sqrt(d / 0.5)
        walk = rw.LatticeWalk.from_drift(a, d, dx=spacings, times=[1.0], neighbourhood=neighbourhood)
        chances = {e: float(p(0.0)) for e, p in walk.probabilities.items()}
        one = (
            1.0
            - sum(chances.values())
            + sum(p * np.exp(1j * k @ (np.array(e) * walk.spacings)) for e, p in chances.items())
        )
        errors.append(abs(one ** round(1.0 / walk.dt) - np.exp(1j * k @ a - d @ k**2)))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)


def test_two_way_steps() -> None:
    bishop = rw.LatticeWalk.from_drift(0.0, (0.5, 2.0), dx=(0.1, 0.2), rule=rw.Rule.TWO_WAY)
    assert bishop.displacements == ((-1, -1), (-1, 1), (1, -1), (1, 1))
    assert bishop.dt == pytest.approx(0.01)
    rook = rw.LatticeWalk.from_drift((0.0, 0.0), 0.25, dx=1.0, rule=rw.Rule.TWO_WAY, neighbourhood=rw.VonNeumann())
    assert [float(p(0.0)) for p in rook.probabilities.values()] == [0.25] * 4
    assert rook.dt == 1.0
    queen = rw.LatticeWalk.from_drift(0.0, ((1.0, 0.5), (0.5, 1.0)), dx=1.0, rule=rw.Rule.TWO_WAY)
    assert sum(float(p(0.0)) for p in queen.probabilities.values()) == pytest.approx(1.0, rel=1e-14)
    with pytest.raises(ValueError, match=r"take dx = \(0.1, 0.2\), or neighbourhood=VonNeumann"):
        rw.LatticeWalk.from_drift(0.0, (0.5, 2.0), dx=0.1, rule=rw.Rule.TWO_WAY)


def test_the_remedy_of_two_way_steps_fits_the_walls() -> None:
    """Spacings in the proportions √D are named where some fit the walls, and then they do."""
    closed, half = rw.Interval(0.0, 1.0, EDGE, EDGE), rw.Interval(0.0, 1.5, WALL, EDGE)
    fitting = [
        ((0.5, 0.5), closed * half, (9, 8)), ((0.5, 2.0), closed * rw.Ring(0.0, 1.0), (11, 7)),
        ((1.0, 0.25), rw.Line() * closed, None), ((0.5, 0.5, 0.5), closed**2 * rw.Ring(0.0, 3.0), (5, 6, 7)),
    ]  # fmt: skip
    for diffusion, domain, sites in fitting:
        given: dict[str, Any] = {"domain": domain, "start": (0.5,) * len(diffusion), "rule": rw.Rule.TWO_WAY}
        with pytest.raises(ValueError, match="rule = two_way") as refused:
            rw.LatticeWalk.from_drift(0.0, diffusion, **given, **({"sites": sites} if sites else {"dx": 0.1}))
        dx = tuple(map(float, str(refused.value).split("take dx = (")[1].split(")")[0].split(", ")))
        rw.LatticeWalk.from_drift(0.0, diffusion, **given, dx=dx)
    with pytest.raises(ValueError, match=r"along another axis: take neighbourhood=VonNeumann\(\)$"):
        rw.LatticeWalk.from_drift(
            0.0, (0.5, 0.7), domain=closed * half, sites=(9, 8), start=(0.5, 0.5), rule=rw.Rule.TWO_WAY
        )


# ------------------------------------------------------------ conventions


@pytest.mark.parametrize("neighbourhood", [rw.Moore(), rw.VonNeumann()])
@pytest.mark.parametrize(("convention", "part"), [(rw.Convention.FICK, 1.0), (rw.Convention.STRATONOVICH, 0.5)])
def test_the_mean_step_of_a_convention(convention: rw.Convention, part: float, neighbourhood: Any) -> None:
    """Σ p_e e dx/dt is a + (1 - λ) ∂_i D_ii, to second order."""
    errors = []
    for dx in (0.1, 0.05):
        walk = rw.LatticeWalk.from_drift(
            drift, diagonal, dx=dx, dt=dx**2 / 20.0, convention=convention, neighbourhood=neighbourhood
        )
        worst = 0.0
        for x, y in POINTS:
            slope = np.array([0.3 * np.cos(x + y), 0.2 * y])
            wanted = np.array(drift(x, y)) + part * slope
            worst = max(worst, np.abs(moments(walk, (x, y))[0] / walk.dt - wanted).max())
            np.testing.assert_allclose([float(a((x, y))) for a in walk.drift], wanted, rtol=1e-9)
        errors.append(worst)
    assert errors[1] < errors[0] / 3.5


def test_the_mean_step_of_a_tensor_in_the_fick_form() -> None:
    errors = []
    for dx in (0.1, 0.05):
        walk = rw.LatticeWalk.from_drift(drift, full, dx=dx, dt=dx**2 / 20.0, convention=rw.Convention.FICK)
        worst = 0.0
        for x, y in POINTS:
            divergence = np.array([0.3 * np.cos(x) - 0.2 * np.sin(y), -0.1 * x * np.sin(x * y)])
            wanted = np.array(drift(x, y)) + divergence
            worst = max(worst, np.abs(moments(walk, (x, y))[0] / walk.dt - wanted).max())
            np.testing.assert_allclose([float(a((x, y))) for a in walk.drift], wanted, rtol=1e-9)
        errors.append(worst)
    assert errors[1] < errors[0] / 3.5


@pytest.mark.parametrize(("rule", "potential"), [(EXACT, 0.0), (FITTED, 0.8)])
def test_detailed_balance_of_a_tensor_in_the_fick_form(rule: rw.Rule, potential: float) -> None:
    """Without drift a uniform law is in balance to rounding; with the drift -D∇U, and a linear U, e^-U."""
    slope = potential * np.array([1.0, -0.5])

    def pulled(x: Any, y: Any) -> tuple[Any, Any]:
        (xx, xy), (_, yy) = full(x, y)
        return -(xx * slope[0] + xy * slope[1]), -(xy * slope[0] + yy * slope[1])

    ring = rw.Ring(0.0, 4.0) ** 2
    walk = rw.LatticeWalk.from_drift(
        pulled, full, dx=0.1, rule=rule, convention=rw.Convention.FICK, domain=ring, start=(1.0, 1.0)
    )
    for e, p in walk.probabilities.items():
        back = walk.probabilities[tuple(-c for c in e)]
        for x, y in ((0.5, 1.0), (2.0, 3.0)):
            there = (x + 0.1 * e[0], y + 0.1 * e[1])
            weight = np.exp(-slope @ (0.1 * np.array(e)))
            assert float(p((x, y))) == pytest.approx(weight * float(back(there)), rel=1e-11)


def test_a_bond_of_the_fick_form_crosses_the_seam_of_a_ring() -> None:
    ring = rw.Ring(0.0, 1.0) ** 2
    rising = rw.LatticeWalk.from_drift(
        0.0, lambda x, y: ((1.0 + x, 0.1 * x), (0.1 * x, 2.0)), dx=0.1, domain=ring, start=(0.5, 0.5),
        convention=rw.Convention.FICK,
    )  # fmt: skip
    walk = rising.probabilities
    assert float(walk[1, 1]((0.9, 0.3))) == pytest.approx(float(walk[-1, -1]((0.0, 0.4))), rel=1e-12)
    assert float(walk[1, 0]((0.9, 0.3))) == pytest.approx(float(walk[-1, 0]((0.0, 0.3))), rel=1e-12)


def test_units() -> None:
    """x in µm and t in ns: the probabilities are those of the same walk in other units."""
    space, time = 1e-6, 1e-9
    for tensor in (((0.5, 0.1), (0.1, 0.3)), ((0.5, 0.0), (0.0, 0.3))):
        plain = rw.LatticeWalk.from_drift((1.0, -0.5), tensor, dx=(0.1, 0.08), times=[0.3])
        small = rw.LatticeWalk.from_drift(
            np.array([1.0, -0.5]) * space / time, np.array(tensor) * space**2 / time, dx=(0.1 * space, 0.08 * space),
            times=[0.3 * time],
        )  # fmt: skip
        assert small.dt == pytest.approx(plain.dt * time, rel=1e-12)
        assert small.displacements == plain.displacements
        for p, q in zip(plain.probabilities.values(), small.probabilities.values(), strict=True):
            assert float(q(0.0)) == pytest.approx(float(p(0.0)), rel=1e-10)
    with pytest.raises(ValueError, match=r"x = 2.95e-07, y = 2.95e-07"):
        rw.LatticeWalk.from_drift(
            lambda x, y: (3e13 * x / 3e-7, 0.0), 0.5e-3, dx=1e-8, domain=rw.Interval(0.0, 3e-7, WALL, WALL) ** 2,
            start=(1e-7, 1e-7),
        )  # fmt: skip


# ------------------------------------------------------------ given probabilities


@pytest.mark.quick
def test_steps_are_in_the_order_of_the_stencil_and_have_names() -> None:
    names = {"right": 0.1, "left": 0.11, "up": 0.12, "down": 0.13, "front": 0.14, "back": 0.15}
    walk = rw.LatticeWalk(dx=(1.0, 2.0, 3.0), **names)  # type: ignore[arg-type]
    assert walk.displacements == ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))
    assert {name: float(getattr(walk, name)(0.0)) for name in names} == names
    assert (walk.dx, walk.spacings, walk.dimension) == ((1.0, 2.0, 3.0), (1.0, 2.0, 3.0), 3)
    mixed = rw.LatticeWalk(steps={(1, 1): 0.1, (-1, -1): 0.2, (0, -1): 0.3, (1, 0): 0.4}, dx=1.0)
    assert mixed.displacements == ((1, 0), (0, -1), (-1, -1), (1, 1))
    assert float(mixed.up(0.0)) == 0.0
    assert float(mixed.down(0.0)) == 0.3
    np.testing.assert_allclose(mixed.diffusion((0.0, 0.0)), [[0.35, 0.15], [0.15, 0.3]])
    with pytest.raises(AttributeError, match="in 2 dimensions has no step 'front'"):
        _ = mixed.front
    with pytest.raises(ValueError, match=r"take walk\.lattices"):
        _ = mixed.lattice


@pytest.mark.quick
def test_one_dimension_is_a_case() -> None:
    by_name, by_step = rw.LatticeWalk(0.5, 0.3, dx=0.1), rw.LatticeWalk(steps={(1,): 0.5, (-1,): 0.3}, dx=0.1)
    assert by_name == by_step
    assert hash(by_name) == hash(by_step)
    assert (by_step.dx, by_step.spacings, by_step.displacements) == (0.1, (0.1,), ((1,), (-1,)))
    assert rw.LatticeWalk(steps={(1,): 1.0}, dx=1.0) == rw.LatticeWalk(1.0, 0.0, dx=1.0)
    vector = rw.LatticeWalk.from_drift((1.0,), ((0.5,),), dx=0.1)
    assert vector == rw.LatticeWalk.from_drift(1.0, 0.5, dx=0.1)


@pytest.mark.quick
def test_arrays_over_the_sites() -> None:
    rng = np.random.default_rng(1)
    box = rw.Interval(0.0, 1.0, WALL, rw.Absorbing()) * rw.Ring(0.0, 3.0)
    values = rng.uniform(0.0, 0.25, (4, 7, 12))
    walk = rw.LatticeWalk(*values[:2], up=values[2], down=values[3], dx=(1 / 7.5, 0.25), domain=box, start=(0.5, 1.0))
    sites = []
    for lattice in walk.lattices:
        assert lattice.first is not None and lattice.last is not None
        sites.append(lattice.x(np.arange(lattice.first, lattice.last + 1)))
    x, y = np.meshgrid(*sites, indexing="ij")
    for given, p in zip(values, walk.probabilities.values(), strict=True):
        np.testing.assert_array_equal(p((x, y), 0.0), given)
    assert not walk.homogeneous
    one = rw.LatticeWalk(values[0], 0.2, up=0.2, down=0.2, dx=(1 / 7.5, 0.25), domain=box, start=(0.5, 1.0))
    assert one == pickle.loads(pickle.dumps(one))
    grid = rw.Grid([[0.0, 1.0, 3.0], [0.0, 2.0]], [[0.0, 2.0], [1.0, 3.0], [5.0, 7.0]])
    assert float(grid((2.0, 1.0))) == pytest.approx(4.0)
    np.testing.assert_allclose(grid.derivative("y")((0.5, [0.5, 1.5])), [1.0, 1.0])
    np.testing.assert_allclose(grid.regular_derivative("x")(([0.5, 1.0, 2.0], 0.0)), [1.0, 1.5, 2.0])
    with pytest.raises(ValueError, match="the grid covers x from 0 to 3 and is needed at x = 4"):
        grid((4.0, 0.0))


@pytest.mark.quick
def test_pickles_equality_and_texts() -> None:
    walk = rw.LatticeWalk.from_drift((1.0, rw.expression("-y")), 0.5, dx=0.1, start=(0.0, 1.0), times=[1.0])
    same = pickle.loads(pickle.dumps(walk))
    assert same == walk
    assert hash(same) == hash(walk)
    assert walk.with_start((0.0, 0.0)).start == rw.Point((0.0, 0.0))
    assert walk.with_start((0.0, 0.0)).probabilities == walk.probabilities
    assert walk.told([0.3]) == walk
    assert repr(walk).startswith(
        "LatticeWalk.from_drift(drift=(1, -y), diffusion=((0.5, 0), (0, 0.5)), dx=(0.1, 0.1), dt=0.00333"
    )
    given = rw.LatticeWalk(right=0.25, left=0.25, up=0.25, down=0.25, dx=1.0)
    names = vars(rw) | {name: getattr(rw, name) for name in ("LatticeWalk", "Line", "Point")}
    assert eval(repr(given), names) == given
    diagonal_steps = rw.LatticeWalk(steps={(1, 1): 0.5, (-1, -1): 0.5}, dx=1.0)
    assert eval(repr(diagonal_steps), names) == diagonal_steps
    assert given != diagonal_steps


# ------------------------------------------------------------ walls


@pytest.mark.parametrize(
    ("rule", "convention"),
    [(EXACT, "ito"), (EXACT, "fick"), (FITTED, "ito"), (FITTED, "stratonovich"), (None, "ito")],
)
def test_the_step_through_a_partially_absorbing_face_is_that_of_its_axis(rule: rw.Rule | None, convention: str) -> None:
    robin = rw.Interval(0.0, 1.0, rw.PartiallyAbsorbing(2.0), WALL)
    a, d = rw.expression("0.3 - x"), rw.expression("0.5 + 0.2*x")
    how: dict[str, Any] = {"dx": 0.1, "dt": 0.002, "convention": convention, **({"rule": rule} if rule else {})}
    line = rw.LatticeWalk.from_drift(a, d, domain=robin, start=0.5, **how)
    plane = rw.LatticeWalk.from_drift((0.0, rw.expression("0.3 - y")), (0.4, rw.expression("0.5 + 0.2*y")),
                                      domain=rw.Line() * robin, start=(0.0, 0.5), **how)  # fmt: skip
    if rule is None:
        line = rw.LatticeWalk(line.right, line.left, dx=0.1, dt=0.002, domain=robin, start=0.5)
        moved: dict[tuple[int, ...], Any] = {
            e: rw.expression(str(p).replace("x", "y"))
            for e, p in zip(((0, 1), (0, -1)), line.probabilities.values(), strict=True)
        }
        plane = rw.LatticeWalk(steps=moved, dx=0.1, dt=0.002, domain=plane.domain, start=(0.0, 0.5))
    t = np.zeros((1, 1))
    (bottom, top), (left, _) = plane.domain.faces, line.domain.faces
    assert (bottom.axis, bottom.exit, top.wall) == (1, "bottom", WALL)
    wanted = absorption(line, left, 0.05, np.zeros(1))
    found = absorption(plane, bottom, (np.array([-3.0, 0.0, 1.0]), np.full(3, 0.05)), t)
    np.testing.assert_allclose(found, np.full((1, 3), wanted[0]), rtol=1e-12)
    places = bottom._replace(place=np.zeros(3))  # as at a region, whose boundary has a place for each site
    np.testing.assert_allclose(absorption(plane, places, (np.zeros(3), np.full(3, 0.05)), t), found, rtol=1e-12)


def test_a_face_that_lets_out_too_much_is_refused_with_the_place_and_a_step_that_works() -> None:
    sticky = rw.Interval(0.0, 1.0, rw.PartiallyAbsorbing(40.0), WALL) * rw.Line()

    def law(dt: float) -> Any:
        walk = rw.LatticeWalk.from_drift(
            0.0, 0.5, dx=0.1, dt=dt, domain=sticky, start=(0.5, 0.0), neighbourhood=rw.VonNeumann()
        )
        return rw.pde.exact_law(walk, [40 * dt])  # whose window reaches the wall

    with pytest.raises(
        ValueError, match=r"at the left wall asks for .* at x = 0.05, y = .*, t = 0, .* take dt ≤"
    ) as told:
        law(0.0048)
    law(float(str(told.value).rsplit(" ", 1)[1]))


SHARE = rw.PartiallyAbsorbing(2.0)
TOO_MUCH: dict[str, Any] = {
    # Each of the two steps out has room beside those along the axes, 0.14 and 0.19, but both together have not.
    "two faces": (
        rw.Interval(-0.5, 9.5, SHARE, WALL) * rw.Interval(-0.5, 9.5, SHARE, WALL),
        {(1, 0): 0.24, (-1, 0): 0.24, (0, 1): 0.24, (0, -1): 0.24}, "the left wall .* x = 0, y = 0",
    ),
    # Beside the region one diagonal step back past it is made.
    "a region and a diagonal step": (
        (rw.Interval(-0.5, 9.5, WALL, WALL) ** 2).without(rw.Ball((2.0, 2.0), 1.2), rw.PartiallyAbsorbing(0.12), "hole"),
        {(1, 0): 0.26, (-1, 0): 0.1, (0, 1): 0.3, (0, -1): 0.1, (-1, 1): 0.24}, "the hole wall .* x = 4, y = 2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TOO_MUCH)
def test_steps_that_together_are_more_probable_than_1_are_refused(name: str) -> None:
    domain, steps, place = TOO_MUCH[name]
    with pytest.raises(ValueError, match=f"at {place}, t = 0, where at most .* is left"):
        rw.pde.exact_law(rw.LatticeWalk(steps=steps, dx=1.0, domain=domain, start=(5.0, 5.0)), [1])
    rest = rw.LatticeWalk(steps={e: 0.6 * p for e, p in steps.items()}, dx=1.0, domain=domain, start=(5.0, 5.0))
    law = rw.pde.exact_law(rest, [500])  # of the remedy, smaller step probabilities
    assert float(law.survival(500)) + sum(law.absorbed(exit, 500) for exit in law.exits) == pytest.approx(
        1.0, abs=1e-12
    )


def test_sites_inside_obstacles_need_no_probabilities() -> None:
    inside = rw.Ball((0.5, 0.5), 0.2)
    bad = rw.expression("0.2 + heaviside(0.02 - (x - 0.5)**2 - (y - 0.5)**2)")
    how: dict[str, Any] = {"left": 0.2, "up": 0.2, "down": 0.2, "dx": 0.05, "start": (0.1, 0.1)}
    rw.LatticeWalk(right=bad, domain=ROOM.without(inside), **how)
    with pytest.raises(ValueError, match=r"right \+ left \+ up \+ down = 1.8 at x = 0.\d+, y = 0.\d+, t = 0"):
        rw.LatticeWalk(right=bad, domain=ROOM, **how)


# ------------------------------------------------------------ what is refused, and remedies that work

PLANE: dict[str, Any] = {"right": 0.25, "left": 0.25, "up": 0.25, "down": 0.25, "dx": 0.1}


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: rw.LatticeWalk(**PLANE, front=0.1), TypeError, r"^back: missing"),
        (lambda: rw.LatticeWalk(**PLANE, front=0.1, domain=rw.Line() ** 2), ValueError, "front is given, .* 2 dimensions"),
        (lambda: rw.LatticeWalk(**PLANE, domain=rw.Line()), ValueError, "up is given, and the domain has 1 dimension,"),
        (lambda: rw.LatticeWalk(0.3, 0.3, dx=0.1, domain=rw.Line() ** 2), TypeError, r"up, down: missing; .* or steps="),
        (lambda: rw.LatticeWalk(0.3, 0.3, steps={(1,): 0.1}, dx=0.1), ValueError, "steps and right, left are given"),
        (lambda: rw.LatticeWalk(steps={(2, 0): 0.1}, dx=0.1), ValueError, r"steps\[\(2, 0\)\]: a displacement is a tuple"),
        (lambda: rw.LatticeWalk(steps={(0, 0): 0.1}, dx=0.1), ValueError, r"steps\[\(0, 0\)\]: a walker stays"),
        (lambda: rw.LatticeWalk(steps=cast(Any, {"up": 0.1}), dx=0.1), ValueError, r"steps\['up'\]: a displacement is a tuple"),
        (lambda: rw.LatticeWalk(steps={(1, 0, 0): 0.1}, dx=0.1, domain=rw.Line() ** 2), ValueError, "has 3 components, .* 2 dim"),
        (lambda: rw.LatticeWalk(steps={}, dx=0.1), TypeError, "give a mapping from displacements"),
        (lambda: rw.LatticeWalk(**PLANE | {"right": lambda x, y, z: 0.1 * z}), TypeError, r"right = .* takes \(.*z\)"),
        (lambda: rw.LatticeWalk(**PLANE | {"right": np.full((2, 2), 0.1)}), ValueError, "needs a bounded domain"),
        (lambda: rw.LatticeWalk(**PLANE | {"right": np.full((2, 2), 0.1)}, domain=ROOM, start=(0.5, 0.5)), ValueError,
         r"right has shape \(2, 2\) and the domain has 10 × 10 sites"),
        (lambda: rw.LatticeWalk(**PLANE | {"dx": (0.1, 0.1, 0.1)}), ValueError, r"dx = \(0.1, 0.1, 0.1\)"),
        (lambda: rw.LatticeWalk(**PLANE | {"dx": (0.1, 0.0)}), ValueError, r"dx\[1\] = 0.0: must be positive"),
        (lambda: rw.LatticeWalk(**PLANE | {"dx": 0.3}, domain=ROOM, start=(0.5, 0.5)), ValueError, "does not fit the x axis"),
        (lambda: rw.LatticeWalk(**PLANE, start=1.0), ValueError, "start = "),
        (lambda: rw.LatticeWalk(**PLANE, domain=ROOM.without(rw.Ball((0.5, 0.5), 0.2)), start=(0.5, 0.5)), ValueError,
         "in the obstacle"),
        (lambda: rw.LatticeWalk.from_drift((1.0, 0.0), 0.5, dx=0.1, domain=rw.Line() ** 3), ValueError, "2 components, .* 3 dim"),
        (lambda: rw.LatticeWalk.from_drift((1.0, 0.0), ((0.5, 0.1), (0.1, 0.5)), dx=0.1, neighbourhood=rw.Moore()), ValueError,
         "is not diagonal: take neighbourhood=VonNeumann"),
        (lambda: rw.LatticeWalk.from_drift((1.0, 0.0), 0.5, dx=0.1, neighbourhood=cast(Any, "moore")), TypeError,
         r"give Moore\(\) or"),
        (lambda: rw.LatticeWalk.from_drift(0.0, full, dx=0.1, convention=rw.Convention.STRATONOVICH), ValueError,
         "stratonovich needs a diagonal diffusion"),
        (lambda: rw.LatticeWalk.from_drift((1.0, 0.0), (0.5, lambda x, y: -0.1 * y), dx=0.1, domain=ROOM, start=(0.5, 0.5)),
         ValueError, r"diffusion\[1\]\[1\] = -0.005 at x = 0.5, y = 0.05, t = 0: must be a positive number"),
        (lambda: rw.LatticeWalk.from_drift(0.0, (0.0, 0.0), dx=0.1), ValueError, "diffusion = 0: must be a positive number"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(make: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        make()


def spike(x: Any, y: Any) -> tuple[Any, Any]:
    return 100.0 * x * y, 0.0


def turning(x: Any, y: Any) -> tuple[Any, Any]:
    return -4.0 * x - 10.0 * y, 10.0 * x - 4.0 * y


FULL = ((1.0, 0.3), (0.3, 0.5))


@pytest.mark.parametrize("domain", [ROOM, rw.Interval(0.0, 1.0, rw.Absorbing(), WALL) * rw.Ring(0.0, 1.0)])
@pytest.mark.parametrize(
    ("a", "d", "how"),
    [
        (spike, 0.5, {}),
        (spike, 0.5, {"dt": 0.01}),
        (spike, 0.5, {"neighbourhood": rw.VonNeumann()}),
        (spike, 0.5, {"rule": LINEAR}),
        (spike, FULL, {}),
        (spike, FULL, {"dt": 0.01}),
        (0.0, lambda x, y: ((1.0 + x, 1.2), (1.2, 2.0)), {}),
        (0.0, 0.5, {"dt": 0.02}),
    ],
)
def test_every_remedy_for_probabilities_works_when_tried(domain: Any, a: Any, d: Any, how: dict[str, Any]) -> None:
    fit = 0.1 if domain is ROOM else (1 / 10.5, 0.1)
    given: dict[str, Any] = {"drift": a, "diffusion": d, "dx": fit, "domain": domain, "start": (0.5, 0.5), **how}
    with pytest.raises(ValueError, match=r"at x = .*, y = .*, t = 0: must be .*; take ") as told:
        rw.LatticeWalk.from_drift(**given)
    text = str(told.value).rsplit("; take ", 1)[1]
    for changed in remedies(text, given):
        rw.LatticeWalk.from_drift(**changed)


def remedies(text: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    """The arguments that a message proposes, alternative by alternative."""
    found = []
    for part in re.split(r", or ", text):
        changed = dict(given)
        if step := re.search(r"dt ≤ (\S+)", part):
            changed["dt"] = float(step[1])
        if "without dt" in part:
            changed.pop("dt", None)
        if sizes := re.search(r"dx = \((.*?)\)", part):
            changed["dx"] = tuple(map(float, sizes[1].split(", ")))
        if rule := re.search(r"Rule\.(\w+)", part):
            changed["rule"] = rw.Rule[rule[1]]
        assert changed != given, part
        found.append(changed)
    assert found
    return found


def test_the_remedy_far_out_on_the_plane() -> None:
    """A run finds what is wrong far from the start; the remedy covers the place."""
    given: dict[str, Any] = {"drift": turning, "diffusion": 0.5, "dx": 0.1, "start": (1.0, 0.0)}
    walk = rw.LatticeWalk.from_drift(**given)
    far = np.array([3.0])
    with pytest.raises(ValueError, match=r"at x = 3, y = -2, t = 0: must be .*; take ") as told:
        walk.check((far, np.array([-2.0])), 0.0)
    for changed in remedies(str(told.value).rsplit("; take ", 1)[1], given):
        rw.LatticeWalk.from_drift(**changed).check((far, np.array([-2.0])), 0.0)


def test_the_capped_rule_is_watched_along_each_axis() -> None:
    with pytest.raises(
        ValueError, match=r"drift = -40 at x = 4, y = 0, t = 0: rule = capped loses .* take dx ≤ 0.0125"
    ):
        rw.LatticeWalk.from_drift(lambda x, y: (-10 * x, -y), 0.5, dx=0.1, start=(4.0, 0.0), rule=rw.Rule.CAPPED)
    walk = rw.LatticeWalk.from_drift(lambda x, y: (-10 * x, -y), 0.5, dx=0.0125, start=(4.0, 0.0), rule=rw.Rule.CAPPED)
    x, y = np.array([0.0, 8.0]), np.array([0.0, 0.0])
    with pytest.warns(RuntimeWarning, match=r"rule = capped loses .* than \(0.0125, 0.0125\), or rule=Rule.FITTED"):
        walk.warn_if_slow((x, y), np.array([[0.0, 1.0]]), np.array([1.0]))


def test_times_meet_whole_steps_and_quick_coefficients_shorten_them() -> None:
    walk = rw.LatticeWalk.from_drift(0.0, (0.5, 0.25), dx=0.1, times=[0.3, 0.7])
    assert walk.steps([0.3, 0.7]) == [round(0.3 / walk.dt), round(0.7 / walk.dt)]
    assert walk.dt <= 0.1**2 / 3.0
    waved = rw.LatticeWalk.from_drift(lambda x, y, t: (np.sin(1e4 * t), 0.0), 0.5, dx=0.1, times=[1.0])
    assert waved.dt <= 0.5e-4 * 1.1
    assert waved.time_dependent
    slow = rw.LatticeWalk.from_drift(lambda x, y, t: (np.sin(1e4 * t), 0.0), 0.5, dx=0.1, dt=1e-3)
    with pytest.warns(RuntimeWarning, match="coefficients change within"):
        slow.warn_if_quick(1.0)


def test_all_displacements_of_moore_steps_in_three_dimensions() -> None:
    walk = rw.LatticeWalk.from_drift((1.0, 0.0, -1.0), (0.5, 0.3, 0.4), dx=0.1)
    assert set(walk.displacements) == {e for e in itertools.product((-1, 0, 1), repeat=3) if any(e)}
    assert walk.displacements[6:] == tuple(sorted(walk.displacements[6:]))
    mean, second = moments(walk, (0.0, 0.0, 0.0))
    np.testing.assert_allclose(mean, walk.dt * np.array([1.0, 0.0, -1.0]), atol=1e-16)
    np.testing.assert_allclose(
        second - np.outer(mean, mean), 2.0 * walk.dt * np.diag([0.5, 0.3, 0.4]), rtol=1e-12, atol=1e-17
    )


def test_a_region_that_lets_out_too_much_in_space_names_a_step_that_works() -> None:
    """The axes of this walk step by themselves, so the sum of its steps is not linear in dt."""
    hole = (rw.Interval(0.0, 1.0, WALL, WALL) ** 3).without(
        rw.Ball((0.5,) * 3, 0.3), rw.PartiallyAbsorbing(1000.0), "hole"
    )
    how: dict[str, Any] = {"sites": (10,) * 3, "domain": hole, "start": (0.1,) * 3}
    walk = rw.LatticeWalk.from_drift((1.5,) * 3, 0.5, **how)
    with pytest.raises(ValueError, match=r"at the hole wall asks for .* take dt ≤") as told:
        rw.pde.exact_law(walk, [20 * walk.dt])
    _keeps_all(rw.LatticeWalk.from_drift((1.5,) * 3, 0.5, dt=float(str(told.value).rsplit(" ", 1)[1]), **how))


def test_a_step_that_is_named_with_another_rule_works_with_it() -> None:
    """A drift so strong that EXACT_VARIANCE has no step as short as the wall asks for."""
    hole = (rw.Interval(0.0, 1.0, WALL, WALL) ** 3).without(
        rw.Ball((0.5,) * 3, 0.3), rw.PartiallyAbsorbing(45.0), "hole"
    )
    how: dict[str, Any] = {"sites": (5,) * 3, "domain": hole, "start": (0.1,) * 3}
    walk = rw.LatticeWalk.from_drift((6.0,) * 3, 0.5, **how)
    with pytest.raises(ValueError, match=r"take rule=Rule.FITTED with dt ≤") as told:
        rw.pde.exact_law(walk, [20 * walk.dt])
    dt = float(str(told.value).rsplit(" ", 1)[1])
    _keeps_all(rw.LatticeWalk.from_drift((6.0,) * 3, 0.5, dt=dt, rule=rw.Rule.FITTED, **how))


def _keeps_all(walk: rw.LatticeWalk) -> None:
    law = rw.pde.exact_law(walk, [20 * walk.dt])
    assert float(law.survival(20 * walk.dt) + law.absorbed("hole", 20 * walk.dt)) == pytest.approx(1.0, abs=1e-13)
