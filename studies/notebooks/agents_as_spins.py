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
#     learning_sweeps: 100
#     sweeps: 4000
#     configurations: 100
#     n_temperatures: 4
# ---

# %% [markdown]
# # Agents as spins
#
# Put an agent on every site of a lattice and let it learn, by trial and error, which of two actions
# pays. This page shows why such agents are spins. Some are exactly the Ising model, at a known
# temperature; some are its mean-field theory; some are neither.

# %% tags=["parameters"]
side = 64  # L, of a lattice of L × L agents
learning_sweeps = 400  # in which each agent learns
sweeps = 4_000  # measured
configurations = 200  # kept of each chain
n_temperatures = 23

# %%
import warnings

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import isingrl as irl
from analysis import (
    detailed_balance_violation,
    effective_temperature,
    errors,
    exact,
    log_odds,
    plots,
    thermodynamics,
)
from analysis.plots.styles import colors
from isingrl.agents.rewards import REWARDS

warnings.simplefilter("ignore", irl.TemperatureMapWarning)  # some agents below have no map
plt.rc("figure", dpi=130)
T_c = exact.CRITICAL_TEMPERATURE
model = irl.Ising(irl.Lattice((side, side)))

# %% [markdown]
# ## Why softmax is Boltzmann
#
# An agent sees that $n$ of its $z$ neighbours are up, and chooses the action $a = \pm 1$. Its
# reward is the energy that the choice saves, $r = a\,(J S + h)$ with $S = 2n - z$. Each reward
# moves the value of the action a little towards it, $Q \leftarrow Q + \alpha\,(r - Q)$. The reward
# depends only on $n$ and $a$, so the values converge without noise:
#
# $$Q(n, a) \to a\,(J S + h).$$
#
# It acts by softmax, $P(a) \propto e^{Q(n, a)/\tau}$. Hence
#
# $$\ln \frac{P(\uparrow)}{P(\downarrow)} = \frac{Q(n, \uparrow) - Q(n, \downarrow)}{\tau}
#   = \frac{2\,(J S + h)}{\tau},$$
#
# which is the heat bath at the temperature $T = \tau$. Agents that act one sublattice after the
# other therefore sample the Gibbs distribution. The mean action of the neighbours, $2n/z - 1$,
# determines the local field, so "mean-field" Q neglects nothing here.
#
# The first figure shows the values. Here 16 × 16 agents have a table each and the learning rate
# $\alpha$ = 0.1, as in Yang et al. (2018). Lines are means over the agents, bands hold two thirds
# of them, and dashed lines are $a\,(J S + h)$.

# %%
own = irl.MeanFieldQ(shared=False, falling_rate=False, learning_rate=0.1)
learning = irl.train(
    irl.Ising(irl.Lattice((16, 16))), own, 3.0, sweeps=5 * learning_sweeps, annealing=0.0,
    snapshots=5 * learning_sweeps, seed=1,
).history.q.isel(temperature=0)  # fmt: skip
figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for ax, action in zip(axes, ("down", "up"), strict=True):
    for n, color in zip(learning.n_up.values, colors(learning.sizes["n_up"]), strict=True):
        q = learning.sel(n_up=n, action=action)
        low, high = q.quantile([1 / 6, 5 / 6], "site").values
        ax.fill_between(q.snapshot, low, high, color=color, alpha=0.25, lw=0)
        ax.plot(q.snapshot, q.mean("site"), color=color, label=f"$n$ = {n:g}")
        ax.axhline((2 * n - 4) * (1 if action == "up" else -1), color=color, lw=0.8, ls="--")
    ax.set(xscale="log", xlabel="time (sweeps)", title=f"action: spin {action}")
axes[0].set_ylabel("action value $Q(n, a)$ ($J$)")
handles = axes[0].get_legend_handles_labels()
figure.legend(*handles, frameon=False, loc="outside right upper", title="up neighbours")
plt.show()

# %% [markdown]
# Values converge to the dashed lines. Values of rare actions converge later, because agents do not
# learn actions that they do not try. The agents below share one table, and their first update has
# the learning rate 1. So they converge within a few sweeps.
#
# The log-odds of their policies lie on straight lines $2 J S/T$ at all temperatures.

