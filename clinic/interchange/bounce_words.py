"""What a mail system means by its status code and its words: in plain words for staff, and whether the address is dead.

The codes are those of RFC 3463 and its registry. Old systems say 5.0.0 of everything, and some say a code of one thing
and words of another: then the words decide. In doubt an address lives.
"""
from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum


class Cause(StrEnum):
    """Why a message did not arrive, as far as a person can do something about it."""

    NO_MAILBOX = "no-mailbox"
    NO_DOMAIN = "no-domain"
    BAD_ADDRESS = "bad-address"
    MOVED = "moved"
    CLOSED = "closed"
    FULL = "full"
    TOO_LARGE = "too-large"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TROUBLE = "trouble"
    LOOP = "loop"
    UNKNOWN = "unknown"


WORDS: Mapping[Cause, str] = {
    Cause.NO_MAILBOX: "there is no such mailbox",
    Cause.NO_DOMAIN: "the part after the @ takes no mail",
    Cause.BAD_ADDRESS: "the address is not written right",
    Cause.MOVED: "the mailbox has moved, and nobody knows where",
    Cause.CLOSED: "the mailbox is closed",
    Cause.FULL: "the mailbox is full",
    Cause.TOO_LARGE: "the message is too large for the mailbox",
    Cause.REFUSED: "the mail server there does not want our mail",
    Cause.UNREACHABLE: "the mail server there could not be reached",
    Cause.TROUBLE: "the mail server there had trouble of its own",
    Cause.LOOP: "the mail went round in a circle",
    Cause.UNKNOWN: "the mail server there did not say why",
}
DEAD = frozenset({Cause.NO_MAILBOX, Cause.NO_DOMAIN, Cause.BAD_ADDRESS, Cause.MOVED, Cause.CLOSED})
"""Causes that lie in the address itself: what is sent there next comes back too."""

_BY_CODE: Mapping[str, Cause] = {
    "1.1": Cause.NO_MAILBOX, "1.2": Cause.NO_DOMAIN, "1.3": Cause.BAD_ADDRESS, "1.4": Cause.BAD_ADDRESS,
    "1.6": Cause.MOVED, "1.7": Cause.REFUSED, "1.8": Cause.REFUSED, "1.9": Cause.REFUSED, "1.10": Cause.NO_DOMAIN,
    "2.1": Cause.CLOSED, "2.2": Cause.FULL, "2.3": Cause.TOO_LARGE,
    "3.1": Cause.FULL, "3.2": Cause.TROUBLE, "3.4": Cause.TOO_LARGE, "3.5": Cause.TROUBLE,
    "4.1": Cause.UNREACHABLE, "4.2": Cause.UNREACHABLE, "4.3": Cause.TROUBLE, "4.4": Cause.NO_DOMAIN,
    "4.5": Cause.TROUBLE, "4.6": Cause.LOOP, "4.7": Cause.UNREACHABLE, "4.14": Cause.LOOP, "4.300": Cause.UNREACHABLE,
    "4.310": Cause.NO_DOMAIN, "4.316": Cause.UNREACHABLE,
}
_BY_SUBJECT: Mapping[str, Cause] = {
    "1": Cause.NO_MAILBOX, "3": Cause.TROUBLE, "4": Cause.UNREACHABLE, "6": Cause.REFUSED, "7": Cause.REFUSED,
}
_VAGUE = re.compile(r"\Z|[45]\.(0\.|1\.0\Z|2\.[01]\Z|3\.0\Z|4\.[014]\Z|5\.|7\.1\Z)")
"""Codes that say little, or that are given for everything: the words are asked first."""
_CODE = re.compile(r"[45]\.\d{1,3}\.\d{1,3}\Z", re.ASCII)


