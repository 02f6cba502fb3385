"""Vectors, tensors, and the directions of the lattice along which a tensor diffuses."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import optimize

import randwalk as rw
from randwalk.model.ratio import fitting_spacings
from randwalk.model.tensor import NoStencil, Tensor, as_tensor, as_vector, aspect

WALL = rw.Reflecting()


def random_tensors(dimension: int, count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(dimension)
    roots = rng.normal(size=(count, dimension, dimension)) * np.geomspace(1e-3, 10.0, dimension)[:, None]
    return list(roots @ np.swapaxes(roots, 1, 2))


def has_stencil(matrix: np.ndarray) -> bool:
    """By linear programming: are there v > 0 with D_ii v_i ≥ Σ |D_ij| v_j, v the inverse spacings?"""
    scale = np.sqrt(np.diag(matrix))
    comparison = 2.0 * np.eye(len(matrix)) - np.abs(matrix) / np.outer(scale, scale)
    found = optimize.linprog(np.ones(len(matrix)), A_ub=-comparison, b_ub=np.zeros(len(matrix)), bounds=(1.0, 1e9))
    return bool(found.status == 0)


def rebuilt(tensor: Tensor, spacings: tuple[float, ...], point: Any) -> np.ndarray:
    """Σ λ_e (e·dx)(e·dx)ᵀ."""
    steps = {e: np.array(e) * spacings for e in tensor.directions(spacings)}
    rates = tensor.directions(spacings)
    return np.asarray(sum(float(rates[e](point)) * np.outer(step, step) for e, step in steps.items()))


@pytest.mark.parametrize("dimension", [2, 3, 4])
def test_directions_give_the_tensor_back_and_no_rate_is_negative_at_the_aspect(dimension: int) -> None:
    given = 0
    for matrix in random_tensors(dimension, 200):
        fit = aspect(matrix)
        assert (fit is not None) == has_stencil(matrix)
        if fit is None:
            assert dimension > 2  # in the plane every tensor has one
            continue
        given += 1
        tensor, spacings = as_tensor("diffusion", matrix, dimension), tuple((1e-6 * fit).tolist())
        assert min(float(rate(0.0)) for rate in tensor.directions(spacings).values()) >= 0.0
        np.testing.assert_allclose(rebuilt(tensor, spacings, 0.0), matrix, rtol=1e-9, atol=1e-12 * matrix.max())
    assert given > 10


def test_directions_of_a_tensor_that_varies() -> None:
    tensor = as_tensor("diffusion", lambda x, y, z: ((2 + x, x * y, z), (x * y, 3.0, 0.0), (z, 0.0, 1.5)), 3)
    assert set(tensor.directions((1.0, 2.0, 1.0))) == {
        (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, -1, 0), (1, 0, 1), (1, 0, -1),
    }  # fmt: skip
    for point in ((0.3, 0.2, -0.1), (-0.4, 0.9, 0.6)):
        np.testing.assert_allclose(rebuilt(tensor, (1.0, 2.0, 1.0), point), tensor(point), rtol=1e-14)


@pytest.mark.quick
def test_a_tensor_without_stencil_names_a_ratio_that_works() -> None:
    tensor = as_tensor("diffusion", ((0.5, 0.9), (0.9, 10.0)), 2)
    with pytest.raises(
        NoStencil, match=r"along x .* dx = \(0.1, 0.1\): take dx\[0\]/dx\[1\] between 0.09 and 0.5555"
    ) as told:
        tensor.directions((0.1, 0.1))
    for ratio in (0.0900001, 0.555555, float(str(told.value).rsplit(" ", 1)[1])):
        tensor.directions((0.1 * ratio, 0.1))
    for ratio in (0.0899, 0.5557):
        with pytest.raises(NoStencil):
            tensor.directions((0.1 * ratio, 0.1))
    three = ((1.0, 0.6, 0.6), (0.6, 1.0, 0.6), (0.6, 0.6, 1.0))
    with pytest.raises(NoStencil, match=r"no ratio of spacings .* rotate the axes"):
        as_tensor("diffusion", three, 3).directions((1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    "domain",
    [
        rw.Interval(0.0, 1.0, WALL, WALL) * rw.Ring(0.0, 3.0),
        rw.Interval(0.0, 1.0, rw.Absorbing(), WALL) * rw.Interval(0.0, 2.0, WALL, WALL),
        rw.Line() * rw.Ring(0.0, 1.0),
        rw.Line() ** 2,
    ],
)
def test_spacings_that_fit_a_domain_are_the_nearest(domain: Any) -> None:
    matrix, old = np.array([[0.5, 0.9], [0.9, 10.0]]), (0.1, 0.1)
    fit = fitting_spacings(matrix, old, domain.axes)
    assert fit is not None
    walk = rw.LatticeWalk.from_drift((1.0, -1.0), matrix, dx=fit, domain=domain, start=(0.5, 0.5))
    np.testing.assert_allclose(walk.spacings, fit, rtol=1e-12)
    with pytest.raises(NoStencil) as told:
        rw.LatticeWalk.from_drift((1.0, -1.0), matrix, dx=(1 / 9.5 if domain.axes[0].left == rw.Absorbing() else 0.1, 0.1),
                                  domain=domain, start=(0.5, 0.5))  # fmt: skip
    tried = tuple(float(size) for size in str(told.value).rsplit("dx=(", 1)[1].rstrip(")").split(", "))
    rw.LatticeWalk.from_drift((1.0, -1.0), matrix, dx=tried, domain=domain, start=(0.5, 0.5))
    if all(np.isfinite(axis.high - axis.low) for axis in domain.axes):  # against every pair of site numbers
        far = np.inf
        for counts in itertools.product(range(1, 90), range(1, 90)):
            sizes = [rw.model.lattice.spacing(axis, n) for axis, n in zip(domain.axes, counts, strict=True)]
            scaled = np.abs(matrix) / np.outer(sizes, sizes)
            if (2.0 * np.diag(scaled) - scaled.sum(axis=1) >= 0.05 * np.diag(scaled)).all():
                far = min(far, float(np.sum(np.log(np.array(sizes) / old) ** 2)))
        assert np.sum(np.log(np.array(fit) / old) ** 2) <= far * (1.0 + 1e-9)


@pytest.mark.quick
def test_solutions_of_a_tensor() -> None:
    tensor = as_tensor("diffusion", lambda x, y: ((2 + x**2, x * y), (x * y, 3.0)), 2)
    vector = as_vector("drift", lambda x, y: (x, np.cos(y)), 2)
    point = (0.7, -0.4)
    solved = [float(c(point)) for c in tensor.solved(vector)]
    np.testing.assert_allclose(tensor(point) @ solved, [float(c(point)) for c in vector], rtol=1e-14)
    three = as_tensor("diffusion", lambda x, y, z: ((2.0, x, 0.0), (x, 3.0, y), (0.0, y, 1.0)), 3)
    solved = [float(c((0.2, 0.3, 0.0))) for c in three.solved(as_vector("drift", (1.0, 2.0, 3.0), 3))]
    np.testing.assert_allclose(three((0.2, 0.3, 0.0)) @ solved, [1.0, 2.0, 3.0], rtol=1e-14)
    singular = as_tensor("diffusion", ((1.0, 1.0), (1.0, 1.0)), 2)
    np.testing.assert_allclose([c(0.0) for c in singular.solved(as_vector("drift", (2.0, 2.0), 2))], [1.0, 1.0])


def test_divergence_by_differences() -> None:
    tensor = as_tensor("diffusion", lambda x, y: ((2 + x**2, x * y), (x * y, 3.0 + np.sin(y))), 2)
    point, h = np.array([0.7, -0.4]), 1e-5
    slopes = [(tensor(tuple(point + h * e)) - tensor(tuple(point - h * e))) / (2.0 * h) for e in np.eye(2)]
    wanted = [sum(slopes[j][i, j] for j in range(2)) for i in range(2)]
    np.testing.assert_allclose([float(c(tuple(point))) for c in tensor.divergence()], wanted, rtol=1e-8)


@pytest.mark.quick
def test_vectors_and_tensors_are_read_in_every_form() -> None:
    given: Any
    for given in (
        (-1.0, 2.0),
        [-1.0, 2.0],
        np.array([-1.0, 2.0]),
        lambda x, y: (-1.0, 2.0),
        lambda t: np.array([-1.0, 2.0]),
    ):
        assert [float(c((3.0, 4.0), 1.0)) for c in as_vector("drift", given, 2)] == [-1.0, 2.0]
    assert as_vector("drift", 0.0, 3) == as_vector("drift", (0.0, 0.0, 0.0), 3)
    assert as_vector("drift", lambda x: -x, 1)[0](2.0) == -2.0
    one = as_tensor("diffusion", 0.5, 2)
    for given in (
        (0.5, 0.5),
        ((0.5, 0.0), (0.0, 0.5)),
        np.diag([0.5, 0.5]),
        lambda x, y: 0.5,
        lambda x, y: (0.5, 0.5),
        one,
    ):
        np.testing.assert_array_equal(as_tensor("diffusion", given, 2)((1.0, 2.0)), 0.5 * np.eye(2))
    assert one.diagonal
    assert one.constant
    traced = as_vector(
        "drift", lambda x, y: (-x, 1.0), 2
    )  # the trees of one function know what each component depends on
    assert [sorted(c.variables) for c in traced] == [["x"], []]
    assert as_tensor("diffusion", lambda x, y: ((1.0, x), (x, 2.0)), 2)[0, 1] == rw.expression("x")


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: as_vector("drift", (1.0, 0.0), 3), ValueError, r"drift = \(1.0, 0.0\) has 2 components, .* 3 dimensions"),
        (lambda: as_vector("drift", 1.0, 2), ValueError, r"drift = 1.0 is one component, .* drift=\(…, …\)"),
        (lambda: as_vector("drift", lambda x, y: x, 2), ValueError, "is one component"),
        (lambda: as_vector("drift", lambda a, b: (a, b), 2), TypeError, "name the parameters of a function after the coord"),
        (lambda: as_vector("drift", lambda x, y, z: (x, z), 2), TypeError, r"takes \(z\)|takes \(x, y, z\)"),
        (lambda: as_vector("drift", lambda x, y: (1 / 0, x), 2), TypeError, "fails when it is called with numbers: ZeroDiv"),
        (lambda: as_vector("drift", ("x", 1.0), 2), TypeError, "rw.expression"),
        (lambda: as_tensor("diffusion", (1.0, 2.0, 3.0), 2), ValueError, "has the shape 3, and the domain has 2 dim"),
        (lambda: as_tensor("diffusion", ((1.0, 0.1), (0.2, 1.0)), 2), ValueError, "a diffusion tensor is symmetric"),
        (lambda: as_tensor("diffusion", lambda x, y: ((1.0, x), (y, 1.0)), 2), ValueError, "is symmetric"),
        (lambda: as_tensor("diffusion", ((1.0, 2.0), (2.0, 1.0)), 2), ValueError, "has the eigenvalue -1 .* semi-definite"),
        (lambda: as_tensor("diffusion", -1.0, 2), ValueError, "has the eigenvalue -1"),
        (lambda: as_tensor("diffusion", as_tensor("diffusion", 1.0, 2), 3), ValueError, "2 × 2 .* 3 dimensions"),
        (lambda: as_tensor("diffusion", (1.0, (1.0, 2.0)), 2), TypeError, "some rows are lists"),
    ],
)  # fmt: skip
def test_bad_vectors_and_tensors_are_refused(make: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        make()


def test_a_tensor_that_is_not_semi_definite_somewhere_is_refused_with_the_place() -> None:
    box = rw.Interval(0.0, 2.0, WALL, WALL) ** 2
    with pytest.raises(ValueError, match=r"eigenvalue -0.95 at x = 1.95, y = 0.5, t = 0"):
        rw.LatticeWalk.from_drift(0.0, lambda x, y: ((1.0, x), (x, 1.0)), dx=0.1, domain=box, start=(0.5, 0.5))
