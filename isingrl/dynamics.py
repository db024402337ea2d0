"""The base class of everything that updates spins by an engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from isingrl.support.validation import check_temperature

if TYPE_CHECKING:
    from isingrl.engines.engine import Engine

__all__ = ["Dynamics"]


class Dynamics(ABC):
    """Dynamics that `isingrl.simulate` runs: a rule, agents that learn, or an update of your own.

    It needs a `name` and an `engine`. A `Rule` needs a table instead, and makes its own engine.

    Examples
    --------
    >>> import isingrl as irl
    >>> isinstance(irl.Metropolis(), irl.Dynamics), issubclass(irl.Rule, irl.Dynamics)
    (True, True)
    >>> import numpy as np
    >>> model, seed = irl.Ising(irl.Lattice((8, 8))), np.random.SeedSequence(1)
    >>> engine = irl.HeatBath().engine(model, np.array([2.0]), 4, "up", "checkerboard", seed)
    >>> engine.record(draws=3, interval=10)["bonds"].shape
    (4, 3)
    >>> irl.HeatBath().settings(), irl.HeatBath().known(model, np.array([2.0, 3.0]), 4)["up"].shape
    ({}, (8, 1, 2, 5))
    >>> irl.Learning(irl.MeanFieldQ(discount=0.9)).departures(model)
    ['the discount 0.9 lets later rewards count']
    >>> irl.HeatBath().undivided
    {}
    >>> irl.Tempering(irl.HeatBath()).check_run(model, np.array([2, 3]), 4, "synchronous", None)
    Traceback (most recent call last):
        ...
    ValueError: schedule must not be "synchronous" with Tempering, because the stationary ...
    """

    learns: ClassVar[bool] = False
    """Whether it changes while it runs; a ladder refuses such dynamics."""
    scheduled: ClassVar[bool] = True
    """Whether a sweep follows the schedule of `isingrl.simulate`."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the method, a value of the dimension ``method``."""

    @abstractmethod
    def engine(
        self,
        model: Any,
        temperatures: npt.NDArray[np.float64],
        chains: int,
        start: str | npt.NDArray[Any],
        schedule: str,
        seed: np.random.SeedSequence,
    ) -> Engine:
        """Make the engine of a run, with its chains in their first configurations.

        Parameters
        ----------
        model : Ising or Potts
            The model. Chains of one temperature lie side by side, ordered by field.
        temperatures : ndarray, shape (n_temperatures,)
            In J/k_B.
        chains : int
            Chains at every temperature in every field.
        start : {"random", "up", "down"} or int8 array, shape (n_chains, *lattice.shape)
            First configurations of all chains.
        schedule : str
            As in `isingrl.simulate`.
        seed : SeedSequence
            Seed of all random numbers.

        Returns
        -------
        Engine
            As ``isingrl.engines.engine.Engine`` describes it.
        """

    @property
    def undivided(self) -> dict[str, dict[str, Any]]:
        """Attributes, by name, of what the engine measures beside sums over sites.

        `isingrl.simulate` takes these arrays of ``Engine.record`` as they are, and divides all
        others by the number of sites.
        """
        return {}

    def check_run(  # noqa: B027 - most dynamics refuse nothing
        self,
        model: Any,
        temperatures: npt.NDArray[np.float64],
        chains: int,
        schedule: str,
        ladder: Any,
    ) -> None:
        """Refuse arguments of `isingrl.simulate` that do not suit; this default accepts all.

        Parameters
        ----------
        model, temperatures, chains, schedule
            As for `engine`.
        ladder : str or None
            As in `isingrl.simulate`.

        Raises
        ------
        ValueError
            If an argument does not suit.
        """

    def temperatures(self, model: Any, temperature: Any) -> npt.NDArray[np.float64]:
        """Check temperatures; this default refuses None.

        Parameters
        ----------
        model : Ising or Potts
            The model of the run.
        temperature : float or sequence of float
            In J/k_B; None if the user gave none.

        Returns
        -------
        ndarray, shape (n_temperatures,)
            In J/k_B.

        Raises
        ------
        TypeError, ValueError
            If `temperature` is missing, empty, negative, not a number or repeated.
        """
        if temperature is None:
            raise TypeError(f"temperature must be given for {self!r}; got None")
        return check_temperature(temperature)

    def softmax_temperature(
        self, model: Any, temperature: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64] | None:
        """Softmax temperature τ of agents at each temperature; None for dynamics without agents.

        Parameters
        ----------
        model : Ising or Potts
            The model of the run.
        temperature : ndarray, shape (n_temperatures,)
            In J/k_B.

        Returns
        -------
        ndarray, shape (n_temperatures,), or None
            In the units of the agents' reward.
        """
        return None

    def departures(self, model: Any) -> list[str]:
        """Why `temperature` is only a label, and not the temperature of an Ising model.

        Parameters
        ----------
        model : Ising or Potts
            The model of the run.

        Returns
        -------
        list of str
            Reasons; empty if it is the temperature.
        """
        return []

    def describe(self) -> dict[str, Any]:
        """Attributes of a Dataset that describe the dynamics.

        Returns
        -------
        dict
            Names and values of attributes.
        """
        return {"rule": self.name}

    def settings(self) -> dict[str, Any]:
        """Settings that a run must keep to go on from a checkpoint, ready for JSON.

        Returns
        -------
        dict
            By name.
        """
        return {}

    def known(
        self, model: Any, temperatures: npt.NDArray[np.float64], chains: int
    ) -> dict[str, npt.NDArray[Any]]:
        """Arrays that a run must keep to go on; a checkpoint holds their digest.

        Parameters
        ----------
        model, temperatures, chains
            As for `engine`.

        Returns
        -------
        dict of arrays
            By name.
        """
        return {}

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({given})"
