"""Schemes, which make a step of an Itô walk from the increments of its noise, and the laws of these increments.

`order` is the weak order: the error of an expectation at a fixed time falls like dt to that power (Kloeden and Platen, *Numerical
Solution of Stochastic Differential Equations*, 1992, chapter 14). Below Δ = dt, ΔW are the increments, a and σ stand at the
beginning of the step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, TypeAlias


@dataclass(frozen=True)
class EulerMaruyama:
    """x + a Δ + σ ΔW. Weak order 1, strong order ½."""

    order: ClassVar[float] = 1.0


@dataclass(frozen=True)
class Milstein:
    """Euler–Maruyama and ½ σᵢ ∂ᵢσᵢ (ΔWᵢ² - Δ) along each axis. Weak order 1, strong order 1, for a scalar or diagonal noise; the
    derivative is that of the coefficient's tree."""

    order: ClassVar[float] = 1.0


@dataclass(frozen=True)
class Platen:
    """The explicit scheme of weak order 2 by Platen (Kloeden and Platen, 15.1.1 for a scalar noise and one that acts on each axis
    apart, else 15.1.3). It needs no derivatives, and increments whose moments up to the fifth are those of a normal
    distribution. A noise of several sources that act on each other draws an increment more for each such pair."""

    order: ClassVar[float] = 2.0


@dataclass(frozen=True)
class Exact:
    """A draw from the law of a step of any length, where that is known: Brownian motion with drift, Ornstein–Uhlenbeck processes
    with any matrices, geometric Brownian motion. The structure of the coefficients says which."""

    order: ClassVar[float] = math.inf


@dataclass(frozen=True)
class Gaussian:
    """Normal increments, of mean 0 and variance Δ."""

    moments: ClassVar[float] = math.inf  # how many moments are those of a normal distribution


@dataclass(frozen=True)
class TwoPoint:
    """Increments ±√Δ, a random bit for each. Their moments up to the third are those of a normal distribution."""

    moments: ClassVar[float] = 3.0


@dataclass(frozen=True)
class ThreePoint:
    """Increments ±√(3Δ) with probability ⅙ each, else 0. Their moments up to the fifth are those of a normal distribution."""

    moments: ClassVar[float] = 5.0


Scheme: TypeAlias = EulerMaruyama | Milstein | Platen | Exact
Increments: TypeAlias = Gaussian | TwoPoint | ThreePoint
