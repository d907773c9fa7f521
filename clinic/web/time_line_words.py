"""The time line in words: each entry as an icon, a sentence, what more there is to say of it, who, and when."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from clinic.care.self_service import REQUESTS
from clinic.care.states import ContactOutcome, MessageState
from clinic.care.time_line import Entry, Source, Theme
from clinic.interchange.bounce_words import in_words
from clinic.planning.local import local_of
from clinic.queries.visit_choice import parse_choice
from clinic.web.course_words import CAUSES
from clinic.web.reasons import reason_words
from clinic.web.telling_words import OUTCOMES
from clinic.web.words import MESSAGE_KINDS, lower_first, moment, plural

THEMES = {
    Theme.VISITS: "Visits", Theme.MESSAGES: "Messages and calls", Theme.FINDINGS: "Findings and consents",
    Theme.COURSE: "Course", Theme.NOTES: "Notes and tasks", Theme.RECORD: "Record",
}
_VISITS = {
    "proposed": ("{visit}: held", "clock", "info"), "booked": ("{visit}", "calendar", "accent"),
    "arrived": ("{visit}: is here", "pin", "warn"), "fulfilled": ("{visit}: done", "check-circle", "ok"),
    "cancelled": ("{visit}: here, not treated", "stop", "warn"), "noshow": ("{visit}: did not come", "alert", "bad"),
    "performed": ("{visit}: done, as another system says", "check-circle", "ok"),
}
_MESSAGES = {
    MessageState.PENDING: ("waits", "clock", ""), MessageState.SENDING: ("on its way", "send", ""),
    MessageState.SENT: ("sent", "mail", ""), MessageState.UNCERTAIN: ("may not have arrived", "help", "warn"),
    MessageState.FAILED: ("failed", "alert", "bad"), MessageState.SUPERSEDED: ("replaced by a later one", "repeat", ""),
    MessageState.EXPIRED: ("not sent in time", "x-circle", ""), MessageState.HELD: ("held back", "pause", "warn"),
    MessageState.WITHHELD: ("not sent", "shield", ""),
}
_BOUNCES = {
    "came-back-for-good": "An e-mail came back, and nothing goes to that address any more",
    "came-back": "An e-mail came back", "late": "A mail server is still trying to deliver an e-mail",
}
_TASKS = {
    "consultation": "Consultation to arrange", "call": "Call to make", "other": "Task",
    "move": "Asked for another time", "cancel": "Asked to cancel", "unprepared": "Cannot follow the preparation",
    "symptom": "Reported a symptom", "bounce": "Address to correct",
}
_DEEDS = {
    "course-booked": ("Course booked", "course-add"), "course-moved-in": ("Moved in from another system", "download"),
    "course-stopped": ("Course stopped early", "stop"), "course-completed": ("Course completed", "check-circle"),
    "course-held": ("Put on hold", "pause"), "course-resumed": ("Goes on", "play"),
    "course-repaired": ("Course put right", "repeat"), "repair-undone": ("Putting right undone", "undo"),
    "sessions-counted": ("Sessions counted as given", "repeat"),
    "course-extended": ("Sessions added", "plus"), "interval-changed": ("Interval changed", "repeat"),
    "version-taken-over": ("Newer version of the protocol taken over", "book"),
    "dates-held": ("Dates held, subject to a consultation", "clock"), "dates-confirmed": ("Dates confirmed", "check"),
    "hold-changed": ("Held until another day", "clock"),
    "course-lapsed": ("Ended: the dates were not confirmed in time", "stop"),
    "upkeep-owed": ("{visit} owed", "ring"), "session-overdue": ("{visit} overdue: a call was asked for", "phone"),
    "session-booked": ("{visit} booked", "calendar"), "visit-booked": ("{visit} booked", "calendar"),
    "appointment-moved": ("{visit} moved", "move"), "move-undone": ("{visit} moved back", "undo"),
    "appointment-cancelled": ("{visit} cancelled", "x-circle"), "hold-expired": ("{visit} no longer held", "x-circle"),
    "appointment-confirmed": ("{visit} confirmed", "check"), "appointment-pinned": ("{visit} fixed", "pin"),
    "appointment-unpinned": ("{visit} not fixed any more", "pin"),
    "appointment-swapped": ("Another room or device for {visit}", "room"),
    "late-told": ("Told that {visit} begins later", "phone"),
    "appointment-rederived": ("{visit} kept at its local time under new rules of the clock", "clock"),
    "appointment-left-behind": ("{visit} meets another one under new rules of the clock", "alert"),
    "patient-added": ("Patient added", "person"), "patient-changed": ("Details changed", "edit"),
    "patients-merged": ("Two records put together", "people"),
    "merge-undone": ("The two records taken apart again", "undo"),
    "link-opened": ("Opened their own page", "link"), "fresh-link-asked": ("Asked for a new link", "link"),
    "links-revoked": ("Links revoked", "lock"), "birth-date-right": ("Gave their birth date", "lock"),
    "birth-date-wrong": ("A wrong birth date was given at their page", "lock"),
    "address-freed": ("Messages go to the address again", "mail"),
}
_FIELDS = {
    "given_name": "first name", "family_name": "family name", "birth_on": "birth date", "email": "e-mail",
    "phone": "phone", "language": "language", "channel": "how they are reached",
    "wants_service_messages": "messages", "wants_reminders": "reminders", "marketing_consent_at": "offers",
    "only_times": "only at", "rather_times": "rather at", "alerts": "alerts",
}
_PASSED = {
    "patient-unwilling": "outside the times that the patient comes at: they agreed",
    "off-grid": "off the grid of starts, with a reason",
}
_ACTORS = {"patient": "The patient", "worker": "By itself", "cli": "Command line", "demo": "Demo", "account": "",
           "visitor": "By a link", "test": "Test"}


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it is shown; `more` is ours, `quote` what somebody wrote, `at` a local time, `away` who or what of a
    visit to come is away."""

    at: datetime
    icon: str
    tone: str
    what: str
    more: tuple[str, ...]
    quote: str
    who: str
    href_message: int | None = None
    href_course: int | None = None
    is_visit: bool = False
    away: str = ""


