"""Equations for py-pde [Zwicker, J. Open Source Softw. 5, 2158 (2020)], and its fields as laws."""

from __future__ import annotations

import importlib
import operator
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from randwalk.inputs.arguments import finite_numbers, known_numbers
from randwalk.inputs.wording import shown
from randwalk.laws.cells import Cells
from randwalk.laws.law import Law
from randwalk.laws.lookup import NoAnswer
from randwalk.model.coefficient import ZERO, Coefficient, Floats
from randwalk.model.coefficient.variables import coordinate
from randwalk.model.domain import Domain
from randwalk.model.formula import formula
from randwalk.model.times import checked_times, row_of
from randwalk.model.wall import Wall

from .equation import FokkerPlanck, check_equation

SYMPY = {"arctan": "atan", "heaviside": "Heaviside", "abs": "Abs"}  # the names of functions in the formulas of py-pde
CLOSE = 1e-9  # of the length of an axis: how near the end of a field is to a wall


def to_py_pde(equation: FokkerPlanck, cells: int | Sequence[int], *, window: Any = None) -> tuple[Any, Any]:
    """The equation for py-pde and the field of its start: ``(pde.PDE, pde.ScalarField)``.

    py-pde has no equation of conserved form with walls, so the terms are written out: c_t = D c_xx + (2D_x - a) c_x +
    (D_xx - a_x - κ) c, with a the Itô drift. Walls become conditions on c: 0 at absorbing ones, ∂_n c + ((K - n·(a - ∇·D))/D) c
    = 0 at those of reactivity K, which is 0 at a reflecting one. The cells of the field have the means of the start over them.

    Parameters
    ----------
    equation : FokkerPlanck
        On a domain without regions; its coefficients must be formulas.
    cells : int, or one an axis
    window : (low, high), or one pair an axis, optional
        Where the field lies; needed for an axis that ends at infinity, where c is 0 at the end of the window.

    Raises
    ------
    ValueError, ImportError
        for what py-pde does not have, by name; ImportError without py-pde.
    """
    check_equation(equation)
    pde = _library()
    if equation.domain.regions:
        raise ValueError(f"{equation.domain} has regions, which a grid of py-pde has not; take rw.pde.solve")
    ends = _window(equation.domain, window)
    axes = equation.domain.axes
    counts = np.broadcast_to(np.asarray(cells), len(axes)).tolist()
    grid = pde.CartesianGrid(list(ends), counts, periodic=[axis.periodic for axis in axes])
    conditions: dict[str, Any] = {}
    for number, axis in enumerate(axes):
        name = coordinate(number)
        if axis.periodic:
            conditions[name] = "periodic"
            continue
        conditions[f"{name}-"] = _condition(equation, number, axis.left, -1.0, ends[number][0])
        conditions[f"{name}+"] = _condition(equation, number, axis.right, 1.0, ends[number][1])
    return pde.PDE({"c": _right_side(equation)}, bc=conditions), pde.ScalarField(grid, _start(equation, ends, counts))


def _library() -> Any:
    """The package of py-pde, which has the name of this folder: a checkout on the path would hide it."""
    if "pde" in sys.modules:
        return sys.modules["pde"]
    here, path = Path(__file__).resolve().parent, sys.path[:]
    sys.path[:] = [folder for folder in path if Path(folder, "pde").resolve() != here]
    try:
        return importlib.import_module("pde")
    except ImportError:
        raise ImportError("to_py_pde needs py-pde: pip install py-pde") from None
    finally:
        sys.path[:] = path


def _window(domain: Domain, window: Any) -> list[tuple[float, float]]:
    """The ends of the field along each axis: walls where there are some."""
    asked = None if window is None else np.atleast_2d(known_numbers("window", window))
    if asked is not None and asked.shape != (domain.dimension, 2):
        raise ValueError(f"window = {shown(window)}: give (low, high) for each of the {domain.dimension} axes")
    ends = []
    for number, axis in enumerate(domain.axes):
        low, high = (axis.low, axis.high) if asked is None else asked[number].tolist()
        low, high = (max(low, axis.low), min(high, axis.high))
        low, high = (axis.low if np.isfinite(axis.low) else low, axis.high if np.isfinite(axis.high) else high)
        if not (np.isfinite([low, high]).all() and low < high):
            raise ValueError(f"{axis} ends at infinity: give window=(low, high), outside which no mass is")
        ends.append((float(low), float(high)))
    return ends