def _any(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


_SOMEBODY = r"(?:user|recipient|mailbox|account|address(?! error)|person)"
_SAYINGS: tuple[tuple[Cause, re.Pattern[str]], ...] = (
    (Cause.TROUBLE, _any(r"temporar\w+ (?:locked|unavailable|rejected|deferred)", "receiving mail at a rate")),
    (Cause.UNREACHABLE, _any("not found, try again", "unexpected name server")),
    (Cause.REFUSED, _any(
        r"\b(?:spam|spf|dkim|dmarc|rbl)", "(?:gr[ae]y|black|block)-?list", "reputation", r"\bpolic(?:y|ies)\b",
        r"\bblocked\b", r"\bfiltered\b", r"relay(?:ing)? (?:access )?(?:denied|not)", "after mail from",
        "sender address", r"\bsender\b[^.\n]{0,30}(?:denied|rejected|verify)", "content rejected",
        "authentication required", "unauthenticated")),
    (Cause.FULL, _any(
        r"mailbox\b[^.\n]{0,20}\bfull\b", "over ?-?quota", r"\bquota\b[^.\n]{0,30}(?:exceed|full)", "user is over",
        r"exceeded[^.\n]{0,20}(?:quota|storage)", r"insufficient[^.\n]{0,10}storage", "not enough (?:space|storage)",
        "out of storage")),
    (Cause.TOO_LARGE, _any(
        r"message[^.\n]{0,20}too (?:large|big)", "(?:size|length) exceeds", r"exceeds[^.\n]{0,20}size")),
    (Cause.CLOSED, _any(
        r"(?:account|mailbox|user)\b[^.\n]{0,60}\b(?:disabled|suspended|deactivated|inactive|closed|terminated|"
        "discontinued|expired)", "no longer (?:active|available|in use|valid|on server|works? here)")),
    (Cause.NO_DOMAIN, _any(
        "host(?: or domain name)? not found", "host unknown", "unknown host", "no such (?:domain|host)", "nxdomain",
        r"domain\b[^.\n]{0,40}(?:not found|(?:does not|doesn'?t) exist|couldn'?t be found)", "null ?mx", "no mx record",
        "(?:does not|doesn't) accept (?:any )?e?-?mail", "unrouteable mail domain", "couldn'?t find any host",
        "illegal host")),
    (Cause.NO_MAILBOX, _any(
        r"user(?:name)? (?:is )?(?:unknown|invalid)", r"unknown (?:\w+ )?(?:local|" + _SOMEBODY + ")",
        r"(?:no such|invalid|non-?existent|bad destination) (?:\w+ )?" + _SOMEBODY,
        r"(?:user|recipient|mailbox|account|address|email)\b[^.\n]{0,80}(?:not found|(?:does not|doesn'?t|not) exist|"
        "not known|couldn'?t be found|unknown)", "no mailbox here", "not a valid (?:mailbox|recipient|user)",
        "recipnotfound", "recipient ?not ?found", "unrouteable address", "mailbox unavailable", "user not local",
        r"(?:doesn'?t|does not) have (?:a|an) [^\n]{0,60}account", "not listed in", "no account by that name",
        "not our customer")),
    (Cause.UNREACHABLE, _any("timed? ?out", "connection refused", "could not connect", "giving up", "given up on")),
    (Cause.TROUBLE, _any(
        "temporar", "try (?:again )?later", "service (?:currently )?(?:unavailable|not available)")),
)
"""What mail systems say, the more telling first: who refuses us may say “unknown” of us in the same breath."""


def cause_of(status: str, said: str) -> Cause:
    """Why it did not arrive, by its status code and by what the mail system said."""
    if status.endswith(".4.1") and "access denied" in said.lower():
        return Cause.NO_MAILBOX  # so a large provider says of addresses that it does not know
    if _VAGUE.match(status):
        for cause, words in _SAYINGS:
            if words.search(said):
                return cause
    if not _CODE.match(status):
        return Cause.UNKNOWN
    _, subject, detail = status.split(".")
    return _BY_CODE.get(f"{subject}.{detail}") or _BY_SUBJECT.get(subject, Cause.UNKNOWN)


def is_dead(status: str, said: str) -> bool:
    """Whether whatever is sent to that address comes back: the cause lies in it, and is for good."""
    return not status.startswith("4.") and cause_of(status, said) in DEAD


def in_words(status: str, said: str) -> str:
    """Why it did not arrive, as staff read it."""
    return WORDS[cause_of(status, said)]
