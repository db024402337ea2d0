"""The curve study: its tasks, data, summary and figure."""

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from analysis import exact
from studies.curve import Curve
from studies.running.extensions import configuration
from studies.running.runner import run, run_to_folder
from studies.running.tasks import jobs, task_seed

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short

SMALL = Curve(
    shape=(8, 8), temperature=(1.8, 3.2, 5), sweeps=2_000, thermalization=200, chains=4, seed=(3,)
)


@pytest.fixture(scope="module")
def data():
    return run(SMALL)


def test_data_holds_every_method_temperature_chain_and_draw(data):
    assert dict(data.sizes) == {"method": 2, "temperature": 5, "chain": 4, "draw": 2_000}
    assert data["method"].values.tolist() == ["metropolis", "mean-field-q"]
    np.testing.assert_allclose(data["temperature"], np.linspace(1.8, 3.2, 5))
    softmax = data["softmax_temperature"]
    assert np.isnan(softmax.sel({"method": "metropolis"})).all()
    np.testing.assert_allclose(softmax.sel({"method": "mean-field-q"}), data["temperature"])


def test_a_policy_that_was_killed_while_it_was_written_is_learned_again(tmp_path):
    study = replace(SMALL, methods=("mean-field-q",), sweeps=20)
    (job,) = jobs(study.tasks(), study.seed)
    policy = tmp_path / "tasks" / job.name / "policy"
    (policy / ".policy-left").mkdir(parents=True)
    run_to_folder(study, "curve", tmp_path)
    assert sorted(path.name for path in policy.iterdir()) == ["policy.json", "policy.safetensors"]


def test_both_methods_agree_with_the_exact_torus(data):
    summary = SMALL.summarize(data)
    kaufman = exact.torus((8, 8), data["temperature"].values)
    for name in ("energy", "specific_heat"):
        z = (summary[name] - kaufman[name]) / summary[f"{name}_error"]
        assert (abs(z) < 4.5).all(), z.values


def test_independent_agents_are_weiss_and_neighbourhood_agents_exact():
    config = Curve(
        shape=(32, 32), temperature=(2.6, 3.4, 3), methods=("independent-q", "neighborhood-q"),
        sweeps=4_000, thermalization=400, interval=2, chains=4, seed=(5,),
    )  # fmt: skip
    data = run(config)
    assert data["interval"].values.tolist() == [1, 2]
    summary = config.summarize(data)
    temperature = data["temperature"].values
    references = {
        "independent-q": exact.weiss(config.model, temperature),
        "neighborhood-q": exact.torus((32, 32), temperature),
    }
    for method, reference in references.items():
        chosen = summary.sel({"method": method})
        names = ("abs_magnetization", "energy") if method == "independent-q" else ("energy",)
        for name in names:
            z = (chosen[name] - reference[name]) / chosen[f"{name}_error"]
            assert (abs(z) < 4.5).all(), (method, name, z.values)
    labels = [line.get_label() for line in config.plot(summary).axes[0].get_lines()]
    assert any("Weiss" in label for label in labels)


def test_clusters_are_exact_from_random_starts_beside_other_methods():
    config = replace(
        SMALL,
        shape=(16, 16),
        temperature=(1.2, 2.4, 3),
        methods=("wolff", "metropolis", "swendsen-wang"),
        start="random",
    )
    data = run(config)
    assert data["schedule"].values.tolist() == ["clusters", "checkerboard", "clusters"]
    assert data["mean_cluster_size"].isnull().all(
        ("temperature", "chain", "draw")
    ).values.tolist() == [False, True, False]
    summary = config.summarize(data).sel({"method": ["wolff", "swendsen-wang"]})
    known = exact.torus((16, 16), data["temperature"].values)
    for name in ("energy", "specific_heat"):
        z = (summary[name] - known[name]) / summary[f"{name}_error"]
        assert (abs(z) < 4.5).all(), z.values
    # of chains that froze into stripes it would be half as large
    assert (summary["abs_magnetization"].sel(temperature=1.2) > 0.99).all()


def test_tempering_is_exact_from_random_starts_within_each_grid():
    config = replace(
        SMALL,
        temperature=(1.2, 2.0, 5, 2.2, 3.0, 3),
        methods=("metropolis", "wolff", "mean-field-q"),
        start="random",
        tempering=5,
    )
    assert [len(task.arguments["temperature"]) for task in config.tasks()] == 3 * [5, 3]
    data = run(config)
    assert data["method"].values.tolist() == list(config.methods)
    walkers = data["replica"].sel({"method": "metropolis"})
    assert walkers.max("temperature").isel(draw=-1, chain=0) == 4
    assert data["replica"].sel({"method": "wolff"}).isnull().all()
    summary, known = config.summarize(data), exact.torus((8, 8), data["temperature"].values)
    for name in ("energy", "specific_heat"):
        z = (summary[name] - known[name]) / summary[f"{name}_error"]
        assert (abs(z) < 4.5).all(), z.values
    assert (summary["abs_magnetization"].sel(temperature=1.2) > 0.99).all()


