"""Conformance tests for classes that users write: one function for each kind.

Each runs something small, in seconds, and raises an AssertionError, TypeError or ValueError that
says what is wrong. Call them in a test, as in ``isingrl.testing.check_rule(MyRule())``. The test
for studies is ``studies.testing.check_study``.
"""

from isingrl.testing.agents import check_agent, check_reward, check_view
from isingrl.testing.battles import check_opponent, check_player, check_team
from isingrl.testing.rules import check_dynamics, check_rule

__all__ = [
    "check_agent",
    "check_dynamics",
    "check_opponent",
    "check_player",
    "check_reward",
    "check_rule",
    "check_team",
    "check_view",
]
