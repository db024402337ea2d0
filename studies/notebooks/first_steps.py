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
#     side: 16
#     n_temperatures: 9
#     sweeps: 2000
#     thermalization: 200
# ---

# %% [markdown]
# # First steps
#
# Five lines lead to a magnetization curve. The rest of this page explains the result of these
# lines: the data, their error bars, and exact results. Then it repeats the run with agents that
# learn, and saves everything in files.

# %% tags=["parameters"]
side = 64  # L, of a square lattice of L × L sites
n_temperatures = 33
sweeps = 100_000  # measured, in every chain
thermalization = 5_000  # sweeps before the measurement

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import isingrl as irl
from analysis import exact, plots, thermodynamics

plt.rc("figure", dpi=130)
temperature = np.linspace(1.5, 3.1, n_temperatures)  # in J/k_B
run = {"sweeps": sweeps, "thermalization": thermalization, "interval": 5, "chains": 2}

# %% [markdown]
# ## Five lines to a curve

# %%
model = irl.Ising(irl.Lattice((side, side)))
data = irl.simulate(model, irl.Metropolis(), temperature, **run, start="up", snapshots=1, seed=1)
summary = thermodynamics(data)
ax = plots.observable(summary, "abs_magnetization")
plots.exact_curve(exact.square_lattice(np.linspace(1.5, 3.1, 400)), "abs_magnetization", ax)
ax.legend(frameon=False)
plt.show()

# %%
updates = side**2 * temperature.size * run["chains"] * (sweeps + thermalization)
print(f"{updates:.3g} spin updates went into this figure.")

# %% [markdown]
# ## The data
#
# `simulate` returns an xarray Dataset. The energy and the magnetization per site have the dims
# temperature, chain and draw; `chain` and `draw` are ArviZ's names. Coordinates have units, and
# hold the parameters of the run, such as model, rule and schedule. The attributes hold everything
# else for a repetition, such as seed and versions.

# %%
data

# %% [markdown]
# Select a series by its coordinates. Far from the transition the magnetization forgets its past
# within a few sweeps; close to it the two chains wander.

# %%
figure, axes = plt.subplots(2, 1, sharex=True, sharey=True, figsize=(7, 4.4), layout="constrained")
for ax, t in zip(axes, (1.9, 2.3), strict=True):
    chosen = data.magnetization.sel(temperature=t, method="nearest").isel(draw=slice(0, 2_000))
    for chain, color in zip(chosen, ("#0072B2", "#56B4E9"), strict=True):
        ax.plot(chain.draw, chain, lw=0.7, color=color, label=f"chain {chain.chain.item()}")
    ax.set_title(rf"$T$ = {chosen.temperature.item():.2f} $J/k_\mathrm{{B}}$", fontsize=10)
    ax.axhline(0, lw=0.8, color="0.7", zorder=0)
axes[0].set(ylim=(-1.05, 1.05))
axes[0].legend(frameon=False, loc="lower right", ncols=2)
axes[1].set(xlabel="time (sweeps)")
figure.supylabel(plots.axis_label(data.magnetization), fontsize=10)
plt.show()

# %% [markdown]
# The argument `snapshots` keeps configurations. These are the last ones of the first chain.

# %%
shown = data.spins.isel(chain=0, snapshot=-1).sel(temperature=[1.9, 2.3, 2.7], method="nearest")
plots.snapshots(shown, columns=3)
plt.show()

# %% [markdown]
# ## Error bars
#
# `thermodynamics` turns series into observables, each with a standard error. Successive draws are
# correlated, so the error is larger by a factor $\sqrt{\tau}$ than for independent draws; $\tau$ is
# the autocorrelation time in draws. Near the transition this factor dominates.

# %%
names = ["energy", "energy_error", "abs_magnetization", "abs_magnetization_error"]
table = summary[[*names, "autocorrelation_time"]]
table["naive_error"] = data.energy.std(["chain", "draw"]) / np.sqrt(2 * data.sizes["draw"])
near = table.sel(temperature=slice(2.0, 2.6)).drop_vars("method").to_dataframe()
near.round(5)

