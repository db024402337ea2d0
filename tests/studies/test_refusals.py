"""Configurations that studies refuse before any work."""

import pytest

from studies.command.catalogue import STUDIES

ALWAYS = {"seed": -1, "sweeps": 0, "training_sweeps": 0}
"""Bad values of fields that many studies have."""
REFUSED = {
    "coarsening": {
        "side": [1], "temperature": [(2.3,), (0.0,), ()], "window": [(50.0, 60.0)],
        "long_window": [(50.0, 60.0)], "chains": [1], "training_side": [1],
    },
    "discount": {
        "shape": [(8,)], "softmax_temperature": [(1.0, 2.0, 0)], "discounts": [(), (0.5, 0.5)],
        "learning_rate": [0.0], "training_sweeps": [1], "annealing": [0.6],
        "start": ["sideways"], "chains": [1],
    },
    "domains": {
        "side": [1], "temperature": [(3.0, 2.0, 4)], "sizes": [(8, 16), (8, 16, 16), (1, 8, 16)],
        "relaxation_times": [0.1], "snapshots": [10],
    },
    "observability": {
        "shape": [(8,)], "temperature": [(1.0, 2.0, 0), (-1.0, 2.0, 3)],
        "seen": [(), (1, 1), (0, 5), (-1,)], "memory": [0.0],
    },
    "paper-ising": {
        "side": [2], "large_side": [8], "softmax_temperature": [(1.0, 0.5, 12), (0.5, 1.0, 3)],
        "steps": [10], "large_steps": [10], "learning_rate": [0.0], "chains": [1],
        "error_tau": [()], "picture_tau": [(1.0, -1.0)],
    },
    "potts": {
        "states": [(3,), (10,), (), (3, 3, 10), (1, 10), (3, 12)], "side": [1, 15],
        "reduced_temperatures": [(0.9, 1.0, 1.1), (0.9, 0.9, 1.0, 1.1), (0.0, 0.9, 1.0, 1.1)],
        "chains": [0], "sizes": [(8, 16, 32), (8, 8, 16, 32), (8, 9, 16, 32)], "draws": [59],
        "updates": [0.0], "energy_side": [2, 15], "energy_sweeps": [79], "phase_side": [1, 15],
        "phase_sweeps": [79], "independent_side": [2, 10], "memory": [0.5], "memories": [19],
        "steps": [1, 5], "step": [0.0, 0.1], "curve_points": [3],
    },
    "scaling-of-inputs": {
        "largest": [10], "seconds": [0.0],
    },
    "schedules": {
        "shape": [(4, 5), (4,)], "reduced_temperature": [(0.5, 1.0, 0)],
        "neighborhoods": [("hexagonal",)], "methods": [(), ("kawasaki",)],
        "schedules": [("synchronous", "synchronous")], "sweeps": [20],
    },
    "temperature-map": {
        "shape": [(8,)], "rewards": [(), ("energy", "energy"), ("gold",)],
        "reduced_temperature": [(0.0, 1.0, 3), (0.5, 1.0, 0)], "hidden": [(0,)],
        "network_training_sweeps": [0], "chains": [1],
    },
    "three-dimensions": {
        "side": [1], "reduced_temperature": [(1.0, 0.5, 3), (0.0, 0.5, 3), (0.5, 1.0, 1)],
        "chains": [0],
    },
    "critical-point": {
        "lattices": [("square", "hexagonal"), ()],
        "sizes": [(8, 8, 16, 32, 64), (8, 9, 16, 32, 64)],
        "window": [(0.1, 0.2), (-0.1, 0.0, 0.1)], "draws": [59], "cluster_draws": [59],
        "updates": [0.0],
    },
    "glass": {
        "sizes": [(16,), (8, 16, 16), (2, 16)], "cubic_sizes": [(6,), (6, 6), (2, 6)],
        "realisations": [1], "temperature": [(2.0, 0.2, 19), (0.0, 2.0, 19), (0.2, 2.0, 1)],
        "cubic_temperature": [(1.8, 0.6, 17), (0.6, 1.8, 1)], "sweeps": [399],
        "shown": [(0.1, 0.6), (0.5, 2.0), (0.5,)], "counted": [0], "agents_sides": [(7, 6), (16,)],
        "agents_realisations": [1, 65], "agents_sweeps": [19],
    },
    "homogenisation": {
        "shown": [(), (3.0, 3.0), (0.5,), (11.0,)], "ratios": [(), (2.0, 2.0), (0.0,), (11.0,)],
        "side": [1, 15], "temperature": [(1.0, 4.0, 0), (0.0, 4.0, 3)],
        "sizes": [(8, 16, 32), (8, 8, 16, 32), (8, 9, 16, 32), (8, 12, 16, 34)],
        "draws": [59], "updates": [0.0], "memory": [0.5], "chains": [0], "thermalization": [-1],
        "shell_ratio": [0.0, 11.0], "shell_temperature": [(5.0, 4.0, 3), (4.0, 5.0, 1)],
        "shares": [(), (0.5, 0.5), (1.5,)], "realizations": [1],
        "bond_temperature": [(0.0, 1.0, 3)],
    },
    "lattices": {
        "lattices": [("square", "hexagonal"), ()], "sizes": [(8, 8, 16, 32), (8, 9, 16, 32)],
        "draws": [59], "updates": [0.0], "independent_sides": [(64, 15), (64, 0), (64,)],
        "reduced_temperature": [(0.6, 1.0, 4), (0.0, 0.9, 4), (0.6, 0.9, 0)], "memory": [0.5],
        "chains": [0], "thermalization": [-1],
    },
    "chapter-1d": {
        "n_sites": [2], "epochs": [0], "learning_rate": [0.0], "chains": [1],
        "schedule": ["random"],
    },
    "chapter-2d": {
        "side": [2], "epochs": [1], "long_epochs": [1], "learning_rate": [2.0], "tau": [0.0],
        "discount": [1.5], "inner_iterations": [0], "replay": [0], "optimizer": ["Newton"],
        "chains": [1], "schedule": ["random"],
    },
}  # fmt: skip
OTHERS = [
    ("discount", {"discounts": (1.5,)}, "discount"),
    ("scaling-of-inputs", {"agents_by_neighbors": 8}, "agents"),
    ("critical-point", {"sizes": (8, 16, 32, 64)}, "sizes must be 5 or more different even sides"),
    ("lattices", {"cubic_sizes": (4, 6, 8)}, "cubic_sizes must be 4 or more different"),
    *(
        (
            name,
            {
                "lattices": ("square", "cubic"),
                "sizes": (4, 6, 8, 10, 12, 14),
                "cubic_sizes": (4, 6, 8, 10, 12),
            },
            "cubic_sizes must be as",
        )
        for name in ("critical-point", "lattices")
    ),
]
CASES = [
    (name, {field: value}, field)
    for name, fields in REFUSED.items()
    for field, values in fields.items()
    for value in values
]
CASES += [
    (name, {field: value}, field)
    for name, study in STUDIES.items()
    for field, value in ALWAYS.items()
    if field in study.__dataclass_fields__
]


@pytest.mark.parametrize(("name", "changes", "message"), CASES + OTHERS)
def test_a_bad_configuration_is_refused(name, changes, message):
    with pytest.raises((TypeError, ValueError), match=message):
        STUDIES[name](**changes).tasks()
