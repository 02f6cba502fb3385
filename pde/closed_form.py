"""Closed forms of the Fokker–Planck equation, chosen by the structure of the problem.

:func:`closed_form` reads coefficients, domain, walls and start, never samples them, and returns a :class:`ClosedForm`
or raises :class:`NoClosedForm` with the property that stands in the way.
"""

from __future__ import annotations

from randwalk.model.coefficient import constant_value

from .equation import FokkerPlanck
from .forms.affine import normal_in_space
from .forms.catalogue import form_on_axis
from .forms.form import ClosedForm as ClosedForm
from .forms.form import NoClosedForm as NoClosedForm
from .forms.radial import radial
from .forms.separable import NotSeparable, separable
from .forms.space_form import SpaceForm
from .moving import check_rests_too


def closed_form(equation: FokkerPlanck) -> ClosedForm:
    """The closed form of `equation`.

    Covered: constant drift and diffusion on the line, on a half-line, on an interval (walls absorbing, reflecting or
    partially absorbing) and on a ring; on the line also a drift affine in x (Ornstein–Uhlenbeck), the Beneš drift
    2Db·tanh(b(x - c)), and drift and diffusion that depend on time alone. Killing must be constant. Starts are points,
    sites and uniform laws anywhere, normal laws wherever ±9.5 standard deviations of them fit.

    In more dimensions: products of these, where the drift along an axis depends on its own coordinate alone, D is diagonal, the
    domain has no regions and the start is a product; on the whole space also a drift affine in the place with any constant
    tensor D, or a drift and a D of time alone, for points, atoms and normal starts; and without a drift, with a constant
    isotropic D, a disc or a ball, ``(Line() ** d).inside(Ball(...), wall)`` with any wall, for points and atoms.

    Raises
    ------
    NoClosedForm
        Naming the property that stands in the way.

    Examples
    --------
    >>> import math
    >>> import randwalk as rw
    >>> disc = (rw.Line() ** 2).inside(rw.Ball((0.0, 0.0), 1.0), rw.Absorbing(), name="shell")
    >>> form = closed_form(FokkerPlanck(drift=0, diffusion=0.5, domain=disc, start=(0.3, 0.4)))
    >>> form.description, round(float(form.absorbed("shell", 0.5)), 6)
    ('Bessel series, early a flat wall, absorbing disc', 0.747108)
    >>> half_line = rw.Interval(0.0, math.inf, rw.Absorbing())
    >>> form = closed_form(FokkerPlanck(drift=0.0, diffusion=0.5, domain=half_line, start=1.0))
    >>> form.description, round(float(form.absorbed("left", 1.0)), 6)
    ('method of images, absorbing half-line', 0.317311)
    """
    check_rests_too(equation)
    killing = constant_value(equation.killing)
    if killing is None:
        raise NoClosedForm(f"killing = {equation.killing}: a closed form needs a constant killing rate")
    law, description = form_on_axis(equation) if equation.dimension == 1 else form_in_space(equation)
    if killing:
        description += ", constant killing"
    return ClosedForm(equation, description, law, killing)


def form_in_space(equation: FokkerPlanck) -> tuple[SpaceForm, str]:
    """The formula of an equation in several dimensions, without killing, and its description."""
    if equation.domain.regions:
        return radial(equation)
    try:
        return separable(equation)
    except NotSeparable as joined:
        try:
            return normal_in_space(equation)
        except NoClosedForm as error:
            raise NotSeparable(f"{joined}; {error}") from None
