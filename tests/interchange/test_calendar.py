"""Calendar files that every program reads the same way, for any name and on both sides of a clock change."""
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from clinic.care.directions import undirected
from clinic.interchange.calendar import CalendarEntry, Party, cancel_file, request_file, series_file
from clinic.planning.local import instant

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


@dataclass(frozen=True)
class Line:
    """One property as RFC 5545 writes it: name, parameters, value still escaped."""

    name: str
    parameters: dict[str, str]
    value: str


def lines_of(file: bytes) -> list[Line]:
    """A second reading of the file, by the grammar of RFC 5545 and by nothing of the library that wrote it."""
    unfolded = re.sub(rb"\r\n[ \t]", b"", file).decode("utf-8")
    return [_line(text) for text in unfolded.split("\r\n") if text]


def _line(text: str) -> Line:
    found = re.fullmatch(r'([A-Z-]+)((?:;[A-Z-]+=(?:"[^"]*"|[^";:,]*))*):(.*)', text, re.DOTALL)
    assert found is not None, text
    parameters = re.findall(r';([A-Z-]+)=("[^"]*"|[^";:,]*)', found[2])
    return Line(found[1], {name: value.strip('"') for name, value in parameters}, found[3])


def components(file: bytes, wanted: str) -> list[dict[str, list[Line]]]:
    """The properties of each component of that name, those of components inside it left out."""
    found: list[dict[str, list[Line]]] = []
    nesting: list[str] = []
    for line in lines_of(file):
        if line.name == "BEGIN":
            nesting.append(line.value)
            if line.value == wanted:
                found.append({})
        elif line.name == "END":
            assert nesting.pop() == line.value
        elif nesting[-1] == wanted:
            found[-1].setdefault(line.name, []).append(line)
    assert nesting == []
    return found


