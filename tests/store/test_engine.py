from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.engine import PATIENCE, for_writing, is_busy, open_engine
from tests.databases import PostgreSQLDatabases, is_full
from tests.engines import lent_engine
from tests.store.contenders import SLOTS, contend, contend_alone
from tests.store.processes import processes
from tests.store.rows import NOW, open_clinic

WRITERS = 8
ROUNDS = 40 if is_full() else 3


def overlaps(engine: Engine) -> int:
    """How many pairs of spans overlap, counted without the guards."""
    one, other = sa.orm.aliased(ResourceBooking), sa.orm.aliased(ResourceBooking)
    with engine.connect() as connection:
        return connection.scalar(
            sa.select(sa.func.count()).select_from(one).join(other, (one.resource_id == other.resource_id) & (
                one.id < other.id) & (one.starts_at < other.ends_at) & (other.starts_at < one.ends_at))
        ) or 0


def count(engine: Engine, row: type[Appointment] | type[ResourceBooking]) -> int:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(row)) or 0


def assert_each_slot_was_booked_once(engine: Engine, answers: Counter[str]) -> None:
    tried = WRITERS * ROUNDS * SLOTS
    assert answers == {"booked": SLOTS, "refused": tried - SLOTS}
    assert overlaps(engine) == 0
    assert (count(engine, Appointment), count(engine, ResourceBooking)) == (SLOTS, 3 * SLOTS)


def test_threads_that_lock_the_resources_first_meet_refusals_only(engine: Engine) -> None:
    ids = open_clinic(engine)

    with ThreadPoolExecutor(WRITERS) as pool:
        answers = sum(pool.map(lambda seed: contend(engine, ids, seed, ROUNDS), range(WRITERS)), Counter())

    assert_each_slot_was_booked_once(engine, answers)


def test_processes_meet_refusals_only(database_url: str, engine: Engine) -> None:
    ids = open_clinic(engine)

    with ProcessPoolExecutor(WRITERS, processes()) as pool:
        running = [pool.submit(contend_alone, database_url, ids, seed, ROUNDS) for seed in range(WRITERS)]
        answers = sum((one.result(120) for one in running), Counter())

    assert_each_slot_was_booked_once(engine, answers)


def test_a_reader_sees_what_was_committed_while_another_writes(engine: Engine) -> None:
    ids = open_clinic(engine)

    with for_writing(engine).begin() as writer, engine.connect() as reader:
        writer.execute(sa.text("UPDATE clinic SET name = 'Hill'"))
        seen = reader.scalar(sa.text("SELECT name FROM clinic"))

    assert (ids.clinic, seen) == (1, "Harbour")


def test_a_reader_sees_one_instant_to_its_end(engine: Engine) -> None:
    """Or a page reads an appointment, and what it held is gone by its next statement."""
    open_clinic(engine)
    named = sa.text("SELECT name FROM clinic")

    with engine.connect() as reader:
        before = reader.scalar(named)
        with for_writing(engine).begin() as writer:
            writer.execute(sa.text("UPDATE clinic SET name = 'Hill'"))
        then = reader.scalar(named)
    with engine.connect() as reader:
        after = reader.scalar(named)

    assert (before, then, after) == ("Harbour", "Harbour", "Hill")


def test_a_writer_that_waited_sees_what_was_committed_meanwhile(engine: Engine) -> None:
    open_clinic(engine)

    with for_writing(engine).connect() as writer:
        level = writer.get_isolation_level()

    assert level == ("SERIALIZABLE" if engine.dialect.name == "sqlite" else "READ COMMITTED")


def test_who_waits_too_long_for_another_writer_is_told_so(engine: Engine) -> None:
    open_clinic(engine)
    impatient = for_writing(engine).execution_options(**{PATIENCE: 0.05})
    rename = sa.text("UPDATE clinic SET name = 'Hill'")

    with for_writing(engine).begin() as writer:
        writer.execute(rename)
        with pytest.raises(sa.exc.OperationalError) as refused, impatient.begin() as late:
            if engine.dialect.name == "postgresql":
                late.execute(sa.text("SET LOCAL lock_timeout = 50"))
            late.execute(rename)

    assert is_busy(refused.value)


@pytest.mark.postgres
def test_what_postgresql_has_prepared_stays_so_when_a_page_ends(postgresql: PostgreSQLDatabases) -> None:
    """Or it would parse and plan every statement of every page anew; a clinic's pages have more than a hundred."""
    asked = ["SELECT name FROM clinic", *(f"SELECT {number}" for number in range(150))]

    with lent_engine(postgresql.migrated()) as engine:
        open_clinic(engine)
        for _ in range(12):
            with engine.connect() as reader:
                for statement in asked:
                    reader.execute(sa.text(statement))
            with for_writing(engine).connect() as refused:
                refused.execute(sa.text("UPDATE clinic SET name = 'Hill'"))

        with engine.connect() as reader:
            planned_once = reader.scalars(
                sa.text("SELECT statement FROM pg_prepared_statements WHERE generic_plans > 0")).all()
            name = reader.scalar(sa.text("SELECT name FROM clinic"))

    assert {*planned_once} == {*asked, "UPDATE clinic SET name = 'Hill'"}
    assert name == "Harbour"


@pytest.mark.postgres
def test_what_was_prepared_is_forgotten_where_it_fits_no_more(postgresql: PostgreSQLDatabases) -> None:
    with lent_engine(postgresql.migrated()) as engine, engine.connect() as another:
        another.execute(sa.text("CREATE TABLE wave (height integer)"))
        another.commit()

        def ask() -> None:
            with engine.connect() as reader:
                reader.execute(sa.text("SELECT height FROM wave"))

        for _ in range(12):
            ask()
        another.execute(sa.text("ALTER TABLE wave ALTER COLUMN height TYPE bigint"))
        another.commit()

        with pytest.raises(sa.exc.NotSupportedError, match="must not change result type"):
            ask()
        ask()


def test_a_database_that_is_not_there_is_not_busy() -> None:
    with pytest.raises(sa.exc.OperationalError) as refused, open_engine("sqlite:////nowhere/x.db").connect():
        pass

    assert not is_busy(refused.value)


def test_a_row_that_points_nowhere_is_refused(engine: Engine) -> None:
    with pytest.raises(sa.exc.IntegrityError), for_writing(engine).begin() as connection:
        connection.execute(sa.text("INSERT INTO clinical_note (patient_id, written_at, text) VALUES (9, :at, 'x')"),
                           {"at": 0 if engine.dialect.name == "sqlite" else NOW})


def test_a_sqlite_connection_keeps_every_promise(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)

    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout", "recursive_triggers")
        }
    engine.dispose()

    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 20000,
                       "recursive_triggers": 1}


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(ValueError, match="SQLite or PostgreSQL, not mysql"):
        open_engine("mysql://desk@localhost/clinic")
