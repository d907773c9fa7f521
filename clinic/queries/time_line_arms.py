"""Where the entries of a time line come from: one select each, with the same columns, so that one statement has all."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from clinic.care.states import MessageState
from clinic.care.time_line import Source, Theme
from clinic.store.accounts import Account, AuditEntry, Task
from clinic.store.courses import Course, CourseOverride, HandoverNote, MaintenancePlan, Screening, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.newsletter import Subscriber
from clinic.store.outbox import Bounce, ContactAttempt, Message, MessageItem
from clinic.store.protocols import Protocol, ProtocolVersion, Treatment
from clinic.store.resources import ClinicalNote, Patient, Practitioner
from clinic.store.types import Instant

_TEXT, _NUMBER = sa.cast(sa.null(), sa.Text), sa.cast(sa.null(), sa.Integer)
_EMPTY: dict[str, sa.ColumnElement[Any]] = {
    "why": _TEXT, "who": _TEXT, "by": _TEXT, "number": _NUMBER, "upkeep_id": _NUMBER, "about": _TEXT, "words": _TEXT,
    "local_start": sa.cast(sa.null(), sa.DateTime), "then": sa.cast(sa.null(), Instant), "ref": _NUMBER,
    "facts": sa.cast(sa.null(), sa.JSON), "found": sa.cast(sa.null(), sa.JSON),
}
_PATIENT, _PRACTITIONER = Patient.__table__.c, Practitioner.__table__.c
_ENDED = ("session-completed", "visit-completed", "appointment-noshow", "appointment-not-treated")
_SAID_BY_THE_VISIT = (*_ENDED, "appointment-arrived", "appointment-begun")
_SAID_BY_OTHERS = ("note-left", "note-read", "contraindication-noted", "contraindication-over")
"""What the audit keeps, and rows of their own say better."""

patient_id = sa.bindparam("patient_id", type_=sa.Integer)
course_id = sa.bindparam("course_id", type_=sa.Integer)
clinic_ids = sa.bindparam("clinic_ids", type_=sa.Integer, expanding=True)


class Whose(StrEnum):
    """Of whom a time line is."""

    PATIENT = "patient"
    COURSE = "course"


@dataclass(frozen=True, slots=True)
class Arm:
    """A select of one source, which orders by `at` and then `id`; only some have what is to come."""

    source: Source
    theme: Theme
    select: sa.Select[Any]
    at: sa.SQLColumnExpression[Any]
    id: sa.SQLColumnExpression[int]
    has_future: bool = False


def arms(whose: Whose, theme: Theme | None, *, with_notes: bool) -> list[Arm]:
    """All of them, or those of one theme; clinical notes only for those who may see them.

    Messages that others replaced are listed where one asks for messages, and nowhere else.
    """
    every = [*_visits(whose), *_messages(whose, with_replaced=theme is Theme.MESSAGES), *_deeds(whose),
             *_findings(whose), *_notes(whose)]
    if whose is Whose.PATIENT:
        every += _consents()
        every += _clinical_notes() if with_notes else ()
    return [arm for arm in every if theme is None or arm.theme is theme]


def _of_visits(whose: Whose) -> sa.ColumnElement[bool]:
    if whose is Whose.COURSE:
        # By the patient first, or PostgreSQL would look through all visits that there are.
        return sa.and_(Appointment.patient_id == patient_id,
                       Appointment.treatment_session_id.in_(sa.select(_sessions(whose).c.id)))
    # A sum, or SQLite would read all that the clinic ever had in order of time to find what one patient has.
    return sa.and_(Appointment.patient_id == patient_id, (Appointment.clinic_id + 0).in_(clinic_ids))


def _of_courses(whose: Whose) -> sa.ColumnElement[bool]:
    if whose is Whose.COURSE:
        return Course.id == course_id
    return sa.and_(Course.patient_id == patient_id, (Course.clinic_id + 0).in_(clinic_ids))


def _of_messages(whose: Whose) -> sa.ColumnElement[bool]:
    if whose is Whose.PATIENT:
        return sa.and_(Message.patient_id == patient_id, (Message.clinic_id + 0).in_(clinic_ids))
    item, upkeep = MessageItem, sa.select(MaintenancePlan.id).where(MaintenancePlan.course_id == course_id)
    of_course = sa.select(item.message_id).where(item.owner_kind == "course", item.owner_id == course_id)
    of_upkeep = sa.select(item.message_id).where(item.owner_kind == "maintenance-plan", item.owner_id.in_(upkeep))
    return sa.and_(Message.patient_id == patient_id, Message.id.in_(sa.union_all(of_course, of_upkeep)))


def _sessions(whose: Whose) -> sa.Subquery:
    """The sessions of the courses and of their upkeep. They are put together, not asked for one way or the other: for
    that PostgreSQL reads every session there is."""
    row = TreatmentSession
    version = Course.protocol_version_id.label("version_id")
    own = (
        sa.select(row.id, row.number, row.maintenance_plan_id.label("plan_id"), version)
        .join(Course, Course.id == row.course_id).where(_of_courses(whose)))
    kept_up = (
        sa.select(row.id, row.number, row.maintenance_plan_id, version)
        .join(MaintenancePlan, MaintenancePlan.id == row.maintenance_plan_id)
        .join(Course, Course.id == MaintenancePlan.course_id)
        .where(_of_courses(whose), row.maintenance_plan_id.is_not(None)))
    return sa.union_all(own, kept_up).subquery()


def _columns(
    source: Source, what: sa.SQLColumnExpression[Any] | str, at: sa.SQLColumnExpression[Any],
    ident: sa.SQLColumnExpression[int], **given: Any,
) -> list[sa.ColumnElement[Any]]:
    code = sa.literal_column(f"'{what}'", sa.Text) if isinstance(what, str) else what
    named = {"at": at, "source": sa.literal_column(str(int(source)), sa.Integer), "id": ident, "what": code,
             **_EMPTY, **given}
    return [column.label(name) for name, column in named.items()]


def _visits(whose: Whose) -> Iterator[Arm]:
    """Each visit that stands or was to be, at its time: to come, open, treated, not treated, missed."""
    closing = AuditEntry.action.in_(_ENDED)
    closer = sa.func.coalesce(
        _closer(AuditEntry.subject_kind == "treatment_session", AuditEntry.subject_id == TreatmentSession.id, closing),
        _closer(AuditEntry.subject_kind == "appointment", AuditEntry.subject_id == Appointment.id, closing))
    yield Arm(
        Source.VISIT, Theme.VISITS,
        sa.select(*_columns(
            Source.VISIT, Appointment.state, Appointment.starts_at, Appointment.id, why=Appointment.ended_cause,
            who=_PRACTITIONER.name, by=closer, number=TreatmentSession.number,
            upkeep_id=TreatmentSession.maintenance_plan_id,
            about=sa.func.coalesce(Treatment.name, Appointment.treatment_code), words=Appointment.cancellation_reason,
            local_start=Appointment.local_start, then=Appointment.arrived_at,
            ref=sa.func.coalesce(TreatmentSession.course_id, MaintenancePlan.course_id)))
        .outerjoin(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
        .outerjoin(MaintenancePlan, MaintenancePlan.id == TreatmentSession.maintenance_plan_id)
        .outerjoin(Treatment, Treatment.code == Appointment.treatment_code)
        .outerjoin(Practitioner.__table__, _PRACTITIONER.id == Appointment.practitioner_id)
        .where(_of_visits(whose), sa.or_(Appointment.state != "cancelled", Appointment.ended_cause.is_not(None))),
        Appointment.starts_at, Appointment.id, has_future=True)
    kept = sa.exists().where(
        Appointment.treatment_session_id == TreatmentSession.id, Appointment.state == "fulfilled")
    yield Arm(
        Source.PERFORMED, Theme.VISITS,
        sa.select(*_columns(
            Source.PERFORMED, "performed", TreatmentSession.performed_at, TreatmentSession.id,
            number=TreatmentSession.number, ref=TreatmentSession.course_id,
            about=sa.func.coalesce(Treatment.name, TreatmentSession.treatment_code)))
        .join(Course, Course.id == TreatmentSession.course_id)
        .outerjoin(Treatment, Treatment.code == TreatmentSession.treatment_code)
        .where(_of_courses(whose), TreatmentSession.performed_at.is_not(None), ~kept),
        TreatmentSession.performed_at, TreatmentSession.id)


def _closer(*which: sa.ColumnElement[bool]) -> sa.ScalarSelect[str]:
    return (sa.select(Account.name).join(AuditEntry, AuditEntry.account_id == Account.id).where(*which)
            .correlate(TreatmentSession, Appointment).limit(1).scalar_subquery())


def _messages(whose: Whose, *, with_replaced: bool) -> Iterator[Arm]:
    """Each message when it was settled or is due, each attempt to tell it in person, each report that it came back."""
    at = sa.func.coalesce(Message.settled_at, Message.due_at)
    yield Arm(
        Source.MESSAGE, Theme.MESSAGES,
        sa.select(*_columns(Source.MESSAGE, Message.state, at, Message.id, why=Message.reason, by=Account.name,
                            then=Message.settled_at, ref=Message.id))
        .outerjoin(Account, Account.id == Message.decided_by)
        .where(_of_messages(whose), *([] if with_replaced else [Message.state != MessageState.SUPERSEDED])),
        at, Message.id, has_future=True)
    yield Arm(
        Source.CONTACT, Theme.MESSAGES,
        sa.select(*_columns(Source.CONTACT, ContactAttempt.outcome, ContactAttempt.at, ContactAttempt.id,
                            who=Account.name, words=ContactAttempt.note, ref=Message.id))
        .join(Message, Message.id == ContactAttempt.message_id)
        .outerjoin(Account, Account.id == ContactAttempt.by).where(_of_messages(whose)),
        ContactAttempt.at, ContactAttempt.id)
    report = sa.case((Bounce.is_hard, "came-back-for-good"), (Bounce.is_final, "came-back"), else_="late")
    yield Arm(
        Source.BOUNCE, Theme.MESSAGES,
        sa.select(*_columns(Source.BOUNCE, report, Bounce.at, Bounce.id, why=Bounce.status, words=Bounce.text,
                            ref=Message.id))
        .join(Message, Message.id == Bounce.message_id).where(_of_messages(whose)),
        Bounce.at, Bounce.id)


def _deeds(whose: Whose) -> Iterator[Arm]:
    """What the audit knows of the patient, their courses and upkeep, sessions and visits."""
    kind, subject = AuditEntry.subject_kind, AuditEntry.subject_id
    if whose is Whose.PATIENT:
        merged = sa.select(_PATIENT.id).where(sa.or_(_PATIENT.id == patient_id, _PATIENT.merged_into_id == patient_id))
        yield _deed(Source.DEED_ON_PATIENT, Theme.RECORD, sa.and_(kind == "patient", subject.in_(merged)))
    yield _deed(Source.DEED_ON_COURSE, Theme.COURSE, sa.and_(kind == "course", _of_courses(whose)),
                (Course, Course.id == subject), about=_protocol_name())
    yield _deed(Source.DEED_ON_UPKEEP, Theme.COURSE, sa.and_(kind == "maintenance-plan", _of_courses(whose)),
                (MaintenancePlan, MaintenancePlan.id == subject), (Course, Course.id == MaintenancePlan.course_id),
                about=_protocol_name())
    mine = _sessions(whose)
    yield _deed(
        Source.DEED_ON_SESSION, Theme.COURSE, kind == "treatment_session", (mine, mine.c.id == subject),
        about=_protocol_name(mine.c.version_id), number=mine.c.number, upkeep_id=mine.c.plan_id)
    # Said twice, or SQLite would begin with all that was ever done to any visit.
    visits = sa.select(Appointment.id).where(_of_visits(whose)).correlate(None)
    yield _deed(
        Source.DEED_ON_VISIT, Theme.VISITS, sa.and_(kind == "appointment", subject.in_(visits), _of_visits(whose)),
        (Appointment, Appointment.id == subject), number=TreatmentSession.number,
        upkeep_id=TreatmentSession.maintenance_plan_id, local_start=Appointment.local_start,
        words=Appointment.cancellation_reason, ref=Appointment.revision,
        about=sa.func.coalesce(Treatment.name, Appointment.treatment_code))


def _deed(
    source: Source, theme: Theme, which: sa.ColumnElement[bool], *joins: tuple[Any, sa.ColumnElement[bool]],
    **given: Any,
) -> Arm:
    statement = sa.select(*_columns(
        source, AuditEntry.action, AuditEntry.at, AuditEntry.id,
        **{"who": sa.func.coalesce(Account.name, AuditEntry.actor), "facts": AuditEntry.facts, **given}))
    for target, on in joins:
        statement = statement.join(target, on)
    if source is Source.DEED_ON_VISIT:
        statement = (
            statement.outerjoin(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
            .outerjoin(Treatment, Treatment.code == Appointment.treatment_code))
    told = AuditEntry.action.not_in((*_SAID_BY_THE_VISIT, *_SAID_BY_OTHERS))
    return Arm(source, theme, statement.outerjoin(Account, Account.id == AuditEntry.account_id).where(which, told),
               AuditEntry.at, AuditEntry.id)


def _findings(whose: Whose) -> Iterator[Arm]:
    """What was asked and found before a treatment, and where somebody went past it."""
    yield Arm(
        Source.SCREENING, Theme.FINDINGS,
        sa.select(*_columns(
            Source.SCREENING, "screening", Screening.answered_at, Screening.id, who=Account.name,
            facts=Screening.answers, found=Screening.findings, ref=Course.protocol_version_id, about=_protocol_name()))
        .join(Course, Course.id == Screening.course_id)
        .outerjoin(Account, Account.id == Screening.answered_by).where(_of_courses(whose)),
        Screening.answered_at, Screening.id)
    yield Arm(
        Source.OVERRIDE, Theme.FINDINGS,
        sa.select(*_columns(
            Source.OVERRIDE, CourseOverride.code, CourseOverride.made_at, CourseOverride.id, who=Account.name,
            words=CourseOverride.reason, facts=CourseOverride.value, ref=Course.protocol_version_id,
            about=_protocol_name()))
        .join(Course, Course.id == CourseOverride.course_id)
        .outerjoin(Account, Account.id == CourseOverride.made_by).where(_of_courses(whose)),
        CourseOverride.made_at, CourseOverride.id)


def _notes(whose: Whose) -> Iterator[Arm]:
    """What one visit hands over to the next, and what somebody has to do."""
    other = aliased(Account)
    of_course = [HandoverNote.course_id == course_id] if whose is Whose.COURSE else []
    yield Arm(
        Source.NOTE, Theme.NOTES,
        sa.select(*_columns(Source.NOTE, "note", HandoverNote.written_at, HandoverNote.id, who=Account.name,
                            by=other.name, words=HandoverNote.text, then=HandoverNote.read_at))
        .outerjoin(Account, Account.id == HandoverNote.written_by).outerjoin(other, other.id == HandoverNote.read_by)
        .where(HandoverNote.patient_id == patient_id, *of_course),
        HandoverNote.written_at, HandoverNote.id)
    mine = Task.appointment_id.in_(sa.select(Appointment.id).where(_of_visits(whose))) if (
        whose is Whose.COURSE) else (Task.clinic_id + 0).in_(clinic_ids)
    yield Arm(
        Source.TASK, Theme.NOTES,
        sa.select(*_columns(Source.TASK, Task.kind, Task.created_at, Task.id, who=Account.name, by=other.name,
                            words=Task.text, why=Task.reply, then=Task.done_at))
        .outerjoin(Account, Account.id == Task.created_by).outerjoin(other, other.id == Task.done_by)
        .where(Task.patient_id == patient_id, mine),
        Task.created_at, Task.id)


def _clinical_notes() -> Iterator[Arm]:
    yield Arm(
        Source.CLINICAL_NOTE, Theme.NOTES,
        sa.select(*_columns(Source.CLINICAL_NOTE, "clinical-note", ClinicalNote.written_at, ClinicalNote.id,
                            who=Account.name, words=ClinicalNote.text))
        .outerjoin(Account, Account.id == ClinicalNote.written_by).where(ClinicalNote.patient_id == patient_id),
        ClinicalNote.written_at, ClinicalNote.id)


def _consents() -> Iterator[Arm]:
    """What the patient agreed to besides their treatment, and since when no more."""
    agreed_at = _PATIENT.marketing_consent_at
    yield Arm(
        Source.OFFERS, Theme.FINDINGS,
        sa.select(*_columns(Source.OFFERS, "offers", agreed_at, _PATIENT.id))
        .where(_PATIENT.id == patient_id, agreed_at.is_not(None)), agreed_at, _PATIENT.id)
    for source, what, at in ((Source.NEWSLETTER, "newsletter", Subscriber.consented_at),
                             (Source.NO_NEWSLETTER, "newsletter-stopped", Subscriber.stopped_at)):
        words = {"words": Subscriber.consent_wording} if source is Source.NEWSLETTER else {}
        yield Arm(
            source, Theme.FINDINGS,
            sa.select(*_columns(source, what, at, Subscriber.id, **words))
            .where(Subscriber.patient_id == patient_id, at.is_not(None)), at, Subscriber.id)


def _protocol_name(version_id: sa.SQLColumnExpression[int] = Course.protocol_version_id) -> sa.ScalarSelect[str]:
    return (
        sa.select(Protocol.name).join(ProtocolVersion, ProtocolVersion.protocol_id == Protocol.id)
        .where(ProtocolVersion.id == version_id).correlate_except(Protocol, ProtocolVersion).scalar_subquery())
