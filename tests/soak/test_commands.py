"""The command `isingrl curve`, killed, stopped and extended at random moments.

Too long for the other tests: `make soak` runs it.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from tqdm import tqdm

from studies.running.progress import Status
from tests.studies.outcomes import assert_same, outcome

COMMAND = Path(sys.executable).with_name("isingrl")
STUDY = [
    "curve", "--shape", "16", "16", "--temperature", "2", "2.6", "4", "--chains", "4",
    "--methods", "metropolis", "mean-field-q", "independent-q", "--sweeps", "6000",
    "--seed", "1", "2",
]  # fmt: skip
MORE = ["--extend", "--temperature", "3", "3.4", "3", "--sweeps", "9000", "--seed", "3"]
FILES = {"config.json", "data.nc", "figure.png", "summary.nc", "tasks"}
MOST_DEATHS = 3  # of workers, from which on a task may be given up
PATIENCE = 60.0


class Started:
    """The command at work, in a process group of its own."""

    def __init__(self, out, options, workers=2, log=None):
        self.out = out
        self.log = log or out.with_suffix(".log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [COMMAND, *options, "--out", out, "--workers", str(workers)],
                start_new_session=True, stdout=log, stderr=log,
            )  # fmt: skip

    def ended(self, seconds):
        """Whether it ends within that time."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def others(self):
        """Processes that it has started and that are alive."""
        found = []
        for each in psutil.process_iter():
            try:
                same = os.getpgid(each.pid) == self.process.pid != each.pid
                if same and each.status() != psutil.STATUS_ZOMBIE:
                    found.append(each)
            except (ProcessLookupError, psutil.NoSuchProcess):
                pass
        return found

    def workers(self):
        """Those that run tasks, or will."""
        found = []
        for each in self.others():
            try:
                # copies of the process that has imported everything
                copied = any("forkserver" in part for part in each.cmdline())
                if copied and each.ppid() != self.process.pid:
                    found.append(each)
            except psutil.NoSuchProcess:
                pass
        return found

    def end_of_others(self):
        """Seconds until all that it has started is gone."""
        began = time.monotonic()
        while left := self.others():
            assert time.monotonic() - began < PATIENCE, left
            time.sleep(0.02)
        return time.monotonic() - began


def finished(out, whole):
    """Check a study that has come to its end."""
    assert {path.name for path in out.iterdir()} == FILES
    assert not list(out.rglob(".*"))
    assert_same(outcome(out), whole)
    shutil.rmtree(out)


def unbroken(out, *commands):
    """What commands leave when nothing happens to them, and the seconds that the last one took."""
    for options in commands:
        began = time.monotonic()
        started = Started(out, options)
        assert started.ended(10 * PATIENCE)
        assert started.process.returncode == 0, started.log.read_text()
        seconds = time.monotonic() - began
        started.end_of_others()  # which have the log open
    return outcome(out), seconds


def kill_somebody(started, generator, deaths):
    """Kill the command, one of its workers, or all at once; returns who, and until others ended."""
    workers = started.workers()
    victims = ["client", "group"] + ["worker"] * 2 * bool(workers and deaths < MOST_DEATHS)
    victim = generator.choice(victims)
    try:
        if victim == "client":
            started.process.kill()
        elif victim == "group":
            os.killpg(started.process.pid, signal.SIGKILL)
        else:
            workers[generator.integers(len(workers))].kill()
    except (ProcessLookupError, psutil.NoSuchProcess):
        return None, 0.0
    if victim == "worker":
        return victim, 0.0
    started.process.wait()
    return victim, started.end_of_others()


