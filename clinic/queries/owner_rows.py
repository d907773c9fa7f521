"""What is read of a course, a maintenance plan or another visit, and what is known of it once its rows are at hand."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.instructions import lead_of
from clinic.care.message_kinds import SCHEDULE, MessageKind
from clinic.care.message_rules import OUR_RULES, MessageRules
from clinic.care.owner_facts import (
    NO_SESSION,
    AppointmentFacts,
    HeldDates,
    Owner,
    PatientFacts,
    SessionFacts,
    Told,
)
from clinic.care.protocols import Protocol
from clinic.care.quiet import QuietHours
from clinic.care.states import (
    TELLING_DECISIONS,
    AppointmentState,
    CourseState,
    MaintenanceState,
    MessageState,
    SessionState,
)
from clinic.planning.local import zone
from clinic.queries.away import in_absence
from clinic.queries.message_rules import rules_of
from clinic.queries.protocol_contents import protocol_of
from clinic.store.clinics import Clinic
from clinic.store.courses import Course, Recall, Screening, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.outbox import Bounce, Message, MessageItem
from clinic.store.protocols import ProtocolVersion
from clinic.store.resources import Patient

TELLS_DATES = tuple(kind.value for kind in SCHEDULE)
"""The kinds after which the patient counts as knowing a date; a reminder only repeats it."""
PATIENT = Patient.__table__.c
"""A patient's columns; those that `HEAD` and `VISIT_HEAD` are of."""
_REMEMBERED = (*TELLS_DATES, MessageKind.PRECARE.value, MessageKind.DATES_HELD.value)
_COMES_BACK = sa.exists().where(
    sa.or_(Bounce.email == PATIENT.email, Bounce.email == sa.func.lower(PATIENT.email)),
    Bounce.is_hard, Bounce.lifted_at.is_(None))
_REACHED = (
    PATIENT.email, PATIENT.channel, PATIENT.wants_service_messages, PATIENT.wants_reminders,
    _COMES_BACK.label("comes_back"), Clinic.zone, Clinic.quiet_from, Clinic.quiet_to, Clinic.most_messages_a_day,
)
"""How the patient may be written to, and when the clinic writes."""
WAS_HEARD = sa.and_(
    MessageItem.dropped.is_(None), MessageItem.kind.in_(_REMEMBERED),
    sa.or_(Message.decision.in_(TELLING_DECISIONS), sa.and_(Message.mime.is_not(None), sa.or_(
        Message.dot_at.is_not(None),
        Message.state.in_((MessageState.SENT, MessageState.UNCERTAIN, MessageState.SENDING))))))
"""What has reached the patient or may have, of the kinds that tell something, or a person told them."""
IS_SURE = sa.or_(Message.decision.in_(TELLING_DECISIONS), Message.state.in_((MessageState.SENT, MessageState.SENDING)))
"""Of what was heard, all but what may be lost. What is just being sent is waited for, before anything else is said."""
HEAD = (
    Course.id, Course.patient_id, Course.clinic_id, Course.protocol_version_id, ProtocolVersion.protocol_id,
    PATIENT.marketing_consent_at, Clinic.review_url, *_REACHED,
    sa.select(sa.func.max(Screening.answered_at)).where(Screening.course_id == Course.id).scalar_subquery()
    .label("screened_at"),
)
"""What `head_of` reads of a course, or of the course of a maintenance plan."""
VISIT_HEAD = (Appointment.patient_id, Appointment.clinic_id, *_REACHED)
"""What `head_of_visit` reads."""
NOBODYS_VISIT_HEAD = (PATIENT.id.label("patient_id"), Clinic.id.label("clinic_id"), *_REACHED)
"""The same of a visit that is not booked yet: from the patient and the clinic alone."""
VISIT = (
    Appointment.id, Appointment.treatment_session_id, Appointment.clinic_id, Appointment.state, Appointment.revision,
    Appointment.local_start, Appointment.fold, Appointment.zone, Appointment.starts_at, Appointment.scheduled_at,
    Appointment.closed_at, Appointment.ended_cause, Appointment.told_start, Appointment.hold_expires_at,
    Appointment.confirmed_at, Appointment.changed_by_clinic, in_absence(Appointment.id).label("is_in_absence"),
)
"""What `appointment_facts` reads."""
PART = (
    TreatmentSession.id, TreatmentSession.number, TreatmentSession.state, TreatmentSession.treatment_code,
    TreatmentSession.performed_at, TreatmentSession.earliest_on, TreatmentSession.ideal_on, TreatmentSession.latest_on,
    Recall.ask_on,
)
"""What `session_facts` reads."""


