"""Vectors and symmetric tensors of coefficients, and the directions of the lattice along which a tensor diffuses."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.wording import shown
from .coefficient import (
    ZERO,
    Choice,
    Coefficient,
    CoefficientLike,
    Constant,
    Floats,
    components,
    constant_value,
    coordinate,
    in_dimension,
)  # fmt: skip
from .linear import Linear
from .steps import Displacement, unit

ROUNDING = 1e-12  # of the largest entry: a negative number so small is 0

VectorLike: TypeAlias = CoefficientLike | Linear | Sequence[CoefficientLike] | ArrayLike
TensorLike: TypeAlias = CoefficientLike | Sequence[CoefficientLike] | Sequence[Sequence[CoefficientLike]] | ArrayLike


class NoStencil(ValueError):
    """A tensor needs a negative rate on the lattice of these spacings."""


@dataclass(frozen=True, repr=False)
class Tensor:
    """A symmetric d × d tensor whose entries are coefficients: ``tensor[i, j]``, ``tensor(point, t)``.

    >>> from randwalk.model.tensor import as_tensor
    >>> d = as_tensor("diffusion", ((1.0, 0.5), (0.5, 2.0)), 2)
    >>> d[0, 1], d.diagonal, d((0.0, 0.0), 0.0).tolist()
    (Constant(value=0.5), False, [[1.0, 0.5], [0.5, 2.0]])
    >>> {e: float(rate((0.0, 0.0))) for e, rate in d.directions((1.0, 1.0)).items()}
    {(1, 0): 0.5, (0, 1): 1.5, (1, 1): 0.5}
    """

    rows: tuple[tuple[Coefficient, ...], ...]

    def __getitem__(self, place: tuple[int, int]) -> Coefficient:
        i, j = place
        return self.rows[i][j]

    def __call__(self, point: ArrayLike | tuple[ArrayLike, ...], t: ArrayLike = 0.0) -> Floats:
        """The entries at a point and a time, which broadcast: an array of shape (…, d, d)."""
        if self.matrix is not None:
            shape = np.broadcast_shapes(*(np.shape(v) for v in (*(point if isinstance(point, tuple) else (point,)), t)))
            return np.broadcast_to(self.matrix, (*shape, *self.matrix.shape))
        values = np.broadcast_arrays(*(entry(point, t) for row in self.rows for entry in row))
        return np.stack(values, axis=-1).reshape(*values[0].shape, self.dimension, self.dimension)

    @property
    def dimension(self) -> int:
        return len(self.rows)

    @property
    def entries(self) -> tuple[Coefficient, ...]:
        """The entries on and above the diagonal."""
        return tuple(self[i, j] for i in range(self.dimension) for j in range(i, self.dimension))

    @cached_property
    def diagonal(self) -> bool:
        """Whether every entry off the diagonal is the number 0."""
        return all(self[i, j] == ZERO for i, j in itertools.combinations(range(self.dimension), 2))

    @property
    def constant(self) -> bool:
        """Whether every entry is a number."""
        return self.matrix is not None

    @cached_property
    def matrix(self) -> NDArray[np.float64] | None:
        """The entries as numbers; None if one of them varies."""
        values = [[constant_value(entry) for entry in row] for row in self.rows]
        return None if any(v is None for row in values for v in row) else np.array(values, dtype=np.float64)

    def depends_on(self, variable: str) -> bool:
        """Whether an entry depends on a variable."""
        return any(entry.depends_on(variable) for entry in self.entries)

    def divergence(self) -> tuple[Coefficient, ...]:
        """Σ_j ∂_j D_ij, by derivatives between jumps."""
        axes = range(self.dimension)
        return tuple(reduce(operator.add, (self[i, j].regular_derivative(coordinate(j)) for j in axes)) for i in axes)

    def solved(self, vector: Sequence[Coefficient]) -> tuple[Coefficient, ...]:
        """D⁻¹ v by Cramer's rule; of numbers by the pseudo-inverse, so that a singular D gives the shortest solution."""
        if self.matrix is not None:
            inverse = np.linalg.pinv(self.matrix, rcond=ROUNDING, hermitian=True)
            return tuple(_dot(row, vector) for row in inverse)
        if self.diagonal:
            return tuple(ZERO if v == ZERO else v / self[i, i] for i, v in enumerate(vector))
        whole = _determinant(self.rows)
        replaced = (
            tuple((*row[:i], v, *row[i + 1 :]) for row, v in zip(self.rows, vector, strict=True))
            for i in range(self.dimension)
        )
        return tuple(_determinant(rows) / whole for rows in replaced)

    def directions(self, spacings: Sequence[float]) -> dict[Displacement, Coefficient]:
        """The rates λ_e (1/time) with D = Σ_e λ_e (e·dx)(e·dx)ᵀ, by direction e of the lattice: the axes, and where D has an
        entry off its diagonal the diagonals e_i ± e_j of that plane. Of e and -e one is listed, the later in lexicographic
        order.

        Raises
        ------
        NoStencil
            if a rate of a constant tensor is negative; the message has the ratio of spacings for which none is.
        """
        found = self.decomposed(spacings)
        if self.matrix is not None:
            for axis in range(self.dimension):
                rate = constant_value(found.get(unit(self.dimension, {axis: 1}), ZERO))
                if rate is not None and rate < 0.0:
                    at = ", ".join(f"{s:g}" for s in spacings)
                    raise NoStencil(
                        f"diffusion = {shown(self.matrix.tolist())} needs a negative rate along {coordinate(axis)} on a "
                        f"lattice of dx = ({at}): {self.aspect_told(self.matrix)}"
                    )
        return found

    def decomposed(self, spacings: Sequence[float]) -> dict[Displacement, Coefficient]:
        """:meth:`directions`, whose rates along the axes may be negative here."""
        axes = range(self.dimension)
        scaled = [[_scaled(self[i, j], spacings[i] * spacings[j]) for j in axes] for i in axes]
        found: dict[Displacement, Coefficient] = {}
        left = [scaled[i][i] for i in axes]
        for i, j in itertools.combinations(axes, 2):
            for sign in (1, -1):
                rate = _positive_part(float(sign) * scaled[i][j])
                if rate != ZERO:
                    found[unit(self.dimension, {i: 1, j: sign})] = rate
                    left[i], left[j] = left[i] - rate, left[j] - rate
        left = [_without_rounding(rate, whole[i]) for i, (rate, whole) in enumerate(zip(left, scaled, strict=True))]
        on_axes = {unit(self.dimension, {i: 1}): rate for i, rate in enumerate(left)}
        return {e: rate for e, rate in on_axes.items() if rate != ZERO or not found} | found

    @staticmethod
    def aspect_told(matrix: Floats) -> str:
        """The ratio of spacings at which the numbers of a tensor have no negative rate, in words."""
        fit = aspect(matrix)
        if fit is None:
            return "no ratio of spacings makes it diagonally dominant; rotate the axes towards its eigenvectors"
        if len(fit) > 2:
            return f"take dx in the ratio {' : '.join(f'{s:.6g}' for s in fit)}"
        (xx, xy), (_, yy) = np.abs(matrix)
        return f"take dx[0]/dx[1] between {_ratio(xy, yy)} and {_ratio(xx, xy)}, for example {fit[0] / fit[1]:.6g}"

    def check(self, point: tuple[ArrayLike, ...], t: ArrayLike, name: str = "diffusion") -> None:
        """Refuse a tensor that is not positive semi-definite, with its eigenvalue and the place."""
        values = self(point, t)
        if not np.isfinite(values).all():
            at = np.argwhere(~np.isfinite(values))[0]
            raise ValueError(f"{name} = {values[tuple(at)]:g} at {_place(point, t, tuple(at[:-2]))}: must be finite")
        smallest = np.linalg.eigvalsh(values)[..., 0]
        wrong = smallest < -ROUNDING * np.abs(values).max(axis=(-2, -1))
        if wrong.any():
            at = np.unravel_index(int(np.argmin(np.where(wrong, smallest, np.inf))), smallest.shape)
            raise ValueError(
                f"{name} has the eigenvalue {smallest[at]:.6g} at {_place(point, t, at)}: must be positive semi-definite; "
                f"{_semidefinite(values[at])}"
            )

    def __repr__(self) -> str:
        return f"<tensor {self}>"

    def __str__(self) -> str:
        return "(" + ", ".join("(" + ", ".join(map(str, row)) + ")" for row in self.rows) + ")"


