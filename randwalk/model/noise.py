"""The noise matrix σ of an Itô walk, with σσᵀ = 2D: given as it is, or a root of the diffusion tensor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from typing import Any, TypeAlias

import numpy as np

from ..inputs.wording import shown
from .coefficient import (
    ZERO,
    Choice,
    Coefficient,
    Constant,
    Floats,
    Power,
    Product,
    apply,
    components,
    constant_value,
    coordinate,
)
from .coefficient.extreme import maximum
from .tensor import ROUNDING, Tensor, is_list, one_part, symmetric

Matrix: TypeAlias = tuple[tuple[Coefficient, ...], ...]

BY_FORMULA = 3  # dimensions up to which a variable tensor has a root by formula
MOST_VARIABLE = 16  # dimensions of a noise that depends on place or time
MOST_SOURCES = 128


def as_noise(value: object, dimension: int) -> Matrix:
    """σ: a number or coefficient times the unit matrix, `dimension` of them on the diagonal, or `dimension` rows of as many each
    as there are independent sources of noise; a function may return these."""
    given = components("noise", value)
    if not is_list(given):
        return _on_diagonal([one_part("noise", given, dimension)] * dimension)
    rows = list(given)  # type: ignore[call-overload]
    if len(rows) != dimension:
        raise ValueError(
            f"noise = {shown(value)} has {len(rows)} rows and the walk {dimension} dimension{'s' * (dimension > 1)}: give one an "
            "axis, each with an entry for every source of noise"
        )
    if not any(map(is_list, rows)):
        return _on_diagonal([one_part(f"noise[{i}]", entry, dimension) for i, entry in enumerate(rows)])
    if not all(map(is_list, rows)) or len({len(row) for row in rows}) > 1 or not len(rows[0]):
        raise ValueError(f"noise = {shown(value)}: give rows of the same length, an entry for every source of noise")
    if len(rows[0]) > MOST_SOURCES:
        raise ValueError(f"noise has {len(rows[0])} columns: at most {MOST_SOURCES} sources of noise are drawn")
    return tuple(
        tuple(one_part(f"noise[{i}][{k}]", entry, dimension) for k, entry in enumerate(row))
        for i, row in enumerate(rows)
    )


def tensor_of(noise: Matrix) -> Tensor:
    """D = ½ σσᵀ."""
    numbers = numbers_of(noise)
    if numbers is not None:
        d = 0.5 * numbers @ numbers.T
        return symmetric(len(noise), lambda i, j: Constant(float(d[i, j])))
    return symmetric(len(noise), lambda i, j: _dot(noise[i], noise[j]))


def numbers_of(noise: Matrix) -> Floats | None:
    """σ as numbers, shape (d, m); None if an entry varies."""
    values = [[constant_value(entry) for entry in row] for row in noise]
    return None if any(v is None for row in values for v in row) else np.array(values, dtype=np.float64)


def is_diagonal(noise: Matrix) -> bool:
    """Whether σ is square and every entry off its diagonal the number 0."""
    return len(noise[0]) == len(noise) and all(
        entry == ZERO for i, row in enumerate(noise) for k, entry in enumerate(row) if i != k
    )


def root(tensor: Tensor) -> Matrix:
    """A σ with σσᵀ = 2D: the roots of the diagonal of a diagonal tensor, else the lower triangle of Cholesky.

    Raises
    ------
    ValueError
        for a variable tensor in more than three dimensions that is not diagonal.
    """
    dimension = tensor.dimension
    if tensor.diagonal:
        return _on_diagonal([_root(2.0 * tensor[i, i]) for i in range(dimension)])
    if tensor.matrix is not None:
        lower = cholesky(2.0 * np.asarray(tensor.matrix))
        return tuple(tuple(Constant(float(entry)) for entry in row) for row in lower)
    if dimension > BY_FORMULA:
        raise ValueError(
            f"diffusion varies and is not diagonal in {dimension} dimensions, where no root of it is known: give noise=σ, rows "
            "of coefficients with σσᵀ = 2D"
        )
    rows: list[list[Coefficient]] = [[ZERO] * dimension for _ in range(dimension)]
    for i in range(dimension):
        for j in range(i):
            rest = reduce(lambda a, b: a - b, (rows[i][k] * rows[j][k] for k in range(j)), 2.0 * tensor[i, j])
            # where the pivot is 0 so is what is left, for the tensor has no negative eigenvalue
            rows[i][j] = ZERO if rest == ZERO else Choice(-rows[j][j], ZERO, rest / rows[j][j])
        left = reduce(lambda a, b: a - b, (rows[i][k] ** 2.0 for k in range(i)), 2.0 * tensor[i, i])
        rows[i][i] = _root(left if i == 0 else maximum(left, ZERO))  # rounding must not make it negative
    return tuple(map(tuple, rows))


def cholesky(matrix: Floats) -> Floats:
    """The lower triangular root L Lᵀ of a positive semi-definite matrix, with columns of zeros where it is singular."""
    lower, left = np.zeros_like(matrix), np.array(matrix, dtype=np.float64)
    smallest = ROUNDING * float(np.abs(np.diag(matrix)).max(initial=0.0))
    for k in range(len(matrix)):
        if left[k, k] <= smallest:
            continue
        lower[k:, k] = left[k:, k] / math.sqrt(left[k, k])
        left[k:, k:] -= np.outer(lower[k:, k], lower[k:, k])
    return lower


def stratonovich_drift(drift: Sequence[Coefficient], noise: Matrix) -> tuple[Coefficient, ...]:
    """The Itô drift aᵢ + ½ Σ_jk σ_jk ∂_j σ_ik of the Stratonovich equation with the drift a."""
    axes, sources = range(len(noise)), range(len(noise[0]))
    made = []
    for i in axes:
        slopes = (
            0.5 * (noise[j][k] * noise[i][k].derivative(coordinate(j)))
            for j in axes
            for k in sources
            if noise[j][k] != ZERO and noise[i][k].depends_on(coordinate(j))
        )
        made.append(reduce(lambda a, b: a + b, slopes, drift[i]))
    return tuple(made)


def _on_diagonal(entries: Sequence[Coefficient]) -> Matrix:
    axes = range(len(entries))
    return tuple(tuple(entries[i] if i == k else ZERO for k in axes) for i in axes)


def _root(value: Coefficient) -> Coefficient:
    """√value, up to the sign, which the law of a walk does not depend on: x² has the root x, with a derivative at 0."""
    number = constant_value(value)
    if number is not None:
        return Constant(math.sqrt(max(number, 0.0)))
    factors = value.factors if isinstance(value, Product) else (value,)
    roots = [r for factor in factors if (r := _simple_root(factor)) is not None]
    return reduce(lambda a, b: a * b, roots) if len(roots) == len(factors) else apply("sqrt", value)


def _simple_root(factor: Coefficient) -> Coefficient | None:
    match factor:
        case Constant(value) if value >= 0.0:
            return Constant(math.sqrt(value))
        case Power(base, Constant(exponent)) if exponent > 0.0 and exponent % 2.0 == 0.0:
            return base ** (exponent / 2.0)
    return None


def _dot(first: Sequence[Coefficient], second: Sequence[Coefficient]) -> Coefficient:
    terms: Any = (
        0.5 * (a * b if a is not b else a**2.0) for a, b in zip(first, second, strict=True) if ZERO not in (a, b)
    )
    return reduce(lambda a, b: a + b, terms, ZERO)
