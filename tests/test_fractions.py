"""Of short decimals and simple fractions `limit` and `modified` have no rounding but their own."""

from __future__ import annotations

import pytest

import randwalk as rw
from randwalk.pde import limit, modified


def test_short_decimals_stay_short() -> None:
    """a = (0.1, 0.1)/0.1, D_ii = (p + q)/2; b₄ = D dx²/12 (1 - 3s) along each axis, and -dt D_xx D_yy across [by hand]."""
    walk = rw.LatticeWalk(
        right=0.3, left=0.2, up=0.25, down=0.15, dx=0.1, dt=0.01, domain=rw.Line() ** 2, start=(0.0, 0.0)
    )
    assert str(limit(walk)).startswith("FokkerPlanck: ρ_t = -∇·((1, 1)ρ) + ∇·(diag(0.25, 0.2) ∇ρ)")
    b = {powers: float(c((0.0, 0.0), 0.0)) for powers, c in modified(walk).terms.items()}
    assert b[1, 0] == -1.0 and b[2, 0] == 0.245 and b[1, 1] == -0.01 and b[0, 2] == 0.195
    assert b[2, 2] == -0.0005 and b[4, 0] == pytest.approx(0.25 * 0.01 / 12.0 * (1.0 - 3.0 * 0.5), rel=1e-15)


def test_what_cancels_is_left_out() -> None:
    """Nine steps, a product of two lazy walks of s = 1/3: all terms of higher order are 0."""
    ways = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    ninth: dict[tuple[int, ...], float] = {e: (4 if 0 in e else 1) / 36.0 for e in ways}
    walk = rw.LatticeWalk(steps=ninth, dx=0.1, dt=0.01, domain=rw.Line() ** 2, start=(0.0, 0.0))
    assert set(modified(walk).terms) == {(2, 0), (0, 2)}