def test_methods_have_independent_seeds(data):
    energies = data["energy"].values
    assert not np.array_equal(energies[0], energies[1])
    assert task_seed(1, "a") != task_seed(1, "b") != task_seed(2, "b")


def test_many_temperatures_become_several_tasks_in_order():
    config = Curve(
        shape=(4, 4), temperature=(1.0, 4.0, 40), chains=4, sweeps=40, methods=("heat-bath",)
    )
    assert len(config.tasks()) == 3
    assert sum(task.weight for task in config.tasks()) == 40
    np.testing.assert_allclose(run(config)["temperature"], np.linspace(1.0, 4.0, 40))


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, 2),  # infinite and finite
        ({"shape": (4, 4)}, 2),  # infinite and enumerated
        ({"shape": (3, 5), "boundary": "free"}, 2),
        ({"shape": (30,)}, 1),  # ring
        ({"shape": (4, 4, 4)}, 0),
        ({"shape": (6, 6), "neighborhood": "moore", "temperature": (4.0, 6.5, 3)}, 0),
        ({"temperature": (2.0, 2.0, 1), "methods": ("metropolis",)}, 2),
    ],
)
def test_figure_has_four_labelled_panels(changes, lines):
    settings = configuration(SMALL) | {"sweeps": 100, "thermalization": 10} | changes
    config = Curve(**settings)
    figure = config.plot(config.summarize(run(config)))
    panels = [ax for ax in figure.axes if ax.get_ylabel()]
    labels = " ".join(ax.get_ylabel() for ax in panels)
    for word in ("magnetization", "energy", "susceptibility", "specific heat"):
        assert word in labels
    energy = next(ax for ax in panels if "energy" in ax.get_ylabel())
    assert sum(line.get_label().startswith("exact") for line in energy.get_lines()) == lines


def test_files_are_written_and_read_back(tmp_path, data):
    run_to_folder(SMALL, "curve", tmp_path / "new" / "folder")
    folder = tmp_path / "new" / "folder"
    written = sorted(path.name for path in folder.iterdir())
    assert written == ["config.json", "data.nc", "figure.png", "summary.nc", "tasks"]
    with xr.open_dataset(folder / "data.nc", engine="h5netcdf") as back:
        np.testing.assert_array_equal(back["energy"], data["energy"])
        config = json.loads(back.attrs["config"])
    assert config == json.loads((folder / "config.json").read_text())
    assert config.pop("study") == "curve"
    for name in ("shape", "temperature", "methods", "seed"):
        config[name] = tuple(config[name])
    assert Curve(**config) == SMALL


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"temperature": (float("nan"), 2.0, 3)}, "temperature"),
        ({"temperature": (-1.0, 2.0, 3)}, "temperature"),
        ({"temperature": (1.0, 2.0, 0)}, "temperature"),
        ({"temperature": (2.0, 2.0, 3)}, "temperature"),
        ({"shape": (1, 4)}, "shape"),
        ({"shape": (4, 4, 4, 4)}, "shape"),
        ({"methods": ()}, "methods"),
        ({"methods": ("metropolis", "metropolis")}, "methods"),
        ({"methods": ("kawasaki",)}, "methods"),
        ({"reward": "fame"}, "reward"),
        ({"discount": 1.5}, "discount"),
        ({"shape": (4, 4, 4), "neighborhood": "moore", "methods": ("neighborhood-q",)}, "67,108"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"sweeps": 0}, "sweeps"),
        ({"thermalization": -1}, "thermalization"),
        ({"interval": 3_000}, "interval"),
        ({"chains": 0}, "chains"),
        ({"training_sweeps": 0}, "training_sweeps"),
        ({"start": "sideways"}, "start"),
        ({"schedule": "sometimes"}, "schedule"),
        ({"seed": (-1,)}, "seed"),
        ({"seed": ()}, "seed"),
        ({"seed": (1, 1)}, "seed"),
        ({"seed": 1}, "seed"),
        ({"temperature": (1.0, 2.0)}, "temperature"),
        ({"tempering": -1}, "tempering"),
        ({"tempering": 5, "temperature": (1.0, 1.0, 1)}, "grids of two or more with tempering"),
        ({"tempering": 5, "schedule": "synchronous"}, "schedule"),
        ({"tempering": 5, "discount": 0.5}, "mean-field-q, the discount 0.5"),
        ({"temperature": (1.0, 2.0, 2.5)}, "temperature"),
    ],
)
def test_a_bad_configuration_is_refused_before_any_work(changes, name, tmp_path):
    config = Curve(**(configuration(SMALL) | changes))
    with pytest.raises((TypeError, ValueError), match=name):
        run_to_folder(config, "curve", tmp_path / "out")
    assert not (tmp_path / "out").exists()
