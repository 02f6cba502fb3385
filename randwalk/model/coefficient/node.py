"""The base of all nodes that have parts."""

from __future__ import annotations

from abc import abstractmethod

from .base import Coefficient

DEEPEST = 120  # levels of nodes inside each other: text, values and derivatives recurse on them


class TooDeep(ValueError):
    """A tree has more levels than can be worked with."""


class Node(Coefficient):
    """A coefficient that depends on the variables of its parts."""

    levels: int  # of nodes inside each other, this one counted

    def __post_init__(self) -> None:
        object.__setattr__(self, "variables", frozenset().union(*(part.variables for part in self.parts)))
        object.__setattr__(self, "levels", 1 + max(depth(part) for part in self.parts))
        if self.levels > DEEPEST:
            raise TooDeep(
                f"a coefficient of more than {DEEPEST} levels of operations inside each other: write it as a Python function"
            )

    @property
    @abstractmethod
    def parts(self) -> tuple[Coefficient, ...]: ...

    @abstractmethod
    def _with(self, *parts: Coefficient) -> Coefficient:
        """The same node of other parts."""

    def _shifted(self, variable: str, by: float) -> Coefficient:
        return self._with(*(part.shifted(variable, by) for part in self.parts))


def depth(coefficient: Coefficient) -> int:
    """Levels of nodes inside each other; a leaf is one."""
    return coefficient.levels if isinstance(coefficient, Node) else 1
