"""A newer version of the protocol, for a course that runs: what would change, and taking it over."""
from __future__ import annotations

from typing import Any

from flask import abort, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.queries.courses import CoursePage
from clinic.queries.take_over import TakeOver, take_over_of
from clinic.services.take_over import take_over
from clinic.services.work import Done, Refused, Stale, UnitOfWork
from clinic.web.courses import courses, found_course
from clinic.web.entry import allowed
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.once import done_once
from clinic.web.pages import page, stale_page


@courses.get("/courses/<int:course_id>/version")
@allowed(Right.OVERRIDE_SCREENING)
def version(course_id: int) -> Response:
    """What the version that is approved now would change for this course."""
    found = found_course(course_id)
    return _page(found, _newer(course_id), Form(initial={"lock_version": found.lock_version}))


@courses.post("/courses/<int:course_id>/version", endpoint="version_taken_over")
@allowed(Right.OVERRIDE_SCREENING)
def version_taken_over(course_id: int) -> Response:
    """Lets the course follow it from now on."""
    found, form = found_course(course_id), Form(request.form)
    newer, lock_version = _newer(course_id), form.version()
    version_id = form.number("version_id", "The version", least=1, most=999_999_999)
    if form.faults or version_id is None:
        return _page(found, newer, form)
    back = url_for("courses.show", course_id=course_id)

    def act(work: UnitOfWork) -> Done[Any] | Refused:
        return take_over(work, course_id, version_id, lock_version=lock_version)

    try:
        outcome = done_once(act, to=lambda _: back, otherwise=back, told="The course follows the newer version now.")
    except Stale as error:
        rows = [("Version", str(found.version), str(newer.number) if newer else "")]
        return stale_page(error, title="Take over the newer version", again=back, rows=rows)
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _page(found, newer, form)
    return outcome


def _newer(course_id: int) -> TakeOver | None:
    with kit().read() as db:
        return take_over_of(db, course_id, now=now())


def _page(found: CoursePage, newer: TakeOver | None, form: Form) -> Response:
    if newer is None and not form.findings and request.method == "GET":
        abort(404)
    return page("courses/take_over.html", form.status, course=found, newer=newer, form=form)
