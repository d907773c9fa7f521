"""The treatments that belong to no protocol: what a consultation, a patch test, a review or another visit holds."""
from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import sqlalchemy as sa

from clinic.care.other_visits import OTHER_KINDS, SESSION
from clinic.care.parts import Part, write_parts
from clinic.care.visit_parts import judge_parts
from clinic.planning.findings import Finding, Weight
from clinic.services.work import Done, NotFound, Refused, UnitOfWork, check_version, record
from clinic.store.protocols import Treatment

LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class TreatmentDetails:
    """What a clinic says of a treatment of its own."""

    name: str
    parts: tuple[Part, ...]
    active: bool = True


def add_treatment(work: UnitOfWork, kind: str, details: TreatmentDetails) -> Done[int] | Refused:
    """Adds a treatment of that kind, or says what stands in the way."""
    findings = _judge(work, details, None)
    if kind not in OTHER_KINDS:
        findings.append(Finding("kind", Weight.BLOCKS, "Choose what kind of visit it is.", "kind"))
    if findings:
        return Refused(tuple(findings))
    row = Treatment(code=_free_code(work, details.name), name=details.name.strip(), kind=kind,
                    parts=write_parts(details.parts), active=details.active)
    work.db.add(row)
    work.db.flush()
    record(work, "treatment-added", "treatment", row.id, code=row.code)
    work.commit()
    return Done(row.id)


def edit_treatment(
    work: UnitOfWork, treatment_id: int, details: TreatmentDetails, *, lock_version: int
) -> Done[int] | Refused:
    """Changes what is booked from now on; appointments that stand keep what they hold. Stale: someone was faster."""
    row = work.db.get(Treatment, treatment_id, with_for_update=True)
    if row is None:
        raise NotFound(f"treatment {treatment_id}")
    if row.kind == SESSION:
        return Refused((Finding(
            "of-a-protocol", Weight.BLOCKS, "The parts of a session belong to its protocol: make a new version."),))
    findings = _judge(work, details, row.id)
    if findings:
        return Refused(tuple(findings))
    check_version("treatment", row, lock_version)
    row.name, row.parts, row.active = details.name.strip(), write_parts(details.parts), details.active
    record(work, "treatment-changed", "treatment", row.id, code=row.code)
    work.commit()
    return Done(row.id)


def _judge(work: UnitOfWork, details: TreatmentDetails, treatment_id: int | None) -> list[Finding]:
    name = details.name.strip()
    found = [Finding("parts", Weight.BLOCKS, fault) for fault in judge_parts(details.parts)]
    if not name or len(name) > LONGEST_NAME:
        found.append(Finding("name", Weight.BLOCKS, f"Enter a name of at most {LONGEST_NAME} characters.", "name"))
    known = work.db.execute(sa.select(Treatment.id, Treatment.name)).all()
    if any(row.name.casefold() == name.casefold() and row.id != treatment_id for row in known):
        found.append(Finding("name-taken", Weight.BLOCKS, "There is already a treatment of this name.", "name"))
    return found


def _free_code(work: UnitOfWork, name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "treatment"
    known = set(work.db.scalars(sa.select(Treatment.code)))
    number = 1
    while (code := stem if number == 1 else f"{stem}-{number}") in known:
        number += 1
    return code
