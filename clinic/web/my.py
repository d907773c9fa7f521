"""The patient's own page: their dates, what to do today, and what is about health once they gave their birth date."""
from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

from flask import Blueprint, g, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.services import links
from clinic.services.my_page import MyPage, dates_file, my_page
from clinic.services.work import Done
from clinic.web import patient_browser
from clinic.web.entry import for_patients
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.my_pages import my_own_page
from clinic.web.patient_browser import ACTOR, mine

my = Blueprint("my", __name__)

TOLD = ("confirmed", "moved", "cancelled", "asked", "unprepared", "language", "reminders")
"""What the page can say of what was just done."""
_MAPS = "https://www.openstreetmap.org/search?"


@my.get("/my")
@for_patients
def show() -> Response:
    """The page."""
    return show_page(Form())


@my.get("/my/dates.ics")
@for_patients
def calendar() -> Response:
    """A calendar file with every date that is booked."""
    with kit().read() as db:
        content = dates_file(db, mine(), now=now())
    response = Response(content, content_type="text/calendar; charset=utf-8; method=PUBLISH")
    response.headers["Content-Disposition"] = 'attachment; filename="dates.ics"'
    return response


@my.post("/my/born")
@for_patients
def born() -> Response:
    """Shows what is about health where the birth date is right."""
    form = Form(request.form)
    birth_on = _birth_date(form)
    if birth_on is None:
        form.fault("birth_on", "unreadable")
        return show_page(form)
    with kit().work(ACTOR) as work:
        outcome = links.give_birth_date(work, mine().id_hash, birth_on)
    if isinstance(outcome, Done):
        return redirect(url_for("my.show", _anchor="health"), 303)
    g.pop("my_browser")  # it has one try less now
    form.fault("birth_on", "wrong")
    return show_page(form)


@my.post("/my/finish")
@for_patients
def finish() -> Response:
    """Closes the page in this browser."""
    with kit().work(ACTOR) as work:
        links.close_browser(work, mine().id_hash)
    g.my_browser_closed = True
    response = my_own_page("my/finished.html", language=mine().language)
    patient_browser.take(response)
    return response


def show_page(form: Form) -> Response:
    """The page, with what was typed where it has to be typed again."""
    with kit().read() as db:
        found = my_page(db, mine(), now=now())
    told = request.args.get("told", "")
    return my_own_page("my/show.html", form.status, language=found.language, page=found, mine=mine(), form=form,
                       told=told if told in TOLD else "", map_href=map_address(found), preview_of="", back="")


def found_page() -> MyPage:
    """What the page shows, for pages about a part of it."""
    with kit().read() as db:
        return my_page(db, mine(), now=now())


def map_address(found: MyPage) -> str:
    """Where the clinic lies on a map."""
    return _MAPS + urlencode({"query": ", ".join(found.clinic.address)})


def _birth_date(form: Form) -> date | None:
    """A date in figures; a year such as 85 is asked for again, and costs none of the few tries."""
    parts = [form.number(name, name, least=least, most=most) for name, least, most in (
        ("day", 1, 31), ("month", 1, 12), ("year", 1000, 9999))]
    if any(part is None for part in parts):
        return None
    day, month, year = (part or 0 for part in parts)
    try:
        return date(year, month, day)
    except ValueError:
        return None
