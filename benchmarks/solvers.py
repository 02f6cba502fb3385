"""``python -m benchmarks.solvers``: seconds of the processor to an error of 1e-4 of cumulative probabilities, compilation apart.

Three problems, solved by randwalk and, where they are installed, by py-pde and FiPy. Those two are given the window that
randwalk finds, and a coarse grid, then the coarsest of 32, 48, 64, 96, … cells an axis that may meet the error by the second
order of both; if there is no time for it, the finest for which there is, as the last two grids predict. py-pde takes the better
of its compiled solvers (Euler at the limit of stability, adaptive Runge–Kutta); FiPy takes as many implicit steps as cells an
axis, and half as many to extrapolate from, with the better of its exponential and central convection terms. Each has a process
of its own with one thread, which is ended after half as much again as its share of the time that is left, so that all take ten
minutes at most, compilation included; of one that has not met the error by then, the best grid that it has finished is kept.
Errors are those at the corners of 32 × 32 (× 32) equal boxes of nine tenths of the
window. ``--json FILE`` keeps the results, and names of problems after it choose some of them.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from scipy.interpolate import CubicSpline
from scipy.linalg import expm, solve_continuous_lyapunov
from scipy.stats import multivariate_normal, norm

import randwalk as rw
from randwalk.model.coefficient import ZERO

from .machine import about
from .refined import Run, Solve, reached, refine, within
from .tables import solved

ERROR = 1e-4
CELLS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)  # of an axis;
FEWEST = {2: 24, 3: 16}  # the first
ALL = 570.0  # seconds of the clock for all solvers and problems
BOXES = 32
REPEATS = 3

Array = NDArray[np.float64]
Answer = Callable[[tuple[Array, ...]], Array]  # edges of boxes -> their masses


@dataclass(frozen=True)
class Problem:
    """A problem with the masses that its law has in boxes, on a window (low, high) of every axis for solvers that need one."""

    equation: Any
    time: float
    exact: Answer

    @cached_property
    def window(self) -> tuple[tuple[float, float], ...]:
        found = rw.pde.solve(self.equation, [self.time], tolerance=ERROR).window
        return tuple((round(float(low), 2), round(float(high), 2)) for low, high in found)

    @property
    def edges(self) -> tuple[Array, ...]:
        return tuple(np.linspace(0.9 * low, 0.9 * high, BOXES + 1) for low, high in self.window)

    def error(self, masses: Array) -> float:
        difference = masses - self.exact(self.edges)
        for axis in range(masses.ndim):
            difference = np.cumsum(difference, axis=axis)
        return float(np.abs(difference).max())


def turning() -> Problem:
    """A Gaussian that drifts and turns, with a tensor D."""
    a, d = np.array([[-1.0, -0.3], [0.2, -0.8]]), np.array([[0.5, 0.2], [0.2, 0.3]])
    mean, variance, until = np.array([1.0, 0.5]), 0.05, 1.0
    grown = expm(a * until)
    still = solve_continuous_lyapunov(a, -2.0 * d)
    law = multivariate_normal(grown @ mean, still + grown @ (variance * np.eye(2) - still) @ grown.T)

    def exact(edges: tuple[Array, ...]) -> Array:
        corners = law.cdf(np.stack(np.meshgrid(*edges, indexing="ij"), axis=-1))
        return np.diff(np.diff(corners, axis=0), axis=1)

    equation = rw.pde.FokkerPlanck(
        lambda x, y: (-x - 0.3 * y, 0.2 * x - 0.8 * y), d.tolist(), domain=rw.Line() ** 2,
        start=rw.Normal(tuple(mean.tolist()), (math.sqrt(variance),) * 2),
    )  # fmt: skip
    return Problem(equation, until, exact)


def well() -> Problem:
    """A double well along x with a reflecting and an absorbing wall; the reference is a solution of 1e-7."""
    walls = rw.Interval(-2.0, 2.0, rw.Reflecting(), rw.Absorbing())
    equation = rw.pde.FokkerPlanck(
        lambda x, y: (4.0 * x - 4.0 * x**3, -2.0 * y + 0.0 * x), 0.5, domain=walls * rw.Line(),
        start=rw.Normal((-1.0, 0.0), (0.1, 0.3)),
    )  # fmt: skip
    reference = rw.pde.solve(equation, [0.5], tolerance=1e-7)
    return Problem(equation, 0.5, lambda e: reference.mass(e, 0.5))


def pulse() -> Problem:
    """A pulse of heat in space."""
    sd, d, until = 0.3, 0.5, 0.5
    law = norm(0.0, math.sqrt(sd**2 + 2.0 * d * until))

    def exact(edges: tuple[Array, ...]) -> Array:
        return np.asarray(reduce(np.multiply.outer, (np.diff(law.cdf(e)) for e in edges)))

    equation = rw.pde.FokkerPlanck(0.0, d, domain=rw.Line() ** 3, start=rw.Normal((0.0,) * 3, (sd,) * 3))
    return Problem(equation, until, exact)


def ours(problem: Problem, limit: float) -> Iterator[Run]:
    """By :func:`randwalk.pde.solve`, compiled before."""

    def run() -> Any:
        return rw.pde.solve(problem.equation, [problem.time], tolerance=ERROR)

    law, seconds = run(), math.inf  # compiled here
    for _ in range(REPEATS):
        begin = time.process_time()
        run()
        seconds = min(seconds, time.process_time() - begin)
    yield Run("", None, seconds, problem.error(law.mass(problem.edges, problem.time)))


def start(problem: Problem, cells: int) -> Array:
    """The density of the normal start at the centres of equal cells."""
    parts = [
        norm(factor.mean, factor.sd).pdf(low + (high - low) * (np.arange(cells) + 0.5) / cells)
        for factor, (low, high) in zip(problem.equation.start.factors, problem.window, strict=True)
    ]
    return np.asarray(reduce(np.multiply.outer, parts))


def boxed(problem: Problem, density: Array) -> Array:
    """The masses of the boxes from a density on equal cells, by a cubic spline through what is below each edge of a cell."""
    values = density
    for axis, ((low, high), edges) in enumerate(zip(problem.window, problem.edges, strict=True)):
        cells = density.shape[axis]
        mass = np.moveaxis(values, axis, 0) * (high - low) / cells
        total = np.concatenate([np.zeros((1, *mass.shape[1:])), mass.cumsum(axis=0)])
        values = np.moveaxis(np.diff(CubicSpline(np.linspace(low, high, cells + 1), total)(edges), axis=0), 0, axis)
    return values


def on_grids(
    problem: Problem, limit: float, kinds: Mapping[str, Callable[[int], tuple[float, Array]]]
) -> Iterator[Run]:
    """By the runs of several kinds of a solver on finer and finer grids, each (seconds, density)."""

    def judged(solve: Callable[[int], tuple[float, Array]]) -> Solve:
        def run(cells: int) -> tuple[float, float]:
            seconds, density = solve(cells)
            right = np.isfinite(density).all()
            return seconds, problem.error(boxed(problem, density)) if right else math.inf

        return run

    d = len(problem.window)
    grids = [cells for cells in CELLS if cells >= FEWEST[d]]
    yield from refine({kind: judged(solve) for kind, solve in kinds.items()}, d, ERROR, limit, grids)


def installed(name: str) -> Any:
    """An installed package, whatever folders of this name are here."""
    path = sys.path[:]
    sys.path[:] = [folder for folder in path if "site-packages" in folder or "lib" in folder]
    try:
        return importlib.import_module(name)
    finally:
        sys.path[:] = path


def py_pde(problem: Problem, limit: float) -> Iterator[Run]:
    """py-pde with the equation of :func:`randwalk.pde.to_py_pde`, its right-hand side compiled by Numba."""
    pde, d = installed("pde"), len(problem.window)
    middle = (0.0,) * d
    rates = sum(2.0 * float(problem.equation.diffusion[axis, axis](middle)) for axis in range(d))

    def solve(cells: int, explicit: bool) -> tuple[float, Array]:
        equation, state = rw.pde.to_py_pde(problem.equation, cells, window=problem.window)
        stable = 0.9 / rates * float(min(state.grid.discretization)) ** 2
        if explicit:
            solver, dt = pde.EulerSolver(equation, backend="numba"), problem.time / math.ceil(problem.time / stable)
        else:
            solver = pde.RungeKuttaSolver(equation, backend="numba", adaptive=True, tolerance=ERROR)
            dt = 0.1 * stable
        step = solver.make_stepper(state, dt=dt)
        step(state.copy(), 0.0, 1e-3 * problem.time)  # compiles
        found = state.copy()
        begin = time.process_time()
        step(found, 0.0, problem.time)
        return time.process_time() - begin, found.data

    kinds = {"Euler": partial(solve, explicit=True), "Runge–Kutta": partial(solve, explicit=False)}
    yield from on_grids(problem, limit, kinds)


def fipy(problem: Problem, limit: float) -> Iterator[Run]:
    """FiPy with its exponential or its central convection terms, and faces without a flux but for those of an absorbing wall."""
    library, d = installed("fipy"), len(problem.window)
    drift, diffusion = problem.equation.drift, problem.equation.diffusion
    matrix = np.array([[float(diffusion[i, j]((0.0,) * d)) for j in range(d)] for i in range(d)])
    alike = np.array_equal(matrix, matrix[0, 0] * np.eye(d))
    spreading = float(matrix[0, 0]) if alike else [matrix.tolist()]

    def solve(cells: int, convection: Any) -> tuple[float, Array]:
        sizes = {f"d{n}": (h - low) / cells for n, (low, h) in zip("xyz", problem.window, strict=False)}
        counts = {f"n{n}": cells for n in "xyz"[:d]}
        mesh = getattr(library, f"Grid{d}D")(**sizes, **counts) + [[low] for low, _ in problem.window]
        velocity = library.FaceVariable(mesh=mesh, rank=1)
        velocity[:] = np.array([np.broadcast_to(a(tuple(mesh.faceCenters.value)), mesh.numberOfFaces) for a in drift])
        found, begin = [], time.process_time()
        for steps in (cells // 2, cells):
            # terms remember the variable that they were solved for
            spread = library.DiffusionTerm(coeff=spreading)
            equation = library.TransientTerm() == (spread - convection(coeff=velocity) if convection else spread)
            c = library.CellVariable(mesh=mesh, value=start(problem, cells).ravel(order="F"))
            for axis, line in enumerate(problem.equation.domain.axes):
                if line.right is not None and line.right.reactivity > 0.0:
                    c.constrain(0.0, mesh.faceCenters[axis] >= line.high - 1e-9)
            for _ in range(steps):
                equation.solve(var=c, dt=problem.time / steps)
            found.append(np.array(c.value).reshape((cells,) * d, order="F"))
        return time.process_time() - begin, 2.0 * found[1] - found[0]

    moving = {
        "exponential": library.ExponentialConvectionTerm, "central": library.CentralDifferenceConvectionTerm,
    }  # fmt: skip
    kinds = {"": None} if all(a == ZERO for a in drift) else moving
    yield from on_grids(problem, limit, {name: partial(solve, convection=term) for name, term in kinds.items()})


PROBLEMS: dict[str, tuple[int, Callable[[], Problem]]] = {  # dimensions, and what makes it
    "turning Gaussian with tensor D": (2, turning),
    "double well with walls": (2, well),
    "pulse of heat in space": (3, pulse),
}
SOLVERS = {"randwalk": ours, "py-pde": py_pde, "fipy": fipy}


def runs(problem: str, solver: str, limit: float) -> Iterator[Any]:
    """The word "ready", and what a solver finishes for a problem, both by name."""
    _, make = PROBLEMS[problem]
    made = make()
    assert made.window
    yield "ready"
    yield from SOLVERS[solver](made, limit)


def main() -> None:
    options = argparse.ArgumentParser(description="seconds of the processor to an error of 1e-4")
    options.add_argument("--json", help="where results are kept")
    options.add_argument("problems", nargs="*", help="names or parts of them; all if left out")
    given = options.parse_args()
    there = {d.metadata["Name"].lower(): d.version for d in importlib.metadata.distributions()}
    solvers = [name for name in SOLVERS if name == "randwalk" or name in there]
    versions = {name: there[name] for name in ("numpy", "scipy", *solvers) if name in there}
    kept: dict[str, Any] = about("python -m benchmarks.solvers", 1)
    kept |= {"wanted": ERROR, "versions": versions, "results": []}
    chosen = [title for title in PROBLEMS if not given.problems or any(word in title for word in given.problems)]
    pairs, end = [(title, solver) for title in chosen for solver in solvers], time.perf_counter() + ALL
    for i, (title, solver) in enumerate(pairs):

        def tell(run: Run, told: str = f"{title}, {solver}") -> None:
            grid = "" if run.cells is None else f" {run.kind} {run.cells} cells an axis:"
            print(f"  {told}:{grid} {run.seconds:.3g} s, {run.error:.1e}", flush=True)

        others = sum(name != "randwalk" for _, name in pairs[i:])
        limit = max(round(min(1.5 / max(others, 1), 1.0) * (end - time.perf_counter())), 5)
        best = reached(within(limit, runs, title, solver, limit, told=tell), ERROR)
        row = {"problem": title, "dimension": PROBLEMS[title][0], "solver": solver, "within": limit}
        kept["results"].append(row | (best._asdict() if best else dict.fromkeys(Run._fields)))
        if given.json:
            Path(given.json).write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    Console().print(solved(kept))


if __name__ == "__main__":
    main()
