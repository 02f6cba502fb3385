"""A walk on a lattice in TeX: where it is a step later, and with which probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .coefficient import Constant

if TYPE_CHECKING:
    from .walk import LatticeWalk

MOST = 8  # steps that are written one by one


def latex(walk: LatticeWalk) -> str:
    r"""X_{t + dt} = …, a case for each step.

    >>> import randwalk as rw
    >>> print(latex(rw.LatticeWalk(0.5, 0.5, dx=0.1, dt=0.01)))
    $X_{t+0.01} = \begin{cases}X_t +0.1 & \text{with probability } 0.5 \\ X_t -0.1 & \text{with probability } 0.5\end{cases}$
    """
    cases = []
    for step, probability in list(walk.probabilities.items())[:MOST]:
        lengths = [f"{e * dx:+g}" for e, dx in zip(step, walk.spacings, strict=True)]
        moved = (
            lengths[0] if walk.dimension == 1 else f"+ ({', '.join(length.removeprefix('+') for length in lengths)})"
        )
        cases.append(rf"X_t {moved} & \text{{with probability }} {probability.latex()}")
    constants = [p.value for p in walk.probabilities.values() if isinstance(p, Constant)]
    if len(walk.probabilities) > MOST:
        cases.append(rf"\dots & \text{{({len(walk.probabilities)} steps in all)}}")
    if len(constants) < len(walk.probabilities) or sum(constants) < 1.0 - 1e-12:
        cases.append(r"X_t & \text{otherwise}")
    written = r" \\ ".join(cases)
    return rf"$X_{{t+{walk.dt:g}}} = \begin{{cases}}{written}\end{{cases}}$"
