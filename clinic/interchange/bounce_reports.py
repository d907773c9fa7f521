"""Reads what a mail system says of a message of ours: that it failed, for whom and why, or that it is delayed.

Reports in the form of RFC 3464 and RFC 6533 are read by their fields, others by their words. Whatever else arrives at
that mailbox (absence notes, receipts, challenges, reports about reports) is no report.
"""
from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from clinic.interchange.bounce_fates import MOST_ADDRESSES, Fate, addresses_in, code_in, one_line
from clinic.interchange.bounce_prose import fates_told
from clinic.interchange.mime_parts import MOST_BYTES, Fields, Mail, fields_of, take_apart

_STATUS_KINDS = ("message/delivery-status", "message/global-delivery-status")
_RETURNED_KINDS = ("message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers",
                   "message/global-headers")
_OTHER_REPORTS = ("disposition-notification", "feedback-report")
_ARRIVED_AT = ("delivered-to", "x-original-to", "x-delivered-to", "envelope-to", "x-envelope-to", "to", "apparently-to")
_RECIPIENT = ("final-recipient", "original-recipient", "x-actual-recipient")
_MESSAGE_ID = re.compile(r"^[> \t]{0,20}message-id:\s{0,20}(<[^<>\s]{1,250}>)", re.IGNORECASE | re.MULTILINE)
_ANY_ID = re.compile(r"<[^<>\s]{1,250}>")
_HAS_STATUS = re.compile(
    r"^(?:final|original)-recipient:.{0,400}?^(?:action|status):", re.IGNORECASE | re.MULTILINE | re.DOTALL)
_EMPTY_LINE = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class BounceReport:
    """A mail system's report. `well` are the addresses that it says the message arrived at, `arrived_at` those that the
    report itself may have been sent to, `message_ids` those of the message it is about; `digest` is the same for the
    same report however it travelled."""

    fates: tuple[Fate, ...]
    well: tuple[str, ...]
    message_ids: tuple[str, ...]
    arrived_at: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class NoReport:
    """A message that tells of no failure and no delay, and what it is instead."""

    what: str


def read_report(data: bytes) -> BounceReport | NoReport:
    """What the message reports; never raises, whatever it is."""
    mail = take_apart(data)
    if mail.fields.report_type in _OTHER_REPORTS:
        return NoReport("another kind of report")
    heads = [fields_of(part.text) for part in mail.parts if part.fields.kind in _RETURNED_KINDS]
    if any(map(_is_a_report_itself, heads)):
        return NoReport("a report about a report")
    groups = _groups_of(mail)
    fates = _formal_fates(groups, mail.fields) if groups else fates_told(mail)
    if not fates:
        return NoReport("a report of success" if groups else "no report")
    well = addresses_in(value for group in groups if _is_well(group) for value in group.every(*_RECIPIENT))
    arrived_at = addresses_in([*mail.fields.every(*_ARRIVED_AT), *(head.first("return-path") for head in heads)])
    return BounceReport(fates, well, _message_ids(mail), arrived_at, _digest(mail.fields, data))


def _is_a_report_itself(head: Fields) -> bool:
    return head.kind == "multipart/report" or head.first("return-path").replace(" ", "") == "<>" or (
        head.first("auto-submitted").lower().startswith("auto-replied"))


def _groups_of(mail: Mail) -> list[Fields]:
    """The fields about each recipient; none where the report has no such fields."""
    texts = [part.text for part in mail.parts if part.fields.kind in _STATUS_KINDS]
    if not texts:
        # A report whose parts cannot be told from each other still has its fields somewhere.
        texts = [part.text[found.start():] for part in mail.parts
                 if part.fields.kind not in _RETURNED_KINDS and (found := _HAS_STATUS.search(part.text))]
    return [group for text in texts for group in _groups(text)]


def _groups(text: str) -> Iterator[Fields]:
    """Some systems leave out the empty line between the fields of two recipients."""
    for block in _EMPTY_LINE.split(text, MOST_ADDRESSES)[:MOST_ADDRESSES]:
        lines: list[tuple[str, str]] = []
        for name, value in fields_of(block.lstrip("\n")).lines:
            if name == _RECIPIENT[0] and any(known == name for known, _ in lines):
                yield Fields(tuple(lines))
                lines = []
            lines.append((name, value))
        if any(name in (*_RECIPIENT, "action", "status") for name, _ in lines):
            yield Fields(tuple(lines))


def _is_well(group: Fields) -> bool:
    """Whether it arrived, or went on its way."""
    action = group.first("action").lower()
    return action.startswith(("deliver", "relay", "expand")) or (not action and group.first("status").startswith("2"))


def _fate(group: Fields) -> Fate:
    """What the fields of a recipient say who did not get it."""
    said = one_line(" ".join(group.every("diagnostic-code", "x-supplementary-info")))
    own, action = group.first("status"), group.first("action").lower()
    # What the server at the other end said is truer than what the reporting one made of it.
    status = code_in(said, vague=False) or code_in(own) or code_in(said)
    is_over = not action.startswith("delay") and (action.startswith(("fail", "expire")) or not status.startswith("4."))
    return Fate(addresses_in(group.every(*_RECIPIENT)), is_over, status, said or one_line(f"{own} {action}"))


def _formal_fates(groups: Sequence[Fields], fields: Fields) -> tuple[Fate, ...]:
    """What became of it for each recipient who did not get it; the only one is named by the header where its own
    fields name nobody."""
    fates = tuple(_fate(group) for group in groups if not _is_well(group))
    failed = addresses_in(fields.every("x-failed-recipients"))
    if len(fates) == 1 and not fates[0].addresses and failed:
        return (replace(fates[0], addresses=failed),)
    return fates


def _message_ids(mail: Mail) -> tuple[str, ...]:
    """Those of the message that came back, wherever the report says them."""
    found = [each for part in mail.parts for each in _MESSAGE_ID.findall(part.text)]
    for value in mail.fields.every("in-reply-to", "references", "x-original-message-id"):
        found += _ANY_ID.findall(value)
    return tuple(dict.fromkeys(found))[:MOST_ADDRESSES]


def _digest(fields: Fields, data: bytes) -> str:
    """Its own Message-ID, which it keeps on every way; without one all that follows its header."""
    own = fields.first("message-id").encode("utf-8", "replace")
    told = own or data[:MOST_BYTES].replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    return hashlib.sha256(told).hexdigest()[:32]
