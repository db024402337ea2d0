"""Tabular Q-learning of the agents on a lattice, one agent a site, one table for all."""

import math

import numpy as np
from numba import njit

from isingrl._kernels.random import next_below, next_uniform
from isingrl._kernels.sites import CHECKERBOARD, SEQUENTIAL, local_sum


@njit(inline="always")
def softmax_up(advantage, softmax_temperature):
    """P(up) of the softmax policy for Q(up) - Q(down); temperatures 0 and ∞ included."""
    if advantage == 0.0 or math.isinf(softmax_temperature):
        return 0.5
    if softmax_temperature == 0.0:
        return 1.0 if advantage > 0.0 else 0.0
    return 1.0 / (1.0 + math.exp(-advantage / softmax_temperature))


@njit
def _learn_from(before, action, seen, q, visits, policy, rewards, tau, learning_rate, discount):
    """Update the value of an action whose consequences are now seen, and the policy with it."""
    target = rewards[before, action]
    if discount > 0.0:
        up = policy[seen]
        target += discount * (up * q[seen, 1] + (1.0 - up) * q[seen, 0])
    visits[before, action] += 1
    error = target - q[before, action]
    if error != 0.0:
        q[before, action] += max(learning_rate, 1.0 / visits[before, action]) * error
        policy[before] = softmax_up(q[before, 1] - q[before, 0], tau)


@njit(nogil=True, cache=True)
def learn(
    spins, neighbors, order, step, schedule, q, visits, rewards, taus, learning_rate, discount,
    last_state, last_action, state, q_history, reward_history, magnetization_history,
):  # fmt: skip
    """Let the agents of one lattice act and learn for ``taus.size`` sweeps.

    Parameters
    ----------
    spins, neighbors, order, step, schedule, state
        As in `isingrl._kernels.sites.sweep`.
    q : float64 array, shape (n_states, 2)
        Values of the actions down and up, shared by all sites; changed in place.
    visits : int64 array, shape (n_states, 2)
        Updates of each entry so far. Its n-th update has the rate max(learning_rate, 1 / n).
    rewards : float64 array, shape (n_states, 2)
        What the lattice pays for an action among such neighbours.
    taus : float64 array, shape (n_sweeps,)
        Softmax temperature of every sweep.
    last_state, last_action : integer arrays, shape (n_sites,)
        What each agent saw and did last; state -1 before its first action.
    q_history, reward_history, magnetization_history
        Receive the state after every sweep, shapes (n_sweeps, n_states, 2) and (n_sweeps,).
    """
    n_sites = order.size
    z = neighbors.shape[1]
    policy = np.empty(q.shape[0])
    for sweep in range(taus.size):
        for index in range(q.shape[0]):
            policy[index] = softmax_up(q[index, 1] - q[index, 0], taus[sweep])
        seen = spins
        if schedule != CHECKERBOARD and schedule != SEQUENTIAL:
            seen = spins.copy()
        total = 0.0
        for visit in range(n_sites):
            site = next_below(state, n_sites) if schedule == SEQUENTIAL else order[visit]
            index = (local_sum(seen, neighbors, site) + z) // step
            if last_state[site] >= 0:
                _learn_from(
                    last_state[site], last_action[site], index, q, visits, policy, rewards,
                    taus[sweep], learning_rate, discount,
                )  # fmt: skip
            action = 1 if next_uniform(state) < policy[index] else 0
            spins[site] = 2 * action - 1
            last_state[site], last_action[site] = index, action
            total += rewards[index, action]
        q_history[sweep] = q
        reward_history[sweep] = total / n_sites
        magnetization_history[sweep] = np.sum(spins.astype(np.int64)) / n_sites
