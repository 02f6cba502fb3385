"""Neighbourhoods: how the steps along the axes make the steps of a walk in several dimensions."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

from .coefficient import Coefficient
from .steps import Displacement, Pair, all_displacements, along_axes


@dataclass(frozen=True)
class Moore:
    """Each axis steps by itself, in the same time step: the probability of a displacement is the product over the axes.

    The 3ᵈ - 1 neighbours are those with a common corner. If the coefficients separate, the law of the walk is the product of
    one-dimensional laws; s = 2D dt/dx² = ⅓ on every axis keeps fourth order, and the time step need not shrink with the
    dimension. The default of :meth:`LatticeWalk.from_drift` where the diffusion is diagonal.
    """

    def probabilities(self, pairs: Sequence[Pair]) -> dict[Displacement, Coefficient]:
        """The probability of each displacement, from those of (+1, -1) along each axis."""
        return {e: reduce(operator.mul, map(_of_axis, pairs, e)) for e in all_displacements(len(pairs))}

    def longest(self, steps: Sequence[float]) -> float:
        """The longest time step, from that of each axis."""
        return min(steps, default=math.inf)


@dataclass(frozen=True)
class VonNeumann:
    """A step goes along one axis: the classical walk on ℤᵈ. Where the diffusion is not diagonal, steps along the diagonals of
    planes carry its entries off the diagonal (:meth:`randwalk.model.tensor.Tensor.directions`).

    The time step is about d times shorter than that of :class:`Moore`, and the walk is of second order.
    """

    def probabilities(self, pairs: Sequence[Pair]) -> dict[Displacement, Coefficient]:
        """The probability of each displacement, from those of (+1, -1) along each axis."""
        return dict(zip(along_axes(len(pairs)), itertools.chain.from_iterable(pairs), strict=True))

    def longest(self, steps: Sequence[float]) -> float:
        """The longest time step, from that of each axis."""
        rate = sum(1.0 / step for step in steps)
        return 1.0 / rate if rate else math.inf


Neighbourhood: TypeAlias = Moore | VonNeumann


def _of_axis(pair: Pair, step: int) -> Coefficient:
    """The probability of a step of 1, -1 or 0 along an axis."""
    plus, minus = pair
    return plus if step > 0 else minus if step < 0 else 1.0 - plus - minus
