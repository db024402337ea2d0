"""The error of a study that cannot be finished."""

from __future__ import annotations

from collections.abc import Sequence


class StudyError(RuntimeError):
    """A study could not be finished; results so far are kept.

    Parameters
    ----------
    message : str
    traces : sequence of str
        Tracebacks of the tasks that raised errors.
    """

    def __init__(self, message: str, traces: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.traces = tuple(traces)
