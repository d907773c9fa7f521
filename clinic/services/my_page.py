"""The patient's page as values: their dates, what to do today, and whom to call; every date and time in their words.

What is about health is there only for a browser in which the birth date was given.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.dialling import dial_address
from clinic.care.instructions import aftercare, checklist, red_flags
from clinic.care.protocols import Protocol
from clinic.care.self_service import what_patients_may
from clinic.care.states import AppointmentState, PatientsMay
from clinic.interchange.calendar import series_file
from clinic.messages.letters import (
    AftercarePhase,
    Instruction,
    Kind,
    Letter,
    RedFlag,
    Section,
    Urgency,
    VisitLine,
)
from clinic.messages.views import CareView, FlagsView, ListView, SectionView, see_section
from clinic.messages.words import Labels, labels, short_day_in_words
from clinic.planning.local import day_of, zone
from clinic.queries.letters import LetterFacts, PartFacts, letter_facts
from clinic.queries.links import MyBrowser
from clinic.queries.my_answers import MyAnswer, my_answers
from clinic.queries.owner_facts import instruction_number, owner_head
from clinic.queries.treatment_sessions import AppointmentLine, appointment_lines
from clinic.services.calendar_parts import calendar_entry, organizer_of
from clinic.services.clinic_cards import card_for, language_of
from clinic.services.letters import in_their_language
from clinic.services.work import NotFound
from clinic.store.clinics import Clinic
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.protocols import Treatment

COMING = (AppointmentState.PROPOSED, AppointmentState.BOOKED, AppointmentState.ARRIVED)
BEGINS_SOON = timedelta(days=2)
"""How long before its first instruction counts a preparation is shown open. Our default."""


@dataclass(frozen=True, slots=True)
class MyDate:
    """One date that is to come; `details` (which session, with whom) only once the birth date was given.

    One that `is_in_absence` is not to be confirmed: the clinic looks for another time, or takes the absence back.
    """

    appointment_id: int
    on: date
    zone: str
    day: str
    hours: str
    tile: tuple[str, str, str]
    details: tuple[str, ...]
    confirmed_on: str
    held_until: str
    revision: int
    lock_version: int
    is_in_absence: bool
    may_confirm: bool
    moves: PatientsMay
    cancels: PatientsMay


@dataclass(frozen=True, slots=True)
class MyClinic:
    """Where the patient goes, and whom they call."""

    name: str
    address: tuple[str, ...]
    directions: tuple[str, ...]
    cancellation: tuple[str, ...]
    phone: str
    phone_href: str
    out_of_hours_phone: str | None
    out_of_hours_href: str | None
    emergency_phone: str | None
    emergency_href: str | None


@dataclass(frozen=True, slots=True)
class MyHealth:
    """What is about health: the treatment, what counts today and later, and signs that must not wait."""

    treatment: str
    first_name: str
    today: tuple[ListView, ...]
    later: tuple[ListView, ...]
    care_now: CareView | None
    care_later: tuple[CareView, ...]
    flags: tuple[FlagsView, ...]
    prepares: bool


@dataclass(frozen=True, slots=True)
class MyPage:
    """Everything that the patient's page shows."""

    language: str
    clinic: MyClinic
    dates: tuple[MyDate, ...]
    undated: int
    past: tuple[str, ...]
    wants_reminders: bool
    health: MyHealth | None
    answers: tuple[MyAnswer, ...]

    @property
    def is_booked(self) -> bool:
        """Whether any of the dates is more than held."""
        return any(not date.held_until for date in self.dates)

    def date(self, appointment_id: int) -> MyDate | None:
        """One of the dates."""
        return next((date for date in self.dates if date.appointment_id == appointment_id), None)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the page is made from."""

    facts: LetterFacts
    row: Clinic
    lines: tuple[AppointmentLine, ...]
    now: datetime

    @property
    def letter(self) -> Letter:
        """A letter that says nothing yet: what sections of it are seen in."""
        return Letter(language_of(self.facts), self.facts.given_name, card_for(self.facts), (_NOTHING,))

    def seen(self, section: Section) -> SectionView:
        """A section in the patient's words."""
        return see_section(section, self.letter, labels(language_of(self.facts)))

    @property
    def coming(self) -> tuple[AppointmentLine, ...]:
        """The dates that are to come, the next one first."""
        return tuple(line for line in self.lines if line.state in COMING and line.local_end > self.now)


