"""Networks that agents may have instead of tables: their shape and optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from isingrl.support.reprs import call
from isingrl.support.validation import check_choice, check_integer

__all__ = ["ACTIVATIONS", "OPTIMIZERS", "Network"]

ACTIVATIONS = ("elu", "relu", "tanh", "sigmoid", "linear")
"""Activation functions of layers, by name; ``"linear"`` is the identity."""
OPTIMIZERS = (
    "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "SGD"
)  # fmt: skip
"""Optimizers of torch that treat every parameter by itself, because networks lie side by side."""
BIASES = ("learned", "one")


@dataclass(frozen=True, repr=False)
class Network:
    """A fully connected network from an agent's state to the values of its actions.

    Parameters
    ----------
    hidden : sequence of int
        Widths of the hidden layers.
    activation : {"elu", "relu", "tanh", "sigmoid", "linear"}
        Activation function of the hidden layers.
    output : {"linear", "tanh", ...}
        Activation function of the values; "tanh" limits them to ±1.
    bias : {"learned", "one"}
        "one": 1 in the hidden layers and none at the output, as in Zai & Brown (2020).
    optimizer : str
        Name of an optimizer of torch; all but its learning rate are its defaults.

    Raises
    ------
    TypeError, ValueError
        If a width is no integer of at least 1 or a name is unknown.

    Examples
    --------
    >>> import isingrl as irl
    >>> irl.MeanFieldQ(network=irl.Network((20,), activation="tanh")).network.hidden
    (20,)
    >>> irl.MeanFieldQ(network=(10, 10)).network.activation
    'elu'
    >>> irl.Network((10,)).parameter_shapes(2)
    {'weight_0': (2, 10), 'bias_0': (1, 10), 'weight_1': (10, 2), 'bias_1': (1, 2)}
    """

    hidden: tuple[int, ...] = (10,)
    activation: str = "elu"
    output: str = "linear"
    bias: str = "learned"
    optimizer: str = "Adam"

    def __repr__(self) -> str:
        return call(self)

    def parameter_shapes(self, length: int, actions: int = 2) -> dict[str, tuple[int, int]]:
        """Shapes of weights (length in, length out) and learned biases (1, length out), by name.

        Parameters
        ----------
        length : int
            Length of the input.
        actions : int
            Number of actions.

        Returns
        -------
        dict of pairs of int
            ``weight_0``, ``bias_0`` and so on, from the input to the values of the actions.
        """
        shapes = {}
        for layer, (inside, outside) in enumerate(pairwise((length, *self.hidden, actions))):
            shapes[f"weight_{layer}"] = (inside, outside)
            if self.bias == "learned":
                shapes[f"bias_{layer}"] = (1, outside)
        return shapes

    def __post_init__(self) -> None:
        hidden: Any = self.hidden
        if isinstance(hidden, str | bytes) or not isinstance(hidden, Sequence):
            raise TypeError(f"hidden must be a sequence of widths; got {hidden!r}")
        widths = tuple(check_integer("hidden: a width", width, 1) for width in hidden)
        object.__setattr__(self, "hidden", widths)
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("output", self.output, ACTIVATIONS)
        check_choice("bias", self.bias, BIASES)
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
