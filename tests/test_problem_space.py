"""Problem files in several dimensions: what is read, what is written is read back, and errors that name the line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk.problem import Problem, ProblemError, Source

WALL, OPEN = rw.Reflecting(), rw.Absorbing()
BOX = rw.Interval(0.0, 1.0, WALL, WALL) * rw.Interval(0.0, 1.0, OPEN, rw.PartiallyAbsorbing(0.5))
TEXT = """[parameters]
k = 0.5
[walk]
drift = ["-k*y", "x*t"]
diffusion = [[1.0, 0.2], [0.2, "0.5 + 0.01*x"]]
dx = [0.1, "k/5"]
convention = "fick"
[domain]
x = {low = 0.0, high = "4 + 0.05", left = "reflecting", right = "absorbing"}
y = {ring = [0.0, 6.0]}
[[domain.region]]
name = "trap"
ball = {centre = [2.0, 3.0], radius = "1.6*k"}
wall = "absorbing"
[[domain.region]]
half_space = {normal = [1.0, 1.0], offset = 9.0}
wall = {reactivity = "k"}
[start]
point = [1.0, "2*k"]
[run]
times = [0.1]
"""


def read(text: str) -> rw.LatticeWalk:
    return Problem.of(Source.parse(text, "p.toml")).walk


def plain(**changed: Any) -> dict[str, Any]:
    return {"right": 0.25, "left": 0.2, "up": 0.2, "down": 0.1, "dx": 0.1, "dt": 0.5} | changed


def given() -> dict[str, rw.LatticeWalk]:
    f = rw.expression
    array = np.random.default_rng(0).uniform(0.0, 0.2, (10, 9))
    shape = (rw.Ball((0.5, 0.5), 0.3) | rw.HalfSpace((1.0, 1.0), 1.8)) & ~rw.Level(f("x*y - 0.6"))
    mask = np.zeros((10, 9), dtype=bool)
    mask[2:4, 3:] = True
    inner: dict[str, Any] = {"domain": BOX, "dx": (0.1, 1.0 / 9.5), "start": (0.5, 0.5)}
    return {
        "plane": rw.LatticeWalk(**plain()),
        "formulas": rw.LatticeWalk(**plain(right=f("0.2 + 0.1*sin(x*y + t)"), killing=f("x**2 + y"))),
        "space": rw.LatticeWalk(**plain(front=0.1, back=0.1, dx=(0.1, 0.2, 0.3), start=(1.0, 2.0, 3.0))),
        "steps": rw.LatticeWalk(steps={(1, 1): 0.3, (-1, -1): f("0.2*exp(-x**2)"), (1, 0): 0.1}, dx=1.0),
        "four dimensions": rw.LatticeWalk.from_drift((f("x[3]"), 0, 0, 0), 0.5, dx=1.0, domain=rw.Line() ** 4),
        "moore": rw.LatticeWalk.from_drift((f("-x + y"), 1.0), (0.5, f("0.1 + y**2")), dx=0.1, times=[0.3]),
        "von neumann": rw.LatticeWalk.from_drift(0, 0.5, dx=0.1, domain=rw.Line() ** 2, neighbourhood=rw.VonNeumann()),
        "tensor": rw.LatticeWalk.from_drift(0, ((0.5, f("0.1*x")), (f("0.1*x"), 0.5)), **inner, convention=rw.Convention.FICK),
        "fitted": rw.LatticeWalk.from_drift((1.0, 0.0), 0.5, dx=0.1, rule=rw.Rule.FITTED),
        "array": rw.LatticeWalk(**plain(right=array, **inner)),
        "half-line and line": rw.LatticeWalk(**plain(domain=rw.Interval(0.0, np.inf, OPEN) * rw.Line(), start=(1.0, 0.0))),
        "half-line the other way": rw.LatticeWalk(**plain(domain=rw.Ring(0.0, 1.0) * rw.Interval(-np.inf, 0.0, None, WALL),
                                                          start=(0.5, -1.05))),
        "regions": rw.LatticeWalk(**plain(**inner | {"domain": BOX.without(shape, OPEN, "trap").without(rw.Mask(mask))})
                                  | {"start": (0.05, 0.1)}),
        "inside": rw.LatticeWalk(**plain(**inner | {"domain": BOX.inside(rw.Ball((0.5, 0.5), 0.4), OPEN, "rim")})),
        "distance": rw.LatticeWalk(**plain(**inner | {"domain": BOX.inside(rw.Level(f("0.3 - y"), distance=True))})
                                   | {"start": (0.5, 0.1)}),
        "uniform": rw.LatticeWalk(**plain(start=rw.Uniform((0.0, 0.0), (1.0, 2.0)))),
        "product": rw.LatticeWalk(**plain(start=rw.Normal(0.0, 1.0) * rw.Sites([0.0, 1.0], [0.25, 0.75]))),
        "atoms": rw.LatticeWalk(**plain(start=rw.Atoms([(0.0, 1.0), (2.0, 1.0)], [0.25, 0.75]))),
        "everywhere": rw.LatticeWalk(**plain(**inner | {"start": rw.Everywhere()})),
    }  # fmt: skip


WALKS = given()


@pytest.mark.quick
@pytest.mark.parametrize("name", WALKS)
def test_a_walk_that_is_written_is_read_back(name: str) -> None:
    walk = WALKS[name]
    text = Problem(walk, times=(walk.dt,)).dumps()
    again = read(text)
    assert again == walk, text
    assert Problem(again, times=(walk.dt,)).dumps() == text


def test_a_file_in_the_plane() -> None:
    walk = read(TEXT)
    room = rw.Interval(0.0, 4.05, WALL, OPEN) * rw.Ring(0.0, 6.0)
    room = room.without(rw.Ball((2.0, 3.0), 0.8), OPEN, "trap").without(
        rw.HalfSpace((1.0, 1.0), 9.0), rw.PartiallyAbsorbing(0.5)
    )
    wanted = rw.LatticeWalk.from_drift(
        (rw.expression("-0.5*y"), rw.expression("x*t")), ((1.0, 0.2), (0.2, rw.expression("0.5 + 0.01*x"))), dx=0.1,
        domain=room, start=(1.0, 1.0), times=[0.1], convention=rw.Convention.FICK,
    )  # fmt: skip
    assert walk == wanted
    assert walk.domain.exits == ("left", "right", "bottom", "top", "trap", "obstacle", "killing")


def test_walls_have_the_names_of_faces() -> None:
    axes = 'y = {low = 0.0, high = 1.0, bottom = "absorbing", top = {reactivity = 2.0}}\nz = {}'
    walk = read(
        f"[walk]\ndrift = 0\ndiffusion = 0.5\ndx = [0.1, {1 / 9.5}, 0.2]\n[domain]\nx = {{ring = [0, 1]}}\n{axes}\n"
        "[start]\npoint = [0.5, 0.5, 0.0]\n[run]\ntimes = [0.1]\n"
    )
    assert walk.domain == rw.Ring(0.0, 1.0) * rw.Interval(0.0, 1.0, OPEN, rw.PartiallyAbsorbing(2.0)) * rw.Line()
    assert [face.exit for face in walk.domain.faces] == ["bottom", "top"]


def test_one_axis_by_name_is_one_dimension() -> None:
    walk = read(
        '[walk]\ndrift = "-x"\ndiffusion = 0.5\ndx = 0.1\n[domain]\nx = {ring = [-1, 1]}\n[run]\ntimes = [1.0]\n'
    )
    assert walk.domain == rw.Ring(-1.0, 1.0)
    assert walk == rw.LatticeWalk.from_drift(rw.expression("-x"), 0.5, dx=0.1, domain=rw.Ring(-1.0, 1.0), times=[1.0])


def test_an_image(tmp_path: Path) -> None:
    import matplotlib.image

    bright = np.ones((8, 10, 3))
    bright[2:5, 3] = 0.0
    matplotlib.image.imsave(tmp_path / "maze.png", bright)
    path = tmp_path / "p.toml"
    path.write_text(
        "[walk]\nright = 0.25\nleft = 0.25\nup = 0.25\ndown = 0.25\ndt = 1.0\ndx = 1.0\n[domain]\n"
        'x = {low = -0.5, high = 9.5, left = "reflecting", right = "reflecting"}\n'
        'y = {low = -0.5, high = 7.5, bottom = "reflecting", top = "reflecting"}\n'
        '[[domain.region]]\nimage = "maze.png"\n[start]\neverywhere = true\n[run]\ntimes = [1.0]\n'
    )
    walk = Problem.load(path).walk
    assert walk.domain.contains((np.array([3.0, 3.0, 3.0, 2.0]), np.array([5.0, 3.0, 2.0, 5.0]))).tolist() == [
        False,
        False,
        True,
        True,
    ]
    assert read(Problem(walk, times=(1.0,)).dumps()) == walk


LINES = [  # what is put in place of a part of TEXT, and the line and the words of the complaint
    ('"x*t"]', '"z*t"]', 4, "unknown name 'z' in the formula 'z*t': known are x, y, t"),
    ('["-k*y", "x*t"]', '["-k*y", "x*t", 0]', 4, "drift = "),
    ('"x*t"]', '["x"]]', 4, "drift[1] = (x): must be a number"),
    ("[0.2, ", "[0.3, ", 5, "a diffusion tensor is symmetric"),
    ("[[1.0, 0.2]", "[[1.0, 2.0]", 5, "a diffusion tensor is symmetric"),
    ('dx = [0.1, "k/5"]', "dx = [0.1, 0.1, 0.1]", 6, "dx = [0.1, 0.1, 0.1]"),
    ('dx = [0.1, "k/5"]', "dx = [0.1, 0.11]", 6, "does not fit the y axis"),
    ('convention = "fick"', 'neighbourhood = "more"', 7, "neighbourhood = 'more': must be one of moore, von_neumann"),
    ('convention = "fick"', 'neighbourhood = "moore"', 7, "is not diagonal: take"),
    ("k = 0.5", "k = 0.5\ny = 1.0", 3, "the parameter name 'y' is taken: it is a coordinate"),
    ("y = {ring = [0.0, 6.0]}", "y = {ring = [0.0, 6.0], top = 'absorbing'}", 10, "a ring is {ring = [low, high]} and has no wa"),
    ("y = {ring = [0.0, 6.0]}", 'y = {low = 0, left = "absorbing"}', 10, "unknown key 'left' of y; known are low, high, bottom"),
    ("y = {ring = [0.0, 6.0]}", "y = {low = 0}", 10, "the bottom end, at y = 0, needs a wall: bottom ="),
    ("y = {ring = [0.0, 6.0]}", 'y = {bottom = "absorbing"}', 10, "needs low, the place of the wall"),
    ("y = {ring = [0.0, 6.0]}", "z = {ring = [0.0, 6.0]}", 8, "[domain] has x, z: give the axes in order, x, y"),
    ("y = {ring = [0.0, 6.0]}", "w = {ring = [0.0, 6.0]}", 10, "unknown key 'w' in [domain]; known are x, y, region"),
    ('[0.2, "0.5 + 0.01*x"]]', '["0.5 + 0.01*x"]]', 5, "diffusion = ((1, 0.2), (0.01*x + 0.5)) has the shape of rows of 2, 1"),
    ("y = {ring = [0.0, 6.0]}", "y = 3", 10, "y = 3: must be {low, high, bottom, top}, {ring} or {}"),
    ("ball = {", "bal = {", 11, "unknown key 'bal' of a region; known are"),
    ("ball = {", "image = 'm.png'\nball = {", 11, "a region has image, ball: give one of ball, half_space"),
    ("radius =", "radios =", 11, "is no shape: give ball = {centre, radius}"),
    ("centre = [2.0, 3.0]", "centre = [2.0, 3.0, 4.0]", 11, "has 3 axes and the domain has 2"),
    ('name = "trap"', 'name = "left"', 11, "name = 'left': is taken"),
    ('wall = "absorbing"', 'wall = "absorbin"', 14, "did you mean 'absorbing'?"),
    ('point = [1.0, "2*k"]', "point = 1.0", 19, "start = Point(x=1.0)"),
    ('point = [1.0, "2*k"]', "point = [2.0, 3.0]", 19, "is in the trap 'trap'"),
    ('point = [1.0, "2*k"]', "product = [{point = 1.0}]", 19, "must be a list of two starts or more"),
    ('point = [1.0, "2*k"]', "product = [{point = 1.0}, {pint = 1.0}]", 19, "must be a table with one of point, normal"),
    ('point = [1.0, "2*k"]', "everywhere = false", 19, "everywhere = False: must be true"),
    ('point = [1.0, "2*k"]', "atoms = {points = [[1.0, 1.0]], masses = [0.5]}", 19, "sum to 0.5"),
    ("[walk]\n", "[walk]\nsteps = [{to = [1, 1], p = 0.1}]\n", 4, "[walk] has both drift and steps"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "told"), LINES, ids=[f"{i}" for i in range(len(LINES))])
def test_the_line_is_that_of_the_key(old: str, new: str, line: int, told: str) -> None:
    assert old in TEXT
    with pytest.raises(ProblemError) as error:
        read(TEXT.replace(old, new, 1))
    assert told in str(error.value)
    assert str(error.value).startswith(f"p.toml:{line}: "), str(error.value)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("[]", "must be a list of tables"),
        ("[{to = [1, 1]}]", "must be a table {to = "),
        ("[{to = [1, 1], p = 0.1}, {to = [1, 1], p = 0.2}]", "each place once"),
        ("[{to = [1, 2], p = 0.1}]", r"steps\[\(1, 2\)\]: a displacement is a tuple"),
        ("[{to = [1, 1], p = 1.2}]", r"steps\[\(1, 1\)\] = 1.2 at x = 0, y = 0, t = 0: must be ≤ 1"),
    ],
)
def test_bad_steps_are_refused(steps: str, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        read(f"[walk]\nsteps = {steps}\ndx = 1.0\ndt = 1.0\n[run]\ntimes = [1.0]\n")


@pytest.mark.parametrize(
    ("domain", "diffusion", "tolerance"),
    [
        (rw.Line(), 0.5, 1e-5),
        (rw.Line() ** 2, 0.5, 1e-4),
        (rw.Line() ** 2, ((0.5, 0.1), (0.1, 0.5)), 1e-4),
        (rw.Line() * rw.Interval(-1.0, 1.05, rw.Absorbing(), rw.Reflecting()), ((0.5, 0.1), (0.1, 0.5)), 2e-3),
        ((rw.Line() ** 2).without(rw.Ball((2.0, 0.0), 1.0)), 0.5, 2e-3),
    ],
)
def test_the_tolerance_that_a_file_leaves_out(domain: rw.Line, diffusion: Any, tolerance: float) -> None:
    problem = rw.Problem(rw.LatticeWalk.from_drift(0.0, diffusion, dx=0.1, domain=domain), times=(1.0,))
    assert problem.tolerance == tolerance and "tolerance" not in problem.dumps()
    assert "tolerance = 0.01" in replace(problem, tolerance=0.01).dumps()
