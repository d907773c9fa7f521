"""The page of day sheets: what it tells without its passphrase, and what a passphrase has to be."""
from __future__ import annotations

import re
from base64 import b64decode
from datetime import date

import pytest

from clinic.interchange.day_sheets.sealed import BLOCK, ROUNDS, Salt, as_typed, sealed_page, what_is_wrong_with
from clinic.interchange.day_sheets.sheets import DaySheets, SheetDay, SheetVisit
from tests.opened_sheets import PASSPHRASE, few_rounds, opened, sealed_parts

__all__ = ["few_rounds"]
pytestmark = pytest.mark.usefixtures("few_rounds")

FRESH, OTHER = Salt(b"s" * 16, b"n" * 12), Salt(b"t" * 16, b"o" * 12)


def sheets(*names: str) -> DaySheets:
    """A day on which these patients come."""
    visits = tuple(SheetVisit("09:00", "09:45", "", name, "+44 7700 900123", "Skin needling", "2 of 4", "Latex allergy",
                              ("Ask about the left cheek",), ("Dr Amari", "Room 1")) for name in names)
    return DaySheets("Harbour & <Sons>", "Sunday 28 Feb 2027, 14:05", date(2027, 2, 28),
                     (SheetDay(date(2027, 3, 1), "Monday 1 March 2027", "Monday 1 Mar", visits),),
                     (("Practitioners", ("Dr Amari",)),))


def test_a_page_tells_its_clinic_and_days_alone_and_its_passphrase_opens_the_rest() -> None:
    page, again = (sealed_page(sheets("Ana Novák"), PASSPHRASE, fresh) for fresh in (FRESH, OTHER))

    for said in ("Novák", "7700", "needling", "Latex", "cheek", "Amari", "Room 1", "<Sons>", PASSPHRASE):
        assert said not in page
    for said in ("Harbour &amp; &lt;Sons&gt;", "Monday 1 March 2027", "As of Sunday 28 Feb 2027, 14:05"):
        assert said in page
    assert opened(page)["days"][0]["visits"][0]["patient"] == "Ana Novák"
    assert opened(page) == opened(again)
    assert sealed_parts(page)["sealed"][:40] != sealed_parts(again)["sealed"][:40]
    assert ROUNDS >= 600_000  # as OWASP asks


def test_the_length_of_a_page_does_not_tell_how_many_come() -> None:
    alone, busy = (b64decode(sealed_parts(sealed_page(sheets(*names), PASSPHRASE, FRESH))["sealed"])
                   for names in (["Ana"], ["Ana", "Ben", "张伟"] * 10))

    assert len(alone) == len(busy) == BLOCK + 16  # the seal itself


def test_a_page_runs_its_own_script_and_style_and_reaches_nobody() -> None:
    page = sealed_page(sheets("Ana"), PASSPHRASE, FRESH)

    assert "default-src 'none'" in page
    assert not re.findall(r"https?:|\ssrc=|<link|\saction=|<input[^>]*\sname=|url\(|@import|import\(", page)


@pytest.mark.parametrize(("passphrase", "said"), [
    ("", "at least 15"), ("fourteen chars", "at least 15"), ("   short       words   ", "at least 15"),
    ("aaaaaaaaaaaaaaaabbbb", "repeats"), ("five wet boats\u200b near harbour", "nobody can see"),
    ("x1y2z3" * 200, "at most 1024"), ("fifteen letters", ""), (PASSPHRASE, ""),
])
def test_a_passphrase_that_will_not_do_is_told_why_in_a_sentence(passphrase: str, said: str) -> None:
    found = what_is_wrong_with(passphrase)

    assert said in found
    assert bool(said) == found.endswith(".")


def test_a_passphrase_is_the_same_whatever_keyboard_it_was_typed_on() -> None:
    assert as_typed(" cafe\u0301\u3000am  Hafen\n") == as_typed("café am Hafen") == "café am Hafen"
