"""What a patient does with one of their dates: says that they come, moves or cancels it, or asks the clinic to."""
from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from flask import abort, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.care.states import PatientsMay
from clinic.planning.findings import Finding, Weight
from clinic.planning.local import day_of, zone
from clinic.queries.my_times import MyChoice, my_choice, my_times
from clinic.queries.times import TimesPage
from clinic.queries.visit_choice import VisitChoice, parse_choice
from clinic.services import my_dates as service
from clinic.services.my_page import MyDate, MyPage
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.web.entry import for_patients
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.my import found_page, my
from clinic.web.my_pages import my_own_page
from clinic.web.patient_browser import ACTOR, mine

DAYS = 14
MOST_WISHES = 3
MOST_NOTE = 1000

Act = Callable[[UnitOfWork], Done[Any] | Refused]


@my.post("/my/dates/<int:appointment_id>/confirm")
@for_patients
def confirm(appointment_id: int) -> Response:
    """Notes that the patient comes."""
    revision = Form(request.form).number("revision", "revision", least=0, most=10**6)
    return acted("confirmed", lambda work: service.confirm_date(
        work, mine().id_hash, appointment_id, revision=-1 if revision is None else revision))


@my.get("/my/dates/<int:appointment_id>/move")
@for_patients
def move(appointment_id: int) -> Response:
    """The times that keep the course possible; with one chosen, what it means for the other dates."""
    found, own = _date(appointment_id, "moves")
    if own.moves is PatientsMay.AT_ONCE and request.args.get("choice"):
        chosen = _chosen(appointment_id, request.args["choice"])
        if chosen is not None:
            return _choice_page(found, own, chosen)
        return _times_page(found, own, Form(), (_TAKEN,))
    return _times_page(found, own, Form())


@my.post("/my/dates/<int:appointment_id>/move")
@for_patients
def moved(appointment_id: int) -> Response:
    """Gives the date its new time where the clinic allows it at once; else passes the wish on."""
    found, own = _date(appointment_id, "moves")
    form = Form(request.form)
    if own.moves is not PatientsMay.AT_ONCE or "wish" in request.form:
        return _asked(found, own, form)
    chosen = _chosen(appointment_id, request.form.get("choice", ""))
    version = form.version()
    if chosen is None or form.faults:
        return _times_page(found, own, form, (_TAKEN,))
    if chosen.plan != request.form.get("plan", "") or not chosen.fits:
        return _choice_page(found, own, chosen, status=409)
    return acted("moved", lambda work: service.move_own_date(
        work, mine().id_hash, appointment_id, chosen, lock_version=version))


@my.get("/my/dates/<int:appointment_id>/cancel")
@for_patients
def cancel(appointment_id: int) -> Response:
    """Asks whether the date is to be cancelled, and says what follows."""
    found, own = _date(appointment_id, "cancels")
    return my_own_page("my/cancel.html", language=found.language, page=found, date=own, form=Form())


@my.post("/my/dates/<int:appointment_id>/cancel")
@for_patients
def cancelled(appointment_id: int) -> Response:
    """Cancels the date where the clinic allows it at once; else passes the wish on."""
    found, own = _date(appointment_id, "cancels")
    form = Form(request.form)
    note, version = form.text("note", "note", most=MOST_NOTE, required=False, lines=True), form.version()
    if form.faults:
        return my_own_page("my/cancel.html", 422, language=found.language, page=found, date=own, form=form)
    if own.cancels is PatientsMay.AT_ONCE:
        return acted("cancelled", lambda work: service.cancel_own_date(
            work, mine().id_hash, appointment_id, lock_version=version, note=_one_line(note)[:250]))
    return acted("asked", lambda work: service.ask_to_cancel(work, mine().id_hash, appointment_id, note=note))


@my.get("/my/dates/<int:appointment_id>/unprepared")
@for_patients
def unprepared(appointment_id: int) -> Response:
    """Asks what of the preparation cannot be followed."""
    found, own = _date(appointment_id, None)
    return my_own_page("my/unprepared.html", language=found.language, page=found, date=own, form=Form())


