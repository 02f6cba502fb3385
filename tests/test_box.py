"""Boxes: products of axes with walls, their faces, exits and lattices, and boxes made of images."""

from __future__ import annotations

import itertools
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk.model.domain import Domain, Face, as_domain
from randwalk.model.lattice import Lattice, lattices_on, per_axis, spacing

ABSORB, REFLECT, ROBIN = rw.Absorbing(), rw.Reflecting(), rw.PartiallyAbsorbing(0.3)
NAMES = ["left", "right", "bottom", "top", "back", "front", "x[3] low", "x[3] high"]
ROOM = rw.Interval(-3.0, 3.0, REFLECT, ABSORB) * rw.Ring(0.0, 6.0)
DISC = (rw.Line() ** 2).inside(rw.Ball((0.0, 0.0), 1.0), ABSORB, "rim")
DOMAINS: dict[str, Domain] = {
    "room": ROOM,
    "space": rw.Line() ** 3,
    "torus": rw.Ring(0.0, 1.0) ** 2,
    "quarter": rw.Interval(0.0, math.inf, ABSORB) * rw.Interval(high=1.0, right=ROBIN),
    "trap": ROOM.without(rw.Ball((0.0, 3.0), 0.8), ABSORB, "trap"),
    "disc": DISC,
    "lens": (rw.Line() ** 2).inside(rw.Ball((-0.5, 0.0), 1.0) & rw.Ball((0.5, 0.0), 1.0)),
    "cut": ROOM.without(rw.HalfSpace((1.0, 1.0), 4.0) | rw.Ball((0.0, 3.0), 0.5), ROBIN, "cut"),
}  # fmt: skip


def walls(domain: rw.Box) -> dict[str, Any]:
    """The walls by name, from the declaration: a plain list of names in the order of the ends."""
    ends = [wall for axis in domain.axes for wall in (axis.left, axis.right)]
    return {name: wall for name, wall in zip(NAMES, ends, strict=False) if wall is not None}


@pytest.mark.parametrize("dimension", [2, 3, 4])
def test_exits_are_the_ends_of_the_axes_in_order(dimension: int) -> None:
    assert (rw.Line() ** dimension).exits == (*NAMES[: 2 * dimension], "killing")


AXES: list[rw.Interval | rw.Ring | rw.Line] = [
    rw.Ring(0.0, 1.0), rw.Line(),
    *(rw.Interval(0.0, 1.0, low, high) for low in (ABSORB, REFLECT, ROBIN) for high in (ABSORB, REFLECT, ROBIN)),
    *(rw.Interval(low=0.0, left=wall) for wall in (ABSORB, REFLECT, ROBIN)),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(AXES)))
def test_every_wall_on_every_face(number: int) -> None:
    """All pairs of axes: faces, exits that are open, and the lattice of an axis are those of the axis by itself."""
    for second in AXES:
        box = AXES[number] * second
        assert {face.exit: face.wall for face in box.faces} == walls(box)
        assert [face.exit for face in box.faces] == [name for name in NAMES if name in walls(box)]
        assert box.open_exits(True) == (*(n for n, w in walls(box).items() if w != REFLECT), "killing")
        for face in box.faces:
            axis = box.axes[face.axis]
            assert face.place == (axis.low if face.inward > 0 else axis.high)
            assert NAMES.index(face.exit) == 2 * face.axis + (face.inward < 0)
            assert box.exit(face.exit) == NAMES.index(face.exit) and box.face(face.exit) == face
        one_on_a_site = [(axis.left == ABSORB) != (axis.right == ABSORB) for axis in box.axes]
        dx = [1.0 / 4.5 if one else 0.25 for one in one_on_a_site]
        assert lattices_on(box, dx, (0.1, 0.2)) == tuple(map(Lattice.on, box.axes, dx, (0.1, 0.2)))


