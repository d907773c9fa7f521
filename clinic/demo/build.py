"""Lives the demo clinic's last months through the same services that a real clinic uses, with a clock of its own."""
from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.access import Grant, Role
from clinic.care.outcomes import NoShowCause, NotTreatedCause, PartlyTreated
from clinic.care.rotas import DaySpan, RotaWeeks, WeekSpan
from clinic.care.screening import LaxityGrade, ScreeningAnswers
from clinic.demo import people
from clinic.messages.mailbox import MailboxTransport
from clinic.planning.local import instant, zone
from clinic.queries.course_asks import CourseRequest
from clinic.queries.offers import offer_course
from clinic.queries.protocol_contents import protocol_of
from clinic.queries.times import offer_times
from clinic.queries.visit_choice import parse_choice
from clinic.services import (
    appointments,
    attendance,
    clinics,
    closures,
    completion,
    courses,
    mail,
    patients,
    practitioners,
    protocols,
    rooms,
    texts,
)
from clinic.services.accounts import create_account
from clinic.services.delivery import Courier
from clinic.services.work import Actor, Done, Refused, UnitOfWork
from clinic.store.courses import Course, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.protocols import Protocol, ProtocolVersion
from clinic.store.resources import Practitioner

WEEKS_BACK = 17
FIRST_PATIENTS = 7
SPREAD_DAYS = 34
REASON = "the patient called"

_Cause = TypeVar("_Cause", NoShowCause, NotTreatedCause)


@dataclass
class Demo:
    """What has been made so far; `now` is moved by hand."""

    engine: Engine
    until: datetime
    now: datetime = field(init=False)
    sites: dict[str, int] = field(default_factory=dict)
    practitioners: list[int] = field(default_factory=list)
    asked_for: Counter[int] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    patients: list[int] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    practitioner_account_id: int = 0
    actor: Actor = Actor("demo")

    def __post_init__(self) -> None:
        self.now = self.until - timedelta(weeks=WEEKS_BACK)

    def clock(self) -> datetime:
        """The demo's own present."""
        return self.now

    def work(self) -> UnitOfWork:
        """A unit of work in the demo's present."""
        return UnitOfWork(self.engine, self.clock, self.actor)


def build(engine: Engine, *, now: datetime) -> Demo:
    """Fills a migrated, empty database: two sites, history until `now`, a diary ahead, messages about to go out."""
    demo = Demo(engine, now)
    chance = random.Random(20270301)
    _set_up(demo)
    _add_patients(demo)
    courier = Courier(demo.work, MailboxTransport(), "demo")
    waiting = list(enumerate(demo.patients))
    bookings = _bookings_by_day(demo, waiting)
    day = demo.now.date()
    while day <= now.date():
        demo.now = min(max(demo.now, _noon(day) - timedelta(hours=3)), now)
        for number, patient_id in bookings.get(day, ()):
            _book(demo, number, patient_id)
        courier.deliver_due(1000)
        _live(demo, day, chance, courier)
        demo.now = min(max(demo.now, _noon(day) + timedelta(hours=7)), now)
        courier.deliver_due(1000)
        day += timedelta(days=1)
    demo.now = now
    _book_upkeep(demo)
    _stop_one(demo)
    return demo


def _noon(day: date) -> datetime:
    return instant(day, 12 * 60, zone("Europe/Lisbon"))


def _must(outcome: Done[int] | Refused) -> int:
    if isinstance(outcome, Refused):
        raise RuntimeError("; ".join(finding.text for finding in outcome.findings))
    return outcome.value


def _set_up(demo: Demo) -> None:
    with demo.work() as work:
        clinics.name_business(work, "Atlantic Skin")
    with demo.work() as work:
        mail.switch_mail_on(work)
    for site in people.SITES:
        _add_site(demo, site)
        _close_on_holidays(demo, demo.sites[site.key])
    with demo.work() as work:
        clinics.set_travel_time(work, demo.sites[people.PORTO], demo.sites[people.VIGO], minutes=120)
    for sheet, words in people.OWN_WORDS:
        with demo.work() as work:
            _must(texts.save_texts(work, demo.sites[people.PORTO], sheet, "en", words, seen=0))
    for person in people.PRACTITIONERS:
        _add_practitioner(demo, person)
    add_accounts(demo)
    approve(demo)


def _add_site(demo: Demo, site: people.Site) -> None:
    details = clinics.ClinicDetails(
        name=site.name, zone=site.zone, address=site.address, phone=site.phone, sender_name="Atlantic Skin",
        sender_email=site.email, hours=(clinics.Hours(tuple(range(7)), 540, 1200),))
    with demo.work() as work:
        demo.sites[site.key] = _must(clinics.open_clinic(work, details))
    for name, features in site.rooms:
        with demo.work() as work:
            rooms.add_room(work, demo.sites[site.key], name=name, features=features)
    for name, device_type in site.devices:
        with demo.work() as work:
            rooms.add_device(work, demo.sites[site.key], name=name, device_type=device_type)


