"""The text of one step of a continuous walk by each scheme (:mod:`randwalk.model.scheme`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add

from ..model.coefficient import ONE, ZERO, Coefficient, coordinate
from ..model.exact_step import GeometricStep, LinearStep
from ..model.ito import ItoWalk
from ..model.scheme import EulerMaruyama, Exact, Milstein, Platen, Scheme
from .emit import Parameters, function_text, written
from .opaque import CannotEmit

ARGUMENTS = ("x", "t", "h", "root", "z", "p")
AT = ("x", "t", "p")
MOST_TUPLES = 16  # dimensions up to which the coordinates of a walker are numbers of their own
STEP = "The point after a step of length h; `root` is √h."


def moved_text(walk: ItoWalk, parameters: Parameters) -> list[str]:
    """The functions of the coefficients of a walk, and that of its step."""
    if walk.dimension > MOST_TUPLES:
        return _by_matrices(walk, parameters)
    return SCHEMES[type(walk.scheme)](walk, parameters)


def _coefficients(walk: ItoWalk, parameters: Parameters) -> list[str]:
    return [
        function_text("drift", AT, walk.drift, parameters, "The drift of Itô's equation."),
        function_text("noise", AT, walk.noise, parameters, "The noise: a row for each axis, a column for each source."),
    ]


def _tuple(terms: list[str]) -> str:
    return f"({', '.join(terms)},)"


def _drifted(walk: ItoWalk, axis: int) -> str:
    """The text of x + a h."""
    return f"x[{axis}]" + (f" + f[{axis}] * h" if walk.drift[axis] != ZERO else "")


def _noise(walk: ItoWalk, axis: int) -> str:
    """The text of Σ_i σ_i √h z[i] behind a sum; a row of constants is multiplied by √h outside the loop over walkers."""
    return "".join(
        f" + root * z[{i}]" if entry == ONE else f" + (g[{axis}][{i}] * root) * z[{i}]"
        for i, entry in enumerate(walk.noise[axis])
        if entry != ZERO
    )


def _euler(walk: ItoWalk) -> list[str]:
    """x + a h + σ √h z (Maruyama 1955), an expression for each axis."""
    return [_drifted(walk, a) + _noise(walk, a) for a in range(walk.dimension)]


def _euler_maruyama(walk: ItoWalk, parameters: Parameters) -> list[str]:
    lines = ["f, g = drift(x, t, p), noise(x, t, p)"]
    return [*_coefficients(walk, parameters), written("moved", ARGUMENTS, lines, _tuple(_euler(walk)), STEP)]


def _source_of(walk: ItoWalk, axis: int) -> int | None:
    """The only source of noise of an axis; None if it has none."""
    return next((i for i, entry in enumerate(walk.noise[axis]) if entry != ZERO), None)


def _milstein(walk: ItoWalk, parameters: Parameters) -> list[str]:
    """Adds c h (z² - 1) to Euler and Maruyama's step, c = ½ Σ_b σ_b ∂_b σ_a over the axes b that share the source of a."""
    bends: list[Coefficient] = []
    terms = _euler(walk)
    for a in range(walk.dimension):
        k = _source_of(walk, a)
        sharing = [b for b in range(walk.dimension) if k is not None and walk.noise[b][k] != ZERO]
        slopes = (0.5 * walk.noise[b][k] * walk.noise[a][k].derivative(coordinate(b)) for b in sharing if k is not None)
        bends.append(reduce(add, slopes, ZERO))
        if bends[a] != ZERO:
            terms[a] += f" + c[{a}] * (h * (z[{k}] * z[{k}] - 1.0))"
    lines = ["f, g, c = drift(x, t, p), noise(x, t, p), bend(x, t, p)"]
    return [
        *_coefficients(walk, parameters),
        function_text("bend", AT, tuple(bends), parameters, "Half the derivative of the noise along itself."),
        written("moved", ARGUMENTS, lines, _tuple(terms), STEP),
    ]


