"""Figures of measured and learned results: axes in, axes out.

Labels come from the attributes ``long_name`` and ``units``. Functions import Matplotlib themselves,
so that ``import analysis`` does not load it.
"""

from analysis.plots.animations import animation
from analysis.plots.axes import axis_label
from analysis.plots.battles import (
    battle_frame,
    kills_over_time,
    learning_curve,
    rating_points,
    tournament_matrix,
    win_rate_bars,
)
from analysis.plots.correlations import domain_growth, spin_correlation, structure_factor
from analysis.plots.domains import size_distribution
from analysis.plots.learned import log_odds, majority_vote_plane
from analysis.plots.observables import critical_temperature, exact_curve, observable, softmax_axis
from analysis.plots.pictures import domain_map, snapshot, snapshots
from analysis.plots.scaling import collapse, extrapolation, sizes
from analysis.plots.styles import Style, method_label, method_style, set_style

__all__ = [
    "Style",
    "animation",
    "axis_label",
    "battle_frame",
    "collapse",
    "critical_temperature",
    "domain_growth",
    "domain_map",
    "exact_curve",
    "extrapolation",
    "kills_over_time",
    "learning_curve",
    "log_odds",
    "majority_vote_plane",
    "method_label",
    "method_style",
    "observable",
    "rating_points",
    "set_style",
    "size_distribution",
    "sizes",
    "snapshot",
    "snapshots",
    "softmax_axis",
    "spin_correlation",
    "structure_factor",
    "tournament_matrix",
    "win_rate_bars",
]
