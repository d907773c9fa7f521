"""Every message as a patient reads it: approved word for word, true in both twins, and discreet outside."""
from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError

from clinic import paths
from clinic.care.dialling import dial_address
from clinic.care.directions import END, FIRST_STRONG, isolated, undirected
from clinic.messages.discretion import telling_words
from clinic.messages.letters import ClinicCard, Kind, Letter, RequestKind, Section, VisitLine
from clinic.messages.rendering import Rendered, calendar_words, languages, render
from clinic.messages.section_texts import environment
from tests.messages.samples import CLINIC, EVERY_LETTER, FIRST, LANGUAGES, LETTERS, LINK, in_german, letter, visit

APPROVED = Path(__file__).parent / "approved"
GREETINGS = {
    "en": ("Hello", "Just reply to this e-mail, or call"),
    "de": ("Guten Tag", "Antworten Sie einfach auf diese E-Mail oder rufen Sie uns an:"),
}
ENGLISH = re.compile(
    r"\b(?:the|your?|and|with|please|appointments?|call|from|of|at|to|if|is|are|we|us|our)\b", re.IGNORECASE)
FOREIGN = re.compile(r"<(?:script|link|img|form|input|video|iframe)|position:|flex|grid|var\(|url\(|@import|{{|{%")


class _Words(HTMLParser):
    """The words of a page, without its head."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.headings: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in {"style", "title"}
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "background"}]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"style", "title"}

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def read(html: str) -> _Words:
    """The page as a reader sees it."""
    found = _Words()
    found.feed(html)
    return found


def plain(html: str) -> str:
    """The words of a page on one line."""
    return " ".join(" ".join(read(html).words).replace("\N{NO-BREAK SPACE}", " ").split())


@pytest.mark.parametrize("name", EVERY_LETTER)
def test_a_message_reads_as_it_was_approved(name: str) -> None:
    rendered = render(EVERY_LETTER[name])

    for ending, text in ((".subject.txt", f"{rendered.subject}\n"), (".txt", rendered.text), (".html", rendered.html)):
        file = APPROVED / f"{name}{ending}"
        if os.environ.get("TEST_APPROVE") == "1":
            file.write_text(text, "utf-8")
        assert text == file.read_text("utf-8")


def test_nothing_is_approved_that_no_longer_exists() -> None:
    wanted = {f"{name}{ending}" for name in EVERY_LETTER for ending in (".subject.txt", ".txt", ".html")}

    assert {file.relative_to(APPROVED).as_posix() for file in APPROVED.glob("*/*")} == wanted


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_message_is_approved(language: str) -> None:
    assert {section.kind for each in LANGUAGES[language].values() for section in each.sections} == {
        *Kind, *RequestKind}


@pytest.mark.parametrize(("language", "summary", "description"), [
    ("en", "Appointment at Harbour Clinic", "To change or cancel, call +351 21 555 01 20."),
    ("de", "Termin: Harbour Clinic", "Zum Verschieben oder Absagen rufen Sie bitte an: +351 21 555 01 20."),
])
def test_what_goes_into_a_calendar_does_not_tell_it_either(language: str, summary: str, description: str) -> None:
    words = calendar_words(language, CLINIC)

    assert (words.summary, words.description) == (summary, description)
    assert telling_words(f"{words.summary} {words.description}") == ()


@pytest.mark.parametrize("name", EVERY_LETTER)
def test_every_message_greets_by_first_name_and_names_a_phone_to_call_and_that_a_reply_is_read(name: str) -> None:
    rendered = render(EVERY_LETTER[name])

    hello, reply = GREETINGS[EVERY_LETTER[name].language]
    assert rendered.text.startswith(f"{hello} {isolated(EVERY_LETTER[name].first_name)},\n\n")
    assert f"{reply} +351 21 555 01 20." in rendered.text
    assert f"{reply} +351 21 555 01 20 ." in plain(rendered.html)
    assert "tel:+351215550120" in read(rendered.html).links


@pytest.mark.parametrize("name", EVERY_LETTER)
def test_a_page_asks_nothing_of_the_network_and_little_of_a_mail_program(name: str) -> None:
    html = render(EVERY_LETTER[name]).html

    assert {link for link in read(html).links if not link.startswith("tel:")} <= {LINK}
    assert FOREIGN.findall(html) == []
    assert len(html) < 60_000  # Gmail cuts a message off at 102 kB


@pytest.mark.parametrize("name", EVERY_LETTER)
def test_a_text_twin_is_tidy(name: str) -> None:
    text = render(EVERY_LETTER[name]).text

    assert re.findall(r"\n\n\n|[ \t]\n|<|&\w+;|\{|\}", text) == []
    assert text.endswith("\n")


def test_every_language_that_is_offered_is_complete() -> None:
    assert languages() == ("de", "en")


@pytest.mark.parametrize("name", LETTERS)
def test_a_german_message_has_no_english_words(name: str) -> None:
    rendered = render(in_german(LETTERS[name]))

    assert ENGLISH.findall(f"{rendered.subject} {rendered.preheader} {rendered.text} {plain(rendered.html)}") == []


@pytest.mark.parametrize("name", LETTERS)
def test_a_german_message_goes_on_after_the_comma_of_its_greeting_with_a_word_that_keeps_its_capital(name: str) -> None:
    first = render(in_german(LETTERS[name])).text.split("\n\n")[1]

    assert re.match(r"(Sie|Ihre?) ", first)


def test_a_placeholder_of_one_language_is_one_of_the_other() -> None:
    def named(kind: Kind, language: str, file: str) -> list[str]:
        text = (paths.templates() / "messages" / kind / language / file).read_text("utf-8")
        return sorted(re.findall(r"{{ \w+ }}|{% if [^}]*%}|{% elif [^}]*%}", text))

    differ = [(kind, file) for kind in Kind for file in ("subject.txt", "body.txt", "body.html")
              if named(kind, "en", file) != named(kind, "de", file)]

    assert differ == []


def test_a_language_without_texts_is_not_guessed() -> None:
    for language in ("xx", "../en", ""):
        with pytest.raises(LookupError):
            render(replace(LETTERS["recall"], language=language))


def _at(start: datetime, zone: str, clinic: ClinicCard = CLINIC) -> Rendered:
    line = VisitLine(start, start + timedelta(hours=1), zone)
    return render(Letter("en", "Ana", clinic, (Section(Kind.REMINDER_7D, (line,)),)))


def test_times_are_the_clinics_own_on_both_sides_of_both_clock_changes() -> None:
    said = [
        _at(datetime(2027, month, day, 9, 0, tzinfo=UTC), "Europe/Lisbon").subject
        for month, day in ((3, 27), (3, 28), (10, 30), (10, 31))
    ]

    assert said == [
        "Your appointment on Saturday 27 March at 09:00",
        "Your appointment on Sunday 28 March at 10:00",
        "Your appointment on Saturday 30 October at 10:00",
        "Your appointment on Sunday 31 October at 09:00",
    ]


def test_the_zone_is_named_where_a_visit_is_not_in_the_clinics_own() -> None:
    rendered = _at(datetime(2027, 3, 2, 9, 0, tzinfo=UTC), "Atlantic/Azores")

    assert rendered.subject == "Your appointment on Tuesday 2 March at 08:00 (Azores time)"
    assert "08:00 to 09:00 (Azores time)" in rendered.text


def test_the_zone_is_named_everywhere_for_a_business_in_several_zones() -> None:
    rendered = _at(datetime(2027, 3, 2, 9, 0, tzinfo=UTC), "Europe/Lisbon", replace(CLINIC, names_zone=True))

    assert rendered.subject == "Your appointment on Tuesday 2 March at 09:00 (Lisbon time)"


@given(st.integers(0, 4 * 366 * 24), st.sampled_from(["Europe/Lisbon", "America/St_Johns", "Asia/Kathmandu"]))
def test_a_message_always_shows_the_wall_clock_of_the_clinic(hours: int, zone: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)

    subject = _at(start, zone, replace(CLINIC, zone=zone)).subject

    assert subject.endswith(f" at {start.astimezone(ZoneInfo(zone)):%H:%M}")


def test_values_are_shown_and_never_run() -> None:
    name = '<b onmouseover="x">{{ 7*7 }}</b>'

    rendered = render(replace(LETTERS["reminder-2d"], first_name=name))

    assert f"Hello {name}," in plain(rendered.html)
    assert "<b " not in rendered.html
    assert rendered.text.startswith(f"Hello {name},")


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=40))
def test_any_name_arrives_unharmed(name: str) -> None:
    rendered = render(replace(LETTERS["recall"], first_name=name))

    shown = undirected(name.strip())
    for said in ("".join(read(rendered.html).words), rendered.text):
        assert (f"Hello {shown}," if shown else "Hello,") in undirected(said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_from_right_to_left_are_kept_apart_in_both_twins_and_turn_nothing_else(language: str) -> None:
    rendered = render(LANGUAGES[language]["right-to-left"])

    names = ("נועה", "عيادة الميناء", "د. ليلى حداد (٢)")
    for twin in (rendered.text, rendered.html):
        assert [f"{FIRST_STRONG}{name}{END}" in twin for name in names] == [True] * 3
        assert _depths(twin) == {0, 1}
    assert undirected(rendered.subject) == rendered.subject
    assert undirected(rendered.preheader) == rendered.preheader


def test_a_direction_that_somebody_typed_ends_with_their_name() -> None:
    rendered = render(replace(LETTERS["recall"], first_name="\N{RIGHT-TO-LEFT OVERRIDE}Ana\N{LEFT-TO-RIGHT ISOLATE}"))

    assert rendered.text.startswith("Hello Ana,\n")
    assert _depths(rendered.html) == {0}


def _depths(text: str) -> set[int]:
    """How deep in turns of direction the text is at its signs; it ends outside of all of them."""
    depth, found = 0, {0}
    for sign in text:
        depth += (sign == FIRST_STRONG) - (sign == END)
        found.add(depth)
    assert depth == 0
    return found


def test_a_merged_message_holds_every_section_under_one_greeting() -> None:
    text = render(LETTERS["merged"]).text

    assert text.count("Hello Ana,") == 1
    assert text.index("Please keep to this list") < text.index("* * *") < text.index("We look forward to seeing you")


def test_dates_come_in_their_order_whatever_order_they_were_given_in() -> None:
    later, earlier = visit(date(2027, 4, 1)), visit(date(2027, 3, 2))

    rendered = render(letter(Section(Kind.CONFIRMATION, (later, earlier))))

    assert rendered.text.index("2 March") < rendered.text.index("1 April")


def test_an_unknown_placeholder_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nickname }}").render({})


def test_a_text_cannot_reach_behind_its_placeholders() -> None:
    for attack in ("{{ day.__class__.__mro__ }}", "{{ ''.__class__ }}", "{{ [].append(1) }}"):
        with pytest.raises((SecurityError, UndefinedError, TemplateSyntaxError)):
            environment().from_string(attack).render(day=FIRST)


@pytest.mark.parametrize(("language", "said"), [
    ("en", "Call the emergency number 112 at once"), ("de", "Wählen Sie sofort den Notruf 112")])
def test_whom_to_call_in_an_emergency_is_a_number_where_the_clinic_has_named_one(language: str, said: str) -> None:
    aftercare = LETTERS["no-number-out-of-hours"]
    told = render(replace(aftercare, language=language, clinic=replace(aftercare.clinic, emergency_phone="112")))

    assert said in told.text
    assert said in told.html


@pytest.mark.parametrize(("phone", "address"), [
    ("+351 (21) 555-01 20", "tel:+351215550120"), ("+44 (0)20 7946 0000", "tel:+442079460000"),
    ("(020) 7946 0000", "tel:02079460000"),
])
def test_a_phone_number_is_dialled_as_digits(phone: str, address: str) -> None:
    assert dial_address(phone) == address
    assert f'<a href="{address}"' in render(replace(LETTERS["recall"], clinic=replace(CLINIC, phone=phone))).html
