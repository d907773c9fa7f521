"""The newsletter at the desk: editions written, tried, approved and followed, and the list of readers."""
from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.newsletter import LANGUAGES
from clinic.planning.findings import Finding
from clinic.queries.audience import count_readers
from clinic.queries.newsletter import (
    EditionCard,
    clinic_of_edition,
    edition_card,
    editions_of,
    held_of,
    readers_page,
)
from clinic.services import editions
from clinic.services.mail import mail_is_on, release_held
from clinic.services.newsletter_post import edition_letter
from clinic.services.subscribing import stop_reader
from clinic.services.work import Refused, Stale
from clinic.web.edition_form import INTEREST_WORDS, LANGUAGE_WORDS, field_choices, initial_of, read_draft
from clinic.web.entry import allowed, check_clinic, here
from clinic.web.forms import Form
from clinic.web.headers import MESSAGE_POLICY
from clinic.web.kit import kit, now
from clinic.web.numbers import page_number
from clinic.web.pages import page, stale_page

newsletter = Blueprint("newsletter", __name__)

STATES = ("asked", "subscribed", "stopped")


@newsletter.get("/setup/newsletter")
@allowed(Right.WRITE_NEWSLETTER)
def index() -> Response:
    """The editions of the current clinic, and how many readers there are."""
    with kit().read() as db:
        found, readers, is_on = editions_of(db, here().clinic_id), count_readers(db), mail_is_on(db)
    return page("newsletter/index.html", editions=found, readers=readers, is_on=is_on, now=now(),
                languages=LANGUAGE_WORDS, interests=INTEREST_WORDS)


@newsletter.get("/setup/newsletter/new")
@allowed(Right.WRITE_NEWSLETTER)
def new() -> Response:
    """The form for a new edition."""
    return _form(Form(initial={"in_archive": "yes"}), None)


@newsletter.post("/setup/newsletter")
@allowed(Right.WRITE_NEWSLETTER)
def begin() -> Response:
    """Keeps a new draft, or shows what to correct."""
    form = Form(request.form)
    draft = read_draft(form)
    if not form.faults:
        with kit().work(here().actor) as work:
            outcome = editions.begin_edition(work, here().clinic_id, draft)
        if not isinstance(outcome, Refused):
            flash("The draft was saved. Read it below, and send yourself a test.", "ok")
            _warn(outcome.findings)
            return redirect(url_for("newsletter.show", edition_id=outcome.value), 303)
        form.add(outcome.findings)
    return _form(form, None)


@newsletter.get("/setup/newsletter/<int:edition_id>")
@allowed(Right.WRITE_NEWSLETTER)
def show(edition_id: int) -> Response:
    """One edition: how it reads in each language, whom it is for, and how far it has gone."""
    card = card_of(edition_id)
    language = request.args.get("language", card.languages[0] if card.languages else LANGUAGES[0])
    if language not in card.languages:
        abort(404)
    with kit().read() as db:
        sample = edition_letter(db, edition_id, language, stop=_sample_link(), base_url=kit().settings.base_url)
        is_on = mail_is_on(db)
    return page("newsletter/show.html", edition=card, stage=card.stage(now()), language=language, sample=sample,
                languages=LANGUAGE_WORDS, interests=INTEREST_WORDS, is_on=is_on)


