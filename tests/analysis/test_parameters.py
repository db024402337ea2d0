"""What runs were made with survives what users do to Datasets, or an error says that it did not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import xarray as xr

import isingrl as irl
from analysis import exact, thermodynamics
from analysis._parameters import Shown, parameter, sweeps_between_draws
from tests.statistical import Z_LIMIT

TEMPERATURE = 2.4
pytestmark = [
    pytest.mark.filterwarnings("ignore:In a future version of xarray:FutureWarning"),
    pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning"),  # the runs are short
]


@pytest.fixture(scope="module", params=[False, True], ids=["defaults", "new-defaults"])
def defaults(request: pytest.FixtureRequest) -> Iterator[None]:
    """How xarray joins Datasets today, and as it will."""
    with xr.set_options(use_new_combine_kwarg_defaults=request.param):
        yield


def run(side: int = 8, *, interval: int = 1, seed: int = 1, **options: object) -> xr.Dataset:
    field = options.pop("field", 0.0)
    model = irl.Ising(irl.Lattice((side, side)), field=field)
    return irl.simulate(
        model, irl.HeatBath(), TEMPERATURE, sweeps=1000 * interval, thermalization=100,
        interval=interval, chains=2, seed=seed, **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def runs() -> dict[str, xr.Dataset]:
    return {
        "small": run(4),
        "large": run(8),
        "thin": run(8, interval=10, seed=2),
        "field": run(8, field=0.2),
    }


JOINS = {
    "concat": lambda data: xr.concat(data, "run"),
    "concat-index": lambda data: xr.concat(data, xr.Variable("run", [4, 8])),
    "nested": lambda data: xr.combine_nested(data, "run"),
    "chain": lambda data: xr.concat(data, "chain"),
    "temperature": lambda data: xr.concat(
        [data[0], data[1].assign_coords(temperature=[3.0])], "temperature"
    ),
}


def right_or_refused(
    joined: Callable[[], xr.Dataset], parts: list[xr.Dataset], names: tuple[str, ...]
) -> bool:
    """Whether observables of joined runs are those of each by itself, unless there is an error."""
    try:
        found = thermodynamics(joined())
    except ValueError:  # of xarray, or of the analysis
        return False
    for k, part in enumerate(parts):
        expected = thermodynamics(part)
        for name in names:
            own = found[name].isel(run=k) if "run" in found.dims else found[name]
            np.testing.assert_allclose(own.values.ravel(), expected[name].values, rtol=1e-12)
    return True


@pytest.mark.parametrize("join", ["concat", "concat-index", "nested"])
@pytest.mark.parametrize("pair", [("small", "large"), ("large", "small")], ids="-".join)
def test_sizes_side_by_side(pair, join, runs, defaults):
    parts = [runs[name] for name in pair]
    names = ("specific_heat", "specific_heat_error", "susceptibility", "susceptibility_disordered")
    done = right_or_refused(lambda: JOINS[join](parts), parts, names)
    assert done != xr.get_options()["use_new_combine_kwarg_defaults"]


@pytest.mark.parametrize("join", ["chain", "temperature"])
@pytest.mark.parametrize("pair", [("small", "large"), ("large", "small")], ids="-".join)
def test_sizes_are_no_chains_nor_temperatures_of_one_run(pair, join, runs, defaults):
    data = JOINS[join]([runs[name] for name in pair])
    if "temperature" in parameter(data, "n_sites").dims:
        return  # each temperature has its own, which is used
    with pytest.raises(ValueError, match="n_sites"):
        thermodynamics(data)


@pytest.mark.parametrize("pair", [("large", "thin"), ("thin", "large")], ids="-".join)
def test_intervals_side_by_side_are_refused_until_draws_are_numbered(pair, runs, defaults):
    parts = [runs[name] for name in pair]
    assert not right_or_refused(lambda: xr.concat(parts, "run"), parts, ())
    numbered = [
        part.assign_coords(draw=range(part.sizes["draw"]), interval=part.draw.attrs["interval"])
        for part in parts
    ]
    joined = xr.concat(numbered, "run", coords="different", compat="equals", join="exact")
    assert right_or_refused(lambda: joined, parts, ("autocorrelation_time", "energy_error"))


@pytest.mark.parametrize("name", ["large", "thin"])
def test_thinned_runs_have_the_same_times(name, runs):
    whole = runs[name]
    part = whole.isel(draw=slice(1, None, 2))
    template = xr.DataArray(np.zeros(1), dims="temperature")
    interval = 10 if name == "thin" else 1
    assert sweeps_between_draws(whole, template) == interval
    assert sweeps_between_draws(part, template) == 2 * interval
    # as in files of earlier versions, with numbered draws
    former = whole.drop_vars("interval", errors="ignore").assign_attrs(interval=interval)
    former = former.assign_coords(draw=range(whole.sizes["draw"]))
    assert sweeps_between_draws(former, template) == interval
    assert sweeps_between_draws(former.isel(draw=slice(1, None, 2)), template) == 2 * interval
    assert sweeps_between_draws(former.drop_vars("draw"), template) == interval


def test_times_of_thinned_runs_are_in_sweeps():
    model = irl.Ising(irl.Lattice((16, 16)))
    data = irl.simulate(
        model, irl.Metropolis(), 2.4, sweeps=20_000, thermalization=500, chains=4, seed=3
    )
    found = [thermodynamics(data.isel(draw=slice(None, None, step))) for step in (1, 5)]
    tau, thinned = (each.autocorrelation_time.item() for each in found)
    error = np.hypot(*(each.autocorrelation_time_error.item() for each in found))
    assert tau > 15
    assert abs(tau - thinned) < Z_LIMIT * error


def test_draws_that_are_no_series_in_time_are_refused(runs):
    data = runs["large"]
    for order in (data.isel(draw=slice(None, None, -1)), xr.concat([data, data], "draw")):
        with pytest.raises(ValueError, match="'draw' must ascend by even steps"):
            thermodynamics(order)
    halves = [data.isel(draw=slice(500)), data.isel(draw=slice(500, None))]
    joined = thermodynamics(xr.concat(halves, "draw"))
    xr.testing.assert_identical(joined, thermodynamics(data))
    with pytest.raises(ValueError, match="'draw' says that draws lie 1 sweeps apart"):
        thermodynamics(data.assign_coords(interval=10))


def check_number_of_sites(magnetization: np.ndarray, n_sites: float) -> None:
    """Where nothing is known of the energies."""
    unknown = np.array(np.nan)
    shown = Shown(np.array(n_sites), unknown, unknown, unknown)
    shown.check((), np.zeros_like(magnetization), magnetization, "here")


def test_a_number_of_sites_that_the_magnetizations_contradict():
    rng = np.random.default_rng(4)
    for n_sites in (9, 16, 64, 1000):
        series = 1 - 2 * rng.integers(0, n_sites + 1, (2, 2000)) / n_sites
        for m in (series, abs(series)):
            check_number_of_sites(m, n_sites)
            for wrong in (4 * n_sites, n_sites + 1, n_sites / 4):
                with pytest.raises(ValueError, match=f"magnetizations there fit {n_sites}"):
                    check_number_of_sites(m, wrong)
    # neither few values, nor numbers that are no means of spins, say anything
    check_number_of_sites(np.array([[1.0, -1.0] * 500]), 64)
    check_number_of_sites(rng.normal(size=(2, 500)), 64)
    check_number_of_sites(rng.random((2, 500)), 64)


MODELS = {
    "square": irl.Ising(irl.Lattice((4, 4))),
    "field": irl.Ising(irl.Lattice((4, 4)), coupling=0.7, field=0.31),
    "free": irl.Ising(irl.Lattice((3, 5), boundary="free"), field=-0.2),
    "moore": irl.Ising(irl.Lattice((4, 6), neighborhood="moore"), coupling=-1.0, field=0.5),
    "honeycomb": irl.Ising(irl.Lattice((4, 6), "honeycomb"), coupling=0.7, field=0.3),
    "cubic": irl.Ising(irl.Lattice((2, 3, 4)), coupling=1e-3, field=1.0),
    "ring": irl.Ising(irl.Lattice(9), coupling=1e3, field=1e-3),
    "no coupling": irl.Ising(irl.Lattice(9), coupling=0.0, field=0.4),
    "large": irl.Ising(irl.Lattice((64, 64)), coupling=1 / 3, field=np.pi),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_models_are_told_from_others_by_their_energies(model):
    """Another coupling, or a field that is on, gives other levels; the model's own are accepted."""
    scale = abs(model.coupling) + abs(model.field)
    data = irl.simulate(
        model, irl.HeatBath(), 5 * scale, sweeps=200, thermalization=20, chains=2, seed=5
    )
    thermodynamics(data)
    with pytest.raises(ValueError, match="or are averages of draws, which fluctuate less"):
        thermodynamics(data.coarsen(draw=4).mean())
    averaged = data.assign(energy=data.energy * 1.2345).drop_vars("coupling")
    thermodynamics(averaged)
    if model.coupling == 0:
        return
    for wrong in (
        {"field": model.field + 0.3 * model.coupling},
        {"coupling": model.coupling * 1.7},
    ):
        with pytest.raises(ValueError, match="do not fit a model with coupling"):
            thermodynamics(data.assign_coords(wrong))


