"""Correlations of spins by distance, and their Fourier transform, averaged with errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from analysis._configurations import SITES, Configurations, SpinArray
from analysis._parameters import least_coupling, parameter
from analysis.correlations import _fourier as fourier
from analysis.errors import FloatArray, jackknife
from analysis.quantities import coordinate, quantity_attrs, with_labels

__all__ = ["spin_correlation", "structure_factor"]

DIMS = ("chain", "snapshot")


def spin_correlation(
    spins: xr.DataArray | xr.Dataset, *, connected: str | None = None, dims: tuple[str, ...] = DIMS
) -> xr.Dataset:
    r"""Correlation of spins against their distance.

    Parameters
    ----------
    spins : DataArray or Dataset
        As for `analysis.label_domains`.
    connected : {"magnetization", "abs_magnetization", "order_parameter"}, optional
        Subtract the square of the mean magnetization, or of the mean of its magnitude, or, for a
        Potts model, of the mean order parameter; nothing if omitted.
    dims : tuple of str
        Dims to average over: independent chains and, last, samples in order of time; or
        ``("chain",)`` alone. If empty, every configuration has its own result, without errors.

    Returns
    -------
    Dataset
        ``correlation``, :math:`\langle s_0 s_r\rangle`, or
        :math:`\langle q\,\delta(s_0, s_r) - 1\rangle/(q - 1)` of a Potts model of q states, along
        ``axis`` and ``distance`` in lattice spacings up to half the longest side, with a shorter
        axis continued around the torus; and ``radial_correlation`` along ``radius``, the mean over
        all sites with distances that round to the same integer, up to half the shortest side. Each
        with ``NAME_error`` by `analysis.errors.jackknife`. If the data have free boundaries, means
        are over the existing pairs, and a shorter axis ends in NaN.

    Raises
    ------
    TypeError, ValueError
        As `analysis.label_domains`; if `connected` is no measure of order of the model; or if there
        are too few samples for an error.

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import spin_correlation
    >>> spins = xr.DataArray([[1, -1, 1, -1], [-1, 1, -1, 1]] * 2, dims=("x", "y"))
    >>> found = spin_correlation(spins, dims=())
    >>> found.correlation.dims, found.distance.units
    (('axis', 'distance'), 'lattice spacings')
    >>> found.correlation.sel(axis="x").round(6).values.tolist()
    [1.0, -1.0, 1.0]
    """
    configurations = Configurations(spins)
    orders = tuple(configurations.order_of(configurations.spins[0]))
    if connected not in (None, *orders):
        raise ValueError(f"connected must be None or one of {orders}; got {connected!r}")
    check_dims(configurations, dims)
    shape, free = configurations.lattice.shape, not configurations.lattice.periodic
    shells = fourier.pair_shells(shape) if free else fourier.distance_shells(shape)

    def measure(configuration: SpinArray) -> tuple[FloatArray, ...]:
        if free:
            found = configurations.quadratic(fourier.correlations_of_pairs, configuration)
        else:
            spectrum = configurations.quadratic(fourier.power_spectrum, configuration)
            found = fourier.correlations_of(spectrum, shape)
        order = configurations.order_of(configuration).values()
        return fourier.along_axes(found, shape, free=free), shells.average(found), *order

    names = {
        "correlation": ("axis", "distance"),
        "radial_correlation": ("radius",),
        **dict.fromkeys(orders, ()),
    }
    samples = sampled(configurations, measure, names)

    def correlations(mean: xr.Dataset) -> xr.Dataset:
        found = mean[["correlation", "radial_correlation"]]
        return found if connected is None else found - mean[connected] ** 2

    found = averaged(samples, correlations, dims).assign_coords(
        axis=list(SITES[: len(shape)]),
        distance=coordinate("distance", np.arange(max(shape) // 2 + 1)),
        radius=coordinate("radius", shells.radius),
    )
    if free:
        reached = xr.DataArray(np.array(shape), dims="axis") > found["distance"]
        for name in set(found) & {"correlation", "correlation_error"}:
            found[name] = found[name].where(reached)
    return found


def structure_factor(
    spins: xr.DataArray | xr.Dataset, *, dims: tuple[str, ...] = DIMS
) -> xr.Dataset:
    r"""Structure factor :math:`S(k) = |\sum_r s_r e^{ikr}|^2 / N` of a periodic lattice.

    Parameters
    ----------
    spins, dims
        As for `spin_correlation`.

    Returns
    -------
    Dataset
        ``structure_factor`` along ``wave_number``, the mean over shells of :math:`|k| \le \pi` of
        width 2π over the longest side; ``axis_structure_factor`` along ``axis`` and ``mode`` n,
        with wave numbers 2πn/L as the coordinate ``axis_wave_number``. Each with ``NAME_error`` by
        `analysis.errors.jackknife`. Both begin with k = 0, N m². Wave numbers are in inverse
        lattice spacings. For a Potts model it is the Fourier transform of the correlation that
        `spin_correlation` describes.

    Raises
    ------
    TypeError, ValueError
        As `spin_correlation`.

    References
    ----------
    N. W. Ashcroft, N. D. Mermin, "Solid State Physics" (Saunders, 1976), chapter 6.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from analysis import structure_factor
    >>> spins = xr.DataArray(np.ones((8, 8), dtype=int), dims=("x", "y"))
    >>> found = structure_factor(spins, dims=())
    >>> found.structure_factor.dims, found.structure_factor.round(6).values.tolist()
    (('wave_number',), [64.0, 0.0, 0.0, 0.0, 0.0])
    """
    configurations = periodic(spins, dims)
    shape = configurations.lattice.shape
    shells = fourier.wave_shells(shape)

    def measure(configuration: SpinArray) -> tuple[FloatArray, ...]:
        spectrum = configurations.quadratic(fourier.power_spectrum, configuration)
        return shells.average(spectrum), fourier.along_axes(spectrum, shape)

    names = {"structure_factor": ("wave_number",), "axis_structure_factor": ("axis", "mode")}
    samples = sampled(configurations, measure, names)
    found = averaged(samples, lambda mean: mean, dims)
    mode = np.arange(max(shape) // 2 + 1)
    return found.assign_coords(
        wave_number=coordinate("wave_number", shells.radius),
        axis=list(SITES[: len(shape)]),
        mode=mode,
        axis_wave_number=(
            ("axis", "mode"),
            2 * np.pi * mode / np.array(shape)[:, None],
            quantity_attrs("wave_number"),
        ),
    )


def periodic(spins: Any, dims: Any) -> Configurations:
    """Configurations of a periodic lattice with the dims to average over."""
    configurations = Configurations(spins)
    check_dims(configurations, dims)
    if not configurations.lattice.periodic:
        raise ValueError("boundary must be 'periodic' for wave numbers; the data have 'free'")
    return configurations


def check_ferromagnet(spins: Any, what: str) -> None:
    """Refuse an antiferromagnet, because only its staggered spins order."""
    coupling = parameter(spins, "coupling")
    least = 0.0 if coupling is None else float(least_coupling(coupling).min())
    if least < 0:
        raise ValueError(
            f"coupling must not be negative for {what}; the data have {least:g}. "
            "For an Ising antiferromagnet, pass analysis.staggered_spins(data)"
        )


def check_dims(configurations: Configurations, dims: Any) -> None:
    """Refuse dims that the configurations lack."""
    own = tuple(map(str, configurations.leading.dims))
    if isinstance(dims, str) or not set(dims) <= set(own):
        raise ValueError(
            "dims must be a tuple of dims of spins to average over, without dims of sites; got "
            f"{dims!r}, and spins with {own}"
        )


def sampled(
    configurations: Configurations,
    measure: Callable[[SpinArray], tuple[FloatArray, ...]],
    names: dict[str, tuple[str, ...]],
) -> xr.Dataset:
    """Results of `measure` for every configuration, by name, with dims."""
    shape = configurations.lattice.shape
    found: list[Any] = [None] * len(configurations.spins)

    def work(number: int, spins: SpinArray, _: None) -> None:
        found[number] = measure(spins.reshape(shape))

    configurations.each(work)
    return xr.Dataset(
        {
            name: configurations.by_configuration(np.array(values), *dims)
            for (name, dims), values in zip(names.items(), zip(*found, strict=True), strict=True)
        }
    )


def averaged(
    samples: xr.Dataset, function: Callable[[xr.Dataset], xr.Dataset], dims: tuple[str, ...]
) -> xr.Dataset:
    """Return a function of means over `dims`, with errors, or of each sample without `dims`."""
    if dims:
        found = jackknife(samples, lambda part: function(part.mean(dims)), dims=dims)
    else:
        found = function(samples)
    return with_labels(found, found)
