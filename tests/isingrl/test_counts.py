"""Counts may be written as 1e4, and come out as 10000, wherever one comes in."""

import dataclasses

import numpy as np
import pytest

import isingrl as irl
from analysis import errors, exact
from isingrl.support.validation import check_integer
from studies.chapter_2d import Chapter2D
from studies.command.study_command import _parse
from studies.curve import Curve
from studies.running.extensions import configuration, with_counts

MODEL = irl.Ising(irl.Lattice((4, 4)))
KINDS = [float, np.float32, np.float64, np.int64, np.uint8]


@pytest.mark.parametrize("kind", KINDS)
def test_runs(kind, tmp_path):
    counts = {
        "sweeps": 40, "thermalization": 10, "interval": 2, "chains": 2, "snapshots": 2, "seed": 1
    }  # fmt: skip
    whole = irl.simulate(MODEL, irl.HeatBath(), 2.0, **counts, out=tmp_path)
    given = {name: kind(value) for name, value in counts.items()}
    again = irl.simulate(MODEL, irl.HeatBath(), 2.0, **given, out=tmp_path)
    assert again.identical(whole)
    assert type(again.attrs["sweeps"]) is type(again.attrs["thermalization"]) is int
    given["snapshots"] = [kind(0), kind(4)]
    assert irl.simulate(MODEL, irl.HeatBath(), 2.0, **given).sweep.values.tolist() == [0, 4]


@pytest.mark.parametrize("kind", KINDS)
def test_trainings(kind):
    counts = {"sweeps": 20, "chains": 2, "snapshots": 2, "seed": 1}
    agent = {"inner_iterations": 2, "target_interval": 3, "replay": 9, "batch_size": 4}
    whole = irl.train(MODEL, irl.MeanFieldQ(discount=0.5, **agent), 2.0, **counts)
    given = ({name: kind(value) for name, value in each.items()} for each in (agent, counts))
    agent, counts = given
    again = irl.train(MODEL, irl.MeanFieldQ(discount=0.5, **agent), 2.0, **counts)
    assert again.q_values.identical(whole.q_values)
    assert again.describe() == whole.describe()


def test_lattices_and_analysis():
    assert irl.Lattice((4.0, 1e1)) == irl.Lattice((4, 10))
    assert exact.ring(1e1, 2.0).identical(exact.ring(10, 2.0))
    data = irl.simulate(MODEL, irl.HeatBath(), 2.0, sweeps=500, chains=8, seed=1)
    first, second = (
        errors.bootstrap(data, lambda d: d.energy.mean(["chain", "draw"]), n_resamples=n, seed=seed)
        for n, seed in ((20, 1), (2e1, 1.0))
    )
    assert first.identical(second)


def test_studies():
    given = Curve(sweeps=1e4, chains=2.0, temperature=(2.0, 3.0, 5.0))
    taken = with_counts(given)
    assert (taken.sweeps, taken.chains) == (10_000, 2)
    assert type(taken.sweeps) is type(taken.chains) is int
    assert configuration(with_counts(Curve())) == configuration(Curve())
    assert [task.key for task in taken.tasks()] == [
        task.key for task in Curve(temperature=(2.0, 3.0, 5)).tasks()
    ]
    assert with_counts(Chapter2D(tau=2.0, epochs=1e1)).epochs == 10
    assert with_counts(Chapter2D(discount=1.0)).discount == 1.0
    for field in dataclasses.fields(Chapter2D):
        before, after = (
            getattr(each, field.name) for each in (Chapter2D(), with_counts(Chapter2D()))
        )
        assert type(before) is type(after)


def test_options_of_the_command(tmp_path, capsys):
    folder = tmp_path / "1e4"
    options = ["--sweeps", "1e4", "--chains", "4", "--shape", "8", "1.6e1", "--out", str(folder)]
    config, chosen = _parse("curve", options)
    assert (config.sweeps, config.chains, config.shape) == (10_000, 4, (8, 16))
    assert type(config.sweeps) is int
    assert chosen.out == folder
    for wrong in ("1.5", "1e-4", "inf", "many"):
        with pytest.raises(SystemExit):
            _parse("curve", ["--sweeps", wrong])
        assert "sweeps" in capsys.readouterr().err


@pytest.mark.parametrize(
    "value", [1.5, np.float32(1.5), np.nan, np.inf, True, np.True_, 1.0 + 0j, "1e4", [1], None]
)
def test_what_is_no_count(value):
    with pytest.raises(TypeError, match=r"sweeps must be an integer of at least 1; got "):
        check_integer("sweeps", value, 1)