# %%
policy = irl.train(model, irl.MeanFieldQ(), [2.0, 2.8, 3.4, 4.2], sweeps=learning_sweeps, seed=1)
figure, ax = plt.subplots(figsize=(6, 4.2), layout="constrained")
plots.log_odds(log_odds(policy), ax)
ax.legend(frameon=False)
plt.show()
fitted = effective_temperature(policy)
for t, found in zip(policy.temperature, fitted.effective_temperature.values, strict=True):
    print(f"T = {t:.6f}: slope of the log-odds stands for T = {found:.6f}")

# %% [markdown]
# Now compare these policies with the configurations. In equilibrium the share of up spins among
# sites with $n$ up neighbours is a conditional probability of the Gibbs distribution. So its
# log-odds are again $2 J S/T$. We count them in configurations and use nothing of the agents.

# %%
temperature = policy.temperature[1:]
run = {
    "sweeps": sweeps, "thermalization": sweeps // 4, "interval": 2, "chains": 4, "start": "up",
    "snapshots": configurations,
}  # fmt: skip


def counted_log_odds(spins):
    """Log-odds of spin up among sites with n up neighbours, with jackknife errors."""
    up = spins.values > 0
    n_up = sum(np.roll(up, step, axis) for axis in (-2, -1) for step in (1, -1)).astype(int)
    dims = ("temperature", "chain", "snapshot", "n_up")
    counts = xr.Dataset(
        {
            name: (dims, np.stack([((n_up == n) & chosen).sum((-2, -1)) for n in range(5)], -1))
            for name, chosen in (("ups", up), ("downs", ~up))
        },
        {"temperature": spins.temperature, "n_up": np.arange(5)},
    )
    samples = ("chain", "snapshot")
    return errors.jackknife(
        counts,
        lambda part: np.log(part.ups.sum(samples) / part.downs.sum(samples)).rename("log_odds"),
        dims=samples,
    )


figure, ax = plt.subplots(figsize=(6, 4.2), layout="constrained")
field = xr.DataArray(2 * model.local_fields(), dims="n_up")  # 2JS
for rule in (irl.Metropolis(), policy):
    data = irl.simulate(model, rule, temperature, **run, seed=2)
    found, style = counted_log_odds(data.spins), plots.method_style(rule.name)
    pull = (found.log_odds - field / found.temperature) / found.log_odds_error
    label = f"{plots.method_label(rule.name)}: χ² = {(pull**2).sum().item():.1f} of {pull.size}"
    for each in found.log_odds.temperature.values:
        at = found.sel(temperature=each)
        ax.errorbar(field, at.log_odds, at.log_odds_error, ls="none", label=label, **style)
        ax.plot(field, field / each, lw=0.9, color="0.4", zorder=1)
        label = None
ax.set(xlabel="twice the local field, $2JS$ ($J$)", ylabel="log-odds of spin up, counted")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Agents are the heat bath
#
# The same table makes the same decisions from the same random numbers. So with one seed agents and
# the heat bath give the same bits.

# %%
table, bath = (rule.table(model, temperature) for rule in (policy, irl.HeatBath()))
print(f"largest difference of the two tables: {abs(table - bath).max():.1e}")
pair = [
    irl.simulate(model, rule, temperature, sweeps=sweeps, chains=4, start="up", seed=3)
    for rule in (policy, irl.HeatBath())
]
print("all energies equal:", np.array_equal(pair[0].energy, pair[1].energy))
print("all magnetizations equal:", np.array_equal(pair[0].magnetization, pair[1].magnetization))

# %% [markdown]
# ## One number between τ and T
#
# If a reward is a multiple of the energy, then $T$ is a multiple of $\tau$. `half` is the reward of
# Yang et al. (2018), `chapter-1d` and `chapter-2d` are the rewards of Zai & Brown (*Deep
# Reinforcement Learning in Action*, 2020, chapter 9). The last one is not linear in $S$, so it has
# no such number; the printed ratio holds only for small $S$.