def aspect(matrix: Floats) -> NDArray[np.float64] | None:
    """Spacings, the first of them 1, at which a tensor of numbers has no negative rate; None if there are none.

    λ_i dx_i² = D_ii - Σ_j |D_ij| dx_i/dx_j ≥ 0 with u_i = √D_ii/dx_i reads u_i ≥ Σ_j |R_ij| u_j, R the correlations. A
    positive u with that exists if and only if 1 - |R| off the diagonal has no negative eigenvalue, and the eigenvector of the
    smallest one is such a u.
    """
    scale = np.sqrt(np.diag(matrix))
    if not (scale > 0.0).all():
        return None
    comparison = 2.0 * np.eye(len(matrix)) - np.abs(matrix) / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(comparison)
    u = np.abs(vectors[:, 0])
    if values[0] < -ROUNDING or (comparison @ u < -ROUNDING).any() or not (u > 0.0).all():
        return None
    fit: NDArray[np.float64] = scale / u
    return fit / fit[0]


def as_vector(name: str, value: object, dimension: int) -> tuple[Coefficient, ...]:
    """The `dimension` components of a vector: a tuple of numbers, coefficients and functions, one function that returns a
    tuple, a :class:`Linear`, or the number 0 for no drift at all. In one dimension one of these is the component itself.

    >>> from randwalk.model.tensor import as_vector
    >>> as_vector("drift", lambda x, y: (-x, 1.0), 2)[0].derivative("x")
    Constant(value=-1.0)
    """
    given = value.components if isinstance(value, Linear) else components(name, value)
    if is_list(given):
        parts = list(given)  # type: ignore[call-overload]
        if len(parts) != dimension:
            raise ValueError(
                f"{name} = {_told(value)} has {len(parts)} component{'' if len(parts) == 1 else 's'}, and the domain has "
                f"{_axes(dimension)}: give one an axis"
            )
        return tuple(one_part(f"{name}[{i}]", part, dimension) for i, part in enumerate(parts))
    part = in_dimension(name, given, dimension)  # type: ignore[arg-type]
    if dimension == 1 or part == ZERO:
        return (part,) * dimension
    example = "(" + ", ".join(["…"] * dimension) + ")"
    raise ValueError(
        f"{name} = {_told(value)} is one component, and the domain has {_axes(dimension)}: give {name}={example}, one an axis"
    )