@pytest.mark.parametrize("join", ["concat", "concat-index", "nested"])
@pytest.mark.parametrize("pair", [("large", "field"), ("field", "large")], ids="-".join)
def test_fields_along_another_dim(pair, join, runs, defaults):
    parts = [runs[name] for name in pair]
    names = ("susceptibility", "susceptibility_disordered", "magnetization")
    done = right_or_refused(lambda: JOINS[join](parts), parts, names)
    assert done != xr.get_options()["use_new_combine_kwarg_defaults"]


def test_fields_side_by_side(runs, defaults):
    parts = [runs["large"], runs["field"]]
    names = ("susceptibility", "susceptibility_disordered", "magnetization")
    joined = xr.concat(parts, "field")
    np.testing.assert_array_equal(joined["field"], [0.0, 0.2])
    found = thermodynamics(joined)
    for k, part in enumerate(parts):
        expected = thermodynamics(part)
        for name in names:
            np.testing.assert_allclose(found[name].isel(field=k), expected[name], rtol=1e-12)


@pytest.mark.parametrize("form", ["netcdf", "zarr"])
def test_parameters_survive_files(form, tmp_path, runs):
    data = runs["thin"]
    path = tmp_path / f"data.{form}"
    if form == "netcdf":
        data.to_netcdf(path, engine="h5netcdf")
        back = xr.open_dataset(path, engine="h5netcdf")
    else:
        pytest.importorskip("zarr")
        data.to_zarr(path, zarr_format=2)
        back = xr.open_zarr(path, chunks=None)
    with back:
        xr.testing.assert_equal(back.load(), data)
        xr.testing.assert_identical(
            thermodynamics(back).drop_attrs(), thermodynamics(data).drop_attrs()
        )


