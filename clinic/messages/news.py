"""The newsletter in words: an edition for one reader, and the question whether they want it at all."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from clinic.care.dialling import dial_address
from clinic.care.directions import isolated, undirected
from clinic.care.newsletter import Block
from clinic.messages.discretion import discreet
from clinic.messages.letters import ClinicCard
from clinic.messages.reading_order import blocks_in_order, card_in_order
from clinic.messages.rendering import Rendered, tidy
from clinic.messages.section_texts import environment, styles
from clinic.messages.words import day_in_words, labels

_PREHEADER = 90


@dataclass(frozen=True, slots=True)
class NewsLetter:
    """An edition as one reader gets it: `stop` ends the newsletter for them, `archive` is where everybody reads it."""

    language: str
    business: str
    clinic: ClinicCard
    subject: str
    blocks: Sequence[Block]
    stop: str
    archive: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Asks the owner of an address whether they want the newsletter; `until` is the last day on which `link` works."""

    language: str
    business: str
    clinic: ClinicCard
    wording: str
    link: str
    until: date
    at_the_desk: bool = False


def render_edition(letter: NewsLetter) -> Rendered:
    """An edition in words; the same for every reader but for the link that stops it."""
    clinic = card_in_order(letter.clinic)
    facts = {
        "heading": isolated(letter.subject), "blocks": blocks_in_order(letter.blocks),
        "business": isolated(letter.business), "clinic": clinic,
        "phone_link": dial_address(letter.clinic.phone), "stop": letter.stop, "archive": letter.archive,
    }
    first = next((text for block in letter.blocks for text in block.paragraphs), letter.subject)
    return framed(
        letter.subject, first if len(first) <= _PREHEADER else f"{first[:_PREHEADER].rsplit(' ', 1)[0]} …",
        brand=clinic.name, language=letter.language, facts=facts, body="messages/edition/body",
        closing=f"messages/edition/{letter.language}/closing")


def render_question(question: Question) -> Rendered:
    """The question in words."""
    words = labels(question.language)
    where = f"messages/opt-in/{question.language}"
    clinic = card_in_order(question.clinic)
    facts = {
        "business": isolated(question.business), "named": discreet(question.business), "clinic": clinic,
        "phone_link": dial_address(clinic.phone),
        "wording": isolated(question.wording), "link": question.link, "until": day_in_words(question.until, words),
        "at_the_desk": question.at_the_desk,
    }
    subject = environment().get_template(f"{where}/subject.txt").render(facts)
    return framed(
        " ".join(subject.split()), words.preheader.format(phone=clinic.phone), brand=clinic.name,
        language=question.language, facts=facts, body=f"{where}/body", closing=f"{where}/closing")


def framed(
    subject: str, preheader: str, *, brand: str, language: str, facts: dict[str, object], body: str, closing: str
) -> Rendered:
    """A message that is no letter to a patient: its texts of that name in the frame, as text and as a page."""
    env, subject = environment(), undirected(subject)
    text = env.get_template("messages/frame.txt").render({
        part: env.get_template(f"{name}.txt").render(facts).strip("\n")
        for part, name in (("body", body), ("closing", closing))})
    html = env.get_template("messages/frame.html").render({
        "subject": subject, "preheader": preheader, "brand": brand, "language": language,
        "media": Markup(styles().media), "body": Markup(env.get_template(f"{body}.html").render(facts)),
        "closing": Markup(env.get_template(f"{closing}.html").render(facts)),
    })
    return Rendered(subject, preheader, tidy(text), html)
