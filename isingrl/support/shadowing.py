"""Files of a user that hide a package of this distribution from Python."""

from __future__ import annotations

import importlib.util
from pathlib import Path

PACKAGES = ("analysis", "studies")
"""What is installed beside this package, under names that others use too."""


def hidden(package: str) -> str | None:
    """Say which file hides a package, and what to do; None if none does.

    Parameters
    ----------
    package : str
        One of `PACKAGES`.
    """
    own = Path(__file__).parents[2] / package / "__init__.py"
    try:
        found = importlib.util.find_spec(package)
    except ValueError:  # a module without a file, which somebody has made by hand
        return None
    other = None if found is None else found.origin
    if other is None or not own.exists() or Path(other).resolve() == own.resolve():
        return None
    return (
        f"{other} hides the package {package} of isingrl, {own}: Python finds it first. Rename it, "
        "or run Python from another folder, or as python -P, which leaves the folder out"
    )
