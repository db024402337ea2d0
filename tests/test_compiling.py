"""Whether the first call says that it compiles, and later ones are silent."""

import logging
import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from tqdm import tqdm

from isingrl import _compiling

PROGRAM = """
from analysis import exact
from isingrl import Ising, Lattice, _compiling
_compiling._SECONDS = 0.01
exact.enumeration(Ising(Lattice((2, 2))), [1.0])
"""
LINE = "isingrl: compiling kernels for this machine, once; later runs take them from a cache"


def test_the_first_call_says_that_it_compiles_and_the_next_does_not(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    for expected in ([LINE], []):
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True
        )
        assert run.stderr.splitlines() == expected
        assert any(tmp_path.rglob("*.nbc"))


def compiled(module):
    """What Numba says of a function of a module that it compiles."""
    function = SimpleNamespace(py_func=SimpleNamespace(__module__=module))
    return SimpleNamespace(data={"dispatcher": function})


@pytest.fixture
def patience(monkeypatch):
    """One whose patience is short, and that sets an event."""
    monkeypatch.setattr(_compiling, "_SECONDS", 0.02)
    made = _compiling._Patience()
    made.heard = threading.Event()
    made.tell = made.heard.set
    return made


def test_kernels_that_call_kernels_count_once(patience):
    kernel = compiled("isingrl._kernels.sites")
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
    _compiling.tell()
    assert caplog.messages == [LINE]
    caplog.clear()
    with caplog.at_level(logging.ERROR, "isingrl"):
        _compiling.tell()
    assert not caplog.messages


def test_a_bar_that_is_shown_is_cleared_and_drawn_again(capsys):
    with tqdm(total=2, desc="sweeps", ascii=True, mininterval=1000) as bar:
        bar.update()
        capsys.readouterr()
        _compiling.tell()
        shown = capsys.readouterr().err
    cleared, again = (part.strip() for part in shown.strip("\r\n").split("\r", 1))
    assert cleared == ""
    assert again.strip("\r ").startswith("sweeps:  50%")
