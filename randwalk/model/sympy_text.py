"""The text of SymPy expressions in the grammar of formulas. SymPy itself is not imported."""

from __future__ import annotations

import ast
from typing import Any, Protocol, runtime_checkable

from ..inputs.wording import shown
from .coefficient import FUNCTIONS

NAMES = {"Abs": "abs", "Heaviside": "heaviside", "atan": "arctan", "Max": "Max", "Min": "Min", "Piecewise": "Piecewise"}
NUMBERS = {"E": "e"}


@runtime_checkable
class Symbolic(Protocol):
    """What an expression of SymPy, or of another system of computer algebra with its text, has."""

    @property
    def free_symbols(self) -> Any: ...


def grammar_of(value: Symbolic, longest: int) -> str:
    """The text of a symbolic expression, of at most `longest` characters, with the functions of the grammar.

    Raises
    ------
    TypeError
        for what is no symbolic expression.
    ValueError
        for a function or a form that the grammar does not have, by name.
    """
    if not isinstance(value, Symbolic):
        raise TypeError(f"a formula = {shown(value)}: must be text or a SymPy expression")
    text = str(value)
    if len(text) > longest:
        raise ValueError(f"the SymPy expression has {len(text)} characters; at most {longest} are read")
    try:
        return ast.unparse(_Reader(text).visit(ast.parse(text, mode="eval")))
    except (SyntaxError, RecursionError, MemoryError):
        raise ValueError(f"the SymPy expression {text!r} is no formula with + - * / ** and functions") from None


class _Reader(ast.NodeTransformer):
    """Rewrites the functions of a parsed text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(NUMBERS.get(node.id, node.id))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if name == "Piecewise":
            return self._pieces(node.args)
        arguments = [self.visit(argument) for argument in node.args]
        if name in ("Max", "Min"):
            return self._largest(arguments, ast.GtE() if name == "Max" else ast.LtE())
        known = NAMES.get(name, name)
        if known not in FUNCTIONS:
            raise ValueError(
                f"{name}() in the SymPy expression {self.text!r} is not among the functions of a coefficient: "
                f"{', '.join(FUNCTIONS)}, Max, Min and Piecewise; give a Python function of NumPy operations, or rewrite it"
            )
        if name == "Heaviside":  # its value at 0 may be a second argument
            arguments = arguments[:1]
        return ast.Call(ast.Name(known), arguments, [])

    def _largest(self, arguments: list[ast.expr], op: ast.cmpop) -> ast.expr:
        first, *rest = arguments
        for other in rest:
            first = _where(first, op, other, first, other)
        return first

    def _pieces(self, pieces: list[ast.expr]) -> ast.expr:
        result: ast.expr | None = None
        for piece in reversed(pieces):
            match piece:
                case ast.Tuple(elts=[value, ast.Constant(value=True)]):
                    result = self.visit(value)
                case ast.Tuple(elts=[value, ast.Compare(left=left, ops=[op], comparators=[right])]) if (
                    result is not None
                ):
                    result = _where(self.visit(left), op, self.visit(right), self.visit(value), result)
                case _:
                    raise ValueError(
                        f"{ast.unparse(piece)} in the SymPy expression {self.text!r}: a piece is (value, comparison) and the "
                        "last one (value, True)"
                    )
        if result is None:
            raise ValueError(f"the SymPy expression {self.text!r} has a Piecewise without pieces")
        return result


def _where(left: ast.expr, op: ast.cmpop, right: ast.expr, yes: ast.expr, no: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("where"), [ast.Compare(left, [op], [right]), yes, no], [])
