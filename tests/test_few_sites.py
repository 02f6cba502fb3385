"""Walks on one to four sites: every wall, ring and dependence, by every method, against the naive versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import randwalk as rw

from . import naive

WALLS: dict[str, rw.model.domain.Wall] = {
    "A": rw.Absorbing(), "R": rw.Reflecting(), "P": rw.PartiallyAbsorbing(0.3),
}  # fmt: skip
DOMAINS: Mapping[str, rw.model.domain.Domain] = {
    a + b: rw.Interval(0.0, 1.0, left, right) for a, left in WALLS.items() for b, right in WALLS.items()
} | {"ring": rw.Ring(0.0, 1.0)}
KINDS: dict[str, dict[str, Any]] = {
    "constant": {"right": 0.4, "left": 0.1},
    "every step": {"right": 0.5, "left": 0.5},
    "of x": {"right": lambda x: 0.4 + 0.1 * x, "left": lambda x: 0.1 + 0 * x},
    "of t": {"right": lambda t: 0.2 + 0.1 * np.sin(t), "left": 0.1},
    "killed": {"right": 0.4, "left": 0.1, "killing": 0.2},
}


@pytest.mark.parametrize("sites", [1, 2, 3, 4])
@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("kind", KINDS)
def test_few_sites(sites: int, domain: str, kind: str) -> None:
    """The law to rounding; every path of 20 walkers; the histogram stepped for 10⁶ to 6 standard errors (5e-9 of false alarm a
    place, 10⁻⁵ in all)."""
    if "P" in domain and kind in ("every step", "of x"):
        return  # too little probability is left for partial absorption; the naive wall knows constants only
    walk = rw.LatticeWalk(sites=sites, domain=DOMAINS[domain], start=0.5, **KINDS[kind])
    assert walk.lattice.sites == sites
    law = rw.pde.exact_law(walk, [0, 3, 8])
    chain = naive.Chain(walk, 0, sites - 1)
    for row, n in enumerate((0, 3, 8)):
        expected = chain.law(n)
        np.testing.assert_allclose(law.pmf[row], expected[:-3], rtol=0, atol=1e-15 * (n + 1))
        np.testing.assert_allclose(law.gone[n], expected[-3:], rtol=0, atol=1e-15 * (n + 1))
    paths = rw.simulate(walk, 20, [8.0], seed=4, method="paths", record=[rw.Positions()])
    assert paths[rw.Positions()].x.shape == (1, 20)
    np.testing.assert_allclose(
        paths[rw.Positions()].x[0],
        [naive.position(walk, naive.path(walk, w, 8, 4)[-1]) for w in range(20)], rtol=0, atol=1e-12,
    )  # fmt: skip
    many = rw.simulate(walk, 10**6, [8.0], seed=4, method="occupation")
    counts = np.concatenate([many.counts[0], many.gone[0]])
    expected = chain.law(8)
    assert counts.sum() == 10**6
    assert (np.abs(counts / 1e6 - expected) <= 6 * np.sqrt(expected * (1 - expected) / 1e6) + 1e-9).all()


def test_the_one_site_between_reflecting_walls() -> None:
    walk = rw.LatticeWalk(0.4, 0.1, sites=1, domain=DOMAINS["RR"], start=0.5)
    assert rw.pde.exact_law(walk, [3]).survival(3) == 1.0
    make: Callable[..., rw.LatticeWalk] = rw.LatticeWalk
    same = make(np.array([0.4]), np.array([0.1]), sites=1, domain=DOMAINS["RR"], start=0.5)
    assert rw.pde.exact_law(same, [3]).survival(3) == 1.0
    assert rw.pde.stationary_law(walk).pmf.tolist() == [1.0]
