"""The three readings of a stochastic differential equation with position-dependent diffusion."""

from __future__ import annotations

import math
from enum import StrEnum

from .coefficient import Coefficient


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

    Walks and equations keep the drift as it was declared, so a D that jumps needs no derivative: D^λ ρ is continuous there.
    """

    ITO = "ito"
    STRATONOVICH = "stratonovich"
    FICK = "fick"

    @property
    def exponent(self) -> float:
        """λ, the power of D under the inner derivative; without drift and current ρ is proportional to D^-λ."""
        return {Convention.ITO: 1.0, Convention.STRATONOVICH: 0.5, Convention.FICK: 0.0}[self]

    def where(self, diffusion: Coefficient) -> Convention:
        """This convention where `diffusion` depends on x; elsewhere Itô, because there the three are one."""
        return self if diffusion.depends_on_x else Convention.ITO

    def ito_drift(
        self, drift: Coefficient, diffusion: Coefficient, low: float = -math.inf, high: float = math.inf
    ) -> Coefficient:
        """The Itô drift a + (1 - λ) D_x of the equation that has `drift` in this convention.

        Raises
        ------
        ValueError
            if D jumps between `low` and `high`: then there is none.
        """
        weight = 1.0 - self.exponent
        if not (weight and diffusion.depends_on_x):
            return drift
        if jumps := diffusion.jumps("x", low, high):
            raise ValueError(
                f"diffusion = {diffusion} jumps at x = {jumps[0]:g}, so its derivative there is no number and an equation in "
                f"the {self.value} convention has no Itô drift; use declared_drift with the convention"
            )
        slope = diffusion.derivative("x") if diffusion.moving_breaks else diffusion.regular_derivative("x")
        return drift + weight * slope