def kill_command(begin, options, whole, usual, kills, seed, name):
    """Kill the command at random moments, over as many studies as that takes.

    `begin(out)` makes the folder. Whoever is killed, the same command is given until it ends.
    """
    generator = np.random.default_rng(seed)
    studies, longest, killed = 0, 0.0, dict.fromkeys(("client", "group", "worker"), 0)
    out = begin(studies)
    with tqdm(total=kills, desc=name, unit="kill", mininterval=5.0) as bar:
        while sum(killed.values()) < kills:
            started, deaths, victim = Started(out, options), 0, None
            while victim not in ("client", "group"):
                if started.ended(generator.uniform(0.0, usual)):
                    assert started.process.returncode == 0, started.log.read_text()
                    finished(out, whole)
                    studies += 1
                    out = begin(studies)
                    break
                victim, seconds = kill_somebody(started, generator, deaths)
                if victim is not None:
                    killed[victim] += 1
                    deaths += victim == "worker"
                    longest = max(longest, seconds)
                    bar.update()
    unbroken(out, options)
    finished(out, whole)
    print(
        f"{name}: {killed} killed over {studies + 1} studies, which all ended alike; "
        f"workers without their command were gone within {longest:.1f} s"
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What the study leaves unbroken, the seconds it takes, and its folder."""
    out = tmp_path_factory.mktemp("whole") / "out"
    unbroken(out.with_name("first"), STUDY)  # which compiles what is not in the cache
    return *unbroken(out, STUDY), out


def test_killed_at_fifty_random_moments(tmp_path, whole):
    expected, usual, _ = whole
    kill_command(lambda n: tmp_path / str(n), STUDY, expected, usual, 50, 1, "kill -9")


def test_killed_while_it_is_extended(tmp_path, whole):
    _, _, before = whole
    options = STUDY[:1] + MORE

    def begin(number):
        return shutil.copytree(before, tmp_path / str(number))

    expected, usual = unbroken(begin(-1), options)
    kill_command(begin, options, expected, usual, 20, 2, "kill -9 of an extension")


def test_stopped_at_thirty_random_moments(tmp_path, whole):
    expected, usual, _ = whole
    generator, out, studies, longest = np.random.default_rng(3), tmp_path / "0", 0, 0.0
    codes, stops = {}, 0
    with tqdm(total=30, desc="SIGTERM and SIGINT", unit="stop", mininterval=5.0) as bar:
        while stops < 30:
            started = Started(out, STUDY, workers=int(generator.integers(1, 3)))
            if started.ended(generator.uniform(0.0, usual)):
                assert started.process.returncode == 0, started.log.read_text()
                finished(out, expected)
                studies += 1
                out = tmp_path / str(studies)
                continue
            sign = signal.Signals(generator.choice([signal.SIGTERM, signal.SIGINT]))
            began = time.monotonic()
            if generator.random() < 0.5:
                started.process.send_signal(sign)
            else:
                os.killpg(started.process.pid, sign)  # as a terminal does, or scancel
            assert started.ended(PATIENCE)
            seconds = time.monotonic() - began
            check_stop(started, sign)
            started.end_of_others()
            longest = max(longest, seconds)
            bar.set_postfix_str(f"{sign.name}: {started.process.returncode} after {seconds:.1f} s")
            code = started.process.returncode
            codes[code] = codes.get(code, 0) + 1
            stops += 1
            bar.update()
    unbroken(out, STUDY)
    finished(out, expected)
    print(f"SIGTERM and SIGINT: exit codes {codes}, within {longest:.1f} s, {studies + 1} studies")
    assert longest < 5


def check_stop(started, sign):
    """Check that a signal has stopped the command as it should."""
    code, said = started.process.returncode, started.log.read_text()
    status = started.out / "tasks" / "status.json"
    own = status.exists() and Status.read(status.parent).pid == started.process.pid
    assert "Traceback" not in said, said
    assert "leaked" not in said, said
    if sign == signal.SIGTERM:
        assert code in (0, -sign), said
    elif code == -sign:  # while it was still importing, or had nothing left to do
        assert not own or "wrote data.nc" in said, said
    elif code:
        assert code == 128 + sign, said
        assert ("the same command goes on" if own else "nothing was begun") in said
        assert not own or Status.read(status.parent).state == "stopped"
