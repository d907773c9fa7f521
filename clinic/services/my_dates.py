"""What a patient does with a date on their own page: says that they come, moves or cancels it, or asks the desk to.

Everything is done as the patient, with no way past a warning: what needs a reason is the desk's to decide.
"""
from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from clinic.care.endings import BY_PATIENT
from clinic.care.owner_facts import NO_SESSION, Owner
from clinic.care.self_service import what_patients_may
from clinic.care.states import AppointmentState, PatientsMay
from clinic.planning import Finding, Weight
from clinic.planning.local import local_of, zone
from clinic.planning.words import date_words
from clinic.queries.away import in_absence
from clinic.queries.links import MyBrowser
from clinic.queries.my_times import MyChoice
from clinic.services.appointments import cancel_appointment, move_appointment
from clinic.services.links import opened
from clinic.services.my_reports import open_task
from clinic.services.reconcile import reconcile
from clinic.services.repair import repair_course
from clinic.services.work import Done, NotFound, Refused, Stale, UnitOfWork, record
from clinic.store.claims import lock_owner
from clinic.store.clinics import Clinic
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment

_NOT_HERE = Finding("not-here", Weight.BLOCKS, "This date cannot be changed here")
_IN_ABSENCE = Finding("in-absence", Weight.BLOCKS, "Another time is being looked for: this one cannot be confirmed")


def confirm_date(work: UnitOfWork, id_hash: str, appointment_id: int, *, revision: int) -> Done[int] | Refused:
    """Notes that the patient comes at the time that they were shown; Stale where it has moved since, refused while
    somebody or something that it holds is noted absent then."""
    browser = opened(work, id_hash)
    lock_owner(work.db, browser.owner)
    appointment = own_date(work, browser, appointment_id)
    if appointment.revision != revision:
        raise Stale("appointment", appointment.id, appointment.revision)
    if appointment.state != AppointmentState.BOOKED or appointment.starts_at <= work.now:
        return Refused((_NOT_HERE,))
    if work.db.scalar(sa.select(in_absence(appointment.id))):
        return Refused((_IN_ABSENCE,))
    if appointment.confirmed_at is None:
        appointment.confirmed_at = work.now
        work.db.flush()
        record(work, "appointment-confirmed", "appointment", appointment.id, clinic_id=appointment.clinic_id,
               revision=revision)
        reconcile(work, browser.owner)
        work.commit()
    return Done(appointment.id)


def move_own_date(
    work: UnitOfWork, id_hash: str, appointment_id: int, chosen: MyChoice, *, lock_version: int
) -> Done[int] | Refused:
    """Gives the date its new time at once, and those that must follow theirs; refused where the clinic wants to be
    asked, and wherever the desk would need a reason."""
    browser = opened(work, id_hash)
    appointment = own_date(work, browser, appointment_id)
    if _may(work, appointment, "patients_move") is not PatientsMay.AT_ONCE or not chosen.fits:
        return Refused((_NOT_HERE,))
    if chosen.token is None:
        return move_appointment(work, appointment_id, chosen.choices[0], lock_version=lock_version)
    if appointment.lock_version != lock_version:
        raise Stale("appointment", appointment.id, appointment.lock_version)
    return repair_course(work, browser.owner.id, chosen.choices, token=chosen.token)


def cancel_own_date(
    work: UnitOfWork, id_hash: str, appointment_id: int, *, lock_version: int, note: str
) -> Done[int] | Refused:
    """Cancels the date at once; its session stays owed. Refused where the clinic wants to be asked."""
    browser = opened(work, id_hash)
    appointment = own_date(work, browser, appointment_id)
    if _may(work, appointment, "patients_cancel") is not PatientsMay.AT_ONCE:
        return Refused((_NOT_HERE,))
    reason = f"{BY_PATIENT}: {note}" if note else BY_PATIENT
    return cancel_appointment(work, appointment_id, reason=reason, lock_version=lock_version)


def ask_to_move(
    work: UnitOfWork, id_hash: str, appointment_id: int, *, wished: Sequence[datetime], note: str
) -> Done[int] | Refused:
    """Opens a task for the desk with the times that the patient wishes for."""
    browser = opened(work, id_hash)
    appointment = own_date(work, browser, appointment_id)
    if _may(work, appointment, "patients_move") is PatientsMay.NEVER:
        return Refused((_NOT_HERE,))
    wishes = "; ".join(_when(at, appointment.zone) for at in wished)
    text = f"Asks to move {said_of(work, appointment)}." + (f" Could come: {wishes}." if wishes else "")
    return open_task(work, browser, "move", text, note=note, appointment_id=appointment.id, wished=wished)


def ask_to_cancel(work: UnitOfWork, id_hash: str, appointment_id: int, *, note: str) -> Done[int] | Refused:
    """Opens a task for the desk: the patient does not want to come on that date."""
    browser = opened(work, id_hash)
    appointment = own_date(work, browser, appointment_id)
    if _may(work, appointment, "patients_cancel") is PatientsMay.NEVER:
        return Refused((_NOT_HERE,))
    return open_task(work, browser, "cancel", f"Asks to cancel {said_of(work, appointment)}.", note=note,
                     appointment_id=appointment.id)


def report_unprepared(work: UnitOfWork, id_hash: str, appointment_id: int, *, note: str) -> Done[int] | Refused:
    """Opens a task for the desk: the patient cannot follow the preparation for that date."""
    browser = opened(work, id_hash)
    appointment = own_date(work, browser, appointment_id)
    text = f"Cannot follow the preparation for {said_of(work, appointment)}: see whether the date can stay."
    return open_task(work, browser, "unprepared", text, note=note, appointment_id=appointment.id)


def own_date(work: UnitOfWork, browser: MyBrowser, appointment_id: int) -> Appointment:
    """The appointment, if it is one of what the browser came in for; NotFound for all others."""
    row = work.db.get(Appointment, appointment_id, populate_existing=True)
    if row is None or row.patient_id != browser.patient_id or _owner_of(work, row) != browser.owner:
        raise NotFound(f"appointment {appointment_id}")
    return row


def said_of(work: UnitOfWork, appointment: Appointment) -> str:
    """What a date is, in the words of a task."""
    row = work.db.get(TreatmentSession, appointment.treatment_session_id or NO_SESSION)
    what = "the visit" if row is None else f"session {row.number}"
    return f"{what} of {_when(appointment.starts_at, appointment.zone)}"


def _owner_of(work: UnitOfWork, appointment: Appointment) -> Owner:
    if appointment.treatment_session_id is None:
        return Owner("appointment", appointment.id)
    row = work.db.execute(
        sa.select(TreatmentSession.course_id, TreatmentSession.maintenance_plan_id)
        .where(TreatmentSession.id == appointment.treatment_session_id)).one()
    return Owner("course", row.course_id) if row.course_id else Owner("maintenance-plan", row.maintenance_plan_id)


def _may(work: UnitOfWork, appointment: Appointment, what: str) -> PatientsMay:
    clinic = work.db.get_one(Clinic, appointment.clinic_id)
    return what_patients_may(PatientsMay(getattr(clinic, what)), AppointmentState(appointment.state),
                             appointment.starts_at, pinned=appointment.pinned,
                             notice_hours=clinic.notice_hours, now=work.now)


def _when(at: datetime, where: str) -> str:
    local = local_of(at, zone(where))
    return f"{date_words(local.date())}, {local:%H:%M}"
