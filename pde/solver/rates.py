"""The rates of all chains of an operator as one sparse matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from randwalk.model.coefficient import Floats

from .lines import across
from .operator import Operator
from .region_walls import spans


def generator(operator: Operator, t: float = 0.0) -> sparse.csr_array:
    """(Gu)_i = Σ rate (u_to - u_from) over all moves of the chains at a time, on states."""
    return _summed(operator, [chain.moves for chain in operator.chains(t)])


def generator_at_walls(operator: Operator) -> sparse.csr_array:
    """The same with differences of second order beside absorbing walls of regions, which are not the transpose of the forward
    ones."""
    moves = []
    for e, chain in zip(operator.directions, operator.chains(0.0), strict=True):
        begin, end, rate = chain.moves
        moved = end < operator.mesh.size
        moves.append((begin, end, np.where(moved, rate / spans(across(operator.mesh, e))[begin], rate)))
    return _summed(operator, moves)


def _summed(operator: Operator, moves: list[tuple[Any, Any, Floats]]) -> sparse.csr_array:
    size = operator.mesh.states
    begin, end, rate = (np.concatenate(parts) for parts in zip(*moves, strict=True))
    entries = np.concatenate([rate, -rate]), (np.concatenate([begin, begin]), np.concatenate([end, begin]))
    return sparse.coo_array(entries, (size, size)).tocsr()
