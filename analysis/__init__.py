"""Analysis of Ising simulations: Datasets in, Datasets out.

`thermodynamics` turns measured series into observables with error bars, `errors` gives any function
of Datasets its error, `domains` counts connected spins, `correlations` measures how far they agree,
`scaling` finds critical points from several sizes, `exact` holds exact results under the same
names, `learned` asks what agents have learned, `win_rates` and `bradley_terry` say which team is
the stronger, `plots` draws all of it on axes that it is given. Datasets have an accessor,
``data.isingrl``, for what is asked most, and `unit_registry` has pint read their units.
"""

import isingrl.engines.kernels  # noqa: F401 - it says where kernels are kept, those of this package too
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
from analysis.precision import precision
from analysis.ratings import bradley_terry, rates_over_trainings, win_rates
from analysis.scaling import power_law
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
    "plots",
    "power_law",
    "precision",
    "rates_over_trainings",
    "scaling",
    "size_distribution",
    "spin_correlation",
    "staggered_spins",
    "stationary_distribution",
    "structure_factor",
    "thermodynamics",
    "transition_matrix",
    "unit_registry",
    "win_rates",
]
