"""Kinds of agents by name, those of users too: how a policy finds its agents when it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isingrl.agents.agent import Agent

_KINDS: dict[str, type[Agent]] = {}


def register(kind: type[Agent]) -> None:
    """Take in a kind under its own name; of a user's kinds the latest of a name counts.

    Raises
    ------
    TypeError, ValueError
        If the name is no text, or that of a kind of this package.
    """
    name = vars(kind)["name"]
    if not isinstance(name, str) or not name:
        raise TypeError(f'{kind.__name__}.name must be text, such as "blinkered-q"; got {name!r}')
    former = _KINDS.get(name, kind)
    if former.__module__.startswith("isingrl.") and _path(former) != _path(kind):
        raise ValueError(
            f"{kind.__name__}.name must be a name of its own; {name!r} is that of "
            f"isingrl.{former.__name__}"
        )
    _KINDS[name] = kind


def check_name(kind: type[Agent]) -> None:
    """Refuse a kind without a name of its own, whose policies would be taken for another's.

    Raises
    ------
    TypeError
        If it has none.
    """
    if "name" in vars(kind):
        return
    owner = next((each for each in kind.__mro__ if "name" in vars(each)), None)
    taken = "" if owner is None else f"; {vars(owner)['name']!r} is that of {owner.__name__}"
    raise TypeError(
        f"{kind.__name__} must have a name of its own, by which its policies are found again: "
        f'write name = "a-name" in the class{taken}'
    )


def kind_named(name: str) -> type[Agent]:
    """Kind of that name.

    Raises
    ------
    ValueError
        If there is none in this process.
    """
    if name not in _KINDS:
        raise ValueError(
            f"its agent is {name!r}, not one of {', '.join(_KINDS)}; a class of your own has to "
            f"be defined or imported before, with name = {name!r}"
        )
    return _KINDS[name]


def _path(kind: type[Agent]) -> tuple[str, str]:
    return kind.__module__, kind.__qualname__
