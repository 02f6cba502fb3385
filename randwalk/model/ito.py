"""The declaration of a continuous walk: drift and noise, the length of a step, where, and from where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from numpy.typing import ArrayLike

from ..inputs.arguments import member
from ..inputs.signature import check_returns
from ..inputs.wording import shown
from .coefficient import Coefficient, CoefficientLike, Constant, Floats, Function, in_dimension
from .coefficient.point_function import at_a_point, by_place
from .coefficient.variables import LETTERS
from .convention import Convention
from .declaration import positive, space_of
from .domain import Domain, Line, as_domain
from .exact_step import ExactStep, exact_step
from .interface import Interface, interfaces, jumps_of, slope_between
from .ito_checks import check_ito
from .kept import Keeping
from .linear import Linear, linear_form
from .noise import MOST_VARIABLE, Matrix, as_noise, is_diagonal, numbers_of, root, stratonovich_drift, tensor_of
from .scheme import EulerMaruyama, Gaussian, Increments, Scheme
from .start import Start, StartLike, as_start, axes_of
from .tensor import Tensor, TensorLike, VectorLike, as_tensor, as_vector
from .times import Times, labels, or_step, steps_at

MOST_DIMENSIONS = 100


@dataclass(frozen=True, init=False, eq=True, repr=False)
class ItoWalk(Keeping):
    """A continuous walk dX = a(X, t) dt + σ(X, t) dW with **σσᵀ = 2D**: D is the diffusion of the heat equation (length²/time).

    Every `dt` a walker makes a step of the `scheme`. At walls the minimum of the Brownian bridge between its ends decides, so
    that no passage is missed within a step.

    Parameters
    ----------
    drift : number, Coefficient, function, a tuple of them, or Linear
        a (length/time), one component an axis, in up to 100 dimensions; 0 is no drift. A function takes what its parameters name
        of x, y, z and t (parameters of other names, as many as axes, are the coordinates in order) and returns a component or a
        tuple of all; in more than three dimensions it takes ``x``, the array of all coordinates, and ``t``. There formulas and
        messages name the coordinates x, y, z, x[3], x[4], …: x[3] is the fourth. Beyond 16 dimensions the drift is a constant
        or :class:`Linear` (b + A x). A function that is not made of NumPy's operations is compiled by Numba.
    diffusion : number, Coefficient, function, or a tuple of them
        D: a number is the same along every axis, d of them are the diagonal, d rows of d any symmetric positive semi-definite
        tensor, which in more than three dimensions must be numbers unless it is diagonal.
    dt : float
        The duration of a step (time).
    noise : in place of `diffusion`
        σ (length/√time): a number or d of them (the diagonal), or d rows of m, a column for every independent source of noise.
        Numbers in any dimension, and up to 16 dimensions whatever `drift` may be.
    domain : Line(), Interval(...), Ring(...) or a product of them, if need be with regions that have a distance
        The whole space of as many dimensions as the start has coordinates, or drift and noise components, if left out.
    start : number, tuple of coordinates, Point, Uniform, Normal, Atoms or a product of these
    killing : number, Coefficient or function
        Rate κ(x, t) ≥ 0 (1/time) at which walkers disappear.
    scheme : EulerMaruyama(), Milstein(), Platen() or Exact()
    increments : Gaussian(), TwoPoint() or ThreePoint()
        The law of the increments of the noise: :mod:`randwalk.model.scheme`.
    convention : Convention
        The meaning of `drift` where the noise depends on the place: Itô, Stratonovich or Fick (:class:`randwalk.Convention`).
        Stratonovich reads the drift with the given `noise`, or with the root of a diagonal `diffusion`.

    Raises
    ------
    ValueError, TypeError
        for coefficients that are negative or no numbers at one of the places that are sampled, with the place and the time; for
        dimensions that differ, a start on or beyond a wall, a region without a distance, a step longer than the domain, a scheme
        that does not fit the noise.

    Attributes
    ----------
    drift : tuple of Coefficient
        The Itô drift, one component an axis, also in one dimension.
    declared_drift : tuple of Coefficient
        The drift as it was declared, with `convention` as its meaning.
    diffusion : Tensor
        D, also in one dimension: ``walk.diffusion[0, 0]``.
    noise : tuple of tuples of Coefficient
        σ, d rows of m = `sources` entries: given, or a root of 2D.
    diagonal : bool
        Whether every axis has a source of noise of its own.
    noise_numbers : array or None
        σ as numbers, shape (d, m), if it is constant.
    linear : Linear or None
        The Itô drift as a matrix and a vector, if it is affine in the coordinates and the same at all times.
    exact_step : LinearStep or GeometricStep
        The law of a step, where it is known.

    Examples
    --------
    >>> import randwalk as rw
    >>> well = rw.ItoWalk(drift=lambda x: x - x**3, diffusion=0.25, dt=0.01, start=-1.0)
    >>> print(well)
    dX = (x - x**3) dt + 0.7071067811865476 dW
    >>> noisy = rw.ItoWalk(drift=lambda x, y: (y, -x), noise=((0.0,), (0.1,)), dt=0.01, start=(1.0, 0.0))
    >>> noisy.dimension, noisy.sources, noisy.diffusion.matrix.tolist()
    (2, 1, [[0.0, 0.0], [0.0, 0.005000000000000001]])
    """

    declared_drift: tuple[Coefficient, ...]
    diffusion: Tensor
    declared_noise: Matrix | None
    dt: float
    domain: Domain
    start: Start
    killing: Coefficient
    scheme: Scheme = EulerMaruyama()  # noqa: RUF009
    increments: Increments = Gaussian()  # noqa: RUF009
    convention: Convention = field(default=Convention.ITO)

    def __init__(
        self,
        drift: VectorLike,
        diffusion: TensorLike | None = None,
        *,
        dt: float,
        noise: Any = None,
        domain: Domain | None = None,
        start: StartLike = 0.0,
        killing: CoefficientLike = 0.0,
        scheme: Scheme = EulerMaruyama(),  # noqa: B008
        increments: Increments = Gaussian(),  # noqa: B008
        convention: Convention = Convention.ITO,
    ) -> None:
        if (diffusion is None) == (noise is None):
            raise ValueError("give either diffusion, D, or noise, σ with σσᵀ = 2D")
        where = as_domain(_space(drift, diffusion, noise, start) if domain is None else domain)
        d = where.dimension
        if d > MOST_DIMENSIONS:
            raise ValueError(f"domain = {where}: has {d} dimensions, at most {MOST_DIMENSIONS} are walked")
        vector = _vector(drift, d)
        rows = None if noise is None else _in_trees(as_noise(_read("noise", noise, d), d))
        tensor = as_tensor("diffusion", _read("diffusion", diffusion, d), d) if rows is None else tensor_of(rows)
        for name, value, kinds in (("scheme", scheme, Scheme), ("increments", increments, Increments)):
            if not isinstance(value, kinds):
                made = ", ".join(f"{kind.__name__}()" for kind in kinds.__args__)
                raise TypeError(f"{name} = {shown(value)}: give {made}")
        fields = {
            "declared_drift": vector, "diffusion": Tensor(_in_trees(tensor.rows)), "declared_noise": rows,
            "dt": positive("dt", dt), "domain": where, "start": as_start(start, where),
            "killing": _in_tree(in_dimension("killing", _read("killing", killing, d), d)), "scheme": scheme,
            "increments": increments, "convention": _meaning(convention, tensor, rows),
        }  # fmt: skip
        for field_name, made_of_it in fields.items():
            object.__setattr__(self, field_name, made_of_it)
        self._check_size()
        check_ito(self)

    def _check_size(self) -> None:
        """Refuse what only few dimensions have."""
        if self.dimension <= MOST_VARIABLE:
            return
        if self.noise_numbers is None:
            raise ValueError(
                f"in more than {MOST_VARIABLE} dimensions diffusion and noise are numbers, and here they vary in {self.dimension}"
            )
        if self.linear is None:
            raise ValueError(
                f"in more than {MOST_VARIABLE} dimensions a drift is affine, drift=Linear(matrix, intercept), and here it is "
                f"another in {self.dimension}"
            )

    @property
    def dimension(self) -> int:
        """The number of axes of the domain, d."""
        return self.domain.dimension

    @property
    def sources(self) -> int:
        """The number of independent sources of noise, m: the columns of σ."""
        return len(self.noise[0])

    @cached_property
    def noise(self) -> Matrix:
        """σ, d rows of m coefficients."""
        return root(self.diffusion) if self.declared_noise is None else self.declared_noise

    @cached_property
    def noise_numbers(self) -> Floats | None:
        """σ as numbers, shape (d, m); None if an entry varies."""
        return numbers_of(self.noise)

    @cached_property
    def diagonal(self) -> bool:
        """Whether every axis has a source of noise of its own."""
        return is_diagonal(self.noise)

    @cached_property
    def drift(self) -> tuple[Coefficient, ...]:
        """The components of the Itô drift."""
        if jumps_of(self):  # D is diagonal; the jumps themselves are interfaces
            return tuple(
                slope_between(a, self.diffusion[i, i], self.convention, i) for i, a in enumerate(self.declared_drift)
            )
        if self.convention is Convention.STRATONOVICH and self.declared_noise is not None:
            return stratonovich_drift(self.declared_drift, self.declared_noise)
        ends = [(axis.low, axis.high) for axis in self.domain.axes]
        return self.convention.ito_vector(self.declared_drift, self.diffusion, ends)

    @cached_property
    def interfaces(self) -> tuple[Interface, ...]:
        """The planes at which the noise jumps, of a diagonal D."""
        return interfaces(self)

    @cached_property
    def linear(self) -> Linear | None:
        """The Itô drift as b + A x, if it is affine and the same at all times."""
        return linear_form(self.drift)

    @cached_property
    def exact_step(self) -> ExactStep:
        """The law of a step of length dt; a ValueError that says what is missing where it is not known."""
        return exact_step(self, self.dt)

    @cached_property
    def time_dependent(self) -> bool:
        """Whether a coefficient depends on time."""
        entries = (*self.drift, *(s for row in self.noise for s in row), self.killing)
        return any(c.depends_on_t for c in entries)

    def with_start(self, start: StartLike) -> ItoWalk:
        """The same walk from another start."""
        return self.replaced(start=start)

    def replaced(self, **changed: Any) -> ItoWalk:
        """The same walk with other arguments: ``walk.replaced(dt=0.005)``."""
        given = {
            name: getattr(self, name)
            for name in ("dt", "domain", "start", "killing", "scheme", "increments", "convention")
        }
        given["drift"] = self.declared_drift
        if not {"diffusion", "noise"} & changed.keys():
            given |= {"diffusion": self.diffusion} if self.declared_noise is None else {"noise": self.declared_noise}
        return ItoWalk(**given | changed)

    def steps(self, times: ArrayLike) -> list[int]:
        """Times as whole numbers of steps; refused unless they increase and are multiples of dt to within rounding."""
        return steps_at(times, self.dt, (), self._whole)

    def _whole(self, t: float, times: Floats) -> str:
        """A remedy for a time `t` among `times` that is no whole number of steps."""
        return f"take t = {max(1, round(t / self.dt)) * self.dt:.15g}" + or_step(times, self.dt)

    def recorded(self, steps: Sequence[int]) -> Times:
        """The times of recorded `steps` of this walk."""
        return Times(tuple(steps), self.dt, labels(steps, self.dt, ()))

    def __str__(self) -> str:
        return _text(self)

    def __repr__(self) -> str:
        drift = [str(a) for a in self.declared_drift]
        made = f"({', '.join(drift)})" if self.dimension > 1 else drift[0]
        if self.dimension > 6:
            made = f"<{self.dimension} components>"
        if self.declared_noise is not None:
            noise = f"noise={_matrix_text(self.declared_noise)}"
        else:
            noise = f"diffusion={self.diffusion[0, 0] if self.dimension == 1 else _matrix_text(self.diffusion.rows)}"
        parts = [f"drift={made}", noise, f"dt={self.dt:g}"]
        parts += [] if self.killing == Constant(0.0) else [f"killing={self.killing}"]
        parts += [f"{name}={getattr(self, name)}" for name in ("scheme", "increments") if self._other(name)]
        parts += [] if self.convention is Convention.ITO else [f"convention=Convention.{self.convention.name}"]
        return f"ItoWalk({', '.join([*parts, f'domain={self.domain}', f'start={self.start}'])})"

    def _other(self, name: str) -> bool:
        return bool(getattr(self, name) != getattr(ItoWalk, name))

    def _repr_latex_(self) -> str:
        if self.dimension == 1:
            circle = r" \circ" if self.convention is Convention.STRATONOVICH else ""
            drift, noise = self.declared_drift[0].latex(), self.noise[0][0].latex()
            if self.sources == 1:
                return rf"$dX = \left({drift}\right) dt + \left({noise}\right){circle}\, dW$"
        drift, noise = (
            r" \\ ".join(" & ".join(entry.latex() for entry in row) for row in rows)
            for rows in ([(a,) for a in self.drift], self.noise)
        )
        return rf"$dX = \begin{{pmatrix}} {drift} \end{{pmatrix}} dt + \begin{{pmatrix}} {noise} \end{{pmatrix}} dW$"

    def _repr_markdown_(self) -> str:
        return f"{self._repr_latex_()} on `{self.domain}`, start `{self.start}`"


def _text(walk: ItoWalk) -> str:
    """The stochastic differential equation, in Itô's sense."""
    drift = [str(a) for a in walk.drift]
    if walk.dimension == 1 and walk.sources == 1:
        return f"dX = ({drift[0]}) dt + {walk.noise[0][0]} dW"
    if walk.dimension > 6:
        return f"dX = a dt + σ dW in {walk.dimension} dimensions with {walk.sources} sources of noise"
    return f"dX = ({', '.join(drift)}) dt + {_matrix_text(walk.noise)} dW"


