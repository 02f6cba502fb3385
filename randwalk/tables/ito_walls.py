"""The text of the walls of a continuous walk: their distances, normals and reactivities, and which steps may reach one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..model.barrier import Barrier
from ..model.coefficient import ZERO
from ..model.ito import ItoWalk
from .emit import Parameters, function_text, written

AT = ("x", "t", "p")
STEP = ("x", "y", "t", "h", "p")


def walls_text(walk: ItoWalk, walls: Sequence[Barrier], parameters: Parameters, held: bool, places: int) -> list[str]:
    """The functions of the walls of a walk, and those of the geometry of points: the first coordinates are `places`, which walls
    change. Walls that absorb in part take from weights if walkers are `held`, and are then as those that reflect."""
    d = range(walk.dimension)
    shift = [f"x[{a}] + by * v[{a}]" for a in d]
    turned = [_turned(a, walk, parameters) for a in d]
    texts = [
        written("shifted", ("x", "by", "v"), [], _tuple(shift), "x + by v."),
        written(
            "home", ("x", "p"), [], _tuple(turned), "The point with its coordinates along rings between their ends."
        ),
    ]
    if not walls and not walk.interfaces:
        return [*texts, *_clearances(walk, walls)]
    if walk.interfaces:
        texts += _interfaces(walk, parameters)
    if not walls:
        return [*texts, *_geometry(walk), *_clearances(walk, walls)]
    distances, normals = tuple(wall.distance for wall in walls), tuple(wall.normal for wall in walls)
    kept = [held and 0.0 < wall.reactivity < math.inf for wall in walls]
    known = [parameters.number(0.0 if stay else wall.reactivity) for wall, stay in zip(walls, kept, strict=True)]
    holding = [
        parameters.number(wall.reactivity if stay else 0.0) for wall, stay in zip(walls, kept, strict=True) if held
    ]
    push = [shift[a] if a < places else f"x[{a}]" for a in d]
    return [
        *texts,
        *_geometry(walk),
        function_text("distances", AT, distances, parameters, "The distance to each wall, positive inside."),
        function_text("inward", AT, normals, parameters, "The gradient of each distance."),
        *([written("holding", ("p",), [], _tuple(holding), "Of each wall that takes from weights.")] if held else []),
        written("pushed", ("x", "by", "v"), [], _tuple(push), "x + by v in the coordinates that walls change."),
        written("reactivities", ("p",), [], _tuple(known), "Of each wall: infinite if it absorbs, 0 if it reflects."),
        *_clearances(walk, walls),
    ]


def _tuple(values: Sequence[str]) -> str:
    return f"({', '.join(values)},)"


def _turned(a: int, walk: ItoWalk, parameters: Parameters) -> str:
    """x - L ⌊(x - low)/L⌋ on a ring."""
    axis = walk.domain.axes[a]
    if not axis.periodic:
        return f"x[{a}]"
    low, turn = parameters.number(axis.low), parameters.number(axis.high - axis.low)
    return f"x[{a}] - {turn} * np.floor((x[{a}] - {low}) / {turn})"


def _geometry(walk: ItoWalk) -> list[str]:
    """σz of two sources, and 2Dn with its part along n."""
    d, m, given = range(walk.dimension), range(walk.sources), walk.noise
    lines = [f"w{k} = {_sum(f'g[{a}][{k}] * n[{a}]' for a in d if given[a][k] != ZERO)}" for k in m]
    along = [_sum(f"g[{a}][{k}] * w{k}" for k in m if given[a][k] != ZERO) for a in d]
    squares = _sum(f"w{k} * w{k}" for k in m)
    pairs = []
    for k in range(0, walk.sources, 2):
        both = [i for i in (k, k + 1) if i < walk.sources]
        terms = [_sum(f"g[{a}][{i}] * z[{i - k}]" for i in both if given[a][i] != ZERO) for a in d]
        pairs.append(f"if k == {k}: return {_tuple(terms)}")
    nothing = _tuple(["0.0"] * walk.dimension)
    return [
        written("scattered", ("g", "k", "z"), pairs, nothing, "σz of two sources."),
        written("conormal", ("g", "n"), lines, f"{_tuple(along)}, {squares}", "2Dn, and nᵀ2Dn."),
    ]


def _sum(terms: Sequence[str] | object) -> str:
    return " + ".join(terms) or "0.0"  # type: ignore[arg-type]


def _interfaces(walk: ItoWalk, parameters: Parameters) -> list[str]:
    """Where interfaces are, and what they do."""
    unit = [tuple(1.0 if a == b else 0.0 for b in range(walk.dimension)) for a in range(walk.dimension)]
    beyond = [f"x[{plane.axis}] - {parameters.number(plane.place)}" for plane in walk.interfaces]
    texts = [written("beyond_interfaces", ("x", "p"), [], _tuple(beyond), "The distance from each interface.")]
    each = []
    for i, plane in enumerate(walk.interfaces):
        sides = (plane.below, plane.above, plane.share)
        texts.append(function_text(f"interface_{i}", ("t", "p"), sides, parameters, "The sides of one interface."))
        each.append(f"(*interface_{i}(t, p), {unit[plane.axis]})")
    return [*texts, written("interfaces", ("t", "p"), [], _tuple(each), "The sides of each interface.")]


def _clearances(walk: ItoWalk, walls: Sequence[Barrier]) -> list[str]:
    """How clear of each wall and interface a step stays, at least. Along a normal the noise of a step has at most the variance of
    all entries of its axes; along an axis that of the axis' own."""
    lines, each = ["g = noise(x, t, p)"] if walls or walk.interfaces else [], []
    if walls:
        lines.append("before, after = distances(x, t, p), distances(y, t + h, p)")
    if walk.interfaces:
        lines.append("first, last = beyond_interfaces(x, p), beyond_interfaces(shifted(y, -h, drift(x, t, p)), p)")
    for w, wall in enumerate(walls):
        axes = [a for a, slope in enumerate(wall.normal) if slope != ZERO]
        each.append(f"clearance(before[{w}], after[{w}], h * ({_squares(walk, axes)}))")
    for i, plane in enumerate(walk.interfaces):
        ends = f"abs(first[{i}]), last[{i}] if first[{i}] >= 0.0 else -last[{i}]"
        each.append(f"clearance({ends}, h * ({_squares(walk, [plane.axis])}))")
    kept = [f"q[{w}, j] = c[{w}]" for w in range(len(each))]
    reached = " | ".join(f"(not c[{w}] > REACH)" for w in range(len(each)))
    kept += [f"near[j] = np.uint32({reached})"] if each else []
    describe = "Make c the clearances of walker j of a block, and flag it where any is in reach."
    return [
        written(
            "clearances",
            STEP,
            lines,
            _tuple(each) if each else "(math.inf,)",
            "The clearance of a step from each wall and interface, at least.",
        ),
        written("note", ("q", "near", "j", "c"), kept, "None", describe),
    ]


def _squares(walk: ItoWalk, axes: Sequence[int]) -> str:
    entries = [f"g[{a}][{k}]" for a in axes for k in range(walk.sources) if walk.noise[a][k] != ZERO]
    return _sum([f"{g} * {g}" for g in entries])
