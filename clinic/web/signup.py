"""The newsletter in public: signing up, saying so a second time, stopping, and the editions so far.

A page that an e-mail leads to shows the same to everybody and changes nothing; only its button acts. The stop is the
one form of the program that needs no token: it can do nothing else, and a mail program presses it without a page.
"""
from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, request, url_for
from werkzeug.wrappers import Response

from clinic.care.newsletter import CONSENT, INTERESTS, LANGUAGES
from clinic.planning.local import local_of, zone
from clinic.queries.clinics import clinic_signs
from clinic.queries.newsletter import archive as archive_rows
from clinic.queries.newsletter import archived_edition
from clinic.queries.shell import business_name
from clinic.services.subscribing import Wish, admit_sign_up, consent, sign_up
from clinic.services.subscribing import stop as stop_newsletter
from clinic.services.work import Actor
from clinic.web.entry import first_run_is_due, public
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.newsletter_words import WORDS, NewsletterWords
from clinic.web.pages import page

signup = Blueprint("signup", __name__)

_ANONYMOUS = Actor("visitor")
_TRAP = "website"
"""A field that no person sees: what is typed into it was typed by a machine."""


@signup.get("/newsletter")
@public
def form() -> Response:
    """The form, and what is agreed to with it."""
    return _sign_up_page(Form(initial={"language": _language()}))


@signup.post("/newsletter")
@public
def ask() -> Response:
    """Asks the owner of the address by e-mail; the answer is the same whatever is known of it."""
    form, words = Form(request.form), WORDS[_language()]
    wish = Wish(form.text("email", words.email, most=254), form.one_of("language", words.language, LANGUAGES),
                form.some_of("interests", words.interests, INTERESTS))
    if "email" in form.faults or "@" not in wish.email:
        form.faults["email"] = words.email_fault
    if form.faults:
        return _sign_up_page(form)
    if not form.value(_TRAP):
        with kit().work(_ANONYMOUS) as work:
            if not admit_sign_up(work, request.remote_addr or "unknown"):
                form.fault("", words.too_many)
                return _sign_up_page(form, 429)
        try:
            with kit().work(_ANONYMOUS) as work:
                sign_up(work, wish)
        except ValueError:
            form.fault("email", words.email_fault)
            return _sign_up_page(form)
    return _said("asked", wish.language, email=wish.email)


@signup.get("/newsletter/opt-in/<secret>")
@public
def question(secret: str) -> Response:
    """What the button in the e-mail leads to: the same page for every link, which changes nothing."""
    return _page("newsletter/press.html", what="confirm", action=url_for("signup.opt_in", secret=secret))


@signup.post("/newsletter/opt-in/<secret>")
@public
def opt_in(secret: str) -> Response:
    """The owner of the address wants it."""
    with kit().work(_ANONYMOUS) as work:
        wanted = consent(work, secret)
    return _said("confirmed", _language()) if wanted else _dead()


@signup.get("/newsletter/stop/<secret>")
@public
def leave(secret: str) -> Response:
    """What the link of an edition leads to: the same page for every link, which changes nothing."""
    return _page("newsletter/press.html", what="stop", action=url_for("signup.stop", secret=secret))


@signup.post("/newsletter/stop/<secret>")
@public
def stop(secret: str) -> Response:
    """Stops the newsletter at once, also when a mail program asks for it (RFC 8058): without cookie, token or redirect.
    """
    with kit().work(_ANONYMOUS) as work:
        stopped = stop_newsletter(work, secret)
    return _said("stopped", _language()) if stopped else _dead()


@signup.get("/newsletter/archive")
@public
def archive() -> Response:
    """The editions so far."""
    words = WORDS[_language()]
    with kit().read() as db:
        rows = archive_rows(db, _language(), now())
    return _page("newsletter/archive.html", rows=[(row, _day(row, words)) for row in rows])


@signup.get("/newsletter/archive/<int:edition_id>")
@public
def edition(edition_id: int) -> Response:
    """One edition, as a page."""
    with kit().read() as db:
        row = archived_edition(db, edition_id, _language(), now())
    if row is None:
        abort(404)
    return _page("newsletter/edition.html", row=row, day=_day(row, WORDS[_language()]))


def _language() -> str:
    """The language that was asked for, else the browser's, else English."""
    asked = request.form.get("page_language") or request.args.get("language", "")
    return asked if asked in WORDS else request.accept_languages.best_match(WORDS, default="en")


def _sign_up_page(form: Form, status: int | None = None) -> Response:
    language = _language()
    with kit().read() as db:
        consented = CONSENT[language].said_of(business_name(db))
    return _page("newsletter/sign_up.html", status or form.status, form=form, trap=_TRAP, wording=consented)


def _said(what: str, language: str, **more: Any) -> Response:
    return _page("newsletter/said.html", what=what, language=language if language in WORDS else "en", **more)


def _dead() -> Response:
    return _page("newsletter/said.html", 404, what="dead")


def _page(template: str, status: int = 200, *, language: str = "", **facts: Any) -> Response:
    if first_run_is_due():
        abort(404)
    language = language or _language()
    other = "de" if language == "en" else "en"
    with kit().read() as db:
        clinics = clinic_signs(db)
    return page(template, status, words=WORDS[language], language=language, clinics=clinics, other=other,
                other_href=url_for("signup.form", language=other), **facts)


def _day(row: Any, words: NewsletterWords) -> str:
    local = local_of(row.sent_at, zone(row.zone))
    return words.day.format(day=local.day, month=words.months[local.month - 1], year=local.year)
