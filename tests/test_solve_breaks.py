"""The solver where coefficients have kinks and jumps: edges of cells stand on them, and the laws are right."""

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.interpolate import CubicSpline
from scipy.special import ndtr

import randwalk as rw
from randwalk.model.coefficient import Floats
from randwalk.pde.backward import backward, exit_probability, mean_exit_time
from randwalk.pde.closed_form import closed_form
from randwalk.pde.equation import FokkerPlanck
from randwalk.pde.solve import solve
from randwalk.pde.solver.grid import Grid, Piecewise

ABSORBING, REFLECTING = rw.Absorbing(), rw.Reflecting()
BOX = rw.Interval(0.0, 1.0, REFLECTING, REFLECTING)
CONVENTIONS = list(rw.Convention)
SLACK = 4.0  # an error may be this many times its estimate


def layers_cdf(x: Floats, t: float, start: float, left: float, right: float, exponent: float) -> Floats:
    """The law from `start` < 0 on the line with D = `left` below 0 and `right` above it, where D^λ ρ and the flux are
    continuous: an image of weight R before the face and a source of weight T = 1 - R seen behind it [Carslaw & Jaeger §14.8]."""
    through = 2.0 / (1.0 + (right / left) ** (exponent - 0.5))
    s = math.sqrt(2.0 * left * t)
    before = np.minimum(x, 0.0)
    below = ndtr((before - start) / s) + (1.0 - through) * ndtr((before + start) / s)
    behind = np.maximum(x, 0.0) * math.sqrt(left / right)
    return below + through * (ndtr((behind - start) / s) - ndtr(-start / s))


def layered(left: float, right: float, convention: rw.Convention, start: float, place: float = 0.0) -> FokkerPlanck:
    diffusion = rw.expression("l + (r - l)*heaviside(x - c)", l=left, r=right, c=place)
    return FokkerPlanck(0.0, diffusion, start=start + place, convention=convention)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize(("left", "right", "start"), [(0.5, 5.0, -0.3), (5.0, 0.05, -0.7), (1.0, 100.0, -1.0)])
def test_jump_of_the_diffusion(convention: rw.Convention, left: float, right: float, start: float) -> None:
    found = solve(layered(left, right, convention, start, 0.123), [0.5, 2.0], tolerance=1e-3)
    for t in (0.5, 2.0):
        right_cdf = layers_cdf(found.edges - 0.123, t, start, left, right, convention.exponent)
        assert np.abs(found.cdf(found.edges, t) - right_cdf).max() < SLACK * found.error(t)
    assert found.error_estimate <= 1e-3


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("start", [-0.4, -1e-3, -1e-9])
def test_second_order_over_a_jump(convention: rw.Convention, start: float) -> None:
    def error(cells: int) -> float:
        found = solve(layered(0.5, 5.0, convention, start), [0.5], cells=cells)
        right = layers_cdf(found.edges, 0.5, start, 0.5, 5.0, convention.exponent)
        return float(np.abs(found.cdf(found.edges, 0.5) - right).max())

    coarse, fine = error(200), error(800)
    assert fine < coarse / 11.0 or fine < 2e-6  # 16 at second order, 4 at first


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_equilibrium_over_jumps_is_exact(convention: rw.Convention) -> None:
    """ρ ∝ D^-λ, whatever the cells."""
    d, ends = [3.0, 0.01, 0.7], [0.0, 0.21, 0.6777, 1.0]
    text = "3 + (0.01 - 3)*heaviside(x - 0.21) + (0.7 - 0.01)*heaviside(x - 0.6777)"
    found = solve(
        FokkerPlanck(0.0, rw.expression(text), domain=BOX, start=0.1, convention=convention), [1e7], tolerance=1e-3
    )
    mass = np.diff(ends) * np.array(d) ** -convention.exponent
    assert found.mass(ends, 1e7) == pytest.approx(mass / mass.sum(), abs=1e-10)
    assert found.survival(1e7) == pytest.approx(1.0, abs=1e-12)


