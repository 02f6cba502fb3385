"""The base of all nodes of a coefficient's tree: variables, values, and the facts that the search for breaks reads."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..roots import Curve
from .variables import TIME, At, Floats, Point, arguments, coordinate, index_of


class Singularity(NamedTuple):
    """A node is not smooth where `argument` is 0; if `crossing`, only where `argument` changes its sign there. With `jump`,
    the node takes another value there."""

    argument: Tree
    crossing: bool
    jump: bool = False


class Tree:
    """A real function of a point and of time. The search for breaks and widths reads it through the methods below.

    Type checkers know which methods are abstract. The class is no ABC, because ``isinstance``, which every operation asks a few
    times, takes ten times as long with one.
    """

    variables: frozenset[str]  # names of the variables that the values depend on

    @abstractmethod
    def evaluate(self, point: Point, t: Floats) -> Floats:
        """The values at a point, one array a coordinate, and times, all of which broadcast against each other."""

    @abstractmethod
    def regular_derivative(self, variable: str) -> Tree:
        """The partial derivative between jumps; what a jump adds to the derivative is left out."""

    def __call__(self, x: ArrayLike | tuple[ArrayLike, ...], t: ArrayLike = 0.0) -> Floats:
        point = tuple(np.asarray(v, dtype=np.float64) for v in (x if isinstance(x, tuple) else (x,)))
        time = np.asarray(t, dtype=np.float64)
        if len(point) < self.dimension:
            raise ValueError(
                f"{self} depends on {coordinate(self.dimension - 1)}: give a point as a tuple of {self.dimension}, "
                f"{self._example()}, not of {len(point)}"
            )
        alone = len(point) == 1 and not time.ndim
        values = np.empty(point[0].shape if alone else np.broadcast_shapes(*(v.shape for v in point), time.shape))
        with np.errstate(all="ignore"):  # the caller reports values that are not finite, with their place
            values[...] = self.evaluate(point, time)
        return values

    def _example(self) -> str:
        """How a call at a point is written."""
        names = [coordinate(i) for i in range(self.dimension)]
        return f"c(({', '.join(names)}{',' * (len(names) == 1)}), t)"

    def depends_on(self, variable: str) -> bool:
        """Whether the values depend on a variable: "x", "y", "z", "x[i]" or "t"."""
        index = index_of(variable)
        return (TIME if index < 0 else coordinate(index)) in self.variables

    @property
    def depends_on_x(self) -> bool:
        return "x" in self.variables

    @property
    def depends_on_t(self) -> bool:
        return TIME in self.variables

    @cached_property
    def dimension(self) -> int:
        """The number of coordinates that a point must have: 1 + the number of the last one that the values depend on."""
        return 1 + max((index_of(name) for name in self.variables), default=-1)

    @property
    def parts(self) -> tuple[Tree, ...]:
        """The coefficients that this one is made of."""
        return ()

    # ------------------------------------------------------------ facts about a node alone

    @property
    def _singularities(self) -> tuple[Singularity, ...]:
        """Coefficients at whose zeros this node, taken alone, is not smooth."""
        return ()

    def _places(self, variable: str) -> tuple[float, ...]:
        """Breaks of this node that are places by themselves: knots of a table, and declared breaks."""
        return ()

    def _own_breaks(self, variable: str, low: float, high: float) -> set[float]:
        """Breaks of this node in a range, besides its places and singularities."""
        return set()

    def _own_steps(self, variable: str) -> tuple[float, ...]:
        """Places at which the values may jump, besides the zeros of singularities."""
        return ()

    def _own_zeros(self, variable: str, low: float, high: float, at: At) -> set[float] | None:
        """The zeros in a range, if the node knows a formula for them."""
        return None

    def _own_centres(self, variable: str) -> tuple[float, ...]:
        """Places about which the values may vary fast."""
        return self._places(variable)

    def _phase(self, variable: str) -> Tree | None:
        """The argument of a wave in the variable."""
        return None

    def _own_width(self, variable: str, point: Point, t: Floats, zeros: Floats) -> float:
        """The width of this node alone, if its parts were affine, seen at the points; with the zeros of the parts."""
        return math.inf

    def _known_width(self, variable: str, low: float, high: float, at: At) -> float | None:
        """The width of the node with its parts, if the node knows it."""
        return None

    def _declared_scale(self, variable: str) -> float | None:
        """The narrowest length or time that was declared with a function."""
        return None

    def _why_opaque(self) -> str:
        """The reason for a derivative by differences, as the beginning of a sentence; empty if there is none."""
        return ""

    def _factors(self) -> tuple[Tree, ...] | None:
        """Coefficients whose zeros are those of this one; None if no such coefficients are known."""
        return None

    def _linear(self, variable: str, at: At) -> tuple[float, float] | None:
        """(intercept, slope) if this is affine in the variable while the others have the values `at`, else None."""
        return None if self.depends_on(variable) else (float(self._curve(variable, at)(np.zeros(1))[0]), 0.0)

    # ------------------------------------------------------------ the tree as a whole

    def _covered(self, variable: str) -> tuple[float, float]:
        """The range in which there are values."""
        ranges = [part._covered(variable) for part in self.parts]
        return max((r[0] for r in ranges), default=-math.inf), min((r[1] for r in ranges), default=math.inf)

    def _irreducible(self) -> Iterator[Tree]:
        factors = self._factors()
        if factors is None:
            yield self
        for factor in factors or ():
            yield from factor._irreducible()

    def _curve(self, variable: str, at: At) -> Curve:
        """The values as a function of one variable alone, NaN where there are none."""

        def curve(values: Floats) -> Floats:
            try:
                return self(*arguments(variable, values, at, self.dimension))
            except (ValueError, TypeError, ArithmeticError):
                return np.full(values.shape, np.nan)

        return curve
