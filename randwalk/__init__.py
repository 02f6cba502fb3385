"""randwalk: declare a random walk once; get its simulation, its exact law, its PDE, and the evidence that they agree."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .coefficient import Affine, Coefficient, Constant, Tanh
from .convention import Convention
from .device import DeviceError
from .domain import Absorbing, Interval, Line, PartiallyAbsorbing, Reflecting, Ring
from .ensemble import Ensemble
from .estimate import Estimate
from .expression import expression
from .problem import Problem
from .record import FirstPassage, LastVisit, Maximum, Positions, SquaredDisplacement, TimePositive
from .simulate import Interrupted, explain, simulate, trajectories
from .start import Normal, Point, Sites, Uniform
from .tabulated import Table
from .walk import LatticeWalk, Rule

if TYPE_CHECKING:
    from . import gallery, pde, validate

__version__ = "0.1.0"

__all__ = [
    "Absorbing", "Affine", "Coefficient", "Constant", "Convention", "DeviceError", "Ensemble", "Estimate", "FirstPassage",
    "Interrupted", "Interval", "LastVisit", "LatticeWalk", "Line", "Maximum", "Normal", "PartiallyAbsorbing",
    "Point", "Positions", "Problem", "Reflecting", "Ring", "Rule", "Sites", "SquaredDisplacement", "Table", "Tanh",
    "TimePositive", "Uniform", "__version__", "explain", "expression", "gallery", "pde", "simulate", "trajectories",
    "validate",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """The upper floors are imported when first asked for."""
    if name in {"pde", "validate", "gallery"}:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'randwalk' has no attribute {name!r}")
