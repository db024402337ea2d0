"""Files of a user that hide a package of this distribution from Python."""

from __future__ import annotations

import importlib.util
from pathlib import Path

PACKAGES = ("analysis", "studies")
"""Packages installed with this one, under names that other people use too."""


def hidden(package: str) -> str | None:
    """Return a message that names the file that hides a package, or None if no file does."""
    own = Path(__file__).parents[2] / package / "__init__.py"
    try:
        found = importlib.util.find_spec(package)
    except ValueError:  # a module made by hand, without a file
        return None
    other = None if found is None else found.origin
    if other is None or not own.exists() or Path(other).resolve() == own.resolve():
        return None
    return (
        f"{other} hides the package {package} of isingrl, {own}: Python finds it first. Rename it, "
        "run Python from another folder, or run python -P, which does not look in this folder"
    )
