"""Units of Datasets, read by pint-xarray."""

import sys

import numpy as np
import pint
import pint_xarray  # noqa: F401 (which brings the accessor `.pint`)
import pytest
import scipy.constants
import xarray as xr

import analysis
from analysis import errors, exact, unit_registry
from analysis.quantities import QUANTITIES
from isingrl import HeatBath, Ising, Lattice, simulate

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short

TEMPERATURES = [2.4, 3.0]
REGISTRY = unit_registry()


@pytest.fixture(scope="module")
def model():
    return Ising(Lattice((16, 16)))


@pytest.fixture(scope="module")
def data(model):
    return simulate(
        model, HeatBath(), TEMPERATURES, sweeps=4000, thermalization=200, chains=4, snapshots=40,
        seed=1,
    )  # fmt: skip


def growth_law(_):
    time, generator = np.arange(10.0, 200.0, 10.0), np.random.default_rng(1)
    length = 1 + 2 * time**0.5 + generator.normal(0, 0.02, size=(8, time.size))
    return analysis.growth_law(
        xr.DataArray(length, {"time": time}, ("chain", "time")), (10.0, 200.0)
    )


DATASETS = {
    "simulate": lambda data: data,
    "thermodynamics": analysis.thermodynamics,
    "domain_statistics": analysis.domain_statistics,
    "cluster_statistics": lambda data: analysis.cluster_statistics(data, seed=1),
    "size_distribution": lambda data: analysis.size_distribution(analysis.domain_statistics(data)),
    "domain_table": lambda data: analysis.domain_table(data.isel(snapshot=slice(2))),
    "spin_correlation": analysis.spin_correlation,
    "structure_factor": analysis.structure_factor,
    "correlation_length": analysis.correlation_length,
    "domain_length": lambda data: analysis.domain_length(data.isel(snapshot=0)),
    "growth_law": growth_law,
    "autocorrelation": lambda data: errors.autocorrelation(data[["energy", "magnetization"]]),
    "binning": lambda data: errors.binning(data[["energy", "magnetization"]]),
    "torus": lambda _: exact.torus((16, 16), TEMPERATURES),
}


UNLABELLED = {"spins", "spin", "label", "wraps"}


def with_units(dataset):
    return {name: each for name, each in dataset.variables.items() if "units" in each.attrs}


@pytest.mark.parametrize("name", DATASETS)
def test_every_unit_of_a_dataset_is_read(name, data):
    dataset = DATASETS[name](data)
    quantities = dataset.pint.quantify(unit_registry=REGISTRY)
    labelled = with_units(dataset)
    assert labelled
    for each, variable in labelled.items():
        assert quantities[each].pint.units == REGISTRY.Unit(variable.attrs["units"]), each
    assert set(dataset.data_vars) - UNLABELLED <= set(labelled)


@pytest.mark.parametrize("units", sorted({units for _, units in QUANTITIES.values()}))
def test_every_unit_that_is_known_is_read(units):
    assert REGISTRY.parse_units(units) is not None
    assert (REGISTRY.Unit(units).dimensionless) == (units == "1")


def test_formulas_give_the_units_that_they_should(data):
    """Fluctuations of quantities with units are responses, units and all."""
    quantities = data.pint.quantify(unit_registry=REGISTRY)
    summary = analysis.thermodynamics(data).pint.quantify(unit_registry=REGISTRY)
    boltzmann, n_sites = 1 * REGISTRY.k_B, data.n_sites.item()
    along = ["chain", "draw"]
    temperature = xr.DataArray(summary.temperature.data, dims="temperature")
    found = n_sites * quantities.energy.var(along).variable / (boltzmann * temperature.variable**2)
    expected = summary.specific_heat.variable
    np.testing.assert_allclose(found.data.m_as("k_B"), expected.data.m_as("k_B"), rtol=1e-9)
    m = abs(quantities.magnetization)
    found = n_sites * m.var(along).variable / (boltzmann * temperature.variable)
    expected = summary.susceptibility.variable
    np.testing.assert_allclose(found.data.m_as("1/J"), expected.data.m_as("1/J"), rtol=1e-9)


def test_a_coupling_in_electronvolts_gives_kelvin(data):
    registry = unit_registry("1.2 meV")
    quantities = data.pint.quantify(unit_registry=registry)
    found = quantities.pint.to({"temperature": registry.kelvin, "energy": registry.meV})
    kelvin = 1.2e-3 * scipy.constants.e / scipy.constants.k
    np.testing.assert_allclose(found.temperature.data.m, kelvin * np.array(TEMPERATURES))
    np.testing.assert_allclose(found.energy.data.m, 1.2 * data.energy.values)
    # what pint itself knows by J has stayed
    assert registry.Quantity(1, "k_B").to("joule/kelvin").m == scipy.constants.k
    assert registry.Quantity(1, "planck_constant").to("joule*second").m == scipy.constants.h


def test_written_out_again_units_are_read_again(data):
    quantities = analysis.thermodynamics(data).pint.quantify(unit_registry=REGISTRY)
    again = quantities.pint.dequantify().pint.quantify(unit_registry=REGISTRY)
    xr.testing.assert_identical(again, quantities)


@pytest.mark.parametrize(
    ("value", "from_units", "to_units"),
    [(2.0, "J/k_B", "kelvin"), (2.0, "J", "joule"), (3.0, "sweeps", "draws"), (3.0, "sites", "1")],
)
def test_what_nobody_told_is_refused(value, from_units, to_units):
    with pytest.raises(pint.DimensionalityError):
        REGISTRY.Quantity(value, from_units).to(to_units)


@pytest.mark.parametrize("coupling", ["1 K", "much", "1 J", "2", "", 3.0])
def test_a_coupling_that_is_no_energy_is_refused(coupling):
    with pytest.raises(ValueError, match=r"coupling must be an energy, as .*; got "):
        unit_registry(coupling)


@pytest.mark.parametrize("coupling", ["-1 meV", "0 joule", "inf meV", "nan eV"])
def test_a_coupling_must_be_positive(coupling):
    with pytest.raises(ValueError, match=r"coupling must be a positive energy; got "):
        unit_registry(coupling)


def test_without_pint_it_says_what_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pint", None)
    with pytest.raises(ImportError, match="units need pint; pint-xarray brings it"):
        unit_registry()
