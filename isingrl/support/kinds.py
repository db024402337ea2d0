"""Kinds of agents or teams by name, also those of users, for files that name them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def register(kind: type[Any], kinds: dict[str, type[Any]]) -> None:
    """Register a kind under its name; a later class of a user replaces an earlier one.

    A name must be text, and not the name of a kind of this package.
    """
    name = vars(kind).get("name")
    if "name" not in vars(kind):
        return
    if not isinstance(name, str) or not name:
        raise TypeError(f'{kind.__name__}.name must be text, such as "blinkered-q"; got {name!r}')
    former = kinds.get(name, kind)
    if former.__module__.startswith("isingrl.") and _path(former) != _path(kind):
        package = former.__module__.rpartition(".")[0]
        raise ValueError(
            f"{kind.__name__}.name must be a name of its own; {name!r} is that of "
            f"{package}.{former.__name__}"
        )
    kinds[name] = kind


def check_name(kind: type[Any]) -> None:
    """Refuse a kind without its own name, because its files could not be told from another's."""
    if "name" in vars(kind):
        return
    owner = next((each for each in kind.__mro__ if "name" in vars(each)), None)
    taken = "" if owner is None else f"; {vars(owner)['name']!r} is that of {owner.__name__}"
    raise TypeError(
        f"{kind.__name__} must have a name of its own, by which its files are found again: "
        f'write name = "a-name" in the class{taken}'
    )


def kind_named(
    name: str, kinds: dict[str, type[Any]], what: str, own: Iterable[type[Any]] = ()
) -> type[Any]:
    """Return the kind of that name: one of `own`, else one that this process has defined."""
    known: dict[str, type[Any]] = kinds | {kind.name: kind for kind in own}
    if name not in known:
        raise ValueError(
            f"its {what} is {name!r}, not one of {', '.join(known)}; a class of your own has to be "
            f"defined or imported before, with name = {name!r}, or be given: load(path, "
            f"{what}s=[...])"
        )
    return known[name]


def _path(kind: type[Any]) -> tuple[str, str]:
    return kind.__module__, kind.__qualname__
