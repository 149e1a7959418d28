"""Which reports a step uses: every report once per epoch, for any number of reports per step."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from pizhu.training.recipe import TrainingSettings
from pizhu.training.schedule import VALIDATIONS, Schedule

SETTINGS = st.builds(
    TrainingSettings,
    seed=st.integers(0, 99),
    epochs=st.integers(1, 6),
    min_steps=st.integers(0, 40),
    reports=st.integers(1, 5),
)


@given(st.integers(1, 12), SETTINGS)
def test_every_report_is_seen_once_a_pass(count: int, settings: TrainingSettings) -> None:
    schedule = Schedule(count, settings)
    visits = [visit.report for step in range(schedule.steps) for visit in schedule.at(step)]
    assert len(visits) == schedule.visits
    for first in range(0, len(visits), count):
        assert Counter(visits[first : first + count]) == Counter(range(count))
    assert len(visits) >= settings.epochs * count
    assert schedule.steps >= settings.min_steps
    assert all(0 < len(schedule.at(step)) <= settings.reports for step in range(schedule.steps))
    assert schedule.steps // schedule.period <= max(VALIDATIONS, settings.epochs)


@given(st.integers(1, 12), SETTINGS)
def test_what_a_visit_draws_does_not_hang_on_reports_a_step(count: int, settings: TrainingSettings) -> None:
    """So that several processes, or one, see the same."""
    one, many = (Schedule(count, replace(settings, reports=n, min_steps=0)) for n in (1, settings.reports))
    drawn = [[(v.report, v.draw.random()) for step in range(s.steps) for v in s.at(step)] for s in (one, many)]
    assert drawn[0] == drawn[1]


@given(SETTINGS)
def test_the_rate_rises_and_falls(settings: TrainingSettings) -> None:
    schedule = Schedule(10, settings)
    rates = [schedule.rate(step) for step in range(schedule.steps)]
    assert all(0 < rate <= 1 for rate in rates)
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1]) and rates[top:] == sorted(rates[top:], reverse=True)