def line_of(entry: Entry, where: ZoneInfo, *, now: datetime) -> Line:
    """The entry in words, by the clock of that zone; a visit by its own."""
    return _WORDS.get(entry.source, _deed)(entry, where, now)


def _visit(entry: Entry, where: ZoneInfo, now: datetime) -> Line:
    words, icon, tone = _VISITS[entry.what]
    if entry.what == "booked" and entry.at <= now:
        words, icon, tone = "{visit}: still open", "alert", "warn"
    came = f"came {local_of(entry.then, where):%H:%M}" if entry.then else ""
    cause = lower_first(CAUSES.get(entry.why, entry.why))
    closed = f"closed by {entry.by}" if entry.by and entry.by != entry.who else ""
    with_whom = f"with {entry.who}" if entry.who else ""
    return Line(entry.local_start or local_of(entry.at, where), icon, tone, _filled(words, entry),
                _some(cause, came, closed), entry.words, with_whom, href_course=entry.ref, is_visit=True)


def _message(entry: Entry, where: ZoneInfo, now: datetime) -> Line:
    state, icon, tone = _MESSAGES[MessageState(entry.what)]
    kinds = ", ".join(MESSAGE_KINDS.get(kind, kind) for kind in entry.said) or "Message"
    why = "" if entry.what == MessageState.SUPERSEDED else entry.why
    about = lower_first(_visit_name(entry)) if entry.number else ""
    return Line(local_of(entry.at, where), icon, tone, f"{kinds}: {state}", _some(about, why), "", entry.by,
                href_message=entry.ref)


def _contact(entry: Entry, where: ZoneInfo, now: datetime) -> Line:
    went = lower_first(OUTCOMES[ContactOutcome(entry.what)])
    return Line(local_of(entry.at, where), "phone", "", f"In person: {went}", (), entry.words, entry.who,
                href_message=entry.ref)


def _bounce(entry: Entry, where: ZoneInfo, now: datetime) -> Line:
    return Line(local_of(entry.at, where), "alert", "warn", _BOUNCES[entry.what],
                _some(in_words(entry.why, entry.words)), "", "", href_message=entry.ref)


def _screening(entry: Entry, where: ZoneInfo, now: datetime) -> Line:
    found = entry.said or ("none of the contraindications applies",)
    return Line(local_of(entry.at, where), "shield", "", _about("Screening", entry), tuple(map(lower_first, found)), "",
                entry.who)


def _override(entry: Entry, where: ZoneInfo, now: datetime) -> Line:
    return Line(local_of(entry.at, where), "shield", "warn", entry.said[0] if entry.said else entry.what,
                _some(entry.about), entry.words, entry.who)


def _note(entry: Entry, where: ZoneInfo, now: datetime) -> Line:
    read = f"read {moment(local_of(entry.then, where))}" + (f" by {entry.by}" if entry.by else "") if entry.then else (
        "not read yet")
    return Line(local_of(entry.at, where), "flag", "", "Note for the next visit", (read,), entry.words, entry.who)


def _clinical_note(entry: Entry, where: ZoneInfo, now: datetime) -> Line:
    return Line(local_of(entry.at, where), "lock", "", "Clinical note", (), entry.words, entry.who)


