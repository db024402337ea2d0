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
#     sizes: [4, 6, 8, 12]
#     relaxation_times: 100
#     learning_sweeps: 100
# ---

# %% [markdown]
# # The critical point, measured by agents
#
# Agents that learned to save energy order below some temperature. Is this the critical temperature
# of the Ising model, and does the transition belong to the same class? The critical temperature is
# not an input. Assumed exponents choose temperatures and correct for small sizes; the text names
# each of them. Everything else comes from a comparison of several sizes, because the size of the
# lattice is the only length at the critical point.

# %% tags=["parameters"]
sizes = [12, 16, 24, 32, 48]  # L, at least four square lattices
relaxation_times = 500  # length of each of 4 chains, in units of L^2.17 sweeps
learning_sweeps = 200

# %%
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import isingrl as irl
from analysis import plots, scaling
from analysis.literature import critical_exponents, critical_temperature

plt.rc("figure", dpi=130)

# %% [markdown]
# ## Where to look
#
# The Binder cumulant $U = 1 - \langle m^4\rangle / 3\langle m^2\rangle^2$ is 2/3 in the ordered
# phase and falls to 0 in the disordered one, the more steeply the larger the lattice. At the
# critical point it does not depend on the size. So a coarse scan of two small lattices, over all
# temperatures below Weiss's $T = zJ$, shows where to measure.


# %%
def simulated(L, temperature, sweeps, interval, seed):
    """Agents that learn on L × L sites and are then measured, with their tables frozen."""
    model = irl.Ising(irl.Lattice((L, L)))
    policy = irl.train(model, irl.MeanFieldQ(), temperature, sweeps=learning_sweeps, seed=seed)
    return irl.simulate(
        model, policy, sweeps=sweeps, thermalization=sweeps // 10, interval=interval, chains=4,
        start="up", seed=seed + 1,
    )  # fmt: skip


def side_by_side(runs):
    """Runs of several sizes, each at temperatures of its own, along ``size``."""
    return xr.concat(
        [
            data.rename_dims(temperature="point")
            .reset_index("temperature")
            .reset_coords("temperature")
            .drop_vars("softmax_temperature")
            .assign_coords(size=L, draw=range(data.sizes["draw"]), interval=data.draw.interval)
            for L, data in runs.items()
        ],
        "size",
        coords="different",
        compat="equals",
        combine_attrs="drop_conflicts",
    ).set_coords("temperature")


wide = np.linspace(1.4, 3.8, 25)
rough = side_by_side({L: simulated(L, wide, 4_000, 4, seed=L) for L in (8, 16)})
first = scaling.binder_crossings(rough)
T_0, error = first.crossing_temperature.item(), first.crossing_temperature_error.item()
print(f"U of L = 8 and 16 cross at T = {T_0:.3f} ± {error:.3f} J/k_B")

# %%
figure, ax = plt.subplots(figsize=(6.5, 4.2), layout="constrained")
plots.sizes(scaling.observables(rough), "binder_cumulant", ax)
ax.axvline(T_0, color="0.55", lw=0.9, ls="--", label="crossing")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# ## The runs
#
# Every size has sixteen temperatures in a window proportional to $1/L$ (this takes a rough $\nu$ =
# 1). The length of its chains is a multiple of the relaxation time, about $L^{2.17}$ sweeps. Agents
# of every size learn anew.

# %%
runs = {}
for L in sizes:
    temperature = T_0 * np.exp(np.linspace(-0.9, 1.6, 16) / L)
    interval = max(1, round(L**2.17 / 4))
    runs[L] = simulated(L, temperature, 4 * relaxation_times * interval, interval, seed=100 + L)
    updates = 64 * L**2 * 4 * relaxation_times * interval
    print(
        f"L = {L}: {4 * relaxation_times * interval:9,} sweeps, {updates:.1e} looks at neighbours"
    )
data = side_by_side(runs)
observed = scaling.observables(data)

# %%
figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
names = ("binder_cumulant", "abs_magnetization", "susceptibility")
for ax, name in zip(axes, names, strict=True):
    plots.sizes(observed, name, ax)
axes[0].legend(frameon=False)
plt.show()

