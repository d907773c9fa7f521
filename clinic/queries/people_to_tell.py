"""Whom a person at the clinic has to tell something, because no message could: one list, the most urgent first."""
from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from clinic.care.message_kinds import MessageKind
from clinic.care.owed_before import REMINDERS
from clinic.care.owed_items import ENOUGH, IN_ABSENCE, NO_REMINDERS, NOT_WANTED, TOO_LATE
from clinic.care.states import ContactOutcome, MessageDecision, MessageState
from clinic.queries.away import in_absence
from clinic.queries.owner_facts import TELLS_DATES
from clinic.store.accounts import Account
from clinic.store.outbox import UNSENT, ContactAttempt, Message, MessageItem, state_is
from clinic.store.resources import Patient

PAGE = 20
MOST_EACH = 6
"""Of one patient; the rest follows once these are told."""
TRIED_RESTS = timedelta(hours=2)
"""Who was tried this lately comes after those who were not."""


@dataclass(frozen=True, slots=True)
class ContactLine:
    """One time that somebody tried."""

    at: datetime
    by: str | None
    outcome: ContactOutcome
    note: str


@dataclass(frozen=True, slots=True)
class ToTell:
    """A message that a person has to tell, and why no e-mail did."""

    id: int
    kinds: tuple[str, ...]
    state: MessageState
    reason: str | None
    due_at: datetime
    useless_after: datetime


@dataclass(frozen=True, slots=True)
class PersonToTell:
    """A patient with what they have to be told, and who tried so far, latest first."""

    patient_id: int
    name: str
    phone: str | None
    email: str | None
    language: str
    messages: tuple[ToTell, ...]
    total: int
    attempts: tuple[ContactLine, ...]

    @property
    def until(self) -> datetime:
        """When the first of it loses its use."""
        return min(each.useless_after for each in self.messages)


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """One page of the people to tell."""

    rows: tuple[PersonToTell, ...]
    total: int
    number: int

    @property
    def has_next(self) -> bool:
        """Whether there are more than were shown so far."""
        return self.number * PAGE < self.total


def people_count(clinic_id: Any, now: Any) -> sa.ScalarSelect[int]:
    """How many patients of a clinic have to be told something, as part of a statement."""
    return sa.select(sa.func.count(sa.distinct(Message.patient_id))).where(
        _to_tell(clinic_id, now)).scalar_subquery()


