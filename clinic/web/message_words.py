"""What happened to a message, in plain words: every try with what the mail server meant, and why it waits."""
from __future__ import annotations

from clinic.care.states import ContactOutcome
from clinic.interchange.bounce_words import in_words
from clinic.queries.message_story import Happening, Wait
from clinic.web.telling_words import OUTCOMES

_DEEDS = {
    "written": "Written down", "message-skipped": "Skipped", "message-taken-over": "Taken over, to be told in person",
    "message-taken-back": "Taken back: it goes after all", "message-hastened": "Let go before its time",
    "message-released": "Released", "message-sent-again": "Made to say it once more",
    "message-note-changed": "Personal note changed", "became-superseded": "Overtaken",
    "became-expired": "Past its use", "became-withheld": "Withheld", "became-pending": "Waits again",
    "became-held": "Held",
}
_REPORTS = {
    "came-back-for-good": "The e-mail came back, and nothing goes to this address any more",
    "came-back": "The e-mail came back", "late": "A mail server is still trying to deliver it",
}
_PHASES = {
    "connect": "The mail server could not be reached", "tls": "The mail server's certificate was not accepted",
    "auth": "The mail server did not accept our user name or password",
    "mail": "The mail server did not accept our address as the sender",
    "rcpt": "The mail server did not accept the patient's address",
    "data": "The message was not handed over to its end",
    "rescued": "Its worker fell silent in the middle; another one took the message over",
}
_CODES = {
    421: "The mail server is closing down or too busy; it is tried again",
    450: "The mailbox is busy or the server wants a second try; it is tried again",
    451: "The mail server had trouble of its own; it is tried again",
    452: "The mail server is out of room; it is tried again",
    535: "The mail server did not accept our user name or password",
    550: "The mail server says that there is no such mailbox, or that it does not want our mail",
    551: "The mail server says that the address has moved",
    552: "The mailbox is full, or the message is too large for it",
    553: "The mail server says that the address is not written right",
    554: "The mail server refused the message",
}
STEPS = {
    "claimed": "Taken up", "begun": "Begun", "connect": "Connecting", "tls": "Encrypting", "auth": "Signing in",
    "mail": "Sender", "rcpt": "Recipient", "data": "Handing over", "dot": "Handed over",
}
"""How far a try had come."""
WAITS = {
    Wait.DUE: "It is due: it goes within a minute.",
    Wait.TRIED: "It was tried before and is tried again then; the waits grow from one minute to one hour.",
    Wait.HASTENED: "Somebody let it go before its time.",
    Wait.QUIET: "The clinic's quiet hours end then.",
    Wait.GRACE: "A few minutes are left in which a booking can be undone without a word.",
    Wait.RULE: "That is the time which the clinic's rules set for this kind of message.",
}


def happened(each: Happening) -> str:
    """One line of the story."""
    if each.what.startswith("contact-"):
        return OUTCOMES[ContactOutcome(each.what.removeprefix("contact-"))]
    if each.what == "tried":
        return f"Try {each.number}: {_lowered(reply(each.phase or '', each.code, each.text))}"
    if each.what in _REPORTS:
        return f"{_REPORTS[each.what]}: {in_words(each.phase or '', each.text)}"
    return _DEEDS.get(each.what, each.what.replace("-", " ").capitalize())


def reply(phase: str, code: int | None, text: str) -> str:
    """What a step of a try meant."""
    late = "late: " in text[:6]
    kind = text.removeprefix("late: ").partition(":")[0]
    if kind == "sent" or (phase == "dot" and code is not None and code < 400):
        return "The mail server took it" + (", which was heard only later" if late else "")
    if kind == "uncertain":
        return "The connection broke after everything was handed over: it may or may not have arrived"
    if code is not None:
        return _CODES.get(code, "The mail server refused it" if code >= 500 else "The mail server asked to try later")
    return _PHASES.get(phase, "It was not handed over")


def _lowered(words: str) -> str:
    return words[:1].lower() + words[1:]