def test_products_are_flat_and_compare_by_value() -> None:
    x, y, z = rw.Ring(0.0, 1.0), rw.Line(), rw.Interval(0.0, 1.0, ABSORB, REFLECT)
    assert (x * y) * z == x * (y * z) == rw.Box(x, y, z) and (x * y * z).axes == (x, y, z)
    assert x**3 == x * x * x and x**1 == x and (x * y) ** 2 == rw.Box(x, y, x, y)
    assert x * y != y * x and hash(x * y) == hash(rw.Box(x, y))
    assert ROOM.faces == (Face("left", REFLECT, -3.0, 1.0, 0), Face("right", ABSORB, 3.0, -1.0, 0))
    assert {d.dimension for d in (x, y, z)} == {1} and (x * y * z).dimension == 3
    assert (
        x.axes == (x,)
        and x.regions == ()
        and x.bounds == ((0.0, 1.0),)
        and rw.Line().bounds == ((-math.inf, math.inf),)
    )


@pytest.mark.parametrize("name", DOMAINS)
def test_text_and_pickles_give_the_same_domain(name: str) -> None:
    domain = DOMAINS[name]
    names = {kind: getattr(rw, kind) for kind in rw.__all__} | {"inf": math.inf}
    assert eval(repr(domain), names) == domain and pickle.loads(pickle.dumps(domain)) == domain
    assert hash(eval(repr(domain), names)) == hash(domain) and as_domain(domain) is domain
    _ = domain.bounds, domain.distance, domain.exits
    assert pickle.loads(pickle.dumps(domain)) == domain and len(pickle.dumps(domain)) < 1000


def test_regions_have_exits_behind_the_faces() -> None:
    box = (
        ROOM.without(rw.Ball((0, 1), 0.1))
        .without(rw.Ball((0, 2), 0.1), ABSORB, "trap")
        .without(rw.Ball((0, 3), 0.1), ROBIN, "pore")
    )
    assert [region.name for region in box.regions] == ["obstacle", "trap", "pore"]
    assert box.exits == ("left", "right", "bottom", "top", "trap", "pore", "killing")
    assert box.open_exits(False) == ("right", "trap", "pore")
    assert (box.exit("trap"), box.exit("pore"), box.exit("killing")) == (4, 5, 6) and box.face("trap") is None
    unnamed = (
        box.without(rw.Ball((1, 1), 0.1))
        .without(rw.Ball((1, 2), 0.1))
        .inside(rw.Ball((0, 3), 2.9))
        .inside(rw.Ball((0, 3), 2.8))
    )
    assert [region.name for region in unnamed.regions[3:]] == ["obstacle 2", "obstacle 3", "shell", "shell 2"]
    assert ROOM.regions == () and ROOM.exits == ("left", "right", "bottom", "top", "killing")  # unchanged
    points = (0.0, [1.0, 2.0, 3.0, 4.0])
    assert box.region_at(points).tolist() == [0, 1, 2, -1] and box.contains(points).tolist() == [
        False,
        False,
        False,
        True,
    ]
    over = ROOM.without(rw.Ball((0, 1), 0.5)).without(rw.Ball((0, 1), 0.8), ABSORB, "trap")
    assert over.region_at((0.0, [1.0, 1.6])).tolist() == [0, 1]  # the first one counts


def test_bounds_consider_regions() -> None:
    assert DISC.bounds == ((-1.0, 1.0), (-1.0, 1.0)) and DOMAINS["lens"].bounds == ((-0.5, 0.5), (-1.0, 1.0))
    assert (rw.Line() ** 2).without(rw.Ball((0, 0), 1.0)).bounds == ((-math.inf, math.inf),) * 2
    half = (rw.Line() ** 2).inside(rw.HalfSpace((0.0, -2.0), -3.0))
    assert half.bounds == ((-math.inf, math.inf), (-math.inf, 1.5))
    two = (rw.Line() ** 2).inside(rw.Ball((0, 0), 1.0) | rw.Ball((3, 0), 0.5))
    assert two.bounds == ((-1.0, 3.5), (-1.0, 1.0))
    assert ROOM.inside(rw.Ball((0.0, 5.5), 1.0)).bounds == (
        (-1.0, 1.0),
        (0.0, 6.0),
    )  # on a ring it goes on at the other end


