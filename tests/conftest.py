"""Property tests draw the same examples in every run, and none is failed by a clock."""

import pytest
from hypothesis import settings

settings.register_profile("deterministic", derandomize=True, database=None, deadline=None)
settings.load_profile("deterministic")


@pytest.fixture
def torch_if_needed(request):
    """Skip a case whose name says that it has networks, where torch is not installed."""
    arguments = getattr(request.node, "callspec", None)
    if arguments and "network" in str(arguments.params.get("name")):
        pytest.importorskip("torch")
