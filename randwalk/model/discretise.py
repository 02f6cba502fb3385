"""The steps of a lattice walk that has a given drift and diffusion.

With m_i = a_i dt/dx_i, S_ij = 2 D_ij dt/(dx_i dx_j) and, for :attr:`Rule.EXACT_VARIANCE`, S_ij + m_i m_j in place of S_ij:

- where D is diagonal, every axis takes its one-dimensional :class:`Rule`, and the :class:`Neighbourhood` combines the axes.
  Mean and variance along each axis are those of the rule. The covariance of two axes is 0 for :class:`Moore`, which is
  exact, and -m_i m_j for :class:`VonNeumann`;
- where it is not, S = Σ s_e e eᵀ over the axes and the diagonals of planes, and p(±e) = ½ s_e (1 ± e·S⁻¹m). So Σ p_e e = m and
  Σ p_e e eᵀ = S: mean and covariance of every step are exact. The fitted rules take the bias w = 2 e·(2D dt)⁻¹m of each
  direction; for ``FITTED`` the mean is exact, and e^-U is the equilibrium of a drift -D∇U. In the Fick form s_e is read in
  the middle of the bond, S has no m mᵀ, and without drift a uniform law stays uniform.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from .bernoulli import bernoulli_of
from .bond import Bond, Midpoint, bonds
from .coefficient import ZERO, Coefficient, Floats, Point
from .convention import Convention
from .domain import Axis
from .neighbourhood import Moore, Neighbourhood, VonNeumann
from .rule import Rule, exponential
from .step_mean import step_mean
from .steps import Displacement, Pair, Steps
from .tensor import Tensor, symmetric


@dataclass(frozen=True)
class Declared:
    """The drift and the diffusion from which step probabilities are made, and how. In several dimensions the drift is a tuple
    of components and the diffusion a tensor."""

    drift: Coefficient | tuple[Coefficient, ...]
    diffusion: Coefficient | Tensor
    rule: Rule
    convention: Convention
    neighbourhood: Neighbourhood = Moore()  # noqa: RUF009 (it has no state)

    @property
    def vector(self) -> tuple[Coefficient, ...]:
        """The components of the drift."""
        return self.drift if isinstance(self.drift, tuple) else (self.drift,)

    @property
    def tensor(self) -> Tensor:
        """The diffusion as a tensor."""
        return self.diffusion if isinstance(self.diffusion, Tensor) else Tensor(((self.diffusion,),))

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:
        """The components of the drift, then the entries of the diffusion on and above its diagonal."""
        return *self.vector, *self.tensor.entries


def steps_of(declared: Declared, spacings: Sequence[float], dt: float, axes: Sequence[Axis]) -> Steps:
    """The steps of a walk, by displacement."""
    if declared.tensor.diagonal:
        made = declared.neighbourhood.probabilities(axis_pairs(declared, spacings, dt, axes))
    else:
        made = _along_directions(declared, spacings, dt, axes)
    if len(axes) > 1:
        made = {e: p for e, p in made.items() if p != ZERO}
    return Steps(made, len(axes))


def axis_pairs(declared: Declared, spacings: Sequence[float], dt: float, axes: Sequence[Axis]) -> tuple[Pair, ...]:
    """The probabilities of (+1, -1) along each axis, of a diagonal diffusion."""
    rule = declared.rule
    if rule is Rule.TWO_WAY and len(axes) > 1 and isinstance(declared.neighbourhood, VonNeumann):
        rule = Rule.LINEAR  # the axes share the steps, of which none stays
    return tuple(
        rule.probabilities(drift, declared.tensor[i, i], dx, dt, declared.convention, domain, i)
        for i, (drift, dx, domain) in enumerate(zip(declared.vector, spacings, axes, strict=True))
    )


def longest_step(declared: Declared, spacings: Sequence[float], axes: Sequence[Axis], point: Point, t: Floats) -> float:
    """The longest time step to take, given places and times that broadcast (:meth:`Rule.longest_step`)."""
    rule, tensor = declared.rule, declared.tensor
    if tensor.diagonal:
        each = [
            rule.longest_step(bonds(a, tensor[i, i], declared.convention, dx, domain, i), dx, point, t)
            for i, (a, dx, domain) in enumerate(zip(declared.vector, spacings, axes, strict=True))
            if tensor[i, i] != ZERO
        ]
        return declared.neighbourhood.longest(each)
    parts = [Bond(rate, bias) for rate, bias in _biases(declared, spacings)]
    return VonNeumann().longest([rule.longest_step((bond, bond), 1.0, point, t) for bond in parts])


def directions_of(declared: Declared, spacings: Sequence[float]) -> list[tuple[Coefficient, Coefficient, float]]:
    """(drift, diffusion, dx) along every direction of the lattice in which walkers step: the axes; where D is not diagonal, also
    diagonals of planes, in lattice steps (dx = 1)."""
    tensor = declared.tensor
    if tensor.diagonal:
        return [(a, tensor[i, i], dx) for i, (a, dx) in enumerate(zip(declared.vector, spacings, strict=True))]
    return [(rate * bias, rate, 1.0) for rate, bias in _biases(declared, spacings)]


def _biases(declared: Declared, spacings: Sequence[float]) -> list[tuple[Coefficient, Coefficient]]:
    """(rate, e · D⁻¹a in lattice steps) along every direction of a diffusion that is not diagonal."""
    tensor = declared.tensor
    bias = _in_steps(tensor, spacings).solved([(1.0 / dx) * a for a, dx in zip(declared.vector, spacings, strict=True)])
    return [(rate, _along(e, bias)) for e, rate in tensor.directions(spacings).items()]


def _along_directions(
    declared: Declared, spacings: Sequence[float], dt: float, axes: Sequence[Axis]
) -> dict[Displacement, Coefficient]:
    """The steps of a diffusion that is not diagonal."""
    rule, fick = declared.rule, declared.convention is Convention.FICK
    tensor = Tensor(tuple(tuple(step_mean(entry, dt) for entry in row) for row in declared.tensor.rows))
    tensor.directions(spacings)  # refuses a tensor that has a negative rate on this lattice
    mean = [(dt / dx) * step_mean(a, dt) for a, dx in zip(declared.vector, spacings, strict=True)]
    spread = _in_steps(tensor, spacings, 2.0 * dt)
    if rule is Rule.EXACT_VARIANCE and not fick:
        spread = _with_square(spread, mean)
    bias = spread.solved(mean)
    made: dict[Displacement, Coefficient] = {}
    for direction, rate in spread.decomposed((1.0,) * len(axes)).items():
        along = _along(direction, bias)
        for sign in (1.0, -1.0):
            step = tuple(int(sign) * c for c in direction)
            up, here = rate, along
            if fick:
                spans = tuple(c * dx for c, dx in zip(step, spacings, strict=True))
                up, here = (Midpoint(c, spans, tuple(axes)) if c.dimension else c for c in (rate, along))
            if rule is Rule.FITTED:
                made[step] = 0.5 * up * bernoulli_of(-2.0 * sign * here)
            elif rule is Rule.CAPPED:
                made[step] = up / (1.0 + exponential(-2.0 * sign * here))
            else:
                made[step] = 0.5 * (up + sign * rate * along)
    return made


def _in_steps(tensor: Tensor, spacings: Sequence[float], factor: float = 1.0) -> Tensor:
    """factor · D_ij/(dx_i dx_j)."""
    return symmetric(tensor.dimension, lambda i, j: (factor / (spacings[i] * spacings[j])) * tensor[i, j])


def _with_square(tensor: Tensor, mean: Sequence[Coefficient]) -> Tensor:
    """S_ij + m_i m_j."""
    return symmetric(tensor.dimension, lambda i, j: tensor[i, j] + mean[i] * mean[j])


def _along(direction: Displacement, vector: Sequence[Coefficient]) -> Coefficient:
    """e · v."""
    return reduce(operator.add, (float(c) * v for c, v in zip(direction, vector, strict=True) if c), ZERO)
