"""What a clinic says in words of its own in one section, with its placeholders filled in; nothing where ours stand.

A text of its own gives way to ours where it names what this letter does not have, and so does a subject or preheader
that would tell what the patient is treated for: the name of a clinic may do that, and it may have changed since.
"""
from __future__ import annotations

from clinic.care.placeholders import fill
from clinic.messages.discretion import telling_words
from clinic.messages.letters import Kind, Letter
from clinic.messages.views import SectionView, see_section
from clinic.messages.words import labels


def own_subject(view: SectionView) -> str:
    """The clinic's subject for so many dates."""
    return _in_the_inbox(view.own.subject_several if len(view.dates) > 1 else view.own.subject, view)


def own_preheader(view: SectionView) -> str:
    """The clinic's line below the subject."""
    return _in_the_inbox(view.own.preheader, view)


def own_opening(view: SectionView) -> tuple[tuple[str, ...], ...]:
    """The clinic's opening words, in paragraphs of lines."""
    values = values_of(view)
    paragraphs: list[tuple[str, ...]] = [()]
    for line in view.own.opening:
        filled = fill(line, values)
        if filled is None:
            return ()
        paragraphs = [*paragraphs[:-1], (*paragraphs[-1], filled)] if filled else [*paragraphs, ()]
    return tuple(filter(None, paragraphs))


def values_in(letter: Letter, kind: Kind) -> dict[str, str]:
    """What each placeholder stands for where a letter tells that kind of thing; nothing where it does not."""
    section = next((each for each in letter.sections if each.kind is kind), None)
    return values_of(see_section(section, letter, labels(letter.language))) if section else {}


def values_of(view: SectionView) -> dict[str, str]:
    """What each placeholder stands for in this section; empty where it has no such thing."""
    first = view.dates[0] if view.dates else None
    return {
        "first_name": view.first_name, "clinic": view.clinic, "phone": view.phone,
        "date": first.short_day if first else view.treated_day, "time": first.time if first else "",
        "count": str(len(view.dates)), "from_date": view.offer_from, "to_date": view.offer_to,
        "held_until": view.held_until,
    }


def _in_the_inbox(text: str, view: SectionView) -> str:
    filled = fill(text, values_of(view))
    # What a patient is called tells nothing of the treatment, whatever it sounds like.
    said = fill(text, values_of(view) | {"first_name": "-"})
    return "" if not filled or not said or telling_words(said) else " ".join(filled.split())
