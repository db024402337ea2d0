"""The wheel, installed where nothing of this checkout is to be found."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("isingrl", "analysis", "studies")
CURVE = """
import isingrl as irl
from analysis import plots, thermodynamics

model = irl.Ising(irl.Lattice((3, 3)))  # an odd side: an engine that compiles in two seconds
data = irl.simulate(model, irl.Metropolis(), [2.0, 3.0, 4.0], sweeps=4_000, seed=1)
plots.observable(thermodynamics(data), "abs_magnetization").figure.savefig("curve.png")

import sys
from pathlib import Path

assert Path(sys.argv[1]) not in [Path(each) for each in sys.path]
for name, module in sys.modules.items():
    if name.partition(".")[0] in {"isingrl", "analysis", "studies"}:
        assert Path(module.__file__).is_relative_to(sys.prefix), module.__file__
print(irl.__version__)
"""
TYPED = """
import isingrl as irl
from analysis import exact, thermodynamics

lattice = irl.Lattice((8, 8), neighborhood="moore")
model = irl.Ising(lattice, coupling=1.0)
policy = irl.train(model, irl.MeanFieldQ(discount=0.5), [2.0, 3.0], sweeps=10, seed=1)
data = irl.simulate(model, policy, sweeps=100)
reveal_type(lattice.n_sublattices)
reveal_type(policy)
reveal_type(irl.agents.REWARDS["energy"].formula)
reveal_type(irl.__version__)
summary, expected = thermodynamics(data), exact.torus((8, 8), [2.0, 3.0])
irl.Lattice((8, 8), neighbourhood="moore")
"""
# types of others' packages take half a minute and are not in question
MYPY = """
[tool.mypy]
strict = true
[[tool.mypy.overrides]]
module = [
    "arviz_stats.*", "dask.*", "gymnasium.*", "magent2.*", "matplotlib.*", "numba.*", "numpy.*",
    "pettingzoo.*", "pint.*", "safetensors.*", "scipy.*", "torch.*", "tqdm.*", "xarray.*",
]
follow_imports = "skip"
follow_imports_for_stubs = true
ignore_missing_imports = true
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*build, "--directory", folder], cwd=ROOT, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """Interpreter that has the wheel, and what it needs from the environment of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    paths = sysconfig.get_paths(vars={"base": folder, "platbase": folder})
    own = Path(paths["purelib"])
    # a folder that is added like this is not searched for further .pth files, such as the editable
    # installation's
    others = sorted({sysconfig.get_path(kind) for kind in ("purelib", "platlib")})
    (own / "others.pth").write_text("\n".join(others), encoding="utf-8")
    made = Path(paths["scripts"]) / "python"
    pip = [sys.executable, "-m", "pip", "--python", made, "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", "--no-compile", wheel], check=True)
    return made


def run(command, folder):
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    environment = kept | {"MPLBACKEND": "agg", "NUMBA_CACHE_DIR": str(folder / "numba")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_it_holds_three_typed_packages_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.partition("/")[0].removesuffix(".dist-info") for name in names} == {
        *PACKAGES, wheel.name.removesuffix("-py3-none-any.whl"),
    }  # fmt: skip
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    sources = {path for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    notebooks = set((ROOT / "studies" / "notebooks").glob("*.py"))  # to be opened, not imported
    assert {path.relative_to(ROOT).as_posix() for path in sources - notebooks} <= set(names)
    assert not {path.relative_to(ROOT).as_posix() for path in notebooks} & set(names)


def test_a_few_lines_make_a_curve_in_an_empty_folder(python, tmp_path):
    done = run([python, "-c", CURVE, ROOT], tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "curve.png").stat().st_size > 5_000


def test_the_command_is_there(python, tmp_path):
    done = run([python.with_name("isingrl"), "--help"], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "paper-ising" in done.stdout


def test_type_checkers_know_what_a_program_uses(python, tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "pyproject.toml").write_text(MYPY, encoding="utf-8")
    (tmp_path / "program.py").write_text(TYPED, encoding="utf-8")
    done = run(
        [sys.executable, "-m", "mypy", "--python-executable", python, "program.py"], tmp_path
    )
    found = [line.split(": ", 1)[1] for line in done.stdout.splitlines() if ": " in line]
    for expected in (
        'note: Revealed type is "isingrl.agents.policy.Policy"',
        'note: Revealed type is "str"',
        'note: Revealed type is "int"',
    ):
        assert any(line.startswith(expected) for line in found), done.stdout
    errors = [line for line in found if line.startswith("error")]
    assert len(errors) == 1, done.stdout
    assert '"neighbourhood"' in errors[0]
