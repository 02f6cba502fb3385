"""What becomes of a walker beyond the sites that are looked at, on a side without an end."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Excursion:
    """What becomes of a walker that has stepped over the edge of a window.

    Attributes
    ----------
    back, lost : float
        The probabilities of coming back to the last site of the window, and of not coming back; they sum to 1.
    mean, variance : float
        Of the number of steps until it is back, given that it comes back; 0 if `endless`.
    endless : bool
        Whether this number has no mean.
    hits : bool
        Whether those that do not come back hit the target.
    """

    back: float
    lost: float
    mean: float = 0.0
    variance: float = 0.0
    endless: bool = False
    hits: bool = False


LOST = Excursion(0.0, 1.0)
FOUND = Excursion(0.0, 1.0, hits=True)


def excursion(away: float, toward: float, killed: float) -> Excursion:
    """That of a walker which steps `away` from the window, `toward` it, or is `killed`, with constant probabilities.

    R, the probability of ever coming one site nearer, solves R = toward + away R² + (1 - away - toward - killed) R. Given that
    it comes nearer, a walker steps away with probability away·R and nearer with toward/R: it does so at the mean speed
    √(s² - 4 away·toward), s = away + toward + killed (Feller, *An Introduction to Probability Theory and Its Applications* I,
    XIV.4).
    """
    moved = away + toward + killed
    speed = math.sqrt((away - toward) ** 2 + 2.0 * killed * (away + toward) + killed * killed)
    back = 2.0 * toward / (moved + speed) if toward else 0.0
    outward = away - toward - killed
    lost = 0.0
    if outward > 0.0:
        lost = (outward + speed) / (2.0 * away)
    elif killed:
        lost = 2.0 * killed / (speed - outward)
    if not speed:
        return Excursion(back, lost, endless=True)
    stay = max(1.0 - moved, 0.0)
    return Excursion(back, lost, 1.0 / speed, (moved * stay + 4.0 * away * toward) / speed**3)
