"""Small networks gain nothing from threads, and two tests run at once."""

import pytest


@pytest.fixture
def one_thread():
    """Leave torch one thread."""
    from isingrl.support.devices import one_thread

    with one_thread():
        yield
