"""Translations: what patients read in another language, beside the English, and who has approved it."""
from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.message_kinds import MessageKind
from clinic.care.translations import ENGLISH, LANGUAGES, Place
from clinic.queries.texts import clinic_words, newest_texts
from clinic.queries.translations import ProtocolTexts, protocol_texts
from clinic.services import translations as service
from clinic.services.previews import our_sample
from clinic.services.work import Done, Refused
from clinic.web.entry import allowed, here, today
from clinic.web.kit import kit
from clinic.web.pages import page
from clinic.web.words import plural

translations = Blueprint("translations", __name__)

PLACE_WORDS = {
    Place.PRECARE: "Before a session", Place.EXPECT: "To expect afterwards", Place.DO: "To do afterwards",
    Place.AVOID: "To avoid afterwards", Place.RED_FLAG: "Signs to call about",
}


@translations.get("/setup/translations")
@allowed(Right.SEE_PROTOCOLS)
def index() -> Response:
    """Each language with its parts, and how much of each is approved."""
    with kit().read() as db:
        found = [(code, LANGUAGES[code], service.message_texts(db, code), protocol_texts(db, code))
                 for code in service.OTHERS]
        own = [each for each in newest_texts(db, here().clinic_id) if each.text]
    return page("translations/index.html", found=found, own=own)


@translations.get("/setup/translations/<language>/messages")
@allowed(Right.SEE_PROTOCOLS)
def messages(language: str) -> Response:
    """The texts of all messages, as samples and as they are written."""
    name = _name(language)
    with kit().read() as db:
        texts, clinic = service.message_texts(db, language), clinic_words(db, here().clinic_id)
    samples = {kind.value: [our_sample(clinic, kind, language=each, today=today()) for each in (ENGLISH, language)]
               for kind in MessageKind}
    return page("translations/messages.html", texts=texts, samples=samples, language=language, name=name,
                shown=service.shown_messages(texts))


@translations.post("/setup/translations/<language>/messages")
@allowed(Right.SET_UP)
def approve_messages(language: str) -> Response:
    """Lets the texts that were shown go to patients."""
    _name(language)
    with kit().work(here().actor) as work:
        outcome = service.approve_messages(work, language, shown=request.form.get("shown", ""))
    return _back(outcome, url_for("translations.messages", language=language))


@translations.get("/setup/translations/<language>/protocols/<code>")
@allowed(Right.SEE_PROTOCOLS)
def protocol(language: str, code: str) -> Response:
    """What a protocol says to patients, line by line."""
    name, texts = _name(language), _protocol(language, code)
    return page("translations/protocol.html", texts=texts, language=language, name=name, places=PLACE_WORDS,
                shown=service.shown_protocol(texts))


@translations.post("/setup/translations/<language>/protocols/<code>")
@allowed(Right.APPROVE_PROTOCOLS)
def approve_protocol(language: str, code: str) -> Response:
    """Lets what a protocol says to patients go to them as it was shown."""
    _name(language)
    _protocol(language, code)
    with kit().work(here().actor) as work:
        outcome = service.approve_protocol(work, code, language, shown=request.form.get("shown", ""))
    return _back(outcome, url_for("translations.protocol", language=language, code=code))


def _name(language: str) -> str:
    if language not in service.OTHERS:
        abort(404)
    return LANGUAGES[language]


def _protocol(language: str, code: str) -> ProtocolTexts:
    with kit().read() as db:
        found = protocol_texts(db, language, code)
    if not found:
        abort(404)
    return found[0]


def _back(outcome: Done[int] | Refused, address: str) -> Response:
    if isinstance(outcome, Refused):
        flash(outcome.findings[0].text, "warn")
    else:
        flash(f"Approved {plural(outcome.value, 'text')}. Messages that waited for it go their way.", "ok")
    return redirect(address, 303)
