"""The evidence put to the test: faults planted into the running package, and the rungs that catch each.

A case says what it catches by names of the library (:data:`randwalk.validate.faults.LIBRARY`). Each is planted, the case is
validated again, and the rungs that the library names must fail, while without a fault the case must pass. Faults of the
statistics are caught by trials of their own (:mod:`randwalk.validate.judge`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from randwalk.inputs.keywords import once_positional
from randwalk.model.ito import ItoWalk
from randwalk.run.executor import gathered
from randwalk.terminal.status import AGAINST

from ..compare import FALSE_ALARMS
from ..convergence import Convergence, Reference
from ..judge import SURE, judge
from ..report import Report
from ..run import Queue, case_names, caught, load_case, validate_problem
from . import LIBRARY, Fault, planting, replace

if TYPE_CHECKING:
    from rich.console import RenderableType

ON_LATTICES, CONTINUOUS = 20_000, 160_000  # walkers: faults are larger than what the cases see with all of theirs
JUDGE = "judge"
SKIPPED = (("exhibits", "of_lattice"), ("exhibits", "of_ito"), ("exhibits", "of_curve"))  # figures, which judge nothing
RAISED = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, AssertionError)


@dataclass(frozen=True)
class Trial:
    """A fault planted while a case was validated; without a `fault`, the case as it is.

    `failed` are the rungs that failed, `wanted` those that must; `error` is what stopped the case, if it was stopped.
    """

    case: str
    fault: str
    part: str
    wanted: tuple[str, ...]
    failed: tuple[str, ...]
    seconds: float
    error: str = ""

    @property
    def passed(self) -> bool:
        """Whether the fault was caught by the rungs that must; of a case without a fault, whether nothing failed."""
        if self.error:
            return False
        return set(self.wanted) <= set(self.failed) if self.fault else not self.failed

    def __str__(self) -> str:
        by = self.error or ", ".join(self.failed) or "nothing"
        if not self.fault:
            return f"{self.case} without a fault: " + ("passes" if self.passed else f"FAILS in {by}")
        return f"{self.fault}, in {self.case}: " + (f"caught by {by}" if self.passed else f"MISSED (failed: {by})")


@dataclass(frozen=True)
class SelfTest:
    """All trials, and the faults of the library that were in none of them."""

    trials: tuple[Trial, ...]
    left_out: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every fault was caught, and every case passes without one."""
        return all(trial.passed for trial in self.trials) and not self.left_out

    @property
    def status(self) -> int:
        """The exit status of ``randwalk validate --self-test``: 0, or 1 if a fault was missed."""
        return 0 if self.passed else AGAINST

    def table(self) -> RenderableType:
        """A row for each fault and case."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for heading in ("fault", "of the", "planted in", "caught by"):
            table.add_column(heading, overflow="fold")
        table.add_column("s", justify="right")
        for trial in self.trials:
            if trial.fault or not trial.passed:
                by = trial.error or ", ".join(trial.failed) or "nothing"
                style = "green" if trial.passed else "bold red"
                told = by if trial.passed else f"{by} ✗"
                what = trial.fault or "none"
                table.add_row(what, trial.part, trial.case, Text(told, style=style), f"{trial.seconds:.1f}")
        return table

    def summary(self) -> str:
        """The verdict in one line."""
        planted = [trial for trial in self.trials if trial.fault]
        faults = len({trial.fault for trial in planted})
        missed = sum(not trial.passed for trial in planted)
        unsound = sum(not trial.passed for trial in self.trials if not trial.fault)
        verdict = "all caught" if not missed else f"{missed} MISSED"
        verdict += f", {unsound} cases FAIL without a fault" if unsound else ""
        if self.left_out:
            verdict += f", {len(self.left_out)} planted in no case: {'; '.join(self.left_out)}"
        return f"{faults} faults planted {len(planted)} times: {verdict}"

    def to_json(self) -> str:
        """All trials as JSON."""
        data = {
            "passed": self.passed, "left_out": self.left_out,
            "trials": [asdict(trial) | {"passed": trial.passed} for trial in self.trials],
        }  # fmt: skip
        return json.dumps(data, indent=2)

    def __repr__(self) -> str:
        return self.summary()


@once_positional("names", "threads", "done")
def self_test(
    names: Sequence[str] = (),
    *,
    walkers: int | None = None,
    seed: int | None = None,
    alpha: float = FALSE_ALARMS,
    threads: int | None = None,
    done: Callable[[Trial], None] = lambda trial: None,
    executor: Any = None,
) -> SelfTest:
    """Plant faults and see which rungs catch them.

    Parameters
    ----------
    names : sequence of str
        Built-in cases by name, problem files by path, and "judge", the trials of the statistics; without them all, and then a
        fault of the library that no case names counts as missed.
    walkers : int, optional
        In place of 20 000 on lattices and 160 000 in continuous space, with which the faults of the library are seen; with fewer
        some are missed.
    seed : int, optional
        In place of those of the cases; also that of the trials of the statistics.
    alpha : float
        The family-wise false-alarm rate of a case.
    threads : int, optional
    done : function, optional
        Called with each trial.
    executor : object with submit(f, *args), or a function that makes one
        Whose workers take a fault each; they must be processes, because faults are planted in the whole of one. See
        :func:`randwalk.simulate`.

    Returns
    -------
    SelfTest
        with ``passed``, ``status``, ``table()``, ``to_json()`` and ``trials``.

    Raises
    ------
    ValueError
        for a name that no case has, or an `alpha` that is no rate, before anything runs.

    Examples
    --------
    >>> found = self_test(["gamblers_ruin"])
    >>> found.passed, found.trials[1].failed
    (True, ('sampling',))
    """
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha = {alpha}: must lie between 0 and 1")
    chosen = list(dict.fromkeys(names or [*case_names(), JUDGE]))
    known = {name: () if name == JUDGE else caught(load_case(name)) for name in chosen}
    pairs = [(name, fault) for name in chosen for fault in ("", *_planted_in(name, known[name]))]
    found: dict[tuple[str, str], Trial] = {}
    work = Planting(walkers, seed, alpha, threads)
    made = ((pair, work(pair)) for pair in pairs) if executor is None else gathered(executor, work, Queue(pairs))
    for pair, each in made:
        found[pair] = each
        done(each)
    planted = {fault for _, fault in pairs}
    left_out = () if names else tuple(fault for fault in LIBRARY if fault not in planted)
    return SelfTest(tuple(found[pair] for pair in pairs), left_out)


def _planted_in(name: str, known: tuple[str, ...]) -> list[str]:
    """The faults of the library that a case names."""
    if name == JUDGE:
        return [fault.name for fault in LIBRARY.values() if JUDGE in fault.rungs]
    return [fault for fault in known if fault in LIBRARY]


@dataclass(frozen=True)
class Planting:
    """The work for a case and a fault."""

    walkers: int | None = None
    seed: int | None = None
    alpha: float = FALSE_ALARMS
    threads: int | None = None
    shared: tuple[Any, ...] = ()

    def __call__(self, pair: tuple[str, str], ended: Callable[[], bool] = lambda: False) -> Trial:
        name, fault = pair
        return trial(name, LIBRARY[fault] if fault else None, self)


def trial(name: str, fault: Fault | None, settings: Planting | None = None) -> Trial:
    """Validate a case with a fault planted; what was replaced is put back."""
    begun, error = time.perf_counter(), ""
    failed: tuple[str, ...] = ()
    with planting() as patch:
        for module, function in SKIPPED:
            replace(patch, f"randwalk.validate.{module}", function, lambda _: lambda *arguments: ())
        replace(patch, "randwalk.validate.convergence", "solver_convergence", _if_judged)
        try:
            if fault is not None:
                fault.plant(patch)
            failed = _failed(name, settings or Planting())
        except RAISED as raised:
            error = " ".join(f"{type(raised).__name__}: {raised}".split())
    told = (fault.name, fault.part, fault.rungs) if fault is not None else ("", "", ())
    return Trial(name, *told, failed, time.perf_counter() - begun, error)


def _if_judged(right: Callable[..., Convergence]) -> Callable[..., Convergence]:
    """Rung 3 where a closed form judges it."""

    def judged(equation: Any, against: Reference, *more: Any) -> Convergence:
        nothing = Convergence(against.name, (1.0, 0.5), (np.nan, np.nan), counted=False)
        return nothing if against.missing else right(equation, against, *more)

    return judged


def _failed(name: str, settings: Planting) -> tuple[str, ...]:
    """The rungs of a case that fail."""
    seed = settings.seed
    if name == JUDGE:
        checks = judge() if seed is None else judge(seed)
        return (JUDGE,) if min(check.p_value for check in checks) < SURE else ()
    problem = load_case(name)
    walkers = settings.walkers or (CONTINUOUS if isinstance(problem.walk, ItoWalk) else ON_LATTICES)
    report = validate_problem(problem, walkers=walkers, seed=seed, threads=settings.threads)
    verdicts = Report((report,), settings.alpha).verdicts(report)
    return tuple(rung for rung, verdict in verdicts.items() if verdict == "fail")
