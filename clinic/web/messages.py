"""Messages to patients: where each stands, and what it says."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.owed_items import IN_ABSENCE
from clinic.care.states import MessageState
from clinic.queries.held_back import held_back
from clinic.queries.message_story import message_story
from clinic.queries.messages import (
    MOST_PATIENTS,
    MessageRow,
    MessagesPage,
    clinic_of_message,
    message_page,
    messages_page,
)
from clinic.services.letters import MessageBody, body_of
from clinic.services.mail import mail_is_on, note_read, release_held
from clinic.services.sending import LONGEST_NOTE
from clinic.services.translations import waits_for_reading
from clinic.web.addresses import safe_next
from clinic.web.entry import allowed, check_clinic, here
from clinic.web.forms import Form
from clinic.web.headers import MESSAGE_POLICY
from clinic.web.kit import kit, now
from clinic.web.message_words import STEPS, WAITS, happened, reply
from clinic.web.numbers import page_number
from clinic.web.pages import page
from clinic.web.words import MESSAGE_KINDS, MESSAGE_STATES

messages = Blueprint("messages", __name__)


@messages.get("/messages")
@allowed(Right.SEE_MESSAGES)
def index() -> Response:
    """The messages of the current clinic: in one state or all, of one kind or all, to whom the search finds."""
    state, kind = request.args.get("state", ""), request.args.get("kind", "")
    chosen = MessageState(state) if state in {each.value for each in MessageState} else None
    wanted = {"kind": kind if kind in MESSAGE_KINDS else None, "q": request.args.get("q", "").strip()[:100] or None}
    with kit().read() as db:
        found = messages_page(
            db, here().clinic_id, state=chosen, kind=wanted["kind"], search=wanted["q"] or "",
            number=page_number())
        is_on, waits = mail_is_on(db), held_back(db, now())
    return page("messages/index.html", found=found, chosen=chosen, wanted=wanted, is_on=is_on, held_back=waits,
                kinds=sorted(MESSAGE_KINDS.items(), key=lambda each: each[1]),
                tabs_of=_tabs(found, chosen, wanted), most_patients=MOST_PATIENTS,
                many="more than " if found.more else "")


@messages.get("/messages/<int:message_id>")
@allowed(Right.SEE_MESSAGES)
def show(message_id: int) -> Response:
    """One message with its words, and everything that happened to it."""
    return message_shown(message_id, Form())


@messages.get("/messages/<int:message_id>/html")
@allowed(Right.SEE_MESSAGES)
def html(message_id: int) -> Response:
    """The body as the patient sees it, for a frame in which nothing runs."""
    response = Response(_body(message_id).html, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = MESSAGE_POLICY
    return response


@messages.get("/messages/<int:message_id>/<int:number>.ics")
@allowed(Right.SEE_MESSAGES)
def calendar(message_id: int, number: int) -> Response:
    """The calendar file of that number, from 1."""
    files = _body(message_id).calendars
    if not 1 <= number <= len(files):
        abort(404)
    response = Response(files[number - 1], content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="appointments.ics"'
    return response


@messages.post("/messages/<int:message_id>/release")
@allowed(Right.RELEASE_MESSAGES)
def release(message_id: int) -> Response:
    """Lets a held message go its way."""
    check_message(message_id)
    with kit().work(here().actor) as work:
        released = release_held(work, (message_id,))
    flash("The message will be sent." if released else "The message was no longer held.", "ok" if released else "info")
    return redirect(safe_next(url_for("messages.show", message_id=message_id)), 303)


@messages.post("/messages/<int:message_id>/read")
@allowed(Right.RELEASE_MESSAGES)
def read(message_id: int) -> Response:
    """Notes that somebody has read a message before it is due."""
    check_message(message_id)
    with kit().work(here().actor) as work:
        waits = note_read(work, message_id)
    flash("It goes by itself when it is due." if waits else "The message was no longer waiting.",
          "ok" if waits else "info")
    return redirect(url_for("messages.show", message_id=message_id), 303)


def message_shown(message_id: int, form: Form) -> Response:
    """The page of a message, with what stands in the way of what was asked of it."""
    check_message(message_id)
    with kit().read() as db:
        found, body = message_page(db, message_id), body_of(db, message_id, now=now())
        if found is None:
            abort(404)
        story, is_on = message_story(db, message_id, now=now()), mail_is_on(db)
        unread = waits_for_reading(db, message_id, now=now())
    one = _as_it_stands(found.row, body)
    return page("messages/show.html", form.status, form=form, message=found, one=one, body=body, story=story,
                is_on=is_on, unread=unread, happened=happened, reply=reply, waits=WAITS, steps=STEPS,
                longest_note=LONGEST_NOTE, counts_on_absent=one.reason == IN_ABSENCE)


def check_message(message_id: int) -> None:
    """Answers 404 where the view's right is not held at the message's clinic."""
    with kit().read() as db:
        clinic_id = clinic_of_message(db, message_id)
    check_clinic(clinic_id)


def _as_it_stands(row: MessageRow, body: MessageBody | None) -> MessageRow:
    """The row as the worker makes it at its next look, which is up to a minute after something has changed."""
    if body is None or body.waits_as is None or body.waits_as is row.state:
        return row
    return replace(row, state=body.waits_as, reason=body.withheld)


def _body(message_id: int) -> MessageBody:
    check_message(message_id)
    with kit().read() as db:
        body = body_of(db, message_id, now=now())
    if body is None:
        abort(404)
    return body


def _tabs(
    found: MessagesPage, chosen: MessageState | None, wanted: Mapping[str, Any]
) -> list[tuple[str, str, bool, str]]:
    """All messages, and each state that there is; the one that is shown stays even when it is empty."""
    every = f"{sum(found.counts.values())}{'+' if found.more else ''}"
    tabs = [("All", url_for("messages.index", **wanted), chosen is None, every)]
    for state in MessageState:
        if found.counts.get(state) or state is chosen:
            count = f"{found.counts.get(state, 0)}{'+' if state in found.more else ''}"
            tabs.append((MESSAGE_STATES[state], url_for("messages.index", state=state.value, **wanted),
                         state is chosen, count))
    return tabs