# %% [markdown]
# ## Crossings
#
# The cumulants of successive sizes cross near $T_\mathrm{c}$. With the size, the temperature of the
# crossing tends to $T_\mathrm{c}$ as $L^{-1/\nu - \omega}$, and the cumulant at the crossing tends
# as $L^{-\omega}$ to a number that is the same for all systems of the class. The two lines assume
# $\nu$ = 1 and $\omega$ = 7/4; the collapse below assumes no $\nu$.

# %%
T_c, U_c = critical_temperature(2, "von_neumann"), 0.61069  # Kamieniarz & Blöte (1993)
crossings = scaling.binder_crossings(data)
limits = {}
figure, axes = plt.subplots(1, 2, figsize=(9.5, 4), layout="constrained")
for ax, (name, known, power, symbol) in zip(
    axes,
    (
        ("crossing_temperature", T_c, 2.75, r"$T_\mathrm{c}$"),
        ("crossing_cumulant", U_c, 1.75, "$U$"),
    ),
    strict=True,
):
    values, error = crossings[name], crossings[f"{name}_error"]
    limit = limits[name] = scaling.extrapolate(values, error, power)
    plots.extrapolation(values, error, limit, power, ax, color="#D55E00", label="mean-field Q")
    ax.axhline(known, color="0.55", lw=0.9, ls=":", label=f"known: {known:.5f}")
    ax.set_title(f"{symbol} = {limit.limit.item():.4f} ± {limit.limit_error.item():.4f}")
    ax.margins(y=0.3)  # for the legend
    ax.legend(frameon=False, loc="upper right")
plt.show()

# %% [markdown]
# ## Collapse
#
# If the size is the only length, then $U$, $|m|\,L^{\beta/\nu}$ and $\chi L^{-\gamma/\nu}$ depend
# on $x = \ln(T/T_\mathrm{c})\,L^{1/\nu}$ alone. One fit finds the best $T_\mathrm{c}$ and the three
# best exponents. Errors come from a jackknife of the draws through the whole fit.

# %%
fit = scaling.collapse(data, correction=1.75)
figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
for ax, name in zip(axes, names, strict=True):
    plots.collapse(observed, fit, name, ax)
axes[0].legend(frameon=False)
plt.show()
print(f"χ² = {fit.chi_square:.0f} for {fit.degrees_of_freedom.item()} degrees of freedom")

# %% [markdown]
# ## The result
#
# The exact values are Onsager's and Yang's.

# %%
exact_values = {"critical_temperature": T_c, **critical_exponents(2)}
rows = [
    (r"$T_\mathrm{c}$, collapse", fit, "critical_temperature", T_c),
    (r"$T_\mathrm{c}$, crossings", limits["crossing_temperature"], "limit", T_c),
    (r"$U$ at $T_\mathrm{c}$", limits["crossing_cumulant"], "limit", U_c),
    (r"$\nu$", fit, "nu", exact_values["nu"]),
    (r"$\beta/\nu$", fit, "beta_over_nu", exact_values["beta_over_nu"]),
    (r"$\gamma/\nu$", fit, "gamma_over_nu", exact_values["gamma_over_nu"]),
]
style = plots.method_style("mean-field-q")
columns = {1.03: "measured", 1.38: "known", 1.58: "difference\nin errors"}
figure, ax = plt.subplots(figsize=(8.5, 3.8), layout="constrained")
ax.axvline(0, color="0.55", lw=0.9, ls=":")
for x, text in columns.items():
    ax.annotate(text, (x, 1.02), xycoords="axes fraction", va="bottom", fontsize=9)
for k, (_, found, name, known) in enumerate(rows):
    value, error = found[name].item(), found[f"{name}_error"].item()
    ax.errorbar(100 * (value / known - 1), -k, xerr=100 * error / known, ls="none", **style)
    texts = (f"{value:.4f} ± {error:.4f}", f"{known:.5g}", f"{(value - known) / error:+.1f}")
    for x, text in zip(columns, texts, strict=True):
        ax.annotate(text, (x, -k), xycoords=("axes fraction", "data"), va="center", fontsize=9)
ax.set_yticks([-k for k in range(len(rows))], [row[0] for row in rows])
ax.set(xlabel="measured over known − 1 (%)", ylim=(0.5 - len(rows), 0.5))
plt.show()

# %% [markdown]
# The agents have the critical point of the Ising model and the exponents of its class. These errors
# are statistical: they contain the noise of the draws, but not the systematic errors of small
# lattices. The study `critical-point`, with chains four times as long and three lattices, shows
# when these begin to matter.