@dataclass(frozen=True, slots=True)
class HeardSoFar:
    """What has reached the patient or may have, or a person told them: of which appointments, for which sessions and
    dates the preparation, whether dates were ever held for them; and whether dates are just being told."""

    told: tuple[Told, ...]
    precare: frozenset[tuple[int, date]]
    of_held: bool
    is_being_told: bool


@dataclass(frozen=True, slots=True)
class OwnerHead:
    """Whose the owner is, where, and on which protocol; another visit is on none."""

    owner: Owner
    patient_id: int
    clinic_id: int
    followed: Protocol | None
    is_active: bool
    is_completed: bool
    patient: PatientFacts
    quiet: QuietHours
    screened_at: datetime | None = None
    is_held: bool = False
    rules: MessageRules = OUR_RULES
    most_a_day: int = 20
    may_ask_opinion: bool = False

    @property
    def protocol(self) -> Protocol:
        """The protocol, for what only a course or its upkeep can owe."""
        assert self.followed is not None  # another visit owes nothing that a protocol says
        return self.followed


def head_of(db: Session, owner: Owner, row: Any, own_state: str) -> OwnerHead:
    """The head of a course or a maintenance plan whose row is at hand, with the state of the one or the other."""
    return OwnerHead(
        owner=owner, patient_id=row.patient_id, clinic_id=row.clinic_id,
        followed=protocol_of(db, row.protocol_version_id),
        is_active=own_state in (CourseState.ACTIVE, MaintenanceState.ACTIVE),
        is_completed=owner.kind == "course" and own_state == CourseState.COMPLETED,
        patient=_patient_facts(row), quiet=QuietHours(row.quiet_from, row.quiet_to, zone(row.zone)),
        screened_at=row.screened_at, is_held=owner.kind == "course" and own_state == CourseState.DRAFT,
        rules=rules_of(db, row.clinic_id, row.protocol_id), most_a_day=row.most_messages_a_day,
        may_ask_opinion=bool(row.marketing_consent_at and row.review_url),
    )


def head_of_visit(db: Session, owner: Owner, row: Any) -> OwnerHead:
    """The head of another visit whose row is at hand."""
    return OwnerHead(
        owner=owner, patient_id=row.patient_id, clinic_id=row.clinic_id, followed=None, is_active=True,
        is_completed=False, patient=_patient_facts(row), quiet=QuietHours(row.quiet_from, row.quiet_to, zone(row.zone)),
        rules=rules_of(db, row.clinic_id, None), most_a_day=row.most_messages_a_day)


def appointment_facts(row: Any) -> AppointmentFacts:
    """An appointment whose row is at hand."""
    return AppointmentFacts(
        row.id, row.treatment_session_id or NO_SESSION, row.clinic_id, AppointmentState(row.state), row.revision,
        row.local_start, row.fold, row.zone, row.starts_at, row.scheduled_at, row.closed_at, row.ended_cause,
        row.confirmed_at, row.changed_by_clinic, bool(row.is_in_absence))


def held_dates(head: OwnerHead, rows: Sequence[Any]) -> HeldDates | None:
    """The dates of a course that does not run yet: those of one that runs are held for other reasons."""
    held = [row for row in rows if row.state == AppointmentState.PROPOSED]
    if not head.is_held or not held:
        return None
    return HeldDates(tuple(map(appointment_facts, held)), min(row.hold_expires_at for row in held))


def visit_as_session(appointments: Iterable[AppointmentFacts]) -> tuple[SessionFacts, ...]:
    """Another visit as if it were a session."""
    return tuple(SessionFacts(NO_SESSION, 1, _state_of_visit(each)) for each in appointments)


