"""pyproject.toml, constraints.txt, environment.yml and CITATION.cff agree with one another."""

import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import isingrl

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PIN_LINES = [
    line
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
PINS = {canonicalize_name(name): pin for name, _, pin in (s.partition("==") for s in PIN_LINES)}
REQUIREMENTS = [
    Requirement(text)
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for text in group
]


def installed_closure() -> Iterator[Requirement]:
    """Everything that the dependencies bring in, as far as it is installed here."""
    waiting = [(requirement, "") for requirement in REQUIREMENTS if requirement.name != "isingrl"]
    seen = set()
    while waiting:
        requirement, extra = waiting.pop()
        marker = requirement.marker
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in seen or (marker is not None and not marker.evaluate({"extra": extra})):
            continue
        try:
            brought = distribution(requirement.name).requires or []
        except PackageNotFoundError:
            continue
        seen.add(key)
        yield requirement
        waiting += [
            (Requirement(text), extra) for text in brought for extra in ("", *requirement.extras)
        ]


def test_constraints_are_exact_sorted_and_unique() -> None:
    for line in PIN_LINES:
        name, equals, pin = line.partition("==")
        assert name
        assert equals, line
        assert str(Version(pin)) == pin
        assert Version(pin).local is None
    assert sorted(PIN_LINES, key=str.lower) == PIN_LINES
    assert len(PINS) == len(PIN_LINES)


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=str)
def test_every_dependency_has_a_pin_that_satisfies_it(requirement: Requirement) -> None:
    if requirement.name == PROJECT["name"]:
        assert requirement.extras <= PROJECT["optional-dependencies"].keys()
    else:
        assert requirement.specifier.contains(PINS[canonicalize_name(requirement.name)])


def test_the_pins_are_what_is_installed() -> None:
    closure = {canonicalize_name(requirement.name) for requirement in installed_closure()}
    assert {"numpy", "llvmlite"} <= closure
    installed = {name: Version(version(name)).public for name in closure}
    assert installed == {name: PINS.get(name) for name in closure}


def test_environment_installs_the_pins() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["name"] == PROJECT["name"]
    *conda, pip = environment["dependencies"]
    python, installer = (text.partition("=") for text in conda)
    assert python[0] == "python"
    assert SpecifierSet(PROJECT["requires-python"]).contains(python[2])
    assert installer == ("pip", "", "")
    assert pip == {"pip": ["--constraint constraints.txt", "--editable .[dev]"]}


def test_one_version_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]
    assert isingrl.__version__ == PROJECT["version"]
    assert version("isingrl") == PROJECT["version"]
