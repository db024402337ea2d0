"""The coverage of error bars in ten times as many runs as the tests have, and in more cases."""

from __future__ import annotations

import pytest

from isingrl import Rule
from tests.analysis.test_error_coverage import CASES, IN_SOAK, Case, check_coverage
from tests.analysis.test_thermodynamics import RULES, check_intervals


@pytest.mark.parametrize(
    "case", CASES + IN_SOAK, ids=lambda case: f"{case[0]}-h{case[1]}-T{case[2]}"
)
def test_coverage_in_many_runs(case: Case) -> None:
    check_coverage((*case[:-1], 10 * case[-1]))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_intervals_at_the_critical_point_in_many_runs(rule: Rule) -> None:
    check_intervals(rule, 1000)
