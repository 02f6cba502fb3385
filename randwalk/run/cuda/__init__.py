"""CUDA devices as a machine, and what is said of them. Imported where a device is asked for."""

from ...jit.cuda.compile import SIMULATED
from .installation import described, load, report, strength, why_not
from .machine import Cuda

__all__ = ["SIMULATED", "Cuda", "described", "load", "report", "strength", "why_not"]