def people_to_tell(
    db: Session, clinic_id: int, *, now: datetime, number: int = 1, patient_id: int | None = None
) -> PeoplePage:
    """A page of the people to tell, those whose news ends soonest first and those tried just now last; or one of them.

    In four statements, however many there are.
    """
    which = _to_tell(clinic_id, now)
    if patient_id is not None:
        which = sa.and_(which, Message.patient_id == patient_id)
    total = db.scalar(sa.select(sa.func.count(sa.distinct(Message.patient_id))).where(which)) or 0
    number = max(1, min(number, -(-total // PAGE)))
    people = db.execute(_people(which, now).limit(PAGE).offset((number - 1) * PAGE)).all()
    messages = _messages(db, which, [row.id for row in people])
    shown = {row.id: messages.get(row.id, ())[:MOST_EACH] for row in people}
    tried = _attempts(db, {message.id: ident for ident, each in messages.items() for message in each})
    return PeoplePage(
        tuple(PersonToTell(row.id, row.name, row.phone, row.email, row.language, shown[row.id],
                           len(messages.get(row.id, ())), tried.get(row.id, ()))
              for row in people if shown[row.id]), total, number)


def contact_attempts(db: Session, message_id: int) -> tuple[ContactLine, ...]:
    """Who tried to tell one message, and how it ended; latest first."""
    return _attempts(db, {message_id: 0}).get(0, ())


def belong_to(db: Session, message_ids: Collection[int], *, clinic_id: int, patient_id: int) -> bool:
    """Whether there are such messages, and all are to that patient from that clinic."""
    found = db.scalar(sa.select(sa.func.count()).where(
        Message.id.in_(message_ids), Message.clinic_id == clinic_id, Message.patient_id == patient_id))
    return bool(message_ids) and found == len(set(message_ids))


def _to_tell(clinic_id: Any, now: Any) -> sa.ColumnElement[bool]:
    """What is of use still, was not sent, and nobody has told or set aside; of each thing only the newest message."""
    item = aliased(MessageItem)
    late_news = sa.exists().where(item.message_id == Message.id, item.kind.in_(TELLS_DATES))
    withheld = sa.and_(
        Message.state == MessageState.WITHHELD,
        sa.or_(Message.decision == MessageDecision.TAKEN_OVER, Message.due_at <= now),
        Message.reason.not_in((NOT_WANTED, NO_REMINDERS, IN_ABSENCE)),
        sa.or_(Message.reason.not_in((TOO_LATE, ENOUGH)), late_news))
    return sa.and_(
        Message.clinic_id == clinic_id, Message.patient_id.is_not(None), Message.useless_after > now, state_is(*UNSENT),
        sa.or_(Message.decision.is_(None), Message.decision == MessageDecision.TAKEN_OVER),
        sa.or_(withheld, Message.state.in_((MessageState.FAILED, MessageState.UNCERTAIN))), _is_still_said())


def _is_still_said() -> sa.Exists:
    """Some of it is neither dropped nor said again since; nobody is called to ask for an opinion, nor reminded of a
    visit in an absence, which is to be moved first."""
    item, newer = aliased(MessageItem), aliased(MessageItem)
    said_since = sa.exists().where(
        newer.kind == item.kind, newer.subject_kind == item.subject_kind, newer.subject_id == item.subject_id,
        newer.revision == item.revision, newer.generation > item.generation)
    reminds = sa.and_(item.kind.in_((*REMINDERS, MessageKind.PRECARE)), in_absence(item.subject_id))
    return sa.exists().where(item.message_id == Message.id, item.dropped.is_(None),
                             item.kind != MessageKind.REVIEW_REQUEST, ~reminds, ~said_since)


def _people(which: sa.ColumnElement[bool], now: datetime) -> sa.Select[int, str, str, str, str]:
    patient = Patient.__table__.c
    tried_at = (
        sa.select(sa.func.max(ContactAttempt.at)).where(ContactAttempt.message_id == Message.id)
        .correlate(Message).scalar_subquery())
    found = sa.select(
        Message.patient_id.label("patient_id"), sa.func.min(Message.useless_after).label("until"),
        sa.func.max(tried_at).label("tried_at")).where(which).group_by(Message.patient_id).subquery()
    return (
        sa.select(patient.id, (patient.given_name + " " + patient.family_name).label("name"), patient.phone,
                  patient.email, patient.language)
        .join(found, found.c.patient_id == patient.id)
        .order_by(sa.case((found.c.tried_at > now - TRIED_RESTS, 1), else_=0), found.c.until, patient.id))


def _messages(
    db: Session, which: sa.ColumnElement[bool], patient_ids: Sequence[int]
) -> Mapping[int, tuple[ToTell, ...]]:
    rows = db.execute(
        sa.select(Message.id, Message.patient_id, Message.state, Message.reason, Message.due_at,
                  Message.useless_after, MessageItem.kind)
        .join(MessageItem, sa.and_(MessageItem.message_id == Message.id, MessageItem.dropped.is_(None)))
        .where(which, Message.patient_id.in_(patient_ids))
        .order_by(Message.useless_after, Message.id, MessageItem.id))
    found: dict[int, dict[int, ToTell]] = {}
    for row in rows:
        known = found.setdefault(row.patient_id, {})
        kinds = (*known[row.id].kinds, row.kind) if row.id in known else (row.kind,)
        known[row.id] = ToTell(row.id, kinds, MessageState(row.state), row.reason, row.due_at, row.useless_after)
    return {ident: tuple(sorted(each.values(), key=_order)) for ident, each in found.items()}


def _order(message: ToTell) -> tuple[bool, datetime, int]:
    """The dates come first, and then what loses its use first."""
    return not set(message.kinds) & set(TELLS_DATES), message.useless_after, message.id


def _attempts(db: Session, whose: Mapping[int, int]) -> Mapping[int, tuple[ContactLine, ...]]:
    """The attempts about these messages by whom each message is for; one call that told several is one."""
    rows = db.execute(
        sa.select(ContactAttempt.message_id, ContactAttempt.at, Account.name, ContactAttempt.outcome,
                  ContactAttempt.note)
        .outerjoin(Account, Account.id == ContactAttempt.by)
        .where(ContactAttempt.message_id.in_(whose)).order_by(ContactAttempt.at.desc(), ContactAttempt.id.desc()))
    found: dict[int, dict[ContactLine, None]] = {}
    for row in rows:
        line = ContactLine(row.at, row.name, ContactOutcome(row.outcome), row.note)
        found.setdefault(whose[row.message_id], {})[line] = None
    return {ident: tuple(lines) for ident, lines in found.items()}
