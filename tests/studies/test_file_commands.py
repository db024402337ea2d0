"""The commands status, show and rerun, formats of files, and files of earlier releases."""

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from studies.command import file_commands
from studies.command.file_commands import compare
from studies.command.main import main
from studies.running.files import open_dataset, write_dataset
from studies.running.progress import Status, describe
from studies.running.results import read_result, write_result
from studies.running.runner import StudyError
from tests.studies.outcomes import ends

pytestmark = pytest.mark.usefixtures("_toy_command")

FIXTURE = Path(__file__).parent / "data" / "curve-0.1"
TOY = ["toy", "--workers", "1", "--out"]


def test_status_tells_of_a_finished_study(toy_folder, capsys):
    main(["status", str(toy_folder)])
    said = capsys.readouterr().out
    assert said.startswith("toy: finished")
    assert "3 of 3 tasks done, 0 running, 0 failed" in said


def test_status_of_a_study_that_died_is_told_from_one_that_runs():
    status = Status("curve", tasks=10, done=4, weight=20, weight_done=10, seconds=30.0)
    about = {"key": "T = 3", "error": "ValueError: no", "arguments": "measure(seed=1)"}
    status.running, status.failures = ["T = 2"], [about]
    alive, dead = ("\n".join(describe(status, alive)) for alive in (True, False))
    assert "running, process" in alive
    assert "about 00:30 left" in alive
    assert "running: T = 2" in alive
    assert "dead, last heard of" in dead
    assert "running: T = 2" not in dead
    assert "failed: T = 3: ValueError: no" in dead


@pytest.mark.parametrize("what", ["folder", "data.nc", "summary.nc"])
def test_show_prints_the_summary_and_draws_the_figure_again(what, toy_folder, tmp_path, capsys):
    folder = shutil.copytree(toy_folder, tmp_path / "copy")
    before = (folder / "figure.png").read_bytes()
    (folder / "figure.png").unlink()
    main(["show", str(folder if what == "folder" else folder / what)])
    said = capsys.readouterr().out
    assert "energy" in said
    assert "isingrl 0.1.0" in said
    assert (folder / "figure.png").read_bytes() == before
    main(["show", str(folder / "data.nc"), "--figure", str(tmp_path / "other.png")])
    assert (tmp_path / "other.png").read_bytes() == before


@pytest.mark.parametrize("name", ["data.nc", "summary.nc"])
def test_rerun_reproduces_a_file_from_its_own_attributes(name, toy_folder, tmp_path, capsys):
    lonely = shutil.copy(toy_folder / name, tmp_path)
    main(["rerun", str(lonely), "--workers", "1"])
    assert "is reproduced: all of its" in capsys.readouterr().out


def test_rerun_tells_of_numbers_that_differ(toy_folder, tmp_path, capsys):
    with open_dataset(toy_folder / "data.nc") as data:
        changed = data.load()
    changed["energy"][1, 1, 7] += 0.5
    write_dataset(changed, tmp_path / "data.nc")
    said = ends(capsys, ["rerun", str(tmp_path / "data.nc"), "--workers", "1"], 1).out
    assert "energy: 1 of 240 values differ, by up to 0.5" in said


def test_a_rerun_that_cannot_finish_is_told(toy_folder, capsys, monkeypatch):
    def unfinished(*_, **__):
        raise StudyError("2 of 2 tasks raised errors")

    monkeypatch.setattr(file_commands, "run_to_folder", unfinished)
    said = ends(capsys, ["rerun", str(toy_folder / "data.nc")], 1).err
    assert said == "isingrl rerun: 2 of 2 tasks raised errors\n"


def test_compare_knows_nan_shapes_and_names():
    one = xr.Dataset({"a": ("x", [1.0, np.nan]), "b": 1, "c": ("x", ["u", "v"])})
    assert compare(one, one.copy(deep=True)) == []
    other = one.assign(a=("x", [1.0, 2.0]), c=("x", ["u", "w"])).drop_vars("b")
    lines = compare(one, other)
    assert [line.split(":")[0] for line in lines] == ["a", "b", "c"]
    assert compare(one, one.isel(x=[0]))[0] == "a: {'x': 2} against {'x': 1}"


