"""Whether the first call says that it compiles, and later ones are silent."""

import errno
import logging
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from numba import njit
from numba.core.caching import NullCache
from tqdm import tqdm

from isingrl.support import compilation, kernel_cache

PROGRAM = """
from analysis import exact
from isingrl import Ising, Lattice
from isingrl.support import compilation
compilation._SECONDS = 0.01
exact.enumeration(Ising(Lattice((2, 2))), [1.0])
"""
LINE = "isingrl: compiling kernels for this machine, once; later runs take them from a cache"


@pytest.mark.soak
def test_the_first_program_says_that_it_compiles_and_the_next_do_not(tmp_path):
    """Even if they compile kernels that the first one did not need."""
    other = """
import isingrl as irl
from isingrl.support import compilation
compilation._SECONDS = 0.01
irl.simulate(irl.Ising(irl.Lattice((3,))), irl.HeatBath(), 2.0, sweeps=1, seed=1)
"""
    for program, expected, compiles in (
        (PROGRAM, [LINE], True), (PROGRAM, [], False), (other, [], True)
    ):  # fmt: skip
        before = len(list(tmp_path.rglob("*.nbc")))
        found = run({"NUMBA_CACHE_DIR": str(tmp_path)}, program)
        assert found.stderr.splitlines() == expected
        assert (len(list(tmp_path.rglob("*.nbc"))) > before) == compiles


