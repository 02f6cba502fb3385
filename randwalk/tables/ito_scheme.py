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
MOST_PAIRS = 6  # of sources of noise that act on each other: what compiles in some seconds
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


def _alone(walk: ItoWalk) -> bool:
    """Whether there is one source of noise, or one for each axis whose noise depends on the coordinate of that axis alone."""
    own = all(entry.variables <= {coordinate(a), "t"} for a, row in enumerate(walk.noise) for entry in row)
    return walk.sources == 1 or (walk.diagonal and own)


def _platen(walk: ItoWalk, parameters: Parameters) -> list[str]:
    """Kloeden and Platen (1992), 15.1.1 and its form for diagonal noise; of constant noise what is left of it."""
    if not _alone(walk):
        return _platen_of_many(walk, parameters)
    axes = range(walk.dimension)
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


def _felt(walk: ItoWalk, axis: int, source: int) -> list[int]:
    """The other sources whose noise moves a coordinate on which the noise of a source along an axis depends."""
    entry = walk.noise[axis][source]
    moved = [b for b in range(walk.dimension) if entry.depends_on(coordinate(b))]
    return [r for r in range(walk.sources) if r != source and any(walk.noise[b][r] != ZERO for b in moved)]


def areas(walk: ItoWalk) -> list[tuple[int, int]]:
    """The pairs of sources for whose double integral a step of the scheme draws an increment of its own."""
    if not isinstance(walk.scheme, Platen) or walk.dimension > MOST_TUPLES or _alone(walk):
        return []
    entries = ((a, j) for a in range(walk.dimension) for j in range(walk.sources))
    return sorted({(min(j, r), max(j, r)) for a, j in entries for r in _felt(walk, a, j)})


def increments(walk: ItoWalk) -> int:
    """How many normal numbers a step of the scheme takes: of its sources, and of their double integrals, or of its law."""
    if isinstance(walk.scheme, Exact):
        return walk.exact_step.noise.shape[1]
    return walk.sources + len(areas(walk))


def _platen_of_many(walk: ItoWalk, parameters: Parameters) -> list[str]:
    """Kloeden and Platen (1992), 15.1.3, for any noise. Of the variables V that stand for the antisymmetric part of the double
    integrals only mean and variance Δ² matter for the order: they are Δ times increments of further sources."""
    axes, sources, pairs = range(walk.dimension), range(walk.sources), areas(walk)
    if len(pairs) > MOST_PAIRS:
        raise CannotEmit(
            f"scheme = {walk.scheme}: {len(pairs)} pairs of sources of noise act on each other, and at most {MOST_PAIRS} are "
            "compiled. Take EulerMaruyama() and extrapolate in dt"
        )
    lines = ["f, g, then = drift(x, t, p), noise(x, t, p), t + h", f"f1 = drift({_tuple(_euler(walk))}, then, p)"]
    texts, terms = _coefficients(walk, parameters), [f"x[{a}] + 0.5 * (f[{a}] + f1[{a}]) * h" for a in axes]
    for j in sources:
        column = tuple(walk.noise[a][j] for a in axes)
        texts.append(function_text(f"column_{j}", AT, column, parameters, "The noise of one source."))
        varying = [a for a in axes if column[a].variables]
        felt = sorted({r for a in varying for r in _felt(walk, a, j)})
        for r in ([j] if varying else []) + felt:
            for name, sign in (("up", "+"), ("down", "-")):
                moved = ["" if walk.noise[a][r] == ZERO else f" {sign} g[{a}][{r}] * root" for a in axes]
                point = [(_drifted(walk, a) if r == j else f"x[{a}]") + moved[a] for a in axes]
                lines.append(f"{name}_{j}_{r} = column_{j}({_tuple(point)}, {'then' if r == j else 't'}, p)")
        for a in axes:
            if column[a] == ZERO:
                continue
            if a not in varying:
                terms[a] += f" + (g[{a}][{j}] * root) * z[{j}]"
                continue
            above, below = f"up_{j}_{j}[{a}]", f"down_{j}_{j}[{a}]"
            terms[a] += f" + 0.25 * ({above} + {below} + 2.0 * g[{a}][{j}]) * (root * z[{j}])"
            terms[a] += f" + 0.25 * ({above} - {below}) * (root * (z[{j}] * z[{j}] - 1.0))"
            for r in _felt(walk, a, j):
                above, below = f"up_{j}_{r}[{a}]", f"down_{j}_{r}[{a}]"
                area = f"z[{walk.sources + pairs.index((min(j, r), max(j, r)))}]"
                terms[a] += f" + 0.25 * ({above} + {below} - 2.0 * g[{a}][{j}]) * (root * z[{j}])"
                product = f"z[{j}] * z[{r}] {'+' if j < r else '-'} {area}"
                terms[a] += f" + 0.25 * ({above} - {below}) * (root * ({product}))"
    return [*texts, written("moved", ARGUMENTS, lines, _tuple(terms), STEP)]


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
    sigma = places[2] if noise is walk.noise_numbers else parameters.table(walk.noise_numbers)
    returned = f"({factors}, {', '.join(map(str, places))})"
    describe = "Of a step k x + f (b + A x) + r S z: k, f, r, and where b, A and S begin in the array of tables."
    d, m, known = range(walk.dimension), range(walk.sources), walk.noise
    entries = [["0.0" if known[a][i] == ZERO else f"p[-1][{sigma + a * len(m) + i}]" for i in m] for a in d]
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
