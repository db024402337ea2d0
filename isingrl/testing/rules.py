"""Conformance tests of rules and other dynamics that `isingrl.simulate` runs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numba
import numpy as np
import xarray as xr

from isingrl.dynamics import Dynamics
from isingrl.gibbs import gibbs_violation
from isingrl.model import Ising
from isingrl.rules import Rule, compiled
from isingrl.simulation import simulate
from isingrl.spin_model import Model
from isingrl.testing.requirements import (
    ensure,
    ensure_json,
    ensure_name,
    model_or_default,
    same_arrays,
)

__all__ = ["check_dynamics", "check_rule"]

TEMPERATURES = (1.5, 3.0)
_SWEEPS, _CUT = 12, 5


def check_rule(
    rule: Rule,
    model: Model | None = None,
    temperature: Any = TEMPERATURES,
    *,
    detailed_balance: bool = False,
) -> None:
    """Check the table of a rule, and then the rule by `check_dynamics`.

    The table holds probabilities in the right shape, also at temperatures 0 and ∞ unless
    ``temperatures`` refuses them. It is the same at every call, and the table of a temperature
    does not depend on the other temperatures.

    Parameters
    ----------
    rule : Rule
    model : Ising or Potts, optional
        The square lattice of 4 × 4 sites with J = 1 if omitted.
    temperature : float or sequence of float
        In J/k_B; None for all temperatures of a policy.
    detailed_balance : bool
        Whether the rule claims detailed balance with the model's energy.

    Examples
    --------
    >>> import isingrl as irl
    >>> from isingrl.testing import check_rule
    >>> check_rule(irl.Metropolis(), detailed_balance=True)
    """
    model = model_or_default(model)
    ensure(isinstance(rule, Rule), f"rule must be a Rule; got {rule!r}")
    asked = rule.temperatures(model, temperature)
    given = asked.copy()
    table = compiled(rule, model, asked, 2)
    ensure(np.array_equal(given, asked), f"{rule.name}: table must not change its arguments")
    again = compiled(rule, model, asked, 2)
    ensure(
        np.array_equal(table.arrays, again.arrays), f"{rule.name}: table must repeat at every call"
    )
    each = [compiled(rule, model, asked[k : k + 1], 2).arrays for k in range(len(asked))]
    ensure(
        np.array_equal(table.arrays, np.concatenate(each)),
        f"{rule.name}: the table of a temperature must not depend on others asked for",
    )
    for extreme in (0.0, np.inf):
        try:
            one = rule.temperatures(model, extreme)
        except ValueError:
            continue
        compiled(rule, model, one, 1)
    if detailed_balance:
        _check_detailed_balance(rule, model, asked)
    check_dynamics(rule, model, temperature)


def check_dynamics(
    dynamics: Dynamics, model: Model | None = None, temperature: Any = TEMPERATURES
) -> None:
    """Check dynamics of `isingrl.simulate`: a rule, agents that learn, or an engine of your own.

    It has a name, and settings that JSON can hold. Runs repeat with their seed, also on another
    number of threads, and differ with another seed. Measurements agree with the spins. An engine
    goes on from its state, and a run from its checkpoint, to the last bit.

    Parameters
    ----------
    dynamics : Dynamics
    model : Ising or Potts, optional
        The square lattice of 4 × 4 sites with J = 1 if omitted.
    temperature : float or sequence of float
        In J/k_B; None for all temperatures of a policy.

    Examples
    --------
    >>> import isingrl as irl
    >>> from isingrl.testing import check_dynamics
    >>> check_dynamics(irl.Learning(irl.IndependentQ()))
    """
    model = model_or_default(model)
    ensure(isinstance(dynamics, Dynamics), f"dynamics must be a Dynamics; got {dynamics!r}")
    ensure_name(dynamics)
    ensure_json(dynamics.settings(), type(dynamics).__name__)
    who = dynamics.name

    def run(sweeps: int = _SWEEPS, seed: int = 1, **options: Any) -> xr.Dataset:
        return simulate(model, dynamics, temperature, sweeps=sweeps, chains=2, seed=seed, **options)

    whole = run(snapshots=_SWEEPS)
    ensure(whole["method"].item() == who, f"{who}: data must have its name as method")
    _check_measured(who, model, whole)
    check_repeats(who, lambda: run(snapshots=_SWEEPS), whole)
    spins = run(seed=2, snapshots=_SWEEPS)["spins"]
    ensure(not spins.equals(whole["spins"]), f"{who}: another seed must give another run")
    with tempfile.TemporaryDirectory() as folder:
        run(_CUT, out=folder)
        longer = run(out=folder)
    ensure(longer.identical(run()), f"{who}: a run must go on from its checkpoint as if uncut")
    _check_engine(dynamics, model, dynamics.temperatures(model, temperature))


def check_repeats(who: str, run: Callable[[], xr.Dataset], first: xr.Dataset) -> None:
    """Ensure that a run repeats, on several threads and on one."""
    ensure(run().identical(first), f"{who}: the same seed must give the same numbers")
    with _one_thread():
        ensure(run().identical(first), f"{who}: one thread must give the numbers of several")


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(threads)


def _check_measured(who: str, model: Any, data: xr.Dataset) -> None:
    """Ensure that the measurements agree with the configurations of all draws."""
    sites = ("x", "y", "z")[: model.lattice.ndim]
    spins = data["spins"].transpose("temperature", "chain", "snapshot", *sites).values
    ensure(np.isin(spins, model.values[:-1]).all(), f"{who}: spins must be those of the model")
    for name in ("energy", model.order_name):
        expected = getattr(model, name)(spins)
        found = data[name].transpose("temperature", "chain", "draw").values
        ensure(np.allclose(found, expected), f"{who}: {name} must be that of its spins")


def _check_engine(dynamics: Dynamics, model: Model, temperatures: Any) -> None:
    seed, who = np.random.SeedSequence(1), dynamics.name
    start, state_of_all = next(iter(model.starts.items()))
    engine = dynamics.engine(model, temperatures, 2, start, "checkerboard", seed)
    chains = range(2 * len(temperatures))

    def goes_on() -> dict[str, Any]:
        measured = engine.record(2, 3)
        return measured | {f"spins {chain}": engine.spins(chain) for chain in chains}

    for chain in chains:
        same = engine.spins(chain) == model.values[state_of_all]
        ensure(same.all(), f"{who}: an engine must have the start given")
    engine.sweep(3)
    state = engine.state()
    first = goes_on()
    engine.restore(state)
    ensure(
        same_arrays(first, goes_on()),
        f"{who}: an engine must go on from what state returned, copies of all that it depends on",
    )


def _check_detailed_balance(rule: Rule, model: Model, temperatures: Any) -> None:
    table = compiled(rule, model, temperatures, 1)
    if not isinstance(model, Ising):
        violation = gibbs_violation(table, model, temperatures, 1)
        ensure(violation is None, f"{rule.name}: {violation}")
        return
    ensure(
        table.counted,
        f"{rule.name}: detailed balance is checked of tables by the number of up neighbours",
    )
    to_up, to_down = table.up[:, 0, 0], 1 - table.up[:, 0, 1]
    ratio = np.exp(-2 * model.local_fields() / temperatures[:, None])
    ensure(
        np.allclose(to_up * ratio, to_down, rtol=1e-9, atol=1e-12),
        f"{rule.name}: P(down → up) / P(up → down) must be exp(2 (J S + h) / T)",
    )
