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
#     games: 10
#     contest_games: 10
#     map_size: 14
#     team_size: 3
#     max_steps: 12
# ---

# %% [markdown]
# # Battle
#
# On the lattice an agent needs only the mean action of its neighbours. In a battle it needs more,
# and nobody knows the best observation. Here two teams learn to fight in the battle game of
# [magent2](https://magent2.farama.org). In one team agents see the mean intended action of their
# team mates; in the other they do not.

# %% tags=["parameters"]
games = 1_000  # of each training
contest_games = 200  # of each pair of teams
map_size = 30  # cells, walls included
team_size = 16
max_steps = 250  # of a game in which both survive

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from IPython.display import Video

from analysis import bradley_terry, plots, win_rates
from isingrl.battle import (
    Arena,
    IndependentQTeam,
    MeanFieldQTeam,
    PursuitTeam,
    RandomTeam,
    play,
    record,
    tournament,
    train,
)
from studies.shared.videos import write_video

plt.rc("figure", dpi=120)
arena = Arena(map_size=map_size, team_size=team_size, max_steps=max_steps)

# %% [markdown]
# ## The game
#
# An agent has ten points of health and sees up to six cells away. In a step it either moves by at
# most two cells or hits one of its eight neighbours for two points. Its rewards: 5 for a kill, 0.2
# for a hit, −0.1 for every attempt to hit, −0.1 for its death. The team with more kills wins. A
# game between teams that act at random shows the map, and shows that hardly anything happens by
# chance.

# %%
blind = record(RandomTeam(), RandomTeam(), arena=arena, seed=1)
blind = blind.assign_coords(side=["random", "random"])
figure, axes = plt.subplots(1, 2, figsize=(9, 5), layout="constrained")
for ax, step in zip(axes, (0, -1), strict=True):
    plots.battle_frame(blind, step, ax)
plt.show()
print(f"{blind.sizes['step'] - 1} steps, {blind.kills[-1].sum().item()} killed")

# %% [markdown]
# ## Two teams learn
#
# All agents of a team share one network of action values, and act by a softmax of these values at
# $\tau$ = 0.01. The teams differ in one thing: agents with mean-field Q draw tentative actions
# three times, see the mean of their team mates' tentative actions each time, and only then act.
# Both teams play in turn against themselves and a script. The script hits an adjacent foe, or else
# approaches the nearest one; a beginner hardly beats it.

# %%
teams = {
    team.name: train(team, ("self", "pursuit"), arena=arena, games=games, seed=seed)
    for seed, team in enumerate((MeanFieldQTeam(), IndependentQTeam()), 1)
}

# %%
figure, axes = plt.subplots(2, 2, figsize=(10, 6), sharex=True, sharey="row", layout="constrained")
for column, (name, team) in zip(axes.T, teams.items(), strict=True):
    for ax, quantity in zip(column, ("win", "reward"), strict=True):
        plots.learning_curve(team.history, quantity, ax)
    column[0].set(title=plots.method_label(name), ylim=(-0.03, 1.03), xlabel="")
    column[1].axhline(0, color="0.7", lw=0.8, zorder=0)
for ax in axes[:, 1]:
    ax.set_ylabel("")
axes[0, 0].legend(frameon=False, loc="lower right")
plt.show()

# %% [markdown]
# Against itself a team always wins one half. Its progress shows against the script. Reward is a
# poor measure of strength: it rises within the first hundred games and says little afterwards.
#
# ## The contest
#
# Now the teams no longer learn. Every pair plays, with sides swapped in every other game. Whiskers
# are Wilson's 95 % intervals.

# %%
contestants = {**teams, "pursuit": PursuitTeam(), "random": RandomTeam()}
results = tournament(contestants, contest_games, arena=arena, seed=3)
rates = win_rates(results)
ratings = bradley_terry(results)

