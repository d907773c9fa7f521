"""Foreign calendar files: each is read as the busy times that it means, or refused in words, and soon."""
from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from clinic.interchange.outside_calendar import OutsideCalendar, Unreadable, read_calendar
from tests.interchange.calendars.broken import REFUSED
from tests.interchange.calendars.dialects import DIALECTS
from tests.interchange.calendars.scenarios import FROM, SCENARIOS, TO, Span
from tests.interchange.calendars.written import READ, span

LONGEST = 1.0
"""Seconds for one file, measured as work of this process."""


def read(data: bytes, *, zone: str = "Europe/Berlin") -> OutsideCalendar | Unreadable:
    """The file from now until the horizon, read soon enough."""
    begun = time.process_time()
    found = read_calendar(data, zone=zone, from_at=FROM, to_at=TO)
    assert time.process_time() - begun < LONGEST
    return found


def spans(data: bytes, *, zone: str = "Europe/Berlin") -> Sequence[Span]:
    """The busy times of a file that can be read."""
    found = read(data, zone=zone)
    assert isinstance(found, OutsideCalendar), found
    return tuple((each.starts_at, each.ends_at) for each in found.spans)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_program_s_file_means_the_same_busy_times(scenario: str, dialect: str) -> None:
    told = SCENARIOS[scenario]()

    assert spans(DIALECTS[dialect](told)) == told.busy


@pytest.mark.parametrize("name", READ)
def test_a_rare_way_to_write_it_is_read_too(name: str) -> None:
    data, expected = READ[name]

    assert spans(data) == tuple(span(each) for each in expected)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_in_words(name: str) -> None:
    data, reason = REFUSED[name]

    found = read(data)

    assert isinstance(found, Unreadable), found
    assert reason in found.words
    assert len(found.text) < 300


def test_the_line_at_fault_is_named() -> None:
    found = read(REFUSED["the 31st of February"][0])

    assert isinstance(found, Unreadable)
    assert found.words == "Line 5: DTSTART says 20270231T100000Z, which is no date or time."


def test_entries_are_counted_as_what_they_are() -> None:
    found = read(DIALECTS["exchange"](SCENARIOS["states"]()))

    assert isinstance(found, OutsideCalendar)
    assert (found.entries, found.left_out, found.tentative) == (3, 2, 1)


def test_there_are_files_enough() -> None:
    readable = len(DIALECTS) * len(SCENARIOS) + len(READ)

    assert (readable >= 200, len(REFUSED) >= 60) == (True, True)
