"""What is shown while a study runs."""

import subprocess
import sys
from pathlib import Path

from isingrl.support.progress import tqdm
from studies.running.progress import Display, Status
from studies.running.task_runs import TaskOutcome
from studies.running.tasks import jobs
from tests.studies.toy import Toy

ROOT = Path(__file__).parents[2]
NOTEBOOK = """
import sys, types, warnings
modules = ("ipykernel.zmqshell", "IPython")
sys.modules |= {name: types.ModuleType(name) for name in modules} | {"ipywidgets": None}
sys.modules["IPython"].get_ipython = object
warnings.simplefilter("always")
from studies.running.runner import run
from tests.studies.toy import Toy
run(Toy(sweeps=2), progress=True)
"""


def test_the_display_says_how_far_it_is_on_plain_lines(tmp_path, capsys):
    made = jobs(Toy().tasks(), 1)
    with Display("toy", tmp_path, shown=True) as display:
        assert not display.bars
        display.add(made, {made[0].name})
        display.note(TaskOutcome(made[1], None, "ValueError: no"))
        display.beat(lambda: [made[2].name], {job.name: job.task.key for job in made})
        status = Status.read(tmp_path)
        assert status.running == ["T = 3"]
        display.end("failed")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "toy: 1 of 3 tasks were done before"
    assert lines[-1].startswith("toy: 1 of 3 tasks done, 0 running, 1 failed")


def test_a_bar_is_as_long_as_all_tasks_and_ends_with_all_of_them(tmp_path, monkeypatch, capsys):
    """Bars of notebooks, unlike those of terminals, get their length by `reset` alone."""
    lengths = []

    class Widget(tqdm):
        def reset(self, total=None):
            lengths.append(total)
            super().reset(total)

    monkeypatch.setattr("studies.running.progress.tqdm", Widget)
    monkeypatch.setattr("studies.running.progress.WIDGETS", True)
    first, later = jobs(Toy().tasks(), 1), jobs(Toy(seed=2, temperatures=(2.0,)).tasks(), 2)
    with Display("toy", tmp_path, shown=True) as display:
        assert display.bars
        display.add(first, {first[0].name})
        display.add(later, {later[0].name})
        display.end("finished")
    assert lengths == [3, 4]
    assert capsys.readouterr().err.splitlines()[-1].split("\r")[-1].startswith(" 50%|")


def test_a_notebook_without_widgets_has_plain_lines_and_no_warning():
    run = subprocess.run(
        [sys.executable, "-c", NOTEBOOK], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = run.stderr.splitlines()
    assert all(line.startswith("Toy: ") for line in lines), run.stderr
    assert "3 of 3 tasks done, 0 running, 0 failed" in lines[-1]
    assert not run.stdout
