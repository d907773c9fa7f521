"""Calendar files that every program reads the same way, for any name and on both sides of a clock change."""
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.directions import undirected
from clinic.interchange.calendar import CalendarEntry, Party, cancel_file, request_file, series_file
from clinic.planning.local import instant
from tests.interchange.itip import (
    STATUS,
    Line,
    Reading,
    components,
    faults_of,
    instant_by_dateutil,
    instant_of,
    method_of,
    read_alike,
)

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ORGANIZER = Party("Harbour Clinic", "hello@harbour.example")
ANA = Party("Ana", "ana@home.example")
ENTRY = CalendarEntry(
    uid="5f1c@clinic",
    revision=0,
    starts_at=datetime(2027, 3, 2, 10, 0, tzinfo=UTC),
    ends_at=datetime(2027, 3, 2, 11, 30, tzinfo=UTC),
    zone="Europe/Lisbon",
    summary="Appointment at Harbour Clinic",
    location="Harbour Clinic, 12 Quay Street, Lisbon",
    description="To change or cancel, call +351 21 555 01 20.",
)
SERIES = tuple(
    replace(ENTRY, uid=f"{number}@clinic", starts_at=ENTRY.starts_at + number * timedelta(days=28),
            ends_at=ENTRY.ends_at + number * timedelta(days=28))
    for number in range(4)
)
# Everything that can be typed, control characters and half characters excepted.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=120)

FILES: dict[str, Callable[[], bytes]] = {
    "PUBLISH": lambda: series_file(SERIES, organizer=ORGANIZER, stamped_at=NOW),
    "REQUEST": lambda: request_file(ENTRY, organizer=ORGANIZER, attendee=ANA, stamped_at=NOW),
    "CANCEL": lambda: cancel_file(replace(ENTRY, revision=1), organizer=ORGANIZER, attendee=ANA, stamped_at=NOW),
}


def test_a_single_booking_reads_word_for_word() -> None:
    file = FILES["REQUEST"]()

    event = file[file.index(b"BEGIN:VEVENT"):].decode().replace("\r\n ", "").split("\r\n")
    assert sorted(event) == sorted([
        "BEGIN:VEVENT",
        "UID:5f1c@clinic",
        "DTSTAMP:20270301T090000Z",
        "DTSTART;TZID=Europe/Lisbon:20270302T100000",
        "DTEND;TZID=Europe/Lisbon:20270302T113000",
        "SEQUENCE:0",
        "STATUS:CONFIRMED",
        "SUMMARY:Appointment at Harbour Clinic",
        "LOCATION:Harbour Clinic\\, 12 Quay Street\\, Lisbon",
        "DESCRIPTION:To change or cancel\\, call +351 21 555 01 20.",
        "CLASS:PRIVATE",
        "TRANSP:OPAQUE",
        'ORGANIZER;CN="Harbour Clinic":mailto:hello@harbour.example',
        "ATTENDEE;CN=Ana;CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:ana@home.example",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ])


@pytest.mark.parametrize("method", FILES)
def test_every_file_keeps_the_rules_of_its_method_and_is_read_alike(method: str) -> None:
    file = FILES[method]()

    assert list(faults_of(file)) == []
    assert method_of(file) == method
    entries = {"PUBLISH": SERIES, "REQUEST": [ENTRY], "CANCEL": [replace(ENTRY, revision=1)]}[method]
    assert read_alike(file) == [Reading(
        entry.uid, entry.revision, STATUS[method], entry.starts_at, entry.ends_at, NOW, entry.summary, entry.location,
        entry.description, ("Harbour Clinic", "mailto:hello@harbour.example"),
        () if method == "PUBLISH" else (("Ana", "mailto:ana@home.example"),)) for entry in entries]


