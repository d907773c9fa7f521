"""Absences of practitioners and downtime of rooms and devices: noted, and taken back."""
from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from clinic.planning.findings import Finding, Weight
from clinic.services.work import Done, Refused, UnitOfWork, record
from clinic.store.resources import Absence, Device, Resource, Room

LONGEST = timedelta(days=3 * 366)
LONGEST_REASON = 200


def add_absence(
    work: UnitOfWork, resource_id: int, *, starts_at: datetime, ends_at: datetime, reason: str
) -> Done[int] | Refused:
    """Notes when a practitioner is away, or a room or device out of service; what is booked then stays booked."""
    resource = work.db.get_one(Resource, resource_id, with_for_update=True)
    findings = _judge(work, resource, starts_at, ends_at, reason)
    if findings:
        return Refused(findings)
    absence = Absence(resource_id=resource_id, starts_at=starts_at, ends_at=ends_at, reason=reason.strip())
    work.db.add(absence)
    work.db.flush()
    record(work, "absence-added", "absence", absence.id, clinic_id=_clinic_of(resource), resource_id=resource_id)
    work.commit()
    return Done(absence.id)


def remove_absence(work: UnitOfWork, absence_id: int) -> Done[int] | Refused:
    """Takes an absence back: its time can be booked again. One of an outside calendar is removed there."""
    absence = work.db.get_one(Absence, absence_id, with_for_update=True)
    if absence.source is not None:
        return Refused((Finding("from-outside", Weight.BLOCKS, (
            f"This time comes from the calendar {absence.source}. Remove it there, and load the calendar again.")),))
    resource = work.db.get_one(Resource, absence.resource_id)
    record(work, "absence-removed", "absence", absence.id, clinic_id=_clinic_of(resource), resource_id=resource.id)
    work.db.delete(absence)
    work.commit()
    return Done(absence_id)


def _judge(
    work: UnitOfWork, resource: Resource, starts_at: datetime, ends_at: datetime, reason: str
) -> tuple[Finding, ...]:
    if resource.kind == "patient":
        return (_wrong("not-absent", "An absence is of a practitioner, a room or a device.", "resource"),)
    if ends_at <= starts_at:
        return (_wrong("span", "The end must be after the beginning.", "to_on"),)
    found = []
    if ends_at - starts_at > LONGEST:
        found.append(_wrong("too-long", "An absence lasts at most three years. For ever means: put it out of use.",
                            "to_on"))
    if not reason.strip() or len(reason) > LONGEST_REASON:
        found.append(_wrong("reason", f"Give a reason of at most {LONGEST_REASON} characters, such as Leave.",
                            "reason"))
    same = work.db.scalar(sa.select(Absence.id).where(
        Absence.resource_id == resource.id, Absence.starts_at == starts_at, Absence.ends_at == ends_at,
        Absence.source.is_(None)).limit(1))
    if same is not None:
        found.append(_wrong("twice", "This very absence is noted already.", "from_on"))
    return tuple(found)


def _clinic_of(resource: Resource) -> int | None:
    return resource.clinic_id if isinstance(resource, Room | Device) else None


def _wrong(code: str, words: str, place: str | None) -> Finding:
    return Finding(code, Weight.BLOCKS, words, place)
