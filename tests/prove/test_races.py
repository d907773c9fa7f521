"""Many desks at once, in processes of their own, on few people and rooms: what the diary then says about itself."""
from __future__ import annotations

import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.store.engine import for_writing, open_engine
from clinic.store.protocols import Protocol
from tests.databases import is_full
from tests.other_visits import add_other_visits
from tests.prove.audit import audit
from tests.prove.race_desk import OPERATIONS_A_DAY, Arena, Log, run_desk
from tests.small_clinic import MONDAY, small_clinic

PROTOCOLS = (
    ("mn_rejuvenation", "fine_lines", 3), ("ipl_photorejuvenation", "pigment", 3), ("rfmn_laxity", "fine_lines", 1))

HELD = "ipl_photorejuvenation"
"""The protocol whose dates are held until a consultation."""


@pytest.mark.prove
def test_many_desks_at_once_leave_a_sound_diary_and_meet_nothing_but_refusals(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    desks, operations = (16, 200) if is_full() else (6, 25)
    engine = open_engine(database_url)
    arena = _arena(engine)

    begun = time.monotonic()
    logs = _race(database_url, arena, desks, operations)

    faults = audit(engine, untold_at=MONDAY + timedelta(days=operations // OPERATIONS_A_DAY + 1))
    booked = _numbers(engine, "SELECT id FROM course ORDER BY id")
    with capsys.disabled():
        sys.stdout.write("\n" + _figures(engine, logs, time.monotonic() - begun, faults) + "\n")
    engine.dispose()
    assert [error for log in logs for error in log.errors] == []
    assert faults == []
    assert booked == sorted(course for log in logs for course in log.courses)
    assert len(booked) > (desks if is_full() else 0)  # a busy machine lets a short race book few


def _arena(engine: Engine) -> Arena:
    made = small_clinic(engine, patients=8)
    with Session(for_writing(engine)) as db:
        add_other_visits(db)
        db.execute(sa.update(Protocol).where(Protocol.code == HELD).values(consultation="hold"))
        db.commit()
    return Arena(
        MONDAY, made.clinic_id, "Europe/London", tuple(made.patients), (*made.practitioners, *made.rooms),
        tuple((made.versions[code], indication, sessions) for code, indication, sessions in PROTOCOLS))


def _race(url: str, arena: Arena, desks: int, operations: int) -> list[Log]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.prove.race_desk"])
    with ProcessPoolExecutor(desks, mp_context=context) as pool:
        return list(pool.map(run_desk, [url] * desks, [arena] * desks, range(desks), [operations] * desks))


def _figures(engine: Engine, logs: Sequence[Log], took: float, faults: Sequence[str]) -> str:
    answers = sum((log.answers for log in logs), Counter[str]())
    seconds = sorted(each for log in logs for each in log.seconds)
    done = sum(count for answer, count in answers.items() if answer.endswith("done"))
    errors = [error for log in logs for error in log.errors]
    return (
        f"{engine.dialect.name}: {len(logs)} desks, {len(seconds)} operations in {took:.0f} s, {done} done, "
        f"{len(errors)} errors ({sum('deadlock' in error for error in errors)} deadlocks), "
        f"p99 {seconds[len(seconds) * 99 // 100]:.2f} s, {len(faults)} faults in the audit; "
        + ", ".join(f"{answer} {count}" for answer, count in sorted(answers.items())))


def _numbers(engine: Engine, statement: str) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(sa.text(statement)))
