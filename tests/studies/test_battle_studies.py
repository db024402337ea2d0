"""The studies of battles at the smallest size that runs through."""

import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr

from analysis import plots
from isingrl import battle
from studies.battle_chapter import BattleChapter
from studies.battle_paper import BattlePaper
from studies.battle_temperature import BattleTemperature
from studies.running.runner import run, run_to_folder
from studies.running.tasks import task_seed
from studies.shared import battle_tasks
from tests.studies.brief import BriefChapter, BriefPaper, BriefTemperature

MAP = {"map_size": 8, "team_size": 2}
PAPER = BriefPaper(
    methods=("mean-field-q", "actor-critic"), trainings=2, games=8, contest_games=2,
    side_by_side=4, **MAP,
)  # fmt: skip


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """Folder of the study of the paper."""
    folder = tmp_path_factory.mktemp("paper")
    run_to_folder(PAPER, "battle-paper", folder)
    return folder


def data_in(folder):
    with xr.open_dataset(folder / "data.nc", engine="h5netcdf") as data:
        return data.load()


def test_paper_counts_every_game_once(paper):
    data = data_in(paper)
    names = ["mean-field-q", "actor-critic", "pursuit"]
    assert data["team"].values.tolist() == names
    games = data["games"].sum(["training", "opponent_training"]).values
    assert (games == 8 * (1 - np.eye(3))).all()
    turned = data["losses"].transpose("opponent", "team", "opponent_training", "training")
    np.testing.assert_array_equal(data["wins"], turned.values)
    summary = PAPER.summarize(data)
    assert summary["win_rate"].dims == ("team", "opponent")
    figure = PAPER.plot(summary)
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == ["", "training against self", "training against pursuit", ""]
    assert data["side"].values.tolist() == ["mean-field-q", "actor-critic"]
    assert (paper / "game.mp4").stat().st_size > 1000


def test_the_dense_preset_is_evaluated_and_rated():
    study = BriefPaper(
        preset="paper-dense", methods=("independent-q", "actor-critic"), trainings=2, games=20,
        contest_games=2, map_size=12, team_size=2,
    )  # fmt: skip
    summary = study.summarize(run(study))
    assert summary["team"].values.tolist() == ["independent-q", "actor-critic", "pursuit", "random"]
    assert summary["evaluation_win"].sizes == {
        "method": 2, "training": 2, "evaluation": 3, "evaluation_opponent": 2
    }  # fmt: skip
    assert summary["evaluation_games"].values.tolist() == [0, 10, 20]
    assert (summary["rating_low"] <= summary["rating"]).all()
    assert summary["trainings_needed"].dims == ("team", "opponent")
    figure = study.plot(summary)
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == ["", "evaluations against pursuit", "evaluations against random", ""]


def test_on_a_gpu_all_trainings_of_a_method_are_one_task(monkeypatch):
    """Here with the processor in its place."""
    monkeypatch.setattr(battle_tasks, "check_device", lambda device: device)

    def on_processor(*arguments, device, **options):
        assert device == "cuda"
        return battle.train_many(*arguments, stacked=True, **options)

    monkeypatch.setattr(battle_tasks, "train_many", on_processor)
    study = replace(PAPER, device="cuda")
    tasks = study.tasks()
    assert [task.key for task in tasks] == ["mean-field-q all", "actor-critic all"]
    data = run(study)
    assert data["reward"].dims == ("method", "training", "round")
    seed = task_seed(task_seed(PAPER.seed, "actor-critic all"), "1")
    names = ("opponent", "arena", "games", "side_by_side")
    alone = battle.train(
        study.team("actor-critic"), **{name: tasks[1].arguments[name] for name in names}, seed=seed
    )
    found = data["reward"].sel({"method": "actor-critic"}).isel(training=1)
    np.testing.assert_array_equal(found, alone.history["reward"])
    assert (data["games"].sum(["training", "opponent_training"]) == 8 * (1 - np.eye(3))).all()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_studies_refuse_it_at_once():
    for study in (BattlePaper(device="cuda"), BattleTemperature(device="cuda")):
        with pytest.raises(ValueError, match="device must be 'cpu', as torch finds no GPU"):
            study.tasks()


