"""Coefficients as they are at time 0."""

from __future__ import annotations

from typing import Any

from randwalk.model.coefficient import ZERO, Coefficient, Function, Variable


def at_start(coefficient: Any) -> Coefficient:
    """The coefficient at time 0, for ever."""
    if isinstance(coefficient, Function) and coefficient.tree is not None:
        coefficient = coefficient.tree
    if isinstance(coefficient, Variable):
        return ZERO if coefficient.index < 0 else coefficient
    if not coefficient.depends_on_t:
        return coefficient
    return coefficient._with(*map(at_start, coefficient.parts))
