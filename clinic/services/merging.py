"""Two records of one person put together, and taken apart again within a day.

Everything of the other record changes hands; the other keeps its row and is found nowhere. What changed hands is
written down by its ids, so that undoing gives back exactly that, and what has grown on it since.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from clinic.care.states import CourseState
from clinic.planning.findings import Finding, Weight
from clinic.planning.local import day_of, local_of, zone
from clinic.services.links import end_links
from clinic.services.merged_fields import FIELDS, MOST_ALERTS, chosen_values, new_alerts, of_document, to_document
from clinic.services.patients import PatientDetails, Wish, judge, search_text
from clinic.services.reconcile import reconcile_patient
from clinic.services.work import Done, NotFound, Refused, UnitOfWork, check_version, record
from clinic.store.accounts import Task
from clinic.store.clinics import Clinic
from clinic.store.courses import Course, HandoverNote, MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.locks import lock_patients
from clinic.store.moving import PatientMerge
from clinic.store.newsletter import Subscriber
from clinic.store.outbox import Message, MessageItem
from clinic.store.protocols import Protocol, ProtocolVersion
from clinic.store.resources import ClinicalNote, Patient

UNDONE_FOR = timedelta(days=1)
MOVED: Mapping[str, Any] = {
    "course": Course, "appointment": Appointment, "message": Message, "task": Task, "clinical_note": ClinicalNote,
    "handover_note": HandoverNote, "subscriber": Subscriber,
}
"""Whatever belongs to a patient by `patient_id`; what an appointment holds of the patient follows it."""

_RUNNING = (CourseState.DRAFT, CourseState.ACTIVE, CourseState.ON_HOLD)
MERGED_ALREADY = Finding("merged-already", Weight.BLOCKS, "One of the two records was put together with another one "
                         "meanwhile. Look for the patient again.")


def merge_patients(
    work: UnitOfWork, kept_id: int, other_id: int, *, choices: Mapping[str, str], kept_version: int, other_version: int
) -> Done[int] | Refused:
    """Puts the other record into the kept one; `choices` says whose value of a field stays. The merge's id.

    Asked again for what is done already, it answers the same.
    """
    lock_patients(work.db, (kept_id, other_id))
    kept, other = _patient(work, kept_id), _patient(work, other_id)
    if other.merged_into_id == kept.id and (last := _latest(work, kept.id, other.id)) is not None:
        return Done(last.id)
    if kept.id == other.id or kept.merged_into_id is not None or other.merged_into_id is not None:
        return Refused((MERGED_ALREADY,))
    values = chosen_values(kept, other, choices)
    findings = (*judge(work, _details(values)), *_too_long(values), *_overlaps(work, kept.id, other.id))
    if findings:
        return Refused(tuple(findings))
    check_version("patient", kept, kept_version)
    check_version("patient", other, other_version)
    _ask_to_compare(work, kept.id, other.id)
    row = PatientMerge(
        kept_id=kept.id, merged_id=other.id, made_at=work.now, made_by=work.actor.account_id,
        moved={**_hand_over(work, other.id, kept.id), "before": to_document(kept), "after": to_document(values)})
    work.db.add(row)
    _write(kept, values)
    other.merged_into_id = kept.id
    work.db.flush()
    end_links(work, kept.id)
    end_links(work, other.id)
    reconcile_patient(work, kept.id)
    record(work, "patients-merged", "patient", kept.id, merged_id=other.id)
    work.commit()
    return Done(row.id)


def undo_merge(work: UnitOfWork, merge_id: int) -> Done[int] | Refused:
    """Takes two records apart again, within a day; the id of the one that is back. What came since stays."""
    row = work.db.get(PatientMerge, merge_id)
    if row is None:
        raise NotFound(f"merge {merge_id}")
    lock_patients(work.db, (row.kept_id, row.merged_id))
    work.db.refresh(row)
    if row.undone_at is not None:
        return Done(row.merged_id)
    kept, other = _patient(work, row.kept_id), _patient(work, row.merged_id)
    stands_in_the_way = _why_not_undone(work, row, kept, other)
    if stands_in_the_way is not None:
        return Refused((stands_in_the_way,))
    _give_back(work, row)
    _warn_of(other, new_alerts(row.moved["after"]["alerts"], kept.alerts))
    _restore(kept, row.moved)
    kept.lock_version += 1
    other.lock_version += 1
    other.merged_into_id, row.undone_at = None, work.now
    work.db.flush()
    end_links(work, kept.id)
    end_links(work, other.id)
    reconcile_patient(work, kept.id)
    reconcile_patient(work, other.id)
    record(work, "merge-undone", "patient", kept.id, merged_id=other.id)
    work.commit()
    return Done(other.id)


def _patient(work: UnitOfWork, patient_id: int) -> Patient:
    row = work.db.get(Patient, patient_id, with_for_update={"key_share": True}, populate_existing=True)
    if row is None:
        raise NotFound(f"patient {patient_id}")
    return row


def _latest(work: UnitOfWork, kept_id: int, other_id: int) -> PatientMerge | None:
    return work.db.scalars(
        sa.select(PatientMerge).where(
            PatientMerge.kept_id == kept_id, PatientMerge.merged_id == other_id, PatientMerge.undone_at.is_(None))
        .order_by(PatientMerge.id.desc()).limit(1)).first()


def _too_long(values: Mapping[str, Any]) -> tuple[Finding, ...]:
    if len(values["alerts"]) <= MOST_ALERTS:
        return ()
    return (Finding("alerts-too-long", Weight.BLOCKS, f"The alerts of both are longer than {MOST_ALERTS} characters: "
                    "shorten one of them first, or choose one.", "alerts"),)


def _overlaps(work: UnitOfWork, kept_id: int, other_id: int) -> tuple[Finding, ...]:
    """Nobody is in two places at one time: the first pair of appointments that says so."""
    mine, theirs = sa.orm.aliased(ResourceBooking), sa.orm.aliased(ResourceBooking)
    found = work.db.execute(
        sa.select(Appointment.starts_at, Appointment.zone)
        .join(theirs, theirs.appointment_id == Appointment.id)
        .join(mine, sa.and_(mine.starts_at < theirs.ends_at, mine.ends_at > theirs.starts_at))
        .where(mine.resource_id == kept_id, theirs.resource_id == other_id)
        .order_by(Appointment.starts_at).limit(1)).first()
    if found is None:
        return ()
    when = local_of(found.starts_at, zone(found.zone))
    return (Finding("both-at-once", Weight.BLOCKS, (
        f"Both records have an appointment on {when:%-d %B %Y} at {when:%H:%M}, and nobody is in two places. Cancel or "
        "move one of them first, or they are two people.")),)


def _ask_to_compare(work: UnitOfWork, kept_id: int, other_id: int) -> None:
    """Asks somebody to look where each record has a course that runs: they were never planned beside each other."""
    rows = work.db.execute(
        sa.select(Course.patient_id, Course.clinic_id, Protocol.name)
        .join(ProtocolVersion, ProtocolVersion.id == Course.protocol_version_id)
        .join(Protocol, Protocol.id == ProtocolVersion.protocol_id)
        .where(Course.patient_id.in_((kept_id, other_id)), Course.state.in_(_RUNNING)).order_by(Course.id)).all()
    if len({row.patient_id for row in rows}) < 2:
        return
    clinic_id = rows[0].clinic_id
    work.db.add(Task(
        clinic_id=clinic_id, patient_id=kept_id, kind="other",
        text=f"Two records were put together, and each had a course ({', '.join(row.name for row in rows)}). "
             "Check that their treatments are far enough apart.",
        due_on=day_of(work.now, zone(work.db.get_one(Clinic, clinic_id).zone)), created_at=work.now,
        created_by=work.actor.account_id))


def _hand_over(work: UnitOfWork, from_id: int, to_id: int) -> dict[str, Any]:
    """Gives everything of one record to the other; the ids of what changed hands, by table."""
    moved: dict[str, Any] = {}
    for name, kind in MOVED.items():
        ids = list(work.db.scalars(sa.select(kind.id).where(kind.patient_id == from_id).order_by(kind.id)))
        moved[name] = ids
        work.db.execute(sa.update(kind).where(kind.patient_id == from_id).values(patient_id=to_id))
    work.db.execute(
        sa.update(ResourceBooking).where(ResourceBooking.resource_id == from_id).values(resource_id=to_id))
    # Whoever was merged into the other record before is now in this one.
    moved["patient"] = list(work.db.scalars(
        sa.select(Patient.__table__.c.id).where(Patient.__table__.c.merged_into_id == from_id)))
    _point(work, moved["patient"], from_id, to_id)
    work.db.flush()
    work.db.expire_all()
    return moved


def _point(work: UnitOfWork, patient_ids: Iterable[int], from_id: int, to_id: int) -> None:
    """Those who are in one record are in another from now on."""
    rows = work.db.scalars(sa.select(Patient).where(Patient.id.in_(patient_ids), Patient.merged_into_id == from_id))
    for row in rows.all():
        row.merged_into_id = to_id


def _why_not_undone(work: UnitOfWork, row: PatientMerge, kept: Patient, other: Patient) -> Finding | None:
    if work.now - row.made_at > UNDONE_FOR:
        return Finding("too-late", Weight.BLOCKS, "Putting records together can be undone for a day, which is over. "
                       "Add the other person as a new patient.")
    if kept.merged_into_id is not None or other.merged_into_id != kept.id:
        return Finding("merged-further", Weight.BLOCKS, "The record was put together with a further one since. Undo "
                       "that first.")
    later = work.db.scalar(sa.select(PatientMerge.id).where(
        PatientMerge.kept_id == kept.id, PatientMerge.id > row.id, PatientMerge.undone_at.is_(None)).limit(1))
    if later is not None:
        return Finding("merged-further", Weight.BLOCKS, "A further record was put into this one since. Undo that "
                       "first.")
    return None


def _give_back(work: UnitOfWork, row: PatientMerge) -> None:
    """Gives back what changed hands, and what belongs to it since: a course keeps its appointments and messages."""
    moved, kept_id, other_id = row.moved, row.kept_id, row.merged_id
    courses = moved["course"]
    plans = sa.select(MaintenancePlan.id).where(MaintenancePlan.course_id.in_(courses))
    own = sa.select(TreatmentSession.id).where(sa.or_(
        TreatmentSession.course_id.in_(courses), TreatmentSession.maintenance_plan_id.in_(plans)))
    visits = list(work.db.scalars(sa.select(Appointment.id).where(
        Appointment.patient_id == kept_id,
        sa.or_(Appointment.id.in_(moved["appointment"]), Appointment.treatment_session_id.in_(own)))))
    told = sa.select(MessageItem.message_id).where(sa.or_(
        sa.and_(MessageItem.owner_kind == "course", MessageItem.owner_id.in_(courses)),
        sa.and_(MessageItem.owner_kind == "maintenance-plan", MessageItem.owner_id.in_(plans)),
        sa.and_(MessageItem.owner_kind == "appointment", MessageItem.owner_id.in_(visits))))
    which = {name: kind.id.in_(moved.get(name, ())) for name, kind in MOVED.items()}
    which["appointment"] = Appointment.id.in_(visits)
    which["message"] = sa.or_(which["message"], Message.id.in_(told))
    which["handover_note"] = sa.or_(which["handover_note"], HandoverNote.course_id.in_(courses))
    for name, kind in MOVED.items():
        work.db.execute(
            sa.update(kind).where(kind.patient_id == kept_id, which[name]).values(patient_id=other_id)
            .execution_options(synchronize_session=False))
    work.db.execute(
        sa.update(ResourceBooking)
        .where(ResourceBooking.resource_id == kept_id, ResourceBooking.appointment_id.in_(visits))
        .values(resource_id=other_id).execution_options(synchronize_session=False))
    _point(work, moved["patient"], kept_id, other_id)
    work.db.flush()
    work.db.expire_all()


def _restore(kept: Patient, moved: Mapping[str, Any]) -> None:
    """Gives the kept record the values that it had, but for those that somebody has changed since."""
    before, after, present = of_document(moved["before"]), of_document(moved["after"]), of_document(to_document(kept))
    _write(kept, {field: before[field] if present[field] == after[field] else present[field] for field in FIELDS})


def _warn_of(other: Patient, news: str) -> None:
    """What was written down since may be an allergy of either: both records keep it until somebody knows better."""
    known = other.alerts.splitlines()
    other.alerts = "\n".join([*known, *(line for line in news.splitlines() if line not in known)])


def _write(row: Patient, values: Mapping[str, Any]) -> None:
    for field in FIELDS:
        setattr(row, field, values[field])
    row.search_text = search_text(_details(values))


def _details(values: Mapping[str, Any]) -> PatientDetails:
    return PatientDetails(
        values["given_name"], values["family_name"], values["birth_on"], values["email"], values["phone"],
        values["language"], values["channel"], values["wants_service_messages"],
        values["marketing_consent_at"] is not None, _wishes(values["only_times"]), _wishes(values["rather_times"]),
        values["alerts"])


def _wishes(documents: Iterable[Mapping[str, Any]]) -> tuple[Wish, ...]:
    return tuple(Wish(tuple(each["weekdays"]), each["begins"], each["ends"]) for each in documents)
