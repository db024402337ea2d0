"""Battle: views as bytes, team mates nearby, mean actions, draws from softmax, the pursuit script.

Agents of many games stand one after the other; those of game g are the rows ``starts[g]`` to
``starts[g + 1] - 1``.
"""

import numpy as np
from numba import njit

EMPTY, OWN, FOE, WALL = 0, 0, 100, 201
"""Codes of a cell: OWN + h and FOE + h for an agent with h hundredths of its full health."""

N_CODES = WALL + 1
HALF, HUNDRED = np.float32(0.5), np.float32(FOE)  # single precision
SIGHT = 6
VIEW_SIDE = 2 * SIGHT + 1
"""Constants to the compiler, which then copies rows of a view without a loop."""

N_MOVES = 13
N_ACTIONS = 21


@njit(nogil=True, cache=True)
def draw_views(team, places, health, starts, map_size, circle, views):
    """What the agents of a team see, one byte a cell.

    Parameters
    ----------
    team : {0, 1}
    places : int32 array, shape (2, n_games, most, 2)
        Columns and rows of the living agents of both teams, which come first.
    health : float32 array, shape (2, n_games, most)
        Share of the full one; 0 in rows without an agent.
    starts : int64 array, shape (n_games + 1,)
    map_size : int
        Side of the map, whose outermost cells are walls.
    circle : uint8 array, shape (side, side)
        255 where an agent, which stands in the middle, sees; else 0.
    views : uint8 array, shape (n, side * side)
        Written.
    """
    first, last = SIGHT, SIGHT + map_size - 1
    board = np.empty((map_size + 2 * SIGHT, map_size + 2 * SIGHT), np.uint8)
    for game in range(starts.size - 1):
        if starts[game + 1] == starts[game]:
            continue
        board[:] = EMPTY
        for i in range(first, last + 1):
            board[first, i] = board[last, i] = board[i, first] = board[i, last] = WALL
        for side in range(2):
            code = OWN if side == team else FOE
            for i in range(places.shape[2]):
                if health[side, game, i] > 0:
                    x, y = places[side, game, i, 0], places[side, game, i, 1]
                    share = np.floor(HUNDRED * health[side, game, i] + HALF)
                    board[y + SIGHT, x + SIGHT] = code + max(1, int(share))
        for i in range(starts[game + 1] - starts[game]):
            x, y = places[team, game, i, 0], places[team, game, i, 1]
            cell = 0
            for row in range(VIEW_SIDE):
                for column in range(VIEW_SIDE):
                    views[starts[game] + i, cell + column] = (
                        board[y + row, x + column] & circle[row, column]
                    )
                cell += VIEW_SIDE


@njit(nogil=True, cache=True)
def gather(source, rows, columns, gathered):
    """Copy rows of a table with their columns in another order.

    Parameters
    ----------
    source : array, shape (m, k)
    rows : int array, shape (n,)
        Negative: any row.
    columns : int64 array, shape (k,)
    gathered : array, shape (n, k)
        Written.
    """
    n_columns = gathered.shape[1]
    for i in range(gathered.shape[0]):  # alone first: the memory then fetches several rows at once
        row = max(rows[i], 0)
        for j in range(n_columns):
            gathered[i, j] = source[row, j]
    before = np.empty(n_columns, source.dtype)
    for i in range(gathered.shape[0]):
        for j in range(n_columns):
            before[j] = gathered[i, j]
        for j in range(n_columns):
            gathered[i, j] = before[columns[j]]


@njit(nogil=True, cache=True)
def neighbors_within(positions, starts, others, other_starts, radius, same):
    """Agents of a team within a city-block distance, in compressed rows.

    Parameters
    ----------
    positions, others : int32 arrays, shapes (n, 2) and (m, 2)
        Positions of the agents, and of those that may be near.
    starts, other_starts : int64 arrays, shape (n_games + 1,)
    radius : int
        Negative: all others of the game.
    same : bool
        Whether the others are the agents themselves; an agent is none of its own.

    Returns
    -------
    first : int64 array, shape (n + 1,)
    near : int32 array
        Those of agent i are ``near[first[i]:first[i + 1]]``.
    """
    n_games = starts.size - 1
    if radius < 0:
        radius = np.iinfo(np.int32).max
    most = 0
    for game in range(n_games):
        most += (starts[game + 1] - starts[game]) * (other_starts[game + 1] - other_starts[game])
    first = np.zeros(positions.shape[0] + 1, np.int64)
    near = np.empty(most + 1, np.int32)  # one more: what is written last may not count
    found = 0
    for game in range(n_games):
        for i in range(starts[game], starts[game + 1]):
            for j in range(other_starts[game], other_starts[game + 1]):
                distance = abs(positions[i, 0] - others[j, 0]) + abs(positions[i, 1] - others[j, 1])
                # no branch: who is near cannot be foretold
                near[found] = j
                found += int(not same or i != j) & int(distance <= radius)
            first[i + 1] = found
    return first, near[:found].copy()


@njit(nogil=True, cache=True)
def mean_actions(actions, first, near, mean):
    """Share of every action among the agents near an agent; zeros where there are none.

    Parameters
    ----------
    actions : int32 array
        Negative: none was taken.
    first, near : arrays
        As of `neighbors_within`.
    mean : float32 array, shape (n, N_ACTIONS)
        Written.
    """
    mean[:] = 0.0
    for i in range(mean.shape[0]):
        size = first[i + 1] - first[i]
        for k in range(first[i], first[i + 1]):
            action = actions[near[k]]
            if action >= 0:
                mean[i, action] += np.float32(1.0 / size)


