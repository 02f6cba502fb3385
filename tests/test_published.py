"""Published values of walks on Z^d, in discs and in balls, asked for as a reader of them would."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

import randwalk as rw
from randwalk.pde.hitting import lattice_green
from randwalk.pde.hitting.clock import visits_by_time


def simple(d: int, domain: rw.Domain | None = None, start: tuple[float, ...] = ()) -> rw.LatticeWalk:
    """The simple walk of d dimensions, from the origin if nothing is said, a step a unit of time."""
    units = np.eye(d, dtype=int)
    steps = {tuple(side * row): 0.5 / d for row in units for side in (1, -1)}
    return rw.LatticeWalk(steps=steps, dx=1.0, dt=1.0, domain=domain or rw.Line() ** d, start=start or (0.0,) * d)


@pytest.mark.parametrize(
    ("d", "published"),
    [
        (3, 0.340537329551), (4, 0.193201673225), (5, 0.135178609821), (6, 0.104715495629), (7, 0.085844934113),
        (8, 0.072912649959),
    ],
)  # fmt: skip
def test_return_probabilities(d: int, published: float) -> None:
    """Pólya's constants (Montroll 1956; Griffin, *J. Phys. A* 23 (1990) 5675; OEIS A086230 to A086236)."""
    origin = (0.0,) * d
    assert rw.pde.return_time(simple(d), origin).probability == pytest.approx(published, abs=6e-13)
    assert 1.0 - 1.0 / rw.pde.green_function(simple(d), origin) == pytest.approx(published, abs=6e-13)


@pytest.mark.parametrize(
    ("up", "down", "lost"),
    [((0.1, 0.2, 0.15), (0.1, 0.2, 0.15), 0.0), ((0.1, 0.2, 0.1), (0.1, 0.1, 0.1), 0.0), ((0.1,) * 3, (0.2, 0.0, 0.1), 0.3)],
)  # fmt: skip
def test_visits_by_time_are_those_by_angles(up: tuple[float, ...], down: tuple[float, ...], lost: float) -> None:
    """The same sum over all steps as an integral over the angles of a step; lazy, with drifts, with killing, and one way."""
    steps = np.concatenate([np.eye(3, dtype=np.int64), -np.eye(3, dtype=np.int64)])
    moves = lattice_green.Moves(steps, np.array(up + down), lost)
    numbers = np.array([[0, 0, 0], [3, -1, 2], [-2, 5, 0], [0, 12, 1]])
    by_angles = lattice_green._settled(moves, numbers, np.zeros(1, dtype=complex), lattice_green._visits)[0].real
    found = visits_by_time(np.array(up), np.array(down), lost, numbers)
    assert found == pytest.approx(by_angles, abs=2e-12)


def test_visits_far_away() -> None:
    """3/2π|x| in space (Spitzer 1976, P26.1), up to 1/|x|³; where the Bessel functions of a large order are too small for a
    double, too."""
    for far in (300, 3000):
        found = rw.pde.green_function(simple(3), (float(far), 0.0, 0.0))
        assert found == pytest.approx(1.5 / (math.pi * far), rel=1.0 / far**2)


def test_truncated_returns() -> None:
    """P(X_2k = 0) = C(2k, k)²/4^2k in the plane, and in space 6^-2k Σ (2k)!/(i! j! (k-i-j)!)²."""
    plane, space = rw.pde.exact_law(simple(2), [2.0, 4.0, 8.0]), rw.pde.exact_law(simple(3), [2.0, 4.0, 6.0])

    def at_origin(law: rw.pde.ExactLaw, t: float) -> float:
        edges = [[-0.5, 0.5]] * law.dimension
        return float(np.ravel(law.mass(edges, t))[0])

    for k in (1, 2, 4):
        assert at_origin(plane, 2.0 * k) == pytest.approx((math.comb(2 * k, k) / 4**k) ** 2, rel=1e-12)
    for k, ways in ((1, 6), (2, 90), (3, 1860)):
        assert at_origin(space, 2.0 * k) == pytest.approx(ways / 6 ** (2 * k), rel=1e-12)


def test_potential_kernel() -> None:
    """McCrea and Whipple, *Proc. R. Soc. Edinburgh* 60 (1940) 281: on the diagonal (4/π) Σ 1/(2k - 1)."""
    found = rw.pde.potential_kernel(simple(2), ([1.0, 1.0, 2.0, 2.0, 2.0, 3.0], [0.0, 1.0, 0.0, 1.0, 2.0, 0.0]))
    pi = math.pi
    assert found == pytest.approx([1.0, 4 / pi, 4 - 8 / pi, 8 / pi - 1, 16 / (3 * pi), 17 - 48 / pi], abs=1e-11)


