"""All studies against the conformance test. `make soak` runs it."""

import pytest

from studies.testing import check_study
from tests.studies.test_extensions import TINY, _known_critical_temperatures  # noqa: F401 - a fixture
from tests.studies.test_study_conformance import OURS

pytestmark = [  # the runs are short
    pytest.mark.filterwarnings("ignore::analysis.FitWarning"),
    pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning"),
]


@pytest.mark.parametrize("name", [name for name in TINY if name not in OURS])
def test_studies_conform(name):
    study, steps = TINY[name]
    check_study(study, steps[0] if steps else None, varying=("seconds",))
