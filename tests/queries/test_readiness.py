"""What a clinic lacks is what keeps the planner from finding a plan in an empty diary, and nothing else is."""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.parts import DEVICE_TYPES, QUALIFICATIONS, ROOM_FEATURES
from clinic.planning import choices
from clinic.planning.local import day_of, zone
from clinic.queries.course_asks import CourseRequest, course_problem
from clinic.queries.protocol_contents import protocol_of
from clinic.queries.readiness import readiness_of, sessions_asked, site_of
from clinic.store.clinics import Clinic, Closure, OpeningHours
from clinic.store.engine import for_writing, open_engine
from clinic.store.protocols import ProtocolVersion
from clinic.store.resources import (
    Device,
    Practitioner,
    Qualification,
    Resource,
    Room,
    Rota,
    RotaSpan,
)
from tests.booking import healthy
from tests.databases import DatabasesOf
from tests.queries.statements import counted
from tests.small_clinic import MONDAY, SmallClinic, small_clinic

CODES = ("peel_superficial", "rfmn_laxity", "mn_prp", "combo_rfmn_nafl", "lhr_face", "afl_resurfacing")
NOWS = (MONDAY, datetime(2027, 3, 22, 7, tzinfo=UTC), datetime(2027, 10, 25, 16, 40, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Arranged:
    """How a clinic is arranged: everything that can be missing may be."""

    now: datetime
    horizon: int
    start_step: int
    opening: tuple[tuple[int, int, int], ...]
    closed: tuple[int, int] | None
    people: tuple[Worker, ...]
    rooms: tuple[frozenset[str], ...]
    devices: frozenset[str]


@dataclass(frozen=True, slots=True)
class Worker:
    """A practitioner: the codes held, from and until which day, and the weeks of the rota with a break or none."""

    codes: frozenset[str]
    valid: tuple[int, int | None]
    weeks: int
    spans: tuple[tuple[int, int, int, int], ...]
    rest: tuple[int, int, int] | None
    ends: int | None


@st.composite
def workers(draw: st.DrawFn) -> Worker:
    """Most hold everything and work on several days."""
    weeks = draw(st.sampled_from((1, 1, 1, 2, 5)))
    spans = tuple(
        (week, weekday, draw(st.sampled_from((480, 540, 805, 1320))), draw(st.sampled_from((30, 75, 240, 540))))
        for week in range(weeks) for weekday in sorted(draw(st.sets(st.integers(0, 6), max_size=4))))
    every = frozenset(QUALIFICATIONS)
    return Worker(
        draw(st.just(every) | st.sets(st.sampled_from(sorted(every))).map(frozenset)),
        draw(st.sampled_from(((-400, None), (-400, None), (-400, None), (-10, 30), (20, None), (-20, -1)))),
        weeks, spans, draw(st.none() | st.sampled_from(((720, 840, 30), (600, 660, 60), (540, 1000, 45)))),
        draw(st.none() | st.none() | st.integers(10, 90)))


ABLE = Worker(frozenset(QUALIFICATIONS), (-400, None), 1, tuple((0, day, 540, 540) for day in range(5)), None, None)
COMPLETE = Arranged(
    MONDAY, 400, 15, tuple((day, 540, 1080) for day in range(5)), None, (ABLE, ABLE, ABLE),
    (frozenset(ROOM_FEATURES), frozenset(ROOM_FEATURES)), frozenset(DEVICE_TYPES))


@st.composite
def arrangements(draw: st.DrawFn) -> Arranged:
    """A clinic in which one thing or another may be missing."""
    opening = tuple(
        (weekday, draw(st.sampled_from((480, 540, 600))), draw(st.sampled_from((660, 1020, 1080, 1560))))
        for weekday in sorted(draw(st.just({0, 1, 2, 3, 4}) | st.sets(st.integers(0, 6)))))
    features = frozenset(ROOM_FEATURES)
    return Arranged(
        draw(st.sampled_from(NOWS)), draw(st.sampled_from((400, 60))), draw(st.sampled_from((15, 20, 5))), opening,
        draw(st.none() | st.tuples(st.integers(0, 40), st.integers(0, 60))),
        tuple(draw(st.lists(workers(), max_size=3))),
        tuple(draw(st.lists(st.sampled_from((features, frozenset(), frozenset({"laser-safe"}))), max_size=2))),
        draw(st.just(frozenset(DEVICE_TYPES)) | st.sets(st.sampled_from(sorted(DEVICE_TYPES))).map(frozenset)))


def arrange(made: SmallClinic, wanted: Arranged) -> None:
    """Makes the small clinic into what was drawn."""
    made.now = wanted.now
    today = day_of(wanted.now, zone("Europe/London"))
    monday = today - timedelta(days=today.weekday())
    with Session(for_writing(made.engine)) as db:
        for table in (RotaSpan, Rota, Qualification, OpeningHours, Closure):
            db.execute(sa.delete(table))
        for kind in ("practitioner", "room", "device"):
            db.execute(sa.text(f"DELETE FROM {kind}"))
            db.execute(sa.delete(Resource).where(Resource.kind == kind))
        db.execute(sa.update(Clinic).values(
            booking_horizon_days=wanted.horizon, start_step_minutes=wanted.start_step))
        db.add_all(OpeningHours(clinic_id=made.clinic_id, weekday=day, opens=opens, closes=closes)
                   for day, opens, closes in wanted.opening)
        if wanted.closed:
            first = today + timedelta(days=wanted.closed[0])
            db.add(Closure(clinic_id=made.clinic_id, from_on=first, to_on=first + timedelta(days=wanted.closed[1]),
                           reason="x"))
        db.add_all(Room(clinic_id=made.clinic_id, name=f"Room {n}", features=sorted(each))
                   for n, each in enumerate(wanted.rooms))
        db.add_all(Device(clinic_id=made.clinic_id, name=each, device_type=each) for each in sorted(wanted.devices))
        for number, each in enumerate(wanted.people):
            _employ(db, made, each, f"P{number}", today, monday)
        db.commit()


def _employ(db: Session, made: SmallClinic, each: Worker, name: str, today: date, monday: date) -> None:
    person = Practitioner(name=name)
    db.add(person)
    db.flush()
    first, last = (None if days is None else today + timedelta(days=days) for days in each.valid)
    db.add_all(Qualification(practitioner_id=person.id, code=code, valid_from=first, expires_on=last)
               for code in sorted(each.codes))
    rota = Rota(practitioner_id=person.id, starts_on=monday - timedelta(days=7), weeks=each.weeks,
                ends_on=None if each.ends is None else today + timedelta(days=each.ends))
    db.add(rota)
    db.flush()
    db.add_all(RotaSpan(rota_id=rota.id, week=week, weekday=day, opens=opens, closes=opens + minutes,
                        clinic_id=made.clinic_id) for week, day, opens, minutes in each.spans)
    if each.rest:
        opens, closes, minutes = each.rest
        db.add_all(RotaSpan(rota_id=rota.id, week=week, weekday=day, opens=opens, closes=closes, break_minutes=minutes)
                   for week in range(each.weeks) for day in range(7))


def planned(made: SmallClinic, code: str) -> bool:
    """Whether the planner finds a plan for the usual course in the diary as it is: empty."""
    with Session(made.engine) as db:
        version = made.versions[code]
        protocol = protocol_of(db, version)
        steps = sessions_asked(protocol, site_of(db, made.clinic_id, now=made.now))
        request = CourseRequest(
            patient_id=made.patients[0], clinic_id=made.clinic_id, protocol_version_id=version, sessions=len(steps),
            answers=healthy(), not_before_on=made.now.date())
        today = day_of(made.now, zone("Europe/London"))
        return bool(choices(course_problem(db, request, protocol, steps, today, now=made.now)))


@pytest.fixture
def only_some(databases_of: DatabasesOf) -> Callable[[str], SmallClinic]:
    """The small clinic of a kind of database with a few approved protocols, arranged anew for each example."""
    def build(kind: str) -> SmallClinic:
        made = small_clinic(open_engine(databases_of(kind).migrated()))
        with Session(for_writing(made.engine)) as db:
            keep = [made.versions[code] for code in CODES]
            db.execute(sa.delete(ProtocolVersion).where(ProtocolVersion.id.not_in(keep)))
            db.commit()
        return made

    return build


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_protocol_is_ready_just_where_the_planner_finds_a_plan(
    kind: str, only_some: Callable[[str], SmallClinic]
) -> None:
    made = only_some(kind)
    told: Counter[str] = Counter()

    @example(COMPLETE)
    @example(replace(COMPLETE, people=()))
    @example(replace(COMPLETE, rooms=(), devices=frozenset()))
    @settings(max_examples=40 if kind == "sqlite" else 10,
              suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(arrangements())
    def holds(wanted: Arranged) -> None:
        arrange(made, wanted)
        with Session(made.engine) as db:
            found = readiness_of(db, made.clinic_id, now=made.now)
        for standing in found.protocols:
            assert planned(made, standing.code) is (standing.lacks == ()), (standing.code, standing.lacks)
            told.update([lack.code for lack in standing.lacks] or ["ready"])

    holds()

    made.engine.dispose()
    assert told["ready"] >= len(CODES)
    assert len(told) >= 4


@pytest.mark.parametrize("changes, told", [
    ({"opening": ()}, "The clinic has no opening hours."),
    ({"people": ()}, "There is no practitioner."),
    ({"people": (replace(ABLE, codes=frozenset({"ipl"})),)}, "Nobody is qualified for RF microneedling."),
    ({"people": (replace(ABLE, valid=(-9, -1)),)},
     "The qualification for RF microneedling of P0 is not valid on any day that can be booked."),
    ({"people": (replace(ABLE, spans=((0, 6, 540, 540),)), replace(ABLE, spans=()))},
     "P0 and P1 may do RF microneedling, but work on no day here while the clinic is open."),
    ({"people": (replace(ABLE, spans=((0, 0, 540, 30),)),)},
     "P0 may do RF microneedling, but never has 45 minutes in a row here while the clinic is open."),
    ({"rooms": ()}, "There is no room."),
    ({"rooms": (frozenset(),)}, "Room 0 does not offer “Numbing chair”."),
    ({"rooms": (frozenset(), frozenset({"laser-safe"}))}, "No room offers “Numbing chair”."),
    ({"devices": frozenset()}, "There is no device of the type “RF microneedling device”."),
    ({"opening": ((0, 540, 570),)}, None),
    ({"people": (replace(ABLE, ends=20),)}, None),
])
def test_what_is_missing_is_said_in_words(engine: Engine, changes: dict[str, Any], told: str | None) -> None:
    made = small_clinic(engine)
    arrange(made, replace(COMPLETE, **changes))

    with Session(engine) as db:
        found = readiness_of(db, made.clinic_id, now=made.now)
    lacks = next(each.lacks for each in found.protocols if each.code == "rfmn_laxity")

    assert not planned(made, "rfmn_laxity")
    assert lacks
    if told is not None:
        assert told in [lack.text for lack in lacks]


def test_a_clinic_that_has_everything_can_book_every_protocol(engine: Engine) -> None:
    made = small_clinic(engine)
    arrange(made, COMPLETE)

    with Session(engine) as db:
        found = readiness_of(db, made.clinic_id, now=made.now)

    assert [each.code for each in found.protocols if each.lacks] == []
    assert len(found.protocols) == len(made.versions)


def test_what_is_missing_costs_the_same_statements_whatever_there_is(engine: Engine) -> None:
    made = small_clinic(engine)
    asked = []
    for people in (1, 30):
        arrange(made, replace(COMPLETE, people=(ABLE,) * people))
        with Session(engine) as db:
            readiness_of(db, made.clinic_id, now=made.now)
        with Session(engine) as db, counted(engine) as statements:
            readiness_of(db, made.clinic_id, now=made.now)
        asked.append(len(statements))

    assert asked[0] == asked[1] <= 14
