"""Dates and times as people say them."""
from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest

from clinic.messages import words as module
from clinic.messages.words import day_in_words, labels, short_day_in_words, time_in_words, zone_in_words


def test_a_day_has_its_weekday() -> None:
    day = date(2027, 3, 1)

    assert day_in_words(day, labels("en")) == "Monday 1 March 2027"
    assert short_day_in_words(day, labels("en")) == "Monday 1 March"
    assert day_in_words(day, labels("de")) == "Montag, 1. März 2027"
    assert short_day_in_words(day, labels("de")) == "Montag, 1. März"


def test_a_time_is_said_as_its_language_says_it() -> None:
    nine = datetime(2027, 3, 1, 9, 5, tzinfo=UTC)

    assert time_in_words(nine, labels("en")) == "09:05"
    assert time_in_words(nine, labels("de")) == "09:05 Uhr"


@pytest.mark.parametrize(("zone", "said"), [
    ("Europe/Lisbon", "Lisbon time"), ("America/Argentina/Buenos_Aires", "Buenos Aires time"), ("UTC", "UTC"),
    ("Etc/GMT+3", "Etc/GMT+3"),
])
def test_a_zone_is_said_by_its_city(zone: str, said: str) -> None:
    assert zone_in_words(ZoneInfo(zone), labels("en")) == said


@pytest.mark.parametrize(("zone", "said"), [
    ("Europe/Lisbon", "Ortszeit Lissabon"), ("Europe/Vienna", "Ortszeit Wien"), ("Europe/Berlin", "Ortszeit Berlin"),
    ("Atlantic/Azores", "Ortszeit Azoren"), ("UTC", "UTC"),
])
def test_a_city_has_its_german_name(zone: str, said: str) -> None:
    assert zone_in_words(ZoneInfo(zone), labels("de")) == said


def test_every_city_that_has_another_name_is_one_of_a_time_zone() -> None:
    known = {zone.rpartition("/")[2].replace("_", " ") for zone in available_timezones()}

    assert set(labels("de").cities) - known == set()


def test_a_language_with_a_missing_word_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zz.toml").write_text('day = "{day}"\nunknown = "x"\n', "utf-8")
    monkeypatch.setattr(module, "folder", lambda: tmp_path)

    with pytest.raises(ValueError, match="unknown"):
        labels("zz")
