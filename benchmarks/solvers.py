"""``python -m benchmarks.solvers``: seconds to an error of 1e-4 of cumulative probabilities, compilation apart.

Three problems, solved by randwalk and, where they are installed, by py-pde (explicit Runge–Kutta steps, compiled) and FiPy
(implicit steps). Those two are given grids of 32, 64, … cells an axis, and steps in proportion, until the error is met; only the
run that meets it counts. Errors are those at the corners of 32 × 32 (× 32) equal boxes around the mean.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.linalg import expm, solve_continuous_lyapunov
from scipy.stats import multivariate_normal, norm

import randwalk as rw

ERROR = 1e-4
MOST = 1024  # cells an axis
BOXES = 32
REPEATS = 3

Array = NDArray[np.float64]
Answer = Callable[[tuple[Array, ...]], Array]  # edges of boxes -> their masses


@dataclass(frozen=True)
class Problem:
    """A problem with the masses that its law has in boxes, on a window (low, high) of every axis for solvers that need one."""

    name: str
    equation: Any
    time: float
    exact: Answer
    window: tuple[tuple[float, float], ...]

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
    return Problem("turning Gaussian with tensor D", equation, until, exact, ((-4.5, 4.5),) * 2)


def well() -> Problem:
    """A double well along x with a reflecting and an absorbing wall; the reference is a solution of 1e-7."""
    walls = rw.Interval(-2.0, 2.0, rw.Reflecting(), rw.Absorbing())
    equation = rw.pde.FokkerPlanck(
        lambda x, y: (4.0 * x - 4.0 * x**3, -2.0 * y + 0.0 * x), 0.5, domain=walls * rw.Line(),
        start=rw.Normal((-1.0, 0.0), (0.1, 0.3)),
    )  # fmt: skip
    reference = rw.pde.solve(equation, [0.5], tolerance=1e-7)
    return Problem(
        "double well with walls", equation, 0.5, lambda e: reference.mass(e, 0.5), ((-2.0, 2.0), (-3.0, 3.0))
    )


def pulse() -> Problem:
    """A pulse of heat in space."""
    sd, d, until = 0.3, 0.5, 0.5
    law = norm(0.0, math.sqrt(sd**2 + 2.0 * d * until))

    def exact(edges: tuple[Array, ...]) -> Array:
        return np.asarray(reduce(np.multiply.outer, (np.diff(law.cdf(e)) for e in edges)))

    equation = rw.pde.FokkerPlanck(0.0, d, domain=rw.Line() ** 3, start=rw.Normal((0.0,) * 3, (sd,) * 3))
    return Problem("pulse of heat in space", equation, until, exact, ((-4.0, 4.0),) * 3)


def ours(problem: Problem) -> tuple[float, float]:
    """(seconds, error), compiled before."""

    def run() -> Any:
        return rw.pde.solve(problem.equation, [problem.time], tolerance=ERROR)

    law, seconds = run(), math.inf
    for _ in range(REPEATS):
        begin = time.perf_counter()
        run()
        seconds = min(seconds, time.perf_counter() - begin)
    return seconds, problem.error(law.mass(problem.edges, problem.time))


def start(problem: Problem, cells: int) -> Array:
    """The density of the normal start at the centres of equal cells."""
    parts = [
        norm(factor.mean, factor.sd).pdf(low + (high - low) * (np.arange(cells) + 0.5) / cells)
        for factor, (low, high) in zip(problem.equation.start.factors, problem.window, strict=True)
    ]
    return np.asarray(reduce(np.multiply.outer, parts))


def boxed(problem: Problem, density: Array) -> Array:
    """The masses of the boxes from a density on equal cells, by linear interpolation of what is below each edge."""
    values = density
    for axis, ((low, high), edges) in enumerate(zip(problem.window, problem.edges, strict=True)):
        cells = density.shape[axis]
        below = np.concatenate([[0.0], np.ones(cells)]).cumsum() * (high - low) / cells + low
        mass = np.moveaxis(values, axis, -1) * (high - low) / cells
        total = np.concatenate([np.zeros((*mass.shape[:-1], 1)), mass.cumsum(axis=-1)], axis=-1)
        flat = np.array([np.interp(edges, below, row) for row in total.reshape(-1, cells + 1)])
        values = np.moveaxis(np.diff(flat.reshape(*total.shape[:-1], edges.size), axis=-1), -1, axis)
    return values


def refined(problem: Problem, solve: Callable[[int], tuple[float, Array]]) -> tuple[float, float]:
    """(seconds, error) of the first grid whose error is small enough; infinite seconds if none is."""
    cells, error = 32, math.inf
    while cells <= MOST ** (2.0 / len(problem.window)):
        seconds, density = solve(cells)
        error = problem.error(boxed(problem, density))
        if error <= ERROR:
            return seconds, error
        cells *= 2
    return math.inf, error


def installed(name: str) -> Any:
    """An installed package, whatever folders of this name are here."""
    path = sys.path[:]
    sys.path[:] = [folder for folder in path if "site-packages" in folder or "lib" in folder]
    try:
        return importlib.import_module(name)
    finally:
        sys.path[:] = path


def py_pde(problem: Problem) -> tuple[float, float]:
    """py-pde on a grid with values 0 at the ends; a reflecting wall is left to randwalk."""
    pde = installed("pde")
    names = "xyz"[: len(problem.window)]
    drift, diffusion = problem.equation.drift, problem.equation.diffusion
    terms = [f"- d_d{n}(({a}) * c)" for n, a in zip(names, drift, strict=True) if str(a) != "0"]
    for i, n in enumerate(names):
        terms.append(f"+ {diffusion[i, i]} * d2_d{n}2(c)")
        terms += [
            f"+ 2 * {diffusion[i, j]} * d_d{n}(d_d{names[j]}(c))" for j in range(i) if str(diffusion[i, j]) != "0"
        ]
    equation = pde.PDE({"c": " ".join(terms)}, bc={"value": 0})

    def solve(cells: int) -> tuple[float, Array]:
        grid = pde.CartesianGrid(list(problem.window), cells)
        state = pde.ScalarField(grid, start(problem, cells))
        equation.solve(state, t_range=1e-6, dt=1e-6, tracker=None, backend="numba")  # compiles
        begin = time.perf_counter()
        found = equation.solve(state, t_range=problem.time, dt=1e-5, adaptive=True, tracker=None, backend="numba")
        return time.perf_counter() - begin, found.data

    return refined(problem, solve)


def fipy(problem: Problem) -> tuple[float, float]:
    """FiPy with exponential convection terms."""
    library, d = installed("fipy"), len(problem.window)
    drift, diffusion = problem.equation.drift, problem.equation.diffusion
    matrix = [[[float(diffusion[i, j]((0.0,) * d)) for j in range(d)] for i in range(d)]]

    def solve(cells: int) -> tuple[float, Array]:
        sizes = {f"d{n}": (h - low) / cells for n, (low, h) in zip("xyz", problem.window, strict=False)}
        counts = {f"n{n}": cells for n in "xyz"[:d]}
        mesh = getattr(library, f"Grid{d}D")(**sizes, **counts) + [[low] for low, _ in problem.window]
        c = library.CellVariable(mesh=mesh, value=start(problem, cells).ravel(order="F"))
        velocity = library.FaceVariable(mesh=mesh, rank=1)
        velocity[:] = np.array([np.broadcast_to(a(tuple(mesh.faceCenters.value)), mesh.numberOfFaces) for a in drift])
        equation = library.TransientTerm() + library.ExponentialConvectionTerm(coeff=velocity) == library.DiffusionTerm(
            coeff=matrix
        )
        steps = 2 * cells
        begin = time.perf_counter()
        for _ in range(steps):
            equation.solve(var=c, dt=problem.time / steps)
        return time.perf_counter() - begin, np.array(c.value).reshape((cells,) * d, order="F")

    return refined(problem, solve)


def main() -> None:
    known = {found.metadata["Name"].lower() for found in importlib.metadata.distributions()}
    others = {name: run for name, run in (("py-pde", py_pde), ("fipy", fipy)) if name in known}
    table = Table("problem", "solver", "seconds", "error", "times randwalk's")
    for make in (turning, well, pulse):
        problem = make()
        first, error = ours(problem)
        table.add_row(problem.name, "randwalk", f"{first:.3g}", f"{error:.1e}", "1")
        for name, run in others.items():
            if not problem.equation.domain.faces:  # walls mean other things there
                seconds, error = run(problem)
                table.add_row("", name, f"{seconds:.3g}", f"{error:.1e}", f"{seconds / first:.3g}")
    Console().print(table)


if __name__ == "__main__":
    main()