@newsletter.get("/setup/newsletter/<int:edition_id>/<language>.html")
@allowed(Right.WRITE_NEWSLETTER)
def html(edition_id: int, language: str) -> Response:
    """The edition as a reader sees it, for a frame in which nothing runs."""
    if language not in card_of(edition_id).languages:
        abort(404)
    with kit().read() as db:
        sample = edition_letter(db, edition_id, language, stop=_sample_link(), base_url=kit().settings.base_url)
    response = Response(sample.html, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = MESSAGE_POLICY
    return response


@newsletter.get("/setup/newsletter/<int:edition_id>/edit")
@allowed(Right.WRITE_NEWSLETTER)
def edit(edition_id: int) -> Response:
    """The form of a draft."""
    card = card_of(edition_id)
    return _form(Form(initial=initial_of(card)), card)


@newsletter.post("/setup/newsletter/<int:edition_id>")
@allowed(Right.WRITE_NEWSLETTER)
def save(edition_id: int) -> Response:
    """Keeps other words of a draft, or shows what to correct, or what someone else made of it meanwhile."""
    card, form = card_of(edition_id), Form(request.form)
    draft, version = read_draft(form), form.version()
    if form.faults:
        return _form(form, card)
    try:
        with kit().work(here().actor) as work:
            outcome = editions.save_edition(work, edition_id, draft, lock_version=version)
    except Stale as error:
        rows = [("Name", card.title, draft.title)] + [
            (f"Subject, {LANGUAGE_WORDS[language]}", _subject(card.contents, language), _subject(
                draft.contents, language)) for language in LANGUAGES]
        return stale_page(error, title="Edition", rows=rows, again=url_for("newsletter.edit", edition_id=edition_id))
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _form(form, card)
    flash("The edition was saved.", "ok")
    _warn(outcome.findings)
    return redirect(url_for("newsletter.show", edition_id=edition_id), 303)


@newsletter.post("/setup/newsletter/<int:edition_id>/test")
@allowed(Right.WRITE_NEWSLETTER)
def test(edition_id: int) -> Response:
    """Sends it to the address of whoever asks."""
    card, form = card_of(edition_id), Form(request.form)
    language = form.one_of("language", "A language", card.languages)
    if form.faults:
        abort(404)
    with kit().work(here().actor) as work:
        outcome = editions.send_test(work, edition_id, language)
    refused = isinstance(outcome, Refused)
    flash(outcome.findings[0].text if refused else "A test is on its way to your own address.",
          "error" if refused else "ok")
    return redirect(url_for("newsletter.show", edition_id=edition_id, language=language), 303)


@newsletter.post("/setup/newsletter/<int:edition_id>/archive")
@allowed(Right.WRITE_NEWSLETTER)
def archive(edition_id: int) -> Response:
    """Shows it on the public page of editions, or does not."""
    card_of(edition_id)
    shown = Form(request.form).ticked("shown")
    with kit().work(here().actor) as work:
        editions.show_in_archive(work, edition_id, shown=shown)
    flash("Everybody can read it on the page of editions." if shown else "It is not on the page of editions.", "ok")
    return redirect(url_for("newsletter.show", edition_id=edition_id), 303)


@newsletter.post("/setup/newsletter/<int:edition_id>/release")
@allowed(Right.WRITE_NEWSLETTER)
def release(edition_id: int) -> Response:
    """Lets those of its messages go that came due while e-mail was off."""
    card_of(edition_id)
    with kit().read() as db:
        held = held_of(db, edition_id)
    with kit().work(here().actor) as work:
        released = release_held(work, held)
    flash(f"{released} will be sent." if released else "None was held any more.", "ok" if released else "info")
    return redirect(url_for("newsletter.show", edition_id=edition_id), 303)


@newsletter.get("/setup/newsletter/readers")
@allowed(Right.WRITE_NEWSLETTER)
def readers() -> Response:
    """The addresses, each with what is kept of its consent."""
    find, state = request.args.get("q", "")[:100], request.args.get("state", "")
    state = state if state in STATES else ""
    with kit().read() as db:
        found = readers_page(db, find=find, state=state, number=page_number())
        counts = count_readers(db)
    return page("newsletter/readers.html", found=found, find=find, state=state, counts=counts, states=STATES,
                languages=LANGUAGE_WORDS, interests=INTEREST_WORDS)


@newsletter.post("/setup/newsletter/readers/<int:subscriber_id>/stop")
@allowed(Right.WRITE_NEWSLETTER)
def stop_for(subscriber_id: int) -> Response:
    """Ends the newsletter for a reader who said so by phone or at the desk."""
    with kit().work(here().actor) as work:
        stop_reader(work, subscriber_id)
    flash("This address gets no newsletter any more.", "ok")
    return redirect(url_for("newsletter.readers"), 303)


def card_of(edition_id: int) -> EditionCard:
    """An edition of the current clinic; 404 for any other."""
    with kit().read() as db:
        check_clinic(clinic_of_edition(db, edition_id))
        card = edition_card(db, edition_id)
    if card is None:
        abort(404)
    return card


def _warn(findings: Iterable[Finding]) -> None:
    for finding in findings:
        flash(finding.text, "warn")


def _form(form: Form, card: EditionCard | None) -> Response:
    return page("newsletter/form.html", form.status, form=form, edition=card, **field_choices(form),
                version=form.value("lock_version") or (card.lock_version if card else 1))


def _sample_link() -> str:
    return f"{kit().settings.base_url}/newsletter/stop/test"


def _subject(contents: object, language: str) -> str:
    return next((each.subject for each in contents if each.language == language), "")  # type: ignore[attr-defined]
