"""Analysis of Ising simulations: Datasets in, Datasets out.

`thermodynamics` turns measured series into observables with error bars, `exact` holds exact
results under the same names, `plots` draws both on axes that it is given.
"""

from analysis import exact, plots
from analysis.thermodynamics import ShortRunWarning, thermodynamics

__all__ = ["ShortRunWarning", "exact", "plots", "thermodynamics"]
