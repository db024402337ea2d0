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
#     sweeps: 400
#     n_temperatures: 4
# ---

# %% [markdown]
# # What an agent sees is the theory it plays
#
# Three kinds of agents are paid by the same energy and see different things. This page runs them
# on three models that show what each kind is: with three actions in place of two, with bonds of
# unequal strength, and on a glass.

# %% tags=["parameters"]
side = 64  # L, of a lattice of L × L agents
sweeps = 4_000  # measured
n_temperatures = 17

# %%
import matplotlib.pyplot as plt
import numpy as np

import isingrl as irl
from analysis import exact, plots, thermodynamics

plt.rc("figure", dpi=130)
square = irl.Lattice((side, side))
run = {"sweeps": sweeps, "thermalization": sweeps // 4, "interval": 5}


def order(model, rule, temperature, name, **options):
    """Mean order parameter at each temperature."""
    data = irl.simulate(model, rule, temperature, **run | options)
    return abs(data[name]).mean(["chain", "draw"])


# %% [markdown]
# ## Three actions
#
# On a Potts model with three states agents have three actions, and the mean action is a vector: how
# many neighbours are in each state. The energy depends on nothing else. So mean-field Q is the heat
# bath of the Potts model, which orders at $T_c = 1/\ln(1 + \sqrt 3)$, without a jump.

# %%
potts = irl.Potts(square, states=3)
T = np.linspace(0.8, 1.2, n_temperatures)  # in J/k_B
policy = irl.train(potts, irl.MeanFieldQ(), T, sweeps=200, seed=1)
policy.q_values.isel(temperature=0).to_pandas().head(4)

# %% [markdown]
# Independent Q sees nothing, and learns the mean of its neighbours' actions. It is Weiss's theory,
# in which the order jumps: between its two spinodals order and disorder both last. Agents that are
# warmed up stay ordered, agents that are cooled stay disordered.

# %%
blind = irl.IndependentQ(learning_rate=1 / (20 * side**2), falling_rate=False)
near = np.linspace(1.28, 1.50, n_temperatures)
branches, long = {}, {"start": "ordered", "thermalization": sweeps}
for name, first in (("warmed", 0.8), ("cooled", 2.0)):
    approach = np.linspace(first * np.ones_like(near), near, 1000, axis=1)  # τ of every sweep
    learned = irl.train(
        potts, blind, near, sweeps=1000, annealing=approach, start="ordered", seed=1
    )
    branches[name] = order(potts, irl.Learning(learned), near, "order_parameter", **long)

# %%
weiss = exact.weiss(potts, np.linspace(1.28, 1.50, 400))
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained", sharey=True)
for rule, marker in ((irl.HeatBath(), "x"), (policy, "o")):
    found = order(potts, rule, T, "order_parameter", start="ordered", seed=2)
    axes[0].plot(T, found, marker, mfc="none", label=plots.method_label(rule.name))
axes[0].axvline(exact.potts_square(3).temperature.item(), color="0.6", ls=":", label="exact $T_c$")
for name, marker in (("warmed", "o"), ("cooled", "s")):
    axes[1].plot(near, branches[name], marker, mfc="none", label=f"independent Q, {name}")
for name in ("ordered", "disordered"):
    axes[1].plot(weiss.temperature, weiss[f"order_parameter_{name}"], color="0.4", lw=0.9)
axes[0].set(xlabel=r"temperature ($J/k_\mathrm{B}$)", ylabel="order parameter")
axes[1].set(xlabel=r"temperature ($J/k_\mathrm{B}$)", title="lines: Weiss, both phases")
for ax in axes:
    ax.legend(frameon=False, fontsize=8)
plt.show()

# %% [markdown]
# ## Unequal bonds
#
# Let bonds along one direction be nine times as strong as those along the other. The number of up
# neighbours no longer says what a flip gains. Agents that count take the mean, and stay ordered up
# to $T = 2.269 \bar J$; agents that see each neighbour find the true transition, at 1.685.

# %%
chains = irl.Ising(square, coupling=[1.8, 0.2])
T = np.linspace(1.2, 2.6, n_temperatures)
counting = irl.MeanFieldQ(learning_rate=1e-6)  # its rewards have noise: take their mean
kinds = {"mean-field Q": counting, "neighborhood Q": irl.NeighborhoodQ()}
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for (label, agent), marker in zip(kinds.items(), "os", strict=True):
    policy = irl.train(chains, agent, T, sweeps=1000, annealing=0, start="up", seed=1)
    found = order(chains, policy, T, "magnetization", start="up", seed=2)
    ax.plot(T, found, marker, mfc="none", label=label)
fine = np.linspace(1.2, 2.6, 500)
ax.plot(fine, exact.square_lattice(fine).abs_magnetization, lw=0.9, label="exact, mean coupling")
true = exact.square_lattice(fine, coupling=(1.8, 0.2))
ax.plot(fine, true.abs_magnetization, lw=0.9, ls="--", label="exact, true couplings")
ax.set(xlabel=r"temperature ($\bar J/k_\mathrm{B}$)", ylabel=r"$\langle|m|\rangle$")
ax.legend(frameon=False, fontsize=8)
plt.show()

# %% [markdown]
# ## A glass
#
# Bonds of +J and −J at random, half and half. Their mean is 0. Agents that share one table see no
# glass at all: their energy stays near 0. Agents with a table each learn their own bonds, and reach
# the energies of tempering, as far as single agents can.

# %%
glass = irl.Ising(square, irl.random_bonds(square, (1.0, -1.0), seed=1))
T = np.linspace(0.5, 2.0, n_temperatures)
rules = {"tempering": irl.Tempering(irl.Metropolis(), every=2)}
for label, agent in (
    ("mean-field Q, one table", counting),
    ("neighborhood Q, a table a site", irl.NeighborhoodQ(shared=False)),
):
    rules[label] = irl.train(glass, agent, T, sweeps=1000, seed=1)
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for (label, rule), marker in zip(rules.items(), "x^o", strict=True):
    found = thermodynamics(irl.simulate(glass, rule, T, **run, chains=2, seed=2))
    ax.errorbar(
        T, found.energy, found.energy_error, ls="none", marker=marker, mfc="none", label=label
    )
ax.set(xlabel=r"temperature ($J/k_\mathrm{B}$)", ylabel=r"energy per site ($J$)")
ax.legend(frameon=False, fontsize=8)
plt.show()
