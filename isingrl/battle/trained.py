"""Trained teams and their files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from isingrl.battle.players import Player
from isingrl.battle.team import KINDS, NETWORKS, LearningTeam, Team
from isingrl.battle.teams import ValueTeam
from isingrl.support.archives import foreign, part, read_archive, write_archive
from isingrl.support.devices import check_device, require_torch
from isingrl.support.kinds import kind_named

__all__ = ["TrainedTeam"]

_FORMAT, _NAME, _WHAT = "isingrl-battle-team-1", "team", "trained team"
_HISTORY = "history."
_TEXTS = {"opponent": "opponents", "evaluation_opponent": "evaluation_opponents"}

EVALUATED = {
    "evaluation_win": "share of games won in an evaluation",
    "evaluation_defeat": "share of games lost in an evaluation",
    "evaluation_score": "mean score of an evaluation",
}
"""Results of an evaluation, with their labels."""


@dataclass(frozen=True, eq=False, repr=False)
class TrainedTeam:
    """A team with the parameters that its network has learned.

    Attributes
    ----------
    team : LearningTeam
        The team before its training.
    parameters : dict of float32 arrays
        Weights and biases, by name.
    history : Dataset
        History over ``round``: ``loss`` (NaN if the round had no updates), ``reward`` of an agent a
        step, ``kills`` and ``deaths`` a game, ``steps`` of the longest game, ``win`` and
        ``defeat`` (shares of games), with coordinates ``opponent`` and ``games`` (played so far).
        With an `Evaluation` also ``evaluation_win``, ``evaluation_defeat`` and
        ``evaluation_score`` over ``evaluation`` and ``evaluation_opponent``, with the coordinate
        ``evaluation_games``.
    rival : TrainedTeam, optional
        The opponent "rival", which learned as well.

    Examples
    --------
    >>> from isingrl.battle import Arena, MeanFieldQTeam, train
    >>> arena = Arena(map_size=8, team_size=2, max_steps=5)
    >>> trained = train(MeanFieldQTeam(), "self", arena=arena, games=4, side_by_side=2, seed=1)
    >>> trained.team.name, len(trained.parameters) > 0, sorted(trained.history.coords)
    ('mean-field-q', True, ['games', 'opponent'])
    >>> trained.at_temperature(0.1).team.softmax_temperature
    0.1
    >>> from tempfile import TemporaryDirectory
    >>> from isingrl.battle import TrainedTeam
    >>> with TemporaryDirectory() as folder:
    ...     trained.save(folder)
    ...     again = TrainedTeam.load(folder)
    >>> again.team == trained.team
    True
    """

    team: LearningTeam
    parameters: Mapping[str, npt.NDArray[Any]]
    history: xr.Dataset = field(default_factory=xr.Dataset)
    rival: TrainedTeam | None = None

    def __repr__(self) -> str:
        learned = sum(np.size(values) for values in self.parameters.values())
        games = int(self.history["games"].max()) if "games" in self.history.coords else 0
        rival = "" if self.rival is None else f", with its rival {self.rival.team!r}"
        return f"<TrainedTeam of {self.team!r}: {learned:,} parameters, {games:,} games{rival}>"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write team.json and team.safetensors into a folder, those of the rival into rival/.

        Parameters
        ----------
        path : path
            The folder, which is made if it is missing.

        Raises
        ------
        OSError
            If a file cannot be written.
        """
        arrays = dict(self.parameters)
        settings = {
            "format": _FORMAT,
            "team": {"name": self.team.name, **self.team.settings()},
            "rival": self.rival is not None,
        }
        for name in (*self.history.data_vars, *self.history.coords):
            values = self.history[name].values
            if name in _TEXTS:  # safetensors hold numbers only
                names, values = np.unique(values, return_inverse=True)
                settings[_TEXTS[str(name)]] = names.tolist()
            arrays[f"{_HISTORY}{name}"] = values
        if self.rival is not None:
            self.rival.save(Path(path) / "rival")
        write_archive(path, _NAME, settings, arrays)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        teams: Iterable[type[Team]] = (),
        networks: Iterable[type[Any]] = (),
    ) -> TrainedTeam:
        """Read a team from the folder that `save` wrote.

        The files name the classes of the team and its network, and never code to import. Your own
        classes are known by their names, once this process has defined or imported them.

        Parameters
        ----------
        path : path
            The folder.
        teams, networks : classes
            Your own classes; they take precedence over others with their names.

        Returns
        -------
        TrainedTeam
            With the same numbers.

        Raises
        ------
        FileNotFoundError
            If the folder holds no trained team.
        ValueError
            If the files are damaged, truncated or of another kind, or a class is unknown.
        """
        settings, arrays = read_archive(path, _NAME, _FORMAT, _WHAT)
        with foreign(path, _WHAT):
            arguments = dict(settings["team"])
            if arguments.get("network") not in NETWORKS:
                require_torch("battle")
                from isingrl.battle.networks import KINDS as ALL_NETWORKS

                name = str(arguments.get("network"))
                arguments["network"] = kind_named(name, ALL_NETWORKS, "network", networks)
            team = kind_named(arguments.pop("name"), KINDS, "team", teams)(**arguments)
            if not isinstance(team, LearningTeam):
                raise ValueError(f"{team.name} is no team that learns")
            history = part(arrays, _HISTORY)
            arrays = {
                name: values for name, values in arrays.items() if not name.startswith(_HISTORY)
            }
            for name, key in _TEXTS.items():
                if name in history:
                    history[name] = np.array(settings[key])[history[name]]
            trained = cls(team, arrays, history_dataset(history) if history else xr.Dataset())
            trained.player()
        if settings.get("rival"):
            rival = cls.load(Path(path) / "rival", teams=teams, networks=networks)
            return cls(team, arrays, trained.history, rival)
        return trained

    def at_temperature(self, softmax_temperature: float) -> TrainedTeam:
        """Return the same team with another softmax temperature.

        Parameters
        ----------
        softmax_temperature : float
            Softmax temperature τ ≥ 0 in units of the reward; greedy at 0.

        Returns
        -------
        TrainedTeam
            With the same parameters and history.

        Raises
        ------
        TypeError, ValueError
            If it is no number of at least 0, or the team has no softmax temperature.
        """
        if not isinstance(self.team, ValueTeam):
            raise ValueError(f"{self.team.name} has no option softmax_temperature")
        return replace(self, team=replace(self.team, softmax_temperature=softmax_temperature))

    def player(self, device: str = "cpu") -> Player:
        """Player of the team.

        Parameters
        ----------
        device : str
            "cpu" or "cuda", for the network.

        Returns
        -------
        Player
            Acts for the team in `Games`.

        Raises
        ------
        ValueError
            If the device is missing, or the parameters do not fit the team's network or are not
            finite.
        ImportError
            If torch is not installed.
        """
        require_torch("battle")
        check_device(device)
        from isingrl.battle.network_player import team_player, trained_tau
        from isingrl.battle.networks import make_network
        from isingrl.battle.team_learner import set_parameters

        team = self.team
        network = make_network(team.network, team.mean_field, team.outputs, 0).to(device)
        set_parameters(network, dict(self.parameters))
        return team_player(team, network, lambda: trained_tau(team))


