"""Keys of tasks: they differ where tasks do, and stay what they were in folders of studies."""

import hashlib
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from studies.coarsening import Coarsening
from studies.command.catalogue import STUDIES
from studies.curve import Curve
from studies.discount import Discount
from studies.running import tasks
from studies.running.runner import run_to_folder
from studies.running.tasks import former_name, jobs
from studies.shared.grids import block_texts, number_texts
from studies.three_dimensions import ThreeDimensions
from tests.studies import toy
from tests.studies.toy import Toy

# of the names and seeds that tasks of the default studies had in folders of release 0.1
FORMER = {
    "battle-chapter": "79f1b6368cf50e8a",
    "battle-paper": "944fff175a51fbf0",
    "battle-temperature": "94c5fc94c987be25",
    "chapter-1d": "65d1d1e6ee241982",
    "chapter-2d": "1b285e2d05f3be36",
    "coarsening": "060d2c980c9eb6ea",
    "critical-point": "8e8ceefdbf77481d",
    "curve": "78ba4053b8ec4dc6",
    "discount": "6f687999fd3d2ad7",
    "domains": "7d1d6bcf231c47fd",
    "glass": "237703e3830327bf",
    "homogenisation": "aa9c684cf5b801d5",
    "lattices": "0e59c5ea052a0a9f",
    "observability": "99ca7ec06b4330f8",
    "paper-ising": "3e1d79e3d1024aa7",
    "potts": "bf2536184abefc7e",
    "scaling-of-inputs": "7dc8347429179636",
    "schedules": "d39da258d41a098f",
    "temperature-map": "19d234fb01b89ce7",
    "three-dimensions": "a3b9faf3641fa3bd",
}


def test_texts_have_six_digits_unless_another_has_the_same():
    assert list(number_texts([0.1, 1 / 3, 2.5e-7, 1e10]).values()) == [
        "0.1", "0.333333", "2.5e-07", "1e+10",
    ]  # fmt: skip
    assert number_texts([2.0000001, 2.0])[2.0] == "2"  # whatever the order
    assert number_texts([2.0000001, 2.0])[2.0000001] == "2.0000001"
    near = np.nextafter(0.3, 1)
    assert len(set(number_texts([0.3, near, 0.3000001]).values())) == 3
    assert block_texts([np.array([1 / 3, 2 / 3]), np.array([1 / 3])]) == [
        "0.333333 … 0.666667", "0.333333 … 0.333333",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "study",
    [
        Curve((8, 8), temperature=(2.0, 3.0, 5, 2.0000001, 3.0000001, 5)),
        Curve((8, 8), temperature=(2.0, 2.0000002, 3), chains=64),
        ThreeDimensions(side=4, reduced_temperature=(0.7, 0.7000001, 40)),
        Coarsening(temperature=(0.5, 0.50000001)),
        Discount(discounts=(0.5, 0.50000001)),
    ],
    ids=["two grids", "one grid", "three dimensions", "coarsening", "discount"],
)
def test_tasks_of_near_numbers_have_keys_of_their_own(study):
    keys = [task.key for task in study.tasks()]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", STUDIES)
def test_former_names_and_seeds_stay(name):
    """`tasks._FORMER_PATHS` and `_LATER_FIELDS` must list what moved and new fields."""
    study = STUDIES[name]()
    lines = [f"{former_name(job)} {job.seed}" for job in jobs(study.tasks(), study.seed)]
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] == FORMER[name]


def made_formerly(folder, made):
    """Give files the names that they had."""
    ledger = folder / "ledger.jsonl"
    for job in made:
        former = former_name(job)
        for suffix in ("", ".safetensors"):
            path = folder / f"{job.name}{suffix}"
            if path.exists():
                path.rename(folder / f"{former}{suffix}")
        ledger.write_text(ledger.read_text().replace(job.name, former))


@pytest.mark.parametrize("formerly", [False, True], ids=["names of now", "former names"])
def test_what_moved_or_has_a_new_field_is_not_done_again(formerly, tmp_path, monkeypatch):
    study, folder = Toy(), tmp_path / "tasks"
    run_to_folder(Toy(sweeps=20), "toy", tmp_path)
    made = jobs(study.tasks(), study.seed)
    (first,) = folder.glob("T-=-2-*.safetensors")
    ledger = folder / "ledger.jsonl"
    lines = [line for line in ledger.read_text().splitlines() if 'T = 2"' not in line]
    ledger.write_text("\n".join(lines) + "\n")  # the first is cut short
    first.unlink()
    if formerly:
        made_formerly(folder, made)
    moved = ModuleType("moved")
    monkeypatch.setitem(sys.modules, "moved", moved)
    source = Path(toy.__file__).read_text(encoding="utf-8")
    exec(source.replace("    seed: int = 1", "    seed: int = 1\n    new: int = 3"), vars(moved))
    monkeypatch.setattr(tasks, "_LATER_FIELDS", {"moved.Toy": {"new"}})
    paths = {f"moved.{name}": f"tests.studies.toy.{name}" for name in ("Toy", "measure")}
    monkeypatch.setattr(tasks, "_FORMER_PATHS", paths)
    began = {path.parents[1] for path in folder.glob("*/run/run.json")}
    run_to_folder(moved.Toy(sweeps=20), "toy", tmp_path)
    entries = [json.loads(line) for line in ledger.read_text().splitlines()]
    ran = {entry["started"]: entry["key"] for entry in entries}
    assert sorted(ran.values()) == ["T = 2", "T = 2.5", "T = 3"]
    assert {path.name for path in folder.glob("T-*")} == {
        f"{job.name}{suffix}" for job in made for suffix in ("", ".safetensors")
    }
    assert len(began) == len(list(folder.glob("*/run/run.json"))) == len(made)
    assert not list(tmp_path.glob("earlier-*"))
