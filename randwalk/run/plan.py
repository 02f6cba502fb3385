"""Which methods can do a run, how long each takes on a reference machine, and how much memory a run needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..inputs.arguments import one_of
from ..inputs.memory import require
from ..kernels.program import PLANES
from ..model.walk import LatticeWalk
from ..tables.guess import where_defined
from ..tables.surroundings import as_point
from ..tables.table import StepTable
from ..tables.window import check_size
from .free import MOST_CELLS, are_free, by_site
from .functional import Leaving, Turns
from .jump import why_not
from .paths import BATCH
from .ranges import LONGEST, SHORTEST
from .record import Moments, Positions, Record, followed
from .windows import KEPT, Rows, Tables

METHODS = ("paths", "occupation", "jump")
ADDING = ("paths", "jump")  # methods by which parts add up to the walkers of the whole run

# Nanoseconds on two cores, between those of an AMD EPYC with AVX2 and of one with AVX-512 (`python -m benchmarks` compares).
# The rule of method="auto" is made of them, so it is the same on every machine.
COIN, DIGITS, TABLE, FOLLOW = 0.008, 0.08, 0.6, 5.0  # a step: p = ½, other constants, from a table, followed
FOLLOW_LINE = 2.2  # a step that is followed by digits on a line, where no other method can do the run
SITE, DRAW, SETUP = 20.0, 1.2, 1.5e6  # a site for a step; a walker for a recorded time; what any run takes


CORES = 2  # of the reference machine
BEGIN = 3.0  # seconds until workers have begun


@dataclass(frozen=True)
class Plan:
    """How a run would be done and what it costs, by method: predicted seconds on a reference machine of two cores of each method
    that can do it, and the one `method="auto"` takes.

    `part`: the walkers are a part of a run, whose size is not known; then `method` is the cheapest of those by which parts add
    up to the walkers of the whole run. `walkers` and `steps` are those of the run, and `sizes` the bytes of its result by method.
    `workers` are those of an executor, of one core each; with them, :attr:`ranges` and :attr:`seconds_by_workers` say in how many
    ranges the walkers would be cut, and when all are done. An executor does not shorten ``occupation``, which is one range
    for one worker at a time.

    Examples
    --------
    >>> import randwalk as rw
    >>> walk = rw.LatticeWalk.from_drift(rw.expression("-sin(x)"), 0.5, dx=0.05, dt=0.001)
    >>> print(rw.explain(walk, 10**11, [10.0], record=[rw.Maximum()], workers=64))
    paths (predicted: paths 5e+06 s)
    100,000,000,000 walkers × 10,000 steps = 1e+15 walker-steps; the result takes 82.6 kB
    on 64 workers of a core: paths 43.4 h in 166,671 ranges
    """

    seconds: dict[str, float]
    part: bool = False
    walkers: int = 0
    steps: int = 0
    sizes: dict[str, float] = field(default_factory=dict)
    workers: int | None = None

    @property
    def method(self) -> str:
        able = [name for name in self.seconds if name in ADDING] if self.part else list(self.seconds)
        return min(able, key=lambda name: self.seconds[name])

    @property
    def ranges(self) -> dict[str, int]:
        """About how many ranges of walkers the workers of an executor would be given, by method: of a minute at most, and one
        for each worker where they take no less than a second."""
        return {name: self._ranges(CORES * seconds) if name in ADDING else 1 for name, seconds in self.seconds.items()}

    def _ranges(self, work: float) -> int:
        each = min(self.workers or 1, math.ceil(work / SHORTEST))
        return min(self.walkers, max(each, math.ceil(work / LONGEST)))

    @property
    def seconds_by_workers(self) -> dict[str, float]:
        """The predicted seconds on the workers, by method."""
        workers = self.workers or 1
        return {
            name: BEGIN + CORES * seconds / min(workers, self.ranges[name]) for name, seconds in self.seconds.items()
        }

    def __str__(self) -> str:
        listed = ", ".join(f"{name} {seconds:.3g} s" for name, seconds in self.seconds.items())
        told = f"{self.method} (predicted: {listed})"
        if self.workers is None:
            return told
        size = _bytes(self.sizes[self.method])
        by_method = ", ".join(
            f"{name} {_duration(seconds)} in {_counted(self.ranges[name], 'range')}"
            for name, seconds in self.seconds_by_workers.items()
        )
        idle = self.workers - self.ranges[self.method]
        left = f"; {_counted(idle, 'worker')} would have nothing to do" if idle > 0 else ""
        return (
            f"{told}\n{self.walkers:,} walkers × {self.steps:,} steps = {float(self.walkers) * self.steps:.3g} walker-steps; "
            f"the result takes {size}\non {_counted(self.workers, 'worker')} of a core: {by_method}{left}"
        )


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000.0:
            return f"{size:.3g} {unit}"
        size /= 1000.0
    return f"{size:.3g} GB"


def _duration(seconds: float) -> str:
    """Seconds in the unit that people would use."""
    for unit, size in (("years", 31_557_600.0), ("days", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2.0 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def plan(walk: LatticeWalk, walkers: range, steps: Sequence[int], records: Sequence[Record], part: bool) -> Plan:
    """The fixed rule of ``method="auto"``: predicted cost of the methods that can do the run."""
    check_records(walk, records)
    return plan_in(Tables(walk, steps[-1]), walkers, steps, records, part)


def plan_in(tables: Tables, walkers: range, steps: Sequence[int], records: Sequence[Record], part: bool) -> Plan:
    """:func:`plan` where the tables of the run are made already, and the records are checked."""
    walk, table = tables.walk, tables.guessed.table
    able = [name for name in METHODS if _can(name, walk, records) and (name != "jump" or _chosen(walk))]
    if not all(by_site(table, records, name) for name in able):
        able = [name for name in able if not by_site(table, records, name)]
    else:
        _check_cells(table, able)
    digits, pairs = table.digits, len(table.offsets) / 2
    functionals, alone = followed(records, walk), able == ["paths"]
    # First passages cost no more on a table.
    if alone and functionals and digits and walk.dimension == 1:
        per_step = FOLLOW_LINE
    elif any(not isinstance(functional, Leaving) for functional in functionals) or (functionals and digits):
        per_step = FOLLOW
    elif digits:
        per_step = (COIN + (DIGITS - COIN) * (digits - 1) / (PLANES - 1)) * pairs
    else:
        per_step = TABLE * pairs
    drawn = len(steps) * DRAW * walk.dimension
    # Where there is a choice, it is by the lifetime from the middle, as it was from the first.
    walked = (_walked(table, steps[-1]) if alone else min(float(steps[-1]), _lifetime(table))) * per_step
    nanoseconds = {
        "paths": len(walkers) * (walked + drawn),
        "occupation": SITE * pairs * steps[-1] * table.sites,
        "jump": len(walkers) * drawn,
    }
    sizes = {name: sum(size for size, _ in result_sizes(table, len(walkers), steps, records, name)) for name in able}
    return Plan({name: 1e-9 * (nanoseconds[name] + SETUP) for name in able}, part, len(walkers), steps[-1], sizes)


def check_records(walk: LatticeWalk, records: Sequence[Record]) -> None:
    """Refuse records that the paths of a walk do not have."""
    for record in records:
        record.check(walk)


def check_method(method: str, walk: LatticeWalk, records: Sequence[Record]) -> None:
    """Refuse a method that is unknown or cannot do a run.

    Raises
    ------
    ValueError
        with the reason.
    """
    one_of("method", method, METHODS)
    check_records(walk, records)
    if _can(method, walk, records):
        return
    if method == "occupation":
        others = [record for record in records if not record.occupation(walk)]
        reason = f"it keeps counts and FirstPassage() only, not {others}"
    else:
        why = why_not(walk)
        reason = (
            f"{why}; take method='paths'"
            if why
            else ("it knows walkers at the recorded times only; take method='paths' for records of whole paths")
        )
    raise ValueError(f"method = {method!r} cannot do this run: {reason}")


def check_memory(
    rows: Rows, walkers: int, steps: Sequence[int], records: Sequence[Record], method: str, threads: int
) -> None:
    """Refuse a request that cannot fit, before anything runs.

    There are two of every result, that of the walkers so far and the sum with the next; and one for each batch of walkers
    that a thread has finished or works at. Places of walkers are in parts, and joined.
    """
    if by_site(rows.table, records, method):
        _check_cells(rows.table, [method])
    batches = 0 if method == "occupation" else min(-(-walkers // BATCH), 2 * threads + 1)
    sizes = [(min(rows.bytes, float(KEPT)), "take a larger dx")]
    kept = (None, *records)
    for record, (size, remedy) in zip(kept, result_sizes(rows.table, walkers, steps, records, method), strict=True):
        sizes.append((size * (2 if isinstance(record, Positions) else 2 + batches), remedy))
    require(sum(size for size, _ in sizes), "the run", max(sizes)[1])


def result_sizes(
    table: StepTable, walkers: int, steps: Sequence[int], records: Sequence[Record], method: str
) -> list[tuple[float, str]]:
    """(bytes, what makes them fewer) of the counts of places, then of each record."""
    cells = table.layout.cells if by_site(table, records, method) else 0
    counts = (8.0 * len(steps) * cells, "record fewer times, or take a larger dx")
    return [counts, *(record.size(table, walkers, steps) for record in records)]


def _check_cells(table: StepTable, methods: Sequence[str]) -> None:
    """Refuse more sites than can be counted one by one."""
    walk = table.walk
    if walk.dimension > 1 and table.layout.cells > MOST_CELLS:
        displaced = any(are_free(table, [Moments()], method) for method in methods)
        # Steps of given probabilities lead as many sites away whatever their size.
        fewer = (
            "a larger dx" if walk.declared is not None or any(axis.sites for axis in walk.lattices) else "a larger dt"
        )
        raise ValueError(
            f"{table.sites} sites are more than the {MOST_CELLS} that are counted one by one: take {fewer}"
            + (", or shorter times, after which walkers have reached fewer" if any(table.layout.edges) else "")
            + (", or record=[Moments()] or other records of displacements, which need no counts" if displaced else "")
        )
    check_size(walk, [(first, first + sites - 1) for first, sites in table.window])


def _chosen(walk: LatticeWalk) -> bool:
    """Whether ``method="auto"`` may take jumps: where it could from the first, so that it chooses what it chose before."""
    return walk.axis_steps is not None and not any(axis.periodic for axis in walk.domain.axes)


def keeps(method: str, walk: LatticeWalk, records: Sequence[Record]) -> bool:
    """Whether a method can keep all of some records."""
    if method == "occupation":
        return all(record.occupation(walk) for record in records)
    return method == "paths" or all(isinstance(functional, Turns) for functional in followed(records, walk))


def _can(method: str, walk: LatticeWalk, records: Sequence[Record]) -> bool:
    """Whether a method can do a run."""
    return keeps(method, walk, records) and (method != "jump" or why_not(walk) is None)


def _walked(table: StepTable, steps: int) -> float:
    """About how many of so many steps a walker makes before it is absorbed, from the middle of where walkers start: along each
    axis as many as free steps, and as the mean step at the start, take to the walls that absorb."""
    walk, found = table.walk, float(steps)
    middle = [0.5 * (low + high) for low, high in walk.start.bounds]
    start = as_point([np.array([x]) for x in middle])
    chances = {step: float(where_defined(chance, start, 0.0)[0]) for step, chance in walk.probabilities.items()}
    for axis, dx in enumerate(walk.spacings):
        moving, mean = (sum(p * step[axis] ** power for step, p in chances.items()) for power in (2, 1))
        walls = [face for face in walk.domain.faces if face.axis == axis and math.isinf(face.wall.reactivity)]
        away = [abs(face.place - middle[axis]) / dx for face in walls]
        for face, distance in zip(walls, away, strict=True):
            towards = -face.inward * mean
            found = min(found, _free_steps(distance, moving, steps), distance / towards if towards > 0.0 else math.inf)
        if len(away) == 2 and moving > 0.0:
            found = min(found, math.prod(away) / moving)
    return found


def _free_steps(distance: float, moving: float, steps: int) -> float:
    """The mean of the earlier of `steps` and the passage of a place by free steps of probability `moving`: the integral of
    erf(distance/√(2 moving n)), the chance that a Brownian path has not passed [Feller 1968, ch. XIV.6]."""
    u = distance**2 / (2.0 * moving * steps) if moving > 0.0 and steps else math.inf
    if u > 40.0:  # nobody passes
        return float(steps)
    root = math.sqrt(u)
    return steps * ((1.0 + 2.0 * u) * math.erf(root) + 2.0 / math.sqrt(math.pi) * root * math.exp(-u) - 2.0 * u)


def _lifetime(table: StepTable) -> float:
    """About how many steps a walker makes before it is absorbed: N²/4p free steps along an axis with N sites between absorbing
    walls, along which it moves with the probability p."""
    shape, faces = table.layout.shape, table.walk.domain.faces
    if not faces:
        return math.inf
    middle = as_point([x[x.size // 2] for x in table.axes])
    moving = {step: float(chance(middle, 0.0)) for step, chance in table.walk.probabilities.items()}
    shortest = math.inf
    for axis, sites in enumerate(shape):
        walls = [face.wall for face in faces if face.axis == axis]
        along = sum(p for step, p in moving.items() if step[axis])
        if len(walls) == 2 and all(math.isinf(wall.reactivity) for wall in walls) and along > 0.0:
            shortest = min(shortest, sites**2 / (4.0 * along))
    return shortest