def _platen(walk: ItoWalk, parameters: Parameters) -> list[str]:
    """Kloeden and Platen (1992), 15.1.1 and its form for diagonal noise; of constant noise what is left of it."""
    axes = range(walk.dimension)
    for a in (
        axes if walk.sources > 1 else ()
    ):  # with a source for each axis, its noise depends on that coordinate alone
        varying = {name for entry in walk.noise[a] for name in entry.variables} - {coordinate(a), "t"}
        if varying:
            raise CannotEmit(
                f"scheme = {walk.scheme}: the noise along {coordinate(a)} depends on {min(varying)}, and a diagonal noise of "
                "this scheme depends along each axis on that coordinate alone. Take EulerMaruyama() and extrapolate in dt"
            )
    lines = [
        "f, g, then = drift(x, t, p), noise(x, t, p), t + h",
        f"f1 = drift({_tuple(_euler(walk))}, then, p)",
    ]
    terms = [f"x[{a}] + 0.5 * (f[{a}] + f1[{a}]) * h" for a in axes]
    if not any(entry.variables for row in walk.noise for entry in row):
        terms = [term + _noise(walk, a) for a, term in enumerate(terms)]
        return [*_coefficients(walk, parameters), written("moved", ARGUMENTS, lines, _tuple(terms), STEP)]
    for name, sign in (("up", "+"), ("down", "-")):
        point = [
            _drifted(walk, a) + ("" if (k := _source_of(walk, a)) is None else f" {sign} g[{a}][{k}] * root")
            for a in axes
        ]
        lines.append(f"{name} = noise({_tuple(point)}, then, p)")
    for a in axes:
        if (k := _source_of(walk, a)) is not None:
            above, below, here = f"up[{a}][{k}]", f"down[{a}][{k}]", f"g[{a}][{k}]"
            terms[a] += f" + 0.25 * ({above} + {below} + 2.0 * {here}) * (root * z[{k}])"
            terms[a] += f" + 0.25 * ({above} - {below}) * (root * (z[{k}] * z[{k}] - 1.0))"
    return [*_coefficients(walk, parameters), written("moved", ARGUMENTS, lines, _tuple(terms), STEP)]


def _exact(walk: ItoWalk, parameters: Parameters) -> list[str]:
    """A draw from the law of a step."""
    step, terms = walk.exact_step, []
    geometric = isinstance(step, GeometricStep)
    for a in range(walk.dimension):
        shift = step.growth[a] if isinstance(step, GeometricStep) else step.shift[a]
        parts = [] if geometric else [(step.matrix[a, b], f"x[{b}]") for b in range(walk.dimension)]  # type: ignore[union-attr]
        parts += [(step.noise[a, i], f"z[{i}]") for i in range(step.noise.shape[1])]
        texts = [variable if v == 1.0 else f"{parameters.number(v)} * {variable}" for v, variable in parts if v]
        texts += [parameters.number(shift)] if shift or not texts else []
        terms.append(" + ".join(texts))
    if geometric:
        terms = [f"x[{a}] * elementary.exp({term})" for a, term in enumerate(terms)]
    return [*_coefficients(walk, parameters), written("moved", ARGUMENTS, [], _tuple(terms), STEP)]


def _by_matrices(walk: ItoWalk, parameters: Parameters) -> list[str]:
    """A step x ↦ k x + f (b + A x) + r S z."""
    if isinstance(walk.scheme, Exact) and isinstance(step := walk.exact_step, LinearStep):
        b, matrix, noise, factors = step.shift, step.matrix, step.noise, "0.0, 1.0, 1.0"
    elif isinstance(walk.scheme, EulerMaruyama) and walk.linear is not None and walk.noise_numbers is not None:
        b, matrix, noise, factors = walk.linear.intercept, walk.linear.matrix, walk.noise_numbers, "1.0, h, root"
    else:
        raise CannotEmit(
            f"scheme = {walk.scheme} in {walk.dimension} dimensions: in more than {MOST_TUPLES} a step is one of matrices, of an "
            "affine drift and a constant noise. Take EulerMaruyama(), or Exact() where the law of a step is known"
        )
    places = [parameters.table(values) for values in (b, matrix, noise)]
    returned = f"({factors}, {', '.join(map(str, places))})"
    describe = "Of a step k x + f (b + A x) + r S z: k, f, r, and where b, A and S begin in the array of tables."
    d, m, known = range(walk.dimension), range(walk.sources), walk.noise
    entries = [["0.0" if known[a][i] == ZERO else f"p[-1][{places[2] + a * len(m) + i}]" for i in m] for a in d]
    rows = _tuple([_tuple(row) for row in entries])
    return [
        written("matrices", ("h", "root"), [], returned, describe),
        written("noise", AT, [], rows, "The noise: a row for each axis, a column for each source."),
    ]


SCHEMES: dict[type[Scheme], Callable[[ItoWalk, Parameters], list[str]]] = {
    EulerMaruyama: _euler_maruyama,
    Milstein: _milstein,
    Platen: _platen,
    Exact: _exact,
}
