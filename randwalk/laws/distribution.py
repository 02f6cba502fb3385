"""Where a walker is at one time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..model.coefficient import Floats
from .estimate import values_of
from .expectation import expectation

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Distribution(ABC):
    """The probabilities of places at one time, whose total is the probability that the walker has not left.

    Arguments are flat arrays. The three abstract questions have no default; the others are answered from them: densities are
    integrated by quadrature (:mod:`randwalk.laws.expectation`).
    """

    @property
    @abstractmethod
    def ends(self) -> tuple[float, float]:
        """The ends of the domain, which may be infinite."""

    @abstractmethod
    def pdf(self, x: Floats) -> Any:
        """The density at the places `x`; it integrates to the total."""

    @abstractmethod
    def cdf(self, x: Floats) -> Any:
        """The probability of the places up to `x` and `x` itself."""

    @property
    def span(self) -> tuple[float, float]:
        """Finite places between which all but about 1e-4 of the mass lies: what is drawn."""
        return self.ends

    @property
    def places(self) -> Floats:
        """Places at which the density is drawn and tabulated."""
        return np.linspace(*self.span, 801)

    def mass(self, edges: Floats) -> Any:
        """The probabilities of the bins between the increasing `edges`."""
        return np.diff(self.cdf(edges))

    def total(self) -> float:
        """The probability of all places together."""
        return float(self.mass(np.array(self.ends))[0])

    def expect(self, f: Callable[[Floats], ArrayLike]) -> Any:
        """E[f(X); alive] = ∫ f ρ dx."""
        return expectation(lambda x: values_of(f, x), self.pdf, self.mass, self.span, self.ends)

    def mean(self) -> Any:
        """The mean place of the survivors; NaN if there are none."""
        total = self.total()
        return self.expect(lambda x: x) / total if total > 0.0 else float("nan")

    def variance(self) -> Any:
        """The variance of the place of the survivors; NaN if there are none."""
        total, mean = self.total(), float(self.mean())
        return self.expect(lambda x: (x - mean) ** 2) / total if total > 0.0 else float("nan")

    def draw(self, ax: Axes, **style: Any) -> None:
        """Draw the density on `ax`."""
        x = self.places
        ax.plot(x, self.pdf(x), **style)

    def to_scipy(self) -> Any:
        """The survivors' distribution as a frozen one of :mod:`scipy.stats`."""
        from .scipy_form import Survivors

        return Survivors(self)()
