"""Standard errors of correlated samples, autocorrelation included.

`estimate` serves functions of means of plain series, `jackknife` and `bootstrap` any function of
Datasets. `autocorrelation` and `binning` show what the errors rest on, `equilibration` where a run
may begin to count.
"""

from analysis.errors.diagnostics import autocorrelation, binning, equilibration
from analysis.errors.doubts import ShortRunWarning
from analysis.errors.estimates import Estimate, MomentFunction, estimate
from analysis.errors.resampling import bootstrap, jackknife
from analysis.errors.times import (
    MIN_BLOCKS,
    FloatArray,
    Times,
    arviz_arrays,
    autocorrelation_times,
)

__all__ = [
    "MIN_BLOCKS",
    "Estimate",
    "FloatArray",
    "MomentFunction",
    "ShortRunWarning",
    "Times",
    "arviz_arrays",
    "autocorrelation",
    "autocorrelation_times",
    "binning",
    "bootstrap",
    "equilibration",
    "estimate",
    "jackknife",
]
