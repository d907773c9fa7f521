"""Texts: how each message reads now, and what the clinic adds in its own words."""
from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.queries.texts import ClinicWords, clinic_words
from clinic.services import texts as service
from clinic.services.work import Refused, Stale
from clinic.web.entry import allowed, here, today
from clinic.web.forms import Form
from clinic.web.headers import MESSAGE_POLICY
from clinic.web.kit import kit
from clinic.web.pages import page, stale_page
from clinic.web.words import MESSAGE_KINDS

texts = Blueprint("texts", __name__)

FIELDS = (
    ("directions", "How to find us", "In confirmations, changes and reminders, such as the entrance, parking, the "
                                     "bus stop."),
    ("cancellation", "If you cannot come", "In confirmations, changes and reminders: how late, and what then."),
    ("closing", "Closing words", "At the end of every message."),
)
_FIRST = "confirmation"


@texts.get("/setup/texts")
@allowed(Right.SET_UP)
def index() -> Response:
    """The clinic's own words, and one kind of message as it reads with them."""
    clinic = _clinic()
    form = Form(initial={**clinic.words, "lock_version": clinic.lock_version})
    return _page(form, clinic, clinic.words, _kind(request.args.get("kind", _FIRST)))


@texts.post("/setup/texts/look")
@allowed(Right.SET_UP)
def look() -> Response:
    """The same page with what was typed, before it is saved."""
    form = Form(request.form)
    words = _read(form)
    form.add(service.judge_texts(words))
    return _page(form, _clinic(), words, _kind(request.form.get("kind", _FIRST)))


@texts.post("/setup/texts")
@allowed(Right.SET_UP)
def save() -> Response:
    """Keeps the words, or shows what to correct, or what someone else made of them meanwhile."""
    form, clinic, kind = Form(request.form), _clinic(), _kind(request.form.get("kind", _FIRST))
    words, version = _read(form), form.version()
    if form.faults:
        return _page(form, clinic, words, kind)
    try:
        with kit().work(here().actor) as work:
            outcome = service.save_texts(work, here().clinic_id, words, lock_version=version)
    except Stale:
        rows = [(label, clinic.words[code], words[code]) for code, label, _ in FIELDS]
        return stale_page(title="Texts", rows=rows, again=url_for("texts.index", kind=kind))
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _page(form, clinic, words, kind)
    flash("The words were saved. Messages that have not been sent yet say them too.", "ok")
    return redirect(url_for("texts.index", kind=kind), 303)


@texts.get("/setup/texts/<kind>.html")
@allowed(Right.SET_UP)
def html(kind: str) -> Response:
    """A sample of that kind as a patient sees it, for a frame in which nothing runs."""
    sample = service.sample(_clinic(), _kind(kind), today=today())
    response = Response(sample.html, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = MESSAGE_POLICY
    return response


def _clinic() -> ClinicWords:
    with kit().read() as db:
        return clinic_words(db, here().clinic_id)


def _read(form: Form) -> dict[str, str]:
    """What was typed, with line ends as they are kept."""
    return {code: form.text(code, label, most=5000, required=False, lines=True) for code, label, _ in FIELDS}


def _kind(asked: str) -> str:
    if asked not in service.MESSAGE_KINDS:
        abort(404)
    return asked


def _page(form: Form, clinic: ClinicWords, words: dict[str, str], kind: str) -> Response:
    kinds = [(code, MESSAGE_KINDS.get(code, code)) for code in service.MESSAGE_KINDS]
    return page("texts/index.html", form.status, form=form, fields=FIELDS, longest=service.LONGEST, kinds=kinds,
                kind=kind, sample=service.sample(clinic, kind, words=words, today=today()),
                is_saved=words == clinic.words, version=form.value("lock_version") or clinic.lock_version)
