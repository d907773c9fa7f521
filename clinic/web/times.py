"""Choosing a time: for a session that is owed, or another one for an appointment."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import abort, redirect, request
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.windows import Fit
from clinic.planning.findings import Finding, Weight
from clinic.planning.local import day_of, zone
from clinic.queries.appointments import SessionPage, clinic_of_session, session_page, visit_subject
from clinic.queries.times import TimeOffer, TimesPage
from clinic.queries.visit_choice import VisitChoice, parse_choice
from clinic.services.appointments import book_session, move_appointment
from clinic.services.visits import book_visit
from clinic.services.work import Done, Refused, Stale, UnitOfWork
from clinic.web import course_words
from clinic.web.addresses import safe_next
from clinic.web.appointments import appointments, found_appointment
from clinic.web.entry import allowed, check_clinic, here
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.once import done_once
from clinic.web.over import over_page, over_words
from clinic.web.pages import page, stale_page
from clinic.web.placing import in_hand_href, is_from_diary, offer_of, offer_there
from clinic.web.time_review import (
    address_of,
    asked_practitioner,
    confirm_page,
    home_after,
    is_unchanged,
    now_and_wanted,
    repair_address,
    told_after,
    week_of,
)
from clinic.web.wishes import OtherWish, SessionWish, Wish
from clinic.web.zones import zone_words

DAYS = 7


@dataclass(frozen=True, slots=True)
class DayColumn:
    """One date with its times; `fit` is how it lies in the window."""

    on: date
    fit: Fit | None
    gap_days: int | None
    times: tuple[TimeOffer, ...]


@appointments.get("/appointments/<int:appointment_id>/move")
@allowed(Right.BOOK)
def move(appointment_id: int) -> Response:
    """Other times for the appointment; with one chosen, what that changes."""
    return _chosen_or_times(_moving(appointment_id))


@appointments.post("/appointments/<int:appointment_id>/move", endpoint="moved")
@allowed(Right.BOOK)
def moved(appointment_id: int) -> Response:
    """Gives the appointment its new time."""
    wish, form = _moving(appointment_id), Form(request.form)
    version, reasons, ours = form.version(), form.overrides(), form.ticked("by_clinic")
    return _decided(wish, form, "Moved.", lambda work, choice: move_appointment(
        work, appointment_id, choice, lock_version=version, overrides=reasons, by_clinic=ours))


@appointments.get("/sessions/<int:treatment_session_id>/book")
@allowed(Right.BOOK)
def book(treatment_session_id: int) -> Response:
    """Times for a session that is owed; with one chosen, what it means."""
    return _chosen_or_times(_owed(treatment_session_id))


@appointments.post("/sessions/<int:treatment_session_id>/book", endpoint="booked")
@allowed(Right.BOOK)
def booked(treatment_session_id: int) -> Response:
    """Books the chosen time."""
    wish, form = _owed(treatment_session_id), Form(request.form)
    reasons = form.overrides()
    return _decided(wish, form, "Booked.", lambda work, choice: book_session(
        work, treatment_session_id, choice, overrides=reasons))


@appointments.get("/patients/<int:patient_id>/visits/<code>")
@allowed(Right.BOOK)
def book_other(patient_id: int, code: str) -> Response:
    """Times for a visit that belongs to no course; with one chosen, what it means."""
    return _chosen_or_times(_other(patient_id, code))


@appointments.post("/patients/<int:patient_id>/visits/<code>", endpoint="booked_other")
@allowed(Right.BOOK)
def booked_other(patient_id: int, code: str) -> Response:
    """Books the chosen time."""
    wish, form = _other(patient_id, code), Form(request.form)
    reasons = form.overrides()
    return _decided(wish, form, "Booked.", lambda work, choice: book_visit(
        work, wish.wish, choice, overrides=reasons))


def _moving(appointment_id: int) -> Wish:
    found = found_appointment(appointment_id)
    subject = found.subject
    if isinstance(subject, SessionPage):
        return SessionWish(subject, found.appointment)
    return OtherWish(subject, found.appointment)


def _other(patient_id: int, code: str) -> OtherWish:
    with kit().read() as db:
        found = visit_subject(db, patient_id=patient_id, code=code, clinic_id=here().clinic_id)
    if found is None:
        abort(404)
    return OtherWish(found, None)


def _owed(treatment_session_id: int) -> Wish:
    with kit().read() as db:
        check_clinic(clinic_of_session(db, treatment_session_id))
        found = session_page(db, treatment_session_id)
    if found is None:
        abort(404)
    return SessionWish(found, None)


def _chosen_or_times(wish: Wish) -> Response:
    if over := over_words(wish):
        return over_page(wish, over)
    placed = offer_there(wish.old.id) if wish.old else None
    if isinstance(placed, TimeOffer):
        return _review(wish, placed)
    if placed is not None:
        on, findings = placed
        return _times_page(wish, max(week_of(on), _today(wish)), findings)
    given = request.args.get("choice", "")
    if not given:
        return _times_page(wish, _first_day(wish))
    try:
        choice = parse_choice(given)
    except ValueError:
        abort(404)
    offer = _offer_of(wish, choice)
    if offer is None:
        return _times_page(wish, _day_of_choice(wish, choice), (_GONE,))
    return _review(wish, offer)


def _review(wish: Wish, offer: TimeOffer) -> Response:
    """Old and new side by side; where later sessions have to follow, the ways in which they can."""
    if offer.moves_others and isinstance(wish, SessionWish) and wish.moves_a_course:
        return redirect(repair_address(wish, wish.subject.course_id, offer))
    if wish.old and is_unchanged(wish, offer):
        return _times_page(wish, max(_today(wish), week_of(offer.local_start.date())), (_THERE,))
    version, ours = (wish.old.lock_version, bool(wish.old.away)) if wish.old else (0, False)
    return confirm_page(wish, offer, Form(initial={"lock_version": version, "by_clinic": ours}))


_THERE = Finding("there-already", Weight.BLOCKS, "It has that time already. These are the times around it.")
_GONE = Finding("gone", Weight.BLOCKS, "That time is not free any more. These are the times around it.")


def _decided(wish: Wish, form: Form, told: str, act: Any) -> Response:
    """What follows the choice: the course's page, or the nearest times with what stands in the way."""
    choice = form.choice("choice", "The time", parse_choice)
    if choice is None or form.faults:
        return _times_page(wish, _first_day(wish), (_UNREADABLE,))
    back = home_after(wish, day_of(choice.starts_at, zone(wish.subject.zone)))

    def acted(work: UnitOfWork) -> Done[Any] | Refused:
        outcome: Done[Any] | Refused = act(work, choice)
        return outcome

    try:
        outcome = done_once(acted, to=lambda _: back, otherwise=back, told=told_after(wish, choice, told))
    except Stale as error:
        return stale_page(error, title="Move the appointment", rows=now_and_wanted(wish, choice),
                          again=address_of(wish))
    return _refused(wish, choice, form, outcome.findings) if isinstance(outcome, Refused) else outcome


