"""Progress: plain lines where there is no terminal, whatever shows it; bars where there is one."""

import io

import pytest

import isingrl as irl
from isingrl.battle import Arena, PursuitTeam, RandomTeam, play, record, tournament
from isingrl.support import compilation, progress
from isingrl.support.progress import tqdm
from studies.shared.videos import write_video

MODEL = irl.Ising(irl.Lattice((4, 4)))
ARENA = Arena(map_size=8, team_size=2, max_steps=6)


def simulated(folder):
    irl.simulate(MODEL, irl.HeatBath(), 2.0, sweeps=8, thermalization=5, seed=1, progress=True)


def trained(folder):
    irl.train(MODEL, irl.MeanFieldQ(), 2.0, sweeps=7, seed=1, progress=True)


def played(folder):
    play(PursuitTeam(), RandomTeam(), games=4, arena=ARENA, seed=1, progress=True)


def contested(folder):
    teams = {"pursuit": PursuitTeam(), "random": RandomTeam(), "other": RandomTeam()}
    tournament(teams, games=2, arena=ARENA, seed=1, progress=True)


def filmed(folder):
    recording = record(PursuitTeam(), RandomTeam(), arena=ARENA, seed=1)
    write_video(recording, folder / "game.gif", progress=True)


@pytest.mark.parametrize(
    ("work", "last"),
    [
        (simulated, "13 of 13 sweeps"), (trained, "7 of 7 sweeps"), (played, "4 of 4 games"),
        (contested, "random – other: 3 of 3 pairs"), (filmed, " frames"),
    ],
)  # fmt: skip
def test_lines_where_there_is_no_terminal(work, last, tmp_path, capsys):
    work(tmp_path)
    said = capsys.readouterr().err
    assert "\r" not in said
    (line,) = said.splitlines()
    assert line.endswith(last)


def test_lines_come_now_and_then(capsys, monkeypatch):
    monkeypatch.setattr(progress, "_LINES", 0.0)
    with tqdm(total=4000, unit="sweep", desc="run") as bar:
        for _ in range(2):
            bar.set_postfix_str("hot")
            bar.update(2000)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("run: 2,000 of 4,000 sweeps, about 00:00 left: hot")
    assert lines[1] == "run: 4,000 of 4,000 sweeps: hot"


def test_other_lines_do_not_draw_bars(capsys, caplog):
    with tqdm(total=2, unit="sweep"):
        compilation.tell("compiling")
    assert caplog.messages == ["compiling"]
    assert capsys.readouterr().err == "0 of 2 sweeps\n"


def test_nothing_where_none_was_asked_for(capsys):
    assert list(tqdm(range(3), disable=True)) == [0, 1, 2]
    assert list(tqdm(range(3), disable=None)) == [0, 1, 2]  # where there is no terminal
    with pytest.raises(KeyError):
        tqdm(range(3), wrong=1)
    assert not capsys.readouterr().err


def test_a_bar_in_a_terminal():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    shown = Terminal()
    assert list(tqdm(range(3), file=shown, ascii=True)) == [0, 1, 2]
    assert "\r100%|##" in shown.getvalue()
