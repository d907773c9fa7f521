"""Dates that are held for want of a consultation: confirmed, or held until another day."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.consultations import NEEDED
from clinic.planning.local import day_of, zone
from clinic.queries.consultations import HeldDates, held_dates
from clinic.queries.courses import CoursePage
from clinic.services.consultations import confirm_dates, hold_until
from clinic.services.work import Done, Refused, Stale, UnitOfWork
from clinic.web import course_words
from clinic.web.courses import courses, found_course
from clinic.web.entry import allowed, here
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.once import done_once
from clinic.web.pages import page, stale_page
from clinic.web.words import short_day

TITLE = "Dates held"


@courses.get("/courses/<int:course_id>/dates")
@allowed(Right.BOOK)
def dates(course_id: int) -> Response:
    """Until when the dates are held, and what can be done with them."""
    found = found_course(course_id)
    held = _held(found)
    return _page(found, Form(initial={
        "lock_version": found.lock_version, "hold_until": held.until_on if held else None}))


@courses.post("/courses/<int:course_id>/dates/confirm")
@allowed(Right.BOOK)
def confirm(course_id: int) -> Response:
    """Books the dates that are held."""
    found, form = found_course(course_id), Form(request.form)
    version, reasons = form.version(), form.overrides()
    return _acted(found, form, "The dates are confirmed.", "Confirmed",
                  lambda work: confirm_dates(work, course_id, lock_version=version, overrides=reasons))


@courses.post("/courses/<int:course_id>/dates/until", endpoint="held_until")
@allowed(Right.BOOK)
def held_until(course_id: int) -> Response:
    """Holds the dates until another day."""
    found, form = found_course(course_id), Form(request.form)
    version = form.version()
    until_on = form.date("hold_until", "The day", earliest=day_of(now(), zone(found.zone)))
    if form.faults or until_on is None:
        return _page(found, form)
    day = until_on
    return _acted(found, form, f"The dates are held until {short_day(day)}.", f"Held until {short_day(day)}",
                  lambda work: hold_until(work, course_id, until_on=day, lock_version=version))


def _acted(
    found: CoursePage, form: Form, told: str, wanted: str, act: Callable[[UnitOfWork], Done[Any] | Refused]
) -> Response:
    if form.faults:
        return _page(found, form)
    back = url_for("courses.show", course_id=found.id)
    try:
        outcome = done_once(act, to=lambda _: back, otherwise=back, told=told)
    except Stale as error:
        return stale_page(error, title=TITLE, rows=[("Dates", course_words.STATES[found.state], wanted)], again=back)
    if isinstance(outcome, Refused):
        for finding in outcome.findings:
            if finding.code == NEEDED:
                form.fault(f"override-{NEEDED}", f"{finding.text} Say why the dates may be confirmed all the same.")
        form.add([finding for finding in outcome.findings if finding.code != NEEDED])
        return _page(found, form)
    return outcome


def _held(found: CoursePage) -> HeldDates | None:
    with kit().read() as db:
        return held_dates(db, found.id, now=now())


def _page(found: CoursePage, form: Form) -> Response:
    held = _held(found)
    if held is None:
        abort(404)
    return page("courses/dates.html", form.status, title=TITLE, course=found, form=form, held=held, needed=NEEDED,
                may_override=here().may(Right.OVERRIDE_SCREENING))
