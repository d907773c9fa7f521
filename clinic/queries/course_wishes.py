"""What a patient asks of one course beside what is on record: days and times, dates away, an event to be ready for."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from clinic.care.finish import Finish
from clinic.care.protocols import Step
from clinic.planning import Hours, Problem, Unwilling
from clinic.planning.words import date_words
from clinic.queries.free_time import dates_bits
from clinic.queries.problems import only_at

ASKED = "that was asked for this course"


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
    unwilling, preferences = [_away(problem, *dates) for dates in wishes.away], problem.preferences
    if wishes.times and wishes.only:
        unwilling.append(only_at(problem.ruler, (wishes.times,), ASKED))
    elif wishes.times:
        preferences = replace(preferences, windows=(wishes.times,))
    return replace(problem, unwilling=(*problem.unwilling, *unwilling), preferences=preferences)


def _away(problem: Problem, from_on: date, to_on: date) -> Unwilling:
    dates = f"on {date_words(from_on)}" if from_on == to_on else f"from {date_words(from_on)} to {date_words(to_on)}"
    return Unwilling(dates_bits(problem.ruler, from_on, to_on), f"is away {dates}", ASKED)


def finished(problem: Problem, steps: Sequence[Step], finish: Finish) -> Problem:
    """The problem with the latest date of each session, so that the whole course, `steps`, ends before the event."""
    latest = finish.latest_dates([step.interval for step in steps])
    return replace(problem, steps=tuple(
        replace(step, to_on=last) for step, last in zip(problem.steps, latest, strict=False)))