# %%
moore = irl.Ising(irl.Lattice((32, 32), "moore"))
ring = irl.Ising(irl.Lattice((256,)))
cases = {  # lattice, scale of the temperatures, style
    "energy": (model, T_c, "#0072B2", "o"),
    "half": (model, T_c, "#009E73", "s"),
    "mean": (model, T_c, "#CC79A7", "^"),
    "chapter-1d": (ring, 1.0, "#E69F00", "v"),
    "chapter-2d": (moore, 5.26, "#D55E00", "D"),
}
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
for name, (where, scale, color, marker) in cases.items():
    reward = REWARDS[name]
    ratio = reward.temperature_ratio(where)
    agents = irl.train(
        where, irl.MeanFieldQ(reward=name), scale * np.linspace(0.7, 1.8, 7),
        sweeps=learning_sweeps, seed=4,
    )  # fmt: skip
    found, marks = effective_temperature(agents), {"ls": "none", "marker": marker, "mfc": "none"}
    tau = found.temperature / ratio
    left.plot(tau, found.effective_temperature, color=color, label=name, **marks)
    left.plot(tau, ratio * tau, lw=0.9, color=color, ls="-" if reward.exact else ":")
    worst = abs(found.effective_temperature / found.temperature - 1).max().item()
    print(f"{name:10}  T/τ = {ratio:<5.4g}  off by {worst:.0e} at most   r = {reward.formula}")
    if not reward.exact:
        odds, fine = log_odds(agents).isel(temperature=3), np.linspace(-8, 8, 200)
        ends = tau[3].item() * odds.log_odds
        right.plot(2 * odds.n_up - 8, ends, color=color, label="learned", **marks)
        law = r"$2\,\tanh(5S/16)$"
        right.plot(fine, 2 * np.tanh(5 * fine / 16), lw=1, color="0.3", label=law)
        law = rf"Ising, $T$ = {ratio:g} $\tau$"
        right.plot(fine, 2 * fine / ratio, lw=1, ls=":", color="0.3", label=law)
left.set(xlim=(0, None), ylim=(0, None), xlabel=r"softmax temperature $\tau$ (units of the reward)")
left.set_ylabel(r"temperature from the log-odds ($J/k_\mathrm{B}$)")
left.legend(frameon=False)
right.set(xlabel="sum of the neighbour spins $S$", ylim=(-2.6, 2.6))
right.set_ylabel(r"log-odds times $\tau$ (units of the reward)")
right.set_title("chapter-2d, eight neighbours", fontsize=10)
right.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Agents that see nothing: Weiss's theory
#
# An independent Q-learner does not see its neighbours. It learns the mean reward of an action,
# $Q(\uparrow) - Q(\downarrow) = 2 J z \langle s \rangle$, so $m = \tanh(z J m/\tau)$: Weiss's
# theory of 1907, with its transition at $T = zJ$. So the *independent* algorithm is the mean-field
# approximation, and the algorithm called *mean-field* is exact. The values of independent agents
# depend on the actions of the others, so these agents learn while they are measured.

