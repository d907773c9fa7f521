"""The wishes of a patient for one course: which days and times, when they are away, which event comes after it."""
from __future__ import annotations

from datetime import date, timedelta

from clinic.care.finish import LONGEST_RECOVERY, Finish
from clinic.care.protocols import Protocol
from clinic.planning import Hours
from clinic.queries.course_wishes import CourseWishes
from clinic.web.days import FARTHEST
from clinic.web.forms import Form
from clinic.web.words import WEEKDAYS

MOST_AWAY = 6
DAYS = [(str(number), name[:3]) for number, name in enumerate(WEEKDAYS)]
_WHOLE_DAY = 1440


def read_wishes(form: Form, protocol: Protocol, *, today: date) -> CourseWishes:
    """What was typed; faults stay with the form."""
    return CourseWishes(
        times=_times(form), only=form.ticked("wish_only"), away=_away(form, today),
        finish=_finish(form, protocol, today))


def away_rows(form: Form) -> range:
    """The rows of dates away that are used, and an empty one."""
    used = [row for row in range(MOST_AWAY) if form.value(f"away-{row}-from") or form.value(f"away-{row}-to")]
    return range(min(MOST_AWAY, max([-1, *used]) + 2))


def is_wished(form: Form) -> bool:
    """Whether days, times or dates away were typed, or one of them is wrong: then the fields have to be seen."""
    names = ("wish_from", "wish_to", *(f"away-{row}-{end}" for row in range(MOST_AWAY)
                                                   for end in ("from", "to")))
    return bool(form.values("wish_days")) or any(form.value(name) or form.error(name) for name in names)


def _times(form: Form) -> Hours | None:
    days = form.some_of("wish_days", "Days", [number for number, _ in DAYS])
    begins = form.time("wish_from", "The beginning", required=False)
    ends = form.time("wish_to", "The end", required=False)
    if not days and begins is None and ends is None:
        return None
    if ends is not None and ends <= (begins or 0):
        form.fault("wish_to", "The end must be after the beginning.")
        return None
    weekdays = frozenset(map(int, days)) or frozenset(range(7))
    return Hours(weekdays, begins or 0, _WHOLE_DAY if ends is None else ends)


def _away(form: Form, today: date) -> tuple[tuple[date, date], ...]:
    found = []
    for row in range(MOST_AWAY):
        from_on = form.date(f"away-{row}-from", "The first day away", required=False, latest=today + FARTHEST)
        to_on = form.date(f"away-{row}-to", "The last day away", required=False, latest=today + FARTHEST)
        first, last = from_on or to_on, to_on or from_on
        if first is None or last is None:
            continue
        if last < first:
            form.fault(f"away-{row}-to", "The last day away cannot be before the first.")
        else:
            found.append((first, last))
    return tuple(found)


def _finish(form: Form, protocol: Protocol, today: date) -> Finish | None:
    event_on = form.date(
        "event_on", "The event", required=False, earliest=today + timedelta(days=1), latest=today + FARTHEST)
    if event_on is None:
        return None
    days = form.number("recovery", "The recovery", least=0, most=LONGEST_RECOVERY, required=False)
    return Finish(event_on, protocol.downtime.longest if days is None else days)
