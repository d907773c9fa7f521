"""A clinic with its own words, as its messages would sign themselves; how they came to be, and what waits for them."""
from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from clinic.care.own_text import fingerprint
from clinic.care.states import MessageState
from clinic.care.text_changes import Stretch, text_changes
from clinic.care.translations import ENGLISH, LANGUAGES
from clinic.queries.letters import SIGNATURE, ClinicFacts, clinic_facts
from clinic.queries.own_texts import OwnTexts, own_texts
from clinic.store.accounts import Account
from clinic.store.clinics import Clinic, ClinicText, TranslationApproval
from clinic.store.outbox import Message, MessageItem
from clinic.store.protocols import Treatment
from clinic.store.resources import Patient

MOST_VERSIONS = 50
MOST_LETTERS = 20
_WAITING = (MessageState.PENDING, MessageState.HELD)


@dataclass(frozen=True, slots=True)
class ClinicWords:
    """A clinic as it signs its messages; `names_zone` where the business has clinics in several zones."""

    facts: ClinicFacts
    names_zone: bool

    def with_texts(self, texts: OwnTexts) -> ClinicWords:
        """The same clinic with other words."""
        return replace(self, facts=replace(self.facts, texts=texts))


@dataclass(frozen=True, slots=True)
class Writer:
    """What a clinic's own words are held against: its name and number, and what its treatments are called."""

    name: str
    phone: str
    treatments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest version of a text, which may have been taken back: then it is empty.

    `by` is none where no person saved it, or the account is gone; `is_approved` is whether it may go out unread.
    """

    id: int
    language: str
    code: str
    version: int
    text: str
    made_at: datetime | None
    by: str | None
    is_approved: bool


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a text: who made it and when, and what it changed in the one before."""

    id: int
    code: str
    version: int
    text: str
    changes: tuple[Stretch, ...]
    made_at: datetime | None
    by: str | None
    is_newest: bool


@dataclass(frozen=True, slots=True)
class WaitingLetter:
    """A message that is written when it leaves: whose it is, and when that will be."""

    message_id: int
    patient: str
    due_at: datetime


def clinic_words(db: Session, clinic_id: int) -> ClinicWords:
    """The clinic with its own words, in two statements; raises NoResultFound for one that is not there."""
    zones = sa.select(sa.func.count(sa.distinct(Clinic.zone))).scalar_subquery()
    row = db.execute(sa.select(*SIGNATURE, zones.label("zones")).where(Clinic.id == clinic_id)).one()
    return ClinicWords(clinic_facts(row, own_texts(db, clinic_id)), row.zones > 1)


def writer_of(db: Session, clinic_id: int) -> Writer:
    """What the clinic's own words are held against; raises NoResultFound for one that is not there."""
    name, phone = db.execute(sa.select(Clinic.name, Clinic.phone).where(Clinic.id == clinic_id)).one()
    treatments = db.scalars(sa.select(Treatment.name).where(Treatment.kind == "session").order_by(Treatment.name))
    return Writer(name, phone, tuple(treatments))


def newest_texts(db: Session, clinic_id: int) -> tuple[Newest, ...]:
    """The newest version of each text of a clinic, also of those that were taken back."""
    newer = aliased(ClinicText)
    rows = db.execute(
        sa.select(ClinicText.id, ClinicText.language, ClinicText.code, ClinicText.version, ClinicText.text,
                  ClinicText.made_at, Account.name)
        .outerjoin(Account, Account.id == ClinicText.made_by)
        .where(ClinicText.clinic_id == clinic_id,
               ~sa.exists().where(newer.clinic_id == ClinicText.clinic_id, newer.code == ClinicText.code,
                                  newer.language == ClinicText.language, newer.version > ClinicText.version))).all()
    approved = _approved(db, {fingerprint(clinic_id, row.code, row.language, row.text) for row in rows})
    return tuple(Newest(*row, is_approved=row.language == ENGLISH or not row.text or fingerprint(
        clinic_id, row.code, row.language, row.text) in approved) for row in rows)


def text_history(db: Session, clinic_id: int, language: str, codes: Collection[str]) -> tuple[Version, ...]:
    """The versions of these texts in a language, the newest first, each with what it changed; so many at most."""
    before = sa.func.lag(ClinicText.text).over(partition_by=ClinicText.code, order_by=ClinicText.version)
    newest = sa.func.max(ClinicText.version).over(partition_by=ClinicText.code)
    rows = db.execute(
        sa.select(ClinicText.id, ClinicText.code, ClinicText.version, ClinicText.text, before.label("before"),
                  ClinicText.made_at, Account.name, (newest == ClinicText.version).label("is_newest"))
        .outerjoin(Account, Account.id == ClinicText.made_by)
        .where(ClinicText.clinic_id == clinic_id, ClinicText.language == language, ClinicText.code.in_(codes))
        .order_by(ClinicText.id.desc()).limit(MOST_VERSIONS))
    return tuple(Version(row.id, row.code, row.version, row.text, text_changes(row.before or "", row.text),
                         row.made_at, row.name, bool(row.is_newest)) for row in rows)


def waiting_letters(db: Session, clinic_id: int, kind: str, language: str) -> tuple[WaitingLetter, ...]:
    """Messages of that kind that wait at a clinic for patients who read that language, the next to leave first."""
    reads = Patient.language == language if language != ENGLISH else Patient.language.not_in(
        [each for each in LANGUAGES if each != ENGLISH])
    rows = db.execute(
        sa.select(Message.id, Patient.given_name, Patient.family_name, Message.due_at)
        .join(Patient, Patient.id == Message.patient_id)
        .where(Message.clinic_id == clinic_id, Message.state.in_(_WAITING), Message.mime.is_(None), reads,
               sa.exists().where(MessageItem.message_id == Message.id, MessageItem.kind == kind,
                                 MessageItem.dropped.is_(None)))
        .order_by(Message.due_at, Message.id).limit(MOST_LETTERS))
    return tuple(WaitingLetter(ident, f"{given} {family}", due_at) for ident, given, family, due_at in rows)


def _approved(db: Session, fingerprints: Collection[str]) -> frozenset[str]:
    if not fingerprints:
        return frozenset()
    return frozenset(db.scalars(
        sa.select(TranslationApproval.sha256).where(TranslationApproval.sha256.in_(fingerprints))))
