"""What waits for a date at the current clinic: sessions without one, and visits in somebody's absence."""
from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.queries.absences import standing_absences
from clinic.queries.undated import Due, undated_page
from clinic.web.course_words import DUES
from clinic.web.entry import allowed, here, horizon
from clinic.web.kit import kit, now
from clinic.web.numbers import page_number
from clinic.web.pages import page

undated = Blueprint("undated", __name__)


@undated.get("/to-plan")
@allowed(Right.BOOK)
def index() -> Response:
    """What waits for a date now, or all that has none, the most urgent first."""
    everything = request.args.get("show") == "all"
    with kit().read() as db:
        found = undated_page(db, here().clinic_id, horizon(), only_due=not everything,
                             number=page_number())
        away = standing_absences(db, clinic_id=here().clinic_id, now=now())
    return page("undated/index.html", found=found, away=away, everything=everything, dues=DUES,
                due=found.counts[Due.OVERDUE] + found.counts[Due.NEAR], all=sum(found.counts.values()))
