"""Finite-size scaling: critical temperatures and exponents from several sizes."""

from analysis.scaling.by_size import observables
from analysis.scaling.critical_points import critical_point
from analysis.scaling.crossings import binder_crossings
from analysis.scaling.data_collapse import collapse, collapsed
from analysis.scaling.laws import extrapolate, power_law
from analysis.scaling.reweighting import pseudo_critical_points, reweight

__all__ = [
    "binder_crossings",
    "collapse",
    "collapsed",
    "critical_point",
    "extrapolate",
    "observables",
    "power_law",
    "pseudo_critical_points",
    "reweight",
]
