"""The door to the patient's page: a neutral page that does nothing, whoever fetches it, and one button that opens."""
from __future__ import annotations

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.care.dialling import dial_address
from clinic.queries.links import LinkState, link_seen
from clinic.services.accounts import hash_of
from clinic.services.fresh_links import ask_for_fresh_link
from clinic.services.links import open_link
from clinic.services.my_page import unbroken
from clinic.services.work import Done
from clinic.web import patient_browser
from clinic.web.entry import patients_door
from clinic.web.kit import kit, now
from clinic.web.my import my
from clinic.web.my_pages import my_own_page
from clinic.web.patient_browser import ACTOR

_STATUS = {LinkState.OPENS: 200, LinkState.EXPIRED: 410, LinkState.REVOKED: 410, LinkState.UNKNOWN: 404}


@my.get("/l/<secret>")
@patients_door
def door(secret: str) -> Response:
    """Says where the link leads, without a name or a time, or kindly why it does not; changes nothing."""
    with kit().read() as db:
        seen = link_seen(db, hash_of(secret), now=now())
    return my_own_page("my/door.html", _STATUS[seen.state], language=seen.language, seen=seen, secret=secret,
                       asked="asked" in request.args, call_href=dial_address,
                       unbroken=unbroken)


@my.post("/l/<secret>/fresh")
@patients_door
def fresh(secret: str) -> Response:
    """Sends a new link to the address that we know; says the same whatever becomes of it."""
    with kit().work(ACTOR) as work:
        ask_for_fresh_link(work, secret)
    return redirect(url_for("my.door", secret=secret, asked=1), 303)


@my.post("/l/<secret>")
@patients_door
def enter(secret: str) -> Response:
    """Lets this browser in, and leads to an address without a secret."""
    with kit().work(ACTOR) as work:
        outcome = open_link(work, secret)
    if not isinstance(outcome, Done):
        return redirect(url_for("my.door", secret=secret), 303)
    response = redirect(url_for("my.show"), 303)
    patient_browser.give(response, outcome.value)
    return response
