"""Files that hide a package of ours are told by name; whoever does not need it can go on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def run(folder, code):
    """Run a program as from a shell in that folder, which Python then looks through first."""
    path = os.pathsep.join([str(folder), str(ROOT)])
    environment = os.environ | {"PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("package", ["analysis", "studies"])
@pytest.mark.parametrize("kind", ["{}.py", "{}/__init__.py"], ids=["file", "folder"])
def test_a_file_that_hides_a_package_is_named(package, kind, tmp_path):
    file = tmp_path / kind.format(package)
    file.parent.mkdir(exist_ok=True)
    file.write_text("")
    done = run(tmp_path, "import isingrl; print(isingrl.Lattice((4, 4)).n_sites)")
    assert done.stdout == "16\n"
    assert done.stderr.count(f"{file} hides the package {package} of isingrl") == 1
    assert "Rename it" in done.stderr


def test_studies_say_why_they_cannot_find_what_they_need(tmp_path):
    (tmp_path / "analysis.py").write_text("")
    done = run(tmp_path, "import studies.curve")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: {tmp_path / 'analysis.py'} hides the package analysis")


def test_nothing_is_said_where_nothing_is_hidden(tmp_path):
    (tmp_path / "analysis").mkdir()  # no package, and behind those that are
    (tmp_path / "my_analysis.py").write_text("")
    code = "import sys, types; sys.modules['studies'] = types.ModuleType('studies'); import isingrl"
    for program in ("import isingrl, analysis, studies", code):
        done = run(tmp_path, program)
        assert (done.returncode, done.stderr) == (0, "")