def _divergence(equation: FokkerPlanck, axis: int) -> Coefficient:
    """Σ_j ∂_j D_ij."""
    parts = [equation.tensor[axis, other].derivative(coordinate(other)) for other in range(equation.dimension)]
    return reduce(operator.add, parts)


def _right_side(equation: FokkerPlanck) -> str:
    axes, names = range(equation.dimension), [coordinate(axis) for axis in range(equation.dimension)]
    terms: list[tuple[Coefficient, str]] = []
    decay = -equation.killing
    for i, name in enumerate(names):
        drift, divergence = equation.ito_vector[i], _divergence(equation, i)
        terms += [(equation.tensor[i, i], f"d2_d{name}2(c)"), (2.0 * divergence - drift, f"d_d{name}(c)")]
        terms += [(2.0 * equation.tensor[i, j], f"d_d{name}(d_d{names[j]}(c))") for j in axes if j < i]
        decay = decay + divergence.derivative(name) - drift.derivative(name)
    terms.append((decay, "c"))
    return " + ".join(f"({_text(factor, names)}) * {term}" for factor, term in terms if factor != ZERO) or "0 * c"


def _condition(equation: FokkerPlanck, axis: int, wall: Wall | None, outward: float, place: float) -> dict[str, Any]:
    """The condition at one end of an axis."""
    if wall is None or wall.reactivity == np.inf:
        return {"value": 0.0}
    tensor = equation.tensor
    if any(tensor[axis, other] != ZERO for other in range(equation.dimension) if other != axis):
        raise ValueError(
            "a wall that does not absorb, with a tensor D: py-pde has no such condition; take rw.pde.solve"
        )
    flow = outward * (equation.ito_vector[axis] - _divergence(equation, axis))
    ratio = (wall.reactivity - flow) / tensor[axis, axis]
    names = [coordinate(number) for number in range(equation.dimension)]
    if ratio.depends_on_t or any(ratio.depends_on(name) for name in names if name != names[axis]):
        return {"type": "mixed_expression", "value": _text(ratio, names), "const": "0"}
    point = tuple(place if number == axis else 0.0 for number in range(equation.dimension))
    return {"type": "mixed", "value": float(ratio(point if equation.dimension > 1 else place, 0.0)), "const": 0.0}


def _text(coefficient: Coefficient, names: Sequence[str]) -> str:
    """A coefficient as a formula that SymPy reads."""
    text = str(coefficient)
    try:
        formula(text, {}, (*names, "t"))
    except (ValueError, TypeError):
        raise ValueError(
            f"the coefficient {text} is no formula in {', '.join(names)} and t: give rw.expression(...)"
        ) from None
    return re.sub(r"\b(" + "|".join(SYMPY) + r")\b", lambda match: SYMPY[match[1]], text)


def _start(equation: FokkerPlanck, ends: Sequence[tuple[float, float]], cells: Sequence[int]) -> Floats:
    """The means of the density of the start over the cells."""
    factors = equation.start.factors
    if factors is None:
        raise ValueError(f"start = {equation.start}: a field takes starts that are products of one for each axis")
    parts = []
    for factor, (low, high), count in zip(factors, ends, cells, strict=True):
        edges = np.linspace(low, high, count + 1)
        below = factor.cdf(edges)
        below[0], below[-1] = 0.0, 1.0  # atoms at an end, and what lies beyond a window
        parts.append(np.diff(below) / np.diff(edges))
    return np.asarray(reduce(np.multiply.outer, parts))