def test_contains_broadcasts_and_agrees_with_each_axis() -> None:
    x, y = np.random.default_rng(1).uniform(-8, 8, (2, 400))
    inside = [[-3.0 <= a <= 3.0 and 0.0 <= b <= 6.0 for b in y] for a in x]
    assert (ROOM.contains((x[:, None], y)) == np.array(inside)).all() and 0 < np.sum(inside) < 160_000
    assert rw.Ring(0.0, 1.0).contains([-0.1, 0.0, 1.0]).tolist() == [False, True, True]
    assert bool(rw.Line().contains(3.0)) and rw.Interval(low=0.0, left=ABSORB).contains(([-1.0, 2.0],)).tolist() == [
        False,
        True,
    ]


# ---------------------------------------------------------------- images

DARK = np.zeros((4, 3), dtype=bool)  # rows from the top, columns
DARK[0, 2] = DARK[2, 0] = True


def saved(path: Path, pixels: Any) -> Path:
    from matplotlib.image import imsave

    imsave(path, pixels, cmap="gray", vmin=0, vmax=1)
    return path


def test_an_image_is_a_box_with_a_site_a_pixel(tmp_path: Path) -> None:
    """Orientation: the first row of the image is the top; columns run along x."""
    maze = rw.Box.from_image(saved(tmp_path / "maze.png", 1.0 - DARK), dx=0.5)
    lattices = lattices_on(maze, (0.5, 0.5), (0.0, 0.0))
    assert [lattice.sites for lattice in lattices] == [3, 4]
    x, y = (lattice.x(range(n)) for lattice, n in zip(lattices, (3, 4), strict=True))
    assert x.tolist() == [0.0, 0.5, 1.0] and y.tolist() == [0.0, 0.5, 1.0, 1.5]
    free = maze.contains((x[:, None], y))
    assert free.shape == (3, 4) and np.argwhere(~free).tolist() == [[0, 1], [2, 3]]
    assert maze.open_exits(False) == () and maze.exits == ("left", "right", "bottom", "top", "killing")
    assert maze == rw.Box.from_image((1.0 - DARK).astype(float), dx=0.5)
    assert pickle.loads(pickle.dumps(maze)) == maze and hash(pickle.loads(pickle.dumps(maze))) == hash(maze)


def test_walls_and_name_of_an_image() -> None:
    trap = rw.Box.from_image(1.0 - DARK, ABSORB, wall=ROBIN, name="dark")
    assert trap.open_exits(False) == ("left", "right", "bottom", "top", "dark") and trap.bounds == (
        (-1.0, 3.0),
        (-1.0, 4.0),
    )
    mixed = rw.Box.from_image(1.0 - DARK, {"left": ABSORB, "right": REFLECT, "bottom": ROBIN, "top": REFLECT})
    assert walls(mixed) == {"left": ABSORB, "right": REFLECT, "bottom": ROBIN, "top": REFLECT}
    for box in (trap, mixed):  # pixels are at whole numbers, whatever the walls
        lattices = lattices_on(box, (1.0, 1.0), (0.0, 0.0))
        assert [lattice.x(lattice.first).item() for lattice in lattices] == [0.0, 0.0]  # type: ignore[arg-type]
        assert [lattice.sites for lattice in lattices] == [3, 4] and int(
            box.contains((1.0, [0.0, 1.0, 2.0, 3.0])).sum()
        ) == 4
        assert not box.contains((0.0, 1.0)) and not box.contains((2.0, 3.0)) and box.contains((0.0, 3.0))


def test_colours_and_opacity_of_an_image() -> None:
    white, black, clear, blue = (255, 255, 255, 255), (0, 0, 0, 255), (0, 0, 0, 0), (0, 0, 255, 255)
    box = rw.Box.from_image(np.array([[white, black], [clear, blue]], dtype=np.uint8))
    assert box.region_at(([0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0])).tolist() == [-1, 0, -1, 0]  # blue is dark


