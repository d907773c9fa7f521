"""Dates, times and codes as staff read them: the filters of the templates."""
from __future__ import annotations

from datetime import date, datetime, timedelta

from flask import Flask

from clinic.access import Role
from clinic.care.certificates import CERTIFICATE_KINDS
from clinic.care.dialling import dial_address
from clinic.care.parts import DEVICE_TYPES, QUALIFICATIONS, ROOM_FEATURES
from clinic.care.states import MessageState
from clinic.planning.local import local_of
from clinic.planning.words import MONTHS
from clinic.queries.away import away_words
from clinic.web.entry import here, today

ROLES = {
    Role.RECEPTIONIST: "Receptionist", Role.PRACTITIONER: "Practitioner", Role.MANAGER: "Manager",
    Role.ADMINISTRATOR: "Administrator", Role.AUDITOR: "Auditor",
}
MESSAGE_KINDS = {
    "confirmation": "Confirmation", "precare": "Pre-care checklist", "reminder-7d": "First reminder",
    "reminder-2d": "Second reminder", "change": "Change",
    "clinic-change": "Change, our doing", "cancellation": "Cancellation",
    "aftercare": "Aftercare", "check-in-24h": "First check-in", "check-in-72h": "Second check-in",
    "course-complete": "Course completed", "recall": "Recall",
    "nudge-14d": "Asks to book", "nudge-ideal": "Asks to book, again", "missed": "Missed appointment",
    "out-of-window": "Window has closed", "review-visit": "Invites to the review",
    "review-request": "Asks for an opinion",
    "fresh-link": "New link", "dates-held": "Dates held", "dates-released": "Dates let go",
}
MESSAGE_STATES = {
    MessageState.PENDING: "Pending", MessageState.SENDING: "Sending", MessageState.SENT: "Sent",
    MessageState.UNCERTAIN: "Uncertain", MessageState.FAILED: "Failed", MessageState.SUPERSEDED: "Superseded",
    MessageState.EXPIRED: "Expired", MessageState.HELD: "Held", MessageState.WITHHELD: "Withheld",
}
MESSAGE_STATE_SENTENCES = {
    MessageState.PENDING: "It goes out by itself when it is due.",
    MessageState.SENDING: "It is on its way to the mail server at this moment.",
    MessageState.SENT: "The mail server took it.",
    MessageState.UNCERTAIN: "The connection broke after everything was handed over: it may or may not have arrived. "
                            "Ask the patient before it is sent again.",
    MessageState.FAILED: "It did not arrive. Check the address, or call the patient.",
    MessageState.SUPERSEDED: "It was overtaken by what happened since, and was not sent.",
    MessageState.EXPIRED: "It was not sent in time to be of use, and will not be sent any more.",
    MessageState.HELD: "It waits until a person lets it go.",
    MessageState.WITHHELD: "It is not sent, for the reason given.",
}
APPOINTMENT_KINDS = {
    "session": "Session", "consultation": "Consultation", "patch-test": "Patch test", "review": "Review",
    "other": "Other visit",
}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def install(app: Flask) -> None:
    """Gives the templates these words."""
    app.jinja_env.filters.update(
        day=day, short_day=short_day, long_day=long_day, clock=clock, moment=moment, spoken=spoken,
        local=local, span=span,
        message_kind=lambda code: MESSAGE_KINDS.get(code, code),
        appointment_kind=lambda code: APPOINTMENT_KINDS.get(code, code),
        message_sentence=lambda code: MESSAGE_STATE_SENTENCES[MessageState(code)],
        date_only=date_only, spaced=spaced, plural=plural, lower_first=lower_first,
        qualification=lambda code: QUALIFICATIONS.get(code, spaced(code)),
        certificate_kind=lambda code: CERTIFICATE_KINDS.get(code, code),
        room_feature=lambda code: ROOM_FEATURES.get(code, spaced(code)),
        device_type=lambda code: DEVICE_TYPES.get(code, spaced(code)), away=away,
        away_words=away_words, dialled=dial_address,
    )


def day(on: date) -> str:
    """Such as "Mon 1 Mar 2027"."""
    return f"{WEEKDAYS[on.weekday()][:3]} {on.day} {_MONTHS[on.month - 1]} {on.year}"


def long_day(on: date) -> str:
    """Such as "Monday 1 Mar 2027"."""
    return f"{WEEKDAYS[on.weekday()]} {on.day} {_MONTHS[on.month - 1]} {on.year}"


def date_only(on: date) -> str:
    """Such as "1 Mar 2027", where the weekday means nothing."""
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


def short_day(on: date) -> str:
    """Such as "1 Mar"."""
    return f"{on.day} {_MONTHS[on.month - 1]}"


def clock(at: datetime | int) -> str:
    """Such as "09:00", of a local time or of minutes after midnight."""
    if isinstance(at, int):
        return f"{at // 60 % 24:02}:{at % 60:02}" if at != 1440 else "24:00"
    return f"{at.hour:02}:{at.minute:02}"


def moment(at: datetime) -> str:
    """Such as "Mon 1 Mar 2027, 09:00", of a local time."""
    return f"{day(at.date())}, {clock(at)}"


def spoken(at: datetime) -> str:
    """Such as "Thursday 8 April at 10:15", as it is read aloud; with its year where that is not the present one."""
    on = at.date()
    month = MONTHS[on.month - 1] + ("" if on.year == today().year else f" {on.year}")
    return f"{WEEKDAYS[on.weekday()]} {on.day}\N{NO-BREAK SPACE}{month} at\N{NO-BREAK SPACE}{clock(at)}"


def span(ends: tuple[datetime, datetime]) -> str:
    """Such as "09:00 – 10:15"."""
    return f"{clock(ends[0])} – {clock(ends[1])}"


def local(at: datetime) -> datetime:
    """The reading of the clock at the current clinic."""
    return local_of(at, here().clinic.zone)


def away(ends: tuple[datetime, datetime]) -> str:
    """An absence by the clock of the current clinic: whole days as days, such as "Mon 1 Mar 2027 – Fri 5 Mar 2027"."""
    begins, until = local(ends[0]), local(ends[1])
    if (clock(begins), clock(until)) == ("00:00", "00:00"):
        last = until.date() - timedelta(days=1)
        return day(begins.date()) if last == begins.date() else f"{day(begins.date())} – {day(last)}"
    return f"{moment(begins)} – {clock(until) if until.date() == begins.date() else moment(until)}"


def spaced(code: str) -> str:
    """A code as words."""
    return code.replace("_", " ").replace("-", " ")


def lower_first(words: str) -> str:
    """A sentence's words as part of another one."""
    return words[:1].lower() + words[1:]


def plural(number: int, one: str, several: str | None = None) -> str:
    """Such as "1 session" or "3 sessions"."""
    return f"{number} {one if number == 1 else several or one + 's'}"
