"""Results of records answer many times at once, in the shape of the times."""

import numpy as np
import pytest

import randwalk as rw
from randwalk.laws.estimate import Estimate
from randwalk.run.results import Displacements, Histogram, Passages

TIMES = np.array([1.0, 2.0, 4.0])
SHAPES = [2.0, [1.0, 4.0], [[4.0], [2.0]]]


def parts(answer):
    return (answer.value, answer.error) if isinstance(answer, Estimate) else (np.asarray(answer),)


def agrees(ask, t):
    """The answer has the shape of the times, and each of its parts is what the one time gives."""
    times = np.asarray(t)
    for whole, *singles in zip(parts(ask(t)), *(parts(ask(float(time))) for time in times.ravel()), strict=True):
        assert whole.shape == times.shape + singles[0].shape
        np.testing.assert_array_equal(whole.reshape(times.size, *singles[0].shape), np.array(singles))


@pytest.fixture(scope="module")
def histogram():
    counts = np.array([[1, 2, 3, 4], [0, 5, 1, 3], [7, 0, 0, 2]])
    return Histogram("visits", TIMES, np.array([np.nan, 0.0, 1.0, 2.0]), counts, 10)


def displacements(d):
    rng = np.random.default_rng(5)
    k = rng.integers(-9, 10, (3, 6, d))
    whole = [np.array(sums).astype(object) for sums in (
        k.sum(axis=1), np.einsum("tna,tnb->tab", k, k), np.einsum("tna,tnb->tab", k**2, k**2),
    )]  # fmt: skip
    return k, Displacements(TIMES, (0.5, 2.0)[:d], np.full(3, 6), *whole)


@pytest.mark.parametrize("t", SHAPES)
def test_a_histogram_answers_in_the_shape_of_the_times(histogram, t):
    agrees(histogram.mean, t)
    agrees(histogram.proportions, t)
    agrees(lambda times: histogram.expect(np.square, times), t)


def test_means_and_shares_at_three_times_are_those_of_the_counts(histogram):
    np.testing.assert_allclose(histogram.mean(TIMES).value, [11 / 9, 7 / 9, 2.0], rtol=1e-15)
    np.testing.assert_allclose(histogram.proportions(TIMES).value, histogram.counts / 10, rtol=0)
    assert histogram.proportions(TIMES).total == 10  # intervals are Wilson's for many times too


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("t", SHAPES)
def test_displacements_answer_in_the_shape_of_the_times(d, t):
    k, sums = displacements(d)
    for ask in (sums.mean, sums.covariance, sums.mean_square):
        agrees(ask, t)
    x = k * np.array(sums.spacings)
    np.testing.assert_allclose(sums.mean(TIMES).value, x.mean(axis=1) if d > 1 else x.mean(axis=(1, 2)), atol=1e-14)
    np.testing.assert_allclose(sums.mean_square(TIMES).value, (x**2).sum(axis=2).mean(axis=1), rtol=1e-14)
    np.testing.assert_allclose(
        sums.covariance(TIMES)[1].reshape(d, d), np.cov(x[1].T, ddof=0).reshape(d, d), rtol=1e-13
    )


def test_passages_answer_in_the_shape_of_the_times():
    counts = np.array([[0, 0], [1, 0], [2, 3], [0, 1], [1, 0]])
    passages = Passages(np.arange(5.0), counts, 10, ("left", "killing"))
    for t in (*SHAPES, 2.5, [0.5, 3.99]):
        agrees(passages.survival, t)
        agrees(lambda times: passages.absorbed("left", times), t)


def test_records_of_runs_answer_at_all_their_times():
    lattice = rw.simulate(
        rw.LatticeWalk(0.5, 0.5, dx=1.0, dt=1.0), 100, TIMES, seed=1, method="paths",
        record=[rw.Moments(), rw.Displacement()],
    )  # fmt: skip
    for record in (rw.Moments(), rw.Displacement()):
        agrees(lattice[record].mean, TIMES)


@pytest.mark.parametrize(
    ("t", "told"), [([], "at least one time"), ([1.0, 3.0], "was not recorded"), ([np.nan], "finite")]
)
def test_times_that_cannot_be_answered_are_refused(histogram, t, told):
    for ask in (histogram.mean, histogram.proportions, displacements(2)[1].covariance):
        with pytest.raises(ValueError, match=told):
            ask(t)
