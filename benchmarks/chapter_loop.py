"""Mean-field Q-learning on the lattice as in a textbook: a loop over agents, one by one.

The algorithm and settings of Zai & Brown, *Deep Reinforcement Learning in Action* (2020), section
9.4, in our own plain code. On a torus with eight neighbours every agent averages its neighbours'
one-hot actions, evaluates the shared network 2 → 10 → 2 and draws from a softmax. This happens
three times. Then rewards are paid, experiences go to a replay list, and the network learns from a
batch of ten. Two mistakes of the book are corrected: each row has its own target, and the value of
the next state comes from the next state.
"""

from __future__ import annotations

import random

import torch

_NEIGHBORS = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]


class ChapterLoop:
    """A square torus of agents with one network."""

    def __init__(
        self, side: int = 10, softmax_temperature: float = 0.5, learning_rate: float = 1e-4
    ) -> None:
        self.side = side
        self.grid = torch.randint(0, 2, (side, side))
        self.tau = softmax_temperature
        self.network = torch.nn.Sequential(
            torch.nn.Linear(2, 10), torch.nn.ELU(), torch.nn.Linear(10, 2)
        )
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=learning_rate)
        self.replay: list[tuple[torch.Tensor, int, float, torch.Tensor]] = []

    def run(self, epochs: int) -> None:
        """Act and learn for `epochs` epochs."""
        for _ in range(epochs):
            self._epoch()

    def _mean_action(self, i: int, j: int) -> torch.Tensor:
        total = torch.zeros(2)
        for down, right in _NEIGHBORS:
            spin = self.grid[(i + down) % self.side, (j + right) % self.side]
            total += torch.nn.functional.one_hot(spin, 2)
        return total / len(_NEIGHBORS)

    def _epoch(self) -> None:
        sites = [(i, j) for i in range(self.side) for j in range(self.side)]
        seen, actions = {}, {}
        for _ in range(3):
            for site in sites:
                seen[site] = self._mean_action(*site)
                with torch.no_grad():
                    q = self.network(seen[site])
                chances = torch.softmax(q / self.tau, dim=0)
                actions[site] = int(torch.multinomial(chances, 1))
            for (i, j), action in actions.items():
                self.grid[i, j] = action
        for site in sites:
            reward = float(torch.tanh(5 * (seen[site][actions[site]] - 0.5)))
            self.replay.append((seen[site], actions[site], reward, self._mean_action(*site)))
        self.replay = self.replay[-50:]
        self._learn(random.sample(self.replay, 10))

    def _learn(self, batch: list[tuple[torch.Tensor, int, float, torch.Tensor]]) -> None:
        states = torch.stack([state for state, _, _, _ in batch])
        actions = torch.tensor([action for _, action, _, _ in batch])
        rewards = torch.tensor([reward for _, _, reward, _ in batch])
        next_states = torch.stack([state for _, _, _, state in batch])
        with torch.no_grad():
            q = self.network(next_states)
            values = (torch.softmax(q / self.tau, dim=1) * q).sum(dim=1)
        chosen = self.network(states)[torch.arange(len(batch)), actions]
        loss = ((rewards + 0.9 * values - chosen) ** 2).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
