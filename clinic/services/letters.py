"""Writes a message from what is owed: its letter, its bytes; and shows it to staff."""
from __future__ import annotations

import email.policy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from typing import get_args

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.guidance import Aftercare
from clinic.care.instructions import aftercare, aftercare_at, checklist, red_flags
from clinic.care.mail_address import check_address
from clinic.care.message_kinds import SCHEDULE, MessageKind
from clinic.care.message_rules import Elapsed
from clinic.care.nudges import ASKS
from clinic.care.owed import OwedItem, VisitChange, messages_owed
from clinic.care.owed_after import REVIEW_LASTS
from clinic.care.owed_items import waits_as
from clinic.care.owner_facts import OwnerKind, Told, owner_named
from clinic.care.protocols import Protocol
from clinic.care.states import MessageState
from clinic.care.translations import ClinicalText, Place, translated
from clinic.messages.envelope import EnvelopeHeader, build_mime, message_id
from clinic.messages.letters import (
    AftercarePhase,
    Instruction,
    Kind,
    Letter,
    Offer,
    RedFlag,
    Section,
    Urgency,
    VisitLine,
    VisitState,
)
from clinic.messages.on_paper import OnPaper, on_paper
from clinic.messages.rendering import render
from clinic.planning.local import day_of, zone
from clinic.queries.letters import LetterFacts, PartFacts, VisitFacts, letter_facts
from clinic.queries.owner_facts import instruction_number, owner_facts, owner_head, said_alike
from clinic.services.calendar_parts import calendar_parts
from clinic.services.clinic_cards import address_lines, card_for, language_of
from clinic.services.links import STAND_IN, without_links
from clinic.services.own_words import kind_words, own_lines
from clinic.services.reconcile import WAITING
from clinic.store.outbox import Message, MessageItem

_GONE = (MessageState.SENT, MessageState.UNCERTAIN)
_CHECK_INS = (MessageKind.CHECK_IN_24H, MessageKind.CHECK_IN_72H)


@dataclass(frozen=True, slots=True)
class MessageBody:
    """What a patient reads. `frozen`: these are the bytes that were sent or are being sent; of others it `waits_as`
    that state as things stand, whether or not anybody has looked since they changed, `withheld` for that reason."""

    subject: str
    text: str
    html: str
    calendars: tuple[bytes, ...]
    frozen: bool
    waits_as: MessageState | None = None
    withheld: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A message ready to travel."""

    message_id: str
    sender: str
    recipient: str
    subject: str
    mime: bytes


OfOwner = tuple[LetterFacts, Sequence[OwedItem], str | None]
"""What is said of one course, its upkeep or a visit, and what opens the patient's page of it."""


def write(
    facts: LetterFacts, items: Sequence[OwedItem], *, identity: str, now: datetime, link: str | None = None,
    note: str | None = None, more: Sequence[OfOwner] = (),
) -> Written:
    """The message that says these items, from the same facts always the same bytes; `link` opens the patient's page,
    `note` is what a person added, and `more` is what goes to the same patient about others of their courses and visits.

    Raises ValueError where the patient's address cannot be written to.
    """
    recipient = check_address(facts.head.patient.email or "")
    sender = check_address(facts.clinic.sender_email)
    rendered = render(letter_of(facts, items, now=now, link=link, note=note, more=more))
    header = EnvelopeHeader(
        sender_name=facts.clinic.sender_name, sender_email=sender, to=recipient,
        message_id=message_id(identity, sender.rpartition("@")[2]), sent_at=now, language=language_of(facts),
    )
    return Written(header.message_id, sender, recipient, rendered.subject, build_mime(rendered, header))


