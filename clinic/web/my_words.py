"""What the patient's own pages say, in their language: `templates/my/words/<language>.toml`."""
from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import request

from clinic import paths

ENGLISH = "en"


@lru_cache(maxsize=16)
def my_words(language: str) -> dict[str, Any]:
    """The words of one of `my_languages`, by the part of the page."""
    return tomllib.loads((_folder() / f"{language}.toml").read_text("utf-8"))


@lru_cache(maxsize=1)
def my_languages() -> tuple[str, ...]:
    """The languages that the pages speak."""
    return tuple(sorted(file.stem for file in _folder().glob("*.toml")))


def my_language(wanted: str | None) -> str:
    """The patient's language where the pages speak it, else what the browser asks for, else English."""
    if wanted in my_languages():
        return wanted or ENGLISH
    return request.accept_languages.best_match(my_languages(), default=ENGLISH) or ENGLISH


def said(words: str, **values: object) -> str:
    """The words with their placeholders filled in."""
    return words.format(**values)


def _folder() -> Path:
    return paths.templates() / "my" / "words"
