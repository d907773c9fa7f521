"""The form of an edition: its fields in each language, and what they mean."""
from __future__ import annotations

from typing import Any

from clinic.care.newsletter import (
    INTERESTS,
    LANGUAGES,
    LONGEST_ADDRESS,
    LONGEST_HEADING,
    LONGEST_LABEL,
    LONGEST_SUBJECT,
    LONGEST_TEXT,
    MOST_BLOCKS,
    Block,
    Content,
)
from clinic.queries.newsletter import EditionCard
from clinic.services.editions import Draft
from clinic.web.forms import Form

LANGUAGE_WORDS = {"en": "English", "de": "German (Deutsch)"}
INTEREST_WORDS = {
    "news": "News of the clinic", "tips": "Everyday tips", "events": "Open days and events", "offers": "Offers",
}
LONGEST = {"subject": LONGEST_SUBJECT, "heading": LONGEST_HEADING, "text": LONGEST_TEXT, "label": LONGEST_LABEL,
           "address": LONGEST_ADDRESS}


def read_draft(form: Form) -> Draft:
    """What was typed of an edition; faults stay with the form. A language without any word is left out."""
    contents = tuple(_read_content(form, language) for language in LANGUAGES)
    return Draft(
        title=form.text("title", "The name of the edition", most=100),
        interests=form.some_of("interests", "Interests", INTERESTS),
        contents=tuple(each for each in contents if each.subject or each.blocks),
        in_archive=form.ticked("in_archive"))


def initial_of(card: EditionCard) -> dict[str, Any]:
    """What the fields show before anything is typed."""
    found: dict[str, Any] = {"title": card.title, "interests": card.interests, "lock_version": card.lock_version,
                             "in_archive": "yes" if card.in_archive else ""}
    for content in card.contents:
        found[f"{content.language}-subject"] = content.subject
        for number, block in enumerate(content.blocks):
            found |= {f"{content.language}-{number}-{name}": getattr(block, name) for name in Block.__slots__}
    return found


def field_choices(form: Form) -> dict[str, Any]:
    """What the fields offer; of each language the parts that are used, and an empty one."""
    return {
        "interest_choices": list(INTEREST_WORDS.items()), "languages": LANGUAGE_WORDS, "longest": LONGEST,
        "parts": {language: range(min(MOST_BLOCKS, max([-1, *_used(form, language)]) + 2)) for language in LANGUAGES},
    }


def interest_words(codes: tuple[str, ...]) -> str:
    """Such as "Everyday tips, Offers"; none: everything."""
    return ", ".join(INTEREST_WORDS.get(each, each) for each in codes) or "Everything"


def _read_content(form: Form, language: str) -> Content:
    name = LANGUAGE_WORDS[language]
    blocks = []
    for number in range(MOST_BLOCKS):
        place = f"{language}-{number}"
        blocks.append(Block(
            heading=form.text(f"{place}-heading", "The heading", most=LONGEST_HEADING, required=False),
            text=form.text(f"{place}-text", "The text", most=LONGEST_TEXT, required=False, lines=True),
            label=form.text(f"{place}-label", "The words of the link", most=LONGEST_LABEL, required=False),
            address=form.text(f"{place}-address", "The address of the link", most=LONGEST_ADDRESS, required=False)))
    subject = form.text(f"{language}-subject", f"The subject in {name}", most=LONGEST_SUBJECT, required=False)
    # Parts keep their places until all is right, so that a fault is shown where it is.
    last = max((number for number, block in enumerate(blocks) if not block.is_empty), default=-1)
    return Content(language, subject, tuple(blocks[:last + 1]))


def _used(form: Form, language: str) -> list[int]:
    return [number for number in range(MOST_BLOCKS)
            if any(form.value(f"{language}-{number}-{name}") for name in Block.__slots__)]
