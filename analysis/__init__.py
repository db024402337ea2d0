"""Analysis of Ising simulations: Datasets in, Datasets out.

`thermodynamics` turns measured series into observables with error bars, `errors` gives any function
of Datasets its error, `domains` counts connected spins, `correlations` measures how far they agree,
`overlaps` how alike replicas of a glass are,
`scaling` finds critical points from several sizes, `exact` holds exact results under the same
names, `learned` compares policies with the Ising model, `win_rates` and `bradley_terry` compare
teams, and `plots` draws the results on given axes. The accessor ``data.isingrl`` of Datasets offers
the most common functions, and `unit_registry` lets pint read units.
"""

import isingrl.engines.kernels  # noqa: F401 - sets the folder of compiled kernels
from analysis import errors, exact, plots, scaling
from analysis._fits import FitWarning
from analysis.accessor import IsingAccessor
from analysis.correlations import (
    correlation_length,
    domain_length,
    growth_law,
    spin_correlation,
    staggered_spins,
    structure_factor,
)
from analysis.domains import (
    cluster_statistics,
    domain_statistics,
    domain_table,
    label_clusters,
    label_domains,
    size_distribution,
)
from analysis.errors import ShortRunWarning
from analysis.learned import (
    detailed_balance_violation,
    effective_temperature,
    log_odds,
    majority_vote_plane,
    stationary_distribution,
    transition_matrix,
)
from analysis.overlaps import overlaps
from analysis.precision import precision
from analysis.ratings import (
    bradley_terry,
    rates_over_trainings,
    ratings_over_trainings,
    win_rates,
)
from analysis.scaling import power_law
from analysis.tempering import tempering, tempering_temperatures
from analysis.thermodynamics import thermodynamics
from analysis.units import unit_registry

__all__ = [
    "FitWarning",
    "IsingAccessor",
    "ShortRunWarning",
    "bradley_terry",
    "cluster_statistics",
    "correlation_length",
    "detailed_balance_violation",
    "domain_length",
    "domain_statistics",
    "domain_table",
    "effective_temperature",
    "errors",
    "exact",
    "growth_law",
    "label_clusters",
    "label_domains",
    "log_odds",
    "majority_vote_plane",
    "overlaps",
    "plots",
    "power_law",
    "precision",
    "rates_over_trainings",
    "ratings_over_trainings",
    "scaling",
    "size_distribution",
    "spin_correlation",
    "staggered_spins",
    "stationary_distribution",
    "structure_factor",
    "tempering",
    "tempering_temperatures",
    "thermodynamics",
    "transition_matrix",
    "unit_registry",
    "win_rates",
]
