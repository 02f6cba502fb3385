"""Coefficients as the text of device functions: from a closed list of nodes, so that no text of a user is ever executed.

Numbers of a coefficient become parameters, ``p[i]``, so that walks which differ in numbers alone share one compiled kernel; 0,
±1 and exponents stay in the text. Tables and grids are parts of one array, the last parameter. An operation that occurs several
times stands in the text once. The order of the operations is that of the tree, and part of the version of the stream
(docs/stream.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..model.coefficient import (
    Affine,
    Apply,
    Choice,
    Coefficient,
    Constant,
    Function,
    Power,
    Product,
    Sum,
    Tanh,
    Variable,
)
from ..model.coefficient.components import Component
from ..model.coefficient.extreme import Minimum
from ..model.coefficient.variables import TIME, index_of
from ..model.grid import Grid
from ..model.tabulated import StepTable, Table
from .opaque import CannotEmit, compiled

MOST_POWERS = 64  # exponents up to which a whole power is made of products
IN_PLACE = {"abs": "abs", "sqrt": "math.sqrt"}  # functions that are one operation


@dataclass
class Parameters:
    """The numbers, tables and opaque functions of a program, in the order in which its text names them."""

    numbers: list[float] = field(default_factory=list)
    tables: list[float] = field(default_factory=list)
    known: dict[Callable[..., Any], Any] = field(default_factory=dict)

    def number(self, value: float) -> str:
        self.numbers.append(float(value))
        return f"p[{len(self.numbers) - 1}]"

    def table(self, *columns: Any) -> int:
        """The place of columns that follow each other in the array of tables."""
        place = len(self.tables)
        for column in columns:
            self.tables.extend(np.asarray(column, dtype=np.float64).ravel().tolist())
        return place

    def function(self, function: Function) -> tuple[str, str]:
        """(a call of an opaque function, compiled as it is; the text that takes the wanted number of what it returns)."""
        whole: Any = function.function
        place: tuple[int, ...] = ()
        while isinstance(whole, Component):
            whole, place = whole.function, (*whole.place, *place)
        arguments = function._arguments
        given = []
        for argument in arguments:
            value = "t" if argument == TIME else f"x[{index_of(argument)}]"
            shift = function._offset.get(argument)
            given.append(f"{value} + {self.number(shift)}" if shift else value)
        if whole not in self.known:
            self.known[whole] = compiled(whole, len(given), place, str(function.opaque))
        call = f"opaque_{list(self.known).index(whole)}({', '.join(given)})"
        return call, "".join(f"[{i}]" for i in place)

    @property
    def opaque(self) -> tuple[Any, ...]:
        """The compiled functions, in the order of their numbers."""
        return tuple(self.known.values())

    @property
    def values(self) -> tuple[Any, ...]:
        """What kernels take: the numbers, then the array of tables."""
        return *self.numbers, np.array(self.tables, dtype=np.float64)


class Text:
    """The lines of one function; :meth:`of` adds those of a coefficient and returns the expression of its value."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.lines: list[str] = []
        self._known: dict[Coefficient, str] = {}
        self._calls: dict[str, str] = {}

    def of(self, coefficient: Coefficient) -> str:
        if coefficient not in self._known:
            self._known[coefficient] = self._made(coefficient)
        return self._known[coefficient]

    def keep(self, expression: str) -> str:
        """A name for the value of an expression."""
        name = f"v{len(self.lines)}"
        self.lines.append(f"{name} = {expression}")
        return name

    def _made(self, coefficient: Coefficient) -> str:
        match coefficient:
            case Constant(value):
                return repr(value) if value in (0.0, 1.0, -1.0) else self.parameters.number(value)
            case Variable():
                return "t" if coefficient.index < 0 else f"x[{coefficient.index}]"
            case Affine(intercept, slope):
                term = self._times(slope, "x[0]")
                return self.keep(f"{self.parameters.number(intercept)} + {term}") if intercept else self.keep(term)
            case Sum(terms):
                return self._sum(terms)
            case Product(factors):
                return self._product(factors)
            case Power(base, exponent):
                return self._power(base, exponent)
            case Choice(condition, above, below):
                tested, yes, no = (self.of(part) for part in (condition, above, below))
                return self.keep(f"{yes} if {tested} >= 0.0 else {no}")
            case Minimum(terms):
                least, *others = (self.of(term) for term in terms)
                for other in others:
                    least = self.keep(f"{other} if {other} < {least} else {least}")
                return least
            case Apply(name, argument):
                return self.keep(f"{IN_PLACE.get(name, f'elementary.{name}')}({self.of(argument)})")
            case Tanh(height, rate, centre):
                inner = self.keep(f"x[0] - {self.parameters.number(centre)}" if centre else "x[0]")
                curve = self.keep(f"elementary.tanh({self._times(rate, inner)})")
                return self.keep(self._times(height, curve))
        return self._leaf(coefficient)

    def _leaf(self, coefficient: Coefficient) -> str:
        match coefficient:
            case Function():
                return self.of(coefficient.tree) if coefficient.tree is not None else self._opaque(coefficient)
            case Table():
                return self._table("linear", coefficient)
            case StepTable():
                return self._table("stepped", coefficient)
            case Grid():
                return self._grid(coefficient)
        raise CannotEmit(
            f"{coefficient} cannot be compiled: a {type(coefficient).__name__} has no device function. "
            "Give it as a formula or as a function made of NumPy's operations"
        )

    def _opaque(self, function: Function) -> str:
        """One of the numbers that a function returns, which is called once for all of them."""
        call, part = self.parameters.function(function)
        if part and call not in self._calls:
            self._calls[call] = self.keep(call)
        return self.keep(f"1.0 * {self._calls[call] if part else call}{part}")

    def _times(self, number: float, value: str) -> str:
        if number in (1.0, -1.0):
            return value if number == 1.0 else f"-{value}"
        return f"{self.parameters.number(number)} * {value}"

    def _sum(self, terms: Sequence[Coefficient]) -> str:
        text = self.of(terms[0])
        for term in terms[1:]:
            negative = isinstance(term, Product) and term.factors[0] == Constant(-1.0)
            value = self._product(term.factors[1:]) if isinstance(term, Product) and negative else self.of(term)
            text += f" {'-' if negative else '+'} {value}"
        return self.keep(text)

    def _product(self, factors: Sequence[Coefficient]) -> str:
        """The product from left to right; a reciprocal divides."""
        text = ""
        for factor in factors:
            below = factor.base if isinstance(factor, Power) and factor.exponent == Constant(-1.0) else None
            if factor == Constant(-1.0) and not text:
                text = "-"
            elif text in ("", "-"):
                text += self.of(factor)
            else:
                text += f" * {self.of(factor)}" if below is None else f" / {self.of(below)}"
        return text if len(factors) == 1 and text != "-" else self.keep(text)

    def _power(self, base: Coefficient, exponent: Coefficient) -> str:
        n = exponent.value if isinstance(exponent, Constant) else None
        if n is None or abs(n) > MOST_POWERS or not (2.0 * n).is_integer():
            return self.keep(f"elementary.power({self.of(base)}, {self.of(exponent)})")
        value, whole = self.of(base), int(abs(n))
        factors = [f"math.sqrt({value})"] if abs(n) != whole else []
        while whole:
            if whole & 1:
                factors.append(value)
            whole >>= 1
            value = self.keep(f"{value} * {value}") if whole else value
        product = " * ".join(factors)
        return self.keep(product if n > 0.0 else f"1.0 / ({product})")

    def _table(self, kind: str, table: Table | StepTable) -> str:
        place = self.parameters.table(table.x, table.values)
        return self.keep(f"lookup.{kind}(x[0], p[-1], {place}, {table.x.size})")

    def _grid(self, grid: Grid) -> str:
        if grid.stepped:
            raise CannotEmit(
                f"{grid} has jumps, as the derivative of a grid has: give the noise or the Itô drift directly. "
                "Grids themselves are compiled"
            )
        place = self.parameters.table(*grid.axes, grid.values)
        sizes = "".join(f"{axis.size}, " for axis in grid.axes)
        point = "".join(f"x[{i}], " for i in range(len(grid.axes)))
        return self.keep(f"lookup.multilinear(({point}), p[-1], {place}, ({sizes}))")


