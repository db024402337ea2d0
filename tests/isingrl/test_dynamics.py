"""What brings an engine of its own is run, measured, kept and gone on with like any rule."""

import numpy as np
import pytest
import xarray as xr

import isingrl as irl
from analysis import thermodynamics

MODEL = irl.Ising(irl.Lattice((4, 6)), 1.0, 0.1)


class Watched:
    """An engine around another one, that measures the sums of its first row too."""

    updates_a_call = 1e4

    def __init__(self, engine, n_chains):
        self.engine, self.n_chains = engine, n_chains
        for name in ("sweep", "spins", "state", "restore"):
            setattr(self, name, getattr(engine, name))

    def record(self, draws, interval):
        parts = []
        for _ in range(draws):
            part = self.engine.record(1, interval)
            spins = [self.engine.spins(chain) for chain in range(self.n_chains)]
            sums = [[int(each[0].sum())] for each in spins]
            parts.append(part | {"first_row": np.array(sums)})
        return {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}


class HeatBathWatched(irl.Dynamics):
    name = "heat-bath-watched"

    def __init__(self, flavour="plain"):
        self.flavour = flavour

    def engine(self, model, temperatures, chains, start, schedule, seed):
        engine = irl.HeatBath().engine(model, temperatures, chains, start, schedule, seed)
        return Watched(engine, len(temperatures) * chains)

    def settings(self):
        return {"flavour": self.flavour}


def run(rule=None, **options):
    rule = HeatBathWatched() if rule is None else rule
    arguments = {"sweeps": 24, "thermalization": 5, "interval": 2, "chains": 3, "seed": 3}
    return irl.simulate(MODEL, rule, [2.0, 3.0], **arguments | options)


def test_what_its_engine_measures_is_a_variable():
    data = run(snapshots=12)
    found = data["first_row"]
    assert found.dims == ("temperature", "chain", "draw")
    assert (found.long_name, found.units) == ("first row per site", "1")
    expected = data["spins"].isel(x=0).sum("y").values / MODEL.lattice.n_sites
    np.testing.assert_allclose(found, expected)
    rest = data.drop_vars("first_row")
    bath = run(irl.HeatBath(), snapshots=12).assign_coords(method=rest["method"])
    xr.testing.assert_equal(rest, bath)
    assert data.attrs["learn"] == 0


def test_thermodynamics_takes_it():
    assert "energy_error" in thermodynamics(run(sweeps=40_000))


def test_it_goes_on_from_checkpoints(tmp_path):
    run(out=tmp_path)
    longer = run(out=tmp_path, sweeps=48)
    xr.testing.assert_identical(longer, run(sweeps=48))
    with pytest.raises(ValueError, match=r"rule\.flavour = plain, not other"):
        run(HeatBathWatched("other"), out=tmp_path)


def test_a_checkpoint_without_what_is_measured_now_goes_on_without_it(tmp_path, monkeypatch):
    """As one of a release that did not measure it yet."""
    with monkeypatch.context() as patch:
        patch.setattr(Watched, "record", lambda self, *about: self.engine.record(*about))
        run(out=tmp_path)
    longer = run(out=tmp_path, sweeps=48)
    xr.testing.assert_identical(longer, run(sweeps=48).drop_vars("first_row"))


def test_temperatures_are_checked_as_those_of_a_rule():
    with pytest.raises(TypeError, match="temperature must be given for HeatBathWatched"):
        irl.simulate(MODEL, HeatBathWatched(), sweeps=1)
    with pytest.raises(ValueError, match="temperature must be"):
        irl.simulate(MODEL, HeatBathWatched(), -1.0, sweeps=1)


@pytest.mark.parametrize("rule", [None, "metropolis", irl.Metropolis, irl.MeanFieldQ()], ids=repr)
def test_other_things_are_refused(rule):
    with pytest.raises(TypeError, match=r"rule must be Metropolis\(\), .*run as Learning\(agent\)"):
        irl.simulate(MODEL, rule, 2.0, sweeps=1)
