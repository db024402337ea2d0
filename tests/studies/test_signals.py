"""SIGTERM and Ctrl-C, at any moment."""

import contextlib
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from studies import command_line
from studies.endings import stoppable
from studies.executors import Workers
from studies.progress import Status

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("sign", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
@pytest.mark.parametrize("workers", [1, 2])
def test_signals_stop_it_cleanly(sign, code, workers, tmp_path):
    program = "from studies.command_line import main; main()"
    options = [
        "curve",
        "--sweeps",
        "100000000",
        "--interval",
        "1000",
        "--shape",
        "16",
        "16",
        "--out",
        str(tmp_path),
    ]
    process = subprocess.Popen(
        [sys.executable, "-c", program, *options, "--workers", str(workers)],
        cwd=ROOT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    status = tmp_path / "tasks" / "status.json"
    while not (status.exists() and Status.read(tmp_path / "tasks").running):
        assert process.poll() is None
        time.sleep(0.1)
    began = time.monotonic()
    process.send_signal(getattr(signal, sign))
    _, said = process.communicate(timeout=30)
    assert process.returncode == code
    assert time.monotonic() - began < 5
    assert "the same command goes on" in said
    assert "Traceback" not in said
    assert Status.read(tmp_path / "tasks").state == "stopped"
    shutil.rmtree(tmp_path / "tasks")


class Deaf:
    """Gets a signal while it is thrown away, where Python drops what is raised."""

    def __del__(self):
        signal.raise_signal(signal.SIGTERM)


def test_a_stop_that_python_drops_comes_again(capsys, monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)

    def drop_and_wait():
        Deaf()
        time.sleep(60)

    began = time.monotonic()
    with pytest.raises(SystemExit) as stop, stoppable("toy", "all is kept"):
        drop_and_wait()
    assert time.monotonic() - began < 30  # it wakes who sleeps
    assert stop.value.code == 143
    assert capsys.readouterr().err == "toy: terminated; all is kept\n"


def test_a_stop_while_packages_are_imported_is_not_lost(capsys, monkeypatch):
    """Where some of them catch whatever is raised."""

    def import_it(name):
        with contextlib.suppress(BaseException):
            signal.raise_signal(signal.SIGINT)
        return lambda options: print("begun")

    monkeypatch.setattr(command_line, "_command", import_it)
    with pytest.raises(SystemExit) as stop:
        command_line.main(["curve"])
    assert stop.value.code == 130
    assert capsys.readouterr() == ("", "isingrl curve: interrupted; nothing was begun\n")


def test_a_stop_while_workers_end_lets_them_end():
    """Else Python would wait for them at the very end."""
    ended = []

    def end():
        signal.raise_signal(signal.SIGINT)
        ended.append(True)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # some packages set another
    try:
        with pytest.raises(KeyboardInterrupt), Workers(1, progress=False) as workers:
            workers._stack.callback(end)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended
