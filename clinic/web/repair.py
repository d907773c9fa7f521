"""Putting a course right: the ways to choose from, one confirmation, and taking it back."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import abort, request, url_for
from werkzeug.wrappers import Response

from clinic.access import Right
from clinic.planning.local import zone
from clinic.planning.words import listed
from clinic.queries.courses import CoursePage
from clinic.queries.repair import Becomes, Proposal, RepairLine, Way, propose_repairs
from clinic.queries.rest_of_course import OPEN
from clinic.queries.visit_choice import VisitChoice, parse_choice
from clinic.services.repair import repair_course, undo_repair
from clinic.services.work import Done, Refused, Stale, UnitOfWork
from clinic.web import course_words
from clinic.web.addresses import safe_next
from clinic.web.courses import courses, found_course
from clinic.web.entry import allowed
from clinic.web.forms import Form
from clinic.web.kit import kit, now
from clinic.web.once import done_once
from clinic.web.pages import page, stale_page
from clinic.web.words import day, moment, plural
from clinic.web.zones import zone_words

MOST_SESSIONS = 60
MOST_TOKEN = 4000
TITLES = {
    Way.KEEP: "Keep what fits", Way.SHIFT: "Move the rest along", Way.NEXT: "Only the next session",
    Way.UNDATED: "Leave without a date",
}
HINTS = {
    Way.KEEP: "The fewest changes: what is inside its window stays.",
    Way.SHIFT: "Every later session at its best distance again.",
    Way.NEXT: "What then no longer fits waits for a date.",
    Way.UNDATED: "Nothing new is booked: what does not fit stays owed.",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The proposal that a form carries: the times to book, and the sessions that lose theirs."""

    choices: tuple[VisitChoice, ...]
    undated: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RepairCard:
    """One proposal as a card; `key` is what the form sends back for it."""

    key: str
    title: str
    hint: str
    summary: str
    lines: tuple[RepairLine, ...]


@courses.get("/courses/<int:course_id>/repair")
@allowed(Right.BOOK)
def repair(course_id: int) -> Response:
    """How the course can follow what has happened, or the time that was just chosen for one session."""
    found = found_course(course_id)
    return _repair_page(found, _wanted(found), Form())


@courses.post("/courses/<int:course_id>/repair", endpoint="repaired")
@allowed(Right.BOOK)
def repaired(course_id: int) -> Response:
    """Does what was chosen: all of it or nothing."""
    found, form = found_course(course_id), Form(request.form)
    chosen = form.choice("plan", "How the course goes on", parse_chosen)
    reasons, token, ours = form.overrides(), request.form.get("token", "")[:MOST_TOKEN], form.ticked("by_clinic")
    if chosen is None or form.faults:
        return _repair_page(found, _wanted(found), form)

    def act(work: UnitOfWork) -> Done[Any] | Refused:
        return repair_course(work, course_id, chosen.choices, chosen.undated, token=token, overrides=reasons,
                             by_clinic=ours)

    back = safe_next(url_for("courses.show", course_id=course_id))
    try:
        outcome = done_once(act, to=lambda _: back, otherwise=back, told=_told(chosen))
    except Stale as error:
        return stale_page(error, title="Put the course right", rows=_now_and_wanted(found, chosen),
                          again=url_for("courses.repair", course_id=course_id))
    if isinstance(outcome, Refused):
        form.add(outcome.findings)
        return _repair_page(found, _wanted(found), form)
    return outcome


@courses.post("/courses/<int:course_id>/undo", endpoint="undone")
@allowed(Right.BOOK)
def undone(course_id: int) -> Response:
    """Gives the sessions their former times back."""
    found = found_course(course_id)
    token = request.form.get("token", "")[:MOST_TOKEN]
    back = safe_next(url_for("courses.show", course_id=course_id))
    try:
        outcome = done_once(lambda work: undo_repair(work, course_id, token=token), to=lambda _: back, otherwise=back,
                            told="Undone: every session has its former time again.")
    except Stale as error:
        return stale_page(error, title="Undo", rows=_now_and_wanted(found, Chosen((), ())), again=back)
    if isinstance(outcome, Refused):
        return page("courses/not_undone.html", 409, course=found, findings=outcome.findings, back=back)
    return outcome


