"""A visit or a session that gets no other time any more: it was closed, or has its date, since a page about it was
opened."""
from __future__ import annotations

from flask import url_for
from werkzeug.wrappers import Response

from clinic.care.states import SessionState
from clinic.planning.local import zone
from clinic.web.course_words import APPOINTMENT_STATES
from clinic.web.diary_words import MOVABLE
from clinic.web.pages import page
from clinic.web.wishes import SessionWish, Wish
from clinic.web.zones import zone_words


def over_words(wish: Wish) -> str:
    """Why there is no time to choose any more; empty where there is."""
    if wish.old is not None:
        state = APPOINTMENT_STATES[wish.old.state]
        return "" if wish.old.state in MOVABLE else f"{state}: this visit gets no other time any more."
    if isinstance(wish, SessionWish) and not _is_owed(wish):
        return "This session does not wait for a date any more."
    return ""


def over_page(wish: Wish, over: str) -> Response:
    """Says so, and leads on."""
    owed = url_for("appointments.book", treatment_session_id=wish.subject.line.id) if (
        isinstance(wish, SessionWish) and wish.old and _is_owed(wish)) else ""
    return page("appointments/over.html", 409, wish=wish, subject=wish.subject, over=over, owed=owed, back=wish.back,
                zone_words=zone_words(zone(wish.subject.zone)))


def _is_owed(wish: SessionWish) -> bool:
    return wish.subject.line.state == SessionState.OWED and wish.subject.line.appointment is None
