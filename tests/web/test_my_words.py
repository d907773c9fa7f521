"""The words of the patient's pages: every language says all of it, and nothing else."""
from __future__ import annotations

import re
from collections.abc import Iterator
from string import Formatter
from typing import Any

import pytest

from clinic import paths
from clinic.messages.rendering import languages
from clinic.web.my_words import my_languages, my_words

PAGES = [*(paths.templates() / "my").glob("*.html"), paths.templates() / "layout" / "patient.html"]
USED = re.compile(r"\bsay\.([a-z_]+)\.([a-z_0-9]+)")


def flat(words: dict[str, Any], where: str = "") -> Iterator[tuple[str, str]]:
    for key, value in words.items():
        yield from flat(value, f"{where}{key}.") if isinstance(value, dict) else ((f"{where}{key}", value),)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_the_pages_speak_every_language_that_messages_are_written_in() -> None:
    assert set(my_languages()) == set(languages())


@pytest.mark.parametrize("language", my_languages())
def test_a_language_has_every_text_with_its_placeholders(language: str) -> None:
    english, other = dict(flat(my_words("en"))), dict(flat(my_words(language)))

    assert list(other) == list(english)
    assert {key: placeholders(text) for key, text in other.items()} == {
        key: placeholders(text) for key, text in english.items()}
    assert [key for key, text in other.items() if not text.strip()] == []


def test_the_pages_name_no_text_that_is_not_there() -> None:
    known = my_words("en")
    named = {found for path in PAGES for found in USED.findall(path.read_text())}

    assert sorted(f"{part}.{key}" for part, key in named if key not in known.get(part, {})) == []


def test_a_text_that_no_page_names_is_not_kept() -> None:
    source = "\n".join(path.read_text() for path in PAGES)
    named = {f"{part}.{key}" for part, key in USED.findall(source)}
    chosen = {"told", "refused", "sorry", "symptom", "door", "born", "asked"}  # named by a code

    assert sorted(key for key, _ in flat(my_words("en"))
                  if key not in named and key.partition(".")[0] not in chosen and key != "language") == []
