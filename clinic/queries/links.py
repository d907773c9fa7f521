"""What is known of a link, and of a browser that came in by one."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.owner_facts import Owner, owner_named
from clinic.planning.local import day_of, zone
from clinic.store.clinics import Clinic
from clinic.store.courses import Course, MaintenancePlan
from clinic.store.diary import Appointment
from clinic.store.links import Link, PatientBrowser
from clinic.store.resources import Patient

MY_COURSE = "my-course"
"""What a link is for that opens the patient's page."""
TRIES = 5
"""How many wrong birth dates are allowed on all links of a patient; then staff must help."""


class LinkState(StrEnum):
    """Whether a link still opens, and if not, why."""

    OPENS = "opens"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LinkSeen:
    """A link from outside: whether it opens, in which language to say so, whom to call, and on which day it was first
    used. Nothing of its patient."""

    state: LinkState
    language: str | None = None
    clinic: str | None = None
    phone: str | None = None
    used_on: date | None = None


@dataclass(frozen=True, slots=True)
class MyBrowser:
    """A browser that came in by a link: whose one course or visit it sees, and whether it may see what is about health.
    """

    id_hash: str
    link_id: int
    patient_id: int
    owner: Owner
    clinic_id: int
    language: str
    expires_at: datetime
    created_at: datetime
    is_born: bool
    has_birth_date: bool
    wrong_dates: int
    wants_reminders: bool

    @property
    def tries_left(self) -> int:
        """How often the birth date may still be given."""
        return max(TRIES - self.wrong_dates, 0)


def link_seen(db: Session, secret_hash: str, *, now: datetime) -> LinkSeen:
    """The link with that hash, as anybody who holds it may know it."""
    row = db.execute(
        sa.select(Link.owner_kind, Link.owner_id, Link.expires_at, Link.revoked_at, Link.used_at,
                  Patient.__table__.c.language)
        .join(Patient.__table__, Patient.__table__.c.id == Link.patient_id)
        .where(Link.secret_hash == secret_hash, Link.purpose == MY_COURSE)).one_or_none()
    if row is None:
        return LinkSeen(LinkState.UNKNOWN, None, *(whom_to_call(db) or ()))
    clinic_id = clinic_of_owner(db, owner_named(row.owner_kind, row.owner_id))
    clinic = db.execute(
        sa.select(Clinic.name, Clinic.phone, Clinic.zone).where(Clinic.id == clinic_id)).one_or_none()
    state = LinkState.OPENS
    if row.revoked_at is not None or clinic is None:
        state = LinkState.REVOKED
    elif row.expires_at <= now:
        state = LinkState.EXPIRED
    if clinic is None:
        return LinkSeen(state, row.language)
    used_on = day_of(row.used_at, zone(clinic.zone)) if row.used_at is not None else None
    return LinkSeen(state, row.language, clinic.name, clinic.phone, used_on)


def whom_to_call(db: Session, id_hash: str | None = None) -> tuple[str, str] | None:
    """The name and the number of the clinic that a patient's browser came to, though its time is over; for everybody
    else those of the only clinic, where there is no other."""
    came = None if id_hash is None else db.execute(
        sa.select(Link.owner_kind, Link.owner_id).join(PatientBrowser, PatientBrowser.link_id == Link.id)
        .where(PatientBrowser.id_hash == id_hash, Link.purpose == MY_COURSE)).one_or_none()
    clinics = sa.select(Clinic.name, Clinic.phone).limit(2)
    if came is not None:
        clinics = clinics.where(Clinic.id == clinic_of_owner(db, owner_named(came.owner_kind, came.owner_id)))
    found = db.execute(clinics).all()
    return (found[0].name, found[0].phone) if len(found) == 1 else None


def my_browser(db: Session, id_hash: str, *, now: datetime) -> MyBrowser | None:
    """The browser with that hash while it and its link are good."""
    patient = Patient.__table__.c
    row = db.execute(
        sa.select(PatientBrowser, Link, patient.language, patient.birth_on, patient.wants_reminders)
        .join(Link, Link.id == PatientBrowser.link_id)
        .join(Patient.__table__, patient.id == Link.patient_id)
        .where(PatientBrowser.id_hash == id_hash, PatientBrowser.expires_at > now, Link.purpose == MY_COURSE,
               Link.revoked_at.is_(None), Link.expires_at > now, patient.merged_into_id.is_(None))).one_or_none()
    if row is None:
        return None
    browser, link, language, birth_on, wants_reminders = row
    owner = owner_named(link.owner_kind, link.owner_id)
    clinic_id = clinic_of_owner(db, owner)
    if clinic_id is None:
        return None
    return MyBrowser(
        browser.id_hash, link.id, link.patient_id, owner, clinic_id, language, browser.expires_at, browser.created_at,
        browser.born_at is not None, birth_on is not None, wrong_dates(db, link.patient_id),
        wants_reminders)


def as_its_patient(db: Session, course_id: int, *, now: datetime) -> MyBrowser | None:
    """What its patient's browser would be in for once the birth date was given, for staff to look at the page: nobody
    comes in with it. None where there is no such course."""
    patient = Patient.__table__.c
    row = db.execute(
        sa.select(Course.patient_id, Course.clinic_id, patient.language, patient.birth_on, patient.wants_reminders)
        .join(Patient.__table__, patient.id == Course.patient_id).where(Course.id == course_id)).one_or_none()
    return None if row is None else MyBrowser(
        "", 0, row.patient_id, Owner("course", course_id), row.clinic_id, row.language, now, now, is_born=True,
        has_birth_date=row.birth_on is not None, wrong_dates=0, wants_reminders=row.wants_reminders)


def wrong_dates(db: Session, patient_id: int) -> int:
    """How many wrong birth dates were given since the last right one, on all links of the patient that hold."""
    return db.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(PatientBrowser.wrong_dates), 0))
        .join(Link, Link.id == PatientBrowser.link_id)
        .where(Link.patient_id == patient_id, Link.revoked_at.is_(None))) or 0


def living_links(db: Session, patient_id: int, *, now: datetime) -> int:
    """How many links of a patient still open."""
    return db.scalar(
        sa.select(sa.func.count()).select_from(Link)
        .where(Link.patient_id == patient_id, Link.revoked_at.is_(None), Link.expires_at > now)) or 0


def clinic_of_owner(db: Session, owner: Owner) -> int | None:
    """The clinic at which a course, its upkeep or another visit is; none where that is not there any more."""
    found: sa.Select[Any]
    if owner.kind == "appointment":
        found = sa.select(Appointment.clinic_id).where(Appointment.id == owner.id)
    elif owner.kind == "course":
        found = sa.select(Course.clinic_id).where(Course.id == owner.id)
    else:
        found = sa.select(Course.clinic_id).join(MaintenancePlan, MaintenancePlan.course_id == Course.id).where(
            MaintenancePlan.id == owner.id)
    return db.scalar(found)
