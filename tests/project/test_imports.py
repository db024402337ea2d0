"""What an import loads, and what the public modules promise."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import isingrl

ROOT = Path(__file__).parents[2]
PACKAGES = ("isingrl", "analysis", "studies")
HEAVY = {
    "torch", "magent2", "pettingzoo", "matplotlib", "dask", "arviz_stats", "scipy.special",
    "scipy.optimize", "scipy.stats",
}  # fmt: skip
KERNELS = sorted(
    path
    for path in (
        *ROOT.glob("isingrl/*/kernels/*.py"),
        *ROOT.glob("analysis/domains/_kernels*.py"),
        *ROOT.glob("analysis/exact/_kernels*.py"),
    )
    if path.name != "__init__.py"
)
SOURCES = [
    path.relative_to(ROOT)
    for folder in ("isingrl", "analysis", "studies", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
]


def public_modules() -> list[str]:
    """Names of all modules without a leading underscore in any part."""
    names = list(PACKAGES)
    for package in PACKAGES:
        path = importlib.import_module(package).__path__
        names += [module.name for module in pkgutil.walk_packages(path, f"{package}.")]
    return [name for name in names if "._" not in name]


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import isingrl", {*HEAVY, "numba", "numpy", "xarray"}),
        ("from isingrl import *", HEAVY),
        ("from analysis import *", HEAVY),
        ("from studies.command.main import main; main(['--help'])", {*HEAVY, "numpy", "tyro"}),
        ("from studies.command import study_command; study_command.options_of('curve')", HEAVY),
    ],
)
def test_import_stays_light(code: str, unwanted: set[str]) -> None:
    code = f"import sys; {code}; print('loaded:', *sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = run.stdout.rpartition("loaded:")[2].split()
    assert "isingrl" in loaded or "studies" in loaded
    assert unwanted.isdisjoint(loaded)


def test_names_that_are_looked_up_late_are_all_there() -> None:
    for name in isingrl.__all__:
        value = getattr(importlib.import_module(isingrl._HOME[name]), name)
        assert getattr(isingrl, name) is value
    assert isingrl._HOME.keys() == set(isingrl.__all__)
    assert {*isingrl.__all__, *isingrl._SUBMODULES, "__version__"} <= set(dir(isingrl))
    for name in isingrl._SUBMODULES:
        assert getattr(isingrl, name) is importlib.import_module(f"isingrl.{name}")
    with pytest.raises(AttributeError, match="'isingrl' has no attribute 'Heisenberg'"):
        isingrl.Heisenberg  # noqa: B018


def test_type_checkers_see_the_names_that_are_looked_up_late() -> None:
    tree = ast.parse(Path(isingrl.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        (alias.name, node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {
        *isingrl._HOME.items(), *((name, "isingrl") for name in isingrl._SUBMODULES)
    }  # fmt: skip


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
        and not name.startswith(("isingrl.engines.kernels", "analysis.exact._kernels"))
    ]
    assert not foreign


def test_what_begins_with_an_underscore_stays_in_its_folder() -> None:
    foreign = []
    for path in SOURCES:
        for name in imported(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            home, private, _ = f".{name}".partition("._")
            if not name.startswith(tuple(PACKAGES)) or name.startswith("__"):
                continue
            if private and not ours(path).startswith(home[1:]):
                foreign.append((path, name))
    assert not foreign


def imported(tree: ast.AST) -> Iterator[str]:
    """Modules, and names in them, that are imported anywhere, within functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_modules_import_one_another_in_a_circle() -> None:
    files = {module_name(path): path for path in SOURCES if path.parts[0] in PACKAGES}
    graph = {}
    for name, path in files.items():
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                node.body = [ast.Pass()]  # which is not run
        found = {
            each if each in files else each.rpartition(".")[0] for each in imported(tree)
        } & files.keys()
        graph[name] = found
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the modules


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def ours(path: Path) -> str:
    """Name of the package that a file belongs to."""
    return ".".join(path.parent.parts)


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


def test_editors_complete_the_names_that_are_looked_up_late() -> None:
    jedi = pytest.importorskip("jedi")
    found = jedi.Script("import isingrl as irl\nirl.").complete()
    assert set(isingrl.__all__) <= {name.name for name in found}
    source = "import isingrl as irl\nirl.Lattice((4, 4)).coord"
    assert [name.name for name in jedi.Script(source).complete()] == ["coordination_number"]
