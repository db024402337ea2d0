"""Exact results, as Datasets over ``temperature`` with the same names as measured ones.

Energies are in units of the coupling J = 1 and temperatures in J/k_B. `enumeration`,
`transfer_matrix` and `weiss` take coupling and field from the model instead. These, and `ring`,
also know Potts models.
"""

from analysis.exact.enumerations import MAX_SITES, density_of_states, enumeration
from analysis.exact.homogenisation import homogenised
from analysis.exact.kaufman import torus
from analysis.exact.onsager import CRITICAL_TEMPERATURE, square_lattice
from analysis.exact.potts import potts_square
from analysis.exact.rings import ring
from analysis.exact.transfer import MAX_FRONTIER, transfer_matrix
from analysis.exact.weiss import weiss

__all__ = [
    "CRITICAL_TEMPERATURE",
    "MAX_FRONTIER",
    "MAX_SITES",
    "density_of_states",
    "enumeration",
    "homogenised",
    "potts_square",
    "ring",
    "square_lattice",
    "torus",
    "transfer_matrix",
    "weiss",
]
