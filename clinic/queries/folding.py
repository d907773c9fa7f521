"""Text as a search compares it: without case, accents or punctuation of numbers."""
from __future__ import annotations

import re
import unicodedata

# Letters that are no letter with a mark, and that many keyboards cannot type.
_PLAIN = str.maketrans({
    "ß": "ss", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "ħ": "h", "ı": "i", "þ": "th", "ŧ": "t",
})
# What names are written with where a key for it is missing: O’Connor, O'Connor, O`Connor, O´Connor.
_APOSTROPHES = str.maketrans("", "", "'`´‘’ʻʼ′")
_BETWEEN = re.compile(r"[\s,;-]+")
_NO_DIGIT = re.compile(r"[^0-9]+", re.ASCII)
_NUMBER = re.compile(r"([0-9]+)")


def folded(text: str) -> str:
    """Lower case, without accents or apostrophes, with single spaces; the sign that PostgreSQL cannot be asked for is
    one."""
    text = text.replace("\0", " ").translate(_APOSTROPHES)
    if text.isascii():
        return " ".join(text.lower().split())
    parted = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in parted if not unicodedata.combining(letter))
    return " ".join(unicodedata.normalize("NFC", bare).translate(_PLAIN).split())


def words(text: str) -> list[str]:
    """The words of a name or of a search, folded, whichever of space, comma and hyphen parts them."""
    return [word for word in _BETWEEN.split(folded(text)) if word]


def digits(text: str) -> str:
    """The digits of a phone number."""
    return _NO_DIGIT.sub("", text)


def by_name(name: str) -> tuple[str | int, ...]:
    """What names are put in order by, as people count: Room 2 before Room 10, whatever their case."""
    return tuple(int(part) if at % 2 else part for at, part in enumerate(_NUMBER.split(name.casefold())))
