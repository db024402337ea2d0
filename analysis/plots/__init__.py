"""Figures of what was measured and learned: axes in, axes out.

Labels come from the attributes ``long_name`` and ``units``. Matplotlib is imported where an axes
has to be made, so that ``import analysis`` does not load it.
"""

from analysis.plots.domains import size_distribution
from analysis.plots.learned import log_odds, majority_vote_plane
from analysis.plots.observables import (
    critical_temperature,
    exact_curve,
    observable,
    softmax_axis,
)
from analysis.plots.snapshots import domain_map, snapshot, snapshots
from analysis.plots.styles import axis_label, method_label, method_style

__all__ = [
    "axis_label",
    "critical_temperature",
    "domain_map",
    "exact_curve",
    "log_odds",
    "majority_vote_plane",
    "method_label",
    "method_style",
    "observable",
    "size_distribution",
    "snapshot",
    "snapshots",
    "softmax_axis",
]
