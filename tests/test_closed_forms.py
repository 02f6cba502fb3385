"""The list of closed forms is complete, its examples have the forms, its formulas are right, and what it says is needed is."""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate, linalg, stats

import randwalk as rw
from randwalk.pde import KnownForm, forms
from randwalk.pde.forms.affine import Motion
from randwalk.pde.forms.green import Green
from randwalk.pde.forms.normal_laws import Form
from randwalk.pde.forms.space_form import SpaceForm

KNOWN = rw.pde.closed_forms()
BY_DOMAIN = {(known.domain, known.drift): known for known in KNOWN}
T = 0.3
each = pytest.mark.parametrize("known", KNOWN, ids=lambda known: f"{known.domain}, {known.drift}")


def density(known: KnownForm, x: Any) -> Any:
    return rw.pde.closed_form(known.example).pdf(x, T)


@each
def test_an_example_has_its_form(known: KnownForm) -> None:
    assert rw.pde.closed_form(known.example).description.startswith(known.name)


@each
def test_a_constant_killing_is_allowed_and_no_other(known: KnownForm) -> None:
    killed = rw.pde.closed_form(with_changes(known, killing=0.5))
    assert "constant killing" in killed.description
    with pytest.raises(rw.pde.NoClosedForm, match="killing"):
        rw.pde.closed_form(with_changes(known, killing=rw.expression("1 + x**2")))


@each
def test_another_drift_has_none(known: KnownForm) -> None:
    cubic = rw.expression("x - x**3")
    drift = cubic if known.example.dimension == 1 else (cubic, *known.example.vector[1:])
    with pytest.raises(rw.pde.NoClosedForm, match="drift"):
        rw.pde.closed_form(with_changes(known, drift=drift))


def with_changes(known: KnownForm, **changes: Any) -> rw.pde.FokkerPlanck:
    given = known.example
    parts = {"drift": given.declared_drift, "diffusion": given.diffusion, "domain": given.domain, "start": given.start}
    return rw.pde.FokkerPlanck(**{**parts, **changes})


def classes_below(base: type) -> Iterator[type]:
    below: list[type] = base.__subclasses__()
    for kind in below:
        yield kind
        yield from classes_below(kind)


def test_no_form_is_left_out() -> None:
    for module in pkgutil.iter_modules(forms.__path__, "randwalk.pde.forms."):
        importlib.import_module(module.name)
    bases: tuple[type, ...] = (Form, SpaceForm, Green, Motion)
    there: set[type] = {kind for base in bases for kind in classes_below(base) if not kind.__abstractmethods__}  # type: ignore[attr-defined]
    used: set[type] = set()
    for known in KNOWN:
        law: Any = rw.pde.closed_form(known.example).law
        used |= {type(law), type(getattr(law, "green", law)), type(getattr(law, "motion", law))}
    assert there <= used, f"not in closed_forms(): {sorted(kind.__name__ for kind in there - used)}"


def normal(x: Any, mean: float, variance: float) -> NDArray[np.float64]:
    return np.asarray(stats.norm.pdf(x, mean, math.sqrt(variance)))


def test_formulas_on_the_line() -> None:
    x = np.linspace(-1.0, 2.0, 4)
    expected = {
        "constant": normal(x, T, T),
        "affine in x": normal(x, math.exp(-T), 0.5 * (1.0 - math.exp(-2.0 * T))),
        "of t alone": normal(x, math.sin(T), T),
        "2Db tanh(b(x - c))": np.cosh(x) * math.exp(-0.5 * T) * normal(x, 0.0, T),
    }
    for drift, values in expected.items():
        assert density(BY_DOMAIN["the line", drift], x) == pytest.approx(values, rel=1e-12)


def test_formulas_between_walls() -> None:
    x, a, d = np.array([0.2, 0.7]), -1.0, 0.5
    h, y, images = 1.0 / d + a / (2.0 * d), 1.0, []
    for place in x:
        behind = integrate.quad(lambda z, at=place: math.exp(-h * z) * float(normal(at + y + z, 0.0, T)), 0, np.inf)[0]
        images.append(normal(place, y, T) + normal(place, -y, T) - 2.0 * h * behind)
    weight = np.exp(a * (x - y) / (2.0 * d) - a * a * T / (4.0 * d))
    assert density(BY_DOMAIN["a half-line, any wall", "constant"], x) == pytest.approx(weight * images, rel=1e-9)
    ring = sum(normal(x, 0.5 + T + n, T) for n in range(-8, 9))
    assert density(BY_DOMAIN["a ring", "constant"], x) == pytest.approx(ring, rel=1e-9)


def test_the_formula_of_an_interval() -> None:
    """Absorbing at 0, u' = u at 1 (K = 0, a/2D = 1): φ = sin λx, tan λ = λ, and the lowest is φ = x with λ = 0."""
    x, roots = np.array([0.2, 0.7]), [4.493409457909064, 7.725251836937707, 10.904121659428899]
    waves = [(np.sin(k * x), math.sin(0.5 * k), 0.5 - math.sin(2.0 * k) / (4.0 * k), k) for k in roots]
    total = 3.0 * x * 0.5 + sum(at * start / size * math.exp(-0.5 * k * k * T) for at, start, size, k in waves)
    expected = np.exp((x - 0.5) - 0.5 * T) * total
    assert density(BY_DOMAIN["an interval, any two walls", "constant"], x) == pytest.approx(expected, rel=1e-9)


def test_formulas_in_space() -> None:
    product = BY_DOMAIN["a box of these", "of its own coordinate along each axis, as above"]
    one, two = (rw.pde.closed_form(product.example.axis(i)).pdf(x, T) for i, x in enumerate((0.3, 0.8)))
    assert density(product, (0.3, 0.8)) == pytest.approx(one * two, rel=1e-12)
    a = np.array([[-1.0, -1.0], [1.0, -1.0]])
    spread = integrate.quad_vec(lambda s: linalg.expm(a * s) @ linalg.expm(a.T * s), 0.0, T)[0]
    whole = stats.multivariate_normal(linalg.expm(a * T)[:, 0], spread)
    assert density(BY_DOMAIN["the whole space", "affine in the place"], (0.3, 0.8)) == pytest.approx(
        whole.pdf([0.3, 0.8]), rel=1e-9
    )
    moving = stats.multivariate_normal([T * T / 2] * 2, [[2 * T + T * T, 0.6 * T], [0.6 * T, 2 * T + T * T]])
    assert density(BY_DOMAIN["the whole space", "of t alone"], (0.3, 0.8)) == pytest.approx(
        moving.pdf([0.3, 0.8]), rel=1e-9
    )


def test_entries_are_values() -> None:
    assert replace(KNOWN[0]) == KNOWN[0]
