"""Comparison of policies with the Ising model.

`log_odds` and `effective_temperature` test whether a policy is a heat bath and find its
temperature, `detailed_balance_violation` tests whether a rule leads to a Gibbs distribution, and
`majority_vote_plane` places it among the up-down symmetric rules of the square lattice.
"""

from analysis.learned.chains import (
    MAX_CHAIN_SITES,
    detailed_balance_violation,
    stationary_distribution,
    transition_matrix,
)
from analysis.learned.odds import effective_temperature, log_odds
from analysis.learned.plane import majority_vote_plane

__all__ = [
    "MAX_CHAIN_SITES",
    "detailed_balance_violation",
    "effective_temperature",
    "log_odds",
    "majority_vote_plane",
    "stationary_distribution",
    "transition_matrix",
]
