"""Tables have the same bits on processors with and without wide vectors."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

from isingrl import HeatBath, Ising, Lattice, Metropolis
from isingrl.agents.rewards import REWARDS

WIDE = [name for name in __cpu_dispatch__ if "V3" not in name and __cpu_features__[name]]


def digest():
    """Digest of the tables of all rules and rewards on some models."""
    found = hashlib.sha256()
    temperature = np.linspace(0.3, 9, 50)
    for neighborhood in ("von_neumann", "moore"):
        for field in (0.0, 0.37):
            model = Ising(Lattice((4, 4), neighborhood), 0.83, field)
            tables = [rule.table(model, temperature) for rule in (Metropolis(), HeatBath())]
            tables += [np.asarray(each.values(model, 1)) for each in REWARDS.values()]
            for table in tables:
                found.update(np.ascontiguousarray(table, dtype=np.float64).tobytes())
    return found.hexdigest()


@pytest.mark.skipif(not WIDE, reason="this processor has no wide vectors to leave out")
def test_tables_do_not_depend_on_the_width_of_vectors():
    environment = os.environ | {"NPY_DISABLE_CPU_FEATURES": " ".join(WIDE)}
    code = (
        "import numpy as np; from tests.isingrl.support.test_functions import WIDE, digest; "
        "print(len(WIDE), digest())"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == ["0", digest()]
