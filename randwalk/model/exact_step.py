"""Walks whose step of any length has a known law: Brownian motion with drift, Ornstein–Uhlenbeck processes, geometric Brownian
motion, recognised by the structure of their coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .coefficient import ZERO, Floats
from .linear import linear_form, monomial
from .noise import cholesky

if TYPE_CHECKING:
    from .ito import ItoWalk


@dataclass(frozen=True, eq=False)
class LinearStep:
    """x becomes F x + c + L z, z standard normal: `matrix` F (d, d), `shift` c (d,), `noise` L (d, m), with at least as many
    columns as the walk has sources."""

    matrix: Floats
    shift: Floats
    noise: Floats


@dataclass(frozen=True, eq=False)
class GeometricStep:
    """xᵢ becomes xᵢ exp(gᵢ + Σ_k Lᵢₖ z_k), z standard normal: `growth` g (d,), `noise` L (d, m)."""

    growth: Floats
    noise: Floats


ExactStep: TypeAlias = LinearStep | GeometricStep


def exact_step(walk: ItoWalk, dt: float) -> ExactStep:
    """The law of a step of length `dt`.

    Raises
    ------
    ValueError
        saying what a walk lacks.
    """
    linear, numbers = linear_form(walk.drift), walk.noise_numbers
    if linear is not None and numbers is not None:
        still = not linear.matrix.any()
        if not still and (walk.domain.faces or walk.domain.regions or any(axis.periodic for axis in walk.domain.axes)):
            raise ValueError(
                f"scheme = Exact() between walls and on rings is for a constant drift, and this one is {_told(walk.drift)}: take "
                "EulerMaruyama()"
            )
        if still:
            return LinearStep(np.eye(walk.dimension), linear.intercept * dt, np.sqrt(dt) * numbers)
        return _ornstein_uhlenbeck(linear.matrix, linear.intercept, numbers, dt)
    geometric = _geometric(walk, dt)
    if geometric is not None:
        return geometric
    lacks = (
        "it has a constant noise, and a drift that is not affine"
        if numbers is not None
        else "its noise varies, and noise and drift are not both in proportion to x along each axis"
    )
    raise ValueError(
        f"scheme = Exact() needs steps of a known law (Brownian motion, Ornstein–Uhlenbeck, geometric Brownian motion). This "
        f"walk has none, because {lacks}: take EulerMaruyama() or Platen()"
    )


def _ornstein_uhlenbeck(matrix: Floats, intercept: Floats, noise: Floats, dt: float) -> LinearStep:
    """By van Loan's block exponential (IEEE Trans. Autom. Control 23, 395, 1978)."""
    from scipy.linalg import expm  # here, because importing it takes long

    d = len(matrix)
    block = np.zeros((2 * d + 1, 2 * d + 1))
    block[:d, :d], block[:d, d : 2 * d], block[d : 2 * d, d : 2 * d] = -matrix, noise @ noise.T, matrix.T
    grown = expm(block[: 2 * d, : 2 * d] * dt)
    flow = grown[d:, d:].T
    covariance = flow @ grown[:d, d:]
    drifted = np.zeros((d + 1, d + 1))
    drifted[:d, :d], drifted[:d, d] = matrix, intercept
    shift = expm(drifted * dt)[:d, d]
    root = cholesky(0.5 * (covariance + covariance.T))
    spread = np.flatnonzero(root.any(axis=0)) + 1  # the drift may spread few sources over all axes
    columns = max(noise.shape[1], *spread.tolist(), 0)
    return LinearStep(flow, shift, np.pad(root, ((0, 0), (0, d)))[:, :columns])


def _geometric(walk: ItoWalk, dt: float) -> GeometricStep | None:
    if walk.domain.faces or walk.domain.regions or any(axis.periodic for axis in walk.domain.axes):
        return None
    growth, noise = np.zeros(walk.dimension), np.zeros((walk.dimension, walk.sources))
    for i, (a, row) in enumerate(zip(walk.drift, walk.noise, strict=True)):
        for k, entry in enumerate((a, *row)):
            read = (i, 0.0, 0.0) if entry == ZERO else monomial(entry)
            if read is None or read[0] != i or read[2]:
                return None
            if k == 0:
                growth[i] = read[1]
            else:
                noise[i, k - 1] = read[1]
    return GeometricStep((growth - 0.5 * (noise**2).sum(axis=1)) * dt, np.sqrt(dt) * noise)


def _told(drift: object) -> str:
    return "(" + ", ".join(map(str, drift)) + ")"  # type: ignore[call-overload]
