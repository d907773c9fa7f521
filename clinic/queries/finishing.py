"""Whether a course can be finished before an event: until when it may begin, or by how much it fails and what helps."""
from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from clinic.care.finish import Finish
from clinic.care.protocols import Protocol
from clinic.planning import Choice, Problem, soonest_choice, starts
from clinic.planning.local import day_of

MOST_FEWER = 3
"""So many smaller numbers of sessions are tried where all of them come too late: more would change the treatment."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """How the course stands to the event.

    `days_late` is above 0 where it cannot be met: then `ends_on` is the soonest end, by the diary or, where the diary
    has no time at all, by the shortest intervals alone. Where it can, `begin_by` is the last date on which the course
    may begin; where it cannot, the date on which the shortest intervals would have let it. Of a course that is not
    whole the last sessions lie past the booking horizon: they are reckoned at their shortest intervals.
    """

    finish: Finish
    days_late: int
    ends_on: date | None
    begin_by: date | None
    is_whole: bool = True
    fewer: tuple[int, date] | None = None
    without_wishes_on: date | None = None
    recovery_enough: int | None = None

    @property
    def is_met(self) -> bool:
        """Whether there is a plan that ends in time."""
        return self.days_late <= 0

    @property
    def event_from(self) -> date:
        """The first date on which the event could be met, with the same recovery."""
        return self.finish.event_on + timedelta(days=max(self.days_late, 0))


def met(problem: Problem, finish: Finish, *, is_whole: bool) -> Deadline:
    """The deadline of a course that has a plan before the event."""
    found = starts(problem, 1).starts or ()
    return Deadline(finish, 0, None, day_of(found[-1], problem.ruler.zone) if found else None, is_whole)


def missed(
    finish: Finish, protocol: Protocol, problem: Problem, unwished: Problem | None, *, rest_days: int, least: int
) -> tuple[Deadline, Choice | None]:
    """The deadline of a course that ends too late, with the plan that ends soonest.

    `problem` has no deadline in it; `unwished` has no wishes of the patient either, where there are any that bind. The
    sessions past the booking horizon take `rest_days` more. Fewer than `least` sessions are never named as a help.
    """
    finish = replace(finish, event_on=finish.event_on - timedelta(days=rest_days))
    found = soonest_choice(problem)
    intervals = [step.gap.min if step.gap else 0 for step in problem.steps[1:]]
    ends_on = _end_of(found, problem) or problem.ruler.first_on + timedelta(days=sum(intervals))
    late = finish.days_late(ends_on)
    bare = soonest_choice(unwished) if unwished else None
    bare_on = _end_of(bare, problem)
    enough = finish.recovery_days - late
    return Deadline(
        replace(finish, event_on=finish.event_on + timedelta(days=rest_days)), late,
        ends_on + timedelta(days=rest_days), finish.last_on - timedelta(days=sum(intervals)), rest_days == 0,
        fewer=_fewer(problem, finish, least),
        without_wishes_on=bare_on if bare_on and finish.days_late(bare_on) <= 0 else None,
        recovery_enough=enough if found and enough >= protocol.downtime.shortest else None), found


def _fewer(problem: Problem, finish: Finish, least: int) -> tuple[int, date] | None:
    """The most sessions that end in time, and when; none where that is fewer than a course has, or many fewer."""
    sessions = len(problem.steps)
    for count in range(sessions - 1, max(least, sessions - MOST_FEWER) - 1, -1):
        ends_on = _end_of(soonest_choice(replace(problem, steps=problem.steps[:count])), problem)
        if ends_on is not None and finish.days_late(ends_on) <= 0:
            return count, ends_on
    return None


def _end_of(found: Choice | None, problem: Problem) -> date | None:
    return None if found is None else day_of(found.plan.sessions[-1].start_at, problem.ruler.zone)