def test_wrong_images_are_refused(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"\xff\xd8\xff\xe0 JFIF")
    whole = saved(tmp_path / "whole.png", 1.0 - DARK).read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "head.png").write_bytes(whole[:20])
    cases: list[tuple[Any, str]] = [
        (tmp_path / "none.png", "cannot be read"),
        (tmp_path / "photo.png", "is no PNG image: save it as one"),
        (tmp_path / "half.png", "cannot be read"),
        (tmp_path / "head.png", "cannot be read"),
        (np.zeros((4, 4, 2)), r"shape \(4, 4, 2\): must be \(rows, columns\)"),
        (np.zeros(4), r"shape \(4,\)"),
        (np.zeros((2, 0)), r"shape \(2, 0\)"),
        (DARK, "as a Mask"),
        (np.array([[1, 0], [0, 1]]), "unsigned whole numbers"),
        (np.array([["a"]]), "brightness must be"),
        (np.array([[1.0, 2.0]]), "brightness 2: must be 0 to 1"),
        (np.array([[1.0, math.nan]]), "brightness nan"),
        (np.ones((3, 3)), "all bright"),
        (np.zeros((3, 3)), "all dark"),
    ]
    for image, message in cases:
        with pytest.raises(ValueError, match=message):
            rw.Box.from_image(image)
    with pytest.raises(ValueError, match="dx = -1"):
        rw.Box.from_image(1.0 - DARK, dx=-1.0)
    with pytest.raises(ValueError, match="one for each of left, right, bottom, top"):
        rw.Box.from_image(1.0 - DARK, {"left": ABSORB})
    with pytest.raises(TypeError, match=r"walls\['left'\] = Absorbing: write Absorbing"):
        rw.Box.from_image(1.0 - DARK, rw.Absorbing)  # type: ignore[arg-type]


# ---------------------------------------------------------------- lattices


@pytest.mark.parametrize("low, high", [*itertools.product((ABSORB, REFLECT), repeat=2)])
def test_a_dx_that_does_not_fit_an_axis_is_replaced_by_those_named(low: rw.Absorbing, high: rw.Absorbing) -> None:
    box = rw.Line() * rw.Interval(0.0, 1.0, low, high)
    with pytest.raises(ValueError, match=r"dx = 0.3 does not fit the y axis, Interval\(0.0, 1.0") as refused:
        lattices_on(box, (0.1, 0.3), (0.0, 0.0))
    named = str(refused.value).rpartition("take dx = ")[2].removesuffix(", or sites=").split(" or ")
    assert len(named) == 2
    for text in named:
        dx = eval(text)
        assert dx[0] == 0.1 and lattices_on(box, dx, (0.0, 0.0))[1].dx == pytest.approx(dx[1], rel=1e-9)


@pytest.mark.parametrize("dx", [0.3, 0.7, 1.7])
def test_a_dx_that_fits_no_axis_is_replaced_by_one_for_all(dx: float) -> None:
    box = (
        rw.Interval(0.0, 1.0, ABSORB, REFLECT) * rw.Ring(0.0, 2.0) * rw.Line() * rw.Interval(-1.0, 3.0, ABSORB, ABSORB)
    )
    with pytest.raises(ValueError, match="does not fit the x axis") as refused:
        lattices_on(box, (dx,) * 4, (0.0,) * 4)
    for text in str(refused.value).rpartition("take dx = ")[2].removesuffix(", or sites=").split(" or "):
        fit = eval(text)
        assert fit[2] == dx and [lattice.dx for lattice in lattices_on(box, fit, (0.0,) * 4)] == pytest.approx(
            fit, rel=1e-9
        )


