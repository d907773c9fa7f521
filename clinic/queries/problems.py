"""What the planner is asked, built from the diary: for a new course, or for one session of a course that runs."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.parts import needs_of, patient_minutes
from clinic.care.protocols import Interval, Protocol, Step, gap_rules
from clinic.planning import (
    Gap,
    Hours,
    Kind,
    Need,
    Past,
    Preferences,
    Problem,
    Ruler,
    Spacing,
    granule_for,
    opening_bits,
    ruler,
)
from clinic.planning import Step as PlannedStep
from clinic.planning.local import day_of, instant, zone
from clinic.queries.free_time import free_time
from clinic.store.clinics import Clinic
from clinic.store.courses import Course, MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.protocols import ProtocolVersion
from clinic.store.resources import Patient

GRANULE = 300
ACTIVE = ("proposed", "booked", "arrived")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be placed, for whom and from when on; `ignore` names appointments that may move.

    `until_on` is the last date that is of interest; none: the clinic's booking horizon.
    """

    clinic_id: int
    patient_id: int
    protocol: Protocol
    steps: tuple[PlannedStep, ...]
    not_before: datetime
    practitioner_id: int | None = None
    last_session_on: date | None = None
    ignore: tuple[int, ...] = ()
    except_course_id: int | None = None
    except_plan_id: int | None = None
    until_on: date | None = None


def problem_of(db: Session, asked: Asked, *, now: datetime) -> Problem:
    """The planner's problem, from the diary as it stands, in a fixed number of statements."""
    clinic = db.get_one(Clinic, asked.clinic_id)
    patient = db.get_one(Patient, asked.patient_id)
    where = zone(clinic.zone)
    first_on = day_of(asked.not_before, where)
    days = max(1, clinic.booking_horizon_days - (first_on - day_of(now, where)).days)
    if asked.until_on is not None:
        days = max(1, min(days, (asked.until_on - first_on).days + 1))
    line = ruler(where, first_on, days, _granule(asked.steps, clinic, first_on, days))
    codes = frozenset(skill for step in asked.steps for need in step.needs for skill in need.skills)
    history = _history(db, asked)
    free = free_time(
        db, line, clinic_id=clinic.id, patient_id=patient.id, codes=codes, now=now, ignore=asked.ignore)
    return Problem(
        ruler=line, not_before=asked.not_before, resources=free.resources, steps=asked.steps,
        start_step=clinic.start_step_minutes, patient_busy=free.patient_busy | _never(line, patient.only_times),
        spacing=(*_spacing(asked.protocol), *history.spacing), history=history.past,
        last_session_on=asked.last_session_on,
        preferences=Preferences(
            None if asked.practitioner_id is None else str(asked.practitioner_id),
            times_of(patient.rather_times) or None),
    )


def planned_step(step: Step, interval: Interval | None) -> PlannedStep:
    """A step of a protocol as the planner takes it, `interval` after the session before."""
    return PlannedStep(
        treatment=step.treatment, name=step.name, minutes=patient_minutes(step.parts),
        needs=tuple(
            Need(Kind(need.kind.value), need.minutes, frozenset(need.skills), need.offset, need.same_as)
            for need in needs_of(step.parts)),
        gap=None if interval is None else Gap(interval.shortest, interval.ideal, interval.longest),
    )


def times_of(stored: Sequence[Any]) -> tuple[Hours, ...]:
    """A patient's "only" or "rather" times as the planner takes them."""
    return tuple(Hours(frozenset(each["weekdays"]), each["begins"], each["ends"]) for each in stored)


def earliest_start(not_before_on: date, where: str, now: datetime) -> datetime:
    """The first instant at which a session can begin: on that date, and not in the past."""
    return max(now, instant(not_before_on, 0, zone(where)))


def _granule(steps: Iterable[PlannedStep], clinic: Clinic, first_on: date, days: int) -> int:
    minutes = {step.minutes for step in steps} | {
        each for step in steps for need in step.needs for each in (need.offset, need.minutes)}
    return min(GRANULE, granule_for(clinic.start_step_minutes, minutes, zone(clinic.zone), first_on, days))


def _never(line: Ruler, only: Sequence[Any]) -> int:
    """The granules at which a patient who can come only at some times cannot."""
    return line.full & ~opening_bits(line, times_of(only)) if only else 0


def _spacing(protocol: Protocol) -> tuple[Spacing, ...]:
    return tuple(Spacing(each.first, each.then, each.days) for each in (*protocol.spacing, *gap_rules(protocol)))


@dataclass(frozen=True, slots=True)
class _History:
    """What the patient has had or will have, and what those that are to come ask of a session before them."""

    past: tuple[Past, ...]
    spacing: tuple[Spacing, ...]


def _history(db: Session, asked: Asked) -> _History:
    """Sessions elsewhere by modality, those of this course (completed) by treatment.

    One elsewhere that is to come has gaps of its own protocol to what is done before it: it is named in full, so that
    they are heard for it alone.
    """
    plan, course, treated = MaintenancePlan.__table__, Course.__table__, TreatmentSession.__table__
    of_course = sa.func.coalesce(treated.c.course_id, plan.c.course_id)
    rows = db.execute(
        sa.select(
            treated.c.treatment_code, treated.c.performed_on, Appointment.local_start, treated.c.course_id,
            treated.c.maintenance_plan_id, course.c.protocol_version_id,
        )
        .select_from(treated.outerjoin(plan, plan.c.id == treated.c.maintenance_plan_id))
        .join(course, course.c.id == of_course)
        .outerjoin(Appointment, sa.and_(
            Appointment.treatment_session_id == treated.c.id, Appointment.state.in_(ACTIVE)))
        .where(course.c.patient_id == asked.patient_id).order_by(treated.c.id)).all()
    documents = _documents(db, {row.protocol_version_id for row in rows})
    past: list[Past] = []
    spacing: dict[Spacing, None] = {}
    for row in rows:
        own = (row.course_id is not None and row.course_id == asked.except_course_id) or (
            row.maintenance_plan_id is not None and row.maintenance_plan_id == asked.except_plan_id)
        on = row.performed_on or (row.local_start.date() if row.local_start else None)
        if on is None:
            continue
        if own and row.performed_on:
            past.append(Past(row.treatment_code, on))
        elif not own:
            document = documents[row.protocol_version_id]
            treatment = next(each for each in document["treatments"] if each["code"] == row.treatment_code)
            past.extend(Past(modality, on) for modality in treatment["modalities"])
            if row.performed_on is None:
                name = f"{treatment['name']} ({document['name']})"
                past.append(Past(name, on))
                spacing.update(dict.fromkeys(_asked_by(document, name, asked.protocol)))
    return _History(tuple(past), tuple(spacing))


def _asked_by(document: Mapping[str, Any], name: str, protocol: Protocol) -> Iterator[Spacing]:
    """The gaps that another protocol asks for after each treatment of this one."""
    for treatment in protocol.treatments:
        days = max((gap["days"] for gap in document["gaps"] if gap["after"] in treatment.modalities), default=0)
        if days:
            yield Spacing(treatment.code, name, days)


def _documents(db: Session, version_ids: Iterable[int]) -> Mapping[int, Mapping[str, Any]]:
    rows = db.execute(
        sa.select(ProtocolVersion.id, ProtocolVersion.document).where(ProtocolVersion.id.in_(list(version_ids))))
    return dict(rows.all())
