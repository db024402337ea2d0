"""What the page on reinforcement-learning libraries shows runs."""

import re
from pathlib import Path

import numpy as np
import pytest

for package in ("torch", "pettingzoo", "stable_baselines3", "supersuit"):
    pytest.importorskip(package)

pytestmark = pytest.mark.usefixtures("one_thread")

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "how-to/reinforcement-learning-libraries.md"


def test_its_code_runs_in_order(capsys):
    text = PAGE.read_text(encoding="utf-8")
    known = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, PAGE.name, "exec"), known)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("['site_0_0', 'site_0_1', 'site_0_2'] [")
    # |m| falls from T = 2 to 3, and DQN is the heat bath
    low, middle, high = map(float, printed[-2].strip("[]").split())
    assert low > 0.9 > 0.6 > middle > high
    assert float(printed[-1]) < 0.01
    np.testing.assert_allclose(known["dqn"].temperature, [2.0, 2.5, 3.0])


def test_links_lead_to_files():
    for link in re.findall(r"\]\(([^)#]+)\)", PAGE.read_text(encoding="utf-8")):
        assert link.startswith("http") or (PAGE.parent / link).exists(), link
