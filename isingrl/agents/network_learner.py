"""Agents with networks: torch trains those of all replicas and sites side by side.

A network has few distinct inputs and is evaluated once for each. The experiences of a sweep, or
of a batch from the memory, are gathered by input and action: n_k experiences of kind k have the
mean target t_k. The loss over single experiences is Σ n_k (Q_k - t_k)² / Σ n_k plus a term that
does not depend on Q.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from isingrl.agents.learner import FloatArray, Learner, gathered_loss
from isingrl.agents.network import Network
from isingrl.engines.kernels import learning as kernels
from isingrl.support.archives import Arrays, fill, part, prefixed
from isingrl.support.devices import one_thread, optimizer_state, restore_optimizer

_ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "elu": functional.elu,
    "relu": functional.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "linear": lambda x: x,
}


class NetworkBatch:
    """Networks of one shape, side by side.

    `inputs` are the distinct inputs, shape (n_states, length), or None for the unit vectors. If
    `parameters` are omitted, they are drawn as torch draws those of linear layers.
    """

    def __init__(
        self,
        network: Network,
        inputs: FloatArray | None,
        n_states: int,
        n_actions: int,
        n_networks: int,
        seed: int,
        parameters: dict[str, FloatArray] | None = None,
    ) -> None:
        self._network = network
        # Copies: NumPy's memory is aligned to 16 bytes, torch's to 64, and the last bits of a
        # matrix product depend on it.
        self._inputs = None if inputs is None else torch.tensor(inputs)
        length = n_states if inputs is None else inputs.shape[1]
        if parameters is None:
            parameters = _drawn(network, length, n_actions, n_networks, seed)
        self._tensors = {
            name: torch.tensor(values).requires_grad_() for name, values in parameters.items()
        }

    @property
    def parameters(self) -> dict[str, FloatArray]:
        """Weights (n_networks, length in, length out) and biases (n_networks, 1, length out)."""
        return {name: value.detach().numpy().copy() for name, value in self._tensors.items()}

    @parameters.setter
    def parameters(self, values: dict[str, FloatArray]) -> None:
        fill({name: each.detach().numpy() for name, each in self._tensors.items()}, values)

    @property
    def tensors(self) -> list[torch.Tensor]:
        """Parameters for an optimizer."""
        return list(self._tensors.values())

    def __call__(self) -> torch.Tensor:
        """Action values for every distinct input, shape (n_networks, n_states, n_actions)."""
        network = self._network
        layers = len(network.hidden) + 1
        values = self._inputs
        for layer in range(layers):
            weight = self._tensors[f"weight_{layer}"]
            last = layer == layers - 1
            values = weight if values is None else values @ weight
            if network.bias == "learned":
                values = values + self._tensors[f"bias_{layer}"]
            elif not last:
                values = values + 1.0
            values = _ACTIVATIONS[network.output if last else network.activation](values)
        assert values is not None
        return values


class NetworkLearner(Learner):
    """Agents with networks; parameters as of `Learner`."""

    def _begin(
        self, knowledge: dict[str, npt.NDArray[Any]] | None, generator: np.random.Generator
    ) -> None:
        network = self.agent.network
        assert isinstance(network, Network)
        n_networks = self.shape[0] * self.shape[1]
        self._networks = NetworkBatch(
            network, self.view.inputs, self.view.n_states, self.shape[3], n_networks,
            int(generator.integers(2**63)), knowledge,
        )  # fmt: skip
        optimizer: Any = getattr(torch.optim, network.optimizer)
        self._optimizer = optimizer(self._networks.tensors, lr=self.agent.learning_rate)
        self._prepare()

    @property
    def knowledge(self) -> dict[str, npt.NDArray[Any]]:
        """Weights and biases by name; the first axis is the network."""
        return dict(self._networks.parameters)

    def state(self) -> Arrays:
        """See `Learner.state`."""
        return {
            **super().state(),
            **prefixed("network.", self._networks.parameters),
            **prefixed("optimizer.", optimizer_state(self._optimizer)),
        }

    @one_thread()
    def restore(self, state: Arrays) -> None:
        """See `Learner.restore`."""
        own = ("network.", "optimizer.")
        super().restore({k: v for k, v in state.items() if not k.startswith(own)})
        self._networks.parameters = part(state, "network.")
        restore_optimizer(self._optimizer, part(state, "optimizer."))
        self._prepare()

    @one_thread()
    def advance(
        self, taus: FloatArray, rates: FloatArray | None = None, interval: int = 0
    ) -> kernels.History:
        """See `Learner.advance`."""
        history = super().advance(taus, rates, interval)
        self._prepare()
        return history

    def _prepare(self) -> None:
        self._values = self._networks()
        self.q[:] = self._values.detach().numpy().reshape(self.shape)

    def _fit(self, rate: float) -> None:
        self.table_loss[:] = gathered_loss(self._gathered, self.q)
        self.visits[:] += self._gathered.number.astype(np.int64)
        for group in self._optimizer.param_groups:
            group["lr"] = rate * float(self.agent.learning_rate or 0.0)
        count, target, _ = (
            torch.from_numpy(array).view(self._values.shape) for array in self._gathered
        )
        # a table without experiences has the loss 0
        n = count.sum(dim=(1, 2), keepdim=True).clamp(min=1.0)
        loss = ((count * self._values - 2.0 * target) * self._values / n).sum()
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()


def _drawn(
    network: Network, length: int, n_actions: int, n_networks: int, seed: int
) -> dict[str, FloatArray]:
    """Parameters as torch draws them for linear layers: uniform within ±1/√(length in)."""
    generator = torch.Generator().manual_seed(seed)
    drawn, bound = {}, 1.0
    for name, shape in network.parameter_shapes(length, n_actions).items():
        if name.startswith("weight"):
            bound = shape[0] ** -0.5
        uniform = torch.rand((n_networks, *shape), generator=generator, dtype=torch.float64)
        drawn[name] = (bound * (2 * uniform - 1)).numpy()
    return drawn
