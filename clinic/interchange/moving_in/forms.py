"""The files that can be moved in, and their columns: what a page offers, the reader asks for and the docs say."""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column: our name for it, what it holds, and an example; `is_needed` where no row may leave it empty."""

    name: str
    words: str
    example: str
    is_needed: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """One file: its name, the kind of its rows (as references name it), and its columns."""

    file: str
    kind: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns in order."""
        return tuple(column.name for column in self.columns)

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that the file must have."""
        return tuple(column.name for column in self.columns if column.is_needed)


def _id(words: str) -> Column:
    return Column("id", f"the other system's own key of {words}: other files name it so", "A17", True)


def _needed(name: str, words: str, example: str) -> Column:
    return Column(name, words, example, True)


CLINICS = Form("clinics.csv", "clinic", (
    _id("the clinic"),
    _needed("name", "its name; one of that name here is taken as the same", "Harbour Street"),
    _needed("zone", "its time zone", "Europe/London"),
    _needed("address", "where it is", "1 Harbour Street, London"),
    _needed("phone", "its phone", "+44 20 7946 0000"),
    _needed("sender_email", "the address that its messages come from", "desk@clinic.example"),
    Column("sender_name", "the name that its messages come from; else its own", "Harbour Skin"),
    Column("hours", "when it is open", "Mon-Fri 09:00-18:00; Sat 10:00-14:00"),
))
PRACTITIONERS = Form("practitioners.csv", "practitioner", (
    _id("the practitioner"),
    _needed("name", "their name; one of that name here is taken as the same", "Dr Anna Bell"),
    Column("qualifications", "codes, each with its dates if it has any", "microneedling; ipl 2025-01-01..2027-12-31"),
    Column("certificates", "registration, insurance or training: title and dates",
           "insurance: Policy 4711 2026-05-01..2027-04-30"),
    Column("active", "no for one who has left", "yes"),
))
ROTA = Form("rota.csv", "rota-span", (
    _id("the row"),
    _needed("practitioner", "id in practitioners.csv", "P1"),
    _needed("starts_on", "the Monday from which the rota holds", "2027-01-04"),
    _needed("weekdays", "the days of the week", "Mon-Thu"),
    _needed("opens", "from", "09:00"),
    _needed("closes", "to", "17:30"),
    Column("clinic", "id in clinics.csv; empty for a break", "C1"),
    Column("break_minutes", "for a break: how long, somewhere between from and to", "30"),
    Column("week", "which week of a rota of several, from 1", "1"),
    Column("weeks", "how many weeks until it repeats", "1"),
    Column("ends_on", "its last date, if it ends", "2027-12-31"),
))
ROOMS = Form("rooms.csv", "room", (
    _id("the room"),
    _needed("clinic", "id in clinics.csv", "C1"),
    _needed("name", "its name", "Room 1"),
    Column("features", "codes of what it offers", "numbing-chair; laser-safe"),
    Column("active", "no for one that is not used any more", "yes"),
))
DEVICES = Form("devices.csv", "device", (
    _id("the device"),
    _needed("clinic", "id in clinics.csv", "C1"),
    _needed("name", "its name", "Pen A"),
    _needed("device_type", "the code of its type", "needling-pen"),
    Column("active", "no for one that is not used any more", "yes"),
))
ABSENCES = Form("absences.csv", "absence", (
    _id("the absence"),
    Column("practitioner", "id in practitioners.csv; or else …", "P1"),
    Column("room", "id in rooms.csv; or else …", "R1"),
    Column("device", "id in devices.csv", "D1"),
    _needed("from", "first date, or local date and time", "2027-04-05"),
    _needed("to", "last date (included), or local date and time", "2027-04-09"),
    Column("clinic", "whose clock counts; needed for a practitioner where clinics lie in several zones", "C1"),
    Column("reason", "why", "leave"),
))
PATIENTS = Form("patients.csv", "patient", (
    _id("the patient"),
    _needed("given_name", "first name", "Ana"),
    _needed("family_name", "family name", "Novák"),
    Column("birth_on", "birth date", "1984-05-17"),
    Column("email", "e-mail address", "ana@mail.example"),
    Column("phone", "phone number", "+44 7700 900123"),
    Column("language", "language of messages", "en"),
    Column("channel", "how to reach them: email, phone or none; else by what is known", "email"),
    Column("wants_messages", "no for one who wants no messages about visits", "yes"),
    Column("marketing_consent", "yes for one who agreed to offers", "no"),
    Column("alerts", "what everybody at the clinic must know", "Latex allergy"),
))
COURSES = Form("courses.csv", "course", (
    _id("the course"),
    _needed("patient", "id in patients.csv", "A17"),
    _needed("clinic", "id in clinics.csv", "C1"),
    _needed("protocol", "the code of an approved protocol", "mn_acne_scar"),
    _needed("sessions", "how many sessions are planned in all", "4"),
    Column("done_on", "the dates of those that were given", "2026-11-02; 2026-12-01"),
    Column("practitioner", "id in practitioners.csv of who leads it", "P1"),
    Column("indication", "the code of what it is for; else the protocol's first", "acne_scar"),
    Column("shortest", "days between sessions at the least, where they are not the protocol's", "28"),
    Column("ideal", "… ideally", "35"),
    Column("longest", "… at the most", "56"),
    Column("upkeep", "no where no upkeep follows the last session", "yes"),
    Column("upkeep_done_on", "the dates of upkeep that was given after the last session", "2026-12-20"),
))
APPOINTMENTS = Form("appointments.csv", "appointment", (
    _id("the appointment"),
    _needed("patient", "id in patients.csv", "A17"),
    _needed("clinic", "id in clinics.csv", "C1"),
    _needed("start", "local date and time, in the future", "2027-03-08 09:30"),
    Column("fold", "1 for the second pass of an hour that happens twice", "0"),
    Column("kind", "session, upkeep, consultation, patch-test, review or other; session where a course is named",
           "session"),
    Column("course", "for a session or upkeep: id in courses.csv", "K9"),
    Column("number", "for a session: which of the course", "3"),
    Column("treatment", "for other kinds: the code of a treatment here; else that of its kind", "consultation"),
    Column("practitioner", "id in practitioners.csv", "P1"),
    Column("room", "id in rooms.csv; several in the order of the treatment's parts", "R1"),
    Column("device", "id in devices.csv", "D1"),
    Column("minutes", "only where the treatment has no parts: how long", "30"),
))

FORMS = (CLINICS, PRACTITIONERS, ROTA, ROOMS, DEVICES, ABSENCES, PATIENTS, COURSES, APPOINTMENTS)
"""Every file in the order in which it is read: what is named comes before what names it."""
MAPPING = "mapping.json"
"""Says which columns of a file are ours: {"patients.csv": {"Vorname": "given_name", "Notizen": null}}."""
