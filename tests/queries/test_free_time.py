"""Who and what is free when: each five minutes of random diaries, compared with an answer found by other means."""
from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.planning import Kind, Resource, Ruler, ruler
from clinic.planning.local import zone
from clinic.queries.diary_facts import Wanted, facts_of
from clinic.queries.free_time import FreeTime, dates_bits, free_time, hours_of
from clinic.store.engine import for_writing, open_engine
from tests.booking import booked
from tests.databases import SQLiteFiles
from tests.queries.worlds import DAYS, STEP, Built, Oracle, World, build, worlds
from tests.small_clinic import SmallClinic, small_clinic

PEEL = frozenset({"peel-superficial"})


def read(made: SmallClinic, on: Ruler, *, ignore: tuple[int, ...] = (), codes: frozenset[str] = PEEL) -> FreeTime:
    """Everybody and everything, the practitioners among them who hold one of the codes."""
    needed = {(Kind.PRACTITIONER, frozenset[str]()), (Kind.ROOM, frozenset[str]()), (Kind.DEVICE, frozenset[str]())}
    with Session(made.engine) as db:
        facts = facts_of(db, Wanted(
            clinic_id=made.clinic_id, patient_id=made.patients[0], codes=codes, anyone=False, ignore=ignore,
            now=made.now, from_at=on.instant(0)))
        return free_time(db, on, facts, clinic_id=made.clinic_id, needed=needed)


def holds(resource: Resource) -> int:
    """When all that was asked of a resource holds."""
    found = -1
    for _, valid in resource.limits:
        found &= valid
    return found


def hours(built: Built) -> Iterator[datetime]:
    """Each five minutes of the diary's days from 07:00 to 20:00, by the clock of the clinic."""
    for day in range(DAYS):
        on = built.world.first_on + timedelta(days=day)
        start = datetime(on.year, on.month, on.day, 7, tzinfo=ZoneInfo(built.world.zone)).astimezone(UTC)
        yield from (start + step * STEP for step in range(13 * 12))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds())
def test_each_five_minutes_are_free_exactly_where_other_means_find_them_so(
    sqlite_files: SQLiteFiles, world: World
) -> None:
    url = sqlite_files.migrated()
    engine = open_engine(url, durable=False)
    built = build(engine, world)
    line, oracle = ruler(zone(world.zone), world.first_on, DAYS), Oracle(built)

    found = read(built.made, line)

    bits = {int(each.id): each.open & ~each.busy & holds(each) for each in found.resources}
    bits[built.made.patients[0]] = ~found.patient_busy
    wrong = [
        (ident, at) for ident in (*built.people, *built.rooms, built.made.patients[0]) for at in hours(built)
        if bool(bits[ident] >> line.down(at) & 1) != oracle.is_free(ident, at, at + STEP)]
    assert wrong == []
    assert built.made.practitioners[2] not in bits
    engine.dispose()
    sqlite_files.remove(url)


def test_everything_is_read_in_the_same_few_statements_however_full_the_diary(engine: Engine) -> None:
    made = small_clinic(engine)
    line = ruler(zone("Europe/London"), date(2027, 3, 1), 30)
    said: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *args: said.append(args[2].split()[0]))

    read(made, line)
    empty, said[:] = list(said), []
    for patient_id in made.patients:
        booked(made, "peel_superficial", 3, patient_id=patient_id)
    said.clear()
    read(made, line)

    assert said == empty
    assert said.count("SELECT") == 2


def test_only_what_belongs_to_the_clinic_and_is_in_use_is_read_in_order_of_kind(engine: Engine) -> None:
    made = small_clinic(engine)
    with Session(for_writing(engine)) as db:
        db.execute(sa.text("UPDATE room SET active = :no WHERE name = 'Room 1'"), {"no": False})
        db.execute(sa.text("UPDATE device SET active = :no WHERE device_type = 'ipl'"), {"no": False})
        db.commit()

    found = read(made, ruler(zone("Europe/London"), date(2027, 3, 1), 7))

    kinds = [each.kind for each in found.resources]
    assert kinds == [Kind.PRACTITIONER] * 3 + [Kind.ROOM] + [Kind.DEVICE] * 4
    assert [each.name for each in found.resources][3:5] == ["Room 2", "Needling-Pen"]


def test_a_renewed_qualification_counts_on_without_a_gap(engine: Engine) -> None:
    made = small_clinic(engine)
    with Session(for_writing(engine)) as db:
        db.execute(sa.text("UPDATE qualification SET expires_on = '2027-03-03' WHERE code = 'peel-superficial'"))
        db.execute(sa.text("INSERT INTO qualification (practitioner_id, code, valid_from)"
                           " VALUES (:who, 'peel-superficial', '2027-03-04')"), {"who": made.practitioners[0]})
        db.commit()
    line = ruler(zone("Europe/London"), date(2027, 3, 1), 5)

    renewed, expired, _ = read(made, line).resources[:3]

    days = [line.inside(datetime(2027, 3, day, 9, tzinfo=UTC), datetime(2027, 3, day, 12, tzinfo=UTC))
            for day in range(1, 6)]
    assert [bool(holds(renewed) & day) for day in days] == [True] * 5
    assert [bool(holds(expired) & day) for day in days] == [True, True, True, False, False]
    assert [bool(expired.open & day) for day in days] == [True] * 5
    assert renewed.skills == expired.skills == PEEL


def test_an_expired_qualification_that_nobody_asks_for_keeps_nobody_away(engine: Engine) -> None:
    made = small_clinic(engine)
    with Session(for_writing(engine)) as db:
        db.execute(sa.text("UPDATE qualification SET expires_on = '2026-01-01' WHERE code = 'laser'"))
        db.commit()
    line = ruler(zone("Europe/London"), date(2027, 3, 1), 5)

    laser = read(made, line, codes=PEEL | {"laser"}).resources[0]

    assert laser.skills == PEEL
    assert laser.open & line.covering(datetime(2027, 3, 1, 9, tzinfo=UTC), datetime(2027, 3, 1, 12, tzinfo=UTC))


def test_hours_past_midnight_and_dates_across_a_clock_change_are_whole() -> None:
    line = ruler(zone("Europe/London"), date(2027, 3, 27), 3)

    night = hours_of((5,), 1320, 1560)
    sunday = dates_bits(line, date(2027, 3, 28), date(2027, 3, 28))

    assert (night.begins, night.ends) == (1320, 120)
    assert sunday.bit_count() * line.granule == 23 * 3600