def test_merging_other_runs_is_right_or_refused(runs):
    with pytest.raises(xr.MergeError, match="n_sites"):
        xr.merge(
            [runs["small"], runs["large"].rename(energy="other")[["other"]]],
            compat="no_conflicts", join="exact",
        )  # fmt: skip


def test_attributes_of_earlier_versions_give_the_same(runs):
    data = runs["thin"]
    former = data.drop_vars([name for name in data.coords if name not in data.dims])
    former = former.assign_coords(draw=np.arange(data.sizes["draw"])).assign_attrs(
        n_sites=64, interval=10, neighborhood="von_neumann", boundary="periodic", coupling=1.0,
        field=0.0, shape=[8, 8],
    )  # fmt: skip
    found, expected = thermodynamics(former), thermodynamics(data)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


def test_exact_results_carry_the_same_coordinates(runs):
    summary = thermodynamics(runs["small"])
    theory = exact.enumeration(irl.Ising(irl.Lattice((4, 4))), TEMPERATURE)
    shared = set(summary.coords) & set(theory.coords)
    assert {"n_sites", "coupling", "field", "sides", "neighborhood", "boundary"} <= shared
    for name in shared:
        np.testing.assert_array_equal(summary[name], theory[name])
    z = (summary["energy"] - theory["energy"]) / summary["energy_error"]
    assert abs(z.item()) < Z_LIMIT
    assert z.n_sites == 16
