"""The conformance test of studies: ours pass it, and it finds what is broken."""

import dataclasses
import itertools
from dataclasses import dataclass
from typing import ClassVar

import pytest
import xarray as xr
from matplotlib.figure import Figure

from studies.curve import Curve
from studies.observability import Observability
from studies.running.extensions import added, unextended
from studies.running.tasks import Task
from studies.testing import check_study
from studies.three_dimensions import ThreeDimensions

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short

SHORT = {"training_sweeps": 1, "sweeps": 40, "thermalization": 1, "chains": 2}
OURS = {  # the others in tests/soak/test_studies.py
    "curve": (
        Curve((4, 4), temperature=(2.0, 3.0, 2), **SHORT), {"methods": ("heat-bath",)}
    ),
    "observability": (
        Observability((4, 4), (2.0, 3.0, 2), seen=(1, 4), sweeps=40, thermalization=1),
        {"seen": (0,)},
    ),
    "three-dimensions": (
        ThreeDimensions(2, reduced_temperature=(0.6, 1.0, 2), interval=2, **SHORT), {}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OURS)
def test_studies_of_the_package_conform(name):
    check_study(*OURS[name])


COUNTER = itertools.count()


def toss(number, study, *, seed, progress=False):
    return xr.Dataset({"heads": seed % (number + 1)})


def toss_anew(number, study, *, seed, progress=False):
    return xr.Dataset({"heads": next(COUNTER)})


@dataclass(frozen=True)
class Tosses:
    """A study to break, which conforms itself."""

    numbers: tuple[int, ...] = (3, 5)
    seed: int = 1

    extends: ClassVar = {"numbers": added}
    function: ClassVar = staticmethod(toss)

    def tasks(self):
        about = unextended(self)
        return [
            Task(f"{n} coins", self.function, {"number": n, "study": about}) for n in self.numbers
        ]

    def assemble(self, results):
        return xr.concat(results.values(), xr.Variable("number", list(self.numbers)))

    def summarize(self, data):
        return data / data.number

    def plot(self, summary):
        figure = Figure()
        figure.subplots().plot(summary.number, summary.heads)
        return figure


class Dependent(Tosses):
    def tasks(self):
        return [Task(f"{n} coins", toss, {"number": n, "study": self}) for n in self.numbers]


class Anew(Tosses):
    function = staticmethod(toss_anew)


class Hidden(Tosses):
    function = staticmethod(lambda number, study, *, seed, progress=False: xr.Dataset())


class Unsteady(Tosses):
    def tasks(self):
        return [dataclasses.replace(each, key=f"{next(COUNTER)}") for each in super().tasks()]


class Idle(Tosses):
    def tasks(self):
        return []


class Unknown(Tosses):
    extends = {"number": added}  # noqa: RUF012


@dataclass
class Melted(Tosses.__base__):
    seed: int = 1


class Bare(Tosses):
    def plot(self, summary):
        super().plot(summary)


class Lost(Tosses):
    def assemble(self, results):
        return super().assemble(results).assign(heads=("number", [next(COUNTER)] * 2))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Dependent, "no task may depend on numbers"),
        (Anew, "the same seed must give the same data"),
        (Hidden, "must be defined at the top of a module"),
        (Unsteady, "must return the same tasks at every call"),
        (Idle, "must return a task at least"),
        (Unknown, "extends must be a mapping of names of its fields"),
        (Melted, "must be a frozen dataclass"),
        (Bare, "plot must return a Figure; got None"),
        (Lost, "the same seed must give the same data"),
    ],
)
def test_broken_studies_are_found(kind, said):
    with pytest.raises(AssertionError, match=f"{kind.__name__}.*{said}"):
        check_study(kind(), {"numbers": (7,)})


def test_a_study_of_ones_own_conforms():
    check_study(Tosses(), {"numbers": (7,)})
