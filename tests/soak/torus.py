"""The critical torus on the lattice that takes longest. `make soak` runs it."""

import pytest

from tests.test_torus import check_critical_torus


@pytest.mark.parametrize(("rule", "sweeps"), [("metropolis", 130_000), ("heat-bath", 290_000)])
def test_critical_torus(rule, sweeps):
    check_critical_torus(64, rule, sweeps)