def letter_of(
    facts: LetterFacts, items: Sequence[OwedItem], *, now: datetime, link: str | None = None, note: str | None = None,
    more: Sequence[OfOwner] = (),
) -> Letter:
    """One letter with a section for each item, its clinical texts in the patient's language where they are there, and
    what a person added; the first section about each course or visit names the link to it."""
    said = [(in_their_language(known), item, None if number else its_link)
            for known, each, its_link in ((facts, items, link), *more) for number, item in enumerate(each)]
    sections = ((_with_own_words(known, item, now), its_link) for known, item, its_link in said)
    return Letter(
        language=language_of(facts), first_name=facts.given_name, clinic=card_for(facts),
        sections=tuple(replace(section, link=section.link or its_link) for section, its_link in sections),
        calendars=tuple(each for known, item, _ in said for each in calendar_parts(known, item, now)),
        note=own_lines(note or ""),
    )


def clinical_texts_of(facts: LetterFacts, items: Sequence[OwedItem], *, now: datetime) -> frozenset[ClinicalText]:
    """Every clinical text that the letter of these items says, as its protocol has it."""
    return frozenset(text for item in items for text in _clinical_texts(_section(facts, item, now)))


def body_of(db: Session, message_id: int, *, now: datetime) -> MessageBody | None:
    """What a message says: its frozen bytes, or what would be sent if it went now; none where it would not go, and
    where what was sent was not kept."""
    message = db.get(Message, message_id)
    if message is None or (message.mime is None and message.state in _GONE):
        return None
    if message.mime is not None:
        return _unpacked(message.mime)
    found = owed_now(db, message_id, now)
    if found is None:
        return None
    rendered = render(letter_of(*found, now=now, link=STAND_IN, note=message.note))
    return MessageBody(rendered.subject, rendered.text, rendered.html, rendered.calendars, False,
                       *_as_it_stands(message, found[1], now))


def _as_it_stands(message: Message, items: Sequence[OwedItem], now: datetime) -> tuple[MessageState | None, str | None]:
    """The state and the reason that `reconcile` gives a message that says one thing; none where it leaves it alone."""
    if len(items) != 1 or message.decision is not None or message.state not in WAITING:
        return None, None
    [item] = items
    state = waits_as(MessageState(message.state), item.withheld, is_of_use=item.useless_after > now)
    return state, item.withheld


def paper_of(db: Session, message_id: int, *, now: datetime) -> OnPaper | None:
    """What a person reads out, or prints, in the place of a message; none where it is not true any more."""
    message, found = db.get(Message, message_id), owed_now(db, message_id, now)
    if message is None or found is None:
        return None
    return on_paper(letter_of(*found, now=now, note=message.note), today=_today(found[0], now))


def owed_now(db: Session, message_id: int, now: datetime) -> tuple[LetterFacts, list[OwedItem]] | None:
    """What a message of a course, upkeep or visit would say if it went now; none where it would not go."""
    rows = db.scalars(
        sa.select(MessageItem).where(MessageItem.message_id == message_id).order_by(MessageItem.id)).all()
    if not rows or rows[0].owner_kind not in get_args(OwnerKind):
        return None
    owner = owner_named(rows[0].owner_kind, rows[0].owner_id)
    head = owner_head(db, owner)
    if head is None:
        return None
    alike = said_alike(db, (message_id,))
    owed = {item.key: item for item in messages_owed(owner_facts(db, head, leaving_out=alike), now=now)}
    items = [owed[key] for row in rows if (key := (row.kind, row.subject_kind, row.subject_id, row.revision)) in owed]
    return (letter_facts(db, head), items) if items else None


def _unpacked(mime: bytes) -> MessageBody | None:
    mail = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(mime)
    if mail["Subject"] is None:
        return None
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    files = [part.get_payload(decode=True) for part in mail.walk() if part.get_content_type() == "text/calendar"]
    return MessageBody(
        subject=str(mail["Subject"]), text=without_links(text.get_content()) if text else "",
        html=without_links(html.get_content()) if html else "",
        # A file that is shown inline travels as an attachment too.
        calendars=tuple(dict.fromkeys(file for file in files if isinstance(file, bytes))), frozen=True,
    )


