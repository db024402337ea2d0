"""Policies whose action values are given, not learned."""

from dataclasses import replace

import numpy as np

from isingrl.agents import train


def made(model, agent, temperature, advantage, visits=1, chains=1):
    """Policy with given Q(up) - Q(down), which broadcasts against its table without action."""
    policy = train(model, agent, temperature, sweeps=1, chains=chains, seed=1)
    q = policy.q_values.copy()
    q[:] = np.stack([np.zeros(q.shape[:-1]), np.broadcast_to(advantage, q.shape[:-1])], axis=-1)
    met = policy.visits.copy()
    met[:] = np.broadcast_to(visits, q.shape[:-1])[..., None]
    return replace(policy, q_values=q, visits=met)


def converged(model, agent, temperature, **options):
    """Mean-field policy that has learned its rewards."""
    rewards = agent.reward_function.table(model)
    return made(model, agent, temperature, rewards[:, 1] - rewards[:, 0], **options)