@dataclass(frozen=True, eq=False, repr=False)
class FieldLaw(Law[Any]):
    """Fields of a density on equal cells, as a law: those that py-pde finds, or any with its ``data`` and ``grid.axes_bounds``.

    What has left is what the fields lack to 1. By which exit is known where there is only one.

    Parameters
    ----------
    equation : FokkerPlanck
        What the fields solve; it has the domain.
    times : (times,) increasing numbers
    fields : sequence of pde.ScalarField, one for each time
        Such as a ``pde.MemoryStorage``, with its ``times``.

    Examples
    --------
    >>> import randwalk as rw
    >>> from types import SimpleNamespace
    >>> field = SimpleNamespace(data=[0.25, 0.75], grid=SimpleNamespace(axes_bounds=((0.0, 1.0),)))
    >>> ring = rw.pde.FokkerPlanck(0.0, 0.5, domain=rw.Ring(0.0, 1.0), start=0.5)
    >>> FieldLaw(ring, [1.0], [field]).mass([0.0, 0.5, 1.0], 1.0)
    array([0.125, 0.375])
    """

    kind: ClassVar[str] = "finite differences"

    equation: FokkerPlanck
    times: Floats
    fields: Sequence[Any]

    def __post_init__(self) -> None:
        check_equation(self.equation)
        times, fields = checked_times(self.times), tuple(self.fields)
        if (np.diff(times) <= 0.0).any() or len(times) != len(fields):
            raise ValueError(
                f"times = {shown(self.times)}: must be increasing, one for each of the {len(fields)} fields"
            )
        cells = tuple(_cells(self.domain, field) for field in fields)
        for name, value in (("times", times), ("fields", fields), ("_laws", cells)):
            object.__setattr__(self, name, value)

    @property
    def domain(self) -> Domain:
        return self.equation.domain

    def _at(self, t: float) -> Cells:
        laws: tuple[Cells, ...] = self._laws  # type: ignore[attr-defined]
        return laws[row_of(t, self.times)]

    def _survival(self, t: ArrayLike) -> Floats:
        given = finite_numbers("t", t)
        return np.reshape([self._now(time).total() for time in given.ravel().tolist()], given.shape)

    def _absorbed(self, exit: str, t: ArrayLike) -> Floats:
        ways = self.domain.open_exits(killed=self.equation.killing != ZERO)
        if exit not in ways:
            return np.zeros(np.shape(t))
        if len(ways) > 1:
            raise NoAnswer(
                f"absorbed({exit!r}): a field does not say by which of {', '.join(ways)} mass has left; ask survival(t)"
            )
        return 1.0 - self._survival(t)

    def __repr__(self) -> str:
        cells = " × ".join(str(count) for count in np.shape(self.fields[0].data))
        return f"FieldLaw(times {self.times[0]:g} … {self.times[-1]:g}, {cells} cells)"


def _cells(domain: Domain, field: Any) -> Cells:
    """The density of a field, refused if it is not on the domain."""
    try:
        ends, density = np.asarray(field.grid.axes_bounds, dtype=np.float64), np.asarray(field.data)
    except (AttributeError, TypeError, ValueError):
        raise TypeError(f"fields: {shown(field)} is no field of py-pde on a CartesianGrid") from None
    if density.dtype.kind not in "if" or not np.isfinite(density).all():
        raise ValueError("fields: a density must be real, and finite in every cell; take smaller time steps")
    if density.ndim != domain.dimension or ends.shape != (domain.dimension, 2):
        raise ValueError(f"fields: {density.ndim} axes on {domain}, which has {domain.dimension}")
    for axis, (low, high) in zip(domain.axes, ends.tolist(), strict=True):
        for end, wall in ((low, axis.low), (high, axis.high)):
            if np.isfinite(wall) and abs(end - wall) > CLOSE * (high - low):
                raise ValueError(f"fields: the grid ends at {end:g}, where {axis} ends at {wall:g}; let them agree")
    edges = tuple(np.linspace(low, high, count + 1) for (low, high), count in zip(ends, density.shape, strict=True))
    return Cells(edges, density.astype(np.float64), domain.axes)
