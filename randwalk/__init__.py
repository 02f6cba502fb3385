"""randwalk: declare a random walk once; get its simulation, its exact law, its PDE, and the evidence that they agree."""

from __future__ import annotations

import importlib

from .moved import MOVED, install
from .moved import attribute as _attribute
from .version import __version__ as __version__

install()
del install

TYPE_CHECKING = False  # an import of typing would delay the moment from which Ctrl-C ends the command in one line
# Type checkers read these lines and not the table below, which a test compares with them.
if TYPE_CHECKING:
    from typing import Any

    from . import gallery as gallery
    from . import pde as pde
    from . import validate as validate
    from .data.first_passage import FirstPassageTimes as FirstPassageTimes
    from .data.tracks import Tracks as Tracks
    from .ensemble import Ensemble as Ensemble
    from .ito_ensemble import ItoEnsemble as ItoEnsemble
    from .jit.compile import DeviceError as DeviceError
    from .laws.estimate import Estimate as Estimate
    from .laws.law import Law as Law
    from .laws.lookup import NoAnswer as NoAnswer
    from .likelihood.fit import Fit as Fit
    from .likelihood.fit import fit as fit
    from .model.coefficient import Affine as Affine
    from .model.coefficient import Coefficient as Coefficient
    from .model.coefficient import Constant as Constant
    from .model.coefficient import Function as Function
    from .model.coefficient import Tanh as Tanh
    from .model.convention import Convention as Convention
    from .model.domain import Box as Box
    from .model.domain import Interval as Interval
    from .model.domain import Line as Line
    from .model.domain import Ring as Ring
    from .model.formula import expression as expression
    from .model.grid import Grid as Grid
    from .model.ito import ItoWalk as ItoWalk
    from .model.linear import Linear as Linear
    from .model.neighbourhood import Moore as Moore
    from .model.neighbourhood import VonNeumann as VonNeumann
    from .model.region import Ball as Ball
    from .model.region import HalfSpace as HalfSpace
    from .model.region import Level as Level
    from .model.region import Mask as Mask
    from .model.region import Region as Region
    from .model.scheme import EulerMaruyama as EulerMaruyama
    from .model.scheme import Exact as Exact
    from .model.scheme import Gaussian as Gaussian
    from .model.scheme import Milstein as Milstein
    from .model.scheme import Platen as Platen
    from .model.scheme import ThreePoint as ThreePoint
    from .model.scheme import TwoPoint as TwoPoint
    from .model.start import Atoms as Atoms
    from .model.start import Everywhere as Everywhere
    from .model.start import Normal as Normal
    from .model.start import Point as Point
    from .model.start import Sites as Sites
    from .model.start import Uniform as Uniform
    from .model.tabulated import Table as Table
    from .model.walk import LatticeWalk as LatticeWalk
    from .model.walk import Rule as Rule
    from .model.wall import Absorbing as Absorbing
    from .model.wall import PartiallyAbsorbing as PartiallyAbsorbing
    from .model.wall import Reflecting as Reflecting
    from .problem import Problem as Problem
    from .run.average import Average as Average
    from .run.executor import RangeFailed as RangeFailed
    from .run.exit_times import Departures as Departures
    from .run.record import Displacement as Displacement
    from .run.record import DistinctSites as DistinctSites
    from .run.record import FirstPassage as FirstPassage
    from .run.record import LastVisit as LastVisit
    from .run.record import Maximum as Maximum
    from .run.record import Moments as Moments
    from .run.record import Positions as Positions
    from .run.record import SquaredDisplacement as SquaredDisplacement
    from .run.record import TimeIn as TimeIn
    from .run.record import TimePositive as TimePositive
    from .run.record import Visits as Visits
    from .run.record import Winding as Winding
    from .simulation import Interrupted as Interrupted
    from .simulation import explain as explain
    from .simulation import simulate as simulate
    from .simulation import trajectories as trajectories

# The modules of the public names. A name is imported at its first use, so that `randwalk --help` does not wait for Numba.
_HOMES = {
    "model.coefficient": ("Affine", "Coefficient", "Constant", "Function", "Tanh"),
    "model.convention": ("Convention",),
    "jit.compile": ("DeviceError",),
    "data.first_passage": ("FirstPassageTimes",),
    "data.tracks": ("Tracks",),
    "likelihood.fit": ("Fit", "fit"),
    "model.domain": ("Box", "Interval", "Line", "Ring"),
    "ensemble": ("Ensemble",),
    "laws.estimate": ("Estimate",),
    "laws.law": ("Law",),
    "laws.lookup": ("NoAnswer",),
    "model.formula": ("expression",),
    "problem": ("Problem",),
    "run.average": ("Average",),
    "run.executor": ("RangeFailed",),
    "run.exit_times": ("Departures",),
    "ito_ensemble": ("ItoEnsemble",),
    "run.record": (
        "Displacement",
        "DistinctSites",
        "FirstPassage",
        "LastVisit",
        "Maximum",
        "Moments",
        "Positions",
        "SquaredDisplacement",
        "TimeIn",
        "TimePositive",
        "Visits",
        "Winding",
    ),
    "simulation": ("Interrupted", "explain", "simulate", "trajectories"),
    "model.region": ("Ball", "HalfSpace", "Level", "Mask", "Region"),
    "model.start": ("Atoms", "Everywhere", "Normal", "Point", "Sites", "Uniform"),
    "model.grid": ("Grid",),
    "model.ito": ("ItoWalk",),
    "model.linear": ("Linear",),
    "model.scheme": ("EulerMaruyama", "Exact", "Gaussian", "Milstein", "Platen", "ThreePoint", "TwoPoint"),
    "model.neighbourhood": ("Moore", "VonNeumann"),
    "model.tabulated": ("Table",),
    "model.walk": ("LatticeWalk", "Rule"),
    "model.wall": ("Absorbing", "PartiallyAbsorbing", "Reflecting"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
_FOLDERS = ("gallery", "pde", "validate")

__all__ = sorted((*_HOME, *_FOLDERS, "__version__"))


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    if name in _FOLDERS:
        return importlib.import_module(f"{__name__}.{name}")
    if f"{__name__}.{name}" in MOVED:
        return _attribute(f"{__name__}.{name}")
    raise AttributeError(f"module 'randwalk' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
