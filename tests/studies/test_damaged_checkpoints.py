"""What tasks keep to go on from, cut short or changed on the disk."""

import json
import shutil

import numpy as np
import pytest
import xarray as xr

from isingrl.support.archives import DamagedFileError, read_archive, write_archive
from studies.curve import Curve
from studies.running.files import open_dataset
from studies.running.progress import Status
from studies.running.runner import StudyError, run, run_to_folder
from tests.studies.toy import Toy

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip(path):
    """One bit of the numbers."""
    content = bytearray(path.read_bytes())
    content[-20] ^= 4
    path.write_bytes(content)


def files(out, name):
    return sorted((out / "tasks").glob(f"*/{name}"))


def data_of(out):
    with open_dataset(out / "data.nc") as data:
        return data.load().drop_attrs(deep=False)


@pytest.fixture(scope="module")
def whole():
    return run(Toy()).drop_attrs(deep=False)


@pytest.fixture(scope="module")
def _short(tmp_path_factory):
    """Folder of a study with fewer sweeps, which goes on from its checkpoints."""
    folder = tmp_path_factory.mktemp("short")
    run_to_folder(Toy(sweeps=25), "toy", folder)
    return folder


@pytest.fixture
def out(_short, tmp_path):
    return shutil.copytree(_short, tmp_path / "toy")


@pytest.mark.parametrize(
    ("spoil", "name", "workers"),
    [
        (truncate, "run/run.safetensors", 1),
        (flip, "run/run.safetensors", 2),
        (truncate, "run/run.json", 1),
        (lambda path: path.unlink(), "run/run.safetensors", 1),
    ],
    ids=["truncated", "flipped, two processes", "truncated settings", "removed"],
)
def test_a_task_with_a_damaged_checkpoint_begins_anew(spoil, name, workers, out, whole, capsys):
    first, _, third = files(out, name)
    spoil(first)
    spoil(third)
    (third.parents[1] / "more").touch()  # nothing of it is used again
    run_to_folder(Toy(), "toy", out, extend=True, workers=workers)
    told = "the checkpoint of {!r} is damaged and its task begins anew"
    said = [line for line in capsys.readouterr().err.splitlines() if "checkpoint" in line]
    assert sorted(said) == [told.format("T = 2"), told.format("T = 3")]
    xr.testing.assert_identical(data_of(out), whole)
    assert not (third.parents[1] / "more").exists()
    status = Status.read(out / "tasks")
    assert (status.state, status.done, status.failures) == ("finished", 3, [])


def test_a_damaged_policy_is_learned_again(tmp_path, capsys):
    short, longer = (
        Curve(
            shape=(4, 4), temperature=(2.0, 3.0, 2), methods=("mean-field-q",), chains=2,
            training_sweeps=5, sweeps=sweeps, thermalization=2,
        )
        for sweeps in (20, 30)
    )  # fmt: skip
    run_to_folder(short, "curve", tmp_path)
    [policy] = files(tmp_path, "policy/policy.safetensors")
    flip(policy)
    run_to_folder(longer, "curve", tmp_path, extend=True)
    assert capsys.readouterr().err.count("is damaged and its task begins anew") == 1
    xr.testing.assert_identical(data_of(tmp_path), run(longer).drop_attrs(deep=False))


def test_a_checkpoint_of_another_configuration_is_an_error(out):
    folder = files(out, "run")[0]
    settings, arrays = read_archive(folder, "run", "isingrl-run-1", "run")
    settings["arguments"]["interval"] = 7
    write_archive(folder, "run", settings, arrays)
    with pytest.raises(StudyError, match=r"1 of 3 tasks raised errors.*\n.*interval = 7, not 1"):
        run_to_folder(Toy(), "toy", out, extend=True)
    assert read_archive(folder, "run", "isingrl-run-1", "run")[0] == settings


def test_a_task_that_finds_damage_every_time_is_told(tmp_path):
    with pytest.raises(StudyError, match=r"1 of 3 .*\n  T = 2: DamagedFileError: no good at 2\n"):
        run_to_folder(Toy(accidents=("damaged",), notes=str(tmp_path)), "toy", tmp_path / "out")
    assert (tmp_path / "notes").read_text().count("\n") == 4


@pytest.mark.parametrize("place", ["number", "setting", "digest"])
def test_any_changed_bit_of_an_archive_is_damage(place, tmp_path):
    arrays = {"a": np.arange(9), "none": np.zeros((2, 0)), "point": np.float64(3)}
    settings = {"format": "f", "seed": 3, "nothing": float("nan")}
    write_archive(tmp_path, "x", settings, arrays)
    read, found = read_archive(tmp_path, "x", "f", "x")
    assert json.dumps(read) == json.dumps(settings)
    assert found.keys() == arrays.keys()
    if place == "number":
        flip(tmp_path / "x.safetensors")
    elif place == "setting":
        text = (tmp_path / "x.json").read_text()
        (tmp_path / "x.json").write_text(text.replace('"seed": 3', '"seed": 7'))
    else:  # of a number that was changed on the way into a file, so that the second file is older
        told = json.loads((tmp_path / "x.json").read_text())
        (tmp_path / "x.json").write_text(json.dumps(told | {"sha256": "0" * 64}))
        assert read_archive(tmp_path, "x", "f", "x")[1].keys() == arrays.keys()
        flip(tmp_path / "x.safetensors")
    with pytest.raises(DamagedFileError, match=r"x\.(json|safetensors) was changed"):
        read_archive(tmp_path, "x", "f", "x")
