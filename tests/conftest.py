"""Property tests draw the same examples in every run, and none is failed by a clock."""

import gc
import warnings

import pytest
from hypothesis import settings

settings.register_profile("deterministic", derandomize=True, database=None, deadline=None)
settings.load_profile("deterministic")


def pytest_configure(config):
    """Compile a part of the kernels in each of the two processes of `make test`."""
    if not hasattr(config, "workerinput"):
        return
    from tests.warming import PARTS

    if part := PARTS.get(config.workerinput["workerid"]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            part()


def pytest_collection_finish():
    """Leave modules out of garbage collection, which takes a third of a second with them."""
    gc.freeze()


@pytest.fixture
def torch_if_needed(request):
    """Skip a case whose name says that it has networks, where torch is not installed."""
    arguments = getattr(request.node, "callspec", None)
    if arguments and "network" in str(arguments.params.get("name")):
        pytest.importorskip("torch")
