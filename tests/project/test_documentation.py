"""What README and the pages of docs say is so: code, what it prints, links, lists of names."""

import contextlib
import importlib
import inspect
import io
import re
import sys
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import matplotlib as mpl
import pytest

from analysis.plots.styles import _STYLES
from isingrl.agents import REWARDS
from isingrl.agents.agent import KINDS
from isingrl.battle.team import KINDS as TEAMS
from studies.command.catalogue import STUDIES
from tests.project.test_imports import public_modules

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("benchmarks/*.md")])
BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?:\n```\n(?P<printed>.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
KNOWN_WARNINGS = {
    "docs/how-to/arviz.md": (
        # arviz-plots 0.8, the last for Python 3.11, beside matplotlib 3.11
        "ignore:The matplotlib.style.core module was deprecated:DeprecationWarning",
        "ignore:The scale 'SquareRootScale':PendingDeprecationWarning",
    )
}
LINK = re.compile(r"\]\((?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(path: Path) -> list[re.Match[str]]:
    return list(BLOCK.finditer(text_of(path)))


def with_its_warnings(page: Path):
    known = KNOWN_WARNINGS.get(relative(page), ())
    marks = [pytest.mark.filterwarnings(each) for each in known]
    return pytest.param(page, marks=marks, id=relative(page))


@pytest.mark.parametrize("page", [with_its_warnings(each) for each in PAGES if blocks(each)])
def test_code_runs_and_prints_what_is_shown(page, tmp_path, monkeypatch):
    """The Python blocks of a page, in order; a bare block right below one is what it prints."""
    monkeypatch.chdir(tmp_path)
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)  # where its dataclasses are looked for
    with (
        patch.dict(STUDIES),
        patch.dict(REWARDS),
        patch.dict(KINDS),
        patch.dict(TEAMS),
        patch.dict(_STYLES),
        mpl.rc_context({"backend": "agg"}),
    ):
        for block in blocks(page):
            first_line = text_of(page).count("\n", 0, block.start("code"))
            code = compile("\n" * first_line + block["code"], str(page), "exec")
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(code, vars(module))
            if block["printed"] is not None:
                assert printed.getvalue() == block["printed"], f"line {first_line}"


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_to_files_and_headings(page):
    for link in LINK.finditer(FENCE.sub("", text_of(page))):
        if re.match(r"\w+:", link["path"]):
            continue
        target = page.parent / link["path"] if link["path"] else page
        assert target.exists(), link[0]
        if link["anchor"]:
            assert link["anchor"] in anchors(target), link[0]


def anchors(page: Path) -> set[str]:
    """Names that headings have as targets of links."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in headings}


def test_commands_of_the_readme_exist():
    makefile = text_of(ROOT / "Makefile")
    for target in re.findall(r"(?:^|`)make ([\w-]+)", text_of(ROOT / "README.md"), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_study_has_a_page_a_figure_and_its_place():
    table = text_of(DOCS / "studies" / "README.md")
    commands = text_of(DOCS / "reference" / "command-line.md")
    classes = [value for _, value in documented()]
    for name, study in STUDIES.items():
        page = text_of(DOCS / "studies" / f"{name}.md")
        assert re.search(r"^!\[.+?\]\(.+?\)$", page, re.MULTILINE), name
        assert f"| [{name}]({name}.md) |" in table, name
        assert f"```{{help}} {name}\n" in commands, name
        assert study in classes, name


def documented() -> list[tuple[str, object]]:
    """Names and objects that the pages of the reference list."""
    found = []
    for page in sorted(DOCS.glob("reference/*.md")):
        package = ""
        for line in text_of(page).splitlines():
            if match := re.fullmatch(r"\.\. (?:currentmodule|automodule):: (\S+)", line):
                package = match[1]
                found.append((package, importlib.import_module(package)))
            elif match := re.fullmatch(r"(?:   |\.\. py:data:: )([A-Za-z_][\w.]*)", line):
                path = f"{package}.{match[1]}".split(".")
                value: object = importlib.import_module(path[0])
                for part in path[1:]:
                    value = getattr(value, part)
                found.append((path[-1], value))
    return found


@pytest.mark.parametrize(
    "package",
    [name for name in public_modules() if hasattr(importlib.import_module(name), "__path__")],
)
def test_every_public_name_is_in_the_reference(package):
    module, listed = importlib.import_module(package), documented()
    for name in getattr(module, "__all__", []):
        value = getattr(module, name)
        label = value.__name__ if inspect.ismodule(value) else name
        assert any(label == each and value is other for each, other in listed), name
