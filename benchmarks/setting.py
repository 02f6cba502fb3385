"""How large workloads are, and whole calls of that size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import randwalk as rw

from .measure import Limits, Work


@dataclass(frozen=True)
class Setting:
    """How large the workloads are, by how many threads, and beside which limits."""

    size: float
    threads: int
    limit: Limits

    @property
    def walkers(self) -> int:
        return int(1_000_000 * self.size)

    @property
    def few(self) -> int:
        """Walkers of the slow programs."""
        return max(1000, self.walkers // 20)

    def simulated(self, walk: rw.LatticeWalk, walkers: int, t: float, method: str, **options: Any) -> Work:
        def work() -> float:
            rw.simulate(walk, walkers, [t], seed=1, method=method, threads=self.threads, **options)
            return float(walkers) * round(t / walk.dt)

        return work
