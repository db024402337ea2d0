"""Slow, obvious versions of the battle kernels."""

from itertools import pairwise

import numpy as np

from isingrl.battle.games import ATTACKS, MOVES


def encoded(seen):
    """Codes of cells, one after the other."""
    n, side = seen.shape[:2]
    codes = np.zeros((n, side * side), np.uint8)
    for agent, row, column in np.ndindex(n, side, side):
        wall, own, own_health, foe, foe_health = seen[agent, row, column]
        code = 0
        if wall:
            code = 201
        elif own:
            code = max(1, round(100 * float(own_health)))
        elif foe:
            code = 100 + max(1, round(100 * float(foe_health)))
        codes[agent, row * side + column] = code
    return codes


def views(team, places, health, side):
    """What the agents of a team see, cell by cell."""
    seen = []
    for game in range(places.shape[1]):
        codes = {}
        for other in (0, 1):
            for place, share in zip(places[other, game], health[other, game], strict=True):
                if share > 0:
                    codes[tuple(place)] = 100 * (other != team) + max(1, round(100 * float(share)))
        for place, share in zip(places[team, game], health[team, game], strict=True):
            if share == 0:
                continue
            view = np.zeros((13, 13), np.uint8)
            for dx in range(-6, 7):
                for dy in range(-6, 7):
                    x, y = place[0] + dx, place[1] + dy
                    if dx * dx + dy * dy > 36 or not (0 <= x < side and 0 <= y < side):
                        continue
                    wall = x in (0, side - 1) or y in (0, side - 1)
                    view[dy + 6, dx + 6] = 201 if wall else codes.get((x, y), 0)
            seen.append(view.ravel())
    return np.array(seen, np.uint8).reshape(-1, 169)


def mean_actions(positions, starts, actions, radius):
    """Mean one-hot action of the team mates within a city-block distance."""
    means = np.zeros((len(positions), 21))
    for first, last in pairwise(starts):
        for i in range(first, last):
            mates = [
                j
                for j in range(first, last)
                if j != i and (radius is None or abs(positions[i] - positions[j]).sum() <= radius)
            ]
            for j in mates:
                if actions[j] >= 0:
                    means[i, actions[j]] += 1 / len(mates)
    return means


def pursuit_choices(i, own, foes):
    """Actions that the script may take for agent i of one game."""
    if not len(foes):
        return {6}
    occupied = {tuple(p) for j, p in enumerate(own) if j != i} | {tuple(p) for p in foes}
    foe_cells = {tuple(p) for p in foes}
    hits = {13 + k for k, step in enumerate(ATTACKS) if tuple(own[i] + step) in foe_cells}
    if hits:
        return hits
    squared = ((foes - own[i]) ** 2).sum(axis=1)
    choices = set()
    for target in foes[squared == squared.min()]:
        reached = {
            k: ((target - own[i] - step) ** 2).sum()
            for k, step in enumerate(MOVES)
            if tuple(own[i] + step) not in occupied
        }
        choices |= {k for k, left in reached.items() if left == min(reached.values())}
    return choices
