"""Thresholds of statistical tests, all at one false-alarm rate: that of 4.5 standard deviations."""

from __future__ import annotations

import numpy as np
from scipy import stats

Z_LIMIT = 4.5
FALSE_ALARM = 2 * stats.norm.sf(Z_LIMIT)


def z_of_chains(samples, expected):
    """Deviation of a mean over independent chains, as a standard normal number.

    `samples` holds one average a chain. The deviation in units of its own estimated error is a
    Student number; the normal number of the same tail probability stands for it.
    """
    samples = np.asarray(samples, dtype=np.float64)
    error = samples.std(ddof=1) / np.sqrt(samples.size)
    t = (samples.mean() - expected) / error
    return float(np.sign(t) * stats.norm.isf(stats.t.sf(abs(t), samples.size - 1)))


def check_standard_normal(z):
    """Whether independent numbers have the mean 0 and the variance 1."""
    z = np.asarray(z)
    assert abs(z.mean()) * np.sqrt(z.size) < Z_LIMIT, f"mean {z.mean()} of {z.size} z-scores"
    squares = (z.size - 1) * z.var(ddof=1)
    tail = min(stats.chi2.sf(squares, z.size - 1), stats.chi2.cdf(squares, z.size - 1))
    assert 2 * tail > FALSE_ALARM, f"variance {z.var(ddof=1)} of {z.size} z-scores"


def check_bernoulli(successes, trials, chances):
    """Whether numbers of successes agree with the chances, cell by cell and together."""
    successes, trials, chances = (np.asarray(a).ravel() for a in (successes, trials, chances))
    np.testing.assert_array_equal(successes[chances == 0], 0)
    np.testing.assert_array_equal(successes[chances == 1], trials[chances == 1])
    rare = np.minimum(chances, 1 - chances)
    frequent = trials * rare >= 10
    k, n, p = successes[frequent], trials[frequent], chances[frequent]
    square = np.sum((k - n * p) ** 2 / (n * p * (1 - p)))
    tail = stats.chi2.sf(square, k.size)
    assert tail > FALSE_ALARM, f"chi-square {square:.1f} for {k.size} degrees of freedom"
    # Too good an agreement would be no chance either.
    assert k.size < 30 or stats.chi2.cdf(square, k.size) > FALSE_ALARM
    # All cells of one chance together: how rare ones add up to something to test.
    for chance in np.unique(chances[(chances > 0) & (chances < 1)]):
        cells = chances == chance
        k, n = successes[cells].sum(), trials[cells].sum()
        tail = min(stats.binom.cdf(k, n, chance), stats.binom.sf(k - 1, n, chance))
        assert 2 * tail > FALSE_ALARM, f"{k} of {n} at a chance of {chance}"
