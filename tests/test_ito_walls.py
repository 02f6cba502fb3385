"""Walls in the driver of Itô walks: laws of one step where they are exact, mean exit times, the order of the step error, bits.

Seeds are fixed. A comparison fails by chance, if walkers were drawn anew, with probability `BY_CHANCE`; there are about 60.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import randwalk as rw
from randwalk.model.wall import Wall
from randwalk.tables import generated, ito_program
from tests.walkers import walked

A, R = rw.Absorbing(), rw.Reflecting()
N = 40_000
BY_CHANCE = 1e-4
FAR = stats.norm.isf(BY_CHANCE / 2)  # standard errors
PLANE = rw.Line() ** 2
RADIUS, D = 1.2, 0.3


def _close(count: int, probability: float, n: int = N, bias: float = 0.0) -> bool:
    """Whether a number of `n` walkers fits a probability, up to a `bias`."""
    error = math.sqrt(max(probability * (1.0 - probability), 1.0 / n) / n)
    return abs(count / n - probability) < FAR * error + bias


def _form(walk: rw.ItoWalk, drift: float, diffusion: float) -> Any:
    return rw.pde.closed_form(
        rw.pde.FokkerPlanck(drift, diffusion, domain=walk.domain, start=walk.start, killing=walk.killing)
    )


def two_bounds(steps: int, dt: float = 0.5) -> dict[str, bool]:
    """An interval between two absorbing walls, with killing: what is compared with the closed form, by name."""
    walk = rw.ItoWalk(0.4, 0.5, dt=dt / steps, domain=rw.Interval(0.0, 1.7, A, A), start=0.55, killing=0.3)
    state, form = walked(walk, N, steps), _form(walk, 0.4, 0.5)
    seen = {
        exit: _close((state.exit == i + 1).sum(), float(form.absorbed(exit, dt)), bias=4e-3 / steps)
        for i, exit in enumerate(walk.domain.exits)
    }
    times = np.linspace(0.0, dt, 201)[1:]
    gone = np.sum([form.absorbed(exit, times) for exit in walk.domain.exits], axis=0)
    left = state.gone_at[state.exit > 0]
    law = stats.kstest(left, lambda t: np.interp(t, np.append(0.0, times), np.append(0.0, gone)) / gone[-1])
    return seen | {"times": law.pvalue > BY_CHANCE, "ends": set(state.x[0][state.exit == 2]) == {1.7}}


def test_two_absorbing_walls_and_killing() -> None:
    assert all(two_bounds(16).values())


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("return EXITS[wall], first * h,", "return EXITS[wall], h,"),  # absorbed at the end of the step
        # the bridge left out, exits swapped, the variance of another step
        pytest.param("m = lowest(d0, d1, s2, unit(drawn[0]))", "m = min(d0, d1)", marks=pytest.mark.long),
        pytest.param("return EXITS[wall], first", "return EXITS[WALLS - 1 - wall], first", marks=pytest.mark.long),
        pytest.param("else 0.0, after[w], twice * h\n", "else 0.0, after[w], twice * h * h\n", marks=pytest.mark.long),
    ],
)  # fmt: skip
def test_planted_faults_are_caught(line: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them; the long ones take 4 s each and show that the same comparison tells them, too. (Without the bridge
    test_validate_ito runs a walk.)"""
    for file in ito_program.FILES:
        text = (generated.KERNELS / file).read_text(encoding="utf-8")
        assert text.count(line) == (file == "ito.py")
        (tmp_path / file).write_text(text.replace(line, fault), encoding="utf-8")
    monkeypatch.setattr(generated, "KERNELS", tmp_path)
    assert not all(two_bounds(16).values())


