"""Solvers on finer grids until their time is up (benchmarks/refined.py), of solvers whose seconds and errors are known."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.refined import Run, reached, refine, within

GRIDS = (16, 24, 32, 48, 64, 96, 128, 192, 256)


class Clock:
    """A clock that solvers move on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def solver(self, unit: float, power: float, error: float):  # type: ignore[no-untyped-def]
        """Takes unit·(cells/16)^power, with errors of second order from `error` on 16 cells."""

        def solve(cells: int) -> tuple[float, float]:
            seconds = unit * (cells / 16) ** power
            self.now += seconds
            return seconds, error * (16 / cells) ** 2

        return solve


def test_the_coarsest_grid_that_meets_the_error_is_found_at_once() -> None:
    clock = Clock()
    kinds = {"quick": clock.solver(0.1, 3.0, 2e-3), "slow": clock.solver(0.4, 3.0, 8e-4)}
    runs = list(refine(kinds, 2, 1e-4, 1e3, GRIDS, clock))
    quick, slow = ([run.cells for run in runs if run.kind == kind] for kind in kinds)
    assert quick == [16, 64, 96]  # on 64 cells 1.25e-4
    assert slow == [16]  # 48 cells would do, and are expected to take longer
    best = reached(runs, 1e-4)
    assert best is not None and (best.kind, best.cells) == ("quick", 96)


def test_no_grid_is_begun_that_would_be_late() -> None:
    clock = Clock()
    runs = list(refine({"": clock.solver(0.5, 4.0, 0.1)}, 2, 1e-4, 60.0, GRIDS, clock))
    assert [run.cells for run in runs] == [16, 32]  # 48 cells would take 40.5 s, and perhaps twice that
    assert clock.now < 60.0
    best = reached(runs, 1e-4)
    assert best is not None and best.cells == 32 and best.error > 1e-4
    assert reached([], 1e-4) is None


def _hanging() -> Iterator[object]:
    yield "ready"
    yield Run("", 16, 0.1, 0.5)
    time.sleep(60.0)
    yield Run("", 24, 60.0, 0.2)


def _broken() -> Iterator[object]:
    yield "ready"
    yield Run("", 16, 0.1, 0.5)
    raise SystemExit(3)


def test_what_was_finished_before_the_limit_is_kept() -> None:
    told: list[Run] = []
    begin = time.perf_counter()
    for work in (_hanging, _broken):
        assert within(0.5, work, told=told.append) == [Run("", 16, 0.1, 0.5)]  # type: ignore[arg-type]
    assert len(told) == 2 and time.perf_counter() - begin < 40.0
