"""Analysis of Ising simulations: Datasets in, Datasets out.

`thermodynamics` turns measured series into observables with error bars, `exact` holds exact
results under the same names, `learned` asks what agents have learned, `plots` draws all of it on
axes that it is given.
"""

from analysis import exact, plots
from analysis.learned import (
    detailed_balance_violation,
    effective_temperature,
    log_odds,
    majority_vote_plane,
    stationary_distribution,
    transition_matrix,
)
from analysis.thermodynamics import ShortRunWarning, thermodynamics

__all__ = [
    "ShortRunWarning",
    "detailed_balance_violation",
    "effective_temperature",
    "exact",
    "log_odds",
    "majority_vote_plane",
    "plots",
    "stationary_distribution",
    "thermodynamics",
    "transition_matrix",
]
