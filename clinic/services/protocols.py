"""The protocol library: brought in as drafts, and approved by a clinician."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import sqlalchemy as sa

from clinic.care.catalogue import load_catalogue as read_catalogue
from clinic.care.other_visits import OTHER_VISITS, SESSION
from clinic.care.outcomes import ALWAYS_KEEP
from clinic.care.parts import write_parts
from clinic.care.protocols import Protocol as ProtocolContent
from clinic.planning.findings import Finding, Weight
from clinic.services.work import Done, NotFound, Refused, UnitOfWork, record
from clinic.store.protocols import Protocol, ProtocolVersion, Treatment


def load_catalogue(work: UnitOfWork, contents: Iterable[ProtocolContent] | None = None) -> Done[int]:
    """Brings in the product's protocols as drafts, and its other visits; how many versions are new.

    A protocol of which some version means the same gets no other; one that means something else gets a further draft.
    """
    added = bring_catalogue(work, contents)
    work.commit()
    return Done(added)


def bring_catalogue(work: UnitOfWork, contents: Iterable[ProtocolContent] | None = None) -> int:
    """What `load_catalogue` does, without its commit."""
    added = 0
    known = {row.code: row for row in work.db.scalars(sa.select(Protocol))}
    _keep_other_visits(work)
    for content in read_catalogue() if contents is None else contents:
        row = known.get(content.code)
        if row is None:
            row = Protocol(code=content.code, name=content.name)
            work.db.add(row)
            work.db.flush()
        added += _add_version(work, row, content)
    return added


def approve_version(work: UnitOfWork, version_id: int) -> Done[int] | Refused:
    """Lets a draft be used from now on; the version approved before it is retired. Courses keep their own version.

    The protocol and its treatments are called from then on what the approved version calls them.
    """
    version = work.db.get(ProtocolVersion, version_id)
    if version is None:
        raise NotFound(f"protocol version {version_id}")
    protocol = work.db.get_one(Protocol, version.protocol_id, with_for_update=True)
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
    content = ProtocolContent.from_document(version.document)
    protocol.name = content.name
    _keep_treatments(work, content, anew=True)
    record(work, "protocol-approved", "protocol-version", version.id)
    work.commit()
    return Done(version.id)


def _add_version(work: UnitOfWork, row: Protocol, content: ProtocolContent) -> int:
    known = work.db.scalars(sa.select(ProtocolVersion).where(ProtocolVersion.protocol_id == row.id)).all()
    _keep_treatments(work, content)
    if any(_meaning(ProtocolContent.from_document(each.document)) == _meaning(content) for each in known):
        return 0
    if all(each.state == "draft" for each in known):
        row.name = content.name
    version = ProtocolVersion(protocol_id=row.id, number=max((each.number for each in known), default=0) + 1,
                              document=content.to_document(), created_at=work.now)
    work.db.add(version)
    work.db.flush()
    record(work, "protocol-drafted", "protocol-version", version.id)
    return 1


def _meaning(content: ProtocolContent) -> ProtocolContent:
    # A version that says nothing of missed sessions reads as one that keeps the course: to say so later is no news.
    missed = content.missed
    silent = missed.evidence.our_default and replace(missed, evidence=ALWAYS_KEEP.evidence) == ALWAYS_KEEP
    return replace(content, missed=ALWAYS_KEEP) if silent else content


def _keep_treatments(work: UnitOfWork, content: ProtocolContent, *, anew: bool = False) -> None:
    """Adds the treatments that are not known yet; `anew` writes those that are, too, as what is approved says them."""
    codes = [treatment.code for treatment in content.treatments]
    known = {row.code: row for row in work.db.scalars(sa.select(Treatment).where(Treatment.code.in_(codes)))}
    for treatment in content.treatments:
        parts = write_parts(treatment.parts)
        row = known.get(treatment.code)
        if row is None:
            work.db.add(Treatment(code=treatment.code, name=treatment.name, kind=SESSION, parts=parts))
        elif anew:
            row.name, row.parts = treatment.name, parts
    work.db.flush()


def _keep_other_visits(work: UnitOfWork) -> None:
    """A clinic that has made its own of them keeps it: only what is missing comes in."""
    known = set(work.db.scalars(sa.select(Treatment.code)))
    work.db.add_all(
        Treatment(code=visit.kind, name=visit.name, kind=visit.kind, parts=write_parts(visit.parts))
        for visit in OTHER_VISITS if visit.kind not in known)
    work.db.flush()


def _refused(code: str, text: str) -> Refused:
    return Refused((Finding(code, Weight.BLOCKS, text),))
