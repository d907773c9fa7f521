"""What changed between two versions of a text, word by word."""
from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

_WORD = re.compile(r"\s+|\\?\{\w+\}|\w+|.", re.DOTALL)


class Fate(StrEnum):
    """What became of a stretch of a text."""

    SAME = "same"
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some words that stayed, went or came."""

    text: str
    fate: Fate


def text_changes(before: str, after: str) -> tuple[Stretch, ...]:
    """The two texts as one: what stayed, what went, and what came in its place, in the order of reading."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    found: list[Stretch] = []
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(Stretch("".join(old[i:j]), Fate.SAME))
        else:
            found += [Stretch("".join(words), fate) for words, fate in ((old[i:j], Fate.GONE), (new[k:m], Fate.NEW))
                      if words]
    return tuple(found)
