"""A made-up course with all its messages, as the lines of a page."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from clinic.care.ahead import Ahead
from clinic.care.foreseen import Mail, Saying, Unsaid, foresee, moved_by, unsaid
from clinic.care.made_up_course import Setting, Story, made_up_course
from clinic.care.message_kinds import MessageKind
from clinic.care.message_rules import Rule
from clinic.care.owner_facts import AppointmentFacts, OwnerFacts
from clinic.care.states import AppointmentState
from clinic.planning.local import local_of
from clinic.queries.rules_page import RulesPage
from clinic.web.rule_words import MOVED, when_words
from clinic.web.words import MESSAGE_KINDS, plural

LONG_DAYS = 14
"""After so many days without anything the page says how long it was."""


@dataclass(frozen=True, slots=True)
class SaidLine:
    """One thing that an e-mail says: its name, which session it is about, and why it goes just then."""

    name: str
    about: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SequenceLine:
    """A line of a sequence: a mark of the course, an e-mail, or what is not sent; `later` says so after a long time."""

    kind: str
    at: datetime
    title: str = ""
    said: tuple[SaidLine, ...] = ()
    later: str = ""
    whole_day: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """The lines in order of time, with the number of e-mails and of what they leave out."""

    lines: tuple[SequenceLine, ...]
    mails: int
    left_out: int


def sequence(found: RulesPage, rules: Mapping[MessageKind, Rule], story: Story, *, most_a_day: int, today: date) -> (
        Sequence | None):
    """The whole sequence of a course booked today under these rules; none where there is no protocol."""
    if found.content is None:
        return None
    clinic = found.clinic
    setting = Setting(clinic.quiet, clinic.business, found.under(rules), clinic.may_ask_opinion)
    owners = made_up_course(found.content, setting, story, booked_on=today)
    begins_at, where = owners[0].stages[0][0], clinic.quiet.zone
    mails = foresee(owners, begins_at=begins_at, most_a_day=most_a_day)
    left = unsaid(owners, mails, begins_at=begins_at, most_a_day=most_a_day)
    count = len(owners[0].stages[0][1].sessions)
    lines = [*_marks(owners, where), *(_mail_line(mail, count, where) for mail in mails),
             *(_unsaid_line(each, count, where) for each in left)]
    return Sequence(tuple(_with_gaps(sorted(lines, key=_place))), len(mails), len(left))


def _place(line: SequenceLine) -> tuple[datetime, bool]:
    return line.at.astimezone(UTC), line.kind != "mark"


def _with_gaps(lines: list[SequenceLine]) -> Iterator[SequenceLine]:
    before = lines[0].at.date()
    for line in lines:
        on = line.at.date()
        days, year = (on - before).days, f", in {on.year}" if on.year != before.year else ""
        yield replace(line, later=f"{_span(days)} later{year}") if days >= LONG_DAYS else line
        before = on


def _span(days: int) -> str:
    return plural(days // 7, "week") if days < 70 else plural(round(days / 30.4), "month")


def _marks(owners: tuple[Ahead, Ahead], where: ZoneInfo) -> Iterator[SequenceLine]:
    begins_at, first = owners[0].stages[0]
    last = owners[0].stages[-1][1]
    count = len(first.sessions)
    yield SequenceLine("mark", local_of(begins_at, where), _booked(first))
    for visit in last.appointments:
        yield _visit(visit, count, where)
        if visit.confirmed_at is not None:
            yield SequenceLine("mark", local_of(visit.confirmed_at, where),
                               f"The patient says that they come to session {visit.treatment_session_id}")
    if last.is_active:
        owed = last.sessions[-1]
        for on, words in ((owed.earliest_on, "opens"), (owed.ideal_on, "is at its ideal date"),
                          (owed.latest_on, "closes")):
            if on is not None:
                yield _day(on, f"The window of session {owed.number} {words}", where)
    if last.review.judged_on is not None:
        yield _day(last.review.judged_on, "The result is judged", where)
    for upkeep in owners[1].stages[-1][1].sessions:
        if upkeep.ideal_on is not None:
            yield _day(upkeep.ideal_on, "Ideal date of the first upkeep", where)


def _booked(facts: OwnerFacts) -> str:
    dates, count = len(facts.appointments), len(facts.sessions)
    return f"Booked: {plural(dates, 'date')}" + ("" if dates == count else f" of {plural(count, 'session')}")


def _visit(visit: AppointmentFacts, count: int, where: ZoneInfo) -> SequenceLine:
    missed = ": the patient does not come" if visit.state is AppointmentState.NOSHOW else ""
    return SequenceLine(
        "visit", local_of(visit.starts_at, where), f"Session {visit.treatment_session_id} of {count}{missed}")


def _day(on: date, title: str, where: ZoneInfo) -> SequenceLine:
    return SequenceLine("mark", datetime.combine(on, time(), where), title, whole_day=True)


def _mail_line(mail: Mail, count: int, where: ZoneInfo) -> SequenceLine:
    return SequenceLine("mail", local_of(mail.at, where), said=tuple(_said(each, count, mail.at) for each in mail.said))


def _said(saying: Saying, count: int, at: datetime) -> SaidLine:
    kind = saying.item.kind
    why = (when_words(kind, saying.facts.rules.of(kind)), *(MOVED[moved] for moved in moved_by(saying, at)))
    return SaidLine(MESSAGE_KINDS[kind], _about(saying, count), why)


def _unsaid_line(each: Unsaid, count: int, where: ZoneInfo) -> SequenceLine:
    kind = each.saying.item.kind
    return SequenceLine("unsaid", local_of(each.at, where), said=(
        SaidLine(MESSAGE_KINDS[kind], _about(each.saying, count), (each.why,)),))


def _about(saying: Saying, count: int) -> str:
    """Which session it is about; the ids of a made-up course are the numbers of its sessions."""
    if saying.item.subject_kind not in ("appointment", "treatment-session"):
        return ""
    number = saying.item.subject_id
    return f"session {number}" if number <= count else "upkeep"

