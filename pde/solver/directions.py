"""Directions of the lattice of cells, along which mass moves."""

from __future__ import annotations

import itertools

from randwalk.model.coefficient import ZERO
from randwalk.model.steps import Displacement
from randwalk.model.tensor import Tensor


def diagonals(dimension: int) -> list[Displacement]:
    """e_i + e_j and e_i - e_j of every plane."""
    planes = itertools.combinations(range(dimension), 2)
    return [
        tuple(1 if a == i else sign if a == j else 0 for a in range(dimension)) for i, j in planes for sign in (1, -1)
    ]


def pair(e: Displacement) -> tuple[int, int]:
    """The axes of a diagonal; of an axis, it twice."""
    moved = [a for a, c in enumerate(e) if c]
    return moved[0], moved[-1]


def never(tensor: Tensor, e: Displacement) -> bool:
    """Whether the rate of a diagonal is 0 everywhere, as far as the tensor tells."""
    i, j = pair(e)
    if tensor.matrix is not None:
        return bool(e[i] * e[j] * tensor.matrix[i, j] <= 0.0)
    return tensor[i, j] == ZERO


def met(directions: list[Displacement], n: int, f: Displacement) -> list[tuple[Displacement, Displacement]]:
    """The pairs of directions across axis `n`, both turned the same way, that differ by `f` or -`f`."""
    turned = [(e, tuple(e[n] * c for c in e)) for e in directions if e[n]]
    found = []
    for (e, a), (g, b) in itertools.combinations(turned, 2):
        difference = tuple(x - y for x, y in zip(a, b, strict=True))
        if difference == f or tuple(-x for x in difference) == f:
            found.append((e, g))
    return found
