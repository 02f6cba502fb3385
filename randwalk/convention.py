"""The three readings of a stochastic differential equation with position-dependent diffusion."""

from __future__ import annotations

from enum import StrEnum

from .coefficient import Coefficient


class Convention(StrEnum):
    """What ``drift`` means where the diffusion D depends on position. Everything is converted to Itô once, on entry.

    ========================  =====================================  ==================
    convention                equation                               Itô drift
    ========================  =====================================  ==================
    ``ITO`` (the default)     ρ_t = -(aρ)_x + (Dρ)_xx                a
    ``STRATONOVICH``          ρ_t = -(aρ)_x + (√D (√D ρ)_x)_x        a + ½ D_x
    ``FICK`` (Hänggi–         ρ_t = -(aρ)_x + (D ρ_x)_x              a + D_x
    Klimontovich)
    ========================  =====================================  ==================
    """

    ITO = "ito"
    STRATONOVICH = "stratonovich"
    FICK = "fick"

    def ito_drift(self, drift: Coefficient, diffusion: Coefficient) -> Coefficient:
        """The Itô drift of the equation that has `drift` in this convention."""
        weight = {Convention.ITO: 0.0, Convention.STRATONOVICH: 0.5, Convention.FICK: 1.0}[self]
        return drift + weight * diffusion.derivative("x") if weight else drift
