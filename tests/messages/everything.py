"""Every message that can go out, put into words once for all tests that look at all of them."""
from __future__ import annotations

from functools import cache

from clinic.messages.rendering import Rendered, render
from tests.messages.samples import EVERY_LETTER


@cache
def everything() -> dict[str, Rendered]:
    """Letters in both languages, the newsletter with its question, the digest: by the name of its approved text."""
    from tests.messages.test_news import MESSAGES

    return {**{name: render(letter) for name, letter in EVERY_LETTER.items()}, **MESSAGES}
