"""Which translated texts somebody of the clinic has approved, and the clinical texts that are in use."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.protocols import Protocol as ProtocolContent
from clinic.care.states import CourseState, MaintenanceState
from clinic.care.translations import ClinicalText, clinical_texts, fingerprint, translations
from clinic.store.accounts import Account
from clinic.store.clinics import TranslationApproval
from clinic.store.courses import Course, MaintenancePlan
from clinic.store.protocols import Protocol, ProtocolVersion

_Version = sa.Row[tuple[int, str, str, dict[str, Any], str, bool]]


@dataclass(frozen=True, slots=True)
class Approval:
    """When somebody approved a text, and who; the name is none where the account is gone."""

    at: datetime
    by: str | None


@dataclass(frozen=True, slots=True)
class TextLine:
    """A clinical text with its translation, and its approval: none where nobody gave it for exactly these words."""

    text: ClinicalText
    said: str | None
    approval: Approval | None

    @property
    def fingerprint(self) -> str:
        """What an approval of it is kept under; nothing where there is nothing to approve."""
        return fingerprint(self.text, self.said) if self.said is not None else ""


@dataclass(frozen=True, slots=True)
class ProtocolTexts:
    """What the versions of a protocol that are in use say to patients, in another language."""

    id: int
    code: str
    name: str
    lines: tuple[TextLine, ...]

    @property
    def unapproved(self) -> tuple[TextLine, ...]:
        """Those with a translation that nobody has approved."""
        return tuple(line for line in self.lines if line.said is not None and line.approval is None)

    @property
    def missing(self) -> tuple[TextLine, ...]:
        """Those without a translation: they stand in English."""
        return tuple(line for line in self.lines if line.said is None)

    @property
    def approved(self) -> tuple[TextLine, ...]:
        """Those that are approved as they are."""
        return tuple(line for line in self.lines if line.approval is not None)

    @property
    def last(self) -> Approval | None:
        """The latest approval of any of them."""
        return max((line.approval for line in self.approved if line.approval), key=lambda each: each.at, default=None)


def approvals(db: Session, language: str) -> dict[str, Approval]:
    """The approvals of texts in that language, by their fingerprints."""
    rows = db.execute(
        sa.select(TranslationApproval.sha256, TranslationApproval.approved_at, Account.name)
        .outerjoin(Account, Account.id == TranslationApproval.approved_by)
        .where(TranslationApproval.language == language))
    return {row.sha256: Approval(row.approved_at, row.name) for row in rows}


def were_approved(db: Session, language: str) -> frozenset[str]:
    """The parts of the messages that were ever approved in that language, in whatever words."""
    return frozenset(db.scalars(
        sa.select(TranslationApproval.subject).where(TranslationApproval.language == language).distinct()))


def all_approved(db: Session, language: str, fingerprints: Iterable[str]) -> bool:
    """Whether each of these texts is approved as it is."""
    wanted = set(fingerprints)
    known = sa.select(sa.func.count(TranslationApproval.sha256.distinct())).where(
        TranslationApproval.language == language, TranslationApproval.sha256.in_(wanted))
    return db.scalar(known) == len(wanted)


def protocol_texts(db: Session, language: str, code: str | None = None) -> tuple[ProtocolTexts, ...]:
    """What each protocol, or that one, says to patients: in its approved or else newest version, and in those that
    courses or their upkeep still follow. In two statements."""
    known, words = approvals(db, language), translations(language)
    found: dict[str, list[_Version]] = {}
    for row in db.execute(_versions(code)):
        found.setdefault(row.code, []).append(row)
    return tuple(_texts(rows, words, known) for rows in found.values())


def _versions(code: str | None) -> sa.Select[tuple[int, str, str, dict[str, Any], str, bool]]:
    """The versions of the protocols by name, the newest first, each with whether a course or upkeep follows it."""
    runs = sa.exists().where(
        Course.protocol_version_id == ProtocolVersion.id,
        sa.or_(Course.state.in_((CourseState.DRAFT, CourseState.ACTIVE, CourseState.ON_HOLD)),
               sa.exists().where(MaintenancePlan.course_id == Course.id,
                                 MaintenancePlan.state != MaintenanceState.REVOKED)))
    return (
        sa.select(Protocol.id, Protocol.code, Protocol.name, ProtocolVersion.document, ProtocolVersion.state,
                  runs.label("is_followed"))
        .join(ProtocolVersion, ProtocolVersion.protocol_id == Protocol.id)
        .where(Protocol.code == code if code else sa.true(), sa.or_(ProtocolVersion.state != "retired", runs))
        .order_by(Protocol.name, Protocol.code, ProtocolVersion.number.desc()))


def _texts(
    versions: list[_Version], words: Mapping[ClinicalText, str], known: Mapping[str, Approval],
) -> ProtocolTexts:
    current = next((row for row in versions if row.state == "approved"), versions[0])
    used = [current, *(row for row in versions if row.is_followed and row is not current)]
    texts = dict.fromkeys(
        text for row in used for text in clinical_texts(ProtocolContent.from_document(row.document)))
    return ProtocolTexts(current.id, current.code, current.name, tuple(_line(text, words, known) for text in texts))


def _line(text: ClinicalText, words: Mapping[ClinicalText, str], known: Mapping[str, Approval]) -> TextLine:
    said = words.get(text)
    return TextLine(text, said, known.get(fingerprint(text, said)) if said is not None else None)