def session_facts(
    head: OwnerHead, rows: Iterable[Any], appointments: Iterable[AppointmentFacts]
) -> tuple[SessionFacts, ...]:
    """The treatment sessions of an owner whose rows are at hand, by their numbers."""
    recorded_at = {each.treatment_session_id: each.closed_at for each in appointments
                   if each.state is AppointmentState.FULFILLED}
    return tuple(
        SessionFacts(
            row.id, row.number, SessionState(row.state), row.performed_at,
            recorded_at.get(row.id) or row.performed_at, row.latest_on,
            _precare_days(head, row.number, row.treatment_code), row.ask_on, row.earliest_on, row.ideal_on,
            row.treatment_code,
        )
        for row in rows
    )


def heard(rows: Iterable[Any], appointments: Iterable[Any]) -> HeardSoFar:
    """From the rows of what was heard, the oldest first, and of the appointments.

    The same appointment told twice counts at its last revision; one moved in from elsewhere was told there. Who was
    prepared for a visit is prepared for the session that it is for now: see `care.counting`.
    """
    now_for = {row.id: row.treatment_session_id or NO_SESSION for row in appointments}
    told = {row.id: _told_elsewhere(row) for row in appointments if row.told_start is not None}
    precare: set[tuple[int, date]] = set()
    told_held = is_being_told = False
    for row in rows:
        if row.kind == MessageKind.DATES_HELD:
            told_held = True
            continue
        is_being_told |= row.kind in TELLS_DATES and row.state == MessageState.SENDING
        for each in map(_told_visit, row.facts.get("visits", [])):
            if row.kind == MessageKind.PRECARE:
                session_id = now_for.get(each.appointment_id, each.treatment_session_id)
                precare.add((session_id, each.local_start.date()))
            elif each.appointment_id not in told or told[each.appointment_id].revision <= each.revision:
                known = told.get(each.appointment_id)
                told[each.appointment_id] = each if row.is_sure else replace(
                    each, is_sure=False, before=known.surely if known else None)
    return HeardSoFar(tuple(told.values()), frozenset(precare), told_held, is_being_told)


def instruction_number(head: OwnerHead, number: int) -> int:
    """Which session it is to the protocol's instructions: upkeep is never a first session."""
    return number if head.owner.kind == "course" else number + len(head.protocol.cycle)


def told_document(told: Iterable[Told]) -> dict[str, Any]:
    """What an item keeps of what it told."""
    return {"visits": [
        {"appointment": each.appointment_id, "treatment_session": each.treatment_session_id,
         "clinic": each.clinic_id, "revision": each.revision, "local_start": each.local_start.isoformat(),
         "fold": each.fold, "zone": each.zone, "cancelled": each.cancelled}
        for each in told
    ]}


def _patient_facts(row: Any) -> PatientFacts:
    return PatientFacts(row.email, row.channel, row.wants_service_messages, row.wants_reminders, bool(row.comes_back))


def _state_of_visit(appointment: AppointmentFacts) -> SessionState:
    """Another visit as if it were a session: one that did not take place is still wanted."""
    if appointment.state is AppointmentState.FULFILLED:
        return SessionState.COMPLETED
    return SessionState.BOOKED if appointment.is_standing else SessionState.OWED


def _precare_days(head: OwnerHead, number: int, treatment: str) -> int | None:
    return lead_of(head.protocol, number=instruction_number(head, number), treatment=treatment)


def _told_elsewhere(row: Any) -> Told:
    """What the patient knew of an appointment before it was moved in: its local start, and nothing since."""
    return Told(row.id, row.treatment_session_id or NO_SESSION, row.clinic_id, 0, row.told_start,
                row.fold if row.told_start == row.local_start else 0, row.zone)


def _told_visit(document: Mapping[str, Any]) -> Told:
    return Told(
        document["appointment"], document["treatment_session"], document["clinic"], document["revision"],
        datetime.fromisoformat(document["local_start"]), document["fold"], document["zone"], document["cancelled"],
    )
