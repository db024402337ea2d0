# ---
# jupyter:
#   jupytext:
#     notebook_metadata_filter: small
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
#   small:
#     side: 32
#     n_temperatures: 3
#     configurations: 80
#     apart: 200
#     sizes: [8, 12, 16]
#     quench_side: 64
#     quench_chains: 2
#     last_time: 64
# ---

# %% [markdown]
# # Domains and coarsening
#
# Neighbouring agents with equal actions form domains. This page shows them in equilibrium, with a
# slider through the transition; at the critical point, where the largest domain is a fractal; and
# after a quench, where domains grow by a law that does not depend on the reward.

# %% tags=["parameters"]
side = 256  # L, of the lattice in the pictures
n_temperatures = 16
configurations = 160  # of each temperature, for the statistics
apart = 1_500  # sweeps between them
sizes = [12, 16, 24, 32, 48, 64, 96]  # L, at the critical point
quench_side = 2048  # L, of the lattices that are quenched
quench_chains = 4
last_time = 500  # sweeps after the quench

# %%
from io import BytesIO

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import isingrl as irl
from analysis import (
    domain_length,
    domain_statistics,
    exact,
    growth_law,
    plots,
    power_law,
    size_distribution,
    structure_factor,
)
from analysis.errors import jackknife
from analysis.literature import geometric_domains
from analysis.plots.styles import colors

plt.rc("figure", dpi=110)
T_c = exact.CRITICAL_TEMPERATURE

# %% [markdown]
# ## Through the transition
#
# Agents learn on 64 × 64 sites. Their table depends only on the number of up neighbours, so it
# serves lattices of any size.

# %%
temperature = np.linspace(1.6, 3.1, n_temperatures)
school = irl.Ising(irl.Lattice((64, 64)))
policy = irl.train(school, irl.MeanFieldQ(), temperature, sweeps=200, seed=1)
model = irl.Ising(irl.Lattice((side, side)))
data = irl.simulate(
    model, policy, sweeps=apart * configurations // 4, thermalization=10 * apart, interval=apart,
    chains=4, start="up", snapshots=configurations // 4, seed=2,
)  # fmt: skip
statistics = domain_statistics(data.spins)
samples = statistics[["largest_fraction", "wall_density"]].sel(phase="both")
samples["wraps"] = statistics.wraps.sel(phase="both").any("axis").astype(float)
means = jackknife(
    samples, lambda part: part.mean(["chain", "snapshot"]), dims=("chain", "snapshot")
)


