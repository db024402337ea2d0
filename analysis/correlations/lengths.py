"""Lengths over which spins are correlated: in equilibrium, and of growing domains."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from analysis._configurations import SITES, SpinArray
from analysis._fits import minimum_within
from analysis.correlations import _fourier as fourier
from analysis.correlations.functions import DIMS, averaged, check_ferromagnet, periodic, sampled
from analysis.domains import domain_statistics
from analysis.errors import FloatArray
from isingrl.support.validation import check_real

__all__ = ["correlation_length", "domain_length"]

_WINDOW = (0.5, 2.0)  # of the fit, in units of ξ; beyond, noise of m² dominates
_FEWEST = 3  # distances in a fit
_ROUNDS = 5  # of fitting ξ and setting the window by it


def correlation_length(
    spins: xr.DataArray | xr.Dataset, *, dims: tuple[str, ...] = DIMS
) -> xr.Dataset:
    r"""Second-moment and exponential correlation length of the disordered phase.

    Nothing is subtracted from the correlations. In the ordered phase they do not decay, and the
    lengths are as large as the lattice. Antiferromagnets are refused, because their correlations
    alternate in sign; use `analysis.staggered_spins`.

    Parameters
    ----------
    spins, dims
        As for `analysis.spin_correlation`, with at least one of `dims`.

    Returns
    -------
    Dataset
        Along ``axis``, in lattice spacings:

        - ``second_moment_length``
          :math:`\sqrt{S(0)/S(k_1) - 1} \,/\, 2\sin(k_1/2)`, with :math:`k_1 = 2\pi/L` [1]_;
        - ``exponential_length`` ξ: a fit of :math:`e^{-r/\xi} + e^{-(L-r)/\xi}` to the correlation
          of sums over planes perpendicular to the axis, which decays as one exponential, from
          about r = ξ/2 to 2ξ, at most L/2 [2]_;
        - ``first_distance`` and ``last_distance`` of that fit.

        The lengths have a ``NAME_error``. They are NaN if S(0) ≤ S(k₁), or if no ξ between 0.1 and
        10 L fits best.

    Raises
    ------
    TypeError, ValueError
        As `analysis.spin_correlation`, or if the coupling of the data is negative.

    References
    ----------
    .. [1] F. Cooper, B. Freedman, D. Preston, "Solving φ⁴₁,₂ field theory with Monte Carlo", Nucl.
       Phys. B 210, 210 (1982).
    .. [2] M. E. Fisher, R. J. Burford, "Theory of critical-point scattering and correlations. I.
       The Ising model", Phys. Rev. 156, 583 (1967), for the lengths and how they differ.

    Examples
    --------
    >>> import numpy as np
    >>> import isingrl as irl
    >>> from analysis import correlation_length
    >>> data = irl.simulate(
    ...     irl.Ising(irl.Lattice(64)), irl.HeatBath(), 1.0, sweeps=4000, thermalization=200,
    ...     snapshots=400, seed=1,
    ... )
    >>> found = correlation_length(data).squeeze()
    >>> deviation = found.exponential_length + 1 / np.log(np.tanh(1.0))
    >>> bool(abs(deviation) < 4 * found.exponential_length_error)
    True
    """
    check_ferromagnet(spins, "a correlation length")
    configurations = periodic(spins, dims)
    if not dims:
        raise ValueError("dims must name one or more dims of spins to average over; got none")
    shape = configurations.lattice.shape
    samples = sampled(
        configurations,
        lambda each: (configurations.quadratic(fourier.along_lines, each),),
        {"line": ("axis", "distance")},
    ).assign_coords(axis=list(SITES[: len(shape)]), side=("axis", np.array(shape)))
    windows = _by_axis(_window, [samples["line"].mean(dims)], ["end"])

    def lengths(mean: xr.Dataset) -> xr.Dataset:
        return xr.Dataset(
            {
                "second_moment_length": _by_axis(_second_moment, [mean["line"]], []),
                "exponential_length": _by_axis(_decay_length, [mean["line"], windows], []),
            }
        )

    found = averaged(samples, lengths, dims)
    for end, name in enumerate(("first", "last")):
        label = {"long_name": f"{name} distance of the fit", "units": "lattice spacings"}
        found[f"{name}_distance"] = windows.isel(end=end).assign_attrs(label)
    return found.drop_vars("side")


def domain_length(
    spins: xr.DataArray | xr.Dataset,
    *,
    equilibrium_wall_density: float = 0.0,
    dims: tuple[str, ...] = ("chain",),
) -> xr.Dataset:
    r"""Length scale of growing domains, by their structure factor and by their walls.

    Parameters
    ----------
    spins : DataArray or Dataset
        As for `analysis.spin_correlation`; other dims, such as ``time``, are kept.
    equilibrium_wall_density : float
        Share of unlike neighbours by thermal noise alone at the temperature of the quench, which
        is subtracted: on the square lattice (1 + e/2J)/2, for a Potts model 1 + e/2J.
    dims : tuple of str
        As for `analysis.spin_correlation`.

    Returns
    -------
    Dataset
        In lattice spacings, each with ``NAME_error``: ``moment_length``
        :math:`2\pi \sum_k S(k) / \sum_k k\,S(k)` over the shells 0 < k ≤ π of the averaged
        structure factor [1]_; ``wall_length``, one over the excess density of walls, the mean
        distance between two walls along an axis [2]_.

    Raises
    ------
    TypeError, ValueError
        As `analysis.spin_correlation`, or if the coupling of the data is negative, or if
        `equilibrium_wall_density` is negative or not below the measured density.

    References
    ----------
    .. [1] A. J. Bray, "Theory of phase-ordering kinetics", Adv. Phys. 43, 357 (1994).
    .. [2] S. M. Allen, J. W. Cahn, "A microscopic theory for antiphase boundary motion", Acta
       Metall. 27, 1085 (1979): walls move by their curvature, so that their density falls as
       :math:`t^{-1/2}`.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from analysis import domain_length
    >>> rows = np.repeat([1, -1, 1, -1], 4)
    >>> spins = xr.DataArray(np.tile(rows[:, None], 16), dims=("x", "y"))
    >>> found = domain_length(spins, dims=())
    >>> found.wall_length.item(), found.wall_length.units
    (8.0, 'lattice spacings')
    """
    background = check_real("equilibrium_wall_density", equilibrium_wall_density, minimum=0.0)
    check_ferromagnet(spins, "a length of domains")
    configurations = periodic(spins, dims)
    shape = configurations.lattice.shape
    shells = fourier.wave_shells(shape)
    wave_number = shells.radius[1:]

    def measure(configuration: SpinArray) -> tuple[Any, ...]:
        spectrum = configurations.quadratic(fourier.power_spectrum, configuration)
        shell = shells.average(spectrum)[1:]
        return shell.sum(), (wave_number * shell).sum()

    samples = sampled(configurations, measure, {"sum": (), "moment": ()})
    samples["walls"] = domain_statistics(spins)["wall_density"]
    least = float(samples["walls"].mean(dims).min())
    if least <= background:
        raise ValueError(
            "equilibrium_wall_density must be below the measured density, at least "
            f"{least:.6g} here; got {background:.6g}"
        )

    def lengths(mean: xr.Dataset) -> xr.Dataset:
        return xr.Dataset(
            {
                "moment_length": 2 * np.pi * mean["sum"] / mean["moment"],
                "wall_length": 1 / (mean["walls"] - background),
            }
        )

    return averaged(samples, lengths, dims)


def _by_axis(function: Any, arguments: list[xr.DataArray], out: list[str]) -> xr.DataArray:
    """Apply a function of a line, other arguments, and the side, along every axis."""
    cores = [["distance"], *[["end"] for _ in arguments[1:]], []]
    found = xr.apply_ufunc(
        function, *arguments, arguments[0]["side"], input_core_dims=cores,
        output_core_dims=[out], vectorize=True,
    )  # fmt: skip
    assert isinstance(found, xr.DataArray)  # since the arguments are
    return found


def _second_moment(line: FloatArray, side: int) -> float:
    """Length from the correlations of sums over planes, because their transform is S(k)."""
    place = np.arange(side)
    whole = line[np.minimum(place, side - place)]  # around the ring
    k = 2 * np.pi / side
    zero, first = whole.sum(), (whole * np.cos(k * place)).sum()
    if not zero > first > 0:
        return np.nan
    return float(np.sqrt(zero / first - 1) / (2 * np.sin(k / 2)))


def _window(line: FloatArray, side: int) -> FloatArray:
    """First and last distance of the fit."""
    length = _second_moment(line, side)
    window = _around(length if np.isfinite(length) else 1.0, side)
    for _ in range(_ROUNDS):
        length = _decay_length(line, window, side)
        if not np.isfinite(length):
            break
        window = _around(length, side)
    return window


def _around(length: float, side: int) -> FloatArray:
    last = min(side // 2, max(int(_WINDOW[1] * length), _FEWEST))
    first = max(min(int(np.ceil(_WINDOW[0] * length)), last - _FEWEST + 1), 0)
    return np.array([first, last], dtype=np.float64)


def _decay_length(line: FloatArray, window: FloatArray, side: int) -> float:
    """Decay length of the least squares fit; NaN if it lies at an end of the range."""
    r = np.arange(window[0], window[1] + 1)
    values = line[r.astype(int)]
    ends = np.log(0.1), np.log(10.0 * side)

    def misfit(log_length: float) -> float:
        length = np.exp(log_length)
        shape = np.exp(-(r - r[0]) / length) + np.exp(-(side - r - r[0]) / length)
        return float(values @ values - (values @ shape) ** 2 / (shape @ shape))

    return float(np.exp(minimum_within(misfit, ends, 1e-8)))
