"""The card of a course, for the patient to take home: on one page, in large print where that is asked for."""
from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.services.course_cards import course_card
from clinic.web.courses import courses, found_course
from clinic.web.entry import allowed
from clinic.web.kit import kit
from clinic.web.pages import page


@courses.get("/courses/<int:course_id>/card")
@allowed(Right.SEE_DIARY)
def card(course_id: int) -> Response:
    """The card, to be printed."""
    found = found_course(course_id)
    with kit().read() as db:
        words = course_card(db, found)
    return page("courses/card.html", course=found, card=words, is_large=request.args.get("size") == "large")