_UNREADABLE = Finding("unreadable", Weight.BLOCKS, "What was sent is not a time that we offered. Choose one again.")


def _refused(wish: Wish, choice: VisitChoice, form: Form, findings: tuple[Finding, ...]) -> Response:
    """A reason can settle what only warns; whatever blocks needs another time."""
    if all(finding.weight is Weight.WARNS for finding in findings):
        offer = _offer_of(wish, choice)
        if offer is not None:
            for finding in findings:
                form.fault(f"override-{finding.code}", f"{finding.text} Give a reason to book it all the same.")
            return confirm_page(wish, offer, form)
    return _times_page(wish, _day_of_choice(wish, choice), findings)


def _times_page(wish: Wish, first_on: date, findings: tuple[Finding, ...] = ()) -> Response:
    if over := over_words(wish):
        return over_page(wish, over)
    practitioner_id, subject = asked_practitioner(wish), wish.subject
    asking = "asking" in request.args
    found = wish.times(first_on, DAYS, practitioner_id, asking=asking, look_on=True)
    return page(
        "appointments/times.html", 409 if findings else 200, wish=wish, subject=subject, found=found,
        columns=columns_of(found), findings=findings, practitioner_id=practitioner_id, weeks=_weeks(wish, found),
        several=len({time.practitioner for time in found.times}) > 1,
        some_move_others=any(time.moves_others for time in found.times), words=course_words,
        zone_words=zone_words(zone(subject.zone)), choice_href=lambda time: address_of(
            wish, choice=time.choice, practitioner=practitioner_id or ""), begins=request.args.get("begins", ""),
        week_href=lambda time: address_of(wish, begins=time.choice, _anchor="begins", **_kept(
            wish, max(_today(wish), week_of(time.local_start.date())))), back=wish.back,
        in_diary=in_hand_href(wish.old.id, found.from_on) if wish.old else "", from_diary=is_from_diary(),
        next=safe_next(""), not_there="at" in request.args, asking=asking, others_href=address_of(
            wish, **_kept(wish, found.from_on) | {"asking": "" if asking else "yes"}))


