"""Versions and commits that results carry."""

import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import pytest

from isingrl import HeatBath, Ising, Lattice, simulate
from isingrl.support import provenance
from isingrl.support.provenance import _commit, versions, versions_text

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def forgotten():
    """Whatever the process found before is looked for again, here and afterwards."""
    provenance._found.cache_clear()
    yield
    provenance._found.cache_clear()


def git(folder, *arguments):
    identity = ("-c", "user.name=tester", "-c", "user.email=tester@example.org")
    command = ["git", *identity, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def package(tmp_path):
    """A package in a checkout with one commit."""
    folder = tmp_path / "project" / "package"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("one = 1\n")
    (tmp_path / "project" / "notes.txt").write_text("notes\n")
    git(folder.parent, "init", "-q")
    git(folder.parent, "add", "-A")
    git(folder.parent, "commit", "-q", "-m", "first")
    return folder


def test_versions_are_those_of_the_packages():
    found = versions()
    assert set(found) - {"torch"} == {"isingrl", "numpy", "numba", "scipy", "xarray"}
    for name, number in found.items():
        pattern = re.escape(version(name))
        if name == "isingrl":
            pattern += r"(\+g[0-9a-f]{12}(\.dirty)?)?"
        assert re.fullmatch(pattern, number)
    found.clear()
    assert versions()
    assert versions_text() == ", ".join(f"{name} {number}" for name, number in versions().items())


def test_results_carry_them():
    data = simulate(Ising(Lattice((4, 4))), HeatBath(), 2.0, sweeps=1, seed=1)
    assert data.attrs["versions"] == versions_text()


def test_torch_is_optional(monkeypatch, forgotten):
    def without_torch(name):
        if name == "torch":
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(provenance, "version", without_torch)
    assert list(versions()) == ["isingrl", "numpy", "numba", "scipy", "xarray"]


def test_torch_is_not_imported():
    code = "from isingrl.support import provenance; provenance.versions()"
    code = f"import sys; {code}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@needs_git
def test_git_is_asked_once(monkeypatch, forgotten):
    first = versions()
    monkeypatch.setattr(provenance, "_git", None)
    assert versions() == first


@needs_git
def test_a_checkout_has_a_commit(package):
    clean = f"+g{git(package, 'rev-parse', 'HEAD')[:12]}"
    assert re.fullmatch(r"\+g[0-9a-f]{12}", clean)
    assert _commit(package) == clean
    (package / "new.py").touch()
    assert _commit(package) == clean
    (package.parent / "notes.txt").write_text("other notes\n")
    assert _commit(package) == f"{clean}.dirty"
    git(package, "add", "-u", ":/")
    assert _commit(package) == f"{clean}.dirty"
    git(package, "commit", "-q", "-m", "second")
    assert re.fullmatch(r"\+g[0-9a-f]{12}", _commit(package))
    assert _commit(package) != clean


@needs_git
@pytest.mark.parametrize("ignored", [True, False])
def test_a_package_installed_in_another_project_has_none(package, ignored):
    installed = package.parent / ".venv" / "site-packages" / "package"
    shutil.copytree(package, installed)
    if ignored:
        (package.parent / ".gitignore").write_text(".venv/\n")
    assert _commit(installed) == ""


@needs_git
def test_within_a_hook_it_is_the_own_repository(package, tmp_path, monkeypatch):
    clean = _commit(package)
    (tmp_path / "other").mkdir()
    git(tmp_path / "other", "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "other"))
    assert _commit(package) == clean


@needs_git
def test_without_a_commit_or_a_repository_there_is_none(tmp_path, capfd):
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "__init__.py").touch()
    assert _commit(folder) == ""
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    assert _commit(folder) == ""
    assert capfd.readouterr() == ("", "")


def test_without_git_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _commit(tmp_path) == ""


@needs_git
def test_git_that_hangs_is_given_up(package, monkeypatch):
    def hang(*arguments, timeout, **_):
        raise subprocess.TimeoutExpired(arguments, timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    assert _commit(package) == ""
