"""Q-learning of the agents on a lattice, one agent a site.

`learn` lets them act by tables of action values. Tables it improves visit by visit; for networks,
and where agents learn from a memory, it gathers what they experienced, for others to learn from.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from isingrl.engines.kernels.random import below, jsf_step, next_word, uniform
from isingrl.engines.kernels.sites import IN_ORDER, RANDOM_SITE, measure

COUNT, NOTHING, SAMPLE, CONFIGURATION = 0, 1, 2, 3


class Geometry(NamedTuple):
    """The lattice: neighbors (n_sites, z), order (n_sites,) and step as in `sites.sweep`.

    signs (n_sites,) as in `sites.record`.
    """

    neighbors: np.ndarray
    signs: np.ndarray
    order: np.ndarray
    step: int
    schedule: int


class Sight(NamedTuple):
    """What an agent sees.

    Attributes
    ----------
    mode : int
        COUNT of all neighbours that are up, NOTHING, a random SAMPLE of the neighbours, or the
        CONFIGURATION of `sites`.
    sites : int32 array, shape (n_sites, k)
    cumulative : float64 array, shape (n_counts, n_states)
        With SAMPLE: chance that a state is at most this, given the count of up neighbours.
    """

    mode: int
    sites: np.ndarray
    cumulative: np.ndarray


class Learning(NamedTuple):
    """How agents learn; see `isingrl.agents.agent.Agent`.

    Attributes
    ----------
    immediate : bool
        Whether an action's reward is known as soon as it is taken and nothing else matters.
    online : bool
        Whether tables are improved at every visit; else experiences are gathered.
    inner_iterations, target_interval, batch_size : int
        In sweeps, sweeps and experiences; the last two 0 if there is no target or memory.
    """

    learning_rate: float
    falling_rate: bool
    discount: float
    epsilon: float
    greedy_value: bool
    reward_after: bool
    immediate: bool
    online: bool
    inner_iterations: int
    target_interval: int
    batch_size: int


class Agents(NamedTuple):
    """State of the agents of all replicas; the first axis is the replica.

    Attributes
    ----------
    spins : int8 array, shape (n_replicas, n_sites + 1)
    q, target : float64 arrays, shape (n_replicas, n_tables, n_states, 2)
        Values of the actions down and up; `target` values the next state if there is a target.
    visits : int64 array, shape as `q`
    last_state, last_count, last_action : integer arrays, shape (n_replicas, n_sites)
        What each agent saw and did and has not learned from; state -1 for nothing.
    swept : int64 array, shape (n_replicas,)
        Learning sweeps so far.
    state : uint64 array, shape (n_replicas, 4)
    """

    spins: np.ndarray
    q: np.ndarray
    target: np.ndarray
    visits: np.ndarray
    last_state: np.ndarray
    last_count: np.ndarray
    last_action: np.ndarray
    swept: np.ndarray
    state: np.ndarray


class Gathered(NamedTuple):
    """Experiences of a sweep by state and action, shapes (n_replicas, n_tables, n_states, 2).

    Attributes
    ----------
    number, target, square : float64 arrays
        How many there were, and the sums of their targets and of the targets' squares.
    """

    number: np.ndarray
    target: np.ndarray
    square: np.ndarray


class ExperienceMemory(NamedTuple):
    """The last experiences of every table, shapes (n_replicas, n_tables, capacity).

    Attributes
    ----------
    state, action, reward, next_state : arrays
    stored : int64 array, shape (n_replicas, n_tables)
        How many there ever were.
    """

    state: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    next_state: np.ndarray
    stored: np.ndarray


class History(NamedTuple):
    """What is recorded.

    Attributes
    ----------
    reward, loss : float64 arrays, shape (n_replicas, n_sweeps)
        Mean reward and, of tables improved at once, mean squared error of a sweep.
    total : int64 array, shape (n_replicas, n_sweeps)
        Sum of the spins.
    sums : int64 array, shape (n_replicas, 3, n_sweeps // interval)
        What `sites.measure` returns after every `interval` sweeps; no columns if not wanted.
    table_loss : float64 array, shape (n_replicas, n_tables)
        Loss of every table in the last sweep.
    """

    reward: np.ndarray
    loss: np.ndarray
    total: np.ndarray
    sums: np.ndarray
    table_loss: np.ndarray


@njit(inline="always")
def chance_of_up(advantage, softmax_temperature, epsilon):
    """P(up) of the policy for Q(up) - Q(down); temperatures 0 and ∞ included."""
    if advantage == 0.0 or math.isinf(softmax_temperature):
        return 0.5
    if softmax_temperature == 0.0:
        up = 1.0 if advantage > 0.0 else 0.0
    else:
        up = 1.0 / (1.0 + math.exp(-advantage / softmax_temperature))
    return (1.0 - epsilon) * up + 0.5 * epsilon


@njit(inline="always")
def value(q_down, q_up, up, greedy):
    """Value of a state: of the best action, or expected under the policy."""
    return max(q_down, q_up) if greedy else up * q_up + (1.0 - up) * q_down


@njit
def _recall(replica, learning, memory, gathered, q, target, tau, state):
    """Gather a batch of remembered experiences, drawn with replacement, for every table."""
    for table in range(q.shape[0]):
        known = min(memory.stored[replica, table], memory.state.shape[2])
        for _ in range(learning.batch_size if known > 0 else 0):
            slot = below(next_word(state), known)
            wanted = memory.reward[replica, table, slot]
            if learning.discount > 0.0:
                then = memory.next_state[replica, table, slot]
                up = chance_of_up(q[table, then, 1] - q[table, then, 0], tau, learning.epsilon)
                wanted += learning.discount * value(
                    target[table, then, 0], target[table, then, 1], up, learning.greedy_value
                )
            seen, action = memory.state[replica, table, slot], memory.action[replica, table, slot]
            gathered.number[replica, table, seen, action] += 1.0
            gathered.target[replica, table, seen, action] += wanted
            gathered.square[replica, table, seen, action] += wanted * wanted


@njit
def _copy(q, target):
    """Copy values of actions; as an assignment it compiles three seconds longer, for its errors."""
    for table in range(q.shape[0]):
        for seen in range(q.shape[1]):
            for action in range(q.shape[2]):
                target[table, seen, action] = q[table, seen, action]


@njit
def _learn_replica(
    replica, geometry, sight, learning, agents, rewards, taus, gathered, memory, history, interval
):
    spins, state = agents.spins[replica], agents.state[replica]
    q, visits = agents.q[replica], agents.visits[replica]
    target = agents.target[replica] if learning.target_interval > 0 else q
    last_state, last_count = agents.last_state[replica], agents.last_count[replica]
    last_action = agents.last_action[replica]
    neighbors, signs, order, step, schedule = geometry
    mode, sites, cumulative = sight
    (
        learning_rate, falling_rate, discount, epsilon, greedy_value, reward_after, immediate,
        online, inner_iterations, target_interval, batch_size,
    ) = learning  # fmt: skip
    number, sums, squares = gathered
    known_state, known_action, known_reward, known_next, stored = memory
    n_sites, z = neighbors.shape
    n_tables = q.shape[0]
    # P(up) of every state for the advantage that it was last worked out for: the logistic
    # function is nowhere steeper than 1/4, so that most draws need not know by how much it moved.
    policy, advantages = np.empty(q.shape[:2]), np.full(q.shape[:2], np.nan)
    losses, learned = np.zeros(n_tables), np.zeros(n_tables, dtype=np.int64)
    for sweep in range(taus.size):
        tau = taus[sweep]
        if sweep > 0 and tau != taus[sweep - 1]:
            advantages[:] = np.nan
        steepness = 0.25 / tau if tau > 0.0 else np.inf
        if target_interval > 0 and agents.swept[replica] % target_interval == 0:
            _copy(q, target)
        agents.swept[replica] += 1
        losses[:] = 0.0
        learned[:] = 0
        paid = 0.0
        for iteration in range(inner_iterations):
            counts = iteration == inner_iterations - 1
            source = spins
            if schedule != IN_ORDER and schedule != RANDOM_SITE:
                source = spins.copy()
            a, b, c, d = state[0], state[1], state[2], state[3]
            # No calls with arrays in this loop: Numba counts references to them, at 5 ns each.
            for visit in range(n_sites):
                if schedule == RANDOM_SITE:
                    a, b, c, d = jsf_step(a, b, c, d)
                    site = below(d, n_sites)
                else:
                    site = order[visit]
                table = site if n_tables > 1 else 0
                count = z
                for slot in range(z):
                    count += source[neighbors[site, slot]]
                count //= step
                seen = count
                if mode == NOTHING:
                    seen = 0
                elif mode == CONFIGURATION:
                    seen = 0
                    for slot in range(sites.shape[1]):
                        seen |= (source[sites[site, slot]] > 0) << slot
                elif mode == SAMPLE:
                    a, b, c, d = jsf_step(a, b, c, d)
                    seen = 0
                    while uniform(d) >= cumulative[count, seen]:
                        seen += 1
                a, b, c, d = jsf_step(a, b, c, d)
                chance = uniform(d)
                advantage = q[table, seen, 1] - q[table, seen, 0]
                moved = abs(advantage - advantages[table, seen])
                if not abs(chance - policy[table, seen]) > steepness * moved or (
                    discount > 0.0 and moved > 0.0
                ):
                    policy[table, seen] = chance_of_up(advantage, tau, epsilon)
                    advantages[table, seen] = advantage
                action = 1 if chance < policy[table, seen] else 0
                spins[site] = 2 * action - 1
                reward = rewards[count, action]
                if counts:
                    paid += reward
                # What to learn from now: this action, or the last one, whose outcome is now seen.
                if immediate:
                    acted, done = seen if counts else -1, action
                else:
                    acted, done = last_state[site], last_action[site]
                    reward = rewards[count if reward_after else last_count[site], done]
                    last_state[site] = seen if counts else -1
                    last_count[site], last_action[site] = count, action
                if acted < 0:
                    continue
                if batch_size > 0:
                    slot = stored[replica, table] % known_state.shape[2]
                    known_state[replica, table, slot] = acted
                    known_action[replica, table, slot] = done
                    known_reward[replica, table, slot] = reward
                    known_next[replica, table, slot] = seen
                    stored[replica, table] += 1
                    continue
                if discount > 0.0:
                    reward += discount * value(
                        target[table, seen, 0], target[table, seen, 1], policy[table, seen],
                        greedy_value,
                    )  # fmt: skip
                if not online:
                    number[replica, table, acted, done] += 1.0
                    sums[replica, table, acted, done] += reward
                    squares[replica, table, acted, done] += reward * reward
                    continue
                visits[table, acted, done] += 1
                learned[table] += 1
                error = reward - q[table, acted, done]
                if error != 0.0:
                    rate = learning_rate
                    if falling_rate and rate * visits[table, acted, done] < 1.0:
                        rate = 1.0 / visits[table, acted, done]
                    q[table, acted, done] += rate * error
                    losses[table] += error * error
            state[0], state[1], state[2], state[3] = a, b, c, d
        if batch_size > 0:
            _recall(replica, learning, memory, gathered, q, target, tau, state)
        history.reward[replica, sweep] = paid / n_sites
        history.loss[replica, sweep] = losses.sum() / max(1, learned.sum())
        for table in range(n_tables):
            history.table_loss[replica, table] = losses[table] / max(1, learned[table])
        if history.sums.shape[2] > 0 and (sweep + 1) % interval == 0:
            bonds, total, staggered = measure(spins, neighbors, signs)
            draw = sweep // interval
            history.sums[replica, 0, draw] = bonds
            history.sums[replica, 1, draw] = total
            history.sums[replica, 2, draw] = staggered
            history.total[replica, sweep] = total
        else:
            history.total[replica, sweep] = spins.astype(np.int64).sum()


@njit(nogil=True, cache=True)
def learn(
    first, last, geometry, sight, learning, agents, rewards, taus, gathered, memory, history,
    interval,
):  # fmt: skip
    """Let the agents of the replicas from `first` to before `last` act and learn.

    Parameters
    ----------
    geometry : Geometry
    sight : Sight
    learning : Learning
    agents : Agents
        Changed in place.
    rewards : float64 array, shape (n_counts, 2)
        What the lattice pays for an action with so many up neighbours.
    taus : float64 array, shape (n_replicas, n_sweeps)
        Softmax temperature of every learning sweep, each ``inner_iterations`` actions a site.
    gathered : Gathered
        Added to unless ``learning.online``; then one sweep a call is meant.
    memory : ExperienceMemory
    history : History
    interval : int
        Sweeps between measurements.
    """
    for replica in range(first, last):
        _learn_replica(
            replica, geometry, sight, learning, agents, rewards, taus[replica], gathered, memory,
            history, interval,
        )  # fmt: skip
