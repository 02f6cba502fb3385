"""Simulation against laws: every method against the exact law, records against textbook laws, errors against coverage.

Seeds are fixed, so a pass stays a pass. Each family of statistical tests shares a false-alarm rate of FALSE_ALARMS
(Bonferroni): with other seeds a right program would fail one family in ten thousand times.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy import stats

import randwalk as rw
from randwalk.run.record import Histogram

from . import naive
from .test_stream import WALKS, same

ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()
FALSE_ALARMS = 1e-4
module = importlib.import_module("randwalk.run.task")
EXPECTED = 10.0  # least expected count of a cell: smaller ones are pooled, so that χ² has its law


def p_value(observed: ArrayLike, probabilities: ArrayLike) -> float:
    """Pearson's χ² of counts against probabilities that sum to 1, cells pooled from the left until 10 are expected."""
    counts, p = np.asarray(observed, dtype=np.float64).ravel(), np.asarray(probabilities, dtype=np.float64).ravel()
    total = counts.sum()
    assert abs(p.sum() - 1.0) < 1e-9 and counts[p == 0.0].sum() == 0
    cells: list[list[float]] = [[0.0, 0.0]]
    for count, expected in zip(counts.tolist(), (p * total).tolist(), strict=True):
        if cells[-1][1] >= EXPECTED:
            cells.append([0.0, 0.0])
        cells[-1][0] += count
        cells[-1][1] += expected
    if len(cells) > 1 and cells[-1][1] < EXPECTED:
        rest = cells.pop()
        cells[-1] = [cells[-1][0] + rest[0], cells[-1][1] + rest[1]]
    assert len(cells) > 1, "one cell tells nothing"
    o, e = np.array(cells).T
    return float(stats.chi2.sf(((o - e) ** 2 / e).sum(), len(cells) - 1))


def z_value(estimate: rw.Estimate, exact: float) -> float:
    return (float(estimate) - exact) / float(estimate.error)


# ---------------------------------------------------------------- the methods against the exact law

METHODS = [
    (name, method)
    for name in ("quarters", "seven digits", "ties", "killed on the line", "p(t)", "p(x) on the line", "p(x, t) on the line",
                 "absorbing", "reflecting", "mixed", "robin", "half line", "other half line", "ring", "killed on a ring", "array",
                 "two sites", "Ornstein-Uhlenbeck", "coin", "tiny")
    for method in ("paths", "occupation", "jump")
    if method != "jump" or name in ("coin", "quarters", "seven digits", "ties", "tiny")
]  # fmt: skip


