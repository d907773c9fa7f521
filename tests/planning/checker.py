"""Checks a plan against its problem by the format page alone, and counts its cost afresh."""
from __future__ import annotations

from datetime import date, datetime
from itertools import combinations
from typing import Any

from tests.planning.reading import Document, Span, at_second, seconds

Session = dict[str, Any]


def faults(document: Document, plan: dict[str, Any]) -> list[str]:
    """Everything that is wrong with a plan of a document."""
    sessions = plan["sessions"]
    if [session["step"] for session in sessions] != list(range(1, len(document.steps) + 1)):
        return ["the sessions are not those of the steps"]
    found = _pairs(document, sessions)
    for at, session in enumerate(sessions):
        step = document.steps[at]
        found += _told(document, sessions, at)
        if "pinned" in step:
            if begin(session) != _pin_start(document, step) or session["resources"] != step["pinned"]["resources"]:
                found.append(f"{at + 1}: the pin was moved")
        else:
            found += _alone(document, at, session)
    parts = parts_of(document, sessions)
    if parts != plan["parts"] or sum(parts.values()) != plan["cost"]:
        found.append(f"the cost is {parts}, not {plan['parts']} = {plan['cost']}")
    return found


def parts_of(document: Document, sessions: list[Session]) -> dict[str, int]:
    """The cost by its rows."""
    costs, preferences = document.costs, document.raw.get("preferences", {})
    days = [document.date_of(begin(session)) for session in sessions]
    before = [document.last_session, *days]
    gaps = [
        abs((day - earlier).days - step["gap_days"]["ideal"])
        for step, earlier, day in zip(document.steps, before, days, strict=False)
        if "gap_days" in step and earlier is not None
    ]
    leaders = []
    for step, session in zip(document.steps, sessions, strict=True):
        lead = document.lead(step)
        if lead is not None:
            leaders.append(session["resources"][lead])
    waits = 0 if document.last_session else max((days[0] - document.first_date).days, 0)
    preferred = preferences.get("practitioner")
    outside = sum(
        "pinned" not in step and document.is_outside(step, begin(session))
        for step, session in zip(document.steps, sessions, strict=True)
    )
    return {
        "gap": costs["gap_day"] * sum(gaps),
        "wait": costs["wait_day"] * waits,
        "practitioner_change": costs["practitioner_change"]
        * sum(one != other for one, other in zip(leaders, leaders[1:], strict=False)),
        "other_practitioner": costs["other_practitioner"]
        * sum(preferred is not None and leader != preferred for leader in leaders),
        "outside_windows": costs["outside_windows"] * outside,
    }


def begin(session: Session) -> int:
    return seconds(datetime.fromisoformat(session["start"]))


def _pin_start(document: Document, step: dict[str, Any]) -> int:
    return document.span({"from": step["pinned"]["start"], "to": step["pinned"]["start"]})[0]


def _told(document: Document, sessions: list[Session], at: int) -> list[str]:
    """Whether the answer says of a session what follows from it."""
    step, session, start = document.steps[at], sessions[at], begin(sessions[at])
    day = document.date_of(start)
    before = document.date_of(begin(sessions[at - 1])) if at else document.last_session
    expected = {
        "step": at + 1, "treatment": step["treatment"],
        "start": at_second(start, document.zone).isoformat(timespec="minutes"),
        "end": at_second(start + step["minutes"] * 60, document.zone).isoformat(timespec="minutes"),
        "gap_days": None if before is None else (day - before).days, "resources": session["resources"],
    }
    return [] if session == expected else [f"{at + 1}: {session} is told instead of {expected}"]


def _alone(document: Document, at: int, session: Session) -> list[str]:
    step, start = document.steps[at], begin(session)
    local = at_second(start, document.zone)
    day, end = local.date(), start + step["minutes"] * 60
    found = []
    if start < document.not_before or (day - document.first_date).days >= document.horizon:
        found.append("before not_before or after the horizon")
    if (local.hour * 60 + local.minute) % document.raw.get("start_step_minutes", 15) or local.second:
        found.append("off the grid")
    if any(low < end and start < high for low, high in document.patient_busy):
        found.append("the patient is busy")
    dates = step.get("dates", {})
    if not dates.get("from", "0001-01-01") <= day.isoformat() <= dates.get("to", "9999-12-31"):
        found.append("outside its dates")
    if not document.is_spaced_from_history(step["treatment"], day):
        found.append("too near to history")
    if at == 0 and document.last_session and "gap_days" in step:
        found += _gap(step, (day - document.last_session).days)
    return [f"{at + 1}: {each}" for each in found + _resources(document, step, session, start)]


def _resources(document: Document, step: dict[str, Any], session: Session, start: int) -> list[str]:
    found, names, roots = [], session["resources"], document.roots(step)
    if len(names) != len(step["needs"]):
        return ["a need is not met"]
    for need, name, span in zip(step["needs"], names, document.holds(step, start), strict=True):
        resource = document.resources[name]
        if resource["kind"] != need["kind"] or not set(need.get("skills", ())) <= set(resource.get("skills", ())):
            found.append(f"{name} does not serve")
        if not document.is_free(name, span):
            found.append(f"{name} is not free")
    for one, other in combinations(range(len(names)), 2):
        if (names[one] == names[other]) != (roots[one] == roots[other]):
            found.append(f"needs {one + 1} and {other + 1} share or part")
    return found


def _gap(step: dict[str, Any], days: int) -> list[str]:
    gap = step["gap_days"]
    return [] if gap["min"] <= days <= gap["max"] else [f"a gap of {days} days"]


def _pairs(document: Document, sessions: list[Session]) -> list[str]:
    found = []
    for one, other in combinations(range(len(sessions)), 2):
        first, then = document.steps[one], document.steps[other]
        if "pinned" in first and "pinned" in then:
            continue
        begins, later = begin(sessions[one]), begin(sessions[other])
        days = (_day(document, later) - _day(document, begins)).days
        wrong = []
        if other == one + 1:
            wrong += _gap(then, days)
            if later < begins + first["minutes"] * 60:
                wrong.append("out of order")
        if days < document.spacing(first["treatment"], then["treatment"]):
            wrong.append("too little spacing")
        holds = zip(sessions[one]["resources"], document.holds(first, begins), strict=True)
        for name, span in holds:
            for again, other_span in zip(sessions[other]["resources"], document.holds(then, later), strict=True):
                if name == again and _meet(span, other_span):
                    wrong.append(f"{name} is held twice")
        found += [f"{one + 1} and {other + 1}: {each}" for each in wrong]
    return found


def _day(document: Document, at: int) -> date:
    return document.date_of(at)


def _meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