_NOTHING = Section(Kind.COURSE_COMPLETE)


def my_page(db: Session, browser: MyBrowser, *, now: datetime) -> MyPage:
    """The page of the course or visit that this browser came in for."""
    known = _known(db, browser, now)
    is_visit = known.facts.head.owner.kind == "appointment"
    return MyPage(
        language=language_of(known.facts), clinic=_clinic(known), dates=_dates(known, browser),
        undated=0 if is_visit else known.facts.undated, past=_past(known), wants_reminders=browser.wants_reminders,
        health=_health(db, known) if browser.is_born else None,
        answers=my_answers(db, browser.patient_id, _which(browser), now=now))


def dates_file(db: Session, browser: MyBrowser, *, now: datetime) -> bytes:
    """A calendar file with all dates that are booked; NotFound where there are none."""
    known = _known(db, browser, now)
    entries = [calendar_entry(known.facts, line.id) for line in known.coming
               if line.state is not AppointmentState.PROPOSED]
    if not entries:
        raise NotFound("dates of a patient")
    return series_file(entries, organizer=organizer_of(known.facts.clinic), stamped_at=now)


def _known(db: Session, browser: MyBrowser, now: datetime) -> _Known:
    head = owner_head(db, browser.owner)
    if head is None or head.patient_id != browser.patient_id:
        raise NotFound("what a link is for")
    facts = in_their_language(letter_facts(db, head))
    lines = tuple(line for _, line in appointment_lines(db, _which(browser)))
    return _Known(facts, db.get_one(Clinic, head.clinic_id), lines, now)


def _which(browser: MyBrowser) -> sa.ColumnElement[bool]:
    owner = browser.owner
    if owner.kind == "appointment":
        return Appointment.id == owner.id
    column = TreatmentSession.course_id if owner.kind == "course" else TreatmentSession.maintenance_plan_id
    return Appointment.treatment_session_id.in_(sa.select(TreatmentSession.id).where(column == owner.id))


def _clinic(known: _Known) -> MyClinic:
    card, out_of_hours, emergency = card_for(known.facts), known.row.out_of_hours_phone, known.row.emergency_phone
    return MyClinic(
        card.name, card.address, card.own.directions, card.own.cancellation, unbroken(card.phone),
        dial_address(card.phone), unbroken(out_of_hours) if out_of_hours else None,
        dial_address(out_of_hours) if out_of_hours else None, unbroken(emergency) if emergency else None,
        dial_address(emergency) if emergency else None)


def unbroken(phone: str) -> str:
    """A number that stays on one line."""
    return phone.replace(" ", "\N{NO-BREAK SPACE}")


def _dates(known: _Known, browser: MyBrowser) -> tuple[MyDate, ...]:
    lines = known.coming
    if not lines:
        return ()
    view = known.seen(Section(Kind.CONFIRMATION, visits=tuple(_visit(known, line, browser) for line in lines)))
    words = labels(language_of(known.facts))
    return tuple(
        MyDate(
            line.id, line.local_start.date(), line.zone, said.day, said.hours,
            (said.tile_weekday, said.tile_day, said.tile_month), said.details,
            confirmed_on=_day_said(line.confirmed_at, line.zone, words),
            held_until=short_day_in_words(line.held_until, words) if line.held_until else "",
            revision=known.facts.visits[line.id].revision, lock_version=line.lock_version,
            is_in_absence=known.facts.visits[line.id].is_in_absence, may_confirm=_may_confirm(known, line),
            moves=_may(known, line, PatientsMay(known.row.patients_move)),
            cancels=_may(known, line, PatientsMay(known.row.patients_cancel)))
        for line, said in zip(lines, view.dates, strict=True))


def _day_said(at: datetime | None, where: str, words: Labels) -> str:
    return short_day_in_words(day_of(at, zone(where)), words) if at else ""


def _may_confirm(known: _Known, line: AppointmentLine) -> bool:
    is_open = line.confirmed_at is None and not known.facts.visits[line.id].is_in_absence
    return is_open and _may(known, line, PatientsMay.ASK) is PatientsMay.ASK


