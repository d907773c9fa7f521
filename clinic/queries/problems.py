"""What the planner is asked, built from the diary: for a new course, or for one session of a course that runs."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import gcd
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from clinic.care.parts import Part, needs_of, patient_minutes
from clinic.care.protocols import Interval, Protocol, Step, gap_rules
from clinic.planning import (
    Gap,
    Hours,
    Kind,
    Need,
    Past,
    Preferences,
    Problem,
    Ruler,
    Spacing,
    Unwilling,
    granule_for,
    opening_bits,
    ruler,
)
from clinic.planning import Step as PlannedStep
from clinic.planning.local import day_of, instant, zone
from clinic.planning.words import times_words
from clinic.queries.diary_facts import Facts, Wanted, facts_of
from clinic.queries.free_time import free_time
from clinic.store.expressions import parsed

GRANULE = 300


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be placed, for whom (or for nobody yet) and from when on; `ignore` names appointments that may move.

    `until_on` is the last date that is of interest; none: the clinic's booking horizon. A visit that is for no course
    follows no protocol.
    """

    clinic_id: int
    patient_id: int | None
    protocol: Protocol | None
    steps: tuple[PlannedStep, ...]
    not_before: datetime
    practitioner_id: int | None = None
    last_session_on: date | None = None
    ignore: tuple[int, ...] = ()
    except_course_id: int | None = None
    except_plan_id: int | None = None
    until_on: date | None = None


def problem_of(db: Session, asked: Asked, *, now: datetime) -> Problem:
    """The planner's problem, from the diary as it stands, in three statements at most; NoResultFound as facts_of."""
    needs = [need for step in asked.steps for need in step.needs]
    facts = facts_of(db, Wanted(
        clinic_id=asked.clinic_id, patient_id=asked.patient_id,
        codes=frozenset(skill for need in needs for skill in need.skills),
        anyone=any(need.kind is Kind.PRACTITIONER and not need.skills for need in needs),
        ignore=asked.ignore, now=now, from_at=asked.not_before, until_on=asked.until_on))
    where = zone(facts.zone)
    first_on = day_of(asked.not_before, where)
    days = max(1, facts.horizon_days - (first_on - day_of(now, where)).days)
    if asked.until_on is not None:
        days = max(1, min(days, (asked.until_on - first_on).days + 1))
    line = ruler(where, first_on, days, _granule(asked.steps, facts.start_step, where, first_on, days))
    history = _history(facts, asked)
    free = free_time(
        db, line, facts, clinic_id=asked.clinic_id, needed={(need.kind, need.skills) for need in needs},
        named=_named(asked.steps, facts))
    return Problem(
        ruler=line, not_before=asked.not_before, resources=free.resources, steps=asked.steps,
        start_step=facts.start_step, patient_busy=free.patient_busy, unwilling=_unwilling(line, facts.only_times),
        spacing=(*(_spacing(asked.protocol) if asked.protocol else ()), *history.spacing), history=history.past,
        last_session_on=asked.last_session_on,
        preferences=Preferences(
            None if asked.practitioner_id is None else str(asked.practitioner_id),
            times_of(facts.rather_times) or None),
    )


def planned_step(step: Step, interval: Interval | None) -> PlannedStep:
    """A step of a protocol as the planner takes it, `interval` after the session before."""
    gap = None if interval is None else Gap(interval.shortest, interval.ideal, interval.longest)
    return replace(planned_visit(step.treatment, step.name, step.parts), gap=gap)


def planned_visit(treatment: str, name: str, parts: Sequence[Part]) -> PlannedStep:
    """A visit by itself as the planner takes it, after nothing."""
    return PlannedStep(
        treatment=treatment, name=name, minutes=patient_minutes(parts),
        needs=tuple(
            Need(Kind(need.kind.value), need.minutes, frozenset(need.skills), need.offset, need.same_as)
            for need in needs_of(parts)))


