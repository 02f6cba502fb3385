"""The equations along the axes of which a separable one is the product."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from randwalk.laws.lookup import NoAnswer
from randwalk.model.coefficient import ZERO, Coefficient, Function, Node, Variable, X, coordinate

if TYPE_CHECKING:
    from .equation import FokkerPlanck


class NoClosedForm(NoAnswer):
    """No closed form is known here; the message names the property that stands in the way."""


class NotSeparable(NoClosedForm):
    """A problem in several dimensions is no product of problems in one; the message names the term."""


def factors(equation: FokkerPlanck) -> tuple[FokkerPlanck, ...]:
    """The equations along the axes of which a separable one is the product, each in x, without killing.

    >>> import randwalk as rw
    >>> from randwalk.pde import FokkerPlanck
    >>> channel = rw.Interval(0.0, 1.0, rw.Absorbing(), rw.Absorbing()) * rw.Line()
    >>> plume = FokkerPlanck(lambda x, y: (1.0, -y), 0.5, domain=channel, start=(0.5, 0.0))
    >>> factors(plume)[1]
    FokkerPlanck: ρ_t = -((-x)ρ)_x + 0.5 ρ_xx on Line(), start Point(x=0.0)
    """
    domain, start, diffusion = equation.domain, equation.start, equation.diffusion
    for region in domain.regions:
        raise NotSeparable(f"the region {region.name!r}, {region.shape}, joins the coordinates")
    if start.factors is None:
        raise NotSeparable(
            f"start = {start}: its coordinates depend on each other; give a product of starts on the axes"
        )
    for i, j in itertools.combinations(range(domain.dimension), 2):
        if diffusion[i, j] != ZERO:
            raise NotSeparable(f"diffusion[{i}, {j}] = {diffusion[i, j]} joins {coordinate(i)} and {coordinate(j)}")
    found = []
    for i, (axis, begin) in enumerate(zip(domain.axes, start.factors, strict=True)):
        drift = _along(f"drift[{i}]", equation.declared_drift[i], i)
        spread = _along(f"diffusion[{i}, {i}]", diffusion[i, i], i)
        if spread == ZERO:
            raise NotSeparable(f"diffusion[{i}, {i}] = 0: there is no equation along {coordinate(i)}")
        found.append(type(equation)(drift, spread, domain=axis, start=begin, convention=equation.convention))
    return tuple(found)


def independent(equation: FokkerPlanck) -> bool:
    """Whether the coordinates of a walker are independent of each other until it leaves: the law is a product. Killing may
    depend on the last coordinate, and on time."""
    start = equation.declared_start
    if equation.domain.regions or start is None or start.factors is None or not equation.diffusion.diagonal:
        return False
    read = [
        (c, a) for a, drift in enumerate(equation.declared_drift) for c in (drift, equation.diffusion[a, a])
    ]  # fmt: skip
    read.append((equation.killing, equation.domain.dimension - 1))
    return all(c.variables <= {coordinate(a), "t"} for c, a in read)


def killing_along(equation: FokkerPlanck, axis: int) -> Coefficient:
    """The part of the killing that an axis has: all of it on the axis that it depends on, a constant one on the first axis."""
    killing = equation.killing
    own = killing.variables - {"t"}
    if len(own) > 1:
        raise NotSeparable(f"killing = {killing} depends on {' and '.join(sorted(own))}")
    if own != ({coordinate(axis)} if own or axis else set()):
        return ZERO
    return _along("killing", killing, axis)


def _along(name: str, coefficient: Coefficient, axis: int) -> Coefficient:
    """A coefficient of the coordinate of an axis, and of time, as one of x."""
    own = coordinate(axis)
    joined = sorted(coefficient.variables - {own, "t"})
    if joined:
        raise NotSeparable(f"{name} = {coefficient} depends on {joined[0]}")
    if own not in coefficient.variables:
        return coefficient
    renamed = _renamed(coefficient, own)
    if renamed is None:
        raise NoClosedForm(
            f"{name} = {coefficient}: a closed form needs a formula of {own}, which a table or such a function is not"
        )
    return renamed


def _renamed(coefficient: Coefficient, own: str) -> Coefficient | None:
    """The coefficient with x in place of a variable, put together anew; None if it is not made of formulas."""
    if isinstance(coefficient, Function) and coefficient.tree is not None:
        return _renamed(coefficient.tree, own)
    if own == "x" or own not in coefficient.variables:
        return coefficient if not isinstance(coefficient, Node) else _rebuilt(coefficient, own)
    if isinstance(coefficient, Variable):
        return X
    return _rebuilt(coefficient, own) if isinstance(coefficient, Node) else None


def _rebuilt(node: Node, own: str) -> Coefficient | None:
    parts = [_renamed(part, own) for part in node.parts]
    return node._with(*parts) if all(part is not None for part in parts) else None  # type: ignore[arg-type]
