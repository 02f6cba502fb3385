"""How an equation is written: as text and in TeX, with ∂_x in one dimension and ∇ in more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from randwalk.model.coefficient import ZERO, Coefficient, Constant
from randwalk.model.convention import Convention
from randwalk.model.domain import Absorbing, PartiallyAbsorbing, Reflecting
from randwalk.model.tensor import Tensor

if TYPE_CHECKING:
    from .equation import FokkerPlanck


def text(equation: FokkerPlanck) -> str:
    """ρ_t = … ."""
    drift, diffusion, killing = equation.declared_drift, equation.diffusion, equation.killing
    if isinstance(diffusion, Tensor):
        terms = [_drift_in_space(drift), _diffusion_in_space(diffusion, equation.convention)]
    else:
        terms = [_drift(drift), _diffusion(diffusion, equation.convention)]
    if killing != ZERO:
        terms.append(f"- {killing} ρ" if isinstance(killing, Constant) else f"- ({killing})ρ")
    written = " + ".join(term for term in terms if term)
    return "ρ_t = " + written.replace("+ -", "- ").replace("-  ", "- ").replace("- -", "+ ")


def latex(equation: FokkerPlanck) -> str:
    r"""\partial_t\rho = …, and the conditions at the walls of one dimension."""
    drift, diffusion, killing = equation.declared_drift, equation.diffusion, equation.killing
    if isinstance(diffusion, Tensor):
        terms = [_drift_latex_in_space(drift), _diffusion_latex_in_space(diffusion, equation.convention)]
    else:
        terms = [_drift_latex(drift), _diffusion_latex(diffusion, equation.convention)]
    if killing != ZERO:
        terms.append(rf"-\left({killing.latex()}\right)\rho")
    written = r"\partial_t\rho = " + " ".join(term for term in terms if term).removeprefix("+")
    walls = [] if isinstance(diffusion, Tensor) else _walls_latex(equation)
    return "$" + r",\quad ".join([written, *walls]) + "$"


def _drift(drift: Coefficient) -> str:
    if drift == ZERO:
        return ""
    return f"{-drift} ρ_x" if isinstance(drift, Constant) else f"-(({drift})ρ)_x"


def _diffusion(diffusion: Coefficient, convention: Convention) -> str:
    if isinstance(diffusion, Constant):
        return f"{diffusion} ρ_xx"
    return {
        Convention.ITO: f"(({diffusion})ρ)_xx",
        Convention.STRATONOVICH: f"(√({diffusion}) (√({diffusion}) ρ)_x)_x",
        Convention.FICK: f"(({diffusion}) ρ_x)_x",
    }[convention]


def _drift_in_space(drift: tuple[Coefficient, ...]) -> str:
    if all(a == ZERO for a in drift):
        return ""
    return f"-∇·(({', '.join(map(str, drift))})ρ)"


def _diffusion_in_space(diffusion: Tensor, convention: Convention) -> str:
    first = diffusion[0, 0]
    isotropic = diffusion.diagonal and all(diffusion[i, i] == first for i in range(diffusion.dimension))
    entries = f"diag({', '.join(str(diffusion[i, i]) for i in range(diffusion.dimension))})"
    name = f"({first})" if isotropic else entries if diffusion.diagonal else str(diffusion)
    if isotropic and isinstance(first, Constant):
        return f"{first} ∇²ρ"
    if diffusion.constant:
        return f"∇·({name} ∇ρ)"
    return {
        Convention.ITO: f"∇²({name}ρ)" if isotropic else f"∇·(∇·({name}ρ))",
        Convention.STRATONOVICH: f"∇·(√{name} ∇·(√{name} ρ))",
        Convention.FICK: f"∇·({name} ∇ρ)",
    }[convention]


def _drift_latex(drift: Coefficient) -> str:
    return "" if drift == ZERO else rf"-\partial_x\left[\left({drift.latex()}\right)\rho\right]"


def _diffusion_latex(coefficient: Coefficient, convention: Convention) -> str:
    diffusion = coefficient.latex()
    if not coefficient.depends_on_x:
        return rf"+{diffusion}\,\partial_x^2\rho"
    return {
        Convention.ITO: rf"+\partial_x^2\left[\left({diffusion}\right)\rho\right]",
        Convention.STRATONOVICH: rf"+\partial_x\left[\sqrt{{{diffusion}}}\,\partial_x"
        rf"\left(\sqrt{{{diffusion}}}\,\rho\right)\right]",
        Convention.FICK: rf"+\partial_x\left[\left({diffusion}\right)\partial_x\rho\right]",
    }[convention]


def _drift_latex_in_space(drift: tuple[Coefficient, ...]) -> str:
    if all(a == ZERO for a in drift):
        return ""
    column = r" \\ ".join(a.latex() for a in drift)
    return rf"-\nabla\cdot\left[\begin{{pmatrix}}{column}\end{{pmatrix}}\rho\right]"


def _diffusion_latex_in_space(diffusion: Tensor, convention: Convention) -> str:
    axes = range(diffusion.dimension)
    first = diffusion[0, 0]
    isotropic = diffusion.diagonal and all(diffusion[i, i] == first for i in axes)
    rows = r" \\ ".join(" & ".join(diffusion[i, j].latex() for j in axes) for i in axes)
    matrix = rf"\begin{{pmatrix}}{rows}\end{{pmatrix}}"
    name = rf"\left({first.latex()}\right)" if isotropic else matrix
    if isotropic and isinstance(first, Constant):
        return rf"+{first.latex()}\,\nabla^2\rho"
    if diffusion.constant:
        return rf"+\nabla\cdot\left[{name}\nabla\rho\right]"
    root = rf"{name}^{{1/2}}"
    return {
        Convention.ITO: rf"+\nabla^2\left[{name}\rho\right]"
        if isotropic
        else rf"+\nabla\cdot\left[\nabla\cdot\left({name}\rho\right)\right]",
        Convention.STRATONOVICH: rf"+\nabla\cdot\left[{root}\nabla\cdot\left({root}\rho\right)\right]",
        Convention.FICK: rf"+\nabla\cdot\left[{name}\nabla\rho\right]",
    }[convention]


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
