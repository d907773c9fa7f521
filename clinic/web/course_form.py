"""The form of a new course: what is asked for, read into a request, with the dates that are agreed on already."""
from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import abort, request
from werkzeug.datastructures import MultiDict

from clinic.care.consultations import HELD_FOR
from clinic.care.protocols import sessions_for
from clinic.care.screening import ScreeningAnswers
from clinic.planning.local import DAY
from clinic.queries.course_asks import CourseAsk, CourseEnquiry
from clinic.queries.new_course import ChosenProtocol, NewCoursePage
from clinic.queries.visit_choice import VisitChoice, parse_choice
from clinic.web.days import asked_slot
from clinic.web.forms import Form
from clinic.web.numbers import number_of
from clinic.web.screening_form import grades, read_answers, read_sessions
from clinic.web.wish_form import read_wishes

_NOT_ASKED = frozenset({
    "csrf_token", "form_key", "plan", "hold_until", "seen", "q", "look", "take", "stay", "move", "kept", "patient",
    "for"})
_OF_THE_PROTOCOL = frozenset({
    "protocol", "other", "version", "indication", "laxity", "sessions", "none_apply", "applies", "recovery", "kept",
    "plan"})
PRESSED = ("for", "other", "look", "take", "stay", "move")
"""The buttons that go on with the page: what is not answered yet is not asked for because of them."""
MOST_VISITS = 60
MOST_CARRIED = 500
CARRIED = "course"
"""The field in which the form of a new patient carries the course that waits for them."""
_NOT_CARRIED = frozenset({"csrf_token", "form_key", "seen", "q", "look"})


@dataclass(frozen=True, slots=True)
class AskedCourse:
    """A form that was sent, with the page it belongs to; no request where something is still to be corrected.

    `visits` are those of the plan that is chosen on the page. While screening is not answered, the request asks what
    would fit if nothing applied.
    """

    found: NewCoursePage
    form: Form
    request: CourseAsk | None
    visits: tuple[VisitChoice, ...] = ()
    is_screened: bool = True

    def keeping(self, visits: tuple[VisitChoice, ...]) -> AskedCourse:
        """The same, with these dates to stay where they can."""
        asked = replace(self.request, kept=visits) if self.request else None
        return replace(self, request=asked)


def defaults(chosen: ChosenProtocol, today: date) -> dict[str, Any]:
    """What the form holds before anybody types: the usual course, from today on, or as the address asks.

    Where its dates wait for a consultation it begins after the one that is booked, or leaves time for one.
    """
    first, known = chosen.protocol.indications[0].code, chosen.consultations
    waits = known is not None and known.must_hold(today)
    return {
        "indication": first, "laxity": "none",
        "not_before": (known.next_on or today + HELD_FOR) + DAY if known and waits else today,
        "sessions": sessions_for(chosen.protocol, first).typical,
        "recovery": chosen.protocol.downtime.longest,
        **asked_slot().wishes(chosen.practitioners), **_asked_beginning(chosen, today),
    }


def beginning() -> dict[str, Any]:
    """What an address says of the beginning of a course, to be carried on to the next one."""
    named = {name: request.args.get(name, "") for name in ("first_on", "practitioner")}
    return {**asked_slot().address(), **{name: value for name, value in named.items() if value}}


def read_request(
    form: Form, chosen: ChosenProtocol, *, patient_id: int | None, clinic_id: int, today: date, may_override: bool,
    is_patient_asked: bool,
) -> CourseAsk | None:
    """What reception asks for; none where the form has faults. Where the patient was not asked yet, nothing applies."""
    known = {str(ident) for ident, _ in chosen.practitioners}
    count = read_sessions(form, chosen.protocol)
    practitioner = form.one_of("practitioner", "The practitioner", known, required=False)
    not_before = form.date("not_before", "The first date", earliest=today)
    answers = read_answers(form, chosen.protocol, today=today, may_override=may_override)
    wishes = read_wishes(form, chosen.protocol, today=today)
    kept = form.choices("kept", "The dates that stay", parse_choice)
    if form.faults or count is None or not_before is None:
        return None
    if not is_patient_asked and not is_answered(answers):
        answers = replace(answers, none_apply=True)
    asked = CourseEnquiry(
        clinic_id=clinic_id, protocol_version_id=chosen.version_id, sessions=count, answers=answers,
        not_before_on=not_before, practitioner_id=int(practitioner) if practitioner else None, wishes=wishes,
        kept=kept)
    return asked if patient_id is None else asked.by(patient_id)


