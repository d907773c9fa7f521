"""When a clinic is closed: noted, taken back, and a year's public holidays at once."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from clinic.interchange.holidays import CannotRead, read_holidays
from clinic.planning.findings import Finding, Weight
from clinic.services.work import Done, NotFound, Refused, UnitOfWork, record
from clinic.store.clinics import Clinic, Closure

LONGEST = timedelta(days=3660)
MOST_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """Dates on which a clinic is closed, both included, and why."""

    from_on: date
    to_on: date
    reason: str


def close_clinic(
    work: UnitOfWork, clinic_id: int, *, from_on: date, to_on: date, reason: str
) -> Done[int] | Refused:
    """Closes a clinic on these dates, both included. What is booked there stays, and is for people to move."""
    days = ClosedDays(from_on, to_on, reason.strip())
    findings = judge_closure(days)
    if findings:
        return Refused(findings)
    work.db.get_one(Clinic, clinic_id)
    closure = _put(work, clinic_id, days)
    work.commit()
    return Done(closure.id)


def open_again(work: UnitOfWork, closure_id: int) -> Done[int]:
    """Takes a closure back; answers the clinic that it was of. NotFound where somebody did so already."""
    closure = work.db.get(Closure, closure_id)
    if closure is None:
        raise NotFound(f"closure {closure_id}")
    clinic_id = closure.clinic_id
    work.db.delete(closure)
    record(work, "closure-removed", "closure", closure_id, clinic_id=clinic_id)
    work.commit()
    return Done(clinic_id)


def holidays_in(data: bytes, *, today: date) -> tuple[ClosedDays, ...] | Refused:
    """The public holidays that a file names, or with its line why it cannot be taken; nothing is saved."""
    try:
        found = read_holidays(data, today=today)
    except CannotRead as error:
        return Refused((Finding("file", Weight.BLOCKS, str(error), "file"),))
    return tuple(ClosedDays(each.from_on, each.to_on, each.name) for each in found)


def add_holidays(work: UnitOfWork, clinic_id: int, days: Sequence[ClosedDays]) -> Done[int] | Refused:
    """Closes a clinic on all of these dates, or on none where one of them cannot be; how many were not closed yet."""
    findings = tuple(finding for each in days for finding in judge_closure(each))
    if len(days) > MOST_AT_ONCE:
        findings = (Finding("too-many", Weight.BLOCKS, f"A file may bring {MOST_AT_ONCE} closures at most."),)
    if findings:
        return Refused(findings)
    work.db.get_one(Clinic, clinic_id, with_for_update=True)
    known = {(row.from_on, row.to_on) for row in work.db.execute(
        sa.select(Closure.from_on, Closure.to_on).where(Closure.clinic_id == clinic_id))}
    added = 0
    for each in days:
        if not any(first <= each.from_on and each.to_on <= last for first, last in known):
            known.add((each.from_on, each.to_on))
            _put(work, clinic_id, each)
            added += 1
    work.commit()
    return Done(added)


def judge_closure(days: ClosedDays) -> tuple[Finding, ...]:
    """What speaks against a closure, each at its field."""
    found = []
    if days.to_on < days.from_on:
        found.append(Finding("span", Weight.BLOCKS, "The last day must not be before the first.", "to_on"))
    elif days.to_on - days.from_on > LONGEST:
        found.append(Finding("span", Weight.BLOCKS, "A closure lasts ten years at most.", "to_on"))
    if not days.reason.strip():
        found.append(Finding("missing", Weight.BLOCKS, "Say why the clinic is closed: staff read it.", "reason"))
    return tuple(found)


def _put(work: UnitOfWork, clinic_id: int, days: ClosedDays) -> Closure:
    closure = Closure(clinic_id=clinic_id, from_on=days.from_on, to_on=days.to_on, reason=days.reason)
    work.db.add(closure)
    work.db.flush()
    record(work, "closure-added", "closure", closure.id, clinic_id=clinic_id)
    return closure
