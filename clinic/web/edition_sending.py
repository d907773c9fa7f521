"""An edition on its way: approved for the readers that were shown, taken back, stopped."""
from __future__ import annotations

from datetime import datetime, time

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.newsletter import Audience
from clinic.planning.local import instant, local_of
from clinic.queries.audience import count_audience
from clinic.queries.newsletter import EditionCard
from clinic.services import editions
from clinic.services.work import Refused
from clinic.web.edition_form import INTEREST_WORDS, LANGUAGE_WORDS
from clinic.web.entry import allowed, here, today
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.newsletter import card_of, newsletter
from clinic.web.pages import page
from clinic.web.words import moment


@newsletter.get("/setup/newsletter/<int:edition_id>/approve")
@allowed(Right.WRITE_NEWSLETTER)
def approval(edition_id: int) -> Response:
    """How many would get it, and when: what the button below agrees to."""
    return _page(Form(), card_of(edition_id))


@newsletter.post("/setup/newsletter/<int:edition_id>/approve")
@allowed(Right.WRITE_NEWSLETTER)
def approve(edition_id: int) -> Response:
    """Lets it go out to exactly so many readers as were shown, or shows the numbers again."""
    card, form = card_of(edition_id), Form(request.form)
    count, version = form.number("count", "The readers", least=0, most=999_999_999), form.version()
    send_at = _read_time(form)
    if form.faults or count is None:
        return _page(form, card)
    with kit().work(here().actor) as work:
        outcome = editions.approve_edition(work, edition_id, send_at=send_at, count=count, lock_version=version)
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _page(form, card)
    begins = "now" if send_at <= now() else f"on {moment(local_of(send_at, here().clinic.zone))}"
    flash(f"Approved for {outcome.value} readers. It goes out {begins}.", "ok")
    return redirect(url_for("newsletter.show", edition_id=edition_id), 303)


@newsletter.post("/setup/newsletter/<int:edition_id>/withdraw")
@allowed(Right.WRITE_NEWSLETTER)
def withdraw(edition_id: int) -> Response:
    """Makes a draft of it again, as long as nobody was written to."""
    card_of(edition_id)
    with kit().work(here().actor) as work:
        outcome = editions.withdraw_edition(work, edition_id)
    refused = isinstance(outcome, Refused)
    flash(outcome.findings[0].text if refused else "It is a draft again, and goes to nobody.",
          "error" if refused else "ok")
    return redirect(url_for("newsletter.show", edition_id=edition_id), 303)


@newsletter.post("/setup/newsletter/<int:edition_id>/stop")
@allowed(Right.WRITE_NEWSLETTER)
def stop(edition_id: int) -> Response:
    """Writes to nobody else, and takes back what waits."""
    card_of(edition_id)
    with kit().work(here().actor) as work:
        outcome = editions.stop_edition(work, edition_id)
    flash(f"Stopped. {outcome.value} that waited were taken back; what had left cannot be.", "ok")
    return redirect(url_for("newsletter.show", edition_id=edition_id), 303)


def _read_time(form: Form) -> datetime:
    if form.one_of("when", "When it goes out", ("now", "later")) != "later":
        return now()
    on = form.date("on", "The day", earliest=today())
    at = form.time("at", "The time")
    return now() if on is None or at is None else instant(on, at, here().clinic.zone)


def _page(form: Form, card: EditionCard) -> Response:
    audience = Audience(frozenset(card.languages), frozenset(card.interests))
    with kit().read() as db:
        counts = count_audience(db, audience, consented_by=now())
        left_out = count_audience(db, Audience(frozenset(LANGUAGE_WORDS) - audience.languages, audience.interests),
                                  consented_by=now())
    local = local_of(now(), here().clinic.zone)
    return page("newsletter/approve.html", form.status, form=form, edition=card, counts=counts, left_out=left_out,
                total=sum(counts.values()), languages=LANGUAGE_WORDS, interests=INTEREST_WORDS,
                later=datetime.combine(local.date(), time(min(local.hour + 1, 23))))
