"""The base class of learners: a network, its optimizer and a memory, with checkpoints."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import torch

from isingrl.battle.memory import ReplayMemory
from isingrl.battle.network_player import team_player, trained_tau
from isingrl.battle.networks import BattleNetwork, make_network
from isingrl.battle.players import Player
from isingrl.battle.team import LearningTeam
from isingrl.support.archives import Arrays, part, prefixed
from isingrl.support.devices import optimizer_state, restore_optimizer


class TeamLearner(ABC):
    """A team while it learns.

    `seed` draws the first parameters, `device` is one of torch, and the attribute `progress` is
    the share of the training so far.
    """

    alike: ClassVar[tuple[str, ...]] = ()
    """Settings of the team that `loss` reads; teams that differ in them learn apart."""

    def __init__(self, team: LearningTeam, memory: ReplayMemory, seed: int, device: str) -> None:
        self.team = team
        self.network: BattleNetwork = make_network(
            team.network, team.mean_field, team.outputs, seed
        )
        self.network.to(device)
        self.memory = memory
        self.progress = 0.0
        self._device = device
        self._optimizer = torch.optim.Adam(
            self.network.parameters(), lr=team.learning_rate, fused=True
        )

    @abstractmethod
    def tau(self) -> float:
        """Softmax temperature at this point of the training."""

    def after_step(self, experienced: int, generator: np.random.Generator) -> Iterator[Any]:
        """Batches to learn from after a step with `experienced` experiences.

        A batch is a NamedTuple of arrays or None. All of a learner have the same shapes.
        """
        yield from ()

    def after_round(self, generator: np.random.Generator) -> Iterator[Any]:
        """Batches to learn from after a round of games."""
        yield from ()

    @abstractmethod
    def loss(self, batch: Any) -> torch.Tensor:
        """Loss of a batch, whose arrays are tensors now, by `networks`."""

    def networks(self) -> dict[str, BattleNetwork]:
        """The networks that `loss` reads, by name."""
        return {"network": self.network}

    def update(self, batch: Any) -> float:
        """Make a step down the gradient of the loss of a batch; return the loss."""
        self._optimizer.zero_grad()
        loss = self.loss(type(batch)(*self.tensors(batch)))
        loss.backward()  # type: ignore[no-untyped-call]
        self.step()
        return float(loss.detach())

    def step(self) -> None:
        """Let the optimizer make a step down the gradients that the parameters have."""
        rate = self.team.learning_rate
        if self.team.falling_rate:
            rate *= 0.5 + 0.5 * float(np.cos(np.pi * self.progress))
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()

    def player(self) -> Player:
        """Player that acts as the team does at this point of the training."""
        return team_player(self.team, self.network, self.tau)

    def trained_player(self) -> Player:
        """Player that acts as the team would if the training ended here."""
        return team_player(self.team, self.network, lambda: trained_tau(self.team))

    def tensors(self, values: Any) -> Any:
        """Arrays on the device of the network; None stays None."""
        # Copies: NumPy's memory is aligned to 16 bytes, torch's to 64, and the last bits of a
        # matrix product depend on it.
        return [
            None if each is None else torch.tensor(each, device=self._device) for each in values
        ]

    def state(self) -> Arrays:
        """Arrays of a checkpoint, by name."""
        return {
            **prefixed("network.", parameters(self.network)),
            **prefixed("optimizer.", optimizer_state(self._optimizer)),
            **prefixed("memory.", self.memory.state()),
        }

    def restore(self, arrays: Arrays) -> None:
        """Go on from a `state`."""
        set_parameters(self.network, part(arrays, "network."))
        restore_optimizer(self._optimizer, part(arrays, "optimizer."))
        self.memory.restore(part(arrays, "memory."))


def mean_of_known(values: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Mean of the values of the rows that count."""
    return (values * known).sum() / known.sum()


def parameters(network: BattleNetwork) -> Arrays:
    """Copies of weights and biases, by name."""
    return {name: value.cpu().numpy().copy() for name, value in network.state_dict().items()}


def set_parameters(network: BattleNetwork, arrays: Arrays) -> None:
    """Set weights and biases; refuse other names or shapes, and numbers that are not finite."""
    expected = {name: tuple(values.shape) for name, values in network.state_dict().items()}
    for name, shape in expected.items():
        if name not in arrays:
            raise ValueError(f"parameters must hold {name}, of shape {shape}; it is missing")
        values = np.asarray(arrays[name])
        if values.shape != shape:
            raise ValueError(f"{name} must have the shape {shape}; got {values.shape}")
        if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
            raise ValueError(f"{name} must hold finite numbers; got others")
    if unknown := sorted(arrays.keys() - expected.keys()):
        raise ValueError(f"parameters must be {', '.join(expected)}; got {', '.join(unknown)} too")
    network.load_state_dict({name: torch.tensor(values) for name, values in arrays.items()})