def _clinical_texts(section: Section) -> Iterator[ClinicalText]:
    yield from (ClinicalText(Place.PRECARE, each.text) for each in section.instructions)
    for phase in section.phases:
        for place, lines in ((Place.EXPECT, phase.expect), (Place.DO, phase.do), (Place.AVOID, phase.avoid)):
            yield from (ClinicalText(place, line) for line in lines)
    yield from (ClinicalText(Place.RED_FLAG, each.text) for each in section.red_flags)


def in_their_language(facts: LetterFacts) -> LetterFacts:
    """The same with the protocol's texts for patients in the language of this one."""
    if facts.head.followed is None:
        return facts
    said = translated(facts.head.followed, language_of(facts)).protocol
    return replace(facts, head=replace(facts.head, followed=said))


def _with_own_words(facts: LetterFacts, item: OwedItem, now: datetime) -> Section:
    own = kind_words(facts.clinic.texts, item.kind, language_of(facts))
    return replace(_section(facts, item, now), own=own)


def _section(facts: LetterFacts, item: OwedItem, now: datetime) -> Section:
    kind = Kind(item.kind.value)
    if item.kind in SCHEDULE:
        return Section(kind, visits=_visit_lines(facts, item), undated=facts.undated,
                       by_clinic=_is_our_doing(facts, item))
    if item.kind is MessageKind.PRECARE:
        [visit] = item.visits
        return Section(kind, visits=_visit_lines(facts, item),
                       instructions=tuple(_instructions(facts, facts.visits[visit.appointment_id], now)))
    if item.kind is MessageKind.DATES_HELD:
        return Section(kind, visits=_visit_lines(facts, item), undated=facts.undated,
                       held_until=_held_until(facts, item))
    if item.visits:
        return Section(kind, visits=_visit_lines(facts, item))
    if item.kind is MessageKind.COURSE_COMPLETE:
        return _course_complete(facts, kind, _today(facts, now))
    if item.kind is MessageKind.MISSED:
        return Section(kind, visits=(_line(facts, facts.visits[item.subject_id], VisitState.KEPT),))
    if item.kind is MessageKind.REVIEW_VISIT:
        return Section(kind, offer=_review_dates(facts, item, now))
    if item.kind is MessageKind.REVIEW_REQUEST:
        return Section(kind, link=facts.clinic.review_url)
    part = facts.parts[item.subject_id]
    if item.kind in (MessageKind.RECALL, *ASKS):
        return Section(kind, offer=_offer(part, _today(facts, now)))
    return _after_treatment(facts, item.kind, part, now)


def _is_our_doing(facts: LetterFacts, item: OwedItem) -> bool:
    """Whether the clinic was the cause of every change that the item tells."""
    changed = [facts.visits[visit.appointment_id] for visit in item.visits if visit.change is not VisitChange.KEPT]
    return item.kind is not MessageKind.CONFIRMATION and all(visit.by_clinic for visit in changed)


def _review_dates(facts: LetterFacts, item: OwedItem, now: datetime) -> Offer:
    """From the day on which the result is judged, or today, to the last on which it still is."""
    last_on = day_of(item.useless_after - timedelta(seconds=1), zone(facts.clinic.zone))
    return Offer(min(max(last_on - REVIEW_LASTS, _today(facts, now)), last_on), last_on)


def _held_until(facts: LetterFacts, item: OwedItem) -> date:
    """The last day on which the item's dates are held: they are free from its midnight on."""
    visits = [facts.visits[visit.appointment_id] for visit in item.visits]
    return min(day_of(visit.held_until_at - timedelta(seconds=1), zone(visit.zone))
               for visit in visits if visit.held_until_at is not None)


