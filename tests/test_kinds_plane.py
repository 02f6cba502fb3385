"""One list of questions for every kind of law beyond one dimension: ensembles, exact laws, solutions and closed forms agree."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

import randwalk as rw
from randwalk.laws.estimate import exact
from randwalk.laws.law import Law
from randwalk.model.domain import Interval, Line, Ring
from randwalk.pde import closed_form, exact_law, limit, solve

mpl.use("Agg")

A, R = rw.Absorbing(), rw.Reflecting()
TIMES = [0.05, 0.1]
WALKERS = 200_000
WALKS: dict[str, Callable[[], rw.LatticeWalk]] = {
    "box": lambda: rw.LatticeWalk.from_drift(
        (0.5, -1.0), 0.5, dx=0.1, domain=Interval(0.0, 1.0, A, A) * Ring(0.0, 1.5), start=(0.3, 0.6), times=TIMES
    ),
    "killed": lambda: rw.LatticeWalk.from_drift(
        (0.5, -1.0), (0.5, 0.25), dx=0.1, domain=Interval(0.0, math.inf, A) * Line(), start=(0.5, 0.0), killing=1.0,
        times=TIMES,
    ),
    "tensor": lambda: rw.LatticeWalk.from_drift(
        (0.5, 0.0), ((0.5, 0.2), (0.2, 0.3)), dx=0.1, start=(0.0, 0.0), times=TIMES
    ),
    "space": lambda: rw.LatticeWalk.from_drift(
        (0.5, 0.0, -0.5), 0.5, sites=(9, 9, 8), domain=Interval(0.0, 1.0, A, A) ** 2 * Ring(0.0, 1.0),
        start=(0.4, 0.5, 0.5), times=TIMES,
    ),
}  # fmt: skip
KINDS: dict[str, Callable[[rw.LatticeWalk], Law[Any]]] = {
    "ensemble": lambda walk: rw.simulate(walk, WALKERS, TIMES, seed=1, method="occupation"),
    "passages": lambda walk: rw.simulate(walk, WALKERS, TIMES, seed=2, method="paths", record=[rw.FirstPassage()]),
    "exact law": lambda walk: exact_law(walk, TIMES),
    "smoothed": lambda walk: exact_law(walk, TIMES).smoothed(),
    "solution": lambda walk: solve(limit(walk), TIMES, tolerance=2e-3),
    "closed form": lambda walk: closed_form(limit(walk)),
}


@cache
def law(name: str, kind: str) -> Law[Any]:
    return KINDS[kind](WALKS[name]())


def near(kind: str) -> float:
    """By how much answers may differ from the closed form: five standard errors of at most ½/√n (of some 500 numbers, one false
    alarm in 3000), the step error of the walk (0.02: it is of the order (dx/width)²), and that of the solver."""
    return {"closed form": 1e-9, "solution": 3e-3}.get(kind, 0.02 + 2.5 / math.sqrt(WALKERS))


EDGES: dict[str, tuple[list[float], ...]] = {  # between sites, inside the domain
    "box": ([0.05, 0.35, 0.75], [0.25, 0.55, 0.95, 1.25]),
    "killed": ([0.05, 0.35, 0.75], [-0.45, 0.25, 0.75]),
    "tensor": ([-0.35, 0.05, 0.35, 0.75], [-0.45, 0.25, 0.75]),
    "space": ([0.05, 0.35, 0.75], [0.25, 0.55, 0.85], [0.0625, 0.4375, 0.9375]),
}


@pytest.mark.parametrize("name", WALKS)
@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_answer_alike(name: str, kind: str) -> None:
    this, form, cut = law(name, kind), law(name, "closed form"), EDGES[name]
    shape, d = tuple(len(e) - 1 for e in cut), this.dimension
    mass = exact(this.mass(cut, TIMES))
    assert mass.shape == (2, *shape)
    np.testing.assert_allclose(mass, form.mass(cut, TIMES), rtol=0, atol=near(kind))
    np.testing.assert_allclose(exact(this.survival(TIMES)), form.survival(TIMES), rtol=0, atol=near(kind))
    assert this.exits == form.exits
    total = exact(this.survival(TIMES))
    for exit in this.exits:
        gone = exact(this.absorbed(exit, TIMES))
        np.testing.assert_allclose(gone, form.absorbed(exit, TIMES), rtol=0, atol=near(kind))
        total = total + gone
    np.testing.assert_allclose(total, 1.0, rtol=0, atol=2e-6 if kind == "solution" else 1e-9)  # what leaves its window
    assert exact(this.mean(TIMES)).shape == (2, d) and exact(this.variance([TIMES])).shape == (1, 2, d, d)
    along = [axis for axis in range(d) if not this.domain.axes[axis].periodic]  # moments jump at the seam of a ring
    np.testing.assert_allclose(exact(this.mean(TIMES))[:, along], form.mean(TIMES)[:, along], rtol=0, atol=near(kind))
    here = np.ix_([0, 1], along, along)
    np.testing.assert_allclose(exact(this.variance(TIMES))[here], form.variance(TIMES)[here], rtol=0, atol=near(kind))
    if name != "space":  # where quadrature takes seconds
        found, wanted = (exact(one.expect(lambda x, y: np.cos(2 * np.pi * y) * x, TIMES)) for one in (this, form))
        np.testing.assert_allclose(found, wanted, rtol=0, atol=near(kind))


@pytest.mark.parametrize("name", WALKS)
@pytest.mark.parametrize("kind", KINDS)
def test_density_goes_with_the_masses(name: str, kind: str) -> None:
    """The density at the middles of fine boxes sums to their mass; the marginal has the mass of all bins of the others."""
    this, cut = law(name, kind), EDGES[name]
    fine = [np.linspace(e[0], e[-1], 1 + round((e[-1] - e[0]) / 0.0125)) for e in cut]
    middles = np.meshgrid(*(0.5 * (e[1:] + e[:-1]) for e in fine), indexing="ij", sparse=True)
    rho = exact(this.pdf(tuple(middles), 0.1))
    total = float(rho.sum()) * math.prod(e[1] - e[0] for e in fine)
    whole = float(exact(this.mass([[e[0], e[-1]] for e in cut], 0.1)).ravel()[0])
    brick = 0.05 if kind in ("ensemble", "passages", "exact law") else 0.0  # atoms on an edge count as a whole
    assert total == pytest.approx(whole, abs=2e-3 + brick * (name == "space"))
    for axis, e in enumerate(cut):
        side = this.marginal(axis)
        ends = [[-np.inf, np.inf]] * this.dimension
        ends[axis] = e
        np.testing.assert_allclose(
            exact(side.mass(e, 0.1)),
            exact(this.mass(ends, 0.1)).ravel(),
            rtol=0,
            atol=1e-9 + 1e-4 * (kind == "closed form"),
        )
        assert side.dimension == 1 and float(exact(side.survival(0.1))) == float(exact(this.survival(0.1)))
        x = np.array([0.31, 0.52])
        if kind == "closed form":
            step = 1e-3
            slope = [float(side.mass([v - step, v + step], 0.1)[0]) / (2 * step) for v in x]
            np.testing.assert_allclose(side.pdf(x, 0.1), slope, rtol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_and_datasets(kind: str) -> None:
    for name in ("box", "tensor"):
        this = law(name, kind)
        ax = this.plot(0.1)
        labels = ax.get_legend_handles_labels()[1]
        assert [label.split(":")[0] for label in labels] == (["left", "right"] if name == "box" else [])
        data = this.to_xarray([0.1])
        assert data["density"].dims == ("time", "x", "y") and data["absorbed"].shape == (1, len(this.exits))
        against = law(name, "exact law" if kind in ("ensemble", "passages") else "ensemble")
        z = np.asarray(this.plot(0.1, against=against).collections[0].get_array().filled(np.nan))
        z = z[np.isfinite(z)]
        assert z.size > 50 and np.abs(z).max() < (20.0 if kind in ("solution", "closed form") else 5.5)
        this.marginal("y").plot(0.1)
        mpl.pyplot.close("all")
    assert len(law("space", kind).plot(0.1)) == 3
    mpl.pyplot.close("all")
