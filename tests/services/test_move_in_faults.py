"""Faults planted in a folder that is otherwise good: each is said at its file, line and column, in words."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from clinic.interchange.moving_in import Listed
from clinic.interchange.tables import Limits, Table
from clinic.store.engine import open_engine
from tests.databases import is_full
from tests.services.moving import EXAMPLE, Mover

Plant = Callable[[Mover], None]


@dataclass(frozen=True)
class Planted:
    """What is done to the folder, and the fault that must be said: file, line, column, and words of it."""

    name: str
    plant: Plant
    file: str
    line: int
    column: str
    words: str


def changed(file: str, before: str, after: str) -> Plant:
    """A text of a file is another one."""
    return lambda mover: mover.change(file, before, after)


def added(file: str, *lines: str) -> Plant:
    """A file goes on."""
    return lambda mover: mover.append(file, *lines)


def recoded(file: str, encoding: str) -> Plant:
    """A file is written in another encoding."""
    return lambda mover: mover.write(file, (EXAMPLE / file).read_text().encode(encoding, "replace"))


def replaced(file: str, content: str | bytes) -> Plant:
    """A file is another one."""
    return lambda mover: mover.write(file, content)


def raw(file: str, before: bytes, after: bytes) -> Plant:
    """Bytes of a file are others."""
    return lambda mover: mover.write(file, (EXAMPLE / file).read_bytes().replace(before, after, 1))


V7 = "V7,K3,C1,{start},session,T4,1,P1,R1,D1,,"
VISIT = "V7,K3,C1,{start},other,,,{who},{room},,30,"
PLANTED = (
    # How files are written.
    Planted("latin-1", recoded("practitioners.csv", "latin-1"), "practitioners.csv", 3, "name", "is not UTF-8"),
    Planted("utf-16", recoded("patients.csv", "utf-16"), "patients.csv", 1, "", "UTF-16"),
    Planted("utf-16 without its mark", recoded("clinics.csv", "utf-16-le"), "clinics.csv", 1, "", "UTF-16"),
    Planted("NUL", raw("patients.csv", b"Ana", b"A\0na"), "patients.csv", 2, "Vorname", "no text (code 0)"),
    Planted("a bell", raw("patients.csv", b"Ben", b"B\x07en"), "patients.csv", 3, "Vorname", "no text (code 7)"),
    Planted("broken UTF-8", raw("patients.csv", "á".encode(), b"\xc3("), "patients.csv", 2, "Nachname", "C3 is not"),
    Planted("overlong UTF-8", raw("rooms.csv", b"Room 2", b"Room\xc0\xa02"), "rooms.csv", 3, "name", "C0 is not UTF-8"),
    Planted("a spreadsheet", replaced("rooms.csv", b"PK\x03\x04whatever"), "rooms.csv", 1, "", "is a spreadsheet"),
    Planted("empty", replaced("rooms.csv", b""), "rooms.csv", 1, "", "is empty"),
    Planted("old line ends", raw("devices.csv", (EXAMPLE / "devices.csv").read_bytes(), b"id,clinic,name\rD1,C1,Pen"),
            "devices.csv", 1, "", "Macintosh"),
    Planted("other delimiters", replaced("rooms.csv", "id|clinic|name\nR1|C1|Room"), "rooms.csv", 1, "",
            "none of the columns is known"),
    Planted("no heading", replaced("rooms.csv", "R1,C1,Room 1,,yes\n"), "rooms.csv", 1, "",
            "the first line names them"),
    Planted("an unclosed quote", changed("clinics.csv", '"4 Quay Street, London"', '"4 Quay Street, London'),
            "clinics.csv", 2, "address", "quote"),
    Planted("a quote never closed", changed("patients.csv", 'lying down"', "lying down"), "patients.csv", 4, "Hinweis",
            "opens a quote that is not closed"),
    Planted("a stray quote", changed("devices.csv", "Pen A", 'Pen "A"'), "devices.csv", 2, "name",
            "a quote in the middle"),
    Planted("text after a quote", changed("patients.csv", '"O""Hara"', '"O"Hara"'), "patients.csv", 3, "Nachname",
            "goes on after its closing quote"),
    Planted("too many cells", added("devices.csv", "D3,C1,Pen C,needling-pen,yes,more"), "devices.csv", 4, "",
            "has 6 cells, but the heading names 5"),
    Planted("too few cells", added("devices.csv", "D3,C1"), "devices.csv", 4, "", "has 2 cells"),
    Planted("a very long cell", added("rooms.csv", f"R4;C1;{'x' * 10_001};;yes"), "rooms.csv", 5, "name",
            "10,001 characters"),
    Planted("a very long line", added("rooms.csv", f"R4;C1;{'x' * 300_000};;yes"), "rooms.csv", 5, "", "longer than"),
    Planted("a missing column", changed("rooms.csv", "id;clinic;name", "id;site;name"), "rooms.csv", 1, "clinic",
            "is missing"),
    Planted("a column twice", changed("rooms.csv", ";features;", ";name;"), "rooms.csv", 1, "name", "second column"),
    Planted("a broken mapping", replaced("mapping.json", "{nope"), "mapping.json", 1, "", "is not JSON"),
    Planted("an unknown column in the mapping", changed("mapping.json", '"alerts"', '"alarms"'), "mapping.json", 0,
            "Hinweis", "'alarms' is not a column of patients.csv"),
    # Keys and references.
    Planted("a key twice", added("devices.csv", "D1,C1,Pen C,needling-pen,yes"), "devices.csv", 4, "id",
            "'D1' stands in line 2 already"),
    Planted("no key", added("devices.csv", ",C1,Pen C,needling-pen,yes"), "devices.csv", 4, "id", "is empty"),
    Planted("an unknown clinic", changed("rooms.csv", "R3;C2", "R3;C9"), "rooms.csv", 4, "clinic", "no clinic 'C9'"),
    Planted("an unknown patient", changed("courses.csv", "T1,K1", "T1,K9"), "courses.csv", 2, "patient",
            "no patient 'K9'"),
    Planted("an unknown practitioner", changed("rota.csv", "S3,P2", "S3,P9"), "rota.csv", 4, "practitioner",
            "no practitioner 'P9'"),
    Planted("an unknown protocol", changed("courses.csv", "mn_acne_scar", "magic"), "courses.csv", 2, "protocol",
            "no protocol 'magic'"),
    Planted("an unknown indication", changed("courses.csv", "P2,,10", "P2,boredom,10"), "courses.csv", 3, "indication",
            "'boredom' is not one of"),
    Planted("an unknown qualification", changed("practitioners.csv", "peel-superficial; microneedling", "magic"),
            "practitioners.csv", 3, "qualifications", "'magic' is not a known qualification"),
    Planted("an unknown feature", changed("rooms.csv", ";Room 2;numbing-chair", ";Room 2;jacuzzi"), "rooms.csv", 3,
            "features", "'jacuzzi' is not a known feature"),
    Planted("an unknown device type", changed("devices.csv", "D2,C2,Pen B,needling-pen", "D2,C2,Pen B,pencil"),
            "devices.csv", 3, "device_type", "'pencil' is not a known type"),
    Planted("an unknown certificate", changed("practitioners.csv", "insurance: Policy", "diploma: Policy"),
            "practitioners.csv", 2, "certificates", "is no certificate"),
    # Dates, times, zones.
    Planted("an unknown zone", changed("clinics.csv", "Europe/Lisbon", "Europe/Atlantis"), "clinics.csv", 3, "zone",
            "no time zone Europe/Atlantis"),
    Planted("no such date", changed("patients.csv", "31.12.1990", "31.11.1990"), "patients.csv", 3, "Geburtsdatum",
            "is not a date of the calendar"),
    Planted("a short year", changed("patients.csv", "31.12.1990", "31.12.90"), "patients.csv", 3, "Geburtsdatum",
            "has no whole year"),
    Planted("a spreadsheet's number", changed("patients.csv", "31.12.1990", "33238"), "patients.csv", 3, "Geburtsdatum",
            "the number that a spreadsheet keeps"),
    Planted("an ambiguous date", changed("courses.csv", "2027-02-15", "02/03/2026"), "courses.csv", 3, "done_on",
            "may begin with the day or the month"),
    Planted("mixed dates", changed("courses.csv", "2027-01-11; 2027-02-08", "13/01/2027; 02/25/2027"), "courses.csv", 2,
            "done_on", "begin with one and the other"),
    Planted("a birth to come", changed("patients.csv", "31.12.1990", "31.12.2030"), "patients.csv", 3, "Geburtsdatum",
            "between 1900 and today"),
    Planted("done in the future", changed("courses.csv", "2027-02-15", "2027-03-15"), "courses.csv", 3, "done_on",
            "still to come"),
    Planted("done out of order", changed("courses.csv", "2027-01-11; 2027-02-08", "2027-02-08; 2027-01-11"),
            "courses.csv", 2, "done_on", "not in order"),
    Planted("more done than planned", changed("courses.csv", "mn_acne_scar,4", "mn_acne_scar,1"), "courses.csv", 2,
            "done_on", "only 1 sessions are planned"),
    Planted("a skipped hour", added("appointments.csv", V7.format(start="2027-03-28 01:30")), "appointments.csv", 8,
            "start", "does not exist in Europe/London"),
    Planted("a second pass that there is not", changed("appointments.csv", "V6,K3,C1,2027-03-10 09:30,consultation,,,"
            "P1,R1,,30,", "V6,K3,C1,2027-03-10 09:30,consultation,,,P1,R1,,30,1"), "appointments.csv", 7, "fold",
            "comes only once"),
    Planted("a past appointment", added("appointments.csv", V7.format(start="2027-03-01 08:30")), "appointments.csv",
            8, "start", "is past"),
    Planted("a start with an offset", added("appointments.csv", V7.format(start="2027-03-28T12:30Z")),
            "appointments.csv", 8, "start", "names a zone"),
    Planted("a start without a time", added("appointments.csv", V7.format(start="2027-03-28")), "appointments.csv", 8,
            "start", "has no time"),
    Planted("the far future", added("appointments.csv", V7.format(start="2077-03-29 12:30")), "appointments.csv", 8,
            "start", "ten years ahead"),
    Planted("an absence that ends first", changed("absences.csv", "2027-04-09", "2027-04-01"), "absences.csv", 2, "to",
            "is not after its beginning"),
    Planted("a rota from a Tuesday", changed("rota.csv", "S1,P1,C1,2027-01-04", "S1,P1,C1,2027-01-05"), "rota.csv", 2,
            "starts_on", "is not a Monday"),
    Planted("rows of a rota that disagree", changed("rota.csv", "10:00,18:00,,2,2", "10:00,18:00,,2,3"), "rota.csv", 5,
            "weeks", "all its rows must agree"),
    Planted("no hours", changed("clinics.csv", "Mon-Fri 10:00-19:00", "weekdays till seven"), "clinics.csv", 3, "hours",
            "are no hours"),
    # People.
    Planted("no way to be reached", changed("patients.csv", ";;+44 7700 900124", ";;"), "patients.csv", 3, "E-Mail",
            "say how to reach the patient"),
    Planted("a broken address", changed("patients.csv", "wei@mail.example", "wei at mail"), "patients.csv", 4, "E-Mail",
            "name@example.org"),
    Planted("a formula for a phone", changed("patients.csv", "+44 7700 900124", "=1+HYPERLINK(1)"), "patients.csv", 3,
            "Telefon", "with digits and spaces"),
    Planted("an empty name", changed("patients.csv", "K4;Old", "K4;"), "patients.csv", 6, "Vorname", "is empty"),
    # The diary.
    Planted("two in one room", added("appointments.csv", VISIT.format(start="2027-03-22 10:15", who="P2", room="R1")),
            "appointments.csv", 8, "start", "Room 1 is booked by line 2"),
    Planted("two with one practitioner", added(
        "appointments.csv", VISIT.format(start="2027-03-10 09:45", who="P1", room="R2")),
            "appointments.csv", 8, "start", "Dr Anna Bell is booked by line 7"),
    Planted("a patient in two places", added(
        "appointments.csv", VISIT.format(start="2027-03-10 09:59", who="P2", room="R2")),
            "appointments.csv", 8, "start", "the patient (张) is booked by line 7"),
    Planted("who has left", added("appointments.csv", VISIT.format(start="2027-03-11 09:59", who="P3", room="R2")),
            "appointments.csv", 8, "practitioner", "Dr Old Hand is not active"),
    Planted("another clinic's room", added(
        "appointments.csv", VISIT.format(start="2027-03-11 09:59", who="P1", room="R3")), "appointments.csv", 8, "room",
            "Sala 1 belongs to another clinic"),
    Planted("a session that is done", changed("appointments.csv", "session,T1,3", "session,T1,2"), "appointments.csv",
            2, "number", "session 2 of 'T1' is done"),
    Planted("a session twice", changed("appointments.csv", "session,T1,4", "session,T1,3"), "appointments.csv", 3,
            "number", "has an appointment already, in line 2"),
    Planted("a session too many", changed("appointments.csv", "session,T1,4", "session,T1,5"), "appointments.csv", 3,
            "number", "has only 4 sessions"),
    Planted("someone else's course", changed("appointments.csv", "V1,K1,C1", "V1,K2,C1"), "appointments.csv", 2,
            "patient", "is not the patient of the course"),
    Planted("another clinic's course", changed("appointments.csv", "V1,K1,C1", "V1,K1,C2"), "appointments.csv", 2,
            "clinic", "is not the clinic of the course"),
    Planted("upkeep of a course that goes on", changed("appointments.csv", "upkeep,T3", "upkeep,T1"),
            "appointments.csv", 6, "course", "owes no upkeep"),
    Planted("a kind that there is not", changed("appointments.csv", "consultation", "chat"), "appointments.csv", 7,
            "kind", "'chat' is not one of"),
    Planted("more rooms than held", changed("appointments.csv", "T2,2,P2,R3", "T2,2,P2,R3;R3"), "appointments.csv", 4,
            "room", "names 2, but light-peel holds 1"),
    Planted("no length", changed("appointments.csv", "P1,R1,,30,", "P1,R1,,,"), "appointments.csv", 7, "minutes",
            "is empty"),
)


@pytest.fixture
def mover(sqlite_url: str, tmp_path: Path) -> Iterator[Mover]:
    engine = open_engine(sqlite_url, durable=False)
    yield Mover(engine, tmp_path / "folder")
    engine.dispose()


@pytest.mark.parametrize("planted", PLANTED, ids=[each.name for each in PLANTED])
def test_a_planted_fault_is_said_where_it_lies_and_nothing_is_kept(planted: Planted, mover: Mover) -> None:
    before = mover.counts()
    planted.plant(mover)

    report = mover.move()

    said = [fault for fault in report.faults
            if (fault.file, fault.line, fault.column) == (planted.file, planted.line, planted.column)]
    assert [fault.text for fault in said if planted.words in fault.text], "\n".join(report.lines)
    assert mover.counts() == before


def test_at_least_sixty_faults_are_planted() -> None:
    assert len({each.name for each in PLANTED}) == len(PLANTED) >= 60


def test_a_fault_in_one_row_is_not_said_again_by_those_who_name_it(mover: Mover) -> None:
    mover.change("patients.csv", "K1;Ana", "K1;")

    report = mover.move()

    assert [(fault.file, fault.line) for fault in report.faults] == [("patients.csv", 2)]


def test_two_hundred_faults_are_listed_and_the_others_counted(mover: Mover) -> None:
    mover.append("devices.csv", *(f"X{at},C1,Pen,magic,yes" for at in range(350)))

    report = mover.move()

    assert (len(report.faults), report.more_faults) == (200, 150)
    assert "… and 150 more faults" in list(report.lines)


def test_of_more_than_a_million_lines_the_first_one_too_many_is_said(tmp_path: Path) -> None:
    most = Limits().rows if is_full() else 50_000
    path, faults = tmp_path / "devices.csv", Listed()
    with path.open("wb") as stream:
        stream.write(b"id,clinic,name,device_type\n")
        stream.writelines(b"N%d,C1,Pen %d,ipl\n" % (at, at) for at in range(most + 5))

    rows = sum(1 for _ in Table(path, ["id", "name"], faults, Limits(rows=most)).rows(lambda heading: True))

    assert Limits().rows == 1_000_000
    assert rows == most
    assert [fault.words for fault in faults.kept] == [
        f"devices.csv, line {most + 2}: has more than {most:,} rows: split it"]


def test_a_file_with_a_row_too_many_is_refused(mover: Mover) -> None:
    report = mover.move(limits=Limits(rows=5))

    assert [fault.words for fault in report.faults] == ["appointments.csv, line 7: has more than 5 rows: split it"]


def test_a_file_of_too_many_bytes_is_not_even_opened(mover: Mover) -> None:
    report = mover.move(limits=Limits(bytes=10))

    assert {(fault.line, fault.text) for fault in report.faults} == {(0, "is larger than 0 MB: split it")}
