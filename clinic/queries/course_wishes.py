"""What a patient asks of one course beside what is on record: days and times, dates away, an event to be ready for."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from clinic.care.finish import Finish
from clinic.care.protocols import Step
from clinic.planning import Hours, Problem, opening_bits
from clinic.queries.free_time import dates_bits


@dataclass(frozen=True, slots=True)
class CourseWishes:
    """Wishes for one course. `times` are rather kept, or with `only` always; `away` are first and last dates."""

    times: Hours | None = None
    only: bool = False
    away: tuple[tuple[date, date], ...] = ()
    finish: Finish | None = None

    @property
    def binds(self) -> bool:
        """Whether any of it leaves less time for the course, besides the event."""
        return bool(self.away) or (self.only and self.times is not None)


def wished(problem: Problem, wishes: CourseWishes) -> Problem:
    """The problem with the patient's times and absences in it."""
    busy, preferences = problem.patient_busy, problem.preferences
    for from_on, to_on in wishes.away:
        busy |= dates_bits(problem.ruler, from_on, to_on)
    if wishes.times and wishes.only:
        busy |= problem.ruler.full & ~opening_bits(problem.ruler, (wishes.times,))
    elif wishes.times:
        preferences = replace(preferences, windows=(wishes.times,))
    return replace(problem, patient_busy=busy, preferences=preferences)


def finished(problem: Problem, steps: Sequence[Step], finish: Finish) -> Problem:
    """The problem with the latest date of each session, so that the whole course, `steps`, ends before the event."""
    latest = finish.latest_dates([step.interval for step in steps])
    return replace(problem, steps=tuple(
        replace(step, to_on=last) for step, last in zip(problem.steps, latest, strict=False)))
