"""A letter that is read out or printed says nothing of e-mails, links and files, and its dates first."""
from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from clinic.care.directions import isolated
from clinic.messages.on_paper import on_paper
from tests.messages.samples import CLINIC, EVERY_LETTER

TODAY = date(2027, 3, 1)


@pytest.mark.parametrize("name", [
    name for name in EVERY_LETTER if not name.endswith(("review-request", "fresh-link"))])
def test_on_paper_nothing_is_said_of_mail_or_links(name: str) -> None:
    letter = EVERY_LETTER[name]

    paper = on_paper(letter, today=TODAY)

    assert re.findall(r"e-?mail|https?:|Kalenderdatei|calendar file|\n\n\n", paper.text, re.IGNORECASE) == []
    assert CLINIC.phone in paper.text
    assert paper.text.rstrip().endswith(isolated(letter.clinic.name))
    assert len(paper.dates) == sum(len(section.visits) for section in letter.sections)


def test_a_change_says_old_and_new_in_one_line() -> None:
    dates = on_paper(EVERY_LETTER["en/change"], today=TODAY).dates

    assert [bool(re.fullmatch(r"New time: .*, .* to .* \(Was: .*\)", line)) for line in dates][0]


def test_a_personal_note_is_read_out_too() -> None:
    letter = replace(EVERY_LETTER["de/recall"], note=("Bis bald!", "Ruth"))

    assert "\n\nBis bald!\nRuth\n\n" in on_paper(letter, today=TODAY).text