def times_of(stored: Sequence[Any]) -> tuple[Hours, ...]:
    """A patient's "only" or "rather" times as the planner takes them."""
    return tuple(Hours(frozenset(each["weekdays"]), each["begins"], each["ends"]) for each in stored)


def earliest_start(not_before_on: date, where: str, now: datetime) -> datetime:
    """The first instant at which a session can begin: on that date, and not in the past."""
    return max(now, instant(not_before_on, 0, zone(where)))


def _granule(steps: Iterable[PlannedStep], start_step: int, where: ZoneInfo, first_on: date, days: int) -> int:
    minutes = {step.minutes for step in steps} | {
        each for step in steps for need in step.needs for each in (need.offset, need.minutes)}
    return gcd(GRANULE, granule_for(start_step, minutes, where, first_on, days))


def _named(steps: Iterable[PlannedStep], facts: Facts) -> set[int]:
    """Whom and what appointments of this course hold already, in use or not."""
    stands = [pin for step in steps for pin in (step.pinned, step.standing) if pin is not None]
    return {int(each) for pin in stands for each in pin.resources} | {each.resource_id for each in facts.ignored}


def only_at(line: Ruler, only: Sequence[Hours], kept: str, *, asks: bool = False) -> Unwilling:
    """A patient who comes at some times only does not come at all others; `asks`: unless they agree."""
    return Unwilling(line.full & ~opening_bits(line, only), f"comes only {times_words(only)}", kept, asks)


def _unwilling(line: Ruler, only: Sequence[Any]) -> tuple[Unwilling, ...]:
    return (only_at(line, times_of(only), "so it says in the patient's details", asks=True),) if only else ()


def _spacing(protocol: Protocol) -> tuple[Spacing, ...]:
    return tuple(Spacing(each.first, each.then, each.days) for each in (*protocol.spacing, *gap_rules(protocol)))


@dataclass(frozen=True, slots=True)
class _History:
    """What the patient has had or will have, and what those that are to come ask of a session before them."""

    past: tuple[Past, ...]
    spacing: tuple[Spacing, ...]


def _history(facts: Facts, asked: Asked) -> _History:
    """Sessions elsewhere by modality, those of this course (completed) by treatment.

    One elsewhere that is to come has gaps of its own protocol to what is done before it: it is named in full, so that
    they are heard for it alone.
    """
    contents = {row[0]: row[1:] for row in facts.documents}
    past: list[Past] = []
    spacing: dict[Spacing, None] = {}
    for _, code, performed_on, local_start, course_id, plan_id, version_id in sorted(
        [*facts.of_courses, *facts.of_plans], key=itemgetter(0)
    ):
        own = (course_id is not None and course_id == asked.except_course_id) or (
            plan_id is not None and plan_id == asked.except_plan_id)
        # A local start is told as date and time: its date is what counts.
        told = performed_on or local_start
        if told is None:
            continue
        on = date.fromisoformat(told[:10])
        if own and performed_on:
            past.append(Past(code, on))
        elif not own:
            protocol_name, treatments, gaps = contents[version_id]
            treatment = next(each for each in parsed(treatments) if each["code"] == code)
            past.extend(Past(modality, on) for modality in treatment["modalities"])
            if performed_on is None and asked.protocol is not None:
                name = f"{treatment['name']} ({protocol_name})"
                past.append(Past(name, on))
                spacing.update(dict.fromkeys(_asked_by(parsed(gaps), name, asked.protocol)))
    return _History(tuple(past), tuple(spacing))


def _asked_by(gaps: Sequence[Any], name: str, protocol: Protocol) -> Iterator[Spacing]:
    """The gaps that another protocol asks for after each treatment of this one."""
    for treatment in protocol.treatments:
        days = max((gap["days"] for gap in gaps if gap["after"] in treatment.modalities), default=0)
        if days:
            yield Spacing(treatment.code, name, days)