def test_zarr_holds_the_same_as_netcdf(toy_folder, tmp_path, capsys):
    folder = tmp_path / "zarr"
    for _ in range(2):  # the second replaces the first
        main([*TOY, str(folder), "--format", "zarr"])
    for name in ("data", "summary"):
        path = folder / f"{name}.zarr"
        with open_dataset(path) as data, open_dataset(toy_folder / f"{name}.nc") as same:
            assert compare(data, same) == []
        with open_dataset(path, group="provenance") as tasks:
            assert tasks.sizes["task"] == 3
    assert {path.name for path in folder.iterdir()} == {
        "config.json", "data.zarr", "figure.png", "summary.zarr", "tasks",
    }  # fmt: skip
    main(["show", str(folder)])
    main(["show", str(folder / "summary.zarr")])
    main(["rerun", str(folder / "data.zarr"), "--workers", "1"])
    assert "is reproduced" in capsys.readouterr().out


@pytest.fixture(scope="module")
def curve(tmp_path_factory):
    """Folder of a curve, finished."""
    folder = tmp_path_factory.mktemp("curve")
    main(
        ["curve", "--shape", "4", "4", "--temperature", "2", "3", "2", "--sweeps", "4000",
         "--workers", "1", "--out", str(folder)]
    )  # fmt: skip
    return folder


def test_extend_adds_to_what_is_there(curve, tmp_path, capsys):
    folder = shutil.copytree(curve, tmp_path / "extended")
    main(
        ["curve", "--extend", "--temperature", "2.5", "2.5", "1", "--methods", "heat-bath",
         "--seed", "2", "--sweeps", "5000", "--workers", "1", "--out", str(folder)]
    )  # fmt: skip
    config = json.loads((folder / "config.json").read_text())
    assert config["temperature"] == [2.0, 3.0, 2, 2.5, 2.5, 1]
    assert config["methods"] == ["metropolis", "mean-field-q", "heat-bath"]
    assert (config["seed"], config["sweeps"], config["shape"]) == ([1, 2], 5000, [4, 4])
    with open_dataset(folder / "data.nc") as data, open_dataset(curve / "data.nc") as before:
        sizes = {"method": 3, "temperature": 3, "chain": 4, "draw": 5000}
        assert dict(data.sizes) == sizes
        part = data.isel(method=[0, 1], temperature=[0, 2], chain=[0, 1], draw=slice(4000))
        np.testing.assert_array_equal(part["energy"], before["energy"])
        assert data["seed"].values.tolist() == [1, 1, 2, 2]
    main(["rerun", str(folder / "data.nc"), "--workers", "1"])
    assert "is reproduced" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["status", "{}"], "folder must be that of a study"),
        (["show", "{}"], "file must be data, a summary, or a folder that holds them"),
        (["show", "{}/nothing.nc"], "there is no"),
        (["show", "{}/text.nc"], "file must be a netCDF file"),
        (["show", "{}/foreign.nc"], "file must be one that a study wrote"),
        (["rerun", "{}/foreign.nc"], "file must be one that a study wrote"),
        (["rerun", "{}/cut.nc"], "file must be a netCDF file"),
        (["rerun"], "FOLDER|PATH|file"),
        (["curve", "--extend", "--out", "{}"], "out must hold a study"),
        (["curve", "--workers", "0", "--out", "{}/new"], "workers"),
        (["curve", "--format", "csv"], "format"),
        (["curve", "--scheduler", "here", "--out", "{}/new"], "scheduler"),
        (["waltz"], "waltz"),
        (["curve", "--shape", "1", "4"], "shape"),
        (["curve", "--shape", "a"], "shape"),
        (["curve", "--shape"], "shape"),
        (["curve", "--temperature", "-1", "3", "4"], "temperature"),
        (["curve", "--methods", "kawasaki"], "methods"),
        (["curve", "--sweeps", "0"], "sweeps"),
        (["curve", "--colour", "red"], "--colour"),
        (["curve", "--out", "/dev/null/nowhere"], "out"),
    ],
)
def test_bad_input_ends_with_one_line_and_code_2(
    options, message, toy_folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.nc").write_text("no netCDF")
    xr.Dataset({"a": 1}).to_netcdf(tmp_path / "foreign.nc", engine="h5netcdf")
    content = (toy_folder / "data.nc").read_bytes()
    (tmp_path / "cut.nc").write_bytes(content[: len(content) // 2])
    error = ends(capsys, [option.format(tmp_path) for option in options]).err
    assert any(each in error for each in message.split("|")), error
    assert error.count("\n") == 1
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["curve", "--chains", "3"], "chains was 2, and cannot become 3"),
        (["curve", "--sweeps", "10"], "can only add to sweeps, 4,000; got 10"),
        (["discount"], "out must hold a study discount"),
    ],
)
def test_extend_refuses_what_it_cannot_add_to(words, message, curve, capsys):
    assert message in ends(capsys, [*words, "--extend", "--out", str(curve)]).err


