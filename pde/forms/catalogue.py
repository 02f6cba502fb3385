"""The catalogue of closed forms in one dimension, and in which of them a problem is."""

from __future__ import annotations

import math

from randwalk.model.coefficient import affine_parts, constant_value, tanh_parts
from randwalk.model.domain import Interval, Line, Ring, Wall
from randwalk.model.start import Normal

from ..equation import FokkerPlanck
from .form import NoClosedForm
from .green import Benes, Circle, HalfLine
from .normal_laws import Driven, Form, Linear
from .series import Bar
from .superposition import Superposition

SAME = 1e-12  # relative difference up to which height = 2 D rate counts as equal


def form_on_axis(equation: FokkerPlanck) -> tuple[Form, str]:
    """The formula of an equation in one dimension, without killing, and its description.

    Raises
    ------
    NoClosedForm
        naming the property that stands in the way.
    """
    return _line_law(equation) if isinstance(equation.domain, Line) else _bounded_law(equation)


def _line_law(equation: FokkerPlanck) -> tuple[Form, str]:
    diffusion, start = equation.diffusion, equation.start
    if diffusion.depends_on_x:
        raise NoClosedForm(f"diffusion = {diffusion} depends on x: a closed form needs a diffusion that does not")
    constant = constant_value(diffusion)
    drift = affine_parts(equation.drift)
    if drift is not None and constant is not None:
        name = "normal law" if not drift[1] else "Ornstein–Uhlenbeck"
        return Linear(start, *drift, constant), f"{name} on the line"
    if not equation.drift.depends_on_x:
        return Driven(start, equation.drift, diffusion), "normal law on the line, integrated drift and diffusion"
    if constant is None:
        raise NoClosedForm(f"diffusion = {diffusion} depends on t while drift = {equation.drift} depends on x")
    parts = tanh_parts(equation.drift)
    if parts is None:
        raise NoClosedForm(
            f"drift = {equation.drift}: on the line it must be affine in x, of t alone, or 2·D·b·tanh(b·(x - c))"
        )
    height, rate, centre = parts
    if abs(height - 2.0 * constant * rate) > SAME * abs(height):
        raise NoClosedForm(
            f"drift = {equation.drift}: height·tanh(rate·(x - c)) has a closed form if "
            f"height = 2·D·rate = {2.0 * constant * rate:g}, not {height:g}"
        )
    return Superposition(
        Benes(0.0, constant, -math.inf, math.inf, (), rate, centre), start
    ), "Beneš drift on the line, two normal laws"


def _bounded_law(equation: FokkerPlanck) -> tuple[Form, str]:
    domain, start = equation.domain, equation.start
    given = {"drift": equation.declared_drift, "diffusion": equation.diffusion}
    drift, diffusion = (constant_value(coefficient) for coefficient in given.values())
    for name, value in (("drift", drift), ("diffusion", diffusion)):
        if value is None:
            raise NoClosedForm(f"{name} = {given[name]}: on {domain} a closed form needs a constant {name}")
    assert drift is not None and diffusion is not None
    low, high = start.support
    if isinstance(start, Normal) and not domain.low <= low <= high <= domain.high:
        raise NoClosedForm(f"start = {start} reaches beyond the ends of {domain}: from {low:g} to {high:g}; narrow it")
    if isinstance(domain, Ring):
        return Superposition(Circle(drift, diffusion, domain.low, domain.high), start), "wrapped normal law on a ring"
    assert isinstance(domain, Interval)
    faces = domain.faces
    exits = domain.open_exits(killed=False)
    names = "–".join(_adjective(face.wall) for face in faces)
    if len(faces) == 1:
        half = HalfLine(drift, diffusion, domain.low, domain.high, exits, faces[0].wall.reactivity)
        return Superposition(half, start), f"method of images, {names} half-line"
    left, right = (face.wall.reactivity for face in faces)
    near, far = (right, left) if drift > 0.0 else (left, right)
    bar = Bar(drift, diffusion, domain.low, domain.high, exits, near, far)
    return Superposition(bar, start), f"images by contour, then eigenfunctions, {names} interval"


def _adjective(wall: Wall) -> str:
    return {0.0: "reflecting", math.inf: "absorbing"}.get(wall.reactivity, "partially absorbing")