def _close_on_holidays(demo: Demo, clinic_id: int) -> None:
    for year in (demo.until.year, demo.until.year + 1):
        for month, day, reason in ((12, 25, "Christmas Day"), (1, 1, "New Year's Day")):
            with demo.work() as work:
                closures.close_clinic(
                    work, clinic_id, from_on=date(year, month, day), to_on=date(year, month, day), reason=reason)


def _add_practitioner(demo: Demo, person: people.Person) -> None:
    since = demo.now.date()
    held = tuple(practitioners.Held(code, since) for code in person.qualifications)
    rota = RotaWeeks(
        since - timedelta(days=since.weekday() + 7), tuple(_spans(demo, person, demo.until.date())), person.weeks)
    with demo.work() as work:
        demo.practitioners.append(_must(practitioners.add_practitioner(
            work, practitioners.PractitionerDetails(person.name, held), rota=rota)))


def _spans(demo: Demo, person: people.Person, today: date) -> Iterator[WeekSpan]:
    """The shifts, counted from the demo's own weekday: whenever it is started, someone works today and tomorrow."""
    for shift in person.shifts:
        weekday, site = (today.weekday() + shift.day) % 7, demo.sites[shift.site]
        for week in range(person.weeks) if shift.week == 0 else (shift.week,):
            yield WeekSpan(week, weekday, DaySpan(shift.opens, shift.closes, site))
            if shift.break_minutes is not None:
                yield WeekSpan(week, weekday, DaySpan(shift.opens, shift.closes, None, shift.break_minutes))


def add_accounts(demo: Demo) -> None:
    """Adds the accounts that are named when the demo starts, with their roles at every site; who treats has their day.
    """
    with Session(demo.engine) as db:
        ids = dict(db.execute(sa.select(Practitioner.name, Practitioner.id)).all())
    for email, name, role in people.ACCOUNTS:
        with demo.work() as work:
            account_id = _must(create_account(
                work, email=email, name=name, password=people.PASSWORD,
                grants=[Grant(clinic_id, Role(role)) for clinic_id in demo.sites.values()],
                practitioner_id=ids.get(name)))
        if role == "practitioner":
            demo.practitioner_account_id = account_id


def approve(demo: Demo, codes: Iterable[str] = people.APPROVED) -> None:
    """Brings in the protocols, of which the demo's practitioner approves those."""
    with demo.work() as work:
        protocols.load_catalogue(work)
    with Session(demo.engine) as db:
        rows = db.execute(
            sa.select(Protocol.code, ProtocolVersion.id)
            .join(ProtocolVersion, ProtocolVersion.protocol_id == Protocol.id))
        demo.versions = dict(rows.all())
    demo.actor = Actor("account", demo.practitioner_account_id)
    for code in codes:
        with demo.work() as work:
            _must(protocols.approve_version(work, demo.versions[code]))
    demo.actor = Actor("demo")


def _add_patients(demo: Demo) -> None:
    for number, (given, family) in enumerate(people.NAMES):
        address = people.SHARED_ADDRESS.get(number, number)
        has_email = number not in people.NO_EMAIL
        born = date(1958 + number * 37 % 45, 1 + number % 12, 1 + number % 28)
        details = patients.PatientDetails(
            given_name=given, family_name=family, birth_on=born,
            email=f"patient{address:02d}@mail.example" if has_email else None, phone=f"+351 91 555 {number:04d}",
            channel="email" if has_email else "phone", alerts=people.ALERTS.get(number, ""),
            rather_times=(patients.Wish((0, 1, 2, 3, 4), 15 * 60, 20 * 60),) if number in people.RATHER_LATE else ())
        with demo.work() as work:
            demo.patients.append(_must(patients.add_patient(work, details, is_another=True)))


def _bookings_by_day(demo: Demo, waiting: Iterable[tuple[int, int]]) -> dict[date, list[tuple[int, int]]]:
    """Who books when: the first patients at the beginning, the others spread over the weeks until now."""
    first = demo.now.date()
    days = (demo.until.date() - first).days
    found: dict[date, list[tuple[int, int]]] = {}
    for number, patient_id in waiting:
        at = number if number < FIRST_PATIENTS else days - SPREAD_DAYS + SPREAD_DAYS * (number - FIRST_PATIENTS) // (
            len(people.NAMES) - FIRST_PATIENTS - 1)
        found.setdefault(first + timedelta(days=at), []).append((number, patient_id))
    return found