def test_a_slow_layer_holds_its_share() -> None:
    slow = rw.expression("1e-4 + 0.0099*heaviside(20 - x)")
    domain = rw.Interval(0.0, 100.0, REFLECTING, REFLECTING)
    found = solve(
        FokkerPlanck(0.0, slow, domain=domain, start=10.0, convention=rw.Convention.FICK), [1e10], tolerance=1e-3
    )
    assert float(found.cdf(20.0, 1e10)) == pytest.approx(0.2, abs=1e-9)


@pytest.mark.parametrize("place", [0.3333, 0.7, 0.05])
@pytest.mark.parametrize("width", [1e-3, 1e-5])
def test_a_narrow_slab_that_kills(place: float, width: float) -> None:
    """As thin as that it is a sink of strength K = 2 √κD tanh(½ √(κ/D) w) for what is even about it; here against the
    eigenfunctions of the exact three layers, by brute force: a dense grid of its own."""
    rate = 10.0 / width
    text = f"{rate!r}*(heaviside(x - {place!r}) - heaviside(x - {place + width!r}))"
    found = solve(FokkerPlanck(0.0, 1.0, domain=BOX, start=0.8, killing=rw.expression(text)), [0.2], tolerance=1e-4)
    assert float(found.survival(0.2)) == pytest.approx(slab_survival(place, width, rate, 0.8, 0.2), abs=SLACK * 1e-4)
    assert found.error_estimate <= 1e-4


def slab_survival(place: float, width: float, rate: float, start: float, t: float) -> float:
    """Survival at `t` from the resolvent of the three layers on [0, 1], D = 1, inverted on Talbot's contour.

    û'' = (s + κ)û - 1 with û' = 0 at the ends: in each layer û = 1/(s + κ) + A cosh + B sinh, matched with its slope.
    """
    ends = [0.0, place, place + width, 1.0]

    def transform(s: complex) -> complex:
        rows, right = [], []
        roots = [np.sqrt(s + k) for k in (0.0, rate, 0.0)]

        def values(layer: int, x: float) -> tuple[np.ndarray, np.ndarray]:
            r, here = roots[layer], x - ends[layer]
            value, slope = np.zeros(6, complex), np.zeros(6, complex)
            value[2 * layer : 2 * layer + 2] = np.cosh(r * here), np.sinh(r * here)
            slope[2 * layer : 2 * layer + 2] = r * np.sinh(r * here), r * np.cosh(r * here)
            return value, slope

        rows.append(values(0, 0.0)[1])
        right.append(0.0)
        for k in (0, 1):
            (v1, d1), (v2, d2) = values(k, ends[k + 1]), values(k + 1, ends[k + 1])
            rows += [v1 - v2, d1 - d2]
            right += [1.0 / roots[k + 1] ** 2 - 1.0 / roots[k] ** 2, 0.0]
        rows.append(values(2, 1.0)[1])
        right.append(0.0)
        solution = np.linalg.solve(np.array(rows), np.array(right))
        layer = int(np.searchsorted(ends, start)) - 1
        return complex(values(layer, start)[0] @ solution + 1.0 / roots[layer] ** 2)

    terms = 32  # [Abate & Valkó 2004]
    angles = np.arange(1, terms) * math.pi / terms
    cot = 1.0 / np.tan(angles)
    nodes = np.append(0.4 * terms, 0.4 * angles * terms * (cot + 1j)) / t
    factor = np.append(0.5, 1.0 + 1j * angles * (1.0 + cot**2) - 1j * cot) * np.exp(nodes * t)
    return 0.4 / t * float(sum(f * transform(s) for f, s in zip(factor, nodes, strict=True)).real)


def test_the_published_slab() -> None:
    assert slab_survival(0.3333, 1e-3, 1e4, 0.8, 0.2) == pytest.approx(0.56044, abs=5e-6)


@pytest.mark.parametrize("speed", [0.5, 3.0, 30.0])
def test_drift_that_turns_at_a_point(speed: float) -> None:
    """|X| of a = -c sign(x) is reflected motion with drift -c, which has a closed form."""
    t = 0.7
    found = solve(FokkerPlanck(rw.expression(f"-{speed}*sign(x - 0.2)"), 0.5, start=0.2), [t], tolerance=1e-3)
    half = rw.Interval(0.0, math.inf, REFLECTING)
    exact = closed_form(FokkerPlanck(-speed, 0.5, domain=half, start=0.0))
    y = found.edges - 0.2
    expected = 0.5 + 0.5 * np.sign(y) * exact.cdf(np.abs(y), t)
    assert np.abs(found.cdf(found.edges, t) - expected).max() < SLACK * found.error_estimate


