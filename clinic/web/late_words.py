"""What to say to a patient of somebody who runs late, in their language: `templates/running_late/words/`."""
from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

from clinic import paths

ENGLISH = "en"


def to_say(language: str, *, is_here: bool, **facts: str) -> tuple[str, str]:
    """The words, and the language that they are in: English where the patient's own is not among ours."""
    known = language if (_folder() / f"{language}.toml").is_file() and language.isalpha() else ENGLISH
    return _words(known)["here" if is_here else "coming"].format(**facts), known


@lru_cache(maxsize=16)
def _words(language: str) -> dict[str, str]:
    return tomllib.loads((_folder() / f"{language}.toml").read_text("utf-8"))


def _folder() -> Path:
    return paths.templates() / "running_late" / "words"
