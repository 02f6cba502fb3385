"""randwalk: declare a random walk once; get its simulation, its exact law, its PDE, and the evidence that they agree."""

from __future__ import annotations

import importlib

from .moved import MOVED, install
from .version import __version__

install()
del install

TYPE_CHECKING = False  # typing is not imported: the command is soon where it can tell Ctrl-C in one line
if TYPE_CHECKING:
    from typing import Any

    from . import gallery, pde, validate
    from .ensemble import Ensemble
    from .laws.estimate import Estimate
    from .model.coefficient import Affine, Coefficient, Constant, Function, Tanh
    from .model.convention import Convention
    from .model.domain import Absorbing, Interval, Line, PartiallyAbsorbing, Reflecting, Ring
    from .model.formula import expression
    from .model.start import Normal, Point, Sites, Uniform
    from .model.tabulated import Table
    from .model.walk import LatticeWalk, Rule
    from .problem import Problem
    from .run.device import DeviceError
    from .run.record import FirstPassage, LastVisit, Maximum, Positions, SquaredDisplacement, TimePositive
    from .simulation import Interrupted, explain, simulate, trajectories

__all__ = [
    "Absorbing", "Affine", "Coefficient", "Constant", "Convention", "DeviceError", "Ensemble", "Estimate", "FirstPassage",
    "Function", "Interrupted", "Interval", "LastVisit", "LatticeWalk", "Line", "Maximum", "Normal", "PartiallyAbsorbing",
    "Point", "Positions", "Problem", "Reflecting", "Ring", "Rule", "Sites", "SquaredDisplacement", "Table", "Tanh",
    "TimePositive", "Uniform", "__version__", "explain", "expression", "gallery", "pde", "simulate", "trajectories",
    "validate",
]  # fmt: skip


# Where the names live. They are imported when first asked for, so that `randwalk --help` does not wait for Numba.
_HOMES = {
    "model.coefficient": ("Affine", "Coefficient", "Constant", "Function", "Tanh"),
    "model.convention": ("Convention",),
    "run.device": ("DeviceError",),
    "model.domain": ("Absorbing", "Interval", "Line", "PartiallyAbsorbing", "Reflecting", "Ring"),
    "ensemble": ("Ensemble",),
    "laws.estimate": ("Estimate",),
    "model.formula": ("expression",),
    "problem": ("Problem",),
    "run.record": ("FirstPassage", "LastVisit", "Maximum", "Positions", "SquaredDisplacement", "TimePositive"),
    "simulation": ("Interrupted", "explain", "simulate", "trajectories"),
    "model.start": ("Normal", "Point", "Sites", "Uniform"),
    "model.tabulated": ("Table",),
    "model.walk": ("LatticeWalk", "Rule"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    if name in {"pde", "validate", "gallery"}:
        return importlib.import_module(f"{__name__}.{name}")
    if f"{__name__}.{name}" in MOVED:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'randwalk' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
