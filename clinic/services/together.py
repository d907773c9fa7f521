"""Booking two people's visits that belong together: both, or neither."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from clinic.planning import Finding
from clinic.queries.other_visits import VisitWish
from clinic.queries.together import Want
from clinic.queries.visit_choice import VisitChoice
from clinic.services.appointments import lay_session
from clinic.services.visits import lay_visit
from clinic.services.work import Done, NotFound, Refused, UnitOfWork
from clinic.store.courses import Course, MaintenancePlan, TreatmentSession
from clinic.store.locks import lock_course, lock_resources


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one of the two comes for and when, with the reasons for going past warnings about it."""

    want: Want
    choice: VisitChoice
    overrides: Mapping[str, str] = field(default_factory=dict)


def book_together(work: UnitOfWork, one: Wanted, other: Wanted) -> Done[tuple[int, int]] | Refused:
    """Books both visits in one commit, or says of whose visit what stands in the way; then nothing is booked."""
    _lock(work, (one, other))
    first = _lay(work, one)
    if isinstance(first, Refused):
        return first
    second = _lay(work, other)
    if isinstance(second, Refused):
        return Refused(tuple(map(_of_the_other, second.findings)))
    work.commit()
    return Done((first.value, second.value), (*first.findings, *second.findings))


def _lock(work: UnitOfWork, wanted: tuple[Wanted, Wanted]) -> None:
    """Everything that both need, in the order that every booking keeps: courses by id, then resources by id."""
    wants = [each.want for each in wanted]
    courses = {_course_of(work, want, want.treatment_session_id) for want in wants if want.treatment_session_id}
    for course_id in sorted(courses):
        lock_course(work.db, course_id)
    lock_resources(work.db, [
        ident for each in wanted for ident in (each.want.patient_id, *each.choice.resource_ids)])


def _course_of(work: UnitOfWork, want: Want, treatment_session_id: int) -> int:
    """The course of that session, which is this patient's at this clinic: whoever books here books nowhere else."""
    found = work.db.execute(
        sa.select(Course.id, Course.patient_id, Course.clinic_id).select_from(TreatmentSession)
        .outerjoin(MaintenancePlan, MaintenancePlan.id == TreatmentSession.maintenance_plan_id)
        .join(Course, Course.id == sa.func.coalesce(TreatmentSession.course_id, MaintenancePlan.course_id))
        .where(TreatmentSession.id == treatment_session_id)).one_or_none()
    if found is None or (found.patient_id, found.clinic_id) != (want.patient_id, want.clinic_id):
        raise NotFound(f"session {treatment_session_id} of patient {want.patient_id}")
    return int(found.id)


def _lay(work: UnitOfWork, wanted: Wanted) -> Done[int] | Refused:
    want, choice, overrides = wanted.want, wanted.choice, wanted.overrides
    if want.treatment_session_id is not None:
        return lay_session(work, want.treatment_session_id, choice, overrides=overrides)
    return lay_visit(work, VisitWish(want.patient_id, want.clinic_id, want.code), choice, overrides=overrides)


def _of_the_other(finding: Finding) -> Finding:
    return replace(finding, text=f"The second visit: {finding.text}")
