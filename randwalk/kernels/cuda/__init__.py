"""Kernels for CUDA devices. The physics is in `step`, `bits`, `functionals`, `occupation`, `binomial` and `philox`, compiled here
from the same source as for the CPU. Counts are whole numbers, so the order in which threads add does not show in them."""
