"""The orders in which sites are updated, by name."""

from __future__ import annotations

from typing import Literal, get_args

Schedule = Literal["checkerboard", "typewriter", "random-site", "sequential", "synchronous"]
"""Order of updates; "sequential" is an older name of "random-site"."""

SCHEDULES: tuple[str, ...] = get_args(Schedule)


def draws_sites(schedule: str) -> bool:
    """Whether a schedule draws the sites that it updates at random."""
    return schedule in ("random-site", "sequential")
