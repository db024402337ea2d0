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
#     relaxation_side: 16
#     relaxation_sweeps: 300
#     runs: 40
#     run_sweeps: 2000
#     series_sweeps: 4000
#     sizes: [4, 6, 8]
#     relaxation_times: 50
#     short_sweeps: 100
# ---

# %% [markdown]
# # Monte Carlo, done carefully
#
# A Monte Carlo result is a number and an error bar. The number is easy. This page is about the
# error bar: thermalization, autocorrelation, a test of error bars, the critical point, and runs
# that are too short.

# %% tags=["parameters"]
side = 64  # L, of most lattices here
relaxation_side = 32  # L, for the relaxation
relaxation_sweeps = 40_000
series_sweeps = 50_000  # of the series for autocorrelations
runs = 400  # independent ones, each with its own error bar
run_sweeps = 4_000  # of each of these runs
sizes = [8, 12, 16, 24, 32, 48]  # L, for the dependence on size
relaxation_times = 200  # length of their chains, in L² sweeps
short_sweeps = 2_000  # of a run that is too short

# %%
import warnings

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import isingrl as irl
from analysis import ShortRunWarning, errors, exact, plots, power_law, thermodynamics
from analysis.plots.styles import colors

plt.rc("figure", dpi=130)
T_c = exact.CRITICAL_TEMPERATURE
model = irl.Ising(irl.Lattice((side, side)))
print(f"T_c = 2/ln(1 + √2) = {T_c:.6f} J/k_B")


def square(L):
    """Ising model on L × L sites."""
    return irl.Ising(irl.Lattice((L, L)))


# %% [markdown]
# ## Two rules
#
# A rule gives the probability of turning a spin if this costs an energy $\Delta E$. Metropolis
# takes $\min(1, e^{-\Delta E/T})$, the heat bath $1/(1 + e^{\Delta E/T})$. For both, the ratio of
# the probabilities of a turn and its reverse is $e^{-\Delta E/T}$. This is detailed balance, so
# both sample the Gibbs distribution. A rule of this package is a table by the spin itself and the
# number of its up neighbours. The figure shows the entries.

# %%
cost = np.linspace(-9, 9, 400)
figure, ax = plt.subplots(figsize=(6.5, 3.8), layout="constrained")
laws = (np.minimum(1, np.exp(-cost / T_c)), 1 / (1 + np.exp(cost / T_c)))
for rule, law in zip((irl.Metropolis(), irl.HeatBath()), laws, strict=True):
    up = rule.table(model, np.array([T_c]))[0]
    turn = np.concatenate([up[0], 1 - up[1]])  # a spin that is down, and one that is up
    change = 2 * np.concatenate([-model.local_fields(), model.local_fields()])
    style = plots.method_style(rule.name)
    ax.plot(change, turn, ls="none", label=plots.method_label(rule.name), **style)
    ax.plot(cost, law, lw=1, color=style["color"])
ax.set(xlabel=r"cost of turning the spin $\Delta E$ ($J$)", ylabel="probability of turning it")
ax.set_title(r"$T = T_\mathrm{c}$", fontsize=10)
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Thermalization
#
# A chain forgets its start, but at $T_\mathrm{c}$ slowly, by powers of time. From all spins up the
# order decays as $t^{-\beta/\nu z}$; from random spins it grows as $t^{(1 - \beta/\nu)/z}$. Both
# laws end when the correlations reach the size of the lattice. Only then both starts agree. The
# vertical lines are the cuts of `errors.equilibration`: there the rest of the run holds most
# autocorrelation times. This is a rule of thumb; the agreement of two starts is better evidence.