def test_a_dx_as_long_as_the_axis() -> None:
    box = rw.Line() * rw.Interval(0.0, 1.0, ABSORB, ABSORB)
    with pytest.raises(ValueError, match=r"^the y axis, Interval\(.*\) holds no site at dx = 1: take dx ≤ 0.5$"):
        lattices_on(box, (0.1, 1.0), (0.0, 0.0))
    assert lattices_on(box, (0.1, 0.5), (0.0, 0.0))[1].sites == 1


def test_a_dx_that_nearly_fits_is_made_exact() -> None:
    (x, y) = lattices_on(rw.Ring(0.0, 1.0) * rw.Interval(0.0, 1.0, REFLECT, REFLECT), (1 / 3 + 1e-11, 0.1), (0.0, 0.0))
    assert x.dx == 1 / 3 and x.dx != 1 / 3 + 1e-11 and y.dx == 0.1 and (x.sites, y.sites) == (3, 10)
    assert spacing(rw.Ring(0.0, 1.0), 3) == x.dx


def test_an_argument_for_every_axis_or_one_an_axis() -> None:
    assert per_axis("dx", 0.1, 3) == (0.1, 0.1, 0.1) and per_axis("dx", [0.1, 0.2], 2) == (0.1, 0.2)
    assert per_axis("dx", np.array([1.0, 2.0]), 2) == (1.0, 2.0) and per_axis("sites", None, 2) == (None, None)
    with pytest.raises(ValueError, match=r"dx = \(0.1, 0.2\): 2 values for 3 axes; give one, or one an axis"):
        per_axis("dx", (0.1, 0.2), 3)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e9])
def test_units_do_not_matter(unit: float) -> None:
    def room(u: float) -> rw.Box:
        box = rw.Interval(-3.0 * u, 3.0 * u, REFLECT, ABSORB) * rw.Ring(0.0, 6.0 * u)
        return box.without(rw.Ball((0.0, 5.8 * u), 0.7 * u), ABSORB, "trap").without(rw.HalfSpace((0.6, 0.8), 4.0 * u))

    def sites(u: float) -> list[Any]:
        lattices = lattices_on(room(u), (6.0 / 40.5 * u, 0.1 * u), (0.0, 0.0))
        return [lattice.x(range(lattice.sites or 0)) for lattice in lattices]

    x, y = sites(1.0)
    scaled = sites(unit)
    assert (room(unit).region_at((scaled[0][:, None], scaled[1])) == room(1.0).region_at((x[:, None], y))).all()


# ---------------------------------------------------------------- refusals

