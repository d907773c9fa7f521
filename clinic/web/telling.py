"""People to tell: one at a time, with what to say in their language, and one click for how it went."""
from __future__ import annotations

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.states import ContactOutcome
from clinic.queries.messages import clinic_of_message, message_page
from clinic.queries.people_to_tell import PeoplePage, PersonToTell, belong_to, people_to_tell
from clinic.services.decisions import LONGEST_NOTE, note_contact
from clinic.services.letters import paper_of
from clinic.services.work import Refused
from clinic.web.addresses import safe_next
from clinic.web.entry import allowed, check_clinic, here
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.numbers import number_of, page_number
from clinic.web.once import done_once
from clinic.web.pages import page
from clinic.web.telling_words import LANGUAGE_NAMES, OUTCOMES, TOLD, why

telling = Blueprint("telling", __name__)


@telling.get("/people-to-tell")
@allowed(Right.SEE_MESSAGES)
def index() -> Response:
    """Everybody who has to be told something, and what to say to the one who is asked for, or to the first."""
    return _page(Form(), number_of(request.args, "patient"), page_number())


@telling.post("/people-to-tell/<int:patient_id>")
@allowed(Right.RELEASE_MESSAGES)
def note(patient_id: int) -> Response:
    """Keeps how it went; who was told leaves the list."""
    form = Form(request.form)
    outcome = form.one_of("outcome", "How it went", [each.value for each in ContactOutcome])
    words = form.text("note", "The note", most=LONGEST_NOTE, required=False, lines=True)
    named = (number_of({"id": each}, "id") for each in request.form.getlist("message"))
    ids = [each for each in named if each is not None]
    with kit().read() as db:
        if not belong_to(db, ids, clinic_id=here().clinic_id, patient_id=patient_id):
            abort(404)
    if form.faults:
        return _page(form, patient_id)
    went = ContactOutcome(outcome)
    back = safe_next(url_for("telling.index"))
    done = done_once(lambda work: note_contact(work, ids, went, note=words), told=TOLD[went],
                     to=lambda _: back, otherwise=back)
    if isinstance(done, Refused):
        form.add(done.findings)
        return _page(form, patient_id)
    return done


@telling.get("/messages/<int:message_id>/letter")
@allowed(Right.SEE_MESSAGES)
def letter(message_id: int) -> Response:
    """The message as a letter for a window envelope, to be printed."""
    with kit().read() as db:
        check_clinic(clinic_of_message(db, message_id))
        found, paper = message_page(db, message_id), paper_of(db, message_id, now=now())
    if found is None or paper is None:
        return redirect(url_for("messages.show", message_id=message_id), 303)
    return page("telling/letter.html", message=found, paper=paper, is_large=request.args.get("size") == "large",
                next=safe_next(""))


def _page(form: Form, patient_id: int | None, number: int = 1) -> Response:
    with kit().read() as db:
        found = people_to_tell(db, here().clinic_id, now=now(), number=number)
        chosen = _chosen(found, patient_id)
        if chosen is None and patient_id is not None:
            chosen = _chosen(people_to_tell(db, here().clinic_id, now=now(), patient_id=patient_id), patient_id)
        said = [(each, paper_of(db, each.id, now=now())) for each in chosen.messages] if chosen else []
    return page("telling/index.html", form.status, form=form, found=found, chosen=chosen, said=said, why=why,
                outcomes=OUTCOMES, languages=LANGUAGE_NAMES, longest_note=LONGEST_NOTE,
                is_gone=patient_id is not None and chosen is None)


def _chosen(found: PeoplePage, patient_id: int | None) -> PersonToTell | None:
    if patient_id is None:
        return found.rows[0] if found.rows else None
    return next((each for each in found.rows if each.patient_id == patient_id), None)