def _exit_times(inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(4m - the sum over neighbours) = 4 solved as it stands, m = 0 outside."""
    sites = {tuple(site): n for n, site in enumerate(np.argwhere(inside).tolist())}
    matrix = 4.0 * np.eye(len(sites))
    for (i, j), n in sites.items():
        for beside in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
            if beside in sites:
                matrix[n, sites[beside]] = -1.0
    found = np.zeros(inside.shape)
    found[inside] = np.linalg.solve(matrix, np.full(len(sites), 4.0))
    return found


def test_exit_times_from_squares_and_discs_of_the_lattice() -> None:
    """A disc of the lattice is a bounded domain, whatever its axes; so are its returns and hits."""
    walls = rw.Interval(0.0, 10.0, rw.Absorbing(), rw.Absorbing())
    x = np.arange(-7.0, 8.0)
    inside = x[:, None] ** 2 + x**2 < 36.0
    disc = simple(2, (rw.Line() ** 2).inside(rw.Ball((0.0, 0.0), 6.0), rw.Absorbing(), name="rim"))
    by_hand = _exit_times(inside)
    for i, j in ((7, 7), (4, 6), (10, 10)):
        assert rw.pde.hitting_time(disc, "rim", start=(x[i], x[j])).mean == pytest.approx(by_hand[i, j], rel=1e-12)
    square = rw.pde.hitting_time(simple(2, walls**2, (5.0, 5.0))).mean
    assert square == pytest.approx(_exit_times(np.ones((9, 9), dtype=bool))[4, 4], rel=1e-12)
    closed = simple(2, (rw.Line() ** 2).inside(rw.Ball((0.0, 0.0), 5.0), rw.Reflecting(), name="rim"))
    kept = int((x[:, None] ** 2 + x**2 <= 25.0).sum())
    assert rw.pde.return_time(closed, (0.0, 0.0)).mean == pytest.approx(kept, rel=1e-10)  # Kac's lemma
    half = (rw.Interval(0.0, math.inf, rw.Absorbing()) * rw.Line()).inside(
        rw.Ball((0.0, 0.0), 6.0), rw.Absorbing(), "rim"
    )
    parts = [float(rw.pde.hitting_probability(simple(2, half, (2.0, 1.0)), exit)) for exit in ("left", "rim")]
    assert sum(parts) == pytest.approx(1.0, rel=1e-12)


def test_exit_times_and_survival_of_the_equation() -> None:
    """Of the square 0.0736713… L²/D (the torsion function of Saint-Venant); the decay of survival is
    Dj²/R² in the disc (j the first zero of J₀) and Dπ²/R² in the ball."""
    walls = rw.Interval(0.0, 1.0, rw.Absorbing(), rw.Absorbing())
    square = rw.pde.mean_exit_time(rw.pde.FokkerPlanck(0.0, 1.0, domain=walls**2, start=(0.5, 0.5)))
    odd = np.arange(1, 99, 2)
    series = 0.125 - 4.0 / math.pi**3 * ((-1.0) ** ((odd - 1) // 2) / odd**3 / np.cosh(odd * math.pi / 2)).sum()
    assert float(square.value((0.5, 0.5))) == pytest.approx(series, abs=1e-6) and series == pytest.approx(
        0.0736713, abs=1e-7
    )
    for d, rate in ((2, special.jn_zeros(0, 1)[0] ** 2), (3, math.pi**2)):
        ball = (rw.Line() ** d).inside(rw.Ball((0.0,) * d, 2.0), rw.Absorbing(), name="rim")
        form = rw.pde.closed_form(rw.pde.FokkerPlanck(0.0, 0.5, domain=ball, start=(0.3,) * d))
        early, late = form.survival([20.0, 21.0])
        assert math.log(early / late) == pytest.approx(0.5 * rate / 4.0, rel=1e-9)


def test_numbers_of_distinct_sites() -> None:
    """Of n steps exactly by all paths, within 4 standard errors (a false alarm in 5 000); in space they grow as n times the
    probability of no return, 0.6595 (Dvoretzky and Erdős 1951)."""
    for d, n in ((2, 4), (3, 3)):
        units = np.concatenate([np.eye(d, dtype=int), -np.eye(d, dtype=int)])
        counts = [
            len(np.unique(np.vstack([np.zeros(d, int), np.cumsum(path, axis=0)]), axis=0))
            for path in itertools.product(units, repeat=n)
        ]
        sites = rw.DistinctSites()
        ensemble = rw.simulate(simple(d), 40_000, [float(n)], seed=3, record=[sites])
        mean = ensemble.records[sites].mean(float(n))
        assert abs(mean.z(np.mean(counts))) < 4.0, (d, mean, np.mean(counts))
