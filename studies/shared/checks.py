"""Checks of fields of a configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from isingrl.support.validation import check_choice, check_integer


def check_counts(study: Any, **minima: int) -> None:
    """Check that fields of a study are integers of at least these numbers."""
    for name, minimum in minima.items():
        check_integer(name, getattr(study, name), minimum)


def check_names(name: str, given: tuple[str, ...], allowed: Sequence[str], least: int = 1) -> None:
    """Check that the field `name` holds different ones of the `allowed` names, one or two or more.

    Raises
    ------
    ValueError
        If it does not.
    """
    if len(given) < least or len(set(given)) < len(given):
        raise ValueError(
            f"{name} must be {('one', 'two')[least - 1]} or more different ones of "
            f"{', '.join(allowed)}; got {given}"
        )
    for each in given:
        check_choice(name, each, allowed)
