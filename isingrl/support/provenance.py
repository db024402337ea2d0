"""Provenance of results: versions of packages, and the commit of a checkout."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("isingrl", "numpy", "numba", "scipy", "torch", "xarray")
_PATIENCE = 20.0  # seconds for git, which may have to look at all files on a slow disk


def versions() -> dict[str, str]:
    """Versions of isingrl and of packages that its numbers depend on; torch if it is installed.

    In a checkout the version of isingrl names the commit, as in "0.1.0+g0123456789ab", and ends
    with ".dirty" if tracked files were changed. A process looks once.
    """
    return dict(_found())


def versions_text() -> str:
    """Return `versions` in one line, "isingrl 0.1.0, numpy 2.4.0, …"."""
    return ", ".join(f"{package} {number}" for package, number in _found())


@cache
def _found() -> tuple[tuple[str, str], ...]:
    found = []
    for package in _PACKAGES:
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            if package != "torch":
                raise
    own, *others = found
    return ((own[0], own[1] + _commit(Path(__file__).parent)), *others)


def _commit(package: Path) -> str:
    """Commit of the checkout that a package lies in, as part of a version; else nothing."""
    try:
        # the package may be installed within the folder of another project
        _git(package, "ls-files", "--error-unmatch", "__init__.py")
        commit = _git(package, "rev-parse", "--verify", "HEAD")[:12]
        changed = _git(package, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"+g{commit}" + (".dirty" if changed else "")


def _git(folder: Path, *arguments: str) -> str:
    # in a hook, git's variables would point to the repository of the hook
    environment = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    run = subprocess.run(
        ["git", "--no-optional-locks", "-C", str(folder), *arguments],
        capture_output=True, text=True, check=True, env=environment, stdin=subprocess.DEVNULL,
        timeout=_PATIENCE,
    )  # fmt: skip
    return run.stdout.strip()
