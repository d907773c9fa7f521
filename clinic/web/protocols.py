"""The protocol library: what each says, from which sources, and whether a clinician approved it."""
from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.guidance import ContraindicationKind, Suitability
from clinic.care.parts import DEVICE_TYPES, QUALIFICATIONS, ROOM_FEATURES
from clinic.queries.protocols import code_of_version, protocol_page, protocol_rows
from clinic.services.protocols import approve_version
from clinic.services.work import Done
from clinic.web.course_words import missed_words
from clinic.web.entry import allowed, here
from clinic.web.kit import kit
from clinic.web.pages import page

protocols = Blueprint("protocols", __name__)

_MODES = {"single": "One treatment", "alternating": "Alternating", "same-session": "Two in one session"}
_WEIGHTS = {
    ContraindicationKind.ABSOLUTE: ("Never", "bad", "stop"),
    ContraindicationKind.TEMPORARY: ("Not yet", "warn", "clock"),
    ContraindicationKind.RELATIVE: ("With a reason", "info", "edit"),
}
_SUITABILITIES = {
    Suitability.YES: "Suits", Suitability.LIMITED: "Suits within limits", Suitability.NO: "Does not help",
    Suitability.NOT_INDICATION: "Not what it is for", Suitability.SURGICAL_CONSULTATION: "Surgical consultation",
}
CONSULTATIONS = (
    ("none", "None is asked for"),
    ("before", "A consultation before any booking", "Nobody books a course of it for a patient who has had none."),
    ("hold", "Dates held, subject to a consultation", "They are held until a day that the desk names, and free "
                                                     "themselves."),
)
_SKILLS = {**QUALIFICATIONS, **DEVICE_TYPES, **ROOM_FEATURES}


@protocols.get("/protocols")
@allowed(Right.SEE_PROTOCOLS)
def index() -> Response:
    """Every protocol with its state."""
    with kit().read() as db:
        rows = protocol_rows(db)
    return page("protocols/index.html", rows=rows, modes=_MODES, drafts=sum(row.state == "draft" for row in rows))


@protocols.get("/protocols/<code>")
@allowed(Right.SEE_PROTOCOLS)
def show(code: str) -> Response:
    """One version of a protocol: its figures, each with its sources and grade."""
    with kit().read() as db:
        found = protocol_page(db, code, request.args.get("version", type=int))
    if found is None:
        abort(404)
    content = found.content
    return page("protocols/show.html", found=found, content=content, version=found.version, skills=_SKILLS,
                treatment_names={each.code: each.name for each in content.treatments}, weights=_WEIGHTS,
                suitabilities=_SUITABILITIES, missed=missed_words(content), consultations=CONSULTATIONS)


@protocols.post("/protocols/versions/<int:version_id>/approve")
@allowed(Right.APPROVE_PROTOCOLS)
def approve(version_id: int) -> Response:
    """Lets a draft be used from now on."""
    with kit().read() as db:
        known = code_of_version(db, version_id)
    if known is None:
        abort(404)
    with kit().work(here().actor) as work:
        outcome = approve_version(work, version_id)
    if isinstance(outcome, Done):
        flash("The protocol is approved. New courses use this version from now on.", "ok")
    else:
        flash(outcome.findings[0].text, "warn")
    return redirect(url_for("protocols.show", code=known[0], version=known[1]), 303)