# %% [markdown]
# ## Exact results
#
# Exact results are Datasets with the same names, so a comparison is a subtraction. Kaufman's energy
# and specific heat hold for this finite lattice, Onsager's and Yang's results for the infinite one.

# %%
grid = np.linspace(temperature[0], temperature[-1], 400)
figure, axes = plt.subplots(2, 2, sharex=True, figsize=(9, 6.2), layout="constrained")
for ax, name in zip(
    axes.flat, ("abs_magnetization", "energy", "susceptibility", "specific_heat"), strict=True
):
    for known in (exact.square_lattice(grid), exact.torus((side, side), grid)):
        if name in known:
            plots.exact_curve(known, name, ax)
    plots.observable(summary, name, ax)
    plots.critical_temperature(ax)
for ax in axes[0]:
    ax.set_xlabel("")
figure.legend(
    *axes[0, 1].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False
)
plt.show()

# %% [markdown]
# If the error bars are right, the deviations divided by them are standard normal numbers.

# %%
known = exact.torus((side, side), temperature)
figure, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
for half_width, shade in ((2, "0.93"), (1, "0.86")):
    ax.axhspan(-half_width, half_width, color=shade, lw=0)
for name, marker, color in (("energy", "o", "#0072B2"), ("specific_heat", "s", "#E69F00")):
    pull = (summary[name] - known[name]) / summary[f"{name}_error"]
    label = f"{name.replace('_', ' ')}: χ² = {(pull**2).sum().item():.1f} of {pull.size}"
    ax.plot(temperature, pull, ls="none", marker=marker, mfc="none", color=color, label=label)
ax.set(xlabel=plots.axis_label(summary.temperature), ylabel="(measured − exact)/error")
ax.set_ylim(-4, 5)
ax.legend(frameon=False, ncols=2, loc="upper center")
plt.show()

# %% [markdown]
# ## The same with agents
#
# With three more lines the spins are agents. Each sees the mean action of its neighbours; its
# reward is the energy that its choice saves; it chooses by a softmax of the learned values. The
# learned policy is a rule like any other, and `simulate` runs it. The upper axis is the softmax
# temperature, which with this reward is the temperature itself.

# %%
policy = irl.train(model, irl.MeanFieldQ(reward="energy"), temperature, seed=2)
learned = thermodynamics(irl.simulate(model, policy, **run, start="up", seed=3))
both = xr.concat([summary.drop_vars("softmax_temperature", errors="ignore"), learned], "method")

# %%
figure, ax = plt.subplots(figsize=(7, 4.6), layout="constrained")
plots.exact_curve(exact.square_lattice(grid), "abs_magnetization", ax)
plots.observable(both, "abs_magnetization", ax)
plots.critical_temperature(ax)
plots.softmax_axis(ax, learned)
ax.legend(frameon=False)
plt.show()

# %%
error = np.hypot(summary.abs_magnetization_error, learned.abs_magnetization_error)
pull = (learned.abs_magnetization - summary.abs_magnetization) / error
print(f"agents and Metropolis: χ² = {(pull**2).sum().item():.1f} for {pull.size} temperatures")

# %% [markdown]
# ## Files
#
# Save Datasets as netCDF files and policies as folders. With `out` a run keeps checkpoints. A
# killed run continues from its checkpoint. A finished run can be extended to more sweeps, and gives
# the same numbers as one long run.

# %%
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    summary.to_netcdf(folder / "summary.nc", engine="h5netcdf")
    policy.save(folder / "policy")
    with xr.open_dataset(folder / "summary.nc", engine="h5netcdf") as again:
        print("the summary is the same:", again.identical(summary))
    q_values = irl.Policy.load(folder / "policy").q_values
    print("the policy is the same:", q_values.identical(policy.q_values))

    short = {"temperature": temperature[0], "seed": 4, "out": folder / "run"}
    first = irl.simulate(model, policy, sweeps=500, **short)
    longer = irl.simulate(model, policy, sweeps=1_000, **short).isel(draw=slice(0, 500))
    print("the longer run begins with the shorter:", longer.equals(first))
    print("files:", *sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*")))
