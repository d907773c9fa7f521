"""Clinics: opened and changed, with their hours, and the ways between them."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from clinic.access import GRANTS, Right, Role
from clinic.care.mail_address import check_address
from clinic.care.states import PatientsMay
from clinic.planning.findings import Finding, Weight
from clinic.planning.local import zone
from clinic.services.work import Done, Refused, UnitOfWork, check_version, record
from clinic.store.accounts import AccountRole
from clinic.store.clinics import Business, Clinic, OpeningHours, TravelTime
from clinic.store.diary import Appointment

DAY_MINUTES = 1440
_COMING = ("proposed", "booked", "arrived")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_REQUIRED = ("name", "address", "phone", "sender_name")


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of some weekdays (Monday 0), in minutes after midnight."""

    weekdays: tuple[int, ...]
    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class ClinicDetails:
    """What a clinic is: its zone decides every local time, its quiet hours hold back messages."""

    name: str
    zone: str
    address: str
    phone: str
    sender_name: str
    sender_email: str
    hours: tuple[Hours, ...] = ()
    booking_horizon_days: int = 400
    quiet_from: int = 20 * 60
    quiet_to: int = 8 * 60
    start_step_minutes: int = 15
    out_of_hours_phone: str = ""
    patients_move: PatientsMay = PatientsMay.ASK
    patients_cancel: PatientsMay = PatientsMay.ASK
    emergency_phone: str = ""
    notice_hours: int = 24


def name_business(work: UnitOfWork, name: str) -> Done[int]:
    """Gives the business its name."""
    put_name(work, name)
    work.commit()
    return Done(1)


def open_clinic(work: UnitOfWork, details: ClinicDetails) -> Done[int] | Refused:
    """Adds a clinic with its opening hours, or says what is wrong with its details."""
    findings = judge_clinic(work, details)
    if findings:
        return Refused(findings)
    clinic = put_clinic(work, details)
    let_its_maker_in(work, clinic.id)
    work.commit()
    return Done(clinic.id)


def change_clinic(
    work: UnitOfWork, clinic_id: int, details: ClinicDetails, *, lock_version: int
) -> Done[int] | Refused:
    """Makes a clinic what the details say, its hours too; its zone only while nothing is booked there."""
    clinic = work.db.get_one(Clinic, clinic_id, with_for_update=True)
    check_version("clinic", clinic, lock_version)
    findings = (*judge_clinic(work, details, clinic_id=clinic_id), *_judge_zone(work, clinic, details.zone))
    if findings:
        return Refused(findings)
    _fill(clinic, details)
    work.db.execute(sa.delete(OpeningHours).where(OpeningHours.clinic_id == clinic_id))
    _put_hours(work, clinic_id, details.hours)
    record(work, "clinic-changed", "clinic", clinic_id, clinic_id=clinic_id)
    work.commit()
    return Done(clinic_id)


def set_travel_time(
    work: UnitOfWork, one_clinic_id: int, other_clinic_id: int, *, minutes: int
) -> Done[None] | Refused:
    """Says how long a practitioner needs between two clinics."""
    return set_travel_times(work, one_clinic_id, {other_clinic_id: minutes})


def set_travel_times(work: UnitOfWork, clinic_id: int, minutes_to: dict[int, int]) -> Done[None] | Refused:
    """Says how long a practitioner needs between one clinic and each of these others."""
    known = set(work.db.scalars(sa.select(Clinic.id)))
    wrong = [
        Finding("travel", Weight.BLOCKS, "The way to another clinic takes from 0 to 1440 minutes.", f"way-{other}")
        for other, minutes in minutes_to.items()
        if other == clinic_id or other not in known or not 0 <= minutes <= DAY_MINUTES]
    if wrong:
        return Refused(tuple(wrong))
    for other_id, minutes in minutes_to.items():
        one, other = sorted((clinic_id, other_id))
        work.db.merge(TravelTime(one_clinic_id=one, other_clinic_id=other, minutes=minutes))
        record(work, "travel-time-set", "clinic", one, clinic_id=one, other=other, minutes=minutes)
    work.commit()
    return Done(None)


def put_name(work: UnitOfWork, name: str) -> None:
    """Names the business, as part of a unit of work that goes on."""
    business = work.db.get(Business, 1)
    if business is None:
        work.db.add(Business(id=1, name=name))
    else:
        business.name = name
    record(work, "business-named", "business", 1)


def put_clinic(work: UnitOfWork, details: ClinicDetails) -> Clinic:
    """Adds a clinic whose details were judged, as part of a unit of work that goes on."""
    clinic = Clinic()
    _fill(clinic, details)
    work.db.add(clinic)
    work.db.flush()
    _put_hours(work, clinic.id, details.hours)
    record(work, "clinic-opened", "clinic", clinic.id, clinic_id=clinic.id)
    return clinic


def judge_clinic(work: UnitOfWork, details: ClinicDetails, *, clinic_id: int | None = None) -> tuple[Finding, ...]:
    """What speaks against these details, each at its field; `clinic_id` is the clinic that they are of already."""
    return (*_judge_words(details), *_judge_figures(details), *judge_hours(details.hours),
            *_judge_name(work, details.name, clinic_id))


def judge_hours(hours: Sequence[Hours]) -> tuple[Finding, ...]:
    """What speaks against opening hours: none may be empty or longer than a day, nor lie in each other."""
    return (*_judge_each(hours), *_judge_overlaps(hours))


