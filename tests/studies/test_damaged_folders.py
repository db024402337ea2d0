"""Files of a study's folder that are cut, changed, replaced by folders or links: plain words."""

import json
import shutil

import pytest
import xarray as xr

from studies.command.main import main
from studies.running.files import open_dataset
from tests.studies.outcomes import ends

pytestmark = pytest.mark.usefixtures("_toy_command")

TOY = ["toy", "--workers", "1"]
RAW = ("Traceback", "indices must be", "KeyError", "Task(", "object has no", "fault of isingrl")


def text(content):
    def write(path):
        path.write_text(content, encoding="utf-8")

    return write


def replace_by_folder(path):
    path.unlink(missing_ok=True)
    path.mkdir()


def replace_by_link(path):
    path.unlink(missing_ok=True)
    path.symlink_to(path.with_name("nowhere"))


def without(key):
    def write(path):
        content = json.loads(path.read_text(encoding="utf-8"))
        del content[key]
        path.write_text(json.dumps(content), encoding="utf-8")

    return write


@pytest.fixture
def out(toy_folder, tmp_path):
    """A copy of a finished folder."""
    return shutil.copytree(toy_folder, tmp_path / "toy")


DAMAGES = [
    *(
        (name, damage)
        for name in ("tasks/config.json", "tasks/status.json")
        for damage in (
            text(""), text("[]"), text("[[1, 2]]"), text("null"), text("{"), text('"text"'),
            text("{}"), text('{"config": []}'), text('{"config": {}, "started": 1}'),
            text("[" * 100_000), replace_by_folder, replace_by_link,
        )
    ),
    *(
        ("tasks/ledger.jsonl", damage)
        for damage in (text("[[1, 2]]\nnull\n{"), replace_by_folder, replace_by_link)
    ),
    ("tasks/config.json", without("config")),
    ("tasks/config.json", without("started")),
    ("tasks/status.json", without("state")),
    ("tasks/status.json", text('{"study": "toy", "state": "asleep"}')),
    ("tasks/status.json", text('{"study": "toy", "running": 3}')),
    ("tasks/lock", replace_by_folder),
    ("tasks/lock", replace_by_link),
    ("config.json", replace_by_folder),
    ("data.nc", replace_by_folder),
    ("summary.nc", text("no netCDF")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "damage"), DAMAGES, ids=[f"{k} {name}" for k, (name, _) in enumerate(DAMAGES)]
)
def test_damage_is_told_in_plain_words_or_mended(name, damage, toy_folder, out, capsys):
    damage(out / name)
    commands = {
        "tasks/status.json": [["status"]],
        "tasks/config.json": [[*TOY, "--extend", "--out"], [*TOY, "--out"]],
        "tasks/lock": [["status"], [*TOY, "--out"]],
    }
    for words in commands.get(name, [[*TOY, "--out"]]):
        code = 0
        try:
            main([*words, str(out)])
        except SystemExit as stop:
            code = stop.code
        said = capsys.readouterr().err
        assert code in (0, 1, 2), said
        assert not any(word in said for word in RAW), said
    if (out / "data.nc").is_file():
        with open_dataset(toy_folder / "data.nc") as one, open_dataset(out / "data.nc") as other:
            xr.testing.assert_equal(one, other)


def test_results_that_are_folders_are_told_in_plain_words(out, capsys):
    for path in (out / "tasks").glob("*.safetensors"):
        replace_by_folder(path)
    said = ends(capsys, [*TOY, "--out", str(out)], (1, 2)).err
    assert not any(word in said for word in RAW), said
    assert "folder" in said or "directory" in said


def test_another_configuration_does_not_replace_what_is_there(out, capsys):
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    said = ends(capsys, [*TOY, "--temperatures", "2", "3", "--out", str(out)]).err
    assert "temperatures was 2.0 2.5 3.0 and is 2.0 3.0" in said
    assert "--out" in said
    assert "--extend" in said
    assert before == {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}


def test_a_folder_is_run_again_as_its_data_are(toy_folder, capsys):
    main(["rerun", str(toy_folder), "--workers", "1"])
    assert "is reproduced" in capsys.readouterr().out


def test_a_folder_without_data_cannot_be_run_again(tmp_path, capsys):
    assert "file must be data" in ends(capsys, ["rerun", str(tmp_path)]).err


@pytest.mark.parametrize("words", [["--out", ""], ["--out="]])
@pytest.mark.parametrize("command", [["curve"], ["battle", "train"], ["battle", "tournament", "a"]])
def test_an_empty_folder_is_refused(command, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "--out must not be empty" in ends(capsys, [*command, *words]).err
    assert not list(tmp_path.iterdir())
