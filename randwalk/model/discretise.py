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

import itertools
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

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
        made = _Directed(declared, spacings, dt, axes).steps()
    if len(axes) > 1:
        made = {e: p for e, p in made.items() if p != ZERO}
    faced = (e for steps in face_steps(declared, spacings, dt, axes) for e in steps)
    return Steps(dict.fromkeys(faced, ZERO) | made, len(axes))


def face_steps(
    declared: Declared, spacings: Sequence[float], dt: float, axes: Sequence[Axis]
) -> tuple[Mapping[Displacement, Coefficient], ...]:
    """For each axis, the probabilities of the displacements that walkers beside a face half way between sites make in addition,
    along the face. Where D is diagonal there are none.

    No step across such a face is made (but for those that leave), and those of a diffusion that is not diagonal carry a flux
    along it, in the half cell before the face: S_tt' - S_nt S_nt'/S_nn of the axes t, t' along it, since the flux across
    vanishes. What is left of the other steps there lacks ½ s_e s_f/S_nn along e - f for every pair e, f of steps across (by the
    transform of a star into a mesh). With these steps the walk is of second order, and what is in balance stays so.
    """
    walled = [any(wall is not None and not wall.on_site for wall in (axis.left, axis.right)) for axis in axes]
    if declared.tensor.diagonal:
        return ({},) * len(axes)
    directed = _Directed(declared, spacings, dt, axes)
    return tuple(directed.along_faces(n) if has_wall else {} for n, has_wall in enumerate(walled))


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


@dataclass(frozen=True)
class _Directed:
    """The steps of a diffusion that is not diagonal."""

    declared: Declared
    spacings: Sequence[float]
    dt: float
    axes: Sequence[Axis]

    @property
    def fick(self) -> bool:
        return self.declared.convention is Convention.FICK

    @cached_property
    def mean(self) -> list[Coefficient]:
        """m of a step."""
        dt = self.dt
        return [(dt / dx) * step_mean(a, dt) for a, dx in zip(self.declared.vector, self.spacings, strict=True)]

    @cached_property
    def spread(self) -> Tensor:
        """S of a step."""
        rows = self.declared.tensor.rows
        tensor = Tensor(tuple(tuple(step_mean(entry, self.dt) for entry in row) for row in rows))
        tensor.directions(self.spacings)  # refuses a tensor that has a negative rate on this lattice
        spread, mean = _in_steps(tensor, self.spacings, 2.0 * self.dt), self.mean
        if self.declared.rule is not Rule.EXACT_VARIANCE or self.fick:
            return spread
        return symmetric(spread.dimension, lambda i, j: spread[i, j] + mean[i] * mean[j])

    @cached_property
    def bias(self) -> tuple[Coefficient, ...]:
        return self.spread.solved(self.mean)

    def steps(self) -> dict[Displacement, Coefficient]:
        """The probability of each displacement."""
        return self._both_ways(self.spread.decomposed((1.0,) * len(self.axes)))

    def along_faces(self, axis: int) -> dict[Displacement, Coefficient]:
        """The probability of each displacement along the faces of an axis, in place of steps across them."""
        own = self.spread[axis, axis]
        across = {
            tuple(e[axis] * c for c in e): rate
            for e, rate in self.spread.decomposed((1.0,) * len(self.axes)).items()
            if e[axis]
        }
        found: dict[Displacement, Coefficient] = {}
        for (e, rate), (f, other) in itertools.combinations(across.items(), 2):
            along = tuple(c - d for c, d in zip(e, f, strict=True))
            along = max(along, tuple(-c for c in along))
            if max(map(abs, along)) == 1:  # e_n + e_t and e_n - e_t, of which one has the rate 0, differ by 2 e_t
                found[along] = found.get(along, ZERO) + 0.5 * rate * other / own
        return self._both_ways(found)

    def _both_ways(self, rates: Mapping[Displacement, Coefficient]) -> dict[Displacement, Coefficient]:
        """The probabilities of the displacements e and -e for the parts s_e of S."""
        rule, made = self.declared.rule, dict[Displacement, Coefficient]()
        for direction, rate in rates.items():
            along = _along(direction, self.bias)
            for sign in (1.0, -1.0):
                step = tuple(int(sign) * c for c in direction)
                up, here = rate, along
                if self.fick:
                    spans = tuple(c * dx for c, dx in zip(step, self.spacings, strict=True))
                    up, here = (Midpoint(c, spans, tuple(self.axes)) if c.dimension else c for c in (rate, along))
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


def _along(direction: Displacement, vector: Sequence[Coefficient]) -> Coefficient:
    """e · v."""
    return reduce(operator.add, (float(c) * v for c, v in zip(direction, vector, strict=True) if c), ZERO)
