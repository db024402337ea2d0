"""Mean-field Q-learning: an agent sees the mean action of its neighbours."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from isingrl._validation import check_choice, check_real
from isingrl.agents.rewards import REWARDS, Reward


@dataclass(frozen=True)
class MeanFieldQ:
    r"""Agents that choose their spin by a softmax over Q(mean action of the neighbours, spin).

    One table is shared by all sites. On a lattice the mean action is the number of up
    neighbours over z, which holds as much as the local field needs: a converged agent without
    discount whose reward is a (J S + h) is the heat bath.

    After each visit to a site the agent there learns from its last action,

    .. math:: Q(n, a) \leftarrow Q(n, a) + \alpha\,[r + \gamma V(n') - Q(n, a)],
       \qquad V(n') = \sum_{a'} \pi(a' | n')\, Q(n', a'),

    with n′ the up neighbours that it meets now and r the reward read when it acted, before the
    neighbours moved. The first updates of an entry are averaged (rate 1/k for the k-th, down
    to `learning_rate`), so that the initial Q = 0 leaves no trace.

    Parameters
    ----------
    reward : {"energy", "half", "mean", "chapter-1d", "chapter-2d"}
        See `isingrl.agents.rewards`.
    discount : float
        γ in [0, 1]; values above 0 break the exact map from τ to T.
    learning_rate : float
        α in (0, 1].

    Raises
    ------
    TypeError, ValueError
        If the reward is unknown or a number lies outside its interval.

    References
    ----------
    Y. Yang et al., "Mean field multi-agent reinforcement learning", ICML (2018),
    arXiv:1802.05438.
    """

    name: ClassVar[str] = "mean-field-q"

    reward: str = "energy"
    discount: float = 0.0
    learning_rate: float = 0.1

    def __post_init__(self) -> None:
        check_choice("reward", self.reward, tuple(REWARDS))
        discount = check_real("discount", self.discount, minimum=0, maximum=1)
        rate = check_real("learning_rate", self.learning_rate, minimum=0, maximum=1)
        if rate == 0:
            raise ValueError("learning_rate must lie in (0, 1]; got 0")
        object.__setattr__(self, "discount", discount)
        object.__setattr__(self, "learning_rate", rate)

    @property
    def reward_function(self) -> Reward:
        """The reward that the name stands for."""
        return REWARDS[self.reward]

    @property
    def exact_temperature(self) -> bool:
        """Whether the converged agent is exactly an Ising rule at the physical temperature."""
        return self.reward_function.exact and self.discount == 0

    def settings(self) -> dict[str, Any]:
        """Arguments that make this agent again."""
        return asdict(self)
