"""How an equation is written: as text and in TeX, with ∂_x in one dimension and ∇ in more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from randwalk.model.coefficient import ZERO, Coefficient, Constant
from randwalk.model.domain import Absorbing, PartiallyAbsorbing, Reflecting

if TYPE_CHECKING:
    from .equation import FokkerPlanck

Forms: TypeAlias = dict[
    str, str
]  # of the terms: {a} is the drift, {d} is D, in brackets or as a matrix, {c} without, {r} its root

# "number" is the form of one number for D, "constant" of a matrix of numbers, "full" of a matrix that varies in the Itô form
LINE: Final[Forms] = {
    "drift": "-({a}ρ)_x", "number": "{d} ρ_xx", "ito": "({d}ρ)_xx", "stratonovich": "({r} ({r} ρ)_x)_x", "fick": "({d} ρ_x)_x",
    "root": "√{d}",
}  # fmt: skip
SPACE: Final[Forms] = {
    "drift": "-∇·({a}ρ)", "number": "{d} ∇²ρ", "constant": "∇·({d} ∇ρ)", "ito": "∇²({d}ρ)", "full": "∇·(∇·({d}ρ))",
    "stratonovich": "∇·({r} ∇·({r} ρ))", "fick": "∇·({d} ∇ρ)", "root": "√{d}",
}  # fmt: skip
LINE_TEX: Final[Forms] = {
    "drift": r"-\partial_x\left[{a}\rho\right]",
    "number": r"+{d}\,\partial_x^2\rho",
    "ito": r"+\partial_x^2\left[{d}\rho\right]",
    "stratonovich": r"+\partial_x\left[{r}\,\partial_x\left({r}\,\rho\right)\right]",
    "fick": r"+\partial_x\left[{d}\partial_x\rho\right]",
    "root": r"\sqrt{{c}}",
}
SPACE_TEX: Final[Forms] = {
    "drift": r"-\nabla\cdot\left[{a}\rho\right]",
    "number": r"+{d}\,\nabla^2\rho",
    "constant": r"+\nabla\cdot\left[{d}\nabla\rho\right]",
    "ito": r"+\nabla^2\left[{d}\rho\right]",
    "full": r"+\nabla\cdot\left[\nabla\cdot\left({d}\rho\right)\right]",
    "stratonovich": r"+\nabla\cdot\left[{r}\nabla\cdot\left({r}\rho\right)\right]",
    "fick": r"+\nabla\cdot\left[{d}\nabla\rho\right]",
    "root": "{d}^{1/2}",
}


def text(equation: FokkerPlanck) -> str:
    """ρ_t = … ."""
    killing, tensor, a = equation.killing, equation.tensor, equation.vector[0]
    forms = LINE if equation.dimension == 1 else SPACE
    name = (
        str(tensor) if not tensor.diagonal else f"diag({', '.join(str(tensor[i, i]) for i in range(tensor.dimension))})"
    )
    terms = [
        _drift(equation, forms, f"({', '.join(map(str, equation.vector))})"),
        _diffusion(equation, forms, str, "({})", name),
    ]
    if equation.dimension == 1 and isinstance(a, Constant) and a != ZERO:
        terms[0] = f"{-a} ρ_x"
    if killing != ZERO:
        terms.append(f"- {killing} ρ" if isinstance(killing, Constant) else f"- ({killing})ρ")
    written = " + ".join(term for term in terms if term)
    return "ρ_t = " + written.replace("+ -", "- ").replace("-  ", "- ").replace("- -", "+ ")


def latex(equation: FokkerPlanck) -> str:
    r"""\partial_t\rho = …, and the conditions at the walls of one dimension."""
    killing, tensor, one = equation.killing, equation.tensor, equation.dimension == 1
    forms, brackets, axes = LINE_TEX if one else SPACE_TEX, r"\left({}\right)", range(equation.dimension)
    rows = r" \\ ".join(" & ".join(tensor[i, j].latex() for j in axes) for i in axes)
    column = r" \\ ".join(a.latex() for a in equation.vector)
    terms = [
        _drift(equation, forms, brackets.format(column) if one else rf"\begin{{pmatrix}}{column}\end{{pmatrix}}"),
        _diffusion(equation, forms, lambda c: c.latex(), brackets, rf"\begin{{pmatrix}}{rows}\end{{pmatrix}}"),
    ]
    if killing != ZERO:
        terms.append(rf"-\left({killing.latex()}\right)\rho")
    written = r"\partial_t\rho = " + " ".join(term for term in terms if term).removeprefix("+")
    walls = _walls_latex(equation) if one else []
    return "$" + r",\quad ".join([written, *walls]) + "$"


def _drift(equation: FokkerPlanck, forms: Forms, vector: str) -> str:
    return "" if all(a == ZERO for a in equation.vector) else forms["drift"].replace("{a}", vector)


def _diffusion(
    equation: FokkerPlanck, forms: Forms, shown: Callable[[Coefficient], str], brackets: str, matrix: str
) -> str:
    """The term of D, which is written in `brackets` if it is the same along all axes, else as a `matrix`."""
    tensor = equation.tensor
    first = tensor[0, 0]
    isotropic = tensor.diagonal and all(tensor[i, i] == first for i in range(tensor.dimension))
    name = brackets.format(shown(first)) if isotropic else matrix
    root = forms["root"].replace("{d}", name).replace("{c}", shown(first))
    if isotropic and (isinstance(first, Constant) or (forms is LINE_TEX and not first.depends_on_x)):
        return forms["number"].replace("{d}", shown(first))
    kind = "constant" if tensor.constant else equation.convention.value
    return forms["full" if kind == "ito" and not isotropic else kind].replace("{d}", name).replace("{r}", root)


def _walls_latex(equation: FokkerPlanck) -> list[str]:
    domain = equation.domain
    return [
        {
            Absorbing: rf"\rho({end:g},t)=0",
            Reflecting: rf"J({end:g},t)=0",
            PartiallyAbsorbing: rf"J({end:g},t)={sign}{getattr(wall, 'reactivity', 0.0):g}\,\rho",
        }[type(wall)]
        for end, wall, sign in ((domain.low, domain.left, "-"), (domain.high, domain.right, ""))
        if wall is not None
    ]