def parse_chosen(text: str) -> Chosen:
    """The proposal that a form carried; ValueError for anything that no page of ours has offered."""
    choices, _, undated = text.partition("|")
    parts, numbers = choices.split(), undated.split()
    if len(parts) + len(numbers) > MOST_SESSIONS or not all(each.isdecimal() and len(each) < 4 for each in numbers):
        raise ValueError("no proposal of ours")
    return Chosen(tuple(parse_choice(each) for each in parts), tuple(int(each) for each in numbers))


def plan_key(proposal: Proposal) -> str:
    """What a form sends back for a proposal."""
    return f"{' '.join(map(str, proposal.choices))}|{' '.join(map(str, proposal.undated))}"


def repair_href(course_id: int, choice: VisitChoice | str, *, after: str | None = None) -> str:
    """Where a time leads that the rest of the course has to follow, and `after` it is done."""
    return url_for("courses.repair", course_id=course_id, choice=str(choice), next=after)


def _wanted(found: CoursePage) -> VisitChoice | None:
    """The time that was chosen for one open session of the course; 404 for anything else that an address says."""
    given = request.values.get("choice", "")
    if not given:
        return None
    try:
        wanted = parse_choice(given)
    except ValueError:
        abort(404)
    if wanted.number not in {line.number for line in found.treatment_sessions if line.state in OPEN}:
        abort(404)
    return wanted


def _repair_page(found: CoursePage, wanted: VisitChoice | None, form: Form) -> Response:
    with kit().read() as db:
        repairs = propose_repairs(db, found.id, now=now(), wanted=wanted)
    cards = tuple(_card(each) for each in repairs.proposals)
    warnings = tuple({
        finding.code: finding for each in repairs.proposals for _, finding in each.warnings}.values())
    return page(
        "courses/repair.html", form.status, course=found, wanted=wanted, repairs=repairs, cards=cards, form=form,
        warnings=warnings, is_ours=_is_ours(repairs.proposals, form), words=course_words,
        becomes=Becomes, zone_words=zone_words(zone(found.zone)), next=safe_next(""),
        back=url_for("courses.show", course_id=found.id))


def _is_ours(proposals: Sequence[Proposal], form: Form) -> bool:
    """Whether the tick that it is the clinic's doing is set: as it was sent, or as it seems."""
    if request.method == "POST":
        return bool(form.value("by_clinic"))
    return any(each.is_ours for each in proposals)


def _card(proposal: Proposal) -> RepairCard:
    return RepairCard(
        plan_key(proposal), TITLES[proposal.way], HINTS[proposal.way], _summary(proposal), proposal.lines)


def _summary(proposal: Proposal) -> str:
    counts = {each: sum(line.becomes is each for line in proposal.lines) for each in Becomes}
    said = [
        f"{plural(counts[each], 'session')} {one if counts[each] == 1 else several}"
        for each, one, several in (
            (Becomes.MOVES, "moves", "move"), (Becomes.DATED, "gets a date", "get dates"),
            (Becomes.LOSES_DATE, "loses its date", "lose their dates"), (Becomes.STAYS, "stays", "stay"))
        if counts[each]]
    return ", ".join(said)


def _told(chosen: Chosen) -> str:
    said = []
    if chosen.choices:
        said.append(f"Booked: {_sessions([each.number for each in chosen.choices])}.")
    if chosen.undated:
        said.append(f"Without a date, and still owed: {_sessions(chosen.undated)}.")
    return " ".join(said)


def _sessions(numbers: Sequence[int]) -> str:
    return f"session{'s' if len(numbers) > 1 else ''} {listed([str(each) for each in numbers])}"


def _now_and_wanted(found: CoursePage, chosen: Chosen) -> list[tuple[str, str, str]]:
    where = zone(found.zone)
    wanted = {each.number: moment(each.starts_at.astimezone(where)) for each in chosen.choices}
    wanted |= dict.fromkeys(chosen.undated, "no date")
    return [
        (f"Session {line.number}", _when(line.held_on), wanted.get(line.number, "as it is"))
        for line in found.treatment_sessions]


def _when(on: date | None) -> str:
    return day(on) if on else "no date"


