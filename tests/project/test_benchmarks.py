"""What benchmarks report; they themselves are not tests."""

import json

import numpy as np
import pytest

from benchmarks.report import Row, table


@pytest.mark.parametrize("kind", [int, float, np.float64])
def test_rows_are_judged_and_kept_whatever_kind_of_number_was_measured(kind):
    above, below = Row("s", "one", value=kind(3), at_least=2.0), Row("s", "two", at_most=2.0)
    kept = json.loads(json.dumps(above.as_dict()))
    assert kept["met"] is True
    assert Row("s", "one", value=kind(3), at_most=2.0).met is False
    assert below.met is None
    assert table([above, below]).count("yes") == 1
