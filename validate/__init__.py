"""The evidence: samples against laws, laws against equations, solvers against closed forms."""

from __future__ import annotations

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
from .provenance import Provenance
from .read_measured import read_measured
from .report import CaseReport, Report
from .run import case_names, load_case, validate, validate_problem
from .self_test import SelfTest, Trial, self_test

__all__ = [
    "CaseReport", "Changes", "Check", "Comparison", "Convergence", "FittedProblem", "MeasuredCounts", "MeasuredCurve",
    "Outcomes", "Provenance", "Report", "Samples", "SelfTest", "Trial", "assert_agrees", "case_names", "changes", "compare",
    "fit_problem", "load_case", "read_measured", "refine", "self_test", "validate", "validate_problem",
]  # fmt: skip
