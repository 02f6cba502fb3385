"""A continuous walk in other units: the same walkers, bit for bit where units are powers of two, else to rounding.

Lengths are multiplied by L and times by T: a power of two changes no digit of a float64, so that a constant of the code that
has a unit, or a test of sizes against 1, would show. µm and ns, and years in seconds, change digits: 1e-9 is
allowed, thousands of roundings of a path, which none of the branches of a step meets at these seeds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk import pde

A, R = rw.Absorbing(), rw.Reflecting()
X = rw.expression("x")
BINARY = [(2.0**-20, 2.0**-30), (2.0**40, 2.0**-100)]
DECIMAL = [(1e-6, 1e-9), (1e3, 3.15e7)]


def between(L: float, left: Any, right: Any) -> rw.Interval:
    return rw.Interval(-L, 1.25 * L, left, right)


def moving(L: float, T: float) -> rw.Interval:
    return rw.Interval(-L, 1.25 * L - 0.25 * L / T * rw.expression("t"), A, A)


def disc(L: float, wall: Any) -> Any:
    return (rw.Line() ** 2).inside(rw.Ball((0.0, 0.0), L), wall)


def walk(L: float, T: float, drift: Any = 0.75, start: Any = 0.5, **given: Any) -> rw.ItoWalk:
    """With D = L²/2T unless a noise is given."""
    one = isinstance(start, float)
    a = drift * L / T if isinstance(drift, float) else drift
    noise: dict[str, Any] = {} if "noise" in given or "diffusion" in given else {"diffusion": 0.5 * L * L / T}
    begin = start * L if one else tuple(L * x for x in start)
    return rw.ItoWalk(a if one else (a, 0.0), dt=T / 16, start=begin, **noise, **given)


def geometric(L: float, T: float, scheme: Any) -> rw.ItoWalk:
    """Its noise has √T: only with even powers of two is that one of two."""
    return walk(L, T, X * (0.25 / T), 1.0, noise=X * (0.5 / math.sqrt(T)), scheme=scheme)


WALKS: dict[str, Callable[[float, float], rw.ItoWalk]] = {
    "Ornstein and Uhlenbeck, exact": lambda L, T: walk(L, T, -X * (1.0 / T), scheme=rw.Exact()),
    "geometric, Milstein": lambda L, T: geometric(L, T, rw.Milstein()),
    "geometric, Platen": lambda L, T: geometric(L, T, rw.Platen()),
    "geometric, exact": lambda L, T: geometric(L, T, rw.Exact()),
    "absorbing walls": lambda L, T: walk(L, T, domain=between(L, A, A)),
    "walls that react and reflect, killing": lambda L, T: walk(
        L, T, domain=between(L, rw.PartiallyAbsorbing(0.75 * L / T), R), killing=X * X * (0.25 / T / L / L)
    ),
    "a wall that moves": lambda L, T: walk(L, T, domain=moving(L, T)),
    "an interface": lambda L, T: walk(
        L,
        T,
        0.0,
        0.25,
        diffusion=(0.5 * L * L / T) * rw.expression("1 + 3*heaviside(x)"),
        convention=rw.Convention.FICK,
    ),
    "a disc": lambda L, T: walk(L, T, start=(0.25, 0.125), domain=disc(L, A)),
}

ROUNDED = {"Ornstein and Uhlenbeck, exact": 1e-12}  # SciPy's exponential of the matrix of A and b, whose units differ


def found(made: Callable[[float, float], rw.ItoWalk], L: float, T: float) -> dict[str, Any]:
    """What 300 walkers and the records say, in units of L and T."""
    here = made(L, T)
    average = rw.Average(X * X)
    passage, departed, places = rw.FirstPassage(), rw.Departures(), rw.Positions()
    edges = tuple((np.linspace(-2.0, 2.0, 9) * L).tolist())
    bins = edges if here.dimension == 1 else (edges, edges)
    run = rw.simulate(here, 300, [T, 2.0 * T], bins=bins, seed=3, record=[passage, departed, places, average])
    left, times, mean, variance = run[departed], run[passage], run.mean(2.0 * T), run.variance(2.0 * T)
    squares = run[average].mean(2.0 * T)
    return {
        "places": run[places].x / L, "times": left.time / T, "exits": left.exit, "where": left.place / L,
        "counts": run.counts, "passages": times.counts, "average": squares.value / L / L,
        "its error": squares.error / L / L, "mean": np.asarray(mean.value) / L, "error": np.asarray(mean.error) / L,
        "variance": np.asarray(variance.value) / L / L,
    }  # fmt: skip


@pytest.mark.parametrize("name", WALKS)
def test_walkers_and_records_know_no_units(name: str) -> None:
    one = found(WALKS[name], 1.0, 1.0)
    for L, T in BINARY:
        other = found(WALKS[name], L, T)
        digits = ROUNDED.get(name, 0.0)
        for what, values in one.items():
            np.testing.assert_allclose(
                other[what], values, rtol=digits, atol=digits, err_msg=f"{name}: {what} where L = {L:g}, T = {T:g}"
            )
    for L, T in DECIMAL:
        other = found(WALKS[name], L, T)
        for what, values in one.items():
            np.testing.assert_allclose(
                other[what], values, rtol=1e-9, atol=1e-9, err_msg=f"{name}: {what} where L = {L:g}, T = {T:g}"
            )


def flow(L: float, T: float, domain: Any, start: Any = 0.0) -> pde.FokkerPlanck:
    return pde.FokkerPlanck(0.5 * L / T, 0.5 * L * L / T, domain=domain, start=start)


VALUES: dict[str, tuple[Callable[[float, float], pde.Expectation], Callable[[float, float], float]]] = {
    "at a time, to a tolerance": (
        lambda L, T: pde.expectation(flow(L, T, rw.Line()), X * X, 0.5 * L, T, tolerance=L * L / 32.0),
        lambda L, T: L * L,
    ),
    "without time": (
        lambda L, T: pde.expectation(flow(L, T, between(L, A, R)), 0.0, 0.5 * L, math.inf, source=1.0, walkers=2000),
        lambda L, T: T,
    ),
    "on spheres": (
        lambda L, T: pde.expectation(
            pde.FokkerPlanck(0.0, 0.5 * L * L / T, domain=disc(L, A)), 0.0, (0.5 * L, 0.0), math.inf, source=1.0,
            tolerance=T / 64.0,
        ),
        lambda L, T: T,
    ),
    "by levels": (
        lambda L, T: pde.expectation(
            flow(L, T, rw.Line()), X * X, 0.5 * L, T, tolerance=L * L / 32.0, reduction=pde.Multilevel()
        ),
        lambda L, T: L * L,
    ),
    "with another drift": (
        lambda L, T: pde.expectation(
            flow(L, T, rw.Line()), X * X, 0.5 * L, T, walkers=2000, reduction=pde.Drift(0.25 * L / T)
        ),
        lambda L, T: L * L,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_values_at_points_know_no_units(name: str) -> None:
    """To the same number of walkers, and of steps in T."""
    ask, unit = VALUES[name]
    one = ask(1.0, 1.0)
    for pairs, rtol in ((BINARY, 0.0), (DECIMAL, 1e-8)):
        for L, T in pairs:
            other, size = ask(L, T), unit(L, T)
            where = f"{name} where L = {L:g}, T = {T:g}"
            assert int(other.walkers) == int(one.walkers), where
            np.testing.assert_allclose(float(other.dt) / T, float(one.dt), rtol=rtol, err_msg=where)
            for part in ("value", "error", "statistical"):
                np.testing.assert_allclose(
                    float(getattr(other, part)) / size, float(getattr(one, part)), rtol=rtol, err_msg=f"{part} {where}"
                )
