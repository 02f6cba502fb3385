"""What walkers in continuous space count, apart from their walk, which is compiled once for all payoffs and boundary values.

Between the two marks stand the functions of one question, here of how many have not left; :mod:`randwalk.tables.ito_values`
writes this file again with those of another in their place.
"""

from __future__ import annotations

from ..jit.compile import device, kernel

# [model]
# isort: split
from .ito import at, boundary


@device
def payoff(x, t, p):  # type: ignore[no-untyped-def]
    """What a walker counts that is there at the end."""
    return 1.0


# [/model]


@kernel
def settle(state, t, p, values):  # type: ignore[no-untyped-def]
    """What each walker counts at time t: its payoff, or the boundary's value where it left, times its weight, and what it
    gathered."""
    for j in range(values.size):
        x = at(state.x, j)
        value = payoff(x, t, p) if state.exit[j] == 0 else boundary(x, state.gone_at[j], p, state.exit[j])
        values[j] = value * state.weight[j] + state.gathered[j]
