"""Versions of protocols that a clinic writes itself, and what it asks for before a course is booked."""
from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from clinic.care.documents import DocumentFaults, Fault
from clinic.care.protocol_faults import broken_spacing
from clinic.care.protocols import Protocol as ProtocolContent
from clinic.care.visit_parts import SKILLS, judge_parts
from clinic.planning.findings import Finding, Weight
from clinic.services.work import Done, NotFound, Refused, UnitOfWork, record
from clinic.store.protocols import Protocol, ProtocolVersion

CONSULTATION_CHOICES = ("none", "before", "hold")


def draft_version(
    work: UnitOfWork, code: str, document: dict[str, Any], *, base: int
) -> Done[int] | Refused:
    """Keeps a further draft of a protocol, made from its version `base`; answers its number.

    The findings of a refusal name places of the document as their fields.
    """
    row = work.db.scalars(sa.select(Protocol).where(Protocol.code == code).with_for_update()).one_or_none()
    known = {} if row is None else {version.number: version for version in work.db.scalars(
        sa.select(ProtocolVersion).where(ProtocolVersion.protocol_id == row.id))}
    if row is None or base not in known:
        raise NotFound(f"version {base} of protocol {code}")
    try:
        content = ProtocolContent.from_document(document)
    except DocumentFaults as error:
        return Refused(tuple(_finding(fault) for fault in error.faults))
    findings = [*map(_finding, broken_spacing(content)), *_judge_visits(content), *_judge_news(content, code, known)]
    if findings:
        return Refused(tuple(findings))
    version = ProtocolVersion(protocol_id=row.id, number=max(known) + 1, document=content.to_document(),
                              created_at=work.now)
    work.db.add(version)
    work.db.flush()
    record(work, "protocol-drafted", "protocol-version", version.id, base=base)
    work.commit()
    return Done(version.number)


def choose_consultation(work: UnitOfWork, code: str, choice: str) -> Done[str] | Refused:
    """Says whether this protocol's courses ask for a consultation first: never, before booking, or with dates held."""
    row = work.db.scalars(sa.select(Protocol).where(Protocol.code == code).with_for_update()).one_or_none()
    if row is None:
        raise NotFound(f"protocol {code}")
    if choice not in CONSULTATION_CHOICES:
        return Refused((Finding("consultation", Weight.BLOCKS, "Choose one of the three.", "consultation"),))
    if row.consultation != choice:
        record(work, "consultation-chosen", "protocol", row.id, before=row.consultation, now=choice)
        row.consultation = choice
    work.commit()
    return Done(choice)


def _judge_news(content: ProtocolContent, code: str, known: dict[int, ProtocolVersion]) -> list[Finding]:
    if content.code != code:
        return [Finding("other-protocol", Weight.BLOCKS, "This is the content of another protocol.")]
    for number, version in known.items():
        if version.state != "retired" and ProtocolContent.from_document(version.document) == content:
            return [Finding("says-the-same", Weight.BLOCKS, f"Version {number} says the same already.")]
    return []


def _judge_visits(content: ProtocolContent) -> list[Finding]:
    found = []
    for index, treatment in enumerate(content.treatments):
        place = f"treatments[{index}].parts"
        found += [Finding("parts", Weight.BLOCKS, fault, place) for fault in judge_parts(treatment.parts)]
        held = ((hold.kind, skill) for part in treatment.parts for hold in part.holds for skill in hold.skills)
        found += [Finding("skill", Weight.BLOCKS, f"{skill} is not known.", place)
                  for kind, skill in held if skill not in SKILLS[kind]]
    return found


def _finding(fault: Fault) -> Finding:
    return Finding("document", Weight.BLOCKS, fault.text, fault.place)