figure, (left, right) = plt.subplots(
    1, 2, figsize=(12.5, 4.6), width_ratios=(1.6, 1), layout="constrained"
)
plots.win_rate_bars(rates, left)
left.legend(frameon=False, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1))
plots.tournament_matrix(rates, right)
plt.show()

# %%
figure, ax = plt.subplots(figsize=(6.5, 2.6), layout="constrained")
plots.rating_points(ratings, ax)
plt.show()
pair = rates.sel(team="mean-field-q", opponent="independent-q")
print(
    f"mean-field Q wins {pair.win_rate.item():.0%} of its games with independent Q, "
    f"interval {pair.win_rate_low.item():.0%} to {pair.win_rate_high.item():.0%}"
)

# %% [markdown]
# This interval is over games, between these two trainings. A training with another seed is another
# team, and trainings of one kind differ by as much as the kinds do. So a comparison of the kinds
# needs several trainings of each. The study `battle-paper` has five of each, and these do not
# suffice.
#
# ## A game
#
# Each side has its colour; a paler square has less health. A wedge points to the agent that is hit.

# %%
recording = record(teams["mean-field-q"], teams["independent-q"], arena=arena, seed=4)
recording = recording.assign_coords(side=list(teams))
steps = recording.sizes["step"] - 1
killed = recording.kills.sum("side")
half = int(np.argmax(killed.values >= killed.values[-1] / 2))
figure = plt.figure(figsize=(14, 7), layout="constrained")
grid = figure.add_gridspec(2, 3, height_ratios=(3, 1))
for k, step in enumerate((0, half, steps)):
    ax = figure.add_subplot(grid[0, k])
    plots.battle_frame(recording, step, ax)
figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=5, frameon=False)
plots.kills_over_time(recording, figure.add_subplot(grid[1, :]))
plt.show()

# %% [markdown]
# The same game as a video.

# %%
limit = 2_000_000  # bytes that this page may grow by
with tempfile.TemporaryDirectory() as name:
    path = Path(name) / "game.mp4"
    write_video(recording, path, names=tuple(teams))
    film = path.read_bytes()
if len(film) > limit:
    raise ValueError(f"the video must not exceed {limit:,} bytes; got {len(film):,}")
print(f"{steps} steps, {len(film) / 1e3:.0f} kB")
Video(film, embed=True, mimetype="video/mp4", width=480, html_attributes="controls loop muted")

# %% [markdown]
# ## Temperature again
#
# On the lattice the softmax temperature is the physical one. Here it determines how often an agent
# deviates from the best known action. Its scale is the value of a good action, 0.1 for a hit. The
# team that learned at $\tau$ = 0.01 now plays against the script at other temperatures.

# %%
taus = [0.005, 0.01, 0.02, 0.04, 0.08, 0.16]
scores = [
    play(
        teams["mean-field-q"].at_temperature(tau), PursuitTeam(), contest_games, arena=arena,
        seed=5,
    ).score
    for tau in taus
]  # fmt: skip
counts = xr.Dataset(
    {
        "wins": ("tau", [int((score > 0).sum()) for score in scores]),
        "games": ("tau", [contest_games] * len(taus)),
    }
)
won = win_rates(counts)
figure, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
whiskers = np.stack([won.win_rate - won.win_rate_low, won.win_rate_high - won.win_rate])
style = plots.method_style("mean-field-q")
ax.errorbar(taus, won.win_rate, np.maximum(whiskers, 0), capsize=2.5, ls="none", **style)
ax.axvline(0.01, color="0.55", lw=0.9, ls=":", label=r"$\tau$ of the training")
ax.axvline(0.1, color="0.55", lw=0.9, ls="--", label="worth of a hit")
ax.set(xscale="log", ylim=(-0.03, 1.03), xlabel=r"softmax temperature $\tau$ (units of the reward)")
ax.set_ylabel("share of games won against pursuit")
ax.legend(frameon=False)
plt.show()
