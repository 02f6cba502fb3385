"""A problem for walks on spheres as a program: the module of its compiled kernels, and the numbers that it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

from ..kernels.balls import TERMS
from ..kernels.program import Keys
from ..model.coefficient import ZERO, Coefficient, Floats
from .emit import Parameters, chosen_text, function_text
from .generated import generated

FILES = ("spheres.py",)
AT = ("x", "t", "p")


@dataclass(frozen=True)
class SphereProgram:
    """The kernels of a problem D ∇²u - κu + g = 0, u = φ on the walls, and the numbers they take.

    Attributes
    ----------
    text : str
        Of the functions of the problem, between the marks of :mod:`randwalk.kernels.spheres`.
    parameters : tuple
        The numbers of the text, then the array of tables.
    physics : (D, κ)
    dimension : int
    opaque : tuple of functions
        Python functions that the text calls, compiled as they are.
    """

    text: str
    parameters: tuple[Any, ...]
    physics: tuple[float, float]
    dimension: int
    opaque: tuple[Callable[..., Any], ...] = ()

    @cached_property
    def module(self) -> ModuleType:
        """The kernels, compiled when they are first called."""
        return generated(FILES, self.text, self.opaque)

    @cached_property
    def series(self) -> Floats:
        """The coefficients of :func:`screening_series`."""
        return screening_series(self.dimension)

    def walked(
        self, walk: Any, walkers: range, start: Sequence[float], limits: tuple[float, int], keys: Keys
    ) -> Floats:
        """By the kernel `walk` of a machine, with `limits` of ε and of the number of spheres. Rows, a column a walker: the values
        at the ends ε and COARSE ε before a wall, the number of spheres, and the distance at the end."""
        out, place = np.empty((4, len(walkers))), np.array(start, dtype=np.float64)[:, None]
        walk(out, walkers.start, place, self.parameters, limits, self.physics, self.series, keys)
        return out


def sphere_program(
    distances: Sequence[Coefficient],
    paid: Sequence[Coefficient],
    source: Coefficient,
    physics: tuple[float, float],
    turns: Sequence[tuple[float, float] | None],
) -> SphereProgram:
    """The program of a problem with walls at the signed `distances`, on each of which φ is the coefficient in `paid`. `turns` are
    the ends of the axes that are rings, None for the others."""
    parameters = Parameters()
    d = len(turns)
    parts = [
        f"from . import elementary, lookup\n\nD, WALLS = {d}, {len(distances)}\n"
        f"SOURCE, SCREENED = {source != ZERO}, {physics[1] > 0.0}",
        *_points(d),
        function_text("distances", AT, tuple(distances), parameters, "The distance to each wall."),
        _home(turns, parameters),
        function_text("source", AT, source, parameters, "g."),
        chosen_text("boundary", AT, "wall", paid, parameters, 0),
    ]
    return SphereProgram("\n\n\n".join(parts), parameters.values, physics, d, tuple(parameters.opaque))


def _points(d: int) -> list[str]:
    """How points stand in the arrays of a block."""
    point = "".join(f"x[{a}, j], " for a in range(d))
    further = "".join(f"x[{a}, j] + z[{a}, j], " for a in range(d))
    puts = "\n".join(f"    x[{a}, j] = y[{a}]" for a in range(d))
    return [
        f"@device\ndef at(x, j):\n    return ({point})",
        f"@device\ndef moved(x, z, j):\n    return ({further})",
        f"@device\ndef put(x, j, y):\n{puts}",
    ]


def _home(turns: Sequence[tuple[float, float] | None], parameters: Parameters) -> str:
    """The coordinates along rings brought back between their ends."""
    terms = []
    for axis, ends in enumerate(turns):
        text = f"x[{axis}]"
        if ends is not None:
            low, turn = parameters.number(ends[0]), parameters.number(ends[1] - ends[0])
            text += f" - {turn} * math.floor((x[{axis}] - {low}) / {turn})"
        terms.append(f"{text}, ")
    return f"@device\ndef home(x, p):\n    return ({''.join(terms)})"


def screening_series(dimension: int) -> Floats:
    """Series in y = s ρ², s = κR²/4D, for the ball of radius R in d dimensions, ρ the distance from its centre in R; n = d/2 - 1.

    Solutions of D ∇²u = κu that depend on ρ alone: A(y), regular, of value 1 at the centre, and ρ^(2-d) P(y) + sⁿ (c log ρ A(y) +
    Q(y)), with the singularity of Green's function without κ, which is ρ^(2-d) - 1, or -log ρ in two dimensions. (Frobenius's
    method; in odd dimensions c = 0 and Q = 0.) Rows: A; P; Q; c alone.
    """
    d, n = dimension, dimension / 2.0 - 1.0
    rows = np.zeros((4, TERMS))
    regular, singular, rest, _ = rows
    regular[0], singular[0] = 1.0, float(d != 2)
    for k in range(1, TERMS):
        regular[k] = regular[k - 1] / (k * (k + n))
        if k != n:
            singular[k] = singular[k - 1] / (k * (k - n))
        else:
            break
    if d % 2 == 0:
        c = -1.0 if d == 2 else 2.0 * singular[int(n) - 1] / n
        for k in range(1, TERMS):
            regular[k] = regular[k - 1] / (k * (k + n))
            rest[k] = (rest[k - 1] - c * regular[k] * (k + 0.5 * n)) / (k * (k + n))
        rows[3, 0] = c
    return rows
