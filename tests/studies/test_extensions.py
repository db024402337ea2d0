"""Every study at its smallest: extended, gone on with, and read from disk piece by piece."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from isingrl.engines.lanes import LaneEngine
from isingrl.engines.learning import LearningEngine
from isingrl.engines.sites import SiteEngine
from studies import critical_point, homogenisation, lattices, paper_ising
from studies._homogenisation_figure import critical_temperature
from studies.chapter_1d import Chapter1D
from studies.chapter_2d import Chapter2D
from studies.coarsening import Coarsening
from studies.command.catalogue import STUDIES
from studies.critical_point import CriticalPoint
from studies.curve import Curve
from studies.discount import Discount
from studies.domains import Domains
from studies.glass import Glass
from studies.homogenisation import Homogenisation
from studies.lattices import Lattices
from studies.observability import Observability
from studies.paper_ising import PaperIsing
from studies.potts import Potts
from studies.running import results
from studies.running.executors import InProcess
from studies.running.extensions import joined
from studies.running.ledger import result_path
from studies.running.progress import Display
from studies.running.results import read_result
from studies.running.runner import complete, joined_data
from studies.running.tasks import Job
from studies.scaling_of_inputs import ScalingOfInputs
from studies.schedules import Schedules
from studies.shared import trained_policies
from studies.shared.critical import KINDS
from studies.temperature_map import TemperatureMap
from studies.three_dimensions import ThreeDimensions
from tests.studies.brief import BriefChapter, BriefPaper, BriefTemperature

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short


ONE = {"map_size": 8, "team_size": 1}
SHORT = {"training_sweeps": 1, "sweeps": 10, "thermalization": 1, "chains": 2}
# configurations, and what is added to them in turn: unsorted, and every field once
TINY: dict[str, tuple[Any, list[dict[str, Any]]]] = {
    "battle-chapter": (BriefChapter(chapter_games=1, games=1, contest_games=1, **ONE), []),
    "battle-paper": (
        BriefPaper(
            methods=("mean-field-q", "actor-critic"), trainings=2, games=2, contest_games=2,
            side_by_side=2, **ONE,
        ),
        [{"methods": ("independent-q",)}],
    ),
    "battle-temperature": (
        BriefTemperature(
            teams=("mean-field-q", "independent-q"), trainings=2, games=2, contest_games=2,
            softmax_temperature=(0.01, 1.0, 2), side_by_side=2, **ONE,
        ),
        [{"teams": ("mean-field-q-of-mate",)}],
    ),
    "chapter-1d": (Chapter1D(n_sites=3, epochs=2, chains=2), []),
    "chapter-2d": (Chapter2D(side=3, epochs=2, long_epochs=3, chains=2), []),
    "coarsening": (
        Coarsening(
            side=32, temperature=(1.8,), sweeps=10, window=(1, 10), long_window=(1, 10), chains=2,
            training_side=4, training_sweeps=1,
        ),
        [{"temperature": (1.5,)}],
    ),
    "critical-point": (
        CriticalPoint(
            lattices=("square",), sizes=(4, 6, 8, 10, 12), cubic_sizes=(4, 6, 8, 10, 12),
            draws=60, cluster_draws=60, training_sweeps=50,
        ),
        [{"sizes": (2,), "cubic_sizes": (2,)}, {"lattices": ("cubic",)}],
    ),
    "curve": (
        Curve(shape=(4, 4), temperature=(2.0, 3.0, 2), **SHORT),
        [
            {"temperature": (2.5, 2.5, 1)}, {"methods": ("heat-bath",)}, {"seed": (2,)},
            {"sweeps": 20},
        ],
    ),
    "discount": (
        Discount(
            shape=(4, 4), softmax_temperature=(2.0, 3.0, 2), discounts=(0.5,),
            **SHORT | {"training_sweeps": 2},
        ),
        [{"discounts": (0.0,)}],
    ),
    "domains": (
        Domains(
            side=4, temperature=(2.0, 3.0, 2), sizes=(4, 6, 8), snapshots=20, relaxation_times=1.0,
            training_sweeps=1,
        ),
        [{"sizes": (2,)}],
    ),
    "glass": (
        Glass(
            sizes=(4, 3), cubic_sizes=(4, 3), realisations=2, temperature=(1.0, 2.0, 2),
            cubic_temperature=(1.0, 2.0, 2), sweeps=400, shown=(1.0, 1.0), counted=1,
            agents_sides=(4, 3), agents_realisations=2, training_sweeps=100, agents_sweeps=20,
        ),
        [{"sizes": (5,)}, {"cubic_sizes": (5,)}, {"realisations": 3}],
    ),
    "homogenisation": (
        Homogenisation(
            shown=(9.0,), ratios=(2.0,), side=8, temperature=(2.0, 3.0, 2), sizes=(4, 6, 8, 10),
            draws=60, training_sweeps=200, sweeps=200, thermalization=400,
            shell_temperature=(4.7, 5.6, 2), shares=(0.95,), realizations=2,
            bond_temperature=(1.0, 2.0, 2),
        ),
        [
            {"shown": (3.0,)}, {"ratios": (1.0,)}, {"sizes": (2,)}, {"shares": (0.5,)},
            {"realizations": 3},
        ],
    ),
    "lattices": (
        Lattices(
            lattices=("square",), sizes=(4, 6, 8, 10), cubic_sizes=(4, 6, 8, 10), draws=60,
            training_sweeps=50, independent_sides=(8, 4), sweeps=200, thermalization=400, chains=2,
        ),
        [{"sizes": (2,), "cubic_sizes": (2,)}, {"lattices": ("cubic",)}],
    ),
    "observability": (
        Observability(
            shape=(4, 4), temperature=(2.0, 3.0, 2), seen=(1, 4), sweeps=10, thermalization=1
        ),
        [{"seen": (0,)}, {"sweeps": 20}],
    ),
    "paper-ising": (
        PaperIsing(
            side=3, large_side=4, softmax_temperature=(0.65, 2.2, 6), steps=200, large_steps=200,
            chains=2, error_tau=(1.0,), picture_tau=(1.0,),
        ),
        [],
    ),
    "potts": (
        Potts(
            states=(3, 5), side=4, reduced_temperatures=(0.8, 0.9, 1.1, 1.2), training_sweeps=200,
            sweeps=80, sizes=(4, 6, 8, 10), draws=60, updates=1.0, energy_side=4, energy_sweeps=80,
            phase_side=4, phase_sweeps=80, independent_side=8, memory=2.0, memories=40, steps=2,
            step=0.1, curve_points=4,
        ),
        [{"sizes": (2,)}, {"states": (2,)}],
    ),
    "scaling-of-inputs": (
        ScalingOfInputs(largest=100, agents_by_neighbors=27, seconds=1e-6), []
    ),
    "schedules": (
        Schedules(
            shape=(4, 4), reduced_temperature=(1.0, 1.2, 2), neighborhoods=("moore",),
            methods=("mean-field-q",), schedules=("synchronous",), interval=1, **SHORT,
        ),
        [
            {"neighborhoods": ("von_neumann",)}, {"methods": ("heat-bath",)},
            {"schedules": ("sequential",)},
        ],
    ),
    "temperature-map": (
        TemperatureMap(
            shape=(4, 4), ring=8, rewards=("mean",), reduced_temperature=(0.8, 1.6, 2),
            network_training_sweeps=2, **SHORT | {"sweeps": 20},
        ),
        [{"rewards": ("chapter-1d",)}],
    ),
    "three-dimensions": (
        ThreeDimensions(side=2, reduced_temperature=(0.6, 1.0, 2), interval=2, **SHORT),
        [{"sweeps": 20}],
    ),
}  # fmt: skip


@dataclass
class Whole:
    """A study that was run with everything from the start."""

    name: str
    study: Any
    folder: Path
    jobs: dict[str, Job]
    data: xr.Dataset


@pytest.fixture(scope="module", autouse=True)
def _known_critical_temperatures():
    """What finds them would take longer than all the rest."""

    def known(lattice, *_):
        return KINDS[lattice].critical_temperature

    with pytest.MonkeyPatch.context() as patch:
        for module in (critical_point, lattices):
            patch.setattr(module, "rough_critical_temperature", known)
        patch.setattr(
            homogenisation,
            "rough_critical_temperature",
            lambda _, ratio, method: critical_temperature(method, ratio),
        )
        patch.setattr(paper_ising, "_places", lambda _: dict.fromkeys(paper_ising._PLACES, 0.0))
        yield


IN_SOAK = {"glass", "homogenisation"}
"""Studies of many parts, which take a twentieth of all tests."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=pytest.mark.soak) if name in IN_SOAK else name for name in TINY
    ],
)
def whole(request, tmp_path_factory):
    study, steps = TINY[request.param]
    for step in steps:
        study = joined(study, replace(study, **step))
    folder = tmp_path_factory.mktemp(request.param)
    done = finish(study, folder)
    return Whole(request.param, study, folder, done[0], numbers(study, done).load())


