"""Battles, compared with a textbook's loop and with the bare engine; and their memory."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numba
import numpy as np

from benchmarks.battle_chapter_loop import BattleChapterLoop
from benchmarks.processes import peak_megabytes
from benchmarks.report import Row
from benchmarks.timing import Case, Effort, Rate, measure
from isingrl.battle import Arena, Games, MeanFieldQTeam
from isingrl.battle.magent import import_magent2
from isingrl.battle.team_training import Training
from isingrl.support.devices import one_thread

_SMALL = Arena(map_size=30, team_size=16)  # the chapter's
_LARGE = Arena(map_size=40, team_size=64)  # the paper's
_TOGETHER = 8  # games side by side
_LOOP_LEARNS = 2 * 25  # transitions of a step of the loop, of both teams
_MANY = 4  # trainings at once
_ROUND = 10  # games of a round of a training
_STEPS = 50  # of each of these games; the last one has no next step to learn from
_PUBLISHED = 10.0  # steps a second of the book's public code, 16 against 16
_FLAT = 10.0  # megabytes that many games may add, 2 % of the process

Runner = Callable[[int], object]


def rows(effort: Effort, full: bool) -> tuple[list[Row], dict[str, Rate]]:
    """Everything about battles; short unless `full`."""
    if find_spec("magent2") is None:
        return [Row("Battles", "all", note="magent2 is not installed")], {}
    numba.set_num_threads(1)  # starts Numba's threads, which changes the number that torch takes
    with one_thread():
        rates = measure(_playing_cases(), effort) | measure(_learning_cases(), effort)
    found = [*_playing_rows(rates), *_engine_rows(rates), *_learning_rows(rates)]
    return [*found, *_memory_rows(full)], rates


def _playing_cases() -> list[Case]:
    """Steps of games, 64 against 64."""
    chapter = MeanFieldQTeam("chapter")
    five = MeanFieldQTeam("chapter", inner_iterations=5)
    return [
        Case("battle: loop plays", BattleChapterLoop(_LARGE, learn=False).run, 1),
        Case("battle: bare engine", _bare(observe=True), _TOGETHER),
        Case("battle: bare engine, blind", _bare(observe=False), _TOGETHER),
        Case("battle: chapter network", _match(chapter), _TOGETHER),
        Case("battle: chapter network, 5 iterations", _match(five), _TOGETHER),
        Case("battle: default network", _match(MeanFieldQTeam()), _TOGETHER),
    ]


def _learning_cases() -> list[Case]:
    """Transitions learned, playing included."""
    team = MeanFieldQTeam()
    many = [
        _training(f"battle: {each}", team, _SMALL, _MANY, each == "stacked")
        for each in ("stacked", "in turn")
    ]
    return many + [
        case
        for name, arena in (("16", _SMALL), ("64", _LARGE))
        for case in (
            Case(f"battle: loop learns, {name}", BattleChapterLoop(arena).run, _LOOP_LEARNS),
            _training(f"battle: chapter network learns, {name}", MeanFieldQTeam("chapter"), arena),
            _training(f"battle: default network learns, {name}", team, arena),
        )
    ]


def _bare(*, observe: bool) -> Runner:
    """Steps of magent2 alone with random actions, with or without observations."""
    engines = [_engine(_LARGE) for _ in range(_TOGETHER)]
    generator = np.random.default_rng(1)

    def run(steps: int) -> None:
        for _ in range(steps):
            for engine in engines:
                handles = engine.get_handles()
                for handle in handles:
                    if observe:
                        engine.get_observation(handle)
                    number = engine.get_num(handle)
                    engine.set_action(handle, generator.integers(0, 21, number, dtype=np.int32))
                engine.step()
                for handle in handles:
                    engine.get_reward(handle)
                engine.clear_dead()

    return run


def _engine(arena: Arena) -> Any:
    """magent2's own game "battle", with the smallest observations that its settings allow.

    They have no minimap and no numbers of agents, as in the toolkit's games.
    """
    magent2 = import_magent2()
    from magent2.builtin.config.battle import get_config

    config = get_config(arena.map_size)
    config.set({"minimap_mode": False, "embedding_size": 0})
    engine = magent2.GridWorld(config)
    engine.reset()
    for side, handle in enumerate(engine.get_handles()):
        places = arena.positions(arena.sizes[side], side, np.random.default_rng(1))
        engine.add_agents(handle, method="custom", pos=places)
    return engine


def _match(team: MeanFieldQTeam) -> Runner:
    """Steps of games side by side between two teams, each with its own network."""
    from isingrl.battle.network_player import NetworkPlayer
    from isingrl.battle.networks import make_network

    games, generator = Games(_LARGE, _TOGETHER), np.random.default_rng(1)
    players = [
        NetworkPlayer(team, make_network(team.network, True, team.outputs, seed), lambda: 0.5)
        for seed in (1, 2)
    ]

    def run(steps: int) -> None:
        for _ in range(steps):
            if not games.running.all():
                games.begin(generator)
                for player, size in zip(players, _LARGE.sizes, strict=True):
                    player.begin(_TOGETHER * size)
            seen = [games.observe(side) for side in (0, 1)]
            actions = [
                players[side].act(seen[side], seen[1 - side], generator).actions for side in (0, 1)
            ]
            games.step((actions[0], actions[1]))

    return run


def _training(
    name: str, team: MeanFieldQTeam, arena: Arena, number: int = 1, stacked: bool = False
) -> Case:
    """Rounds of trainings at their beginning, when hardly anyone dies."""
    from isingrl.battle.updates import run_all

    short = Arena(arena.map_size, arena.team_size, max_steps=_STEPS)
    trainings = [
        Training(team, "self", short, games=10**9, side_by_side=_ROUND, seed=seed, device="cpu")
        for seed in range(number)
    ]

    def run(rounds: int) -> None:
        for _ in range(rounds):
            run_all([training.play_round() for training in trainings], stacked)

    experienced = number * _ROUND * _STEPS * sum(arena.sizes)
    return Case(name, run, round(experienced * team.replay_ratio))


def _playing_rows(rates: dict[str, Rate]) -> list[Row]:
    section = "Battles, 64 against 64, one core"
    loop = _a_second(rates["battle: loop plays"])
    rows = [Row(section, "a loop over agents", value=loop, unit="steps/s")]
    for name, what, target in (
        ("chapter network", "the chapter's network, 8 games", None),
        ("chapter network, 5 iterations", "with 5 inner iterations, as the loop", 200.0),
        ("default network", "the default network, 8 games", 200.0),
    ):
        ours = _a_second(rates[f"battle: {name}"])
        rows += [
            Row(section, what, value=ours, unit="steps/s"),
            Row(section, f"{name}, faster", value=ours / loop, unit="× the loop", at_least=target),
        ]
    return rows


def _engine_rows(rates: dict[str, Rate]) -> list[Row]:
    section = "Battles beside the bare engine, 64 against 64, 8 games, one core"
    bare, blind = rates["battle: bare engine"], rates["battle: bare engine, blind"]
    rows = [
        Row(section, "bare engine, random actions", value=_a_second(bare), unit="steps/s"),
        Row(section, "without observations", value=_a_second(blind), unit="steps/s"),
    ]
    unit = "× the time of the bare engine"
    for name, target in (
        ("chapter network", 3.0), ("chapter network, 5 iterations", None), ("default network", None)
    ):  # fmt: skip
        ours = rates[f"battle: {name}"].best
        rows += [
            Row(section, name, value=bare.best / ours, unit=unit, at_most=target),
            Row(section, "", value=blind.best / ours, unit="× that without observations"),
        ]
    return rows


def _learning_rows(rates: dict[str, Rate]) -> list[Row]:
    rows = []
    for size in ("16", "64"):
        section, unit = f"Battles learned, {size} against {size}, one core", "transitions/s"
        loop = _a_second(rates[f"battle: loop learns, {size}"])
        rows += [
            Row(section, "a loop over agents", value=loop / _LOOP_LEARNS, unit="steps/s"),
            Row(section, "", value=loop, unit=unit),
        ]
        for network in ("chapter", "default"):
            ours = _a_second(rates[f"battle: {network} network learns, {size}"])
            what, times = f"{network} network", ours / loop
            rows += [
                Row(section, what, value=ours, unit=unit),
                Row(section, f"{what}, faster", value=times, unit="× the loop", at_least=100.0),
            ]
            if size == "16":
                published = ours / (_PUBLISHED * _LOOP_LEARNS)
                rows.append(Row(section, "", value=published, unit="× the book's public code"))
    stacked, in_turn = (rates[f"battle: {each}"].best for each in ("stacked", "in turn"))
    what, unit = f"{_MANY} trainings, networks stacked", "× the rate of one after the other"
    return [
        *rows,
        Row("Battles, 16 against 16, one core", what, value=stacked / in_turn, unit=unit),
    ]


def _memory_rows(full: bool) -> list[Row]:
    """Peak memory of processes that play or learn from short games."""
    section = "Peak memory of battles, 4 against 4"
    few, many = (100, 1000) if full else (20, 100)
    rows = []
    for what, label in (("play", "played"), ("train", "learned from")):
        peak, later = (peak_megabytes(what, games) for games in (few, many))
        added, limit = f"added by {many - few} more", _FLAT if full else None
        rows += [
            Row(section, f"{few} games {label}, whole process", value=peak, unit="MB"),
            Row(section, added, value=later - peak, unit="MB", at_most=limit),
        ]
    return rows


def _a_second(rate: Rate) -> float:
    return rate.best * 1e9
