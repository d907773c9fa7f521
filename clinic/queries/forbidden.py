"""What was heard of a patient that speaks against the dates of a course as they stand."""
from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy.orm import Session

from clinic.care.course_changes import about, open_ended
from clinic.care.screening import screen
from clinic.planning.findings import Finding, Weight
from clinic.planning.words import day_words
from clinic.queries.course_changes import screenings
from clinic.queries.series import Series


def forbidden(db: Session, series: Series, *, today: date) -> tuple[Finding, ...]:
    """What the newest answers forbid: treatment with no end in sight, and appointments before the day they allow."""
    asked = screenings(db, series.course.id)
    said = about(series.protocol, screen(series.protocol, asked[-1].answers, today=today)) if asked else ()
    # They are said of the whole course, on pages that have no field for them.
    return (*(replace(each, field=None) for each in open_ended(said)), *too_early(series))


def too_early(series: Series) -> tuple[Finding, ...]:
    """The appointments before the first day that the newest answers allow: they have to move."""
    floor = series.not_before_on
    return tuple(
        Finding("too-early", Weight.WARNS, f"Session {place.row.number} on {day_words(on)} lies before "
                f"{day_words(floor)}: move it.", None, floor)
        for place in series.places
        if floor and place.appointment and (on := place.appointment.local_start.date()) < floor)
