"""
Free energy only falls
======================

Along the Fokker–Planck flow the free energy F[ρ] = ∫ρ V dx + D∫ρ ln ρ dx never rises. In a double well it falls in two
stages: at once to the equilibrium of the well where the walkers start, D ln 2 above the final one, then slowly as they cross
the barrier. The distance to the final equilibrium, D Σ p ln(p/π), for walkers with standard errors (smaller than the points),
for the exact law of the walk and for finite differences. The smallest fall of the exact law, from one time of the walkers to
the next, is computed.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import randwalk as rw
from randwalk.laws.plotting import COLOURS


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
    ax.axhline(d * np.log(2), color="0.8", lw=0.6, zorder=0)
    ax.text(times[-1], d * np.log(2), r"$D\,\ln 2$: in one well", ha="right", va="bottom")
    ax.text(18, 5e-3, "crosses the barrier", ha="right")
    ax.set(xlabel="time $t$", ylabel=r"free energy $F - F_{\rm eq}$")
    for y, name in ((0.3, "walk"), (0.2, "exact law"), (0.1, "finite differences")):
        text = f"$10^{{{round(np.log10(walkers))}}}$ walkers" if name == "walk" else name
        ax.text(0.03, y, text, transform=ax.transAxes, color=COLOURS[name])
    mantissa, power = f"{-np.diff(law).max():.1e}".split("e")
    ax.text(0.03, 0.4, f"each fall is at least ${mantissa} \\times 10^{{{int(power)}}}$", transform=ax.transAxes)
    return fig


if __name__ == "__main__":
    plt.style.use("randwalk.gallery.randwalk")
    figure()
    plt.show()