def test_it_is_said_again_after_an_installation_and_where_kernels_are_not_kept(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(kernel_cache.config, "CACHE_DIR", str(tmp_path))
    for _ in range(2):
        compilation.tell_once(LINE)
    assert caplog.messages == [LINE]
    (marker,) = tmp_path.rglob("isingrl-compiling-told")
    os.utime(marker, (1.0, 1.0))  # older than all kernels
    compilation.tell_once(LINE)
    assert caplog.messages == 2 * [LINE]
    for _ in range(2):
        compilation.tell_once("isingrl: compiling kernels, which every start has to do again")
    assert len(caplog.messages) == 4
    monkeypatch.setattr(kernel_cache, "kernel_cache", lambda function: NullCache())
    for _ in range(2):
        compilation.tell_once(LINE)
    assert len(caplog.messages) == 6


def compiled(module):
    """What Numba says of a function of a module that it compiles."""
    function = SimpleNamespace(py_func=SimpleNamespace(__module__=module))
    return SimpleNamespace(data={"dispatcher": function})


@pytest.fixture
def patience(monkeypatch):
    """One whose patience is short, and that sets an event."""
    monkeypatch.setattr(compilation, "_SECONDS", 0.02)
    made = compilation._Patience()
    made.heard = threading.Event()
    made.tell = lambda line: made.heard.set()
    return made


def test_kernels_that_call_kernels_count_once(patience):
    kernel = compiled("isingrl.engines.kernels.sites")
    patience.on_start(kernel)
    patience.on_start(kernel)
    patience.on_end(kernel)
    assert patience.heard.wait(20)
    patience.on_end(kernel)
    patience.heard.clear()
    patience.on_start(kernel)
    assert not patience.heard.wait(0.1)


def test_many_short_ones_add_up(patience):
    kernel = compiled("analysis.domains._kernels")
    for _ in range(10_000):
        patience.on_start(kernel)
        patience.heard.wait(0.001)
        patience.on_end(kernel)
        if patience.heard.is_set():
            break
    assert patience.heard.is_set()


def test_functions_of_others_are_not_spoken_of(patience):
    patience.on_start(compiled("analysis_of_somebody.kernels"))
    assert not patience.heard.wait(0.1)


def test_it_can_be_silenced(caplog):
    compilation.tell()
    assert caplog.messages == [LINE]
    caplog.clear()
    with caplog.at_level(logging.ERROR, "isingrl"):
        compilation.tell()
    assert not caplog.messages


def test_a_bar_that_is_shown_is_cleared_and_drawn_again(capsys):
    with tqdm(total=2, desc="sweeps", ascii=True, mininterval=1000) as bar:
        bar.update()
        capsys.readouterr()
        compilation.tell()
        shown = capsys.readouterr().err
    cleared, again = (part.strip() for part in shown.strip("\r\n").split("\r", 1))
    assert cleared == ""
    assert again.strip("\r ").startswith("sweeps:  50%")


def run(environment, program=PROGRAM, **more):
    return subprocess.run(
        [sys.executable, "-c", program], env=os.environ | environment, capture_output=True,
        text=True, **more,
    )  # fmt: skip


def empty(path):
    path.write_bytes(b"")


def cut(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip(path):
    """Change one bit of what would be run."""
    content = bytearray(path.read_bytes())
    content[2 * len(content) // 3] ^= 1
    path.write_bytes(content)


def replace_by_text(path):
    path.write_text("no pickle\n")


def replace_by_folder(path):
    path.unlink() if path.is_file() else path.rmdir()
    path.mkdir()


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", [empty, cut, flip, replace_by_text, replace_by_folder])
def test_a_damaged_cache_is_made_again(suffix, damage, tmp_path, monkeypatch):
    """Kernels of another file, so that one process can do it all."""
    monkeypatch.setattr(kernel_cache.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(kernel_cache, "problems", [])
    for _ in range(2):
        kernel, again = (fresh_kernel() for _ in range(2))
        assert kernel(20) == again(20) == 190
        for path in tmp_path.rglob(f"*.{suffix}"):
            damage(path)
    if damage is not replace_by_folder:
        assert not kernel_cache.problems
        assert fresh_kernel()(20) == 190
        last = fresh_kernel()
        assert last(20) == 190
        assert sum(last.stats.cache_hits.values()) == 1


def sum_below(n):
    total = 0
    for k in range(n):
        total += k
    return total


def fresh_kernel():
    """The same function as another dispatcher, which knows of the cache alone."""
    kernel = njit(sum_below)
    kernel._cache = kernel_cache._KernelCache(sum_below)
    return kernel


def test_a_change_in_a_file_beside_that_of_a_kernel_renews_it(tmp_path, monkeypatch):
    """Kernels call those of other files, and their machine code contains them."""
    monkeypatch.setattr(kernel_cache.config, "CACHE_DIR", str(tmp_path))
    here = Path(__file__).parent
    names = [name for name, *_ in kernel_cache._stamps(here)]
    assert names == sorted(each.name for each in here.glob("*.py"))
    for hits in (0, 1):
        kernel = fresh_kernel()
        assert kernel(20) == 190
        assert sum(kernel.stats.cache_hits.values()) == hits
    monkeypatch.setattr(kernel_cache, "_stamps", lambda _: [("sites.py", 1, 1)])
    kernel = fresh_kernel()
    assert kernel(20) == 190
    assert not kernel.stats.cache_hits


def test_a_full_disk_stops_no_kernel(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel_cache.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(kernel_cache, "problems", [])

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(kernel_cache._CacheFile, "_save_data", full)
    assert fresh_kernel()(20) == 190
    assert "No space left" in kernel_cache.problems[0]
    assert "every start has to do again" in compilation.words()


def no_locator(monkeypatch):
    """As for an install that is read only, and a user without a home."""

    class Nowhere(kernel_cache._KernelCache):
        def __init__(self, py_func):
            if not kernel_cache.config.CACHE_DIR:
                raise RuntimeError("cannot cache function: no locator available")
            super().__init__(py_func)

    monkeypatch.setattr(kernel_cache.config, "CACHE_DIR", "")
    monkeypatch.setattr(kernel_cache, "PACKAGES", (__name__.partition(".")[0],))
    monkeypatch.setattr(kernel_cache, "_KernelCache", Nowhere)
    monkeypatch.setattr(kernel_cache, "problems", [])


def test_where_nothing_can_be_written_beside_the_files_a_folder_of_ones_own_serves(
    tmp_path, monkeypatch
):
    no_locator(monkeypatch)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = kernel_cache.kernel_cache(sum_below)
    own = next(tmp_path.iterdir())
    assert found.cache_path.startswith(str(own))
    assert own.stat().st_mode & 0o077 == 0
    assert kernel_cache.config.CACHE_DIR == ""
    assert not kernel_cache.problems
    own.chmod(0o777)  # others may write what would be run
    assert isinstance(kernel_cache.kernel_cache(sum_below), NullCache)
    assert "others may write" in kernel_cache.problems[0]


def test_where_nothing_can_be_written_at_all_kernels_are_not_kept(tmp_path, monkeypatch):
    no_locator(monkeypatch)
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    assert isinstance(kernel_cache.kernel_cache(sum_below), NullCache)
    assert "every start has to do again" in compilation.words()


@pytest.mark.parametrize("kind", ["file", "null"])
def test_a_cache_folder_that_is_none_stops_nothing(kind, tmp_path):
    (tmp_path / "file").touch()
    place = {"file": str(tmp_path / "file"), "null": "/dev/null/nowhere"}[kind]
    found = run({"NUMBA_CACHE_DIR": place}, "import analysis, isingrl.simulation")
    assert found.returncode == 0, found.stderr


def test_all_kernels_are_kept_this_way():
    program = """
import gc, numba, analysis, isingrl.simulation, isingrl.battle, isingrl.agents
from numba.core.dispatcher import Dispatcher
from isingrl.support.kernel_cache import PACKAGES, _KernelCache
found = [each for each in gc.get_objects() if isinstance(each, Dispatcher)]
own = [each for each in found if each.py_func.__module__.split(".")[0] in PACKAGES]
kinds = {type(each._cache).__name__ for each in own}
assert len(own) > 50 and kinds == {"NullCache", "_KernelCache"}, kinds
"""
    found = run({}, program)
    assert found.returncode == 0, found.stderr
