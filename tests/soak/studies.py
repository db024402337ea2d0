"""All studies against the conformance test, and larger samples. `make soak` runs it."""

import pytest

from studies.testing import check_study
from tests.studies.outcomes import summary_of
from tests.studies.test_critical_point import SMALL, check_critical_point, few_samples
from tests.studies.test_extensions import TINY, _known_critical_temperatures  # noqa: F401 - a fixture
from tests.studies.test_study_conformance import OURS

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short


@pytest.mark.parametrize("name", [name for name in TINY if name not in OURS])
def test_studies_conform(name):
    study, steps = TINY[name]
    check_study(study, steps[0] if steps else None, varying=("seconds",))


@pytest.mark.filterwarnings("ignore::analysis.FitWarning")
def test_both_methods_find_the_critical_point(tmp_path):
    with few_samples(25, 1600):
        check_critical_point(summary_of(SMALL, "critical-point", tmp_path))
