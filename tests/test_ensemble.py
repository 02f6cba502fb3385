"""What a run gives: estimates from counts, files, xarray, merging, plotting."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import cast

import matplotlib as mpl
import numpy as np
import pytest
import xarray
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer

import randwalk as rw
from randwalk.kernels.philox import STREAM_VERSION
from randwalk.laws.estimate import average, proportion

from .test_stream import RECORDS, WALKS, same

mpl.use("Agg")
import matplotlib.pyplot as plt

ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()
COUNTED = RECORDS[:-1]  # all but Positions, which is not saved


def walled() -> rw.LatticeWalk:
    domain = rw.Interval(0, 10, ABSORB, REFLECT)
    return rw.LatticeWalk(0.3, 0.4, sites=15, dt=0.5, domain=domain, start=rw.Uniform(2, 6), killing=0.01)


@pytest.fixture(scope="module")
def run() -> rw.Ensemble:
    return rw.simulate(walled(), 5000, [0.0, 5.0, 20.0], seed=3, method="paths", record=RECORDS)


# ---------------------------------------------------------------- estimates


def test_estimates_are_those_of_the_walkers(run: rw.Ensemble) -> None:
    """Means, variances and standard errors recomputed by NumPy from the list of positions; 1e-12 is rounding over 5000 terms."""
    x = run[rw.Positions()].x[2]
    alive = (x > 0) & (x < 10)  # NaN compares as False; the outer sites are at 0 and beyond 10
    survivors = x[alive]
    n = 5000
    assert run.walkers == n and run.counts[2].sum() == survivors.size
    assert float(run.mean(20.0)) == pytest.approx(survivors.mean(), rel=1e-12)
    assert float(run.mean(20.0).error) == pytest.approx(survivors.std() / math.sqrt(survivors.size), rel=1e-12)
    assert float(run.variance(20.0)) == pytest.approx(survivors.var(), rel=1e-12)
    squares = (survivors - survivors.mean()) ** 2
    assert float(run.variance(20.0).error) == pytest.approx(squares.std() / math.sqrt(survivors.size), rel=1e-12)
    values = np.where(alive, np.exp(-np.where(alive, x, 0.0)), 0.0)
    assert float(run.expect(lambda y: np.exp(-y), 20.0)) == pytest.approx(values.mean(), rel=1e-12)
    assert float(run.expect(lambda y: np.exp(-y), 20.0).error) == pytest.approx(values.std() / math.sqrt(n), rel=1e-9)
    share = survivors.size / n
    assert float(run.survival(20.0)) == share
    assert float(run.survival(20.0).error) == pytest.approx(math.sqrt(share * (1 - share) / n), rel=1e-12)
    assert float(run.absorbed("killing", [20.0])[0]) == np.isnan(x).mean()
    assert float(run.absorbed("left", [20.0])[0]) == (np.abs(x) < 1e-9).mean()


def test_density_integrates_to_survival(run: rw.Ensemble) -> None:
    for t in run.times:
        rho = run.density(t)
        assert rho.value.sum() * run.walk.dx == pytest.approx(float(run.survival(t)), rel=1e-12)
    coin = rw.simulate(rw.LatticeWalk(0.5, 0.5, dx=0.1, dt=0.01), 1000, [0.1, 0.11], seed=1)
    for t in coin.times:
        rho = coin.density(t)
        assert np.diff(rho.x) == pytest.approx(0.2, rel=1e-9)
        assert rho.value.sum() * 0.2 == pytest.approx(1.0, rel=1e-12)
        assert coin.smoothing(t) == pytest.approx(0.2)


def test_everybody_is_somewhere(run: rw.Ensemble) -> None:
    total = run.counts.sum(axis=1) + run.gone.sum(axis=1) + run.leaked
    assert total.tolist() == [5000, 5000, 5000]
    assert run.times.tolist() == [0.0, 5.0, 20.0]
    assert run.sites.shape == run.counts.shape[1:] and run.gone.shape == (3, 3)
    for t in run.times:
        ways = sum(float(run.absorbed(way, t)) for way in ("left", "right", "killing"))
        assert ways + float(run.survival(t)) == pytest.approx(1.0, abs=1e-12)


def test_bins_are_closed_on_the_left_and_the_last_on_both_sides() -> None:
    run = rw.simulate(rw.LatticeWalk(0.3, 0.4, dx=0.1, dt=0.01), 1000, [0.1], seed=1)
    at = dict(zip(np.rint(run.sites * 10).astype(int).tolist(), run.counts[0].tolist(), strict=True))
    counts = run.bin_counts([-0.3, 0.0, 0.2, 0.3], 0.1)
    assert counts.tolist() == [at[-3] + at[-2] + at[-1], at[0] + at[1], at[2] + at[3]]
    assert run.mass([-0.3, 0.0, 0.2, 0.3], 0.1).value == pytest.approx(counts / 1000)
    assert run.mass([-9, 9], 0.1).value.tolist() == [1.0]
    for edges in ([0.0], [0.0, 0.0], [1.0, 0.0], [[0.0, 1.0]], [0.0, math.nan]):
        with pytest.raises(ValueError, match="edges must be at least two increasing numbers"):
            run.mass(edges, 0.1)


def test_times_that_were_not_recorded(run: rw.Ensemble) -> None:
    for ask in (run.mean, run.density, run.variance, run.smoothing):
        with pytest.raises(ValueError, match="t = 7 was not recorded; the recorded times are 0, 5, 20"):
            ask(7.0)
    with pytest.raises(ValueError, match="exit = 'top': must be one of"):
        run.absorbed("top", [5.0])


def test_estimate_arithmetic() -> None:
    share = proportion(np.array([0, 25, 100]), 100)
    assert share.value.tolist() == [0, 0.25, 1.0] and share.error == pytest.approx([0, math.sqrt(0.1875 / 100), 0])
    assert len(share) == 3 and float(share[1]) == 0.25 and share.value.tolist() == [0, 0.25, 1.0]
    mean = average(np.array([1.0, 3.0]), np.array([2, 2]), 8)  # four walkers count as 0
    sample = [1, 1, 3, 3, 0, 0, 0, 0]
    assert float(mean) == np.mean(sample) and float(mean.error) == pytest.approx(np.std(sample) / math.sqrt(8))
    assert repr(mean) == "1 ± 0.43"
    assert repr(share) == "[0 ± 0, 0.25 ± 0.043, 1 ± 0]"


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
@pytest.mark.parametrize(
    "name", ["walled", "ties", "robin", "ring", "killed on the line", "half line", "array", "Ornstein-Uhlenbeck"]
)
def test_save_and_load(suffix: str, name: str, tmp_path: Path) -> None:
    walk = walled() if name == "walled" else WALKS[name]()
    records = [r for r in COUNTED if name != "ring" or not isinstance(r, rw.SquaredDisplacement)]
    before = rw.simulate(walk, 500, np.array([3, 20]) * walk.dt, seed=7, method="paths", record=records)
    path = tmp_path / f"run.v1{suffix}"
    before.save(path)
    after = rw.Ensemble.load(path)
    same(before, after)
    assert (after.seed, after.method, after.parts, after.steps) == (7, "paths", (range(0, 500),), (3, 20))
    assert after.walk == walk and after.table == before.table
    np.testing.assert_array_equal(after.sites, before.sites)
    same(after.extend(700), rw.simulate(walk, 700, np.array([3, 20]) * walk.dt, seed=7, method="paths", record=records))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_parts_of_occupation_survive_a_file(tmp_path: Path) -> None:
    run = rw.simulate(
        WALKS["absorbing"](), 10**9, [10.0], seed=7, method="occupation", record=[rw.FirstPassage()]
    ).extend(2 * 10**9)
    run.save(tmp_path / "run.npz")
    after = rw.Ensemble.load(tmp_path / "run.npz")
    assert after.parts == (range(0, 10**9), range(10**9, 2 * 10**9)) and after.walkers == 2 * 10**9
    same(run, after)


def test_numbers_of_numpy_are_saved(tmp_path: Path) -> None:
    """A walk declared with NumPy's scalars, whose repr is not a number's."""
    f = np.float64
    walk = rw.LatticeWalk.from_drift(
        rw.Affine(f(0.2), f(-1)), f(0.5), dx=f(0.1), domain=rw.Interval(f(-2), f(2), REFLECT, rw.PartiallyAbsorbing(f(0.5))),
        start=rw.Point(f(0.05)), killing=rw.Constant(f(0.1)),
    )  # fmt: skip
    walkers, seed, level = (cast(int, np.int64(n)) for n in (100, 1, 0))
    run = rw.simulate(walk, walkers, walk.dt * 5, seed=seed, method="paths", record=[rw.LastVisit(level)])
    for suffix in (".npz", ".nc"):
        run.save(tmp_path / f"run{suffix}")
        same(run, rw.Ensemble.load(tmp_path / f"run{suffix}"))


def test_what_cannot_be_saved_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    walk = rw.LatticeWalk(lambda t: 0.35 + 0.3 * math.sin(5 * t), 0.3, dx=1.0, dt=0.05)
    opaque = rw.simulate(walk, 10, [0.05], method="paths")
    paths = rw.simulate(WALKS["ties"](), 10, [5.0], record=[rw.Positions()])
    for suffix in (".npz", ".nc"):
        with pytest.raises(
            ValueError, match=r"a Python function cannot be written to a file: declare it with rw\.expression"
        ):
            opaque.save(tmp_path / f"a{suffix}")
        with pytest.raises(ValueError, match=r"Positions\(\) is not saved"):
            paths.save(tmp_path / f"b{suffix}")
    for wrong in ("run", "run.csv", "run.npz.gz"):
        with pytest.raises(ValueError, match=r"must end in \.npz or \.nc"):
            paths.save(tmp_path / wrong)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("disk full")])
def test_interrupted_saving_leaves_the_old_file_and_nothing_else(
    suffix: str, error: BaseException | type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = rw.simulate(WALKS["ties"](), 10, [5.0], seed=1, method="paths")
    path = tmp_path / f"run{suffix}"
    old.save(path)
    content = path.read_bytes()

    def broken(self: Path, target: object) -> None:
        assert self.exists() and self != path
        raise error

    monkeypatch.setattr(Path, "replace", broken)
    new = rw.simulate(WALKS["ties"](), 20, [5.0], seed=1, method="paths")
    with pytest.raises((KeyboardInterrupt, OSError)):
        new.save(path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name] and path.read_bytes() == content


def test_saving_into_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        rw.simulate(WALKS["ties"](), 10, [5.0]).save(tmp_path / "nowhere" / "run.npz")


def test_files_of_another_format_are_refused(tmp_path: Path) -> None:
    run = rw.simulate(WALKS["ties"](), 10, [5.0], seed=1, method="paths")
    run.save(tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz") as data:
        arrays = {name: data[name] for name in data.files}
    meta = json.loads(str(arrays["meta"]))
    assert meta["stream"] == STREAM_VERSION and meta["format"] == 2 and meta["randwalk"] == rw.__version__
    np.savez(tmp_path / "new.npz", **(arrays | {"meta": np.array(json.dumps(meta | {"format": 4}))}))
    with pytest.raises(ValueError, match=r"new\.npz has file format 4; this version reads formats 1, 2, 3"):
        rw.Ensemble.load(tmp_path / "new.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(ValueError, match=r"other\.npz was not written by Ensemble\.save"):
        rw.Ensemble.load(tmp_path / "other.npz")
    xarray.Dataset({"a": ("x", np.zeros(3))}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(ValueError, match=r"other\.nc was not written by Ensemble\.save"):
        rw.Ensemble.load(tmp_path / "other.nc")


def test_an_ensemble_of_another_stream_is_read_and_not_continued(tmp_path: Path) -> None:
    followed = rw.simulate(WALKS["quarters"](), 10, [5.0], seed=1, method="paths")
    dataclasses.replace(followed, stream=1).save(tmp_path / "same.npz")  # later versions draw these walkers, too
    same(
        rw.Ensemble.load(tmp_path / "same.npz").extend(20),
        rw.simulate(WALKS["quarters"](), 20, [5.0], seed=1, method="paths"),
    )
    run = rw.simulate(WALKS["ties"](), 10, [5.0], seed=1, method="jump")
    dataclasses.replace(run, stream=1).save(tmp_path / "old.npz")
    old = rw.Ensemble.load(tmp_path / "old.npz")
    fields = ("walk", "table", "seed", "method", "parts", "steps", "raw", "records")  # that an ensemble had in 0.2.0
    state = {name: getattr(old, name) for name in fields}
    first_release = object.__new__(rw.Ensemble)
    first_release.__setstate__(state)
    assert first_release.stream == old.stream == 1 and str(old.mean(5.0)) == str(run.mean(5.0))
    message = f"from version 1 of the random stream and would go on from version {STREAM_VERSION}"
    with pytest.raises(ValueError, match=message):
        old.extend(20)
    with pytest.raises(ValueError, match=message):
        old.resume([6.0])
    with pytest.raises(ValueError, match=f"differ in stream: 1 and {STREAM_VERSION}"):
        old.merge(rw.simulate(WALKS["ties"](), range(10, 20), [5.0], seed=1, method="jump"))


def test_a_wall_that_is_not_there_is_refused() -> None:
    walk = WALKS["ties"]()
    for law in (rw.simulate(walk, 10, [5.0]), rw.pde.exact_law(walk, [5.0])):
        with pytest.raises(ValueError, match=r"exit = 'left': Line\(\) has no wall there"):
            law.absorbed("left", [5.0])
        assert float(law.absorbed("killing", [5.0])[0]) == 0.0


def test_to_xarray() -> None:
    run = rw.simulate(walled(), 200, [5.0, 20.0], seed=3, method="paths", record=[rw.FirstPassage()])
    data = run.to_xarray()
    assert data["counts"].dims == ("time", "x") and data["gone"].dims == ("time", "exit")
    np.testing.assert_array_equal(data["counts"].values, run.counts)
    assert data["gone"].sel(time=20.0, exit="killing").item() == run.gone[1, 2]
    np.testing.assert_array_equal(data["x"].values, run.sites)
    assert data.attrs["walkers"] == 200 and json.loads(data.attrs["randwalk"])["seed"] == 3


# ---------------------------------------------------------------- merging


def test_merging_refuses_what_does_not_belong_together() -> None:
    walk = WALKS["ties"]()

    def part(
        walkers: range = range(100, 200),
        seed: int = 1,
        times: tuple[float, ...] = (5.0,),
        method: str = "paths",
        record: tuple[rw.run.record.Record, ...] = (),
    ) -> rw.Ensemble:
        return rw.simulate(walk, walkers, times, seed=seed, method=method, record=record)

    base = part(range(0, 100))
    cases = [
        (part(seed=2), "differ in seed: 1 and 2"),
        (part(times=(6.0,)), "differ in steps"),
        (part(method="jump"), "differ in method: paths and jump"),
        (part(record=(rw.Maximum(),)), "differ in what they record"),
        (part(range(99, 150)), r"both ensembles hold walkers 99 … 149: they would count twice"),
        (base, "count twice"),
        (rw.simulate(WALKS["coin"](), range(100, 200), [5.0], seed=1, method="paths"), "differ in walk"),
    ]
    for other, message in cases:
        with pytest.raises(ValueError, match=message):
            base.merge(other)
    gap = base.merge(part(range(300, 400)))
    assert gap.parts == (range(0, 100), range(300, 400)) and gap.walkers == 200
    assert gap.extend(250).parts == (range(0, 100), range(300, 450))


def test_ranges_of_one_run_merge_whatever_their_sizes() -> None:
    """Records included; the method is one for all ranges, because it is not chosen by their sizes."""
    walk = rw.LatticeWalk(0.3, 0.4, dx=1.0)
    for record in ([], [rw.FirstPassage()]):
        small = rw.simulate(walk, 100, [1000.0], seed=1, method="occupation", record=record)
        large = rw.simulate(walk, range(100, 10**14), [1000.0], seed=1, method="occupation", record=record)
        both = small.merge(large)
        assert both.walkers == 10**14 and both.raw.sum() == 10**14
    trap = WALKS["absorbing"]()
    first, second = (rw.simulate(trap, part, [5.0], seed=1) for part in (range(1000), range(1000, 10**6)))
    assert rw.explain(trap, 10**6, [5.0]).method == "occupation"
    assert rw.explain(trap, range(1000, 10**6), [5.0]).method == "paths"
    same(first.merge(second), rw.simulate(trap, 10**6, [5.0], seed=1, method="paths"))
    assert rw.explain(walk, range(10), [5.0]).method == rw.explain(walk, range(10, 10**9), [5.0]).method == "jump"


def test_extending_and_resuming_refuse_nonsense(run: rw.Ensemble) -> None:
    for walkers in (5000, 10, 0, -1, True, 6000.0, "6000"):
        with pytest.raises(ValueError, match="must be a whole number above the 5000 there are"):
            run.extend(walkers)  # type: ignore[arg-type]
    for times in (20.0, [5.0, 30.0]):
        with pytest.raises(ValueError, match="times must come after the last recorded one, 20"):
            run.resume(times)
    with pytest.raises(ValueError, match="whole number of steps"):
        run.resume(20.3)


# ---------------------------------------------------------------- drawing and text


def test_plots_return_axes(run: rw.Ensemble) -> None:
    for draw in (run.plot, run[rw.Maximum()].plot, run[rw.FirstPassage()].plot, run[rw.SquaredDisplacement()].plot):
        ax = draw()
        assert isinstance(ax, Axes) and ax.get_xlabel() and ax.get_ylabel()
    _, given = plt.subplots()
    assert run.plot(5.0, ax=given) is given and len(given.containers) == 1
    few = rw.trajectories(walled(), 5, np.arange(10) * 0.5)
    assert isinstance(few, rw.run.record.Paths) and len(few.plot().lines) == 5
    law = rw.pde.exact_law(walled(), [5.0])
    assert isinstance(law.plot(ax=given), Axes)
    stationary = rw.pde.stationary_law(WALKS["reflecting"]())
    assert isinstance(stationary.plot(), Axes)
    plt.close("all")


def test_plot_draws_the_density_with_its_errors(run: rw.Ensemble) -> None:
    ax = run.plot(20.0)
    rho = run.density(20.0)
    x, y = cast(ErrorbarContainer, ax.containers[0]).lines[0].get_data()
    np.testing.assert_array_equal(x, rho.x[rho.value > 0])
    np.testing.assert_array_equal(y, rho.value[rho.value > 0])
    plt.close("all")


def test_text(run: rw.Ensemble) -> None:
    assert repr(run).startswith("Ensemble(5,000 walkers by paths, seed 3, t = 0, 5, 20; ")
    assert "<table>" in run._repr_html_() and run._repr_html_().count("<tr>") == 4
    assert repr(run[rw.Positions()]) == "Paths(5,000 walkers, 3 times)"
    assert "killed" in repr(run[rw.FirstPassage()])


def test_places_of_every_walker_that_0_3_kept_are_read() -> None:
    """Up to 0.3 an ensemble had no task, and the record of places one array without its ranges of walkers."""
    record = rw.Positions()
    walk = WALKS["ties"]()
    run = rw.simulate(walk, 10, [5.0], seed=1, method="paths", record=[record]).extend(25)
    fields = ("walk", "table", "seed", "method", "parts", "steps", "raw", "records", "stream")
    state = {name: getattr(run, name) for name in fields}
    kept = object.__new__(type(run[record]))
    kept.__dict__.update(times=run[record].times, x=run[record].x)
    read = object.__new__(rw.Ensemble)
    read.__setstate__(state | {"records": {record: kept}})
    same(read, run)
    np.testing.assert_array_equal(read[record].x, run[record].x)
    np.testing.assert_array_equal(read.extend(30)[record].x, run.extend(30)[record].x)


def test_parts_by_different_methods_name_the_method_that_merges() -> None:
    coin = rw.LatticeWalk(0.5, 0.5, dx=1.0)
    first = rw.simulate(coin, 1000, [4.0], seed=1, method="occupation")
    with pytest.raises(ValueError, match="simulate both with method='occupation'"):
        first.merge(rw.simulate(coin, range(1000, 1010), [4.0], seed=1, method="paths"))
    assert first.merge(rw.simulate(coin, range(1000, 1010), [4.0], seed=1, method="occupation")).walkers == 1010
