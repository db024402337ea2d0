"""Standard errors of correlated samples, autocorrelation included.

`estimate` serves functions of means of plain series, `jackknife` and `bootstrap` any function of
Datasets. `autocorrelation` and `binning` show what the errors rest on, `equilibration` where a run
may begin to count. The functions of ``analysis.errors.arrays`` are for plain arrays, all others for
Datasets.
"""

from analysis.errors.arrays.blocks import MIN_BLOCKS, FloatArray, MomentFunction
from analysis.errors.arrays.doubts import ShortRunWarning
from analysis.errors.arrays.estimates import Estimate, estimate
from analysis.errors.arrays.times import Times, arviz_arrays, autocorrelation_times
from analysis.errors.diagnostics import autocorrelation, binning, equilibration
from analysis.errors.resampling import bootstrap, jackknife

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
