"""CUDA devices as a machine: the only folder that imports CUDA.

The physics is in `step`, `bits`, `functionals`, `occupation.split`, `binomial` and `philox`, compiled here for the GPU from the
same source as for the CPU. Counts are whole numbers, so the order in which threads add does not show in them.
"""

from .compile import SIMULATED
from .installation import described, load, report, strength, why_not
from .machine import Cuda

__all__ = ["SIMULATED", "Cuda", "described", "load", "report", "strength", "why_not"]
