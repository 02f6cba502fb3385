"""Ways to lower the variance of walks, as values: antithetic pairs, a control variate, another drift, several levels of steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from randwalk.inputs.arguments import finite
from randwalk.model.coefficient import Coefficient, CoefficientLike

from .question import reader


@dataclass(frozen=True)
class Antithetic:
    """Every walker has a partner with the same noise of the other sign; the mean of both is one value. It helps where the payoff
    rises or falls with the noise all along."""


@dataclass(frozen=True)
class Control:
    """Another payoff at the time t, whose expectation under the same equation (with its killing) is known: the part of the
    value's noise that goes with that of the control is taken away, by regression.

    Parameters
    ----------
    payoff : number, Coefficient or function of the coordinates
    mean : float
        E[payoff(X_t) exp(-∫κ), inside at t], exactly.
    """

    payoff: CoefficientLike
    mean: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", finite("Control: mean", self.mean))

    def read(self, dimension: int) -> Coefficient:
        """The payoff as a coefficient."""
        made: Coefficient = reader(dimension)("Control: payoff", self.payoff)
        return made


@dataclass(frozen=True)
class Drift:
    """Walkers have this drift b in addition to the equation's, and count their value times the density of the law of their path
    without it: exp(-∫ θ·dW - ½ ∫ θ·θ ds), σθ = b (Girsanov). It helps where the payoff is in a region that few reach.

    Parameters
    ----------
    drift : number, Coefficient or function, or a tuple of them
        b (length/time), a component an axis.
    """

    drift: Any


@dataclass(frozen=True)
class Multilevel:
    """Many walkers of long steps, and fewer and fewer for the differences between steps of half the length (Giles, Operations
    Research 56 (2008) 607): for small tolerances. The numbers of walkers follow from the variances; a tolerance is needed.

    The variance of the difference between steps dt and 2 dt was measured to fall as dt² without walls, as dt by walls that
    reflect or absorb in part, which take from the weight, and as √dt by absorbing ones, where one of the two may leave alone.
    Where walkers go on until they leave (``t=inf``) it does not fall by walls that absorb in part, which there absorb by chance:
    take no reduction, or a finite t."""


Reduction: TypeAlias = Antithetic | Control | Drift | Multilevel