# %%
beta_over_nu, z = 1 / 8, 2.167  # exact; Nightingale & Blöte, Phys. Rev. Lett. 76, 4548 (1996)
time = np.arange(1, relaxation_sweeps + 1)
guides = {"up": -beta_over_nu / z, "random": (1 - beta_over_nu) / z}

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for (start, power), color in zip(guides.items(), ("#0072B2", "#D55E00"), strict=True):
    chains = irl.simulate(
        square(relaxation_side), irl.HeatBath(), T_c, sweeps=relaxation_sweeps, chains=64,
        start=start, seed=1,
    ).isel(temperature=0)  # fmt: skip
    series = xr.Dataset({"order": abs(chains.magnetization), "energy": chains.energy})
    cut = errors.equilibration(series)
    for ax, name in ((left, "order"), (right, "energy")):
        mean, error = series[name].mean("chain"), series[name].std("chain", ddof=1) / np.sqrt(64)
        ax.fill_between(time, mean - error, mean + error, color=color, alpha=0.4, lw=0)
        ax.plot(time, mean, lw=1, color=color, label=f"start: {start}")
        ax.axvline(max(1, cut[name].item()), color=color, lw=1, ls=":")
    print(f"{start}: leave out {cut.order.item()} sweeps for |m|, {cut.energy.item()} for e")
    early = time[: relaxation_side**2 // 8]
    law = series.order.mean("chain")[9].item() * (early / 10) ** power
    left.plot(early, law, lw=1, ls="--", color="0.3", label=f"$t^{{{power:.3f}}}$")
known = exact.torus((relaxation_side,) * 2, T_c).energy.item()
right.axhline(known, color="0.3", lw=1, ls="--", label="exact (Kaufman)")
left.set(xscale="log", yscale="log", ylabel="absolute magnetization per site")
right.set(xscale="log", ylabel="energy per site ($J$)")
for ax in (left, right):
    ax.set_xlabel("time (sweeps)")
    ax.legend(frameon=False)
title = rf"Heat bath, {relaxation_side}² sites at $T_\mathrm{{c}}$, mean of 64 chains"
figure.suptitle(title, fontsize=11)
plt.show()

# %% [markdown]
# ## Autocorrelation
#
# Successive configurations are similar. An error bar must account for their correlation $\rho(t)$.
# The sum $\tau = 1 + 2\sum_{t \ge 1} \rho(t)$ is the number of draws that are worth one independent
# draw. (Much of the physics literature has half of this $\tau$.)

# %%
draws = irl.simulate(
    model, irl.Metropolis(), [2.1, 2.2, T_c, 2.4, 2.6],
    sweeps=series_sweeps, thermalization=series_sweeps // 10, chains=12, start="up", seed=2,
)  # fmt: skip
summary = thermodynamics(draws)
order = abs(draws.magnetization)

figure, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
covariance = errors.arviz_arrays().autocov(order.values, axis=-1).mean(axis=1)
for t, tau, rho, color in zip(
    draws.temperature.values, summary.autocorrelation_time.values,
    covariance / covariance[:, :1], colors(draws.sizes["temperature"]), strict=True,
):  # fmt: skip
    label = rf"$T$ = {t:.3f}, $\tau$ = {tau:.0f}"
    ax.plot(range(1, 4000), rho[1:4000], color=color, lw=1.3, label=label)
ax.set(xscale="log", ylim=(-0.03, 1.03))
ax.set(xlabel="distance in time $t$ (sweeps)", ylabel=r"autocorrelation of $|m|$, $\rho(t)$")
ax.legend(frameon=False, title=f"Metropolis, {side} × {side} sites")
plt.show()

# %% [markdown]
# Averages over blocks show the same without $\rho$. Treat the blocks as independent and compute the
# error of the mean. It grows with the length of the blocks until they are independent. If the curve
# does not level off, the run is too short for an error bar. The dashed line is the error from
# `thermodynamics`.

# %%
at_critical = draws.sel(temperature=T_c).assign(order=order.sel(temperature=T_c))
blocks = errors.binning(at_critical[["energy", "order"]])
figure, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
shown = {
    "energy": ("energy_error", "energy ($J$)", "#0072B2"),
    "order": ("abs_magnetization_error", "$|m|$", "#D55E00"),
}
for name, (reported, label, color) in shown.items():
    ax.errorbar(
        blocks.block_length, blocks[name], blocks[f"{name}_error"], fmt="o", mfc="none", ms=4,
        color=color, label=label,
    )  # fmt: skip
    ax.axhline(summary[reported].sel(temperature=T_c), color=color, lw=1, ls="--")
ax.set(xscale="log", yscale="log", xlabel="block length (sweeps)")
ax.set_ylabel("standard error of the mean")
ax.legend(frameon=False, title=rf"{side} × {side} sites at $T_\mathrm{{c}}$")
plt.show()

# %% [markdown]
# ## A test of error bars
#
# A right 95 % interval holds the true value in 95 of 100 runs. Kaufman's formula gives the true
# energy on a torus, and runs are cheap, so we can count. Each of these runs is one chain at
# $T_\mathrm{c}$. The naive error treats its draws as independent.

# %%
L = sizes[1]
known = exact.torus((L, L), T_c).energy.item()
many = irl.simulate(
    square(L), irl.Metropolis(), T_c, sweeps=run_sweeps, thermalization=1_000, chains=runs, seed=3
)
each = many.rename(chain="run").expand_dims("chain")
with warnings.catch_warnings():
    # among so many runs some estimates of tau are long by chance
    warnings.simplefilter("ignore", ShortRunWarning)
    found = thermodynamics(each).isel(temperature=0)
naive = each.energy.isel(temperature=0).std(["chain", "draw"], ddof=1) / np.sqrt(run_sweeps)
coverage = {
    label: (abs(found.energy - known) < 1.96 * error).mean().item()
    for label, error in (("naive error", naive), ("with autocorrelation", found.energy_error))
}
for label, share in coverage.items():
    width = np.sqrt(share * (1 - share) / runs)
    print(f"{label}: {share:.1%} ± {width:.1%} of {runs} intervals hold the exact energy")

# %%
first = slice(0, 60)
figure, axes = plt.subplots(1, 2, figsize=(9, 5.4), sharex=True, sharey=True, layout="constrained")
for ax, (label, share), error in zip(
    axes, coverage.items(), (naive, found.energy_error), strict=True
):
    value, half = found.energy.values[first], 1.96 * error.values[first]
    misses = abs(value - known) > half
    for chosen, color in ((~misses, "#0072B2"), (misses, "#D55E00")):
        x, y = value[chosen], np.flatnonzero(chosen)
        ax.errorbar(x, y, xerr=half[chosen], fmt=".", ms=4, lw=1, color=color)
    ax.axvline(known, color="0.3", lw=1)
    ax.set_title(f"{label}: {share:.1%} of {runs} hold it", fontsize=10)
    ax.set_xlabel("energy per site ($J$)")
axes[0].set_ylabel("run")
title = rf"95 % intervals of runs of {run_sweeps:,} sweeps, {L} × {L} sites at $T_\mathrm{{c}}$"
figure.suptitle(title, fontsize=11)
plt.show()

# %% [markdown]
# ## Critical slowing down
#
# At $T_\mathrm{c}$ the autocorrelation time of local rules grows as $L^z$. Twice the side then
# costs $2^{2+z}$ times the work for the same error, so critical points are expensive.

# %%
temperature = T_c * (np.arange(92, 121, 2) / 100)


def measured(L, rule, temperature, chains, seed):
    """Observables and autocorrelation times of L × L sites, from a run of some L² sweeps."""
    data = irl.simulate(
        irl.Ising(irl.Lattice((L, L))), rule, temperature, sweeps=relaxation_times * L**2,
        thermalization=relaxation_times * L**2 // 10, interval=max(1, L**2 // 64), chains=chains,
        start="up", seed=seed,
    )  # fmt: skip
    return thermodynamics(data).drop_attrs(deep=False).assign_coords(size=L)


joined = {"dim": "size", "coords": "different", "compat": "equals"}
scan = xr.concat([measured(L, irl.HeatBath(), temperature, 4, 4) for L in sizes], **joined)
critical = {
    rule.name: xr.concat([measured(L, rule, T_c, 32, 5) for L in sizes], **joined).squeeze()
    for rule in (irl.HeatBath(), irl.Metropolis())
}
fits = {
    name: power_law(at.autocorrelation_time, at.autocorrelation_time_error, "size")
    for name, at in critical.items()
}
for name, fit in fits.items():
    print(
        f"{plots.method_label(name)}: z = {fit.exponent:.3f} ± {fit.exponent_error:.3f}, "
        f"χ² = {fit.chi_square:.1f} for {fit.degrees_of_freedom.item()} degrees of freedom"
    )

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
for L, color in zip(sizes, colors(len(sizes)), strict=True):
    at = scan.sel(size=L)
    left.errorbar(
        temperature, at.autocorrelation_time, at.autocorrelation_time_error, fmt="o-", ms=3.5,
        lw=0.8, color=color, label=f"$L$ = {L}",
    )  # fmt: skip
plots.critical_temperature(left)
left.set(yscale="log", xlabel=plots.axis_label(scan.temperature), title="heat bath")
left.legend(frameon=False)
for name, at in critical.items():
    tau, style = at.autocorrelation_time, plots.method_style(name)
    label = plots.method_label(name)
    right.errorbar(sizes, tau, at.autocorrelation_time_error, ls="none", label=label, **style)
fit, line = fits["heat-bath"], np.array([sizes[0], sizes[-1]])
law = rf"$L^z$, $z$ = {fit.exponent:.2f} ± {fit.exponent_error:.2f}"
right.plot(line, fit.amplitude.item() * line ** fit.exponent.item(), lw=1, color="0.3", label=law)
right.set(xscale="log", yscale="log", xlabel="side $L$ (lattice spacings)")
right.set_xticks(sizes, sizes)
right.minorticks_off()
right.set_title(r"at $T_\mathrm{c}$")
right.legend(frameon=False)
for ax in (left, right):
    ax.set_ylabel(plots.axis_label(tau))
plt.show()

# %% [markdown]
# The times belong to $|m|$, the slowest quantity without a sign. The heat bath follows its power
# law from the smallest lattice on; the literature has $z$ = 2.167. Metropolis turns more spins and
# is faster by a factor. But at these sizes its line still bends: the $\chi^2$ of its fit is too
# large, so its exponent is not reliable.
#
# # Finite size is no error
#
# The runs above also give the energy and the specific heat of all these lattices. A finite lattice
# has no transition: its specific heat is rounded. Kaufman's formula gives this curve without any
# fit.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
grid = np.linspace(temperature[0], temperature[-1], 400)
pulls = []
for L, color in zip(sizes, colors(len(sizes)), strict=True):
    at = scan.sel(size=L)
    curve, known = exact.torus((L, L), grid), exact.torus((L, L), temperature)
    left.plot(grid, curve.specific_heat, lw=0.9, color=color)
    left.errorbar(
        temperature, at.specific_heat, at.specific_heat_error, fmt="o", ms=3.5, mfc="none",
        color=color, label=f"$L$ = {L}",
    )  # fmt: skip
    pulls.append((at.energy - known.energy) / at.energy_error)
    pulls.append((at.specific_heat - known.specific_heat) / at.specific_heat_error)
plots.exact_curve(exact.square_lattice(grid), "specific_heat", left)
left.legend(frameon=False, fontsize=8)
pulls = np.concatenate(pulls)
x = np.linspace(-4, 4, 200)
right.hist(pulls, np.arange(-4, 4.1, 0.5), density=True, color="#56B4E9", label="measured")
normal = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
right.plot(x, normal, color="0.3", lw=1, label="standard normal")
right.set(xlabel="(measured − exact)/error", ylabel="density")
right.set_title(f"energy and specific heat, {pulls.size} points", fontsize=10)
right.legend(frameon=False)
plt.show()
print(f"mean {pulls.mean():+.2f}, variance {pulls.var(ddof=1):.2f}, largest {abs(pulls).max():.1f}")

# %% [markdown]
# ## When chains do not agree
#
# One chain cannot show states that it never visits, but several chains can. R-hat compares the
# variance within chains with the variance between them, and should be 1. Here chains are quenched
# from random spins to $T$ = 0.8. Some order; in others two walls wind around the torus and stay.
# Each chain alone looks stationary.

# %%
quench = irl.simulate(
    model, irl.HeatBath(), 0.8, sweeps=4_000, thermalization=4_000, chains=8, snapshots=1, seed=5
)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    found = thermodynamics(quench).isel(temperature=0)
striped = abs(quench.magnetization.isel(temperature=0, draw=-1).values) < 0.9
print(f"R-hat = {found.r_hat.item():.3g}; {striped.sum()} of 8 chains have stripes.")
for each in caught:
    print(f"\n{each.category.__name__}: {each.message}")

# %%
plots.snapshots(quench.spins.isel(temperature=0, snapshot=0), "chain", columns=4)
figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
for energy, stripes in zip(quench.energy.isel(temperature=0), striped, strict=True):
    ax.plot(energy, lw=0.7, color="#D55E00" if stripes else "#0072B2")
known = exact.torus((side, side), 0.8).energy.item()
ax.axhline(known, color="0.3", lw=1, ls="--", label="exact (Kaufman)")
ax.set(xlabel="time (sweeps)", ylabel="energy per site ($J$)")
ax.set_title(rf"Eight chains at $T$ = 0.8 $J/k_\mathrm{{B}}$: R-hat = {found.r_hat:.3g}")
ax.legend(frameon=False, loc="center right")
plt.show()

# %% [markdown]
# ## When a run is too short
#
# An error bar needs some fifty autocorrelation times. With fewer even $\tau$ is only a guess, and
# mostly too low. `thermodynamics` warns, and names a sufficient length.

# %%
short = irl.simulate(model, irl.HeatBath(), T_c, sweeps=short_sweeps, chains=2, start="up", seed=6)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    found = thermodynamics(short).isel(temperature=0)
for each in caught:
    print(f"{each.category.__name__}: {each.message}")
