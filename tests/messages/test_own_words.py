"""A clinic's own words stand in both twins of every kind and language, and none of the facts is lost by them."""
from __future__ import annotations

import email.policy
from dataclasses import replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.directions import END, FIRST_STRONG
from clinic.care.message_kinds import MessageKind
from clinic.care.own_text import Part
from clinic.care.placeholders import placeholders_of
from clinic.messages.discretion import telling_words
from clinic.messages.envelope import EnvelopeHeader, build_mime
from clinic.messages.letters import ClinicCard, Kind, KindWords, Letter
from clinic.messages.our_words import our_words
from clinic.messages.rendering import Rendered, languages, render
from clinic.messages.sample_letters import sample_letter
from clinic.planning.findings import blocks
from clinic.queries.texts import Writer
from clinic.services.own_words import own_lines
from clinic.services.text_faults import judge_text, places_of
from tests.messages.samples import CLINIC, LETTERS
from tests.messages.test_rendering import plain

EVERY = [(kind, language) for kind in MessageKind for language in languages()]
WRITER = Writer(CLINIC.name, CLINIC.phone, ())
HEADER = EnvelopeHeader(sender_name="Harbour", sender_email="desk@example.org", to="ana@example.org",
                        message_id="<1@example.org>", sent_at=datetime(2027, 3, 1, 9, tzinfo=UTC), language="en")


def letter(kind: MessageKind, language: str, own: KindWords, *, clinic: ClinicCard = CLINIC, **more: object) -> Letter:
    """A letter of that kind in which the clinic says these words of its own."""
    found = sample_letter(Kind(kind.value), clinic, language=language, first_name="Ana", today=date(2027, 3, 1))
    return replace(found, sections=tuple(replace(each, own=own) for each in found.sections), **more)


def told(kind: MessageKind, part: Part) -> str:
    """A text that names every placeholder of that part."""
    return f"Our own {part}: " + ", ".join(f"{{{name}}}" for name in placeholders_of(kind, part))


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_every_kind_says_own_words_in_both_twins_and_keeps_its_facts(kind: MessageKind, language: str) -> None:
    subject, opening = told(kind, Part.SUBJECT), told(kind, Part.OPENING)
    own = KindWords(subject, told(kind, Part.SEVERAL), told(kind, Part.PREHEADER), (opening, "", "A second paragraph."))
    ours = render(letter(kind, language, KindWords()))

    found = render(letter(kind, language, own))

    mail = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(build_mime(found, HEADER))
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert mail["Subject"].startswith("Our own subject") and text is not None and html is not None
    assert found.preheader.startswith("Our own preheader") and found.preheader in plain(found.html)
    assert "{" not in f"{mail['Subject']}{text.get_content()}{found.preheader}"
    assert "\n\nA second paragraph.\n\n" in text.get_content().replace("\r\n", "\n")
    [line] = [each for each in found.text.splitlines() if each.startswith("Our own opening")]
    assert "".join(line.split()) in "".join(plain(html.get_content()).split())
    lost = set(ours.text.splitlines()) - set(found.text.splitlines())
    assert len(lost) <= (1 if our_words(kind, language)[Part.OPENING] else 0)


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_our_words_written_as_a_clinics_own_say_the_same(kind: MessageKind, language: str) -> None:
    ours = our_words(kind, language)
    own = KindWords(ours[Part.SUBJECT], ours.get(Part.SEVERAL, ""), ours[Part.PREHEADER])

    as_own, as_ours = render(letter(kind, language, own)), render(letter(kind, language, KindWords()))

    assert (as_own.subject, as_own.preheader, as_own.text) == (as_ours.subject, as_ours.preheader, as_ours.text)


def _reminder(own: KindWords, **more: object) -> Rendered:
    return render(letter(MessageKind.REMINDER_2D, "en", own, **more))


def test_whatever_looks_like_a_programme_is_printed() -> None:
    attack = "{{ 7*7 }} {% raw %} <script>alert(1)</script> {{ ''.__class__.__mro__ }} {0.__class__} ${7*7}"

    found = _reminder(KindWords(attack, "", "", (attack,)))

    assert found.subject == attack
    assert f"\n\n{attack}\n\n" in found.text
    assert attack in plain(found.html)
    assert "<script" not in found.html


def test_a_text_that_names_what_the_letter_does_not_have_gives_way_to_ours() -> None:
    nameless = _reminder(KindWords("{first_name}, see you", "", "{nickname}", ("Dear {first_name}",)), first_name=" ")

    ours = _reminder(KindWords(), first_name=" ")

    assert (nameless.subject, nameless.preheader, nameless.text) == (ours.subject, ours.preheader, ours.text)


def test_a_name_in_a_subject_is_a_name_whatever_it_sounds_like_and_a_clinics_may_not_tell() -> None:
    own = KindWords("{first_name}, see you at {clinic}", "", "At {clinic}")
    laser = replace(CLINIC, name="Skin Laser Centre")

    assert telling_words("Oscar Facey")
    assert _reminder(own, first_name="Oscar Facey").subject == "Oscar Facey, see you at Harbour Clinic"
    told = _reminder(own, clinic=laser)
    assert telling_words(f"{told.subject} {told.preheader}") == ()
    assert told.subject.startswith("Reminder: ")


def test_a_name_from_right_to_left_keeps_its_place_among_the_words() -> None:
    found = _reminder(KindWords("{first_name}: 10:00?", "", "", ("({first_name}, 10:00)",)), first_name="נועה")

    for twin in (found.html, found.text):
        assert f"({FIRST_STRONG}נועה{END}, 10:00)" in twin
    assert found.subject == "נועה: 10:00?"


def test_in_a_letter_of_several_things_each_says_its_own_and_the_first_names_it() -> None:
    merged = LETTERS["merged"]
    own = KindWords("A subject", "", "", ("Mine.",))
    first, *others = merged.sections

    found = render(replace(merged, sections=(replace(first, own=own), *others)))

    assert found.text.count("Mine.") == 1
    assert found.subject == render(merged).subject


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\"), max_size=40),
       st.sampled_from(["", "{first_name}", "{{date}}"]), st.sampled_from(languages()))
def test_whatever_the_checks_let_pass_is_written_whole_and_tells_nothing(text: str, mark: str, language: str) -> None:
    words = dict.fromkeys((Part.SUBJECT, Part.PREHEADER, Part.OPENING), f"{text}{mark}")
    kept = {place.part: words[place.part].strip() for place in places_of(MessageKind.REMINDER_2D)
            if not blocks(judge_text(place, words[place.part], WRITER))}
    own = KindWords(kept.get(Part.SUBJECT, ""), "", kept.get(Part.PREHEADER, ""), own_lines(kept.get(Part.OPENING, "")))

    found = render(letter(MessageKind.REMINDER_2D, language, own))

    mail = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(build_mime(found, HEADER))
    assert [part.get_content_type() for part in mail.walk()][-2:] == ["text/plain", "text/html"]
    assert mail["Subject"].strip()
    assert telling_words(f"{found.subject} {found.preheader}".replace("Ana", "")) == ()
    assert "{first_name}" not in found.text
