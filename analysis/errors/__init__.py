"""Standard errors of correlated samples, autocorrelation included.

`estimate` serves functions of means of plain series, `jackknife` and `bootstrap` any function of
Datasets. `autocorrelation` and `binning` test the errors, and `equilibration` finds the samples to
leave out at the beginning. The functions of ``analysis.errors.arrays`` take plain arrays, all
others Datasets.
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
