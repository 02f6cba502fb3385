"""What is no coefficient is told by the name of its argument, wherever coefficients are read; and what asks for too much."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk import pde

BROWNIAN = pde.FokkerPlanck(0.0, 0.5)
TAKES: dict[str, tuple[str, Callable[[Any], object]]] = {
    "the drift of a walk": ("drift", lambda v: rw.ItoWalk(v, 0.5, dt=0.1)),
    "the diffusion of a walk": ("diffusion", lambda v: rw.ItoWalk(0.0, v, dt=0.1)),
    "the noise of a walk": ("noise", lambda v: rw.ItoWalk(0.0, noise=v, dt=0.1)),
    "the killing of a walk": ("killing", lambda v: rw.ItoWalk(0.0, 0.5, dt=0.1, killing=v)),
    "the drift of an equation": ("drift", lambda v: pde.FokkerPlanck(v, 0.5)),
    "the killing of an equation": ("killing", lambda v: pde.FokkerPlanck(0.0, 0.5, killing=v)),
    "a step of a lattice walk": ("right", lambda v: rw.LatticeWalk(v, 0.5, dx=1.0, dt=1.0)),
    "a payoff": ("payoff", lambda v: pde.expectation(BROWNIAN, v, 0.0, 1.0)),
    "a source": ("source", lambda v: pde.expectation(BROWNIAN, 0.0, 0.0, 1.0, source=v)),
    "a boundary": ("boundary", lambda v: pde.expectation(BROWNIAN, 0.0, 0.0, 1.0, boundary=v)),
    "an average": ("Average: f", lambda v: rw.Average(v)),
}
VALUES: dict[str, Any] = {
    "a truth value": True,
    "a complex number": 1j,
    "an array of no axes": np.array(1.0),
    "bytes": b"x",
    "a text": "x",
    "a text of NumPy": np.str_("x"),
    "no number": math.nan,
    "a function of nothing": lambda x: None,
    "a function of a text": lambda x: "x",
    "a function of a complex number": lambda x: 1j * x,
}


@pytest.mark.parametrize("where", TAKES)
@pytest.mark.parametrize("what", VALUES)
def test_what_is_no_coefficient_is_told_by_its_name(where: str, what: str) -> None:
    name, make = TAKES[where]
    if where == "a step of a lattice walk" and what == "an array of no axes":
        name = "right is an array"
    with pytest.raises((TypeError, ValueError), match=f"^{name}.*(give|let it return|must be a finite number)"):
        make(VALUES[what])


@pytest.mark.parametrize(
    "values", [lambda x: (x, x), lambda x: [x], lambda x: np.array([x, 2.0, 3.0])], ids=["tuple", "list", "array"]
)
@pytest.mark.parametrize("where", ["the killing of a walk", "a payoff", "a source", "an average"])
def test_one_number_is_no_several(where: str, values: Any) -> None:
    name, make = TAKES[where]
    with pytest.raises(TypeError, match=f"^{name} = <lambda>: returns .*: let it return one real number everywhere"):
        make(values)


@pytest.mark.parametrize("fails", [lambda x: 1.0 / 0.0, lambda x: np.sqrt(x), lambda x: [1.0][5]])
def test_a_function_that_fails_or_is_no_number_somewhere_is_declared(fails: Any) -> None:
    rw.Average(fails)


@pytest.mark.parametrize("noise", [lambda x: np.sqrt(x), rw.expression("sqrt(x)")])
def test_a_noise_that_is_no_number_is_told_as_noise(noise: Any) -> None:
    with pytest.raises(ValueError, match=r"^noise = nan at x = -\S+, t = 0: must be a finite number"):
        rw.ItoWalk(0.0, noise=noise, dt=0.1, start=0.2)
    with pytest.raises(ValueError, match=r"^noise\[1\]\[1\] = nan at x = "):
        rw.ItoWalk((0.0, 0.0), noise=(1.0, lambda x, y: np.sqrt(y)), dt=0.1, start=(0.2, 0.2))


def test_times_that_are_given_twice() -> None:
    walk = rw.ItoWalk(0.0, 0.5, dt=0.1)
    for call in (lambda t: walk.steps(t), lambda t: pde.solve(BROWNIAN, t)):
        with pytest.raises(ValueError, match="1 comes after 1; sort them, each once"):
            call([1.0, 1.0])
    assert walk.steps(np.unique([1.0, 1.0])) == [10]


@pytest.mark.parametrize("t", [1.0, 1e3])
def test_more_steps_than_a_stream_addresses_are_refused(t: float) -> None:
    with pytest.raises(ValueError, match=r"dt = \S+: t = 1\S* is 1e\+1\d steps, more than the 2³².*; leave dt out, or"):
        pde.expectation(BROWNIAN, rw.expression("x"), 0.0, t, dt=1e-10, walkers=10)
    with pytest.raises(ValueError, match=r"walkers = 10{30}: at most 2⁵³"):
        pde.expectation(BROWNIAN, rw.expression("x"), 0.0, t, walkers=10**30)


def test_so_does_a_walk_until_all_have_left() -> None:
    between = rw.Interval(-1.0, 1.0, rw.Absorbing(), rw.Absorbing())
    equation = pde.FokkerPlanck(0.5, 0.5, domain=between)
    with pytest.raises(
        ValueError, match=r"dt = 1e-10: the \S+ that a walker may take to leave is \S+ steps, more than"
    ):
        pde.expectation(equation, 0.0, 0.0, math.inf, source=1.0, dt=1e-10, walkers=10)
