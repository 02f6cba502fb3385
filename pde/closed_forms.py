"""The list of closed forms: what each needs of a problem, its formula, its source and an example."""

from __future__ import annotations

import math
from dataclasses import dataclass

from randwalk.model.coefficient import Affine, Tanh
from randwalk.model.domain import Absorbing, Interval, Line, PartiallyAbsorbing, Reflecting, Ring
from randwalk.model.formula import expression
from randwalk.model.region import Ball

from .equation import FokkerPlanck

ANY = "points, sites, uniform or normal laws"
POINTS = "points, atoms"


@dataclass(frozen=True)
class KnownForm:
    """A closed form that :func:`closed_form` finds, and what it needs of a problem; made by :func:`closed_forms`.

    All need a constant killing rate κ, which multiplies the density by exp(-κt).

    Attributes
    ----------
    name : str
        How :attr:`ClosedForm.description` begins; of a product it is the descriptions of its factors.
    drift, diffusion, domain, start : str
        The property of each that is needed.
    formula : str
        The density ρ(x, t) from the point y, in TeX.
    source : str
        Where the formula is derived.
    example : FokkerPlanck
        A problem that has this form.
    """

    name: str
    drift: str
    diffusion: str
    domain: str
    start: str
    formula: str
    source: str
    example: FokkerPlanck


def closed_forms() -> tuple[KnownForm, ...]:
    """Every closed form that :func:`closed_form` finds, with the properties that it needs and its source.

    Examples
    --------
    >>> import randwalk as rw
    >>> for known in closed_forms():
    ...     print(f"{known.domain:28} {known.drift}")
    the line                     constant
    the line                     affine in x
    the line                     of t alone
    the line                     2Db tanh(b(x - c))
    a half-line, any wall        constant
    an interval, any two walls   constant
    a ring                       constant
    a box of these               of its own coordinate along each axis, as above
    the whole space              affine in the place
    the whole space              of t alone
    a disc or a ball, any wall   none
    >>> rw.pde.closed_form(closed_forms()[1].example).description
    'Ornstein–Uhlenbeck on the line'
    """
    return (*_on_the_line(), *_between_walls(), *_in_space())


def _on_the_line() -> tuple[KnownForm, ...]:
    return (
        KnownForm(
            "normal law on the line", "constant", "constant", "the line", ANY,
            r"\frac{1}{\sqrt{4\pi Dt}} \exp\left(-\frac{(x-y-at)^2}{4Dt}\right)",
            "Einstein, Annalen der Physik 322 (1905) 549",
            FokkerPlanck(1.0, 0.5),
        ),
        KnownForm(
            "Ornstein–Uhlenbeck on the line", "affine in x", "constant", "the line", ANY,
            r"N\left(x;\; ye^{st}+\frac{c}{s}(e^{st}-1),\; \frac{D}{s}(e^{2st}-1)\right),\quad a=c+sx",
            "Uhlenbeck and Ornstein, Physical Review 36 (1930) 823; Risken, The Fokker–Planck Equation, 5.3",
            FokkerPlanck(Affine(slope=-1.0), 0.5, start=1.0),
        ),
        KnownForm(
            "normal law on the line, integrated drift and diffusion", "of t alone", "of t alone", "the line", ANY,
            r"N\left(x;\; y+\int_0^t a\,ds,\; 2\int_0^t D\,ds\right)",
            "Gardiner, Stochastic Methods, 4.5",
            FokkerPlanck(expression("cos(t)"), 0.5),
        ),
        KnownForm(
            "Beneš drift on the line", "2Db tanh(b(x - c))", "constant", "the line", ANY,
            r"\frac{\cosh b(x-c)}{\cosh b(y-c)}\, e^{-Db^2t}\, \frac{1}{\sqrt{4\pi Dt}} e^{-(x-y)^2/4Dt}",
            "Beneš, Stochastics 5 (1981) 65",
            FokkerPlanck(Tanh(height=1.0, rate=1.0), 0.5),
        ),
    )  # fmt: skip


