"""Property tests draw the same examples in every run, and none is failed by a clock."""

from hypothesis import settings

settings.register_profile("deterministic", derandomize=True, database=None, deadline=None)
settings.load_profile("deterministic")
