"""A practitioner's outside calendars: listed, read with their effect shown first, read again, removed."""
from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.interchange.ics_lines import MOST_BYTES
from clinic.interchange.outside_calendar import MOST_SPANS, OutsideCalendar
from clinic.planning.local import zone
from clinic.queries.outside_calendars import CalendarFacts, busy_effect, calendar_facts
from clinic.services import outside_calendars as service
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.web.entry import allowed, here
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.once import done_once
from clinic.web.pages import page
from clinic.web.uploads import takes_files
from clinic.web.zones import zone_words

outside_calendars = Blueprint("outside_calendars", __name__)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN = 8

Spans = list[tuple[datetime, datetime]]


@outside_calendars.get("/setup/people/<int:practitioner_id>/calendars")
@allowed(Right.SET_UP)
def index(practitioner_id: int) -> Response:
    """The calendars that were read, and the form for another one."""
    return _form_page(_facts(practitioner_id), Form(initial={"source": request.args.get("source", "")[:60]}))


@outside_calendars.post("/setup/people/<int:practitioner_id>/calendars/read")
@takes_files(MOST_BYTES)
@allowed(Right.SET_UP)
def read(practitioner_id: int) -> Response:
    """Shows what a file says, and whose appointments it meets; keeps nothing yet."""
    facts, form = _facts(practitioner_id), Form(request.form)
    source = form.text("source", "The name", most=service.LONGEST_NAME)
    given = request.files.get("file")
    if given is None or not given.filename:
        form.fault("file", "Choose the .ics file of the calendar.")
    if form.faults or given is None:
        return _form_page(facts, form)
    with given.stream as stream:
        data = stream.read(MOST_BYTES + 1)
    found = service.read_for(facts, data, now=now())
    if isinstance(found, Refused):
        form.fault("file", found.findings[0].text)
        return _form_page(facts, form)
    return _preview(facts, source, found)


@outside_calendars.post("/setup/people/<int:practitioner_id>/calendars")
@allowed(Right.SET_UP)
def keep(practitioner_id: int) -> Response:
    """Keeps what was read as the times at which the practitioner is busy."""
    facts, form = _facts(practitioner_id), Form(request.form)
    source = form.text("source", "The name", most=service.LONGEST_NAME)
    spans = _unpacked(request.form.get("spans", ""))
    if spans is None:
        form.fault("file", "What was read got lost on the way. Choose the file again.")
    if form.faults or spans is None:
        return _form_page(facts, form)

    def act(work: UnitOfWork) -> Done[int] | Refused:
        return service.keep_calendar(work, practitioner_id, source=source, spans=spans)

    person = url_for("people.show", practitioner_id=practitioner_id)
    outcome = done_once(act, to=lambda _: person, otherwise=person,
                        told="The calendar was read: nothing is offered at its busy times.")
    if isinstance(outcome, Refused):
        form.fault(outcome.findings[0].field or "", outcome.findings[0].text)
        return _form_page(facts, form)
    return outcome


@outside_calendars.post("/setup/people/<int:practitioner_id>/calendars/remove")
@allowed(Right.SET_UP)
def remove(practitioner_id: int) -> Response:
    """Takes back everything that was read from a calendar."""
    _facts(practitioner_id)
    with kit().work(here().actor) as work:
        service.remove_calendar(work, practitioner_id, source=request.form.get("source", ""))
    flash("The calendar was removed: its times can be booked again.", "ok")
    return redirect(url_for("outside_calendars.index", practitioner_id=practitioner_id), 303)


def _facts(practitioner_id: int) -> CalendarFacts:
    with kit().read() as db:
        found = calendar_facts(db, practitioner_id, now=now())
    if found is None:
        abort(404)
    return found


def _form_page(facts: CalendarFacts, form: Form) -> Response:
    return page("outside_calendars/index.html", form.status, facts=facts, form=form,
                zone_words=zone_words(zone(facts.zone)) or facts.zone)


def _preview(facts: CalendarFacts, source: str, found: OutsideCalendar) -> Response:
    spans = [(each.starts_at, each.ends_at) for each in found.spans]
    with kit().read() as db:
        effect = busy_effect(db, facts.practitioner_id, spans)
    before = next((each for each in facts.sources if each.name == source), None)
    return page("outside_calendars/read.html", facts=facts, source=source, found=found, effect=effect, before=before,
                shown=found.spans[:_SHOWN], spans=_packed(spans))


def _packed(spans: Spans) -> str:
    return " ".join(f"{(starts - _EPOCH) // timedelta(seconds=1)}-{(ends - _EPOCH) // timedelta(seconds=1)}"
                    for starts, ends in spans)


def _unpacked(text: str) -> Spans | None:
    parts = text.split()
    if len(parts) > MOST_SPANS:
        return None
    try:
        pairs = [tuple(int(edge) for edge in part.split("-", 1)) for part in parts]
        return [(_EPOCH + timedelta(seconds=starts), _EPOCH + timedelta(seconds=ends)) for starts, ends in pairs]
    except (ValueError, OverflowError):
        return None
