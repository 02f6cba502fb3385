"""The arguments of a walk: domain, start and lattices that fit each other, and the probability of each step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.arguments import member, number, numbers
from ..inputs.memory import SHARE, available, require
from ..inputs.wording import shown
from .coefficient import Coefficient, CoefficientLike, Constant, components, in_dimension
from .convention import Convention
from .discretise import Declared
from .domain import Domain, Line, as_domain
from .grid import Grid
from .lattice import Lattice, check_place, lattices_on, per_axis, spacing
from .linear import Linear
from .moving import check_rests
from .neighbourhood import Moore, Neighbourhood, VonNeumann
from .places import all_sites
from .rule import Rule
from .sites import check_regions
from .start import Start, StartLike, as_start
from .start_check import check_start
from .steps import Displacement, Steps, check_displacements, named
from .tabulated import Table
from .tensor import Tensor, as_tensor, as_vector, is_list
from .times import is_whole

LEAST = 1e-150  # of dx and dt
OF_A_SITE = 24.0  # bytes that a law or the counts of a site need

Probability: TypeAlias = CoefficientLike | ArrayLike
StepsLike: TypeAlias = Mapping[Displacement, Probability]
Sizes: TypeAlias = float | Sequence[float]


def lay(
    domain: Domain | None, dx: Sizes | None, sites: int | Sequence[int] | None, start: StartLike
) -> tuple[Domain, Start, tuple[Lattice, ...]]:
    """(domain, start, lattice of each axis) of a declaration, checked against each other."""
    where = as_domain(domain)
    check_rests(where, "the sites of a LatticeWalk stay")
    if (dx is None) == (sites is None):
        raise ValueError("give either dx or sites")
    begin = as_start(start, where)
    check_start(begin, where)
    if sites is None:
        given = per_axis("dx", dx, where.dimension)
        names = (
            [f"dx[{i}]" for i in range(where.dimension)] if isinstance(dx, (tuple, list)) else ["dx"] * where.dimension
        )
        sizes = [positive(name, size) for name, size in zip(names, given, strict=True)]
    else:
        counts = per_axis("sites", sites, where.dimension)
        sizes = [positive("dx", spacing(axis, n)) for axis, n in zip(where.axes, counts, strict=True)]  # type: ignore[arg-type]
    lattices = lattices_on(where, sizes, begin.anchors)
    for lattice, axis, ends in zip(lattices, where.axes, begin.bounds, strict=True):
        check_place(lattice, *ends, axis.low, axis.high)
    _check_memory(lattices)
    check_regions(where, lattices)
    return where, begin, lattices


def _check_memory(lattices: Sequence[Lattice]) -> None:
    """Refuse more sites than fit into memory."""
    counts = [lattice.sites for lattice in lattices if lattice.sites is not None]
    if not counts:
        return
    fit, total = int(SHARE * available() / OF_A_SITE), math.prod(counts)
    told = f"sites ≤ {fit}, or a larger dx" if len(lattices) == 1 else f"a larger dx, so that there are at most {fit}"
    require(OF_A_SITE * total, f"a walk on {' × '.join(map(str, counts))} sites", f"take {told}")


def spacings_of(lattices: Sequence[Lattice]) -> float | tuple[float, ...]:
    """The spacing of each lattice; in one dimension a number."""
    sizes = tuple(lattice.dx for lattice in lattices)
    return sizes[0] if len(sizes) == 1 else sizes


def plane_of(given: Mapping[str, object], steps: StepsLike | None) -> Domain | None:
    """The whole space of the dimension of the given steps; None (the line) in one dimension."""
    if isinstance(steps, Mapping) and steps:
        first = next(iter(steps))
        dimension = len(first) if isinstance(first, tuple) else 1
    else:
        dimension = next(d for d in (1, 2, 3) if d == 3 or set(given) <= set(named(d)))
    return Line() ** dimension if dimension > 1 else None


def space_of(**given: object) -> Domain | None:
    """The whole space of as many dimensions as the arguments `given` by name have components; None (the line) for one."""
    for name, value in given.items():
        parts = value if isinstance(value, (Tensor, Linear)) else components(name, value)
        size = parts.dimension if isinstance(parts, (Tensor, Linear)) else len(parts) if is_list(parts) else 1  # type: ignore[arg-type]
        if size > 1:
            return Line() ** size
    return None


def declare(
    drift: object,
    diffusion: object,
    domain: Domain,
    rule: Rule,
    convention: Convention,
    neighbourhood: Neighbourhood | None,
) -> Declared:
    """The drift and the diffusion of :meth:`LatticeWalk.from_drift`, and how probabilities come from them."""
    vector, tensor = (
        as_vector("drift", drift, domain.dimension),
        as_tensor("diffusion", diffusion, domain.dimension),
    )
    for i, part in enumerate(vector):
        if domain.dimension > 1 and tensor.diagonal and tensor[i, i] == Constant(0.0) and part != Constant(0.0):
            raise ValueError(
                f"diffusion[{i}][{i}] = 0 and drift[{i}] = {part}: a walk needs a positive diffusion along an axis along which "
                "it drifts, on a lattice at least |drift| dx/2"
            )
    if neighbourhood is None:
        neighbourhood = Moore() if tensor.diagonal else VonNeumann()
    if not isinstance(neighbourhood, Neighbourhood):
        raise TypeError(f"neighbourhood = {shown(neighbourhood)}: give Moore() or VonNeumann()")
    if isinstance(neighbourhood, Moore) and not tensor.diagonal:
        raise ValueError(
            f"neighbourhood = Moore() lets the axes step independently, and diffusion = {tensor} is not diagonal: take "
            "neighbourhood=VonNeumann(), or leave neighbourhood out"
        )
    meaning = member("convention", convention, Convention).where(tensor if domain.dimension > 1 else tensor[0, 0])
    how = member("rule", rule, Rule), meaning, neighbourhood
    return Declared(vector, tensor, *how) if domain.dimension > 1 else Declared(vector[0], tensor[0, 0], *how)


def probabilities_of(given: Mapping[str, Probability], steps: StepsLike | None, lattices: Sequence[Lattice]) -> Steps:
    """The probability of each step, from those with a name or from `steps`."""
    dimension = len(lattices)
    known = named(dimension)
    if steps is not None:
        if given:
            raise ValueError(f"steps and {', '.join(given)} are given: give either steps, or {', '.join(known)}")
        if not isinstance(steps, Mapping) or not steps:
            raise TypeError(f"steps = {shown(steps)}: give a mapping from displacements to probabilities")
        check_displacements(steps, dimension)
        whole = {tuple(map(int, e)): p for e, p in steps.items()}  # of NumPy's integers, too
        values = {e: (f"steps[{e}]", p) for e, p in whole.items()}
    else:
        for name in given:
            if name not in known:
                raise ValueError(
                    f"{name} is given, and the domain has {dimension} dimension{'s' * (dimension > 1)}, in which the steps are "
                    f"{', '.join(known)}"
                )
        if missing := [name for name in known if name not in given]:
            raise TypeError(
                f"{', '.join(missing)}: missing; a coefficient is given for each of {', '.join(known)}, 0 for a step that is "
                "never made" + (", or steps={displacement: probability} for all" if dimension > 1 else "")
            )
        values = {known[name]: (name, p) for name, p in given.items()}
    return Steps({e: on_sites(name, p, lattices) for e, (name, p) in values.items()}, dimension)


def on_sites(name: str, value: Probability, lattices: Sequence[Lattice]) -> Coefficient:
    """The coefficient of a probability: an array over the sites becomes a table."""
    if isinstance(value, Coefficient) or callable(value) or not isinstance(value, (list, tuple, np.ndarray)):
        return in_dimension(name, value, len(lattices))  # type: ignore[arg-type]
    values = numbers(name, value)
    counts = tuple(lattice.sites for lattice in lattices)
    if any(lattice.sites is None for lattice in lattices):
        raise ValueError(
            f"{name} is an array, which needs a bounded domain; on an unbounded one give a function or a Table"
        )
    if values.shape != counts:
        has = f"{counts[0]}" if len(counts) == 1 else " × ".join(map(str, counts))
        raise ValueError(f"{name} has shape {values.shape} and the domain has {has} sites; give one value a site")
    places = [all_sites(lattice) for lattice in lattices]
    if values.size == 1:
        return Constant(float(values.flat[0]))
    return Table(places[0], values) if len(places) == 1 else Grid(places, values)


def inexact(times: Sequence[float], dt: float) -> tuple[float, ...]:
    """The times that no whole number of steps meets."""
    given = np.asarray(times, dtype=np.float64)
    return tuple(given[~is_whole(given, dt)].tolist())


def positive(name: str, value: object) -> float:
    """The value as a positive float whose square is a number."""
    result = number(name, value)
    if not 0.0 < result < math.inf:
        raise ValueError(f"{name} = {result}: must be positive and finite")
    if not LEAST < result < 1.0 / LEAST:
        raise ValueError(f"{name} = {result}: its square is no floating-point number; choose other units")
    return result
