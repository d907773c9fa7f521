"""The region of the booking panel, whichever part of it is shown: fetched alone by the script, or within a page."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import abort, request
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.planning import Kind
from clinic.planning.local import local_of
from clinic.queries.courses import PatientLine, patient_line
from clinic.queries.free_spot import FreeSpot, free_spot
from clinic.web import course_words
from clinic.web.booking_time import AskedTime
from clinic.web.entry import here
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.pages import page
from clinic.web.zones import zone_words


@dataclass(frozen=True, slots=True)
class Panel:
    """The time that was asked for, what is known of it, and for whom, once somebody was found."""

    asked: AskedTime
    spot: FreeSpot
    patient: PatientLine | None

    @property
    def patient_id(self) -> int:
        """Whom it is for; only where somebody was found."""
        assert self.patient is not None
        return self.patient.id

    @property
    def practitioner_id(self) -> int | None:
        """With whom it is to be, where a practitioner was pointed at."""
        return self.spot.spot.resource_id if self.spot.spot.kind is Kind.PRACTITIONER else None


def panel_at(asked: AskedTime, patient_id: int | None) -> Panel:
    """The panel at that time; 404 where there is no such patient."""
    with kit().read() as db:
        spot = free_spot(db, here().clinic_id, asked.starts_at, asked.resource_id, where=here().clinic.zone, now=now())
        patient = patient_line(db, patient_id) if patient_id else None
    if patient_id and patient is None:
        abort(404)
    return Panel(asked, spot, patient)


def shown(panel: Panel, form: Form, part: str, **more: Any) -> Response:
    """That part of the panel, below its time."""
    template = "booking/region.html" if "X-Fragment" in request.headers else "booking/panel.html"
    answer = page(
        template, form.status, part=part, asked=panel.asked, spot=panel.spot, free=_free_words(panel.spot),
        patient=panel.patient, practitioner_id=panel.practitioner_id, form=form, words=course_words,
        zone_words=zone_words(here().clinic.zone), may_add=here().may(Right.EDIT_PATIENTS), **more)
    answer.vary.add("X-Fragment")
    return answer


def onward(answer: Response) -> Response:
    """A redirect, or for the script that asked, the address alone: it decides whether the page or the panel follows."""
    if "X-Fragment" not in request.headers or answer.status_code != 303:
        return answer
    told = Response(status=204)
    told.headers["X-Onward"] = answer.headers["Location"]
    return told


def _free_words(spot: FreeSpot) -> dict[str, Any]:
    """When the resource is free, as readings of the clinic's clock."""
    where = here().clinic.zone
    spans = [(local_of(begins, where), local_of(ends, where)) for begins, ends in spot.free]
    return {"spans": spans, "until": local_of(spot.until_at, where) if spot.until_at else None}
