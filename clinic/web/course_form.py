"""The form of a new course: what is asked for, read into a request, and carried on to the booking."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from clinic.care.consultations import HELD_FOR
from clinic.care.protocols import sessions_for
from clinic.planning.local import DAY
from clinic.queries.new_course import ChosenProtocol, NewCoursePage
from clinic.queries.offers import CourseRequest
from clinic.queries.visit_choice import VisitChoice, parse_choice
from clinic.web.forms import Form
from clinic.web.screening_form import read_answers

_OWN = frozenset({"csrf_token", "form_key", "plan", "hold_until"})
MOST_VISITS = 60


@dataclass(frozen=True, slots=True)
class AskedCourse:
    """A form that was sent, with the page it belongs to; no request where something is still to be corrected."""

    found: NewCoursePage
    form: Form
    request: CourseRequest | None


def defaults(chosen: ChosenProtocol, today: date) -> dict[str, Any]:
    """What the form holds before anybody types: the usual course, from today on.

    Where its dates wait for a consultation it begins after the one that is booked, or leaves time for one.
    """
    first, known = chosen.protocol.indications[0].code, chosen.consultations
    waits = known is not None and known.must_hold(today)
    return {
        "indication": first, "laxity": "none",
        "not_before": (known.next_on or today + HELD_FOR) + DAY if known and waits else today,
        "sessions": sessions_for(chosen.protocol, first).typical,
    }


def read_request(
    form: Form, chosen: ChosenProtocol, *, patient_id: int, clinic_id: int, today: date, may_override: bool
) -> CourseRequest | None:
    """What reception asks for; none where the form has faults."""
    known = {str(ident) for ident, _ in chosen.practitioners}
    count = form.number("sessions", "The number of sessions", least=1, most=chosen.protocol.sessions.most)
    practitioner = form.one_of("practitioner", "The practitioner", known, required=False)
    not_before = form.date("not_before", "The first date", earliest=today)
    answers = read_answers(form, chosen.protocol, today=today, may_override=may_override)
    if form.faults or count is None or not_before is None:
        return None
    return CourseRequest(
        patient_id=patient_id, clinic_id=clinic_id, protocol_version_id=chosen.version_id, sessions=count,
        answers=answers, not_before_on=not_before, practitioner_id=int(practitioner) if practitioner else None,
    )


def carried(typed: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What the booking repeats of the form, so that it books what was judged and nothing typed since."""
    return [(name, value) for name, value in typed if name not in _OWN and not name.startswith("override-")]


def parse_visits(text: str) -> tuple[VisitChoice, ...]:
    """The visits of a chosen plan; ValueError for anything that no page of ours has offered."""
    parts = text.split(" ")
    if len(parts) > MOST_VISITS:
        raise ValueError("more visits than a course has")
    return tuple(parse_choice(part) for part in parts)
