"""Cost of labels of domains, compared with connected-components-3d, and of their statistics."""

from __future__ import annotations

import time
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis import domain_statistics, label_domains
from benchmarks.engines import temperature_for
from benchmarks.processes import peak_megabytes
from benchmarks.report import Row, package_version, usable_cores
from benchmarks.timing import Case, Effort, Rate, measure
from isingrl import Ising, Lattice, Metropolis, simulate

_SWEEPS = 2_000  # from random spins; domains are then up to some 30 sites wide
_DIMS = ("x", "y", "z")
Spins = npt.NDArray[np.int8]


def rows(effort: Effort, full: bool) -> tuple[list[Row], dict[str, Rate]]:
    """Everything about domains; small lattices unless `full`."""
    side, cube, blocks = (256, 64, 8) if full else (64, 16, 1)
    plane, volume = snapshots((side, side), blocks), snapshots((cube,) * 3, max(1, blocks // 8))
    noise = np.random.default_rng(1).choice(np.array([-1, 1], dtype=np.int8), size=plane.shape)
    line = plane.reshape(plane.shape[0], -1)
    large = 16 if full else 4
    volumes = {
        "2D, 4 neighbours": (plane, "von_neumann", 4, 1.0),
        "2D, 4 neighbours, random spins": (noise, "von_neumann", 4, 1.0),
        "3D, 6 neighbours": (volume, "von_neumann", 6, 1.0),
        "1D": (line, "von_neumann", 4, 0.5),
        "2D, 8 neighbours": (plane, "moore", 8, 0.5),
        "3D, 26 neighbours": (volume, "moore", 26, 0.5),
    }
    # the two codes are timed in turn, case by case, and both keep all labels
    ours = [_ours(name, spins, how) for name, (spins, how, _, _) in volumes.items()]
    theirs = [_theirs(name, spins, number) for name, (spins, _, number, _) in volumes.items()]
    grown = {
        f"2D, L = {large * side}": (np.tile(plane[:1], (1, large, large)), "2D, 4 neighbours"),
        f"3D, L = {large // 4 * cube}": (
            np.tile(volume[:1], (1, *(large // 4,) * 3)), "3D, 6 neighbours"
        ),
    }  # fmt: skip
    larger = [_ours(name, spins, "von_neumann") for name, (spins, _) in grown.items()]
    installed = package_version("connected-components-3d") is not None
    cases = [case for pair in zip(ours, theirs, strict=True) for case in pair]
    rates = measure([*(cases if installed else ours), *larger], effort)

    section = f"Labels of domains, {len(plane)} × {side}² and {len(volume)} × {cube}³, one core"
    section += ": sites/ns"
    found = []
    for name, (*_, target) in volumes.items():
        rate = rates[f"labels, {name}"].best
        if not installed:
            found.append(Row(section, name, rate, note="cc3d is not installed"))
            continue
        other = rates[f"cc3d, {name}"].best
        limit = target if full else None
        found.append(Row(section, name, rate, rate / other, "× the rate of cc3d", at_least=limit))
    for name, (_, small) in grown.items():
        rate = rates[f"labels, {name}"].best
        ratio = rates[f"labels, {small}"].best / rate
        found.append(Row(section, name, rate, ratio, "× the cost a site"))
    return [*found, *_statistics_rows(side, full)], rates


def snapshots(shape: tuple[int, ...], blocks: int) -> Spins:
    """Spins of 64 `blocks` chains with grown domains at T_c, shape (n_chains, *shape)."""
    model = Ising(Lattice(shape))
    data = simulate(
        model, Metropolis(), temperature_for(model), sweeps=_SWEEPS, interval=_SWEEPS,
        chains=64 * blocks, snapshots=1, seed=1,
    )  # fmt: skip
    return np.asarray(data["spins"].values.reshape(-1, *shape))


def _array(spins: Spins) -> xr.DataArray:
    return xr.DataArray(spins, dims=("snapshot", *_DIMS[: spins.ndim - 1]))


def _ours(name: str, spins: Spins, neighborhood: str) -> Case:
    array = _array(spins)

    def run(times: int) -> None:
        for _ in range(times):
            label_domains(array, neighborhood)

    return Case(f"labels, {name}", run, spins.size)


def _theirs(name: str, spins: Spins, connectivity: int) -> Case:
    """Labels of every snapshot by cc3d, of 32 bits like ours, periodic if cc3d supports it."""
    shape = spins.shape[1:] if spins.ndim > 2 else (1, *spins.shape[1:])
    options: dict[str, Any] = {
        "connectivity": connectivity, "binary_image": False, "out_dtype": np.uint32,
    }  # fmt: skip
    if connectivity != 26:
        options["periodic_boundary"] = True
    levels = (spins + 2).astype(np.uint8).reshape(-1, *shape)  # zero would be background

    def run(times: int) -> None:
        from cc3d import connected_components

        for _ in range(times):
            labels = [connected_components(each, **options) for each in levels]
        del labels

    return Case(f"cc3d, {name}", run, spins.size)


def _statistics_rows(side: int, full: bool) -> list[Row]:
    """Statistics of 1,000 snapshots: time on at most two cores, and memory."""
    number = 1_000 if full else 100
    spins = snapshots((side, side), -(-number // 64))[:number]
    cores = min(2, usable_cores())
    numba.set_num_threads(cores)
    array = _array(spins)
    domain_statistics(array[:2])
    begin = time.perf_counter()
    domain_statistics(array)
    seconds = time.perf_counter() - begin
    section = f"Statistics of the domains of {number:,} × {side}²"
    added = peak_megabytes("domains", number, side) - peak_megabytes("domains", 1, side)
    share, unit = added * 1e6 / spins.nbytes, "× the snapshots"
    limits = (6.0, 3.0) if full else (None, None)
    return [
        Row(section, f"time, {cores} threads", value=seconds, unit="s", at_most=limits[0]),
        Row(section, "peak memory, snapshots included", value=share, unit=unit, at_most=limits[1]),
    ]
