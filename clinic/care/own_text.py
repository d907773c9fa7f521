"""What a person may write into a message: of bounded length, in characters that can be kept and read."""
from __future__ import annotations

import unicodedata

_UNFIT = frozenset({"Cc", "Cs", "Zl", "Zp"})


def fault_of(text: str, *, longest: int, most_lines: int) -> str | None:
    """What is wrong with a text, in words for whoever typed it; none: nothing."""
    stripped = text.strip()
    if len(stripped) > longest:
        return f"At most {longest} characters; this has {len(stripped)}."
    if len(stripped.splitlines()) > most_lines:
        return f"At most {most_lines} lines; this has {len(stripped.splitlines())}."
    if any(unicodedata.category(sign) in _UNFIT and sign not in "\n\r" for sign in text):
        return "This contains characters that cannot be kept. Type it again."
    return None
