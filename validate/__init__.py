"""The evidence: samples against laws, laws against equations, solvers against closed forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if __name__ != "randwalk.validate":
    raise ImportError("this folder is imported as randwalk.validate: import randwalk, then use randwalk.validate")

from randwalk.data.samples import Samples

from .agree import assert_agrees
from .changes import Changes, changes
from .compare import Check, Comparison, Outcomes, compare
from .convergence import Convergence, refine
from .fitted import FittedProblem, fit_problem
from .measured import MeasuredCounts
from .measured_curve import MeasuredCurve
from .measured_tracks import MeasuredTracks
from .provenance import Provenance
from .read_measured import read_measured
from .report import CaseReport, Report
from .run import case_names, load_case, validate, validate_problem

if TYPE_CHECKING:
    from .faults.trials import SelfTest, Trial, self_test

__all__ = [
    "CaseReport", "Changes", "Check", "Comparison", "Convergence", "FittedProblem", "MeasuredCounts", "MeasuredCurve",
    "MeasuredTracks", "Outcomes", "Provenance", "Report", "Samples", "SelfTest", "Trial", "assert_agrees",
    "case_names", "changes", "compare", "fit_problem", "load_case", "read_measured", "refine", "self_test", "validate",
    "validate_problem",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """The self-test, imported with its library of faults when it is asked for."""
    if name not in ("SelfTest", "Trial", "self_test"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .faults import trials

    return getattr(trials, name)
