"""The protocol library: brought in as drafts, and approved by a clinician."""
from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from clinic.care.catalogue import load_catalogue as read_catalogue
from clinic.care.documents import write_document
from clinic.care.protocols import Protocol as ProtocolContent
from clinic.planning.findings import Finding, Weight
from clinic.services.work import Done, NotFound, Refused, UnitOfWork, record
from clinic.store.protocols import Protocol, ProtocolVersion, Treatment


def load_catalogue(work: UnitOfWork, contents: Iterable[ProtocolContent] | None = None) -> Done[int]:
    """Brings in the product's protocols as drafts; how many versions are new.

    A protocol whose newest version says the same gets no other; one that says something else gets a further draft.
    """
    added = 0
    known = {row.code: row for row in work.db.scalars(sa.select(Protocol))}
    for content in read_catalogue() if contents is None else contents:
        row = known.get(content.code)
        if row is None:
            row = Protocol(code=content.code, name=content.name)
            work.db.add(row)
            work.db.flush()
        _keep_treatments(work, content)
        added += _add_version(work, row, content)
    work.commit()
    return Done(added)


def approve_version(work: UnitOfWork, version_id: int) -> Done[int] | Refused:
    """Lets a draft be used from now on; the version approved before it is retired. Courses keep their own version."""
    version = work.db.get(ProtocolVersion, version_id)
    if version is None:
        raise NotFound(f"protocol version {version_id}")
    work.db.get_one(Protocol, version.protocol_id, with_for_update=True)
    work.db.refresh(version)
    if version.state != "draft":
        return _refused("not-a-draft", "This version was approved before. Reload the page to see it as it is now.")
    if work.actor.account_id is None:
        return _refused("nobody", "Only a person who is signed in can approve a protocol.")
    work.db.execute(
        sa.update(ProtocolVersion)
        .where(ProtocolVersion.protocol_id == version.protocol_id, ProtocolVersion.state == "approved")
        .values(state="retired"))
    version.state, version.approved_by, version.approved_at = "approved", work.actor.account_id, work.now
    record(work, "protocol-approved", "protocol-version", version.id)
    work.commit()
    return Done(version.id)


def _add_version(work: UnitOfWork, row: Protocol, content: ProtocolContent) -> int:
    document = content.to_document()
    newest = work.db.scalars(
        sa.select(ProtocolVersion).where(ProtocolVersion.protocol_id == row.id)
        .order_by(ProtocolVersion.number.desc()).limit(1)
    ).one_or_none()
    if newest is not None and newest.document == document:
        return 0
    row.name = content.name
    version = ProtocolVersion(
        protocol_id=row.id, number=newest.number + 1 if newest else 1, document=document, created_at=work.now)
    work.db.add(version)
    work.db.flush()
    record(work, "protocol-drafted", "protocol-version", version.id)
    return 1


def _keep_treatments(work: UnitOfWork, content: ProtocolContent) -> None:
    codes = [treatment.code for treatment in content.treatments]
    known = {row.code: row for row in work.db.scalars(sa.select(Treatment).where(Treatment.code.in_(codes)))}
    for treatment in content.treatments:
        parts = [write_document(part) for part in treatment.parts]
        row = known.get(treatment.code)
        if row is None:
            work.db.add(Treatment(code=treatment.code, name=treatment.name, kind="session", parts=parts))
        else:
            row.name, row.parts = treatment.name, parts
    work.db.flush()


def _refused(code: str, text: str) -> Refused:
    return Refused((Finding(code, Weight.BLOCKS, text),))
