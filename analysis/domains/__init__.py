"""Domains of equal spins and Fortuin-Kasteleyn clusters: labels, sizes, walls, wrapping."""

from analysis.domains.distributions import size_distribution
from analysis.domains.labels import label_clusters, label_domains
from analysis.domains.statistics import cluster_statistics, domain_statistics, domain_table

__all__ = [
    "cluster_statistics",
    "domain_statistics",
    "domain_table",
    "label_clusters",
    "label_domains",
    "size_distribution",
]