def outcomes(counts: NDArray[np.int64], absorbed: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([counts, absorbed])


@pytest.mark.parametrize(("name", "method"), METHODS)
def test_methods_draw_from_the_exact_law(name: str, method: str) -> None:
    walk, n, walkers = WALKS[name](), 30, 100_000
    t = n * walk.dt
    run = rw.simulate(walk, walkers, [t / 2, t] if n % 2 == 0 else [t], seed=11, method=method)
    law = rw.pde.exact_law(walk, run.times)
    assert run.method == method and run.leaked.sum() == 0
    np.testing.assert_array_equal(run.raw.sum(axis=1), walkers)
    for row in range(2):
        counts = place(run, law)[row]
        p = np.concatenate([law.pmf[row], law.gone[law.steps[row]]])
        assert p_value(outcomes(counts, run.gone[row]), p / p.sum()) > FALSE_ALARMS / (2 * len(METHODS))


def place(run: rw.Ensemble, law: rw.pde.ExactLaw) -> NDArray[np.int64]:
    """The counts of a run in the window of a law."""
    first = min(run.table.first, law.table.first)
    begin, end = law.table.first - first, law.table.first - first + law.table.sites
    shift = run.table.first - first
    wide = np.zeros((len(run.steps), max(end, shift + run.table.sites)), dtype=np.int64)
    wide[:, shift : shift + run.table.sites] = run.counts
    assert not wide[:, :begin].any() and not wide[:, end:].any()
    return wide[:, begin:end]


def test_chi_square_of_this_file_sees_a_small_bias() -> None:
    """The test above is no rubber stamp: probabilities off by 0.01 are seen at 10⁵ walkers, and by 0.001 at 10⁸."""
    for shift, walkers in ((0.01, 10**5), (0.001, 10**8)):
        run = rw.simulate(
            rw.LatticeWalk(0.5 + shift, 0.5 - shift, dx=1.0), walkers, [30.0], seed=2, method="occupation"
        )
        law = rw.pde.exact_law(rw.LatticeWalk(0.5, 0.5, dx=1.0), [30.0])
        assert p_value(place(run, law)[0], law.pmf[0] / law.pmf[0].sum()) < 1e-6


def test_joint_law_at_two_times() -> None:
    """A histogram at one time says nothing of how it came about; pairs of places at two times do. (paths and jump)"""
    walk = rw.LatticeWalk(0.3, 0.4, dx=1.0)
    law = rw.pde.exact_law(walk, [3.0, 5.0])
    first = {round(x): p for x, p in zip(law.sites, law.pmf[0], strict=True)}
    step = {round(x): p for x, p in zip(law.sites, rw.pde.exact_law(walk, [5.0]).pmf[0], strict=True)}
    for method in ("paths", "jump"):
        x = rw.simulate(walk, 100_000, [3.0, 8.0], seed=5, method=method, record=[rw.Positions()])[rw.Positions()].x
        a, b = np.rint(x).astype(int)
        observed, p = [], []
        for i in range(-3, 4):
            for j in range(-5, 6):
                observed.append(int(((a == i) & (b - a == j)).sum()))
                p.append(first[i] * step[j])
        assert p_value(observed, p) > FALSE_ALARMS / 2


# ---------------------------------------------------------------- occupation


def test_occupation_at_a_million_million_walkers() -> None:
    """At 10¹² walkers a bias of 10⁻⁶ would be seen; the exact law uses the quantised probabilities, so none is there."""
    walk = rw.LatticeWalk(0.31, 0.47, sites=40, domain=rw.Interval(0, 41, ABSORB, ABSORB), start=20.0, killing=0.001)
    run = rw.simulate(walk, 10**12, [100.0], seed=1, method="occupation")
    law = rw.pde.exact_law(walk, [100.0])
    assert run.raw.sum() == 10**12
    p = np.concatenate([law.pmf[0], law.gone[100]])
    assert p_value(outcomes(run.counts[0], run.gone[0]), p / p.sum()) > FALSE_ALARMS
    assert abs(z_value(run.mean(100.0), law.mean(100.0))) < 5
    assert float(run.mean(100.0).error) < 2e-5


def test_occupation_counts_first_passages() -> None:
    walk = WALKS["absorbing"]()
    run = rw.simulate(walk, 10**7, [60.0], seed=4, method="occupation", record=[rw.FirstPassage()])
    law = rw.pde.exact_law(walk, [60.0])
    p = np.diff(law.gone[:, :2], axis=0, prepend=0.0)
    passages = run[rw.FirstPassage()]
    np.testing.assert_array_equal(passages.counts.sum(axis=0), run.gone[0])
    counts = np.append(passages.counts[:, :2], run.counts.sum())
    assert p_value(counts, np.append(p, law.survival(60.0))) > FALSE_ALARMS


def test_histograms_of_occupation_vary_as_those_of_walkers() -> None:
    """The counts on one site over 400 seeds are binomial: variance n p(1 - p), whose estimate is good to √(2/400)."""
    walk, n = rw.LatticeWalk(0.3, 0.3, sites=5, domain=rw.Ring(0, 5)), 1000
    counts = np.array(
        [rw.simulate(walk, n, [6.0], seed=seed, method="occupation", threads=1).counts[0] for seed in range(400)]
    )
    p = rw.pde.exact_law(walk, [6.0]).pmf[0]
    z = (counts.var(axis=0, ddof=1) / (n * p * (1 - p)) - 1) / math.sqrt(2 / 399)
    bound = stats.norm.isf(FALSE_ALARMS / 2 / 6)
    assert np.abs(z).max() < bound
    covariance = np.cov(counts[:, 0], counts[:, 1])[0, 1] / (-n * p[0] * p[1])
    assert abs(covariance - 1) < bound * math.sqrt((1 + (1 - p[0]) * (1 - p[1]) / (p[0] * p[1])) / 400)


# ---------------------------------------------------------------- records against known laws

N, MANY = 40, 200_000


@pytest.fixture(scope="module")
def coin() -> rw.Ensemble:
    records: list[rw.run.record.Record] = [rw.TimePositive(), rw.LastVisit(), rw.Maximum(), rw.SquaredDisplacement()]
    return rw.simulate(rw.LatticeWalk(0.5, 0.5, dx=1.0), MANY, [N / 2, N], seed=3, record=records)


def arcsine(n: int) -> NDArray[np.float64]:
    """Feller I, III.4: of 2m steps, 2k are on the positive side with probability u_{2k} u_{2m-2k}, u_{2k} = C(2k, k) 4⁻ᵏ."""
    m = n // 2
    u = [math.comb(2 * k, k) / 4**k for k in range(m + 1)]
    law = np.zeros(n + 1)
    law[::2] = [u[k] * u[m - k] for k in range(m + 1)]
    return law


def test_arcsine_law(coin: rw.Ensemble) -> None:
    for row, n in enumerate((N // 2, N)):
        counts = coin[rw.TimePositive()].counts[row]
        assert p_value(counts[: n + 1], arcsine(n)) > FALSE_ALARMS / 4


def test_last_visit_has_the_same_law(coin: rw.Ensemble) -> None:
    """Feller I, III.4, theorem 1. The first bin is "never": a walk from 0 has been there."""
    for row, n in enumerate((N // 2, N)):
        counts = coin[rw.LastVisit()].counts[row]
        assert counts[0] == 0
        assert p_value(counts[1 : n + 2], arcsine(n)) > FALSE_ALARMS / 4


def test_maximum_by_reflection(coin: rw.Ensemble) -> None:
    """P(max = r) is the larger of P(S = r) and P(S = r + 1) (Feller I, III.7)."""
    result = coin[rw.Maximum()]
    by_value = dict(zip(np.rint(result.values).astype(int).tolist(), result.counts[1].tolist(), strict=True))

    def pmf(k: int) -> float:
        return math.comb(N, (N + k) // 2) / 2**N if (N + k) % 2 == 0 and abs(k) <= N else 0.0

    p = [max(pmf(r), pmf(r + 1)) for r in range(N + 1)]
    assert sum(by_value.get(r, 0) for r in range(N + 1)) == MANY
    assert p_value([by_value.get(r, 0) for r in range(N + 1)], p) > FALSE_ALARMS


def test_mean_square_displacement(coin: rw.Ensemble) -> None:
    """MSD = 2Dt with D = dx²/2dt = ½; its standard error from the fourth moment 3n² - 2n."""
    for n in (N // 2, N):
        msd = coin[rw.SquaredDisplacement()].expect(np.square, n)
        assert float(msd.error) == pytest.approx(math.sqrt((3 * n**2 - 2 * n - n**2) / MANY), rel=0.02)
        assert abs(z_value(msd, n)) < stats.norm.isf(FALSE_ALARMS / 4)


def test_displacement_is_from_each_walkers_own_start() -> None:
    walk = rw.LatticeWalk(0.25, 0.25, dx=0.5, start=rw.Uniform(-20, 20))
    run = rw.simulate(walk, 50_000, [20.0], seed=3, record=[rw.SquaredDisplacement()])
    msd = run[rw.SquaredDisplacement()].expect(np.square, 20.0)
    assert abs(z_value(msd, 20 * 0.5 * 0.25)) < stats.norm.isf(FALSE_ALARMS / 2)
    assert float(run.variance(20.0)) > 100.0  # the places themselves are spread over 40²/12 = 133


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.5), (0.45, 0.55), (0.3, 0.2)])
def test_gamblers_ruin(p: float, q: float) -> None:
    """Ruin probability and mean duration, closed formulas (Feller I, XIV.2–3; with stays the duration grows by 1/(p + q))."""
    start, total, walkers = 4, 10, 40_000
    walk = rw.LatticeWalk(p, q, sites=total - 1, domain=rw.Interval(0, total, ABSORB, ABSORB), start=float(start))
    run = rw.simulate(walk, walkers, [1000.0], seed=8, method="paths", record=[rw.FirstPassage()])
    r = q / p
    ruin = 1 - start / total if p == q else (r**start - r**total) / (1 - r**total)
    duration = start * (total - start) / (p + q) if p == q else (start - total * (1 - ruin)) / (q - p)
    assert run.counts.sum() == 0
    bound = stats.norm.isf(FALSE_ALARMS / 2 / 6)
    assert abs(z_value(run.absorbed("left", [1000.0])[0], ruin)) < bound
    assert abs(z_value(run[rw.FirstPassage()].mean(), duration)) < bound


def test_first_passage_times_of_the_simple_walk() -> None:
    """k/n C(n, (n + k)/2) 2⁻ⁿ (Feller I, III.7)."""
    k, n = 3, 101
    walk = rw.LatticeWalk(0.5, 0.5, dx=1.0, domain=rw.Interval(0, math.inf, ABSORB), start=float(k))
    run = rw.simulate(walk, MANY, [n], seed=6, method="paths", record=[rw.FirstPassage()])
    passages = run[rw.FirstPassage()]
    p = [k / m * math.comb(m, (m + k) // 2) / 2**m if m >= k and (m + k) % 2 == 0 else 0.0 for m in range(1, n + 1)]
    counts = np.append(passages.counts[1:, 0], run.counts.sum())
    assert passages.counts[0].sum() == 0 and passages.counts[:, 1:].sum() == 0
    assert p_value(counts, np.append(p, 1 - sum(p))) > FALSE_ALARMS
    survival = passages.survival([50.0, 101.0])
    assert survival.value[1] == pytest.approx(float(run.survival(101.0)), abs=1e-15)


def test_passages_refuse_times_after_the_end() -> None:
    walk = rw.LatticeWalk(0.5, 0.5, sites=3, domain=rw.Interval(0, 4, ABSORB, ABSORB), start=2.0)
    run = rw.simulate(walk, 100, [10.0], record=[rw.FirstPassage()])
    for result in (run, run[rw.FirstPassage()]):
        assert result.absorbed("left", [0.0, 1.0]).value.tolist() == [0.0, 0.0]
        for times in ([3.0, 11.0], [-1.0, 3.0], math.nan, math.inf):
            with pytest.raises(ValueError, match=r"must lie between 0 and 10|must be finite"):
                result.absorbed("left", times)


# ---------------------------------------------------------------- honest errors


def test_standard_errors_cover() -> None:
    """Over 500 seeds each estimate is within one standard error in 68.3 % of runs and within two in 95.4 %. With 500 runs the
    first share has a standard error of 2.1 %, the second of 0.9 %; the bound is at FALSE_ALARMS over all of them. Lattice values
    and estimated errors move the shares by O(1/√n): runs have 2000 walkers, which leaves 1 %."""
    walk = rw.LatticeWalk(0.3, 0.4, sites=19, domain=rw.Interval(0, 20, ABSORB, ABSORB), start=8.0)
    law, t, edges = rw.pde.exact_law(walk, [40.0]), 40.0, [0.0, 5.0, 9.0, 20.0]
    asked: dict[str, tuple[Callable[[rw.Ensemble], rw.Estimate], float]] = {
        "mean": (lambda e: e.mean(t), law.mean(t)),
        "variance": (lambda e: e.variance(t), law.variance(t)),
        "expect": (lambda e: e.expect(np.square, t), law.expect(np.square, t)),
        "survival": (lambda e: e.survival(t), law.survival(t)),
        "bin": (lambda e: e.mass(edges, t)[1], float(law.mass(edges, t)[1])),
        "passed": (lambda e: e.absorbed("left", [t])[0], float(law.absorbed("left", [t])[0])),
        "passage": (lambda e: e[rw.FirstPassage()].mean("left"), mean_passage(law)),
        "density": (lambda e: e.density(t)[7], float(law.density(t)[1][7])),
    }
    z: dict[str, list[float]] = {name: [] for name in asked}
    for seed in range(500):
        run = rw.simulate(walk, 2000, [t], seed=seed, method="occupation", record=[rw.FirstPassage()], threads=1)
        for name, (estimate, exact) in asked.items():
            z[name].append(z_value(estimate(run), exact))
    bound = stats.norm.isf(FALSE_ALARMS / 2 / (3 * len(asked)))
    for name, values in z.items():
        array = np.abs(values)
        for k in (1, 2):
            share = 2 * stats.norm.cdf(k) - 1
            assert abs((array < k).mean() - share) < bound * math.sqrt(share * (1 - share) / 500) + 0.01, (name, k)
        assert abs(np.mean(values)) < bound / math.sqrt(500) + 0.02, name


def mean_passage(law: rw.pde.ExactLaw) -> float:
    p = np.diff(law.gone[:, 0], prepend=0.0)
    return float(p @ np.arange(p.size) / p.sum())


def test_no_survivors_have_no_mean() -> None:
    walk = rw.LatticeWalk(0.5, 0.5, sites=1, domain=rw.Interval(-1, 1, ABSORB, ABSORB))
    run = rw.simulate(walk, 50, [9.0], record=[rw.FirstPassage()])
    assert math.isnan(run.mean(9.0)) and math.isnan(run.variance(9.0).error)
    assert float(run.survival(9.0)) == 0.0 and float(run.expect(np.square, 9.0)) == 0.0
    assert math.isnan(run[rw.FirstPassage()].mean("killing"))
    assert "nan" in repr(run.mean(9.0)) and run._repr_html_()


# ---------------------------------------------------------------- the choice of method, interrupting


def test_auto_takes_the_cheapest_that_can() -> None:
    line, walls = rw.LatticeWalk(0.3, 0.4, dx=1.0), WALKS["absorbing"]()
    plan = rw.explain(line, 10**6, [1000.0])
    assert set(plan.seconds) == {"paths", "occupation", "jump"} and plan.method == min(
        plan.seconds, key=lambda m: plan.seconds[m]
    )
    assert set(rw.explain(walls, 10**6, [1000.0]).seconds) == {"paths", "occupation"}
    assert set(rw.explain(line, 10**6, [1000.0], record=[rw.Maximum()]).seconds) == {"paths"}
    assert set(rw.explain(walls, 10**6, [1000.0], record=[rw.FirstPassage()]).seconds) == {"paths", "occupation"}
    assert rw.explain(walls, 10**15, [1000.0]).method == "occupation"
    for walk, walkers in ((line, 10**6), (walls, 10), (walls, 10**7)):
        assert (
            rw.simulate(walk, walkers, [1000.0 if walkers > 10 else 5.0]).method
            == rw.explain(walk, walkers, [1000.0 if walkers > 10 else 5.0]).method
        )
    assert "predicted" in str(plan)


def test_interrupting_keeps_whole_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C after the second of three batches: what is finished is the run of that many, and can be extended."""
    walk, size = WALKS["ties"](), 1 << 14
    monkeypatch.setattr("randwalk.run.paths.BATCH", size)
    whole = rw.simulate(walk, 3 * size, [5.0], seed=2, method="paths")
    original = module.follow

    def stopped(*args: object, **kwargs: object) -> Iterator[object]:
        for number, batch in enumerate(original(*args, **kwargs)):
            if number == 2:
                raise KeyboardInterrupt
            yield batch

    monkeypatch.setattr(module, "follow", stopped)
    with pytest.raises(
        rw.Interrupted, match=r"32,768 walkers finished; .*\.ensemble\.extend\(range\(0, 49152\)\)"
    ) as caught:
        rw.simulate(
            walk, 3 * size, [5.0], seed=2, method="paths", threads=1
        )  # of more, one may have finished the third
    monkeypatch.setattr(module, "follow", original)
    part = caught.value.ensemble
    assert part is not None and part.walkers == 2 * size
    np.testing.assert_array_equal(part.extend(range(0, 49152)).raw, whole.raw)  # as the message says


def test_interrupting_an_extension_keeps_the_walkers_that_there_were(monkeypatch: pytest.MonkeyPatch) -> None:
    run = rw.simulate(WALKS["ties"](), 100, [5.0], seed=2, method="paths")

    def stopped(*args: object) -> Iterator[object]:
        yield from original(*args)
        raise KeyboardInterrupt

    original = module.follow
    monkeypatch.setattr(module, "follow", stopped)
    with pytest.raises(
        rw.Interrupted, match=r"300 walkers finished; \.ensemble of this exception has them all"
    ) as caught:
        run.extend(300)
    monkeypatch.setattr(module, "follow", original)
    assert caught.value.ensemble is not None and caught.value.ensemble.parts == (range(300),)
    same(caught.value.ensemble, rw.simulate(WALKS["ties"](), 300, [5.0], seed=2, method="paths"))


def test_interrupting_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*args: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "occupation", stopped)
    with pytest.raises(rw.Interrupted, match=r"before any walkers were finished; by occupation .* with out=") as caught:
        rw.simulate(WALKS["absorbing"](), 1000, [5.0], method="occupation")
    assert caught.value.ensemble is None


def test_trajectories_are_the_walkers_that_are_counted() -> None:
    walk = WALKS["mixed"]()
    paths = rw.trajectories(walk, 500, [0.0, 5.0, 30.0], seed=3)
    run = rw.simulate(walk, 500, [0.0, 5.0, 30.0], seed=3, method="paths")
    assert isinstance(paths, rw.run.record.Paths) and paths.x.shape == (3, 500)
    for row in range(3):
        for x, count in zip(run.sites, run.counts[row], strict=True):
            assert np.isclose(paths.x[row], x, atol=1e-9).sum() == count


def test_seeds_and_walkers_are_independent() -> None:
    """The final places of neighbouring walkers, and of one walker under neighbouring seeds, are uncorrelated: |r|√n is normal."""
    walk, n = rw.LatticeWalk(0.3, 0.3, dx=1.0), 50_000
    x = [rw.trajectories(walk, n, [64.0], seed=seed).x[0] for seed in (0, 1)]
    pairs = [(x[0][:-1], x[0][1:]), (x[0], x[1]), (x[0][: n // 2], x[0][n // 2 :]), (x[0][:-64], x[0][64:])]
    for a, b in pairs:
        assert abs(np.corrcoef(a, b)[0, 1]) * math.sqrt(a.size) < stats.norm.isf(FALSE_ALARMS / 2 / len(pairs))


def test_histograms_say_what_they_are(coin: rw.Ensemble) -> None:
    result = coin[rw.TimePositive()]
    assert isinstance(result, Histogram)
    assert repr(result) == "Histogram('time above x = 0', 41 values, 2 times, 200,000 walkers)"
    assert float(result.mean(N)) == pytest.approx(N / 2, abs=5 * float(result.mean(N).error))
    assert result.proportions(N).value.sum() == pytest.approx(1.0, abs=1e-12)
    with pytest.raises(KeyError, match="was not recorded; give record="):
        coin[rw.FirstPassage()]


# ---------------------------------------------------------------- functionals of nobody


def test_the_mean_last_visit_is_that_of_the_visitors() -> None:
    """Against every path of `naive`, 4 steps of a coin from 2: 0 is visited on 2 of 4 paths of the first two steps."""
    walk = rw.LatticeWalk(0.5, 0.5, dx=1.0, start=2.0)
    run = rw.simulate(walk, 200, [4.0], seed=5, record=[rw.LastVisit(0.0)])
    visits = [naive.last_visit(walk, naive.path(walk, w, 4, 5), -2) for w in range(200)]
    came = [v for v in visits if v >= 0]
    assert 0 < len(came) < 200
    result = run[rw.LastVisit(0.0)]
    assert float(result.mean(4.0)) == pytest.approx(np.mean(came), rel=1e-12)
    assert float(result.expect(np.square, 4.0)) == pytest.approx(np.mean(np.square(came)), rel=1e-12)
    assert float(result.mean(4.0).error) == pytest.approx(np.std(came) / math.sqrt(len(came)), rel=1e-12)
    assert float(result.proportions(4.0).value[np.isnan(result.values)][0]) == 1 - len(came) / 200


def test_what_nobody_has_has_no_mean() -> None:
    far = rw.LatticeWalk(0.5, 0.5, dx=1.0, start=100.0)
    visits = rw.simulate(far, 100, [10.0], seed=1, record=[rw.LastVisit(0.0)])[rw.LastVisit(0.0)]
    for estimate in (visits.mean(10.0), visits.expect(np.cos, 10.0)):
        assert math.isnan(estimate) and math.isnan(estimate.error)
    short = rw.LatticeWalk(0.5, 0.5, sites=1, domain=rw.Interval(-1, 1, ABSORB, ABSORB))
    law = rw.pde.exact_law(short, [9.0])
    assert math.isnan(law.mean(9.0)) and math.isnan(law.variance(9.0)) and law.expect(np.square, 9.0) == 0.0
    run = rw.simulate(short, 50, [9.0], seed=1, record=[rw.SquaredDisplacement(), rw.FirstPassage()], method="paths")
    assert math.isnan(run[rw.SquaredDisplacement()].mean(9.0))
    assert float(run[rw.FirstPassage()].mean()) == 1.0


def test_a_function_need_not_be_a_number_where_nobody_is() -> None:
    """1/x after one step of the coin from 0 (at ±1) is 0 in the mean, though 0 itself is a site."""
    walk = rw.LatticeWalk(0.5, 0.5, dx=1.0)
    run = rw.simulate(walk, 100, [1.0], seed=1, record=[rw.Maximum()])
    x = run.sites[run.counts[0] > 0]
    assert set(x.tolist()) == {-1.0, 1.0}
    assert float(run.expect(lambda x: 1 / x, 1.0)) == pytest.approx(float(run.mean(1.0)), abs=1e-15)
    assert rw.pde.exact_law(walk, [1.0]).expect(lambda x: 1 / x, 1.0) == 0.0
    assert math.isfinite(run[rw.Maximum()].expect(lambda m: np.where(m < 0, np.nan, m), 1.0))
    wrong: list[Any] = [3.0, None, "x"]
    for f in wrong:
        for law in (run, rw.pde.exact_law(walk, [1.0]), run[rw.Maximum()]):
            with pytest.raises(TypeError, match=r"f = .*must be a function"):
                law.expect(f, 1.0)
    for gives in (lambda x: x[:1].repeat(2), lambda x: 1j * x, lambda x: "a"):
        with pytest.raises(ValueError, match=r"^f gave .*one real number for each$"):
            run.expect(gives, 1.0)
    assert float(run.expect(lambda x: math.exp(x), 1.0)) == float(run.expect(np.exp, 1.0))