# %%
temperature = np.linspace(1.6, 4.6, n_temperatures)
seeing = irl.train(model, irl.MeanFieldQ(), temperature, sweeps=learning_sweeps, seed=5)
rate = 1 / (2 * model.lattice.n_sites)  # action values remember two sweeps
blind = irl.IndependentQ(learning_rate=rate)
length = {"sweeps": sweeps, "thermalization": sweeps // 4, "chains": 4, "start": "up"}
runs = [
    irl.simulate(model, seeing, **length, seed=6),
    irl.simulate(model, irl.Learning(blind), temperature, **length, seed=7),
]
both = xr.concat([thermodynamics(data) for data in runs], "method", combine_attrs="drop")

# %%
grid = np.linspace(temperature[0], temperature[-1], 500)
figure, axes = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
for ax, name in zip(axes, ("abs_magnetization", "energy"), strict=True):
    for known in (exact.square_lattice(grid), exact.weiss(model, grid)):
        plots.exact_curve(known, name, ax)
    plots.observable(both, name, ax)
    plots.softmax_axis(ax, both.isel(method=0))
axes[0].legend(frameon=False, loc="upper right")
plt.show()

# %% [markdown]
# ## Where the map fails
#
# *Discount.* With $\gamma > 0$ an agent also counts later rewards, which are larger for a spin that
# joins the majority. So it learns a preference. This acts as a field, and order survives at
# temperatures where the Ising model has none.

# %%
gammas = {0.0: "o", 0.5: "s", 0.9: "^"}
figure, ax = plt.subplots(figsize=(6.5, 4.2), layout="constrained")
for (gamma, marker), color in zip(gammas.items(), colors(3), strict=True):
    data = irl.simulate(
        irl.Ising(irl.Lattice((side // 2,) * 2)),
        irl.Learning(irl.MeanFieldQ(discount=gamma, learning_rate=0.01)),
        temperature, **length, seed=8,
    )  # fmt: skip
    order = abs(data.magnetization).rename("m")
    found = errors.jackknife(order, lambda m: m.mean(["chain", "draw"]), dims=("chain",))
    ax.errorbar(
        temperature, found.m, found.m_error, fmt=f"{marker}-", ms=4, mfc="none", lw=0.8,
        color=color, label=rf"$\gamma$ = {gamma:g}",
    )  # fmt: skip
plots.critical_temperature(ax)
ax.set(xlabel=r"softmax temperature $\tau$ ($J$)", ylabel="absolute magnetization per site")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# *A nonlinear reward.* A rule with log-odds that are not linear in $S$ has no Hamiltonian. Then
# probability flows in circles through the configurations, which violates detailed balance. On 3 × 3
# sites the 512 × 512 transition matrix of the learned rule gives this flow without any simulation.

# %%
small_model = irl.Ising(irl.Lattice((3, 3)))
figure, ax = plt.subplots(figsize=(6.5, 3.8), layout="constrained")
for name, color, marker in (("energy", "#0072B2", "o"), ("chapter-2d", "#D55E00", "D")):
    agents = irl.train(
        small_model, irl.MeanFieldQ(reward=name), np.linspace(1.0, 4.0, 7), sweeps=5_000,
        annealing=1.0, seed=9,
    )  # fmt: skip
    found = detailed_balance_violation(agents, small_model)
    tau = agents.softmax_temperature(small_model, agents.temperature)
    flow = found.detailed_balance_violation
    ax.plot(tau, flow, ls="none", marker=marker, mfc="none", color=color, label=name)
    print(f"{name}: net flow {flow.min():.1e} to {flow.max():.1e}")
ax.set(yscale="log", ylim=(1e-19, 1), xlabel=r"softmax temperature $\tau$ (units of the reward)")
ax.set_ylabel("net flow of probability in a step")
ax.legend(frameon=False, loc="center right")
plt.show()

# %% [markdown]
# *All at once.* Agents that act at the same time sample another law, even with the right table. On
# the square lattice they are two copies of the model, interleaved like the fields of a chess board:
# the state of one at time $t$ depends only on the other at $t - 1$. From a random start the copies
# may order with opposite signs. Then the lattice blinks, and its magnetization is nearly zero at
# all times.

# %%
blinking = irl.simulate(
    model, policy, 2.0, schedule="synchronous", thermalization=sweeps, sweeps=3, snapshots=3,
    chains=16, seed=10,
).isel(temperature=0)  # fmt: skip
board = 1 - 2 * (np.indices((side, side)).sum(axis=0) % 2)
staggered = (blinking.spins * board).mean(["x", "y"]).isel(snapshot=0)
chosen = int(np.argmax(abs(staggered.values)))
print("magnetization of all 16 chains:", blinking.magnetization.isel(draw=0).values.round(2))
figure = plots.snapshots(
    blinking.spins.isel(chain=chosen, x=slice(0, 32), y=slice(0, 32)), "snapshot", columns=3
)
for ax, t in zip(figure.axes, range(3), strict=False):
    m = blinking.magnetization[chosen, t].item()
    ax.set_title(f"$t$ = {t}, $m$ = {m:+.3f}", fontsize=10)
plt.show()
