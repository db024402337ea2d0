"""Runs of bit lanes on Numba's simulator of a GPU beside those on a CPU; a program of its own.

Numba chooses the simulator once a process. Its threads run Python, so that the functions they call
must be Python too; the engine of the CPU keeps its compiled ones.
"""

import json
import sys
import tempfile
import types
import warnings
from unittest import mock

import numpy as np
from numba.core.dispatcher import Dispatcher

import isingrl as irl
from isingrl.engines import cuda_lanes, lane_layout
from isingrl.engines.engine import on_device
from isingrl.engines.kernels import cuda_lanes as kernels

L = irl.Lattice
METROPOLIS, HEAT_BATH = irl.Metropolis(), irl.HeatBath()
MANY = np.linspace(1.0, 4.0, 70)


class Contrary(irl.Rule):
    """A rule without any symmetry."""

    name = "contrary"

    def table(self, model, temperature):
        """See `Rule.table`."""
        share = model.lattice.n_up / model.lattice.coordination_number
        chances = np.stack([0.9 * share, 0.3 + 0.5 * share**2])
        return np.broadcast_to(chances, (len(temperature), *chances.shape))


RUNS = {
    "ring": (irl.Ising(L(16)), METROPOLIS, [1.0, 2.0], {}),
    "square": (irl.Ising(L((6, 8))), METROPOLIS, [0.0, 2.5, np.inf], {}),
    "square, mirrored": (irl.Ising(L((6, 8))), HEAT_BATH, [2.0, 2.5], {}),
    "square, in a field": (irl.Ising(L((4, 8)), -1.0, 0.3), METROPOLIS, [2.0], {}),
    "square, any table": (irl.Ising(L((4, 8))), Contrary(), [2.0], {}),
    "square, synchronous": (irl.Ising(L((4, 8))), HEAT_BATH, [2.0], {"schedule": "synchronous"}),
    "square, bands": (irl.Ising(L((8, 8))), METROPOLIS, [2.0, 3.0], {"words": 24}),
    "square, bands, synchronous": (
        irl.Ising(L((8, 8))), HEAT_BATH, [2.0], {"words": 48, "schedule": "synchronous"}
    ),
    "square, two blocks": (irl.Ising(L((4, 4))), METROPOLIS, MANY, {}),
    "square, two forms": (irl.Ising(L((4, 4))), METROPOLIS, [*MANY[:64], np.inf], {}),
    "strips": (irl.Ising(L((2, 64))), METROPOLIS, [2.2], {}),
    "signs": (irl.Ising(L((4, 8)), [1.0, -1.0]), METROPOLIS, [2.0, 3.0], {}),
    "bonds": (
        irl.Ising(L((4, 8)), irl.random_bonds(L((4, 8)), [1.0, -1.0], [0.5, 0.5], seed=1)),
        HEAT_BATH, [1.0], {},
    ),
    "triangular": (irl.Ising(L((4, 8), "triangular")), HEAT_BATH, [2.0], {}),
    "moore": (irl.Ising(L((4, 8), "moore")), METROPOLIS, [4.0], {}),
    "cubic": (irl.Ising(L((4, 4, 4))), METROPOLIS, [4.0], {}),
    "26 neighbours": (irl.Ising(L((4, 2, 4), "moore")), METROPOLIS, [9.0], {}),
}  # fmt: skip


def python_version(function, made):
    """A compiled function as Python, and all that it calls."""
    if function not in made:
        own = function.py_func
        names = dict(own.__globals__)
        made[function] = types.FunctionType(
            own.__code__, names, own.__name__, own.__defaults__, own.__closure__
        )
        for name in own.__code__.co_names:
            if isinstance(names.get(name), Dispatcher):
                names[name] = python_version(names[name], made)
    return made[function]


def differences(name):
    """Names of what differs after sweeps and a measurement."""
    model, rule, temperatures, options = RUNS[name]
    schedule = options.get("schedule", "checkerboard")
    with mock.patch.object(lane_layout, "BAND_WORDS", options.get("words", 1 << 15)):
        engines = [
            on_device(
                rule.engine(
                    model, np.asarray(temperatures, float), 1, "random", schedule,
                    np.random.SeedSequence(1),
                ),
                device,
            )
            for device in ("cpu", "cuda")
        ]  # fmt: skip
    if "words" in options:
        assert engines[0]._tails.shape[1] > 1
    found = []
    for engine in engines:
        engine.sweep(2)
        measured = engine.record(1, 1)
        found.append({**measured, **engine.state(), "spins": engine.spins(0)})
    return [key for key in found[0] if not np.array_equal(*(each[key] for each in found))]


def resumed():
    """What differs if a run goes on from a checkpoint of the other device."""
    model, temperatures = irl.Ising(L((4, 8))), [2.0, 3.0]
    options = {"sweeps": 2, "snapshots": [0, 1], "seed": 1}
    whole = irl.simulate(model, METROPOLIS, temperatures, **options)
    found = []
    for devices in (("cpu", "cuda"), ("cuda", "cpu")):
        with tempfile.TemporaryDirectory() as out:
            for sweeps, device in zip((1, 2), devices, strict=True):
                data = irl.simulate(
                    model, METROPOLIS, temperatures, sweeps=sweeps, seed=1, device=device, out=out
                )
        found += [name for name in data if not data[name].equals(whole[name])]
    shown = irl.simulate(model, METROPOLIS, temperatures, device="cuda", **options)
    return found + [name for name in shown if not shown[name].equals(whole[name])]


def refused(call):
    """Message of the error."""
    try:
        call()
    except (ValueError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"
    return "none"


def main():
    warnings.filterwarnings("ignore", "overflow encountered")
    made = {}
    for name, value in list(vars(kernels).items()):
        if isinstance(value, Dispatcher):
            setattr(kernels, name, python_version(value, made))
    model, tempering = irl.Ising(L((4, 8))), irl.Tempering(irl.Metropolis())
    context = mock.Mock(get_memory_info=mock.Mock(return_value=(1000, 2000)))
    with mock.patch.object(cuda_lanes.cuda, "current_context", return_value=context):
        full = refused(lambda: irl.simulate(model, METROPOLIS, 2.0, sweeps=1, device="cuda"))
    found = {
        "cases": {name: differences(name) for name in RUNS if name in sys.argv[1:]},
        "resumed": resumed(),
        "full": full,
        "tempering": refused(
            lambda: irl.simulate(model, tempering, [2.0, 3.0], sweeps=1, device="cuda")
        ),
        "odd side": refused(
            lambda: irl.simulate(irl.Ising(L((4, 5))), METROPOLIS, 2.0, sweeps=1, device="cuda")
        ),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
