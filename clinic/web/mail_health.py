"""Set-up → Health: whether messages go out as they should, and what to do where they do not."""
from __future__ import annotations

from typing import Any

from flask import Blueprint, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.care.mail_health import Check, Tone, lives, mail_health, needs_a_person
from clinic.queries.mail_facts import mail_facts
from clinic.web.entry import allowed, here
from clinic.web.kit import kit, now
from clinic.web.pages import page

mail = Blueprint("mail", __name__)

_TONES = {
    Tone.OK: ("Well", "ok", "check-circle"), Tone.WARN: ("Look", "warn", "alert"), Tone.BAD: ("Act", "bad", "stop"),
}
_PLACES = {
    "failed": ("telling.index", Right.SEE_MESSAGES), "uncertain": ("telling.index", Right.SEE_MESSAGES),
    "held": ("messages.index", Right.SEE_MESSAGES),
}


@mail.get("/setup/health")
@allowed(Right.SEE_AUDIT)
def show() -> Response:
    """Every check with its tone, and the workers."""
    with kit().read() as db:
        facts = mail_facts(db, now=now())
    checks = mail_health(facts, now=now())
    return page("mail/health.html", checks=checks, worst=checks[0].tone, tones=_TONES, facts=facts,
                lives=lambda worker: lives(worker, now()), place=_place)


def urgent_checks(db: Any) -> tuple[Check, ...]:
    """What of the messages needs a person now, for who may see messages here."""
    if not here().may(Right.SEE_MESSAGES):
        return ()
    return needs_a_person(mail_health(mail_facts(db, now=now()), now=now()))


def _place(check: Check) -> str:
    """Where something can be done about it, for those who may enter there."""
    endpoint, right = _PLACES.get(check.code, ("", Right.SEE_MESSAGES))
    return url_for(endpoint) if endpoint and check.tone is not Tone.OK and here().may(right) else ""
