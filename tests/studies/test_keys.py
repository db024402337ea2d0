"""Keys of tasks: they differ where tasks do, and stay what they were in folders of studies."""

import numpy as np
import pytest

from studies.coarsening import Coarsening
from studies.curve import Curve
from studies.discount import Discount
from studies.shared.grids import block_texts, number_texts
from studies.three_dimensions import ThreeDimensions


def test_texts_have_six_digits_unless_another_has_the_same():
    assert list(number_texts([0.1, 1 / 3, 2.5e-7, 1e10]).values()) == [
        "0.1", "0.333333", "2.5e-07", "1e+10",
    ]  # fmt: skip
    assert number_texts([2.0000001, 2.0])[2.0] == "2"  # whatever the order
    assert number_texts([2.0000001, 2.0])[2.0000001] == "2.0000001"
    near = np.nextafter(0.3, 1)
    assert len(set(number_texts([0.3, near, 0.3000001]).values())) == 3
    assert block_texts([np.array([1 / 3, 2 / 3]), np.array([1 / 3])]) == [
        "0.333333 … 0.666667", "0.333333 … 0.333333",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "study",
    [
        Curve((8, 8), temperature=(2.0, 3.0, 5, 2.0000001, 3.0000001, 5)),
        Curve((8, 8), temperature=(2.0, 2.0000002, 3), chains=64),
        ThreeDimensions(side=4, reduced_temperature=(0.7, 0.7000001, 40)),
        Coarsening(temperature=(0.5, 0.50000001)),
        Discount(discounts=(0.5, 0.50000001)),
    ],
    ids=["two grids", "one grid", "three dimensions", "coarsening", "discount"],
)
def test_tasks_of_near_numbers_have_keys_of_their_own(study):
    keys = [task.key for task in study.tasks()]
    assert len(set(keys)) == len(keys)