def picture(t):
    """A configuration at one temperature, its domains, and where it stands among the means."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11.5, 3.9), layout="constrained")
    spins = data.spins.sel(temperature=t, method="nearest").isel(chain=0, snapshot=-1)
    plots.snapshot(spins, left)
    plots.domain_map(spins, ax=middle)
    left.set_title(rf"spins at $T$ = {t:.2f} $J/k_\mathrm{{B}}$")
    middle.set_title("domains, the largest in full colour")
    share, error = means.largest_fraction, means.largest_fraction_error
    style = plots.method_style("mean-field-q")
    right.errorbar(means.temperature, share, error, ls="none", **style)
    here = share.sel(temperature=t, method="nearest")
    right.plot(here.temperature, here, "o", ms=10, color=style["color"])
    plots.critical_temperature(right)
    right.set(ylim=(0, 1.03), xlabel=plots.axis_label(means.temperature))
    right.set_ylabel("share of the largest domain")
    return figure


for t in temperature[[0, np.argmin(abs(temperature - T_c)), -1]]:
    picture(t)
plt.show()

# %% [markdown]
# The slider goes through all temperatures. It chooses among pictures that were drawn with this
# page, so it also works without a running kernel.


# %%
def drawn(figure):
    """The figure as an image for a widget."""
    file = BytesIO()
    figure.savefig(file, dpi=80)
    plt.close(figure)
    narrow = widgets.Layout(max_width="100%")
    return widgets.Image(value=file.getvalue(), format="png", layout=narrow)


wide = widgets.Layout(width="min(480px, 100%)")
names = [f"{t:.2f}" for t in temperature]
slider = widgets.SelectionSlider(options=names, description="T (J/k_B)", layout=wide)
pictures = widgets.Stack([drawn(picture(t)) for t in temperature], selected_index=0)
widgets.jslink((slider, "index"), (pictures, "selected_index"))
widgets.VBox([slider, pictures])

# %% [markdown]
# The energy determines the share of unlike neighbours, $(1 + e/2J)/2$. So the walls must lie on the
# exact curve.

# %%
grid = np.linspace(temperature[0], temperature[-1], 300)
walls = (1 + exact.torus((side, side), grid).energy / 2) / 2
known = (1 + exact.torus((side, side), temperature).energy / 2) / 2
pull = (means.wall_density - known) / means.wall_density_error
style = plots.method_style("mean-field-q")
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.9), layout="constrained")
left.plot(grid, walls, lw=1, ls="--", color="0", label=f"exact, {side}×{side}")
left.errorbar(
    temperature, means.wall_density, means.wall_density_error, ls="none", label="mean-field Q",
    **style,
)  # fmt: skip
left.set_ylabel(plots.axis_label(statistics.wall_density))
left.set_title(f"χ² = {(pull**2).sum().item():.1f} for {pull.size} temperatures", fontsize=10)
left.legend(frameon=False)
right.errorbar(temperature, means.wraps, means.wraps_error, ls="none", **style)
plots.critical_temperature(right)
right.set_ylabel("share with a domain that wraps the torus")
for ax in (left, right):
    ax.set_xlabel(plots.axis_label(means.temperature))
plt.show()

# %% [markdown]
# ## A fractal
#
# At $T_\mathrm{c}$ domains of all sizes exist. The largest one grows as $L^D$, with $D = 187/96$.
# It is nearly the whole lattice, but its density vanishes for large lattices.

# %%
critical = irl.train(school, irl.MeanFieldQ(), T_c, sweeps=200, seed=3)
largest = {}
for L in sizes:
    interval = max(1, L**2 // 4)  # about a relaxation time
    chosen = irl.simulate(
        irl.Ising(irl.Lattice((L, L))), critical, sweeps=20 * interval,
        thermalization=10 * interval, interval=interval, chains=64, snapshots=20, start="up",
        seed=L,
    )  # fmt: skip
    share = domain_statistics(chosen.spins).largest_fraction.sel(phase="both").isel(temperature=0)
    largest[L] = jackknife(
        (L**2 * share).rename("size"), lambda part: part.mean(["chain", "snapshot"]),
        dims=("chain", "snapshot"),
    )  # fmt: skip
along = xr.Variable("L", sizes)
size = xr.concat(list(largest.values()), along, coords="minimal", compat="override")
fit = power_law(size["size"], size.size_error, "L")
D = geometric_domains()["fractal_dimension"]
counted = domain_statistics(chosen.spins)  # of the largest lattice
sizes_found = size_distribution(counted.sel(phase="both").isel(temperature=0))
print(f"D = {fit.exponent:.4f} ± {fit.exponent_error:.4f}, exact 187/96 = {D:.4f}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
line = np.array([sizes[0], sizes[-1]])
left.errorbar(sizes, size["size"], size.size_error, ls="none", label="mean-field Q", **style)
law = rf"$L^D$, $D$ = {fit.exponent:.4f} ± {fit.exponent_error:.4f}"
left.plot(line, fit.amplitude.item() * line ** fit.exponent.item(), lw=1, color="0.3", label=law)
left.set(xscale="log", yscale="log", xlabel="side $L$ (lattice spacings)")
left.set_ylabel("size of the largest domain (sites)")
left.set_xticks(sizes, sizes)
left.xaxis.minorticks_off()
left.set_ylim(size["size"].min() / 3, 3 * size["size"].max())
left.legend(frameon=False)
plots.size_distribution(
    sizes_found, right, exponent=geometric_domains()["fisher_exponent"],
    exponent_label=r"$s^{-379/187}$", label=f"mean-field Q, $L$ = {sizes[-1]}",
)  # fmt: skip
right.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Coarsening
#
# Now agents are quenched from a random start to $T$ = 1. Walls move by their curvature, so domains
# grow as $t^{1/2}$ (Allen & Cahn 1979). $L(t)$ is the inverse of the density of walls after
# subtraction of the walls from thermal noise in equilibrium, which follow from Onsager's energy.

# %%
t_quench = 1.0
cold = irl.train(school, irl.MeanFieldQ(), t_quench, sweeps=200, seed=4)
background = (1 + exact.square_lattice(t_quench).energy.item() / 2) / 2
times = np.unique(np.geomspace(1, last_time, 18).round().astype(int))
pictured = times[np.linspace(0, times.size - 1, 5).round().astype(int)]
lattice = irl.Ising(irl.Lattice((quench_side, quench_side)))
lengths, spectra, corners, start, before = [], {}, [], "random", 0
for time in times.tolist():
    spins = irl.simulate(
        lattice, cold, sweeps=time - before, interval=time - before, chains=quench_chains,
        start=start, snapshots=1, seed=time,
    ).spins  # fmt: skip
    start, before = spins.values[:, :, 0], time
    now = spins.isel(temperature=0, snapshot=0, drop=True)
    lengths.append(domain_length(now, equilibrium_wall_density=background, dims=()))
    if time in pictured:
        spectra[time] = structure_factor(now, dims=("chain",))
        corners.append(now.isel(chain=0, x=slice(0, 256), y=slice(0, 256)))
along = xr.Variable("time", times, {"long_name": "time", "units": "sweeps"})
lengths = xr.concat(lengths, along, coords="minimal", compat="override")
window = (last_time / 10, last_time)
law = growth_law(lengths.wall_length, window, offset=False)
with_offset = growth_law(lengths.wall_length, (last_time / 25, last_time))
for name, found in (("A tⁿ", law), ("L₀ + A tⁿ", with_offset)):
    print(f"{name}: n = {found.growth_exponent:.3f} ± {found.growth_exponent_error:.3f}")

# %%
figure, axes = plt.subplots(1, 5, figsize=(12, 2.8), layout="constrained")
for ax, spins, time in zip(axes, corners, pictured, strict=True):
    plots.snapshot(spins, ax)
    ax.set_title(f"$t$ = {time}")
figure.suptitle(
    f"Quench to $T$ = {t_quench:g} $J/k_\\mathrm{{B}}$: a corner of {quench_side}² agents "
    "after $t$ sweeps"
)
plt.show()

# %%
mean = jackknife(lengths, lambda part: part.mean("chain"), dims=("chain",))
mean = mean.assign_coords(method="mean-field-q")
figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.4), layout="constrained")
n = f"$n$ = {law.growth_exponent:.3f} ± {law.growth_exponent_error:.3f}"
plots.domain_growth(mean, "wall_length", left, law=law, window=window, label=f"mean-field Q, {n}")
left.plot(times, 3 * times**0.5, lw=1, ls="--", color="0.3", label="$t^{1/2}$")
ticks = [tick for tick in (4, 8, 16, 32, 64) if tick < mean.wall_length.max()]
left.set_yticks(ticks, ticks)
left.yaxis.minorticks_off()
left.legend(frameon=False, loc="upper left")
for (time, spectrum), color in zip(spectra.items(), colors(len(spectra)), strict=True):
    length = mean.wall_length.sel(time=time).item()
    plots.structure_factor(spectrum, right, length=length, label=f"$t$ = {time}", color=color)
k = np.array([8.0, 80.0])
right.plot(k, 0.1 * (k / 8) ** -3, lw=1, color="0.3", label="$(kL)^{-3}$, Porod")
right.legend(frameon=False, loc="lower left")
plt.show()

# %% [markdown]
# Left: the length of the domains. The line is a fit to the last decade, which is shaded. Its
# exponent is somewhat below 1/2, because domains are not yet much larger than the lattice spacing;
# an offset $L_0$ is the leading correction. Right: structure factors in units of the length. Later
# times fall on one curve, so domains differ only in size. Porod's law follows from their sharp
# walls.
#
# # Interactive quench
#
# With a running kernel these sliders quench agents to any temperature. The agents learn for that
# temperature, then begin at random. Above $T_\mathrm{c}$ nothing grows.


# %%
def quench(T, t):
    """Agents that learned at temperature T, t sweeps after a random start."""
    rule = irl.train(school, irl.MeanFieldQ(), T, sweeps=200, seed=5)
    spins = irl.simulate(model, rule, sweeps=t, interval=t, snapshots=1, seed=6).spins
    _, ax = plt.subplots(figsize=(4.2, 4.4), layout="constrained")
    plots.snapshot(spins.isel(temperature=0, chain=0, snapshot=0), ax)
    ax.set_title(rf"$T$ = {T:.2f} $J/k_\mathrm{{B}}$, $t$ = {t} sweeps")
    plt.show()


live = {"layout": wide, "continuous_update": False}
widgets.interactive(
    quench,
    T=widgets.FloatSlider(1.5, min=0.5, max=4.0, step=0.05, description="T (J/k_B)", **live),
    t=widgets.IntSlider(100, min=1, max=1_000, description="t (sweeps)", **live),
)
