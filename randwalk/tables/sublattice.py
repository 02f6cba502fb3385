"""Which sites a walk can be on. A walk that never stays may live on a part of the lattice; the table says so, nobody assumes it.

The differences of the possible steps span a sublattice, and after any number of steps a walker from one site is on one coset
of it. On the line and without stay these are the sites of one parity; in general they are every ``index``-th site.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from ..laws.atoms import Support
from .start_table import start_cells
from .table import StepTable

Basis = list[list[int]]


def occupied(table: StepTable, step: int) -> slice | NDArray[np.bool_]:
    """The live sites that can be occupied after `step` steps: all of them, or those of a coset. On one axis a slice of the sites
    (numbered from 0), on several a bool array of the shape of the window."""
    basis, first = _basis(table, step, everywhere=True), _first_step(table, step)
    cells, masses = start_cells(table)
    layout = table.layout
    begun = np.stack(layout.numbers(cells[layout.is_live(cells) & (masses > 0.0)]), axis=-1)
    everything = slice(None) if len(table.window) == 1 else layout.free
    if _index(basis) == 1 or not len(begun) or _away(basis, begun - begun[0]).any():
        return everything
    origin = begun[0] + step * np.array(first)
    if len(table.window) == 1:
        return slice(int(origin[0] - table.first) % _index(basis), None, _index(basis))
    sites = np.stack(np.meshgrid(*(layout.along(axis) for axis in range(len(table.window))), indexing="ij"), axis=-1)
    return np.asarray(layout.free & ~_away(basis, sites - origin))


def cell(table: StepTable, step: int) -> tuple[int, ...]:
    """The sides, in sites, of the brick that an atom stands for: bricks at the sites of a coset fill the space, and are one
    site wide where a walk can be on all sites.

    Near a half-way wall a walker stays, which mixes the cosets only gradually, so sites from which not all steps are made do not
    count.
    """
    return tuple(row[axis] for axis, row in enumerate(_basis(table, max(step, 1), everywhere=False)))


def _possible(table: StepTable, steps: int, everywhere: bool) -> list[tuple[int, ...]]:
    """The steps that can be made, nowhere among them where a walker can stay. A single step counts with its opposite."""
    possible, stays = table.possible(steps)
    made = list(compress(table.walk.probabilities, possible[:-1]))
    if possible[-1] or (everywhere and stays):
        made.append((0,) * len(table.window))
    return [made[0], tuple(-e for e in made[0])] if len(made) == 1 else made


def _first_step(table: StepTable, steps: int) -> tuple[int, ...]:
    return next(iter(_possible(table, steps, True)), (0,) * len(table.window))


def _basis(table: StepTable, steps: int, everywhere: bool) -> Basis:
    """The sublattice of the differences of the steps that are possible in the first `steps` ones, and of turns round periodic
    axes."""
    axes = len(table.window)
    made = _possible(table, steps, everywhere) or list(table.walk.probabilities)
    differences = [[a - b for a, b in zip(step, made[0], strict=True)] for step in made]
    turns = [
        [n * (other == axis) for other in range(axes)]
        for axis, (n, ring) in enumerate(zip(table.layout.shape, table.layout.periodic, strict=True))
        if ring
    ]
    return hermite([*differences, *turns], axes)


def hermite(vectors: Iterable[Sequence[int]], axes: int) -> Basis:
    """The Hermite normal form of the lattice that whole vectors span: a basis, row i of which has a positive number in place i
    and zeros after it. A direction that no vector has counts as that of an axis.

    >>> hermite([(1, 1), (1, -1), (2, 0)], 2)
    [[2, 0], [1, 1]]
    """
    rest = [list(vector) for vector in vectors]
    basis: Basis = []
    for axis in reversed(range(axes)):
        pivot = [int(other == axis) for other in range(axes)]
        moving = [row for row in rest if row[axis]]
        rest = [row for row in rest if not row[axis]]
        while len(moving) > 1:  # Euclid's algorithm on the entries of this axis
            moving.sort(key=lambda row: abs(row[axis]))
            least, *others = moving
            reduced = [_minus(row, row[axis] // least[axis], least) for row in others]
            moving = [least, *(row for row in reduced if row[axis])]
            rest += [row for row in reduced if not row[axis]]
        for row in moving:
            pivot = row if row[axis] > 0 else _minus([0] * axes, 1, row)
        basis.insert(0, pivot)
    return [_reduced(row, axis, basis) for axis, row in enumerate(basis)]


def _reduced(row: Sequence[int], axis: int, basis: Basis) -> list[int]:
    """A row of a basis with the smallest numbers ≥ 0 before its own place."""
    for before in reversed(range(axis)):
        row = _minus(row, row[before] // basis[before][before], basis[before])
    return list(row)


def _minus(row: Sequence[int], times: int, other: Sequence[int]) -> list[int]:
    return [a - times * b for a, b in zip(row, other, strict=True)]


def _index(basis: Basis) -> int:
    """How many sites there are for one of the sublattice."""
    return math.prod(row[axis] for axis, row in enumerate(basis))


def _away(basis: Basis, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the sites, shape (…, axes), are not on the sublattice."""
    rest, away = numbers, np.zeros(numbers.shape[:-1], dtype=bool)
    for axis, row in reversed(list(enumerate(basis))):
        times, left = np.divmod(rest[..., axis], row[axis])
        away |= left != 0
        rest = rest - times[..., None] * np.array(row)
    return away


def support_at(table: StepTable, step: int) -> Support:
    """The sites of a table after `step` steps, as a law has atoms on them."""
    return Support(
        table.axes, table.walk.spacings, table.walk.domain.axes, lambda: (occupied(table, step), cell(table, step))
    )
