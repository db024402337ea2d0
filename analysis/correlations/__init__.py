"""Correlations of spins in space: correlation functions, structure factors, lengths."""

from analysis.correlations.functions import spin_correlation, structure_factor
from analysis.correlations.growth import growth_law
from analysis.correlations.lengths import correlation_length, domain_length
from analysis.correlations.sublattices import staggered_spins

__all__ = [
    "correlation_length",
    "domain_length",
    "growth_law",
    "spin_correlation",
    "staggered_spins",
    "structure_factor",
]