def function_text(name: str, arguments: Sequence[str], coefficients: Any, parameters: Parameters, describe: str) -> str:
    """The text of a device function that returns a coefficient's value, or a tuple of those of several."""
    text = Text(parameters)

    def value(item: Any) -> str:
        return "(" + "".join(f"{value(i)}, " for i in item) + ")" if isinstance(item, (tuple, list)) else text.of(item)

    returned = value(coefficients)
    return written(name, arguments, text.lines, returned, describe)


def chosen_text(
    name: str,
    arguments: Sequence[str],
    number: str,
    coefficients: Sequence[Coefficient],
    parameters: Parameters,
    first: int,
) -> str:
    """The text of a device function of `arguments` and a `number`, which says which of the coefficients, counted from `first`, it
    is; 0 for any other number."""
    given = ", ".join(arguments)
    lines, texts = ["@device", f"def {name}({given}, {number}):"], list[str]()
    for i, value in enumerate(coefficients):
        texts.append(function_text(f"{name}_{i}", arguments, value, parameters, f"Where {number} = {i + first}."))
        lines += [f"    if {number} == {i + first}:", f"        return {name}_{i}({given})"]
    return "\n\n\n".join([*texts, "\n".join([*lines, "    return 0.0"])])


def written(name: str, arguments: Sequence[str], lines: Sequence[str], returned: str, describe: str) -> str:
    """The text of a device function."""
    body = [f'"""{describe}"""', *lines, f"return {returned}"]
    return "\n".join(["@device", f"def {name}({', '.join(arguments)}):", *(f"    {line}" for line in body)])
