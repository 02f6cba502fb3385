"""The text of one step of a continuous walk by each scheme."""

from __future__ import annotations

from collections.abc import Callable

from ..model.coefficient import ONE, ZERO, Coefficient
from ..model.ito import ItoWalk
from ..model.scheme import EulerMaruyama, Scheme
from .emit import Parameters, function_text, written

ARGUMENTS = ("x", "t", "h", "root", "z", "p")
AT = ("x", "t", "p")
STEP = "The point after a step of length h; `root` is √h."


def moved_text(walk: ItoWalk, parameters: Parameters) -> list[str]:
    """The functions of the coefficients of a walk, and that of its step."""
    return SCHEMES[type(walk.scheme)](walk, parameters)


def _coefficients(walk: ItoWalk, parameters: Parameters) -> list[str]:
    return [
        function_text("drift", AT, walk.drift, parameters, "The drift of Itô's equation."),
        function_text("noise", AT, walk.noise, parameters, "The noise: a row for each axis, a column for each source."),
    ]


def _noise_terms(noise: tuple[tuple[Coefficient, ...], ...], axis: int, at: str = "g") -> str:
    """Σ_i g[axis][i] √h z[i], without the zeros."""
    return "".join(
        f" + root * z[{i}]" if entry == ONE else f" + ({at}[{axis}][{i}] * root) * z[{i}]"
        for i, entry in enumerate(noise[axis])
        if entry != ZERO
    )


def _euler_maruyama(walk: ItoWalk, parameters: Parameters) -> list[str]:
    """x + a h + σ √h z (Maruyama 1955)."""
    terms = [
        f"x[{a}]" + (f" + f[{a}] * h" if walk.drift[a] != ZERO else "") + _noise_terms(walk.noise, a)
        for a in range(walk.dimension)
    ]
    lines = ["f, g = drift(x, t, p), noise(x, t, p)"]
    return [*_coefficients(walk, parameters), written("moved", ARGUMENTS, lines, f"({', '.join(terms)},)", STEP)]


SCHEMES: dict[type[Scheme], Callable[[ItoWalk, Parameters], list[str]]] = {EulerMaruyama: _euler_maruyama}