def _fill(clinic: Clinic, details: ClinicDetails) -> None:
    for field in ("name", "zone", "address", "phone", "sender_name"):
        setattr(clinic, field, getattr(details, field).strip())
    clinic.sender_email = check_address(details.sender_email)
    for field in ("booking_horizon_days", "quiet_from", "quiet_to", "start_step_minutes", "notice_hours"):
        setattr(clinic, field, getattr(details, field))
    for field in ("out_of_hours_phone", "emergency_phone"):
        setattr(clinic, field, getattr(details, field).strip() or None)
    clinic.patients_move, clinic.patients_cancel = details.patients_move.value, details.patients_cancel.value


def _put_hours(work: UnitOfWork, clinic_id: int, hours: Iterable[Hours]) -> None:
    work.db.add_all(
        OpeningHours(clinic_id=clinic_id, weekday=day, opens=each.opens, closes=each.closes)
        for each in hours for day in each.weekdays)


def let_its_maker_in(work: UnitOfWork, clinic_id: int) -> None:
    """Whoever opens a clinic is there what they are where they may set up: or they could not go there at all."""
    if work.actor.account_id is None:
        return
    may_set_up = [role for role in Role if Right.SET_UP in GRANTS[role]]
    held = AccountRole.account_id == work.actor.account_id
    where = sa.select(AccountRole.clinic_id).where(held, AccountRole.role.in_(may_set_up))
    roles = work.db.scalars(
        sa.select(AccountRole.role).where(held, AccountRole.clinic_id.in_(where)).distinct().order_by(AccountRole.role))
    work.db.add_all(
        [AccountRole(account_id=work.actor.account_id, clinic_id=clinic_id, role=role) for role in roles])


def _judge_words(details: ClinicDetails) -> Iterator[Finding]:
    for name in _REQUIRED:
        if not getattr(details, name).strip():
            yield Finding("missing", Weight.BLOCKS, f"Say the clinic's {name.replace('_', ' ')}", name)
    try:
        zone(details.zone)
    except ValueError:
        yield Finding("zone", Weight.BLOCKS, f"There is no time zone {details.zone}: use one such as Europe/London",
                      "zone")
    try:
        check_address(details.sender_email)
    except ValueError as error:
        yield Finding("address", Weight.BLOCKS, str(error), "sender_email")


def _judge_figures(details: ClinicDetails) -> Iterator[Finding]:
    if not 1 <= details.booking_horizon_days <= 3660:
        yield Finding("horizon", Weight.BLOCKS, "A clinic books from 1 to 3660 days ahead.", "booking_horizon_days")
    if details.start_step_minutes not in range(5, 61, 5):
        yield Finding("start-step", Weight.BLOCKS, "Visits begin every 5, 10, 15 … or 60 minutes.",
                      "start_step_minutes")
    if not 0 <= details.notice_hours <= 336:
        yield Finding("notice", Weight.BLOCKS, "The notice is from 0 to 336 hours, two weeks.", "notice_hours")
    for field in ("quiet_from", "quiet_to"):
        if not 0 <= getattr(details, field) < DAY_MINUTES:
            yield Finding("quiet", Weight.BLOCKS, "Quiet hours are times of a day, such as 20:00.", field)


def _judge_name(work: UnitOfWork, name: str, clinic_id: int | None) -> Iterator[Finding]:
    taken = work.db.scalar(sa.select(Clinic.id).where(Clinic.name == name.strip()))
    if taken is not None and taken != clinic_id:
        yield Finding("twice", Weight.BLOCKS, f"There is a clinic {name.strip()} already", "name")


def _judge_zone(work: UnitOfWork, clinic: Clinic, wanted: str) -> Iterator[Finding]:
    """A visit's local time is what its patient was promised, and it means another instant in another zone."""
    if wanted == clinic.zone:
        return
    coming = work.db.scalar(sa.select(sa.func.count()).select_from(Appointment).where(
        Appointment.clinic_id == clinic.id, Appointment.state.in_(_COMING), Appointment.ends_at > work.now))
    if coming:
        told = "1 appointment is" if coming == 1 else f"{coming} appointments are"
        yield Finding(
            "zone-in-use", Weight.BLOCKS,
            f"{told} still to come at the times of {clinic.zone}, and patients were told those times. Cancel or wait "
            "for them before the zone is changed, or open another clinic.", "zone")


def _judge_each(hours: Sequence[Hours]) -> Iterator[Finding]:
    for each in hours:
        for day in each.weekdays:
            name, field = _DAYS[day % 7], f"hours-{day}-0-from"
            if not 0 <= each.opens < DAY_MINUTES or day not in range(7) or each.closes <= each.opens:
                yield Finding("hours", Weight.BLOCKS, f"{name}: the clinic must close after it opens.", field)
            elif each.closes - each.opens > DAY_MINUTES:
                yield Finding("hours", Weight.BLOCKS, f"{name}: the hours are longer than a day.", field)


def _judge_overlaps(hours: Sequence[Hours]) -> Iterator[Finding]:
    """The week comes round, so what begins late on Sunday may reach into Monday."""
    week = 7 * DAY_MINUTES
    spans = sorted((day * DAY_MINUTES + each.opens, day * DAY_MINUTES + each.closes)
                   for each in hours for day in each.weekdays)
    following = [*spans[1:], (spans[0][0] + week, 0)] if spans else []
    for (_, closes), (opens, _) in zip(spans, following, strict=True):
        if opens < closes:
            day = opens // DAY_MINUTES % 7
            yield Finding("overlap", Weight.BLOCKS, f"{_DAYS[day]}: hours begin before those before them are over.",
                          f"hours-{day}-0-from")
