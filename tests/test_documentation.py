"""What README and the pages of docs say is so: code runs, output is as shown, links lead somewhere."""

import contextlib
import io
import re
import sys
from pathlib import Path
from types import ModuleType

import matplotlib as mpl
import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```\n(?P<printed>.*?)^```\n)?", re.M | re.S)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path) -> list[re.Match[str]]:
    return list(BLOCK.finditer(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", [each for each in PAGES if blocks(each)], ids=name)
def test_code_runs_and_prints_what_is_shown(page, tmp_path, monkeypatch):
    """All ```python blocks of a page, in order; a bare block right below one is its output."""
    monkeypatch.chdir(tmp_path)
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)  # where its dataclasses are looked for
    text = page.read_text(encoding="utf-8")
    with mpl.rc_context({"backend": "agg"}):
        for block in blocks(page):
            line = text.count("\n", 0, block.start("code"))
            code = compile("\n" * line + block["code"], str(page), "exec")
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(code, vars(module))
            if block["printed"] is not None:
                assert printed.getvalue() == block["printed"], f"{name(page)}, line {line}"
