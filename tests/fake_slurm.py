"""`sbatch` and `scancel` without a queue: each job is a process group of this machine."""

import os
import signal
from contextlib import suppress
from pathlib import Path

_SBATCH = """#!/bin/sh
cp "$1" "{folder}/$$.job"
setsid bash "{folder}/$$.job" > "{folder}/$$.log" 2>&1 &
echo $! >> "{folder}/submitted"
echo "Submitted batch job $!"
"""
_SCANCEL = """#!/bin/sh
echo "$1" >> "{folder}/cancelled"
kill -TERM -- "-$1"
"""


class FakeSlurm:
    """Commands in a folder, first on the path.

    Parameters
    ----------
    folder : path
    """

    def __init__(self, folder):
        self.folder = folder
        (folder / "bin").mkdir(parents=True)
        for name, text in (("sbatch", _SBATCH), ("scancel", _SCANCEL)):
            command = folder / "bin" / name
            command.write_text(text.format(folder=folder))
            command.chmod(0o755)
        self.path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"

    def jobs(self, what="submitted"):
        """Numbers of jobs that were ever submitted, or "cancelled", in order."""
        file = self.folder / what
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def scripts(self):
        """What was submitted."""
        return [path.read_text() for path in self.folder.glob("*.job")]

    def running(self):
        """Those whose processes are not all gone."""
        return [job for job in self.jobs() if _alive(job)]

    def end(self, job, sign=signal.SIGKILL):
        """End all processes of a job, as its walltime or a node that is lost does."""
        with suppress(ProcessLookupError):
            os.killpg(job, sign)


def _alive(group):
    """Whether a process of the group is more than a zombie."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, found = stat.read_text().rpartition(")")[2].split()[:3]
            if int(found) == group and state != "Z":
                return True
    return False