@njit(nogil=True, cache=True)
def draw_actions(chances, uniforms, actions):
    """Draw actions with given probabilities.

    Parameters
    ----------
    chances : float32 array, shape (n, n_actions)
        Their sums may differ from 1 by what rounding leaves.
    uniforms : float64 array, shape (n,)
        In [0, 1).
    actions : int32 array, shape (n,)
        Written.
    """
    n, n_actions = chances.shape
    for i in range(n):
        total = 0.0
        for action in range(n_actions):
            total += chances[i, action]
        left, below = uniforms[i] * total, 0
        total = 0.0
        for action in range(n_actions - 1):
            total += chances[i, action]
            below += int(total <= left)
        actions[i] = below


@njit(nogil=True, cache=True)
def pursue(own, own_starts, foes, foe_starts, moves, attacks, uniforms, actions):
    """Attack an adjacent foe, else step to the free cell that is nearest to the nearest foe.

    Among equals a uniform number decides: adjacent foes, nearest foes, cells as near.

    Parameters
    ----------
    own, foes : int32 arrays, shapes (n, 2) and (m, 2)
        Positions.
    own_starts, foe_starts : int64 arrays, shape (n_games + 1,)
    moves, attacks : int64 arrays, shapes (N_MOVES, 2) and (8, 2)
        Displacements of the actions.
    uniforms : float64 array, shape (n, 3)
    actions : int32 array, shape (n,)
        Written; agents without foes stay.
    """
    n_attacks = attacks.shape[0]
    stay = N_MOVES // 2
    for game in range(own_starts.size - 1):
        for i in range(own_starts[game], own_starts[game + 1]):
            x, y = own[i, 0], own[i, 1]
            # reservoir sampling: the k-th of equals replaces the one before with chance 1/k
            adjacent, equals, nearest, target = -1, 0, np.int64(1) << 40, -1
            draw = uniforms[i, 0]
            ties = uniforms[i, 1]
            for j in range(foe_starts[game], foe_starts[game + 1]):
                dx, dy = foes[j, 0] - x, foes[j, 1] - y
                distance = dx * dx + dy * dy
                if distance < nearest:
                    nearest, target, equals = distance, j, 1
                elif distance == nearest:
                    equals += 1
                    if ties * equals < 1:
                        target = j
                    ties = (ties * 7919.0) % 1.0
            if target < 0:
                actions[i] = stay
                continue
            close = 0
            for k in range(n_attacks):
                for j in range(foe_starts[game], foe_starts[game + 1]):
                    if foes[j, 0] == x + attacks[k, 0] and foes[j, 1] == y + attacks[k, 1]:
                        close += 1
                        if draw * close < 1:
                            adjacent = k
                        draw = (draw * 7919.0) % 1.0
            if adjacent >= 0:
                actions[i] = N_MOVES + adjacent
                continue
            actions[i] = _approach(
                i, x, y, foes[target, 0], foes[target, 1], own, own_starts[game],
                own_starts[game + 1], foes, foe_starts[game], foe_starts[game + 1], moves,
                uniforms[i, 2],
            )  # fmt: skip


@njit(nogil=True, cache=True)
def _approach(
    i, x, y, to_x, to_y, own, own_first, own_last, foes, foe_first, foe_last, moves, draw
):
    """Move to the free cell nearest to (to_x, to_y)."""
    chosen, equals, least = moves.shape[0] // 2, 0, np.int64(1) << 40
    for k in range(moves.shape[0]):
        at_x, at_y = x + moves[k, 0], y + moves[k, 1]
        free = True
        for j in range(own_first, own_last):
            if j != i and own[j, 0] == at_x and own[j, 1] == at_y:
                free = False
        for j in range(foe_first, foe_last):
            if foes[j, 0] == at_x and foes[j, 1] == at_y:
                free = False
        if not free:
            continue
        distance = (to_x - at_x) ** 2 + (to_y - at_y) ** 2
        if distance < least:
            chosen, least, equals = k, distance, 1
        elif distance == least:
            equals += 1
            if draw * equals < 1:
                chosen = k
            draw = (draw * 7919.0) % 1.0
    return chosen


@njit(nogil=True, cache=True)
def advantages(rewards, values, following, ended, discount, trace, advantage, known):
    """Generalized advantages of steps whose next steps stand in later rows.

    Parameters
    ----------
    rewards, values : float32 arrays, shape (n,)
    following : int32 array, shape (n,)
        Row of the agent's next step; negative if there is none.
    ended : bool array, shape (n,)
        Whether nothing follows; a step that neither ended nor has a next one was cut off by the
        end of the game, and its value stands for what would have come.
    discount, trace : float
    advantage : float32 array, shape (n,)
        Written.
    known : bool array, shape (n,)
        Written: False for steps that were cut off.
    """
    for row in range(rewards.size - 1, -1, -1):
        after = following[row]
        known[row] = after >= 0 or ended[row]
        advantage[row] = 0.0
        if after >= 0:
            gain = rewards[row] + discount * values[after] - values[row]
            advantage[row] = gain + discount * trace * advantage[after]
        elif ended[row]:
            advantage[row] = rewards[row] - values[row]