def columns_of(found: TimesPage) -> tuple[DayColumn, ...]:
    """A column for each date, also for those without a time."""
    days = [found.from_on + timedelta(days=after) for after in range((found.to_on - found.from_on).days + 1)]
    columns = []
    for on in days:
        times = tuple(time for time in found.times if time.local_start.date() == on)
        gap = next((time.gap_days for time in times), None)
        columns.append(DayColumn(on, found.window.fit(on) if found.window else None, gap, times))
    return tuple(columns)


def _weeks(wish: Wish, found: TimesPage) -> list[tuple[str, str | None]]:
    """Links that keep the weekday: weeks back and on, and the week of the ideal date."""
    today = _today(wish)
    steps = [("4 weeks earlier", -28), ("1 week earlier", -7), ("1 week later", 7), ("4 weeks later", 28)]
    links: list[tuple[str, str | None]] = []
    for label, days in steps:
        first_on = found.from_on + timedelta(days=days)
        reachable = days > 0 or found.from_on > today
        links.append((label, address_of(wish, **_kept(wish, max(today, first_on))) if reachable else None))
    if found.window:
        links.insert(2, ("Ideal week", address_of(wish, **_kept(wish, max(today, week_of(found.window.ideal_on))))))
    return links


def _kept(wish: Wish, first_on: date) -> dict[str, Any]:
    return {"from": first_on.isoformat(), "practitioner": asked_practitioner(wish) or "",
            "asking": "yes" if "asking" in request.args else ""}


def _today(wish: Wish) -> date:
    return day_of(now(), zone(wish.subject.zone))


def _first_day(wish: Wish) -> date:
    """The day that was asked for; else the week of the appointment, or of the ideal date."""
    today = _today(wish)
    try:
        return max(today, date.fromisoformat(request.values.get("from", "")))
    except ValueError:
        around = wish.around
        return max(today, week_of(around)) if around else today


def _day_of_choice(wish: Wish, choice: VisitChoice) -> date:
    return max(_today(wish), week_of(day_of(choice.starts_at, zone(wish.subject.zone))))


def _offer_of(wish: Wish, choice: VisitChoice) -> TimeOffer | None:
    """The offer that a choice stands for, if it still stands."""
    on = day_of(choice.starts_at, zone(wish.subject.zone))
    found = wish.times(on, 1, asked_practitioner(wish), asking=True)
    offer = next((time for time in found.times if time.choice == str(choice)), None)
    # One that was chosen in the diary is with whom or where it was put down, who need not be the first-listed.
    if offer is not None or wish.old is None:
        return offer
    there = (offer_of(wish.old.id, choice.starts_at, each) for each in dict.fromkeys(choice.resource_ids))
    return next((each for each in there if each and each.choice == str(choice)), None)
