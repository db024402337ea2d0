"""The command ``isingrl``."""

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest

from studies.command import study_command
from studies.command.catalogue import STUDIES
from studies.command.exits import told
from studies.command.main import main
from studies.running import files, runner
from tests.studies.outcomes import ends

DOCS = Path(__file__).parents[2] / "docs" / "studies"
SMALL = ["curve", "--shape", "4", "4", "--temperature", "2", "3", "2", "--sweeps", "4000"]
HERE = ["--workers", "1"]


def test_help_lists_the_studies_and_every_field_with_its_default(capsys):
    main(["--help"])
    assert "curve" in capsys.readouterr().out
    text = ends(capsys, ["curve", "--help"], 0).out
    for option in ("--shape", "--temperature", "--methods", "--sweeps", "--chains", "--seed"):
        assert option in text
    assert "(default: 64 64)" in " ".join(text.split()).replace("│ │ ", "")
    assert text.count("default:") >= 17


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_explains_itself(name, capsys):
    text = ends(capsys, [name, "--help"], 0).out
    fields = dataclasses.fields(STUDIES[name])
    assert all(f"--{field.name.replace('_', '-')}" in text for field in fields)
    assert STUDIES[name].__doc__.splitlines()[0] == STUDIES.lines[name]
    if name != "curve":
        page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
        assert f"isingrl {name} --out" in page
        assert f"({name}.png)" in page
        assert (DOCS / f"{name}.png").stat().st_size < 400_000
        assert f"({name}.md)" in (DOCS / "README.md").read_text(encoding="utf-8")


def test_it_leaves_four_files_and_tells_of_short_runs_on_one_line(tmp_path, capsys):
    out = tmp_path / "curve"
    options = ["curve", "--shape", "16", "16", "--temperature", "2.2", "2.3", "2"]
    main([*options, "--sweeps", "400", "--methods", "heat-bath", "--out", str(out), *HERE])
    assert {path.name for path in out.iterdir()} == {
        "config.json", "data.nc", "figure.png", "summary.nc", "tasks",
    }  # fmt: skip
    said = capsys.readouterr()
    assert str(out) in said.out
    warning = next(line for line in said.err.splitlines() if line.startswith("warning:"))
    assert "autocorrelation" in warning


def test_interruption_writes_nothing(tmp_path, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "complete", interrupted)
    with pytest.raises(SystemExit) as stop:
        main([*SMALL, "--out", str(tmp_path / "out"), *HERE])
    assert stop.value.code == 130
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["tasks"]
    assert "interrupted" in capsys.readouterr().err


def test_a_failed_write_keeps_the_earlier_file(tmp_path):
    path = tmp_path / "config.json"
    files.write_json({"kept": 1}, path)
    before = path.read_text()
    with pytest.raises(TypeError):
        files.write_json({"bad": object()}, path)
    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]


def test_debug_shows_where_an_error_comes_from(tmp_path, capsys):
    error = ends(capsys, ["curve", "--debug", "--shape", "1", "4", "--out", str(tmp_path)]).err
    assert "in _check_shape" in error
    assert error.splitlines()[-1].startswith("isingrl curve: error: shape")


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ZeroDivisionError("division\nby zero"), 70, "ZeroDivisionError: division by zero"),
        (KeyError("spins"), 70, "KeyError: 'spins'"),
        (MemoryError(), 1, "not enough memory"),
        (ValueError("sweeps must be"), 2, "error: sweeps must be"),
        (ImportError("networks need torch"), 2, "error: networks need torch"),
    ],
    ids=["zero-division", "key", "memory", "value", "import"],
)
def test_any_error_ends_with_one_line_unless_asked_for_more(
    error, code, said, debug, monkeypatch, capsys, tmp_path
):
    def raising(*_, **__):
        raise error

    monkeypatch.setattr(study_command, "run_to_folder", raising)
    words = [*SMALL, "--out", str(tmp_path), *(["--debug"] if debug else [])]
    lines = ends(capsys, words, code).err.strip().splitlines()
    assert lines[-1].startswith(f"isingrl curve: {said}")
    assert ("in raising" in "".join(lines)) == debug
    assert debug or len(lines) == 1
    assert ("--debug" in lines[-1]) == (code == 70 and not debug)


def test_debug_shows_the_tracebacks_of_tasks(capsys):
    error = runner.StudyError("1 of 3 tasks raised errors", ["Traceback of the task"])
    for debug in (False, True):
        with pytest.raises(SystemExit) as stop, told("isingrl toy", debug=debug):
            raise error
        assert stop.value.code == 1
        assert ("Traceback of the task" in capsys.readouterr().err) == debug


ASK = """source "$1"
ask() {
  COMP_WORDS=(isingrl "$@"); COMP_CWORD=$#; COMPREPLY=()
  "$(complete -p isingrl | sed -E 's/.*-F ([^ ]+).*/\\1/')"
  echo "${COMPREPLY[*]}"
}
ask ""; ask battle tr; ask curve --sch; ask curve --schedule s; ask battle train --te; ask show --
ask curve --
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_commands_options_and_choices(tmp_path, capsys):
    script = tmp_path / "isingrl.bash"
    main(["completion", "bash"])
    script.write_text(capsys.readouterr().out, encoding="utf-8")
    run = subprocess.run(["bash", "-c", ASK, "ask", script], capture_output=True, text=True)
    assert run.stderr == ""
    first, *others, options = run.stdout.splitlines()
    commands = {"battle", "completion", "rerun", "show", "status"}
    assert {*STUDIES, *commands} <= set(first.split())
    assert others == [
        "train", "--scheduler --schedule", "sequential synchronous",
        "--team --tensorboard --team-size", "--help --figure --debug",
    ]  # fmt: skip
    assert "--tempering" in options
    assert all(word.startswith("--") for word in options.split())


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_scripts_too(shell, capsys):
    main(["completion", shell])
    script = capsys.readouterr().out
    assert "_tyro_isingrl" in script
    assert "paper-ising" in script
