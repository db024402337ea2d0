"""The notebooks that take longest, in their small sizes. `make soak` runs it."""

import pytest

from tests.studies.test_notebooks import IN_SOAK, check_notebook


@pytest.mark.parametrize("name", IN_SOAK)
def test_notebooks_run_without_a_warning(name):
    check_notebook(name)
