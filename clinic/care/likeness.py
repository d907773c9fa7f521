"""How likely two records are of one person, and why, in words for the desk.

Names alone may be chance, and a shared phone may be a family's: so names decide whether two records are compared at
all, and what else is the same or different moves the score.
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

LIKELY = 50
_LAST_DIGITS = 9
"""Of a phone number: what is left when the country's code and the zeros before the number are taken off."""


@dataclass(frozen=True, slots=True)
class Person:
    """What is compared. Names and address are folded: lower case, without accents; the phone is digits."""

    given: str
    family: str
    birth_on: date | None = None
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Likeness:
    """A score, and what speaks for and against it."""

    score: int
    reasons: tuple[str, ...] = ()

    @property
    def is_likely(self) -> bool:
        """Whether a person should look at it."""
        return self.score >= LIKELY


def likeness(one: Person, other: Person) -> Likeness:
    """How alike two records are; the same whichever comes first."""
    parts = [_names(one, other)]
    if not parts[0][0]:
        return Likeness(0)
    parts += [_births(one.birth_on, other.birth_on), _phones(one.phone, other.phone)]
    if one.email and one.email == other.email:
        parts.append((30, "same e-mail address"))
    return Likeness(max(0, sum(score for score, _ in parts)), tuple(words for _, words in parts if words))


def typed_apart(one: str, other: str) -> int:
    """How many slips of the keyboard lie between two words: a letter more, less, other, or two in the wrong order.

    More than two count as three.
    """
    if one == other:
        return 0
    # Each slip brings or takes two letters at most, which is quicker asked than how to get from one to the other.
    if abs(len(one) - len(other)) > 2 or (_letters(one) ^ _letters(other)).bit_count() > 4:
        return 3
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        last, before, row = before, row, [place]
        for there, against in enumerate(other, 1):
            cost = min(before[there] + 1, row[there - 1] + 1, before[there - 1] + (letter != against))
            if place > 1 and there > 1 and letter == other[there - 2] and one[place - 2] == against:
                cost = min(cost, last[there - 2] + 1)
            row.append(cost)
    return min(3, row[-1])


def same_phone(one: str, other: str) -> bool:
    """Whether two numbers are the same but for the country's code and the zeros before it."""
    first, second = one.lstrip("0"), other.lstrip("0")
    if min(len(first), len(second)) < 6:
        return bool(first) and first == second
    shorter, longer = sorted((first, second), key=len)
    return longer.endswith(shorter[-_LAST_DIGITS:]) and (len(shorter) >= _LAST_DIGITS or longer.endswith(shorter))


def _names(one: Person, other: Person) -> tuple[int, str]:
    mine, theirs = (one.given, one.family), (other.given, other.family)
    if mine == theirs:
        return 50, "same name"
    if mine == theirs[::-1] or (sum(map(len, mine)) == sum(map(len, theirs)) and _words(one) == _words(other)):
        return 45, "first and family name swapped"
    if one.family == other.family and _has_further_names(one.given, other.given):
        return 40, "same name, with a further first name"
    slips = min(_slips(mine, theirs), _slips(mine, theirs[::-1]))
    if slips == 1 and _is_long_enough(one, other, 3):
        return 40, "name spelt almost the same"
    if slips == 2 and _is_long_enough(one, other, 6):
        return 30, "name spelt nearly the same"
    if one.given == other.given and one.given:
        return 10, "same first name, another family name"
    return 0, ""


def _slips(mine: tuple[str, str], theirs: tuple[str, str]) -> int:
    first = typed_apart(mine[0], theirs[0])
    return first if first > 2 else first + typed_apart(mine[1], theirs[1])


@lru_cache(maxsize=65_536)
def _letters(word: str) -> int:
    """Which letters a word has, as bits; some share one."""
    found = 0
    for letter in word:
        found |= 1 << ord(letter) % 61
    return found


def _words(person: Person) -> list[str]:
    return sorted(f"{person.given} {person.family}".split())


def _has_further_names(one: str, other: str) -> bool:
    first, second = one.replace("-", " ").split(), other.replace("-", " ").split()
    return bool(first) and bool(second) and (
        set(first) < set(second) or set(second) < set(first)) and first[0] == second[0]


def _is_long_enough(one: Person, other: Person, least: int) -> bool:
    """Of short names almost every one is a slip away from another."""
    return all(len(name) >= least for person in (one, other) for name in (person.given, person.family))


def _births(one: date | None, other: date | None) -> tuple[int, str]:
    if one is None or other is None:
        return 0, "" if one == other else "one birth date is missing"
    if one == other:
        return 35, "same birth date"
    if one.year == other.year and (one.month, one.day) == (other.day, other.month):
        return 25, "birth date with day and month swapped"
    if sum((one.year == other.year, one.month == other.month, one.day == other.day)) == 2:
        return 10, "birth date differs in one place"
    return -25, "another birth date"


def _phones(one: str, other: str) -> tuple[int, str]:
    if not one or not other:
        return 0, ""
    return (25, "same phone number") if same_phone(one, other) else (0, "")