def _semidefinite(matrix: Floats) -> str:
    """A positive semi-definite matrix in place of one that is none, in words."""
    if (np.diagonal(matrix) < 0.0).any():
        return "no entry on its diagonal may be negative"
    if len(matrix) == 2:
        return f"its entry off the diagonal may have at most the size {np.sqrt(matrix[0, 0] * matrix[1, 1]):.15g}"
    return "L Lᵀ of any matrix L is"


def as_tensor(name: str, value: object, dimension: int) -> Tensor:
    """A symmetric tensor: a number or coefficient times the unit tensor, `dimension` of them on the diagonal, rows of them, or
    one function that returns one of these. Numbers are refused unless positive semi-definite."""
    given = value if isinstance(value, Tensor) else components(name, value)
    if isinstance(given, Tensor):
        tensor = given
    elif not is_list(given):
        part = in_dimension(name, given, dimension)  # type: ignore[arg-type]
        tensor = _diagonal((part,) * dimension)
    else:
        rows = list(given)  # type: ignore[call-overload]
        wide = [list(row) if is_list(row) else None for row in rows]
        if len(rows) != dimension or any(row is not None and len(row) != dimension for row in wide):
            lengths = [1 if row is None else len(row) for row in wide]
            sizes = f"{len(rows)}" + (f" × {lengths[0]}" if rows and wide[0] is not None else "")
            if len(set(lengths)) > 1:
                sizes = f"of rows of {', '.join(map(str, lengths))}"
            raise ValueError(
                f"{name} = {_told(value)} has the shape {sizes}, and the domain has {_axes(dimension)}: give a number, "
                f"{dimension} numbers, or {dimension} × {dimension}"
            )
        if all(row is None for row in wide):
            tensor = _diagonal([one_part(f"{name}[{i}]", part, dimension) for i, part in enumerate(rows)])
        else:
            tensor = _symmetric(name, value, wide, dimension)
    if tensor.dimension != dimension:
        raise ValueError(
            f"{name} has {tensor.dimension} × {tensor.dimension} entries, and the domain has {_axes(dimension)}"
        )
    if tensor.matrix is not None and dimension > 1:
        tensor.check((0.0,) * dimension, 0.0, name)
    return tensor


def symmetric(dimension: int, entry: Callable[[int, int], Coefficient]) -> Tensor:
    """The tensor of the entries on and above the diagonal that a function of (i, j) gives."""
    axes = range(dimension)
    above = {(i, j): entry(i, j) for i in axes for j in axes if i <= j}
    return Tensor(tuple(tuple(above[min(i, j), max(i, j)] for j in axes) for i in axes))


