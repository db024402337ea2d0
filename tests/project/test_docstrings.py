"""What docstrings of public names hold, and whether their examples are so."""

from __future__ import annotations

import ast
import dataclasses
import doctest
import importlib
import inspect
import io
import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from types import FunctionType, ModuleType
from typing import Any

import matplotlib
import pytest

from studies.command.catalogue import STUDIES
from tests.project.test_imports import PACKAGES, ROOT, public_modules

matplotlib.use("Agg")

STUDY_NAMES = (
    "studies.curve.Curve",
    "studies.running.runner.run",
    "studies.running.runner.run_to_folder",
    "studies.running.tasks.Study",
    "studies.running.tasks.Task",
)
"""Of studies, what others build on; all else serves the command line."""

COMPLAINTS = {
    "GL03",  # blank lines
    "GL06",  # unknown section
    "GL07",  # sections out of order
    "GL08",  # no docstring
    "SS01",  # no summary
    "SS03",  # a summary that does not end
    "PR02",  # unknown parameter
    "PR03",  # parameters out of order
    "PR10",  # no space before a colon
    "RT01",  # no Returns
    "YD01",  # no Yields
    "EX01",  # no Examples; those of a class are also those of its methods
}
"""Errors of numpydoc that are errors here; parameters without description are looked for below."""

PROMPT = re.compile(r"^\s*>>> ", re.MULTILINE)


def library_modules() -> list[ModuleType]:
    names = [name for name in public_modules() if name.split(".")[0] != "studies"]
    return [importlib.import_module(name) for name in names]


def has_docstring(value: Any) -> bool:
    """Whether it is of a kind that can have one."""
    return inspect.isclass(value) or inspect.isroutine(value)


def public_names() -> list[str]:
    """Where classes, functions and methods are defined.

    Properties are left to their class, and methods that only refer to a base class to that.
    """
    found = set(STUDY_NAMES)
    for module in library_modules():
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if not has_docstring(value):
                continue
            place = f"{value.__module__}.{value.__qualname__}"
            found.add(place)
            for key, member in vars(value).items():
                method = isinstance(member, FunctionType | classmethod | staticmethod)
                if method and not key.startswith("_"):
                    text = inspect.getdoc(getattr(value, key)) or ""
                    found |= set() if text.startswith("See `") else {f"{place}.{key}"}
    return sorted(found)


def modules_with_examples() -> list[ModuleType]:
    files = [path for package in PACKAGES for path in sorted(ROOT.glob(f"{package}/**/*.py"))]
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in files
        if PROMPT.search(path.read_text(encoding="utf-8"))
    ]
    return [importlib.import_module(name) for name in names]


def examples() -> dict[str, doctest.DocTest]:
    """Examples by the name of what they show; each begins with nothing imported."""
    finder = doctest.DocTestFinder()
    tests = [test for module in modules_with_examples() for test in finder.find(module, globs={})]
    return {test.name: test for test in tests if test.examples}


EXAMPLES = examples()


@pytest.fixture
def _close() -> Iterator[None]:
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.mark.parametrize("name", public_names())
def test_a_docstring_is_complete(name: str) -> None:
    found = pytest.importorskip("numpydoc.validate").validate(name)["errors"]
    method = name.rpartition(".")[0] in public_names()
    wanted = COMPLAINTS - {"EX01"} if method else COMPLAINTS
    assert not [(code, text) for code, text in found if code in wanted]


@pytest.mark.parametrize("name", public_names())
def test_parameters_are_described(name: str) -> None:
    numpydoc = pytest.importorskip("numpydoc.validate")
    doc = numpydoc.Validator(numpydoc.get_doc_object(numpydoc.Validator._load_obj(name)))
    described = described_in(doc)
    known = {*described, "*args", "**kwargs"}  # the latter are those of a protocol
    if name in STUDY_NAMES and inspect.isclass(doc.obj):
        known |= fields_with_text(doc.obj)  # where the command line reads them
    assert set(doc.signature_parameters) <= known
    arrays = re.compile(r"(?!dict|mapping).*\b(nd)?arrays?(_like)?\b")
    shapeless = {
        key for key, text in described.items() if arrays.match(text) and "shape" not in text
    }
    assert not shapeless


def described_in(doc: Any) -> dict[str, str]:
    """Type and description of all that a docstring describes, by name."""
    described = {}
    for section in ("Parameters", "Other Parameters", "Attributes", "Returns"):
        for entry in doc.doc[section]:
            for name in entry.name.split(", "):
                described[name] = "\n".join([entry.type, *entry.desc])
    return described


@pytest.mark.usefixtures("_close")
@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_examples_are_so(name: str) -> None:
    test = EXAMPLES[name]
    if any("isingrl.battle" in example.source for example in test.examples):
        for package in ("magent2", "torch"):
            pytest.importorskip(package)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    report = io.StringIO()
    doctest.DocTestRunner(verbose=False, optionflags=flags).run(test, out=report.write)
    assert not report.getvalue(), report.getvalue()


@pytest.mark.parametrize("module", modules_with_examples(), ids=lambda module: module.__name__)
def test_no_example_is_passed_over(module: ModuleType) -> None:
    own = [test for test in EXAMPLES.values() if test.filename == module.__file__]
    shown = [example for test in own for example in test.examples]
    assert len(shown) == len(PROMPT.findall(inspect.getsource(module)))
    assert not any(doctest.SKIP in example.options for example in shown)


def test_constants_say_what_they_are() -> None:
    told = set[str]()
    for package in PACKAGES:
        for path in ROOT.glob(f"{package}/**/*.py"):
            told |= names_with_text(ast.parse(path.read_text(encoding="utf-8")).body)
    constants = {
        name
        for module in library_modules()
        for name in getattr(module, "__all__", ())
        if not has_docstring(getattr(module, name)) and not inspect.ismodule(getattr(module, name))
    }
    assert "CRITICAL_TEMPERATURE" in constants
    assert constants <= told


@pytest.mark.parametrize("name", sorted(STUDIES))
def test_fields_of_a_study_say_what_they_are(name: str) -> None:
    fields = {field.name for field in dataclasses.fields(STUDIES[name])}
    assert fields <= fields_with_text(STUDIES[name])


def fields_with_text(kind: type[Any]) -> set[str]:
    tree = ast.parse(inspect.getsource(sys.modules[kind.__module__]))
    bodies = {each.name: each.body for each in tree.body if isinstance(each, ast.ClassDef)}
    return names_with_text(bodies[kind.__name__])


def names_with_text(body: list[ast.stmt]) -> set[str]:
    """Names to which something is assigned, with a text below."""
    found = set()
    for statement, after in pairwise(body):
        if not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)):
            continue
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = getattr(statement, "targets", None) or [statement.target]
            found |= {ast.unparse(target) for target in targets}
    return found