def finish(study, folder):
    with Display(type(study).__name__, folder, shown=False) as display:
        return complete(study, folder, InProcess(), display)


def numbers(study, done):
    """All data of a study but times, which differ from run to run."""
    data = joined_data(study, done)
    return data.drop_vars("seconds") if isinstance(study, ScalingOfInputs) else data


def ran(folder):
    """Keys of the tasks that were run, every time that they were."""
    lines = (folder / "ledger.jsonl").read_text().splitlines()
    return [json.loads(line)["key"] for line in lines]


def names(done):
    """Names of the files of each task, by key."""
    return {key: job.name for key, job in done[0].items()}


def test_the_table_holds_every_study():
    assert TINY.keys() == STUDIES.keys()
    for name, (study, steps) in TINY.items():
        assert isinstance(study, STUDIES[name])
        assert {field for step in steps for field in step} == study.extends.keys(), name


def test_an_extended_study_is_that_with_everything_from_the_start(whole, tmp_path):
    study, steps = TINY[whole.name]
    done = finish(study, tmp_path)
    for step in steps:
        before, known = ran(tmp_path), names(done)
        study = joined(study, replace(study, **step))
        done = finish(study, tmp_path)
        assert known.items() <= names(done).items()
        new = ran(tmp_path)[len(before) :]
        assert len(set(new)) == len(new) > 0
        # nothing is run twice, but what has to be longer goes on
        assert set(new) == (known.keys() if "sweeps" in step else done[0].keys() - known.keys())
    assert study == whole.study
    xr.testing.assert_identical(numbers(study, done).load(), whole.data)


def test_results_that_stay_on_disk_give_the_same_data(whole, monkeypatch):
    before = ran(whole.folder)
    monkeypatch.setattr(results, "LAZY_BYTES", 0)
    done = finish(whole.study, whole.folder)
    assert ran(whole.folder) == before
    assert read_result(done[1].result(next(iter(done[0].values())))).chunks
    xr.testing.assert_identical(numbers(whole.study, done).load(), whole.data)


def test_long_tasks_go_on_where_they_were(whole, monkeypatch):
    """Within: those that were at their end neither train nor sweep again."""

    def refuse(*_, **__):
        raise AssertionError("it was done before")

    for engine in (LaneEngine, SiteEngine, LearningEngine):
        monkeypatch.setattr(engine, "sweep", refuse)
        monkeypatch.setattr(engine, "record", refuse)
    monkeypatch.setattr(trained_policies, "train", refuse)
    for job in whole.jobs.values():
        task = job.task
        if task.resumable:
            options = {} if task.sweeps is None else {"sweeps": task.sweeps}
            again = task.function(
                **task.arguments, **options, folder=whole.folder / job.name, seed=job.seed
            )
            known = read_result(result_path(whole.folder, job))
            xr.testing.assert_identical(again, known)
