"""
Free energy only falls
======================

Along the Fokker–Planck flow the free energy F[ρ] = ∫ρ V dx + D∫ρ ln ρ dx never rises. In a double well it falls in two
stages: at once to the equilibrium of the well where the walkers start, then slowly as they cross the barrier. The
distance to the final equilibrium, D Σ p ln(p/π), for walkers with standard errors, for the exact law of the walk and for
finite differences; the largest change from one time to the next of the exact law is computed, and is negative.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.plotting import COLOURS


def excess(p: np.ndarray, equilibrium: np.ndarray) -> tuple[float, float]:
    """Σ p ln(p/π), and the standard deviation of ln(p/π) for one walker."""
    p, equilibrium = p[p > 0], equilibrium[p > 0]
    logs = np.log(p / equilibrium)
    mean = float(p @ logs)
    return mean, float(np.sqrt(p @ (logs - mean) ** 2))


def figure(quick: bool = False) -> Figure:
    walkers, sites, d = 10**10, (60 if quick else 80), 0.1
    domain = rw.Interval(-2, 2, rw.Reflecting(), rw.Reflecting())
    start = rw.Normal(-1.2, 0.08)
    equation = rw.pde.FokkerPlanck(drift=rw.expression("x - x**3"), diffusion=d, domain=domain, start=start)
    walk = rw.pde.walk_for(equation, sites=sites, times=[0.05])
    times = walk.dt * np.unique(np.rint(np.geomspace(0.05, 60 if quick else 200, 25) / walk.dt))
    ensemble = rw.simulate(walk, walkers, times, seed=1, method="occupation")
    exact, stationary = rw.pde.exact_law(walk, times), rw.pde.stationary_law(walk).pmf
    solution = rw.pde.solve(equation, times)
    cells = np.exp(-(solution.x**4 / 4 - solution.x**2 / 2) / d)

    fig, ax = plt.subplots(figsize=(3.5, 3.0))
    masses = solution.density * (solution.x[1] - solution.x[0])
    ax.loglog(times, [d * excess(m, cells / cells.sum())[0] for m in masses], color=COLOURS["finite differences"], lw=3)
    law = np.array([d * excess(p, stationary)[0] for p in exact.pmf])
    ax.loglog(times, law, color=COLOURS["exact law"])
    for t, counts in zip(times, ensemble.counts, strict=True):
        mean, deviation = excess(counts / walkers, stationary)
        ax.errorbar(t, d * mean, d * deviation / np.sqrt(walkers), fmt="o", color=COLOURS["walk"], lw=0.8)
    ax.text(0.06, 0.03, "settles in its well")
    ax.text(18, 5e-3, "crosses the barrier", ha="right")
    ax.set(xlabel="time $t$", ylabel=r"free energy $F - F_{\rm eq}$")
    for y, name in ((0.3, "walk"), (0.2, "exact law"), (0.1, "finite differences")):
        ax.text(0.03, y, name, transform=ax.transAxes, color=COLOURS[name])
    mantissa, power = f"{np.diff(law).max():.1e}".split("e")
    ax.text(0.03, 0.4, f"largest change ${mantissa} \\times 10^{{{int(power)}}}$", transform=ax.transAxes)
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