def unescaped(value: str) -> str:
    """A TEXT value as it is read."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


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


# RFC 5546, 3.2.1, 3.2.2 and 3.2.5: how often a property may stand in a VEVENT of each method, as far as we use them.
RULES: dict[str, dict[str, tuple[int, int]]] = {
    "PUBLISH": {
        "DTSTAMP": (1, 1), "DTSTART": (1, 1), "ORGANIZER": (1, 1), "SUMMARY": (1, 1), "UID": (1, 1), "SEQUENCE": (0, 1),
        "STATUS": (0, 1), "DTEND": (0, 1), "LOCATION": (0, 1), "CLASS": (0, 1), "DESCRIPTION": (0, 1), "TRANSP": (0, 1),
        "RECURRENCE-ID": (0, 1), "RRULE": (0, 0), "ATTENDEE": (0, 0), "REQUEST-STATUS": (0, 0), "DURATION": (0, 0),
    },
    "REQUEST": {
        "ATTENDEE": (1, 99), "DTSTAMP": (1, 1), "DTSTART": (1, 1), "ORGANIZER": (1, 1), "SEQUENCE": (0, 1),
        "SUMMARY": (1, 1), "UID": (1, 1), "STATUS": (0, 1), "DTEND": (0, 1), "LOCATION": (0, 1), "CLASS": (0, 1),
        "DESCRIPTION": (0, 1), "TRANSP": (0, 1), "REQUEST-STATUS": (0, 0), "RRULE": (0, 0), "DURATION": (0, 0),
    },
    "CANCEL": {
        "ATTENDEE": (0, 99), "DTSTAMP": (1, 1), "ORGANIZER": (1, 1), "SEQUENCE": (1, 1), "UID": (1, 1),
        "STATUS": (0, 1), "DTSTART": (0, 1), "DTEND": (0, 1), "SUMMARY": (0, 1), "LOCATION": (0, 1), "CLASS": (0, 1),
        "DESCRIPTION": (0, 1), "TRANSP": (0, 1), "REQUEST-STATUS": (0, 0), "RRULE": (0, 0), "DURATION": (0, 0),
    },
}


@pytest.mark.parametrize("method", RULES)
def test_every_file_keeps_the_rules_of_its_method(method: str) -> None:
    file = FILES[method]()

    (calendar,) = components(file, "VCALENDAR")
    events = components(file, "VEVENT")
    assert [line.value for line in calendar["METHOD"]] == [method]
    assert [line.value for line in calendar["VERSION"]] == ["2.0"]
    for event in events:
        assert set(event) <= set(RULES[method])
        counts = {name: len(event.get(name, [])) for name in RULES[method]}
        broken = {name for name, (least, most) in RULES[method].items() if not least <= counts[name] <= most}
        assert broken == set()
        assert [line.value for line in event["STATUS"]] == ["CANCELLED" if method == "CANCEL" else "CONFIRMED"]
        assert [line.value for line in event["CLASS"]] == ["PRIVATE"]
    zones = {line.value for zone in components(file, "VTIMEZONE") for line in zone["TZID"]}
    assert {line.parameters["TZID"] for event in events for line in event["DTSTART"] + event["DTEND"]} == zones
    assert len({line.value for event in events for line in event["UID"]}) == len(events)


@pytest.mark.parametrize("method", RULES)
def test_lines_end_and_fold_as_the_rules_say(method: str) -> None:
    file = FILES[method]()

    lines = file.split(b"\r\n")
    assert lines[-1] == b""
    assert [line for line in lines if len(line) > 75 or b"\n" in line or b"\r" in line] == []


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
def test_any_text_is_read_back_by_both_readers(summary: str, location: str, name: str) -> None:
    entry = replace(ENTRY, summary=summary, location=location)

    file = request_file(entry, organizer=Party(name, ORGANIZER.email), attendee=Party(name, ANA.email), stamped_at=NOW)

    (event,) = components(file, "VEVENT")
    (other,) = Calendar.from_ical(file).walk("VEVENT")
    assert unescaped(event["SUMMARY"][0].value) == str(other["SUMMARY"]) == readable(summary)
    assert unescaped(event["LOCATION"][0].value) == str(other["LOCATION"]) == readable(location)
    assert event["UID"][0].value == "5f1c@clinic"
    assert (len(event["ATTENDEE"]), event["ATTENDEE"][0].value) == (1, "mailto:ana@home.example")
    assert max(len(line) for line in file.split(b"\r\n")) <= 75
    assert len(components(file, "VCALENDAR")) == 1


def readable(text: str) -> str:
    """What a calendar can hold of a text: line ends of one kind, no control characters, no turns of direction."""
    lines = undirected(text).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(sign for sign in lines if sign == "\n" or (sign >= " " and sign != "\x7f"))


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
    read = [_instant_of(event[name][0], file) for name in ("DTSTART", "DTEND")]
    assert read == [starts_at, starts_at + HOUR]


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


def _instant_of(line: Line, file: bytes) -> datetime:
    """The instant that a calendar program finds by the VTIMEZONE of the file, as RFC 5545 3.6.5 tells it to."""
    wall = datetime.strptime(line.value.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - a wall time has no zone
    if line.value.endswith("Z"):
        return wall.replace(tzinfo=UTC)
    changes = [
        (datetime.strptime(each["DTSTART"][0].value, "%Y%m%dT%H%M%S"), each)  # noqa: DTZ007 - likewise
        for kind in ("STANDARD", "DAYLIGHT") for each in components(file, kind)
    ]
    _, observance = max((change for change in changes if change[0] <= wall), key=lambda change: change[0])
    return (wall - _offset(observance["TZOFFSETTO"][0].value)).replace(tzinfo=UTC)


def _offset(text: str) -> timedelta:
    sign = -1 if text[0] == "-" else 1
    return sign * timedelta(hours=int(text[1:3]), minutes=int(text[3:5]), seconds=int(text[5:7] or 0))


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