@my.post("/my/dates/<int:appointment_id>/unprepared", endpoint="told_unprepared")
@for_patients
def told_unprepared(appointment_id: int) -> Response:
    """Tells the clinic, which decides whether the date can stay."""
    found, own = _date(appointment_id, None)
    form = Form(request.form)
    note = form.text("note", "note", most=MOST_NOTE, lines=True)
    if form.faults:
        return my_own_page("my/unprepared.html", 422, language=found.language, page=found, date=own, form=form)
    return acted("unprepared", lambda work: service.report_unprepared(work, mine().id_hash, appointment_id, note=note))


def acted(told: str, act: Act) -> Response:
    """Does it as the patient and leads back to their page; or says kindly what stands in the way."""
    with kit().work(ACTOR) as work:
        outcome = act(work)
    if isinstance(outcome, Done):
        return redirect(url_for("my.show", told=told), 303)
    found = found_page()
    return my_own_page("my/refused.html", 409, language=found.language, page=found, code=_code(outcome))


def _asked(found: MyPage, own: MyDate, form: Form) -> Response:
    """A wish for other times, passed on to the desk."""
    note = form.text("note", "note", most=MOST_NOTE, required=False, lines=True)
    wished = []
    for text in request.form.getlist("wish")[:MOST_WISHES]:
        try:
            wished.append(parse_choice(text).starts_at)
        except ValueError:
            form.fault("wish", "some")
    if not wished and not note:
        form.fault("wish", "some")
    if form.faults:
        return _times_page(found, own, form)
    return acted("asked", lambda work: service.ask_to_move(
        work, mine().id_hash, own.appointment_id, wished=wished, note=note))


_TAKEN = Finding("taken", Weight.BLOCKS, "taken")


def _times_page(found: MyPage, own: MyDate, form: Form, findings: tuple[Finding, ...] = ()) -> Response:
    first_on = _first_day(own)
    with kit().read() as db:
        times = my_times(db, own.appointment_id, now=now(), from_on=first_on, days=DAYS)
    return my_own_page(
        "my/times.html", 409 if findings else form.status, language=found.language, page=found, date=own, form=form,
        days=_by_day(times), findings=findings, earlier=_day_before(own, times), later=times.to_on + timedelta(days=1),
        at_once=own.moves is PatientsMay.AT_ONCE)


def _choice_page(found: MyPage, own: MyDate, chosen: MyChoice, *, status: int = 200) -> Response:
    return my_own_page("my/choice.html", status, language=found.language, page=found, date=own, chosen=chosen)


def _date(appointment_id: int, what: str | None) -> tuple[MyPage, MyDate]:
    """The page and one of its dates; 404 for what is not there, or not to be changed here in that way."""
    found = found_page()
    own = found.date(appointment_id)
    if own is None or (what is not None and getattr(own, what) is PatientsMay.NEVER):
        abort(404)
    return found, own


def _chosen(appointment_id: int, text: str) -> MyChoice | None:
    try:
        choice: VisitChoice = parse_choice(text)
    except ValueError:
        return None
    with kit().read() as db:
        return my_choice(db, appointment_id, choice, now=now())


def _by_day(found: TimesPage) -> list[tuple[date, list[Any]]]:
    days: dict[date, list[Any]] = {}
    for time in found.times:
        days.setdefault(time.local_start.date(), []).append(time)
    return list(days.items())


def _first_day(own: MyDate) -> date:
    """The day that was asked for; else some days before the date, so that it stands among its neighbours."""
    today = day_of(now(), zone(own.zone))
    try:
        return max(today, date.fromisoformat(request.values.get("from", "")))
    except ValueError:
        return max(today, own.on - timedelta(days=DAYS // 2))


def _day_before(own: MyDate, found: TimesPage) -> date | None:
    today = day_of(now(), zone(own.zone))
    return max(today, found.from_on - timedelta(days=DAYS)) if found.from_on > today else None


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _code(outcome: Refused) -> str:
    codes = {finding.code for finding in outcome.findings}
    known = {"many": "many", "taken": "taken", "in-absence": "away", "not-here": "never"}
    return next((known[code] for code in known if code in codes), "usual")
