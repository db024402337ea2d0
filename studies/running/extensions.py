"""Extensions of a study: its former and its new configuration, compared and joined."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

Join = Callable[[str, Any, Any], Any]
_COUNTS = (int, int | None, "int", "int | None")


def configuration(study: Any) -> dict[str, Any]:
    """Fields of a study's configuration, ready for JSON."""
    return dataclasses.asdict(study)


def with_counts(study: Any) -> Any:
    """The study with whole floats as integers, 1e4 as 10000, where its fields are integers."""
    whole = {}
    for field in dataclasses.fields(study):
        value = getattr(study, field.name)
        if field.type in _COUNTS and isinstance(value, float) and value.is_integer():
            whole[field.name] = int(value)
    return dataclasses.replace(study, **whole) if whole else study


def from_configuration(kind: type[Any], settings: Mapping[str, Any]) -> Any:
    """The study with these fields, as they came out of JSON.

    Raises
    ------
    ValueError
        If they are not those of such a study.
    """
    try:
        return kind(**{name: _tuples(value) for name, value in settings.items()})
    except TypeError as error:
        raise ValueError(f"config is not that of a {kind.__name__}: {error}") from error


def differences(before: Mapping[str, Any], name: str, study: Any) -> list[str]:
    """Describe the changes, field by field.

    Parameters
    ----------
    before : mapping
        Name and configuration of a study; fields that it does not know had their defaults.
    name : str
        Of the study of now.
    study : Study
    """
    now = {"study": name, **configuration(study)}
    defaults = {field.name: field.default for field in dataclasses.fields(study)}
    before = defaults | dict(before)
    return [
        f"{each} was {_shown(before.get(each))} and is {_shown(now.get(each))}"
        for each in {**before, **now}
        if _tuples(before.get(each)) != _tuples(now.get(each))
    ]


def joined(before: Any, now: Any) -> Any:
    """The study `before` with what `now` adds to it.

    Raises
    ------
    ValueError
        If they differ in a field in which the study cannot be extended.
    """
    extends, changes = before.extends, {}
    for field in dataclasses.fields(before):
        name = field.name
        old, new = getattr(before, name), getattr(now, name)
        if old == new:
            continue
        if name not in extends:
            allowed = ", ".join(extends) if extends else "nothing"
            raise ValueError(
                f"extend can add to {allowed}; {name} was {_shown(old)}, and cannot become "
                f"{_shown(new)}"
            )
        changes[name] = extends[name](name, old, new)
    return dataclasses.replace(before, **changes)


def unextended(study: Any) -> Any:
    """The study with the fields in which it can be extended at their defaults.

    Tasks get it as an argument, because theirs must be the same before and after an extension.
    """
    defaults = {each.name: each.default for each in dataclasses.fields(study)}
    return dataclasses.replace(study, **{name: defaults[name] for name in study.extends})


def added(name: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    """Join two tuples: the old values, then the new ones."""
    return old + tuple(value for value in dict.fromkeys(new) if value not in old)


def added_grids(name: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    """Join two rows of grids, first, last and number each."""
    grids = [tuple(new[k : k + 3]) for k in range(0, len(new), 3)]
    known = [tuple(old[k : k + 3]) for k in range(0, len(old), 3)]
    return old + tuple(value for grid in grids if grid not in known for value in grid)


def longer(name: str, old: int, new: int) -> int:
    """Let a number grow.

    Raises
    ------
    ValueError
        If it would shrink.
    """
    if new < old:
        raise ValueError(f"extend can only add to {name}, {_shown(old)}; got {_shown(new)}")
    return new


def _shown(value: Any) -> str:
    if isinstance(value, tuple | list):
        return " ".join(_shown(each) for each in value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(each) for each in value) if isinstance(value, list | tuple) else value
