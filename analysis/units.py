"""Units of Datasets, for pint: J, sweeps, lattice spacings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pint

__all__ = ["unit_registry"]

_OWN = ("sweep", "draw", "site", "lattice_spacing", "Elo", "growth_unit")
"""Each has its own dimension, so that none converts into another."""
_READABLE = {
    # the dimension depends on the fitted exponent n: no product of other units
    r"lattice spacings per sweep\^n": "growth_unit",
    r"lattice spacing": "lattice_spacing",
    # a new definition of J itself would change the joules in pint's own k_B
    r"\bJ\b": "coupling",
}
"""Names for pint that replace names which it cannot read or misreads."""


def unit_registry(coupling: str | None = None) -> pint.UnitRegistry[float]:
    """Registry in which pint reads the attribute ``units`` of every Dataset.

    J is a unit ``coupling``, the energy unit of the model, and not the joule, which keeps its full
    name; k_B is the Boltzmann constant. Sweeps, draws, sites and lattice spacings have dimensions
    of their own.

    Parameters
    ----------
    coupling : str, optional
        The energy J, in pint's notation: ``"1.2 meV"``. With it, energies convert into other units
        and temperatures into kelvin; without it, J has a dimension of its own.

    Returns
    -------
    pint.UnitRegistry
        For ``data.pint.quantify(unit_registry=…)`` of pint-xarray.

    Raises
    ------
    ValueError
        If `coupling` is no positive energy.
    ImportError
        If pint is not installed.

    Examples
    --------
    >>> from analysis import exact, unit_registry
    >>> registry = unit_registry("1.2 meV")
    >>> registry.Quantity(exact.CRITICAL_TEMPERATURE, "J/k_B").to("K").round(2)
    <Quantity(31.6, 'kelvin')>
    >>> registry.Quantity(3.0, "lattice spacings").dimensionality
    <UnitsContainer({'[lattice_spacing]': 1})>
    """
    try:
        import pint
    except ModuleNotFoundError as error:
        raise ImportError("units need pint; pint-xarray brings it") from error

    registry: pint.UnitRegistry[float] = pint.UnitRegistry(
        force_ndarray_like=True,  # pint-xarray needs it
        preprocessors=[_readable],
    )
    for name in _OWN:
        registry.define(f"{name} = [{name}]")
    registry.define(f"coupling = {_energy(registry, coupling)}")
    return registry


def _readable(text: str) -> str:
    for pattern, name in _READABLE.items():
        text = re.sub(pattern, name, text)
    return text


def _energy(registry: pint.UnitRegistry[float], coupling: str | None) -> str:
    """Right-hand side of the definition of J."""
    if coupling is None:
        return "[coupling]"
    try:
        joules = float(registry.Quantity(coupling).m_as("joule"))  # "J" is no energy yet
    except Exception as error:
        raise ValueError(
            f"coupling must be an energy, as '1.2 meV' or '2e-22 joule'; got {coupling!r}"
        ) from error
    if not 0 < joules < float("inf"):
        raise ValueError(f"coupling must be a positive energy; got {coupling!r}")
    return f"{joules} joule"
