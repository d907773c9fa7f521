"""Other times for one session of a course that is not booked yet, while the dates before it stay as they were said."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from clinic.care.windows import Window, window_after
from clinic.planning import Problem, best_plan, starts
from clinic.planning.local import day_of
from clinic.queries.course_asks import CourseAsk
from clinic.queries.course_wishes import finished, wished
from clinic.queries.kept_dates import around, still_stand
from clinic.queries.offers import AskedProblem, Offers, ask
from clinic.queries.times import MOST_DAYS, TimesPage, narrowed, time_offers
from clinic.queries.visit_choice import VisitChoice


def offer_other_dates(
    db: Session, request: CourseAsk, visits: Sequence[VisitChoice], number: int, *, now: datetime, from_on: date,
    days: int = 7,
) -> TimesPage | None:
    """Every start of a session of the plan in those days for which the rest of the course has a plan, in order.

    The sessions before it stay where the plan has them, those after it may move unless they are in `request.kept`.
    None where nothing can be planned at all.
    """
    asked = ask(db, request, now=now)
    if isinstance(asked, Offers) or not 1 <= number <= len(asked.problem.steps):
        return None
    said = [each for each in visits if each.number < number]
    said += [each for each in request.kept if each.number > number]
    problem = _around(asked, request, said)
    where = problem.ruler.zone
    before = next((day_of(each.starts_at, where) for each in visits if each.number == number - 1), None)
    interval = asked.steps[number - 1].interval
    window = window_after(before, interval) if before and interval else None
    bookable_to = problem.ruler.date_of(problem.ruler.days - 1)
    first_on = min(max(from_on, asked.first_on), bookable_to)
    last_on = min(first_on + timedelta(days=min(max(days, 1), MOST_DAYS) - 1), bookable_to)
    near = narrowed(problem, number, first_on, last_on, None)
    found = starts(near, number)
    times = time_offers(near, number, found.starts or (), number=number, window=window)
    return TimesPage(times, first_on, last_on, window, None if times else _nothing(window, first_on, last_on))


def _around(asked: AskedProblem, request: CourseAsk, said: Sequence[VisitChoice]) -> Problem:
    """The problem around those dates; with the event in it only where it can still be met."""
    free, finish = wished(asked.problem, request.wishes), request.wishes.finish
    if finish is not None:
        problem = finished(free, asked.steps, finish)
        problem = around(problem, still_stand(problem, said).kept)
        if best_plan(problem) is not None:
            return problem
    return around(free, still_stand(free, said).kept)


def _nothing(window: Window | None, first_on: date, last_on: date) -> str:
    if window and (last_on < window.earliest_on or first_on > window.latest_on):
        return "These days lie outside the window of this session."
    return "Nothing is free in these days that leaves the rest of the course possible."
