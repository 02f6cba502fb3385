"""The three rungs of validation for one problem, or for all built-in ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from randwalk.ensemble import Ensemble
from randwalk.inputs.keywords import once_positional
from randwalk.inputs.wording import did_you_mean
from randwalk.model.coefficient import Constant
from randwalk.model.ito import ItoWalk
from randwalk.model.walk import LatticeWalk
from randwalk.pde import exact_law, limit
from randwalk.problem import ORDER, Problem, ProblemError, Source, as_keys
from randwalk.run.executor import gathered
from randwalk.run.record import FirstPassage
from randwalk.simulation import explain, simulate
from randwalk.terminal.streams import read_standard_input

from .compare import FALSE_ALARMS, Comparison, compare, gather
from .convergence import Convergence, Reference, reference, solver_convergence, walk_convergence
from .exhibits import of_curve, of_ito, of_lattice
from .levels import climb, law_of
from .measure import Measure, distance
from .measured_curve import MeasuredCurve
from .plain import difference
from .provenance import Provenance, command
from .read_measured import beside_walk, read_measured
from .report import Budget, CaseReport, Report
from .values import value_checks

MOST_SOLVED = 3  # dimensions in which equations are solved by finite differences
MANY = 10**12  # walkers of the occupation run; its cost does not depend on them,
PARTS = 4  # but on the parts in which it is made


def case_names() -> list[str]:
    """The names of the built-in cases.

    >>> "biased_line" in case_names()
    True
    """
    return sorted(
        p.name.removesuffix(".toml")
        for p in resources.files(__package__).joinpath("cases").iterdir()
        if p.name.endswith(".toml")
    )


def load_case(name: str) -> Problem:
    """A built-in case by its name, a problem file by its path, or the problem on standard input for "-"."""
    if name == "-":
        return Problem.of(Source.parse(read_standard_input(), "standard input"))
    if name.endswith(".toml"):
        return Problem.load(name)
    if name not in case_names():
        known = f"the built-in ones are {', '.join(case_names())}, a file ends in .toml"
        raise ValueError(f"there is no case {name!r}: {known}{did_you_mean(name, case_names())}")
    return Problem.load(Path(str(resources.files(__package__).joinpath("cases", f"{name}.toml"))))


def caught(problem: Problem) -> tuple[str, ...]:
    """The mistakes that a problem is said to find: its ``catches``, a text or a list of texts."""
    given = problem.source.data.get("catches", []) if problem.source else []
    return tuple(map(str, given)) if isinstance(given, list) else (str(given),)


def told(problem: Problem) -> str:
    """Those mistakes in one line."""
    return "; ".join(caught(problem))


@once_positional("name", "walkers", "seed", "threads")
def validate_problem(
    problem: Problem,
    *,
    name: str = "problem",
    walkers: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
) -> CaseReport:
    """Climb the three rungs with one problem, by every method of simulation that can run it.

    `walkers` and `seed` replace those of its file, which are those of [validate], else those of [run]. ``occupation`` always
    has 10¹² walkers, because its cost does not depend on their number.
    """
    if isinstance(problem.walk, ItoWalk):
        return _validate_ito(problem, name, walkers, seed, threads)
    begun = time.perf_counter()
    measured = read_measured(problem)  # here, so that bad data are refused before anything runs
    walk = problem.walk
    times = [float(t) for t in walk.recorded(walk.steps(problem.times)).exact if t > 0]  # the times of steps
    equation, against = limit(walk), reference(walk, times)
    measure = against.measure
    run = _as_run(problem, walkers, seed)
    ensembles = _ensembles(run, threads)
    law = exact_law(walk, problem.times)
    sampling = gather([compare(e, law) for e in ensembles])
    sampling = replace(sampling, checks=(*sampling.checks, *value_checks(problem, run.seed, threads)))
    exhibits = of_lattice(ensembles, law, against.law)
    data: Comparison | None = None
    if measured is not None:
        measured, expected = beside_walk(measured, problem)
        data = compare(measured, expected)
        exhibits += of_curve(measured, expected) if isinstance(measured, MeasuredCurve) else ()
    source = problem.source or Source.parse("")
    apart = difference(walk, law, source.data, source.folder)
    discretisation = replace(walk_convergence(walk, times, against, measure, problem.validation_order), apart=apart)
    return CaseReport(
        name, problem.title, told(problem), sampling, discretisation,
        solver_convergence(equation, against, measure, problem.validation_order), data,
        _budget(ensembles[0], walk, against, measure),
        tuple(f"{e.walkers:.0e} by {e.method}" for e in ensembles), against.missing, time.perf_counter() - begun,
        problem=run, exhibits=exhibits,
    )  # fmt: skip


def _as_run(problem: Problem, walkers: int | None, seed: int | None) -> Problem:
    """The problem with the walkers and the seed of its validation: those given, else of [validate], else of [run]."""
    many = (walkers, problem.validation_walkers, problem.walkers)
    first = (seed, problem.validation_seed, problem.seed)
    return replace(
        problem, walkers=next(n for n in many if n is not None), seed=next(n for n in first if n is not None)
    )


def _validate_ito(
    problem: Problem, name: str, walkers: int | None, seed: int | None, threads: int | None
) -> CaseReport:
    """The rungs of an Itô walk: extrapolated means against the equation, the weak order from coupled levels, and the solver."""
    begun = time.perf_counter()
    measured = read_measured(problem)
    walk: ItoWalk = problem.walk
    times = [float(t) for t in walk.recorded(walk.steps(problem.times)).exact if t > 0]
    run = _as_run(problem, walkers, seed)
    many, first = run.walkers, run.seed
    order = walk.scheme.order if problem.validation_order == ORDER else problem.validation_order
    against = law_of(walk, times)
    valued = value_checks(problem, first, threads)
    sampling, halving, (total, statistical, step) = climb(walk, times, against, many, first, order, threads)
    sampling = replace(sampling, checks=(*sampling.checks, *valued))
    exhibits = of_ito(walk, times, against.law, first, threads)
    data: Comparison | None = None
    if measured is not None:
        measured, expected = beside_walk(measured, problem)
        data = compare(measured, expected)
        exhibits += of_curve(measured, expected) if isinstance(measured, MeasuredCurve) else ()
    return CaseReport(
        name, problem.title, told(problem), sampling, halving, _solved(walk, against), data,
        Budget(total, statistical, step, 0.0), (f"{many:.0e} on each of three levels",), against.missing,
        time.perf_counter() - begun, (f"extrapolated ensembles against {against.name}", "steps of dt and dt/2"),
        problem=run, exhibits=exhibits,
    )  # fmt: skip


def _solved(walk: ItoWalk, against: Reference) -> Convergence:
    """Rung 3 of an Itô walk; nothing is judged in more dimensions than are solved, and between moving ends."""
    if walk.dimension > MOST_SOLVED or walk.domain.moves:
        return Convergence(
            "nothing, beyond three dimensions and between moving ends", (1.0, 0.5), (np.nan, np.nan), counted=False
        )
    return solver_convergence(limit(walk), against, against.measure)


def _ensembles(problem: Problem, threads: int | None) -> list[Ensemble]:
    """An ensemble by every method that can run the problem, with passages recorded where walkers can leave."""
    walk = problem.walk
    record = [FirstPassage()] if walk.domain.open_exits(walk.killing != Constant(0.0)) else []
    methods = explain(walk, problem.walkers, problem.times, record=record).seconds

    def made(method: str, walkers: int | range) -> Ensemble:
        return simulate(walk, walkers, problem.times, seed=problem.seed, method=method, record=record, threads=threads)

    return [_in_parts(made) if method == "occupation" else made(method, problem.walkers) for method in methods]


def _in_parts(made: Callable[[str, range], Ensemble]) -> Ensemble:
    """An occupation run of several parts, which are independent samples: of parts that were alike the counts would be off by
    more than the noise of so many walkers."""
    each = MANY // PARTS
    parts = [made("occupation", range(i * each, (i + 1) * each)) for i in range(PARTS)]
    return reduce(lambda first, second: first.merge(second), parts)


def _budget(ensemble: Ensemble, walk: LatticeWalk, against: Reference, measure: Measure) -> Budget:
    law = exact_law(walk, measure.times)
    p = np.clip(measure.values(law), 0.0, 1.0)
    return Budget(
        distance(measure.values(ensemble), against.values),
        float(np.sqrt(np.mean(p * (1.0 - p)) / ensemble.walkers)),
        distance(measure.values(law.smoothed()), against.values),
        measure.difference(law, law.smoothed()),
    )


@dataclass(frozen=True)
class Climbing:
    """The work for a case: its report, or the reason of its failure."""

    walkers: int | None
    seed: int | None
    threads: int | None
    shared: tuple[Any, ...] = ()

    def __call__(self, case: tuple[str, str], ended: Callable[[], bool] = lambda: False) -> CaseReport | str:
        """Of a case by its name, or the path of its file, and its short name."""
        name, short = case
        try:
            return validate_problem(
                load_case(name), name=short, walkers=self.walkers, seed=self.seed, threads=self.threads
            )
        except ProblemError as error:  # its message names the file
            return str(error)
        except (ValueError, TypeError, ArithmeticError, OSError, MemoryError) as error:
            return f"{short}: {as_keys(' '.join(str(error).split())) or type(error).__name__}"


class Queue:
    """Items for the workers of an executor, one after another."""

    def __init__(self, items: Sequence[Any]) -> None:
        self.left = list(items)

    def take(self, shares: int) -> Any:
        return self.left.pop(0) if self.left else None

    def took(self, item: Any, seconds: float) -> None:
        """All are taken as they are."""


def _climbed(
    cases: Sequence[tuple[str, str]], work: Climbing, executor: Any
) -> Iterator[tuple[tuple[str, str], CaseReport | str]]:
    """Each case with its report or the reason of its failure, as they are done. Standard input is read here."""
    here = [case for case in cases if executor is None or case[0] == "-"]
    yield from ((case, work(case)) for case in here)
    if others := [case for case in cases if case not in here]:
        yield from gathered(executor, work, Queue(others))


@once_positional("walkers", "seed", "alpha", "threads", "done")
def validate(
    names: Sequence[str] = (),
    *,
    walkers: int | None = None,
    seed: int | None = None,
    alpha: float = FALSE_ALARMS,
    threads: int | None = None,
    done: Callable[[CaseReport | str], None] = lambda report: None,
    executor: Any = None,
) -> Report:
    """Validate built-in cases by name, problem files by path, or all built-in cases.

    A file that cannot be read, or a case that fails while it runs, is in ``report.failures``; the other cases go on.

    Parameters
    ----------
    names : sequence of str
        Names and paths that end in ``.toml``; none means all built-in cases.
    walkers, seed : int, optional
        In place of those of the files; see :func:`validate_problem`.
    alpha : float
        The family-wise false-alarm rate of all cases together.
    threads : int, optional
        At most this many.
    done : function, optional
        Called after each case with its report, or with the reason of its failure.
    executor : object with submit(f, *args), or a function that makes one
        Whose workers take a case each; see :func:`randwalk.simulate`. The report is the same, whichever case is done first.

    Raises
    ------
    ValueError
        for a name that no built-in case has, or an `alpha` that is no rate, before anything runs.

    Examples
    --------
    >>> validate(["lazy_line"], walkers=10_000).passed
    True
    """
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha = {alpha}: must lie between 0 and 1")
    if isinstance(names, str):
        raise TypeError(f"names = {names!r}: give a list, [{names!r}]")
    chosen = list(dict.fromkeys(names or case_names()))
    for name in chosen:
        if name != "-" and not name.endswith(".toml"):
            load_case(name)
    begun = time.perf_counter()
    stems = [Path(name).stem for name in chosen]
    cases = [
        (name, "standard input" if name == "-" else stem if stems.count(stem) == 1 else name)
        for name, stem in zip(chosen, stems, strict=True)
    ]
    found: dict[str, CaseReport | str] = {}
    for (_, short), made in _climbed(cases, Climbing(walkers, seed, threads), executor):
        found[short] = made
        done(made)
    in_order = [(short, found[short]) for _, short in cases]
    reports = [report for _, report in in_order if isinstance(report, CaseReport)]
    failures = {short: reason for short, reason in in_order if isinstance(reason, str)}
    again = command(list(dict.fromkeys(names)), walkers, seed, alpha)
    return Report(tuple(reports), alpha, failures, Provenance.here(again, time.perf_counter() - begun, threads))