@pytest.mark.parametrize("unit", [1.0, 1e-6])
@pytest.mark.parametrize(
    ("domain", "mean"),
    [
        (lambda r: PLANE.inside(rw.Ball((0, 0), r), A, "rim"), 1 / 2),
        (lambda r: (rw.Line() ** 3).inside(rw.Ball((0, 0, 0), r), A, "rim"), 1 / 3),
        (lambda r: rw.Interval(-r, r, A, A) ** 2, None),
    ],
    ids=["disc", "ball", "square"],
)
def test_mean_exit_times(domain: Callable[[float], rw.Domain], mean: float | None, unit: float) -> None:
    """R²/(2dD) of a ball from its centre; the torsion function of the square by its series (Timoshenko and Goodier, § 109)."""
    where, d = domain(1.2 * unit), 0.3
    odd = np.arange(1, 99, 2)
    square = 1.0 - 32.0 / np.pi**3 * ((-1.0) ** ((odd - 1) // 2) / odd**3 / np.cosh(odd * np.pi / 2)).sum()
    zero = (0.0,) * where.dimension
    state = walked(rw.ItoWalk(zero, d * unit**2, dt=0.1, domain=where, start=zero), N, 400)
    assert (state.exit > 0).all()
    exact = (mean or square) * 0.5 / d * 1.2**2
    assert abs(state.gone_at.mean() - exact) < FAR * state.gone_at.std() / math.sqrt(N) + 2e-3
    beyond = np.asarray(where.distance(tuple(state.x)))
    assert np.abs(beyond).max() < 1e-13 * unit  # places of passage are on the wall


def test_the_step_error_at_a_curved_wall_is_of_order_one() -> None:
    """Survival in a disc: within a multiple of dt of Bessel's series, which a single step misses by 14 standard errors."""
    disc, n = PLANE.inside(rw.Ball((0, 0), RADIUS), A, "rim"), 400_000
    exact = float(_form(rw.ItoWalk((0.0, 0.0), D, dt=0.1, domain=disc, start=(0.7, 0.0)), 0.0, D).survival(0.5))
    errors = {}
    for steps in (1, 4, 8):
        state = walked(rw.ItoWalk((0.0, 0.0), D, dt=0.5 / steps, domain=disc, start=(0.7, 0.0)), n, steps)
        errors[steps] = (state.exit == 0).mean() - exact
    error = math.sqrt(exact * (1.0 - exact) / n)
    assert abs(errors[1]) > 6 * error
    assert all(abs(errors[steps]) < FAR * error + 0.01 / steps for steps in errors)


@pytest.mark.parametrize(
    ("wall", "order_one"), [(R, 0.06), (rw.PartiallyAbsorbing(1.0), 0.02)], ids=["reflect", "Robin"]
)
def test_other_curved_walls(wall: Wall, order_one: float) -> None:
    disc = PLANE.inside(rw.Ball((0, 0), RADIUS), wall, "rim")
    walk = rw.ItoWalk((0.0, 0.0), D, dt=0.5 / 16, domain=disc, start=(0.7, 0.0))
    state, form = walked(walk, N, 16), _form(walk, 0.0, D)
    inside = state.exit == 0
    assert (np.hypot(*state.x) <= RADIUS + 1e-12).all()
    assert _close(inside.sum(), float(form.survival(0.5)), bias=order_one / 16)
    x = state.x[0][inside]
    assert abs(x.mean() - form.mean(0.5)[0]) < FAR * x.std() / math.sqrt(N) + order_one / 16


def test_one_step_to_a_plane_is_exact_also_for_a_full_tensor() -> None:
    """Time and place of passage of Brownian motion with drift and correlated noise: τ is inverse Gaussian, and what is
    independent of the distance has moved by a normal number of variance proportional to τ."""
    tensor, drift = np.array([[0.5, 0.3], [0.3, 0.4]]), np.array([-0.7, 0.5])
    domain = rw.Interval(0.0, math.inf, A) * rw.Line()
    walk = rw.ItoWalk(tuple(drift), tensor.tolist(), dt=1.5, domain=domain, start=(0.8, 0.0))
    state = walked(walk, N, 1)
    gone = state.exit == 1
    t, (x, y) = state.gone_at[gone], state.x[:, gone]
    form = rw.pde.closed_form(rw.pde.FokkerPlanck(-0.7, 0.5, domain=domain.axes[0], start=0.8))
    assert _close(gone.sum(), float(form.absorbed("left", 1.5))) and (x == 0.0).all()
    slope = tensor[0, 1] / tensor[0, 0]
    beside = y - slope * (0.0 - 0.8) - (drift[1] - slope * drift[0]) * t
    spread = np.sqrt(2.0 * (tensor[1, 1] - slope * tensor[0, 1]) * t)
    assert stats.kstest(beside / spread, "norm").pvalue > BY_CHANCE
    assert abs(stats.spearmanr(beside / spread, t).statistic) < FAR / math.sqrt(gone.sum())


def test_a_moving_wall_in_one_step_has_the_law_of_bachelier_and_levy() -> None:
    """P(τ ≤ t) of the first passage to b + ct (Bachelier 1901; Lévy): inverse Gaussian with drift a - c."""
    b, c, a, t = 0.9, 0.6, 0.2, 1.0
    domain = rw.Interval(-math.inf, rw.expression(f"{b} + {c}*t"), None, A)
    for steps in (1, 3):
        state = walked(rw.ItoWalk(a, 0.5, dt=t / steps, domain=domain), N, steps)
        root, speed = math.sqrt(t), a - c
        crossed = stats.norm.cdf((speed * t - b) / root) + math.exp(2 * speed * b) * stats.norm.cdf(
            (-speed * t - b) / root
        )
        gone = state.exit == 2
        assert _close(gone.sum(), crossed)
        assert np.abs(state.x[0][gone] - (b + c * state.gone_at[gone])).max() < 1e-12


def test_a_shrinking_disc_by_fine_steps() -> None:
    """A radius in time, against walkers that are looked at every 1/2000 and a wall moved by what is missed between (Broadie,
    Glasserman and Kou 1997): 0.5826 standard deviations of a step."""
    rng, dt = np.random.default_rng(5), 1 / 2000
    x, alive = np.zeros((2, N)), np.ones(N, dtype=bool)
    for n in range(1, 801):
        x += math.sqrt(2.0 * D * dt) * rng.standard_normal(x.shape)
        alive &= np.hypot(*x) < 1.0 - 0.5 * n * dt - 0.5826 * math.sqrt(2.0 * D * dt)
    disc = PLANE.inside(rw.Ball((0, 0), rw.expression("1 - 0.5*t")), A, "rim")
    state = walked(rw.ItoWalk((0.0, 0.0), D, dt=0.02, domain=disc, start=(0.0, 0.0)), N, 20)
    fraction = alive.mean()
    assert abs((state.exit == 0).mean() - fraction) < FAR * math.sqrt(2 * fraction * (1 - fraction) / N) + 4e-3
    gone = state.exit > 0
    assert np.abs(np.hypot(*state.x[:, gone]) - (1 - 0.5 * state.gone_at[gone])).max() < 1e-12


def test_the_uniform_law_stays_between_reflecting_walls() -> None:
    """Also with a reflecting obstacle, from any step to the next (faces on different axes are exact; the obstacle is not)."""
    box = (rw.Interval(0.0, 1.0, R, R) ** 2).without(rw.Ball((0.5, 0.5), 0.2))
    walk = rw.ItoWalk((0.0, 0.0), D, dt=0.002, domain=box, start=(0.1, 0.1))
    places = np.random.default_rng(7).uniform(size=(2, 2 * N))
    places = places[:, np.hypot(*(places - 0.5)) > 0.2][:, :N]
    made = ito_program.program(walk)
    state = made.begin(places)
    made.walk(state, 0, 0, 100, rw.kernels.philox.key(3), 1)
    x, y = state.x
    assert not state.exit.any() and (state.x >= 0.0).all() and (state.x <= 1.0).all()
    assert np.hypot(x - 0.5, y - 0.5).min() > 0.2 - 1e-12
    free = 1.0 - math.pi * 0.2**2
    for inside, area in (
        (x < 0.1, 0.1), (y > 0.9, 0.1), ((x < 0.3) & (y < 0.3), 0.09),
        (np.hypot(x - 0.5, y - 0.5) < 0.25, math.pi * (0.25**2 - 0.2**2)),
    ):  # fmt: skip
        assert _close(inside.sum(), area / free, x.size)


def test_walkers_do_not_depend_on_batches_or_stretches() -> None:
    disc = PLANE.inside(rw.Ball((0, 0), RADIUS), A, "rim")
    walk = rw.ItoWalk((0.0, 0.0), D, dt=0.01, domain=disc, start=(0.1, 0.0))
    whole = walked(walk, 1000, 300)
    made = ito_program.program(walk)
    for first, last in ((0, 1), (1, 300), (300, 1000)):
        state = made.begin(np.repeat([[0.1], [0.0]], last - first, axis=1))
        for start, stop in ((0, 3), (3, 131), (131, 300)):
            made.walk(state, first, start, stop, rw.kernels.philox.key(1), 1)
        for name in ("x", "exit", "gone_at"):
            np.testing.assert_array_equal(getattr(state, name), getattr(whole, name)[..., first:last], err_msg=name)


def test_a_trap_across_the_ends_of_a_ring() -> None:
    """By symmetry as many walkers from either side; the coordinate stays between the ends."""
    room = (rw.Ring(0.0, 6.0) * rw.Line()).without(rw.Ball((0.0, 0.0), 1.0), A, "trap")
    walk = rw.ItoWalk((0.0, 0.0), D, dt=0.05, domain=room, start=(3.0, 0.0))
    state = walked(walk, N, 80)
    x, gone = state.x[0], state.exit > 0
    assert ((x >= 0.0) & (x < 6.0)).all() and gone.any() and (state.exit[gone] == 5).all()
    assert stats.binomtest(int((x[gone] > 3.0).sum()), int(gone.sum())).pvalue > BY_CHANCE