def exit_time(x: float, potential: rw.Coefficient, d: rw.Coefficient, exponent: float, cuts: list[float]) -> float:
    """From x to an absorbing end at 1, reflecting at 0: ∫_x^1 e^(φ) ∫_0^y e^(-φ) …, the double integral [Gardiner §5.5]."""
    points = [0.0, *cuts, 1.0]

    def integral(f, low: float, high: float) -> float:  # type: ignore[no-untyped-def]
        inner = [low, *(p for p in points if low < p < high), high]
        return sum(quad(f, a, b, epsabs=1e-13, epsrel=1e-11)[0] for a, b in itertools.pairwise(inner))

    def outer(y: float) -> float:
        weight = math.exp(float(potential(y))) * float(d(y)) ** (exponent - 1.0)
        return weight * integral(lambda z: math.exp(-float(potential(z))) * float(d(z)) ** -exponent, 0.0, y)

    return integral(outer, x, 1.0)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_mean_exit_time_over_jumps(convention: rw.Convention) -> None:
    """dφ = -b/D dx with b = D φ-slope made from a potential of abs, so that every part of it is known."""
    wall = rw.Interval(0.0, 1.0, REFLECTING, ABSORBING)
    slope = rw.expression("-3*sign(x - 0.41)")  # b/D
    d = rw.expression("0.2 + 0.8*heaviside(x - 0.62)")
    found = mean_exit_time(FokkerPlanck(slope * d, d, domain=wall, start=0.5, convention=convention), tolerance=1e-5)
    for x in (0.1, 0.41, 0.55, 0.7):
        expected = exit_time(x, rw.expression("3*abs(x - 0.41)"), d, convention.exponent, [0.41, 0.62])
        assert float(found.value(x)) == pytest.approx(expected, abs=SLACK * found.error_estimate)


def test_exit_probability_through_layers() -> None:
    """Without drift u' ∝ D^(λ-1): in Fick's form the potential of resistances in a row."""
    between = rw.Interval(0.0, 1.0, ABSORBING, ABSORBING)
    d = rw.expression("1 + 9*heaviside(x - 0.25)")
    found = exit_probability(
        FokkerPlanck(0.0, d, domain=between, start=0.5, convention=rw.Convention.FICK), "right", tolerance=1e-6
    )
    total = 0.25 + 0.75 / 10.0
    for x, resistance in ((0.1, 0.1), (0.25, 0.25), (0.8, 0.25 + 0.055)):
        assert float(found.value(x)) == pytest.approx(resistance / total, abs=1e-9)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_duality_over_jumps(convention: rw.Convention) -> None:
    d = rw.expression("0.3 + 2*heaviside(x - 0.37)")
    problem = FokkerPlanck(
        rw.expression("abs(x - 0.6)"),
        d,
        domain=BOX,
        start=0.2,
        killing=rw.expression("heaviside(x - 0.8)"),
        convention=convention,
    )
    forward = solve(problem, [0.1], tolerance=1e-5)
    value = float(backward(problem, lambda x: np.cos(3.0 * x), 0.1, tolerance=1e-5).value(0.2))
    centres = forward.density[0] * forward.grid.widths
    assert value == pytest.approx(float(centres @ np.cos(3.0 * forward.x)), abs=5e-5)