def _matrix_text(rows: Matrix) -> str:
    if len(rows) > 6:
        return f"<{len(rows)} × {len(rows[0])}>"
    return "(" + ", ".join("(" + ", ".join(map(str, row)) + ("," if len(row) == 1 else "") + ")" for row in rows) + ")"


def _space(drift: object, diffusion: object, noise: object, start: StartLike) -> Domain | None:
    """The whole space of as many dimensions as the start has axes, or the other arguments components."""
    if (axes := axes_of(start)) > 1:
        return Line() ** axes
    return space_of(drift=drift, diffusion=diffusion) if noise is None else space_of(drift=drift, noise=noise)


def _vector(drift: Any, dimension: int) -> tuple[Coefficient, ...]:
    return tuple(map(_in_tree, as_vector("drift", _read("drift", drift, dimension), dimension)))


def _read(name: str, value: Any, dimension: int) -> Any:
    """A Python function of a point in more dimensions than have names as trees, one whose parameters have other names than the
    coordinates as one of the coordinates in their order; another value as it is."""
    if isinstance(value, Tensor):
        return value
    check_returns(name, value)
    if dimension > len(LETTERS):
        return at_a_point(name, value, dimension)
    return by_place(value, dimension) if dimension > 1 else value


def _in_tree(coefficient: Coefficient) -> Coefficient:
    """The tree of a Python function; the function itself if it has none."""
    return coefficient.tree or coefficient if isinstance(coefficient, Function) else coefficient


def _in_trees(rows: Matrix) -> Matrix:
    return tuple(tuple(map(_in_tree, row)) for row in rows)


def _meaning(convention: object, tensor: Tensor, noise: Matrix | None) -> Convention:
    """The convention; Itô where the noise does not depend on the place."""
    given = member("convention", convention, Convention)
    if noise is None or given is not Convention.STRATONOVICH:
        return given.where(tensor)
    return given if any(entry.dimension for row in noise for entry in row) else Convention.ITO