def test_paper_resumes_what_was_trained(paper, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(paper, folder)
    tasks = folder / "tasks"
    (team,) = tasks.glob("mean-field-q-1-*/team.safetensors")
    first = team.read_bytes()
    for name in ("actor-critic-2", "mean-field-q-2"):
        (result,) = tasks.glob(f"{name}-*.safetensors")
        result.unlink()
        shutil.rmtree(result.with_suffix(""))
    before = data_in(folder).drop_attrs(deep=False)
    run_to_folder(PAPER, "battle-paper", folder)
    xr.testing.assert_identical(data_in(folder).drop_attrs(deep=False), before)
    assert team.read_bytes() == first


def test_the_papers_preset_is_the_papers():
    study = BattlePaper(preset="paper")
    assert study.arena.sizes == (64, 64)
    assert (study.arena.map_size, study.arena.max_steps, study.training_games) == (40, 400, 2000)
    team = study.team("mean-field-q")
    assert (team.network, team.discount, team.learning_rate) == ("convolutional", 0.95, 1e-4)
    assert (team.batch_size, team.memory, team.target_mixing) == (64, 80_000, 0.005)
    assert (team.radius, team.inner_iterations) == (None, 0)
    assert study.tasks()[0].arguments["opponent"] == "mixed"


def test_the_dense_preset_has_the_papers_battle_and_the_default_network():
    study, paper = (BattlePaper(preset=each) for each in ("paper-dense", "paper"))
    assert (study.arena, study.training_games) == (paper.arena, paper.training_games)
    assert {task.arguments["opponent"] for task in study.tasks()} == {"mixed"}
    team = study.team("mean-field-q")
    assert (team.network, team.discount, team.replay_ratio) == ("two-headed", 0.8, 4.0)
    assert (team.radius, team.inner_iterations) == (None, 0)
    assert study.team("mean-field-actor-critic").radius is None
    assert list(study.scripts) == ["pursuit", "random"]
    assert study.trainings**2 * study.contest_games == 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"methods": ("mean-field-q",)}, "methods must be two or more different ones"),
        ({"methods": ("mean-field-q", "sarsa")}, "methods must be one of"),
        ({"trainings": 1}, "trainings must be an integer of at least 2; got 1"),
        ({"preset": "large"}, "preset must be one of 'small', 'paper', 'paper-dense'; got 'large'"),
        ({"contest_games": 1}, "contest_games must be an integer of at least 2; got 1"),
    ],
)
def test_bad_papers_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        BattlePaper(**arguments).tasks()


def test_teams_play_each_other_and_the_script_at_all_temperatures():
    study = BriefTemperature(
        teams=("mean-field-q-of-nobody", "independent-q", "mean-field-q-of-foes"), trainings=2,
        softmax_temperature=(0.01, 1.0, 3), games=8, contest_games=4, side_by_side=4, **MAP,
    )  # fmt: skip
    data = run(study)
    assert data["pursuit_tau"].values == pytest.approx([0, 0.01, 0.1, 1.0])
    assert data["pursuit_wins"].sizes == {
        "team": 3, "pursuit_tau": 4, "pursuit_training": 2, "pursuit_opponent_training": 2
    }  # fmt: skip
    assert (data["pursuit_games"] == 4).all()
    games = data["games"].sum(["training", "opponent_training"]).values
    assert (games == 16 * (1 - np.eye(3))).all()
    summary = study.summarize(data)
    assert (summary["pursuit_win_rate_low"] <= summary["pursuit_win_rate"] + 1e-12).all()
    assert summary["rating"].dims == ("team",)
    bars, at_tau, ratings = study.plot(summary).axes
    assert len(at_tau.containers) == 3
    assert "softmax temperature" in at_tau.get_xlabel()
    assert [bars.get_xscale(), at_tau.get_xscale()] == ["linear", "log"]
    assert ratings.get_xlabel() == "rating (Elo)"


def test_teams_differ_in_their_mean_action_alone():
    tasks = BattleTemperature(trainings=2).tasks()
    teams = {task.key: task.arguments["team"] for task in tasks}
    plain = teams["mean-field-q 1"]
    for whose in ("mate", "foes", "nobody"):
        assert teams[f"mean-field-q-of-{whose} 2"] == replace(plain, mean_of=whose)
    with pytest.raises(ValueError, match="teams must be one of"):
        BattleTemperature(teams=("mean-field-q", "sarsa")).tasks()


@pytest.mark.parametrize(
    "names", [BattleTemperature().teams, (*BattlePaper().methods, "pursuit", "random")]
)
def test_teams_of_one_figure_have_different_colors(names):
    assert len({plots.method_style(name)["color"] for name in names}) == len(names)


@pytest.mark.parametrize("grid", [(0.0, 1.0, 3), (1.0, 0.1, 3), (0.1, 1.0, 1)])
def test_bad_temperatures_are_refused(grid):
    with pytest.raises(ValueError, match="softmax_temperature must be two ascending positive"):
        BattleTemperature(softmax_temperature=grid).tasks()


def test_chapter_leaves_its_video(tmp_path):
    study = BriefChapter(chapter_games=2, games=10, contest_games=2, **MAP)
    run_to_folder(study, "battle-chapter", tmp_path)
    files = {file.name for file in tmp_path.iterdir()}
    assert files == {
        "config.json", "data.nc", "figure.png", "game.mp4", "summary.nc", "tasks"
    }  # fmt: skip
    with xr.open_dataset(tmp_path / "data.nc", engine="h5netcdf") as data:
        assert data.sizes["trained"] == 3
        assert (data["games"].values == 2 * (1 - np.eye(5))).all()
        assert np.isfinite(data["reward"].sel(trained="chapter")).all()


def test_chapter_misses_imageio_before_any_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio", None)
    with pytest.raises(ImportError, match=r"isingrl\[battle\]"):
        BattleChapter().tasks()
