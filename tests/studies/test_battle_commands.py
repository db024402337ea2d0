"""The commands ``isingrl battle``, from end to end on a small map."""

import contextlib
import io
import os
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from isingrl.battle import TrainedTeam
from studies.command.main import main
from tests.studies.outcomes import ends

SMALL = ["--map-size", "12", "--team-size", "3", "--max-steps", "30"]
TRAIN = ["battle", "train", *SMALL, "--games", "12", "--side-by-side", "4", "--seed", "1"]
QUICK = ["--memory", "2000", "--batch-size", "32", "--replay-ratio", "1"]


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    """Folder of a team that hardly learned, and the lines that its training showed."""
    folder = tmp_path_factory.mktemp("teams") / "novice"
    with contextlib.redirect_stderr(io.StringIO()) as shown:
        main([*TRAIN, *QUICK, "--out", str(folder)])
    return folder, shown.getvalue()


@pytest.fixture
def trained(training):
    return training[0]


def refusal(arguments, capsys):
    """The one line that wrong arguments end with."""
    message = ends(capsys, arguments).err.strip().splitlines()[-1]
    assert message.startswith("isingrl battle")
    return message


def test_train_leaves_a_team_and_its_learning_curves(trained):
    files = {file.name for file in trained.iterdir()}
    assert {"team.json", "team.safetensors", "figure.png"} <= files
    assert (trained / "figure.png").stat().st_size > 10_000
    history = TrainedTeam.load(trained).history
    assert history.sizes["round"] == 3
    assert history["opponent"].values.tolist() == ["self", "pursuit", "self"]


def test_train_again_is_done_at_once(trained, capsys):
    before = (trained / "team.safetensors").read_bytes()
    main([*TRAIN, *QUICK, "--out", str(trained)])
    assert (trained / "team.safetensors").read_bytes() == before
    assert "wrote team.json" in capsys.readouterr().out


def test_train_shows_how_it_goes(training):
    for words in ("12 of 12 games", "against self: won", "killed", "lost", "reward"):
        assert words in training[1]


def test_train_against_a_trained_team(trained, tmp_path):
    main([*TRAIN, *QUICK, "--opponent", str(trained), "rival", "--out", str(tmp_path / "b")])
    assert TrainedTeam.load(tmp_path / "b").rival is not None


def test_train_is_evaluated(trained, tmp_path):
    pytest.importorskip("tensorboard")
    plan = ["--evaluation", "random", str(trained), "--evaluation-every", "4", "--tensorboard"]
    main([*TRAIN, *QUICK, *plan, "--evaluation-games", "2", "--out", str(tmp_path / "b")])
    history = TrainedTeam.load(tmp_path / "b").history
    assert history["evaluation_games"].values.tolist() == [0, 4, 8, 12]
    assert history["evaluation_opponent"].values[0] == "random"
    assert list((tmp_path / "b" / "events").iterdir())
    # nobody learned from it
    for name, values in TrainedTeam.load(trained).parameters.items():
        np.testing.assert_array_equal(values, TrainedTeam.load(tmp_path / "b").parameters[name])


def test_tournament_leaves_a_dataset_and_a_figure(trained, tmp_path, capsys):
    out = tmp_path / "cup"
    teams = [str(trained), "random", "pursuit", str(trained)]
    main(["battle", "tournament", *teams, *SMALL, "--games", "4", "--out", str(out)])
    with xr.open_dataset(out / "tournament.nc", engine="h5netcdf") as data:
        assert data["team"].values.tolist() == ["novice", "random", "pursuit", "novice 2"]
        assert data["wins"].sel(team="pursuit", opponent="random") == 4
        assert np.isfinite(data["rating"]).all()
        assert {"win_rate", "win_rate_low", "win_rate_high", "rating_error"} <= set(data)
    assert (out / "figure.png").stat().st_size > 10_000
    assert "pursuit" in capsys.readouterr().out


@pytest.mark.soak
@pytest.mark.parametrize("suffix", ["mp4", "gif"])
def test_render_makes_a_video_and_stills_without_a_screen(trained, tmp_path, suffix):
    out = tmp_path / f"game.{suffix}"
    short = ["--map-size", "12", "--team-size", "2", "--max-steps", "4"]
    first = "random" if suffix == "mp4" else str(trained)
    arguments = ["battle", "render", first, "pursuit", *short, "--stills", "0", "2"]
    arguments += ["--out", str(out)]
    if suffix == "mp4":  # as from a terminal; the other kind of file has nothing of its own there
        program = [sys.executable, "-c", "from studies.command.main import main; main()"]
        environment = {k: v for k, v in os.environ.items() if k != "DISPLAY"}
        subprocess.run([*program, *arguments], env=environment, check=True, capture_output=True)
    else:
        main(arguments)
    assert out.stat().st_size > 5_000
    assert {file.name for file in tmp_path.iterdir()} == {
        out.name, "step-0000.png", "step-0002.png"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fight"], "COMMAND must be one of train, tournament, render; got 'fight'"),
        (["train", "--team", "deep-q"], "team must be one of independent-q, mean-field-q"),
        (["train", "--opponent", "nobody"], "or the folder of a trained team; got 'nobody'"),
        (["train", "--games", "0"], "games must be an integer of at least 1; got 0"),
        (["train", "--team-size", "0"], "team_size must be an integer of at least 1; got 0"),
        (["train", "--map-size", "8", "--team-size", "30"], "has room for teams of 12 at most"),
        (
            ["train", "--team", "independent-q", "--radius", "3"],
            "independent-q has no option radius",
        ),
        (["train", "--device", "tpu"], "device must be 'cpu' or 'cuda'; got 'tpu'"),
        (["train", "--games", "many"], "many"),
        (["tournament", "random"], "teams must be two or more; got 1"),
        (["tournament", "random", "nobody"], "or the folder of a trained team; got 'nobody'"),
        (["tournament", "random", "pursuit", "--games", "0"], "games must be an integer"),
        (["render", "random", "pursuit", "--out", "game.avi"], "out must end in .mp4 or .gif"),
        (["render", "random"], "teams must be two; got 1"),
    ],
)
def test_wrong_options_end_with_one_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert message in refusal(["battle", *arguments], capsys)


def test_broken_files_are_named(trained, tmp_path, capsys):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "team.json").write_text("{}")
    (broken / "team.safetensors").write_bytes(b"")
    message = refusal(["battle", "tournament", str(broken), "random"], capsys)
    assert "path must be a trained team folder" in message
    assert str(broken) in message
    message = refusal(["battle", "tournament", str(tmp_path), "random"], capsys)
    assert "has no team.json" in message


def test_without_magent2_the_extra_is_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "magent2", None)
    out = ["--out", str(tmp_path / "x")]
    assert "isingrl[battle]" in refusal([*TRAIN, *out], capsys)


def test_help_lists_the_commands(capsys):
    main(["battle", "--help"])
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("train", "tournament", "render"))
