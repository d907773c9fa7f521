"""Likely doubles: while a new patient is typed, as a list, side by side, put together, and taken apart again."""
from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.translations import LANGUAGES
from clinic.planning.words import times_words
from clinic.queries.doubles import Alike, Double, DoublesPage, Record, alike, person_of
from clinic.queries.doubles import doubles as likely_doubles
from clinic.queries.merging import MergePreview, merge_of, merge_preview
from clinic.queries.patient import patient_card
from clinic.services import merging as service
from clinic.services.merged_fields import BOTH, KEPT, OTHER, differing, usual_choice
from clinic.services.work import Done, Refused, Stale, UnitOfWork
from clinic.web.entry import allowed, here
from clinic.web.faster import who_was_faster
from clinic.web.forms import Form
from clinic.web.kit import kit
from clinic.web.numbers import number_of, page_number
from clinic.web.once import done_once
from clinic.web.pages import page
from clinic.web.patient_form import CHANNEL_WORDS
from clinic.web.words import date_only, day

doubles = Blueprint("doubles", __name__)

_LONGEST = 100
_MOST_ALIKE = 20
_LABELS = {
    "given_name": "First name", "family_name": "Family name", "birth_on": "Birth date", "email": "E-mail address",
    "phone": "Phone", "language": "Language of the messages", "channel": "Reached by",
    "wants_service_messages": "Messages about appointments", "marketing_consent_at": "Offers and news",
    "only_times": "Only these times", "rather_times": "Rather these times", "alerts": "Alerts for reception",
}


@doubles.get("/patients/alike")
@allowed(Right.EDIT_PATIENTS)
def typed() -> Response:
    """The part of the form of a new patient that shows who is there already."""
    asked = [request.args.get(name, "")[:_LONGEST] for name in (
        "given_name", "family_name", "birth_on", "email", "phone")]
    answer = page("patients/alike.html", alike=alike_to(*asked))
    answer.vary.add("X-Fragment")
    return answer


@doubles.get("/patients/doubles")
@allowed(Right.EDIT_PATIENTS)
def index() -> Response:
    """The likely doubles of the business, or those of one patient."""
    of = number_of(request.args, "of")
    if of is None:
        with kit().read() as db:
            found = likely_doubles(db, number=page_number())
        return page("doubles/index.html", found=found, card=None)
    with kit().read() as db:
        card = patient_card(db, of)
        if card is None:
            abort(404)
        person = person_of(card.given_name, card.family_name, card.birth_on, card.email, card.phone)
        near = alike(db, person, but=of, limit=_MOST_ALIKE)
    me = Record(card.id, card.given_name, card.family_name, card.birth_on, card.email, card.phone)
    rows = tuple(Double(me, each.record, each.likeness) for each in near)
    return page("doubles/index.html", found=DoublesPage(rows, len(rows), 1), card=card)


@doubles.get("/patients/<int:kept_id>/merge/<int:other_id>")
@allowed(Right.EDIT_PATIENTS)
def compare(kept_id: int, other_id: int) -> Response:
    """Two records side by side, and what putting them together would do."""
    return _compare_page(_preview(kept_id, other_id), Form())


@doubles.post("/patients/<int:kept_id>/merge/<int:other_id>")
@allowed(Right.EDIT_PATIENTS)
def merge(kept_id: int, other_id: int) -> Response:
    """Puts two records together, or says what stands in the way."""
    form = Form(request.form)
    choices = {field: form.value(field) for field in _LABELS if form.value(field)}
    kept_version, other_version = form.version(), _other_version(form)
    back = url_for("patients.show", patient_id=kept_id)

    def act(work: UnitOfWork) -> Done[int] | Refused:
        return service.merge_patients(work, kept_id, other_id, choices=choices, kept_version=kept_version,
                                      other_version=other_version)

    if not form.faults:
        try:
            outcome = done_once(act, to=lambda _: back, otherwise=back, told="The two records are one now.")
        except Stale as error:
            form.fault("", f"{who_was_faster(error)[1]} Both are shown as they are now: look again.")
            return _compare_page(_preview(kept_id, other_id), form)
        if not isinstance(outcome, Refused):
            return outcome
        form.add(outcome.findings)
    return _compare_page(_preview(kept_id, other_id), form)


@doubles.post("/merges/<int:merge_id>/undo")
@allowed(Right.EDIT_PATIENTS)
def undo(merge_id: int) -> Response:
    """Takes two records apart again."""
    with kit().read() as db:
        kept_id = merge_of(db, merge_id)
    if kept_id is None:
        abort(404)
    with kit().work(here().actor) as work:
        outcome = service.undo_merge(work, merge_id)
    if isinstance(outcome, Refused):
        flash(outcome.findings[0].text, "error")
    else:
        flash("The two records are apart again.", "ok")
    return redirect(url_for("patients.show", patient_id=kept_id), 303)


def alike_to(given_name: str, family_name: str, birth_on: Any, email: str, phone: str) -> tuple[Alike, ...]:
    """Who is there already that may be the person typed so far."""
    if len(given_name.strip()) < 2 or len(family_name.strip()) < 2:
        return ()
    with kit().read() as db:
        return alike(db, person_of(given_name, family_name, _date(birth_on), email, phone))


def _date(typed: Any) -> date | None:
    if isinstance(typed, date):
        return typed
    try:
        return date.fromisoformat(str(typed))
    except ValueError:
        return None


def _other_version(form: Form) -> int:
    return form.number("other_version", "The version", least=0, most=999_999_999) or 0


def _preview(kept_id: int, other_id: int) -> MergePreview:
    with kit().read() as db:
        found = merge_preview(db, kept_id, other_id)
    if found is None:
        abort(404)
    return found


def _compare_page(found: MergePreview, form: Form) -> Response:
    return page("doubles/merge.html", form.status, form=form, found=found, fields=_fields(found, form),
                same=[(_LABELS[each], _words(each, getattr(found.kept, each))) for each in _LABELS
                      if each not in differing(found.kept, found.other) and getattr(found.kept, each)])


def _fields(found: MergePreview, form: Form) -> list[dict[str, Any]]:
    """Each field in which the two differ, with what can stay of it."""
    shown = []
    for field in differing(found.kept, found.other):
        mine, theirs = (_words(field, getattr(each, field)) for each in (found.kept, found.other))
        choices = [(KEPT, mine), (OTHER, theirs)]
        if field == "alerts" and found.kept.alerts and found.other.alerts:
            choices.append((BOTH, "Both"))
        chosen = form.value(field) or usual_choice(field, found.kept, found.other)
        shown.append({"name": field, "label": _LABELS[field], "choices": choices, "chosen": chosen})
    return shown


def _words(field: str, value: Any) -> str:
    if field == "wants_service_messages":
        return "Yes" if value else "No"
    if field == "marketing_consent_at":
        return f"Yes, since {day(value.date())}" if value else "No"
    if not value:
        return "Nothing"
    if field == "birth_on":
        return date_only(value)
    if field in ("only_times", "rather_times"):
        return times_words(value)
    return {"channel": CHANNEL_WORDS, "language": LANGUAGES}.get(field, {}).get(value, str(value))
