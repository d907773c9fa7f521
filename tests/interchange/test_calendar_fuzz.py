"""Files that somebody or something has spoiled: read or refused, never a crash."""
from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.interchange.outside_calendar import OutsideCalendar, Unreadable, read_calendar
from tests.interchange.calendars.dialects import DIALECTS
from tests.interchange.calendars.scenarios import FROM, SCENARIOS, TO
from tests.interchange.calendars.written import READ, event, file

FILES = [write(SCENARIOS[name]()) for write in DIALECTS.values() for name in ("second_tuesday", "every_other_week")]
FILES += [data for data, _ in READ.values() if len(data) < 5_000]
PIECES = [b"\r\n", b"\n ", b":", b";", b",", b"=", b"\x00", b"\xff", b'"', b"BEGIN:VEVENT\r\n", b"END:VEVENT\r\n",
          b"99999999", b"-", b"T", b"Z", b"P", b"RRULE:FREQ=DAILY\r\n", b"DTSTART:99991231T235959Z\r\n",
          b"EXDATE:15830101\r\n", b"DURATION:P999999D\r\n", b"DTEND:99991231\r\n",
          b"RECURRENCE-ID;RANGE=THISANDFUTURE:15830101T000000Z\r\n",
          b"RDATE;VALUE=PERIOD:20270310T100000Z/P99999W\r\n", b";TZID=Europe/Berlin", b"INTERVAL=999999999;"]


def settled(data: bytes) -> None:
    """It was read into times that are in order and inside the window, or refused in words."""
    found = read_calendar(data, zone="Europe/Berlin", from_at=FROM, to_at=TO)
    if isinstance(found, Unreadable):
        assert found.words.strip()
        return
    assert isinstance(found, OutsideCalendar)
    edges = [FROM, *(edge for each in found.spans for edge in (each.starts_at, each.ends_at)), TO]
    assert edges == sorted(edges)


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A good file with some of its bytes taken out, doubled, or replaced."""
    data = draw(st.sampled_from(FILES))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(data)))
        size = draw(st.integers(0, 30))
        piece = draw(st.sampled_from(PIECES) | st.binary(max_size=8) | st.just(data[place:place + size] * 2))
        data = data[:place] + piece + data[place + draw(st.integers(0, size)):]
    return data


@given(spoiled())
@settings(max_examples=400)
def test_a_spoiled_file_is_read_or_refused(data: bytes) -> None:
    settled(data)


@given(st.text(st.sampled_from("FREQ=DAILYWEKMONTHBSPC;,0123456789-+"), max_size=60),
       st.sampled_from(["RRULE", "EXRULE"]))
@settings(max_examples=200)
def test_any_rule_is_followed_or_refused(rule: str, name: str) -> None:
    settled(file(event("DTSTART:20270310T100000Z", "DURATION:PT1H", f"{name}:FREQ=YEARLY;{rule}")))


@given(st.lists(st.tuples(
    st.sampled_from(["DTSTART", "DTEND", "DURATION", "RDATE", "EXDATE", "RECURRENCE-ID", "RRULE", "STATUS",
                     "SEQUENCE"]),
    st.sampled_from(["", ";VALUE=DATE", ";TZID=Europe/Berlin", ";TZID=Odd", ";RANGE=THISANDFUTURE"]),
    st.sampled_from(["20270310", "20270328T023000", "15830101T000000Z", "99991231T235959Z", "P1D", "PT999999999S",
                     "P999999D", "FREQ=DAILY", "FREQ=WEEKLY;UNTIL=15830101", "FREQ=YEARLY;INTERVAL=999999999",
                     "FREQ=HOURLY;INTERVAL=999999999;COUNT=999999999", "20270310T100000Z/P99999W", "CANCELLED", "7"]),
), max_size=8))
@settings(max_examples=400)
def test_any_entry_is_read_or_refused(lines: list[tuple[str, str, str]]) -> None:
    settled(file(event(*(f"{name}{more}:{value}" for name, more, value in lines))))
