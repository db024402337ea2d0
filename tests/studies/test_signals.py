"""SIGTERM and Ctrl-C, at any moment."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from studies.command.exits import stoppable
from studies.command.main import main
from studies.running.files import write_json
from studies.running.progress import Status, describe
from studies.running.runner import is_running

ROOT = Path(__file__).parents[2]
WORKERS = pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.soak), 2])


@pytest.fixture
def started(tmp_path):
    """Starts a study that takes for ever, and waits until its tasks run."""
    processes = []

    def start(workers):
        options = ["--sweeps", "100000000", "--interval", "1000", "--shape", "16", "16"]
        process = subprocess.Popen(
            [
                sys.executable, "-c", "from studies.command.main import main; main()", "curve",
                *options, "--out", str(tmp_path), "--workers", str(workers),
            ],
            cwd=ROOT, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        processes.append(process)
        status = tmp_path / "tasks" / "status.json"
        while not (status.exists() and Status.read(tmp_path / "tasks").running):
            assert process.poll() is None
            time.sleep(0.1)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
    shutil.rmtree(tmp_path / "tasks", ignore_errors=True)


@WORKERS
def test_ctrl_c_stops_it_cleanly(workers, started, tmp_path):
    process = started(workers)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - began < 5
    assert "the same command goes on" in said
    assert "Traceback" not in said
    assert Status.read(tmp_path / "tasks").state == "stopped"


def test_ctrl_c_leaves_the_imports_of_processes_alone(tmp_path):
    """Of the server that they are copied from: it would show a traceback."""
    (tmp_path / "slow.py").write_text(
        "import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(1)\n"
        "pathlib.Path('ended').touch()\n"
    )
    program = """
import time
from studies.running import processes
processes._PRELOADED = ("slow",)
processes._context()
time.sleep(60)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    while not (tmp_path / "begun").exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert said.count("Traceback") == 1  # that of the program itself
    assert (tmp_path / "ended").exists()


@WORKERS
def test_sigterm_ends_it_at_once(workers, started, tmp_path):
    process = started(workers)
    process.terminate()
    _, said = process.communicate(timeout=5)  # until its workers have closed standard error, too
    assert process.returncode == -signal.SIGTERM
    assert all(line.startswith("curve: ") for line in said.splitlines()), said
    assert not is_running(tmp_path / "tasks")
    assert "the same command goes on" in describe(Status.read(tmp_path / "tasks"), alive=False)[0]


STUCK = """
import ctypes, sys
from studies.command import main

def get_stuck(*_):
    print("stuck", flush=True)
    lock, mutex = ctypes.PyDLL(None).pthread_mutex_lock, ctypes.create_string_buffer(256)
    lock(mutex)
    lock(mutex)  # waits for itself, as a package that spins within C: nothing of Python runs

{}
main.main(["curve"])
"""
IMPORT = "main._command = get_stuck"
RUN = "main._command = lambda name: get_stuck"


@pytest.mark.parametrize(
    ("phase", "signals"),
    [
        (IMPORT, [signal.SIGTERM]),
        (IMPORT, [signal.SIGINT]),
        (RUN, [signal.SIGTERM]),
        (RUN, [signal.SIGINT, signal.SIGINT]),
    ],
    ids=["import, SIGTERM", "import, Ctrl-C", "run, SIGTERM", "run, Ctrl-C twice"],
)
def test_nothing_can_refuse_to_stop(phase, signals):
    program = [sys.executable, "-c", STUCK.format(phase)]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"stuck\n"
            for number in signals:
                time.sleep(0.2)
                assert process.poll() is None
                process.send_signal(number)
            process.wait(timeout=5)
        finally:
            process.kill()
    assert process.returncode == -signals[-1]