def _after_treatment(facts: LetterFacts, kind: MessageKind, part: PartFacts, now: datetime) -> Section:
    protocol, treated_at = facts.head.protocol, part.performed_at
    assert treated_at is not None  # aftercare is owed of performed sessions only
    if kind in _CHECK_INS:
        present = aftercare_at(protocol, _hours_after(facts, kind), treatment=part.treatment_code)
        phases = [present] if present else []
    else:
        # A message that comes late leaves out what is over already.
        hours = (now - treated_at).total_seconds() / 3600
        phases = [phase for phase in aftercare(protocol, treatment=part.treatment_code) if phase.to_hours > hours]
    return Section(Kind(kind.value), treated_at=treated_at, phases=tuple(map(_phase, phases)),
                   red_flags=_red_flags(protocol))


def _hours_after(facts: LetterFacts, kind: MessageKind) -> int:
    """How long after the treatment that check-in goes out."""
    when = facts.head.rules.of(kind).when
    assert isinstance(when, Elapsed)  # a check-in is counted in hours
    return when.minutes // 60


def _phase(phase: Aftercare) -> AftercarePhase:
    return AftercarePhase(phase.from_hours, phase.to_hours, phase.expect, phase.do, phase.avoid)


def _red_flags(protocol: Protocol) -> tuple[RedFlag, ...]:
    return tuple(RedFlag(flag.text, Urgency(flag.urgency.value)) for flag in red_flags(protocol))


def _course_complete(facts: LetterFacts, kind: Kind, today: date) -> Section:
    upkeep = facts.upkeep
    if upkeep is None or not upkeep.parts:
        return Section(kind)
    standing = [visit for visit in upkeep.visits.values() if visit.is_standing]
    if standing:
        return Section(kind, visits=tuple(
            _line(upkeep, visit, VisitState.KEPT) for visit in standing if not visit.is_in_absence))
    return Section(kind, offer=_offer(min(upkeep.parts.values(), key=lambda part: part.number), today))


def _offer(part: PartFacts, today: date) -> Offer | None:
    """The dates between which the patient is due; the first is never in the past."""
    if part.earliest_on is None or part.latest_on is None:
        return None
    return Offer(min(max(part.earliest_on, today), part.latest_on), part.latest_on)


def _today(facts: LetterFacts, now: datetime) -> date:
    return day_of(now, zone(facts.clinic.zone))


def _instructions(facts: LetterFacts, visit: VisitFacts, now: datetime) -> Iterator[Instruction]:
    number = instruction_number(facts.head, visit.number)
    today = day_of(now, zone(visit.zone))
    for line in checklist(facts.head.protocol, visit.local_start.date(), number=number, treatment=visit.treatment_code):
        yield Instruction(line.text, max(line.on, today))


def _visit_lines(facts: LetterFacts, item: OwedItem) -> tuple[VisitLine, ...]:
    return tuple(
        _line(facts, facts.visits[visit.appointment_id], VisitState(visit.change.value), visit.old)
        for visit in item.visits)


def _line(facts: LetterFacts, visit: VisitFacts, state: VisitState, old: Told | None = None) -> VisitLine:
    starts_at, ends_at, where = visit.starts_at, visit.ends_at, visit.zone
    if state is VisitState.CANCELLED and old is not None:
        # A visit may have moved unsaid before it was cancelled: the patient is told of the time that they know.
        starts_at, where = old.starts_at, old.zone
        ends_at = starts_at + (visit.ends_at - visit.starts_at)
    elsewhere = facts.clinics[visit.clinic_id] if visit.clinic_id != facts.head.clinic_id else None
    is_course = facts.head.owner.kind == "course" and visit.appointment_id in facts.visits
    return VisitLine(
        starts_at=starts_at, ends_at=ends_at, zone=where, state=state,
        number=visit.number if is_course else None, of=len(facts.parts) if is_course else None,
        old_starts_at=old.starts_at if old is not None and state is VisitState.MOVED else None,
        place=", ".join((elsewhere.name, *address_lines(elsewhere.address))) if elsewhere else None,
        practitioner=visit.practitioner,
    )
