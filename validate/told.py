"""Orders and errors under refinement in words."""

from __future__ import annotations

from .convergence import Convergence


def order_told(convergence: Convergence) -> str:
    if convergence.errors[-1] <= convergence.floor:
        return "exact"
    return f"{convergence.orders[-1]:.2f}"


def errors_told(convergence: Convergence) -> str:
    errors = " → ".join(f"{e:.2e}" for e in convergence.errors)
    return f"errors {errors}, orders {', '.join(f'{o:.2f}' for o in convergence.orders)}"
