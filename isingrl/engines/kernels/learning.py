"""Q-learning of the agents on a lattice, one agent a site.

`learn` lets them act by tables of action values. Tables it improves visit by visit; for networks,
and where agents learn from a memory, it gathers what they experienced, for others to learn from.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from isingrl.engines.kernels.random import below, jsf_step, next_word, uniform
from isingrl.engines.kernels.sites import (
    RANDOM_SITE,
    SYNCHRONOUS,
    measure,
    seen_by_site,
    seen_from,
    support_of,
)


class Geometry(NamedTuple):
    """The lattice, and what the agents on it see.

    Attributes
    ----------
    neighbors, codes : int32 arrays, shapes (n_sites, z) and ([n_sites,] z, q + 1)
        Sites and codes as in `sites.sweep`, whose sum is the state that rewards of two actions
        depend on: the number of up neighbours, as an index, or their numbers by kind of bond.
    seen_sites, seen_codes : int32 arrays, shapes (n_sites, k) and (k, q + 1)
        Those whose sum is what an agent sees.
    count_index, seen_index : int32 arrays, or None with two actions
        Places of both sums.
    support : uint64 array, shape (z + 1,), or None with two actions
        Codes by slot, whose sum over the neighbours in the state of an action is what its reward
        depends on.
    sees_count : bool
        Whether it is the state that rewards depend on; else that sum.
    cumulative : float64 array, shape (n_counts, n_states)
        For agents that draw what they see: chance that it is at most this, given the state that
        rewards depend on. Empty for others.
    by_kind, signs : int32 array, shape (n_kinds, n_sites, z), and int8 array or None
        As in `sites.measure`.
    order : int array, shape (n_sites,)
    schedule : int
    """

    neighbors: np.ndarray
    codes: np.ndarray
    seen_sites: np.ndarray
    seen_codes: np.ndarray
    count_index: np.ndarray | None
    seen_index: np.ndarray | None
    support: np.ndarray | None
    sees_count: bool
    cumulative: np.ndarray
    by_kind: np.ndarray
    signs: np.ndarray | None
    order: np.ndarray
    schedule: int


class Settings(NamedTuple):
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
    spins : uint8 array, shape (n_replicas, n_sites + 1)
        States as in `sites.sweep`.
    q, target : float64 arrays, shape (n_replicas, n_tables, n_states, n_actions)
        Values of the actions; two are down and up. `target` values the next state if there is a
        target.
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
    """Experiences of a sweep by state and action, by replica, table, state, and action.

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
    total : int64 array, shape (n_replicas, n_sweeps) or (n_replicas, n_sweeps, q)
        Sum of the spins, or the sites in each state.
    sums : int64 array, shape (n_replicas, n_sweeps // interval, n_sums)
        What `sites.measure` finds after every `interval` sweeps; no rows if not wanted.
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


@njit(inline="always")
def _draw(chance, q, policy, table, seen, tau, epsilon):
    """Action by softmax for a random number; `policy` receives the chances, cumulative."""
    n = np.uint64(q.shape[2])
    best = q[table, seen, 0]
    for action in range(n):
        best = max(best, q[table, seen, action])
    total = 0.0
    for action in range(n):
        below_best = best - q[table, seen, action]
        if below_best > 0.0 and not math.isinf(tau):
            total += math.exp(-below_best / tau) if tau > 0.0 else 0.0
        else:
            total += 1.0
        policy[table, seen, action] = total
    drawn = 0
    for action in range(n - np.uint64(1)):
        share = epsilon * (np.float64(action) + 1.0) / n
        policy[table, seen, action] = (1.0 - epsilon) * policy[table, seen, action] / total + share
        drawn += chance >= policy[table, seen, action]
    policy[table, seen, n - np.uint64(1)] = 1.0
    return drawn


@njit(inline="always")
def _value_of(q, policy, table, seen, greedy):
    """Value of a state: of the best action, or expected by the cumulative chances `policy`."""
    best, mean, before = q[table, seen, 0], 0.0, 0.0
    for action in range(np.uint64(q.shape[2])):
        best = max(best, q[table, seen, action])
        mean += (policy[table, seen, action] - before) * q[table, seen, action]
        before = policy[table, seen, action]
    return best if greedy else mean


@njit(inline="always")
def _improve(agents, table, seen, action, target, rate, falling_rate):
    """Move a value towards its target; returns the error before."""
    agents.visits[table, seen, action] += 1
    error = target - agents.q[table, seen, action]
    if error != 0.0:
        if falling_rate and rate * agents.visits[table, seen, action] < 1.0:
            rate = 1.0 / agents.visits[table, seen, action]
        agents.q[table, seen, action] += rate * error
    return error


@njit(inline="always")
def _gather(gathered, table, seen, action, target):
    """Add an experience to the sums of its kind."""
    gathered.number[table, seen, action] += 1.0
    gathered.target[table, seen, action] += target
    gathered.square[table, seen, action] += target * target


@njit(inline="always")
def _remember(memory, table, seen, action, reward, then):
    """Put an experience in the place of the oldest."""
    slot = memory.stored[table] % memory.state.shape[1]
    memory.state[table, slot], memory.action[table, slot] = seen, action
    memory.reward[table, slot], memory.next_state[table, slot] = reward, then
    memory.stored[table] += 1


@njit
def _recall(settings, own, target, tau, policy):
    """Gather a batch of remembered experiences, drawn with replacement, for every table."""
    agents, gathered, memory = own
    q = agents.q
    for table in range(q.shape[0]):
        known = min(memory.stored[table], memory.state.shape[1])
        for _ in range(settings.batch_size if known > 0 else 0):
            slot = below(next_word(agents.state), known)
            wanted = memory.reward[table, slot]
            if settings.discount > 0.0:
                then = memory.next_state[table, slot]
                if policy.ndim == 2:
                    up = chance_of_up(q[table, then, 1] - q[table, then, 0], tau, settings.epsilon)
                    wanted += settings.discount * value(
                        target[table, then, 0], target[table, then, 1], up, settings.greedy_value
                    )
                else:
                    _draw(0.0, q, policy, table, then, tau, settings.epsilon)
                    wanted += settings.discount * _value_of(
                        target, policy, table, then, settings.greedy_value
                    )
            seen, action = memory.state[table, slot], memory.action[table, slot]
            _gather(gathered, table, seen, action, wanted)


@njit
def _copy(q, target):
    """Copy values of actions; as an assignment it compiles three seconds longer, for its errors."""
    for table in range(q.shape[0]):
        for seen in range(q.shape[1]):
            for action in range(q.shape[2]):
                target[table, seen, action] = q[table, seen, action]


@njit(inline="always")
def _look(site, source, geometry, count, a, b, c, d):
    """What an agent sees, as an index, and the generator; `count` is what rewards depend on."""
    seen = count
    if geometry.cumulative.size > 0:
        a, b, c, d = jsf_step(a, b, c, d)
        chance, seen = uniform(d), np.uint64(0)
        while chance >= geometry.cumulative[count, seen]:
            seen += np.uint64(1)
    elif not geometry.sees_count:
        seen = seen_from(site, source, geometry.seen_sites, geometry.seen_codes)
    return seen, a, b, c, d


@njit(inline="always")
def _look_at_states(site, source, geometry, a, b, c, d):
    """What an agent of q actions sees, as an index, and the generator."""
    seen = np.uint64(0)
    if geometry.cumulative.size > 0:
        among = seen_from(site, source, geometry.neighbors, geometry.codes)
        count = np.uint64(geometry.count_index[among])
        a, b, c, d = jsf_step(a, b, c, d)
        chance = uniform(d)
        while chance >= geometry.cumulative[count, seen]:
            seen += np.uint64(1)
    elif geometry.seen_sites.shape[1] > 0:
        among = seen_from(site, source, geometry.seen_sites, geometry.seen_codes)
        seen = np.uint64(geometry.seen_index[among])
    return seen, a, b, c, d


@njit(inline="always")
def _choose(chance, q, policy, advantages, table, seen, tau, steepness, exact, epsilon):
    """Action for a random number; `policy` is worked out anew where that may matter, or `exact`."""
    advantage = q[table, seen, 1] - q[table, seen, 0]
    moved = abs(advantage - advantages[table, seen])
    if not abs(chance - policy[table, seen]) > steepness * moved or (exact and moved > 0.0):
        policy[table, seen] = chance_of_up(advantage, tau, epsilon)
        advantages[table, seen] = advantage
    return 1 if chance < policy[table, seen] else 0


@njit(inline="always")
def _exchange(agents, site, seen, count, action):
    """Write down what an agent saw and did; returns what stood there."""
    before = agents.last_state[site], agents.last_count[site], agents.last_action[site]
    agents.last_state[site], agents.last_count[site] = seen, count
    agents.last_action[site] = action
    return before


@njit
def _own(replica, agents, gathered, memory):
    """Arrays of one replica."""
    its_agents = Agents(
        agents.spins[replica], agents.q[replica], agents.target[replica], agents.visits[replica],
        agents.last_state[replica], agents.last_count[replica], agents.last_action[replica],
        agents.swept, agents.state[replica],
    )  # fmt: skip
    its_gathered = Gathered(
        gathered.number[replica], gathered.target[replica], gathered.square[replica]
    )
    its_memory = ExperienceMemory(
        memory.state[replica], memory.action[replica], memory.reward[replica],
        memory.next_state[replica], memory.stored[replica],
    )  # fmt: skip
    return its_agents, its_gathered, its_memory


# Without _nrt=False Numba would count references to arrays in the loop, at 5 ns each. A function
# that does not count them must neither make arrays nor return them.
@njit(_nrt=False)
def _act(
    geometry, codes, settings, own, source, target, rewards, tau, policy, advantages, losses,
    learned, last,
):  # fmt: skip
    """Let every agent act once, and learn from it if it is the `last` time in a sweep.

    Returns what they were paid.
    """
    agents, gathered, memory = own
    spins, q, state = agents.spins, agents.q, agents.state
    order, schedule = geometry.order, geometry.schedule
    several, exact = np.uint64(q.shape[0] > 1), settings.discount > 0.0
    steepness = 0.25 / tau if tau > 0.0 else np.inf
    paid = 0.0
    a, b, c, d = state[0], state[1], state[2], state[3]
    for visit in range(order.size):
        if schedule == RANDOM_SITE:
            a, b, c, d = jsf_step(a, b, c, d)
            site = np.uint64(below(d, order.size))
        else:
            site = np.uint64(order[visit])
        table = site * several
        if policy.ndim == 2:  # two actions; known when this is compiled
            if codes.ndim == 3:
                count = seen_by_site(site, source, geometry.neighbors, codes)
            else:
                count = seen_from(site, source, geometry.neighbors, codes)
            seen, a, b, c, d = _look(site, source, geometry, count, a, b, c, d)
            a, b, c, d = jsf_step(a, b, c, d)
            action = _choose(
                uniform(d), q, policy, advantages, table, seen, tau, steepness, exact,
                settings.epsilon,
            )  # fmt: skip
            reward = rewards[count, action]
        else:
            seen, a, b, c, d = _look_at_states(site, source, geometry, a, b, c, d)
            a, b, c, d = jsf_step(a, b, c, d)
            action = _draw(uniform(d), q, policy, table, seen, tau, settings.epsilon)
            count = support_of(
                np.uint64(action), site, source, geometry.neighbors, geometry.support
            )
            reward = rewards[count]
        spins[site] = action
        if last:
            paid += reward
        # What to learn from now: this action, or the last one, whose outcome is now seen.
        acted, done = np.int64(seen) if last else -1, action
        if not settings.immediate:
            acted, met, done = _exchange(agents, site, acted, count, action)
            if policy.ndim == 2:
                reward = rewards[count if settings.reward_after else np.uint64(met), done]
            else:
                support = np.uint64(met)
                if settings.reward_after:
                    support = support_of(
                        np.uint64(done), site, source, geometry.neighbors, geometry.support
                    )
                reward = rewards[support]
        if acted < 0:
            continue
        if settings.batch_size > 0:
            _remember(memory, table, acted, done, reward, seen)
            continue
        if exact:
            if policy.ndim == 2:
                reward += settings.discount * value(
                    target[table, seen, 0], target[table, seen, 1], policy[table, seen],
                    settings.greedy_value,
                )  # fmt: skip
            else:
                reward += settings.discount * _value_of(
                    target, policy, table, seen, settings.greedy_value
                )
        if settings.online:
            error = _improve(
                agents, table, acted, done, reward, settings.learning_rate, settings.falling_rate
            )
            losses[table] += error * error
            learned[table] += 1
        else:
            _gather(gathered, table, acted, done, reward)
    state[0], state[1], state[2], state[3] = a, b, c, d
    return paid


@njit
def _write_history(
    replica, sweep, history, total, spins, by_kind, signs, interval, paid, losses, learned
):
    """Write down a sweep, and begin new losses."""
    n_sites = spins.size - 1
    history.reward[replica, sweep] = paid / n_sites
    loss, updates = 0.0, 0
    for table in range(losses.size):
        history.table_loss[replica, table] = losses[table] / max(1, learned[table])
        loss += losses[table]
        updates += learned[table]
        losses[table], learned[table] = 0.0, 0
    history.loss[replica, sweep] = loss / max(1, updates)
    if history.sums.shape[1] > 0 and (sweep + 1) % interval == 0:
        measure(spins, by_kind, signs, history.sums[replica, sweep // interval])
    if total.ndim == 2:  # known when this is compiled
        up = 0
        for site in range(n_sites):
            up += spins[site]
        total[replica, sweep] = 2 * up - n_sites
    else:
        for site in range(n_sites):
            total[replica, sweep, spins[site]] += 1


@njit(nogil=True, cache=True)
def learn(
    first, last, geometry, settings, agents, rewards, taus, gathered, memory, history, interval
):
    """Let the agents of the replicas from `first` to before `last` act and learn.

    Parameters
    ----------
    geometry : Geometry
    settings : Settings
    agents : Agents
        Changed in place.
    rewards : float64 array, shape (n_counts, 2) or (n_supports,)
        What the lattice pays for an action: down and up by the state of the neighbours; of q
        actions each by its support.
    taus : float64 array, shape (n_replicas, n_sweeps)
        Softmax temperature of every learning sweep, each ``inner_iterations`` actions a site.
    gathered : Gathered
        Added to unless ``settings.online``; then one sweep a call is meant.
    memory : ExperienceMemory
    history : History
    interval : int
        Sweeps between measurements.
    """
    n_tables = agents.q.shape[1]
    # Of two actions P(up) of every state for the advantage that it was last worked out for: the
    # logistic function is nowhere steeper than 1/4, so that most draws need not know by how much it
    # moved. Of more actions their cumulative chances.
    if rewards.ndim == 2:  # noqa: SIM108 - of which Numba compiles one branch alone
        policy = np.empty(agents.q.shape[1:3])
    else:
        policy = np.empty(agents.q.shape[1:])
    advantages = np.empty(agents.q.shape[1:3])
    losses, learned = np.zeros(n_tables), np.zeros(n_tables, dtype=np.int64)
    for replica in range(first, last):
        own = _own(replica, agents, gathered, memory)
        spins, q, target = own[0].spins, own[0].q, own[0].target
        if settings.target_interval == 0:
            target = q
        for sweep in range(taus.shape[1]):
            tau = taus[replica, sweep]
            if sweep == 0 or tau != taus[replica, sweep - 1]:
                advantages.fill(np.nan)
            if (
                settings.target_interval > 0
                and agents.swept[replica] % settings.target_interval == 0
            ):
                _copy(q, target)
            agents.swept[replica] += 1
            paid = 0.0
            for iteration in range(settings.inner_iterations):
                source = spins
                if geometry.schedule == SYNCHRONOUS:
                    source = spins.copy()
                paid += _act(
                    geometry, geometry.codes, settings, own, source, target, rewards, tau, policy,
                    advantages, losses, learned, iteration == settings.inner_iterations - 1,
                )  # fmt: skip
            if settings.batch_size > 0:
                _recall(settings, own, target, tau, policy)
            _write_history(
                replica, sweep, history, history.total, spins, geometry.by_kind, geometry.signs,
                interval, paid, losses, learned,
            )  # fmt: skip
