"""What stands beside the form of a new course: what was found, the plans, and other times for a date of one of them."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from clinic.access import Right
from clinic.planning.findings import Finding, Weight
from clinic.planning.local import day_of
from clinic.queries.new_course import NewCoursePage
from clinic.queries.offers import Offers, offer_course
from clinic.queries.other_dates import offer_other_dates
from clinic.queries.patients import PatientRow, find_patients
from clinic.queries.times import TimesPage
from clinic.web import course_words
from clinic.web.course_form import AskedCourse, fingerprint
from clinic.web.entry import here, today
from clinic.web.finish_words import deadline_words
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.plan_cards import plan_cards
from clinic.web.plan_lines import time_line
from clinic.web.screening_form import contraindication_rows, grades, indications
from clinic.web.times import DayColumn, columns_of
from clinic.web.wish_form import DAYS, away_rows, is_wished
from clinic.web.words import moment
from clinic.web.zones import zone_words

MOST_FOUND = 8
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class OtherDates:
    """The times that one session of the chosen plan could have instead of `now`; two dates begin the weeks beside."""

    number: int
    now: str
    found: TimesPage
    columns: tuple[DayColumn, ...]
    before: date | None
    after: date

    @property
    def is_mixed(self) -> bool:
        """Whether the times are with several practitioners, so that each has to say with whom."""
        return len({time.practitioner for time in self.found.times}) > 1


def offers_for(asked: AskedCourse, *, reason_within: float | None = None) -> Offers | None:
    """The plans for what is asked; none while the form has faults."""
    if asked.request is None:
        return None
    with kit().read() as db:
        return offer_course(db, asked.request, now=now(), reason_within=reason_within)


def shown_plans(
    asked: AskedCourse, offers: Offers | None, *, refused: Sequence[Finding] = ()
) -> dict[str, Any]:
    """What the regions beside the form show."""
    found = offers.findings if offers else ()
    kept = offers.kept if offers else None
    numbers = {each.number for each in kept.kept} if kept else set()
    cards = plan_cards(offers.offers, numbers, offers.deadline, today=today()) if offers else ()
    key = asked.form.value("plan")
    warnings = tuple(each for each in found if each.weight is Weight.WARNS)
    finish = asked.request.wishes.finish if asked.request else None
    known = {each.code for each in warnings}
    return {
        "asked": asked, "chosen": asked.found.chosen, "offers": offers, "cards": cards,
        "line": time_line(offers.offers, finish) if offers else None, "warnings": warnings,
        "blocks": [each for each in found if each.weight is Weight.BLOCKS and each.until is None],
        "waits": [each for each in found if each.weight is Weight.BLOCKS and each.until is not None],
        "picked": key if key in {card.key for card in cards} else cards[0].key if cards else "",
        "kept": kept.kept if kept else (), "lost": _lost(offers), "refused": [
            each for each in refused if each.code not in known],
        "deadline": deadline_words(offers.deadline, asked.found.chosen.protocol.downtime, today())
        if offers and offers.deadline and asked.found.chosen else None,
        "others": _other_dates(asked), "seen": fingerprint(asked.form), "words": course_words,
        "may_override": here().may(Right.OVERRIDE_SCREENING), "zone_words": zone_words(here().clinic.zone),
        "today": today(), "focus": _focus(asked.form),
    }


def questions(found: NewCoursePage, form: Form) -> dict[str, Any]:
    """What the form asks, where a protocol is chosen."""
    if found.chosen is None:
        return {}
    protocol, may_override = found.chosen.protocol, here().may(Right.OVERRIDE_SCREENING)
    return {
        "indications": indications(protocol), "grades": grades(protocol),
        "rows": contraindication_rows(protocol, may_override=may_override),
        "protocol_facts": course_words.protocol_facts(protocol), "days": DAYS, "away_rows": away_rows(form),
        "is_wished": is_wished(form),
    }


def patients_found(found: NewCoursePage, search: str) -> dict[str, Any]:
    """The first patients that the search finds, while nobody is chosen; without a search the page asks for one."""
    rows: tuple[PatientRow, ...] = ()
    if found.patient is None and search.strip():
        with kit().read() as db:
            rows = find_patients(db, search, now=now(), limit=MOST_FOUND).rows
    return {"search": search, "patients": rows, "may_add": here().may(Right.EDIT_PATIENTS)}


def _lost(offers: Offers | None) -> list[tuple[int, str, str]]:
    """The dates that could not stay: which session, when, and why."""
    where = here().clinic.zone
    return [(each.choice.number, moment(each.choice.starts_at.astimezone(where)), each.reason)
            for each in (offers.kept.lost if offers else ())]


def _other_dates(asked: AskedCourse) -> OtherDates | None:
    """Times around a date of the chosen plan, where somebody asks for them: "2", or "2 2027-04-05" for other days."""
    number, _, given = str(asked.form.value("look")).partition(" ")
    visit = next((each for each in asked.visits if str(each.number) == number), None)
    if visit is None or asked.request is None:
        return None
    try:
        first_on = date.fromisoformat(given)
    except ValueError:
        on = day_of(visit.starts_at, here().clinic.zone)
        first_on = on - timedelta(days=on.weekday())
    first_on = max(first_on, today())
    with kit().read() as db:
        found = offer_other_dates(db, asked.request, asked.visits, visit.number, now=now(), from_on=first_on)
    if found is None:
        return None
    before = max(found.from_on - WEEK, today())
    return OtherDates(visit.number, str(visit), found, columns_of(found), before if before < found.from_on else None,
                      found.from_on + WEEK)


def _focus(form: Form) -> str:
    """The id of what goes on where something was pressed: whoever has no mouse is not sent back to the top."""
    if form.value("look"):
        return "other-dates"
    taken = str(form.value("take")).partition("@")[0] or form.value("stay") or form.value("move")
    return f"visit-{taken}" if str(taken).isdecimal() else ""
