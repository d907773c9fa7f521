"""The newsletter, its question and the digest as they are read: approved word for word, the same in both twins, and
with nothing in them that could tell who has read them."""
from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from clinic.care.newsletter import CONSENT, Block
from clinic.messages.digest import Digest, DigestLine, render_digest
from clinic.messages.news import NewsLetter, Question, render_edition, render_question
from clinic.messages.rendering import Rendered
from tests.messages.samples import CLINIC
from tests.messages.test_rendering import FOREIGN, plain, read

APPROVED = Path(__file__).parent / "approved_news"
STOP = "https://clinic.example/newsletter/stop/7Qp2mXv0aK"
ARCHIVE = "https://clinic.example/newsletter/archive/3"
SHOP = "https://harbour.example/saturdays"
ENGLISH = NewsLetter("en", "Harbour Skin", CLINIC, "Saturdays, and a hat", (
    Block("We open on Saturdays", "From May we are here on Saturdays, too, from nine to one.\n\nCall us or write.",
          "See the hours", SHOP),
    Block("Sun", "The sun of April is that of August. A hat helps."),
), STOP, ARCHIVE)
GERMAN = replace(ENGLISH, language="de", subject="Samstags, und mit Hut", blocks=(
    Block("Samstags geöffnet", "Ab Mai sind wir auch samstags da, von neun bis eins.", "Unsere Zeiten", SHOP),
), archive=None)
QUESTION = Question("en", "Harbour Skin", CLINIC, CONSENT["en"].said_of("Harbour Skin"),
                    "https://clinic.example/newsletter/opt-in/7Qp2mXv0aK", date(2027, 3, 8))
DIGEST = Digest("Harbour Clinic", date(2027, 3, 1), (
    DigestLine("1 urgent request", "https://clinic.example/requests", urgent=True),
    DigestLine("12 appointments today", "https://clinic.example/"),
), "https://clinic.example/account/digest")
MESSAGES: dict[str, Rendered] = {
    "edition.en": render_edition(ENGLISH), "edition.de": render_edition(GERMAN),
    "opt-in.en": render_question(QUESTION),
    "opt-in.de": render_question(replace(QUESTION, language="de", wording=CONSENT["de"].said_of("Harbour Skin"))),
    "opt-in-desk.en": render_question(replace(QUESTION, at_the_desk=True)), "digest.en": render_digest(DIGEST),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_it_reads_as_it_was_approved(name: str) -> None:
    rendered = MESSAGES[name]

    for ending, text in ((".subject.txt", f"{rendered.subject}\n"), (".txt", rendered.text), (".html", rendered.html)):
        file = APPROVED / f"{name}{ending}"
        if os.environ.get("TEST_APPROVE") == "1":
            file.write_text(text, "utf-8")
        assert text == file.read_text("utf-8")


@pytest.mark.parametrize("name", MESSAGES)
def test_the_page_has_every_line_of_the_text(name: str) -> None:
    page = re.sub(r"\s+", "", plain(MESSAGES[name].html))

    lines = [line.strip("- ") for line in MESSAGES[name].text.splitlines() if "https:" not in line and line != "* * *"]

    assert [line for line in lines if re.sub(r"\s+", "", line) not in page] == []


@pytest.mark.parametrize("name", MESSAGES)
def test_nothing_in_it_is_fetched_and_no_link_is_one_of_ours_in_disguise(name: str) -> None:
    html = MESSAGES[name].html

    assert FOREIGN.findall(html) == []
    assert not re.findall(r"<img|background=|utm_|[?&](?:id|u|r)=", html)
    if name.startswith("edition"):
        assert {link for link in read(html).links if not link.startswith("tel:")} <= {STOP, ARCHIVE, SHOP}


@pytest.mark.parametrize("letter", [ENGLISH, GERMAN])
def test_an_edition_says_why_it_comes_whose_it_is_and_how_it_stops(letter: NewsLetter) -> None:
    text = render_edition(letter).text

    assert STOP in text
    assert "12 Quay Street" in text
    assert "+351 21 555 01 20" in text
    assert ("confirmed" if letter.language == "en" else "bestätigt") in text


def test_words_of_an_edition_are_shown_and_never_run() -> None:
    evil = "<b>{{ 7*7 }}</b>"

    rendered = render_edition(replace(ENGLISH, subject=evil, blocks=(Block(evil, evil, evil, SHOP),)))

    assert "<b>" not in rendered.html
    assert plain(rendered.html).count(evil) >= 2
