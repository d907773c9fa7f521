"""Messages to patients: which there are, where they stand and why."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.states import MessageState
from clinic.queries.folding import folded
from clinic.store.outbox import Message, MessageAttempt, MessageItem, state_is
from clinic.store.resources import Patient

PAGE = 50
MOST_COUNTED = 1000
"""Of each state so many are counted and can be turned through; what was sent years ago is found by its patient."""
_MOVES = (MessageState.PENDING, MessageState.SENDING)
_TO_A_PATIENT = Message.patient_id.is_not(None)
"""What goes to readers of the newsletter and to accounts has pages of its own."""


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message in a list, with the kinds of what it says."""

    id: int
    clinic_id: int
    patient_id: int
    patient: str
    kinds: tuple[str, ...]
    state: MessageState
    reason: str | None
    due_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class MessagesPage:
    """One page of the messages of a clinic, and how many there are in each state, or that there are `more`."""

    rows: tuple[MessageRow, ...]
    counts: Mapping[MessageState, int]
    total: int
    number: int
    more: frozenset[MessageState] = frozenset()

    @property
    def has_next(self) -> bool:
        """Whether there are more than were shown so far."""
        return self.number * PAGE < self.total


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One thing that a message says; `dropped` tells why it says it no longer."""

    kind: str
    subject_kind: str
    subject_id: int
    dropped: str | None


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One step of one try to send."""

    number: int
    at: datetime
    phase: str
    code: int | None
    text: str


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Everything about one message but its words."""

    row: MessageRow
    created_at: datetime
    useless_after: datetime
    recipient: str | None
    message_id: str | None
    items: tuple[ItemLine, ...]
    attempts: tuple[AttemptLine, ...]


def messages_page(
    db: Session, clinic_id: int, *, state: MessageState | None = None, kind: str | None = None, search: str = "",
    number: int = 1,
) -> MessagesPage:
    """A page of the messages of a clinic to patients: those still to go by their time, then what went, newest first.

    In one state or in all, of one kind or of all, to the patients that the search finds. In three statements.
    """
    if not kind and not search:
        return _newest(db, clinic_id, state, number)
    wanted = sa.and_(Message.clinic_id == clinic_id, *_narrowed(kind, search))
    counts = {
        MessageState(code): number for code, number in db.execute(
            sa.select(Message.state, sa.func.count())
            .join(Patient.__table__, Patient.__table__.c.id == Message.patient_id)
            .where(wanted).group_by(Message.state))
    }
    which = sa.and_(wanted, Message.state == state) if state else wanted
    total = counts.get(state, 0) if state else sum(counts.values())
    number = max(1, min(number, -(-total // PAGE)))
    return MessagesPage(message_rows(db, which, limit=PAGE, offset=(number - 1) * PAGE), counts, total, number)


def _newest(db: Session, clinic_id: int, state: MessageState | None, number: int) -> MessagesPage:
    """A page of them all, of which as many are looked at as can be turned through, however many there are."""
    found = db.execute(_COUNTS, {"clinic_id": clinic_id}).one()._mapping
    counts = {each: min(found[each.value], MOST_COUNTED) for each in MessageState if found[each.value]}
    total = counts.get(state, 0) if state else sum(counts.values())
    number = max(1, min(number, -(-total // PAGE)))
    first = sa.union_all(*(
        part for each in ([state] if state else MessageState) for part in _first_of(each, clinic_id, number * PAGE)))
    return MessagesPage(
        message_rows(db, Message.id.in_(first), limit=PAGE, offset=(number - 1) * PAGE), counts, total, number,
        frozenset(each for each in counts if found[each.value] > MOST_COUNTED))


def _first_of(state: MessageState, clinic_id: int, limit: int) -> Iterator[sa.Select[int]]:
    """The first of one state in the order of `message_rows`, as the index of the list has them: those that are not
    settled go by when they are due, the others by when they were."""
    each = sa.select(Message.id).where(Message.clinic_id == clinic_id, state_is(state), _TO_A_PATIENT)
    by_due = Message.due_at if state in _MOVES else Message.due_at.desc()
    for part in (
        each.where(Message.settled_at.is_(None)).order_by(by_due),
        each.where(Message.settled_at.is_not(None)).order_by(Message.settled_at.desc(), Message.due_at.desc()),
    ):
        yield sa.select(part.limit(limit).subquery().c.id)


def _counts() -> sa.Select[int]:
    clinic_id = sa.bindparam("clinic_id", type_=sa.Integer)
    some = {state: sa.select(Message.id).where(Message.clinic_id == clinic_id, state_is(state), _TO_A_PATIENT)
            .limit(MOST_COUNTED + 1).subquery() for state in MessageState}
    return sa.select(*(
        sa.select(sa.func.count()).select_from(each).scalar_subquery().label(state.value)
        for state, each in some.items()))


def message_rows(
    db: Session, which: sa.ColumnElement[bool], *, limit: int, offset: int = 0
) -> tuple[MessageRow, ...]:
    """The messages that `which` selects: what waits by its time, then what is settled, newest first."""
    waits = Message.state.in_(_MOVES)
    rows = db.execute(
        sa.select(Message.id, Message.clinic_id, Message.patient_id, _patient_name().label("patient"), Message.state,
                  Message.reason, Message.due_at, Message.settled_at)
        .join(Patient.__table__, Patient.__table__.c.id == Message.patient_id)
        .where(which)
        .order_by(sa.case((waits, 0), else_=1), sa.case((waits, Message.due_at)),
                  sa.func.coalesce(Message.settled_at, Message.due_at).desc(), Message.id.desc())
        .limit(limit).offset(offset)
    ).all()
    kinds = _kinds(db, [row.id for row in rows])
    return tuple(
        MessageRow(row.id, row.clinic_id, row.patient_id, row.patient, kinds.get(row.id, ()), MessageState(row.state),
                   row.reason, row.due_at, row.settled_at)
        for row in rows)


def message_page(db: Session, message_id: int) -> MessagePage | None:
    """One message with its items and attempts; none where there is no such message."""
    rows = message_rows(db, Message.id == message_id, limit=1)
    if not rows:
        return None
    head = db.execute(
        sa.select(Message.created_at, Message.useless_after, sa.func.coalesce(Message.recipient, Patient.email),
                  Message.message_id)
        .join(Patient.__table__, Patient.__table__.c.id == Message.patient_id).where(Message.id == message_id)
    ).one()
    items = db.execute(
        sa.select(MessageItem.kind, MessageItem.subject_kind, MessageItem.subject_id, MessageItem.dropped)
        .where(MessageItem.message_id == message_id).order_by(MessageItem.id))
    attempts = db.execute(
        sa.select(MessageAttempt.number, MessageAttempt.at, MessageAttempt.phase, MessageAttempt.code,
                  MessageAttempt.text)
        .where(MessageAttempt.message_id == message_id).order_by(MessageAttempt.id))
    return MessagePage(rows[0], *head, tuple(ItemLine(*item) for item in items),
                       tuple(AttemptLine(*attempt) for attempt in attempts))


def clinic_of_message(db: Session, message_id: int) -> int | None:
    """The clinic of a message to a patient; none where there is no such message."""
    return db.scalar(sa.select(Message.clinic_id).where(Message.id == message_id, _TO_A_PATIENT))


def _narrowed(kind: str | None, search: str) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if kind:
        found.append(sa.exists().where(MessageItem.message_id == Message.id, MessageItem.kind == kind))
    return found + [Patient.search_text.contains(word, autoescape=True) for word in folded(search).split()[:8]]


def _kinds(db: Session, message_ids: list[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    rows = db.execute(
        sa.select(MessageItem.message_id, MessageItem.kind).where(MessageItem.message_id.in_(message_ids))
        .order_by(MessageItem.id))
    for message_id, kind in rows:
        if kind not in found.get(message_id, ()):
            found[message_id] = (*found.get(message_id, ()), kind)
    return found


def _patient_name() -> sa.ColumnElement[str]:
    return Patient.given_name + " " + Patient.family_name


_COUNTS = _counts()
