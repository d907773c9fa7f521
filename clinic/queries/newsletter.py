"""The newsletter as staff and the public see it: editions, how far each has gone, and its readers."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.newsletter import LANGUAGES, Block, Content, blocks_of
from clinic.store.accounts import Account
from clinic.store.clinics import Clinic
from clinic.store.links import Link
from clinic.store.newsletter import Edition, EditionText, Subscriber
from clinic.store.outbox import Bounce, Message, MessageItem

PAGE = 50
_OF_EDITION = sa.and_(MessageItem.kind == "edition", MessageItem.subject_kind == "edition")


@dataclass(frozen=True, slots=True)
class Figures:
    """How far an edition has gone. Nobody can know who has read it."""

    waiting: int = 0
    sent: int = 0
    uncertain: int = 0
    failed: int = 0
    held: int = 0
    not_sent: int = 0
    bounced: int = 0
    stopped: int = 0

    @property
    def written(self) -> int:
        """How many readers have had their turn, or are having it."""
        return self.sent + self.uncertain + self.failed + self.bounced + self.not_sent


@dataclass(frozen=True, slots=True)
class EditionCard:
    """An edition with its words and its figures; `approved_by` and `stopped_by` are names of accounts."""

    id: int
    clinic_id: int
    clinic: str
    title: str
    state: str
    interests: tuple[str, ...]
    contents: tuple[Content, ...]
    created_at: datetime
    send_at: datetime | None
    approved_at: datetime | None
    approved_by: str | None
    agreed: int | None
    queued_to: int
    queued_at: datetime | None
    stopped_at: datetime | None
    in_archive: bool
    lock_version: int
    figures: Figures

    @property
    def languages(self) -> tuple[str, ...]:
        """Those that it has words in."""
        return tuple(content.language for content in self.contents)

    def content(self, language: str) -> Content | None:
        """Its words in a language."""
        return next((each for each in self.contents if each.language == language), None)

    def stage(self, now: datetime) -> str:
        """Where it stands: draft, scheduled, going-out, sent or stopped."""
        if self.state != "approved":
            return self.state
        if self.queued_at is None and self.send_at is not None and now < self.send_at:
            return "scheduled"
        return "going-out" if self.queued_at is None or self.figures.waiting else "sent"


@dataclass(frozen=True, slots=True)
class ReaderRow:
    """An address in the list of readers, with what is kept of its consent."""

    id: int
    email: str
    language: str
    interests: tuple[str, ...]
    state: str
    asked_at: datetime
    consented_at: datetime | None
    stopped_at: datetime | None
    source: str
    wording: str


@dataclass(frozen=True, slots=True)
class ReadersPage:
    """A page of the readers, the newest first."""

    rows: tuple[ReaderRow, ...]
    total: int
    number: int

    @property
    def has_next(self) -> bool:
        """Whether there are more than were shown so far."""
        return self.number * PAGE < self.total


@dataclass(frozen=True, slots=True)
class ArchiveRow:
    """An edition on the public page."""

    id: int
    language: str
    subject: str
    sent_at: datetime
    clinic: str
    zone: str
    blocks: tuple[Block, ...]


def editions_of(db: Session, clinic_id: int) -> tuple[EditionCard, ...]:
    """The editions of a clinic, the newest first; in six statements."""
    return _cards(db, Edition.clinic_id == clinic_id)


def edition_card(db: Session, edition_id: int) -> EditionCard | None:
    """One edition; none where it is not there."""
    return next(iter(_cards(db, Edition.id == edition_id)), None)


def clinic_of_edition(db: Session, edition_id: int) -> int | None:
    """The clinic of an edition; none where there is no such edition."""
    return db.scalar(sa.select(Edition.clinic_id).where(Edition.id == edition_id))


def held_of(db: Session, edition_id: int) -> tuple[int, ...]:
    """The messages of an edition that are held."""
    return tuple(db.scalars(
        sa.select(Message.id).join(MessageItem, MessageItem.message_id == Message.id)
        .where(_OF_EDITION, MessageItem.subject_id == edition_id, Message.state == "held").order_by(Message.id)))


def readers_page(db: Session, *, find: str = "", state: str = "", number: int = 1) -> ReadersPage:
    """A page of the readers whose address holds what is looked for, in one state or in all; in two statements."""
    part = find.replace("\0", " ").strip().lower()
    which = sa.and_(
        Subscriber.email.contains(part, autoescape=True) if part else sa.true(),
        Subscriber.state == state if state else sa.true())
    total = db.scalar(sa.select(sa.func.count()).select_from(Subscriber).where(which)) or 0
    number = max(1, min(number, -(-total // PAGE)))
    rows = db.scalars(sa.select(Subscriber).where(which).order_by(Subscriber.id.desc())
                      .limit(PAGE).offset((number - 1) * PAGE))
    return ReadersPage(tuple(_reader(row) for row in rows), total, number)


def archive(db: Session, language: str, now: datetime) -> tuple[ArchiveRow, ...]:
    """What was sent and is shown to everybody, the newest first, in that language or else in the other one."""
    return _archived(db, language, now, sa.true())


def archived_edition(db: Session, edition_id: int, language: str, now: datetime) -> ArchiveRow | None:
    """One of them; none where it is not shown."""
    return next(iter(_archived(db, language, now, Edition.id == edition_id)), None)


def _archived(db: Session, language: str, now: datetime, which: sa.ColumnElement[bool]) -> tuple[ArchiveRow, ...]:
    rows = db.execute(
        sa.select(Edition, Clinic.name, Clinic.zone).join(Clinic, Clinic.id == Edition.clinic_id)
        .where(which, Edition.state == "approved", Edition.send_at <= now, Edition.in_archive)
        .order_by(Edition.send_at.desc(), Edition.id.desc()).limit(100)).all()
    contents = _contents(db, [row.Edition.id for row in rows])
    found = []
    for edition, clinic, zone in rows:
        words = sorted(contents.get(edition.id, ()), key=lambda each: each.language != language)
        if words and edition.send_at is not None:
            found.append(ArchiveRow(edition.id, words[0].language, words[0].subject, edition.send_at, clinic, zone,
                                    words[0].blocks))
    return tuple(found)


def _cards(db: Session, which: sa.ColumnElement[bool]) -> tuple[EditionCard, ...]:
    rows = db.execute(
        sa.select(Edition, Clinic.name, Account.name).join(Clinic, Clinic.id == Edition.clinic_id)
        .outerjoin(Account, Account.id == Edition.approved_by)
        .where(which).order_by(Edition.id.desc()).limit(200)).all()
    ids = [edition.id for edition, _, _ in rows]
    contents, figures = _contents(db, ids), _figures(db, ids)
    return tuple(
        EditionCard(
            id=row.id, clinic_id=row.clinic_id, clinic=clinic, title=row.title, state=row.state,
            interests=tuple(row.interests), contents=contents.get(row.id, ()), created_at=row.created_at,
            send_at=row.send_at, approved_at=row.approved_at, approved_by=by, agreed=row.agreed,
            queued_to=row.queued_to, queued_at=row.queued_at, stopped_at=row.stopped_at, in_archive=row.in_archive,
            lock_version=row.lock_version, figures=figures.get(row.id, Figures()))
        for row, clinic, by in rows)


def _contents(db: Session, edition_ids: list[int]) -> Mapping[int, tuple[Content, ...]]:
    found: dict[int, tuple[Content, ...]] = {}
    rows = db.scalars(sa.select(EditionText).where(EditionText.edition_id.in_(edition_ids)))
    for row in sorted(rows, key=lambda each: LANGUAGES.index(each.language)):
        found[row.edition_id] = (*found.get(row.edition_id, ()),
                                 Content(row.language, row.subject, blocks_of(row.blocks)))
    return found


def _figures(db: Session, edition_ids: list[int]) -> Mapping[int, Figures]:
    """The numbers of messages by their state, of those that came back, and of readers who stopped because of it."""
    of_these = sa.and_(_OF_EDITION, MessageItem.subject_id.in_(edition_ids))
    counts: dict[int, dict[str, int]] = {}
    for edition_id, state, number in db.execute(
        sa.select(MessageItem.subject_id, Message.state, sa.func.count())
        .join(Message, Message.id == MessageItem.message_id).where(of_these)
        .group_by(MessageItem.subject_id, Message.state)):
        counts.setdefault(edition_id, {})[state] = number
    bounced = _counted(db, of_these, Bounce, Bounce.is_final)
    stopped = _counted(db, of_these, Link, sa.and_(Link.purpose == "stop", Link.used_at.is_not(None)))
    return {
        edition_id: Figures(
            waiting=by.get("pending", 0) + by.get("sending", 0), sent=by.get("sent", 0),
            uncertain=by.get("uncertain", 0),
            failed=max(0, by.get("failed", 0) - bounced.get(edition_id, 0)), held=by.get("held", 0),
            not_sent=sum(by.get(each, 0) for each in ("superseded", "expired", "withheld")),
            bounced=bounced.get(edition_id, 0), stopped=stopped.get(edition_id, 0))
        for edition_id, by in counts.items()}


def _counted(
    db: Session, of_these: sa.ColumnElement[bool], table: type[Bounce] | type[Link],
    which: sa.ColumnExpressionArgument[bool],
) -> Mapping[int, int]:
    return dict(db.execute(
        sa.select(MessageItem.subject_id, sa.func.count(sa.distinct(table.message_id)))
        .join(table, table.message_id == MessageItem.message_id).where(of_these, which)
        .group_by(MessageItem.subject_id)).all())


def _reader(row: Subscriber) -> ReaderRow:
    return ReaderRow(row.id, row.email, row.language, tuple(row.interests), row.state, row.asked_at, row.consented_at,
                     row.stopped_at, row.consent_source, row.consent_wording)
