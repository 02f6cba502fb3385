"""What cannot fit into memory is refused at once, with a remedy that works; what need not be kept is not."""

from __future__ import annotations

import math
import re
import time
import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import randwalk as rw
from randwalk.inputs import memory

ABSORB, REFLECT = rw.Absorbing(), rw.Reflecting()
BOX, TRAP = rw.Interval(0, 1, REFLECT, REFLECT), rw.Interval(0, 1, ABSORB, ABSORB)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine of 2 GiB, so that refusals do not depend on this one."""
    monkeypatch.setattr(memory, "available", lambda: 2.0**31)
    for module in ("randwalk.model.declaration", "randwalk.run.displacement"):
        monkeypatch.setattr(f"{module}.available", lambda: 2.0**31)
    yield


def coin(**more: object) -> rw.LatticeWalk:
    return rw.LatticeWalk(0.5, 0.5, dx=1.0, **more)  # type: ignore[arg-type]


def in_trap() -> rw.LatticeWalk:
    return rw.LatticeWalk(0.5, 0.5, sites=9, domain=TRAP, start=0.5)


TOO_LARGE: dict[str, Callable[[], object]] = {
    "sites": lambda: rw.LatticeWalk(0.5, 0.5, sites=10**9, domain=BOX, start=0.5),
    "sites of a trap": lambda: rw.LatticeWalk(0.5, 0.5, sites=10**9, domain=TRAP, start=0.5),
    "sites of a ring": lambda: rw.LatticeWalk(lambda x: 0.3 + 0 * x, 0.4, sites=10**9, domain=rw.Ring(0, 1)),
    "sites from a drift": lambda: rw.LatticeWalk.from_drift(0, 0.5, sites=10**9, domain=BOX, start=0.5),
    "sites and D(x)": lambda: rw.LatticeWalk.from_drift(0, lambda x: 1 + x, sites=10**9, domain=BOX, start=0.5),
    "a fine dx": lambda: rw.LatticeWalk(0.5, 0.5, dx=1e-9, domain=BOX, start=0.5),
    "a wide start": lambda: coin(start=rw.Uniform(-1e12, 1e12)),
    "sparse starts": lambda: coin(start=rw.Sites([0, 1e12], [0.5, 0.5])),
    "a broad start": lambda: coin(start=rw.Normal(0, 1e11)),
    "trajectories": lambda: rw.trajectories(coin(), 10**9, [1, 2]),
    "places of many": lambda: rw.simulate(coin(), 10**8, [1, 2], record=[rw.Positions()]),
    "passages": lambda: rw.simulate(in_trap(), 10, [10**8], record=[rw.FirstPassage()]),
    "last visits": lambda: rw.simulate(in_trap(), 10, np.arange(1, 101) * 1e6, record=[rw.LastVisit(0.5)]),
    "many times": lambda: rw.simulate(coin(), 10, np.arange(1, 10**5) * 100.0),
    "law of many times": lambda: rw.pde.exact_law(coin(), np.arange(1, 10**5) * 100.0),
    "law of passages": lambda: rw.pde.exact_law(in_trap(), [10**8]),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_cannot_fit_is_refused_at_once(name: str) -> None:
    begun = time.perf_counter()
    tracemalloc.start()
    with pytest.raises(
        MemoryError, match=r"needs .* GiB of memory and this machine has 1 GiB to give to it: .*(take|record)"
    ):
        TOO_LARGE[name]()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**29 and time.perf_counter() - begun < 30.0  # under a tracer that makes imports slow


def number(error: BaseException, what: str) -> int:
    found = re.search(rf"take {what} ≤ (\d+)", str(error))
    assert found, error
    return int(found[1])


def test_remedies_with_a_number_work() -> None:
    with pytest.raises(MemoryError) as caught:
        TOO_LARGE["sites"]()
    sites = number(caught.value, "sites")
    assert rw.LatticeWalk(0.5, 0.5, sites=sites, domain=BOX, start=0.5).lattice.sites == sites
    with pytest.raises(MemoryError) as caught:
        rw.simulate(coin(), 10**9, [1], record=[rw.Positions()])
    assert 10**6 < number(caught.value, "walkers") < 10**9


def test_a_law_of_walkers_that_stay_needs_no_passages() -> None:
    """10⁸ steps of the coin, and 10⁷ on a ring: the variance is the number of steps, the law on the ring level."""
    tracemalloc.start()
    law = rw.pde.exact_law(coin(), [10**8])
    assert law.variance(10**8) == pytest.approx(10**8, rel=1e-9)
    assert law.absorbed("killing", [0, 10**8]).tolist() == [0.0, 0.0]
    ring = rw.pde.exact_law(rw.LatticeWalk(0.3, 0.4, sites=5, domain=rw.Ring(0, 1)), [10**7])
    np.testing.assert_allclose(ring.pmf[0], 0.2, rtol=1e-9)
    assert float(ring.survival(10**7 / 2)) == 1.0
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**27


def test_counts_of_many_steps_need_no_passages() -> None:
    walk = rw.LatticeWalk(0.3, 0.4, sites=3, domain=rw.Ring(0, 1))
    rw.simulate(walk, 1000, [2e4], seed=1, method="occupation")  # compiled before memory is looked at
    tracemalloc.start()
    run = rw.simulate(walk, 1000, [2e5], seed=1, method="occupation")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**21 and run.counts.sum() == 1000  # 24 bytes a step would be 4.6 MiB


def test_places_are_those_of_one_walker_after_another() -> None:
    """Over three batches, so that joining them is seen."""
    walk = rw.LatticeWalk(0.3, 0.4, dx=1.0)
    many = rw.trajectories(walk, 1_100_000, [3.0], seed=2).x
    assert many.shape == (1, 1_100_000)
    some = range(1_048_500, 1_048_700)
    np.testing.assert_array_equal(many[0, some], rw.trajectories(walk, some, [3.0], seed=2).x[0])


def test_available_memory_is_a_number_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert 2.0**26 < memory.available() < 2.0**50
    monkeypatch.setattr(memory, "_text", lambda path: "1000000\n" if path.endswith("memory.max") else "")
    assert memory.available() == 1e6
    monkeypatch.setattr(memory, "_text", lambda path: "max\n")

    def silent(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr("os.sysconf", silent)
    assert memory.available() == memory.UNKNOWN


def test_a_walk_far_out_is_refused_where_sites_are_one_number() -> None:
    for start in (1e16, -1e17, 1e100):
        with pytest.raises(
            ValueError, match="do not tell sites apart: move the origin of x there, or take dx ≥"
        ) as caught:
            coin(start=start)
        dx = float(str(caught.value).split("dx ≥ ")[1])
        rw.LatticeWalk(0.5, 0.5, dx=dx, start=start)
    with pytest.raises(ValueError, match="do not tell sites apart"):
        rw.LatticeWalk(0.5, 0.5, dx=1.0, domain=rw.Interval(1e17, math.inf, ABSORB), start=2e17)
    law = rw.pde.exact_law(coin(start=2.0**52), [2])
    assert law.mean(2) == 2.0**52 and law.variance(2) == 2.0