def _may(known: _Known, line: AppointmentLine, allowed: PatientsMay) -> PatientsMay:
    return what_patients_may(allowed, line.state, line.local_start, pinned=line.pinned,
                             notice_hours=known.row.notice_hours, now=known.now)


def _visit(known: _Known, line: AppointmentLine, browser: MyBrowser) -> VisitLine:
    facts, visit = known.facts, known.facts.visits[line.id]
    elsewhere = facts.clinics[visit.clinic_id] if visit.clinic_id != facts.head.clinic_id else None
    in_course = browser.is_born and facts.head.owner.kind == "course"
    return VisitLine(
        starts_at=visit.starts_at, ends_at=visit.ends_at, zone=visit.zone,
        number=visit.number if in_course else None, of=len(facts.parts) if in_course else None,
        place=", ".join((elsewhere.name, *elsewhere.address.splitlines())) if elsewhere else None,
        practitioner=visit.practitioner if browser.is_born else None)


def _past(known: _Known) -> tuple[str, ...]:
    words = labels(language_of(known.facts))
    return tuple(short_day_in_words(line.local_start.date(), words) for line in known.lines
                 if line.state is AppointmentState.FULFILLED)


def _health(db: Session, known: _Known) -> MyHealth:
    protocol = known.facts.head.followed
    if protocol is None:
        [visit] = known.facts.visits.values()
        name = db.scalar(sa.select(Treatment.name).where(Treatment.code == visit.treatment_code))
        return MyHealth(name or "", known.facts.given_name, (), (), None, (), (), prepares=False)
    today, later, prepares = _preparation(known, protocol)
    care_now, care_later = _after(known, protocol)
    flags = known.seen(Section(Kind.COURSE_COMPLETE, red_flags=_red_flags(protocol))).red_flags
    return MyHealth(protocol.name, known.facts.given_name, today, later, care_now, care_later, flags, prepares)


def _preparation(known: _Known, protocol: Protocol) -> tuple[tuple[ListView, ...], tuple[ListView, ...], bool]:
    """What counts today for the next date, and what will count later; whether it is time to show it open."""
    line = next(iter(known.coming), None)
    if line is None:
        return (), (), False
    visit, today = known.facts.visits[line.id], day_of(known.now, zone(line.zone))
    number = instruction_number(known.facts.head, visit.number)
    lines = checklist(protocol, line.local_start.date(), number=number, treatment=visit.treatment_code)
    ahead = VisitLine(visit.starts_at, visit.ends_at, visit.zone)

    def said(some: Sequence[Instruction]) -> tuple[ListView, ...]:
        if not some:
            return ()
        return known.seen(Section(Kind.PRECARE, visits=(ahead,), instructions=tuple(some))).checklist

    now = [Instruction(each.text) for each in lines if each.on <= today]
    later = [Instruction(each.text, each.on) for each in lines if each.on > today]
    return said(now), said(later), bool(lines) and lines[0].on <= today + BEGINS_SOON


def _after(known: _Known, protocol: Protocol) -> tuple[CareView | None, tuple[CareView, ...]]:
    """The aftercare of this hour for the last treatment, and what follows it."""
    done = [part for part in known.facts.parts.values() if part.performed_at is not None]
    last = max(done, key=_performed, default=None)
    if last is None:
        return None, ()
    treated_at = _performed(last)
    hours = (known.now - treated_at).total_seconds() / 3600
    phases = [AftercarePhase(each.from_hours, each.to_hours, each.expect, each.do, each.avoid)
              for each in aftercare(protocol, treatment=last.treatment_code) if each.to_hours > hours]
    if not phases:
        return None, ()
    care = known.seen(Section(Kind.AFTERCARE, treated_at=treated_at, phases=tuple(phases))).care
    has_begun = phases[0].from_hours <= hours
    return (care[0], care[1:]) if has_begun else (None, care)


def _performed(part: PartFacts) -> datetime:
    assert part.performed_at is not None  # only performed sessions are asked
    return part.performed_at


def _red_flags(protocol: Protocol) -> tuple[RedFlag, ...]:
    return tuple(RedFlag(flag.text, Urgency(flag.urgency.value)) for flag in red_flags(protocol))
