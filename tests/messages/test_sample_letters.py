"""The samples that a clinic reads are in the language asked for."""
from __future__ import annotations

from datetime import date

import pytest

from clinic.messages.letters import Kind
from clinic.messages.rendering import languages, render
from clinic.messages.sample_letters import sample_letter
from tests.messages.samples import CLINIC
from tests.messages.test_rendering import ENGLISH


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", Kind)
def test_a_sample_of_every_kind_speaks_one_language(kind: Kind, language: str) -> None:
    rendered = render(sample_letter(kind, CLINIC, language=language, first_name="Anna", today=date(2027, 3, 1)))

    assert bool(ENGLISH.search(rendered.text)) is (language == "en")
