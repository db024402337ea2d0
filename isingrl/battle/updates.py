"""Updates of the networks of trainings that go on side by side."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import cache
from typing import Any, TypeVar

import torch
from torch import nn
from torch.func import functional_call, vmap

from isingrl.battle.team_learner import TeamLearner
from isingrl.support.devices import one_thread

_R = TypeVar("_R")

Updates = Generator[tuple[TeamLearner, Any], float, _R]
"""A training or a part of one: yields each learner and its batch, and is sent the loss."""


@one_thread()
def run_all(trainings: Sequence[Updates[_R]], stacked: bool) -> list[_R]:
    """Let trainings go on from update to update, all together; return their results.

    `stacked`: learners that are alike make their updates at once.
    """
    results: dict[int, _R] = {}
    alike = cache(_alike)
    stacks: dict[Any, NetworkStack] = {}
    losses: dict[int, Any] = dict.fromkeys(range(len(trainings)))
    while losses:
        waiting = {}
        for number, loss in losses.items():
            try:
                waiting[number] = trainings[number].send(loss)
            except StopIteration as end:
                results[number] = end.value
        losses = {}
        groups: dict[Any, list[int]] = {}
        for number, (learner, _) in waiting.items():
            groups.setdefault(alike(learner) if stacked else number, []).append(number)
        for key, numbers in groups.items():
            learners, batches = zip(*(waiting[number] for number in numbers), strict=True)
            if len(numbers) == 1:
                found = [learners[0].update(batches[0])]
            else:
                if key not in stacks or stacks[key].learners != learners:
                    stacks[key] = NetworkStack(learners)
                found = stacks[key].update(batches)
            losses |= zip(numbers, found, strict=True)
    return [results[number] for number in range(len(trainings))]


def run(training: Updates[_R]) -> _R:
    """Let one training go on to its end."""
    return run_all([training], stacked=False)[0]


def _alike(learner: TeamLearner) -> Any:
    """What learners have in common that can be updated at once; others differ in it.

    Not updated at once are learners with updates of their own, and networks with buffers, which may
    change, as those of normalizations.
    """
    buffers = [name for name, _ in learner.network.named_buffers()]
    if type(learner).update is not TeamLearner.update or buffers != ["planes"]:
        return id(learner)
    settings = [getattr(learner.team, name) for name in learner.alike]
    shapes = [(name, tuple(values.shape)) for name, values in learner.network.named_parameters()]
    size = getattr(learner.team, "batch_size", None)
    return type(learner), type(learner.network), tuple(shapes), size, tuple(settings)


class NetworkStack:
    """The networks of learners that are alike, with their parameters in common tensors.

    Their losses and gradients come from one pass forward and one backward.
    """

    def __init__(self, learners: Sequence[TeamLearner]) -> None:
        self.learners = tuple(learners)
        self._loss = _Loss(learners[0])
        self._own = [dict(_Loss(each).named_parameters()) for each in learners]
        self._stacks: dict[str, torch.Tensor] = {}
        for name, like in self._own[0].items():
            stack = like.new_empty_strided(
                (len(learners), *like.shape), (like.numel(), *like.stride())
            )
            for place, own in zip(stack, self._own, strict=True):
                place.copy_(own[name].detach())
                own[name].data = place
            self._stacks[name] = stack.requires_grad_(like.requires_grad)

    def update(self, batches: Sequence[Any]) -> list[float]:
        """Make an update of every learner with its batch; return the losses."""
        kind = type(batches[0])
        fields = [name for name in kind._fields if getattr(batches[0], name) is not None]

        def loss(parameters: dict[str, torch.Tensor], given: list[torch.Tensor]) -> torch.Tensor:
            batch = kind(**(dict.fromkeys(kind._fields) | dict(zip(fields, given, strict=True))))
            found: torch.Tensor = functional_call(self._loss, parameters, (batch,))
            return found

        device = next(iter(self._stacks.values())).device
        given = [
            torch.stack([torch.from_numpy(getattr(batch, name)) for batch in batches]).to(device)
            for name in fields
        ]
        losses = vmap(loss, randomness="different")(self._stacks, given)
        learned = {name: each for name, each in self._stacks.items() if each.requires_grad}
        gradients = torch.autograd.grad(losses.sum(), list(learned.values()))
        for name, gradient in zip(learned, gradients, strict=True):
            for own, each in zip(self._own, gradient, strict=True):
                # fused optimizers read parameters and gradients in their order in memory
                own[name].grad = (
                    each
                    if each.stride() == own[name].stride()
                    else torch.empty_like(own[name]).copy_(each)
                )
        for learner in self.learners:
            learner.step()
        return losses.detach().tolist()


class _Loss(nn.Module):
    """The loss of a learner as a module that holds its networks."""

    def __init__(self, learner: TeamLearner) -> None:
        super().__init__()
        self._learner = learner
        for name, network in learner.networks().items():
            self.add_module(name, network)

    def forward(self, batch: Any) -> torch.Tensor:
        return self._learner.loss(batch)