def _book(demo: Demo, number: int, patient_id: int) -> None:
    at_vigo = number % 4 == 3
    listed = people.COURSES_AT_VIGO if at_vigo else people.COURSES_AT_PORTO
    if number < FIRST_PATIENTS:
        listed = people.FIRST_COURSES
    code, indication, sessions = listed[(number // 4 if at_vigo else number) % len(listed)]
    clinic_id = demo.sites[people.VIGO if at_vigo else people.PORTO]
    with Session(demo.engine) as db:
        protocol = protocol_of(db, demo.versions[code])
        known = {each.code for each in protocol.indications}
        wanted = indication if indication in known else protocol.indications[0].code
        laxity = LaxityGrade.MILD if "laxity" in wanted else LaxityGrade.NONE
        answers = ScreeningAnswers(wanted, laxity, none_apply=True)
        request = CourseRequest(
            patient_id=patient_id, clinic_id=clinic_id, protocol_version_id=demo.versions[code], sessions=sessions,
            answers=answers, not_before_on=demo.now.date() + timedelta(days=1),
            practitioner_id=_least_asked(demo, code, people.VIGO if at_vigo else people.PORTO))
        offers = offer_course(db, request, now=demo.now).offers
    if offers:
        with demo.work() as work:
            _must(courses.book_course(work, request, [parse_choice(visit.choice) for visit in offers[0].visits]))


def _least_asked(demo: Demo, code: str, site: str) -> int:
    """The practitioner whom this patient asks for: of those who can, the one least asked for so far."""
    wanted = people.QUALIFIED_BY[code.partition("_")[0]]
    able = [
        ident for person, ident in zip(people.PRACTITIONERS, demo.practitioners, strict=True)
        if wanted in person.qualifications and any(shift.site == site for shift in person.shifts)]
    chosen = min(able, key=lambda ident: demo.asked_for[ident])
    demo.asked_for[chosen] += 1
    return chosen


def _live(demo: Demo, day: date, chance: random.Random, courier: Courier) -> None:
    """A day of the clinic: patients come and are treated; some cancel or do not come, some are not treated wholly."""
    ends = min(_noon(day) + timedelta(hours=12), demo.until)
    with Session(demo.engine) as db:
        today = db.scalars(
            sa.select(Appointment)
            .where(Appointment.state == "booked", Appointment.starts_at >= _noon(day) - timedelta(hours=12),
                   Appointment.starts_at < ends).order_by(Appointment.starts_at)).all()
    for appointment in today:
        luck = chance.random()
        demo.now = max(demo.now, appointment.starts_at)
        with demo.work() as work:
            if luck < 0.03 and appointment.ends_at < demo.until:
                _must(attendance.mark_noshow(
                    work, appointment.id, cause=_next(demo, NoShowCause), lock_version=appointment.lock_version))
                continue
            if luck > 0.97 and appointment.ends_at < demo.until:
                _must(attendance.end_untreated(
                    work, appointment.id, cause=_next(demo, NotTreatedCause), lock_version=appointment.lock_version))
                continue
            if luck < 0.06:
                appointments.cancel_appointment(
                    work, appointment.id, reason=REASON, lock_version=appointment.lock_version)
                continue
            if appointment.ends_at <= demo.until:
                work.now = demo.now = max(demo.now, appointment.ends_at)
                partly = PartlyTreated("forehead and cheeks", "chin") if luck > 0.93 else None
                _must(completion.complete_appointment(
                    work, appointment.id, partly=partly, lock_version=appointment.lock_version))
            else:
                _must(attendance.mark_arrived(work, appointment.id, lock_version=appointment.lock_version))
        courier.deliver_due(1000)


def _next(demo: Demo, causes: type[_Cause]) -> _Cause:
    """The causes in turn, so that the demo shows them all."""
    found = list(causes)[demo.ended[causes.__name__] % len(causes)]
    demo.ended[causes.__name__] += 1
    return found


def _book_upkeep(demo: Demo) -> None:
    """Some who were recalled have booked; the others still wait to be asked."""
    with Session(demo.engine) as db:
        owed = db.scalars(
            sa.select(TreatmentSession.id)
            .where(TreatmentSession.maintenance_plan_id.is_not(None), TreatmentSession.state == "owed")
            .order_by(TreatmentSession.ideal_on).limit(3)).all()
        pages = [(ident, offer_times(db, ident, now=demo.now, days=28)) for ident in owed]
    for ident, page in pages:
        if page.times:
            with demo.work() as work:
                appointments.book_session(work, ident, parse_choice(page.times[0].choice))


def _stop_one(demo: Demo) -> None:
    with Session(demo.engine) as db:
        course = db.scalars(sa.select(Course).where(Course.state == "active").order_by(Course.id.desc()).limit(1)).one()
    with demo.work() as work:
        courses.stop_course(work, course.id, reason="moving abroad", lock_version=course.lock_version)
