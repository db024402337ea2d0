"""What an import loads, and what the public modules promise."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("isingrl", "analysis", "studies")
KERNELS = sorted([*ROOT.glob("isingrl/_kernels/*.py"), *ROOT.glob("analysis/exact/_kernels*.py")])


def public_modules() -> list[str]:
    """Names of all modules without a leading underscore in any part."""
    names = list(PACKAGES)
    for package in PACKAGES:
        path = importlib.import_module(package).__path__
        names += [module.name for module in pkgutil.walk_packages(path, f"{package}.")]
    return [name for name in names if "._" not in name]


@pytest.mark.parametrize(
    ("package", "unwanted"),
    [
        ("isingrl", {"torch", "magent2", "pettingzoo", "matplotlib", "dask"}),
        ("analysis", {"torch", "magent2", "pettingzoo", "matplotlib", "dask"}),
        ("studies.command_line", {"torch", "magent2", "pettingzoo", "matplotlib.pyplot", "dask"}),
    ],
)
def test_import_stays_light(package: str, unwanted: set[str]) -> None:
    code = f"import sys, {package}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert unwanted.isdisjoint(run.stdout.split())


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_kernels_import_numpy_and_numba_alone(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [
        "." * node.level + (node.module or "") for node in nodes if isinstance(node, ast.ImportFrom)
    ]
    foreign = [
        name
        for name in names
        if name.partition(".")[0] not in {"numpy", "numba"} | sys.stdlib_module_names
        and not name.startswith(("isingrl._kernels", "analysis.exact._kernels"))
    ]
    assert not foreign


@pytest.mark.parametrize("name", public_modules())
def test_public_names_resolve_and_are_documented(name: str) -> None:
    module = importlib.import_module(name)
    assert inspect.getdoc(module)
    names = getattr(module, "__all__", [])
    if hasattr(module, "__path__") and any(not key.startswith("_") for key in vars(module)):
        public = [
            key
            for key, value in vars(module).items()
            if not key.startswith("_") and not inspect.ismodule(value)
        ]
        assert names or not public, f"{name} has no __all__"
    for public_name in names:
        value = getattr(module, public_name)
        if inspect.ismodule(value) or inspect.isroutine(value) or inspect.isclass(value):
            assert value.__doc__, f"{name}.{public_name} has no docstring"
