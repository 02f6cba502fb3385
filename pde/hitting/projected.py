"""Leaving by a face alone: the coordinates across faces are a walk by themselves, whatever goes on along the others."""

from __future__ import annotations

import numpy as np

from randwalk.model.domain import Box
from randwalk.model.neighbourhood import Moore
from randwalk.model.walk import LatticeWalk
from randwalk.model.wall import face_names


def faced_axes(walk: LatticeWalk) -> list[int]:
    """The axes with faces through which walkers leave; the first axis if there are none."""
    return sorted({face.axis for face in walk.domain.faces if face.wall.reactivity > 0.0}) or [0]


def projected(walk: LatticeWalk, axes: list[int]) -> LatticeWalk | None:
    """The walk of the coordinates `axes`, if it is one: of a walk that is the same everywhere, in a domain without regions, and
    fewer axes than it has."""
    if not walk.homogeneous or walk.domain.regions or len(axes) == walk.dimension or _dependent(walk, axes):
        return None
    origin = (0.0,) * walk.dimension
    chances: dict[tuple[int, ...], float] = {}
    for step, p in walk.probabilities.items():
        onto = tuple(step[a] for a in axes)
        chances[onto] = chances.get(onto, 0.0) + float(p(origin, 0.0))
    chances.pop((0,) * len(axes), None)
    lines, dx = [walk.domain.axes[a] for a in axes], [walk.lattices[a].dx for a in axes]
    begin = tuple(walk.lattices[a].x(walk.lattices[a].first or walk.lattices[a].last or 0) for a in axes)
    killing = float(walk.killing(origin, 0.0))
    if len(axes) == 1:
        (spacing,), (line,) = dx, lines
        right, left = chances.get((1,), 0.0), chances.get((-1,), 0.0)
        return LatticeWalk(right, left, dx=spacing, dt=walk.dt, domain=line, start=float(begin[0]), killing=killing)
    return LatticeWalk(
        steps=chances, dx=tuple(dx), dt=walk.dt, domain=Box(*lines), start=tuple(map(float, begin)), killing=killing
    )


def _dependent(walk: LatticeWalk, axes: list[int]) -> bool:
    """Whether a step at a wall across other axes than `axes`, or across some of `axes`, may be withheld along `axes` too: a step
    along several axes is dropped as a whole there. Axes of a Moore walk that is declared by its drift step by themselves."""
    declared = walk.declared
    if declared is not None and declared.tensor.diagonal and isinstance(declared.neighbourhood, Moore):
        return False
    joined = {a for step in walk.probabilities if np.count_nonzero(step) > 1 for a in np.flatnonzero(step)}
    return any(not f.wall.on_site and f.axis in joined and [f.axis] != axes for f in walk.domain.faces)


def exits_on(axes: list[int], exits: tuple[str, ...]) -> tuple[str, ...]:
    """The names of `exits` on a walk of `axes` alone."""
    names = {old: new for k, a in enumerate(axes) for old, new in zip(face_names(a), face_names(k), strict=True)}
    return tuple(names.get(exit, exit) for exit in exits)
