"""Coefficients: functions of position and time with a structure that can be read.

A drift, a diffusion, a step probability or a killing rate is a :class:`Coefficient`: a small expression tree whose leaves
are numbers, coordinates, the time, tables and opaque Python functions. A tree knows its variables, its derivatives and its
LaTeX, so that closed forms are chosen by the structure, never by samples of a function and a guess.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, TypeAlias

from numpy.typing import ArrayLike

from .. import roots
from . import breaks, width
from .tree import Tree
from .variables import check_variable


class Coefficient(Tree):
    """A real function of position and time ``t``.

    Calling it broadcasts: ``coefficient(x, t)`` returns a float64 array of the broadcast shape of `x` and `t`. In several
    dimensions the position is a tuple of coordinates, ``coefficient((x, y), t)``. ``+ - * / **`` with numbers, other
    coefficients and Python functions build new coefficients. ``str()`` gives text that :func:`expression` reads back, except
    where a table or a Python function is a leaf.

    Attributes
    ----------
    variables : frozenset of str
        The names of the variables that the values depend on: "x", "y", "z", "x[3]", … and "t".
    dimension : int
        The number of coordinates that a point must have; 0 if the values depend on none.

    Examples
    --------
    >>> from randwalk import expression
    >>> c = expression("x*y + t")
    >>> float(c((2.0, 3.0), 0.5)), c.dimension, c.depends_on("z"), str(c.derivative("y"))
    (6.5, 2, False, 'x')
    """

    __array_ufunc__ = None  # NumPy's numbers leave + - * / ** to the methods below

    # The operators below make sums, products, powers and Python functions, which are coefficients themselves. So the files
    # that define these enter their makers here: `algebra` the first three, `function` the last.
    _add: ClassVar[Callable[[Coefficient, Coefficient], Coefficient]]
    _multiply: ClassVar[Callable[[Coefficient, Coefficient], Coefficient]]
    _power: ClassVar[Callable[[Coefficient, Coefficient], Coefficient]]
    _operand: ClassVar[Callable[[object], Coefficient | None]]

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if not hasattr(self, "variables"):  # of a release before 0.4
            self.__post_init__()  # type: ignore[attr-defined]

    @property
    def parts(self) -> tuple[Coefficient, ...]:
        """The coefficients that this one is made of."""
        return ()

    @abstractmethod
    def regular_derivative(self, variable: str) -> Coefficient:
        """The partial derivative between jumps; what a jump adds to the derivative is left out."""

    @abstractmethod
    def latex(self) -> str: ...

    @abstractmethod
    def _shifted(self, variable: str, by: float) -> Coefficient: ...

    def derivative(self, variable: str) -> Coefficient:
        """The partial derivative with respect to "x", "y", "z", "x[i]" or "t".

        The derivative of formulas, of tables (piecewise constant) and of Python functions made of NumPy's operations is
        exact. The derivative of another :class:`Function` is the declared one, else found by differences.

        Raises
        ------
        ValueError
            if the coefficient jumps, so that its derivative is no function, with the place. The values of a derivative by
            differences raise it where they do not converge.

        Examples
        --------
        >>> from randwalk import expression
        >>> print(expression("x*t + sin(2*x)").derivative("x"))
        t + 2*cos(2*x)
        """
        variable = check_variable(variable)
        if (jump := breaks.first_jump(self, variable)) is not None:
            place, at = jump
            where = ", ".join([f"{variable} = {place:.12g}", *(f"{name} = {value:g}" for name, value in at.items())])
            shift = variable if place == 0.0 else f"({variable} {'-' if place > 0.0 else '+'} {_digits(abs(place))})"
            fick = " or, if it is a diffusion, take convention=Convention.FICK, which needs no derivative"
            raise ValueError(
                f"{self} jumps at {where}: there its derivative with respect to {variable} is no function. Write the jump "
                f"as 0.5*(1 + tanh({shift}/w)) of a width w{'' if variable == 't' else fick}"
            )
        return self.regular_derivative(variable)

    def breaks(self, variable: str, low: float, high: float) -> tuple[float, ...]:
        """The places strictly between `low` and `high` where the coefficient has a kink, a jump or a pole, increasing.

        The method finds the knots of tables, the zeros of the arguments of abs, sign, heaviside, sqrt, log and negative or
        broken powers, and the declared breaks of a :class:`Function`. Zeros of affine arguments are exact, other zeros are
        searched on a fine grid. A break that moves with another variable, like the break of ``heaviside(x - t)``, has no
        place: :attr:`moving_breaks` says whether the coefficient has such breaks.

        Parameters
        ----------
        variable : "x", "y", "z", "x[i]" or "t"
        low, high : float
            Ends of the range, in the unit of the variable; they may be infinite.

        Examples
        --------
        >>> from randwalk import expression
        >>> expression("heaviside(4 - x**2) + abs(t - 0.5)").breaks("x", -5.0, 5.0)
        (-2.0, 2.0)
        """
        variable = check_variable(variable, low, high)
        return roots.merged(breaks.breaks(self, variable, low, high), low, high)

    def jumps(self, variable: str, low: float, high: float, other: Ranges = (0.0, 1.0)) -> tuple[float, ...]:
        """The :meth:`breaks` where the values jump or are unbounded, for any value of the other variables that is tried.

        `other` is the range of all of them, or a mapping of ranges by name. 17 values of one other variable are tried, 5 of
        each of two, 3 of each of more.

        >>> from randwalk import expression
        >>> expression("heaviside(x - 1) + x*heaviside(x)").jumps("x", -2.0, 2.0)
        (1.0,)
        """
        return breaks.jumps(self, check_variable(variable, low, high), low, high, other)

    @property
    def moving_breaks(self) -> bool:
        """Whether a kink, a jump or a pole lies on a curve in several variables, like (x, t): at another place at every time."""
        return breaks.moving(self)

    def width(self, variable: str, low: float, high: float, other: Ranges = (0.0, 0.0)) -> float:
        """The narrowest length (or time) over which the coefficient varies smoothly between `low` and `high`, by its tree.

        An estimate within a factor of about 3 of the length over which a function in the tree changes by its own size:
        ``exp(-((x - 0.3)/w)**2)``, ``tanh(x/w)``, ``sin(x/w)`` and ``1/(1 + (x/w)**2)`` have about w; a table has the
        smallest distance of knots between which it changes; a :class:`Function` has its declared scale, else what
        1025 samples show. Constants and affine forms have ``inf``. Breaks are no part of it.

        Parameters
        ----------
        variable : "x", "y", "z", "x[i]" or "t"
        low, high : float
            Ends of the range, in the unit of the variable.
        other : (float, float), or a mapping of them by name
            The range of the other variables, of which the narrowest counts (17 values of one are tried, 5 of each of two, 3
            of each of more).

        Examples
        --------
        >>> from randwalk import expression
        >>> expression("2 + sin(200*x)").width("x", 0.0, 1.0)
        0.005
        """
        variable = check_variable(variable, low, high)
        if not self.depends_on(variable):
            return math.inf
        ranges = tuple(sorted(other.items())) if isinstance(other, Mapping) else tuple(other)
        return _narrowest(self, variable, float(low), float(high), ranges)

    def shifted(self, variable: str, by: float) -> Coefficient:
        """The same coefficient at ``variable + by``; an affine form, a tanh or a table stays one.

        >>> from randwalk import Affine
        >>> Affine(1.0, 2.0).shifted("x", 0.5)
        Affine(intercept=2.0, slope=2.0)
        """
        variable = check_variable(variable)
        if not math.isfinite(by):
            raise ValueError(f"by = {by}: must be a finite number")
        return self if by == 0.0 or not self.depends_on(variable) else self._shifted(variable, float(by))

    def __add__(self, other: CoefficientLike) -> Coefficient:
        return _made("_add", self, other)

    def __radd__(self, other: CoefficientLike) -> Coefficient:
        return _made("_add", other, self)

    def __sub__(self, other: CoefficientLike) -> Coefficient:
        return NotImplemented if (given := Coefficient._operand(other)) is None else self + -given

    def __rsub__(self, other: CoefficientLike) -> Coefficient:
        return _made("_add", other, -self)

    def __mul__(self, other: CoefficientLike) -> Coefficient:
        return _made("_multiply", self, other)

    def __rmul__(self, other: CoefficientLike) -> Coefficient:
        return _made("_multiply", other, self)

    def __truediv__(self, other: CoefficientLike) -> Coefficient:
        return NotImplemented if (given := Coefficient._operand(other)) is None else self * given**-1.0

    def __rtruediv__(self, other: CoefficientLike) -> Coefficient:
        return _made("_multiply", other, self**-1.0)

    def __pow__(self, other: CoefficientLike) -> Coefficient:
        return _made("_power", self, other)

    def __rpow__(self, other: CoefficientLike) -> Coefficient:
        return _made("_power", other, self)

    def __neg__(self) -> Coefficient:
        return _made("_multiply", -1.0, self)

    def __repr__(self) -> str:
        return f"<coefficient {self}>"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


CoefficientLike: TypeAlias = Coefficient | float | Callable[..., ArrayLike]
Ranges: TypeAlias = tuple[float, float] | Mapping[str, tuple[float, float]]


def _made(operation: str, first: CoefficientLike, second: CoefficientLike) -> Coefficient:
    """The coefficient of an operation; NotImplemented, so that Python asks the other operand, for what is no coefficient."""
    operands = Coefficient._operand(first), Coefficient._operand(second)
    if operands[0] is None or operands[1] is None:
        return NotImplemented
    made: Coefficient = getattr(Coefficient, operation)(*operands)
    return made


@lru_cache(maxsize=256)
def _narrowest(coefficient: Coefficient, variable: str, low: float, high: float, ranges: tuple[Any, ...]) -> float:
    """:meth:`Coefficient.width`, which laws and solvers ask for again and again."""
    other = dict(ranges) if ranges and isinstance(ranges[0], tuple) else ranges or {}
    return min(
        width.narrowest(coefficient, variable, low, high, at) for at in breaks.others(coefficient, variable, other)
    )


def _digits(number: float) -> str:
    return repr(int(number)) if number.is_integer() and number < 1e15 else repr(number)
