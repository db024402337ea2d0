"""The model of the mean coupling, which agents play that cannot tell their neighbours apart."""

from __future__ import annotations

from dataclasses import replace

from isingrl.model import Ising


def homogenised(model: Ising) -> Ising:
    """Return the same model with one coupling, the mean over the neighbours of a site.

    An agent that sees only how many of its neighbours are up treats all of them alike. If it is
    paid by the energy and learns with discount 0, it therefore plays this model, at the
    temperature of the other one, whatever the couplings are; with one table for all sites, and on
    lattices whose neighbours are all alike.

    Parameters
    ----------
    model : Ising
        One coupling or several, or random bonds.

    Returns
    -------
    Ising
        On the same lattice and in the same field.

    Raises
    ------
    TypeError
        If `model` is no `Ising`.

    Notes
    -----
    The dynamics of such agents treat all directions alike, and so does their stationary law. All
    neighbours of a site with n of them up are then up with the same probability, so that the mean
    reward of an action in this state is that of the mean coupling.

    This needs a symmetry of the lattice between any two neighbours. Near and diagonal neighbours of
    the Moore lattice have none: near ones have more neighbours in common with the others, and given
    n > z/2 they are up more often. So agents with different couplings for the two play this model
    only roughly.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import exact
    >>> exact.homogenised(irl.Ising(irl.Lattice((8, 8)), coupling=[1.75, 0.25])).coupling
    1.0
    """
    if not isinstance(model, Ising):
        raise TypeError(f"model must be an Ising model; got {model!r}")
    return replace(model, coupling=model.mean_coupling)
