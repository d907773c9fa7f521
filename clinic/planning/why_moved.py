"""Why sessions of a repaired course move, in a sentence for staff."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clinic.planning.answer import Placement, PlannedSession
from clinic.planning.findings import Finding
from clinic.planning.local import day_of
from clinic.planning.problem import Gap, Problem
from clinic.planning.standing import against_standing
from clinic.planning.words import days_words, listed

NO_LONGER_THERE = "someone or something that it was booked with cannot be booked here any more"


@dataclass(frozen=True, slots=True)
class _Cause:
    """What speaks against a session's old time: days outside its window, or else a clause."""

    step: int
    side: str = ""
    days: int = 0
    clause: str = ""


def why_moved(problem: Problem, moved: Sequence[int], sessions: Sequence[PlannedSession]) -> str:
    """Which sessions stay, which move and what speaks against their old times beside the others' new ones."""
    new = [at + 1 for at, step in enumerate(problem.steps) if step.pinned is None and step.standing is None]
    stay = [each.step for each in sessions if each.step not in (*moved, *new)]
    causes = [_cause(problem, step, sessions) for step in moved]
    moves = [
        (cause.step, f"session {problem.number(cause.step - 1)} moves because {cause.clause}")
        for cause in causes if cause.clause
    ]
    for side in ("before", "after"):
        moves += _outside(problem, side, [cause for cause in causes if cause.side == side])
    said = [_verb(problem, stay, "stays", "stay")] if stay else []
    said += [text for _, text in sorted(moves)]
    said += [_verb(problem, new, "gets a date", "get a date")] if new else []
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def _verb(problem: Problem, steps: Sequence[int], one: str, many: str) -> str:
    numbers = [str(problem.number(step - 1)) for step in steps]
    return f"session {numbers[0]} {one}" if len(numbers) == 1 else f"sessions {listed(numbers)} {many}"


def _outside(problem: Problem, side: str, causes: Sequence[_Cause]) -> list[tuple[int, str]]:
    """The sessions that lay on one side of their windows, told together, with the first of them."""
    if not causes:
        return []
    least, most = min(cause.days for cause in causes), max(cause.days for cause in causes)
    days = days_words(most) if least == most else f"{least} to {days_words(most)}"
    its = "it lay" if len(causes) == 1 else "they lay"
    window = "its window" if len(causes) == 1 else "their windows"
    moves = _verb(problem, [cause.step for cause in causes], "moves", "move")
    return [(causes[0].step, f"{moves} because {its} {days} {side} {window}")]


def _cause(problem: Problem, step: int, sessions: Sequence[PlannedSession]) -> _Cause:
    """What speaks first against the old time of a session, the others being where they are now."""
    stood = problem.steps[step - 1].standing
    assert stood is not None
    placements = [
        Placement(step, stood.start_at, stood.resources) if each.step == step
        else Placement(each.step, each.start_at, each.resources)
        for each in sessions
    ]
    # Neighbours say the most, and quickly; those further off are asked if they say nothing.
    findings = against_standing(problem, placements[max(step - 2, 0):step + 1]) or against_standing(problem, placements)
    if not findings:
        return _Cause(step, clause="another session takes its place")
    finding = findings[0]
    if finding.code in ("too-soon", "too-late"):
        return _outside_window(problem, placements, step)
    return _Cause(step, clause=_clause(finding, problem.number(step - 1)))


def _outside_window(problem: Problem, placements: Sequence[Placement], step: int) -> _Cause:
    days = [day_of(each.start_at, problem.ruler.zone) for each in placements]
    at = step - 1
    before = days[at - 1] if at else problem.last_session_on
    if before is not None:
        off = _off(problem.steps[at].gap, (days[at] - before).days)
        if off:
            return _Cause(step, "after" if off > 0 else "before", abs(off))
    off = _off(problem.steps[step].gap, (days[step] - days[at]).days)
    soon = "late" if off > 0 else "soon"
    return _Cause(step, clause=f"session {problem.number(step)} would come {days_words(abs(off))} too {soon} after it")


def _off(gap: Gap | None, days: int) -> int:
    """How far a gap lies outside what is allowed: negative where it is too short."""
    if gap is None:
        return 0
    return min(days - gap.min, 0) or max(days - gap.max, 0)


def _clause(finding: Finding, number: int) -> str:
    """A finding as the rest of a sentence about its session."""
    if finding.code == "unknown-resource":
        return NO_LONGER_THERE
    text = finding.text.removesuffix(".")
    own = f"Session {number} "
    if text.startswith(own):
        return f"it {text.removeprefix(own)}"
    return f"{text[0].lower()}{text[1:]}" if text.startswith(("Session ", "The ")) else text