DROPPED = """
import signal, time
from studies.command.exits import stoppable

class Deaf:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)  # Python drops what is raised here

with stoppable("toy", "all is kept"):
    Deaf()
    time.sleep(60)
"""
ENDING = """
import pathlib, signal
from studies.command.exits import stoppable
from studies.running.executors import Workers
from studies.running.tasks import jobs
from tests.studies.toy import Toy

with stoppable("toy", "all is kept"), Workers(2, progress=False) as workers:
    next(workers.run(jobs(Toy(seconds=60).tasks(), 1), pathlib.Path()))
    workers._stack.callback(signal.raise_signal, signal.SIGINT)
"""


@pytest.mark.parametrize("program", [DROPPED, ENDING], ids=["dropped", "while workers end"])
def test_a_stop_ends_it_at_any_moment(program, tmp_path):
    began = time.monotonic()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    found = subprocess.run(
        command(program=program), cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert time.monotonic() - began < 30
    assert found.returncode == 130
    assert found.stderr == "toy: interrupted; all is kept\n"


def test_a_users_own_handler_comes_back():
    before = signal.signal(signal.SIGINT, lambda *_: None)
    mine = signal.getsignal(signal.SIGINT)
    try:
        with stoppable("toy", "all is kept"):
            assert signal.getsignal(signal.SIGINT) is not mine
        assert signal.getsignal(signal.SIGINT) is mine
    finally:
        signal.signal(signal.SIGINT, before)


def command(*words, program="from studies.command.main import main; main()"):
    return [sys.executable, "-c", program, *words]


CLOSED = """
import os, sys
from studies.command import battle_commands, file_commands, study_command
from studies.command.main import main

reader, writer = os.pipe()
os.close(reader)
for words in (["--help"], ["curve", "--help"], ["battle"], ["status", "out"]):
    if os.fork() == 0:
        os.dup2(writer, 1)
        sys.exit(main(words))
    code = os.waitstatus_to_exitcode(os.wait()[1])
    assert code == 141, (words, code)
"""


def test_a_closed_pipe_ends_it_quietly(tmp_path):
    (tmp_path / "out" / "tasks").mkdir(parents=True)
    write_json(asdict(Status("toy")), tmp_path / "out" / "tasks" / "status.json")
    # Python warns of forks of processes with threads, which OpenBLAS would start
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    found = subprocess.run(
        command(program=CLOSED), cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert found.stderr == ""
    assert found.returncode == 0


ASCII = {"PYTHONIOENCODING": "ascii"}
POSIX = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LATIN_1 = {"LC_ALL": "C", "PYTHONIOENCODING": "latin-1"}
HELP = (["--help"], 0, "softmax temperature")
UNKNOWN = (["status", "τ"], 2, "must be that of a study")


@pytest.mark.parametrize(
    ("words", "code", "said", "environment"), [(*HELP, ASCII), (*HELP, POSIX), (*UNKNOWN, LATIN_1)]
)
def test_terminals_that_lack_greek_letters_get_something_else(
    words, code, said, environment, tmp_path
):
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    found = subprocess.run(
        command(*words), cwd=tmp_path, env=environment, capture_output=True, encoding="latin-1"
    )
    assert found.returncode == code, found.stderr
    assert said in found.stdout + found.stderr
    assert "Unicode" not in found.stderr


@pytest.mark.parametrize(
    ("words", "code", "said", "encoding"),
    [
        (*UNKNOWN, "ascii"),
        (["discount", "--help"], 0, "usage", "ascii"),
        (["battle", "train", "--help"], 0, "usage", "ascii"),
        (["curve", "--methods", "τ", "--out", "out"], 2, "methods", "ascii"),
        (["completion", "bash"], None, "complete", "latin-1"),
    ],
)
def test_streams_that_lack_greek_letters_get_something_else(
    words, code, said, encoding, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    told = {name: io.TextIOWrapper(io.BytesIO(), encoding) for name in ("stdout", "stderr")}
    for name, stream in told.items():
        monkeypatch.setattr(sys, name, stream)
    ended = None
    try:
        main(words)
    except SystemExit as stop:
        ended = stop.code
    texts = []
    for stream in told.values():
        stream.flush()
        texts.append(stream.buffer.getvalue().decode(encoding))
    assert ended == code, texts
    assert said in "".join(texts)
    assert "Unicode" not in texts[1]
