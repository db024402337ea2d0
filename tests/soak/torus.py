"""The critical torus where it takes longest. `make soak` runs it."""

import pytest

from tests.isingrl.test_torus import check_critical_torus


@pytest.mark.parametrize(
    ("side", "rule", "sweeps"),
    [
        (16, "heat-bath", 600_000), (32, "heat-bath", 280_000), (32, "policy", 280_000),
        (64, "metropolis", 130_000), (64, "heat-bath", 290_000),
    ],
)  # fmt: skip
def test_critical_torus(side, rule, sweeps):
    check_critical_torus(side, rule, sweeps)