def _symmetric(name: str, value: object, rows: Sequence[Sequence[Any] | None], dimension: int) -> Tensor:
    """The tensor of d rows of d entries, refused unless entries [i, j] and [j, i] are one."""
    made = [
        [one_part(f"{name}[{i}][{j}]", entry, dimension) for j, entry in enumerate(row or ())]
        for i, row in enumerate(rows)
    ]
    if any(len(row) != dimension for row in made):
        raise TypeError(f"{name} = {_told(value)}: some rows are lists and some are not")
    for i, j in itertools.combinations(range(dimension), 2):
        if not _same(made[i][j], made[j][i]):
            raise ValueError(
                f"{name}[{i}][{j}] = {made[i][j]} and {name}[{j}][{i}] = {made[j][i]}: a diffusion tensor is symmetric"
            )
        made[j][i] = made[i][j]
    return Tensor(tuple(map(tuple, made)))


def _same(first: Coefficient, second: Coefficient) -> bool:
    """Whether two coefficients are equal by structure, or at points tried."""
    if first == second:
        return True
    dimension = max(first.dimension, second.dimension)
    tried = np.random.default_rng(0).uniform(-1.0, 1.0, (dimension + 1, 64)) * np.geomspace(1e-9, 1e3, 64)
    try:
        a, b = (c(tuple(tried[1:]), np.abs(tried[0])) for c in (first, second))
    except (ValueError, TypeError, ArithmeticError):
        return False
    seen = np.isfinite(a) & np.isfinite(b)
    return bool(seen.any() and np.allclose(a[seen], b[seen], rtol=1e-9, atol=0.0))


def _diagonal(parts: Sequence[Coefficient]) -> Tensor:
    axes = range(len(parts))
    return Tensor(tuple(tuple(parts[i] if i == j else ZERO for j in axes) for i in axes))


def _determinant(rows: Sequence[Sequence[Coefficient]]) -> Coefficient:
    """The determinant, by the first row."""
    if len(rows) == 1:
        return rows[0][0]
    terms = (
        float((-1) ** j) * entry * _determinant([(*row[:j], *row[j + 1 :]) for row in rows[1:]])
        for j, entry in enumerate(rows[0])
        if entry != ZERO
    )
    return reduce(operator.add, terms, ZERO)


def _dot(numbers: NDArray[np.float64], vector: Sequence[Coefficient]) -> Coefficient:
    terms = (float(n) * v for n, v in zip(numbers, vector, strict=True) if n != 0.0 and v != ZERO)
    return reduce(operator.add, terms, ZERO)


def _scaled(entry: Coefficient, area: float) -> Coefficient:
    return ZERO if entry == ZERO else (1.0 / area) * entry


def _without_rounding(rate: Coefficient, whole: Coefficient) -> Coefficient:
    """The rate; 0 where it is a number that is small beside the `whole` of which it is what is left."""
    number, size = constant_value(rate), constant_value(whole)
    if number is None or size is None or abs(number) > ROUNDING * abs(size):
        return rate
    return ZERO


def _positive_part(value: Coefficient) -> Coefficient:
    """max(value, 0)."""
    number = constant_value(value)
    return Choice(value, value, ZERO) if number is None else Constant(max(number, 0.0))


def one_part(name: str, value: Any, dimension: int) -> Coefficient:
    """The coefficient of a component or an entry."""
    if is_list(value):
        raise TypeError(
            f"{name} = {_told(value)}: must be a number, a coefficient or a function of the coordinates and t"
        )
    return in_dimension(name, value, dimension)


def is_list(value: object) -> bool:
    """Whether a value has several parts."""
    return isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim > 0)


def _told(value: object) -> str:
    if isinstance(value, Coefficient):
        return str(value)
    parts = value if isinstance(value, (list, tuple)) else ()
    entries = [entry for part in parts for entry in (part if isinstance(part, (list, tuple)) else (part,))]
    if any(isinstance(entry, Coefficient) for entry in entries):
        return f"({', '.join(map(_told, parts))})"
    return getattr(value, "__name__", None) or shown(value)


def _axes(dimension: int) -> str:
    return "1 dimension" if dimension == 1 else f"{dimension} dimensions"


def _ratio(top: float, bottom: float) -> str:
    return f"{top / bottom:.15g}" if bottom else "any"


def _place(point: tuple[ArrayLike, ...], t: ArrayLike, at: tuple[Any, ...]) -> str:
    """The place and the time with an index in the broadcast arrays, as text."""
    everywhere = np.broadcast_arrays(*point, t)
    names = [*(coordinate(i) for i in range(len(point))), "t"]
    return ", ".join(f"{n} = {float(values[at]):.6g}" for n, values in zip(names, everywhere, strict=True))
