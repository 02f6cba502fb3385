"""Stationary laws of walks in two and three dimensions."""

from __future__ import annotations

import numpy as np
import pytest

import randwalk as rw

R = rw.Reflecting()


def test_independent_axes_have_the_product_of_their_laws() -> None:
    """A Moore walk between walls and on a ring, against the laws of its axes, solved without subtraction."""
    x, y = rw.Interval(0.0, 1.0, R, R), rw.Ring(0.0, 1.0)
    drift = (rw.expression("1 - 3*x"), rw.expression("0.5 + sin(2*pi*y)"))
    walk = rw.LatticeWalk.from_drift(drift, 0.2, dx=0.1, dt=0.004, domain=x * y, start=(0.55, 0.5))
    law = rw.pde.stationary_law(walk)
    parts = [
        rw.pde.stationary_law(
            rw.LatticeWalk.from_drift(rw.expression(text), 0.2, dx=0.1, dt=0.004, domain=axis, start=start)
        )
        for text, axis, start in (("1 - 3*x", x, 0.55), ("0.5 + sin(2*pi*x)", y, 0.5))
    ]
    assert np.abs(law.pmf - np.multiply.outer(parts[0].pmf, parts[1].pmf)).max() < 1e-9 * law.pmf.max()
    assert law.mean()[0] == pytest.approx(parts[0].mean(), rel=1e-8)
    assert law.survival() == 1.0 and law.absorbed("killing") == 0.0


def test_a_step_keeps_it() -> None:
    """A turning drift in a ring-shaped room, against the exact law of many steps from it."""
    room = (rw.Interval(-1, 1, R, R) ** 2).without(rw.Ball((0.0, 0.0), 0.35))
    walk = rw.LatticeWalk.from_drift(
        lambda x, y: (-y - x, x - y), 0.3, dx=0.1, domain=room, start=(0.75, 0.05), neighbourhood=rw.VonNeumann()
    )
    law = rw.pde.stationary_law(walk)
    late = rw.pde.exact_law(walk, [12000 * walk.dt])
    edges = np.linspace(-1, 1, 11), np.linspace(-1, 1, 11)
    assert np.abs(law.mass(edges) - late.mass(edges, 12000 * walk.dt)).max() < 1e-8
    assert law.pmf.sum() == pytest.approx(1.0, abs=1e-12)


def test_an_unbounded_spring_has_its_normal_law() -> None:
    walk = rw.LatticeWalk.from_drift(
        lambda x, y: (-x, -2.0 * y), 0.5, dx=0.1, domain=rw.Line() ** 2, rule=rw.Rule.LINEAR, dt=0.004
    )
    law = rw.pde.stationary_law(walk, window=((-6.0, 6.0), (-4.5, 4.5)))
    assert law.variance() == pytest.approx(np.diag([0.5, 0.25]), abs=1e-9)
    with pytest.raises(ValueError, match="widen it"):
        rw.pde.stationary_law(walk, window=((-1.0, 1.0), (-4.5, 4.5)))
    with pytest.raises(ValueError, match="unbounded on the bottom"):
        rw.pde.stationary_law(walk, window=((-6.0, 6.0), None))


def test_lost_walkers_have_no_stationary_law() -> None:
    walk = rw.LatticeWalk(
        right=0.25, left=0.25, up=0.25, down=0.25, dx=0.1,
        domain=rw.Ring(0, 1) * rw.Interval(0, 1, rw.Absorbing(), rw.Absorbing()),
        start=(0.5, 0.5),
    )  # fmt: skip
    with pytest.raises(ValueError, match="walkers are lost"):
        rw.pde.stationary_law(walk)
