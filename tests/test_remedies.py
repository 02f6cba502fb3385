"""Remedies in messages work: each one that a refusal names is followed, three times at most, until the call is accepted."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import randwalk as rw
from randwalk import Rule

ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()
Call = Callable[..., object]
UNIT = rw.Interval(0, 1, ABSORB, REFLECT)


def drifted(*coefficients: Any, until: float | None = None, **fixed: Any) -> Call:
    """A walk from a drift, and its law if `until` is given."""

    def call(**more: Any) -> object:
        arguments = fixed | more
        for one, other in (("sites", "dx"), ("dx", "sites")):
            if one in more:
                arguments.pop(other, None)
        if until is not None and "dt" not in arguments:
            arguments["times"] = [until]
        walk = rw.LatticeWalk.from_drift(*coefficients, **arguments)
        return walk if until is None else rw.pde.exact_law(walk, [max(1, round(until / walk.dt)) * walk.dt])

    return call


def given(right: Any, left: Any, until: float | None = None, **fixed: Any) -> Call:
    """A walk from probabilities."""

    def call(divide: float = 1.0, least: bool = False, **more: Any) -> object:
        p, q, kappa = right, left, fixed.get("killing", 0.0)
        if divide != 1.0:
            p, q = rw.expression(f"({p})/{divide!r}"), rw.expression(f"({q})/{divide!r}")
        if least:
            p, q, kappa = (max(v, 0.0) for v in (p, q, kappa))
        walk = rw.LatticeWalk(p, q, **(fixed | more | {"killing": kappa}))
        return walk if until is None else rw.pde.exact_law(walk, [until])

    return call


x, t = rw.expression("x"), rw.expression("t")
PRICE = rw.expression("0.1*x"), rw.expression("0.02*x**2")  # of a share: drift μx, D = σ²x²/2
CALLS: dict[str, Call] = {
    "probabilities above 1": given(0.7, 0.5, dx=1.0),
    "probabilities above 1 in a box": given(0.7, 0.5, sites=9, domain=UNIT, start=0.5),
    "a negative probability": given(-0.1, 0.5, dx=1.0),
    "both": given(0.5, -1e-9, dx=1.0),
    "negative killing": given(0.1, 0.5, dx=1.0, killing=-1.0),
    "a long step": drifted(0.0, 0.5, dx=0.1, dt=0.02),
    "a very long step": drifted(0.0, 0.5, dx=0.1, dt=1e6),
    "a long step in small units": drifted(0.0, 1e-12, dx=1e-8, dt=1.0),
    "a long step with drift": drifted(4.0, 0.5, dx=0.1, dt=0.0095),
    "a strong drift": drifted(100.0, 0.5, dx=0.1),
    "a very strong drift": drifted(-1e6, 0.5, dx=0.1),
    "a strong drift in small units": drifted(1e3, 1e-9, dx=1e-7, until=1e-8),
    "a strong drift, linear": drifted(100.0, 0.5, dx=0.1, rule=Rule.LINEAR),
    "a strong drift, two-way": drifted(100.0, 0.5, dx=0.1, rule=Rule.TWO_WAY),
    "a strong drift, a long step": drifted(100.0, 0.5, dx=0.1, dt=1.0, rule=Rule.FITTED),
    "a capped drift": drifted(100.0, 0.5, dx=0.1, rule=Rule.CAPPED),
    "a spring": drifted(-10.0 * x, 0.5, dx=0.1, start=5.0, until=0.5),
    "a spring, linear": drifted(-10.0 * x, 0.5, dx=0.1, start=5.0, until=0.5, rule=Rule.LINEAR),
    "a slope in a box": drifted(20.0 * x, 0.5, sites=4, domain=UNIT, start=0.5),
    "a steep slope in a box": drifted(200.0 * x, 0.5, sites=20, domain=UNIT, start=0.5),
    "a steep slope, linear": drifted(200.0 * x, 0.5, sites=20, domain=UNIT, start=0.5, rule=Rule.LINEAR),
    "hot outside": drifted(0.0, rw.expression("1 + x**2"), dx=0.1, until=0.1),
    "hotter and hotter": drifted(0.0, rw.expression("1 + t"), dx=0.1, dt=0.004, until=2.0),
    "a price": drifted(*PRICE, dx=0.02, start=1.0, until=1.0),
    "a price, fitted": drifted(*PRICE, dx=0.02, start=1.0, until=1.0, rule=Rule.FITTED),
    "a price, capped": drifted(*PRICE, dx=0.02, start=1.0, until=1.0, rule=Rule.CAPPED),
    "a price that gets near 0": drifted(*PRICE, dx=0.25, start=1.0, until=1.0),
    "a rising price": drifted(rw.expression("0.3*x"), PRICE[1], dx=0.1, start=1.0, until=0.5),
    "Fick": drifted(5.0, rw.expression("1 + 0.9*sin(x)"), dx=0.5, until=0.2, convention=rw.Convention.FICK),
    "a wall": drifted(
        0.5, 0.5, sites=10, domain=rw.Interval(0, 1, rw.PartiallyAbsorbing(50.0), REFLECT), start=0.5, dt=0.0095, until=0.2
    ),
    "a wall and a strong drift": drifted(
        -15.0, 0.5, sites=10, domain=rw.Interval(0, 1, rw.PartiallyAbsorbing(1.0), REFLECT), start=0.5, until=0.2
    ),
}  # fmt: skip
FOLLOW: list[tuple[str, Callable[..., dict[str, Any]]]] = [
    (r"divide right and left there by ([\d.e+-]+)", lambda n: {"divide": float(n)}),
    (r"(take right and left ≥ 0|take a killing rate ≥ 0)", lambda _: {"least": True}),
    (
        r"\(sites ≥ (\d+)\) with(?:out dt| dt ≤ ([\d.e+-]+))",
        lambda n, dt: {"sites": int(n), "dx": None, "dt": dt and float(dt)},
    ),
    (
        r"dx ≤ ([\d.e+-]+)(?: without dt| with dt ≤ ([\d.e+-]+))?(?:,|$| or)",
        lambda n, dt: {"dx": float(n), "sites": None, "dt": dt and float(dt)},
    ),
    (r"take dx = (?:[\d.e+-]+ or )?([\d.e+-]+), or sites=", lambda n: {"dx": float(n)}),
    (r"(?<!with )dt [≤=] ([\d.e+-]+)", lambda n: {"dt": float(n)}),
    (
        r"rule=Rule\.(\w+)\)?( without dt| with dt ≤ )?([\d.e+-]+)?",
        lambda rule, how, dt: {"rule": Rule[rule]} | ({"dt": dt and float(dt)} if how else {}),
    ),
]


def remedies(message: str) -> list[dict[str, Any]]:
    return [follow(*found.groups()) for pattern, follow in FOLLOW for found in re.finditer(pattern, message)]


def follow(call: Call, chosen: dict[str, Any], rounds: int) -> object:
    """Accept what the call gives with the chosen arguments, or take the first remedy of what it says."""
    try:
        return call(**{name: value for name, value in chosen.items() if value is not None})
    except ValueError as error:
        found = remedies(str(error))
        assert rounds > 1 and found, f"{chosen}: {error}"
        return follow(call, chosen | found[0], rounds - 1)


@pytest.mark.parametrize("name", CALLS)
def test_each_remedy_works(name: str) -> None:
    call = CALLS[name]
    with pytest.raises(ValueError) as caught:
        call()
    found = remedies(str(caught.value))
    assert found, caught.value
    for chosen in found:
        follow(call, chosen, 3)


# ---------------------------------------------------------------- times


@pytest.mark.parametrize("dt", [0.01, 1 / 3, 1e-9 / 7, 3e-16, 12345.678])
@pytest.mark.parametrize("steps", [0.3, 50.5, 1e5 + 0.37])
def test_remedies_for_a_time_work(dt: float, steps: float) -> None:
    time = steps * dt
    walk = rw.LatticeWalk(0.4, 0.3, dx=1.0, dt=dt)
    with pytest.raises(ValueError, match="is not a whole number of steps") as caught:
        walk.steps([time])
    near = float(re.findall(r"take t = ([\d.e+-]+)", str(caught.value))[0])
    assert walk.steps([near]) == [max(1, round(steps))]
    other = float(re.findall(r"or dt = ([\d.e+-]+)", str(caught.value))[0])
    assert rw.LatticeWalk(0.4, 0.3, dx=1.0, dt=other).steps([time]) == [math.ceil(steps)]
    drift = rw.LatticeWalk.from_drift(0.0, 0.5, dx=math.sqrt(6 * 0.5 * dt), dt=dt)
    with pytest.raises(ValueError, match=r"or from_drift\(..., times=\[...\]\) without dt"):
        drift.steps([time])
    told = rw.LatticeWalk.from_drift(0.0, 0.5, dx=math.sqrt(6 * 0.5 * dt), times=[time])
    assert told.steps([time])
    law = rw.pde.exact_law(told, [time])
    with pytest.raises(ValueError, match="was not recorded") as caught:
        law.mean(0.77 * time)
    law.mean(float(re.findall(r"take the nearest, t = ([\d.e+-]+)", str(caught.value))[0]))


def test_remedies_for_too_many_steps_work() -> None:
    walk = rw.LatticeWalk(0.4, 0.3, dx=1.0, dt=1e-6)
    with pytest.raises(ValueError, match="more than the 2³²") as caught:
        walk.steps([1e9])
    walk.steps([float(re.findall(r"times up to ([\d.e+-]+)", str(caught.value))[0])])


# ---------------------------------------------------------------- lattices


@pytest.mark.parametrize(
    "domain", [UNIT, rw.Interval(0, 1, ABSORB, ABSORB), rw.Ring(0, 1), rw.Interval(0, 1, REFLECT, REFLECT)]
)
@pytest.mark.parametrize("dx", [0.3, 0.93, 1.5, 0.0123])
def test_remedies_for_a_dx_work(domain: Any, dx: float) -> None:
    with pytest.raises(ValueError, match=r"does not fit|holds no site") as caught:
        rw.LatticeWalk(0.2, 0.2, dx=dx, domain=domain, start=0.5)
    advice = re.findall(r"take dx (?:=|≤) ([\d.e+-]+)(?: or ([\d.e+-]+))?", str(caught.value))[0]
    for value in filter(None, advice):
        rw.LatticeWalk(0.2, 0.2, dx=float(value), domain=domain, start=0.5)


def test_a_narrow_normal_start() -> None:
    with pytest.raises(ValueError, match=r"take dx ≤ ([\d.]+)") as caught:
        rw.LatticeWalk(0.2, 0.2, dx=0.3, start=rw.Normal(0, 0.123456789))
    dx = float(re.findall(r"take dx ≤ ([\d.]+)", str(caught.value))[0])
    assert rw.LatticeWalk(0.2, 0.2, dx=dx, start=rw.Normal(0, 0.123456789)).dx == dx
    assert np.isfinite(dx)


def test_a_remedy_holds_on_both_sides_of_the_start() -> None:
    """A price refused at 1.7 for p + q > 1 has q < 0 below ½ with any shorter dt: another dx or rule is named."""
    shared: dict[str, Any] = {
        "drift": rw.expression("2*x"), "diffusion": rw.expression("0.1*x*x"), "dx": 0.05, "start": 1.0, "times": [0.5],
        "domain": rw.Interval(0.0, math.inf, rw.Absorbing()),
    }  # fmt: skip
    with pytest.raises(ValueError, match="right") as refused:
        rw.pde.exact_law(rw.LatticeWalk.from_drift(**shared), [0.5])
    assert "take dt" not in str(refused.value)
    longest = float(str(refused.value).split("rule=Rule.CAPPED) with dt ≤ ")[1])
    better = rw.LatticeWalk.from_drift(**shared, rule=rw.Rule.CAPPED, dt=longest)
    better.check(0.05 * np.arange(1, 35), 0.0)
