"""A letter that no e-mail carries: as a person reads it out, the dates first, and as it is printed."""
from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from clinic.messages.letters import ClinicCard, Kind, Letter, Section
from clinic.messages.reading_order import letter_in_order
from clinic.messages.rendering import cancellation_heading, greeting, tells_the_way, tidy
from clinic.messages.section_texts import environment, section_text
from clinic.messages.views import DateView, SectionView, see_section
from clinic.messages.words import Labels, day_in_words, labels


@dataclass(frozen=True, slots=True)
class OnPaper:
    """A letter in its language: what it is about, its dates one by one, and the whole text; nothing of it opens a link.

    `day` is when it is printed, in words; `clinic` is who writes.
    """

    language: str
    clinic: ClinicCard
    day: str
    subject: str
    dates: tuple[str, ...]
    text: str


def on_paper(letter: Letter, *, today: date) -> OnPaper:
    """The letter as it is read out or printed."""
    bare = letter_in_order(replace(letter, calendars=(), sections=tuple(map(_without_link, letter.sections))))
    words = labels(letter.language)
    views = tuple(see_section(section, bare, words) for section in bare.sections)
    said = tuple(section_text(view, bare) for view in views)
    text = environment().get_template("messages/paper.txt").render(
        greeting=greeting(bare, words), sections=[_without_mail(each.text, words) for each in said],
        personal=bare.note, words=words, own=bare.clinic.own, clinic=bare.clinic,
        cancellation_heading=cancellation_heading(letter.clinic, words), tells_the_way=tells_the_way(letter),
        call=words.call.format(phone=letter.clinic.phone))
    dates = tuple(_date(date) for view in views for date in _dates_of(view))
    subject = said[0].subject if len(said) == 1 else words.merged_subject
    return OnPaper(letter.language, letter.clinic, day_in_words(today, words), subject, dates, tidy(text))


def _without_link(section: Section) -> Section:
    """Only where to write an opinion is an address that a person can copy."""
    return section if section.kind is Kind.REVIEW_REQUEST else replace(section, link=None)


def _dates_of(view: SectionView) -> tuple[DateView, ...]:
    return (*view.dates, *view.other_dates)


def _date(date: DateView) -> str:
    mark = f"{date.mark}: " if date.mark else ""
    return f"{mark}{date.day}, {date.hours}" + (f" ({date.old})" if date.old else "")


def _without_mail(text: str, words: Labels) -> str:
    for said, instead in words.on_paper.items():
        text = text.replace(said, instead)
    return text