MAKE: Any = rw  # without types, as a notebook has it
BAD: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: MAKE.Box(), ValueError, "two axes or more"),
    (lambda: MAKE.Box(rw.Line()), ValueError, "two axes or more"),
    (lambda: MAKE.Box(rw.Line(), ROOM), TypeError, "an axis is Line"),
    (lambda: MAKE.Box(rw.Line(), "y"), TypeError, "'y': an axis is"),
    (lambda: rw.Line() ** 0, ValueError, "power 0 of a domain must be a positive whole number"),
    (lambda: MAKE.Line() ** 1.5, ValueError, "power 1.5"),
    (lambda: MAKE.Line() * 3, TypeError, "unsupported operand"),
    (lambda: DISC * rw.Line(), ValueError, "multiply the axes first"),
    (lambda: as_domain((rw.Line(), rw.Ring(0, 1))), TypeError, r"give Line\(\), .*, here Line\(\) \* Ring\(0, 1\)$"),
    (lambda: rw.Line() * DISC, ValueError, "multiply the axes first"),
    (lambda: ROOM.exit("left") or ROOM.exit("bottom"), ValueError, "wall = 'bottom': .* has no wall there"),
    (lambda: ROOM.exit("up", "exit"), ValueError, "exit = 'up': must be one of 'left', 'right', 'bottom', 'top', 'killing'"),
    (lambda: ROOM.without(rw.Ball((0, 1), 0.1)).exit("obstacle"), ValueError, "nobody leaves there, because its wall reflects"),
    (lambda: MAKE.Box(rw.Line(), rw.Line()).low, AttributeError, r"one for each of its axes: ask box.axes\[0\].low"),
    (lambda: MAKE.Box(rw.Line(), rw.Line()).size, AttributeError, "'Box' object has no attribute 'size'"),
    (lambda: ROOM.contains(1.0), ValueError, "has 2 axes; give a tuple of as many arrays"),
    (lambda: ROOM.contains((1.0, 2.0, 3.0)), ValueError, "has 2 axes"),
    (lambda: ROOM.without(rw.Ball((0, 1), 0.1), name="left"), ValueError, "name = 'left': is taken"),
    (lambda: ROOM.without(rw.Ball((0, 1), 0.1), name="killing"), ValueError, "name = 'killing': is taken"),
    (lambda: DISC.without(rw.Ball((0, 0), 0.1), name="rim"), ValueError, "name = 'rim': is taken"),
    (lambda: MAKE.Line().__pow__(2).without(rw.Ball((0, 1), 0.1), name=3), TypeError, "name = 3: must be a word"),
    (lambda: MAKE.Line().__pow__(2).without(rw.Ball((0, 1), 0.1), wall=0.0), TypeError, "wall = 0.0: give Absorbing"),
    (lambda: MAKE.Line().__pow__(2).without(rw.Ball((0, 1), 0.1), rw.Absorbing), TypeError, "write Absorbing"),
    (lambda: MAKE.Line().__pow__(2).without("ball"), TypeError, "shape = 'ball': give a Ball"),
    (lambda: MAKE.Line().__pow__(2).inside(None), TypeError, "shape = None: give a Ball"),
    (lambda: ROOM.without(rw.Ball((0, 1, 2), 0.1)), ValueError, "has 3 axes and the domain has 2"),
    (lambda: ROOM.without(rw.HalfSpace((0, 1, 2))), ValueError, "has 3 axes and the domain has 2"),
    (lambda: ROOM.without(rw.Mask(np.eye(3)[None] > 0)), ValueError, "has 3 axes and the domain has 2"),
    (lambda: ROOM.without(rw.Level(rw.expression("z"))), ValueError, "depends on z, and the domain has 2 axes"),
    (lambda: DISC.inside(rw.Ball((5, 0), 1.0)), ValueError, "nothing is left of .* along x"),
    (lambda: (rw.Line() * rw.Ring(0, 1)).without(rw.Mask([[1], [0]])), ValueError, r"bounded domain, which Line\(\) is not"),
    (lambda: rw.Interval(0, 1, ABSORB, ABSORB).without(rw.Ball((0, 0), 1)), ValueError, "walls stand at the ends"),
    (lambda: rw.Line().inside(rw.Ball((0, 0), 1)), ValueError, r"give Interval\(low, high, left wall, right wall\)"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(BAD)))
def test_bad_boxes_are_refused(case: int) -> None:
    make, kind, message = BAD[case]
    with pytest.raises(kind, match=message):
        make()


def test_pixels_that_are_no_squares() -> None:
    maze = rw.Box.from_image(1.0 - DARK, ABSORB, dx=(1e-6, 2e-6))
    square = rw.Box.from_image(1.0 - DARK, ABSORB)
    for axis, unit, h in zip(maze.axes, square.axes, (1e-6, 2e-6), strict=True):
        assert (axis.low, axis.high) == pytest.approx((unit.low * h, unit.high * h))
    i, j = np.meshgrid(np.arange(DARK.shape[1]), np.arange(DARK.shape[0]))
    assert np.array_equal(maze.contains((1e-6 * i, 2e-6 * j)), square.contains((i, j)))
    with pytest.raises(ValueError, match="give one number, or one an axis"):
        rw.Box.from_image(1.0 - DARK, ABSORB, dx=(1.0, 1.0, 1.0))


def test_the_name_of_a_region_is_a_word() -> None:
    with pytest.raises(TypeError, match="name = '': must be a word"):
        (rw.Line() ** 2).without(rw.Ball((0.0, 0.0), 1.0), name="")