def _task(entry: Entry, where: ZoneInfo, now: datetime) -> Line:
    done = f"done {moment(local_of(entry.then, where))}" + (f" by {entry.by}" if entry.by else "") if entry.then else (
        "to be done")
    who = entry.who or ("The patient" if entry.what in REQUESTS else "")
    icon = "inbox" if entry.what in REQUESTS else "tasks"
    return Line(local_of(entry.at, where), icon, "", _TASKS[entry.what], _some(done, entry.why), entry.words, who)


def _consent(entry: Entry, where: ZoneInfo, now: datetime) -> Line:
    words = {"offers": "Agreed to offers", "newsletter": "Agreed to the newsletter",
             "newsletter-stopped": "Wants no newsletter any more"}
    return Line(local_of(entry.at, where), "check" if entry.what != "newsletter-stopped" else "x", "",
                words[entry.what], (), entry.words, "The patient")


def _deed(entry: Entry, where: ZoneInfo, now: datetime) -> Line:
    words, icon = _DEEDS.get(entry.what, (entry.what.replace("-", " ").capitalize(), "dot"))
    said, quote = _deed_facts(entry, where), ""
    if entry.what == "appointment-cancelled":
        quote = reason_words(entry.words)
    if entry.source in (Source.DEED_ON_COURSE, Source.DEED_ON_UPKEEP):
        words = _about(words, entry)
    who = _ACTORS.get(entry.who, entry.who)
    return Line(local_of(entry.at, where), icon, "", _filled(words, entry), said, quote, who)


def _deed_facts(entry: Entry, where: ZoneInfo) -> tuple[str, ...]:
    facts = entry.facts
    if entry.what in ("appointment-moved", "move-undone"):
        is_last = facts.get("revision") == entry.ref and entry.local_start is not None
        to = f"to {moment(entry.local_start)}" if is_last and entry.local_start else ""
        return _some(_from(facts, where), to, *_passed(facts))
    if entry.what in ("session-booked", "visit-booked"):
        at = f"for {moment(entry.local_start)}" if entry.local_start and entry.ref == 0 else ""
        return _some(at, *_passed(facts))
    if entry.what in ("appointment-cancelled", "hold-expired", "appointment-confirmed"):
        return _some(moment(entry.local_start) if entry.local_start else "", _asked(facts, where))
    if entry.what == "late-told":
        return _some(_later(facts, where))
    if entry.what == "patient-changed":
        return _some(", ".join(_FIELDS.get(each, each) for each in facts.get("fields", ())))
    if entry.what == "sessions-counted":
        return (f"session {facts['session']} is session {facts['becomes']} now: that one was still owed",)
    if entry.what == "course-extended" and isinstance(facts.get("sessions"), int):
        return (plural(facts["sessions"], "session"),)
    return ()


def _passed(facts: Mapping[str, Any]) -> Iterator[str]:
    """What was gone past for a visit that belongs to no course."""
    return (_PASSED.get(code, code) for code in facts.get("over", ()))


def _from(facts: Mapping[str, object], where: ZoneInfo) -> str:
    """When it was before; what was not kept is not said."""
    try:
        return f"from {moment(local_of(parse_choice(str(facts.get('before', ''))).starts_at, where))}"
    except ValueError:
        return ""


def _asked(facts: Mapping[str, object], where: ZoneInfo) -> str:
    at = facts.get("asked_at")
    return f"asked for {moment(local_of(datetime.fromisoformat(str(at)), where))}" if at else ""


def _later(facts: Mapping[str, object], where: ZoneInfo) -> str:
    return f"at about {local_of(datetime.fromisoformat(str(facts['begins_at'])), where):%H:%M}"


def _filled(words: str, entry: Entry) -> str:
    return words.replace("{visit}", _visit_name(entry))


def _visit_name(entry: Entry) -> str:
    if entry.number is None:
        return entry.about or "Visit"
    name = f"{'Maintenance session' if entry.is_upkeep else 'Session'} {entry.number}"
    return name if entry.source is not Source.VISIT or not entry.about else f"{name}, {entry.about}"


def _about(words: str, entry: Entry) -> str:
    return f"{words}: {entry.about}" if entry.about else words


def _some(*words: str) -> tuple[str, ...]:
    return tuple(each for each in words if each)


_WORDS: Mapping[Source, Callable[[Entry, ZoneInfo, datetime], Line]] = {
    Source.VISIT: _visit, Source.PERFORMED: _visit, Source.MESSAGE: _message, Source.CONTACT: _contact,
    Source.BOUNCE: _bounce, Source.SCREENING: _screening, Source.OVERRIDE: _override, Source.NOTE: _note,
    Source.CLINICAL_NOTE: _clinical_note, Source.TASK: _task, Source.OFFERS: _consent, Source.NEWSLETTER: _consent,
    Source.NO_NEWSLETTER: _consent,
}