@pytest.mark.parametrize(("written", "instead", "fault"), [
    (b"CLASS:PRIVATE\r\n", b"", "CLASS 0 times in a REQUEST"),
    (b"SEQUENCE:0\r\n", b"SEQUENCE:0\r\nRRULE:FREQ=DAILY\r\n", "RRULE in a REQUEST"),
    (b"STATUS:CONFIRMED", b"STATUS:CANCELLED", "status or class"),
    (b"END:VEVENT", b"BEGIN:VALARM\r\nACTION:AUDIO\r\nTRIGGER:-PT1H\r\nEND:VALARM\r\nEND:VEVENT", "a VALARM"),
    (b"TZID:Europe/Lisbon", b"TZID:Europe/Porto", "zones ['Europe/Porto'] for {'Europe/Lisbon'}"),
    (b"20270301T090000Z", b"20270301T090000", "DTSTAMP is not in UTC"),
    (b"SUMMARY:Appointment", b"SUMMARY:" + b"A" * 60 + b"ppointment", "a line of 96 octets"),
])
def test_a_file_that_breaks_a_rule_is_noticed(written: bytes, instead: bytes, fault: str) -> None:
    file = FILES["REQUEST"]()
    assert written in file

    assert fault in _faults_as_far_as_they_go(file.replace(written, instead))


def _faults_as_far_as_they_go(file: bytes) -> list[str]:
    found = []
    try:
        for fault in faults_of(file):
            found.append(fault)
    except (KeyError, AttributeError, ValueError):
        pass  # what is broken in one way may not be read in another
    return found


def test_a_series_is_one_file_with_an_event_for_each_date() -> None:
    events = components(FILES["PUBLISH"](), "VEVENT")

    assert [(event["UID"][0].value, event["DTSTART"][0].value) for event in events] == [
        ("0@clinic", "20270302T100000"), ("1@clinic", "20270330T110000"), ("2@clinic", "20270427T110000"),
        ("3@clinic", "20270525T110000"),
    ]


def test_booked_moved_moved_and_cancelled_keeps_its_uid_and_counts_up() -> None:
    def moved(revision: int) -> CalendarEntry:
        later = revision * HOUR
        return replace(ENTRY, revision=revision, starts_at=ENTRY.starts_at + later, ends_at=ENTRY.ends_at + later)

    files = [
        series_file([ENTRY], organizer=ORGANIZER, stamped_at=NOW),
        request_file(moved(1), organizer=ORGANIZER, attendee=ANA, stamped_at=NOW + HOUR),
        request_file(moved(2), organizer=ORGANIZER, attendee=ANA, stamped_at=NOW + 2 * HOUR),
        cancel_file(moved(3), organizer=ORGANIZER, attendee=ANA, stamped_at=NOW + 3 * HOUR),
    ]

    story = [
        (event["UID"][0].value, event["SEQUENCE"][0].value, event["STATUS"][0].value, event["DTSTAMP"][0].value[9:13],
         event["ORGANIZER"][0].value)
        for file in files for event in components(file, "VEVENT")
    ]
    assert story == [
        ("5f1c@clinic", "0", "CONFIRMED", "0900", "mailto:hello@harbour.example"),
        ("5f1c@clinic", "1", "CONFIRMED", "1000", "mailto:hello@harbour.example"),
        ("5f1c@clinic", "2", "CONFIRMED", "1100", "mailto:hello@harbour.example"),
        ("5f1c@clinic", "3", "CANCELLED", "1200", "mailto:hello@harbour.example"),
    ]


@pytest.mark.parametrize("method", FILES)
def test_the_same_input_is_the_same_file(method: str) -> None:
    assert FILES[method]() == FILES[method]()


@given(TEXTS, TEXTS, TEXTS)
def test_any_text_is_read_back_by_every_reader(summary: str, location: str, name: str) -> None:
    entry = replace(ENTRY, summary=summary, location=location)
    organizer, attendee = Party(name, ORGANIZER.email), Party(name, ANA.email)

    file = request_file(entry, organizer=organizer, attendee=attendee, stamped_at=NOW)

    [event] = read_alike(file)
    assert (event.summary, event.location) == (readable(summary), readable(location))
    assert event.organizer == (called(name), "mailto:hello@harbour.example")
    assert event.attendees == ((called(name), "mailto:ana@home.example"),)
    assert list(faults_of(file)) == []