def history_dataset(arrays: Mapping[str, npt.NDArray[Any]]) -> xr.Dataset:
    """History of a training from its arrays over rounds, with the names of opponents."""
    labels = {
        "loss": "loss",
        "reward": "reward of an agent a step",
        "kills": "foes killed a game",
        "deaths": "team mates killed a game",
        "steps": "steps of the longest game",
        "win": "share of games won",
        "defeat": "share of games lost",
    }
    data = xr.Dataset(
        {
            name: ("round", arrays[name], {"long_name": label, "units": "1"})
            for name, label in labels.items()
        }
    )
    played = {"long_name": "games played", "units": "1"}
    if "evaluation_games" in arrays:
        dims = ("evaluation", "evaluation_opponent")
        for name, label in EVALUATED.items():
            data[name] = (dims, arrays[name], {"long_name": label, "units": "1"})
        data = data.assign_coords(
            evaluation_games=("evaluation", arrays["evaluation_games"], played),
            evaluation_opponent=arrays["evaluation_opponent"],
        )
    return data.assign_coords(
        games=("round", arrays["games"], played), opponent=("round", arrays["opponent"])
    )


def make_player(team: Any, device: str = "cpu") -> Player:
    """Return the player of a team, or a given player itself."""
    if isinstance(team, Player):
        return team
    if isinstance(team, TrainedTeam):
        return team.player(device)
    if isinstance(team, Team):
        return team.player()
    raise TypeError(f"a team must be trained, random or pursuit to play; got {team!r}")
