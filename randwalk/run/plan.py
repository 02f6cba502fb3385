"""Which methods can do a run, how long each takes on a reference machine, and how much memory a run needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..inputs.arguments import one_of
from ..inputs.memory import require
from ..kernels.program import PLANES
from ..model.walk import LatticeWalk
from ..tables.surroundings import as_point
from ..tables.table import StepTable
from .functional import Leaving
from .paths import BATCH
from .record import Positions, Record, followed
from .windows import KEPT, Rows, Windows

METHODS = ("paths", "occupation", "jump")
MOST_CELLS = 1 << 26  # of several axes that are counted one by one
ADDING = ("paths", "jump")  # methods by which parts add up to the walkers of the whole run

# Nanoseconds on two cores, between those of an AMD EPYC with AVX2 and of one with AVX-512 (`python -m benchmarks` compares).
# The rule of method="auto" is made of them, so it is the same on every machine.
COIN, DIGITS, TABLE, FOLLOW = 0.008, 0.08, 0.6, 5.0  # a step: p = ½, other constants, from a table, followed
SITE, DRAW, SETUP = 20.0, 1.2, 1.5e6  # a site for a step; a walker for a recorded time; what any run takes


@dataclass(frozen=True)
class Plan:
    """How a run would be done: predicted seconds of each method that can do it, and the one `method="auto"` takes.

    `part`: the walkers are a part of a run, whose size is not known; then `method` is the cheapest of those by which parts add
    up to the walkers of the whole run.
    """

    seconds: dict[str, float]
    part: bool = False

    @property
    def method(self) -> str:
        able = [name for name in self.seconds if name in ADDING] if self.part else list(self.seconds)
        return min(able, key=lambda name: self.seconds[name])

    def __str__(self) -> str:
        listed = ", ".join(f"{name} {seconds:.3g} s" for name, seconds in self.seconds.items())
        return f"{self.method} (predicted: {listed})"


def plan(walk: LatticeWalk, walkers: range, steps: Sequence[int], records: Sequence[Record], part: bool) -> Plan:
    """The fixed rule of ``method="auto"``: predicted cost of the methods that can do the run."""
    check_records(walk, records)
    table = Windows(walk, steps[-1]).rows.table
    digits, pairs = table.digits, len(table.offsets) / 2
    functionals = followed(records, walk)
    # First passages cost no more on a table.
    if any(not isinstance(functional, Leaving) for functional in functionals) or (functionals and digits):
        per_step = FOLLOW
    elif digits:
        per_step = (COIN + (DIGITS - COIN) * (digits - 1) / (PLANES - 1)) * pairs
    else:
        per_step = TABLE * pairs
    drawn = len(steps) * DRAW * walk.dimension
    walked = min(float(steps[-1]), _lifetime(table)) * per_step
    nanoseconds = {
        "paths": len(walkers) * (walked + drawn),
        "occupation": SITE * pairs * steps[-1] * table.sites,
        "jump": len(walkers) * drawn,
    }
    return Plan({name: 1e-9 * (nanoseconds[name] + SETUP) for name in METHODS if _can(name, walk, records)}, part)


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
    elif not _digits(walk):
        reason = "it needs constant probabilities on the whole line, without killing"
    elif walk.axis_steps is None:
        reason = "it draws axis by axis, and the axes of this walk do not step independently"
    else:
        reason = "it knows walkers at the recorded times only; take method='paths' for records of whole paths"
    raise ValueError(f"method = {method!r} cannot do this run: {reason}")


def check_memory(
    rows: Rows, walkers: int, steps: Sequence[int], records: Sequence[Record], method: str, threads: int
) -> None:
    """Refuse a request that cannot fit, before anything runs.

    There are two of every result, that of the walkers so far and the sum with the next; and one for each batch of walkers
    that a thread has finished or works at. Places of walkers are in parts, and joined.
    """
    table = rows.table
    if table.walk.dimension > 1 and table.layout.cells > MOST_CELLS:
        raise ValueError(
            f"{table.sites} sites are more than the {MOST_CELLS} that are counted one by one: take a larger dx"
            + (
                ""
                if table.layout.edges.count(True) == 0
                else ", or shorter times, after which walkers have reached fewer"
            )
        )
    batches = 0 if method == "occupation" else min(-(-walkers // BATCH), 2 * threads + 1)
    sizes = [
        (8.0 * len(steps) * table.layout.cells * (2 + batches), "record fewer times, or take a larger dx"),
        (min(rows.bytes, float(KEPT)), "take a larger dx"),
    ]
    for record in records:
        size, remedy = record.size(table, walkers, steps)
        sizes.append((size * (2 if isinstance(record, Positions) else 2 + batches), remedy))
    require(sum(size for size, _ in sizes), "the run", max(sizes)[1])


def _digits(walk: LatticeWalk) -> int:
    """The binary digits of a constant walk, which its sites do not matter to; 0 for other walks."""
    return StepTable(walk, ((0, 1),) * len(walk.lattices)).digits if walk.homogeneous else 0


def _can(method: str, walk: LatticeWalk, records: Sequence[Record]) -> bool:
    """Whether a method can do a run."""
    if method == "occupation":
        return all(record.occupation(walk) for record in records)
    if method == "jump":
        return not followed(records, walk) and walk.axis_steps is not None and _digits(walk) > 0
    return True


def _lifetime(table: StepTable) -> float:
    """About how many steps a walker makes before it is absorbed: N²/4p free steps along an axis with N sites between absorbing
    walls, along which it moves with the probability p."""
    shape, faces = table.layout.shape, table.walk.domain.faces
    middle = as_point([x[x.size // 2] for x in table.axes])
    moving = {step: float(chance(middle, 0.0)) for step, chance in table.walk.probabilities.items()}
    shortest = math.inf
    for axis, sites in enumerate(shape):
        walls = [face.wall for face in faces if face.axis == axis]
        along = sum(p for step, p in moving.items() if step[axis])
        if len(walls) == 2 and all(math.isinf(wall.reactivity) for wall in walls) and along > 0.0:
            shortest = min(shortest, sites**2 / (4.0 * along))
    return shortest
