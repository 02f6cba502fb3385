"""randwalk: declare a random walk once; get its simulation, its exact law, its PDE, and the evidence that they agree."""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # typing is not imported: the command is soon where it can tell Ctrl-C in one line
if TYPE_CHECKING:
    from typing import Any

    from . import gallery, pde, validate
    from .coefficient import Affine, Coefficient, Constant, Tanh
    from .convention import Convention
    from .device import DeviceError
    from .domain import Absorbing, Interval, Line, PartiallyAbsorbing, Reflecting, Ring
    from .ensemble import Ensemble
    from .estimate import Estimate
    from .formula import expression
    from .function import Function
    from .problem import Problem
    from .record import FirstPassage, LastVisit, Maximum, Positions, SquaredDisplacement, TimePositive
    from .simulation import Interrupted, explain, simulate, trajectories
    from .start import Normal, Point, Sites, Uniform
    from .tabulated import Table
    from .walk import LatticeWalk, Rule

__version__ = "0.3.0"

__all__ = [
    "Absorbing", "Affine", "Coefficient", "Constant", "Convention", "DeviceError", "Ensemble", "Estimate", "FirstPassage",
    "Function", "Interrupted", "Interval", "LastVisit", "LatticeWalk", "Line", "Maximum", "Normal", "PartiallyAbsorbing",
    "Point", "Positions", "Problem", "Reflecting", "Ring", "Rule", "Sites", "SquaredDisplacement", "Table", "Tanh",
    "TimePositive", "Uniform", "__version__", "explain", "expression", "gallery", "pde", "simulate", "trajectories",
    "validate",
]  # fmt: skip


# Where the names live. They are imported when first asked for, so that `randwalk --help` does not wait for Numba.
_HOMES = {
    "coefficient": ("Affine", "Coefficient", "Constant", "Tanh"),
    "convention": ("Convention",),
    "device": ("DeviceError",),
    "domain": ("Absorbing", "Interval", "Line", "PartiallyAbsorbing", "Reflecting", "Ring"),
    "ensemble": ("Ensemble",),
    "estimate": ("Estimate",),
    "formula": ("expression",),
    "function": ("Function",),
    "problem": ("Problem",),
    "record": ("FirstPassage", "LastVisit", "Maximum", "Positions", "SquaredDisplacement", "TimePositive"),
    "simulation": ("Interrupted", "explain", "simulate", "trajectories"),
    "start": ("Normal", "Point", "Sites", "Uniform"),
    "tabulated": ("Table",),
    "walk": ("LatticeWalk", "Rule"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    if name in {"pde", "validate", "gallery"}:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'randwalk' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
