"""The toy study: a command, and a finished folder to copy."""

import pytest

from studies.command.catalogue import STUDIES
from studies.running.runner import run_to_folder
from tests.studies.toy import Toy


@pytest.fixture(scope="module")
def _toy_command():
    """Give the toy study a command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(STUDIES, "toy", Toy)
        yield


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory):
    """Folder of the toy study, finished; tests copy it."""
    out = tmp_path_factory.mktemp("toy") / "toy"
    run_to_folder(Toy(), "toy", out)
    return out
