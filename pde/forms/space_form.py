"""What a formula of a closed form in two and more dimensions answers."""

from __future__ import annotations

from abc import ABC, abstractmethod

from randwalk.laws.distribution import Distribution
from randwalk.model.coefficient import Floats


class SpaceForm(ABC):
    """The formula of a closed form in more than one dimension, without killing.

    Attributes
    ----------
    exits : tuple of str
        The exits by which walkers leave; none on the whole space.
    """

    exits: tuple[str, ...] = ()

    @abstractmethod
    def at(self, time: float, alive: float) -> Distribution:
        """The places at a time > 0 of those who have not left, times the probability `alive` of not having been killed."""

    def staying(self, time: float) -> float:
        """The fraction that has not left by `time`, which may be infinite."""
        return 1.0

    def flux(self, exit: str, t: Floats) -> Floats:
        """The probability per time of leaving by one of ``exits``, at times > 0, shape (times,)."""
        raise NotImplementedError("only laws with exits have a flux")

    def absorbed(self, exit: str, t: Floats, killing: float) -> Floats:
        """The probability of leaving by one of ``exits`` by each time, infinity included, before killing at a constant rate."""
        raise NotImplementedError("only laws with exits absorb")