def test_a_table_with_knots() -> None:
    """A tabulated drift and the same drift as a formula of abs have one law; knots are edges."""
    knots = np.array([0.0, 0.2, 0.37, 0.5, 0.81, 1.0])
    values = np.array([1.0, -4.0, 2.0, 2.0, -3.0, 0.0])
    table = rw.Table(knots, values)
    found = solve(FokkerPlanck(table, 0.1, domain=BOX, start=0.3), [0.2, 50.0], tolerance=1e-4)
    assert np.isin(knots, found.edges).all()
    potential = np.append(0.0, np.cumsum(0.5 * np.diff(knots) * (values[1:] + values[:-1]))) / 0.1

    def weight(x: float) -> float:
        k = min(int(np.searchsorted(knots, x, side="right")) - 1, 4)
        slope = (values[k + 1] - values[k]) / (knots[k + 1] - knots[k])
        y = x - knots[k]
        return math.exp(potential[k] + (values[k] * y + 0.5 * slope * y * y) / 0.1)

    parts = np.array([quad(weight, a, b)[0] for a, b in itertools.pairwise(knots)])
    assert found.mass(knots, 50.0) == pytest.approx(parts / parts.sum(), abs=SLACK * 1e-4)


def test_a_seam_is_a_break_of_a_ring() -> None:
    """A drift that jumps at the seam alone: in equilibrium of b = sin-free slope, ρ with one current round the ring."""
    ring = rw.Ring(0.0, 1.0)
    found = solve(FokkerPlanck(rw.expression("0.5 - x"), 0.05, domain=ring, start=0.2), [40.0], tolerance=1e-5)
    weight = [quad(lambda x: math.exp(-10.0 * (x - 0.5) ** 2), a, b)[0] for a, b in ((0.0, 0.3), (0.3, 1.0))]
    assert float(found.cdf(0.3, 40.0)) == pytest.approx(weight[0] / sum(weight), abs=SLACK * 1e-5)


def test_partially_absorbing_wall_with_variable_diffusion() -> None:
    wall = rw.Interval(0.0, 1.0, rw.PartiallyAbsorbing(1.0), REFLECTING)
    problem = FokkerPlanck(0.0, rw.expression("0.3 + 0.5*x"), domain=wall, start=rw.Uniform(0.0, 1.0))
    assert float(solve(problem, [0.2], tolerance=1e-6).absorbed("left", 0.2)) == pytest.approx(
        0.1585599, abs=SLACK * 1e-6
    )
    errors = [float(solve(problem, [0.2], cells=n).absorbed("left", 0.2)) - 0.1585599 for n in (40, 160)]
    assert abs(errors[1]) < abs(errors[0]) / 11.0


@pytest.mark.parametrize(("length", "time"), [(1e-6, 1e-9), (1e6, 1.0), (1.0, 1e12)])
def test_units_do_not_matter(length: float, time: float) -> None:
    def problem(x: float, t: float) -> FokkerPlanck:
        d = rw.expression("d*(1 + 4*heaviside(x - c))", d=x * x / t, c=0.3 * x)
        kill = rw.expression("k*(heaviside(x - a) - heaviside(x - b))", k=5.0 / t, a=0.5 * x, b=0.51 * x)
        domain = rw.Interval(0.0, x, REFLECTING, rw.PartiallyAbsorbing(x / t))
        return FokkerPlanck(
            rw.expression("v*abs(x - m)", v=1.0 / t, m=0.7 * x),
            d,
            domain=domain,
            start=0.25 * x,
            killing=kill,
            convention=rw.Convention.FICK,
        )

    one, other = (
        solve(problem(1.0, 1.0), [0.1], tolerance=1e-3),
        solve(problem(length, time), [0.1 * time], tolerance=1e-3),
    )
    assert one.x.size == other.x.size
    assert other.cdf(one.edges * length, 0.1 * time) == pytest.approx(one.cdf(one.edges, 0.1), abs=1e-9)


