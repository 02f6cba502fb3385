"""Walls that move: places that are coefficients of the time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..inputs.wording import shown
from .coefficient import Coefficient, CoefficientLike, Constant, as_coefficient

if TYPE_CHECKING:
    from .domain import Domain


def placed(name: str, value: CoefficientLike, known: Coefficient | None = None) -> tuple[Any, Coefficient | None]:
    """(the place at t = 0, the path in time or None if it rests) of what is given as a number, a formula or a function of t; a
    number that is the place of a `known` path at t = 0 is on that path.

    >>> from randwalk import expression
    >>> placed("low", 2.0), placed("low", expression("1 - t"))[0]
    ((2.0, None), 1.0)
    """
    if not isinstance(value, Coefficient) and not callable(value):
        return value, known if known is not None and value == place_at(name, known, 0.0) else None
    path = as_coefficient(value)
    if isinstance(path, Constant):
        return path.value, None
    if path.variables != {"t"}:
        raise ValueError(f"{name} = {path}: a wall moves with the time alone; give a formula or a function of t")
    return place_at(name, path, 0.0), path


def place_at(name: str, path: Coefficient, t: float) -> float:
    """Where a moving wall is at a time; a place that is no finite number is refused."""
    place = float(path(0.0, t))
    if not math.isfinite(place):
        raise ValueError(f"{name} = {path}: is {place} at t = {t:g}; give a formula that is a finite number there")
    return place


def check_rests(domain: Domain, who: str, other: str = "") -> None:
    """Refuse a domain with a moving wall for those whose sites or cells rest: `who` says whose, `other` what may serve."""
    if domain.moves:
        raise ValueError(
            f"domain = {shown(domain)}: has a wall that moves, and {who} in one place; take an ItoWalk, whose walls may move, or "
            f"the domain of one time, domain.at(t){other and ', or pde.' + other}"
        )
