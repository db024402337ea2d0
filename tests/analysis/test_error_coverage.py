"""Nominal intervals of 95 % against exact results: they cover, or nearly all runs are warned of."""

from __future__ import annotations

import warnings

import pytest
from scipy import stats

from analysis import ShortRunWarning, exact, thermodynamics
from isingrl import HeatBath, Ising, Lattice, Metropolis, Rule, simulate

NAMES = ("energy", "abs_magnetization", "specific_heat", "binder_cumulant")
CASES = [
    # shape, field, temperature, rule, chains of a run, sweeps, runs
    ((4, 4), 0.0, 2.27, Metropolis(), 4, 4000, 32),
    ((4, 4), 0.03, 1.6, HeatBath(), 16, 3000, 12),
    ((2, 2, 3), 0.2, 2.0, HeatBath(), 16, 4000, 12),
    ((12,), 0.1, 1.0, HeatBath(), 4, 6000, 24),
    ((16,), 0.0, 0.3, HeatBath(), 8, 4000, 12),
    *(
        pytest.param(case, marks=pytest.mark.soak)
        for case in (
            ((4, 4), 0.0, 2.0, HeatBath(), 4, 4000, 32),
            ((4, 4), 0.0, 4.0, Metropolis(), 2, 4000, 32),
            ((3, 4), 0.1, 1.5, HeatBath(), 16, 4000, 12),
            ((4, 4), 0.5, 2.5, HeatBath(), 4, 4000, 32),
            ((12,), 0.0, 0.8, HeatBath(), 4, 6000, 24),
        )
    ),
]
Case = tuple[tuple[int, ...], float, float, Rule, int, int, int]


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: "-".join(map(str, (*case[0], f"h{case[1]}", f"T{case[2]}")))
)
@pytest.mark.parametrize("times", [1, pytest.param(10, marks=pytest.mark.soak)])
def test_intervals_cover_or_the_run_is_warned_of(case: Case, times: int) -> None:
    """Count misses and warnings of many runs of few chains, out of one call."""
    shape, field, temperature, rule, chains, sweeps, n = case
    n *= times
    model = Ising(Lattice(shape), field=field)
    data = simulate(
        model, rule, temperature, sweeps=sweeps, thermalization=500, chains=chains * n, seed=31
    )
    runs = data.coarsen(chain=chains).construct(chain=("run", "chain"))
    known = exact.ring(shape[0], temperature, field=field) if len(shape) == 1 else None
    known = exact.enumeration(model, temperature) if known is None else known
    missed, warned = dict.fromkeys(NAMES, 0), 0
    for run in range(n):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ShortRunWarning)
            found = thermodynamics(runs.isel(run=run))
        warned += bool(caught)
        for name in NAMES:
            off = abs(found[name] - known[name]).item() / found[f"{name}_error"].item()
            missed[name] += not off < 1.96  # NaN covers nothing
    if warned > 0.9 * n:
        return
    for name, number in missed.items():
        # a miss of up to 7 %, and what this number of runs can tell
        assert stats.binom.sf(number - 1, n, 0.07) > 1e-3, f"{name}: {number} of {n}"
        assert stats.binom.cdf(number, n, 0.03) > 1e-3 or number == 0, f"{name}: {number} of {n}"
    assert warned < 0.6 * n
