"""The front page: the day at the current clinic."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from flask import Blueprint, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.states import AppointmentState
from clinic.planning.local import local_of
from clinic.queries.away import away_words
from clinic.queries.held_back import held_back
from clinic.queries.lateness import NOBODY_LATE, OPEN, DayLateness, lateness_of
from clinic.queries.open_visits import open_visits
from clinic.queries.today import DayVisit, day_at
from clinic.web import entry
from clinic.web.addresses import address_of
from clinic.web.course_words import DUES, visit_state
from clinic.web.days import WEEK_STEPS, asked_day
from clinic.web.entry import allowed, here
from clinic.web.guide import what_comes_next
from clinic.web.kit import kit, now
from clinic.web.mail_health import urgent_checks
from clinic.web.pages import page
from clinic.web.papers import paper_notice
from clinic.web.words import clock, short_day

today = Blueprint("today", __name__)

FOLDED_FROM = 5
"""So many visits that are over are folded away."""


class VisitLine(NamedTuple):
    """An appointment in the words of the day's list, and what can be done with it."""

    id: int
    lock_version: int
    course_id: int | None
    time: str
    ends: str
    expected: str
    name: str
    href: str
    what: str
    who: str
    place: str
    place_href: str
    state: str
    alert: str
    away: str
    has_come: bool
    is_open: bool
    is_over: bool
    is_held: bool
    has_begun: bool


@today.get("/")
@allowed(Right.SEE_DIARY)
def show() -> Response:
    """Who comes on the day asked for, which is today where none or none of sense is named."""
    on = asked_day()
    with kit().read() as db:
        coming = what_comes_next(db, here())
        day = day_at(db, here().clinic_id, on, where=here().clinic.zone, horizon=entry.horizon())
        waits = held_back(db, now()) if here().may(Right.RELEASE_MESSAGES) else None
        is_today = on == entry.today()
        lateness = lateness_of(db, here().clinic_id, on, where=here().clinic.zone) if is_today else NOBODY_LATE
        urgent = urgent_checks(db)
        papers = paper_notice(db, entry.today())
        left_open = open_visits(db, here().clinic_id, now=now()) if is_today else ()
    may_be_late = is_today and any(visit.line.state in OPEN for visit in day.visits)
    visits, over = _parted([_line(visit, lateness) for visit in day.visits], is_today=is_today)
    steps = [(words, url_for("today.show", day=on + timedelta(days=days))) for days, words in WEEK_STEPS]
    return page("today/day.html", day=day, over=over, visits=visits, steps=steps, dues=DUES,
                held_back=waits, late=lateness.people, coming=coming, papers=papers, open_visits=left_open,
                may_be_late=may_be_late, urgent=urgent, before=on - timedelta(days=1), after=on + timedelta(days=1),
                next=url_for("today.show") if is_today else url_for("today.show", day=on))


def _parted(lines: Sequence[VisitLine], *, is_today: bool) -> tuple[Sequence[VisitLine], Sequence[VisitLine]]:
    """Those who still come or are here, and those that are over: apart where these are many, so that the first to be
    seen is who comes now."""
    parts: tuple[list[VisitLine], list[VisitLine]] = [], []
    for line in lines:
        parts[line.has_begun and not line.is_open and not line.is_held].append(line)
    return parts if is_today and parts[0] and len(parts[1]) >= FOLDED_FROM else (lines, ())


def _line(visit: DayVisit, lateness: DayLateness) -> VisitLine:
    """An appointment in the words of the day's list."""
    line, late = visit.line, lateness.expected.get(visit.line.id)
    what = visit.what
    if visit.number is not None:
        what += f" · {visit.number} of {visit.of}" if visit.of else f" · maintenance {visit.number}"
    if visit.performed_on not in (None, line.local_start.date()):
        what += f" · treated on {short_day(visit.performed_on)}"
    if line.held_until:
        what += f" · held until {short_day(line.held_until)}, subject to consultation"
    return VisitLine(
        id=line.id, lock_version=line.lock_version, course_id=visit.course_id,
        time=clock(line.local_start), ends=clock(line.local_end), name=visit.patient,
        expected=clock(local_of(late.begins_at, here().clinic.zone)) if late else "",
        href=address_of("patients.show", patient_id=visit.patient_id), what=what,
        who=line.practitioner or "", place=" · ".join(name for name in (line.room, line.device) if name),
        place_href=_swap_href(visit) if line.room or line.device else "",
        state=visit_state(line), alert=visit.alerts, away=away_words(line.away),
        has_come=line.local_start.date() <= entry.today(),
        is_open=line.state == "arrived" or line.state == "booked" and line.local_start <= now(),
        is_over=line.state == "fulfilled", is_held=line.state is AppointmentState.PROPOSED,
        has_begun=line.local_start <= now())


def _swap_href(visit: DayVisit) -> str:
    """Where another room or device is chosen; empty where none can be."""
    line = visit.line
    if line.state not in (AppointmentState.BOOKED, AppointmentState.ARRIVED) or not here().may(Right.BOOK):
        return ""
    on = line.local_start.date()
    back = url_for("today.show", day=on) if on != entry.today() else url_for("today.show")
    return address_of("appointments.swap", appointment_id=line.id, next=back)
