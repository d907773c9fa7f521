"""Puts a letter into words: subject, text and HTML, from the texts of its language inside one layout."""
from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup, escape

from clinic import paths
from clinic.care.dialling import dial_address
from clinic.messages.discretion import discreet
from clinic.messages.letters import ClinicCard, Kind, Letter, VisitState
from clinic.messages.reading_order import letter_in_order
from clinic.messages.section_texts import block, environment, section_text, styles
from clinic.messages.views import SectionView, see_section
from clinic.messages.words import Labels, date_in_words, folder, labels

_TELLS_THE_WAY = frozenset(
    {Kind.CONFIRMATION, Kind.CHANGE, Kind.CLINIC_CHANGE, Kind.REMINDER_7D, Kind.REMINDER_2D})
"""What says how to find the clinic, and what it asks of who cannot come, where the clinic has words for it."""
_LEADS = frozenset({Kind.CONFIRMATION, Kind.CHANGE, Kind.CLINIC_CHANGE, Kind.CANCELLATION})
"""What names the whole letter that it begins."""
_NOT_DIALLED = r'<a\b.*?</a>|<head>.*?</head>|<div class="preheader".*?</div>|<[^>]*>'
"""Where a number stands that is no link: in one already, before the page, in the line that mail programs preview."""
_FILES = ("subject.txt", "body.txt", "body.html")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A letter in words, ready for its envelope; the calendar files pass through as they came."""

    subject: str
    preheader: str
    text: str
    html: str
    calendars: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class CalendarWords:
    """What an appointment is called in a patient's calendar: neutral, whatever it is for."""

    summary: str
    description: str


def render(letter: Letter) -> Rendered:
    """The letter in its language; LookupError where that language has no such texts."""
    letter = letter_in_order(letter)
    words, env = labels(letter.language), environment()
    views = tuple(see_section(section, letter, words) for section in letter.sections)
    said = tuple(section_text(view, letter) for view in views)
    leads = len(said) == 1 or letter.sections[0].kind in _LEADS
    subject = said[0].subject if leads else words.merged_subject
    preheader = (said[0].preheader if leads else "") or _preheader(views, letter, words)
    around = {
        "subject": subject,
        "preheader": preheader,
        "language": letter.language,
        "greeting": greeting(letter, words),
        "personal": letter.note,
        "clinic": letter.clinic,
        "phone_link": dial_address(letter.clinic.phone),
        "words": words,
        "reply_or_call": words.reply_or_call.format(phone=letter.clinic.phone),
        "own": letter.clinic.own,
        "cancellation_heading": cancellation_heading(letter.clinic, words),
        "tells_the_way": tells_the_way(letter),
        "around_phone": words.reply_or_call.split("{phone}"),
    }
    text = env.get_template("messages/layout.txt").render(around, sections=[each.text for each in said])
    html = env.get_template("messages/layout.html").render(
        around, sections=[each.html for each in said], media=Markup(styles().media))
    return Rendered(subject, preheader, tidy(text), _dialled(html, letter.clinic), letter.calendars)


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """The languages in which every kind of message has all its texts, as found when first asked."""
    root = paths.templates() / "messages"
    found = (file.stem for file in sorted(folder().glob("*.toml")))
    return tuple(
        each for each in found if all((root / kind / each / name).is_file() for kind in Kind for name in _FILES)
    )


def calendar_words(language: str, clinic: ClinicCard) -> CalendarWords:
    """What to write into the calendar of a patient with that language; a clinic's name only where it tells nothing."""
    words, name = labels(language), discreet(clinic.name)
    summary = words.calendar_summary.format(clinic=name) if name else words.calendar_summary_unnamed
    return CalendarWords(summary, words.calendar_description.format(phone=clinic.phone))


def _preheader(views: tuple[SectionView, ...], letter: Letter, words: Labels) -> str:
    ahead = (date for view in views if view.shows_dates_ahead for date in view.dates)
    first = next((date for date in ahead if date.state != VisitState.CANCELLED.value), None)
    if first is None:
        return words.preheader.format(phone=letter.clinic.phone)
    return words.preheader_with_date.format(day=first.short_day, time=first.time, phone=letter.clinic.phone)


def cancellation_heading(clinic: ClinicCard, words: Labels) -> str:
    """Over the clinic's rule for who cannot come: of which day it is, where that is known."""
    rule_of = clinic.own.cancellation_of
    return words.cancellation_of.format(day=date_in_words(rule_of, words)) if rule_of else words.cancellation


def tells_the_way(letter: Letter) -> bool:
    """Whether it is about coming: then it says how to find the clinic, and what it asks of who cannot come."""
    return any(section.kind in _TELLS_THE_WAY for section in letter.sections)


def greeting(letter: Letter, words: Labels) -> str:
    """By the first name, where there is one."""
    name = letter.first_name.strip()
    return words.greeting.format(name=name) if name else words.greeting_without_name


def _dialled(html: str, clinic: ClinicCard) -> str:
    """The page with its phone numbers on one line each, and each of them a link that dials it."""
    links: dict[str, str] = {}
    for phone in filter(None, (clinic.phone, clinic.out_of_hours_phone)):
        number = Markup(escape(phone).replace(" ", "\N{NO-BREAK SPACE}"))
        html = html.replace(escape(phone), number)
        links[number] = block("html", "dial")(number, dial_address(phone))
    numbers = "|".join(sorted(map(re.escape, links), key=len, reverse=True))
    places = re.compile(rf"({_NOT_DIALLED})|(?<![\w#])({numbers})(?!\w)", re.DOTALL)
    return places.sub(lambda found: found[1] or links[found[2]], html)


def tidy(text: str) -> str:
    """No spaces at line ends, never more than one empty line, one line end at the end."""
    lines = [line.rstrip() for line in text.splitlines()]
    kept = [line for line, before in zip(lines, ["", *lines], strict=False) if line or before]
    return "\n".join(kept).strip("\n") + "\n"
