"""The domain of a walk: the line, an interval with its walls, a ring, and a box, which is a product of these.

A box may have regions taken out of it (:mod:`randwalk.model.region`). Walls (:mod:`randwalk.model.wall`) stand at the finite
ends of intervals and at the boundaries of regions. A point is a tuple of coordinates; in one dimension it is the coordinate.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from numpy.typing import ArrayLike

from ..inputs.arguments import number
from ..inputs.wording import shown
from .coefficient import Coefficient, CoefficientLike
from .coefficient.variables import coordinate
from .extent import Extent
from .image import dark_pixels
from .moving import place_at, placed
from .region import Level, Mask, Region
from .shape import Inside, Shape, on_rings
from .wall import FACES, as_wall, face_names, gap, is_wall
from .wall import Absorbing as Absorbing
from .wall import Face as Face
from .wall import PartiallyAbsorbing as PartiallyAbsorbing
from .wall import Reflecting as Reflecting
from .wall import Wall as Wall

_IMAGE_FACES = ("left", "right", "bottom", "top")


class _Domain(Extent):
    """What all domains answer, and what is made of them: products, and domains with regions taken out."""

    def _at(self, t: float) -> Domain:
        raise NotImplementedError  # of domains whose walls rest

    def at(self, t: float) -> Domain:
        """The domain at a time, with its walls at rest.

        >>> from randwalk import expression
        >>> (Interval(0.0, expression("2 + t"), Reflecting(), Absorbing()) * Line()).at(1.5).bounds
        ((0.0, 3.5), (-inf, inf))
        """
        return self._at(t) if self.moves else self  # type: ignore[return-value]

    def __mul__(self, other: Domain) -> Box:
        if not isinstance(other, Domain):
            return NotImplemented
        for factor in (self, other):
            if factor.regions:
                raise ValueError(
                    f"{factor} has regions: multiply the axes first, then take regions out of the product "
                    "(a Level of x and y alone is a cylinder)"
                )
        return Box(*self.axes, *other.axes)

    def __pow__(self, count: int) -> Domain:
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ValueError(f"the power {shown(count)} of a domain must be a positive whole number")
        factors: list[Any] = [self] * count
        return reduce(operator.mul, factors)

    def without(self, shape: Shape, wall: Wall = Reflecting(), name: str | None = None) -> Box:  # noqa: B008
        """The domain without the points of a shape: an obstacle if the `wall` at its boundary reflects, else a trap.

        Walkers that step into the shape are absorbed (or, at a partially absorbing wall, with the probability of that wall)
        and counted under `name`, which is "obstacle" if left out, then "obstacle 2", … A step into an obstacle is not made.
        A shape that reaches across the ends of a ring goes on at the other end.

        Raises
        ------
        ValueError
            in one dimension; for a shape of another number of axes; for a name that is taken; if nothing is left.

        Examples
        --------
        >>> from randwalk.model.region import Ball
        >>> room = (Line() * Ring(0.0, 6.0)).without(Ball((0.0, 3.0), 0.8), Absorbing(), "trap")
        >>> room.exits, room.contains(([0.0, 2.0], 3.0))
        (('left', 'right', 'bottom', 'top', 'trap', 'killing'), array([False,  True]))
        """
        return self._with_region(shape, wall, self._free_name("obstacle") if name is None else name)

    def inside(self, shape: Shape, wall: Wall = Reflecting(), name: str | None = None) -> Box:  # noqa: B008
        """The part of the domain inside a shape: ``without(~shape, wall, name)``, with the name "shell" if it is left out.

        >>> from randwalk.model.region import Ball
        >>> disc = (Line() ** 2).inside(Ball((0.0, 0.0), 1.0), Absorbing(), "rim")
        >>> disc.exits, disc.contains((0.0, [0.0, 1.0]))
        (('left', 'right', 'bottom', 'top', 'rim', 'killing'), array([ True, False]))
        """
        if not isinstance(shape, Shape):
            raise TypeError(f"shape = {shown(shape)}: give a Ball, HalfSpace, Level or Mask")
        return self._with_region(~shape, wall, self._free_name("shell") if name is None else name)

    def _free_name(self, word: str) -> str:
        taken = {region.name for region in self.regions}
        return next(name for i in range(1, len(taken) + 2) if (name := f"{word} {i}" if i > 1 else word) not in taken)

    def _with_region(self, shape: Shape, wall: Wall, name: str) -> Box:
        if self.dimension == 1:
            raise ValueError(
                "a region needs two axes or more; in one dimension walls stand at the ends: give "
                "Interval(low, high, left wall, right wall) of the part in which walkers start"
            )
        return Box(*self.axes, regions=(*self.regions, Region(shape, wall, name)))


def _check_ends(low: float, high: float, what: str) -> None:
    if not number(f"{what}: low", low) < number(f"{what}: high", high):
        raise ValueError(f"{what}: low = {low} must be less than high = {high}")
    if math.isfinite(low) and math.isfinite(high) and math.isinf(high - low):
        raise ValueError(f"{what}: from low = {low} to high = {high} it is too long for floating-point numbers")


class _Axis(_Domain):
    """A domain of one dimension: its own only axis, without regions."""

    @property
    def axes(self) -> tuple[Axis, ...]:  # type: ignore[override]
        return (self,)  # type: ignore[return-value]

    @property
    def regions(self) -> tuple[Region, ...]:  # type: ignore[override]
        return ()


@dataclass(frozen=True)
class Line(_Axis):
    """The whole real line."""

    low: ClassVar[float] = -math.inf
    high: ClassVar[float] = math.inf
    left: ClassVar[None] = None
    right: ClassVar[None] = None
    periodic: ClassVar[bool] = False


@dataclass(frozen=True, init=False)
class Interval(_Axis):
    """The interval from `low` to `high`, with a wall at each finite end. Either end may be infinite (and has no wall).

    An end may move: give it as a formula or a function of the time t. Its attribute is then the place at t = 0. Itô walks take
    moving ends; lattices and grids, whose sites and cells rest, do not. ``dataclasses.replace`` keeps their `paths`, except of an
    end that it puts elsewhere.

    >>> half_line = Interval(0.0, math.inf, Absorbing())
    >>> half_line
    Interval(0.0, inf, left=Absorbing())
    >>> half_line.exits, half_line.open_exits(killed=False)
    (('left', 'right', 'killing'), ('left',))
    >>> from randwalk import expression
    >>> collapsing = Interval(expression("t - 1"), expression("1 - t"), Absorbing(), Absorbing())
    >>> collapsing.low, collapsing.moves, collapsing.at(0.25)
    (-1.0, True, Interval(-0.75, 0.75, left=Absorbing(), right=Absorbing()))
    """

    low: float
    high: float
    left: Wall | None
    right: Wall | None
    paths: tuple[Coefficient | None, Coefficient | None] = (None, None)  # of ends that move
    periodic: ClassVar[bool] = False

    def __init__(
        self,
        low: CoefficientLike = -math.inf,
        high: CoefficientLike = math.inf,
        left: Wall | None = None,
        right: Wall | None = None,
        *,
        paths: tuple[Coefficient | None, Coefficient | None] = (None, None),
    ) -> None:
        at_low, low_path = placed("Interval: low", low, paths[0])
        at_high, high_path = placed("Interval: high", high, paths[1])
        fields = {"low": at_low, "high": at_high, "left": left, "right": right, "paths": (low_path, high_path)}
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        _check_ends(self.low, self.high, "Interval")
        if math.isinf(self.low) and math.isinf(self.high):
            raise ValueError("an Interval without a finite end is a Line()")
        for side, end, wall in (("left", self.low, self.left), ("right", self.high, self.right)):
            if not is_wall(side, wall) and math.isfinite(end):
                raise ValueError(
                    f"the {side} end, at x = {end:g}, needs a wall: {side} = Absorbing(), Reflecting() or "
                    f"PartiallyAbsorbing(reactivity), not {shown(wall)}"
                )
            if math.isinf(end) and wall is not None:
                raise ValueError(f"the {side} end is infinite and cannot have the wall {shown(wall)}: leave {side} out")

    @property
    def moves(self) -> bool:
        return any(path is not None for path in self.paths)

    def _at(self, t: float) -> Interval:
        given = zip(("low", "high"), self.paths, (self.low, self.high), strict=True)
        low, high = (end if path is None else place_at(f"Interval: {name}", path, t) for name, path, end in given)
        return Interval(low, high, self.left, self.right)

    @property
    def faces(self) -> tuple[Face, ...]:
        """The ends that have a wall, left before right."""
        ends = zip(
            ("left", "right"), (self.left, self.right), (self.low, self.high), (1.0, -1.0), self.paths, strict=True
        )
        return tuple(
            Face(exit, wall, place, inward, 0, path) for exit, wall, place, inward, path in ends if wall is not None
        )

    def __repr__(self) -> str:
        walls = [f"{face.exit}={face.wall!r}" for face in self.faces]
        ends = zip((self.low, self.high), self.paths, strict=True)
        return f"Interval({', '.join([*(repr(end) if path is None else str(path) for end, path in ends), *walls])})"


@dataclass(frozen=True)
class Ring(_Axis):
    """A circle of circumference `high` - `low`: the two ends are the same point, and walkers go round."""

    low: float
    high: float
    left: ClassVar[None] = None
    right: ClassVar[None] = None
    periodic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_ends(self.low, self.high, "Ring")
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise ValueError(f"Ring: both ends must be finite, not {self.low} and {self.high}")

    def __repr__(self) -> str:
        return f"Ring({self.low!r}, {self.high!r})"


Axis: TypeAlias = Line | Interval | Ring


@dataclass(frozen=True, init=False)
class Box(_Domain):
    """A product of domains of one dimension, written ``Interval(...) * Ring(...)`` or ``Line() ** 3``, and the regions that
    are taken out of it with :meth:`without` and :meth:`inside`.

    Parameters
    ----------
    *axes : Line(), Interval(...) or Ring(...)
        Two or more. Their ends are the exits "left", "right", "bottom", "top", "back", "front", then "x[3] low", …
    regions : Region, ...
        Where two regions overlap, the first one counts.

    Examples
    --------
    >>> room = Interval(-3.0, 3.0, Reflecting(), Absorbing()) * Ring(0.0, 6.0)
    >>> room.dimension, room.open_exits(killed=False), room.faces[1].place
    (2, ('right',), 3.0)
    """

    axes: tuple[Axis, ...]
    regions: tuple[Region, ...]

    def __init__(self, *axes: Axis, regions: Sequence[Region] = ()) -> None:
        for axis in axes:
            if not isinstance(axis, Axis):
                raise TypeError(f"Box: {shown(axis)}: an axis is Line(), Interval(...) or Ring(...)")
        if len(axes) < 2:
            raise ValueError("a Box has two axes or more; one axis is a domain by itself")
        object.__setattr__(self, "axes", axes)
        object.__setattr__(self, "regions", tuple(_placed(region, axes) for region in regions))
        taken = {"killing", *(name for axis in range(len(axes)) for name in face_names(axis))}
        for region in self.regions:
            if region.name in taken:
                raise ValueError(f"name = {region.name!r}: is taken; give every region a name of its own")
            taken.add(region.name)
        for i, (low, high) in enumerate(self.bounds):
            if not low < high:
                raise ValueError(f"nothing is left of {self} along {coordinate(i)}: give regions that leave some of it")

    @classmethod
    def from_image(
        cls,
        image: str | Path | ArrayLike,
        walls: Wall | Mapping[str, Wall] = Reflecting(),  # noqa: B008
        *,
        dx: float | Sequence[float] = 1.0,
        wall: Wall = Reflecting(),  # noqa: B008
        name: str = "obstacle",
    ) -> Box:
        """A box in the plane with a site for each pixel of an image; the dark pixels are obstacles.

        The site of the pixel in column i and row j, both counted from 0 at the lower left, is at (i dx, j dx). A walk on the box
        has the same `dx` (or it divided by a whole number).

        Parameters
        ----------
        image : path of a PNG file, or array
            Brightness, shape (rows, columns), with the top row first as images have it, or colours, shape (rows, columns, 3 or
            4): floats from 0 to 1 or unsigned whole numbers. Pixels darker than half of the way to white are dark, and
            transparent ones are white.
        walls : Wall, or mapping of Wall
            The wall at the four ends, or one for each of "left", "right", "bottom" and "top". An absorbing one stands on sites
            of its own, one dx outside the image.
        dx : float, or two
            The distance of pixels (length), one number or one along x and one along y.
        wall, name
            The wall and the name of the dark pixels, as in :meth:`without`.

        Raises
        ------
        ValueError
            for an image that cannot be read, has another shape or kind, or is all dark or all bright.

        Examples
        --------
        >>> maze = Box.from_image([[1.0, 1.0, 1.0],
        ...                        [1.0, 0.0, 1.0]])
        >>> maze.bounds, maze.contains(([0.0, 1.0, 1.0], [0.0, 0.0, 1.0]))
        (((-0.5, 2.5), (-0.5, 1.5)), array([ True, False,  True]))
        """
        dark = dark_pixels(image)
        if dark.all():
            raise ValueError("the image is all dark: nothing is left; brighten some of it to more than half of white")
        if not dark.any():
            raise ValueError(
                "the image is all bright: nothing is an obstacle; darken some of it to less than half of white, or give "
                "Interval(...) * Interval(...) in place of an image"
            )
        given = walls if isinstance(walls, Mapping) else dict.fromkeys(_IMAGE_FACES, walls)
        if set(given) != set(_IMAGE_FACES):
            raise ValueError(f"walls = {shown(walls)}: give one wall, or one for each of {', '.join(_IMAGE_FACES)}")
        spacings: tuple[Any, ...] = tuple(dx) if isinstance(dx, (tuple, list)) else (dx,) * dark.ndim
        if len(spacings) != dark.ndim:
            raise ValueError(f"dx = {shown(dx)}: give one number, or one an axis, (along x, along y)")
        if not all(0.0 < number("dx", h) < math.inf for h in spacings):
            raise ValueError(f"dx = {dx}: must be positive and finite")
        axes = []
        for n, h, names in zip(dark.shape, spacings, FACES, strict=False):
            low, high = (as_wall(f"walls[{name!r}]", given[name]) for name in names)
            axes.append(Interval(-gap(low) * h, (n - 1 + gap(high)) * h, low, high))
        return cls(*axes).without(Mask(dark), wall, name)

    @cached_property
    def faces(self) -> tuple[Face, ...]:
        """The ends of the axes that have a wall: the low before the high end, axis by axis."""
        return tuple(
            face._replace(exit=face_names(i)[face.exit == "right"], axis=i)
            for i, axis in enumerate(self.axes)
            for face in axis.faces
        )

    @property
    def moves(self) -> bool:
        return super().moves or any(axis.moves for axis in self.axes)

    def _at(self, t: float) -> Box:
        regions = [region._replace(shape=region.shape.at(t)) for region in self.regions]
        return Box(*(axis.at(t) for axis in self.axes), regions=regions)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        if name in ("low", "high", "left", "right", "periodic"):
            raise AttributeError(f"a Box has no {name} but one for each of its axes: ask box.axes[0].{name}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __getstate__(self) -> dict[str, Any]:
        return {"axes": self.axes, "regions": self.regions}  # not what was made of them

    def __repr__(self) -> str:
        same = len(set(self.axes)) == 1
        product = f"{self.axes[0]!r} ** {self.dimension}" if same else " * ".join(map(repr, self.axes))
        regions = [f".without({shape!r}, {wall!r}, {name!r})" for shape, wall, name in self.regions]
        return f"({product}){''.join(regions)}" if regions else product


Domain: TypeAlias = Line | Interval | Ring | Box


def _placed(region: Region, axes: tuple[Axis, ...]) -> Region:
    """A region checked against the axes of a box, with the cells of its masks at their places."""
    shape, wall, name = region
    if not isinstance(shape, Shape):
        raise TypeError(f"shape = {shown(shape)}: give a Ball, HalfSpace, Level or Mask")
    shape.fit(len(axes))
    for leaf in shape.leaves:
        if isinstance(leaf, Level):
            leaf.check_distance(tuple((axis.low, axis.high) for axis in axes))
    if not isinstance(name, str) or not name.strip():
        raise TypeError(f"name = {shown(name)}: must be a word")
    return Region(_framed_masks(shape, axes), as_wall("wall", wall), name)


def sites_within(shape: Shape, axes: tuple[Axis, ...], point: tuple[ArrayLike, ...]) -> Inside:
    """Whether each of the places of sites on these axes is in a shape: a mask has a value a site, and on periodic axes a shape
    goes on at the other end."""
    shape.fit(len(axes))
    turns = [axis.high - axis.low if axis.periodic else None for axis in axes]
    return on_rings(_framed_masks(shape, axes), turns).contains(point)


def _framed_masks(shape: Shape, axes: tuple[Axis, ...]) -> Shape:
    """A shape with the cells of its masks at their places."""
    return shape.mapped(lambda part: _framed(part, axes))


def _framed(shape: Shape, axes: tuple[Axis, ...]) -> Shape:
    """A mask with its cells at their places; another shape as it is."""
    if not isinstance(shape, Mask) or shape.frame:
        return shape
    return Mask(shape.array, [cells(axis, n) for axis, n in zip(axes, shape.array.shape, strict=True)])


def cells(axis: Axis, sites: int) -> tuple[float, float]:
    """(where the first cell begins, dx) of so many sites on a bounded axis; a cell is ± dx/2 around its site."""
    length = axis.high - axis.low
    if math.isinf(length):
        raise ValueError(f"a Mask has a value a site and needs a bounded domain, which {axis} is not: take a Level")
    if axis.periodic:  # with a site at its ends
        return axis.low - 0.5 * length / sites, length / sites
    dx = length / (sites - 1 + gap(axis.left) + gap(axis.right))
    return axis.low + (gap(axis.left) - 0.5) * dx, dx


def as_domain(value: object) -> Domain:
    """A domain; None is the line."""
    if value is None:
        return Line()
    if isinstance(value, Domain):
        return value
    hint = ""
    if isinstance(value, str) and value == "line":
        hint = ", here Line()"
    elif isinstance(value, type) and issubclass(value, Domain):
        hint = f", with parentheses: {value.__name__}(...)"
    elif isinstance(value, (tuple, list)) and len(value) > 1 and all(isinstance(axis, Axis) for axis in value):
        hint = f", here {' * '.join(map(repr, value))}"
    elif isinstance(value, (tuple, list)) and len(value) == 2:
        low, high = value
        hint = f", here Interval({low!r}, {high!r}, left wall, right wall) or Ring({low!r}, {high!r})"
    raise TypeError(f"domain = {shown(value)}: give Line(), Interval(...) or Ring(...){hint}")
