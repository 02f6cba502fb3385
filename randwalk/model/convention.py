"""The three readings of a stochastic differential equation with position-dependent diffusion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

from .coefficient import Coefficient, coordinate
from .tensor import Tensor


class Convention(StrEnum):
    """What ``drift`` means where the diffusion D depends on position: the flux is J = aρ - D^(1-λ) (D^λ ρ)_x.

    ========================  ===  =====================================  ==================
    convention                λ    equation                               Itô drift
    ========================  ===  =====================================  ==================
    ``ITO`` (the default)     1    ρ_t = -(aρ)_x + (Dρ)_xx                a
    ``STRATONOVICH``          ½    ρ_t = -(aρ)_x + (√D (√D ρ)_x)_x        a + ½ D_x
    ``FICK`` (Hänggi–         0    ρ_t = -(aρ)_x + (D ρ_x)_x              a + D_x
    Klimontovich)
    ========================  ===  =====================================  ==================

    In several dimensions the flux is J_i = a_i ρ - Σ_j ∂_j (D_ij ρ) for Itô and J = aρ - D∇ρ for Fick; Stratonovich needs a
    diagonal D and has J_i = a_i ρ - √D_ii ∂_i (√D_ii ρ).

    Walks and equations keep the drift as it was declared, so a D that jumps needs no derivative: D^λ ρ is continuous there.
    """

    ITO = "ito"
    STRATONOVICH = "stratonovich"
    FICK = "fick"

    @property
    def exponent(self) -> float:
        """λ, the power of D under the inner derivative; without drift and current ρ is proportional to D^-λ."""
        return {Convention.ITO: 1.0, Convention.STRATONOVICH: 0.5, Convention.FICK: 0.0}[self]

    def where(self, diffusion: Coefficient | Tensor) -> Convention:
        """This convention where `diffusion` depends on the place; elsewhere Itô, because there the three are one.

        Raises
        ------
        ValueError
            for Stratonovich and a tensor that is not diagonal: which root of the tensor is meant is not said.
        """
        entries = diffusion.entries if isinstance(diffusion, Tensor) else (diffusion,)
        if not any(entry.dimension for entry in entries):
            return Convention.ITO
        if self is Convention.STRATONOVICH and isinstance(diffusion, Tensor) and not diffusion.diagonal:
            raise ValueError(
                "convention = stratonovich needs a diagonal diffusion, because it depends on which root of a tensor the noise "
                "has; take ito and add ½ Σ_jk σ_jk ∂_j σ_ik to the drift, or take fick"
            )
        return self

    def ito_drift(
        self,
        drift: Coefficient,
        diffusion: Coefficient,
        low: float = -math.inf,
        high: float = math.inf,
        axis: int = 0,
    ) -> Coefficient:
        """The Itô drift a + (1 - λ) D_x of the equation that has `drift` in this convention; x is the coordinate of an axis.

        Raises
        ------
        ValueError
            if D jumps between `low` and `high`: then there is none.
        """
        weight, x = 1.0 - self.exponent, coordinate(axis)
        if not (weight and diffusion.depends_on(x)):
            return drift
        if jumps := diffusion.jumps(x, low, high):
            raise ValueError(
                f"diffusion = {diffusion} jumps at {x} = {jumps[0]:g}, so its derivative there is no number and an equation in "
                f"the {self.value} convention has no Itô drift: let D rise within a short length"
            )
        slope = diffusion.derivative(x) if diffusion.moving_breaks else diffusion.regular_derivative(x)
        return drift + weight * slope

    def ito_vector(
        self, drift: Sequence[Coefficient], diffusion: Tensor, bounds: Sequence[tuple[float, float]]
    ) -> tuple[Coefficient, ...]:
        """The Itô drift a_i + (1 - λ) Σ_j ∂_j D_ij by components; `bounds` are the ends of the axes."""
        made = []
        for i, component in enumerate(drift):
            for j, (low, high) in enumerate(bounds):
                component = self.ito_drift(component, diffusion[i, j], low, high, j)
            made.append(component)
        return tuple(made)
