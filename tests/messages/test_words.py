"""Dates and times as people say them."""
from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from clinic.messages import words as module
from clinic.messages.words import day_in_words, labels, short_day_in_words, zone_in_words


def test_a_day_has_its_weekday() -> None:
    day = date(2027, 3, 1)

    assert day_in_words(day, labels("en")) == "Monday 1 March 2027"
    assert short_day_in_words(day, labels("en")) == "Monday 1 March"


@pytest.mark.parametrize(("zone", "said"), [
    ("Europe/Lisbon", "Lisbon time"), ("America/Argentina/Buenos_Aires", "Buenos Aires time"), ("UTC", "UTC"),
    ("Etc/GMT+3", "Etc/GMT+3"),
])
def test_a_zone_is_said_by_its_city(zone: str, said: str) -> None:
    assert zone_in_words(ZoneInfo(zone), labels("en")) == said


def test_a_language_with_a_missing_word_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zz.toml").write_text('day = "{day}"\nunknown = "x"\n', "utf-8")
    monkeypatch.setattr(module, "folder", lambda: tmp_path)

    with pytest.raises(ValueError, match="unknown"):
        labels("zz")
