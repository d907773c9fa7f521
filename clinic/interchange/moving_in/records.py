"""What one row of each file says, as a value; a row that cannot be right is none, and its faults are said."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType

from clinic.care.parts import DEVICE_TYPES, QUALIFICATIONS, ROOM_FEATURES
from clinic.care.protocols import Interval
from clinic.interchange.moving_in.cells import Cells, Hours

CERTIFICATES = ("registration", "insurance", "training")
KINDS = ("session", "upkeep", "consultation", "patch-test", "review", "other")
MOST_SESSIONS = 60
_NEVER = datetime(1, 1, 1)  # noqa: DTZ001 - a local time, of a row that is faulty
Dated = tuple[str, date | None, date | None]
"""A code or a title, and its first and last date, where they are said."""


@dataclass(frozen=True, slots=True)
class ClinicRecord:
    """A row of clinics.csv."""

    name: str
    zone: str
    address: str
    phone: str
    sender_name: str
    sender_email: str
    hours: tuple[Hours, ...]


@dataclass(frozen=True, slots=True)
class PractitionerRecord:
    """A row of practitioners.csv."""

    name: str
    qualifications: tuple[Dated, ...]
    certificates: tuple[tuple[str, Dated], ...]
    active: bool


@dataclass(frozen=True, slots=True)
class RotaRecord:
    """A row of rota.csv: some weekdays of one week, at a clinic or (none) a break of so many minutes."""

    practitioner: str
    clinic: str
    starts_on: date
    ends_on: date | None
    weeks: int
    week: int
    weekdays: tuple[int, ...]
    opens: int
    closes: int
    break_minutes: int | None


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """A row of rooms.csv."""

    clinic: str
    name: str
    features: tuple[str, ...]
    active: bool


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """A row of devices.csv."""

    clinic: str
    name: str
    device_type: str
    active: bool


@dataclass(frozen=True, slots=True)
class AbsenceRecord:
    """A row of absences.csv; local times, of which a last date alone has been taken to its end."""

    column: str
    whose: str
    clinic: str
    begins: datetime
    ends: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """A row of patients.csv."""

    given_name: str
    family_name: str
    birth_on: date | None
    email: str | None
    phone: str | None
    language: str
    channel: str
    wants_messages: bool
    wants_marketing: bool
    alerts: str


@dataclass(frozen=True, slots=True)
class CourseRecord:
    """A row of courses.csv."""

    patient: str
    clinic: str
    protocol: str
    sessions: int
    done_on: tuple[date, ...]
    practitioner: str
    indication: str
    interval: Interval | None
    has_upkeep: bool
    upkeep_done_on: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class AppointmentRecord:
    """A row of appointments.csv."""

    patient: str
    clinic: str
    start: datetime
    fold: int
    kind: str
    course: str
    number: int | None
    treatment: str
    practitioners: tuple[str, ...]
    rooms: tuple[str, ...]
    devices: tuple[str, ...]
    minutes: int | None


def read_clinic(cells: Cells) -> ClinicRecord:
    """A clinic, as far as its cells are good."""
    name = cells.needed("name")
    return ClinicRecord(
        name, cells.needed("zone"), cells.needed("address"), cells.needed("phone"), cells.text("sender_name") or name,
        cells.needed("sender_email"), cells.hours("hours"))


def read_practitioner(cells: Cells) -> PractitionerRecord:
    """A practitioner, as far as its cells are good."""
    qualifications = cells.spans("qualifications")
    _know(cells, "qualifications", [code for code, _, _ in qualifications], QUALIFICATIONS, "qualification")
    certificates = []
    for text, first, last in cells.spans("certificates"):
        kind, colon, title = text.partition(":")
        if kind.strip().casefold() not in CERTIFICATES or not colon or not title.strip():
            cells.wrong("certificates", f"{text!r} is no certificate: write it as registration: GMC 123456 "
                        "2026-01-01..2026-12-31 (or insurance, training)")
            continue
        certificates.append((kind.strip().casefold(), (title.strip(), first, last)))
    return PractitionerRecord(
        cells.needed("name"), qualifications, tuple(certificates), cells.yes("active", default=True))


def read_rota(cells: Cells) -> RotaRecord:
    """A span of a rota, as far as its cells are good."""
    weeks = cells.number("weeks", 1, 8) or 1
    week = cells.number("week", 1, 8) or 1
    starts_on, ends_on = cells.day("starts_on"), cells.day("ends_on")
    opens, closes = cells.minute("opens"), cells.minute("closes")
    breaks = cells.number("break_minutes", 1, 720)
    for column in ("starts_on", "weekdays", "opens", "closes"):
        cells.needed(column)
    if starts_on and starts_on.weekday():
        cells.wrong("starts_on", f"{starts_on:%A} {starts_on} is not a Monday: a rota begins with one")
    if starts_on and ends_on and ends_on < starts_on:
        cells.wrong("ends_on", "is before the rota begins")
    if week > weeks:
        cells.wrong("week", f"is {week}, but the rota repeats after {weeks}: say so under weeks")
    if opens is not None and closes is not None and closes <= opens:
        cells.wrong("closes", "is not after the time that it opens")
    elif breaks and opens is not None and closes is not None and breaks > closes - opens:
        cells.wrong("break_minutes", "is longer than the time in which the break lies")
    if bool(cells.text("clinic")) == bool(breaks):
        cells.wrong("clinic", "names the clinic for work, or is empty beside break_minutes for a break")
    return RotaRecord(
        cells.needed("practitioner"), cells.text("clinic"), starts_on or date.min, ends_on, weeks, week - 1,
        cells.weekdays("weekdays"), opens or 0, closes or 0, breaks)


def read_room(cells: Cells) -> RoomRecord:
    """A room, as far as its cells are good."""
    features = cells.codes("features")
    _know(cells, "features", features, ROOM_FEATURES, "feature of a room")
    return RoomRecord(cells.needed("clinic"), cells.needed("name"), features, cells.yes("active", default=True))


def read_device(cells: Cells) -> DeviceRecord:
    """A device, as far as its cells are good."""
    device_type = cells.needed("device_type")
    _know(cells, "device_type", [device_type] if device_type else [], DEVICE_TYPES, "type of device")
    return DeviceRecord(cells.needed("clinic"), cells.needed("name"), device_type, cells.yes("active", default=True))


def read_absence(cells: Cells) -> AbsenceRecord:
    """An absence, as far as its cells are good."""
    named = [column for column in ("practitioner", "room", "device") if cells.text(column)]
    if len(named) != 1:
        cells.wrong("practitioner", "names who or what is away: fill in one of practitioner, room and device")
    begins, ends = _edge(cells, "from", 0), _edge(cells, "to", 1)
    if begins and ends and ends <= begins:
        cells.wrong("to", "is not after its beginning")
    column = named[0] if named else "practitioner"
    return AbsenceRecord(
        column, cells.text(column), cells.text("clinic"), begins or _NEVER, ends or _NEVER,
        cells.text("reason"))


def read_patient(cells: Cells) -> PatientRecord:
    """A patient, as far as its cells are good."""
    email, phone = cells.text("email") or None, cells.text("phone") or None
    channel = cells.one_of("channel", ("email", "phone", "none"), "email" if email else "phone" if phone else "")
    if not channel:
        cells.wrong("email", "is empty, and so is the phone: say how to reach the patient, or channel none")
    elif (channel == "email" and not email) or (channel == "phone" and not phone):
        cells.wrong(channel, "is empty, but the channel says to use it")
    birth_on = cells.day("birth_on")
    return PatientRecord(
        cells.needed("given_name"), cells.needed("family_name"), birth_on, email, phone,
        cells.text("language").casefold() or "en", channel, cells.yes("wants_messages", default=True),
        cells.yes("marketing_consent", default=False), cells.text("alerts"))


def read_course(cells: Cells) -> CourseRecord:
    """A course, as far as its cells are good."""
    sessions = cells.number("sessions", 1, MOST_SESSIONS) if cells.needed("sessions") else None
    done_on, upkeep = _rising(cells, "done_on"), _rising(cells, "upkeep_done_on")
    if sessions is not None and len(done_on) > sessions:
        cells.wrong("done_on", f"has {len(done_on)} dates, but only {sessions} sessions are planned")
    if upkeep and (len(done_on) != sessions or upkeep[0] <= done_on[-1]):
        cells.wrong("upkeep_done_on", "is for upkeep after the last session, and not all are done before it")
    return CourseRecord(
        cells.needed("patient"), cells.needed("clinic"), cells.needed("protocol"), sessions or 1, done_on,
        cells.text("practitioner"), cells.text("indication"), _interval(cells), cells.yes("upkeep", default=True),
        upkeep)


def read_appointment(cells: Cells) -> AppointmentRecord:
    """An appointment, as far as its cells are good."""
    course = cells.text("course")
    kind = cells.one_of("kind", KINDS, "session" if course else "")
    number = cells.number("number", 1, MOST_SESSIONS)
    if not kind:
        cells.wrong("kind", "is empty, and no course is named: say what the visit is")
    elif (kind in ("session", "upkeep")) != bool(course):
        cells.wrong("course", f"is {'needed for' if not course else 'not for'} a visit of the kind {kind}")
    if kind == "session" and number is None and not cells.text("number"):
        cells.wrong("number", "is empty: say which session of the course this is")
    start = cells.moment("start") if cells.needed("start") else None
    return AppointmentRecord(
        cells.needed("patient"), cells.needed("clinic"), start or _NEVER, cells.number("fold", 0, 1) or 0,
        kind, course, number, cells.text("treatment"), cells.codes("practitioner"), cells.codes("room"),
        cells.codes("device"), cells.number("minutes", 5, 720))


READERS: Mapping[str, Callable[[Cells], object]] = MappingProxyType({
    "clinic": read_clinic, "practitioner": read_practitioner, "rota-span": read_rota, "room": read_room,
    "device": read_device, "absence": read_absence, "patient": read_patient, "course": read_course,
    "appointment": read_appointment,
})
"""For each kind of row the function that reads it."""


def _know(cells: Cells, column: str, codes: list[str] | tuple[str, ...], known: Mapping[str, str], noun: str) -> None:
    for code in codes:
        if code not in known:
            cells.wrong(column, f"{code!r} is not a known {noun}: use {', '.join(known)}")


def _edge(cells: Cells, column: str, days: int) -> datetime | None:
    """A local moment; of a date alone its beginning, so many days on."""
    text = cells.needed(column)
    if ":" in text:
        return cells.moment(column)
    day = cells.day(column)
    return None if day is None else datetime.combine(day + timedelta(days=days), time())


def _rising(cells: Cells, column: str) -> tuple[date, ...]:
    days = cells.days(column)
    if any(later <= day for day, later in zip(days, days[1:], strict=False)):
        cells.wrong(column, "has dates that are not in order, or one of them twice")
    return days


def _interval(cells: Cells) -> Interval | None:
    days = [cells.number(column, 1, 3650) for column in ("shortest", "ideal", "longest")]
    if not any(cells.text(column) for column in ("shortest", "ideal", "longest")):
        return None
    shortest, ideal, longest = days
    if shortest is None or ideal is None or longest is None or not shortest <= ideal <= longest:
        cells.wrong("ideal", "shortest, ideal and longest belong together, and none is less than the one before")
        return None
    return Interval(shortest, ideal, longest)
