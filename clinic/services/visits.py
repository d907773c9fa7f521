"""Booking a visit that belongs to no course: a consultation, a patch test, a review, another."""
from __future__ import annotations

from collections.abc import Mapping

from clinic.planning import Finding, Weight
from clinic.queries.other_visits import NUMBER, VisitWish, judge_visit, visit_type
from clinic.queries.visit_choice import VisitChoice
from clinic.services.holding import TAKEN, Purpose, Taken, free_lapsed, new_appointment
from clinic.services.overrides import gone_past, unsettled
from clinic.services.reconcile import Owner, reconcile
from clinic.services.work import Done, Refused, UnitOfWork, record
from clinic.store.clinics import Clinic
from clinic.store.locks import lock_resources

NOT_OFFERED = Finding("not-offered", Weight.BLOCKS, "This kind of visit is not in use: choose another", "kind")


def book_visit(
    work: UnitOfWork, wish: VisitWish, choice: VisitChoice, *, overrides: Mapping[str, str] | None = None
) -> Done[int] | Refused:
    """Books a visit by itself at the chosen time, or says what stands in the way."""
    outcome = lay_visit(work, wish, choice, overrides=overrides)
    if isinstance(outcome, Done):
        work.commit()
    return outcome


def lay_visit(
    work: UnitOfWork, wish: VisitWish, choice: VisitChoice, *, overrides: Mapping[str, str] | None = None
) -> Done[int] | Refused:
    """The same without the commit, for whoever books more than that."""
    asked = visit_type(work.db, wish.treatment_code)
    if asked is None or not asked.active:
        return Refused((NOT_OFFERED,))
    findings = judged_visit(work, wish, choice)
    standing = unsettled(findings, overrides or {})
    if standing:
        return Refused(standing)
    clinic = work.db.get_one(Clinic, wish.clinic_id)
    try:
        appointment = new_appointment(
            work, clinic, wish.patient_id, Purpose(asked.kind, asked.code, asked.parts), choice)
    except Taken:
        return Refused((TAKEN,))
    record(work, "visit-booked", "appointment", appointment.id, clinic_id=clinic.id, kind=asked.kind,
           **gone_past(findings))
    reconcile(work, Owner("appointment", appointment.id))
    return Done(appointment.id, findings)


def judged_visit(work: UnitOfWork, wish: VisitWish, choice: VisitChoice) -> tuple[Finding, ...]:
    """What speaks against that time, with everything that it would hold locked."""
    if choice.number != NUMBER:
        return (Finding("visits", Weight.BLOCKS, "This time was offered for something else"),)
    wanted = [wish.patient_id, *choice.resource_ids]
    lock_resources(work.db, wanted)
    free_lapsed(work, wanted)
    return judge_visit(work.db, wish, choice, now=work.now)
