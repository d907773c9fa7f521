"""My day: a practitioner's own visits in order, on a phone or a tablet, with what to know before each."""
from __future__ import annotations

from datetime import date, datetime
from hashlib import sha256
from typing import Any

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.outcomes import VisitOutcome
from clinic.care.states import AppointmentState
from clinic.planning.local import DAY, MINUTE, local_of
from clinic.queries.diary import read_text
from clinic.queries.handover import notes_version
from clinic.queries.my_day import LastVisit, MyDay, MyVisit
from clinic.queries.my_day import my_day as day_of_practitioner
from clinic.services.running_late import MOST
from clinic.web.course_words import CAUSES
from clinic.web.days import asked_day
from clinic.web.diary_choices import Choices
from clinic.web.diary_words import card, span_words
from clinic.web.entry import allowed, here, today
from clinic.web.kit import kit, now
from clinic.web.pages import page
from clinic.web.running_late import MINUTES
from clinic.web.words import clock, day, long_day, lower_first, plural

my_day = Blueprint("my_day", __name__)

NUMBING = "numbing"
_KEYS = (("T", "Today"), ("← →", "A day back or on; on a screen that is touched, swipe"))


@my_day.get("/my-day")
@allowed(Right.SEE_DIARY)
def show() -> Response:
    """The day of whoever is signed in; nothing new to a page that asks whether there is."""
    on, who, where = asked_day(), here().practitioner_id, here().clinic.zone
    if who is None:
        return page("my_day/nobody.html")
    with kit().read() as db:
        # Read before the rest: what changes in between is a change to whoever asks next.
        text = read_text(db, here().clinic_id, on, 1, where=where, now=now())
        version = _version(text.version + notes_version(db, here().clinic_id, on, where=where))
        if "X-Fragment" in request.headers and request.if_none_match.contains(version):
            return Response(status=304)
        found = day_of_practitioner(db, text, who, here().clinic_id, on, where=where, now=now())
    return page("my_day/show.html", version=version, **_context(found))


def _version(of_rows: str) -> str:
    """What is shown, by a name: the rows, who looks, and in which five minutes, because free time goes by."""
    since = now().replace(minute=now().minute // 5 * 5, second=0, microsecond=0)
    return sha256(f"{of_rows}|{here().account_id}|{since}".encode()).hexdigest()[:16]


def _context(found: MyDay) -> dict[str, Any]:
    on, left = found.on, [each for each in found.visits if each.visit.state is not AppointmentState.FULFILLED]
    return {
        "found": found, "visits": [_words(each) for each in found.visits],
        "left": plural(len(left), "visit") + " to come",
        "heading": ("Today, " if on == today() else "") + long_day(on), "is_today": on == today(), "day_words": day(on),
        "before": _to(on - DAY), "after": _to(on + DAY), "now_href": _to(today()), "source": _to(on), "keys": _KEYS,
        "free": [span_words(*span, here().clinic.zone) for span in found.free][:1], "minutes": MINUTES, "most": MOST,
        "here_href": _to(on), "resource": {"id": here().practitioner_id, "name": found.name},
        "may_be_late": bool(left) or not found.visits,
    }


def _to(on: date) -> str:
    return url_for("my_day.show") if on == today() else url_for("my_day.show", day=on.isoformat())


def _words(mine: MyVisit) -> dict[str, Any]:
    """A visit in words: who, what, where, what to know, and what comes next."""
    visit, its = mine.visit, card(mine.visit, Choices())
    return {
        "card": its, "patient_id": visit.patient_id,
        "patient_href": url_for("patients.show", patient_id=visit.patient_id),
        "number": visit.number, "of": visit.of, "done": mine.done, "course_id": visit.course_id,
        "place": " · ".join(each for each in (its.room, its.device) if each), "numbing": _numbing(mine),
        "reasons": mine.contraindications, "last": _last(mine.last), "notes": mine.notes,
        "is_open": visit.state in (AppointmentState.BOOKED, AppointmentState.ARRIVED),
        "has_come": visit.is_here, "is_begun": visit.begun_at is not None, "is_over": visit.state == "fulfilled",
    }


def _numbing(mine: MyVisit) -> str:
    """When numbing begins and ends, as late as the visit."""
    part = next((each for each in mine.visit.parts if each.name == NUMBING), None)
    if part is None:
        return ""
    later = mine.visit.expected.delay.begins if mine.visit.expected and not mine.visit.is_here else 0 * MINUTE
    begins, ends = (mine.visit.starts_at + later + each * MINUTE for each in (part.offset, part.ends))
    return f"{_clock(begins)} – {_clock(ends)}"


def _last(last: LastVisit | None) -> str:
    """How the visit before ended."""
    if last is None:
        return ""
    if last.cause:
        return f"{day(last.on)}: not treated. {CAUSES.get(last.cause, last.cause)}"
    if last.outcome is VisitOutcome.PARTLY_TREATED:
        return f"{day(last.on)}: treated in part; left out: {lower_first(last.areas_left or '')}"
    return f"{day(last.on)}: treated as planned"


def _clock(at: datetime) -> str:
    return clock(local_of(at, here().clinic.zone))
