"""Loose tolerances in the plane take coarse grids, and their estimates are honest."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import expm_multiply

import randwalk as rw
from randwalk.model.coefficient import Floats

SPEED, D, START, MODES = 3.0, 0.1, 1.2, 24  # the last mode decays by exp(-D MODES² t) = 1e-20 by the first time
TIMES = np.linspace(0.8, 4.0, 5)


def stirred() -> rw.pde.FokkerPlanck:
    """A torus stirred by a = (-3 sin y, 3 sin x), from a point."""
    drift = rw.expression(f"-{SPEED}*sin(y)"), rw.expression(f"{SPEED}*sin(x)")
    return rw.pde.FokkerPlanck(drift=drift, diffusion=D, domain=rw.Ring(0.0, 2.0 * np.pi) ** 2, start=(START, START))


def coefficients() -> Floats:
    """c of ρ = Σ c_kl exp(i(kx + ly)) at the TIMES: c' = -D(k² + l²)c - (Fourier series of a·∇ρ), as ∇·a = 0."""
    k = np.arange(-MODES, MODES + 1)
    one, wave = sparse.identity(k.size), sparse.diags(1j * k)
    sine = sparse.diags([0.5j, -0.5j], [1, -1], shape=(k.size, k.size))  # sin y: (c at l-1 less c at l+1)/2i
    still = sparse.kron(sparse.diags(-D * k**2.0), one) + sparse.kron(one, sparse.diags(-D * k**2.0))
    stirring = SPEED * (sparse.kron(wave, sine) - sparse.kron(sine, wave))
    begin = np.exp(-1j * START * np.add.outer(k, k)).ravel() / (4.0 * np.pi**2)
    steps = expm_multiply(
        (still + stirring).tocsr(), begin, start=0.0, stop=TIMES[-1], num=TIMES.size + 1, endpoint=True
    )
    return np.asarray(steps[1:].reshape(-1, k.size, k.size))


def cumulative(c: Floats, edges: tuple[Floats, Floats]) -> Floats:
    """∫∫ ρ up to the corners of `edges`."""
    k = np.arange(-MODES, MODES + 1)
    below = [np.where(k == 0, e[:, None], np.expm1(1j * np.outer(e, k)) / np.where(k == 0, 1.0, 1j * k)) for e in edges]
    return np.asarray(np.einsum("xk,tkl,yl->txy", below[0], c, below[1], optimize=True).real)


def test_a_stirred_torus_at_many_times() -> None:
    """Few cells, as the smearing by fluxes is carried along paths as the variance is; and the truth by Fourier series."""
    tolerance = 0.1
    law = rw.pde.solve(stirred(), TIMES, tolerance=tolerance)
    edges = tuple(grid.edges for grid in law.mesh.axes)
    found = np.array([law.mass(list(edges), t).cumsum(axis=0).cumsum(axis=1) for t in TIMES])
    exact = cumulative(coefficients(), (edges[0], edges[1]))[:, 1:, 1:]
    assert exact[:, -1, -1] == pytest.approx(1.0, abs=1e-12)
    true = np.abs(found - exact).max()
    assert law.mesh.cells <= 256
    assert true <= 1.5 * law.error_estimate <= 1.5 * tolerance
    assert law.error_estimate <= 4.0 * true
