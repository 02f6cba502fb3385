"""The three readings of a stochastic differential equation with position-dependent diffusion."""

from __future__ import annotations

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

    def ito_drift(self, drift: Coefficient, diffusion: Coefficient) -> Coefficient:
        """The Itô drift a + (1 - λ) D_x of the equation that has `drift` in this convention; D must be smooth."""
        weight = 1.0 - self.exponent
        return drift + weight * diffusion.derivative("x") if weight else drift