@pytest.mark.parametrize(("email", "uri"), [
    ("o'neil+x@a-b.example", "mailto:o'neil+x@a-b.example"),
    ("a?b#c%d&e@x.example", "mailto:a%3Fb%23c%25d%26e@x.example"),
])
def test_an_address_becomes_a_uri_that_means_it(email: str, uri: str) -> None:
    file = request_file(ENTRY, organizer=ORGANIZER, attendee=Party("Ana", email), stamped_at=NOW)

    assert read_alike(file)[0].attendees == (("Ana", uri),)


def called(name: str) -> str:
    """What a parameter can hold of a name: no line ends, and another sign for its own quotes."""
    return readable(name).replace('"', "'").replace("\n", " ")


def readable(text: str) -> str:
    """What a calendar can hold of a text: line ends of one kind, no control characters, no turns of direction."""
    lines = re.sub("\r\n|[\r\x85\u2028\u2029]", "\n", undirected(text))
    return "".join(sign for sign in lines if sign == "\n" or not "\0" <= sign < " " and not "\x7f" <= sign < "\xa0")


@given(
    st.dates(date(2026, 1, 1), date(2035, 12, 31)),
    st.integers(0, 1439),
    st.sampled_from(["Europe/Lisbon", "Europe/Dublin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca",
                     "Asia/Kathmandu", "UTC"]),
)
def test_a_zone_says_the_same_as_the_zone_data(day: date, minute: int, zone: str) -> None:
    starts_at = instant(day, minute, ZoneInfo(zone))
    entry = replace(ENTRY, zone=zone, starts_at=starts_at, ends_at=starts_at + HOUR)

    file = series_file([entry], organizer=ORGANIZER, stamped_at=NOW)

    (event,) = components(file, "VEVENT")
    for reader in (instant_of, instant_by_dateutil):
        assert [reader(event[name][0], file) for name in ("DTSTART", "DTEND")] == [starts_at, starts_at + HOUR]


def test_times_keep_their_wall_clock_across_both_changes() -> None:
    lisbon = ZoneInfo("Europe/Lisbon")
    days = (date(2027, 3, 27), date(2027, 3, 28), date(2027, 10, 30), date(2027, 10, 31))
    starts = [instant(day, 600, lisbon) for day in days]
    entries = [
        replace(ENTRY, uid=f"{number}", starts_at=at, ends_at=at + HOUR) for number, at in enumerate(starts)
    ]

    events = components(series_file(entries, organizer=ORGANIZER, stamped_at=NOW), "VEVENT")

    assert [event["DTSTART"][0].value for event in events] == [
        "20270327T100000", "20270328T100000", "20271030T100000", "20271031T100000"
    ]


def test_the_second_pass_of_a_repeated_hour_is_said_in_utc() -> None:
    second = datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
    entry = replace(ENTRY, starts_at=second, ends_at=second + HOUR)

    (event,) = components(series_file([entry], organizer=ORGANIZER, stamped_at=NOW), "VEVENT")

    assert event["DTSTART"][0] == Line("DTSTART", {}, "20271031T013000Z")
    assert event["DTEND"][0] == Line("DTEND", {"TZID": "Europe/Lisbon"}, "20271031T023000")


@pytest.mark.parametrize("wrong", [
    {"uid": ""}, {"summary": ""}, {"revision": -1}, {"ends_at": ENTRY.starts_at},
])
def test_an_entry_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        replace(ENTRY, **wrong)  # type: ignore[arg-type]


def test_a_series_of_nothing_or_of_one_date_twice_is_refused() -> None:
    for entries in ([], [ENTRY, ENTRY]):
        with pytest.raises(ValueError):
            series_file(entries, organizer=ORGANIZER, stamped_at=NOW)