def is_answered(answers: ScreeningAnswers) -> bool:
    """Whether the patient was asked what applies."""
    return answers.none_apply or bool(answers.applies)


def agreed(asked: CourseAsk, visits: Iterable[VisitChoice], form: Form) -> CourseAsk:
    """The request with the dates that stay after what was pressed: a time taken, a date kept, or let go."""
    plan = {each.number: each for each in visits}
    kept = {each.number: each for each in asked.kept}
    taken = form.choice("take", "The time", parse_choice, required=False)
    stays = form.number("stay", "The session", least=1, most=MOST_VISITS, required=False)
    if taken is not None:
        # Whoever agrees on dates goes through them in order: those before it are said already.
        kept |= {number: each for number, each in plan.items() if number < taken.number}
        kept[taken.number] = taken
    if stays in plan:
        kept[stays] = plan[stays]
    moves = form.value("move")
    kept = {} if moves == "all" else {number: each for number, each in kept.items() if str(number) != moves}
    return replace(asked, kept=tuple(kept[number] for number in sorted(kept)))


def of_another_protocol(typed: MultiDict[str, str], chosen: ChosenProtocol, today: date) -> MultiDict[str, str]:
    """What was typed, with the usual answers in place of those that were about the former protocol."""
    fits = {name for name in typed if name not in _OF_THE_PROTOCOL and not name.startswith(("date-", "cleared-"))}
    usual = defaults(chosen, today)
    fresh = {name: str(usual[name]) for name in ("indication", "sessions", "recovery")}
    if grades(chosen.protocol):
        fresh["laxity"] = str(usual["laxity"])
    fresh |= {"protocol": chosen.protocol.code, "version": str(chosen.version_id)}
    return MultiDict([*((name, value) for name, value in typed.items(multi=True) if name in fits), *fresh.items()])


def carried(typed: MultiDict[str, str]) -> str:
    """What was asked for, as one hidden field of another form: it may be about health, so that no address has it."""
    return urlencode([(name, value) for name, value in typed.items(multi=True) if name not in _NOT_CARRIED])


def carried_on(given: str) -> MultiDict[str, str]:
    """What `carried` made that of; 400 for what it never makes."""
    try:
        return MultiDict(parse_qsl(given, keep_blank_values=True, strict_parsing=True, max_num_fields=MOST_CARRIED))
    except ValueError:
        abort(400)


def fingerprint(form: Form) -> str:
    """What the plans of a page answer, in short: it differs where something was typed since they were shown."""
    said = sorted((name, value) for name, value in form.typed()
                  if value and name not in _NOT_ASKED and not name.startswith("override-"))
    return hashlib.sha256(repr(said).encode()).hexdigest()[:20]


def parse_visits(text: str) -> tuple[VisitChoice, ...]:
    """The visits of a chosen plan; ValueError for anything that no page of ours has offered."""
    parts = text.split(" ")
    if len(parts) > MOST_VISITS:
        raise ValueError("more visits than a course has")
    return tuple(parse_choice(part) for part in parts)


def _asked_beginning(chosen: ChosenProtocol, today: date) -> dict[str, Any]:
    """The first date and the practitioner that the address names, as far as they make sense."""
    found: dict[str, Any] = {}
    try:
        first_on = date.fromisoformat(request.args.get("first_on", ""))
    except ValueError:
        first_on = None
    if first_on and first_on >= today:
        found["not_before"] = first_on
    practitioner = number_of(request.args, "practitioner")
    if practitioner in {ident for ident, _ in chosen.practitioners}:
        found["practitioner"] = practitioner
    return found
