"""Messages to patients: which there are, where they stand and why."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.states import MessageState
from clinic.queries.patients import likely_patients
from clinic.store.outbox import Message, MessageAttempt, MessageItem, state_is
from clinic.store.resources import Patient

PAGE = 50
MOST_COUNTED = 1000
"""Of each state so many are counted and can be turned through; what was sent years ago is found by its patient."""
MOST_PATIENTS = 200
"""The messages of so many patients are looked at where a search finds more."""
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
    """One page of the messages of a clinic, and how many there are in each state, or that there are `more`.

    Where more patients fit the search than are looked at, it `has_more_patients`.
    """

    rows: tuple[MessageRow, ...]
    counts: Mapping[MessageState, int]
    total: int
    number: int
    more: frozenset[MessageState] = frozenset()
    has_more_patients: bool = False

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

    In one state or in all, of one kind or of all, to the patients that the search finds. In four statements at most.
    """
    patients: list[int] = []
    if search.strip():
        patients = [each.id for each in likely_patients(db, search, limit=MOST_PATIENTS + 1)]
        wanted = sa.and_(Message.patient_id.in_(patients[:MOST_PATIENTS]), *_of(kind))
    else:
        few = _few_of(db, kind) if kind else None
        if few is None:
            return _newest(db, clinic_id, state, kind, number)
        wanted = Message.id.in_(few)
    # A sum, or SQLite would read all messages of the clinic to find those few.
    wanted = sa.and_(wanted, Message.clinic_id + 0 == clinic_id, _TO_A_PATIENT)
    counts = {
        MessageState(code): number for code, number in db.execute(
            sa.select(Message.state, sa.func.count()).where(wanted).group_by(Message.state))
    }
    which = sa.and_(wanted, Message.state == state) if state else wanted
    total = counts.get(state, 0) if state else sum(counts.values())
    number = max(1, min(number, -(-total // PAGE)))
    return MessagesPage(message_rows(db, which, limit=PAGE, offset=(number - 1) * PAGE), counts, total, number,
                        has_more_patients=len(patients) > MOST_PATIENTS)


def _few_of(db: Session, kind: str) -> list[int] | None:
    """Those that say something of a kind that is rare; none where there are more than can be turned through."""
    found = db.scalars(sa.select(MessageItem.message_id).where(MessageItem.kind == kind).limit(MOST_COUNTED + 1)).all()
    return [*found] if len(found) <= MOST_COUNTED else None


def _newest(db: Session, clinic_id: int, state: MessageState | None, kind: str | None, number: int) -> MessagesPage:
    """A page of them all, of which as many are looked at as can be turned through, however many there are."""
    found = db.execute(_COUNTS_OF_KIND if kind else _COUNTS, {"clinic_id": clinic_id, "kind": kind}).one()._mapping
    counts = {each: min(found[each.value], MOST_COUNTED) for each in MessageState if found[each.value]}
    total = counts.get(state, 0) if state else sum(counts.values())
    number = max(1, min(number, -(-total // PAGE)))
    parts = [part for each in ([state] if state else counts) if each in counts
             for part in _first_of(each, clinic_id, kind, number * PAGE)]
    rows = message_rows(
        db, Message.id.in_(sa.union_all(*parts)), limit=PAGE, offset=(number - 1) * PAGE) if parts else ()
    more = frozenset(each for each in counts if found[each.value] > MOST_COUNTED)
    return MessagesPage(rows, counts, total, number, more)


def _first_of(state: MessageState, clinic_id: int, kind: str | None, limit: int) -> Iterator[sa.Select[int]]:
    """The first of one state in the order of `message_rows`, as the index of the list has them: those that are not
    settled go by when they are due, the others by when they were."""
    each = sa.select(Message.id).where(Message.clinic_id == clinic_id, state_is(state), _TO_A_PATIENT, *_of(kind))
    by_due = Message.due_at if state in _MOVES else Message.due_at.desc()
    for part in (
        each.where(Message.settled_at.is_(None)).order_by(by_due),
        each.where(Message.settled_at.is_not(None)).order_by(Message.settled_at.desc(), Message.due_at.desc()),
    ):
        yield sa.select(part.limit(limit).subquery().c.id)


def _counts(*narrowed: sa.ColumnElement[bool]) -> sa.Select[int]:
    clinic_id = sa.bindparam("clinic_id", type_=sa.Integer)
    some = {state: sa.select(Message.id)
            .where(Message.clinic_id == clinic_id, state_is(state), _TO_A_PATIENT, *narrowed)
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


def _of(kind: sa.ColumnElement[str] | str | None) -> list[sa.ColumnElement[bool]]:
    """Those that say something of that kind, or all."""
    if kind is None:
        return []
    # Counted, not asked whether there is any: PostgreSQL would read all items of the kind first.
    items = sa.select(sa.func.count()).where(MessageItem.message_id == Message.id, MessageItem.kind == kind)
    return [items.correlate(Message).scalar_subquery() > 0]


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


_COUNTS, _COUNTS_OF_KIND = _counts(), _counts(*_of(sa.bindparam("kind", type_=sa.Text)))
