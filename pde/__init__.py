"""The equations of a walk: exact law, limit equation, closed forms, finite differences."""

from __future__ import annotations

if __name__ != "randwalk.pde":
    raise ImportError("this folder is imported as randwalk.pde: import randwalk, then use randwalk.pde")

from .backward import backward, exit_probability, mean_exit_time
from .closed_form import ClosedForm, NoClosedForm, closed_form
from .closed_forms import KnownForm, closed_forms
from .equation import FokkerPlanck, limit, walk_for
from .exact_law import ExactLaw, SmoothedLaw, exact_law
from .hitting.passage import HittingTime
from .hitting.quantities import commute_time, escape_probability, hitting_probability, hitting_time, return_time
from .hitting.visits import green_function, potential_kernel
from .modified import ModifiedEquation, modified
from .moving import MovingFrame
from .py_pde import FieldLaw, to_py_pde
from .solve import Solution, solve
from .solver.backward_solution import BackwardSolution
from .solver.schemes import SDIRK2, BackwardEuler, CrankNicolson
from .solver.steady import StationarySolution
from .stationary import StationaryLaw, stationary_law
from .values.estimate import Expectation, ToleranceNotMet
from .values.expectation import expectation
from .values.reduction import Antithetic, Control, Drift, Multilevel

BackwardField = BackwardSolution  # the former name of those in several dimensions

__all__ = [
    "SDIRK2", "Antithetic", "BackwardEuler", "BackwardField", "BackwardSolution", "ClosedForm", "Control",
    "CrankNicolson", "Drift", "ExactLaw", "Expectation", "FieldLaw", "FokkerPlanck", "HittingTime", "KnownForm",
    "ModifiedEquation", "MovingFrame", "Multilevel", "NoClosedForm", "SmoothedLaw", "Solution", "StationaryLaw",
    "StationarySolution", "ToleranceNotMet", "backward", "closed_form", "closed_forms", "commute_time",
    "escape_probability", "exact_law", "exit_probability", "expectation", "green_function", "hitting_probability",
    "hitting_time", "limit", "mean_exit_time", "modified", "potential_kernel", "return_time", "solve",
    "stationary_law", "to_py_pde", "walk_for",
]  # fmt: skip