def test_edges_are_nested_and_stand_on_breaks() -> None:
    for cells, breaks in (
        (64, (0.3333, 0.3343)),
        (1002, (0.1, 0.5, 0.50001)),
        (4096, tuple(np.linspace(0.01, 0.9, 57))),
    ):
        fine = Grid(0.0, 1.0, cells, breaks=breaks, powers=(3.0, 1.0))
        coarse = Grid(0.0, 1.0, cells // 2, breaks=breaks, powers=(3.0, 1.0))
        assert fine.edges.size == cells + 1
        assert fine.edges[::2] == pytest.approx(coarse.edges, abs=1e-15)
        assert (np.diff(fine.edges) > 0.0).all()
        assert np.isin(breaks, coarse.edges).all()
    with pytest.raises(ValueError, match="take at least 64 cells"):
        Grid(0.0, 1.0, 8, breaks=(0.5,))


def test_equal_cells_where_nothing_breaks() -> None:
    found = solve(FokkerPlanck(rw.Affine(slope=-1.0), 0.5, start=1.0), [1.0])
    assert found.grid.uniform
    low, high = found.window
    assert found.edges.tolist() == np.linspace(low, high, found.x.size + 1).tolist()


def test_splines_of_pieces_do_not_round_a_kink() -> None:
    grid = Grid(-1.0, 1.0, 64, breaks=(0.25,))
    kink = Piecewise.through_centres(grid, np.abs(grid.x - 0.25), np.full(3, math.nan), CubicSpline)
    assert kink(np.array([0.24, 0.25, 0.2500001])) == pytest.approx([0.01, 0.0, 1e-7], abs=1e-12)


def test_many_breaks() -> None:
    """A square wave of the drift with a thousand jumps; so many more are refused with their number."""
    text = "sign(sin(x*3141.592653589793))"
    found = solve(FokkerPlanck(rw.expression(text), 0.5, domain=BOX, start=0.3), [0.05], tolerance=1e-2)
    still = closed_form(FokkerPlanck(0.0, 0.5, domain=BOX, start=0.3))
    assert np.abs(found.cdf(found.edges, 0.05) - still.cdf(found.edges, 0.05)).max() < 1e-2
    with pytest.raises(ValueError, match="jump at 9999 places"):
        solve(
            FokkerPlanck(rw.expression("sign(sin(x*31415.92653589793))"), 0.5, domain=BOX, start=0.3),
            [0.05],
            tolerance=1e-2,
        )


@pytest.mark.parametrize("drift", [-100.0, -10.0, 0.0, 40.0])
def test_a_backward_solution_between_its_cells(drift: float) -> None:
    """A layer at a wall, u = (1 - e^(-ax))/(1 - e^(-a)): right up to the wall, where it is what is paid there."""
    between = rw.Interval(0.0, 1.0, ABSORBING, ABSORBING)
    found = exit_probability(FokkerPlanck(drift, 1.0, domain=between, start=0.5), "right", tolerance=1e-3)
    x = np.linspace(0.0, 1.0, 1001)
    expected = np.expm1(-drift * x) / math.expm1(-drift) if drift else x
    assert np.abs(found.value(x) - expected).max() < max(SLACK * found.error_estimate, 1e-12)
    assert float(found.value(1.0)) == pytest.approx(1.0, abs=1e-14)


def test_a_backward_solution_inside_a_narrow_slab() -> None:
    """Two cells in a slab that kills: a cubic through walls of the slab and its cells."""
    rate = rw.expression("1e3*(heaviside(x - 0.55) - heaviside(x - 0.551))")
    loose, fine = (
        mean_exit_time(FokkerPlanck(0.0, 1.0, domain=BOX, start=0.5, killing=rate), tolerance=tolerance)
        for tolerance in (1e-3, 1e-6)
    )
    x = np.linspace(0.54, 0.56, 401)
    assert np.abs(loose.value(x) - fine.value(x)).max() < SLACK * loose.error_estimate


def test_times_without_end_are_refused() -> None:
    """A reflecting end that the drift leads to and where D vanishes holds what reaches it for ever."""
    trap = rw.Interval(0.0, 1.0, REFLECTING, ABSORBING)
    with pytest.raises(ValueError, match=r"mean exit time|out of reach"):
        mean_exit_time(FokkerPlanck(-300.0, rw.expression("x"), domain=trap, start=0.5), tolerance=1e-3)


def test_narrow_wells_are_refined_with_the_rest() -> None:
    """Whatever factors of 2 the number of cells has, each piece has its share of them."""
    for cells in (256, 1302, 3096, 14447 * 2):
        grid = Grid(-5.0, 5.0, cells, breaks=(0.19, 0.2, 0.21))
        assert min(grid.counts) > 0.02 * cells