def test_files_of_this_release_stay_readable(tmp_path, capsys):
    """Small files as 0.1 wrote them: they are shown, and their numbers come out again."""
    main(["show", str(FIXTURE / "data.nc"), "--figure", str(tmp_path / "figure.png")])
    with open_dataset(FIXTURE / "data.nc") as data:
        assert dict(data.sizes) == {"method": 2, "temperature": 2, "chain": 2, "draw": 50}
        assert data["energy"].attrs == {"long_name": "energy per site", "units": "J"}
    with open_dataset(FIXTURE / "summary.nc") as summary:
        assert "binder_cumulant_error" in summary
    with open_dataset(FIXTURE / "data.nc", group="provenance") as tasks:
        assert tasks["seconds"].dims == ("task",)
    said = capsys.readouterr().out
    assert "abs_magnetization" in said
    assert "binder_cumulant" in said


def test_results_of_tasks_come_back_as_they_were(tmp_path, monkeypatch):
    data = xr.Dataset(
        {
            "spins": (("x", "y"), np.ones((3, 4), np.int8)),
            "flags": ("x", [True, False, True]),
            "names": ("x", ["a", "βγ", ""]),
            "number": 3.5,
            "empty": (("x", "none"), np.zeros((3, 0))),
        },
        coords={"x": [1, 2, 4], "label": "one", "point": ("y", np.arange(4.0))},
        attrs={"shape": [3, 4], "text": "τ", "number": 1.25},
    )
    data["number"].attrs["units"] = "J"
    data = data.assign_coords(free=("z", [1.0, 2.0])).assign_coords(z=[5, 6]).drop_indexes("z")
    write_result(data, tmp_path / "one")
    back = read_result(tmp_path / "one")
    xr.testing.assert_identical(back, data)
    assert not back.chunks
    assert list(back.indexes) == list(data.indexes)
    monkeypatch.setattr("studies.running.results.LAZY_BYTES", 0)
    lazy = read_result(tmp_path / "one")
    assert lazy["spins"].chunks
    xr.testing.assert_identical(lazy.load(), data)
    for content in (b"", b"no result", (tmp_path / "one").read_bytes()[:50]):
        (tmp_path / "bad").write_bytes(content)
        with pytest.raises(ValueError, match="path must be the result of a task"):
            read_result(tmp_path / "bad")
    with pytest.raises(TypeError, match="numbers or text"):
        write_result(xr.Dataset({"when": np.datetime64("2026-01-01", "ns")}), tmp_path / "two")
    assert not (tmp_path / "two").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused(tmp_path, capsys):
    tmp_path.chmod(0o500)
    said = ends(capsys, [*TOY, str(tmp_path / "out")]).err
    assert "out must be a folder that can be written to" in said


def test_zarr_without_zarr_is_told(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    assert "isingrl[cluster]" in ends(capsys, [*TOY, str(tmp_path), "--format", "zarr"]).err
