"""What the rows say of a course, a maintenance plan or another visit when its messages are decided on.

Five statements each at most, and a few more where they matter: the clinic's days, on which a patient who did not come
is asked why; what ends a course. The rules of the messages are read once in a unit of work.
"""
from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.business_days import EVERY_DAY, BusinessDays
from clinic.care.instructions import lead_of
from clinic.care.message_kinds import SCHEDULE, MessageKind
from clinic.care.message_rules import OUR_RULES, MessageRules
from clinic.care.owner_facts import (
    NO_SESSION,
    AppointmentFacts,
    HeldDates,
    Owner,
    OwnerFacts,
    PatientFacts,
    ReviewFacts,
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
from clinic.care.together import day_that_is_full
from clinic.planning.local import DAY, day_of, zone
from clinic.queries.message_rules import rules_of
from clinic.queries.protocol_contents import protocol_of
from clinic.store.accounts import Task
from clinic.store.clinics import Clinic, Closure, OpeningHours
from clinic.store.courses import Course, MaintenancePlan, Recall, Screening, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.outbox import Bounce, Message, MessageItem
from clinic.store.protocols import ProtocolVersion
from clinic.store.resources import Patient

TELLS_DATES = tuple(kind.value for kind in SCHEDULE)
"""The kinds after which the patient counts as knowing a date; a reminder only repeats it."""
_REMEMBERED = (*TELLS_DATES, MessageKind.PRECARE.value, MessageKind.DATES_HELD.value)
_PATIENT = Patient.__table__.c
_COMES_BACK = sa.exists().where(
    sa.or_(Bounce.email == _PATIENT.email, Bounce.email == sa.func.lower(_PATIENT.email)),
    Bounce.is_hard, Bounce.lifted_at.is_(None))
_REACHED = (
    _PATIENT.email, _PATIENT.channel, _PATIENT.wants_service_messages, _PATIENT.wants_reminders,
    _COMES_BACK.label("comes_back"), Clinic.zone, Clinic.quiet_from, Clinic.quiet_to, Clinic.most_messages_a_day,
)
"""How the patient may be written to, and when the clinic writes."""


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


def owner_head(db: Session, owner: Owner) -> OwnerHead | None:
    """The owner's own facts; none where it is not there."""
    if owner.kind == "appointment":
        return _visit_head(db, owner)
    columns = (Course.id, Course.patient_id, Course.clinic_id, Course.protocol_version_id, ProtocolVersion.protocol_id,
               _PATIENT.marketing_consent_at, Clinic.review_url, *_REACHED)
    state = Course.state if owner.kind == "course" else MaintenancePlan.state
    screened_at = sa.select(sa.func.max(Screening.answered_at)).where(Screening.course_id == Course.id)
    found = sa.select(*columns, state.label("own_state"), screened_at.scalar_subquery().label("screened_at"))
    found = found.select_from(Course)
    found = (
        found.join(Patient.__table__, _PATIENT.id == Course.patient_id)
        .join(Clinic, Clinic.id == Course.clinic_id)
        .join(ProtocolVersion, ProtocolVersion.id == Course.protocol_version_id)
    )
    if owner.kind == "course":
        found = found.where(Course.id == owner.id)
    else:
        found = found.join(MaintenancePlan, MaintenancePlan.course_id == Course.id).where(
            MaintenancePlan.id == owner.id)
    row = db.execute(found).one_or_none()
    if row is None:
        return None
    return OwnerHead(
        owner=owner, patient_id=row.patient_id, clinic_id=row.clinic_id,
        followed=protocol_of(db, row.protocol_version_id),
        is_active=row.own_state in (CourseState.ACTIVE, MaintenanceState.ACTIVE),
        is_completed=owner.kind == "course" and row.own_state == CourseState.COMPLETED,
        patient=_patient_facts(row), quiet=QuietHours(row.quiet_from, row.quiet_to, zone(row.zone)),
        screened_at=row.screened_at, is_held=owner.kind == "course" and row.own_state == CourseState.DRAFT,
        rules=rules_of(db, row.clinic_id, row.protocol_id), most_a_day=row.most_messages_a_day,
        may_ask_opinion=bool(row.marketing_consent_at and row.review_url),
    )


def owner_facts(db: Session, head: OwnerHead, *, leaving_out: Collection[int] = ()) -> OwnerFacts:
    """Everything that decides which messages the owner owes; what the messages `leaving_out` told is not counted."""
    rows = _appointments(db, head.owner)
    appointments = tuple(_facts_of(row) for row in rows if row.state != AppointmentState.PROPOSED)
    told, told_precare, told_held = _told(db, head.owner, rows, leaving_out)
    sessions = _sessions(db, head, appointments)
    return OwnerFacts(
        owner=head.owner, is_active=head.is_active, is_completed=head.is_completed, patient=head.patient,
        quiet=head.quiet, sessions=sessions, appointments=appointments,
        told=told, told_precare=told_precare, business=_business_days(db, head, appointments),
        screened_on=day_of(head.screened_at, head.quiet.zone) if head.screened_at else None,
        held=_held(head, rows), told_held=told_held, rules=head.rules, review=_review(db, head, sessions),
        full_on=_full_on(db, head),
    )


def said_alike(db: Session, message_ids: Collection[int]) -> frozenset[int]:
    """These messages, and all others that say one of the same things in another generation."""
    one, other = sa.orm.aliased(MessageItem), sa.orm.aliased(MessageItem)
    found = db.scalars(
        sa.select(other.message_id)
        .join(one, sa.and_(one.kind == other.kind, one.subject_kind == other.subject_kind,
                           one.subject_id == other.subject_id, one.revision == other.revision))
        .where(one.message_id.in_(message_ids)))
    return frozenset((*found, *message_ids))


def sessions_of(owner: Owner) -> sa.ColumnElement[bool]:
    """Which treatment sessions are the owner's; another visit has none."""
    if owner.kind == "course":
        return TreatmentSession.course_id == owner.id
    if owner.kind == "maintenance-plan":
        return TreatmentSession.maintenance_plan_id == owner.id
    return sa.false()


def visits_of(owner: Owner) -> sa.ColumnElement[bool]:
    """Which appointments are the owner's, where they are joined to their treatment sessions, if they have any."""
    return Appointment.id == owner.id if owner.kind == "appointment" else sessions_of(owner)


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


def _visit_head(db: Session, owner: Owner) -> OwnerHead | None:
    row = db.execute(
        sa.select(Appointment.patient_id, Appointment.clinic_id, *_REACHED)
        .join(Patient.__table__, _PATIENT.id == Appointment.patient_id)
        .join(Clinic, Clinic.id == Appointment.clinic_id)
        .where(Appointment.id == owner.id)
    ).one_or_none()
    if row is None:
        return None
    return OwnerHead(
        owner=owner, patient_id=row.patient_id, clinic_id=row.clinic_id, followed=None, is_active=True,
        is_completed=False, patient=_patient_facts(row), quiet=QuietHours(row.quiet_from, row.quiet_to, zone(row.zone)),
        rules=rules_of(db, row.clinic_id, None), most_a_day=row.most_messages_a_day)


def _patient_facts(row: Any) -> PatientFacts:
    return PatientFacts(row.email, row.channel, row.wants_service_messages, row.wants_reminders, bool(row.comes_back))


def _appointments(db: Session, owner: Owner) -> Sequence[Any]:
    return db.execute(
        sa.select(Appointment.id, Appointment.treatment_session_id, Appointment.clinic_id, Appointment.state,
                  Appointment.revision, Appointment.local_start, Appointment.fold, Appointment.zone,
                  Appointment.starts_at, Appointment.scheduled_at, Appointment.closed_at, Appointment.ended_cause,
                  Appointment.told_start, Appointment.hold_expires_at, Appointment.confirmed_at,
                  Appointment.changed_by_clinic)
        .outerjoin(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
        .where(visits_of(owner)).order_by(Appointment.id)
    ).all()


def _facts_of(row: Any) -> AppointmentFacts:
    return AppointmentFacts(
        row.id, row.treatment_session_id or NO_SESSION, row.clinic_id, AppointmentState(row.state), row.revision,
        row.local_start, row.fold, row.zone, row.starts_at, row.scheduled_at, row.closed_at, row.ended_cause,
        row.confirmed_at, row.changed_by_clinic)


def _held(head: OwnerHead, rows: Sequence[Any]) -> HeldDates | None:
    """The dates of a course that does not run yet: those of one that runs are held for other reasons."""
    held = [row for row in rows if row.state == AppointmentState.PROPOSED]
    if not head.is_held or not held:
        return None
    return HeldDates(tuple(map(_facts_of, held)), min(row.hold_expires_at for row in held))


def _review(db: Session, head: OwnerHead, sessions: tuple[SessionFacts, ...]) -> ReviewFacts:
    """What ends a course: only one that is completed is judged, and asked about."""
    performed = [each.performed_at for each in sessions if each.performed_at is not None]
    if not head.is_completed or not performed:
        return ReviewFacts()
    is_booked = sa.exists().where(
        Appointment.patient_id == head.patient_id, Appointment.kind == "review",
        Appointment.starts_at >= max(performed),
        Appointment.state.in_((AppointmentState.PROPOSED, AppointmentState.BOOKED, AppointmentState.ARRIVED,
                               AppointmentState.FULFILLED)))
    has_concern = sa.exists().where(
        Task.patient_id == head.patient_id, Task.done_at.is_(None), sa.or_(Task.kind == "symptom", Task.urgent))
    row = db.execute(sa.select(is_booked.label("is_booked"), has_concern.label("has_concern"))).one()
    judged_on = day_of(max(performed), head.quiet.zone) + head.protocol.assessment.after_days * DAY
    return ReviewFacts(judged_on, bool(row.is_booked), head.may_ask_opinion, bool(row.has_concern))


def _full_on(db: Session, head: OwnerHead) -> date | None:
    """The last local date on which the patient got as many messages as the clinic sends on one day."""
    sent = db.scalars(
        sa.select(Message.settled_at)
        .where(Message.patient_id == head.patient_id,
               Message.state.in_((MessageState.SENT, MessageState.UNCERTAIN)))
        .order_by(Message.settled_at.desc()).limit(head.most_a_day)).all()
    return day_that_is_full([day_of(at, head.quiet.zone) for at in sent if at is not None], head.most_a_day)


def _business_days(db: Session, head: OwnerHead, appointments: tuple[AppointmentFacts, ...]) -> BusinessDays:
    """When the clinic is open, where that matters: only a patient who did not come is written to by it."""
    missed = [each.closed_at for each in appointments if each.is_missed and each.closed_at is not None]
    if not missed:
        return EVERY_DAY
    weekdays = db.scalars(sa.select(OpeningHours.weekday).where(OpeningHours.clinic_id == head.clinic_id))
    closures = db.execute(
        sa.select(Closure.from_on, Closure.to_on)
        .where(Closure.clinic_id == head.clinic_id, Closure.to_on >= day_of(min(missed), head.quiet.zone))
        .order_by(Closure.from_on, Closure.id))
    return BusinessDays(frozenset(weekdays), tuple((row.from_on, row.to_on) for row in closures))


def _sessions(
    db: Session, head: OwnerHead, appointments: tuple[AppointmentFacts, ...]
) -> tuple[SessionFacts, ...]:
    if head.owner.kind == "appointment":
        return tuple(SessionFacts(NO_SESSION, 1, _state_of_visit(each)) for each in appointments)
    recorded_at = {each.treatment_session_id: each.closed_at for each in appointments
                   if each.state is AppointmentState.FULFILLED}
    rows = db.execute(
        sa.select(TreatmentSession.id, TreatmentSession.number, TreatmentSession.state,
                  TreatmentSession.treatment_code, TreatmentSession.performed_at, TreatmentSession.earliest_on,
                  TreatmentSession.ideal_on, TreatmentSession.latest_on, Recall.ask_on)
        .outerjoin(Recall, Recall.treatment_session_id == TreatmentSession.id)
        .where(sessions_of(head.owner)).order_by(TreatmentSession.number)
    )
    return tuple(
        SessionFacts(
            row.id, row.number, SessionState(row.state), row.performed_at,
            recorded_at.get(row.id) or row.performed_at, row.latest_on,
            _precare_days(head, row.number, row.treatment_code), row.ask_on, row.earliest_on, row.ideal_on,
        )
        for row in rows
    )


def _state_of_visit(appointment: AppointmentFacts) -> SessionState:
    """Another visit as if it were a session: one that did not take place is still wanted."""
    if appointment.state is AppointmentState.FULFILLED:
        return SessionState.COMPLETED
    return SessionState.BOOKED if appointment.is_standing else SessionState.OWED


def _precare_days(head: OwnerHead, number: int, treatment: str) -> int | None:
    return lead_of(head.protocol, number=instruction_number(head, number), treatment=treatment)


def _told(
    db: Session, owner: Owner, appointments: Sequence[Any], leaving_out: Collection[int]
) -> tuple[tuple[Told, ...], frozenset[tuple[int, date]], bool]:
    """What has reached the patient or may have, or a person told them, and whether dates were ever held for them.

    The same appointment told twice counts at its last revision; one moved in from elsewhere was told there.
    """
    rows = db.execute(
        sa.select(MessageItem.kind, MessageItem.facts)
        .join(Message, Message.id == MessageItem.message_id)
        .where(
            MessageItem.owner_kind == owner.kind, MessageItem.owner_id == owner.id, MessageItem.dropped.is_(None),
            MessageItem.kind.in_(_REMEMBERED), Message.id.not_in(leaving_out),
            sa.or_(Message.decision.in_(TELLING_DECISIONS), sa.and_(Message.mime.is_not(None), sa.or_(
                Message.dot_at.is_not(None),
                Message.state.in_((MessageState.SENT, MessageState.UNCERTAIN, MessageState.SENDING))))),
        )
        .order_by(MessageItem.id)
    )
    told = {row.id: _told_elsewhere(row) for row in appointments if row.told_start is not None}
    precare: set[tuple[int, date]] = set()
    told_held = False
    for kind, facts in rows:
        if kind == MessageKind.DATES_HELD:
            told_held = True
            continue
        for each in map(_told_visit, facts.get("visits", [])):
            if kind == MessageKind.PRECARE:
                precare.add((each.treatment_session_id, each.local_start.date()))
            elif each.appointment_id not in told or told[each.appointment_id].revision <= each.revision:
                told[each.appointment_id] = each
    return tuple(told.values()), frozenset(precare), told_held


def _told_elsewhere(row: Any) -> Told:
    """What the patient knew of an appointment before it was moved in: its local start, and nothing since."""
    return Told(row.id, row.treatment_session_id or NO_SESSION, row.clinic_id, 0, row.told_start,
                row.fold if row.told_start == row.local_start else 0, row.zone)


def _told_visit(document: Mapping[str, Any]) -> Told:
    return Told(
        document["appointment"], document["treatment_session"], document["clinic"], document["revision"],
        datetime.fromisoformat(document["local_start"]), document["fold"], document["zone"], document["cancelled"],
    )