def _between_walls() -> tuple[KnownForm, ...]:
    absorbing = Absorbing()
    return (
        KnownForm(
            "method of images", "constant", "constant", "a half-line, any wall", ANY,
            r"e^{\frac{a(x-y)}{2D}-\frac{a^2t}{4D}} \left[G(x-y)+G(x+y)-2h\int_0^\infty e^{-hz}G(x+y+z)\,dz\right],"
            r"\quad G(z)=\frac{e^{-z^2/4Dt}}{\sqrt{4\pi Dt}},\quad h=\frac{K}{D}+\frac{a}{2D}",
            "Carslaw and Jaeger, Conduction of Heat in Solids, 14.2",
            FokkerPlanck(-1.0, 0.5, domain=Interval(0.0, math.inf, PartiallyAbsorbing(1.0)), start=1.0),
        ),
        KnownForm(
            "images by contour, then eigenfunctions", "constant", "constant", "an interval, any two walls", ANY,
            r"e^{\frac{a(x-y)}{2D}-\frac{a^2t}{4D}} \sum_n \varphi_n(x)\varphi_n(y)\,e^{-D\lambda_n^2t},\quad"
            r" \varphi_n''=-\lambda_n^2\varphi_n,\quad"
            r" \varphi_n'=\pm\left(\tfrac{K}{D}\pm\tfrac{a}{2D}\right)\varphi_n\text{ at the low (+) and the high (-) end}",
            "Carslaw and Jaeger, Conduction of Heat in Solids, 14.3",
            FokkerPlanck(1.0, 0.5, domain=Interval(0.0, 1.0, absorbing, Reflecting()), start=0.5),
        ),
        KnownForm(
            "wrapped normal law on a ring", "constant", "constant", "a ring", ANY,
            r"\frac{1}{\sqrt{4\pi Dt}} \sum_n \exp\left(-\frac{(x-y-at+nL)^2}{4Dt}\right)",
            "Mardia and Jupp, Directional Statistics, 3.5.7",
            FokkerPlanck(1.0, 0.5, domain=Ring(0.0, 1.0), start=0.5),
        ),
    )  # fmt: skip


def _in_space() -> tuple[KnownForm, ...]:
    plane = Line() ** 2
    return (
        KnownForm(
            "", "of its own coordinate along each axis, as above", "diagonal, along each axis as above",
            "a box of these", f"a product of {ANY}",
            r"\prod_i \rho_i(x_i,t)",
            "Carslaw and Jaeger, Conduction of Heat in Solids, 1.15",
            FokkerPlanck((0.0, -1.0), (0.5, 0.2), domain=Ring(0.0, 1.0) * Interval(0.0, math.inf, Absorbing()), start=(0.5, 1.0)),
        ),
        KnownForm(
            "normal law, affine drift", "affine in the place", "a constant tensor", "the whole space",
            f"{POINTS} or normal laws",
            r"N\left(x;\; e^{At}y+\int_0^t e^{As}c\,ds,\; \int_0^t e^{As}2De^{A^{\mathsf T}s}ds\right),\quad a=c+Ax",
            "Risken, The Fokker–Planck Equation, 6.5; Van Loan, IEEE Transactions on Automatic Control 23 (1978) 395",
            FokkerPlanck(lambda x, y: (-x - y, x - y), 0.5, domain=plane, start=(1.0, 0.0)),
        ),
        KnownForm(
            "normal law, integrated drift and diffusion", "of t alone", "a tensor of t alone", "the whole space",
            f"{POINTS} or normal laws",
            r"N\left(x;\; y+\int_0^t a\,ds,\; 2\int_0^t D\,ds\right)",
            "Gardiner, Stochastic Methods, 4.5",
            FokkerPlanck(
                (expression("t"), expression("t")), ((expression("1 + t"), 0.3), (0.3, expression("1 + t"))), domain=plane
            ),
        ),
        KnownForm(
            "Bessel series, early a flat wall", "none", "constant and isotropic", "a disc or a ball, any wall", POINTS,
            r"\sum_{l,n} c_{ln}\, (rr')^{1-d/2} J_{l+d/2-1}(\alpha_{ln}r)\, J_{l+d/2-1}(\alpha_{ln}r')\,"
            r" C_l(\cos\theta)\, e^{-D\alpha_{ln}^2t}",
            "Carslaw and Jaeger, Conduction of Heat in Solids, 14.8",
            FokkerPlanck(0.0, 0.5, domain=plane.inside(Ball((0.0, 0.0), 1.0), Absorbing()), start=(0.3, 0.4)),
        ),
    )  # fmt: skip
